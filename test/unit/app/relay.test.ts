import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../../src/adapters/system/patterns.ts'
import { createConfigurations } from '../../../src/app/configuration.ts'
import type { Dispatch, DispatchResult, Notifier } from '../../../src/app/ports.ts'
import { Relay } from '../../../src/app/relay.ts'
import type { ClaimedDelivery, Outbox, Settlement, Subscriptions } from '../../../src/app/store.ts'
import { Problem } from '../../../src/domain/problem.ts'
import type { Subscription } from '../../../src/domain/subscription.ts'
import { ACCOUNT, changeWith, subscriptionOf } from '../../support/build.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'
import { FakeAccount, fakeVault, recordingJournal } from './fakes.ts'

type Owed = ClaimedDelivery & {
  state: 'ready' | 'sending' | Settlement['state']
  dueAt: number
  leaseEndsAt: number
}

/** Deliveries in memory under leases, as the store keeps them. */
class FakeOutbox implements Outbox {
  readonly owed: Owed[] = []
  readonly settlements: Settlement[] = []
  readonly planned: number[] = []
  /** Settlements whose lease was somebody else's by then. */
  lost = 0
  events = 0
  reaps = 0
  /** Steps that fail at the moment. */
  readonly broken = new Set<'plan' | 'claim' | 'settle' | 'reap'>()
  readonly #clock: FakeClock
  #leases = 0

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  add(sequenceId: number, subscriptionId = 'sub_a'): Owed {
    const { event, accountId, catalogId, recordId, changedFields, user } = changeWith()
    const owed: Owed = {
      accountId,
      subscriptionId,
      sequenceId,
      deliveryId: `evt_${sequenceId}_${subscriptionId}`,
      leaseId: '',
      failures: 0,
      body: {
        event,
        accountId,
        catalogId,
        recordId,
        values: undefined,
        prevValues: undefined,
        changedFields,
        user,
        context: undefined,
        decisionId: 'dec_1',
      },
      occurredAtMs: this.#clock.wallMs(),
      state: 'ready',
      dueAt: this.#clock.monotonicMs(),
      leaseEndsAt: 0,
    }
    this.owed.push(owed)
    return owed
  }

  #check(step: 'plan' | 'claim' | 'settle' | 'reap'): void {
    if (this.broken.has(step)) throw new Error(`no ${step}`)
  }

  async plan(eventsMax: number): Promise<number> {
    this.#check('plan')
    const planned = Math.min(this.events, eventsMax)
    this.events -= planned
    this.planned.push(planned)
    return planned
  }

  async claim(deliveriesMax: number, leaseMs: number): Promise<readonly ClaimedDelivery[]> {
    this.#check('claim')
    const now = this.#clock.monotonicMs()
    const due = this.owed.filter(
      ({ state, dueAt }) => (state === 'ready' || state === 'retrying') && dueAt <= now,
    )
    return due.slice(0, deliveriesMax).map((one) => {
      const leaseId = `lease_${++this.#leases}`
      Object.assign(one, { state: 'sending', leaseId, leaseEndsAt: now + leaseMs })
      return { ...one }
    })
  }

  async settle(settlements: readonly Settlement[]): Promise<void> {
    this.#check('settle')
    for (const settlement of settlements) {
      const { delivery, state, retryInMs } = settlement
      const one = this.owed.find(({ deliveryId }) => deliveryId === delivery.deliveryId)
      if (one === undefined || one.leaseId !== delivery.leaseId || one.state !== 'sending') {
        this.lost++
        continue
      }
      this.settlements.push(settlement)
      const failures = one.failures + (state === 'retrying' || state === 'dead' ? 1 : 0)
      const dueAt = this.#clock.monotonicMs() + (retryInMs ?? 0)
      Object.assign(one, { state, failures, dueAt })
    }
  }

  async reap(): Promise<number> {
    this.reaps++
    this.#check('reap')
    const now = this.#clock.monotonicMs()
    const dead = this.owed.filter(
      ({ state, leaseEndsAt }) => state === 'sending' && leaseEndsAt <= now,
    )
    for (const one of dead) Object.assign(one, { state: 'ready', leaseId: '', dueAt: now })
    return dead.length
  }

  backlogAgeMs(): Promise<number> {
    return Promise.resolve(0)
  }
}

const resultOf = (over: Partial<DispatchResult> = {}): DispatchResult => ({
  outcome: 'delivered',
  status: 200,
  retryAfterMs: undefined,
  durationMs: 5,
  error: null,
  requestHeaders: {},
  reply: '',
  ...over,
})

type Reply = DispatchResult | Error

