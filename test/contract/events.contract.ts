/** Several events of one commit, and events that no commit gave rise to. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { CommitItem, DecisionEntry } from '../../src/app/store.ts'
import type { NamedEvent } from '../../src/domain/notification.ts'
import {
  ALL,
  claimAll,
  claimOne,
  emptied,
  planAll,
  rowsOf,
  settled,
  withStoppedClock,
} from '../support/deliver.ts'
import {
  always,
  committed,
  creation,
  entryOf,
  eventOf,
  type ItemDraft,
  itemOf,
  newRecordId,
  sorted,
  subscribed,
} from '../support/items.ts'
import type { Opened } from '../support/store.ts'

const NAMES = ['record.created', 'order.paid', 'order.big'] as const
const LATER = '2099-01-01T00:00:00.000Z'

/** Events of an entry, each of which everybody is told of. */
const eventsOf = (
  entry: DecisionEntry,
  names: readonly string[],
  told: readonly string[],
): NamedEvent[] =>
  names.map((event) => {
    const own = eventOf(entry, told)
    return { ...own, body: { ...own.body, event } }
  })

type Draft = Partial<ItemDraft> & {
  readonly names: readonly string[]
  readonly tells?: readonly string[]
}

function creationWith(accountId: string, { names, tells, ...draft }: Draft): CommitItem {
  const item = creation(accountId, { insists: false, ...draft })
  return { ...item, events: eventsOf(item.entry, names, tells ?? ['sub_1']) }
}

type Stored = { readonly id: string; readonly event: string; readonly isPointed: boolean }

/** In order of seq. */
const stored = ({ sql }: Opened, accountId: string) =>
  sql<Stored>(
    `select e.id, e.body->>'event' as event, (
        select count(*) from outbox o where o.event = e.seq and o.shard = shard_of(e.account)) = 1 as "isPointed"
       from events e where e.account = $1 order by e.seq`,
    [accountId],
  )

const storedIds = async (opened: Opened, accountId: string) =>
  (await stored(opened, accountId)).map(({ id }) => id)

const idsOf = (items: readonly CommitItem[]) =>
  items.flatMap(({ events }) => events.map(({ id }) => id))

