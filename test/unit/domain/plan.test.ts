import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../../src/adapters/system/patterns.ts'
import { indexSubscriptions } from '../../../src/domain/matching.ts'
import { planFor } from '../../../src/domain/plan.ts'
import { SUBSCRIPTIONS_ASKED_MAX, type Subscription } from '../../../src/domain/subscription.ts'
import { changeWith, subscriptionOf, subscriptionsOf } from '../../support/build.ts'

const planOver = (subscriptions: readonly Subscription[]) =>
  planFor(changeWith(), indexSubscriptions(subscriptions, compilePattern), 7)

const many = (count: number) =>
  subscriptionsOf(Array.from({ length: count }, (_, at) => `sub_${at}`))

describe('a plan', () => {
  it('asks who matches, in plan order, under the generation that it was made with', () => {
    const plan = planOver([
      subscriptionOf({ id: 'late', order: 2 }),
      subscriptionOf({ id: 'other', order: 0, initiators: ['ben'] }),
      subscriptionOf({ id: 'early', order: 1 }),
    ])
    expect(plan.generation).toBe(7)
    expect(plan.asked.map(({ id }) => id)).toEqual(['early', 'late'])
    expect(plan.considered.map(({ subscriptionId }) => subscriptionId)).toEqual([
      'other',
      'early',
      'late',
    ])
    expect(plan.considered.map(({ mismatch }) => mismatch)).toEqual([
      { reason: 'initiator' },
      null,
      null,
    ])
  })

  it('asks nobody when nobody matches', () => {
    expect(planOver([]).asked).toEqual([])
  })

  it('asks at most 64, and says so before anybody is asked', () => {
    expect(planOver(many(SUBSCRIPTIONS_ASKED_MAX)).asked).toHaveLength(64)
    expect(() => planOver(many(SUBSCRIPTIONS_ASKED_MAX + 1))).toThrow(
      expect.objectContaining({
        code: 'too_many_subscriptions',
        message: expect.stringContaining('65'),
      }),
    )
  })

  it('counts those who do not match as nobody', () => {
    const asleep = many(300).map((one) => ({ ...one, active: false }))
    expect(planOver([...asleep, subscriptionOf({ id: 'awake' })]).asked).toHaveLength(1)
  })
})
