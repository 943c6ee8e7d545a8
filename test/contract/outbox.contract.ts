/** The port Outbox: events become numbered deliveries, each settled by whoever holds its lease. */
import { describe, expect, it } from 'vitest'
import {
  ALL,
  claimAll,
  claimOne,
  DELIVERED,
  orderOf,
  planAll,
  settled,
  told,
  withStoppedClock,
} from '../support/deliver.ts'
import { SECRETS, settingsOf, subscribed } from '../support/items.ts'
import type { Opened } from '../support/store.ts'

async function deliveriesOf({ store }: Opened, accountId: string, subscriptionId?: string) {
  const found = await store.deliveries.list(accountId, { subscriptionId }, ALL)
  return found.toSorted((a, b) => a.sequenceId - b.sequenceId)
}

export function outboxContract(opened: () => Opened): void {
  describe('Outbox: planning', () => {
    it('makes one delivery for each event and each subscription that is told', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const [one, two] = [
        await subscribed(store.subscriptions, accountId),
        await subscribed(store.subscriptions, accountId),
      ]
      await told(opened(), accountId, [one.id, two.id])
      await told(opened(), accountId, [two.id])
      expect(await planAll(opened())).toBe(2)
      const numbers = async (id: string) =>
        (await deliveriesOf(opened(), accountId, id)).map(({ sequenceId }) => sequenceId)
      expect(await numbers(one.id)).toEqual([1])
      expect(await numbers(two.id)).toEqual([1, 2])
    })

    it('plans no event twice', async () => {
      const { store, sql } = opened()
      const accountId = await opened().account()
      const { id } = await subscribed(store.subscriptions, accountId)
      for (let n = 0; n < 5; n++) await told(opened(), accountId, [id])
      expect(await planAll(opened(), 2)).toBe(5)
      expect(await store.outbox.plan(1_000)).toEqual({ events: 0, isMore: false, isBusy: false })
      expect(await deliveriesOf(opened(), accountId)).toHaveLength(5)
      expect(await sql('select from outbox')).toEqual([])
    })

    it('gives an event no delivery to a subscription that is gone, and goes on', async () => {
      const { store, sql } = opened()
      const accountId = await opened().account()
      const [gone, there] = [
        await subscribed(store.subscriptions, accountId),
        await subscribed(store.subscriptions, accountId),
      ]
      await told(opened(), accountId, [gone.id, there.id])
      await told(opened(), accountId, [gone.id])
      await store.subscriptions.remove(accountId, gone.id)
      expect(await planAll(opened())).toBe(2)
      const deliveries = await deliveriesOf(opened(), accountId)
      expect(deliveries.map(({ subscriptionId }) => subscriptionId)).toEqual([there.id])
      expect(await sql('select from outbox')).toEqual([])
    })

    it('keeps to one account: the same id elsewhere is somebody else', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const { id } = await subscribed(store.subscriptions, accountId)
      await subscribed(store.subscriptions, other, { id })
      await told(opened(), accountId, [id])
      await planAll(opened())
      expect(await deliveriesOf(opened(), accountId)).toHaveLength(1)
      expect(await deliveriesOf(opened(), other)).toEqual([])
    })

    it('numbers without gaps beside requests that count on the same counter', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const { id } = await subscribed(store.subscriptions, accountId)
      const requests: number[] = []
      for (let n = 0; n < 10; n++) {
        await told(opened(), accountId, [id])
        const [number] = await Promise.all([
          store.sequences.next(accountId, id),
          store.outbox.plan(1_000),
        ])
        requests.push(number)
      }
      await planAll(opened())
      const deliveries = (await deliveriesOf(opened(), accountId)).map((one) => one.sequenceId)
      const numbers = [...requests, ...deliveries].toSorted((a, b) => a - b)
      expect(numbers).toEqual(Array.from({ length: 20 }, (_, n) => n + 1))
    })
  })

  describe('Outbox: claiming', () => {
    it('hands out what is due in order, with the event as it was committed', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const { id } = await subscribed(store.subscriptions, accountId)
      const decisions = [
        await told(opened(), accountId, [id]),
        await told(opened(), accountId, [id]),
      ]
      await planAll(opened())
      const claimed = await claimAll(opened(), accountId)
      expect(claimed.map(({ body }) => body.decisionId)).toEqual(decisions)
      expect(claimed[0]).toMatchObject({
        accountId,
        subscriptionId: id,
        sequenceId: 1,
        failures: 0,
        deliveryId: expect.stringMatching(new RegExp(`^evt_[0-9a-f]{32}_${id}$`)),
        body: { event: 'record.created', catalogId: 'things', values: { name: 'One' } },
      })
      expect(Math.abs((claimed[0]?.occurredAtMs ?? 0) - new Date().getTime())).toBeLessThan(600_000)
      const states = (await deliveriesOf(opened(), accountId)).map(({ state }) => state)
      expect(states).toEqual(['sending', 'sending'])
    })

    it('hands out nothing twice, however many ask at a time, and never more than asked for', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const { id } = await subscribed(store.subscriptions, accountId, { maxInFlight: 40 })
      for (let n = 0; n < 40; n++) await told(opened(), accountId, [id])
      await planAll(opened())
      const claims = await Promise.all(
        Array.from({ length: 10 }, () => store.outbox.claim(orderOf({ places: 7 }))),
      )
      for (const claim of claims) expect(claim.length).toBeLessThanOrEqual(7)
      const ids = claims.flat().map(({ deliveryId }) => deliveryId)
      expect(new Set(ids).size).toBe(ids.length)
      const rest = await claimAll(opened(), accountId)
      expect(new Set([...ids, ...rest.map(({ deliveryId }) => deliveryId)]).size).toBe(40)
    })

    it('holds what is for a subscription that is off, and lets it go when that is on again', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const { id } = await subscribed(store.subscriptions, accountId, { active: false })
      await told(opened(), accountId, [id])
      await planAll(opened())
      expect(await claimAll(opened(), accountId)).toEqual([])
      expect(await deliveriesOf(opened(), accountId)).toMatchObject([
        { state: 'held', dueAt: null, sequenceId: 1 },
      ])
      await store.subscriptions.update(accountId, id, (one) => ({ ...one, name: 'Still off' }))
      expect(await claimAll(opened(), accountId)).toEqual([])
      await store.subscriptions.update(accountId, id, (one) => ({ ...one, active: true }))
      expect(await claimAll(opened(), accountId)).toHaveLength(1)
    })

    it('hands out nothing that was open when its subscription was removed', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const { id } = await subscribed(store.subscriptions, accountId)
      for (let n = 0; n < 3; n++) await told(opened(), accountId, [id])
      await planAll(opened())
      const first = await claimOne(opened())
      await store.subscriptions.remove(accountId, id)
      expect(await claimAll(opened(), accountId)).toEqual([])
      // What is under way ends by itself.
      await store.outbox.settle([settled(first)], null)
      const states = (await deliveriesOf(opened(), accountId)).map(({ state }) => state)
      expect(states).toEqual(['delivered', 'cancelled', 'cancelled'])
    })
  })

  describe('Outbox: settling', () => {
    const claimed = async (accountId: string, leaseMs?: number) => {
      const { store } = opened()
      const { id } = await subscribed(store.subscriptions, accountId)
      await told(opened(), accountId, [id])
      await planAll(opened())
      const [delivery] = await claimAll(opened(), accountId, leaseMs)
      if (delivery === undefined) throw new Error('nothing was claimed')
      return delivery
    }

    it.each([
      ['delivered', 0],
      ['dead', 1],
      ['cancelled', 0],
    ] as const)('ends a delivery as %s, for good', async (state, failures) => {
      const { store } = opened()
      const accountId = await opened().account()
      const delivery = await claimed(accountId)
      await store.outbox.settle([settled(delivery, state)], null)
      expect(await claimAll(opened(), accountId)).toEqual([])
      const read = await store.deliveries.read(accountId, delivery.deliveryId)
      expect(read).toMatchObject({
        state,
        failures,
        dueAt: null,
        lastStatus: 204,
        endedAt: expect.stringMatching(/Z$/),
      })
    })

    it('makes a delivery due again after the delay, with one failure more each time', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      await withStoppedClock(opened(), async (clock) => {
        let delivery = await claimed(accountId)
        for (let failures = 1; failures <= 3; failures++) {
          await store.outbox.settle([settled(delivery, 'retrying', 3_600_000)], null)
          const read = await store.deliveries.read(accountId, delivery.deliveryId)
          expect(read).toMatchObject({ state: 'retrying', failures, endedAt: null })
          await clock.pass(3_599_999)
          expect(await claimAll(opened(), accountId)).toEqual([])
          await clock.pass(1)
          const [again] = await claimAll(opened(), accountId)
          expect(again).toMatchObject({ deliveryId: delivery.deliveryId, failures })
          if (again !== undefined) delivery = again
        }
      })
    })

    it('logs each attempt, with what was sent and what came back', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const delivery = await claimed(accountId)
      const result = { ...DELIVERED, reply: 'odd: \u0000 \ud800', error: 'bad "thing"' }
      await store.outbox.settle([{ ...settled(delivery), result }], null)
      const read = await store.deliveries.read(accountId, delivery.deliveryId)
      expect(read?.attemptLog).toEqual([
        {
          at: expect.stringMatching(/Z$/),
          requestHeaders: DELIVERED.requestHeaders,
          status: 204,
          reply: 'odd: \ufffd \ufffd',
          durationMs: 12.5,
          error: 'bad "thing"',
        },
      ])
    })

    it('changes nothing with a lease that was lost, and logs the attempt', async () => {
      const { store, sql } = opened()
      const accountId = await opened().account()
      const delivery = await claimed(accountId)
      await expireLeases(sql, accountId)
      expect(await store.outbox.reap()).toBe(1)
      await store.outbox.settle([settled(delivery, 'dead')], null)
      const read = () => store.deliveries.read(accountId, delivery.deliveryId)
      expect(await read()).toMatchObject({ state: 'ready', failures: 0, endedAt: null })
      const [again] = await claimAll(opened(), accountId)
      if (again === undefined) throw new Error('nothing was claimed')
      expect(again.leaseId).not.toBe(delivery.leaseId)
      // The first sender comes back from the dead while the second one is at work.
      await store.outbox.settle([settled(delivery, 'cancelled')], null)
      expect(await read()).toMatchObject({ state: 'sending' })
      await store.outbox.settle([settled(again)], null)
      expect(await read()).toMatchObject({ state: 'delivered' })
      await store.outbox.settle([settled(delivery, 'retrying', 0)], null)
      expect(await read()).toMatchObject({ state: 'delivered' })
      // Four that were settled, and the one that nobody came back from in time.
      expect((await read())?.attemptLog).toHaveLength(5)
    })

    it('settles many at once, each as it ended', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const one = await claimed(accountId)
      const two = await claimed(accountId)
      await store.outbox.settle([settled(one, 'dead'), settled(two, 'delivered')], null)
      const read = async (id: string) => (await store.deliveries.read(accountId, id))?.state
      expect([await read(one.deliveryId), await read(two.deliveryId)]).toEqual([
        'dead',
        'delivered',
      ])
    })

    it('makes due what is put on hold after its subscription was switched on again', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const delivery = await claimed(accountId)
      const { subscriptionId } = delivery
      // A sender sees the subscription off and lays the delivery down; meanwhile it is switched on.
      await store.subscriptions.disable(accountId, subscriptionId, 'failing', null)
      await store.subscriptions.update(accountId, subscriptionId, (one) => ({
        ...one,
        active: true,
        disabledReason: null,
      }))
      await store.outbox.settle([settled(delivery, 'held')], null)
      expect(await claimAll(opened(), accountId)).toHaveLength(1)
    })

    it('cancels what is put on hold after its subscription was removed', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const delivery = await claimed(accountId)
      await store.subscriptions.remove(accountId, delivery.subscriptionId)
      await store.outbox.settle([settled(delivery, 'held')], null)
      const read = await store.deliveries.read(accountId, delivery.deliveryId)
      expect(read).toMatchObject({ state: 'cancelled', endedAt: expect.stringMatching(/Z$/) })
    })

    it('holds a delivery whose receiver switched its subscription off', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const delivery = await claimed(accountId)
      await store.subscriptions.disable(accountId, delivery.subscriptionId, 'gone', null)
      await store.outbox.settle([settled(delivery, 'held')], null)
      expect(await claimAll(opened(), accountId)).toEqual([])
      const read = await store.deliveries.read(accountId, delivery.deliveryId)
      expect(read).toMatchObject({ state: 'held', failures: 0, endedAt: null })
    })

    it('gives back leases that ran out, and only those', async () => {
      const { store, sql } = opened()
      const accountId = await opened().account()
      const lost = await claimed(accountId)
      const held = await claimed(await opened().account())
      await expireLeases(sql, accountId)
      expect(await store.outbox.reap()).toBe(1)
      expect(await store.outbox.reap()).toBe(0)
      const again = await claimAll(opened(), accountId)
      expect(again).toMatchObject([{ deliveryId: lost.deliveryId, failures: 0 }])
      const other = await store.deliveries.read(held.accountId, held.deliveryId)
      expect(other?.state).toBe('sending')
    })

    it('knows how old the backlog is', async () => {
      const { store, sql } = opened()
      await sql('delete from outbox')
      await sql('delete from deliveries')
      expect(await store.outbox.backlogAgeMs()).toBe(0)
      const accountId = await opened().account()
      const { id } = await store.subscriptions.create(accountId, settingsOf(), SECRETS)
      await told(opened(), accountId, [id])
      await sql(`update events set occurred_at = now() - interval '90 s' where account = $1`, [
        accountId,
      ])
      const age = await store.outbox.backlogAgeMs()
      expect(age).toBeGreaterThanOrEqual(90_000)
      expect(age).toBeLessThan(150_000)
      await planAll(opened())
      await sql(`update deliveries set due_at = now() - interval '30 s' where account = $1`, [
        accountId,
      ])
      expect(await store.outbox.backlogAgeMs()).toBeGreaterThanOrEqual(30_000)
      await claimAll(opened(), accountId)
      expect(await store.outbox.backlogAgeMs()).toBe(0)
    })
  })
}

/** As if the time of these leases had passed. */
const expireLeases = (sql: Opened['sql'], accountId: string) =>
  sql(
    `update deliveries set lease_until = now() - interval '1 second'
      where account = $1 and state = 'sending'`,
    [accountId],
  )
