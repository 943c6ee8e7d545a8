/**
 * Menu actions. No approval depends on them, so they are no part of the configuration that a commit insists
 * on: a change here bumps no generation and locks nothing that a commit waits for.
 */
import { sql, type Transaction } from 'kysely'
import type { Actions } from '../../app/store.ts'
import { ACTIONS_PER_ACCOUNT_MAX, type Action } from '../../domain/action.ts'
import { EVERY_CATALOG } from '../../domain/matching.ts'
import { Problem } from '../../domain/problem.ts'
import type { SubscriptionSecrets } from '../../domain/subscription.ts'
import { audit } from './audit-write.ts'
import { type ConfigurationPorts, type Sealer, type SealPlace, takenId } from './changing.ts'
import { orUnavailable, orWriteProblem } from './sqlstate.ts'
import type { Tables } from './tables.ts'

type Ports = Pick<ConfigurationPorts, 'database' | 'sealer' | 'actor'>

type Row = {
  readonly account: string
  readonly id: string
  readonly catalog_id: string
  readonly settings: unknown
  readonly sealed: string
  readonly created_at: Date
  readonly updated_at: Date
}

/** What is kept as JSON: the rest has columns of its own, is encrypted, or is the same for every action. */
type Settings = Omit<
  Action,
  keyof SubscriptionSecrets | 'accountId' | 'id' | 'catalogId' | 'createdAt' | 'updatedAt'
>

export function createActions({ database, sealer, actor }: Ports): Actions {
  const select = (accountId: string) =>
    database.of(accountId).kysely.selectFrom('actions').selectAll().where('account', '=', accountId)
  const writing = <T>(accountId: string, work: (tx: Transaction<Tables>) => Promise<T>) =>
    orWriteProblem(database.of(accountId).kysely.transaction().execute(work))
  const actionsOf = (rows: readonly Row[]) => rows.map((row) => actionOf(row, sealer))
  return {
    list: async (accountId, catalogId, page) => {
      let query = select(accountId).orderBy('id').limit(page.limit)
      if (catalogId !== undefined) query = query.where('catalog_id', '=', catalogId)
      if (page.after !== null) query = query.where('id', '>', page.after)
      return actionsOf(await orUnavailable(query.execute()))
    },
    ofCatalog: async (accountId, catalogId) => {
      const query = select(accountId).where('catalog_id', 'in', [catalogId, EVERY_CATALOG])
      return actionsOf(await orUnavailable(query.execute()))
    },
    read: async (accountId, id) => {
      const query = select(accountId).where('id', '=', id)
      return actionsOf(await orUnavailable(query.execute()))[0] ?? null
    },
    create: (action) =>
      writing(action.accountId, async (tx) => {
        const after = await insert(tx, action, sealer)
        const { accountId, id: target } = after
        await audit(tx, actor, { accountId, action: 'action.created', target, before: null, after })
        return after
      }),
    update: (accountId, id, change) =>
      writing(accountId, async (tx) => {
        const row = await tx
          .selectFrom('actions')
          .selectAll()
          .where('account', '=', accountId)
          .where('id', '=', id)
          .forUpdate()
          .executeTakeFirst()
        if (row === undefined) return null
        const before = actionOf(row, sealer)
        const after = await store(tx, change(before), sealer)
        await audit(tx, actor, { accountId, action: 'action.updated', target: id, before, after })
        return after
      }),
    remove: (accountId, id) =>
      writing(accountId, async (tx) => {
        const row = await tx
          .deleteFrom('actions')
          .where('account', '=', accountId)
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirst()
        if (row === undefined) return false
        const removed = { before: actionOf(row, sealer), after: null }
        await audit(tx, actor, { accountId, action: 'action.removed', target: id, ...removed })
        return true
      }),
  }
}

type Unsaved = Omit<Action, 'createdAt' | 'updatedAt'>

async function insert(tx: Transaction<Tables>, action: Unsaved, sealer: Sealer): Promise<Action> {
  const { accountId, id } = action
  // One creation after the other, so that they count each other. The account's row is left to commits.
  await sql`select pg_advisory_xact_lock(hashtextextended('actions', 0) # hashtextextended(${accountId}, 0))`.execute(
    tx,
  )
  const account = tx.selectFrom('accounts').select('id').where('id', '=', accountId)
  if ((await account.executeTakeFirst()) === undefined) {
    throw new Problem('not_found', { detail: 'There is no such account.' })
  }
  const { count } = await tx
    .selectFrom('actions')
    .select(sql<number>`count(*)`.as('count'))
    .where('account', '=', accountId)
    .executeTakeFirstOrThrow()
  if (Number(count) >= ACTIONS_PER_ACCOUNT_MAX) {
    throw new Problem('limit_reached', {
      detail: `An account has at most ${ACTIONS_PER_ACCOUNT_MAX} actions.`,
    })
  }
  const row = await tx
    .insertInto('actions')
    .values({ account: accountId, id, ...columnsOf(action, sealer) })
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch(takenId)
  return actionOf(row, sealer)
}

async function store(tx: Transaction<Tables>, next: Action, sealer: Sealer): Promise<Action> {
  const row = await tx
    .updateTable('actions')
    .set({ ...columnsOf(next, sealer), updated_at: sql`now()` })
    .where('account', '=', next.accountId)
    .where('id', '=', next.id)
    .returningAll()
    .executeTakeFirstOrThrow()
  return actionOf(row, sealer)
}

const placeOf = (accountId: string, row: string): SealPlace => ({
  accountId,
  table: 'actions',
  column: 'sealed',
  row,
})

function columnsOf(action: Unsaved, sealer: Sealer) {
  const { accountId, id, secret, retiring, auth, headers, tls } = action
  const { title, conditions, url, method, parameters, dialect, confirmText, timeoutMs } = action
  const secrets: SubscriptionSecrets = { secret, retiring, auth, headers, tls }
  const settings: Settings = {
    title,
    conditions,
    url,
    method,
    parameters,
    dialect,
    confirmText,
    timeoutMs,
  }
  return {
    catalog_id: action.catalogId,
    settings: JSON.stringify(settings),
    sealed: sealer.seal(placeOf(accountId, id), JSON.stringify(secrets)),
  }
}

function actionOf(row: Row, sealer: Sealer): Action {
  const opened = sealer.open(placeOf(row.account, row.id), row.sealed)
  return {
    ...(row.settings as Settings),
    ...(JSON.parse(opened) as SubscriptionSecrets),
    accountId: row.account,
    id: row.id,
    catalogId: row.catalog_id,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  }
}
