import { describe, expect, it } from 'vitest'
import {
  type FailedAttempt,
  nextDelayMs,
  OVERLOAD_FLOOR_MS,
  RETRY_AFTER_MAX_MS,
  RETRY_PRESETS,
  type RetryPolicy,
  retryAfterMs,
} from '../../../src/domain/retry.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const STANDARD: RetryPolicy = { preset: 'standard' }
const POSTER: RetryPolicy = { preset: 'poster' }

const attempt = (failures: number, over: Partial<FailedAttempt> = {}): FailedAttempt => ({
  failures,
  status: 500,
  retryAfterMs: undefined,
  random: 0,
  ...over,
})

/** Each delay that the policy gives, until it gives none. */
function scheduleOf(policy: RetryPolicy): number[] {
  const delays: number[] = []
  for (let failures = 1; failures < 100; failures++) {
    const delay = nextDelayMs(policy, attempt(failures))
    if (delay === null) return delays
    delays.push(delay)
  }
  return delays
}

const sum = (delays: readonly number[]) => delays.reduce((total, delay) => total + delay, 0)

describe('the preset', () => {
  it('standard makes nine more tries in 75 h 35 min 5 s', () => {
    const delays = scheduleOf(STANDARD)
    expect(delays).toEqual([
      5 * SECOND,
      5 * MINUTE,
      30 * MINUTE,
      2 * HOUR,
      5 * HOUR,
      10 * HOUR,
      14 * HOUR,
      20 * HOUR,
      24 * HOUR,
    ])
    expect(sum(delays)).toBe(75 * HOUR + 35 * MINUTE + 5 * SECOND)
  })

  it('poster makes fifteen more tries in exactly 48 h', () => {
    const delays = scheduleOf(POSTER)
    expect(delays.map((delay) => delay / SECOND)).toEqual([
      30, 60, 120, 300, 600, 1_200, 2_400, 3_600, 7_200, 10_800, 14_400, 21_600, 28_800, 36_000,
      45_690,
    ])
    expect(sum(delays)).toBe(48 * HOUR)
  })

  it('none makes no more', () => {
    expect(scheduleOf({ preset: 'none' })).toEqual([])
  })
})

describe('chance', () => {
  it('adds up to a tenth and never takes away', () => {
    for (const [index, base] of RETRY_PRESETS.standard.delaysMs.entries()) {
      const at = (random: number) => nextDelayMs(STANDARD, attempt(index + 1, { random }))
      expect(at(0)).toBe(base)
      expect(at(0.5)).toBe(Math.round(base * 1.05))
      expect(at(0.999_999)).toBeLessThanOrEqual(base * 1.1)
    }
  })

  it('adds as much to a schedule of one’s own, and nothing to poster', () => {
    const own = { delaysMs: [1_000, 2_000] }
    expect(nextDelayMs(own, attempt(2, { random: 0.5 }))).toBe(2_100)
    expect(nextDelayMs(own, attempt(3))).toBeNull()
    expect(nextDelayMs(POSTER, attempt(1, { random: 0.9 }))).toBe(30_000)
  })
})

describe('a receiver that has too much', () => {
  it.each([429, 502, 503, 504])('and says %d is left alone for a minute at least', (status) => {
    expect(nextDelayMs(STANDARD, attempt(1, { status }))).toBe(OVERLOAD_FLOOR_MS)
    expect(nextDelayMs(STANDARD, attempt(2, { status }))).toBe(5 * MINUTE)
  })

  it.each([undefined, 400, 408, 500, 501, 505])('is not one that says %s', (status) => {
    expect(nextDelayMs(STANDARD, attempt(1, { status }))).toBe(5 * SECOND)
  })

  it('is waited for as long as it asks, up to a day, and never shorter than planned', () => {
    const asked = (ms: number) => nextDelayMs(STANDARD, attempt(1, { retryAfterMs: ms }))
    expect(asked(0)).toBe(5 * SECOND)
    expect(asked(4 * SECOND)).toBe(5 * SECOND)
    expect(asked(HOUR)).toBe(HOUR)
    expect(asked(DAY)).toBe(DAY)
    expect(asked(30 * DAY)).toBe(RETRY_AFTER_MAX_MS)
    expect(RETRY_AFTER_MAX_MS).toBe(DAY)
  })

  it('gets no tries that the schedule does not have', () => {
    expect(nextDelayMs(STANDARD, attempt(10, { status: 503, retryAfterMs: HOUR }))).toBeNull()
    expect(nextDelayMs({ delaysMs: [] }, attempt(1, { retryAfterMs: HOUR }))).toBeNull()
  })

  it('is heard by poster as little as by Poster itself', () => {
    expect(nextDelayMs(POSTER, attempt(1, { status: 503, retryAfterMs: HOUR }))).toBe(30_000)
  })
})

