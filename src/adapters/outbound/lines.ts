/**
 * Everything that is kept for one subscription between calls: its connections, its breaker, its places in
 * flight and its recent health. The number of lines is bounded; the one used least recently goes first,
 * and with it nothing that could not be learnt again.
 */
import type { BreakerState, Clock, Journal, SubscriptionHealth } from '../../app/ports.ts'
import type { BreakerSettings, Subscription } from '../../domain/subscription.ts'
import { BoundedMap } from './bounded-map.ts'
import { Breaker } from './breaker.ts'
import { Bulkhead } from './bulkhead.ts'
import { Health, NO_HEALTH } from './health.ts'
import { type Dial, SubscriptionPool } from './pools.ts'

const LINES_MAX = 5_000

export type LineOptions = {
  readonly clock: Clock
  readonly journal: Journal
  readonly connect: Dial
}

/** What a line goes by. */
export type LineSettings = Pick<
  Subscription,
  'id' | 'breaker' | 'maxConcurrency' | 'maxInFlight' | 'tls'
>

/** The state of one subscription. */
export class Line {
  readonly pool: SubscriptionPool
  readonly bulkhead: Bulkhead
  readonly health: Health
  readonly #options: LineOptions
  #settings: LineSettings
  #breaker: Breaker

  constructor(options: LineOptions, settings: LineSettings) {
    this.#options = options
    this.#settings = settings
    this.pool = new SubscriptionPool(options, settings.tls)
    this.bulkhead = new Bulkhead(settings.maxConcurrency)
    this.health = new Health(options.clock)
    this.#breaker = this.#newBreaker(settings)
  }

  get breaker(): Breaker {
    return this.#breaker
  }

  /** Takes over changed settings; the breaker starts anew only when its own have changed. */
  adopt(settings: LineSettings): void {
    if (settings === this.#settings) return
    this.#settings = settings
    this.bulkhead.limit = settings.maxConcurrency
    this.pool.adopt(settings.tls)
    if (sameSettings(settings.breaker, this.#breaker.settings)) return
    // Tells whoever watches that an open one is gone, too.
    this.#breaker.reset()
    this.#breaker.close()
    this.#breaker = this.#newBreaker(settings)
  }

  /** Lets go of everything; what is under way may finish. */
  retire(): void {
    this.#breaker.close()
    this.pool.retire()
  }

  destroy(): void {
    this.#breaker.close()
    this.pool.destroy()
  }

  #newBreaker({ id, breaker }: LineSettings): Breaker {
    const { clock, journal } = this.#options
    return new Breaker({
      settings: breaker,
      clock,
      onChange: (state) => journal.record({ kind: 'breaker.changed', subscriptionId: id, state }),
    })
  }
}

function sameSettings(left: BreakerSettings, right: BreakerSettings): boolean {
  return (
    left === right ||
    (left.failureRate === right.failureRate &&
      left.minimumCalls === right.minimumCalls &&
      left.windowMs === right.windowMs &&
      left.openMs === right.openMs &&
      left.consecutiveFailures === right.consecutiveFailures)
  )
}

export class Lines {
  readonly #options: LineOptions
  readonly #lines: BoundedMap<string, Line>
  #isClosed = false

  constructor(options: LineOptions, linesMax: number = LINES_MAX) {
    this.#options = options
    this.#lines = new BoundedMap(linesMax, (line) => line.retire())
  }

  of(settings: LineSettings): Line {
    const known = this.#lines.get(settings.id)
    if (known !== undefined) {
      known.adopt(settings)
      return known
    }
    const line = new Line(this.#options, settings)
    this.#lines.set(settings.id, line)
    return line
  }

  healthOf(subscriptionId: string): SubscriptionHealth {
    const line = this.#lines.peek(subscriptionId)
    if (line === undefined) return { ...NO_HEALTH, breaker: 'closed', inFlight: 0 }
    return {
      ...line.health.summary(),
      breaker: line.breaker.state,
      inFlight: line.bulkhead.inFlight,
    }
  }

  breakerOf(subscriptionId: string): BreakerState {
    return this.#lines.peek(subscriptionId)?.breaker.state ?? 'closed'
  }

  resetBreaker(subscriptionId: string): void {
    this.#lines.peek(subscriptionId)?.breaker.reset()
  }

  forget(subscriptionId: string): void {
    this.#lines.peek(subscriptionId)?.retire()
    this.#lines.delete(subscriptionId)
  }

  /** What fails from then on was broken off by this gateway. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  close(): void {
    this.#isClosed = true
    for (const line of this.#lines.drain()) line.destroy()
  }
}
