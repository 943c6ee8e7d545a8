/**
 * Connected apps. Everything that comes with one is stored in one transaction of the account's settings,
 * and goes in one. A subscription that is told of the end stays behind for as long as that takes: it is
 * matched with nothing any more, read by nobody, and swept away when nothing of it is open.
 */
import { sql, type Transaction } from 'kysely'
import type { AppScope, Connection, Installation, Installations } from '../../app/app-store.ts'
import type { NamedEvent } from '../../domain/notification.ts'
import { Problem } from '../../domain/problem.ts'
import type { Subscription } from '../../domain/subscription.ts'
import { audit } from './audit-write.ts'
import { type ConfigurationPorts, changing } from './changing.ts'
import type { Statement } from './database.ts'
import { raise } from './event-parts.ts'
import { sealedEvent } from './event-secrets.ts'
import { isForeignKeyViolation, isUniqueViolation, orUnavailable } from './sqlstate.ts'
import {
  checkSubscriptionRoom,
  columnsOf,
  insertSubscription,
  removeSubscription,
  setLane,
  subscriptionOf,
} from './subscriptions.ts'
import type { Tables } from './tables.ts'

type Row = {
  readonly account: string
  readonly id: string
  readonly app_account: string
  readonly app_id: string
  readonly user_id: string
  readonly scopes: string[]
  readonly created_at: Date
}

function installationOf(row: Row): Installation {
  return {
    accountId: row.account,
    id: row.id,
    appAccountId: row.app_account,
    appId: row.app_id,
    userId: row.user_id,
    scopes: row.scopes as AppScope[],
    createdAt: row.created_at.toISOString(),
  }
}

export function createInstallations(ports: ConfigurationPorts): Installations {
  const { database } = ports
  const select = (accountId: string) =>
    database
      .of(accountId)
      .kysely.selectFrom('installations')
      .selectAll()
      .where('account', '=', accountId)
  return {
    list: async (accountId, page) => {
      let query = select(accountId).orderBy('id').limit(page.limit)
      if (page.after !== null) query = query.where('id', '>', page.after)
      return (await orUnavailable(query.execute())).map(installationOf)
    },
    read: async (accountId, id) => {
      const row = await orUnavailable(select(accountId).where('id', '=', id).executeTakeFirst())
      return row === undefined ? null : installationOf(row)
    },
    connect: (connection) =>
      changing(ports, connection.installation.accountId, (tx) => connect(tx, connection, ports)),
    disconnect: (accountId, id, farewell) =>
      changing(ports, accountId, async (tx) => {
        const row = await tx
          .deleteFrom('installations')
          .where('account', '=', accountId)
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirst()
        if (row === undefined) return null
        await tx.deleteFrom('keys').where('id', '=', row.key_id).execute()
        const subscriptions = await subscriptionsOf(tx, accountId, id, ports)
        const { staying, events } = farewell(installationOf(row), subscriptions)
        for (const one of subscriptions) {
          if (staying.includes(one.id)) await sayGoodbye(tx, one, ports)
          else await removeSubscription(tx, accountId, one.id)
        }
        await raiseAll(tx, accountId, events, ports)
        const before = audited(row, subscriptions)
        const removed = { action: 'installation.removed', target: id, before, after: null } as const
        await audit(tx, ports.actor, { accountId, ...removed })
        return subscriptions.map((one) => one.id)
      }),
  }
}

