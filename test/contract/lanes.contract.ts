/** Order within a record, fairness between receivers, limits of each of them. */
import { describe, expect, it } from 'vitest'
import type { ClaimedDelivery } from '../../src/app/delivery-store.ts'
import {
  claimAll,
  claimOne,
  drained,
  emptied,
  happened,
  orderOf,
  planAll,
  recordsOf,
  settled,
  statesOf,
  withStoppedClock,
} from '../support/deliver.ts'
import { subscribed } from '../support/items.ts'
import type { Opened } from '../support/store.ts'

const HOUR_MS = 3_600_000

/** A subscription of an account of its own, and nothing else that could be claimed. */
async function alone(opened: Opened, more: Parameters<typeof subscribed>[2] = {}) {
  await emptied(opened)
  const accountId = await opened.account()
  const { id } = await subscribed(opened.store.subscriptions, accountId, more)
  return { accountId, id }
}

const numbersOf = (claimed: readonly ClaimedDelivery[]) => claimed.map((one) => one.sequenceId)

export function lanesContract(opened: () => Opened): void {
  describe('Outbox: the order of a record', () => {
    it('is kept whatever becomes of those before: one goes at a time, the next when it has ended', async () => {
      const { store } = opened()
      const { accountId, id } = await alone(opened())
      await happened(opened(), accountId, [id], ['a', 'a', 'a', 'a', 'a'])
      await planAll(opened())
      await withStoppedClock(opened(), async (clock) => {
        const next = async (number: number) => {
          const claimed = await claimAll(opened(), accountId, 60_000)
          expect(numbersOf(claimed)).toEqual([number])
          return settled(claimed[0] ?? (await claimOne(opened())))
        }
        const first = await next(1)
        const waiting = ['waiting', 'waiting', 'waiting', 'waiting']
        expect(await statesOf(opened(), accountId)).toEqual(['sending', ...waiting])
        await store.outbox.settle([{ ...first, state: 'retrying', retryInMs: HOUR_MS }], null)
        expect(await claimAll(opened(), accountId)).toEqual([])
        expect(await statesOf(opened(), accountId)).toEqual(['retrying', ...waiting])
        await clock.pass(HOUR_MS)
        await store.outbox.settle([await next(1)], null)
        await store.outbox.settle([{ ...(await next(2)), state: 'dead' }], null)
        await next(3)
        await clock.pass(60_001)
        expect(await store.outbox.reap()).toBe(1)
        await store.outbox.settle([{ ...(await next(3)), state: 'cancelled' }], null)
        await store.outbox.settle([await next(4)], null)
        await store.outbox.settle([await next(5)], null)
        expect(await claimAll(opened(), accountId)).toEqual([])
      })
    })

    it('makes those that are planned later wait behind those that were planned before', async () => {
      const { store } = opened()
      const { accountId, id } = await alone(opened())
      await happened(opened(), accountId, [id], ['a'])
      await planAll(opened())
      const [first] = await claimAll(opened(), accountId)
      if (first === undefined) throw new Error('nothing was claimed')
      await happened(opened(), accountId, [id], ['a', 'b'])
      await planAll(opened())
      expect(numbersOf(await claimAll(opened(), accountId))).toEqual([3])
      await store.outbox.settle([settled(first, 'retrying', HOUR_MS)], null)
      await happened(opened(), accountId, [id], ['a'])
      await planAll(opened())
      expect(await claimAll(opened(), accountId)).toEqual([])
      const states = await statesOf(opened(), accountId)
      expect(states).toEqual(['retrying', 'waiting', 'sending', 'waiting'])
    })

    it('holds up neither other records nor other subscriptions nor what is about no record', async () => {
      const { store } = opened()
      const { accountId, id } = await alone(opened())
      const other = await subscribed(store.subscriptions, accountId)
      await happened(opened(), accountId, [id, other.id], ['a'])
      await planAll(opened())
      const held = await claimAll(opened(), accountId)
      const [stuck] = held.filter((one) => one.subscriptionId === id)
      const [fine] = held.filter((one) => one.subscriptionId === other.id)
      if (stuck === undefined || fine === undefined) throw new Error('two were to be claimed')
      await store.outbox.settle([settled(stuck, 'retrying', HOUR_MS), settled(fine)], null)
      await happened(opened(), accountId, [id, other.id], ['a', 'b', null, null, null])
      await planAll(opened())
      const claimed = await claimAll(opened(), accountId)
      const numbers = (of: string) =>
        numbersOf(claimed.filter(({ subscriptionId }) => subscriptionId === of))
      expect(numbers(id)).toEqual([3, 4, 5, 6])
      expect(numbers(other.id)).toEqual([2, 3, 4, 5, 6])
    })
  })

  describe('Outbox: fairness', () => {
    it('gives every receiver its turn, however much one of them has due', async () => {
      const { store } = opened()
      const { accountId, id } = await alone(opened(), { maxInFlight: 1_000 })
      await happened(opened(), accountId, [id], recordsOf(2_000))
      await planAll(opened())
      const others: string[] = []
      for (let n = 0; n < 3; n++) {
        others.push((await subscribed(store.subscriptions, accountId)).id)
      }
      await happened(opened(), accountId, others, ['a', 'b'])
      await planAll(opened())
      const claimed = await store.outbox.claim(orderOf({ places: 8 }))
      expect(claimed).toHaveLength(8)
      for (const other of others) {
        const own = claimed.filter(({ subscriptionId }) => subscriptionId === other)
        expect(own.length).toBeGreaterThanOrEqual(1)
      }
    })

    it('gives one that fails five times in a row a quarter of its places, and only such as are for failing ones', async () => {
      const { store } = opened()
      const { accountId, id } = await alone(opened(), { maxInFlight: 20 })
      await happened(opened(), accountId, [id], recordsOf(60))
      await planAll(opened())
      const claim = (places: number, failingPlaces: number) =>
        store.outbox.claim(orderOf({ places, failingPlaces }))
      const fail = async (count: number, failing: number) => {
        const claimed = await claim(count - failing, failing)
        expect(claimed.map(({ isFailing }) => isFailing)).toEqual(
          Array.from({ length: count }, () => failing > 0),
        )
        const settlements = claimed.map((one) => settled(one, 'retrying', HOUR_MS))
        await store.outbox.settle(settlements, null)
      }
      await fail(4, 0)
      const twenty = await claim(100, 0)
      expect(twenty).toHaveLength(20)
      // The fifth failure, while others are still under way: nothing more until they are a quarter.
      const [fifth, ...rest] = twenty.map((one) => settled(one, 'retrying', HOUR_MS))
      if (fifth === undefined) throw new Error('twenty were to be claimed')
      await store.outbox.settle([fifth], null)
      expect(await claim(100, 100)).toEqual([])
      await store.outbox.settle(rest, null)
      expect(await claim(100, 0)).toEqual([])
      const two = await claim(100, 2)
      expect(two).toMatchObject([{ isFailing: true }, { isFailing: true }])
      expect(await claim(100, 100)).toHaveLength(3)
      expect(await claim(100, 100)).toEqual([])
      // One success, and it is as well as the others.
      await store.outbox.settle(
        two.slice(0, 1).map((one) => settled(one)),
        null,
      )
      const again = await claim(100, 0)
      expect(again).toHaveLength(16)
      expect(again.every(({ isFailing }) => !isFailing)).toBe(true)
    })

    it('leaves one place to the smallest that fails', async () => {
      const { store } = opened()
      const { accountId, id } = await alone(opened(), { maxInFlight: 3 })
      await happened(opened(), accountId, [id], recordsOf(20))
      await planAll(opened())
      for (let n = 0; n < 5; n++) {
        await store.outbox.settle([settled(await claimOne(opened()), 'retrying', HOUR_MS)], null)
      }
      expect(await store.outbox.claim(orderOf())).toMatchObject([{ isFailing: true }])
      expect(await store.outbox.claim(orderOf())).toEqual([])
    })

    it('counts neither an abort nor a hold as a failure, and forgets failures when one is delivered', async () => {
      const { store, sql } = opened()
      const { accountId, id } = await alone(opened())
      await happened(opened(), accountId, [id], recordsOf(20))
      await planAll(opened())
      const streak = async () => {
        const [row] = await sql<{ fail_streak: number; is_calm: boolean }>(
          'select fail_streak, failing_since is null as is_calm from lanes where subscription_id = $1',
          [id],
        )
        return row
      }
      for (const [state, fail_streak] of [
        ['held', 0],
        ['retrying', 1],
        ['held', 1],
        ['dead', 2],
        ['cancelled', 0],
        ['retrying', 1],
        ['delivered', 0],
      ] as const) {
        await store.outbox.settle([settled(await claimOne(opened()), state, HOUR_MS)], null)
        expect(await streak(), state).toEqual({ fail_streak, is_calm: fail_streak === 0 })
      }
    })

    it('never has more under way than a subscription allows, also when that is lowered and raised', async () => {
      const { store } = opened()
      const { accountId, id } = await alone(opened(), { maxInFlight: 6 })
      await happened(opened(), accountId, [id], recordsOf(40))
      await planAll(opened())
      const limit = (maxInFlight: number) =>
        store.subscriptions.update(accountId, id, (one) => ({ ...one, maxInFlight }))
      const six = await claimAll(opened(), accountId)
      expect(six).toHaveLength(6)
      await limit(3)
      await store.outbox.settle(
        six.slice(0, 3).map((one) => settled(one)),
        null,
      )
      expect(await claimAll(opened(), accountId)).toEqual([])
      await store.outbox.settle(
        six.slice(3, 4).map((one) => settled(one)),
        null,
      )
      expect(await claimAll(opened(), accountId)).toHaveLength(1)
      await limit(10)
      expect(await claimAll(opened(), accountId)).toHaveLength(7)
    })

    it('tells to the millisecond when to look next', async () => {
      const { store } = opened()
      const { accountId, id } = await alone(opened())
      expect(await store.outbox.nextDueInMs()).toBe(Number.POSITIVE_INFINITY)
      await withStoppedClock(opened(), async (clock) => {
        await happened(opened(), accountId, [id], ['a', 'b'])
        await planAll(opened())
        expect(await store.outbox.nextDueInMs()).toBe(0)
        const [one, two] = await claimAll(opened(), accountId)
        if (one === undefined || two === undefined) throw new Error('two were to be claimed')
        expect(await store.outbox.nextDueInMs()).toBe(Number.POSITIVE_INFINITY)
        await store.outbox.settle([settled(one, 'retrying', 7_000)], null)
        await store.outbox.settle([settled(two, 'retrying', 3_000)], null)
        expect(await store.outbox.nextDueInMs()).toBe(3_000)
        await clock.pass(2_500)
        expect(await store.outbox.nextDueInMs()).toBe(500)
        await clock.pass(500)
        await claimAll(opened(), accountId)
        expect(await store.outbox.nextDueInMs()).toBe(4_000)
      })
    })
  })
}

