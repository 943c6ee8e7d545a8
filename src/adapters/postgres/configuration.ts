/**
 * Accounts, their subscriptions and catalogs: what administrators set. Every change bumps the account's
 * generation in its own transaction, is announced to other gateways, and reported to this one.
 */
import { sql, type Transaction } from 'kysely'
import type { Ids } from '../../app/ports.ts'
import type {
  AccountConfiguration,
  Catalogs,
  ConfigurationStore,
  HeldChoice,
  Subscriptions,
} from '../../app/store.ts'
import type { Catalog, Field } from '../../domain/catalog.ts'
import type { CommittedEvent } from '../../domain/notification.ts'
import { Problem } from '../../domain/problem.ts'
import {
  SUBSCRIPTIONS_PER_ACCOUNT_MAX,
  type Subscription,
  type SubscriptionSecrets,
} from '../../domain/subscription.ts'
import type { Database, Statement } from './database.ts'
import { asWriteProblem, isUniqueViolation, orUnavailable } from './sqlstate.ts'
import type { Tables } from './tables.ts'

/** Encrypts what is bound to one place, and decrypts it at that place only. */
export interface Sealer {
  seal(place: SealPlace, plain: string): string
  open(place: SealPlace, sealed: string): string
}
export type SealPlace = {
  readonly accountId: string
  readonly table: string
  readonly column: string
  readonly row: string
}

export type ConfigurationPorts = {
  readonly database: Database
  readonly sealer: Sealer
  readonly ids: Ids
  /** After each committed change, in this process. */
  readonly onChanged: (accountId: string) => void
}

type SubscriptionRow = {
  readonly account: string
  readonly id: string
  readonly revision: number
  readonly settings: unknown
  readonly sealed: string
  readonly created_at: Date
  readonly updated_at: Date
}

type CatalogRow = { readonly id: string; readonly title: string; readonly fields: unknown }

const GENERATION: Statement = {
  name: 'account_generation',
  text: 'select generation from accounts where id = $1',
}

export function createConfigurationStore(database: Database, sealer: Sealer): ConfigurationStore {
  const { kysely } = database
  return {
    generation: async (accountId) => {
      const rows = await orUnavailable(
        database.run<{ generation: number }>(GENERATION, [accountId]),
      )
      return rows[0]?.generation ?? null
    },
    load: (accountId) =>
      orUnavailable(
        kysely
          .transaction()
          .setIsolationLevel('repeatable read')
          .execute(async (tx): Promise<AccountConfiguration | null> => {
            const account = await tx
              .selectFrom('accounts')
              .select(['generation', 'account_number'])
              .where('id', '=', accountId)
              .executeTakeFirst()
            if (account === undefined) return null
            const subscriptions = await tx
              .selectFrom('subscriptions')
              .selectAll()
              .where('account', '=', accountId)
              .execute()
            const catalogs = await tx
              .selectFrom('catalogs')
              .select(['id', 'title', 'fields'])
              .where('account', '=', accountId)
              .execute()
            return {
              accountId,
              accountNumber: account.account_number,
              generation: account.generation,
              subscriptions: subscriptions.map((row) => subscriptionOf(row, sealer)),
              catalogs: catalogs.map(catalogOf),
            }
          }),
      ),
  }
}

/** Runs a change of an account's settings: with its bump, announced once it is committed. */
async function changing<T>(
  { database, onChanged }: ConfigurationPorts,
  accountId: string,
  work: (tx: Transaction<Tables>) => Promise<T>,
): Promise<T> {
  try {
    return await database.kysely.transaction().execute(async (tx) => {
      // The account's row is the lock under which its settings change, one change after the other.
      const { numUpdatedRows } = await tx
        .updateTable('accounts')
        .set({ generation: sql`generation + 1` })
        .where('id', '=', accountId)
        .executeTakeFirst()
      if (numUpdatedRows === 0n) {
        throw new Problem('not_found', { detail: 'There is no such account.' })
      }
      return work(tx)
    })
  } catch (error) {
    throw asWriteProblem(error)
  } finally {
    // Also when nobody knows how it ended: whoever looks again will see.
    onChanged(accountId)
    await database.announce(accountId).catch(() => {
      // Other gateways may work on with what they know: their commits insist on the generation.
    })
  }
}

