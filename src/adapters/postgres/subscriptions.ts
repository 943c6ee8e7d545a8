import { sql, type Transaction } from 'kysely'
import type { HeldChoice, Page, Subscriptions } from '../../app/store.ts'
import { Problem } from '../../domain/problem.ts'
import {
  SUBSCRIPTIONS_PER_ACCOUNT_MAX,
  type Subscription,
  type SubscriptionSecrets,
} from '../../domain/subscription.ts'
import { audit } from './audit-write.ts'
import {
  type ConfigurationPorts,
  changing,
  type Sealer,
  type SealPlace,
  takenId,
} from './changing.ts'
import type { View } from './database.ts'
import { raise } from './event-parts.ts'
import { orUnavailable } from './sqlstate.ts'
import type { Tables } from './tables.ts'

type SubscriptionRow = {
  readonly account: string
  readonly id: string
  readonly revision: number
  readonly settings: unknown
  readonly sealed: string
  readonly installation: string | null
  readonly leaving_since: Date | null
  readonly created_at: Date
  readonly updated_at: Date
}

const placeOf = (accountId: string, row: string): SealPlace => ({
  accountId,
  table: 'subscriptions',
  column: 'sealed',
  row,
})

export function subscriptionOf(row: SubscriptionRow, sealer: Sealer): Subscription {
  const secrets = JSON.parse(
    sealer.open(placeOf(row.account, row.id), row.sealed),
  ) as SubscriptionSecrets
  return {
    ...(row.settings as Omit<Subscription, keyof SubscriptionSecrets>),
    ...secrets,
    id: row.id,
    accountId: row.account,
    revision: row.revision,
    installationId: row.installation,
    leavingSince: row.leaving_since?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  }
}

/** The two columns that a subscription is kept in. */
export function columnsOf(subscription: Subscription, sealer: Sealer) {
  const {
    secret,
    retiring,
    auth,
    headers,
    tls,
    accountId,
    id,
    revision,
    installationId,
    leavingSince,
    createdAt,
    updatedAt,
    ...rest
  } = subscription
  void [revision, installationId, leavingSince, createdAt, updatedAt]
  const secrets: SubscriptionSecrets = { secret, retiring, auth, headers, tls }
  return {
    settings: JSON.stringify(rest),
    sealed: sealer.seal(placeOf(accountId, id), JSON.stringify(secrets)),
  }
}

async function find(
  tx: Transaction<Tables>,
  accountId: string,
  id: string,
  sealer: Sealer,
): Promise<Subscription | null> {
  const row = await tx
    .selectFrom('subscriptions')
    .selectAll()
    .where('account', '=', accountId)
    .where('id', '=', id)
    .where('leaving_since', 'is', null)
    .executeTakeFirst()
  return row === undefined ? null : subscriptionOf(row, sealer)
}

async function write(
  tx: Transaction<Tables>,
  next: Subscription,
  held: HeldChoice | undefined,
  sealer: Sealer,
): Promise<Subscription> {
  const row = await tx
    .updateTable('subscriptions')
    .set({ ...columnsOf(next, sealer), revision: sql`revision + 1`, updated_at: sql`now()` })
    .where('account', '=', next.accountId)
    .where('id', '=', next.id)
    .returningAll()
    .executeTakeFirstOrThrow()
  await setLane(tx, next, held ?? 'deliver')
  return subscriptionOf(row, sealer)
}

async function list(
  { kysely }: View,
  { accountId, page }: { readonly accountId: string; readonly page: Page },
  sealer: Sealer,
): Promise<readonly Subscription[]> {
  let query = kysely
    .selectFrom('subscriptions')
    .selectAll()
    .where('account', '=', accountId)
    .where('leaving_since', 'is', null)
    .orderBy('id')
    .limit(page.limit)
  if (page.after !== null) query = query.where('id', '>', page.after)
  const rows = await orUnavailable(query.execute())
  return rows.map((row) => subscriptionOf(row, sealer))
}

