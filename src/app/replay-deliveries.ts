import { ENDED_STATES, type EndedState } from '../domain/notification.ts'
import { Problem } from '../domain/problem.ts'
import type { Deliveries, ReplayOrder, ReplayView } from './delivery-store.ts'
import type { Subscriptions } from './store.ts'

export type ReplayRequest = {
  readonly accountId: string
  readonly subscriptionId: string
  readonly order: { readonly states?: readonly EndedState[] | undefined } & {
    readonly [K in Exclude<keyof ReplayOrder, 'states'>]?: ReplayOrder[K]
  }
}

type ReplayPorts = { readonly deliveries: Deliveries; readonly subscriptions: Subscriptions }

/** Has ended deliveries of a subscription sent again; the number of them. */
export async function replayDeliveries(
  request: ReplayRequest,
  ports: ReplayPorts,
): Promise<number> {
  const { accountId, subscriptionId } = request
  await checkSubscription(accountId, subscriptionId, ports)
  return ports.deliveries.replay(accountId, subscriptionId, orderOf(request))
}

/** How many that would be, without sending any. */
export async function previewReplay(request: ReplayRequest, ports: ReplayPorts): Promise<number> {
  const { accountId, subscriptionId } = request
  await checkSubscription(accountId, subscriptionId, ports)
  return ports.deliveries.countReplay(accountId, subscriptionId, orderOf(request))
}

export async function listReplays(
  accountId: string,
  subscriptionId: string,
  ports: ReplayPorts,
): Promise<readonly ReplayView[]> {
  await checkSubscription(accountId, subscriptionId, ports)
  return ports.deliveries.replays(accountId, subscriptionId)
}

async function checkSubscription(
  accountId: string,
  subscriptionId: string,
  { subscriptions }: ReplayPorts,
): Promise<void> {
  if ((await subscriptions.read(accountId, subscriptionId)) === null) throw new Problem('not_found')
}

function orderOf({ order }: ReplayRequest): ReplayOrder {
  return {
    since: order.since,
    until: order.until,
    fromSequenceId: order.fromSequenceId,
    toSequenceId: order.toSequenceId,
    states: order.states ?? ENDED_STATES,
  }
}