/** DIALECTS.md, case by case: policy, the failed attempt, and the delay in seconds; null: dead. */
const LIST: RetryPolicy = { delaysMs: [1_000, 90_000, 0] }
const NONE: RetryPolicy = { preset: 'none' }
const DAY_S = DAY / SECOND
const VECTORS: readonly (readonly [RetryPolicy, FailedAttempt, number | null])[] = [
  // A list: each delay in turn, then none.
  [LIST, attempt(1), 1],
  [LIST, attempt(2), 90],
  [LIST, attempt(3), 0],
  [LIST, attempt(4), null],
  [{ delaysMs: [] }, attempt(1), null],
  // Chance only adds: up to a tenth.
  [LIST, attempt(2, { random: 0.5 }), 94.5],
  [STANDARD, attempt(1, { random: 0.999 }), 5.5],
  [STANDARD, attempt(9, { random: 0.5 }), 1.05 * DAY_S],
  [STANDARD, attempt(10), null],
  // Too much: a minute at least, more where the schedule says so; chance comes before the minute.
  [LIST, attempt(1, { status: 429 }), 60],
  [LIST, attempt(3, { status: 504 }), 60],
  [LIST, attempt(2, { status: 503 }), 90],
  [STANDARD, attempt(1, { status: 502, random: 0.999 }), 60],
  [LIST, attempt(4, { status: 503 }), null],
  // Retry-After is for any failure; the longest of all counts.
  [LIST, attempt(1, { status: 500, retryAfterMs: 7 * SECOND }), 7],
  [LIST, attempt(2, { status: 400, retryAfterMs: 7 * SECOND }), 90],
  [LIST, attempt(1, { status: 503, retryAfterMs: 7 * SECOND }), 60],
  [LIST, attempt(1, { status: 503, retryAfterMs: 61 * SECOND }), 61],
  [LIST, attempt(1, { status: 429, retryAfterMs: DAY + 1 }), DAY_S],
  [LIST, attempt(1, { retryAfterMs: 30 * DAY }), DAY_S],
  [STANDARD, attempt(9, { retryAfterMs: HOUR, random: 0 }), DAY_S],
  // Poster: its own schedule to the second, whatever the receiver says and however chance falls.
  [POSTER, attempt(1, { status: 429, retryAfterMs: HOUR, random: 0.999 }), 30],
  [POSTER, attempt(15, { status: 503, retryAfterMs: DAY, random: 0.999 }), 45_690],
  [POSTER, attempt(16), null],
  // None: dead at once.
  [NONE, attempt(1), null],
  [NONE, attempt(1, { status: 503, retryAfterMs: HOUR }), null],
]

describe('a failed attempt', () => {
  it.each(VECTORS)('of %j, %j, is followed by the next after %s s', (policy, failed, delayS) => {
    const delayMs = nextDelayMs(policy, failed)
    if (delayS === null) expect(delayMs).toBeNull()
    else expect((delayMs ?? Number.NaN) / SECOND).toBeCloseTo(delayS, 1)
  })

  it('never has its next one sooner than planned', () => {
    for (const preset of [STANDARD, POSTER, LIST]) {
      const planned = scheduleOf(preset)
      for (const [index, delay] of planned.entries()) {
        for (const random of [0, 0.1, 0.999_999]) {
          const next = nextDelayMs(preset, attempt(index + 1, { random, retryAfterMs: 1 }))
          expect(next).toBeGreaterThanOrEqual(delay)
        }
      }
    }
  })
})

describe('Retry-After', () => {
  const now = Date.parse('2026-03-01T09:00:00Z')

  it.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['999999999', 999_999_999_000],
    ['9999999999', 9_999_999_999_000],
    ['Sun, 01 Mar 2026 09:01:30 GMT', 90_000],
    ['Sunday, 01-Mar-26 09:01:30 GMT', 90_000],
    ['Sun Mar  1 09:01:30 2026', 90_000],
    ['Sun, 01 Mar 2026 08:00:00 GMT', 0],
  ])('%j is %d ms', (header, expected) => {
    expect(retryAfterMs(header, now)).toBe(expected)
  })

  it.each([undefined, '', 'soon', '1e3', 'NaN', 'Sun, 99 Foo', 'abc 2099', '1.5', '-5'])(
    '%j says nothing',
    (header) => {
      expect(retryAfterMs(header, now)).toBeUndefined()
    },
  )

  it.each(['86401', '9'.repeat(10), '9'.repeat(20), '9'.repeat(30)])(
    '%s, of however many digits, is heeded for a day',
    (header) => {
      const asked = attempt(1, { retryAfterMs: retryAfterMs(header, now) })
      expect(nextDelayMs(STANDARD, asked)).toBe(DAY)
    },
  )
})
