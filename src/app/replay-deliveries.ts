import { ENDED_STATES, type EndedState } from '../domain/notification.ts'
import { Problem } from '../domain/problem.ts'
import type { Deliveries, ReplayOrder } from './delivery-store.ts'
import type { Subscriptions } from './store.ts'

export type ReplayRequest = {
  readonly accountId: string
  readonly subscriptionId: string
  readonly order: { readonly states?: readonly EndedState[] | undefined } & {
    readonly [K in Exclude<keyof ReplayOrder, 'states'>]?: ReplayOrder[K]
  }
}

/** Has ended deliveries of a subscription sent again; the number of them. */
export async function replayDeliveries(
  { accountId, subscriptionId, order }: ReplayRequest,
  ports: { readonly deliveries: Deliveries; readonly subscriptions: Subscriptions },
): Promise<number> {
  if ((await ports.subscriptions.read(accountId, subscriptionId)) === null) {
    throw new Problem('not_found')
  }
  return ports.deliveries.replay(accountId, subscriptionId, {
    since: order.since,
    until: order.until,
    fromSequenceId: order.fromSequenceId,
    toSequenceId: order.toSequenceId,
    states: order.states ?? ENDED_STATES,
  })
}
