import type { CommittedEvent, NamedEvent } from '../domain/notification.ts'
import { Problem } from '../domain/problem.ts'
import type { Ids } from './ports.ts'

/** Events with ids of their own, from which the receivers' `webhook-id` is made. */
export function named(events: readonly CommittedEvent[], ids: Ids): readonly NamedEvent[] {
  return events.map(({ subscriptionIds, body }) => ({ id: ids.make('evt'), subscriptionIds, body }))
}

/** Characters of all events of one change. More would hold up the commits that share its statement. */
const EVENTS_LENGTH_MAX = 16_777_216
/** So many cannot come near it: a body that is sent here has a mebibyte at most. */
const UNWEIGHED_MAX = 7

/** Refuses a change that means so many events, of so large a record, that they cannot be stored with it. */
export function weigh(events: readonly CommittedEvent[]): void {
  if (events.length <= UNWEIGHED_MAX) return
  let length = 0
  for (const { body } of events) {
    length += JSON.stringify(body).length
    if (length > EVENTS_LENGTH_MAX) throw new Problem('events_too_large')
  }
}
