/**
 * Apps that come and go while their deliveries are under way, in an order that a seed decides; after each
 * step the rules that must always hold.
 */
import { describe, expect, it } from 'vitest'
import type { App, Connection } from '../../src/app/app-store.ts'
import type { ClaimedDelivery, Settlement } from '../../src/app/delivery-store.ts'
import type { NamedEvent } from '../../src/domain/notification.ts'
import { appOf, connectionOf, farewell, tokenOf } from '../support/apps.ts'
import { chanceFrom } from '../support/chance.ts'
import {
  ALL,
  emptied,
  orderOf,
  rowsOf,
  type StoppedClock,
  settled,
  withStoppedClock,
} from '../support/deliver.ts'
import { violations } from '../support/delivery-rules.ts'
import { committed, creation, eventOf } from '../support/items.ts'
import type { Opened } from '../support/store.ts'
import { anHourLater, swept } from './leaving.contract.ts'

const STEPS = 150
const APPS = 3
const RECORDS = ['a', 'a', 'b', 'c']
const STATES = ['delivered', 'delivered', 'delivered', 'retrying', 'dead', 'cancelled'] as const

type Shop = { readonly accountId: string; readonly apps: readonly Pick<App, 'accountId' | 'id'>[] }

/** Lanes and subscriptions that do not know of each other, or not the same. */
const STRAYS = `
select coalesce(s.id, l.subscription_id) as id, s.id is null as "hasNoRow", l.subscription_id is null as "hasNoLane",
    q.subscription_id is null as "isNotCounted", l.is_open
  from subscriptions s
  full join lanes l on l.account = s.account and l.subscription_id = s.id
  left join sequences q on q.account = coalesce(s.account, l.account)
    and q.subscription_id = coalesce(s.id, l.subscription_id)
 where coalesce(s.account, l.account) = any($1::text[])
   and (q.subscription_id is null or l.subscription_id is null
     or case when s.id is null then not l.is_gone else l.is_gone or not l.is_open end)`

/** Of one account's events made deliveries for another's subscriptions. */
const FOREIGN = `
select d.account, d.subscription_id, e.account as event_account
  from deliveries d join events e on e.seq = d.event
 where d.account = any($1::text[]) and (e.account <> d.account or not d.subscription_id = any(e.subscription_ids))`

class Walk {
  readonly #opened: Opened
  readonly #clock: StoppedClock
  readonly #chance: () => number
  readonly #shops: readonly Shop[]
  #connected: Connection[] = []
  readonly #ended: Connection[] = []
  #claims: ClaimedDelivery[] = []
  /** Whose each subscription was, and with which token it came. */
  readonly #homes = new Map<string, { readonly accountId: string; readonly token: string }>()
  /** Those that are to hear of their end, and those that have. */
  readonly #parting = new Set<string>()
  readonly #told = new Set<string>()

  constructor(
    opened: Opened,
    parts: { clock: StoppedClock; seed: number; shops: readonly Shop[] },
  ) {
    this.#opened = opened
    this.#clock = parts.clock
    this.#chance = chanceFrom(parts.seed)
    this.#shops = parts.shops
  }

