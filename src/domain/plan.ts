/** Who is asked about a change, in which order, with which part of the budget. */
import type { Change } from './change.ts'
import { callBudgetMs, type Deadline } from './deadline.ts'
import { type Considered, matchSubscriptions, type SubscriptionIndex } from './matching.ts'
import { Problem } from './problem.ts'
import { SUBSCRIPTIONS_ASKED_MAX, type Subscription } from './subscription.ts'

export type Plan = {
  /** The account's configuration that the plan was made under; the commit insists on it. */
  readonly generation: number
  readonly change: Change
  /** In plan order, which is the order of every list in the answer. */
  readonly asked: readonly Subscription[]
  readonly considered: readonly Considered[]
}

export function planFor(change: Change, index: SubscriptionIndex, generation: number): Plan {
  const { matched, considered } = matchSubscriptions(index, change.event, change)
  if (matched.length > SUBSCRIPTIONS_ASKED_MAX) {
    throw new Problem('too_many_subscriptions', {
      detail: `${matched.length} subscriptions match this change; at most ${SUBSCRIPTIONS_ASKED_MAX} can be asked about one.`,
    })
  }
  return { generation, change, asked: matched, considered }
}

/**
 * Milliseconds for one call. A shadow subscription has its own limit only: nobody waits for it, so the
 * change's budget does not bind it.
 */
export function budgetFor(subscription: Subscription, deadline: Deadline, now: number): number {
  if (subscription.mode === 'shadow') return subscription.timeoutMs
  return callBudgetMs(deadline, subscription.timeoutMs, now)
}
