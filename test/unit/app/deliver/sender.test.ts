import { describe, expect, it, onTestFinished } from 'vitest'
import { LEASE_MS, Sender } from '../../../../src/app/deliver/sender.ts'
import { Problem } from '../../../../src/domain/problem.ts'
import { subscriptionOf } from '../../../support/build.ts'
import { settled } from '../../../support/fake-clock.ts'
import { fine, later, resultOf, world } from './relay-world.ts'

const PLACES = 512
/** Longer than the settler gathers. */
const SOON_MS = 5

const senderIn = (given: ReturnType<typeof world>) => {
  return { ...given, sender: new Sender(given.ports) }
}

describe('a claim', () => {
  it('takes at most the free places, at most half of them for those that keep failing', async () => {
    const { outbox, clock, sent, sender } = senderIn(world(later))
    outbox.addMany(100)
    sender.start()
    await clock.advance(0)
    expect(outbox.orders[0]).toMatchObject({ places: 512, failingPlaces: 256, leaseMs: LEASE_MS })
    expect(sent).toHaveLength(100)
    sender.wake()
    await clock.advance(0)
    expect(outbox.orders.at(-1)).toMatchObject({ places: 412, failingPlaces: 206 })
    outbox.addMany(7, { isFailing: true })
    sender.wake()
    await clock.advance(0)
    sender.wake()
    await clock.advance(0)
    expect(outbox.orders.at(-1)).toMatchObject({ places: 405, failingPlaces: 202 })
  })

  it('gives each place to those that are well, while there are enough of them', async () => {
    const { outbox, clock, sent, sender } = senderIn(world(later))
    outbox.addMany(2 * PLACES)
    sender.start()
    await clock.advance(60_000)
    expect(sent).toHaveLength(PLACES)
  })

  it('is not made while every place is taken, and at once when one comes free', async () => {
    const { outbox, clock, sent, sender } = senderIn(world(later))
    outbox.addMany(PLACES + 10)
    sender.start()
    await clock.advance(60_000)
    const claims = outbox.orders.length
    sender.wake()
    await clock.advance(600)
    expect(outbox.orders).toHaveLength(claims)
    sent[0]?.answer(resultOf())
    await clock.advance(SOON_MS)
    expect(sent).toHaveLength(PLACES + 1)
    for (const { answer } of sent.slice(1, 5)) answer(resultOf())
    await clock.advance(SOON_MS)
    expect(sent).toHaveLength(PLACES + 5)
  })

  it('never fills the places of those that are well with such that hang', async () => {
    const hangs = subscriptionOf({ id: 'sub_hangs' })
    const { outbox, clock, sent, sender } = senderIn(
      world(({ subscription }) => (subscription.id === hangs.id ? null : resultOf()), {
        subscriptions: [subscriptionOf(), hangs],
      }),
    )
    outbox.addMany(4 * PLACES, { subscriptionId: hangs.id, isFailing: true })
    sender.start()
    await clock.advance(5_000)
    expect(sent.length).toBeGreaterThan(PLACES / 4)
    expect(sent.length).toBeLessThanOrEqual(PLACES / 2)
    const well = outbox.addMany(3 * PLACES)
    sender.wake()
    await clock.advance(50)
    expect(well.filter(({ state }) => state === 'delivered')).toHaveLength(well.length)
  })

  it('that can take none of what is due does not look again and again', async () => {
    const { outbox, clock, journal, sender } = senderIn(world(later))
    outbox.addMany(4 * PLACES, { isFailing: true })
    sender.start()
    await clock.advance(60_000)
    const claims = outbox.orders.length
    await clock.advance(1_000)
    expect(outbox.orders.length - claims).toBeLessThanOrEqual(100)
    expect(journal.events).toEqual([])
  })

  it('is made when the next delivery comes due', async () => {
    const { outbox, clock, sent, sender } = senderIn(world(fine))
    outbox.add(1, { dueAt: 40 })
    sender.start()
    await clock.advance(39)
    expect(sent).toHaveLength(0)
    await clock.advance(1)
    expect(sent).toHaveLength(1)
  })
})

