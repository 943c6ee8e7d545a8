/** Leases that are kept, lost and given back; numbers that have no gaps whatever happens. */
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import {
  ALL,
  claimAll,
  claimOne,
  drained,
  emptied,
  happened,
  orderOf,
  planAll,
  recordsOf,
  rowsOf,
  settled,
  statesOf,
  withStoppedClock,
} from '../support/deliver.ts'
import { violations } from '../support/delivery-rules.ts'
import { subscribed } from '../support/items.ts'
import { ownersUrl } from '../support/places.ts'
import type { Opened } from '../support/store.ts'

const countTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1)

async function alone(opened: Opened, records: readonly (string | null)[]) {
  await emptied(opened)
  const accountId = await opened.account()
  const { id } = await subscribed(opened.store.subscriptions, accountId)
  await happened(opened, accountId, [id], records)
  await planAll(opened)
  return { accountId, id }
}

export function leasesContract(opened: () => Opened): void {
  const laneOf = async (id: string) => {
    const [row] = await opened().sql(
      'select in_flight, fail_streak, failing_since, failing_told from lanes where subscription_id = $1',
      [id],
    )
    return row
  }

  describe('Outbox: leases', () => {
    it('do not run out while they are kept', async () => {
      const { store } = opened()
      const { accountId } = await alone(opened(), ['a', 'b'])
      await withStoppedClock(opened(), async (clock) => {
        const kept = await claimOne(opened(), 10_000)
        await claimOne(opened(), 10_000)
        for (let n = 0; n < 3; n++) {
          await clock.pass(6_000)
          await store.outbox.extend([kept.leaseId], 10_000)
        }
        expect(await store.outbox.reap()).toBe(1)
        expect(await statesOf(opened(), accountId)).toEqual(['sending', 'ready'])
        await clock.pass(10_000)
        expect(await store.outbox.reap()).toBe(0)
        await clock.pass(1)
        expect(await store.outbox.reap()).toBe(1)
      })
    })

    it('that ran out give the delivery to somebody else, under its id and number, as no failure', async () => {
      const { store } = opened()
      const { accountId, id } = await alone(opened(), ['a', 'a'])
      await withStoppedClock(opened(), async (clock) => {
        const lost = await claimOne(opened(), 1_000)
        await clock.pass(1_001)
        expect(await store.outbox.reap()).toBe(1)
        expect(await laneOf(id)).toMatchObject({ in_flight: 0, fail_streak: 0 })
        const { deliveryId, sequenceId, failures, body } = lost
        const [again] = await claimAll(opened(), accountId)
        expect(again).toMatchObject({ deliveryId, sequenceId, failures, body })
        expect(again?.leaseId).not.toBe(lost.leaseId)
      })
    })

    it('that were lost change nothing, not even what is known of the receiver', async () => {
      const { store } = opened()
      const { id, accountId } = await alone(opened(), ['a', 'a'])
      await withStoppedClock(opened(), async (clock) => {
        const lost = await claimOne(opened(), 1_000)
        await clock.pass(1_001)
        await store.outbox.reap()
        const again = await claimOne(opened())
        const before = [await laneOf(id), await rowsOf(opened(), accountId)]
        for (const state of ['dead', 'retrying', 'delivered', 'cancelled', 'held'] as const) {
          await store.outbox.settle([settled(lost, state, 1)], null)
          expect([await laneOf(id), await rowsOf(opened(), accountId)], state).toEqual(before)
        }
        const failed = settled(again, 'retrying', 60_000)
        await store.outbox.settle([failed], null)
        const after = await laneOf(id)
        expect(after).toMatchObject({ in_flight: 0, fail_streak: 1 })
        // Told twice, since nobody knew whether the first time had arrived.
        await store.outbox.settle([failed], null)
        expect(await laneOf(id)).toEqual(after)
        const read = await store.deliveries.read(accountId, lost.deliveryId)
        expect(read?.attemptLog).toHaveLength(8)
      })
    })

    it('that ran out ten times in a row put the delivery aside, and those behind it go on', async () => {
      const { store } = opened()
      const { accountId } = await alone(opened(), ['a', 'a', 'b'])
      await withStoppedClock(opened(), async (clock) => {
        const lapse = async (times: number) => {
          for (let n = 0; n < times; n++) {
            const claimed = await claimAll(opened(), accountId, 1_000)
            const others = claimed.filter(({ sequenceId }) => sequenceId === 3)
            await store.outbox.settle(
              others.map((one) => settled(one)),
              null,
            )
            expect(claimed.map(({ sequenceId }) => sequenceId)).toContain(1)
            await clock.pass(1_001)
            expect(await store.outbox.reap()).toBe(1)
          }
        }
        await lapse(9)
        // A word from its sender, and they are counted from the beginning.
        await store.outbox.settle([settled(await claimOne(opened()), 'retrying', 0)], null)
        await lapse(9)
        expect(await statesOf(opened(), accountId)).toEqual(['ready', 'waiting', 'delivered'])
        await lapse(1)
        expect(await statesOf(opened(), accountId)).toEqual(['dead', 'ready', 'delivered'])
        const [dead] = await store.deliveries.list(accountId, { state: 'dead' }, ALL)
        expect(dead).toMatchObject({ failures: 1, endedAt: expect.stringMatching(/Z$/) })
        expect(await drained(opened(), accountId)).toEqual([2])
      })
    })

    it('that ran out are given back although nobody has made room in the log for days', async () => {
      const { store, sql } = opened()
      const { accountId } = await alone(opened(), ['a'])
      await withStoppedClock(opened(), async (clock) => {
        await claimOne(opened(), 1_000)
        await clock.pass(20 * 86_400_000)
        expect(await store.outbox.reap()).toBe(1)
        expect(await statesOf(opened(), accountId)).toEqual(['ready'])
        await sql('select keep_attempts(1)')
      })
      await sql('select keep_attempts(1)')
    })
  })

  describe('Outbox: numbers', () => {
    it('have no gaps over what was delivered, held, dead and cancelled', async () => {
      const { store } = opened()
      const { accountId, id } = await alone(opened(), recordsOf(4))
      const [one, two, three, four] = await claimAll(opened(), accountId)
      if (!one || !two || !three || !four) throw new Error('four were to be claimed')
      const settlements = [settled(one), settled(two, 'dead'), settled(three, 'cancelled')]
      await store.outbox.settle(settlements, null)
      await store.subscriptions.disable(accountId, id, 'manual', null)
      await store.outbox.settle([settled(four, 'retrying', 1)], null)
      await happened(opened(), accountId, [id], recordsOf(3))
      await planAll(opened(), 2)
      const cancelled = await store.subscriptions.update(
        accountId,
        id,
        (sub) => ({ ...sub, active: true }),
        'cancel',
      )
      expect(cancelled?.active).toBe(true)
      await happened(opened(), accountId, [id], recordsOf(2))
      await planAll(opened())
      const rows = await rowsOf(opened(), accountId)
      expect(rows.map(({ sequence_id }) => sequence_id)).toEqual(countTo(9))
      const gone = ['cancelled', 'cancelled', 'cancelled', 'cancelled', 'cancelled']
      expect(rows.map(({ state }) => state)).toEqual([
        'delivered',
        'dead',
        ...gone,
        'ready',
        'ready',
      ])
    })

    it('have no gaps after a planner that was cut off in the middle', async () => {
      const { sql } = opened()
      const { accountId, id } = await alone(opened(), recordsOf(2))
      await happened(opened(), accountId, [id], recordsOf(5))
      for (let n = 0; n < 3; n++) {
        await sql('begin')
        const [row] = await sql<{ planned: number }>('select planned from plan_deliveries(3)')
        expect(row?.planned).toBe(3)
        await sql('rollback')
      }
      expect(await planAll(opened(), 2)).toBe(5)
      expect((await rowsOf(opened(), accountId)).map((row) => row.sequence_id)).toEqual(countTo(7))
      expect(await violations(sql, accountId)).toEqual([])
    })
  })
}

