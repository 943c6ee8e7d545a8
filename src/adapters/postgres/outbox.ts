/**
 * From committed events to numbered deliveries, and their leases.
 *
 * An event's pointer is deleted in the transaction that plans it, so no event is planned twice or
 * forgotten, whatever order commits arrive in. Only one planner works at a time (an advisory lock), which
 * is why a subscription's numbers have no gaps. A claimed delivery carries a lease; whoever settles it
 * must still hold that lease, and a lease that ran out makes the delivery due again: that is the crash of
 * a sender, and the receiver then sees the same webhook-id a second time.
 */
import { sql } from 'kysely'
import type { Ids } from '../../app/ports.ts'
import type { ClaimedDelivery, Outbox, Settlement } from '../../app/store.ts'
import type { EventBody } from '../../domain/notification.ts'
import type { Database, Statement } from './database.ts'
import { orUnavailable } from './sqlstate.ts'

const PLANNER_LOCK = 7_264_002

/**
 * Numbers and deliveries for the oldest events. Subscriptions that are gone by now get none. Their rows
 * are locked: a switching on or a removal that is under way is waited for, and what comes later finds the
 * deliveries; else one could be put on hold behind the back of the change that lets go of what is held.
 */
const planStatement = (eventsMax: number) => sql<{ planned: number }>`
with batch as materialized (
  select event from outbox order by event limit ${eventsMax}
),
listening as materialized (
  select s.account, s.id, (s.settings->>'active')::boolean as active from subscriptions s
   where (s.account, s.id) in (
     select e.account, unnest(e.subscription_ids) from batch b join events e on e.seq = b.event)
   order by s.account, s.id for share
),
target as materialized (
  select e.seq, e.account, s.id as subscription_id, s.active,
    row_number() over (partition by e.account, s.id order by e.seq) as rank,
    count(*) over (partition by e.account, s.id) as total
    from batch b join events e on e.seq = b.event
    cross join lateral unnest(e.subscription_ids) as told(id)
    join listening s on s.account = e.account and s.id = told.id
),
counted as (
  update sequences q set last = q.last + t.total
    from (select distinct account, subscription_id, total from target) t
   where q.account = t.account and q.subscription_id = t.subscription_id
  returning q.account, q.subscription_id, q.last - t.total as before
),
planned as (
  insert into deliveries (account, subscription_id, sequence_id, event, state)
  select t.account, t.subscription_id, c.before + t.rank, t.seq,
    case when t.active then 'ready' else 'held' end
    from target t join counted c on c.account = t.account and c.subscription_id = t.subscription_id
),
gone as (
  delete from outbox o using batch b where o.event = b.event returning o.event
)
select count(*) as planned from gone`

const CLAIM: Statement = {
  name: 'claim_deliveries',
  text: `
with due as materialized (
  select account, subscription_id, sequence_id from deliveries
   where state in ('ready', 'retrying') and due_at <= now()
   order by due_at limit $1 for update skip locked
),
claimed as (
  update deliveries d set state = 'sending', lease_id = $3,
    lease_until = now() + $2 * interval '1 millisecond'
    from due where d.account = due.account and d.subscription_id = due.subscription_id
     and d.sequence_id = due.sequence_id
  returning d.account, d.subscription_id, d.sequence_id, d.event, d.failures
)
select c.account, c.subscription_id, c.sequence_id, c.failures, e.id as event_id, e.body, e.occurred_at
  from claimed c join events e on e.seq = c.event
 order by c.event`,
}

type ClaimRow = {
  readonly account: string
  readonly subscription_id: string
  readonly sequence_id: number
  readonly failures: number
  readonly event_id: string
  readonly body: EventBody
  readonly occurred_at: Date
}

