import { describe, expect, it } from 'vitest'
import { ACCOUNT, subscriptionOf } from '../../support/build.ts'
import { settled } from '../../support/fake-clock.ts'

import { failing, fine, resultOf, world } from './relay-world.ts'

describe('a delivery', () => {
  it('that is taken is over, and told with its age', async () => {
    const { relay, outbox, clock, sent, journal } = world(fine)
    const owed = outbox.add(7)
    relay.start()
    await clock.advance(5)
    expect(sent.map(({ dispatch }) => dispatch)).toMatchObject([
      { deliveryId: 'evt_7_sub_a', sequenceId: 7, subscription: { id: 'sub_a' }, body: owed.body },
    ])
    expect(owed.state).toBe('delivered')
    expect(outbox.settlements).toMatchObject([
      { state: 'delivered', retryInMs: null, delivery: { leaseId: 'lease_1' } },
    ])
    expect(journal.events).toMatchObject([
      { kind: 'delivery.attempted', state: 'delivered', deliveryId: 'evt_7_sub_a', ageMs: 0 },
    ])
  })

  it('that fails is tried again on its schedule, under the same id, and then is dead', async () => {
    const retry = { delaysMs: [1_000, 2_000, 40_000] }
    const { relay, outbox, clock, sent, journal } = world(failing(), subscriptionOf({ retry }))
    const owed = outbox.add(1)
    relay.start()
    await clock.advance(60_000)
    expect(sent).toHaveLength(4)
    // Chance adds 5 % here; looking and writing down add a little.
    const gaps = sent.slice(1).map(({ atMs }, at) => atMs - (sent[at]?.atMs ?? 0))
    for (const [at, planned] of [1_050, 2_100, 42_000].entries()) {
      expect(gaps[at]).toBeGreaterThanOrEqual(planned)
      expect(gaps[at]).toBeLessThanOrEqual(planned + 510)
    }
    expect(new Set(sent.map(({ dispatch }) => dispatch.deliveryId)).size).toBe(1)
    expect(outbox.settlements.map(({ state, retryInMs }) => [state, retryInMs])).toEqual([
      ['retrying', 1_050],
      ['retrying', 2_100],
      ['retrying', 42_000],
      ['dead', null],
    ])
    expect(owed).toMatchObject({ state: 'dead', failures: 4 })
    expect(journal.events.at(-1)).toMatchObject({ kind: 'delivery.attempted', state: 'dead' })
  })

  it('that is due again soon does not wait for the next look', async () => {
    const retry = { delaysMs: [40] }
    const { relay, outbox, clock, sent } = world(failing(), subscriptionOf({ retry }))
    outbox.add(1)
    relay.start()
    await clock.advance(48)
    expect(sent).toHaveLength(2)
  })

  it('waits as long as its receiver asks for', async () => {
    const { relay, outbox, clock } = world(failing({ status: 503, retryAfterMs: 90_000 }))
    outbox.add(1)
    relay.start()
    await clock.advance(5)
    expect(outbox.settlements[0]).toMatchObject({ state: 'retrying', retryInMs: 90_000 })
  })

  it('that failed before goes on where its schedule was', async () => {
    const { relay, outbox, clock } = world(failing())
    Object.assign(outbox.add(1), { failures: 8 })
    Object.assign(outbox.add(2), { failures: 9 })
    relay.start()
    await clock.advance(5)
    expect(outbox.settlements.map(({ state, retryInMs }) => [state, retryInMs])).toEqual([
      ['retrying', 86_400_000 * 1.05],
      ['dead', null],
    ])
  })

  it('whose receiver is gone disables the subscription and is held', async () => {
    const { relay, outbox, clock, disabled, journal } = world(() =>
      resultOf({ outcome: 'disable', status: 410 }),
    )
    const owed = outbox.add(1)
    relay.start()
    await clock.advance(5)
    expect(disabled).toEqual([[ACCOUNT, 'sub_a', 'gone']])
    expect(owed.state).toBe('held')
    expect(journal.events).toContainEqual({
      kind: 'subscription.disabled',
      subscriptionId: 'sub_a',
      reason: 'gone',
    })
  })

  it('that its receiver wants to hear no more of is cancelled', async () => {
    const { relay, outbox, clock } = world(() => resultOf({ outcome: 'abort' }))
    const owed = outbox.add(1)
    relay.start()
    await clock.advance(5)
    expect(owed.state).toBe('cancelled')
  })

  it('of a subscription that is not active is held, of one that is no more cancelled; neither is sent', async () => {
    const { relay, outbox, clock, sent } = world(fine, subscriptionOf({ active: false }))
    const held = outbox.add(1)
    const orphan = outbox.add(2, 'sub_gone')
    relay.start()
    await clock.advance(5)
    expect(sent).toEqual([])
    expect([held.state, orphan.state]).toEqual(['held', 'cancelled'])
  })

  it('goes by the settings of the moment', async () => {
    const { relay, outbox, clock, account, configurations, sent } = world(fine)
    await configurations.of(ACCOUNT)
    // Nobody has told this process.
    account.change([subscriptionOf({ url: 'https://new.example/' })])
    outbox.add(1)
    relay.start()
    await clock.advance(5)
    expect(sent[0]?.dispatch.subscription.url).toBe('https://new.example/')
  })
})

