/** Subscriptions that are switched off and on, and such that are removed: what becomes of deliveries. */
import { describe, expect, it } from 'vitest'
import type { HeldChoice } from '../../src/app/store.ts'
import {
  ALL,
  claimAll,
  claimOne,
  countsOf,
  drained,
  emptied,
  happened,
  planAll,
  recordsOf,
  rowsOf,
  settled,
  statesOf,
} from '../support/deliver.ts'
import { violations } from '../support/delivery-rules.ts'
import { subscribed } from '../support/items.ts'
import type { Opened } from '../support/store.ts'

/** More than is turned in one step, and than is turned at once. */
const MANY = 2_500

export function switchingContract(opened: () => Opened): void {
  const alone = async (records: readonly (string | null)[] = []) => {
    await emptied(opened())
    const accountId = await opened().account()
    const { subscriptions } = opened().store
    const { id } = await subscribed(subscriptions, accountId, { maxInFlight: 1_000 })
    const happen = async (more: readonly (string | null)[]) => {
      await happened(opened(), accountId, [id], more)
      await planAll(opened())
    }
    await happen(records)
    const turnTo = (active: boolean, held?: HeldChoice) =>
      subscriptions.update(accountId, id, (one) => ({ ...one, active }), held)
    return { accountId, id, happen, turnTo }
  }
  const turned = async () => {
    let steps = 0
    while (await opened().store.outbox.turn()) steps++
    return steps
  }
  /** Numbers as they were sent, for each record. */
  const byRecord = async (accountId: string, numbers: readonly number[]) => {
    const rows = await rowsOf(opened(), accountId)
    const sent: Record<string, number[]> = {}
    for (const number of numbers) {
      const record = rows.find((row) => row.sequence_id === number)?.record ?? 'none'
      sent[record] = [...(sent[record] ?? []), number]
    }
    return sent
  }

  describe('Outbox: a subscription that is off', () => {
    it('has everything held that was open, and what is planned meanwhile', async () => {
      const { store } = opened()
      const { accountId, happen, turnTo } = await alone(['a', 'a', 'b', 'c', null])
      const [one, two] = await claimAll(opened(), accountId)
      if (one === undefined || two === undefined) throw new Error('nothing was claimed')
      await store.outbox.settle([settled(two, 'retrying', 60_000)], null)
      await turnTo(false)
      await happen(['a', 'd', null])
      // What is under way ends by itself, the others of its record stay where they are.
      const rest = ['held', 'held', 'sending', 'sending', 'held', 'held', 'held']
      expect(await statesOf(opened(), accountId)).toEqual(['sending', ...rest])
      await store.outbox.settle([settled(one)], null)
      expect(await statesOf(opened(), accountId)).toEqual(['delivered', ...rest])
      expect(await claimAll(opened(), accountId)).toEqual([])
      expect(await violations(opened().sql, accountId)).toEqual([])
    })

    it('has all of it delivered in order of each record when it is on again', async () => {
      const { accountId, happen, turnTo } = await alone(['a', 'b', 'a', null])
      await turnTo(false)
      await happen(['b', 'a', null, 'b'])
      await turnTo(true)
      expect(await byRecord(accountId, await drained(opened(), accountId))).toEqual({
        a: [1, 3, 6],
        b: [2, 5, 8],
        none: [4, 7],
      })
    })

    it('has what was held cancelled where that is asked for, and nothing that comes later', async () => {
      const { accountId, happen, turnTo } = await alone(['a', 'a', 'b'])
      await turnTo(false)
      await happen(['a'])
      await turnTo(true, 'cancel')
      await happen(['a', 'b'])
      expect(await countsOf(opened(), accountId)).toEqual({ cancelled: 4, ready: 2 })
      expect(await drained(opened(), accountId)).toEqual([5, 6])
    })

    it('has nothing cancelled because somebody asked for that another time', async () => {
      const { store } = opened()
      const { accountId, turnTo } = await alone(['a', 'b', 'c'])
      const first = await claimOne(opened())
      await turnTo(false)
      await turnTo(true, 'cancel')
      expect(await statesOf(opened(), accountId)).toEqual(['sending', 'cancelled', 'cancelled'])
      await store.outbox.settle([settled(first, 'retrying', 60_000)], null)
      await turnTo(false)
      await turnTo(true)
      expect(await drained(opened(), accountId)).toEqual([1])
    })

    it('has nothing cancelled because somebody asked for that while nothing was held', async () => {
      const { accountId, turnTo } = await alone(['a', 'b'])
      await turnTo(true, 'cancel')
      await turnTo(false, 'cancel')
      await turnTo(true)
      expect(await drained(opened(), accountId)).toEqual([1, 2])
    })

    it('is turned in steps where there is much to be turned, both ways', async () => {
      const records = recordsOf(MANY).map((_, n) => `record-${n % 700}`)
      const { accountId, happen, turnTo } = await alone(records)
      await turnTo(false)
      const atOnce = await countsOf(opened(), accountId)
      expect(atOnce['held']).toBeGreaterThan(0)
      expect(atOnce['held']).toBeLessThan(1_000)
      expect(await claimAll(opened(), accountId)).toEqual([])
      expect(await turned()).toBeGreaterThan(1)
      expect(await countsOf(opened(), accountId)).toEqual({ held: MANY })
      await turnTo(true)
      await happen(['record-0', 'new'])
      expect((await countsOf(opened(), accountId))['held']).toBeGreaterThan(1_000)
      expect(await turned()).toBeGreaterThan(1)
      expect(await countsOf(opened(), accountId)).toEqual({ ready: 701, waiting: MANY - 699 })
      const sent = await byRecord(accountId, await drained(opened(), accountId))
      expect(Object.values(sent).flat()).toHaveLength(MANY + 2)
      for (const numbers of Object.values(sent)) {
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
      }
    }, 120_000)

    it('loses nothing and breaks no order when it is switched again while it turns', async () => {
      const { store, sql } = opened()
      const records = recordsOf(MANY).map((_, n) => `record-${n % 300}`)
      const { accountId, happen, turnTo } = await alone(records)
      const sent: number[] = []
      for (let n = 0; n < 6; n++) {
        await turnTo(n % 2 === 1)
        await happen([`record-${n}`, `record-${n}`])
        if (n % 3 === 1) await store.outbox.turn()
        const claimed = await claimAll(opened(), accountId)
        sent.push(...claimed.map(({ sequenceId }) => sequenceId))
        await store.outbox.settle(
          claimed.map((one) => settled(one)),
          null,
        )
      }
      await turned()
      expect(await violations(sql, accountId)).toEqual([])
      sent.push(...(await drained(opened(), accountId)))
      expect(await countsOf(opened(), accountId)).toEqual({ delivered: MANY + 12 })
      for (const numbers of Object.values(await byRecord(accountId, sent))) {
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
      }
    }, 120_000)

    it('leaves nothing waiting for good when one that was sent again waits for a later one', async () => {
      const { store, sql } = opened()
      const { accountId, id, turnTo } = await alone(['a', 'a'])
      const first = await claimOne(opened())
      await store.outbox.settle([settled(first)], null)
      // The second is open, so the first waits for it.
      await store.deliveries.retry(accountId, first.deliveryId)
      expect(await statesOf(opened(), accountId)).toEqual(['waiting', 'ready'])
      // So much else that only the second one is held before somebody switches it on again.
      await sql('update lanes set is_open = false, is_turning = true where subscription_id = $1', [
        id,
      ])
      await sql('select turn_lane($1, $2, 1)', [accountId, id])
      expect(await statesOf(opened(), accountId)).toEqual(['waiting', 'held'])
      await turnTo(true)
      await turned()
      expect(await drained(opened(), accountId)).toHaveLength(2)
    })
  })

  describe('Outbox: a subscription that is removed', () => {
    it('has everything cancelled that was open, in steps, and is forgotten then', async () => {
      const { store, sql } = opened()
      const records = recordsOf(MANY).map((_, n) => `record-${n % 900}`)
      const { accountId, id, turnTo } = await alone(records)
      const sending = await claimOne(opened())
      const dies = await claimOne(opened())
      await turnTo(false)
      await store.subscriptions.remove(accountId, id)
      expect(await claimAll(opened(), accountId)).toEqual([])
      expect((await countsOf(opened(), accountId))['cancelled']).toBeLessThan(1_000)
      await turned()
      const under = { cancelled: MANY - 2, sending: 2 }
      expect(await countsOf(opened(), accountId)).toEqual(under)
      for (const table of ['lanes', 'sequences']) {
        const left = await sql(`select from ${table} where subscription_id = $1`, [id])
        expect(left, table).toEqual([])
      }
      await store.outbox.settle([settled(sending), settled(dies, 'retrying', 1)], null)
      const after = { cancelled: MANY - 1, delivered: 1 }
      expect(await countsOf(opened(), accountId)).toEqual(after)
      expect(await store.deliveries.list(accountId, { state: 'delivered' }, ALL)).toHaveLength(1)
    }, 120_000)

    it('gets nothing more, not even by a retry or by a replay that was under way', async () => {
      const { store, sql } = opened()
      const { accountId, id, happen } = await alone(['a', 'b'])
      const delivery = await claimOne(opened())
      await store.outbox.settle([settled(delivery)], null)
      const states = ['delivered', 'cancelled'] as const
      const [since, until, fromSequenceId, toSequenceId] = [
        undefined,
        undefined,
        undefined,
        undefined,
      ]
      const order = { since, until, fromSequenceId, toSequenceId, states }
      expect(await store.deliveries.replay(accountId, id, order)).toBe(1)
      await store.subscriptions.remove(accountId, id)
      await happen(['a'])
      const answer = await store.deliveries.retry(accountId, delivery.deliveryId)
      expect(answer).toBe('nobody_listens')
      while ((await store.outbox.replay()) === 'going');
      expect(await claimAll(opened(), accountId)).toEqual([])
      expect(await statesOf(opened(), accountId)).toEqual(['delivered', 'cancelled'])
      expect(await sql('select from replays')).toEqual([])
    })
  })
}
