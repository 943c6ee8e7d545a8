/**
 * The parts of the statement that commits, in the order in which they follow each other. What they do
 * together is told in commit-statement.ts, which puts them together.
 */

import { eventsIn } from './event-parts.ts'

/**
 * What a batch needs beyond decisions. PostgreSQL sets up and tears down every part of a statement each
 * time, used or not, which for a small batch is most of its cost; so a part is only there when some item
 * needs it. Each combination is a prepared statement of its own; of the 32 a handful occurs.
 */
export const NEEDS = {
  /** It insists on the configuration that it was planned under. */
  generation: 1,
  insert: 2,
  /** An update or a delete. */
  replace: 4,
  event: 8,
  /** An idempotency key, a token for the caller's own commit, the first record of a catalog, or an exception. */
  rare: 16,
} as const

export type Need = keyof typeof NEEDS
export type IsNeeded = (need: Need) => boolean

/** CONTRACT.md §2: the same key gets the first answer for a day. */
const KEPT_FOR = "interval '24 hours'"

/** Members that no item has are not even looked for. */
export function itemPart(isNeeded: IsNeeded): string {
  const members = [
    'ord integer, account text, id text, generation bigint, insists boolean, op text, record_id text',
    'event text, catalog_id text, change_record_id text, decision text, commit_mode text',
    'degraded boolean, version_before bigint, version_after bigint, asked text[], request_id text',
    'detail json, decided_at timestamptz',
    (isNeeded('insert') || isNeeded('replace')) && '"values" jsonb, version bigint, origin text',
    isNeeded('rare') && 'defines boolean, key text, fingerprint text, status smallint, body text',
    isNeeded('rare') &&
      'token_hash text, expires_at timestamptz, pending_change json, values_digest text',
    isNeeded('rare') && 'exceptions json',
    isNeeded('event') && 'events json',
  ]
  return `item as materialized (
  select * from json_to_recordset($1::json) as i(${members.filter(Boolean).join(',\n    ')})
)`
}

/** Locked, so that no change of settings can be committed between this look and the commit. */
export const CURRENT = `current as materialized (
  select a.id, a.generation from accounts a
   where a.id in (select account from item where insists) order by a.id for share
)`

export function gatePart(isNeeded: IsNeeded): string {
  const conditions = [
    'true',
    isNeeded('generation') &&
      `(not i.insists or exists (
       select from current c where c.id = i.account and c.generation = i.generation))`,
    isNeeded('rare') &&
      `(i.key is null or not exists (
       select from kept_answers k where k.account = i.account and k.key = i.key))`,
  ]
  return `gate as materialized (
  select i.* from item i where ${conditions.filter(Boolean).join('\n     and ')}
)`
}

export const INSERTED = `inserted as (
  insert into records (account, catalog_id, id, version, origin, "values")
  select account, catalog_id, record_id, 1, id, "values" from gate where op = 'insert'
   order by account, catalog_id, record_id
  on conflict do nothing
  returning account, catalog_id, id
)`

export const LOCKED = `locked as materialized (
  select r.account, r.catalog_id, r.id from records r
    join gate g on r.account = g.account and r.catalog_id = g.catalog_id and r.id = g.record_id
   where g.op in ('update', 'delete')
   order by r.account, r.catalog_id, r.id for update of r
)`

export const UPDATED = `updated as (
  update records r set version = r.version + 1, "values" = g."values", updated_at = now()
    from gate g join locked l
      on l.account = g.account and l.catalog_id = g.catalog_id and l.id = g.record_id
   where g.op = 'update' and r.account = g.account and r.catalog_id = g.catalog_id
     and r.id = g.record_id and r.version = g.version and r.origin = g.origin
  returning r.account, r.catalog_id, r.id
)`

export const DELETED = `deleted as (
  delete from records r
   using gate g join locked l
      on l.account = g.account and l.catalog_id = g.catalog_id and l.id = g.record_id
   where g.op = 'delete' and r.account = g.account and r.catalog_id = g.catalog_id
     and r.id = g.record_id and r.version = g.version and r.origin = g.origin
  returning r.account, r.catalog_id, r.id
)`

export function passedPart(isNeeded: IsNeeded): string {
  const written = [
    ...(isNeeded('insert') ? ['inserted'] : []),
    ...(isNeeded('replace') ? ['updated', 'deleted'] : []),
  ]
  const all = written.map((part) => `select * from ${part}`).join(' union all ')
  return `passed as materialized (
  select g.* from gate g where g.op is null${
    all === '' ? '' : ` or (g.account, g.catalog_id, g.record_id) in (${all})`
  }
)`
}

export const DECIDED = `decided as (
  insert into decisions (account, id, event, catalog_id, record_id, decision, committed, commit_mode,
    degraded, generation, version_before, version_after, asked, request_id, detail, decided_at)
  select account, id, event, catalog_id, coalesce(record_id, change_record_id), decision,
    op is not null, commit_mode, degraded, generation, version_before, version_after, asked,
    request_id, detail, decided_at from passed
)`

export const KEPT = `kept as (
  insert into kept_answers (account, key, fingerprint, status, body, expires_at)
  select account, key, fingerprint, status, body, now() + ${KEPT_FOR}
    from passed where key is not null order by account, key
)`

export const HANDED_OUT = `handed_out as (
  insert into caller_approvals (account, decision_id, token_hash, expires_at, change, values_digest)
  select account, id, token_hash, expires_at, pending_change, values_digest from passed where token_hash is not null
)`

export const DEFINED = `defined as (
  insert into catalogs (account, id, title, is_implicit)
  select distinct account, catalog_id, catalog_id, true from passed where defines order by 1, 2
  on conflict do nothing
)`

/** No head of an audit is locked here: it is given its number afterwards (audit-log.ts). */
export const EXCEPTED = `excepted as (
  insert into audit_waiting (account, entry)
  select p.account, x.entry
    from passed p cross join lateral json_array_elements(p.exceptions) as x(entry)
   order by p.ord
)`

export const HAPPENED = `happened as (
  insert into events (id, account, subscription_ids, body)
  select e.id, p.account, e.told, e.body
    from passed p cross join lateral ${eventsIn('p.events')} order by p.ord, e.n
  returning seq, account
)`

export function resultPart(isNeeded: IsNeeded): string {
  const turnedAway = isNeeded('rare')
    ? `case when exists (select from kept_answers k where k.account = i.account and k.key = i.key)
        then 'key_taken' else 'configuration_changed' end`
    : `'configuration_changed'`
  return `select i.ord, case
    when p.ord is not null then 'committed'
    when g.ord is null then ${turnedAway}
    when i.op = 'insert' then 'record_exists'
    else 'version_conflict' end as result
  from item i left join gate g on g.ord = i.ord left join passed p on p.ord = i.ord`
}
