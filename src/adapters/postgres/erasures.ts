/**
 * Everything that is stored about one record, deleted for good. Only the audit stays, which names neither the record
 * nor what it held, so its chain holds.
 *
 * First it is looked for, then one transaction deletes the record and writes down that it was erased, then the rest
 * goes in chunks that lock little and briefly. Whatever was committed about the record while it was looked for is found
 * by a second look at the end of the log: once the record is gone nobody can change it any more, only make another. A
 * gateway that dies on the way leaves a part of the rest; the same call again finds it. Events keep their row, because
 * deliveries count them, and lose what they told, but for the digest that the audit knows the record by: a delivery of
 * one that is still open is cancelled when its turn comes. What is being sent at this moment cannot be called back; what
 * its receiver answers is gone with the next call.
 */
import { sql } from 'kysely'
import type { Erased, Erasures, RecordName } from '../../app/erase-record.ts'
import type { Actor } from '../../domain/audit.ts'
import { audit } from './audit-write.ts'
import type { ConfigurationPorts } from './changing.ts'
import type { View } from './database.ts'
import { orUnavailable, orWriteProblem } from './sqlstate.ts'

/** Events, or kept answers, that one statement looks through, and rows that one deletes. */
const LOOKED_AT = 1_000
const DELETED = 500
/** Numbers are given before commits, so what is seen first need not be what has the lower number. */
const SECOND_LOOK = 10_000
/** Events whose deliveries, which may be hundreds each, one statement looks up. */
const EMPTIED = 20

export function createErasures(
  { database, actor }: ConfigurationPorts,
  flush: () => Promise<void>,
): Erasures {
  return {
    erase: async (name, target) => {
      // Decisions are logged behind their answers.
      await flush()
      const view = database.of(name.accountId)
      const found = await eventsAbout(view, name, { target, after: 0 })
      const decisions = await decisionsAbout(view, name)
      const isKnown = found.events.length + decisions.length > 0 || (await isStored(view, name))
      if (!isKnown) return leftBehind(view, { ...name, target }, found.emptied)
      const records = await eraseRecord({ view, actor }, name, target)
      await flush()
      const after = Math.max(0, found.last - SECOND_LOOK)
      const again = await eventsAbout(view, name, { target, after })
      const events = [...new Set([...found.events, ...again.events])]
      const told = [...events, ...found.emptied]
      const answers = await eraseAnswers(view, name, new Set(await decisionsAbout(view, name)))
      return {
        records,
        answers,
        ...(await eraseDecisions(view, name)),
        events: events.length,
        attempts: await emptyEvents(view, { ...name, target }, told),
      }
    },
  }
}

/** What receivers answered to deliveries that were being sent when the record was erased; null: nothing. */
async function leftBehind(
  view: View,
  name: RecordName & { readonly target: string },
  emptied: readonly number[],
): Promise<Erased | null> {
  const attempts = await emptyEvents(view, name, emptied)
  return attempts === 0 ? null : { ...NOTHING, attempts }
}

const NOTHING: Erased = {
  records: 0,
  decisions: 0,
  approvals: 0,
  answers: 0,
  events: 0,
  attempts: 0,
}

async function eraseRecord(
  { view, actor }: { readonly view: View; readonly actor: Actor | null },
  { accountId, catalogId, recordId }: RecordName,
  target: string,
): Promise<number> {
  const work = view.kysely.transaction().execute(async (tx) => {
    const { numDeletedRows } = await tx
      .deleteFrom('records')
      .where('account', '=', accountId)
      .where('catalog_id', '=', catalogId)
      .where('id', '=', recordId)
      .executeTakeFirst()
    const change = { accountId, action: 'record.erased', target } as const
    await audit(tx, actor, { ...change, before: null, after: { catalogId } })
    return Number(numDeletedRows)
  })
  return orWriteProblem(work)
}

type Look = { readonly target: string; readonly after: number }
type Events = {
  readonly events: readonly number[]
  /** By an earlier call. */
  readonly emptied: readonly number[]
  readonly last: number
}

/** Their numbers, and the last that was looked at. There is no index for it, which every commit would pay for. */
async function eventsAbout(
  { kysely }: View,
  { accountId, catalogId, recordId }: RecordName,
  { target, after }: Look,
): Promise<Events> {
  const events: number[] = []
  const emptied: number[] = []
  for (let last = after; ; ) {
    const { rows } = await orUnavailable(
      sql<{ last: number | null; found: number[] | null; emptied: number[] | null }>`
        select max(seq) as last,
          array_agg(seq) filter (
            where body->>'recordId' = ${recordId} and body->>'catalogId' = ${catalogId}) as found,
          array_agg(seq) filter (where body->>'erasedAs' = ${target}) as emptied
          from (select seq, body from events where account = ${accountId} and seq > ${last}
                 order by seq limit ${LOOKED_AT}) e`.execute(kysely),
    )
    const [row] = rows
    events.push(...(row?.found ?? []).map(Number))
    emptied.push(...(row?.emptied ?? []).map(Number))
    if (row === undefined || row.last === null) return { events, emptied, last }
    last = row.last
  }
}

