import { sql } from 'kysely'
import {
  type App,
  type Apps,
  OPERATOR_ACCOUNT,
  type SubscriptionTemplate,
} from '../../app/app-store.ts'
import { Problem } from '../../domain/problem.ts'
import type { SubscriptionSecrets } from '../../domain/subscription.ts'
import { type ConfigurationPorts, type Sealer, type SealPlace, takenId } from './changing.ts'
import { asWriteProblem, isForeignKeyViolation, orUnavailable } from './sqlstate.ts'

type Row = {
  readonly account: string
  readonly id: string
  readonly settings: unknown
  readonly sealed: string
  readonly created_at: Date
}

type TemplateSecrets = Pick<SubscriptionSecrets, 'auth' | 'headers'>
type Secrets = { readonly secret: string; readonly templates: readonly TemplateSecrets[] }
type Settings = Pick<App, 'name' | 'redirect' | 'scopes'> & {
  readonly subscriptions: readonly Omit<SubscriptionTemplate, 'auth' | 'headers'>[]
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
      const { auth, headers } = templates[index] ?? { auth: { type: 'none' }, headers: {} }
      return { ...one, auth, headers }
    }),
    createdAt: row.created_at.toISOString(),
  }
}

function columnsOf(app: Omit<App, 'createdAt'>, sealer: Sealer) {
  const { accountId, id, name, redirect, scopes, secret } = app
  const templates = app.subscriptions.map(({ auth, headers }) => ({ auth, headers }))
  const subscriptions = app.subscriptions.map(({ auth, headers, ...rest }) => {
    void [auth, headers]
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

export function createApps({ database: { kysely }, sealer }: ConfigurationPorts): Apps {
  /** The account's own come before the operator's of the same id. */
  const visible = (accountId: string) =>
    kysely
      .selectFrom('apps')
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
      try {
        const row = await kysely
          .insertInto('apps')
          .values(columnsOf(app, sealer))
          .returning(COLUMNS)
          .executeTakeFirstOrThrow()
          .catch(takenId)
        return appOf(row, sealer)
      } catch (error) {
        throw asWriteProblem(error)
      }
    },
    remove: async (accountId, id) => {
      try {
        const { numDeletedRows } = await kysely
          .deleteFrom('apps')
          .where('account', '=', accountId)
          .where('id', '=', id)
          .executeTakeFirst()
        return numDeletedRows > 0n
      } catch (error) {
        throw isForeignKeyViolation(error) ? new Problem('app_connected') : asWriteProblem(error)
      }
    },
  }
}
