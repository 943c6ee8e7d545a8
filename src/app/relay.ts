/**
 * After the commit: events become numbered deliveries, deliveries become requests, replies become states.
 *
 * The database is authoritative for what is still owed; this loop only moves it along. It is woken in
 * process right after a commit and looks by itself now and then, so a lost wake-up costs a moment and
 * nothing else. A crash after the planning leaves deliveries that are due; a crash after sending leaves a
 * lease that runs out, and the receiver sees the same webhook-id again: at least once, never invented.
 */
import { Problem } from '../domain/problem.ts'
import { nextDelayMs } from '../domain/retry.ts'
import type { Configuration, Configurations } from './configuration.ts'
import type { Clock, DispatchResult, Journal, Notifier, Vault } from './ports.ts'
import type { ClaimedDelivery, Outbox, Settlement, Subscriptions } from './store.ts'

/** Deliveries under way in this process; the next are claimed when there is room. */
const IN_FLIGHT_MAX = 64
const PLAN_MAX = 256
/** Longer than the longest call (30 s) and the time to write down how it ended. */
const LEASE_MS = 75_000
/** How often it looks without being woken: for retries that come due and for other gateways' events. */
const POLL_MS = 500
const REAP_EVERY_MS = 15_000
/** Results of calls that end together are written down together. */
const SETTLE_AFTER_MS = 5

export type RelayPorts = {
  readonly outbox: Outbox
  readonly notifier: Notifier
  readonly configurations: Configurations
  readonly subscriptions: Subscriptions
  readonly clock: Clock
  readonly vault: Vault
  readonly journal: Journal
}

export class Relay {
  readonly #ports: RelayPorts
  #isRunning = false
  #isWoken = false
  #loop: Promise<void> | null = null
  #cancelTimer: (() => void) | null = null
  #isSettleDue = false
  #inFlight = 0
  #ended: Settlement[] = []
  #settling: Promise<void> | null = null
  #reapAt = 0
  /** When the earliest retry known to this process comes due. */
  #nextDueAt = Number.POSITIVE_INFINITY
  #quiet: (() => void)[] = []
  #failedStep: string | null = null

  constructor(ports: RelayPorts) {
    this.#ports = ports
  }

  start(): void {
    this.#isRunning = true
    this.wake()
  }

  /** There is something to do. Cheap: called after every commit that told somebody. */
  wake(): void {
    if (!this.#isRunning) return
    this.#isWoken = true
    this.#cancelTimer?.()
    this.#cancelTimer = null
    this.#loop ??= this.#work().finally(() => {
      this.#loop = null
      if (this.#isWoken) this.wake()
      else this.#sleep()
    })
  }

  /** What keeps it from working at the moment; null when nothing does. */
  get trouble(): string | null {
    if (!this.#isRunning) return 'not running'
    return this.#failedStep === null ? null : `cannot ${this.#failedStep}`
  }

  /** Claims nothing more, and resolves when everything under way is written down. */
  async stop(): Promise<void> {
    this.#isRunning = false
    this.#cancelTimer?.()
    await this.#loop
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#quiet.push(resolve))
    await this.#settle()
    await this.#settling
  }

  #resleep(): void {
    this.#cancelTimer?.()
    this.#sleep()
  }

  #sleep(): void {
    if (!this.#isRunning) return
    const untilDueMs = Math.max(0, this.#nextDueAt - this.#ports.clock.monotonicMs())
    this.#nextDueAt = Number.POSITIVE_INFINITY
    const delayMs = Math.min(POLL_MS, untilDueMs)
    this.#cancelTimer = this.#ports.clock.schedule(delayMs, () => this.wake())
  }

  async #work(): Promise<void> {
    while (this.#isWoken && this.#isRunning) {
      this.#isWoken = false
      await this.#attempt('reap', () => this.#reap())
      await this.#attempt('plan', () => this.#plan())
      await this.#attempt('claim', () => this.#claim())
    }
  }

  /** A step that fails is told and tried again at the next look. */
  async #attempt(step: string, run: () => Promise<void>): Promise<void> {
    try {
      await run()
      if (this.#failedStep === step) this.#failedStep = null
    } catch (error) {
      this.#failedStep = step
      this.#ports.journal.record({ kind: 'relay.stumbled', step, error })
    }
  }

  async #reap(): Promise<void> {
    const now = this.#ports.clock.monotonicMs()
    if (now < this.#reapAt) return
    await this.#ports.outbox.reap()
    this.#reapAt = now + REAP_EVERY_MS
  }

  async #plan(): Promise<void> {
    while ((await this.#ports.outbox.plan(PLAN_MAX)) === PLAN_MAX) {
      // as long as a full batch was found there is more
    }
  }

  async #claim(): Promise<void> {
    const room = IN_FLIGHT_MAX - this.#inFlight
    if (room <= 0 || !this.#isRunning) return
    const claimed = await this.#ports.outbox.claim(room, LEASE_MS)
    // Where to and with which secret is settled by no commit, so it must not be stale. Read once for an
    // account; one that cannot be read holds up nobody else's deliveries.
    const settings = new Map<string, Promise<Configuration>>()
    for (const delivery of claimed) {
      const { accountId } = delivery
      const found = settings.get(accountId) ?? this.#ports.configurations.fresh(accountId)
      settings.set(accountId, found)
      this.#inFlight++
      void this.#deliver(delivery, found)
    }
  }