/** For the server: several gateways on one database. */
export function sharedLeasesContract(opened: () => Opened): void {
  it('Outbox numbers without gaps when a planner is killed, and says meanwhile that it is busy', async () => {
    const { store, sql, url } = opened()
    const { accountId, id } = await alone(opened(), [])
    await happened(opened(), accountId, [id], recordsOf(20))
    const victim = new pg.Client({ connectionString: ownersUrl(url ?? '') })
    victim.on('error', () => {})
    await victim.connect()
    const { rows } = await victim.query<{ pid: number }>('select pg_backend_pid() as pid')
    await victim.query('begin')
    await victim.query('select plan_deliveries(7)')
    expect(await store.outbox.plan(5)).toEqual({ events: 0, isMore: false, isBusy: true })
    await sql('select pg_terminate_backend($1, 10000)', [rows[0]?.pid])
    await victim.end().catch(() => {})
    expect(await planAll(opened(), 6)).toBe(20)
    expect((await rowsOf(opened(), accountId)).map((row) => row.sequence_id)).toEqual(countTo(20))
  })

  it('Outbox keeps every rule while three gateways plan, claim, settle, switch and reap at a time', async () => {
    const { store, sql } = opened()
    await emptied(opened())
    const gateways = [store, await opened().another(), await opened().another()]
    const accounts: { accountId: string; ids: string[] }[] = []
    for (let n = 0; n < 4; n++) {
      const accountId = await opened().account()
      const ids: string[] = []
      for (let m = 0; m < 3; m++) {
        const more = { maxInFlight: 3 + m }
        ids.push((await subscribed(store.subscriptions, accountId, more)).id)
      }
      accounts.push({ accountId, ids })
    }
    let left = 12
    const told = async (turn: number) => {
      for (const { accountId, ids } of accounts) {
        const records = [`a${turn % 2}`, 'b', 'b', null, `c${turn}`]
        await happened(opened(), accountId, ids, records)
      }
    }
    const work = gateways.map(async ({ outbox, subscriptions }, index) => {
      while (left > 0) {
        await outbox.plan(4)
        const claimed = await outbox.claim(orderOf({ places: 7 }))
        const states = ['delivered', 'delivered', 'retrying', 'dead'] as const
        const settlements = claimed.map((one) =>
          settled(one, states[(one.sequenceId + index) % 4], 0),
        )
        await outbox.settle(settlements, null)
        const { accountId, ids } = accounts[(left + index) % 4] ?? { accountId: '', ids: [] }
        const id = ids[left % 3] ?? ''
        await subscriptions.update(accountId, id, (one) => ({ ...one, active: !one.active }))
        await outbox.turn()
        await outbox.reap()
      }
    })
    for (; left > 0; left--) await told(left)
    await Promise.all(work)
    for (const { accountId, ids } of accounts) {
      for (const id of ids) {
        await store.subscriptions.update(accountId, id, (one) => ({ ...one, active: true }))
      }
    }
    while (await store.outbox.turn());
    await planAll(opened())
    for (;;) {
      const claimed = await store.outbox.claim(orderOf())
      if (claimed.length === 0) break
      const settlements = claimed.map((one) => settled(one))
      await store.outbox.settle(settlements, null)
    }
    for (const { accountId } of accounts) {
      expect(await violations(sql, accountId)).toEqual([])
      const rows = await rowsOf(opened(), accountId)
      expect(rows).toHaveLength(3 * 12 * 5)
      for (const { state } of rows) expect(['delivered', 'dead']).toContain(state)
    }
  })
}
