/**
 * Connections of one subscription. Each has its own pool, so that a slow receiver can only use up its own
 * connections. undici's limits in time are off: every call has one absolute deadline (see call.ts).
 */

import type { buildConnector } from 'undici'
import { type Dispatcher, Pool } from 'undici'

const POOL_LIMITS = {
  keepAliveMs: 30_000,
  headerBytesMax: 16 * 1024,
} as const

/** Where a request goes, split as undici wants it. */
export type Target = { readonly origin: string; readonly path: string }

function openPool(origin: string, connections: number, connect: buildConnector.connector): Pool {
  return new Pool(origin, {
    connect,
    connections,
    pipelining: 1,
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: POOL_LIMITS.keepAliveMs,
    keepAliveMaxTimeout: POOL_LIMITS.keepAliveMs,
    maxHeaderSize: POOL_LIMITS.headerBytesMax,
  })
}

/** The pool of one subscription, made when first needed and again when its origin or size changes. */
export class SubscriptionPool {
  readonly #connect: buildConnector.connector
  #pool: Pool | null = null
  #origin = ''
  #connections = 0
  #url = ''
  #target: Target = { origin: '', path: '/' }

  constructor(connect: buildConnector.connector) {
    this.#connect = connect
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

  dispatcher(origin: string, connections: number): Dispatcher {
    if (this.#pool !== null && origin === this.#origin && connections === this.#connections) {
      return this.#pool
    }
    this.retire()
    this.#origin = origin
    this.#connections = connections
    this.#pool = openPool(origin, connections, this.#connect)
    return this.#pool
  }

  /** Lets the calls under way finish and keeps nothing. */
  retire(): void {
    const pool = this.#pool
    this.#pool = null
    // Closing cannot fail in a way that anybody could do something about.
    if (pool !== null) void pool.close().catch(() => {})
  }

  /** Breaks off whatever is under way. */
  async destroy(): Promise<void> {
    const pool = this.#pool
    this.#pool = null
    await pool?.destroy()
  }
}
