/**
 * Everything that can happen to deliveries, in an order that a seed decides, and after each step the
 * rules that must always hold. Chunks are small, so that much happens in the middle of other things.
 */
import { describe, expect, it } from 'vitest'
import type { ClaimedDelivery } from '../../src/app/delivery-store.ts'
import { ENDED_STATES } from '../../src/domain/notification.ts'
import { chanceFrom } from '../support/chance.ts'
import {
  emptied,
  happened,
  orderOf,
  planAll,
  rowsOf,
  type StoppedClock,
  settled,
  withStoppedClock,
} from '../support/deliver.ts'
import { violations } from '../support/delivery-rules.ts'
import { subscribed } from '../support/items.ts'
import type { Opened } from '../support/store.ts'

const STEPS = 350
const CHUNK = 3
const STATES = [
  'delivered',
  'delivered',
  'retrying',
  'retrying',
  'dead',
  'cancelled',
  'held',
] as const

type Pace = { readonly perSecond: number; readonly startMs: number }

class Walk {
  readonly #opened: Opened
  readonly #accountId: string
  readonly #clock: StoppedClock
  readonly #chance: () => number
  /** In order of their making, those that were removed too. */
  readonly #all: string[] = []
  #ids: string[] = []
  #claims: ClaimedDelivery[] = []
  readonly #told = new Map<string, number>()
  readonly #requests = new Map<string, number[]>()
  readonly #rates = new Map<string, number>()
  readonly #paces = new Map<string, Pace>()
  /** What ended at some time, or was claimed: `<subscription> <number>`. */
  readonly #passed = new Set<string>()

  constructor(opened: Opened, accountId: string, clock: StoppedClock, seed: number) {
    this.#opened = opened
    this.#accountId = accountId
    this.#clock = clock
    this.#chance = chanceFrom(seed)
  }

