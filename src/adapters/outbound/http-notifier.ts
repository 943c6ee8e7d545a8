/**
 * Sends one notification once. No breaker: the retry policy is the patience that a notification needs, and
 * its relay limits how many are under way. A call that fails asks for a retry, whatever the cause.
 */
import type { Clock, Dispatch, DispatchResult, Journal, Notifier } from '../../app/ports.ts'
import { DIALECTS } from '../../dialects/index.ts'
import type { DeliveryOutcome } from '../../domain/notification.ts'
import { retryAfterMs } from '../../domain/retry.ts'
import type { CallOutcome } from './call.ts'
import type { ReplyHeaders } from './http1/reply-parser.ts'
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

type Ending = Pick<DispatchResult, 'outcome' | 'status' | 'retryAfterMs' | 'error' | 'reply'>

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
    const call = sendRequest({ line, clock, subscription, request, budgetMs })
    ending = endingOf(dispatch, await call.result, clock.wallMs())
  } catch (error) {
    journal.record({ kind: 'request.crashed', requestId: dispatch.deliveryId, error })
    ending = failedEnding('internal fault')
  }
  return { ...ending, requestHeaders, durationMs: Math.round(clock.monotonicMs() - startedAt) }
}

function endingOf(dispatch: Dispatch, outcome: CallOutcome, nowMs: number): Ending {
  if (outcome.kind === 'cancelled') return failedEnding('the call was broken off')
  if (outcome.kind === 'failed') return failedEnding(`${outcome.cause}: ${outcome.detail}`)
  const receipt = DIALECTS[dispatch.subscription.dialect].readReceipt(outcome)
  return {
    outcome: receipt,
    status: outcome.status,
    retryAfterMs: retryAfterMs(firstOf(outcome.headers, 'retry-after'), nowMs),
    error: errorText(receipt, outcome.status),
    reply: shownBody(outcome.body),
  }
}

function failedEnding(error: string): Ending {
  return { outcome: 'retry', status: undefined, retryAfterMs: undefined, error, reply: '' }
}

function errorText(outcome: DeliveryOutcome, status: number): string | null {
  switch (outcome) {
    case 'delivered':
      return null
    case 'retry':
      return `the receiver answered ${status}`
    case 'disable':
      return `the receiver answered ${status} and wants no more notifications`
    case 'abort':
      return `the receiver answered ${status} and does not want this notification`
  }
}

function firstOf(headers: ReplyHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'object' ? value[0] : value
}
