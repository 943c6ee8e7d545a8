import type { Transaction } from 'kysely'
import type { Presets } from '../../app/load-preset.ts'
import type { Catalog } from '../../domain/catalog.ts'
import type { EventType } from '../../domain/event-type.ts'
import { audit } from './audit-write.ts'
import { catalogOf, defineCatalogs } from './catalogs.ts'
import { type ConfigurationPorts, changing } from './changing.ts'
import { checkEventTypeRoom, eventTypeColumns } from './event-types.ts'
import { orUnavailable } from './sqlstate.ts'
import type { Tables } from './tables.ts'

export function createPresets(ports: ConfigurationPorts): Presets {
  return {
    present: (accountId, { catalogs, eventTypes }) =>
      orUnavailable(
        ports.database
          .of(accountId)
          .kysely.transaction()
          .setIsolationLevel('repeatable read')
          .execute(async (tx) => ({
            catalogs: await catalogsAmong(tx, accountId, catalogs),
            eventTypes: await namesAmong(tx, accountId, eventTypes),
          })),
      ),
    add: (accountId, { name, catalogs, eventTypes }) =>
      changing(ports, accountId, async (tx) => {
        const added = {
          catalogs: await addCatalogs(tx, accountId, catalogs),
          eventTypes: await addEventTypes(tx, accountId, eventTypes),
        }
        const after = {
          catalogs: catalogs.filter(({ id }) => added.catalogs.includes(id)),
          eventTypes: eventTypes.filter((one) => added.eventTypes.includes(one.name)),
        }
        const change = { action: 'preset.loaded', target: name, before: null, after } as const
        await audit(tx, ports.actor, { accountId, ...change })
        return added
      }),
  }
}

async function catalogsAmong(
  tx: Transaction<Tables>,
  accountId: string,
  catalogs: readonly Catalog[],
): Promise<readonly Catalog[]> {
  const ids = catalogs.map(({ id }) => id)
  const rows = await tx
    .selectFrom('catalogs')
    .select(['id', 'title', 'fields', 'redact'])
    .where('account', '=', accountId)
    .where('id', 'in', ids)
    .where('is_implicit', '=', false)
    .execute()
  return rows.map(catalogOf)
}

async function namesAmong(
  tx: Transaction<Tables>,
  accountId: string,
  eventTypes: readonly EventType[],
): Promise<readonly string[]> {
  const names = eventTypes.map(({ name }) => name)
  const rows = await tx
    .selectFrom('event_types')
    .select('name')
    .where('account', '=', accountId)
    .where('name', 'in', names)
    .execute()
  return rows.map(({ name }) => name)
}

async function addCatalogs(
  tx: Transaction<Tables>,
  accountId: string,
  catalogs: readonly Catalog[],
): Promise<readonly string[]> {
  const made = new Set(await defineCatalogs(tx, accountId, catalogs))
  return catalogs.map(({ id }) => id).filter((id) => made.has(id))
}

/** The caller holds the account's row, so what is missing stays missing until it is inserted. */
async function addEventTypes(
  tx: Transaction<Tables>,
  accountId: string,
  eventTypes: readonly EventType[],
): Promise<readonly string[]> {
  const present = new Set(await namesAmong(tx, accountId, eventTypes))
  const missing = eventTypes.filter(({ name }) => !present.has(name))
  if (missing.length === 0) return []
  await checkEventTypeRoom(tx, accountId, missing.length)
  await tx
    .insertInto('event_types')
    .values(missing.map((one) => ({ account: accountId, ...eventTypeColumns(one) })))
    .execute()
  return missing.map(({ name }) => name)
}
