/** What must hold of deliveries and their lanes whenever nothing is under way in the database. */
import { getOrAdd } from '../../src/domain/maps.ts'
import type { Opened } from './store.ts'

type Row = {
  readonly subscription_id: string
  readonly sequence_id: number
  readonly chain: string | null
  readonly state: string
}

type Lane = {
  readonly subscription_id: string
  readonly is_open: boolean
  readonly is_gone: boolean
  readonly is_turning: boolean
  readonly in_flight: number
  readonly sending: number
  readonly is_late: boolean
  readonly last: number
}

const OPEN: ReadonlySet<string> = new Set(['ready', 'sending', 'retrying'])
const QUEUED: ReadonlySet<string> = new Set(['waiting', 'held'])

const LANES = `
select l.subscription_id, l.is_open, l.is_gone, l.is_turning, l.in_flight, q.last,
    (select count(*)::integer from deliveries d where d.account = l.account
        and d.subscription_id = l.subscription_id and d.state = 'sending') as sending,
    l.is_open and l.in_flight < places_of(l) and l.next_due > greatest(present(), l.paced_until - pace_ahead(),
      coalesce((select min(d.due_at) from deliveries d where d.account = l.account
        and d.subscription_id = l.subscription_id and d.state in ('ready', 'retrying')), 'infinity'))
      as is_late
  from lanes l join sequences q on q.account = l.account and q.subscription_id = l.subscription_id
 where l.account = $1`

const ROWS = `
select subscription_id, sequence_id, chain::text, state from deliveries
 where account = $1 order by subscription_id, sequence_id`

/** What is broken of an account's deliveries. `requests`: numbers that were given to requests. */
export async function violations(
  sql: Opened['sql'],
  accountId: string,
  requests: ReadonlyMap<string, readonly number[]> = new Map(),
): Promise<string[]> {
  const lanes = await sql<Lane>(LANES, [accountId])
  const rows = grouped(await sql<Row>(ROWS, [accountId]), (row) => row.subscription_id)
  return [...new Set([...rows.keys(), ...lanes.map((lane) => lane.subscription_id)])].flatMap(
    (id) => {
      const lane = lanes.find((one) => one.subscription_id === id)
      const own = rows.get(id) ?? []
      const broken = [
        ...wrongNumbers(own, lane, requests.get(id) ?? []),
        // What is left of one that was removed is cancelled in whatever order.
        ...(lane?.is_gone ? [] : wrongChains(own, lane?.is_turning ?? false)),
        ...(lane === undefined ? [] : wrongLane(lane, own)),
      ]
      return broken.map((what) => `${id}: ${what}`)
    },
  )
}

function grouped<K>(rows: readonly Row[], keyOf: (row: Row) => K): Map<K, Row[]> {
  const groups = new Map<K, Row[]>()
  for (const row of rows) getOrAdd(groups, keyOf(row), () => []).push(row)
  return groups
}

function wrongNumbers(rows: readonly Row[], lane: Lane | undefined, requests: readonly number[]) {
  const numbers = [...rows.map((row) => row.sequence_id), ...requests].toSorted((a, b) => a - b)
  const gap = numbers.findIndex((number, index) => number !== index + 1)
  if (gap >= 0) return [`${numbers[gap]} stands where number ${gap + 1} should`]
  const last = lane?.last ?? numbers.length
  return last === numbers.length ? [] : [`the counter is at ${last}, not ${numbers.length}`]
}

function wrongChains(rows: readonly Row[], isTurning: boolean): string[] {
  const chains = grouped(
    rows.filter((row) => row.chain !== null),
    (row) => row.chain,
  )
  return [...chains.values()].flatMap((chain) => {
    const states = chain.map(({ sequence_id, state }) => `${sequence_id} ${state}`).join(', ')
    const open = chain.filter((row) => OPEN.has(row.state)).length
    if (open > 1) return [`${open} of a chain are open: ${states}`]
    const queued = chain.filter((row) => QUEUED.has(row.state))
    // Somebody must let it go some day: what is open before it, or who lets go what is held. While a lane
    // turns, one that was sent again may still wait for a later one that is held already.
    const first = isTurning ? queued.find((row) => row.state === 'held') : queued[0]
    const isStuck = open === 0 && queued.length > 0 && first?.state !== 'held'
    return isStuck ? [`waits for nothing: ${states}`] : []
  })
}

function wrongLane(lane: Lane, rows: readonly Row[]): string[] {
  const { in_flight, sending, is_late, is_open, is_turning } = lane
  const broken: string[] = []
  if (in_flight !== sending) broken.push(`${in_flight} in flight, but ${sending} are being sent`)
  if (is_late) broken.push('is looked at too late')
  if (is_turning) return broken
  const strays = rows.filter(({ state }) =>
    is_open ? state === 'held' : state === 'ready' || state === 'retrying' || state === 'waiting',
  )
  if (strays.length > 0) {
    const names = strays.map(({ sequence_id, state }) => `${sequence_id} ${state}`)
    broken.push(`${is_open ? 'open' : 'closed'}, but ${names.join(', ')}`)
  }
  return broken
}
