import { sql, type Transaction } from 'kysely'
import type { EventTypes } from '../../app/store.ts'
import { EVENT_TYPES_PER_ACCOUNT_MAX, type EventType } from '../../domain/event-type.ts'
import { Problem } from '../../domain/problem.ts'
import { audit } from './audit-write.ts'
import { type ConfigurationPorts, changing, takenId } from './changing.ts'
import { orUnavailable } from './sqlstate.ts'
import type { Tables } from './tables.ts'

type Row = { readonly name: string; readonly settings: unknown }

export function eventTypeOf({ name, settings }: Row): EventType {
  return { name, ...(settings as Omit<EventType, 'name'>) }
}

/** The columns that an event type is kept in, beside its account. */
export function eventTypeColumns({ name, ...settings }: EventType) {
  return { name, settings: JSON.stringify(settings) }
}

export function createEventTypes(ports: ConfigurationPorts): EventTypes {
  const { actor, database } = ports
  const select = (from: Pick<Transaction<Tables>, 'selectFrom'>, accountId: string) =>
    from.selectFrom('event_types').select(['name', 'settings']).where('account', '=', accountId)
  return {
    list: async (accountId, page) => {
      let query = select(database.of(accountId).kysely, accountId).orderBy('name').limit(page.limit)
      if (page.after !== null) query = query.where('name', '>', page.after)
      return (await orUnavailable(query.execute())).map(eventTypeOf)
    },
    read: async (accountId, name) => {
      const query = select(database.of(accountId).kysely, accountId).where('name', '=', name)
      const row = await orUnavailable(query.executeTakeFirst())
      return row === undefined ? null : eventTypeOf(row)
    },
    create: (accountId, eventType) =>
      changing(ports, accountId, async (tx) => {
        await checkEventTypeRoom(tx, accountId, 1)
        await tx
          .insertInto('event_types')
          .values({ account: accountId, ...eventTypeColumns(eventType) })
          .execute()
          .catch(takenId)
        const change = { action: 'eventType.created', target: eventType.name } as const
        await audit(tx, actor, { accountId, ...change, before: null, after: settingsOf(eventType) })
        return eventType
      }),
    update: (accountId, name, change) =>
      changing(ports, accountId, async (tx) => {
        const row = await select(tx, accountId).where('name', '=', name).executeTakeFirst()
        if (row === undefined) return null
        const before = eventTypeOf(row)
        const next = change(before)
        await tx
          .updateTable('event_types')
          .set({ ...eventTypeColumns(next), updated_at: sql`now()` })
          .where('account', '=', accountId)
          .where('name', '=', name)
          .execute()
        const updated = { before: settingsOf(before), after: settingsOf(next) }
        await audit(tx, actor, { accountId, action: 'eventType.updated', target: name, ...updated })
        return next
      }),
    remove: (accountId, name) =>
      changing(ports, accountId, async (tx) => {
        const row = await tx
          .deleteFrom('event_types')
          .where('account', '=', accountId)
          .where('name', '=', name)
          .returning(['name', 'settings'])
          .executeTakeFirst()
        if (row === undefined) return false
        const removed = { before: settingsOf(eventTypeOf(row)), after: null }
        await audit(tx, actor, { accountId, action: 'eventType.removed', target: name, ...removed })
        return true
      }),
  }
}

/** What the audit tells of it, beside its name. */
function settingsOf({ name, ...settings }: EventType) {
  void name
  return settings
}

/** The caller holds the account's row, so nobody else adds one meanwhile. */
export async function checkEventTypeRoom(
  tx: Transaction<Tables>,
  accountId: string,
  added: number,
) {
  const { count } = await tx
    .selectFrom('event_types')
    .select(sql<number>`count(*)`.as('count'))
    .where('account', '=', accountId)
    .executeTakeFirstOrThrow()
  if (Number(count) + added > EVENT_TYPES_PER_ACCOUNT_MAX) {
    throw new Problem('limit_reached', {
      detail: `An account has at most ${EVENT_TYPES_PER_ACCOUNT_MAX} event types.`,
    })
  }
}
