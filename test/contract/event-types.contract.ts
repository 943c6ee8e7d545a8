/** The port EventTypes: part of an account's configuration, which commits insist on. */
import { describe, expect, it } from 'vitest'
import { EVENT_TYPES_PER_ACCOUNT_MAX, type EventType } from '../../src/domain/event-type.ts'
import { ALL } from '../support/deliver.ts'
import { always, creation, newRecordId } from '../support/items.ts'
import type { Opened } from '../support/store.ts'

const derived = (name: string, over: Partial<EventType> = {}): EventType => ({
  name,
  title: { en: `Title "of" ${name} – \u{1f600}`, uk: 'Назва' },
  catalogId: 'orders',
  on: ['created', 'updated'],
  fields: ['status'],
  conditions: [{ field: 'status', op: 'in', value: ['paid', null, 1.5] }],
  data: [{ name: 'total', from: '/data/values/total' }],
  ...over,
})

const raised = (name: string): EventType => ({
  name,
  title: { en: name },
  catalogId: null,
  on: [],
  fields: [],
  conditions: [],
  data: null,
})

const generationOf = ({ store }: Opened, accountId: string) =>
  store.configuration.generation(accountId)

const countOf = async ({ sql }: Opened, accountId: string) => {
  const [row] = await sql<{ count: number }>(
    'select count(*)::integer as count from event_types where account = $1',
    [accountId],
  )
  return row?.count
}

/** So many event types, past the store. */
const made = ({ sql }: Opened, accountId: string, count: number) =>
  sql(
    `insert into event_types (account, name, settings)
     select $1, 'made.' || n, $3 from generate_series(1, $2::integer) n`,
    [accountId, count, JSON.stringify({ ...raised(''), name: undefined })],
  )

