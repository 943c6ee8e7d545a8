/** A relay between an outbox in memory and a receiver that answers as the test says. */
import { compilePattern } from '../../../../src/adapters/system/patterns.ts'
import { createConfigurations } from '../../../../src/app/configuration.ts'
import { Relay } from '../../../../src/app/deliver/relay.ts'
import type { Patience } from '../../../../src/app/deliver/relay-ports.ts'
import type {
  ClaimedDelivery,
  ClaimOrder,
  FailingSubscription,
  Outbox,
  Planned,
  Settlement,
} from '../../../../src/app/delivery-store.ts'
import type { Dispatch, DispatchResult, Notifier } from '../../../../src/app/ports.ts'
import type { Subscriptions } from '../../../../src/app/store.ts'
import type { CommittedEvent } from '../../../../src/domain/notification.ts'
import type { Subscription } from '../../../../src/domain/subscription.ts'
import { changeWith, subscriptionOf } from '../../../support/build.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { countingIds, FakeAccount, fakeVault, recordingJournal } from '../fakes.ts'

type Owed = ClaimedDelivery & {
  state: 'ready' | 'sending' | Settlement['state']
  dueAt: number
  leaseEndsAt: number
}

export type Raised = (CommittedEvent & { readonly id: string }) | null

type Step =
  | 'plan'
  | 'claim'
  | 'extend'
  | 'settle'
  | 'reap'
  | 'turn'
  | 'replay'
  | 'mend'
  | 'mendChains'
  | 'failing'
  | 'keepAttempts'

const IDLE: Planned = { events: 0, isMore: false, isBusy: false }
/** Nobody has that much to claim in one moment. */
const CLAIMS_AT_ONCE_MAX = 200

/** Deliveries in memory under leases, as the store keeps them. */
export class FakeOutbox implements Outbox {
  readonly owed: Owed[] = []
  readonly settlements: Settlement[] = []
  /** Sizes of the settlements, one for each statement. */
  readonly statements: number[] = []
  readonly orders: (ClaimOrder & { readonly atMs: number })[] = []
  readonly extended: { readonly leases: readonly string[]; readonly atMs: number }[] = []
  readonly notes: { readonly percent: number; readonly event: Raised }[] = []
  /** When it was asked to plan, and what it will answer. */
  readonly planned: number[] = []
  readonly plans: Planned[] = []
  /** What upkeep did, in order. */
  readonly steps: string[] = []
  readonly kept: number[] = []
  /** Settlements whose lease was somebody else's by then. */
  lost = 0
  /** Steps of turning and of replaying that are still to be done. */
  turns = 0
  replays = 0
  /** A replay that could not go on just now. */
  hasWaitingReplay = false
  /** Lanes that somebody has moved past the relay. */
  torn = 0
  tornChains = 0
  /** Who is told to be failing with the next settlement, and how long one must fail for that. */
  failingNow: FailingSubscription[] = []
  failingAfterMs: number | null | undefined
  /** Who is failing when upkeep asks, and how long one must fail for that, each time. */
  failingStill: FailingSubscription[] = []
  readonly askedForFailing: number[] = []
  /** Steps that fail at the moment. */
  readonly broken = new Set<Step>()
  readonly #clock: FakeClock
  #leases = 0

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  add(sequenceId: number, over: Partial<Owed> = {}): Owed {
    const { event, accountId, catalogId, recordId, changedFields, user } = changeWith()
    const subscriptionId = over.subscriptionId ?? 'sub_a'
    const owed: Owed = {
      accountId,
      subscriptionId,
      sequenceId,
      deliveryId: `evt_${sequenceId}_${subscriptionId}`,
      leaseId: '',
      failures: 0,
      isFailing: false,
      startInMs: 0,
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
      ...over,
    }
    this.owed.push(owed)
    return owed
  }

  addMany(count: number, over: Partial<Owed> = {}): Owed[] {
    const from = this.owed.length
    return Array.from({ length: count }, (_, index) => this.add(from + index + 1, over))
  }

  inState(state: Owed['state']): Owed[] {
    return this.owed.filter((one) => one.state === state)
  }

