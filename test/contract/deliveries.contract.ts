/** The ports Deliveries and Sequences. */
import { describe, expect, it } from 'vitest'
import { ALL, claimAll, orderOf, planAll, settled, told } from '../support/deliver.ts'
import { committed, creation, subscribed } from '../support/items.ts'
import type { Opened } from '../support/store.ts'

export function deliveriesContract(opened: () => Opened): void {
  const withDeliveries = async (count: number) => {
    const { store } = opened()
    const accountId = await opened().account()
    const [one, two] = [
      await subscribed(store.subscriptions, accountId),
      await subscribed(store.subscriptions, accountId),
    ]
    for (let n = 0; n < count; n++) await told(opened(), accountId, [one.id, two.id])
    await planAll(opened())
    return { accountId, one, two }
  }

  describe('Deliveries', () => {
    it('are listed newest event first, in pages that neither repeat nor leave out', async () => {
      const { store } = opened()
      const { accountId } = await withDeliveries(6)
      const all = await store.deliveries.list(accountId, {}, ALL)
      expect(all).toHaveLength(12)
      expect(all[0]?.sequenceId).toBe(6)
      const seen: string[] = []
      for (let after: string | null = null; ; after = seen.at(-1) ?? null) {
        const page = await store.deliveries.list(accountId, {}, { limit: 5, after })
        if (page.length === 0) break
        seen.push(...page.map(({ id }) => id))
      }
      expect(seen).toEqual(all.map(({ id }) => id))
    })

    it('are found by subscription, state and record', async () => {
      const { store } = opened()
      const { accountId, one } = await withDeliveries(3)
      const [first] = await claimAll(opened(), accountId)
      if (first === undefined) throw new Error('nothing was claimed')
      await store.outbox.settle([settled(first)], null)
      const list = (filter: Parameters<typeof store.deliveries.list>[1]) =>
        store.deliveries.list(accountId, filter, ALL)
      expect(await list({ subscriptionId: one.id })).toHaveLength(3)
      expect(await list({ state: 'delivered' })).toMatchObject([{ id: first.deliveryId }])
      expect(await list({ state: 'sending' })).toHaveLength(5)
      const { recordId } = first.body
      expect(await list({ recordId })).toHaveLength(2)
      expect(await list({ recordId, subscriptionId: one.id })).toHaveLength(1)
      expect(await list({ recordId: 'never' })).toEqual([])
    })

    it('of another account are not there, and cannot be retried', async () => {
      const { store } = opened()
      const { accountId } = await withDeliveries(1)
      const other = await opened().account()
      const [{ id } = { id: '' }] = await store.deliveries.list(accountId, {}, ALL)
      expect(await store.deliveries.read(accountId, id)).toMatchObject({ id, attemptLog: [] })
      expect(await store.deliveries.read(other, id)).toBeNull()
      expect(await store.deliveries.retry(other, id)).toBe('not_found')
      expect(await store.deliveries.list(other, {}, ALL)).toEqual([])
      expect(await store.deliveries.notifications(other, ALL)).toEqual([])
    })

    it.each(['', 'evt_1', 'evt_1_sub_1', 'no such thing', '%', 'evt__', "evt_1_'"])(
      'with the id "%s" are not there',
      async (id) => {
        const { store } = opened()
        const accountId = await opened().account()
        expect(await store.deliveries.read(accountId, id)).toBeNull()
        expect(await store.deliveries.retry(accountId, id)).toBe('not_found')
      },
    )

    it('that are at rest are due now when they are retried, with no failure if they had ended', async () => {
      const { store } = opened()
      const { accountId } = await withDeliveries(1)
      const [one, two] = await claimAll(opened(), accountId)
      if (one === undefined || two === undefined) throw new Error('nothing was claimed')
      await store.outbox.settle([settled(one, 'retrying', 3_600_000), settled(two, 'dead')], null)
      for (const [delivery, state] of [
        [one, 'retrying'],
        [two, 'ready'],
      ] as const) {
        expect(await store.deliveries.retry(accountId, delivery.deliveryId)).toBe('on_its_way')
        const read = await store.deliveries.read(accountId, delivery.deliveryId)
        expect(read).toMatchObject({ state, endedAt: null })
      }
      const again = await claimAll(opened(), accountId)
      expect(again.map(({ deliveryId, failures }) => ({ deliveryId, failures }))).toEqual(
        expect.arrayContaining([
          { deliveryId: one.deliveryId, failures: 1 },
          { deliveryId: two.deliveryId, failures: 0 },
        ]),
      )
    })

    it('that are under way are not retried', async () => {
      const { store } = opened()
      const { accountId } = await withDeliveries(1)
      const [claimed] = await claimAll(opened(), accountId)
      expect(await store.deliveries.retry(accountId, claimed?.deliveryId ?? '')).toBe('under_way')
    })

    it('stay in the log when their subscription is removed', async () => {
      const { store } = opened()
      const { accountId, one } = await withDeliveries(1)
      await store.subscriptions.remove(accountId, one.id)
      const filter = { subscriptionId: one.id }
      expect(await store.deliveries.list(accountId, filter, ALL)).toMatchObject([
        { state: 'cancelled' },
      ])
    })
  })

  describe('Deliveries: notifications', () => {
    it('tell what happened, newest first, from the commit on', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const { id } = await subscribed(store.subscriptions, accountId)
      const item = creation(accountId, { told: [id], insists: false })
      await committed(store.approvals, item)
      expect(await store.deliveries.notifications(accountId, ALL)).toEqual([
        {
          id: item.events[0]?.id,
          event: 'record.created',
          catalogId: 'things',
          recordId: item.write?.recordId,
          decisionId: item.entry.id,
          occurredAt: expect.stringMatching(/Z$/),
          subscriptionIds: [id],
        },
      ])
    })

    it('are listed in pages that neither repeat nor leave out, whatever order their ids are in', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      // Gateways make ids by their own clocks, so a later event may have an earlier id.
      const ids = ['evt_c', 'evt_a', 'evt_d', 'evt_b', 'evt_e']
      for (const id of ids) {
        const item = creation(accountId, { told: ['sub_1'] })
        await committed(store.approvals, {
          ...item,
          events: item.events.map((event) => ({ ...event, id })),
        })
      }
      const seen: string[] = []
      for (let after: string | null = null; seen.length < 20; after = seen.at(-1) ?? null) {
        const page = await store.deliveries.notifications(accountId, { limit: 2, after })
        if (page.length === 0) break
        seen.push(...page.map((one) => one.id))
      }
      expect(seen).toEqual(ids.toReversed())
    })
  })
}

