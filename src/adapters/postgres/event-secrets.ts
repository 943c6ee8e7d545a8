/**
 * What an event says to those who are told and to nobody else (an access token) is stored encrypted, bound
 * to the event, and opened when a delivery is claimed to be sent; whoever else reads the event sees a mask.
 */
import type { EventBody, NamedEvent } from '../../domain/notification.ts'
import type { Sealer, SealPlace } from './changing.ts'

/** A body as it is stored. */
export type SealedBody = Omit<EventBody, 'secrets'> & { readonly sealed?: string }

type Place = { readonly account: string; readonly event: string }

const placeOf = ({ account, event }: Place): SealPlace => ({
  accountId: account,
  table: 'events',
  column: 'body',
  row: event,
})

/** The event as it may be stored. */
export function sealedEvent(event: NamedEvent, account: string, sealer: Sealer): NamedEvent {
  const { secrets, ...body } = event.body
  if (secrets === undefined) return event
  const sealed = sealer.seal(placeOf({ account, event: event.id }), JSON.stringify(secrets))
  const stored: SealedBody = { ...body, sealed }
  return { ...event, body: stored }
}

export function openedBody(stored: SealedBody, place: Place, sealer: Sealer): EventBody {
  if (stored.sealed === undefined) return stored
  const { sealed, ...body } = stored
  const secrets = JSON.parse(sealer.open(placeOf(place), sealed)) as Record<string, string>
  return { ...body, secrets }
}