const placeOf = (accountId: string, row: string): SealPlace => ({
  accountId,
  table: 'subscriptions',
  column: 'sealed',
  row,
})

function subscriptionOf(row: SubscriptionRow, sealer: Sealer): Subscription {
  const secrets = JSON.parse(
    sealer.open(placeOf(row.account, row.id), row.sealed),
  ) as SubscriptionSecrets
  return {
    ...(row.settings as Omit<Subscription, keyof SubscriptionSecrets>),
    ...secrets,
    id: row.id,
    accountId: row.account,
    revision: row.revision,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  }
}

/** The two columns that a subscription is kept in. */
function columnsOf(subscription: Subscription, sealer: Sealer) {
  const {
    secret,
    retiring,
    auth,
    headers,
    accountId,
    id,
    revision,
    createdAt,
    updatedAt,
    ...rest
  } = subscription
  void [revision, createdAt, updatedAt]
  const secrets: SubscriptionSecrets = { secret, retiring, auth, headers }
  return {
    settings: JSON.stringify(rest),
    sealed: sealer.seal(placeOf(accountId, id), JSON.stringify(secrets)),
  }
}

export function createSubscriptions(ports: ConfigurationPorts): Subscriptions {
  const { database, sealer } = ports
  const find = async (tx: Transaction<Tables>, accountId: string, id: string) => {
    const row = await tx
      .selectFrom('subscriptions')
      .selectAll()
      .where('account', '=', accountId)
      .where('id', '=', id)
      .executeTakeFirst()
    return row === undefined ? null : subscriptionOf(row, sealer)
  }
  const write = async (
    tx: Transaction<Tables>,
    next: Subscription,
    held: HeldChoice = 'deliver',
  ) => {
    const row = await tx
      .updateTable('subscriptions')
      .set({ ...columnsOf(next, sealer), revision: sql`revision + 1`, updated_at: sql`now()` })
      .where('account', '=', next.accountId)
      .where('id', '=', next.id)
      .returningAll()
      .executeTakeFirstOrThrow()
    await setLane(tx, next, held)
    return subscriptionOf(row, sealer)
  }
  return {
    create: (accountId, settings, secrets) => {
      const draft = {
        ...settings,
        ...secrets,
        accountId,
        revision: 1,
        createdAt: '',
        updatedAt: '',
      }
      return changing(ports, accountId, (tx) => insert(tx, draft, sealer))
    },
    update: (accountId, id, change, held) =>
      changing(ports, accountId, async (tx) => {
        const current = await find(tx, accountId, id)
        return current === null ? null : write(tx, change(current), held)
      }),
    read: (accountId, id) =>
      orUnavailable(database.kysely.transaction().execute((tx) => find(tx, accountId, id))),
    list: async (accountId, page) => {
      let query = database.kysely
        .selectFrom('subscriptions')
        .selectAll()
        .where('account', '=', accountId)
        .orderBy('id')
        .limit(page.limit)
      if (page.after !== null) query = query.where('id', '>', page.after)
      const rows = await orUnavailable(query.execute())
      return rows.map((row) => subscriptionOf(row, sealer))
    },
    remove: (accountId, id) => changing(ports, accountId, (tx) => removeOne(tx, accountId, id)),
    disable: (accountId, id, reason, event) =>
      changing(ports, accountId, async (tx) => {
        const current = await find(tx, accountId, id)
        if (current?.active !== true) return false
        if (reason === 'failing' && !(await isFailing(tx, accountId, id))) return false
        await write(tx, { ...current, active: false, disabledReason: reason })
        if (event !== null) await raise(tx, accountId, event)
        return true
      }),
  }
}

/** A success may have come since somebody noticed. */
async function isFailing(tx: Transaction<Tables>, accountId: string, id: string) {
  const { rows } = await sql`select from lanes
    where account = ${accountId} and subscription_id = ${id} and failing_since is not null for update`.execute(
    tx,
  )
  return rows.length > 0
}

/** An event that no change of a record gave rise to. */
async function raise(
  tx: Transaction<Tables>,
  accountId: string,
  { id, subscriptionIds, body }: CommittedEvent & { readonly id: string },
) {
  const { seq } = await tx
    .insertInto('events')
    .values({
      id,
      account: accountId,
      subscription_ids: [...subscriptionIds],
      body: JSON.stringify(body),
    })
    .returning('seq')
    .executeTakeFirstOrThrow()
  await tx
    .insertInto('outbox')
    .values({ event: seq, shard: sql`shard_of(${accountId})` })
    .execute()
}

