import { describe, expect, it } from 'vitest'
import { judge } from '../../../../src/app/deliver/judge.ts'
import type { DispatchResult } from '../../../../src/app/ports.ts'
import type { RetryPolicy } from '../../../../src/domain/retry.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FakeOutbox, resultOf } from './relay-world.ts'

const delivery = (failures = 0) => new FakeOutbox(new FakeClock()).add(7, { failures })
const STANDARD: RetryPolicy = { preset: 'standard' }

const judged = (over: Partial<DispatchResult>, policy: RetryPolicy = STANDARD, failures = 0) => {
  const { state, retryInMs, sign } = judge(delivery(failures), policy, resultOf(over), 0.5)
  return [state, retryInMs, sign]
}

describe('an attempt', () => {
  it('that was taken is a success', () => {
    expect(judged({ outcome: 'delivered' })).toEqual(['delivered', null, 'success'])
  })

  it('whose receiver wants no more of this one is a success too: somebody is there', () => {
    expect(judged({ outcome: 'abort' })).toEqual(['cancelled', null, 'success'])
  })

  it('that was taken by a receiver that wants nothing more is a success like any other', () => {
    expect(judged({ outcome: 'delivered_last' }, { preset: 'none' })).toEqual([
      'delivered',
      null,
      'success',
    ])
  })

  it.each([STANDARD, { preset: 'none' }, { delaysMs: [] }] as const)(
    'that this gateway broke off is made again at once, by %j too, and says nothing of the receiver',
    (policy) => {
      const result = { outcome: 'broken_off', status: undefined } as const
      expect(judged(result, policy, 100)).toEqual(['retrying', 0, 'neither'])
    },
  )

  it('whose receiver wants nothing any more is held, and says neither', () => {
    expect(judged({ outcome: 'disable', status: 410 })).toEqual(['held', null, 'neither'])
  })

  it.each([
    ['the first time', STANDARD, 0, {}, 5_250],
    ['for the ninth time', STANDARD, 8, {}, 86_400_000 * 1.05],
    ['by a list of its own', { delaysMs: [1_000, 2_000] }, 1, {}, 2_100],
    ['as poster has it', { preset: 'poster' }, 14, {}, 45_690_000],
    ['with too much to do', STANDARD, 0, { status: 503 }, 60_000],
    ['and asks for time', STANDARD, 0, { status: 429, retryAfterMs: 90_000 }, 90_000],
    ['and asks poster for time', { preset: 'poster' }, 0, { retryAfterMs: 90_000 }, 30_000],
  ] as const)('that fails %s is tried again when its policy says so', (...given) => {
    const [, policy, failures, over, retryInMs] = given
    const result = { outcome: 'retry', status: 500, ...over } as const
    expect(judged(result, policy, failures)).toEqual(['retrying', retryInMs, 'failure'])
  })

  it.each([
    ['standard', STANDARD, 9],
    ['poster', { preset: 'poster' }, 15],
    ['a list', { delaysMs: [1_000, 2_000] }, 2],
    ['an empty list', { delaysMs: [] }, 0],
    ['none', { preset: 'none' }, 0],
  ] as const)('that fails when %s has no more tries is dead', (_, policy, failures) => {
    const result = { outcome: 'retry', status: 503, retryAfterMs: 1_000 } as const
    expect(judged(result, policy, failures)).toEqual(['dead', null, 'failure'])
  })

  it('that fails on the way out is tried again, and does not speak against the receiver', () => {
    const result = { outcome: 'retry', isOnTheWay: true } as const
    const [state, retryInMs, sign] = judged(result, STANDARD, 0)
    expect([state, sign]).toEqual(['retrying', 'neither'])
    expect(retryInMs).toBeGreaterThan(0)
  })

  it('keeps its delivery and its result', () => {
    const [one, result] = [delivery(), resultOf()]
    expect(judge(one, STANDARD, result, 0)).toMatchObject({ delivery: one, result })
  })
})