export function sequencesContract(opened: () => Opened): void {
  describe('Sequences', () => {
    it('give two hundred who ask at a time two hundred numbers without gaps', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const { id } = await subscribed(store.subscriptions, accountId)
      const numbers = await Promise.all(
        Array.from({ length: 200 }, () => store.sequences.next(accountId, id)),
      )
      expect(numbers.toSorted((a, b) => a - b)).toEqual(countTo(200))
      expect(await store.sequences.next(accountId, id)).toBe(201)
    })

    it('count for each subscription and each account by itself', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const one = await subscribed(store.subscriptions, accountId)
      const two = await subscribed(store.subscriptions, accountId)
      await subscribed(store.subscriptions, other, { id: one.id })
      const { sequences } = store
      const calls = [one.id, one.id, two.id].map((id) => sequences.next(accountId, id))
      expect(await Promise.all([...calls, sequences.next(other, one.id)])).toEqual([1, 2, 1, 1])
      expect(await sequences.last(accountId, [one.id, two.id, 'sub_none'])).toEqual(
        new Map([
          [one.id, 2],
          [two.id, 1],
        ]),
      )
      expect(await sequences.last(other, [one.id, two.id])).toEqual(new Map([[one.id, 1]]))
      expect(await sequences.last(accountId, [])).toEqual(new Map())
    })

    it('store a number before they give it out', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const { id } = await subscribed(store.subscriptions, accountId)
      for (let n = 1; n <= 3; n++) {
        const number = await store.sequences.next(accountId, id)
        expect((await store.sequences.last(accountId, [id])).get(id)).toBe(number)
      }
    })

    it('give no number for what was never a subscription', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      await expect(store.sequences.next(accountId, 'sub_none')).rejects.toThrow()
    })
  })
}