export function eventTypesContract(opened: () => Opened): void {
  describe('EventTypes', () => {
    it('read back as they were created and changed, by their account only', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const types = [derived('order.paid'), raised('shift.ended')]
      for (const type of types) expect(await store.eventTypes.create(accountId, type)).toEqual(type)
      expect(await store.eventTypes.list(accountId, ALL)).toEqual(types)
      expect(await store.eventTypes.read(accountId, 'order.paid')).toEqual(types[0])
      expect(await store.eventTypes.read(other, 'order.paid')).toBeNull()
      expect(await store.eventTypes.list(other, ALL)).toEqual([])
      const change = () => {
        throw new Error('nothing to change')
      }
      expect(await store.eventTypes.update(other, 'order.paid', change)).toBeNull()
      expect(await store.eventTypes.remove(other, 'order.paid')).toBe(false)
      const theirs = derived('order.paid', { catalogId: '*', data: null })
      await store.eventTypes.create(other, theirs)
      const changed = derived('order.paid', { on: ['deleted'], fields: [] })
      expect(await store.eventTypes.update(accountId, 'order.paid', () => changed)).toEqual(changed)
      expect(await store.eventTypes.read(accountId, 'order.paid')).toEqual(changed)
      expect(await store.eventTypes.read(other, 'order.paid')).toEqual(theirs)
      expect(await store.eventTypes.remove(accountId, 'order.paid')).toBe(true)
      expect(await store.eventTypes.remove(accountId, 'order.paid')).toBe(false)
      expect(await store.eventTypes.list(accountId, ALL)).toEqual([types[1]])
      expect(await store.eventTypes.read(other, 'order.paid')).toEqual(theirs)
    })

    it('refuse a name that is taken, and an account that is not there, and change nothing', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      await store.eventTypes.create(accountId, derived('order.paid'))
      const generation = await generationOf(opened(), accountId)
      const again = store.eventTypes.create(accountId, raised('order.paid'))
      await expect(again).rejects.toMatchObject({ code: 'already_exists' })
      expect(await store.eventTypes.list(accountId, ALL)).toEqual([derived('order.paid')])
      expect(await generationOf(opened(), accountId)).toBe(generation)
      const nowhere = store.eventTypes.create('nobody', raised('order.paid'))
      await expect(nowhere).rejects.toMatchObject({ code: 'not_found' })
    })

    it('are at most as many as an account may have, however many come at once', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      await made(opened(), accountId, EVENT_TYPES_PER_ACCOUNT_MAX - 2)
      const results = await Promise.allSettled(
        Array.from({ length: 6 }, (_, n) => store.eventTypes.create(accountId, raised(`one.${n}`))),
      )
      const refused = results.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
      expect(refused).toHaveLength(4)
      for (const reason of refused) expect(reason).toMatchObject({ code: 'limit_reached' })
      expect(await countOf(opened(), accountId)).toBe(EVENT_TYPES_PER_ACCOUNT_MAX)
      await store.eventTypes.create(other, raised('one'))
      // One that goes makes room for one.
      expect(await store.eventTypes.remove(accountId, 'made.1')).toBe(true)
      await store.eventTypes.create(accountId, raised('last'))
      const more = store.eventTypes.create(accountId, raised('more'))
      await expect(more).rejects.toMatchObject({ code: 'limit_reached' })
    })

    it('are listed in order of name, in pages that neither repeat nor leave out', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
      for (const name of names.toReversed()) await store.eventTypes.create(accountId, raised(name))
      await store.eventTypes.create(other, raised('bb'))
      const seen: string[] = []
      for (let after: string | null = null; ; after = seen.at(-1) ?? null) {
        const page = await store.eventTypes.list(accountId, { limit: 3, after })
        if (page.length === 0) break
        seen.push(...page.map(({ name }) => name))
      }
      expect(seen).toEqual(names)
    })

    it('take ten changes at a time one after the other: none is lost', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      await store.eventTypes.create(accountId, derived('order.paid', { fields: [] }))
      const generation = (await generationOf(opened(), accountId)) ?? 0
      await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          store.eventTypes.update(accountId, 'order.paid', (one) => ({
            ...one,
            fields: [...one.fields, `f${n}`],
          })),
        ),
      )
      const found = await store.eventTypes.read(accountId, 'order.paid')
      expect(found?.fields.toSorted()).toEqual(Array.from({ length: 10 }, (_, n) => `f${n}`))
      expect(await generationOf(opened(), accountId)).toBe(generation + 10)
    })

    it('stay as they are when a change throws', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      await store.eventTypes.create(accountId, derived('order.paid'))
      const generation = await generationOf(opened(), accountId)
      const update = store.eventTypes.update(accountId, 'order.paid', () => {
        throw new RangeError('refused')
      })
      await expect(update).rejects.toThrow('refused')
      expect(await store.eventTypes.read(accountId, 'order.paid')).toEqual(derived('order.paid'))
      expect(await generationOf(opened(), accountId)).toBe(generation)
    })

    it('are part of the configuration: each change is a new one, and is told here', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const told: (string | null)[] = []
      store.onConfigurationChanged((id) => told.push(id))
      const generations: (number | null)[] = []
      const steps = [
        () => store.eventTypes.create(accountId, raised('b')),
        () => store.eventTypes.create(accountId, derived('a')),
        () => store.eventTypes.update(accountId, 'a', (one) => ({ ...one, fields: [] })),
        () => store.eventTypes.remove(accountId, 'b'),
      ]
      const before = await generationOf(opened(), accountId)
      for (const step of steps) {
        await step()
        generations.push(await generationOf(opened(), accountId))
      }
      store.onConfigurationChanged(() => {})
      expect(generations).toEqual([1, 2, 3, 4].map((n) => (before ?? 0) + n))
      expect(told.filter((id) => id === accountId).length).toBeGreaterThanOrEqual(4)
      expect(await store.configuration.load(accountId)).toMatchObject({
        generation: generations.at(-1),
        eventTypes: [derived('a', { fields: [] })],
      })
      expect(await store.configuration.load(other)).toMatchObject({ generation: 1, eventTypes: [] })
    })

    it.each([
      ['is created', (name: string) => ({ create: raised(name) })],
      ['is changed', () => ({ update: derived('known', { on: ['deleted'] }) })],
      ['is removed', () => ({ remove: 'known' })],
    ])('turn away what was planned before one %s', async (_, changeOf) => {
      const { store } = opened()
      const accountId = await opened().account()
      await store.eventTypes.create(accountId, derived('known'))
      const generation = (await generationOf(opened(), accountId)) ?? 0
      const change: { create?: EventType; update?: EventType; remove?: string } = changeOf('new')
      const { create, update, remove } = change
      if (create !== undefined) await store.eventTypes.create(accountId, create)
      if (update !== undefined) await store.eventTypes.update(accountId, 'known', () => update)
      if (remove !== undefined) await store.eventTypes.remove(accountId, remove)
      const recordId = newRecordId()
      const planned = (under: number) =>
        creation(accountId, { recordId, told: ['sub_1'], generation: under })
      expect(await store.approvals.commit(planned(generation), always)).toBe(
        'configuration_changed',
      )
      expect(await store.records.read(accountId, 'things', recordId)).toBeNull()
      expect(await store.deliveries.notifications(accountId, ALL)).toEqual([])
      expect(await store.approvals.commit(planned(generation + 1), always)).toBe('committed')
    })

    it('are read in one snapshot with all else that a plan is made of', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const write = async () => {
        for (let n = 0; n < 15; n++) await store.eventTypes.create(accountId, raised(`one.${n}`))
      }
      const writing = write()
      let isDone = false
      void writing.finally(() => (isDone = true)).catch(() => {})
      while (!isDone) {
        const loaded = await store.configuration.load(accountId)
        expect(loaded?.eventTypes).toHaveLength((loaded?.generation ?? 0) - 1)
      }
      await writing
    })
  })
}