export function eventsContract(opened: () => Opened): void {
  const commitAll = (items: readonly CommitItem[]) =>
    Promise.all(items.map((item) => opened().store.approvals.commit(item, always)))

  describe('Approvals: several events of one commit', () => {
    it('are stored in their order, those of an item beside those of others and of none', async () => {
      const accountId = await opened().account()
      const many = Array.from({ length: 12 }, (_, n) => `many.${11 - n}`)
      const items = [[...NAMES], [], ['one'], many, [], ['last', 'but.one']].map((names) =>
        creationWith(accountId, { names }),
      )
      const flushed = opened().journal.kinds('commit.flushed').length
      expect(await commitAll(items)).toEqual(items.map(() => 'committed'))
      expect(opened().journal.kinds('commit.flushed').slice(flushed)).toMatchObject([{ items: 6 }])
      const rows = await stored(opened(), accountId)
      expect(rows.map(({ id }) => id)).toEqual(idsOf(items))
      expect(rows.map(({ event }) => event)).toEqual([...NAMES, 'one', ...many, 'last', 'but.one'])
      expect(rows.every(({ isPointed }) => isPointed)).toBe(true)
    })

    it('are told to those that each of them names, with what each of them says', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const [one, two] = [
        await subscribed(store.subscriptions, accountId),
        await subscribed(store.subscriptions, accountId),
      ]
      const item = creationWith(accountId, { names: [] })
      const [own, paid] = eventsOf(item.entry, NAMES, [one.id])
      if (own === undefined || paid === undefined) throw new Error('there are three')
      const values = { total: '"12"', note: 'ё\u{1f600}' }
      const derived = { ...paid, subscriptionIds: [two.id, one.id], body: { ...paid.body, values } }
      await committed(store.approvals, { ...item, events: [own, derived] })
      const views = await store.deliveries.notifications(accountId, ALL)
      expect(views).toMatchObject([
        { id: derived.id, event: 'order.paid', subscriptionIds: [two.id, one.id] },
        { id: own.id, event: 'record.created', subscriptionIds: [one.id] },
      ])
      expect(views.map(({ decisionId }) => decisionId)).toEqual([item.entry.id, item.entry.id])
      await planAll(opened())
      const claimed = await claimAll(opened(), accountId)
      const bodies = claimed.map(({ subscriptionId, body }) => [subscriptionId, body.event])
      expect(sorted(bodies)).toEqual(sorted([`${one.id},record.created`, `${two.id},order.paid`]))
      const told = claimed.find(({ subscriptionId }) => subscriptionId === two.id)
      expect(told?.body.values).toEqual(values)
    })

    it.each([0, 1, 2, 3])('are stored of no item that fails, wherever it is: %i', async (at) => {
      const { store } = opened()
      const accountId = await opened().account()
      const first = await committed(store.approvals, creation(accountId, { insists: false }))
      const recordId = first.write?.recordId ?? ''
      const expected = { version: 7, origin: first.entry.id }
      const write = { kind: 'update', recordId, values: { name: 'New' }, expected } as const
      const bad = creationWith(accountId, { names: NAMES, write })
      const items = [0, 1, 2, 3].map((n) =>
        n === at ? bad : creationWith(accountId, { names: NAMES.slice(0, n + 1) }),
      )
      expect(await commitAll(items)).toEqual(
        items.map((item) => (item === bad ? 'version_conflict' : 'committed')),
      )
      expect(await storedIds(opened(), accountId)).toEqual(
        idsOf(items.filter((item) => item !== bad)),
      )
    })

    it('are stored once where the statement breaks for one of them and the others go again', async () => {
      const accountId = await opened().account()
      const items = [0, 1, 2].map(() => creationWith(accountId, { names: NAMES }))
      const broken = creationWith(accountId, { names: NAMES })
      const spoilt = broken.events.map((event, n) =>
        n === 2 ? { ...event, subscriptionIds: ['sub_\u0000'] } : event,
      )
      items.splice(1, 0, { ...broken, events: spoilt })
      const results = await Promise.allSettled(
        items.map((item) => opened().store.approvals.commit(item, always)),
      )
      expect(results.map(({ status }) => status)).toEqual([
        'fulfilled',
        'rejected',
        'fulfilled',
        'fulfilled',
      ])
      const good = items.filter((_, n) => n !== 1)
      expect(await storedIds(opened(), accountId)).toEqual(idsOf(good))
      const recordId = broken.write?.recordId ?? ''
      expect(await opened().store.records.read(accountId, 'things', recordId)).toBeNull()
    })
  })

  describe('CallerApprovals: several events of one commit', () => {
    it('are stored once, all of them in their order, with the sum of those who are told', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const token = { hash: 'hash of the token', expiresAt: LATER }
      const { entry } = await committed(store.approvals, itemOf({ accountId, token }))
      const tries = Array.from({ length: 20 }, () => {
        const [own, paid, big] = eventsOf(entry, NAMES, ['sub_1', 'sub_2'])
        if (own === undefined || paid === undefined || big === undefined) throw new Error('three')
        return [own, { ...paid, subscriptionIds: ['sub_3'] }, big]
      })
      const results = await Promise.all(
        tries.map((events) => store.callerApprovals.commit(accountId, entry.id, 'r', events)),
      )
      expect(results.filter(Boolean)).toHaveLength(1)
      const won = tries[results.indexOf(true)] ?? []
      const rows = await stored(opened(), accountId)
      expect(rows.map(({ id }) => id)).toEqual(won.map(({ id }) => id))
      expect(rows.map(({ event }) => event)).toEqual(NAMES)
      expect(rows.every(({ isPointed }) => isPointed)).toBe(true)
      expect(await store.callerApprovals.read(accountId, entry.id)).toMatchObject({
        state: 'committed',
        notifications: 5,
      })
      const late = eventsOf(entry, NAMES, ['sub_1'])
      expect(await store.callerApprovals.commit(accountId, entry.id, 'r', late)).toBe(false)
      expect(await stored(opened(), accountId)).toHaveLength(3)
    })
  })

  describe('Events', () => {
    beforeEach(() => emptied(opened()))

    const raisedBy = (accountId: string, told: readonly string[]): NamedEvent => {
      const { id, body } = eventOf(entryOf({ accountId }), told)
      const about = { catalogId: undefined, recordId: undefined, decisionId: undefined }
      return { id, subscriptionIds: told, body: { ...body, ...about, event: 'shift.ended' } }
    }

    it('that are raised get to those who are told, like any other', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const { id } = await subscribed(store.subscriptions, accountId)
      const event = raisedBy(accountId, [id])
      await store.events.raise(accountId, event)
      expect(await stored(opened(), accountId)).toEqual([
        { id: event.id, event: 'shift.ended', isPointed: true },
      ])
      await planAll(opened())
      const claimed = await claimAll(opened(), accountId)
      const deliveryId = `${event.id}_${id}`
      expect(claimed).toMatchObject([{ subscriptionId: id, sequenceId: 1, deliveryId }])
      expect(claimed[0]?.body).toEqual(event.body)
    })

    it('of which nobody is told are found in the log, and nothing is left to do', async () => {
      const { store, sql } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const event = raisedBy(accountId, [])
      await store.events.raise(accountId, event)
      expect(await planAll(opened())).toBe(1)
      expect(await sql('select * from outbox')).toEqual([])
      expect(await rowsOf(opened(), accountId)).toEqual([])
      expect(await store.deliveries.notifications(accountId, ALL)).toMatchObject([
        {
          id: event.id,
          event: 'shift.ended',
          subscriptionIds: [],
          recordId: null,
          decisionId: null,
        },
      ])
      expect(await store.deliveries.notifications(other, ALL)).toEqual([])
    })

    it('that twenty raise at once are all told, under numbers without a gap', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const { id } = await subscribed(store.subscriptions, accountId, { maxInFlight: 50 })
      const events = Array.from({ length: 20 }, () => raisedBy(accountId, [id]))
      await Promise.all(events.map((event) => store.events.raise(accountId, event)))
      await planAll(opened())
      const claimed = await claimAll(opened(), accountId)
      expect(claimed.map(({ sequenceId }) => sequenceId).toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 20 }, (_, n) => n + 1),
      )
      expect(claimed.map(({ deliveryId }) => deliveryId).toSorted()).toEqual(
        events.map((event) => `${event.id}_${id}`).toSorted(),
      )
    })
  })

  describe('Outbox: derived events', () => {
    beforeEach(() => emptied(opened()))

    it('of a record go one after the other, behind its own, and before those of its next change', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const { id } = await subscribed(store.subscriptions, accountId)
      const [recordId, otherId] = [newRecordId(), newRecordId()]
      const tells = [id]
      const first = creationWith(accountId, { names: NAMES, tells, recordId })
      const origin = first.entry.id
      const next = (version: number) => {
        const values = { name: 'New' }
        const write = { kind: 'update', recordId, values, expected: { version, origin } } as const
        const changed = ['record.updated', 'order.paid']
        return creationWith(accountId, { names: changed, tells, write })
      }
      const steps = [first, next(1), creationWith(accountId, { names: NAMES, tells }), next(2)]
      for (const item of steps) {
        await committed(store.approvals, item)
        await store.outbox.plan(2)
      }
      await committed(
        store.approvals,
        creationWith(accountId, { names: ['record.created'], tells, recordId: otherId }),
      )
      await planAll(opened())
      const order: string[] = []
      for (;;) {
        const claimed = await claimAll(opened(), accountId)
        if (claimed.length === 0) break
        const records = claimed.map(({ body }) => body.recordId)
        // Of each record one at a time.
        expect(new Set(records).size).toBe(records.length)
        order.push(...claimed.map(({ body }) => `${body.recordId} ${body.event}`))
        await store.outbox.settle(
          claimed.map((one) => settled(one)),
          null,
        )
      }
      const again = ['record.updated', 'order.paid']
      expect(order.filter((one) => one.startsWith(`${recordId} `))).toEqual(
        [...NAMES, ...again, ...again].map((name) => `${recordId} ${name}`),
      )
      expect(order).toHaveLength(11)
    })

    it('wait while the one before them is tried again, and go on when it is given up', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const { id } = await subscribed(store.subscriptions, accountId)
      await committed(store.approvals, creationWith(accountId, { names: NAMES, tells: [id] }))
      await withStoppedClock(opened(), async ({ pass }) => {
        await pass(60_000)
        await planAll(opened())
        const first = await claimOne(opened())
        await store.outbox.settle([settled(first, 'retrying', 3_600_000)], null)
        expect(await claimAll(opened(), accountId)).toEqual([])
        await pass(3_600_001)
        const again = await claimOne(opened())
        expect(again.deliveryId).toBe(first.deliveryId)
        expect(await claimAll(opened(), accountId)).toEqual([])
        await store.outbox.settle([settled(again, 'dead')], null)
        const next = await claimAll(opened(), accountId)
        expect(next.map(({ body }) => body.event)).toEqual(['order.paid'])
      })
    })
  })
}