function world(reply: (dispatch: Dispatch) => Reply | null, ...subscriptions: Subscription[]) {
  const clock = new FakeClock()
  const outbox = new FakeOutbox(clock)
  const journal = recordingJournal()
  const account = new FakeAccount(subscriptions.length > 0 ? subscriptions : [subscriptionOf()])
  const sent: { dispatch: Dispatch; atMs: number; answer: (reply: Reply) => void }[] = []
  const notifier: Notifier = {
    send: (dispatch) =>
      new Promise((resolve, reject) => {
        const answer = (one: Reply) => (one instanceof Error ? reject(one) : resolve(one))
        sent.push({ dispatch, atMs: clock.monotonicMs(), answer })
        const replied = reply(dispatch)
        if (replied !== null) answer(replied)
      }),
  }
  const disabled: unknown[] = []
  const subscriptionsPort = {
    disable: async (...what: unknown[]) => void disabled.push(what),
  } as unknown as Subscriptions
  const configurations = createConfigurations(account, compilePattern)
  const ports = {
    outbox,
    notifier,
    configurations,
    subscriptions: subscriptionsPort,
    clock,
    vault: fakeVault,
    journal,
  }
  return {
    clock,
    outbox,
    journal,
    account,
    configurations,
    sent,
    disabled,
    relay: new Relay(ports),
  }
}

const fine = () => resultOf()
const failing =
  (over: Partial<DispatchResult> = {}) =>
  () =>
    resultOf({ outcome: 'retry', status: 500, error: 'status 500', ...over })

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

describe('what breaks on the way', () => {
  it('a send of ours that crashes leaves the delivery to its lease, and it is sent again', async () => {
    let crashes = 1
    const { relay, outbox, clock, sent, journal } = world(() =>
      crashes-- > 0 ? new Error('a bug') : resultOf(),
    )
    const owed = outbox.add(1)
    relay.start()
    await clock.advance(60_000)
    expect(sent).toHaveLength(1)
    expect(owed.state).toBe('sending')
    expect(journal.events).toMatchObject([{ kind: 'relay.stumbled', step: 'send' }])
    await clock.advance(31_000)
    expect(sent).toHaveLength(2)
    expect(sent[0]?.dispatch.deliveryId).toBe(sent[1]?.dispatch.deliveryId)
    expect(owed.state).toBe('delivered')
  })

  it('a result that cannot be written down has the delivery sent again, never lost', async () => {
    const { relay, outbox, clock, sent, journal } = world(fine)
    const owed = outbox.add(1)
    outbox.broken.add('settle')
    relay.start()
    await clock.advance(5)
    expect(journal.events.at(-1)).toMatchObject({ kind: 'relay.stumbled', step: 'settle' })
    outbox.broken.clear()
    await clock.advance(91_000)
    expect(sent).toHaveLength(2)
    expect(owed.state).toBe('delivered')
  })

  it('a result is kept while the database is away, and written down when it is back', async () => {
    const { relay, outbox, clock, sent } = world(fine)
    const owed = outbox.add(1)
    const settle = outbox.settle.bind(outbox)
    outbox.settle = () => Promise.reject(new Problem('store_unavailable'))
    relay.start()
    await clock.advance(20_000)
    expect(owed.state).toBe('sending')
    expect(relay.trouble).toBe('cannot settle')
    outbox.settle = settle
    await clock.advance(1_000)
    expect(owed.state).toBe('delivered')
    expect(relay.trouble).toBeNull()
    expect(sent).toHaveLength(1)
  })

  it('a result that the database refuses does not keep the others out', async () => {
    const { relay, outbox, clock } = world(fine)
    const [bad, good] = [outbox.add(1), outbox.add(2)]
    const settle = outbox.settle.bind(outbox)
    outbox.settle = (settlements) =>
      settlements.some(({ delivery }) => delivery.sequenceId === 1)
        ? Promise.reject(new Error('a NUL in the reply'))
        : settle(settlements)
    relay.start()
    await clock.advance(10)
    expect([bad.state, good.state]).toEqual(['sending', 'delivered'])
  })

  it('a lease that was lost meanwhile makes the late result change nothing', async () => {
    const { relay, outbox, clock, sent } = world(() => null)
    const owed = outbox.add(1)
    relay.start()
    await clock.advance(91_000)
    expect(sent).toHaveLength(2)
    sent[0]?.answer(resultOf({ outcome: 'abort' }))
    await clock.advance(10)
    expect(outbox.lost).toBe(1)
    expect(owed.state).toBe('sending')
    sent[1]?.answer(resultOf())
    await clock.advance(10)
    expect(owed.state).toBe('delivered')
  })

  it('settings that cannot be read leave the delivery to its lease', async () => {
    const { relay, outbox, clock, sent, account } = world(fine)
    const load = account.load.bind(account)
    account.load = () => Promise.reject(new Error('the store is away'))
    const owed = outbox.add(1)
    relay.start()
    await clock.advance(100)
    expect(sent).toEqual([])
    account.load = load
    await clock.advance(91_000)
    expect(owed.state).toBe('delivered')
  })

  it.each(['plan', 'claim', 'reap'] as const)(
    'a %s that fails is told, tried again at the next look, and keeps no other step from running',
    async (step) => {
      const { relay, outbox, clock, journal } = world(fine)
      outbox.broken.add(step)
      relay.start()
      await clock.advance(0)
      expect(relay.trouble).toBe(`cannot ${step}`)
      expect(journal.events).toMatchObject([{ kind: 'relay.stumbled', step }])
      if (step !== 'claim') {
        const owed = outbox.add(1)
        relay.wake()
        await clock.advance(5)
        expect(owed.state).toBe('delivered')
        expect(relay.trouble).toBe(`cannot ${step}`)
      }
      outbox.broken.clear()
      await clock.advance(500)
      expect(relay.trouble).toBeNull()
    },
  )
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
