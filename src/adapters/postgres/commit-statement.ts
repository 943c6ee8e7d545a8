/**
 * The one statement that commits. It carries many items at once, each of which succeeds or fails by
 * itself: the gate drops those whose configuration moved or whose key was used, the writes drop those
 * whose record is not what the plan saw, and only what passed both leaves a decision, a kept answer, an
 * event and its outbox pointer. Nothing of an item that did not pass is stored.
 *
 * One item can still break the statement for all (a key stored by another gateway a moment ago, two
 * gateways inserting in turns); the batcher then sends its items one by one.
 *
 * A single json parameter carries the items: PostgreSQL takes it apart as fast as two dozen arrays, and
 * record values travel through it without being escaped twice.
 */
import type { CommitItem, CommitResult, DecisionEntry } from '../../app/store.ts'
import type { Verdict } from '../../domain/verdict.ts'
import type { Statement } from './database.ts'

/** CONTRACT.md §2: the same key gets the first answer for a day. */
const KEPT_FOR = "interval '24 hours'"

export const COMMIT: Statement = {
  name: 'commit',
  text: `
with item as materialized (
  select * from json_to_recordset($1::json) as i(
    ord integer, account text, id text, generation bigint, insists boolean,
    op text, record_id text, "values" jsonb, version bigint, origin text, defines boolean,
    event text, catalog_id text, change_record_id text, decision text, commit_mode text,
    degraded boolean, version_before bigint, version_after bigint, asked text[], request_id text,
    detail json, decided_at timestamptz,
    key text, fingerprint text, status smallint, body text,
    token_hash text, expires_at timestamptz,
    event_id text, told text[], event_body json)
),
-- Locked, so that no change of settings can be committed between this look and the commit.
current as materialized (
  select a.id, a.generation from accounts a
   where a.id in (select account from item where insists) order by a.id for share
),
gate as materialized (
  select i.* from item i
   where (not i.insists or exists (
       select from current c where c.id = i.account and c.generation = i.generation))
     and (i.key is null or not exists (
       select from kept_answers k where k.account = i.account and k.key = i.key))
),
locked as materialized (
  select r.account, r.catalog_id, r.id from records r
    join gate g on r.account = g.account and r.catalog_id = g.catalog_id and r.id = g.record_id
   where g.op in ('update', 'delete')
   order by r.account, r.catalog_id, r.id for update of r
),
inserted as (
  insert into records (account, catalog_id, id, version, origin, "values")
  select account, catalog_id, record_id, 1, id, "values" from gate where op = 'insert'
   order by account, catalog_id, record_id
  on conflict do nothing
  returning account, catalog_id, id
),
updated as (
  update records r set version = r.version + 1, "values" = g."values", updated_at = now()
    from gate g join locked l
      on l.account = g.account and l.catalog_id = g.catalog_id and l.id = g.record_id
   where g.op = 'update' and r.account = g.account and r.catalog_id = g.catalog_id
     and r.id = g.record_id and r.version = g.version and r.origin = g.origin
  returning r.account, r.catalog_id, r.id
),
deleted as (
  delete from records r
   using gate g join locked l
      on l.account = g.account and l.catalog_id = g.catalog_id and l.id = g.record_id
   where g.op = 'delete' and r.account = g.account and r.catalog_id = g.catalog_id
     and r.id = g.record_id and r.version = g.version and r.origin = g.origin
  returning r.account, r.catalog_id, r.id
),
passed as materialized (
  select g.* from gate g
   where g.op is null
      or (g.account, g.catalog_id, g.record_id) in (
        select * from inserted union all select * from updated union all select * from deleted)
),
decided as (
  insert into decisions (account, id, event, catalog_id, record_id, decision, committed, commit_mode,
    degraded, generation, version_before, version_after, asked, request_id, detail, decided_at)
  select account, id, event, catalog_id, coalesce(record_id, change_record_id), decision,
    op is not null, commit_mode, degraded, generation, version_before, version_after, asked,
    request_id, detail, decided_at from passed
),
kept as (
  insert into kept_answers (account, key, fingerprint, status, body, expires_at)
  select account, key, fingerprint, status, body, now() + ${KEPT_FOR}
    from passed where key is not null order by account, key
),
handed_out as (
  insert into caller_approvals (account, decision_id, token_hash, expires_at)
  select account, id, token_hash, expires_at from passed where token_hash is not null
),
defined as (
  insert into catalogs (account, id, title)
  select distinct account, catalog_id, catalog_id from passed where defines order by 1, 2
  on conflict do nothing
),
happened as (
  insert into events (id, account, subscription_ids, body)
  select event_id, account, told, event_body from passed where event_id is not null order by ord
  returning seq
),
pointed as (
  insert into outbox (event) select seq from happened
)
select i.ord, case
    when p.ord is not null then 'committed'
    when g.ord is null then case
      when exists (select from kept_answers k where k.account = i.account and k.key = i.key)
        then 'key_taken' else 'configuration_changed' end
    when i.op = 'insert' then 'record_exists'
    else 'version_conflict' end as result
  from item i left join gate g on g.ord = i.ord left join passed p on p.ord = i.ord`,
}

