/** A relay between an outbox in memory and a receiver that answers as the test says. */
import { compilePattern } from '../../../src/adapters/system/patterns.ts'
import { createConfigurations } from '../../../src/app/configuration.ts'
import type { Dispatch, DispatchResult, Notifier } from '../../../src/app/ports.ts'
import { Relay } from '../../../src/app/relay.ts'
import type { ClaimedDelivery, Outbox, Settlement, Subscriptions } from '../../../src/app/store.ts'
import type { Subscription } from '../../../src/domain/subscription.ts'
import { changeWith, subscriptionOf } from '../../support/build.ts'
import { FakeClock } from '../../support/fake-clock.ts'
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

export const resultOf = (over: Partial<DispatchResult> = {}): DispatchResult => ({
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

export function world(
  reply: (dispatch: Dispatch) => Reply | null,
  ...subscriptions: Subscription[]
) {
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

export const fine = () => resultOf()
export const failing =
  (over: Partial<DispatchResult> = {}) =>
  () =>
    resultOf({ outcome: 'retry', status: 500, error: 'status 500', ...over })