  async #deliver(delivery: ClaimedDelivery, settings: Promise<Configuration>): Promise<void> {
    try {
      this.#ended.push(await this.#send(delivery, await settings))
      this.#settleSoon()
    } catch (error) {
      // Its lease runs out, and it is tried again.
      this.#ports.journal.record({ kind: 'relay.stumbled', step: 'send', error })
    } finally {
      this.#inFlight--
      if (this.#inFlight === 0) for (const tell of this.#quiet.splice(0)) tell()
      this.wake()
    }
  }

  async #send(delivery: ClaimedDelivery, { index }: Configuration): Promise<Settlement> {
    const { subscriptionId, deliveryId, body, occurredAtMs, sequenceId } = delivery
    const subscription = index.byId.get(subscriptionId)
    if (subscription === undefined) return settlementOf(delivery, 'cancelled', NOT_SENT)
    if (!subscription.active) return settlementOf(delivery, 'held', NOT_SENT)
    const dispatch = { subscription, deliveryId, body, occurredAtMs, sequenceId }
    const result = await this.#ports.notifier.send(dispatch)
    const settlement = await this.#judge(delivery, subscription.retry, result)
    this.#report(settlement)
    return settlement
  }

  async #judge(
    delivery: ClaimedDelivery,
    policy: Parameters<typeof nextDelayMs>[0],
    result: DispatchResult,
  ): Promise<Settlement> {
    const { outcome, status, retryAfterMs } = result
    switch (outcome) {
      case 'delivered':
        return settlementOf(delivery, 'delivered', result)
      case 'abort':
        return settlementOf(delivery, 'cancelled', result)
      case 'disable': {
        const { accountId, subscriptionId } = delivery
        await this.#ports.subscriptions.disable(accountId, subscriptionId, 'gone')
        const reason = 'gone'
        this.#ports.journal.record({ kind: 'subscription.disabled', subscriptionId, reason })
        return settlementOf(delivery, 'held', result)
      }
      case 'retry': {
        const failures = delivery.failures + 1
        const random = this.#ports.vault.random()
        const retryInMs = nextDelayMs(policy, { failures, status, retryAfterMs, random })
        if (retryInMs === null) return settlementOf(delivery, 'dead', result)
        return { delivery, state: 'retrying', retryInMs, result }
      }
    }
  }

  #report({ delivery, state, result }: Settlement): void {
    const { deliveryId, accountId, subscriptionId, sequenceId, occurredAtMs } = delivery
    const { status, error, durationMs } = result
    const ageMs = this.#ports.clock.wallMs() - occurredAtMs
    this.#ports.journal.record({
      kind: 'delivery.attempted',
      deliveryId,
      accountId,
      subscriptionId,
      sequenceId,
      state,
      status,
      error,
      durationMs,
      ageMs,
    })
  }

  #settleSoon(delayMs: number = SETTLE_AFTER_MS): void {
    if (this.#isSettleDue) return
    this.#isSettleDue = true
    this.#ports.clock.schedule(delayMs, () => {
      this.#isSettleDue = false
      this.#settling = (this.#settling ?? Promise.resolve()).then(() => this.#settle())
    })
  }

  async #settle(): Promise<void> {
    const ended = this.#ended.splice(0)
    if (ended.length === 0) return
    await this.#attempt('settle', () => this.#writeDown(ended))
    this.#expectRetries(ended)
  }

  /**
   * While the database is away the results are kept: a lease that ran out meanwhile makes writing them
   * down do nothing. A result that it refuses must not keep the others out.
   */
  async #writeDown(ended: readonly Settlement[]): Promise<void> {
    const { outbox, journal } = this.#ports
    try {
      await outbox.settle(ended)
    } catch (error) {
      if (isAway(error)) {
        this.#ended.unshift(...ended)
        if (this.#isRunning) this.#settleSoon(POLL_MS)
        throw error
      }
      if (ended.length === 1) throw error
      journal.record({ kind: 'relay.stumbled', step: 'settle', error })
      for (const one of ended) await this.#attempt('settle', () => outbox.settle([one]))
    }
  }

  #expectRetries(ended: readonly Settlement[]): void {
    // A retry that is due before the next look is not made to wait for it.
    const retries = ended.flatMap(({ retryInMs }) => retryInMs ?? [])
    if (retries.length === 0) return
    const dueAt = this.#ports.clock.monotonicMs() + Math.min(...retries)
    if (dueAt >= this.#nextDueAt) return
    this.#nextDueAt = dueAt
    if (this.#loop === null) this.#resleep()
  }
}

function isAway(error: unknown): boolean {
  return error instanceof Problem && error.code === 'store_unavailable'
}

function settlementOf(
  delivery: ClaimedDelivery,
  state: Settlement['state'],
  result: DispatchResult,
): Settlement {
  return { delivery, state, retryInMs: null, result }
}

const NOT_SENT: DispatchResult = {
  outcome: 'abort',
  status: undefined,
  retryAfterMs: undefined,
  durationMs: 0,
  error: 'the subscription is not active',
  requestHeaders: {},
  reply: '',
}
