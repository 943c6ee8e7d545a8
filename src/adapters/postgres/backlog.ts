/** What one account has still to tell: the same for all accounts together is the relay's (outbox.ts). */
import type { Backlog } from '../../app/delivery-store.ts'
import type { Database, Statement } from './database.ts'
import { orUnavailable } from './sqlstate.ts'

/** Beyond that nobody needs to know how many. */
const COUNTED_MAX = 1_000

/**
 * Each lane is asked for its oldest, and the account's shard for what it has not planned yet: both cost the same
 * whatever waits. The two kinds of state are counted apart, because each has an index of its own.
 */
const BACKLOG: Statement = {
  name: 'account_backlog',
  text: `select coalesce(extract(epoch from present() - least(
      (select min(e.occurred_at)
         from (select event from outbox where shard = shard_of($1) order by event limit 100) o
         join events e on e.seq = o.event where e.account = $1),
      (select min(d.due_at) from lanes l cross join lateral (
         select due_at from deliveries where account = l.account and subscription_id = l.subscription_id
            and state in ('ready', 'retrying') and due_at <= present()
          order by due_at, sequence_id limit 1) d where l.account = $1 and l.is_open)
    )) * 1000, 0)::double precision as oldest_ms,
    least($2, (select count(*) from (
        select from deliveries where account = $1 and state in ('ready', 'retrying') limit $2) r)
      + (select count(*) from (
        select from deliveries where account = $1 and state = 'waiting' limit $2) w))::integer as waiting`,
}

type Row = { readonly oldest_ms: number; readonly waiting: number }

export async function backlogOf(database: Database, accountId: string): Promise<Backlog> {
  // Pointers bear no account: only who works for all accounts sees them.
  const [row] = await orUnavailable(database.everyone.run<Row>(BACKLOG, [accountId, COUNTED_MAX]))
  return { oldestMs: Math.round(Math.max(0, row?.oldest_ms ?? 0)), waiting: row?.waiting ?? 0 }
}
