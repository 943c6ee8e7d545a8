/**
 * One HTTP call with one absolute deadline over waiting for a connection, connecting, sending, and the
 * whole reply. At the deadline the result settles wherever the request is, and the request is broken off.
 *
 * The result settles exactly once and never rejects. Redirects are replies like any other: nobody follows
 * them. Only a call whose connection could not be made is tried again, once, within the same deadline:
 * whatever has been sent may have been heard.
 */
import type { Clock } from '../../app/ports.ts'
import type { DialectReply } from '../../dialects/dialect.ts'
import type { FailureCause } from '../../domain/verdict.ts'
import { failureOf } from './failure-cause.ts'
import type { ExchangeListener, HeaderList } from './http1/connection.ts'
import type { ConnectionPool } from './http1/connection-pool.ts'
import type { ReplyHeaders } from './http1/reply-parser.ts'

export const REPLY_BYTES_MAX = 256 * 1024
/** Informational replies (1xx) before the real one; more is a game. */
const INTERIM_REPLIES_MAX = 8

export type CallOrder = {
  readonly pool: ConnectionPool
  readonly clock: Clock
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: HeaderList
  readonly body: string | null
  readonly budgetMs: number
}

export type CallOutcome =
  | {
      readonly kind: 'reply'
      readonly status: number
      readonly headers: ReplyHeaders
      readonly body: Uint8Array
    }
  | {
      readonly kind: 'failed'
      readonly cause: FailureCause
      readonly detail: string
      /** It went wrong on the way out, which says nothing about the receiver. */
      readonly isOnTheWay?: boolean | undefined
      /** What was read of a reply that was too large. */
      readonly begun?: DialectReply | undefined
    }
  | { readonly kind: 'cancelled' }

export type CallHandle = {
  readonly result: Promise<CallOutcome>
  /** Breaks the call off; the result is `cancelled` unless it was there already. */
  cancel(): void
}

export function startCall(order: CallOrder): CallHandle {
  return new GuardedCall(order)
}

const CANCELLED: CallOutcome = { kind: 'cancelled' }
const NO_BODY = new Uint8Array(0)

class GuardedCall implements CallHandle, ExchangeListener {
  readonly result: Promise<CallOutcome>
  readonly #order: CallOrder
  readonly #stopTimer: () => void
  #resolve: (outcome: CallOutcome) => void = () => {}
  #abort: () => void = () => {}
  #isOver = false
  #hasRetried = false
  #interimReplies = 0
  #status = 0
  #headers: ReplyHeaders = {}
  /** The first piece of the body itself; from the second on a buffer of ours, with room to grow. */
  #body: Uint8Array = NO_BODY
  #bytes = 0

  constructor(order: CallOrder) {
    this.#order = order
    this.result = new Promise((resolve) => {
      this.#resolve = resolve
    })
    this.#stopTimer = order.clock.schedule(order.budgetMs, () => this.#timeOut())
    this.#dispatch()
  }

  cancel(): void {
    this.#breakOff(CANCELLED)
  }

  #dispatch(): void {
    const { pool, method, path, headers, body } = this.#order
    try {
      this.#abort = pool.dispatch({ method, path, headers, body }, this)
    } catch (error) {
      this.#end({ kind: 'failed', ...failureOf(error) })
    }
  }

  onHead(status: number, headers: ReplyHeaders): void {
    if (status < 200) {
      this.#interimReplies += 1
      if (this.#interimReplies > INTERIM_REPLIES_MAX) {
        this.#fail('bad_reply', `more than ${INTERIM_REPLIES_MAX} informational replies`)
      }
      return
    }
    this.#status = status
    this.#headers = headers
    if (Number(headers['content-length']) > REPLY_BYTES_MAX) this.#failAsTooLarge()
  }

  onBody(chunk: Buffer): void {
    const from = this.#bytes
    this.#bytes += chunk.length
    if (this.#bytes > REPLY_BYTES_MAX) return this.#failAsTooLarge()
    if (from === 0) {
      this.#body = chunk
      return
    }
    if (this.#bytes > this.#body.length) this.#body = enlarged(this.#body, from, this.#bytes * 2)
    this.#body.set(chunk, from)
  }

  onEnd(): void {
    const body = this.#body.subarray(0, this.#bytes)
    this.#end({ kind: 'reply', status: this.#status, headers: this.#headers, body })
  }

  onError(error: Error): void {
    if (this.#isOver) return
    const { cause, detail, mayRetry, isOnTheWay } = failureOf(error)
    if (mayRetry && !this.#hasRetried) {
      this.#hasRetried = true
      // Not here: the pool is in the middle of putting the failed connection away.
      queueMicrotask(() => {
        if (!this.#isOver) this.#dispatch()
      })
      return
    }
    this.#end({ kind: 'failed', cause, detail, isOnTheWay })
  }

  #timeOut(): void {
    if (this.#order.pool.isHeldAtProxy(this)) {
      const detail = `the egress proxy opened no tunnel within ${Math.round(this.#order.budgetMs)} ms`
      return this.#breakOff({ kind: 'failed', cause: 'timeout', detail, isOnTheWay: true })
    }
    const state = this.#status === 0 ? 'no reply' : 'an unfinished reply'
    this.#fail('timeout', `${state} after ${Math.round(this.#order.budgetMs)} ms`)
  }

  #failAsTooLarge(): void {
    const detail = `the reply is larger than ${REPLY_BYTES_MAX} bytes`
    const begun = { status: this.#status, headers: this.#headers, body: this.#body }
    this.#breakOff({ kind: 'failed', cause: 'reply_too_large', detail, begun })
  }

  #fail(cause: FailureCause, detail: string): void {
    this.#breakOff({ kind: 'failed', cause, detail })
  }

  #breakOff(outcome: CallOutcome): void {
    if (this.#isOver) return
    this.#end(outcome)
    this.#abort()
  }

  #end(outcome: CallOutcome): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#stopTimer()
    this.#body = NO_BODY
    this.#resolve(outcome)
  }
}

/**
 * Pieces are copied together as they come: a list of them would let a reply of one-byte chunks cost a
 * hundred times its size.
 */
function enlarged(bytes: Uint8Array, used: number, length: number): Uint8Array {
  const larger = new Uint8Array(Math.min(length, REPLY_BYTES_MAX))
  larger.set(bytes.subarray(0, used))
  return larger
}
