import { sql, type Transaction } from 'kysely'
import {
  APPS_PER_ACCOUNT_MAX,
  type App,
  type Apps,
  OPERATOR_ACCOUNT,
  type SubscriptionTemplate,
} from '../../app/app-store.ts'
import { Problem } from '../../domain/problem.ts'
import { audit } from './audit-write.ts'
import { type ConfigurationPorts, type Sealer, type SealPlace, takenId } from './changing.ts'
import { asWriteProblem, isForeignKeyViolation, orUnavailable, orWriteProblem } from './sqlstate.ts'
import type { Tables } from './tables.ts'

type Row = {
  readonly account: string
  readonly id: string
  readonly settings: unknown
  readonly sealed: string
  readonly created_at: Date
}

type TemplateSecrets = Pick<SubscriptionTemplate, 'secret' | 'auth' | 'headers'>
type Secrets = { readonly secret: string; readonly templates: readonly TemplateSecrets[] }
type Settings = Pick<App, 'name' | 'redirect' | 'scopes'> & {
  readonly subscriptions: readonly Omit<SubscriptionTemplate, keyof TemplateSecrets>[]
}

const COLUMNS = ['account', 'id', 'settings', 'sealed', 'created_at'] as const

const placeOf = (accountId: string, row: string): SealPlace => ({
  accountId,
  table: 'apps',
  column: 'sealed',
  row,
})

function appOf(row: Row, sealer: Sealer): App {
  const { subscriptions, ...settings } = row.settings as Settings
  const sealed = sealer.open(placeOf(row.account, row.id), row.sealed)
  const { secret, templates } = JSON.parse(sealed) as Secrets
  return {
    ...settings,
    accountId: row.account,
    id: row.id,
    secret,
    subscriptions: subscriptions.map((one, index): SubscriptionTemplate => {
      const secrets = templates[index]
      if (secrets === undefined) throw new TypeError('a template has no secrets')
      return { ...one, ...secrets }
    }),
    createdAt: row.created_at.toISOString(),
  }
}

function columnsOf(app: Omit<App, 'createdAt'>, sealer: Sealer) {
  const { accountId, id, name, redirect, scopes, secret } = app
  const templates = app.subscriptions.map(({ secret: own, auth, headers }) => ({
    secret: own,
    auth,
    headers,
  }))
  const subscriptions = app.subscriptions.map(({ secret: own, auth, headers, ...rest }) => {
    void [own, auth, headers]
    return rest
  })
  const settings: Settings = { name, redirect, scopes, subscriptions }
  const secrets: Secrets = { secret, templates }
  return {
    account: accountId,
    id,
    settings: JSON.stringify(settings),
    sealed: sealer.seal(placeOf(accountId, id), JSON.stringify(secrets)),
  }
}

async function insert(
  tx: Transaction<Tables>,
  app: Omit<App, 'createdAt'>,
  sealer: Sealer,
): Promise<App> {
  // Rare enough to be let in one after the other, so that they count each other.
  const account = await tx
    .selectFrom('accounts')
    .select('id')
    .where('id', '=', app.accountId)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (account === undefined) {
    throw new Problem('not_found', { detail: 'There is no such account.' })
  }
  const { count } = await tx
    .selectFrom('apps')
    .select(sql<number>`count(*)`.as('count'))
    .where('account', '=', app.accountId)
    .executeTakeFirstOrThrow()
  if (Number(count) >= APPS_PER_ACCOUNT_MAX) {
    const detail = `An account offers at most ${APPS_PER_ACCOUNT_MAX} apps.`
    throw new Problem('limit_reached', { detail })
  }
  const row = await tx
    .insertInto('apps')
    .values(columnsOf(app, sealer))
    .returning(COLUMNS)
    .executeTakeFirstOrThrow()
    .catch(takenId)
  return appOf(row, sealer)
}

export function createApps({ database, sealer, actor }: ConfigurationPorts): Apps {
  /** The account's own come before the operator's of the same id. */
  const visible = (accountId: string) =>
    database
      .of(accountId, OPERATOR_ACCOUNT)
      .kysely.selectFrom('apps')
      .distinctOn('id')
      .select(COLUMNS)
      .where('account', 'in', [accountId, OPERATOR_ACCOUNT])
      .orderBy('id')
      .orderBy(sql`account = ${accountId}`, 'desc')
  return {
    list: async (accountId, page) => {
      let query = visible(accountId).limit(page.limit)
      if (page.after !== null) query = query.where('id', '>', page.after)
      return (await orUnavailable(query.execute())).map((row) => appOf(row, sealer))
    },
    read: async (accountId, id) => {
      const row = await orUnavailable(visible(accountId).where('id', '=', id).executeTakeFirst())
      return row === undefined ? null : appOf(row, sealer)
    },
    create: async (app) => {
      const { kysely } = database.of(app.accountId)
      const work = kysely.transaction().execute(async (tx) => {
        const after = await insert(tx, app, sealer)
        const { accountId, id: target } = after
        await audit(tx, actor, { accountId, action: 'app.created', target, before: null, after })
        return after
      })
      return orWriteProblem(work)
    },
    remove: async (accountId, id) => {
      try {
        const { kysely } = database.of(accountId)
        return await kysely.transaction().execute(async (tx) => {
          const row = await tx
            .deleteFrom('apps')
            .where('account', '=', accountId)
            .where('id', '=', id)
            .returning(COLUMNS)
            .executeTakeFirst()
          if (row === undefined) return false
          const removed = { before: appOf(row, sealer), after: null }
          await audit(tx, actor, { accountId, action: 'app.removed', target: id, ...removed })
          return true
        })
      } catch (error) {
        throw isForeignKeyViolation(error) ? new Problem('app_connected') : asWriteProblem(error)
      }
    },
  }
}
