import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Asked, askValidators } from '../../src/app/ask-validators.ts'
import { callBudgetMs, deadlineFrom, remainingMs } from '../../src/domain/deadline.ts'
import { inquiryOf, planOf, subscriptionOf } from '../support/build.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeAsker, fakePresence } from '../unit/app/fakes.ts'

const budget = fc.integer({ min: 50, max: 30_000 })
const limit = fc.integer({ min: 50, max: 30_000 })
const time = fc.integer({ min: 0, max: 60_000 })

describe('the budget of a change', () => {
  it('is never passed by a call, whenever it starts and whatever its own limit', () => {
    fc.assert(
      fc.property(time, budget, limit, time, (startedAt, budgetMs, ownMs, passedMs) => {
        const deadline = deadlineFrom(startedAt, budgetMs)
        const now = startedAt + passedMs
        const callMs = callBudgetMs(deadline, ownMs, now)
        expect(callMs).toBeGreaterThanOrEqual(0)
        expect(callMs).toBeLessThanOrEqual(ownMs)
        expect(callMs).toBeLessThanOrEqual(budgetMs)
        if (callMs > 0) expect(now + callMs).toBeLessThanOrEqual(deadline.endsAt)
        else expect(now).toBeGreaterThanOrEqual(deadline.endsAt)
        expect(remainingMs(deadline, now) > 0).toBe(callMs > 0)
      }),
    )
  })

  it('is never passed by any number of calls one after the other', () => {
    fc.assert(
      fc.property(budget, fc.array(limit, { maxLength: 20 }), (budgetMs, limits) => {
        const deadline = deadlineFrom(0, budgetMs)
        const end = limits.reduce((now, ownMs) => now + callBudgetMs(deadline, ownMs, now), 0)
        expect(end).toBeLessThanOrEqual(budgetMs)
      }),
    )
  })

  it('ends the fan-out to validators that never answer; whoever gets no time fails without a call', async () => {
    const run = fc.asyncProperty(
      budget,
      fc.integer({ min: 0, max: 40_000 }),
      fc.array(limit, { minLength: 1, maxLength: 5 }),
      async (budgetMs, passedMs, limits) => {
        const clock = new FakeClock()
        await clock.advance(passedMs)
        const asker = new FakeAsker(() => null, clock)
        const subscriptions = limits.map((timeoutMs, at) =>
          subscriptionOf({ id: `v${at}`, timeoutMs, onFailure: 'allow' }),
        )
        const asking = {
          plan: planOf(subscriptions),
          inquiry: inquiryOf(),
          deadline: deadlineFrom(0, budgetMs),
          denyGraceMs: 100,
          presence: fakePresence().presence,
          earlier: new Map(),
          onAnswer: undefined,
        }
        const state: { asked?: Asked } = {}
        void askValidators(asking, { asker, clock }).then((asked) =>
          Object.assign(state, { asked }),
        )
        await clock.advance(Math.max(0, budgetMs - passedMs))
        const answers = state.asked?.answers ?? []
        expect(answers).toHaveLength(limits.length)
        for (const { answer, startedMs, durationMs } of answers) {
          const cause = passedMs < budgetMs ? 'timeout' : 'budget_exhausted'
          expect(answer).toMatchObject({ kind: 'failed', cause })
          expect(startedMs).toBe(passedMs)
          if (cause === 'timeout') expect(startedMs + durationMs).toBeLessThanOrEqual(budgetMs)
          else expect(durationMs).toBe(0)
        }
      },
    )
    await fc.assert(run)
  })
})