const SETTLE: Statement = {
  name: 'settle_deliveries',
  text: `
with ended as materialized (
  select * from json_to_recordset($1::json) as r(
    account text, subscription_id text, sequence_id bigint, lease_id text, state text,
    retry_in_ms double precision, status smallint, request_headers json, reply text,
    duration_ms real, error text)
),
-- As when planning: nothing is put on hold for a subscription that is on again by now.
listening as materialized (
  select s.account, s.id, (s.settings->>'active')::boolean as active from subscriptions s
   where (s.account, s.id) in (select account, subscription_id from ended where state = 'held')
   order by s.account, s.id for share
),
outcome as materialized (
  select r.account, r.subscription_id, r.sequence_id, r.lease_id, r.status, r.retry_in_ms,
    case when r.state <> 'held' then r.state when s.id is null then 'cancelled'
      when s.active then 'ready' else 'held' end as state
    from ended r left join listening s on s.account = r.account and s.id = r.subscription_id
),
logged as (
  insert into attempts (account, subscription_id, sequence_id, request_headers, status, reply, duration_ms, error)
  select account, subscription_id, sequence_id, request_headers, status, reply, duration_ms, error from ended
)
update deliveries d set state = r.state, lease_id = null, lease_until = null, last_status = r.status,
    failures = d.failures + case when r.state in ('retrying', 'dead') then 1 else 0 end,
    due_at = now() + coalesce(r.retry_in_ms, 0) * interval '1 millisecond',
    ended_at = case when r.state in ('delivered', 'dead', 'cancelled') then now() end
  from outcome r
 where d.account = r.account and d.subscription_id = r.subscription_id
   and d.sequence_id = r.sequence_id and d.state = 'sending' and d.lease_id = r.lease_id`,
}

const REAP: Statement = {
  name: 'reap_leases',
  text: `update deliveries set state = 'ready', lease_id = null, lease_until = null, due_at = now()
    where state = 'sending' and lease_until < now() returning 1`,
}

const AGE: Statement = {
  name: 'backlog_age',
  text: `select coalesce(extract(epoch from now() - least(
      (select e.occurred_at from outbox o join events e on e.seq = o.event order by o.event limit 1),
      (select min(due_at) from deliveries where state in ('ready', 'retrying') and due_at <= now())
    )) * 1000, 0)::double precision as age`,
}

export function createOutbox(database: Database, ids: Ids): Outbox {
  return {
    plan: (eventsMax) =>
      orUnavailable(
        database.kysely.transaction().execute(async (tx) => {
          // A statement of its own: what follows must see what the previous planner committed.
          const lock = await sql<{ mine: boolean }>`
            select pg_try_advisory_xact_lock(${PLANNER_LOCK}) as mine`.execute(tx)
          if (lock.rows[0]?.mine !== true) return 0
          const { rows } = await planStatement(eventsMax).execute(tx)
          return Number(rows[0]?.planned ?? 0)
        }),
      ),
    claim: async (deliveriesMax, leaseMs) => {
      const leaseId = ids.make('req')
      const values = [deliveriesMax, leaseMs, leaseId]
      const rows = await orUnavailable(database.run<ClaimRow>(CLAIM, values))
      return rows.map((row) => claimedOf(row, leaseId))
    },
    settle: async (settlements) => {
      const rows = settlements.map(settlementRow)
      await orUnavailable(database.run(SETTLE, [JSON.stringify(rows)]))
    },
    reap: async () => (await orUnavailable(database.run(REAP, []))).length,
    backlogAgeMs: async () => {
      const [row] = await orUnavailable(database.run<{ age: number }>(AGE, []))
      return Math.max(0, row?.age ?? 0)
    },
  }
}

function claimedOf(row: ClaimRow, leaseId: string): ClaimedDelivery {
  return {
    accountId: row.account,
    subscriptionId: row.subscription_id,
    sequenceId: row.sequence_id,
    deliveryId: `${row.event_id}_${row.subscription_id}`,
    leaseId,
    failures: row.failures,
    body: row.body,
    occurredAtMs: row.occurred_at.getTime(),
  }
}

function settlementRow({ delivery, state, retryInMs, result }: Settlement): object {
  return {
    account: delivery.accountId,
    subscription_id: delivery.subscriptionId,
    sequence_id: delivery.sequenceId,
    lease_id: delivery.leaseId,
    state,
    retry_in_ms: retryInMs,
    status: result.status,
    request_headers: result.requestHeaders,
    // PostgreSQL keeps no NUL in a text.
    reply: result.reply.replaceAll('\u0000', '\uFFFD').toWellFormed(),
    duration_ms: result.durationMs,
    error: result.error,
  }
}
