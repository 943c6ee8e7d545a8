/** What somebody has moved past the relay is found and set right; what is right is left alone. */
import { beforeEach, describe, expect, it } from 'vitest'
import {
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

export function mendingContract(opened: () => Opened): void {
  const alone = async (records: readonly string[]) => {
    const accountId = await opened().account()
    const { id } = await subscribed(opened().store.subscriptions, accountId, { maxInFlight: 3 })
    await happened(opened(), accountId, [id], records)
    await planAll(opened())
    return { accountId, id }
  }

  describe('Outbox: mending', () => {
    beforeEach(async () => {
      await emptied(opened())
      await opened().sql('delete from subscriptions')
    })

    it('has nothing to do where nobody interfered, however old what is due', async () => {
      const { store } = opened()
      await withStoppedClock(opened(), async ({ pass }) => {
        await alone([...recordsOf(20), 'record-1', 'record-1'])
        await pass(HOUR_MS)
        expect(await store.outbox.mend()).toBe(0)
        const claimed = await store.outbox.claim(orderOf({ places: 2 }))
        expect(await store.outbox.mend()).toBe(0)
        await store.outbox.claim(orderOf())
        expect(await store.outbox.mend()).toBe(0)
        await store.outbox.settle(
          claimed.map((one) => settled(one, 'retrying', HOUR_MS)),
          null,
        )
        expect(await store.outbox.mend()).toBe(0)
        expect(await store.outbox.mendChains()).toBe(0)
      })
    })

    it('counts anew what is under way', async () => {
      const { store, sql } = opened()
      const { accountId } = await alone(recordsOf(5))
      await claimOne(opened())
      await sql('update lanes set in_flight = 3')
      expect(await store.outbox.mend()).toBe(1)
      expect(await sql('select in_flight from lanes')).toEqual([{ in_flight: 1 }])
      expect(await store.outbox.claim(orderOf())).toHaveLength(2)
      expect(await statesOf(opened(), accountId)).toContain('ready')
    })

    it('looks again at what is due and would not be looked at', async () => {
      const { store, sql } = opened()
      const { accountId } = await alone(recordsOf(5))
      await sql("update lanes set next_due = 'infinity'")
      expect(await store.outbox.claim(orderOf())).toEqual([])
      expect(await store.outbox.mend()).toBe(1)
      expect(await drained(opened(), accountId)).toEqual([1, 2, 3, 4, 5])
    })

    it('lets follow what was switched, made or removed past it', async () => {
      const { store, sql } = opened()
      const { accountId, id } = await alone(['a', 'b'])
      const switched = (active: boolean) =>
        sql(
          `update subscriptions set settings = jsonb_set(settings::jsonb, '{active}', '${active}')::json`,
        )
      await switched(false)
      expect(await store.outbox.mend()).toBe(1)
      expect(await statesOf(opened(), accountId)).toEqual(['held', 'held'])
      await switched(true)
      expect(await store.outbox.mend()).toBe(1)
      expect(await statesOf(opened(), accountId)).toEqual(['ready', 'ready'])
      await sql('delete from subscriptions where id = $1', [id])
      expect(await store.outbox.mend()).toBe(1)
      expect(await statesOf(opened(), accountId)).toEqual(['cancelled', 'cancelled'])
      await subscribed(store.subscriptions, accountId)
      await sql('delete from lanes')
      expect(await store.outbox.mend()).toBe(1)
      expect(await store.outbox.mend()).toBe(0)
    })

    it('is not needed for a subscription that has no lane yet: the planner opens it', async () => {
      const { store, sql } = opened()
      const accountId = await opened().account()
      const { id } = await subscribed(store.subscriptions, accountId)
      await sql('delete from lanes')
      await happened(opened(), accountId, [id], ['a'])
      await planAll(opened())
      expect(await drained(opened(), accountId)).toEqual([1])
    })

    it('lets a record go on of which nothing is open, and none that waits for one that is held', async () => {
      const { store, sql } = opened()
      const { accountId } = await alone(['a', 'a', 'b', 'b'])
      const ended = `update deliveries set state = $2 where account = $1 and sequence_id = $3`
      await sql(ended, [accountId, 'delivered', 1])
      await sql(ended, [accountId, 'held', 3])
      expect(await store.outbox.mendChains()).toBe(1)
      expect(await statesOf(opened(), accountId)).toEqual(['delivered', 'ready', 'held', 'waiting'])
      expect(await store.outbox.mendChains()).toBe(0)
    })
  })
}
