import { describe, expect, it } from 'vitest'
import {
  BUDGET_MS,
  callBudgetMs,
  DENY_GRACE_DEFAULT_MS,
  deadlineFrom,
  remainingMs,
} from '../../../src/domain/deadline.ts'
import { budgetFor } from '../../../src/domain/plan.ts'
import { subscriptionOf } from '../../support/build.ts'

describe('the budget of a change', () => {
  it('is 50 ms to 30 s, 10 s unless said otherwise, with 100 ms of grace after a deny', () => {
    expect(BUDGET_MS).toEqual({ min: 50, max: 30_000, default: 10_000 })
    expect(DENY_GRACE_DEFAULT_MS).toBe(100)
  })

  it('runs from its start and never below zero', () => {
    const deadline = deadlineFrom(1_000, 500)
    expect(deadline).toEqual({ startedAt: 1_000, endsAt: 1_500 })
    expect(remainingMs(deadline, 1_000)).toBe(500)
    expect(remainingMs(deadline, 1_499)).toBe(1)
    expect(remainingMs(deadline, 1_500)).toBe(0)
    expect(remainingMs(deadline, 9_000)).toBe(0)
  })
})

describe('the budget of a call', () => {
  const deadline = deadlineFrom(0, 1_000)

  it.each([
    [300, 0, 300],
    [300, 699, 300],
    [300, 701, 299],
    [5_000, 0, 1_000],
    [5_000, 999, 1],
    [5_000, 1_000, 0],
    [300, 2_000, 0],
  ])('of own limit %d ms at %d ms is %d ms', (ownMs, now, expected) => {
    expect(callBudgetMs(deadline, ownMs, now)).toBe(expected)
    expect(budgetFor(subscriptionOf({ timeoutMs: ownMs }), deadline, now)).toBe(expected)
  })

  it('of a shadow is its own limit only, because nobody waits for it', () => {
    const shadow = subscriptionOf({ mode: 'shadow', timeoutMs: 5_000 })
    expect(budgetFor(shadow, deadline, 0)).toBe(5_000)
    expect(budgetFor(shadow, deadline, 2_000)).toBe(5_000)
  })
})
