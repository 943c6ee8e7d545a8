import { describe, expect, it } from 'vitest'
import { ACCOUNT, subscriptionOf } from '../../../support/build.ts'
import { settled } from '../../../support/fake-clock.ts'
import { ACCOUNT_NUMBER } from '../fakes.ts'
import { failing, fine, later, PATIENCE, resultOf, world } from './relay-world.ts'

describe('a delivery', () => {
  it('that is taken is over, and told with its age', async () => {
    const { relay, outbox, clock, sent, journal } = world(fine)
    const owed = outbox.add(7)
    relay.start()
    await clock.advance(5)
    expect(sent.map(({ dispatch }) => dispatch)).toMatchObject([
      {
        deliveryId: 'evt_7_sub_a',
        sequenceId: 7,
        accountNumber: ACCOUNT_NUMBER,
        subscription: { id: 'sub_a' },
        body: owed.body,
      },
    ])
    expect(owed.state).toBe('delivered')
    expect(outbox.settlements).toMatchObject([
      { state: 'delivered', retryInMs: null, sign: 'success', delivery: { leaseId: owed.leaseId } },
    ])
    expect(journal.events).toMatchObject([
      { kind: 'delivery.attempted', state: 'delivered', deliveryId: 'evt_7_sub_a', ageMs: 0 },
    ])
  })

  it('that fails is tried again on its schedule, under the same id, and then is dead', async () => {
    const retry = { delaysMs: [1_000, 2_000, 40_000] }
    const { relay, outbox, clock, sent, journal } = world(failing(), {
      subscriptions: [subscriptionOf({ retry })],
    })
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
    const { relay, outbox, clock, sent } = world(failing(), {
      subscriptions: [subscriptionOf({ retry })],
    })
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
    outbox.add(1, { failures: 8 })
    outbox.add(2, { failures: 9 })
    relay.start()
    await clock.advance(5)
    expect(outbox.settlements.map(({ state, retryInMs }) => [state, retryInMs])).toEqual([
      ['retrying', 86_400_000 * 1.05],
      ['dead', null],
    ])
  })

  it('whose receiver is gone disables the subscription, once, and is held', async () => {
    const { relay, outbox, clock, disabled, journal } = world(() =>
      resultOf({ outcome: 'disable', status: 410 }),
    )
    outbox.addMany(10)
    relay.start()
    await clock.advance(5)
    expect(disabled).toEqual([{ id: 'sub_a', reason: 'gone', event: null }])
    expect(outbox.inState('held')).toHaveLength(10)
    expect(outbox.settlements[0]).toMatchObject({ sign: 'neither', result: { status: 410 } })
    expect(journal.events.filter(({ kind }) => kind === 'subscription.disabled')).toEqual([
      {
        kind: 'subscription.disabled',
        accountId: ACCOUNT,
        subscriptionId: 'sub_a',
        reason: 'gone',
      },
    ])
  })

  it('that its receiver took as the last one is delivered, and disables the subscription, once', async () => {
    const { relay, outbox, clock, disabled, journal } = world(() =>
      resultOf({ outcome: 'delivered_last', status: 410 }),
    )
    outbox.addMany(3)
    relay.start()
    await clock.advance(5)
    expect(disabled).toEqual([{ id: 'sub_a', reason: 'gone', event: null }])
    expect(outbox.inState('delivered')).toHaveLength(3)
    expect(outbox.settlements[0]).toMatchObject({ sign: 'success', result: { status: 410 } })
    expect(journal.events.map(({ kind }) => kind).toSorted()).toEqual([
      ...Array(3).fill('delivery.attempted'),
      'subscription.disabled',
    ])
  })

  it('that this gateway broke off itself is no failure, and goes out again at once', async () => {
    let breaks = 3
    const { relay, outbox, clock, sent } = world(
      () => resultOf(breaks-- > 0 ? { outcome: 'broken_off', status: undefined } : {}),
      { subscriptions: [subscriptionOf({ retry: { preset: 'none' } })] },
    )
    const owed = outbox.add(1)
    relay.start()
    await clock.advance(100)
    expect(sent).toHaveLength(4)
    expect(owed).toMatchObject({ state: 'delivered', failures: 0 })
    expect(outbox.settlements.map(({ sign }) => sign)).toEqual([
      ...Array(3).fill('neither'),
      'success',
    ])
  })

  it('that its receiver wants to hear no more of is cancelled', async () => {
    const { relay, outbox, clock } = world(() => resultOf({ outcome: 'abort' }))
    const owed = outbox.add(1)
    relay.start()
    await clock.advance(5)
    expect(owed.state).toBe('cancelled')
  })

  it('of a subscription that is not active is held, of one that is no more cancelled; neither is sent', async () => {
    const { relay, outbox, clock, sent, journal } = world(fine, {
      subscriptions: [subscriptionOf({ active: false })],
    })
    const held = outbox.add(1)
    const orphan = outbox.add(2, { subscriptionId: 'sub_gone' })
    relay.start()
    await clock.advance(5)
    expect(sent).toEqual([])
    expect([held.state, orphan.state]).toEqual(['held', 'cancelled'])
    expect(outbox.settlements).toMatchObject([
      { sign: 'neither', result: null },
      { sign: 'neither', result: null },
    ])
    expect(journal.events).toEqual([])
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

  it('that fails for the last time in the patience for its receiver disables it', async () => {
    const listener = { id: 'sub_ops', catalogId: '*', events: ['subscription.disabled'] }
    const { relay, outbox, clock, disabled } = world(failing(), {
      subscriptions: [subscriptionOf(), subscriptionOf(listener)],
      patience: { ...PATIENCE, autoDisableAfterMs: 1_000 },
    })
    outbox.add(1)
    outbox.failingNow = [
      { accountId: ACCOUNT, subscriptionId: 'sub_a', failingMs: 1_000, toldPercent: 90 },
    ]
    relay.start()
    await clock.advance(5)
    expect(disabled).toMatchObject([
      { id: 'sub_a', reason: 'failing', event: { subscriptionIds: ['sub_ops'] } },
    ])
    // The event that was stored is planned at once, not with the next look.
    expect(outbox.planned.filter((at) => at > 0 && at <= 5)).toHaveLength(1)
  })
})

describe('the planner', () => {
  const more = { events: 256, isMore: true, isBusy: false }
  const some = { events: 3, isMore: false, isBusy: false }
  const busy = { events: 0, isMore: false, isBusy: true }

  it('looks at once when woken, and by itself every half second, without a word', async () => {
    const { relay, outbox, clock } = world(fine)
    relay.start()
    await clock.advance(100)
    relay.wake()
    await clock.advance(1_100)
    expect(outbox.planned).toEqual([0, 100, 600, 1_100])
  })

  it('looks again at once while there is more', async () => {
    const { relay, outbox, clock } = world(fine)
    outbox.plans.push(more, more, some)
    relay.start()
    await clock.advance(499)
    expect(outbox.planned).toEqual([0, 0, 0])
  })

  it('looks again after 10 ms while another gateway is planning', async () => {
    const { relay, outbox, clock } = world(fine)
    outbox.plans.push(busy, busy, { ...busy, events: 1 })
    relay.start()
    await clock.advance(499)
    expect(outbox.planned).toEqual([0, 10, 20, 30])
  })

  it('has what was planned sent at once', async () => {
    const { relay, outbox, clock, sent } = world(fine)
    relay.start()
    await clock.advance(100)
    const plan = outbox.plan.bind(outbox)
    outbox.plan = async () => {
      outbox.add(1)
      outbox.plan = plan
      return some
    }
    relay.wake()
    await clock.advance(0)
    expect(sent).toHaveLength(1)
  })
})

describe('the relay', () => {
  it('sends what others have planned, within half a second and without a word', async () => {
    const { relay, outbox, clock, sent } = world(fine)
    relay.start()
    await clock.advance(100)
    outbox.add(1)
    await clock.advance(500)
    expect(sent).toHaveLength(1)
  })

  it('looks after what does not happen by itself every second, and at once when told to', async () => {
    const { relay, outbox, clock } = world(fine)
    const looks = () => outbox.steps.filter((step) => step === 'reap').length
    relay.start()
    await clock.advance(3_500)
    expect(looks()).toBe(4)
    outbox.turns = 3
    relay.tend()
    await clock.advance(0)
    expect(looks()).toBe(8)
    expect(outbox.turns).toBe(-1)
  })

  it('sends what upkeep has made due, at once', async () => {
    const { relay, outbox, clock, sent } = world(fine)
    relay.start()
    await clock.advance(100)
    const replay = outbox.replay.bind(outbox)
    outbox.replay = async () => {
      outbox.add(1)
      outbox.replay = replay
      return 'going'
    }
    relay.tend()
    await clock.advance(0)
    expect(sent).toHaveLength(1)
  })

  it('keeps four timers while there is nothing to do, however often it is woken', async () => {
    const { relay, clock } = world(fine)
    relay.start()
    for (let wake = 0; wake < 20; wake++) {
      relay.wake()
      relay.tend()
      await clock.advance(10)
    }
    expect(clock.pending).toBe(4)
  })

  it('writes down together what ends together', async () => {
    const { relay, outbox, clock } = world(fine)
    outbox.addMany(10)
    relay.start()
    await clock.advance(5)
    expect(outbox.statements).toEqual([10])
  })
})

describe('stopping', () => {
  it('claims nothing more, waits for what is under way and writes it down', async () => {
    const { relay, outbox, clock, sent } = world(later)
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
    relay.tend()
    await clock.advance(2_000)
    expect(isStopped).toBe(false)
    sent[0]?.answer(resultOf())
    await clock.advance(5)
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