async function insert(
  tx: Transaction<Tables>,
  draft: Subscription,
  sealer: Sealer,
): Promise<Subscription> {
  const { accountId, id } = draft
  const { count } = await tx
    .selectFrom('subscriptions')
    .select(sql<number>`count(*)`.as('count'))
    .where('account', '=', accountId)
    .executeTakeFirstOrThrow()
  if (Number(count) >= SUBSCRIPTIONS_PER_ACCOUNT_MAX) {
    throw new Problem('too_many_subscriptions', {
      detail: `An account has at most ${SUBSCRIPTIONS_PER_ACCOUNT_MAX} subscriptions.`,
    })
  }
  const row = await tx
    .insertInto('subscriptions')
    .values({ account: accountId, id, ...columnsOf(draft, sealer) })
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch(takenId)
  await tx.insertInto('sequences').values({ account: accountId, subscription_id: id }).execute()
  await setLane(tx, draft, 'deliver')
  return subscriptionOf(row, sealer)
}

function takenId(error: unknown): never {
  throw isUniqueViolation(error) ? new Problem('already_exists') : error
}

/** What its deliveries follow. The first of them follow at once, the others soon after. */
async function setLane(tx: Transaction<Tables>, next: Subscription, held: HeldChoice) {
  const { accountId, id, active, maxInFlight, maxPerSecond } = next
  await sql`select set_lane(${accountId}, ${id}, ${active}, ${maxInFlight}, ${maxPerSecond},
    ${held === 'cancel'})`.execute(tx)
}

/** Its open deliveries end with it; what was delivered stays in the log. */
async function removeOne(tx: Transaction<Tables>, accountId: string, id: string) {
  const { numDeletedRows } = await tx
    .deleteFrom('subscriptions')
    .where('account', '=', accountId)
    .where('id', '=', id)
    .executeTakeFirst()
  await sql`select end_lane(${accountId}, ${id})`.execute(tx)
  return numDeletedRows > 0n
}

function catalogOf(row: CatalogRow): Catalog {
  return { id: row.id, title: row.title, fields: row.fields as Field[] }
}

export function createCatalogs(ports: ConfigurationPorts): Catalogs {
  const { kysely } = ports.database
  const select = (accountId: string) =>
    kysely.selectFrom('catalogs').select(['id', 'title', 'fields']).where('account', '=', accountId)
  return {
    list: async (accountId, page) => {
      let query = select(accountId).orderBy('id').limit(page.limit)
      if (page.after !== null) query = query.where('id', '>', page.after)
      return (await orUnavailable(query.execute())).map(catalogOf)
    },
    read: async (accountId, id) => {
      const row = await orUnavailable(select(accountId).where('id', '=', id).executeTakeFirst())
      return row === undefined ? null : catalogOf(row)
    },
    create: (accountId, catalog) =>
      changing(ports, accountId, async (tx) => {
        await tx
          .insertInto('catalogs')
          .values({ account: accountId, ...catalog, fields: JSON.stringify(catalog.fields) })
          .execute()
          .catch(takenId)
        return catalog
      }),
    update: (accountId, id, change) =>
      changing(ports, accountId, async (tx) => {
        const row = await tx
          .selectFrom('catalogs')
          .select(['id', 'title', 'fields'])
          .where('account', '=', accountId)
          .where('id', '=', id)
          .executeTakeFirst()
        if (row === undefined) return null
        const next = change(catalogOf(row))
        await tx
          .updateTable('catalogs')
          .set({ title: next.title, fields: JSON.stringify(next.fields) })
          .where('account', '=', accountId)
          .where('id', '=', id)
          .execute()
        return next
      }),
    remove: (accountId, id) =>
      changing(ports, accountId, async (tx) => {
        const record = await tx
          .selectFrom('records')
          .select('id')
          .where('account', '=', accountId)
          .where('catalog_id', '=', id)
          .limit(1)
          .executeTakeFirst()
        if (record !== undefined) throw new Problem('catalog_not_empty')
        const { numDeletedRows } = await tx
          .deleteFrom('catalogs')
          .where('account', '=', accountId)
          .where('id', '=', id)
          .executeTakeFirst()
        return numDeletedRows > 0n
      }),
  }
}
