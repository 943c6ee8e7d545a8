/**
 * Claims what is due, sends it and has it written down how that ended.
 *
 * Places are what a process can have under way. Half of them are kept from receivers that fail time after
 * time, so that those which do not answer never hold up those which do. A claim is a lease: while an
 * attempt goes on the lease is kept, and when this process is no more it runs out and others take over.
 */
import { getOrAdd } from '../../domain/maps.ts'
import { type EventBody, isFarewell } from '../../domain/notification.ts'
import type { Subscription } from '../../domain/subscription.ts'
import type { Configuration } from '../configuration.ts'
import type { ClaimedDelivery, Settlement } from '../delivery-store.ts'
import type { DispatchResult, Journal } from '../ports.ts'
import { judge, NOT_SENT } from './judge.ts'
import { Loop } from './loop.ts'
import type { RelayPorts } from './relay-ports.ts'
import { Settler } from './settler.ts'
import { retire } from './watch-failing.ts'

/** Deliveries under way in this process. */
const PLACES = 512
const FAILING_PLACES = PLACES / 2
/** The longest time until others notice that this process is gone. */
export const LEASE_MS = 15_000
const EXTEND_EVERY_MS = LEASE_MS / 3
const POLL_MS = 500
/** Something is due and cannot be had: its places are taken, or another gateway has its lane just now. */
const BARRED_MS = 20

export class Sender {
  readonly #ports: RelayPorts
  readonly #loop: Loop
  readonly #settler: Settler
  readonly #leases = new Map<string, number>()
  #inFlight = 0
  #failingInFlight = 0
  #cancelExtension: (() => void) | null = null
  #isStopped = false
  #quiet: (() => void)[] = []

  constructor(ports: RelayPorts) {
    this.#ports = ports
    const { clock, journal } = ports
    const look = () => this.#claim()
    this.#loop = new Loop({ clock, journal, step: 'claim', pollMs: POLL_MS, look })
    this.#settler = new Settler({
      ports,
      onDone: ({ delivery }) => this.#vacate(delivery),
      // In turns, because both lock the same lanes, and a claim passes over those that are locked.
      onSettled: () => this.#loop.wakeAndWait(),
    })
  }

  start(): void {
    this.#loop.start()
    this.#extendLater()
  }

  wake(): void {
    this.#loop.wake()
  }

  get trouble(): string | null {
    return this.#loop.trouble ?? this.#settler.trouble
  }

  async stop(): Promise<void> {
    await this.#loop.stop()
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#quiet.push(resolve))
    this.#isStopped = true
    this.#cancelExtension?.()
    await this.#settler.stop()
  }

  /** Half of what is free may go to those that fail; what they leave is for the others. */
  async #claim(): Promise<number> {
    const free = PLACES - this.#inFlight
    if (free === 0 || !this.#loop.isRunning) return POLL_MS
    const failingPlaces = Math.min(free >> 1, FAILING_PLACES - this.#failingInFlight)
    const { outbox } = this.#ports
    const claimed = await outbox.claim({ places: free, failingPlaces, leaseMs: LEASE_MS })
    this.#take(claimed)
    // Whatever is left waits for the end of an attempt, which wakes this again.
    if (claimed.length > 0) return POLL_MS
    const dueInMs = await outbox.nextDueInMs()
    return dueInMs > 0 ? dueInMs : BARRED_MS
  }

  #take(claimed: readonly ClaimedDelivery[]): void {
    // Where to and with which secret is settled by no commit, so it must not be stale. Read once for an
    // account; one that cannot be read holds up nobody else's deliveries.
    const settings = new Map<string, Promise<Configuration>>()
    for (const delivery of claimed) {
      const { accountId, startInMs } = delivery
      const { clock, configurations } = this.#ports
      const read = () => configurations.fresh(accountId)
      this.#occupy(delivery)
      if (startInMs > 0) clock.schedule(startInMs, () => void this.#deliver(delivery, read()))
      else void this.#deliver(delivery, getOrAdd(settings, accountId, read))
    }
  }

  async #deliver(delivery: ClaimedDelivery, settings: Promise<Configuration>): Promise<void> {
    try {
      this.#settler.add(await this.#send(delivery, await settings))
    } catch (error) {
      // Its lease runs out, and it is tried again.
      this.#ports.journal.record({ kind: 'relay.stumbled', step: 'send', error })
      this.#vacate(delivery)
    }
  }

  async #send(delivery: ClaimedDelivery, configuration: Configuration): Promise<Settlement> {
    const { notifier, vault, journal, clock } = this.#ports
    const { subscriptionId, deliveryId, body, occurredAtMs, sequenceId } = delivery
    const subscription = configuration.index.byId.get(subscriptionId)
    const isTold = subscription !== undefined && hears(subscription, body)
    if (!isTold || body.erased === true) {
      return { ...NOT_SENT, delivery, state: 'cancelled' }
    }
    if (!subscription.active) return { ...NOT_SENT, delivery, state: 'held' }
    const { accountNumber } = configuration
    const result = await notifier.send({
      subscription,
      deliveryId,
      body,
      occurredAtMs,
      sequenceId,
      accountNumber,
    })
    if (result.outcome === 'disable' || result.outcome === 'delivered_last') {
      await retire({ accountId: delivery.accountId, subscriptionId, reason: 'gone' }, this.#ports)
    }
    const settlement = judge(delivery, subscription.retry, result, vault.random())
    report(settlement, result, clock.wallMs(), journal)
    return settlement
  }

  #occupy({ leaseId, isFailing }: ClaimedDelivery): void {
    this.#inFlight++
    if (isFailing) this.#failingInFlight++
    this.#leases.set(leaseId, (this.#leases.get(leaseId) ?? 0) + 1)
  }

  #vacate({ leaseId, isFailing }: ClaimedDelivery): void {
    this.#inFlight--
    if (isFailing) this.#failingInFlight--
    const left = (this.#leases.get(leaseId) ?? 1) - 1
    if (left === 0) this.#leases.delete(leaseId)
    else this.#leases.set(leaseId, left)
    if (this.#inFlight === 0) for (const tell of this.#quiet.splice(0)) tell()
  }

  /** Attempts that take longer than a part of their lease keep it. */
  #extendLater(): void {
    const { clock, outbox, journal } = this.#ports
    this.#cancelExtension = clock.schedule(EXTEND_EVERY_MS, () => {
      const leases = [...this.#leases.keys()]
      const extended = leases.length === 0 ? Promise.resolve() : outbox.extend(leases, LEASE_MS)
      extended
        .catch((error: unknown) =>
          journal.record({ kind: 'relay.stumbled', step: 'extend', error }),
        )
        .finally(() => {
          if (!this.#isStopped) this.#extendLater()
        })
    })
  }
}

/** Who is leaving is told of that and of nothing else, whenever it happened. */
function hears({ leavingSince }: Subscription, body: EventBody): boolean {
  return leavingSince === null || isFarewell(body)
}

function report(settlement: Settlement, result: DispatchResult, nowMs: number, journal: Journal) {
  const { delivery, state } = settlement
  const { deliveryId, accountId, subscriptionId, sequenceId, occurredAtMs } = delivery
  const { status, error, durationMs } = result
  journal.record({
    kind: 'delivery.attempted',
    deliveryId,
    accountId,
    subscriptionId,
    sequenceId,
    state,
    status,
    error,
    durationMs,
    ageMs: nowMs - occurredAtMs,
  })
}
