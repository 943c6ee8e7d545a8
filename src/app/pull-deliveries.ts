/** A receiver that saw a gap fetches what it lacks, in the bodies that would have been sent. */
import { Problem } from '../domain/problem.ts'
import type { Configurations } from './configuration.ts'
import type { Deliveries, NumberedDelivery } from './delivery-store.ts'
import type { Renderer } from './ports.ts'

export type PullPorts = {
  readonly deliveries: Deliveries
  readonly configurations: Configurations
  readonly renderer: Renderer
}

export type PullRequest = {
  readonly accountId: string
  readonly subscriptionId: string
  /** The number behind which to begin; requests before a commit may have taken some of those that follow. */
  readonly after: number
  readonly limit: number
}

export type PulledDelivery = Pick<NumberedDelivery, 'sequenceId' | 'id' | 'state'> & {
  /** As it is sent, read as JSON; null where all of it travels in the URL, or its record was erased. */
  readonly body: unknown
}

export async function pullDeliveries(
  { accountId, subscriptionId, after, limit }: PullRequest,
  { deliveries, configurations, renderer }: PullPorts,
): Promise<readonly PulledDelivery[]> {
  const { index, accountNumber } = await configurations.fresh(accountId)
  const subscription = index.byId.get(subscriptionId)
  if (subscription === undefined) throw new Problem('not_found')
  const found = await deliveries.numbered(accountId, subscriptionId, after, limit)
  return found.map(({ sequenceId, id, state, body, occurredAtMs }) => {
    if (body.erased === true) return { sequenceId, id, state, body: null }
    const dispatch = { deliveryId: id, subscription, body, occurredAtMs, sequenceId, accountNumber }
    const text = renderer.bodyOf(dispatch)
    return { sequenceId, id, state, body: text === null ? null : JSON.parse(text) }
  })
}
