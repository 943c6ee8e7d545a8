/** The log of attempts by the day, and what is known of receivers that keep failing. */
import { describe, expect, it } from 'vitest'
import {
  ALL,
  claimAll,
  claimOne,
  emptied,
  happened,
  planAll,
  recordsOf,
  settled,
  withStoppedClock,
} from '../support/deliver.ts'
import { subscribed } from '../support/items.ts'
import type { Opened } from '../support/store.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

export function attemptsContract(opened: () => Opened): void {
  const alone = async (records: readonly string[]) => {
    await emptied(opened())
    const accountId = await opened().account()
    const { id } = await subscribed(opened().store.subscriptions, accountId)
    await happened(opened(), accountId, [id], records)
    await planAll(opened())
    return { accountId, id }
  }
  const days = async () => {
    const rows = await opened().sql<{ name: string }>(
      `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'attempts'::regclass order by c.relname`,
    )
    return rows.map(({ name }) => name)
  }
  /** Partitions of these days from today, as the database counts days. */
  const named = async (...offsets: number[]) => {
    const rows = await opened().sql<{ name: string }>(
      `select attempts_partition((present() at time zone 'UTC')::date + n) as name
         from unnest($1::integer[]) n order by 1`,
      [offsets],
    )
    return rows.map(({ name }) => name)
  }

  describe('Outbox: the log of attempts', () => {
    it('has room from yesterday to three days ahead, from the beginning and as days go by', async () => {
      expect(await days()).toEqual(await named(-1, 0, 1, 2, 3))
      await withStoppedClock(opened(), async (clock) => {
        await clock.pass(2 * DAY_MS)
        await opened().store.outbox.keepAttempts(30)
        expect(await days()).toEqual(await named(-3, -2, -1, 0, 1, 2, 3))
      })
    })

    it('loses what is older than asked for, and nothing else', async () => {
      const { store, sql } = opened()
      for (const offset of [-40, -10, -9, -8]) {
        await sql(
          `select make_attempts_partition((now() at time zone 'UTC')::date + $1::integer)`,
          [offset],
        )
        await sql(
          `insert into attempts (account, subscription_id, sequence_id, at, request_headers, reply, duration_ms)
           values ('old', 'old', -$1::integer,
             (((now() at time zone 'UTC')::date + $1::integer)::timestamp + interval '1 hour') at time zone 'UTC',
             '{}', '', 1)`,
          [offset],
        )
      }
      const left = async () => {
        const rows = await sql<{ sequence_id: number }>(
          `select sequence_id from attempts where account = 'old' order by sequence_id`,
        )
        return rows.map(({ sequence_id }) => sequence_id)
      }
      expect(await left()).toEqual([8, 9, 10, 40])
      await store.outbox.keepAttempts(9)
      expect(await left()).toEqual([8, 9])
      expect((await days()).slice(0, 3)).toEqual(await named(-9, -8, -1))
      await store.outbox.keepAttempts(8)
      expect(await left()).toEqual([8])
      await store.outbox.keepAttempts(1)
      expect(await days()).not.toContain((await named(-8))[0])
    })

    it('takes an attempt although nobody has made room for its day', async () => {
      const { store, sql } = opened()
      const { accountId } = await alone(['a'])
      for (const name of await days()) await sql(`drop table ${name}`)
      const delivery = await claimOne(opened())
      await store.outbox.settle([settled(delivery)], null)
      const read = await store.deliveries.read(accountId, delivery.deliveryId)
      expect(read).toMatchObject({ state: 'delivered', attemptLog: [{ status: 204 }] })
      expect(await days()).toEqual(await named(-1, 0, 1, 2, 3))
    })

    it('says when an attempt began, oldest first, and says nothing of what was not sent', async () => {
      const { store } = opened()
      await withStoppedClock(opened(), async (clock) => {
        const { accountId, id } = await alone(['a'])
        const delivery = await claimOne(opened())
        const created = (await store.deliveries.list(accountId, {}, ALL))[0]?.createdAt ?? ''
        await clock.pass(12_000)
        const failed = settled(delivery, 'retrying', 1)
        const slow = { ...failed, result: failed.result && { ...failed.result, durationMs: 9_000 } }
        await store.outbox.settle([slow], null)
        await clock.pass(1_000)
        const again = await claimOne(opened())
        await store.subscriptions.disable(accountId, id, 'manual', null)
        await store.outbox.settle([{ ...settled(again, 'held'), result: null }], null)
        await store.subscriptions.update(accountId, id, (one) => ({ ...one, active: true }))
        const last = await claimOne(opened())
        // What was held has a new schedule.
        expect(last).toMatchObject({ deliveryId: delivery.deliveryId, failures: 0 })
        await store.outbox.settle([settled(last)], null)
        const read = await store.deliveries.read(accountId, delivery.deliveryId)
        const begun = read?.attemptLog.map(({ at }) => Date.parse(at) - Date.parse(created))
        expect(begun).toHaveLength(2)
        expect(Math.abs((begun?.[0] ?? 0) - 3_000)).toBeLessThanOrEqual(1)
        expect(Math.abs((begun?.[1] ?? 0) - 12_987.5)).toBeLessThanOrEqual(1)
      })
    })
  })

  describe('Outbox: receivers that keep failing', () => {
    it('are told of once they failed for long enough, since the first failure after a success', async () => {
      const { store } = opened()
      const { accountId, id } = await alone(recordsOf(20))
      await withStoppedClock(opened(), async (clock) => {
        const settle = async (state: 'retrying' | 'delivered', failingAfterMs: number | null) =>
          store.outbox.settle([settled(await claimOne(opened()), state, DAY_MS)], failingAfterMs)
        await settle('retrying', HOUR_MS)
        await clock.pass(HOUR_MS / 2)
        await settle('delivered', HOUR_MS)
        expect(await settle('retrying', HOUR_MS)).toEqual([])
        await clock.pass(HOUR_MS - 1)
        expect(await settle('retrying', HOUR_MS)).toEqual([])
        await clock.pass(1)
        expect(await settle('retrying', null)).toEqual([])
        expect(await settle('retrying', HOUR_MS)).toEqual([
          { accountId, subscriptionId: id, failingMs: HOUR_MS, toldPercent: 0 },
        ])
        expect(await settle('delivered', HOUR_MS)).toEqual([])
        expect(await settle('retrying', 1)).toEqual([])
      })
    })

    it('are told of no more when they are off, and begin anew when they are on again', async () => {
      const { store } = opened()
      const { accountId, id } = await alone(recordsOf(20))
      await withStoppedClock(opened(), async (clock) => {
        const [one, two, three] = await claimAll(opened(), accountId)
        if (!one || !two || !three) throw new Error('three were to be claimed')
        await store.outbox.settle([settled(one, 'retrying', 1)], null)
        await clock.pass(HOUR_MS)
        await store.subscriptions.disable(accountId, id, 'failing', null)
        expect(await store.outbox.settle([settled(two, 'retrying', 1)], 1)).toEqual([])
        await store.subscriptions.update(accountId, id, (sub) => ({ ...sub, active: true }))
        expect(await store.outbox.settle([settled(three, 'retrying', 1)], 1)).toEqual([])
        await clock.pass(5)
        const again = settled(await claimOne(opened()), 'retrying', 1)
        expect(await store.outbox.settle([again], 1)).toMatchObject([{ failingMs: 5 }])
      })
    })

    it('have each mark noted once, with the event that tells of it or not at all', async () => {
      const { store, sql } = opened()
      const { accountId, id } = await alone(['a'])
      const listener = await subscribed(store.subscriptions, accountId)
      const failing = { accountId, subscriptionId: id }
      const event = (percent: number) => ({
        id: `evt_mark${percent}`,
        subscriptionIds: [listener.id],
        body: {
          event: 'subscription.failing',
          accountId,
          catalogId: undefined,
          recordId: id,
          values: { percent },
          prevValues: undefined,
          changedFields: [],
          user: undefined,
          context: undefined,
          decisionId: undefined,
        },
      })
      const note = (percent: number) => store.outbox.noteFailing(failing, percent, event(percent))
      const events = async () => {
        await planAll(opened())
        const found = await store.deliveries.numbered(accountId, listener.id, 0, 10)
        return found.map(({ id: name }) => name.replace(`_${listener.id}`, ''))
      }
      // Nothing to be told of one that has not failed.
      expect(await note(50)).toBe(false)
      const delivery = await claimOne(opened())
      await store.outbox.settle([settled(delivery, 'retrying', 0)], null)
      const answers = await Promise.all([note(50), note(50), note(50)])
      expect(answers.filter(Boolean)).toHaveLength(1)
      expect(await note(50)).toBe(false)
      expect(await events()).toEqual(['evt_mark50'])
      expect(await note(90)).toBe(true)
      expect(await note(70)).toBe(false)
      expect(await events()).toEqual(['evt_mark50', 'evt_mark90'])
      expect(await store.outbox.noteFailing(failing, 95, null)).toBe(true)
      expect(await store.outbox.noteFailing(failing, 95, null)).toBe(false)
      // The mark and its event come together: where the event cannot be stored, the mark is not noted.
      const broken = { ...event(99), subscriptionIds: [null as unknown as string] }
      await sql(
        'alter table events add constraint no_null check (array_position(subscription_ids, null) is null)',
      )
      await expect(store.outbox.noteFailing(failing, 99, broken)).rejects.toThrow()
      await sql('alter table events drop constraint no_null')
      expect(await note(99)).toBe(true)
      const again = await claimOne(opened())
      await store.outbox.settle([settled(again)], null)
      expect(await note(50)).toBe(false)
      expect(await events()).toEqual(['evt_mark50', 'evt_mark90', 'evt_mark99'])
    })
  })
}