/** Starts are handed out ahead of their time, each with its moment. */
export function ratesContract(opened: () => Opened): void {
  /** The moments at which all deliveries were to start, on the stopped clock; gateways take turns. */
  async function starts(maxPerSecond: number, count: number, lookEveryMs: number) {
    const { store, kind } = opened()
    const { accountId, id } = await alone(opened(), { maxPerSecond, maxInFlight: 1_000 })
    await happened(opened(), accountId, [id], recordsOf(count))
    await planAll(opened())
    const gateways = kind === 'server' ? [store, await opened().another()] : [store]
    const moments: number[] = []
    await withStoppedClock(opened(), async (clock) => {
      for (let turn = 0; moments.length < count; turn++) {
        if (turn > 1_000) throw new Error('it takes too long')
        const gateway = gateways[turn % gateways.length] ?? store
        const claimed = await gateway.outbox.claim(orderOf())
        for (const { startInMs } of claimed) {
          expect(startInMs).toBeGreaterThanOrEqual(0)
          moments.push(clock.nowMs() + startInMs)
        }
        await clock.pass(lookEveryMs)
      }
    })
    return moments.toSorted((a, b) => a - b)
  }

  describe('Outbox: rates', () => {
    it.each([
      { rate: 4, lookEveryMs: 90, gapMs: 250 },
      { rate: 40, lookEveryMs: 130, gapMs: 25 },
      { rate: 0.4, lookEveryMs: 400, gapMs: 2_500 },
      { rate: 1.5, lookEveryMs: 70, gapMs: 2_000 / 3 },
    ])('spaces starts evenly at $rate a second, whoever claims', async (one) => {
      const { rate, lookEveryMs, gapMs } = one
      const moments = await starts(rate, 24, lookEveryMs)
      const gaps = moments.slice(1).map((moment, index) => moment - (moments[index] ?? 0))
      for (const gap of gaps) {
        expect(gap).toBeGreaterThan(gapMs - 0.01)
        // And no slower: somebody looked in time for each.
        expect(gap).toBeLessThan(gapMs + 0.01)
      }
    })

    it('saves up nothing while there is nothing to send', async () => {
      const { store } = opened()
      const { accountId, id } = await alone(opened(), { maxPerSecond: 2, maxInFlight: 100 })
      await withStoppedClock(opened(), async (clock) => {
        await happened(opened(), accountId, [id], ['first'])
        await planAll(opened())
        expect(await drained(opened(), accountId)).toEqual([1])
        await clock.pass(60_000)
        await happened(opened(), accountId, [id], recordsOf(20))
        await planAll(opened())
        expect((await store.outbox.claim(orderOf())).map((one) => one.startInMs)).toEqual([0])
        expect(await store.outbox.nextDueInMs()).toBe(0)
      })
    })

    it('forgets how long a limit made it wait when the limit is lifted', async () => {
      const { store } = opened()
      const { accountId, id } = await alone(opened(), { maxPerSecond: 0.001 })
      await withStoppedClock(opened(), async (clock) => {
        await happened(opened(), accountId, [id], ['a', 'b', 'c'])
        await planAll(opened())
        expect(await claimAll(opened(), accountId)).toHaveLength(1)
        const limit = (maxPerSecond: number | null) =>
          store.subscriptions.update(accountId, id, (one) => ({ ...one, maxPerSecond }))
        await limit(1)
        await clock.pass(1_500)
        expect(await claimAll(opened(), accountId)).toMatchObject([{ startInMs: 0 }])
        await limit(null)
        expect(await claimAll(opened(), accountId)).toMatchObject([{ startInMs: 0 }])
      })
    })

    it('keeps a limit next to nothing from holding up anybody else', async () => {
      const { store } = opened()
      const { accountId, id } = await alone(opened(), { maxPerSecond: 1e-18 })
      const other = await subscribed(store.subscriptions, accountId)
      await happened(opened(), accountId, [id, other.id], ['a'])
      await planAll(opened())
      const claimed = await claimAll(opened(), accountId)
      expect(claimed.map(({ subscriptionId }) => subscriptionId)).toContain(other.id)
    })
  })
}