async function connect(
  tx: Transaction<Tables>,
  { installation, key, keyHash, subscriptions, events }: Connection,
  ports: ConfigurationPorts,
): Promise<Installation> {
  const { accountId, id, appAccountId, appId, userId, scopes } = installation
  const row = await tx
    .insertInto('installations')
    .values({
      account: accountId,
      id,
      app_account: appAccountId,
      app_id: appId,
      user_id: userId,
      key_id: key.id,
      scopes: [...scopes],
    })
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch(orWithdrawn)
  await tx
    .insertInto('keys')
    .values({
      id: key.id,
      account: accountId,
      name: key.name,
      hash: keyHash,
      scopes: [...key.scopes],
      expires_at: key.expiresAt,
    })
    .execute()
  await checkSubscriptionRoom(tx, accountId, subscriptions.length)
  for (const one of subscriptions) await insertSubscription(tx, one, ports.sealer)
  await raiseAll(tx, accountId, events, ports)
  const after = audited(row, subscriptions)
  const change = { action: 'installation.created', target: id, before: null, after } as const
  await audit(tx, ports.actor, { accountId, ...change })
  return installationOf(row)
}

/** What came with an app is told in one piece; what it is like stands in the app. */
function audited(
  row: Row & { readonly key_id: string },
  subscriptions: readonly Pick<Subscription, 'id'>[],
) {
  const subscriptionIds = subscriptions.map(({ id }) => id)
  return { ...installationOf(row), keyId: row.key_id, subscriptionIds }
}

async function raiseAll(
  tx: Transaction<Tables>,
  accountId: string,
  events: readonly NamedEvent[],
  { sealer }: ConfigurationPorts,
): Promise<void> {
  for (const event of events) await raise(tx, accountId, sealedEvent(event, accountId, sealer))
}

/** It may have been withdrawn since it was read. */
function orWithdrawn(error: unknown): never {
  if (isForeignKeyViolation(error)) {
    throw new Problem('not_found', { detail: 'There is no such app.' })
  }
  if (!isUniqueViolation(error)) throw error
  throw new Problem('already_exists', { detail: 'This account is connected to the app already.' })
}

async function subscriptionsOf(
  tx: Transaction<Tables>,
  accountId: string,
  installationId: string,
  { sealer }: ConfigurationPorts,
): Promise<readonly Subscription[]> {
  const rows = await tx
    .selectFrom('subscriptions')
    .selectAll()
    .where('account', '=', accountId)
    .where('installation', '=', installationId)
    .orderBy('id')
    .execute()
  return rows.map((row) => subscriptionOf(row, sealer))
}

/**
 * What is open is cancelled, by holding it and then letting go of nothing; what comes after is told, also where
 * it was switched off.
 */
async function sayGoodbye(
  tx: Transaction<Tables>,
  subscription: Subscription,
  { sealer }: ConfigurationPorts,
): Promise<void> {
  const leaving: Subscription = { ...subscription, active: true, disabledReason: null }
  const { accountId, id } = leaving
  await tx
    .updateTable('subscriptions')
    .set({
      // A gateway of the build before matches it with what it lists.
      ...columnsOf({ ...leaving, events: [] }, sealer),
      leaving_since: sql`now()`,
      revision: sql`revision + 1`,
    })
    .where('account', '=', accountId)
    .where('id', '=', id)
    .execute()
  await setLane(tx, { ...leaving, active: false }, 'deliver')
  await setLane(tx, leaving, 'cancel')
}

/**
 * Those that have said goodbye: nothing of theirs is still to be planned or under way. Two questions about
 * deliveries, because each has a partial index of its own.
 */
export const SWEEP_LEAVING: Statement = {
  name: 'sweep_leaving_subscriptions',
  text: `
with gone as (
  delete from subscriptions s
   where s.leaving_since < now() - interval '1 minute'
     and not exists (
       select from outbox o join events e on e.seq = o.event
        where e.account = s.account and s.id = any(e.subscription_ids))
     and not exists (
       select from deliveries d where d.account = s.account and d.subscription_id = s.id
          and d.state in ('ready', 'sending', 'retrying'))
     and not exists (
       select from deliveries d where d.account = s.account and d.subscription_id = s.id
          and d.state in ('waiting', 'held'))
  returning s.account, s.id
)
select end_lane(account, id) from (select * from gone order by account, id) g`,
}