  /** How often each is taken, relative to the others. */
  readonly #steps: readonly (readonly [number, string, () => Promise<unknown>])[] = [
    [14, 'happen', () => this.#happen()],
    [14, 'plan', () => this.#store.outbox.plan(1 + this.#below(8))],
    [22, 'claim', () => this.#claim()],
    [24, 'settle', () => this.#settle()],
    [6, 'pass time', () => this.#clock.pass(this.#below(20_000))],
    [4, 'reap', () => this.#store.outbox.reap()],
    [2, 'extend', () => this.#extend()],
    [8, 'switch', () => this.#switch()],
    [2, 'limit', () => this.#limit()],
    [10, 'turn', () => this.#turn()],
    [4, 'retry', () => this.#retry()],
    [3, 'order a replay', () => this.#orderReplay()],
    [8, 'replay', () => this.#opened.sql('select continue_replay($1, $2, $3)', [CHUNK, 4, 7])],
    [5, 'number a request', () => this.#number()],
    [1, 'remove', () => this.#remove()],
  ]

  get #store() {
    return this.#opened.store
  }

  #below(count: number): number {
    return Math.floor(this.#chance() * count)
  }

  #one<T>(list: readonly T[]): T {
    const chosen = list[this.#below(list.length)]
    if (chosen === undefined) throw new Error('nothing to choose from')
    return chosen
  }

  async begin(): Promise<void> {
    for (let n = 0; n < 5; n++) await this.#subscribe()
  }

  async step(): Promise<string> {
    const total = this.#steps.reduce((sum, [weight]) => sum + weight, 0)
    let at = this.#chance() * total
    const found = this.#steps.find(([weight]) => (at -= weight) < 0)
    if (found === undefined) throw new Error('no such step')
    await found[2]()
    return found[1]
  }

  async broken(): Promise<string[]> {
    const rows = await rowsOf(this.#opened, this.#accountId)
    const ended: readonly string[] = ENDED_STATES
    for (const { subscription_id, sequence_id, state } of rows) {
      if (ended.includes(state)) this.#passed.add(`${subscription_id} ${sequence_id}`)
    }
    return violations(this.#opened.sql, this.#accountId, this.#requests)
  }

  async #subscribe(): Promise<void> {
    const rate = this.#chance() < 0.3 ? this.#one([0.3, 2, 7]) : null
    const more = { maxInFlight: 1 + this.#below(8), maxPerSecond: rate }
    const { id } = await subscribed(this.#store.subscriptions, this.#accountId, more)
    if (rate !== null) this.#rates.set(id, rate)
    this.#ids.push(id)
    this.#all.push(id)
  }

  async #happen(): Promise<void> {
    const records = Array.from({ length: 1 + this.#below(6) }, () =>
      this.#one(['a', 'a', 'a', 'b', 'b', 'c', 'd', null]),
    )
    const ids = this.#ids.filter(() => this.#chance() < 0.6)
    await happened(this.#opened, this.#accountId, ids, records)
    for (const id of ids) this.#told.set(id, (this.#told.get(id) ?? 0) + records.length)
  }

  async #claim(): Promise<void> {
    const before = await rowsOf(this.#opened, this.#accountId)
    const order = { places: this.#below(9), failingPlaces: this.#below(4) }
    const leaseMs = 1_000 + this.#below(30_000)
    const claimed = await this.#store.outbox.claim(orderOf({ ...order, leaseMs }))
    expect(claimed.filter((one) => !one.isFailing).length).toBeLessThanOrEqual(order.places)
    expect(claimed.filter((one) => one.isFailing).length).toBeLessThanOrEqual(order.failingPlaces)
    for (const one of claimed) {
      const { subscriptionId: id, sequenceId, body } = one
      this.#passed.add(`${id} ${sequenceId}`)
      // None goes before one of its record that never had its turn.
      const overtaken = before.filter(
        (row) =>
          row.subscription_id === id &&
          row.record !== null &&
          row.record === body.recordId &&
          row.sequence_id < sequenceId &&
          !this.#passed.has(`${id} ${row.sequence_id}`),
      )
      expect(overtaken).toEqual([])
    }
    this.#checkPaces(claimed)
    await this.#checkPlaces(claimed)
    const placeOf = (one: ClaimedDelivery) => this.#all.indexOf(one.subscriptionId)
    this.#claims.push(
      ...claimed.toSorted((a, b) => placeOf(a) - placeOf(b) || a.sequenceId - b.sequenceId),
    )
  }

  #checkPaces(claimed: readonly ClaimedDelivery[]): void {
    for (const { subscriptionId: id, startInMs } of claimed.toSorted(
      (a, b) => a.startInMs - b.startInMs,
    )) {
      const perSecond = this.#rates.get(id)
      if (perSecond === undefined) {
        expect(startInMs).toBe(0)
        continue
      }
      const startMs = this.#clock.nowMs() + startInMs
      const last = this.#paces.get(id)
      if (last !== undefined) {
        expect(startMs).toBeGreaterThan(last.startMs + 1_000 / last.perSecond - 0.01)
      }
      this.#paces.set(id, { perSecond, startMs })
    }
  }

  async #checkPlaces(claimed: readonly ClaimedDelivery[]): Promise<void> {
    const crowded = await this.#opened.sql(
      `select subscription_id, in_flight from lanes l
        where account = $1 and subscription_id = any($2::text[]) and in_flight > places_of(l)`,
      [this.#accountId, claimed.map(({ subscriptionId }) => subscriptionId)],
    )
    expect(crowded).toEqual([])
  }

  /** Also what was settled before, and what was claimed by somebody else meanwhile. */
  async #settle(): Promise<void> {
    const ended = this.#claims.filter(() => this.#chance() < 0.4)
    if (this.#chance() < 0.9) this.#claims = this.#claims.filter((one) => !ended.includes(one))
    // Now and then everything fails in a row, so that lanes are seen as failing.
    const isBad = this.#chance() < 0.4
    const settlements = ended.map((one) => {
      const state = isBad ? 'retrying' : this.#one(STATES)
      return settled(one, state, state === 'retrying' ? this.#below(15_000) : null)
    })
    await this.#store.outbox.settle(settlements, 1_000)
  }

  async #extend(): Promise<void> {
    const leases = this.#claims.filter(() => this.#chance() < 0.3).map(({ leaseId }) => leaseId)
    await this.#store.outbox.extend(leases, 1_000 + this.#below(30_000))
  }

  async #switch(): Promise<void> {
    const id = this.#one(this.#ids)
    const change = <T extends { active: boolean }>(one: T) => ({ ...one, active: !one.active })
    const held = this.#chance() < 0.2 ? 'cancel' : 'deliver'
    await this.#store.subscriptions.update(this.#accountId, id, change, held)
  }

  async #limit(): Promise<void> {
    const id = this.#one(this.#ids)
    const rate = this.#one([null, 0.3, 2, 50])
    const limits = { maxPerSecond: rate, maxInFlight: 1 + this.#below(8) }
    await this.#store.subscriptions.update(this.#accountId, id, (one) => ({ ...one, ...limits }))
    this.#paces.delete(id)
    if (rate === null) this.#rates.delete(id)
    else this.#rates.set(id, rate)
  }

  /** As the gateway does, but in an order that the seed decides. */
  async #turn(): Promise<void> {
    const lanes = await this.#opened.sql<{ id: string }>(
      'select subscription_id as id from lanes where account = $1 and is_turning',
      [this.#accountId],
    )
    const turning = this.#all.filter((id) => lanes.some((lane) => lane.id === id))
    if (turning.length === 0) return
    const values = [this.#accountId, this.#one(turning), CHUNK]
    await this.#opened.sql('select turn_lane($1, $2, $3)', values)
  }

  async #retry(): Promise<void> {
    const rows = await this.#opened.sql<{ id: string }>(
      `select e.id || '_' || d.subscription_id as id
         from deliveries d join events e on e.seq = d.event
        where d.account = $1 order by d.event, array_position($2::text[], d.subscription_id)`,
      [this.#accountId, this.#all],
    )
    if (rows.length > 0) await this.#store.deliveries.retry(this.#accountId, this.#one(rows).id)
  }

  async #orderReplay(): Promise<void> {
    const [since, until] = [undefined, undefined]
    const fromSequenceId = this.#chance() < 0.5 ? undefined : this.#below(20)
    const toSequenceId = this.#chance() < 0.5 ? undefined : 5 + this.#below(40)
    const states = ENDED_STATES.filter(() => this.#chance() < 0.6)
    const order = { since, until, fromSequenceId, toSequenceId, states }
    await this.#store.deliveries.replay(this.#accountId, this.#one(this.#ids), order)
  }

  async #number(): Promise<void> {
    const id = this.#one(this.#ids)
    const number = await this.#store.sequences.next(this.#accountId, id)
    this.#requests.set(id, [...(this.#requests.get(id) ?? []), number])
  }

  async #remove(): Promise<void> {
    const id = this.#one(this.#ids)
    await this.#store.subscriptions.remove(this.#accountId, id)
    this.#ids = this.#ids.filter((one) => one !== id)
    await this.#subscribe()
  }

  /** All receivers are well again: everything ends. */
  async end(): Promise<void> {
    for (const id of this.#ids) {
      const limits = { active: true, maxPerSecond: null, maxInFlight: 50 }
      await this.#store.subscriptions.update(this.#accountId, id, (one) => ({ ...one, ...limits }))
    }
    for (let round = 0; round < 1_000; round++) {
      while (await this.#store.outbox.turn());
      await planAll(this.#opened, 5)
      await this.#clock.pass(40_000)
      await this.#store.outbox.reap()
      while ((await this.#store.outbox.replay()) === 'going');
      const claimed = await this.#store.outbox.claim(orderOf())
      const settlements = claimed.map((one) => settled(one))
      await this.#store.outbox.settle(settlements, null)
      if (claimed.length === 0 && (await this.#isAtRest())) return
    }
    expect(await rowsOf(this.#opened, this.#accountId)).toEqual([])
  }

  async #isAtRest(): Promise<boolean> {
    const ended: readonly string[] = ENDED_STATES
    const rows = await rowsOf(this.#opened, this.#accountId)
    return rows.every(({ state }) => ended.includes(state))
  }

  /** Each event that they were told of has one delivery. */
  async forgotten(): Promise<string[]> {
    const rows = await rowsOf(this.#opened, this.#accountId)
    return this.#ids.filter((id) => {
      const made = rows.filter(({ subscription_id }) => subscription_id === id).length
      return made !== (this.#told.get(id) ?? 0)
    })
  }
}

/** What is turned at once when a subscription changes. */
async function turnAtOnce({ sql }: Opened, from: number, to: number): Promise<void> {
  for (const name of ['set_lane', 'end_lane']) {
    const [row] = await sql<{ text: string }>('select pg_get_functiondef($1::regproc) as text', [
      name,
    ])
    const before = `turn_lane(of_account, of_subscription, ${from})`
    expect(row?.text).toContain(before)
    const after = `turn_lane(of_account, of_subscription, ${to})`
    await sql(row?.text.replace(before, after) ?? '')
  }
}

export function walkContract(opened: () => Opened): void {
  describe('Outbox: whatever happens', () => {
    it.each([1, 2, 3, 4])(
      'the rules hold after each step of walk %i, and all ends',
      async (seed) => {
        await emptied(opened())
        const accountId = await opened().account()
        await turnAtOnce(opened(), 200, CHUNK)
        try {
          await withStoppedClock(opened(), async (clock) => {
            const walk = new Walk(opened(), accountId, clock, seed)
            await walk.begin()
            for (let n = 0; n < STEPS; n++) {
              const did = await walk.step()
              expect(await walk.broken(), `after step ${n}: ${did}`).toEqual([])
            }
            await walk.end()
            expect(await walk.broken(), 'at the end').toEqual([])
            expect(await walk.forgotten()).toEqual([])
          })
        } finally {
          await turnAtOnce(opened(), CHUNK, 200)
        }
      },
    )
  })
}