async function decisionsAbout(
  { kysely }: View,
  { accountId, catalogId, recordId }: RecordName,
): Promise<readonly string[]> {
  const query = kysely
    .selectFrom('decisions')
    .select('id')
    .where('account', '=', accountId)
    .where('catalog_id', '=', catalogId)
    .where('record_id', '=', recordId)
  return (await orUnavailable(query.execute())).map(({ id }) => id)
}

async function isStored(
  { kysely }: View,
  { accountId, catalogId, recordId }: RecordName,
): Promise<boolean> {
  const query = kysely
    .selectFrom('records')
    .select('id')
    .where('account', '=', accountId)
    .where('catalog_id', '=', catalogId)
    .where('id', '=', recordId)
  return (await orUnavailable(query.executeTakeFirst())) !== undefined
}

/**
 * Answers that are kept under a key: those of these decisions, and those that name the record alone, as answers in the
 * shape of Bpium's do. Each page by itself, since an account may have kept a day of them.
 */
async function eraseAnswers(
  { kysely }: View,
  { accountId, recordId }: RecordName,
  decisions: ReadonlySet<string>,
): Promise<number> {
  const alone = JSON.stringify({ id: recordId })
  let count = 0
  for (let after = ''; ; ) {
    const { rows } = await orUnavailable(
      sql<{ key: string; decision: string | null; is_alone: boolean }>`
        select key, substring(left(body, 200) from '"id":"(dec_[^"]+)"') as decision, body = ${alone} as is_alone
          from kept_answers where account = ${accountId} and key > ${after} order by key limit ${LOOKED_AT}`.execute(
        kysely,
      ),
    )
    const keys = rows
      .filter((row) => row.is_alone || (row.decision !== null && decisions.has(row.decision)))
      .map(({ key }) => key)
    count += keys.length
    if (keys.length > 0) {
      await orWriteProblem(
        kysely
          .deleteFrom('kept_answers')
          .where('account', '=', accountId)
          .where('key', 'in', keys)
          .execute(),
      )
    }
    const last = rows.at(-1)
    if (last === undefined) return count
    after = last.key
  }
}

type Counted = { readonly decisions: number; readonly approvals: number }

/** With the approvals that were handed out for them. */
async function eraseDecisions(
  { kysely }: View,
  { accountId, catalogId, recordId }: RecordName,
): Promise<Counted> {
  let total: Counted = { decisions: 0, approvals: 0 }
  for (;;) {
    const { rows } = await orWriteProblem(
      sql<Counted>`
        with gone as (
          delete from decisions d
           where d.account = ${accountId} and d.id in (
             select id from decisions
              where account = ${accountId} and catalog_id = ${catalogId} and record_id = ${recordId}
              limit ${DELETED})
          returning d.id),
        approvals as (
          delete from caller_approvals c using gone g
           where c.account = ${accountId} and c.decision_id = g.id returning 1)
        select (select count(*) from gone)::integer as decisions,
          (select count(*) from approvals)::integer as approvals`.execute(kysely),
    )
    const [row] = rows
    if (row === undefined || row.decisions === 0) return total
    total = {
      decisions: total.decisions + row.decisions,
      approvals: total.approvals + row.approvals,
    }
  }
}

/** Takes from events what they told, and from the log of attempts what receivers answered to it. */
async function emptyEvents(
  { kysely }: View,
  { accountId, target }: RecordName & { readonly target: string },
  events: readonly number[],
): Promise<number> {
  let attempts = 0
  for (let from = 0; from < events.length; from += EMPTIED) {
    const chunk = events.slice(from, from + EMPTIED)
    const { rows } = await orWriteProblem(
      sql<{ attempts: number }>`
        with emptied as (
          update events set body = erased_body(body, ${target})
           where account = ${accountId} and seq = any(${chunk}::bigint[])),
        gone as (
          delete from attempts a using deliveries d
           where d.account = ${accountId} and d.event = any(${chunk}::bigint[])
             and a.account = d.account and a.subscription_id = d.subscription_id
             and a.sequence_id = d.sequence_id
          returning 1)
        select count(*)::integer as attempts from gone`.execute(kysely),
    )
    attempts += rows[0]?.attempts ?? 0
  }
  return attempts
}
