/**
 * Everything that is stored about one record, deleted for good. Only the audit stays, which names neither the record
 * nor what it held, so its chain holds.
 *
 * First it is looked for, then one transaction deletes the record and writes down that it was erased, then the rest
 * goes in chunks that lock little and briefly. A gateway that dies on the way leaves a part of the rest; the same call
 * again finds it. Events keep their row, because deliveries count them, and lose what they told: a delivery of one that
 * is still open is cancelled when its turn comes. What is being sent at this moment cannot be called back.
 */
import { sql } from 'kysely'
import type { Erased, Erasures, RecordName } from '../../app/erase-record.ts'
import { audit } from './audit-write.ts'
import type { ConfigurationPorts } from './changing.ts'
import type { View } from './database.ts'
import { orUnavailable, orWriteProblem } from './sqlstate.ts'

/** Events that one statement looks through, and rows that one deletes. */
const LOOKED_AT = 1_000
const DELETED = 500
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
      const events = await eventsAbout(view, name)
      if (events.length === 0 && !(await isKnown(view, name))) return null
      const work = view.kysely.transaction().execute(async (tx) => {
        const { numDeletedRows } = await tx
          .deleteFrom('records')
          .where('account', '=', name.accountId)
          .where('catalog_id', '=', name.catalogId)
          .where('id', '=', name.recordId)
          .executeTakeFirst()
        const { accountId, catalogId } = name
        const after = { catalogId }
        await audit(tx, actor, { accountId, action: 'record.erased', target, before: null, after })
        return Number(numDeletedRows)
      })
      const records = await orWriteProblem(work)
      return {
        records,
        ...(await eraseDecisions(view, name)),
        ...(await emptied(view, name, events)),
      }
    },
  }
}

/** Their numbers. There is no index for it, which every commit would pay for. */
async function eventsAbout(
  { kysely }: View,
  { accountId, catalogId, recordId }: RecordName,
): Promise<readonly number[]> {
  const found: number[] = []
  for (let after = 0; ; ) {
    const { rows } = await orUnavailable(
      sql<{ last: number | null; found: number[] | null }>`
        select max(seq) as last, array_agg(seq) filter (
            where body->>'recordId' = ${recordId} and body->>'catalogId' = ${catalogId}) as found
          from (select seq, body from events where account = ${accountId} and seq > ${after}
                 order by seq limit ${LOOKED_AT}) e`.execute(kysely),
    )
    const [row] = rows
    found.push(...(row?.found ?? []).map(Number))
    if (row === undefined || row.last === null) return found
    after = row.last
  }
}

async function isKnown(
  { kysely }: View,
  { accountId, catalogId, recordId }: RecordName,
): Promise<boolean> {
  const { rows } = await orUnavailable(
    sql<{ is_known: boolean }>`
      select exists (select from records
          where account = ${accountId} and catalog_id = ${catalogId} and id = ${recordId})
        or exists (select from decisions
          where account = ${accountId} and catalog_id = ${catalogId} and record_id = ${recordId}) as is_known`.execute(
      kysely,
    ),
  )
  return rows[0]?.is_known === true
}

type Counted = { readonly decisions: number; readonly approvals: number; readonly answers: number }

/** With the approvals that were handed out for them, and the answers that are kept under keys. */
async function eraseDecisions(
  { kysely }: View,
  { accountId, catalogId, recordId }: RecordName,
): Promise<Counted> {
  let total: Counted = { decisions: 0, approvals: 0, answers: 0 }
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
           where c.account = ${accountId} and c.decision_id = g.id returning 1),
        answers as (
          delete from kept_answers k using gone g
           where k.account = ${accountId} and substring(k.body from '"id":"(dec_[^"]+)"') = g.id returning 1)
        select (select count(*) from gone)::integer as decisions,
          (select count(*) from approvals)::integer as approvals,
          (select count(*) from answers)::integer as answers`.execute(kysely),
    )
    const [row] = rows
    if (row === undefined || row.decisions === 0) return total
    total = {
      decisions: total.decisions + row.decisions,
      approvals: total.approvals + row.approvals,
      answers: total.answers + row.answers,
    }
  }
}

/** Takes from events what they told, and from the log of attempts what receivers answered to it. */
async function emptied(
  { kysely }: View,
  { accountId }: RecordName,
  events: readonly number[],
): Promise<Pick<Erased, 'events' | 'attempts'>> {
  let attempts = 0
  for (let from = 0; from < events.length; from += EMPTIED) {
    const chunk = events.slice(from, from + EMPTIED)
    const { rows } = await orWriteProblem(
      sql<{ attempts: number }>`
        with emptied as (
          update events set body = erased_body(body)
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
  return { events: events.length, attempts }
}
