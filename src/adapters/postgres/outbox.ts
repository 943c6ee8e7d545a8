/**
 * The relay's side of the database. What moves deliveries are functions of the schema
 * (migrations/0003_move_deliveries.sql and the one after it), which take the locks that each step needs;
 * here they are called.
 */

import type {
  ClaimedDelivery,
  FailingSubscription,
  Outbox,
  Settlement,
} from '../../app/delivery-store.ts'
import type { Ids } from '../../app/ports.ts'
import type { EventBody } from '../../domain/notification.ts'
import type { Sealer } from './changing.ts'
import type { Database, Statement } from './database.ts'
import { eventParameter, HAPPENED_BESIDE, POINTED } from './event-parts.ts'
import { openedBody, type SealedBody } from './event-secrets.ts'
import { asWriteProblem, isUnroutable, orUnavailable } from './sqlstate.ts'

/** So many times in a row may a delivery's senders go away before it is put aside. */
const LAPSES_MAX = 10
/** Rows of one step, so that no lane is locked for long. */
const TURNED_MAX = 1_000
/** A replay goes on while its lane has fewer than `readyMax` due, and looks at `span` numbers in a step. */
const REPLAY = { deliveriesMax: 100, readyMax: 50, span: 20_000 } as const

const PLAN: Statement = {
  name: 'plan_deliveries',
  text: 'select planned, is_more, is_busy from plan_deliveries($1)',
}
const CLAIM: Statement = {
  name: 'claim_deliveries',
  text: 'select * from claim_deliveries($1, $2, $3, $4)',
}
const EXTEND: Statement = { name: 'extend_leases', text: 'select extend_leases($1, $2)' }
const SETTLE: Statement = {
  name: 'settle_deliveries',
  text: 'select * from settle_deliveries($1, $2, $3)',
}
const REAP: Statement = { name: 'reap_deliveries', text: 'select reap_deliveries($1) as count' }
const TURN: Statement = { name: 'turn_lanes', text: 'select turn_lanes($1) as did' }
const CONTINUE_REPLAY: Statement = {
  name: 'continue_replay',
  text: 'select continue_replay($1, $2, $3) as how',
}
const MEND: Statement = { name: 'mend_lanes', text: 'select mend_lanes() as count' }
const MEND_CHAINS: Statement = { name: 'mend_chains', text: 'select mend_chains() as count' }
const KEEP_ATTEMPTS: Statement = { name: 'keep_attempts', text: 'select keep_attempts($1)' }
/** The small tables whose rows never rest. */
const VACUUM: readonly Statement[] = ['lanes', 'outbox', 'sequences', 'activity'].map((table) => ({
  name: `vacuum_${table}`,
  text: `vacuum ${table}`,
}))
const NOTE_FAILING: Statement = {
  name: 'note_failing',
  text: `
with done as (
  update lanes set failing_told = $3
   where account = $1 and subscription_id = $2 and failing_told < $3 and failing_since is not null and is_open
  returning account
),
${HAPPENED_BESIDE(4)},
${POINTED}
select account from done`,
}
const FAILING: Statement = {
  name: 'failing_lanes',
  text: `select account, subscription_id, failing_told,
      extract(epoch from present() - failing_since)::double precision * 1000 as failing_ms
    from lanes where is_open and failing_since <= present() - $1 * interval '1 millisecond'
   order by failing_told, failing_since limit 100`,
}
const NEXT_DUE: Statement = {
  name: 'next_due',
  // Before version 17 the infinite could not be subtracted from.
  text: `select extract(epoch from nullif(least(
      (select min(next_due) from lanes where is_open and not is_failing),
      (select min(next_due) from lanes where is_open and is_failing)), 'infinity') - present())::double precision
    * 1000 as ms`,
}
/** Lanes that are full are looked at only when there is room, so each lane is asked for its oldest. */
const AGE: Statement = {
  name: 'backlog_age',
  text: `select coalesce(extract(epoch from present() - least(
      (select min(e.occurred_at) from (select event from outbox order by event limit 100) o
         join events e on e.seq = o.event),
      (select min(d.due_at) from lanes l cross join lateral (
         select due_at from deliveries where account = l.account and subscription_id = l.subscription_id
            and state in ('ready', 'retrying') and due_at <= present()
          order by due_at, sequence_id limit 1) d where l.is_open)
    )) * 1000, 0)::double precision as age`,
}

type PlanRow = { readonly planned: number; readonly is_more: boolean; readonly is_busy: boolean }
type ClaimRow = {
  readonly account: string
  readonly subscription_id: string
  readonly sequence_id: number
  readonly failures: number
  readonly is_failing: boolean
  readonly start_in_ms: number
  readonly event_id: string
  readonly body: SealedBody | null
  readonly occurred_at: Date
}
type FailingRow = {
  readonly account: string
  readonly subscription_id: string
  readonly failing_ms: number
  readonly failing_told: number
}

