/**
 * Connections of one subscription. Each has its own pool, so that a slow receiver can only use up its own
 * connections.
 */
import type { Clock } from '../../app/ports.ts'
import { type Connect, ConnectionPool } from './http1/connection-pool.ts'

/** Where a request goes. */
export type Target = { readonly origin: string; readonly path: string }

export type SubscriptionPoolOptions = { readonly connect: Connect; readonly clock: Clock }

/** The pool of one subscription, made when first needed and again when its origin or size changes. */
export class SubscriptionPool {
  readonly #options: SubscriptionPoolOptions
  #pool: ConnectionPool | null = null
  #origin = ''
  #connections = 0
  #url = ''
  #target: Target = { origin: '', path: '/' }

  constructor(options: SubscriptionPoolOptions) {
    this.#options = options
  }

  /** Where a URL leads. Parsing costs more than the rest of a call's bookkeeping, so the last is kept. */
  target(url: string): Target {
    if (url !== this.#url) {
      const { origin, pathname, search } = new URL(url)
      this.#target = { origin, path: pathname + search }
      this.#url = url
    }
    return this.#target
  }

  to(origin: string, connections: number): ConnectionPool {
    if (this.#pool !== null && origin === this.#origin && connections === this.#connections) {
      return this.#pool
    }
    this.retire()
    this.#origin = origin
    this.#connections = connections
    const { connect, clock } = this.#options
    this.#pool = new ConnectionPool(origin, { connect, clock, connections })
    return this.#pool
  }

  /** Lets the calls under way finish and keeps nothing. */
  retire(): void {
    this.#pool?.close()
    this.#pool = null
  }

  /** Breaks off whatever is under way. */
  destroy(): void {
    this.#pool?.destroy()
    this.#pool = null
  }
}
