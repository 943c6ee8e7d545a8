/** Deliveries without a receiver: events that happened, attempts that ended, and time that passes. */

import type { Store } from '../../src/adapters/postgres/store.ts'
import type { ClaimedDelivery, ClaimOrder, Settlement } from '../../src/app/delivery-store.ts'
import type { DispatchResult } from '../../src/app/ports.ts'
import { committed, creation } from './items.ts'
import type { Opened } from './store.ts'

export const ALL = { limit: 200, after: null }
const LEASE_MS = 60_000

export const DELIVERED: DispatchResult = {
  outcome: 'delivered',
  status: 204,
  retryAfterMs: undefined,
  durationMs: 12.5,
  error: null,
  requestHeaders: { 'webhook-id': 'evt_1_sub_1', authorization: '***' },
  reply: 'thanks',
}

const SIGNS = {
  delivered: 'success',
  cancelled: 'success',
  held: 'neither',
  retrying: 'failure',
  dead: 'failure',
} as const

export const settled = (
  delivery: ClaimedDelivery,
  state: Settlement['state'] = 'delivered',
  retryInMs: number | null = null,
): Settlement => ({ delivery, state, retryInMs, sign: SIGNS[state], result: DELIVERED })

export const orderOf = (more: Partial<ClaimOrder> = {}): ClaimOrder => ({
  places: 100,
  failingPlaces: 100,
  leaseMs: LEASE_MS,
  ...more,
})

/** Commits a creation that these subscriptions are told of; the decision's id. */
export async function told(opened: Opened, accountId: string, ids: readonly string[]) {
  const item = creation(accountId, { told: ids, insists: false })
  await committed(opened.store.approvals, item)
  return item.entry.id
}

/** Events about these records, in this order, as if they had been committed; null: about no record. */
export async function happened(
  { sql }: Pick<Opened, 'sql'>,
  accountId: string,
  ids: readonly string[],
  records: readonly (string | null)[],
): Promise<void> {
  await sql(
    `with happened as (
       insert into events (id, account, subscription_ids, body)
       select 'evt_' || md5(random()::text || n), $1, $2::text[], json_build_object(
           'event', 'record.created', 'accountId', $1::text, 'catalogId', 'things', 'recordId', record,
           'values', json_build_object('n', n), 'changedFields', json_build_array())
         from unnest($3::text[]) with ordinality as u(record, n) order by n
       returning seq, account)
     insert into outbox (event, shard) select seq, shard_of(account) from happened`,
    [accountId, ids, records],
  )
}

/** So many records' names. */
export const recordsOf = (count: number, prefix = 'record'): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}-${n}`)

/** Plans until nothing is left to plan. */
export async function planAll({ store }: { readonly store: Pick<Store, 'outbox'> }, max = 1_000) {
  for (let planned = 0; ; ) {
    const { events, isMore } = await store.outbox.plan(max)
    planned += events
    if (events === 0 && !isMore) return planned
    if (planned > 100_000) throw new Error('the planner finds no end')
  }
}

/** Claims what is due until nothing is left, for one account; what others left behind is claimed too. */
export async function claimAll({ store }: Opened, accountId: string, leaseMs = LEASE_MS) {
  const all: ClaimedDelivery[] = []
  for (;;) {
    const claimed = await store.outbox.claim(orderOf({ leaseMs }))
    if (claimed.length === 0) return all.filter((one) => one.accountId === accountId)
    all.push(...claimed)
  }
}

/** Claims one delivery, which must be there. */
export async function claimOne({ store }: Pick<Opened, 'store'>, leaseMs = LEASE_MS) {
  const [claimed] = await store.outbox.claim(orderOf({ places: 1, failingPlaces: 1, leaseMs }))
  if (claimed === undefined) throw new Error('nothing was claimed')
  return claimed
}

/** Sends all that comes due, in vain or not; the numbers in the order in which they were claimed. */
export async function drained(opened: Opened, accountId: string): Promise<number[]> {
  const numbers: number[] = []
  for (;;) {
    const claimed = await claimAll(opened, accountId)
    if (claimed.length === 0) return numbers
    numbers.push(...claimed.map(({ sequenceId }) => sequenceId))
    await opened.store.outbox.settle(
      claimed.map((one) => settled(one)),
      null,
    )
  }
}

export type DeliveryRow = {
  readonly subscription_id: string
  readonly sequence_id: number
  readonly record: string | null
  readonly state: string
  readonly failures: number
  readonly lapses: number
}

/** In order of subscription and number. */
export function rowsOf({ sql }: Pick<Opened, 'sql'>, accountId: string, subscriptionId?: string) {
  return sql<DeliveryRow>(
    `select d.subscription_id, d.sequence_id, e.body->>'recordId' as record, d.state, d.failures,
        d.lapses
       from deliveries d join events e on e.seq = d.event
      where d.account = $1 and d.subscription_id = coalesce($2, d.subscription_id)
      order by d.subscription_id, d.sequence_id`,
    [accountId, subscriptionId ?? null],
  )
}

/** The states of a subscription's deliveries, in order of their number. */
export async function statesOf(opened: Opened, accountId: string, subscriptionId?: string) {
  return (await rowsOf(opened, accountId, subscriptionId)).map(({ state }) => state)
}

/** How many deliveries there are of each state. */
export async function countsOf(opened: Opened, accountId: string, subscriptionId?: string) {
  const counts: Record<string, number> = {}
  for (const state of await statesOf(opened, accountId, subscriptionId)) {
    counts[state] = (counts[state] ?? 0) + 1
  }
  return counts
}

/** Nothing of what the suites before left behind is in the way. */
export async function emptied({ sql }: Opened): Promise<void> {
  for (const table of ['outbox', 'deliveries', 'replays', 'lanes'])
    await sql(`delete from ${table}`)
}

export type StoppedClock = {
  /** Milliseconds since the clock was stopped. */
  readonly nowMs: () => number
  readonly pass: (ms: number) => Promise<void>
}

/** Runs with the clock of deliveries in the hands of the test: it stands still until it is moved. */
export async function withStoppedClock(
  { sql }: Opened,
  run: (clock: StoppedClock) => Promise<void>,
): Promise<void> {
  const [row] = await sql<{ at: string }>('select now()::text as at')
  let now = 0
  const set = (expression: string) =>
    sql(
      `create or replace function present() returns timestamptz language sql stable
        as $$ select ${expression} $$`,
    )
  const pass = async (ms: number) => {
    now += ms
    await set(`timestamptz '${row?.at}' + interval '${now} milliseconds'`)
  }
  await pass(0)
  try {
    await run({ nowMs: () => now, pass })
  } finally {
    await set('now()')
  }
}
