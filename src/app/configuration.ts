/**
 * Each account's subscriptions and catalogs, compiled and kept in memory. The database is authoritative:
 * what is here may be stale for as long as a notification takes, and the commit refuses a plan that was
 * made under another generation, so staleness costs a second look and never a wrong commit.
 */
import type { Catalog } from '../domain/catalog.ts'
import type { PatternCompiler } from '../domain/condition.ts'
import { type EventTypeIndex, indexEventTypes, NO_EVENT_TYPES } from '../domain/event-type.ts'
import { indexSubscriptions, type SubscriptionIndex } from '../domain/matching.ts'
import { Problem } from '../domain/problem.ts'
import type { AccountConfiguration, ConfigurationStore } from './store.ts'

export type Configuration = {
  readonly accountId: string
  readonly accountNumber: string | null
  readonly generation: number
  readonly index: SubscriptionIndex
  readonly catalogs: ReadonlyMap<string, Catalog>
  readonly eventTypes: EventTypeIndex
}

export interface Configurations {
  /** The account's configuration, from memory where it is there. Throws Problem `not_found`. */
  of(accountId: string): Promise<Configuration>
  /** The same, after a look whether it is still the one in force: for what no commit checks afterwards. */
  fresh(accountId: string): Promise<Configuration>
  /** From memory only: no promise on the path of an approval. */
  peek(accountId: string): Configuration | undefined
  /** The next reader loads it afresh; null: each account's. */
  invalidate(accountId: string | null): void
  /** Takes note of a catalog that came into being with its first record. */
  noteCatalog(accountId: string, catalogId: string): void
}

type Loading = { readonly promise: Promise<Configuration> }

export function createConfigurations(
  store: ConfigurationStore,
  compilePattern: PatternCompiler,
): Configurations {
  const loaded = new Map<string, Configuration>()
  const loading = new Map<string, Loading>()

  const load = async (accountId: string, ticket: Loading): Promise<Configuration> => {
    const found = await store.load(accountId)
    if (found === null) throw new Problem('not_found', { detail: 'There is no such account.' })
    const configuration = compile(found, compilePattern)
    // An invalidation that came while this was being read has taken the ticket away: what was read may
    // be from before it, so it serves those who asked already and is not kept.
    if (loading.get(accountId) === ticket) loaded.set(accountId, configuration)
    return configuration
  }

  const start = (accountId: string): Promise<Configuration> => {
    const ticket: { promise: Promise<Configuration> } = { promise: Promise.resolve(NEVER) }
    loading.set(accountId, ticket)
    ticket.promise = load(accountId, ticket).finally(() => {
      if (loading.get(accountId) === ticket) loading.delete(accountId)
    })
    return ticket.promise
  }

  const of = async (accountId: string): Promise<Configuration> =>
    loaded.get(accountId) ?? loading.get(accountId)?.promise ?? start(accountId)

  const drop = (accountId: string): void => {
    loaded.delete(accountId)
    loading.delete(accountId)
  }

  return {
    of,
    fresh: async (accountId) => {
      const known = loaded.get(accountId)
      const isCurrent = (await store.generation(accountId)) === known?.generation
      if (!isCurrent && loaded.get(accountId) === known) drop(accountId)
      return of(accountId)
    },
    peek: (accountId) => loaded.get(accountId),
    invalidate: (accountId) => {
      if (accountId === null) {
        loaded.clear()
        loading.clear()
        return
      }
      drop(accountId)
    },
    noteCatalog: (accountId, catalogId) => {
      const configuration = loaded.get(accountId)
      if (configuration === undefined || configuration.catalogs.has(catalogId)) return
      const catalogs = new Map(configuration.catalogs)
      catalogs.set(catalogId, { id: catalogId, title: catalogId, fields: [] })
      loaded.set(accountId, { ...configuration, catalogs })
    },
  }
}

const NEVER: Configuration = {
  accountId: '',
  accountNumber: null,
  generation: 0,
  index: { buckets: new Map(), byId: new Map() },
  catalogs: new Map(),
  eventTypes: NO_EVENT_TYPES,
}

function compile(found: AccountConfiguration, compilePattern: PatternCompiler): Configuration {
  return {
    accountId: found.accountId,
    accountNumber: found.accountNumber,
    generation: found.generation,
    index: indexSubscriptions(found.subscriptions, compilePattern),
    catalogs: new Map(found.catalogs.map((catalog) => [catalog.id, catalog])),
    eventTypes: indexEventTypes(found.eventTypes, compilePattern),
  }
}
