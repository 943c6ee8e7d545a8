/** Ended deliveries that are sent again: a row for each order, which the relay works off in chunks. */
import { sql, type Transaction } from 'kysely'
import type { Deliveries, ReplayOrder, ReplayView } from '../../app/delivery-store.ts'
import type { Actor } from '../../domain/audit.ts'
import { audit } from './audit-write.ts'
import type { Database } from './database.ts'
import { orUnavailable, orWriteProblem } from './sqlstate.ts'
import type { Tables } from './tables.ts'

/** Nobody draws more of them. */
const REPLAYS_SHOWN_MAX = 200

export function createReplays(
  database: Database,
  actor: Actor | null,
): Pick<Deliveries, 'replay' | 'countReplay' | 'replays'> {
  return {
    replay: (accountId, subscriptionId, order) => {
      const work = database
        .of(accountId)
        .kysely.transaction()
        .execute(async (tx) => {
          const count = await insertReplay(tx, accountId, subscriptionId, order)
          if (count === 0) return 0
          const after = { ...order, count }
          const change = { action: 'deliveries.replayed', target: subscriptionId } as const
          await audit(tx, actor, { accountId, ...change, before: null, after })
          return count
        })
      return orWriteProblem(work)
    },
    countReplay: async (accountId, subscriptionId, order) => {
      const { kysely } = database.of(accountId)
      const counting = sql<{ count: number }>`
with ${wanted(accountId, subscriptionId, order)}
select count from found`.execute(kysely)
      const { rows } = await orUnavailable(counting)
      return rows[0]?.count ?? 0
    },
    replays: (accountId, subscriptionId) => listReplays(database, accountId, subscriptionId),
  }
}

/** Which deliveries an order is about, as `found`: how many, and the first and last of them. */
function wanted(accountId: string, subscriptionId: string, order: ReplayOrder) {
  const { since, until, fromSequenceId, toSequenceId, states } = order
  return sql`range as materialized (
  select coalesce(${since ?? null}::timestamptz, '-infinity') as since,
    coalesce(${until ?? null}::timestamptz, 'infinity') as until
),
found as materialized (
  select count(*) as count, min(d.sequence_id) as first, max(d.sequence_id) as last
    from deliveries d, range r
   where d.account = ${accountId} and d.subscription_id = ${subscriptionId}
     and d.sequence_id between ${fromSequenceId ?? 0} and ${toSequenceId ?? Number.MAX_SAFE_INTEGER}
     and d.state = any(${[...states]}::text[]) and d.created_at >= r.since and d.created_at < r.until
)`
}

async function insertReplay(
  tx: Transaction<Tables>,
  accountId: string,
  subscriptionId: string,
  order: ReplayOrder,
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
with ${wanted(accountId, subscriptionId, order)},
ordered as (
  insert into replays
    (account, subscription_id, first_sequence, next_sequence, last_sequence, since, until, states)
  select ${accountId}, ${subscriptionId}, f.first, f.first, f.last, r.since, r.until,
      ${[...order.states]}::text[]
    from found f, range r where f.count > 0
)
select count from found`.execute(tx)
  return rows[0]?.count ?? 0
}

async function listReplays(
  database: Database,
  accountId: string,
  subscriptionId: string,
): Promise<readonly ReplayView[]> {
  const reading = database
    .of(accountId)
    .kysely.selectFrom('replays')
    .select(['id', 'first_sequence', 'next_sequence', 'last_sequence', 'requested_at'])
    .where('account', '=', accountId)
    .where('subscription_id', '=', subscriptionId)
    .orderBy('id')
    .limit(REPLAYS_SHOWN_MAX)
    .execute()
  return (await orUnavailable(reading)).map((row) => ({
    id: String(row.id),
    fromSequenceId: row.first_sequence ?? row.next_sequence,
    toSequenceId: row.last_sequence,
    nextSequenceId: row.next_sequence,
    requestedAt: row.requested_at.toISOString(),
  }))
}
