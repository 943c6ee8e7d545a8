/**
 * Finding decisions, newest first: by what has a column, and by a text in what people read of them. A text has no index,
 * which every commit would pay for, so it is looked for in the newest that the other filters leave, up to a limit of rows
 * and of what is stored in them; in small steps, because one long statement holds up everybody else where the database is
 * in this process.
 */
import { type RawBuilder, sql } from 'kysely'
import type { DecisionFilter } from '../../app/decision-store.ts'
import type { Page } from '../../app/store.ts'
import type { Database } from './database.ts'
import { orUnavailable } from './sqlstate.ts'

/**
 * Of a whole search, and of each of its steps. A decision may have a megabyte, which is read to find a text in it, and
 * what is stored of it may be a fiftieth of that: the bytes are those that are stored.
 */
const LOOKED_AT = {
  all: { rows: 20_000, bytes: 16 * 1_048_576 },
  step: { rows: 500, bytes: 262_144 },
} as const
/** An approval takes 30 s at most; its id is made when it begins. */
const LATE_MS = 35_000

export function selectDecisions(database: Database, accountId: string) {
  return database
    .of(accountId)
    .kysely.selectFrom('decisions as d')
    .leftJoin('caller_approvals as c', (join) =>
      join.onRef('c.account', '=', 'd.account').onRef('c.decision_id', '=', 'd.id'),
    )
    .selectAll('d')
    .select(['c.state', 'c.record_id as committed_record_id'])
    .where('d.account', '=', accountId)
    .where('d.decision', '<>', 'void')
}

/** Rows as selectDecisions selects them. */
export async function findDecisions(
  database: Database,
  accountId: string,
  filter: DecisionFilter,
  page: Page,
) {
  const { text } = filter
  if (text === undefined || text === '') {
    const found = filtered(database, accountId, filter, page.after)
    return orUnavailable(found.orderBy('d.id', 'desc').limit(page.limit).execute())
  }
  const ids = await holding(text, { database, accountId, filter, page })
  if (ids.length === 0) return []
  const found = selectDecisions(database, accountId).where('d.id', 'in', [...ids])
  return orUnavailable(found.orderBy('d.id', 'desc').execute())
}

type Search = {
  readonly database: Database
  readonly accountId: string
  readonly filter: DecisionFilter
  readonly page: Page
}

/** Ids of the newest decisions that hold a text. */
async function holding(text: string, search: Search): Promise<readonly string[]> {
  const { page } = search
  const left = { ...LOOKED_AT.all }
  const found: string[] = []
  let before = page.after
  while (left.rows > 0 && left.bytes > 0) {
    const step = await orUnavailable(lookedThrough(text, search, before).execute())
    for (const { id, size, is_found } of step) {
      left.rows -= 1
      left.bytes -= size
      if (is_found) found.push(id)
    }
    before = step.at(-1)?.id ?? null
    if (before === null || found.length >= page.limit) break
  }
  return found.slice(0, page.limit)
}

function lookedThrough(
  text: string,
  { database, accountId, filter }: Search,
  before: string | null,
) {
  const { rows, bytes } = LOOKED_AT.step
  const newest = filtered(database, accountId, filter, before)
    .select(sql<number>`pg_column_size(d.detail)`.as('size'))
    // What is beyond the step is not unpacked.
    .select(sql<number>`sum(pg_column_size(d.detail)) over (order by d.id desc)`.as('through'))
    .orderBy('d.id', 'desc')
    .limit(rows)
  return database
    .of(accountId)
    .kysely.selectFrom(newest.as('d'))
    .select(['d.id', 'd.size', holds(text).as('is_found')])
    .where(sql<boolean>`d.through - d.size < ${bytes}`)
    .orderBy('d.id', 'desc')
}

function filtered(
  database: Database,
  accountId: string,
  filter: DecisionFilter,
  before: string | null,
) {
  let query = selectDecisions(database, accountId)
  if (before !== null) query = query.where('d.id', '<', before)
  if (filter.decision !== undefined) query = query.where('d.decision', '=', filter.decision)
  if (filter.catalogId !== undefined) query = query.where('d.catalog_id', '=', filter.catalogId)
  if (filter.recordId !== undefined) query = query.where('d.record_id', '=', filter.recordId)
  if (filter.since !== undefined) query = query.where('d.decided_at', '>=', new Date(filter.since))
  if (filter.until !== undefined) query = query.where('d.decided_at', '<', new Date(filter.until))
  if (filter.after !== undefined) query = query.where(isAfter(accountId, filter.after))
  if (filter.subscriptionId !== undefined) {
    query = query.where(sql<boolean>`${filter.subscriptionId} = any(d.asked)`)
  }
  return query
}

/**
 * An id says when its approval began. One that took its time is stored after others that began later, and whoever follows
 * the log has to see it all the same, perhaps more than once: so those that began a while before are in it as well, as
 * far as they were decided later.
 */
function isAfter(accountId: string, id: string) {
  const startedMs = Number.parseInt(/^dec_([0-9a-f]{12})/.exec(id)?.[1] ?? '', 16)
  if (Number.isNaN(startedMs)) return sql<boolean>`d.id > ${id}`
  const first = Math.max(0, startedMs - LATE_MS)
  const bound = `dec_${first.toString(16).padStart(12, '0')}`
  return sql<boolean>`d.id > ${bound} and (d.id > ${id} or d.decided_at > (
    select decided_at from decisions where account = ${accountId} and id = ${id}))`
}

/** Between what is looked through, so that no text is found across two of them. */
const BETWEEN = '\u001F'

/** All of a decision is looked through first, as it is stored: that costs a tenth of taking it apart. */
function holds(text: string): RawBuilder<boolean> {
  const wanted = patternOf(text)
  const stored = patternOf(JSON.stringify(text).slice(1, -1))
  const id = sql`concat_ws(${BETWEEN}, d.record_id, d.committed_record_id)`
  return sql<boolean>`(${id} ~ ${wanted} or case when d.detail::text ~ ${stored} then (
    select concat_ws(${BETWEEN}, t.message->>'title', t.message->>'text',
        t."user"->>'id', t."user"->>'title',
        (select string_agg(concat_ws(${BETWEEN}, e->'message'->>'title', e->'message'->>'text'), ${BETWEEN})
           from json_array_elements(t.errors) e)) ~ ${wanted}
      from json_to_record(d.detail) as t(message json, errors json, "user" json)) else false end)`
}

/**
 * A pattern that finds a text in whatever case. What a database itself knows of the case of letters depends on how it was
 * made: many know those of English only.
 */
function patternOf(text: string): string {
  const parts = Array.from(text, (letter) => {
    const cases = new Set([letter, letter.toLowerCase(), letter.toUpperCase()])
    const single = [...cases].filter((one) => /^.$/su.test(one))
    if (single.length > 1) return `[${single.join('')}]`
    return /[\w\u0080-\u{10ffff}]/u.test(letter) ? letter : `\\${letter}`
  })
  return parts.join('')
}
