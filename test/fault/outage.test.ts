/**
 * A receiver that is away for two days while 100,000 changes happen. The clock of deliveries is the
 * database's, so two days pass by moving that; the relay works through them as fast as it can.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Dispatch, DispatchResult, Notifier } from '../../src/app/ports.ts'
import { eventually } from '../support/eventually.ts'
import { subscribed } from '../support/items.ts'
import { type Opened, onEachStore } from '../support/store.ts'
import { relayOver, VirtualClock } from '../support/virtual-clock.ts'

const EVENTS = 100_000
const RECORDS = 4_000
const OUTAGE_HOURS = 48
/** The longest delay of the standard preset that a delivery can have reached by then, jitter included. */
const LAST_DELAY_HOURS = 20 * 1.1
const STEP_MINUTES = 30

onEachStore((opened) => {
  describe('a receiver that is away for 48 hours', () => {
    let clock: VirtualClock
    beforeAll(async () => {
      clock = await VirtualClock.of(opened())
    })
    afterAll(() => clock.restore())

    it('gets everything that happened meanwhile, each record in order', async () => {
      const startedAt = performance.now()
      const accountId = await opened().account()
      const settings = { events: ['record.updated'], active: true, maxInFlight: 1_000 }
      const { id } = await subscribed(opened().store.subscriptions, accountId, settings)
      const receiver = new Receiver()
      const relay = relayOver(opened(), receiver)
      relay.start()
      const isIdle = async () =>
        receiver.inFlight === 0 &&
        (await opened().store.outbox.nextDueInMs()) > 0 &&
        (await countOf(opened(), ['sending', 'ready'])) === 0
      const pass = async (minutes: number) => {
        await clock.pass(minutes * 60_000)
        relay.wake()
        relay.tend()
        await eventually('what is due was tried', isIdle, { withinMs: 120_000 })
      }

      for (let hour = 0; hour < OUTAGE_HOURS; hour++) {
        await happen(opened(), { accountId, id, hour })
        for (let minutes = 0; minutes < 60; minutes += STEP_MINUTES) await pass(STEP_MINUTES)
      }
      expect(receiver.got.size).toBe(0)
      const attemptsOfOutage = receiver.attempts
      receiver.isAway = false
      let hours = 0
      for (; receiver.got.size < EVENTS && hours < LAST_DELAY_HOURS; hours += STEP_MINUTES / 60) {
        await pass(STEP_MINUTES)
      }
      await relay.stop()

      expect(await countOf(opened(), ['delivered'])).toBe(EVENTS)
      expect(receiver.got.size).toBe(EVENTS)
      expect(receiver.repeated).toBe(0)
      expect(receiver.outOfOrder).toEqual([])
      expect(await numbersOf(opened(), accountId)).toEqual({
        first: 1,
        last: EVENTS,
        count: EVENTS,
      })
      const seconds = Math.round((performance.now() - startedAt) / 1_000)
      const memory = Math.round(process.memoryUsage.rss() / 1_048_576)
      process.stdout.write(
        `48 h outage, ${EVENTS} events, ${opened().kind}: ${attemptsOfOutage} attempts in vain, drained ${hours} h after its end; ${seconds} s and ${memory} MB resident here\n`,
      )
    })
  })
})

/** Keeps what it got; while it is away nobody can connect. */
class Receiver implements Notifier {
  isAway = true
  attempts = 0
  inFlight = 0
  repeated = 0
  readonly got = new Set<string>()
  readonly outOfOrder: string[] = []
  readonly #versions = new Map<string, number>()

  async send({ deliveryId, body }: Dispatch): Promise<DispatchResult> {
    this.attempts++
    this.inFlight++
    await Promise.resolve()
    this.inFlight--
    if (this.isAway) return { ...ANSWER, outcome: 'retry', status: undefined, error: 'unreachable' }
    if (this.got.has(deliveryId)) this.repeated++
    this.got.add(deliveryId)
    const version = Number(body.values?.['version'])
    const record = body.recordId ?? ''
    if (version !== (this.#versions.get(record) ?? -1) + 1) this.outOfOrder.push(deliveryId)
    this.#versions.set(record, version)
    return ANSWER
  }
}

const ANSWER: DispatchResult = {
  outcome: 'delivered',
  status: 200,
  retryAfterMs: undefined,
  durationMs: 1,
  error: null,
  requestHeaders: {},
  reply: '',
}

/** The events of an hour, as commits leave them: each changes one record, all records in turn. */
async function happen(
  { sql }: Opened,
  { accountId, id, hour }: { accountId: string; id: string; hour: number },
) {
  const first = Math.round((EVENTS * hour) / OUTAGE_HOURS)
  const last = Math.round((EVENTS * (hour + 1)) / OUTAGE_HOURS) - 1
  await sql(
    `with happened as (
       insert into events (id, account, subscription_ids, body)
       select 'evt_' || n, $1, array[$2], json_build_object('event', 'record.updated', 'accountId', $1::text,
         'catalogId', 'things', 'recordId', 'record-' || n % $5::int, 'changedFields', '["version"]'::json,
         'values', json_build_object('version', n / $5::int))
         from generate_series($3::int, $4::int) as g(n) order by n returning seq, account)
     insert into outbox (event, shard) select seq, shard_of(account) from happened`,
    [accountId, id, first, last, RECORDS],
  )
}

async function countOf({ sql }: Opened, states: readonly string[]): Promise<number> {
  const [row] = await sql<{ count: number }>(
    'select count(*)::int as count from deliveries where state = any($1)',
    [states],
  )
  return row?.count ?? 0
}

async function numbersOf({ sql }: Opened, accountId: string) {
  const [row] = await sql(
    `select min(sequence_id)::int as first, max(sequence_id)::int as last, count(distinct sequence_id)::int as count
       from deliveries where account = $1`,
    [accountId],
  )
  return row
}