export type CommitRow = { readonly ord: number; readonly result: CommitResult }

/**
 * One item as the statement reads it; members that are undefined arrive as SQL nulls. One literal with all
 * members, because this is made for every commit, and an object put together from parts costs ten times
 * as much.
 */
export function commitRow(item: CommitItem, ord: number): object {
  const { entry, write, event, keep, pending } = item
  const { change, decision } = entry
  const expected = write === null || write.kind === 'insert' ? undefined : write.expected
  return {
    ord,
    account: entry.accountId,
    id: entry.id,
    generation: entry.generation,
    insists: item.insistsOnGeneration,
    op: write?.kind,
    record_id: write?.recordId,
    values: write === null || write.kind === 'delete' ? undefined : write.values,
    version: expected?.version,
    origin: expected?.origin,
    defines: item.definesCatalog,
    event: change.event,
    catalog_id: change.catalogId,
    change_record_id: change.recordId,
    decision: decision.decision,
    commit_mode: entry.commitMode,
    degraded: decision.degraded,
    version_before: entry.versionBefore,
    version_after: entry.versionAfter,
    asked: decision.verdicts.map(({ subscriptionId }) => subscriptionId),
    request_id: entry.requestId,
    detail: detailOf(entry),
    decided_at: entry.decidedAt,
    key: keep?.key,
    fingerprint: keep?.fingerprint,
    status: keep?.status,
    body: keep?.body,
    token_hash: pending?.tokenHash,
    expires_at: pending?.expiresAt,
    event_id: event?.id,
    told: event?.subscriptionIds,
    event_body: event?.body,
  }
}

/** What is kept of a decision beside what it can be searched by. */
export type DecisionDetail = ReturnType<typeof detailOf>

function detailOf({ change, decision, considered, timeline, timing }: DecisionEntry) {
  return {
    values: change.values,
    prevValues: change.prevValues,
    allValues: change.allValues,
    changedFields: change.changedFields,
    user: change.user,
    context: change.context,
    message: decision.message,
    errors: decision.errors,
    warnings: decision.warnings,
    infos: decision.infos,
    verdicts: decision.verdicts as readonly Verdict[],
    suggestions: decision.suggestions,
    conflicts: decision.conflicts,
    considered,
    timeline,
    timing,
  }
}

/**
 * Bars a commit whose outcome nobody knows (see approvals.ts) and tells what is there now: `void` is the
 * bar, also one from an earlier try whose answer was lost; anything else is the decision itself.
 */
export const BAR: Statement = {
  name: 'bar_commit',
  text: `insert into decisions (account, id, event, catalog_id, decision, committed, commit_mode, degraded,
    generation, asked, request_id, detail, decided_at)
  values ($1, $2, '', '', 'void', false, 'none', false, 0, '{}', '', '{}', now())
  on conflict (account, id) do update set id = excluded.id
  returning decision`,
}

export type BarRow = { readonly decision: string }

export const AMEND: Statement = {
  name: 'amend_verdicts',
  text: `update decisions d set detail = jsonb_set(d.detail::jsonb, '{verdicts}', i.verdicts)::json
    from json_to_recordset($1::json) as i(account text, id text, verdicts jsonb)
   where d.account = i.account and d.id = i.id`,
}
