/** Deliveries that are sent again, one or many, and those that a receiver fetches by their number. */
import { describe, expect, it } from 'vitest'
import type { ReplayOrder } from '../../src/app/delivery-store.ts'
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
import type { Opened } from '../support/store.ts'

const ANY: ReplayOrder = {
  since: undefined,
  until: undefined,
  fromSequenceId: undefined,
  toSequenceId: undefined,
  states: ['delivered', 'dead', 'cancelled'],
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n)

export function replaysContract(opened: () => Opened): void {
  const alone = async (records: readonly (string | null)[] = []) => {
    const { store } = opened()
    await emptied(opened())
    const accountId = await opened().account()
    const { id } = await subscribed(store.subscriptions, accountId, { maxInFlight: 1_000 })
    const happen = async (more: readonly (string | null)[]) => {
      await happened(opened(), accountId, [id], more)
      await planAll(opened())
    }
    await happen(records)
    const replay = (order: Partial<ReplayOrder> = {}) =>
      store.deliveries.replay(accountId, id, { ...ANY, ...order })
    return { accountId, id, happen, replay }
  }
  const replayed = async () => {
    let steps = 0
    while ((await opened().store.outbox.replay()) === 'going') steps++
    return steps
  }
  const MIXED = [
    'delivered',
    'dead',
    'cancelled',
    'retrying',
    'delivered',
    'dead',
    'cancelled',
  ] as const
  /** Some of each state that an attempt leads to, then one that is being sent, then one that is ready. */
  const someOfEach = async () => {
    const { store } = opened()
    const world = await alone(recordsOf(8))
    const claimed = await claimAll(opened(), world.accountId)
    const settlements = MIXED.flatMap((state, index) => {
      const one = claimed[index]
      return one === undefined ? [] : [settled(one, state, 60_000)]
    })
    await store.outbox.settle(settlements, null)
    await world.happen(['a'])
    return world
  }

  describe('Deliveries: replay', () => {
    it.each([
      [['delivered'], [1, 5]],
      [['dead'], [2, 6]],
      [['cancelled'], [3, 7]],
      [
        ['dead', 'cancelled'],
        [2, 3, 6, 7],
      ],
      [
        ['delivered', 'dead', 'cancelled'],
        [1, 2, 3, 5, 6, 7],
      ],
    ] as const)(
      'of the states %j sends just those again, and counts them',
      async (states, numbers) => {
        const { accountId, replay } = await someOfEach()
        expect(await replay({ states })).toBe(numbers.length)
        const before = [...MIXED, 'sending', 'ready']
        expect(await statesOf(opened(), accountId)).toEqual(before)
        await replayed()
        const sent = await drained(opened(), accountId)
        expect(sent.toSorted((a, b) => a - b)).toEqual([...numbers, 9])
      },
    )

    it('by numbers and by time takes what is in both, the last moment apart', async () => {
      const { store } = opened()
      await withStoppedClock(opened(), async (clock) => {
        const { accountId, happen, replay } = await alone()
        for (let n = 0; n < 4; n++) {
          await happen(recordsOf(3, `turn-${n}`))
          await clock.pass(60_000)
        }
        await drained(opened(), accountId)
        const all = await store.deliveries.list(accountId, {}, ALL)
        const at = (number: number) => all.find((one) => one.sequenceId === number)?.createdAt
        const tried = async (order: Partial<ReplayOrder>) => {
          const count = await replay(order)
          await replayed()
          const numbers = await drained(opened(), accountId)
          expect(numbers).toHaveLength(count)
          return numbers
        }
        expect(await tried({ fromSequenceId: 5 })).toEqual(range(5, 12))
        expect(await tried({ toSequenceId: 2 })).toEqual([1, 2])
        expect(await tried({ fromSequenceId: 3, toSequenceId: 3 })).toEqual([3])
        // Times as people write them end at the millisecond; a moment later is the next turn.
        const since = new Date(Date.parse(at(4) ?? '')).toISOString()
        const until = new Date(Date.parse(at(10) ?? '')).toISOString()
        expect(await tried({ since })).toEqual(range(4, 12))
        expect(await tried({ since, until })).toEqual(range(4, 9))
        expect(await tried({ until, fromSequenceId: 9 })).toEqual([9])
        expect(await tried({ since: until, toSequenceId: 9 })).toEqual([])
      })
    })

    it('goes on in chunks, by whichever gateway, and waits while the receiver has much to do', async () => {
      const { store, kind, sql } = opened()
      const { accountId, id, replay } = await alone(recordsOf(270))
      await drained(opened(), accountId)
      expect(await replay()).toBe(270)
      const other = kind === 'server' ? await opened().another() : store
      expect(await store.outbox.replay()).toBe('going')
      const due = async () =>
        (await statesOf(opened(), accountId)).filter((state) => state === 'ready').length
      expect(await due()).toBe(100)
      expect(await other.outbox.replay()).toBe('waiting')
      const chunk = await store.outbox.claim(orderOf({ places: 51 }))
      expect(chunk.map(({ sequenceId }) => sequenceId)).toEqual(range(1, 51))
      expect(await due()).toBe(49)
      expect(await other.outbox.replay()).toBe('going')
      expect(await due()).toBe(149)
      await store.outbox.settle(
        chunk.map((one) => settled(one)),
        null,
      )
      expect(await drained(opened(), accountId)).toEqual(range(52, 200))
      expect(await store.outbox.replay()).toBe('going')
      expect(await store.outbox.replay()).toBe('none')
      expect(await sql('select from replays where subscription_id = $1', [id])).toEqual([])
      expect(await drained(opened(), accountId)).toEqual(range(201, 270))
    })

    it('of two subscriptions goes on in turns', async () => {
      const { store } = opened()
      const { accountId, id } = await alone(recordsOf(250))
      const other = await subscribed(store.subscriptions, accountId, { maxInFlight: 1_000 })
      await happened(opened(), accountId, [other.id], recordsOf(250))
      await planAll(opened())
      await drained(opened(), accountId)
      await store.deliveries.replay(accountId, id, ANY)
      await store.deliveries.replay(accountId, other.id, ANY)
      await store.outbox.replay()
      await store.outbox.replay()
      const ready = async (of: string) =>
        (await statesOf(opened(), accountId, of)).filter((state) => state === 'ready').length
      expect([await ready(id), await ready(other.id)]).toEqual([100, 100])
    })

    it('keeps id, number and order of each record, and begins anew with failures', async () => {
      const { store, sql } = opened()
      const { accountId, happen, replay } = await alone(['a', 'b', 'a', 'a'])
      const ids = new Map<number, string>()
      for (;;) {
        const claimed = await claimAll(opened(), accountId)
        if (claimed.length === 0) break
        for (const one of claimed) ids.set(one.sequenceId, one.deliveryId)
        const settlements = claimed.map((one) => settled(one, 'dead'))
        await store.outbox.settle(settlements, null)
      }
      expect(await replay({ states: ['dead'] })).toBe(4)
      await replayed()
      // What happens now waits behind it.
      await happen(['a'])
      const rows = await rowsOf(opened(), accountId)
      expect(rows.map(({ state }) => state)).toEqual([
        'ready',
        'ready',
        'waiting',
        'waiting',
        'waiting',
      ])
      expect(rows.map(({ failures }) => failures)).toEqual([0, 0, 0, 0, 0])
      expect(await violations(sql, accountId)).toEqual([])
      const again = await claimAll(opened(), accountId)
      expect(again.map(({ deliveryId }) => deliveryId)).toEqual([ids.get(1), ids.get(2)])
      expect(again.map(({ failures }) => failures)).toEqual([0, 0])
      await store.outbox.settle(
        again.map((one) => settled(one)),
        null,
      )
      expect(await drained(opened(), accountId)).toEqual([3, 4, 5])
    })

    it('takes nothing that comes later', async () => {
      const { store } = opened()
      const { accountId, happen, replay } = await alone(recordsOf(150))
      await drained(opened(), accountId)
      expect(await replay()).toBe(150)
      await happen(['new'])
      expect(await drained(opened(), accountId)).toEqual([151])
      const numbers: number[] = []
      while ((await store.outbox.replay()) === 'going')
        numbers.push(...(await drained(opened(), accountId)))
      expect(numbers).toEqual(range(1, 150))
    })

    it('takes nothing within its range that was open when it was ordered', async () => {
      const { store } = opened()
      await withStoppedClock(opened(), async ({ pass }) => {
        const { accountId, replay } = await alone(['a', 'b', 'c'])
        const [one, two, three] = await claimAll(opened(), accountId)
        if (!one || !two || !three) throw new Error('three were to be claimed')
        await store.outbox.settle([settled(one), settled(three)], null)
        expect(await replay()).toBe(2)
        await pass(1)
        await store.outbox.settle([settled(two)], null)
        await replayed()
        expect(await drained(opened(), accountId)).toEqual([1, 3])
      })
    })

    it('to a subscription that is off holds them until it is on', async () => {
      const { store } = opened()
      const { accountId, id, replay } = await alone(['a', 'a', 'b'])
      await drained(opened(), accountId)
      await store.subscriptions.disable(accountId, id, 'manual', null)
      expect(await replay()).toBe(3)
      await replayed()
      expect(await statesOf(opened(), accountId)).toEqual(['held', 'held', 'held'])
      await store.subscriptions.update(accountId, id, (one) => ({ ...one, active: true }))
      expect(await drained(opened(), accountId)).toEqual([1, 3, 2])
    })
  })

  describe('Deliveries: replays under way', () => {
    it('are counted beforehand as they would be then, and nothing is sent for it', async () => {
      const { store } = opened()
      const { accountId, id, replay } = await someOfEach()
      const before = await statesOf(opened(), accountId)
      const orders = [{ states: ['dead'] }, { fromSequenceId: 3, toSequenceId: 6 }, {}] as const
      const counted: number[] = []
      for (const order of orders) {
        counted.push(await store.deliveries.countReplay(accountId, id, { ...ANY, ...order }))
      }
      expect(counted).toEqual([2, 3, 6])
      expect(await statesOf(opened(), accountId)).toEqual(before)
      expect(await store.deliveries.replays(accountId, id)).toEqual([])
      expect(await replay(orders[1])).toBe(3)
      const other = await opened().account()
      expect(await store.deliveries.countReplay(other, id, ANY)).toBe(0)
    })

    it('tell from where to where they go and how far they are, until they are done', async () => {
      const { store, sql } = opened()
      const { accountId, id, replay } = await alone(recordsOf(250))
      await drained(opened(), accountId)
      await replay({ fromSequenceId: 11 })
      await replay({ fromSequenceId: 1, toSequenceId: 20 })
      const progress = async () =>
        (await store.deliveries.replays(accountId, id)).map(
          (one) => [one.fromSequenceId, one.nextSequenceId, one.toSequenceId] as const,
        )
      expect(await progress()).toEqual([
        [11, 11, 250],
        [1, 1, 20],
      ])
      const [first, second] = await store.deliveries.replays(accountId, id)
      expect(first?.id).not.toBe(second?.id)
      const age = new Date().getTime() - Date.parse(first?.requestedAt ?? '')
      expect(Math.abs(age)).toBeLessThan(600_000)
      await store.outbox.replay()
      expect(await progress()).toEqual([
        [11, 111, 250],
        [1, 1, 20],
      ])
      // As the build before orders one.
      await sql('update replays set first_sequence = null where account = $1', [accountId])
      expect((await progress())[0]).toEqual([111, 111, 250])
      const other = await opened().account()
      expect(await store.deliveries.replays(other, id)).toEqual([])
      while ((await progress()).length > 0) {
        await drained(opened(), accountId)
        await store.outbox.replay()
      }
    })
  })

  describe('Deliveries: backlog', () => {
    it('is what an account has still to tell, and how old the oldest of it is', async () => {
      const { store } = opened()
      await withStoppedClock(opened(), async ({ pass }) => {
        const { accountId, id } = await alone()
        const other = await alone(['a'])
        const backlog = () => store.deliveries.backlog(accountId)
        expect(await backlog()).toEqual({ oldestMs: 0, waiting: 0 })
        await happened(opened(), accountId, [id], ['a', 'a', 'b'])
        await pass(60_000)
        // Nothing is planned yet.
        const young = await backlog()
        expect(young.waiting).toBe(0)
        expect(young.oldestMs).toBeGreaterThan(50_000)
        await planAll(opened())
        expect((await backlog()).waiting).toBe(3)
        await pass(60_000)
        const old = await backlog()
        expect(old.oldestMs).toBeGreaterThanOrEqual(60_000)
        await drained(opened(), accountId)
        expect(await backlog()).toEqual({ oldestMs: 0, waiting: 0 })
        await store.subscriptions.disable(other.accountId, other.id, 'manual', null)
        expect(await store.deliveries.backlog(other.accountId)).toEqual({ oldestMs: 0, waiting: 0 })
      })
    })

    it('counts no further than anybody reads', async () => {
      const { accountId } = await alone(recordsOf(1_010))
      expect((await opened().store.deliveries.backlog(accountId)).waiting).toBe(1_000)
    })
  })

  describe('Deliveries: retry', () => {
    it('of one that ended sends it again behind what is open of its record, without its failures', async () => {
      const { store } = opened()
      const { accountId } = await alone(['a', 'a'])
      const first = await claimOne(opened())
      await store.outbox.settle([settled(first, 'dead')], null)
      const second = await claimOne(opened())
      expect(await store.deliveries.retry(accountId, first.deliveryId)).toBe('on_its_way')
      expect(await statesOf(opened(), accountId)).toEqual(['waiting', 'sending'])
      await store.outbox.settle([settled(second)], null)
      const [again] = await claimAll(opened(), accountId)
      expect(again).toMatchObject({ deliveryId: first.deliveryId, sequenceId: 1, failures: 0 })
    })

    it('leaves those that wait, are held, ready or under way as they are', async () => {
      const { store } = opened()
      const { accountId, id } = await alone(['a', 'a', 'b', 'c'])
      await store.outbox.claim(orderOf({ places: 1 }))
      const retryAll = async () => {
        const all = await store.deliveries.list(accountId, {}, ALL)
        const answers: string[] = []
        for (const one of all.toSorted((a, b) => a.sequenceId - b.sequenceId)) {
          answers.push(await store.deliveries.retry(accountId, one.id))
        }
        return answers
      }
      const first = await retryAll()
      const states = ['sending', 'waiting', 'ready', 'ready']
      const answers = ['under_way', 'on_its_way', 'on_its_way', 'on_its_way']
      expect(first).toEqual(answers)
      expect(await statesOf(opened(), accountId)).toEqual(states)
      await store.subscriptions.disable(accountId, id, 'manual', null)
      expect(await retryAll()).toEqual(answers)
      expect(await statesOf(opened(), accountId)).toEqual(['sending', 'held', 'held', 'held'])
    })
  })

  describe('Deliveries: by number', () => {
    it('are all there in order behind a number, whatever became of them, at most so many', async () => {
      const { store } = opened()
      const { accountId, id } = await someOfEach()
      await subscribed(store.subscriptions, accountId)
      const numbered = async (after: number, limit: number) => {
        const found = await store.deliveries.numbered(accountId, id, after, limit)
        return found.map(({ sequenceId, state }) => `${sequenceId} ${state}`)
      }
      expect(await numbered(0, 3)).toEqual(['1 delivered', '2 dead', '3 cancelled'])
      expect(await numbered(7, 200)).toEqual(['8 sending', '9 ready'])
      expect(await numbered(9, 200)).toEqual([])
      const [first] = await store.deliveries.numbered(accountId, id, 0, 1)
      const read = await store.deliveries.read(accountId, first?.id ?? '')
      expect(read).toMatchObject({ sequenceId: 1, subscriptionId: id, recordId: 'record-0' })
      expect(first?.body).toMatchObject({
        event: 'record.created',
        recordId: 'record-0',
        values: { n: 1 },
      })
      expect(Math.abs((first?.occurredAtMs ?? 0) - new Date().getTime())).toBeLessThan(600_000)
      const other = await opened().account()
      expect(await store.deliveries.numbered(other, id, 0, 10)).toEqual([])
    })
  })
}