export function createOutbox(
  database: Database,
  ids: Ids,
  sealer: Sealer,
  onTrouble: (error: unknown) => void = () => {},
): Outbox {
  const run = <Row>(statement: Statement, values: readonly unknown[]) =>
    orUnavailable(database.everyone.run<Row>(statement, values))
  const count = async (statement: Statement, values: readonly unknown[]): Promise<number> => {
    const [row] = await run<{ count: number }>(statement, values)
    return row?.count ?? 0
  }
  const did = async (statement: Statement, values: readonly unknown[]): Promise<boolean> => {
    const [row] = await run<{ did: boolean }>(statement, values)
    return row?.did ?? false
  }
  return {
    plan: async (deliveriesMax) => {
      const [row] = await run<PlanRow>(PLAN, [deliveriesMax])
      const { planned, is_more, is_busy } = row ?? { planned: 0, is_more: false, is_busy: false }
      return { events: planned, isMore: is_more, isBusy: is_busy }
    },
    claim: async ({ places, failingPlaces, leaseMs }) => {
      const leaseId = ids.make('req')
      const rows = await run<ClaimRow>(CLAIM, [places, failingPlaces, leaseMs, leaseId])
      return claimedOf(rows, leaseId, openBodies(rows, sealer, onTrouble))
    },
    extend: async (leaseIds, leaseMs) => {
      await run(EXTEND, [leaseIds, leaseMs])
    },
    settle: (settlements, failingAfterMs) => settle(database, settlements, failingAfterMs),
    reap: () => count(REAP, [LAPSES_MAX]),
    turn: () => did(TURN, [TURNED_MAX]),
    replay: async () => {
      const { deliveriesMax, readyMax, span } = REPLAY
      const values = [deliveriesMax, readyMax, span]
      const [row] = await run<{ how: 'going' | 'waiting' | 'none' }>(CONTINUE_REPLAY, values)
      return row?.how ?? 'none'
    },
    mend: () => count(MEND, []),
    mendChains: () => count(MEND_CHAINS, []),
    keepAttempts: async (days) => {
      await run(KEEP_ATTEMPTS, [days])
      // On a server somebody does this all the time.
      if (database.kind === 'embedded') for (const statement of VACUUM) await run(statement, [])
    },
    failing: async (afterMs) => (await run<FailingRow>(FAILING, [afterMs])).map(failingOf),
    noteFailing: async ({ accountId, subscriptionId }, percent, event) => {
      const values = [
        accountId,
        subscriptionId,
        percent,
        eventParameter(event === null ? [] : [event]),
      ]
      try {
        return (await database.of(accountId).run(NOTE_FAILING, values)).length > 0
      } catch (error) {
        throw asWriteProblem(error)
      }
    },
    nextDueInMs: async () => {
      const [row] = await run<{ ms: number | null }>(NEXT_DUE, [])
      return Math.max(0, row?.ms ?? Number.POSITIVE_INFINITY)
    },
    backlogAgeMs: async () => {
      const [row] = await run<{ age: number }>(AGE, [])
      return Math.max(0, row?.age ?? 0)
    },
  }
}

/** By event. One that does not open holds up no others: its lease runs out, until it is put aside. */
function openBodies(
  rows: readonly ClaimRow[],
  sealer: Sealer,
  onTrouble: (error: unknown) => void,
): ReadonlyMap<string, EventBody> {
  const bodies = new Map<string, EventBody>()
  for (const { account, event_id, body } of rows) {
    if (body === null) continue
    try {
      bodies.set(event_id, openedBody(body, { account, event: event_id }, sealer))
    } catch (error) {
      onTrouble(error)
    }
  }
  return bodies
}

async function settle(
  database: Database,
  settlements: readonly Settlement[],
  failingAfterMs: number | null,
) {
  const results = JSON.stringify(settlements.map(resultRow))
  const log = JSON.stringify(settlements.flatMap((one) => attemptRow(one) ?? []))
  const values = [results, log, failingAfterMs]
  const write = () => orUnavailable(database.everyone.run<FailingRow>(SETTLE, values))
  const rows = await write().catch(async (error: unknown) => {
    if (!isUnroutable(error)) throw error
    // Nobody has made room for the attempts of today, for days.
    await database.everyone.run(MAKE_ROOM, [])
    return write()
  })
  return rows.map(failingOf)
}

function failingOf(row: FailingRow): FailingSubscription {
  return {
    accountId: row.account,
    subscriptionId: row.subscription_id,
    failingMs: row.failing_ms,
    toldPercent: row.failing_told,
  }
}

const MAKE_ROOM: Statement = {
  name: 'make_room_for_attempts',
  text: `select make_attempts_partition((present() at time zone 'UTC')::date + n)
    from generate_series(-1, 3) n`,
}

function claimedOf(
  rows: readonly ClaimRow[],
  leaseId: string,
  bodies: ReadonlyMap<string, EventBody>,
): readonly ClaimedDelivery[] {
  return rows.flatMap((row) => {
    const body = bodies.get(row.event_id)
    return body === undefined ? [] : [claimedDelivery(row, leaseId, body)]
  })
}

function claimedDelivery(row: ClaimRow, leaseId: string, body: EventBody): ClaimedDelivery {
  return {
    accountId: row.account,
    subscriptionId: row.subscription_id,
    sequenceId: row.sequence_id,
    deliveryId: `${row.event_id}_${row.subscription_id}`,
    leaseId,
    failures: row.failures,
    isFailing: row.is_failing,
    startInMs: row.start_in_ms,
    body,
    occurredAtMs: row.occurred_at.getTime(),
  }
}

function resultRow({ delivery, state, retryInMs, sign, result }: Settlement): object {
  return {
    account: delivery.accountId,
    subscription_id: delivery.subscriptionId,
    sequence_id: delivery.sequenceId,
    lease_id: delivery.leaseId,
    state,
    retry_in_ms: retryInMs,
    status: result?.status,
    is_success: sign === 'success',
    is_failure: sign === 'failure',
  }
}

function attemptRow({ delivery, result }: Settlement): object | null {
  if (result === null) return null
  return {
    account: delivery.accountId,
    subscription_id: delivery.subscriptionId,
    sequence_id: delivery.sequenceId,
    request_headers: result.requestHeaders,
    status: result.status,
    reply: storable(result.reply),
    duration_ms: result.durationMs,
    error: result.error && storable(result.error),
  }
}

/** PostgreSQL keeps no NUL in a text, and no half of a character. */
const storable = (text: string): string => text.replaceAll('\u0000', '\uFFFD').toWellFormed()