  #check(step: Step): void {
    if (this.broken.has(step)) throw new Error(`no ${step}`)
  }

  #due(isFailing: boolean): Owed[] {
    const now = this.#clock.monotonicMs()
    return this.#open().filter((one) => one.isFailing === isFailing && one.dueAt <= now)
  }

  #open(): Owed[] {
    return this.owed.filter(({ state }) => state === 'ready' || state === 'retrying')
  }

  async plan(): Promise<Planned> {
    this.planned.push(this.#clock.monotonicMs())
    this.#check('plan')
    return this.plans.shift() ?? IDLE
  }

  async claim(order: ClaimOrder): Promise<readonly ClaimedDelivery[]> {
    const now = this.#clock.monotonicMs()
    this.orders.push({ ...order, atMs: now })
    if (this.orders.at(-1 - CLAIMS_AT_ONCE_MAX)?.atMs === now) throw new Error('claims without end')
    this.#check('claim')
    const well = this.#due(false).slice(0, order.places)
    const left = Math.min(order.failingPlaces, order.places - well.length)
    const chosen = [...well, ...this.#due(true).slice(0, left)]
    const leaseId = `lease_${++this.#leases}`
    return chosen.map((one) => {
      Object.assign(one, { state: 'sending', leaseId, leaseEndsAt: now + order.leaseMs })
      return { ...one }
    })
  }

  async extend(leases: readonly string[], leaseMs: number): Promise<void> {
    const atMs = this.#clock.monotonicMs()
    this.extended.push({ leases, atMs })
    this.#check('extend')
    for (const one of this.inState('sending')) {
      if (leases.includes(one.leaseId)) one.leaseEndsAt = atMs + leaseMs
    }
  }

  async settle(settlements: readonly Settlement[], failingAfterMs: number | null) {
    this.statements.push(settlements.length)
    this.failingAfterMs = failingAfterMs
    this.#check('settle')
    for (const settlement of settlements) {
      const { delivery, state, retryInMs, sign } = settlement
      const one = this.owed.find(({ deliveryId }) => deliveryId === delivery.deliveryId)
      if (one === undefined || one.leaseId !== delivery.leaseId || one.state !== 'sending') {
        this.lost++
        continue
      }
      this.settlements.push(settlement)
      const failures = one.failures + (sign === 'failure' ? 1 : 0)
      const dueAt = this.#clock.monotonicMs() + (retryInMs ?? 0)
      Object.assign(one, { state, failures, dueAt })
    }
    return this.failingNow.splice(0)
  }

  async reap(): Promise<number> {
    this.steps.push('reap')
    this.#check('reap')
    const now = this.#clock.monotonicMs()
    const dead = this.inState('sending').filter(({ leaseEndsAt }) => leaseEndsAt <= now)
    for (const one of dead) Object.assign(one, { state: 'ready', leaseId: '', dueAt: now })
    return dead.length
  }

  async turn(): Promise<boolean> {
    this.steps.push('turn')
    this.#check('turn')
    return this.turns-- > 0
  }

  async replay(): Promise<'going' | 'waiting' | 'none'> {
    this.steps.push('replay')
    this.#check('replay')
    if (this.replays-- > 0) return 'going'
    return this.hasWaitingReplay ? 'waiting' : 'none'
  }

  async mend(): Promise<number> {
    this.steps.push('mend')
    this.#check('mend')
    const mended = this.torn
    this.torn = 0
    return mended
  }

  async mendChains(): Promise<number> {
    this.steps.push('mendChains')
    this.#check('mendChains')
    const mended = this.tornChains
    this.tornChains = 0
    return mended
  }

  async keepAttempts(days: number): Promise<void> {
    this.steps.push('keepAttempts')
    this.kept.push(days)
    this.#check('keepAttempts')
  }

  async failing(afterMs: number): Promise<readonly FailingSubscription[]> {
    this.askedForFailing.push(afterMs)
    this.#check('failing')
    return this.failingStill
  }

  async noteFailing(_: unknown, percent: number, event: Raised): Promise<boolean> {
    const isFirst = this.notes.every((note) => note.percent < percent)
    if (isFirst) this.notes.push({ percent, event })
    return isFirst
  }

  async nextDueInMs(): Promise<number> {
    const now = this.#clock.monotonicMs()
    return Math.max(0, Math.min(...this.#open().map(({ dueAt }) => dueAt - now)))
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

/** A day until a receiver that fails is disabled. */
export const PATIENCE: Patience = { autoDisableAfterMs: 86_400_000, attemptsKeptDays: 30 }

type Given = {
  readonly subscriptions?: readonly Subscription[]
  readonly patience?: Patience
}

/** Answers null: the test answers what was `sent`. */
export function world(
  reply: (dispatch: Dispatch) => Reply | null,
  { subscriptions = [subscriptionOf()], patience = PATIENCE }: Given = {},
) {
  const clock = new FakeClock()
  const outbox = new FakeOutbox(clock)
  const journal = recordingJournal()
  const account = new FakeAccount(subscriptions)
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
  const disabled: { id: string; reason: string; event: Raised }[] = []
  const subscriptionsPort = {
    disable: async (_: string, id: string, reason: string, event: Raised) => {
      if (disabled.some((one) => one.id === id)) return false
      disabled.push({ id, reason, event })
      return true
    },
  } as unknown as Subscriptions
  let raised = 0
  const ports = {
    outbox,
    notifier,
    configurations: createConfigurations(account, compilePattern),
    subscriptions: subscriptionsPort,
    clock,
    ids: countingIds(),
    vault: fakeVault,
    journal,
    patience,
    onRaised: () => void raised++,
  }
  return {
    ...ports,
    ports,
    account,
    sent,
    disabled,
    relay: new Relay(ports),
    /** How often somebody was to be told that an event was stored. Not where the relay is told itself. */
    get raised() {
      return raised
    },
  }
}

export const fine = () => resultOf()
export const failing =
  (over: Partial<DispatchResult> = {}) =>
  () =>
    resultOf({ outcome: 'retry', status: 500, error: 'status 500', ...over })
/** The test answers. */
export const later = () => null

/** Runs once the microtasks that come in so many turns have run. */
export function afterTurns(turns: number, run: () => void): void {
  if (turns === 0) run()
  else queueMicrotask(() => afterTurns(turns - 1, run))
}
