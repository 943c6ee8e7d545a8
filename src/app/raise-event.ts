/** A program says that something has happened which no change of a record tells of. */
import { RECORD_VALUES_MAX } from '../domain/catalog.ts'
import type { User } from '../domain/change.ts'
import { raisedEvent } from '../domain/notification.ts'
import { Problem } from '../domain/problem.ts'
import type { Values } from '../domain/values.ts'
import type { Configurations } from './configuration.ts'
import type { Ids } from './ports.ts'
import type { Events } from './store.ts'

export type RaiseEventPorts = {
  readonly configurations: Configurations
  readonly events: Events
  readonly ids: Ids
  /** There is something to deliver. */
  readonly onCommitted: () => void
}

export type EventToRaise = {
  readonly type: string
  readonly data: Values
  readonly user: User | undefined
  readonly recordId: string | undefined
  readonly catalogId: string | undefined
}

/** Durable when it resolves, like a committed change. */
export async function raiseEvent(
  accountId: string,
  { type, ...told }: EventToRaise,
  ports: RaiseEventPorts,
): Promise<{ readonly id: string }> {
  if (Object.keys(told.data).length > RECORD_VALUES_MAX) {
    const message = `An event has at most ${RECORD_VALUES_MAX} values.`
    throw new Problem('too_many_values', { complaints: [{ pointer: '/data', message }] })
  }
  const { index, eventTypes } = await ports.configurations.fresh(accountId)
  const eventType = eventTypes.byName.get(type)
  if (eventType === undefined) throw unusable(`There is no event type "${type}".`)
  if (eventType.catalogId !== null) {
    throw unusable(`"${type}" is derived from changes of records: nobody raises it.`)
  }
  const id = ports.ids.make('evt')
  await ports.events.raise(accountId, {
    ...raisedEvent({ eventType, accountId, ...told }, index),
    id,
  })
  ports.onCommitted()
  return { id }
}

function unusable(message: string): Problem {
  return new Problem('invalid_request', { complaints: [{ pointer: '/type', message }] })
}
