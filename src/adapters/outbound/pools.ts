/**
 * Connections of one subscription. Each has its own pool, so that a slow receiver can only use up its own
 * connections.
 */
import type { Clock } from '../../app/ports.ts'
import type { TlsSettings } from '../../domain/subscription.ts'
import { type Connect, ConnectionPool } from './http1/connection-pool.ts'
import { sameTls } from './trust.ts'

/** Makes a guarded connection, with TLS settings of its own where there are any. */
export type Dial = (
  ...args: [...Parameters<Connect>, tls?: TlsSettings | undefined]
) => ReturnType<Connect>

/** Where a request goes. */
export type Target = { readonly origin: string; readonly path: string }

export type SubscriptionPoolOptions = { readonly connect: Dial; readonly clock: Clock }

/** The pool of one subscription, made when first needed and again when its origin, size or TLS settings change. */
export class SubscriptionPool {
  readonly #options: SubscriptionPoolOptions
  #tls: TlsSettings | undefined
  #pool: ConnectionPool | null = null
  #origin = ''
  #connections = 0
  #url = ''
  #target: Target = { origin: '', path: '/' }

  constructor(options: SubscriptionPoolOptions, tls?: TlsSettings) {
    this.#options = options
    this.#tls = tls
  }

  /** A connection made under other settings would go on trusting whom nobody trusts any more. */
  adopt(tls: TlsSettings | undefined): void {
    if (sameTls(tls, this.#tls)) return
    this.#tls = tls
    this.retire()
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
    const { connect: dial, clock } = this.#options
    const tls = this.#tls
    const connect: Connect = (to, callback) => dial(to, callback, tls)
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
