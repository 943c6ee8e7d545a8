/**
 * Stops asking a subscriber that keeps failing, so that changes do not wait for it in vain. An open
 * breaker makes the answer `circuit_open`, a failure like any other: what it means for the change is the
 * subscription's failure policy, never this file.
 *
 * opossum keeps the rolling counts and says when they are too bad; it does so for outcomes that are
 * reported after the fact, since it has no way to say "this one counts as nothing": a cancelled call would
 * be a success or a failure to it, and a half-open probe that never counts would leave it half-open for
 * ever. The rest is here:
 *
 * - Time. opossum's own timers are not used: buckets are turned and the pause is measured by our clock,
 *   when somebody comes, so that an idle breaker costs nothing. When the pause is over, a new half-open
 *   circuit with a clean window takes the place of the open one.
 * - Half-open lets one call through. A probe that counts as nothing frees its place for the next one.
 * - After closing, calls are let in slowly: 1, 2, 4 … at a time, doubling with each success; opossum
 *   alone would release everybody at once onto a server that has just come back.
 * - Consecutive failures open it too, because a window that is rarely used never has enough calls.
 * - Every state has a number, which a call takes along as its ticket: what a call of an earlier state has
 *   to say comes too late and is not heard.
 */
import { EventEmitter } from 'node:events'
import CircuitBreaker from 'opossum'
import type { BreakerState, Clock } from '../../app/ports.ts'
import type { BreakerSettings } from '../../domain/subscription.ts'

/** What an ended call says about the subscriber's health. */
export type HealthSign = 'good' | 'bad' | 'nothing'

/** No ticket: the call must not be made. */
export const REFUSED = -1

const BUCKETS = 10
/** From here on the slow start is over: other limits are nearer. */
const SLOW_START_ENDS_AT = 256
/** opossum must never end the pause by itself; this is the longest timer there is, and it is unref'd. */
const NEVER_MS = 2 ** 31 - 1
/** opossum opens above its threshold, the setting says "at or above". */
const THRESHOLD_MARGIN = 1e-9

const DONE = Promise.resolve()
const BAD = new Error('a call that speaks against health')
const ignore = (): void => {}

function report(sign: HealthSign): Promise<void> {
  if (sign === 'bad') throw BAD
  return DONE
}

type Circuit = CircuitBreaker<[HealthSign], void>

export type BreakerOptions = {
  readonly settings: BreakerSettings
  readonly clock: Clock
  readonly onChange: (state: BreakerState) => void
}

export class Breaker {
  readonly settings: BreakerSettings
  readonly #clock: Clock
  readonly #onChange: (state: BreakerState) => void
  #circuit: Circuit
  #rotation = new EventEmitter()
  #rotatedAt: number
  #openedAt = 0
  #epoch = 0
  #inFlight = 0
  #inFlightMax = Number.POSITIVE_INFINITY
  #consecutiveFailures = 0

  constructor({ settings, clock, onChange }: BreakerOptions) {
    this.settings = settings
    this.#clock = clock
    this.#onChange = onChange
    this.#rotatedAt = clock.monotonicMs()
    this.#circuit = this.#newCircuit({ closed: true })
  }

  /** The state as the next caller will find it. */
  get state(): BreakerState {
    if (this.#circuit.closed) return 'closed'
    return this.#circuit.halfOpen || this.#isPauseOver() ? 'halfOpen' : 'open'
  }

  /** Asks to be let through: a ticket to give back with `leave`, or REFUSED. */
  enter(): number {
    if (this.#circuit.opened && !this.#isPauseOver()) return REFUSED
    if (this.#circuit.opened) this.#halfOpen()
    if (this.#inFlight >= this.#inFlightMax) return REFUSED
    this.#inFlight += 1
    return this.#epoch
  }

  leave(ticket: number, sign: HealthSign): void {
    if (ticket !== this.#epoch) return
    if (sign === 'nothing') {
      this.#inFlight -= 1
      return
    }
    // A probe keeps its place until the state has changed, which opossum does a moment later.
    if (this.#circuit.closed) this.#inFlight -= 1
    if (sign === 'good') this.#hearGood()
    else this.#hearBad()
  }

  /** Closes it, whatever has been counted. */
  reset(): void {
    const wasClosed = this.#circuit.closed
    this.#replaceCircuit({ closed: true })
    this.#inFlightMax = Number.POSITIVE_INFINITY
    if (!wasClosed) this.#onChange('closed')
  }

  /** Lets go of everything. A call that still comes is let through and not counted. */
  close(): void {
    this.#circuit.shutdown()
  }

  #hearGood(): void {
    this.#consecutiveFailures = 0
    if (this.#circuit.closed && this.#inFlightMax !== Number.POSITIVE_INFINITY) {
      const doubled = this.#inFlightMax * 2
      this.#inFlightMax = doubled >= SLOW_START_ENDS_AT ? Number.POSITIVE_INFINITY : doubled
    }
    this.#fire('good')
  }

  #hearBad(): void {
    this.#consecutiveFailures += 1
    const failures = this.#consecutiveFailures
    this.#fire('bad')
    if (failures >= this.settings.consecutiveFailures && this.#circuit.closed) this.#circuit.open()
  }

  #fire(sign: HealthSign): void {
    this.#rotate()
    this.#circuit.fire(sign).catch(ignore)
  }

  #rotate(): void {
    const bucketMs = this.settings.windowMs / BUCKETS
    const turns = Math.floor((this.#clock.monotonicMs() - this.#rotatedAt) / bucketMs)
    if (turns <= 0) return
    this.#rotatedAt += turns * bucketMs
    for (let turn = Math.min(turns, BUCKETS); turn > 0; turn -= 1) this.#rotation.emit('rotate')
  }

  #isPauseOver(): boolean {
    return this.#clock.monotonicMs() - this.#openedAt >= this.settings.openMs
  }

  #halfOpen(): void {
    this.#replaceCircuit({ closed: false, halfOpen: true })
    this.#inFlightMax = 1
    this.#onChange('halfOpen')
  }

  #opened(): void {
    this.#openedAt = this.#clock.monotonicMs()
    this.#beginEpoch()
    this.#onChange('open')
  }

  /** The slow start begins with the one place that half-open had. */
  #closed(): void {
    this.#beginEpoch()
    this.#onChange('closed')
  }

  #beginEpoch(): void {
    this.#epoch += 1
    this.#inFlight = 0
    this.#consecutiveFailures = 0
  }

  #replaceCircuit(state: InitialState): void {
    this.#circuit.shutdown()
    this.#rotation = new EventEmitter()
    this.#rotatedAt = this.#clock.monotonicMs()
    this.#circuit = this.#newCircuit(state)
    this.#beginEpoch()
  }

  #newCircuit(state: InitialState): Circuit {
    const { failureRate, minimumCalls, windowMs } = this.settings
    // The type package does not know `state`, which is how opossum restores a circuit.
    const options: CircuitBreaker.Options<[HealthSign]> & { state: InitialState } = {
      name: 'subscription',
      state,
      timeout: false,
      resetTimeout: NEVER_MS,
      errorThresholdPercentage: failureRate * 100 - THRESHOLD_MARGIN,
      volumeThreshold: minimumCalls,
      rollingCountTimeout: windowMs,
      rollingCountBuckets: BUCKETS,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: this.#rotation,
    }
    const circuit: Circuit = new CircuitBreaker(report, options)
    circuit.on('open', () => this.#opened())
    circuit.on('close', () => this.#closed())
    return circuit
  }
}

type InitialState = { readonly closed: boolean; readonly halfOpen?: boolean }
