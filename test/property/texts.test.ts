import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { acceptedLanguages, cleanText } from '../../src/domain/message.ts'
import {
  nextDelayMs,
  RETRY_PRESETS,
  retryAfterMs,
  retryPresetNames,
} from '../../src/domain/retry.ts'

const HIDDEN =
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u061C\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\u{E0000}-\u{E007F}]/u

/** Any UTF-16 units, with the troublesome ones more often than chance would have them. */
const dirty = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }),
      fc.constantFrom(0, 9, 10, 0x202e, 0x2066, 0xd83d, 0xde00, 0x301, 0x65, 0x20, 0xfeff),
      fc.constantFrom(0x200c, 0x200d, 0xfe0f, 0xfe00, 0x180b, 0x915, 0x94d, 0x627, 0x653, 0x212a),
      fc.constantFrom(0xdb40, 0xdd00, 0xdc61, 0xd83c, 0xdffd, 0x2764, 0x20e3, 0x345, 0x3b1, 0x1100),
    ),
    { maxLength: 60 },
  )
  .map((units) => String.fromCharCode(...units))

describe('a cleaned text', () => {
  it('is well formed, hides nothing, is within its length and as clean as it gets', () => {
    fc.assert(
      fc.property(dirty, fc.integer({ min: 1, max: 40 }), (text, lengthMax) => {
        const clean = cleanText(text, lengthMax)
        expect(clean.isWellFormed()).toBe(true)
        expect(clean).not.toMatch(HIDDEN)
        expect(Array.from(clean).length).toBeLessThanOrEqual(lengthMax)
        expect(cleanText(clean, lengthMax)).toBe(clean)
      }),
      { numRuns: 5_000 },
    )
  })
})

describe('Accept-Language', () => {
  it('never breaks anything, and gives tags only', () => {
    const noise = fc.string({ unit: fc.constantFrom(...'enru-*;q=01.9, \t"'.split('')) })
    fc.assert(
      fc.property(fc.oneof(noise, fc.string()), (header) => {
        for (const tag of acceptedLanguages(header))
          expect(tag).toMatch(/^[a-z]{1,8}(-[a-z0-9]{1,8})*$/)
      }),
    )
  })
})

describe('the next try', () => {
  it('never comes before its time, and never after the last one', () => {
    const attempt = fc.record({
      failures: fc.integer({ min: 1, max: 20 }),
      status: fc.constantFrom(undefined, 400, 429, 500, 503),
      retryAfterMs: fc.option(fc.nat(200_000_000), { nil: undefined }),
      random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    })
    fc.assert(
      fc.property(fc.constantFrom(...retryPresetNames), attempt, (preset, attempt) => {
        const { delaysMs } = RETRY_PRESETS[preset]
        const planned: number | undefined = delaysMs[attempt.failures - 1]
        const delay = nextDelayMs({ preset }, attempt)
        if (planned === undefined || delay === null) {
          expect([planned, delay]).toEqual([undefined, null])
          return
        }
        expect(delay).toBeGreaterThanOrEqual(planned)
        const most = Math.max(
          planned * 1.1,
          60_000,
          Math.min(attempt.retryAfterMs ?? 0, 86_400_000),
        )
        expect(delay).toBeLessThanOrEqual(Math.ceil(most))
      }),
    )
  })

  it('is asked for by a header that is a time, or not at all', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), (header, now) => {
        const asked = retryAfterMs(header, now)
        if (asked !== undefined) expect(asked).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})