describe('a lease', () => {
  const extensions = (outbox: ReturnType<typeof world>['outbox']) =>
    outbox.extended.map(({ leases, atMs }) => [atMs, ...leases])

  it('is kept every 5 s while an attempt goes on, and no longer', async () => {
    const { outbox, clock, sent, sender } = senderIn(world(later))
    const [first, sibling] = [outbox.add(1), outbox.add(2)]
    sender.start()
    await clock.advance(4_000)
    const other = outbox.add(3)
    sender.wake()
    await clock.advance(3_000)
    expect(first.leaseId).toBe(sibling.leaseId)
    expect(first.leaseId).not.toBe(other.leaseId)
    expect(extensions(outbox)).toEqual([[5_000, first.leaseId, other.leaseId]])
    sent[0]?.answer(resultOf())
    await clock.advance(5_000)
    // The other one of that claim still goes on.
    expect(extensions(outbox).at(-1)).toEqual([10_000, first.leaseId, other.leaseId])
    sent[1]?.answer(resultOf())
    await clock.advance(4_000)
    expect(extensions(outbox).at(-1)).toEqual([15_000, other.leaseId])
    sent[2]?.answer(resultOf())
    await clock.advance(60_000)
    expect(outbox.extended).toHaveLength(3)
  })

  it('of an attempt of minutes never runs out', async () => {
    const { outbox, clock, sent, sender } = senderIn(world(later))
    const owed = outbox.add(1)
    sender.start()
    for (let second = 0; second < 180; second++) {
      await clock.advance(1_000)
      expect(owed.leaseEndsAt).toBeGreaterThan(clock.monotonicMs())
    }
    sent[0]?.answer(resultOf())
    await clock.advance(SOON_MS)
    expect(owed.state).toBe('delivered')
  })

  it('that could not be kept is told, and kept the next time', async () => {
    const { outbox, clock, journal, sender } = senderIn(world(later))
    const owed = outbox.add(1)
    outbox.broken.add('extend')
    sender.start()
    await clock.advance(5_000)
    expect(journal.events).toMatchObject([{ kind: 'relay.stumbled', step: 'extend' }])
    expect(owed.leaseEndsAt).toBe(LEASE_MS)
    outbox.broken.clear()
    await clock.advance(5_000)
    expect(owed.leaseEndsAt).toBe(10_000 + LEASE_MS)
  })
})

describe('a place and its lease', () => {
  it('are kept until the result is written down, so that what waits for the database is bounded', async () => {
    const { outbox, clock, sent, sender } = senderIn(world(fine))
    const settle = outbox.settle.bind(outbox)
    outbox.settle = () => Promise.reject(new Problem('store_unavailable'))
    outbox.addMany(PLACES + 100)
    sender.start()
    await clock.advance(60_000)
    expect(sent).toHaveLength(PLACES)
    for (const { leaseEndsAt } of outbox.inState('sending')) {
      expect(leaseEndsAt).toBeGreaterThan(clock.monotonicMs())
    }
    outbox.settle = settle
    await clock.advance(2_000)
    expect(outbox.inState('delivered')).toHaveLength(PLACES + 100)
    expect(sent).toHaveLength(PLACES + 100)
  })

  it('are given up with a result that the database refuses', async () => {
    const { outbox, clock, sent, sender } = senderIn(world(fine))
    outbox.settle = () => Promise.reject(new Error('a NUL in the reply'))
    outbox.add(1)
    sender.start()
    await clock.advance(60_000)
    expect(sent).toHaveLength(1)
    expect(outbox.extended).toEqual([])
    expect(outbox.orders.at(-1)).toMatchObject({ places: PLACES, failingPlaces: PLACES / 2 })
  })
})

