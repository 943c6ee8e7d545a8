/**
 * Sends one notification once. No breaker: the retry policy is the patience that a notification needs, and
 * its relay limits how many are under way. A call that fails asks for a retry, whatever the cause.
 */
import type { Clock, Dispatch, DispatchResult, Journal, Notifier } from '../../app/ports.ts'
import type { DialectReply } from '../../dialects/dialect.ts'
import { DIALECTS } from '../../dialects/index.ts'
import type { DeliveryOutcome } from '../../domain/notification.ts'
import { retryAfterMs } from '../../domain/retry.ts'
import { MASK } from '../../domain/subscription.ts'
import type { CallOutcome } from './call.ts'
import type { Lines } from './lines.ts'
import { dispatchRequest, maskedHeaders, sendRequest, shownBody } from './outgoing.ts'

export type NotifierOptions = {
  readonly clock: Clock
  readonly journal: Journal
  readonly lines: Lines
}

export function createNotifier(options: NotifierOptions): Notifier {
  return { send: (dispatch) => send(options, dispatch) }
}

type Ending = Pick<
  DispatchResult,
  'outcome' | 'isOnTheWay' | 'status' | 'retryAfterMs' | 'error' | 'reply'
>

async function send(options: NotifierOptions, dispatch: Dispatch): Promise<DispatchResult> {
  const { clock, journal, lines } = options
  const { subscription } = dispatch
  const startedAt = clock.monotonicMs()
  let requestHeaders: DispatchResult['requestHeaders'] = {}
  let ending: Ending
  try {
    const request = dispatchRequest(dispatch, clock)
    requestHeaders = maskedHeaders(request.headers, subscription)
    const line = lines.of(subscription)
    const budgetMs = subscription.timeoutMs
    const call = sendRequest({ line, clock, settings: subscription, request, budgetMs })
    const outcome = await call.result
    // A connection that is destroyed when this gateway stops looks like one that the receiver has lost.
    const isBrokenOff = lines.isClosed && outcome.kind === 'failed' && outcome.begun === undefined
    ending = endingOf(dispatch, isBrokenOff ? { kind: 'cancelled' } : outcome, clock.wallMs())
  } catch (error) {
    journal.record({ kind: 'request.crashed', requestId: dispatch.deliveryId, error })
    ending = failedEnding('internal fault')
  }
  return { ...ending, requestHeaders, durationMs: Math.round(clock.monotonicMs() - startedAt) }
}

function endingOf(dispatch: Dispatch, outcome: CallOutcome, nowMs: number): Ending {
  if (outcome.kind === 'cancelled') {
    return { ...failedEnding('this gateway broke the call off'), outcome: 'broken_off' }
  }
  // Nobody reads what is said to a notification: a reply that is too large has a status all the same.
  const reply = outcome.kind === 'reply' ? outcome : outcome.begun
  if (reply === undefined) {
    const isOnTheWay = outcome.kind === 'failed' && outcome.isOnTheWay === true
    return { ...failedEnding(reasonOf(outcome)), ...(isOnTheWay && { isOnTheWay }) }
  }
  const receipt = DIALECTS[dispatch.subscription.dialect].readReceipt(reply)
  return {
    outcome: receipt,
    status: reply.status,
    retryAfterMs: retryAfterMs(firstOf(reply.headers, 'retry-after'), nowMs),
    error: errorText(receipt, reply.status),
    reply: shownReply(reply.body, dispatch),
  }
}

/** A receiver that repeats what it got must not bring a token into the log, nor a part of one. */
function shownReply(reply: Uint8Array, { body: { secrets } }: Dispatch): string {
  if (secrets === undefined) return shownBody(reply)
  const text = new TextDecoder().decode(reply)
  const masked = Object.values(secrets).reduce((rest, one) => rest.replaceAll(one, MASK), text)
  return shownBody(new TextEncoder().encode(masked))
}

/** What the TLS library says has line breaks in it. */
function reasonOf(outcome: CallOutcome): string {
  return outcome.kind === 'failed' ? `${outcome.cause}: ${outcome.detail}`.trim() : ''
}

function failedEnding(error: string): Ending {
  return { outcome: 'retry', status: undefined, retryAfterMs: undefined, error, reply: '' }
}

function errorText(outcome: DeliveryOutcome, status: number): string | null {
  switch (outcome) {
    case 'delivered':
      return null
    case 'delivered_last':
      return 'the receiver took it and wants no more notifications'
    case 'retry':
      return `the receiver answered ${status}`
    case 'disable':
      return `the receiver answered ${status} and wants no more notifications`
    case 'abort':
      return `the receiver answered ${status} and does not want this notification`
  }
}

function firstOf(headers: DialectReply['headers'], name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'object' ? value[0] : value
}
