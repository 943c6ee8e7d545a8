/**
 * One HTTP call with one absolute deadline. undici's own limits are not enough: an abort signal is ignored
 * while a request is queued or its socket is connecting, its body timeout begins anew with each byte, and
 * its timers tick once a second. So the call is dispatched at the lowest level and keeps its own timer,
 * which settles the result at the deadline wherever the request is; the request is then broken off as soon
 * as undici hands over the means to.
 *
 * The result settles exactly once and never rejects. Redirects are replies like any other: nobody follows
 * them. Only a call whose connection could not be made is tried again, once, within the same deadline:
 * whatever has been sent may have been heard.
 */
import type { Dispatcher } from 'undici'
import type { Clock } from '../../app/ports.ts'
import type { FailureCause } from '../../domain/verdict.ts'
import { failureOf } from './failure-cause.ts'

export const REPLY_BYTES_MAX = 256 * 1024
/** Informational replies (1xx) before the real one; more is a game. */
const INTERIM_REPLIES_MAX = 8

/** Names and values in turn. */
export type HeaderList = readonly string[]

export type CallOrder = {
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: HeaderList
  readonly body: string | null
  readonly budgetMs: number
}

export type ReplyHeaders = Readonly<Record<string, string | string[] | undefined>>

export type CallOutcome =
  | {
      readonly kind: 'reply'
      readonly status: number
      readonly headers: ReplyHeaders
      readonly body: Uint8Array
    }
  | { readonly kind: 'failed'; readonly cause: FailureCause; readonly detail: string }
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

/** Why we broke off; undici wants an error, nobody reads it. */
const BROKEN_OFF = new Error('the call was broken off')

class GuardedCall implements CallHandle, Dispatcher.DispatchHandler {
  readonly result: Promise<CallOutcome>
  readonly #order: CallOrder
  readonly #stopTimer: () => void
  #resolve: (outcome: CallOutcome) => void = () => {}
  #controller: Dispatcher.DispatchController | null = null
  #isOver = false
  #hasRetried = false
  #interimReplies = 0
  #status = 0
  #headers: ReplyHeaders = {}
  #chunks: Buffer[] = []
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
    const { dispatcher, method, path, headers, body } = this.#order
    try {
      dispatcher.dispatch({ method, path, headers: headers as string[], body }, this)
    } catch (error) {
      this.#end({ kind: 'failed', ...failureOf(error) })
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isOver) controller.abort(BROKEN_OFF)
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: ReplyHeaders,
  ): void {
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

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes > REPLY_BYTES_MAX) this.#failAsTooLarge()
    else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    const [first = NO_BODY, second] = this.#chunks
    const body = second === undefined ? first : Buffer.concat(this.#chunks, this.#bytes)
    this.#end({ kind: 'reply', status: this.#status, headers: this.#headers, body })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#isOver) return
    const { cause, detail, mayRetry } = failureOf(error)
    if (mayRetry && !this.#hasRetried) {
      this.#hasRetried = true
      // Not here: the dispatcher is in the middle of putting the failed connection away.
      queueMicrotask(() => {
        if (!this.#isOver) this.#dispatch()
      })
      return
    }
    this.#end({ kind: 'failed', cause, detail })
  }

  #timeOut(): void {
    const state = this.#status === 0 ? 'no reply' : 'an unfinished reply'
    this.#fail('timeout', `${state} after ${Math.round(this.#order.budgetMs)} ms`)
  }

  #failAsTooLarge(): void {
    this.#fail('reply_too_large', `the reply is larger than ${REPLY_BYTES_MAX} bytes`)
  }

  #fail(cause: FailureCause, detail: string): void {
    this.#breakOff({ kind: 'failed', cause, detail })
  }

  #breakOff(outcome: CallOutcome): void {
    if (this.#isOver) return
    this.#end(outcome)
    this.#controller?.abort(BROKEN_OFF)
  }

  #end(outcome: CallOutcome): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#stopTimer()
    this.#chunks = []
    this.#resolve(outcome)
  }
}
