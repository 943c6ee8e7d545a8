/** A past for many-rows.mjs, written by SQL: what the gateway would have stored in months of work. */

/** So many rows in one statement that its own cost disappears, and so few that its memory stays small. */
const BATCH = 250_000

const COLUMNS_OF_DECISIONS = `account, id, event, catalog_id, record_id, decision, committed,
  commit_mode, degraded, generation, version_before, version_after, asked, request_id, detail, decided_at`

const INSERTS = [
  `insert into records (account, catalog_id, id, version, origin, "values")
   select 'default', $3, 'old-' || lpad(n::text, 10, '0'), 1, 'dec_0' || lpad(n::text, 31, '0'),
     jsonb_build_object('title', 'record ' || n, 'kind', 'invoice', 'amount', n % 9000)
     from generate_series($1::bigint, $2::bigint) as g(n)`,
  `insert into decisions (${COLUMNS_OF_DECISIONS})
   select 'default', 'dec_0' || lpad(n::text, 31, '0'), 'record.before.created', $3,
     'old-' || lpad(n::text, 10, '0'), 'allow', true, 'gateway', false, 1, null, 1, '{sub_old}',
     'req_' || n, '{"verdicts":[{"subscriptionId":"sub_old","outcome":"allow"}]}',
     now() - interval '100 days' + n * interval '1 millisecond'
     from generate_series($1::bigint, $2::bigint) as g(n)`,
  `insert into events (id, account, subscription_ids, body, occurred_at)
   select 'evt_0' || lpad(n::text, 31, '0'), 'default', '{sub_old}',
     json_build_object('event', 'record.created', 'catalogId', $3::text, 'values', '{}'::json),
     now() - interval '100 days' + n * interval '1 millisecond'
     from generate_series($1::bigint, $2::bigint) as g(n)`,
  `insert into deliveries (account, subscription_id, sequence_id, event, state, due_at, last_status,
     created_at, ended_at)
   select 'default', 'sub_old', n, n, 'delivered', t, 200, t, t
     from generate_series($1::bigint, $2::bigint) as g(n),
     lateral (select now() - interval '100 days' + n * interval '1 millisecond') as at(t)
    where $3::text is not null`,
]

/** @param {(text: string, values?: unknown[]) => Promise<unknown>} query */
export async function addHistory(query, { rows, catalogId }) {
  await query(`insert into catalogs (account, id, title) values ('default', $1, $1)`, [catalogId])
  for (const insert of INSERTS) {
    for (let from = 1; from <= rows; from += BATCH) {
      await query(insert, [from, Math.min(rows, from + BATCH - 1), catalogId])
    }
  }
  // Both would come by themselves, in the middle of a measurement.
  await query('vacuum (analyze)')
  await query('checkpoint').catch(() => {
    // On somebody else's server that may not be ours to ask for.
  })
}

/** Deliveries that are due now, each with an event of its own, in lanes of twenty. */
export async function addDueDeliveries(query, count) {
  await query(
    `with happened as (
       insert into events (id, account, subscription_ids, body)
       select 'evt_due_' || n, 'default', '{sub_due}', '{"event":"record.created"}'
         from generate_series(1, $1::int) as g(n) returning seq),
     opened as (
       insert into lanes (account, subscription_id, is_open, in_flight_max, next_due)
       select 'default', 'sub_due_' || n, true, 20, now() from generate_series(0, $1::int / 20) as g(n))
     insert into deliveries (account, subscription_id, sequence_id, event, state)
     select 'default', 'sub_due_' || rank / 20, rank, seq, 'ready'
       from (select seq, row_number() over (order by seq) as rank from happened) h`,
    [count],
  )
}
