import type { CommittedEvent, NamedEvent } from '../domain/notification.ts'
import type { Ids } from './ports.ts'

/** Events with ids of their own, from which the receivers' `webhook-id` is made. */
export function named(events: readonly CommittedEvent[], ids: Ids): readonly NamedEvent[] {
  return events.map(({ subscriptionIds, body }) => ({ id: ids.make('evt'), subscriptionIds, body }))
}