export function createSubscriptions(ports: ConfigurationPorts): Subscriptions {
  const { database, sealer, actor } = ports
  return {
    create: (accountId, settings, secrets) => {
      const draft = {
        ...settings,
        ...secrets,
        accountId,
        revision: 1,
        installationId: null,
        leavingSince: null,
        createdAt: '',
        updatedAt: '',
      }
      return changing(ports, accountId, async (tx) => {
        await checkSubscriptionRoom(tx, accountId, 1)
        const after = await insertSubscription(tx, draft, sealer)
        const created = { action: 'subscription.created', target: after.id } as const
        await audit(tx, actor, { accountId, ...created, before: null, after })
        return after
      })
    },
    update: (accountId, id, change, held) =>
      changing(ports, accountId, async (tx) => {
        const current = await find(tx, accountId, id, sealer)
        if (current === null) return null
        const after = await write(tx, change(current), held, sealer)
        const updated = { action: 'subscription.updated', target: id, before: current } as const
        // That held notifications were thrown away is no setting, and happens once.
        const told = held === 'cancel' ? { ...after, held } : after
        await audit(tx, actor, { accountId, ...updated, after: told })
        return after
      }),
    read: (accountId, id) => {
      const { kysely } = database.of(accountId)
      return orUnavailable(kysely.transaction().execute((tx) => find(tx, accountId, id, sealer)))
    },
    list: (accountId, page) => list(database.of(accountId), { accountId, page }, sealer),
    remove: (accountId, id) =>
      changing(ports, accountId, async (tx) => {
        const current = await find(tx, accountId, id, sealer)
        if (current === null) return false
        if (current.installationId !== null) throw new Problem('subscription_of_app')
        const removed = { action: 'subscription.removed', target: id, before: current } as const
        const isGone = await removeSubscription(tx, accountId, id)
        await audit(tx, actor, { accountId, ...removed, after: null })
        return isGone
      }),
    disable: (accountId, id, reason, event) =>
      changing(ports, accountId, async (tx) => {
        const current = await find(tx, accountId, id, sealer)
        if (current === null && reason === 'gone') await removeLeaving(tx, accountId, id)
        if (current?.active !== true) return false
        if (reason === 'failing' && !(await isFailing(tx, accountId, id))) return false
        const next = { ...current, active: false, disabledReason: reason }
        await write(tx, next, 'deliver', sealer)
        if (event !== null) await raise(tx, accountId, event)
        const disabled = { action: 'subscription.disabled', target: id, before: current } as const
        await audit(tx, actor, { accountId, ...disabled, after: next })
        return true
      }),
  }
}

/** One that is leaving is not there to be disabled: who does not even want to hear of its end is let go. */
async function removeLeaving(tx: Transaction<Tables>, accountId: string, id: string) {
  const leaving = await tx
    .selectFrom('subscriptions')
    .select('id')
    .where('account', '=', accountId)
    .where('id', '=', id)
    .where('leaving_since', 'is not', null)
    .executeTakeFirst()
  if (leaving !== undefined) await removeSubscription(tx, accountId, id)
}

/** A success may have come since somebody noticed. */
async function isFailing(tx: Transaction<Tables>, accountId: string, id: string) {
  const { rows } = await sql`select from lanes
    where account = ${accountId} and subscription_id = ${id} and failing_since is not null for update`.execute(
    tx,
  )
  return rows.length > 0
}

/** The caller holds the account's row, so nobody else adds one meanwhile. */
export async function checkSubscriptionRoom(
  tx: Transaction<Tables>,
  accountId: string,
  added: number,
): Promise<void> {
  const { count } = await tx
    .selectFrom('subscriptions')
    .select(sql<number>`count(*)`.as('count'))
    .where('account', '=', accountId)
    .where('leaving_since', 'is', null)
    .executeTakeFirstOrThrow()
  if (Number(count) + added > SUBSCRIPTIONS_PER_ACCOUNT_MAX) {
    throw new Problem('too_many_subscriptions', {
      detail: `An account has at most ${SUBSCRIPTIONS_PER_ACCOUNT_MAX} subscriptions.`,
    })
  }
}

export async function insertSubscription(
  tx: Transaction<Tables>,
  draft: Subscription,
  sealer: Sealer,
): Promise<Subscription> {
  const { accountId, id, installationId } = draft
  const row = await tx
    .insertInto('subscriptions')
    .values({
      account: accountId,
      id,
      installation: installationId,
      ...columnsOf(draft, sealer),
    })
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch(takenId)
  await tx.insertInto('sequences').values({ account: accountId, subscription_id: id }).execute()
  await setLane(tx, draft, 'deliver')
  return subscriptionOf(row, sealer)
}

/** What its deliveries follow. The first of them follow at once, the others soon after. */
export async function setLane(tx: Transaction<Tables>, next: Subscription, held: HeldChoice) {
  const { accountId, id, active, maxInFlight, maxPerSecond } = next
  await sql`select set_lane(${accountId}, ${id}, ${active}, ${maxInFlight}, ${maxPerSecond},
    ${held === 'cancel'})`.execute(tx)
}

/** Its open deliveries end with it; what was delivered stays in the log. */
export async function removeSubscription(
  tx: Transaction<Tables>,
  accountId: string,
  id: string,
): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('subscriptions')
    .where('account', '=', accountId)
    .where('id', '=', id)
    .executeTakeFirst()
  await sql`select end_lane(${accountId}, ${id})`.execute(tx)
  return numDeletedRows > 0n
}