describe('the loop', () => {
  it('runs at once when woken, and looks by itself every half second', async () => {
    const { relay, outbox, clock, sent } = world(fine)
    relay.start()
    await clock.advance(100)
    outbox.add(1)
    await clock.advance(399)
    expect(sent).toHaveLength(0)
    await clock.advance(1)
    expect(sent).toHaveLength(1)
    outbox.add(2)
    relay.wake()
    await clock.advance(0)
    expect(sent).toHaveLength(2)
  })

  it('does not miss a wake-up that comes while it works', async () => {
    const { relay, outbox, clock, sent } = world(fine)
    relay.start()
    outbox.add(1)
    relay.wake()
    relay.wake()
    await clock.advance(0)
    expect(sent).toHaveLength(1)
  })

  it('keeps one timer, however often it is woken', async () => {
    const { relay, clock } = world(fine)
    relay.start()
    for (let wake = 0; wake < 20; wake++) {
      relay.wake()
      await clock.advance(10)
    }
    expect(clock.pending).toBe(1)
  })

  it('plans until there is no full batch left', async () => {
    const { relay, outbox, clock } = world(fine)
    outbox.events = 600
    relay.start()
    await clock.advance(0)
    expect(outbox.planned).toEqual([256, 256, 88])
  })

  it('has at most 64 deliveries under way, and takes the next as places come free', async () => {
    const { relay, outbox, clock, sent } = world(() => null)
    for (let sequenceId = 1; sequenceId <= 70; sequenceId++) outbox.add(sequenceId)
    relay.start()
    await clock.advance(2_000)
    expect(sent).toHaveLength(64)
    for (const { answer } of sent.slice(0, 3)) answer(resultOf())
    await clock.advance(0)
    expect(sent).toHaveLength(67)
  })

  it('writes down together what ends together', async () => {
    const { relay, outbox, clock } = world(fine)
    const batches: number[] = []
    const settle = outbox.settle.bind(outbox)
    outbox.settle = (settlements) => {
      batches.push(settlements.length)
      return settle(settlements)
    }
    for (let sequenceId = 1; sequenceId <= 10; sequenceId++) outbox.add(sequenceId)
    relay.start()
    await clock.advance(5)
    expect(batches).toEqual([10])
  })

  it('looks for what dead processes left every 15 s', async () => {
    const { relay, outbox, clock } = world(fine)
    relay.start()
    await clock.advance(60_000)
    expect(outbox.reaps).toBe(5)
  })
})

describe('stopping', () => {
  it('claims nothing more, waits for what is under way and writes it down', async () => {
    const { relay, outbox, clock, sent } = world(() => null)
    expect(relay.trouble).toBe('not running')
    const first = outbox.add(1)
    relay.start()
    await clock.advance(0)
    expect(relay.trouble).toBeNull()
    let isStopped = false
    const stopped = relay.stop().then(() => {
      isStopped = true
    })
    expect(relay.trouble).toBe('not running')
    const second = outbox.add(2)
    relay.wake()
    await clock.advance(2_000)
    expect(isStopped).toBe(false)
    sent[0]?.answer(resultOf())
    await stopped
    expect(first.state).toBe('delivered')
    expect(second.state).toBe('ready')
    expect(sent).toHaveLength(1)
    await clock.advance(10_000)
    expect(sent).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  it('with nothing under way is done at once', async () => {
    const { relay, clock } = world(fine)
    relay.start()
    await clock.advance(100)
    await relay.stop()
    await settled()
    expect(clock.pending).toBe(0)
  })
})