  readonly #steps: readonly (readonly [number, string, () => Promise<unknown>])[] = [
    [10, 'connect', () => this.#connect()],
    [6, 'disconnect', () => this.#disconnect()],
    [14, 'commit', () => this.#commit()],
    [14, 'plan', () => this.#store.outbox.plan(1 + this.#below(10))],
    [18, 'claim', () => this.#claim()],
    [20, 'settle', () => this.#settle(STATES, 0.5)],
    [4, 'pass time', () => this.#clock.pass(this.#below(20_000))],
    [3, 'reap', () => this.#store.outbox.reap()],
    [4, 'turn', () => this.#store.outbox.turn()],
    [2, 'let an hour go by', () => anHourLater(this.#opened)],
    [5, 'sweep', () => swept(this.#opened)],
  ]

  get #store() {
    return this.#opened.store
  }

  get #accounts(): string[] {
    return this.#shops.map(({ accountId }) => accountId)
  }

  #below(count: number): number {
    return Math.floor(this.#chance() * count)
  }

  #one<T>(list: readonly T[]): T {
    const chosen = list[this.#below(list.length)]
    if (chosen === undefined) throw new Error('nothing to choose from')
    return chosen
  }

  async step(): Promise<string> {
    const total = this.#steps.reduce((sum, [weight]) => sum + weight, 0)
    let at = this.#chance() * total
    const found = this.#steps.find(([weight]) => (at -= weight) < 0)
    if (found === undefined) throw new Error('no such step')
    await found[2]()
    return found[1]
  }

  async #connect(): Promise<void> {
    const { accountId, apps } = this.#one(this.#shops)
    const app = this.#one(apps)
    const subscriptions = [{}, { events: ['record.created'] }, {}]
      .slice(0, 1 + this.#below(3))
      .map((one) => ({ ...one, maxInFlight: 1 + this.#below(4) }))
    const connection = connectionOf({ accountId, app, subscriptions })
    const isConnected = this.#connected.some(
      ({ installation: one }) => one.accountId === accountId && one.appId === app.id,
    )
    const connect = this.#store.installations.connect(connection)
    if (isConnected) {
      await expect(connect).rejects.toMatchObject({ code: 'already_exists' })
      return
    }
    await connect
    this.#connected.push(connection)
    for (const { id } of connection.subscriptions)
      this.#homes.set(id, { accountId, token: tokenOf(connection) })
  }

  async #disconnect(): Promise<void> {
    if (this.#connected.length === 0) return
    const connection = this.#one(this.#connected)
    const { accountId, id } = connection.installation
    const ids = await this.#store.installations.disconnect(accountId, id, (...parting) => {
      const words = farewell(...parting)
      for (const one of words.staying) this.#parting.add(one)
      return words
    })
    expect(ids).toEqual(connection.subscriptions.map((one) => one.id))
    this.#connected = this.#connected.filter((one) => one !== connection)
    this.#ended.push(connection)
  }

  /** A change with up to three events, told to some of those who are installed. */
  async #commit(): Promise<void> {
    const { accountId } = this.#one(this.#shops)
    const here = this.#connected
      .filter(({ installation }) => installation.accountId === accountId)
      .flatMap(({ subscriptions }) => subscriptions.map(({ id }) => id))
    const item = creation(accountId, { insists: false })
    const about = this.#one(RECORDS)
    const events = ['record.created', 'order.paid', 'order.big']
      .slice(0, 1 + this.#below(3))
      .map((event): NamedEvent => {
        const told = eventOf(
          item.entry,
          here.filter(() => this.#chance() < 0.7),
        )
        return { ...told, body: { ...told.body, event, recordId: about } }
      })
    await committed(this.#store.approvals, { ...item, events })
  }

  async #claim(): Promise<void> {
    const leaseMs = 1_000 + this.#below(30_000)
    const claimed = await this.#store.outbox.claim(orderOf({ places: this.#below(9), leaseMs }))
    for (const { accountId, subscriptionId, body } of claimed) {
      const home = this.#homes.get(subscriptionId)
      expect([accountId, body.accountId]).toEqual([home?.accountId, home?.accountId])
      if (body.values?.['action'] === 'added')
        expect(body.secrets).toEqual({ access_token: home?.token })
      else expect(body.secrets).toBeUndefined()
      if (body.values?.['action'] === 'removed')
        expect(this.#parting.has(subscriptionId)).toBe(true)
    }
    this.#claims.push(...claimed)
  }

  async #settle(states: readonly Settlement['state'][], share: number): Promise<void> {
    const ended = this.#claims.filter(() => this.#chance() < share)
    this.#claims = this.#claims.filter((one) => !ended.includes(one))
    const settlements = ended.map((one) => {
      // The end is told until it is heard.
      const isEnd = one.body.values?.['action'] === 'removed'
      const wanted = this.#one(states)
      const state = isEnd && wanted !== 'delivered' ? 'retrying' : wanted
      return settled(one, state, state === 'retrying' ? this.#below(15_000) : null)
    })
    await this.#store.outbox.settle(settlements, null)
  }

  async broken(): Promise<string[]> {
    const { sql } = this.#opened
    const strays = await sql(STRAYS, [this.#accounts])
    const foreign = await sql(FOREIGN, [this.#accounts])
    const broken = [...strays, ...foreign].map((row) => JSON.stringify(row))
    for (const accountId of this.#accounts) {
      broken.push(...(await violations(sql, accountId)), ...(await this.#wrongOf(accountId)))
    }
    return broken
  }

  /** What is there of an account is what is connected to it, and what is leaving. */
  async #wrongOf(accountId: string): Promise<string[]> {
    const here = this.#connected.filter(({ installation }) => installation.accountId === accountId)
    const expected = here.flatMap(({ subscriptions }) => subscriptions.map(({ id }) => id))
    const listed = await this.#store.subscriptions.list(accountId, ALL)
    expect(listed.map(({ id }) => id)).toEqual(expected.toSorted())
    const keys = await this.#store.keys.list(accountId, ALL)
    expect(keys.map(({ id }) => id)).toEqual(here.map(({ key }) => key.id).toSorted())
    const loaded = (await this.#store.configuration.load(accountId))?.subscriptions ?? []
    const leaving = new Set(
      loaded.flatMap(({ id, leavingSince }) => (leavingSince === null ? [] : [id])),
    )
    expect(loaded).toHaveLength(listed.length + leaving.size)
    const heard = await this.#opened.sql<{ id: string }>(
      `select d.subscription_id as id from deliveries d join events e on e.seq = d.event
        where d.account = $1 and d.state = 'delivered' and e.body->'values'->>'action' = 'removed'`,
      [accountId],
    )
    for (const { id } of heard) this.#told.add(id)
    return [...this.#parting]
      .filter((id) => this.#homes.get(id)?.accountId === accountId)
      .filter((id) => !leaving.has(id) && !this.#told.has(id))
      .map((id) => `${id} went without a farewell`)
  }

  /** Everybody lets go, and hears of it. */
  async end(): Promise<void> {
    while (this.#connected.length > 0) await this.#disconnect()
    for (let round = 0; round < 500; round++) {
      while (await this.#store.outbox.turn());
      await this.#store.outbox.plan(1_000)
      await this.#clock.pass(40_000)
      await this.#store.outbox.reap()
      await this.#claim()
      // All of them: one that is let lie time after time would be put aside.
      await this.#settle(['delivered'], 1)
      await anHourLater(this.#opened)
      await swept(this.#opened)
      if ((await this.#left()).length === 0) break
    }
    expect(await this.#left()).toEqual([])
    expect([...this.#parting].filter((id) => !this.#told.has(id))).toEqual([])
  }

  async #left(): Promise<readonly object[]> {
    expect(await this.broken()).toEqual([])
    return this.#opened.sql(
      `select 'row' as what, id from subscriptions where account = any($1::text[])
       union all select 'lane', subscription_id from lanes where account = any($1::text[])
       union all select 'counter', subscription_id from sequences where account = any($1::text[])
       union all select 'key', id from keys where account = any($1::text[])
       union all select 'event', event::text from outbox`,
      [this.#accounts],
    )
  }

  /** Who was connected at some time, and what they were told. */
  async seen(): Promise<{ readonly ended: number; readonly deliveries: number }> {
    const rows = await Promise.all(this.#accounts.map((one) => rowsOf(this.#opened, one)))
    return { ended: this.#ended.length, deliveries: rows.flat().length }
  }
}

export function appsWalkContract(opened: () => Opened): void {
  const shopOf = async (): Promise<Shop> => {
    const accountId = await opened().account()
    const apps: Shop['apps'][number][] = []
    for (let n = 0; n < APPS; n++) apps.push(await opened().store.apps.create(appOf(accountId)))
    return { accountId, apps }
  }

  describe('Installations: whatever happens', () => {
    it.each([1, 2, 3, 4])('the rules hold after each step of walk %i', async (seed) => {
      await emptied(opened())
      const shops = [await shopOf(), await shopOf()]
      await withStoppedClock(opened(), async (clock) => {
        const walk = new Walk(opened(), { clock, seed, shops })
        for (let n = 0; n < STEPS; n++) {
          const did = await walk.step()
          expect(await walk.broken(), `after step ${n}: ${did}`).toEqual([])
        }
        await walk.end()
        const { ended, deliveries } = await walk.seen()
        expect(ended).toBeGreaterThan(3)
        expect(deliveries).toBeGreaterThan(20)
      })
    })
  })
}