/** For the server: several gateways on one database. */
export function sharedDeliveriesContract(opened: () => Opened): void {
  it('Sequences of two gateways give four hundred numbers without gaps', async () => {
    const { store } = opened()
    const accountId = await opened().account()
    const { id } = await subscribed(store.subscriptions, accountId)
    const stores = [store, await opened().another()]
    const numbers = await Promise.all(
      Array.from({ length: 400 }, (_, n) => stores[n % 2]?.sequences.next(accountId, id)),
    )
    expect(numbers.toSorted((a, b) => (a ?? 0) - (b ?? 0))).toEqual(countTo(400))
  })

  it('Outbox numbers without gaps when two gateways plan at a time, while commits go on', async () => {
    const { store } = opened()
    const accountId = await opened().account()
    const subscriptions = [
      await subscribed(store.subscriptions, accountId),
      await subscribed(store.subscriptions, accountId),
      await subscribed(store.subscriptions, accountId),
    ]
    const ids = subscriptions.map(({ id }) => id)
    const stores = [store, await opened().another()]
    let isCommitting = true
    const planning = stores.map(async (one) => {
      let planned = 0
      while (isCommitting) planned += (await one.outbox.plan(7)).events
      return planned
    })
    const commits = Array.from({ length: 200 }, (_, n) => {
      const item = creation(accountId, { told: ids.slice(n % 3), insists: false })
      const approvals = stores[n % 2]?.approvals
      return approvals === undefined ? Promise.reject(new Error()) : committed(approvals, item)
    })
    await Promise.all(commits).finally(() => {
      isCommitting = false
    })
    const counts = await Promise.all(planning)
    const left = await planAll(opened())
    expect(counts.reduce((sum, count) => sum + count, left)).toBe(200)
    const rows = await opened().sql<{
      subscription_id: string
      sequence_id: number
      event: number
    }>(
      'select subscription_id, sequence_id, event from deliveries where account = $1 order by sequence_id',
      [accountId],
    )
    for (const [index, id] of ids.entries()) {
      const own = rows.filter((row) => row.subscription_id === id)
      const expected = Array.from({ length: 200 }, (_, n) => n).filter((n) => n % 3 <= index)
      expect(own.map(({ sequence_id }) => sequence_id)).toEqual(countTo(expected.length))
      expect(new Set(own.map(({ event }) => event)).size).toBe(expected.length)
    }
  })

  it('Outbox hands out nothing twice to two gateways', async () => {
    const { store } = opened()
    const accountId = await opened().account()
    const { id } = await subscribed(store.subscriptions, accountId, { maxInFlight: 60 })
    for (let n = 0; n < 60; n++) await told(opened(), accountId, [id])
    await claimAll(opened(), accountId)
    await planAll(opened())
    const stores = [store, await opened().another()]
    const claims = await Promise.all(
      Array.from({ length: 20 }, (_, n) => stores[n % 2]?.outbox.claim(orderOf({ places: 5 }))),
    )
    const claimed = claims.flatMap((claim) => claim ?? [])
    expect(new Set(claimed.map(({ deliveryId }) => deliveryId)).size).toBe(claimed.length)
    const own = claimed.filter((one) => one.accountId === accountId)
    const rest = await claimAll(opened(), accountId)
    expect(own.length).toBeGreaterThan(0)
    expect(own.length + rest.length).toBe(60)
  })

  it('Outbox leaves nothing on hold when a subscription is switched on while it plans', async () => {
    const { store, sql } = opened()
    const accountId = await opened().account()
    const { id } = await subscribed(store.subscriptions, accountId, { active: false })
    await told(opened(), accountId, [id])
    // The change of the other gateway is at its end but not committed while this one plans.
    await sql('begin')
    await sql('select set_lane($1, $2, true, 20, null, false)', [accountId, id])
    const planning = store.outbox.plan(1_000)
    await sql('select pg_sleep(0.2)')
    await sql('commit')
    await planning
    await planAll(opened())
    expect(await claimAll(opened(), accountId)).toHaveLength(1)
  })
}

const countTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1)