describe('a delivery whose rate is limited', () => {
  it('starts at its moment, and takes a place until then', async () => {
    const { outbox, clock, sent, sender } = senderIn(world(later))
    for (const [at, startInMs] of [0, 100, 200].entries()) outbox.add(at + 1, { startInMs })
    sender.start()
    await clock.advance(50)
    sender.wake()
    await clock.advance(950)
    expect(sent.map(({ atMs, dispatch }) => [dispatch.sequenceId, atMs])).toEqual([
      [1, 0],
      [2, 100],
      [3, 200],
    ])
    const asked = outbox.orders.find(({ atMs }) => atMs === 50)
    expect(asked?.places).toBe(PLACES - 3)
  })

  it('is sent to where its subscription points when it starts', async () => {
    const { outbox, clock, sent, account, sender } = senderIn(world(fine))
    const owed = outbox.add(1, { startInMs: 400 })
    sender.start()
    await clock.advance(100)
    account.change([subscriptionOf({ active: false })])
    await clock.advance(400)
    expect(sent).toEqual([])
    expect(owed.state).toBe('held')
  })

  it('is left to its lease when settings cannot be read, with a word and without a crash', async () => {
    const unhandled: unknown[] = []
    const heed = (reason: unknown) => void unhandled.push(reason)
    const others = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', heed)
    onTestFinished(() => {
      process.removeAllListeners('unhandledRejection')
      for (const other of others) process.on('unhandledRejection', other)
    })
    const { outbox, clock, sent, account, journal, sender } = senderIn(world(fine))
    account.generation = () => Promise.reject(new Error('the store is away'))
    const owed = outbox.add(1, { startInMs: 100 })
    sender.start()
    await clock.advance(50)
    await settled()
    await clock.advance(100)
    expect(unhandled).toEqual([])
    expect(sent).toEqual([])
    expect(owed.state).toBe('sending')
    expect(journal.events).toMatchObject([{ kind: 'relay.stumbled', step: 'send' }])
  })
})

describe('a sender that is stopped', () => {
  it('claims nothing more, sends what it has claimed, waits for it and writes it down', async () => {
    const { outbox, clock, sent, sender } = senderIn(world(later))
    const [first, paced] = [outbox.add(1), outbox.add(2, { startInMs: 300 })]
    sender.start()
    await clock.advance(0)
    let isStopped = false
    const stopped = sender.stop().then(() => void (isStopped = true))
    const another = outbox.add(3)
    sender.wake()
    sent[0]?.answer(resultOf())
    await clock.advance(1_000)
    expect(isStopped).toBe(false)
    expect(sent).toHaveLength(2)
    sent[1]?.answer(resultOf())
    await clock.advance(SOON_MS)
    await stopped
    expect([first.state, paced.state, another.state]).toEqual(['delivered', 'delivered', 'ready'])
  })

  it('keeps the leases of what it waits for', async () => {
    const { outbox, clock, sent, sender } = senderIn(world(later))
    const owed = outbox.add(1)
    sender.start()
    await clock.advance(0)
    const stopped = sender.stop()
    await clock.advance(60_000)
    expect(owed.leaseEndsAt).toBeGreaterThan(clock.monotonicMs())
    sent[0]?.answer(resultOf())
    await clock.advance(SOON_MS)
    await stopped
    expect(owed.state).toBe('delivered')
  })

  it('sends what came of a claim that was under way', async () => {
    const { outbox, clock, sender } = senderIn(world(fine))
    sender.start()
    await clock.advance(10)
    const owed = outbox.add(1)
    const claim = outbox.claim.bind(outbox)
    let claimNow = () => {}
    outbox.claim = async (order) => {
      await new Promise<void>((resolve) => void (claimNow = resolve))
      return claim(order)
    }
    sender.wake()
    await settled()
    const stopped = sender.stop()
    await settled()
    claimNow()
    await clock.advance(SOON_MS)
    await stopped
    expect(owed.state).toBe('delivered')
  })

  it('leaves no timer behind, whatever it was about to do', async () => {
    const { outbox, clock, sent, sender } = senderIn(world(later))
    outbox.add(1)
    let keepNow = () => {}
    outbox.extend = () => new Promise<void>((resolve) => void (keepNow = resolve))
    sender.start()
    await clock.advance(5_000)
    sent[0]?.answer(resultOf())
    await clock.advance(SOON_MS)
    await sender.stop()
    keepNow()
    await clock.advance(1_000)
    expect(clock.pending).toBe(0)
  })
})
