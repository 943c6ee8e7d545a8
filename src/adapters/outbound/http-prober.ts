/**
 * Tries out a subscription for the person who sets it up: the same request over the same guarded call, but
 * past breaker and bulkhead, which would only hide what the person wants to see. It takes a number of the
 * counter like any other request, since the receiver sees it.
 */
import type { Clock, Dispatch, Exchange, Prober, Question, Sequences } from '../../app/ports.ts'
import { DIALECTS } from '../../dialects/index.ts'
import type { Subscription } from '../../domain/subscription.ts'
import type { Answer } from '../../domain/verdict.ts'
import type { CallOutcome } from './call.ts'
import { answerOf, failed } from './http-asker.ts'
import type { ReplyHeaders } from './http1/reply-parser.ts'
import type { Lines } from './lines.ts'
import {
  dispatchRequest,
  maskedHeaders,
  questionRequest,
  type SharedBodies,
  sendRequest,
  shownBody,
} from './outgoing.ts'

export type ProberOptions = {
  readonly clock: Clock
  readonly sequences: Sequences
  readonly lines: Lines
  readonly sharedBodies: SharedBodies
}

export function createProber(options: ProberOptions): Prober {
  return {
    probe: (question) => probe(options, question),
    tell: (dispatch) => tell(options, dispatch),
  }
}

async function probe(options: ProberOptions, question: Question): Promise<Exchange> {
  const { clock, sequences, lines, sharedBodies } = options
  const { subscription, budgetMs } = question
  const sequenceId = DIALECTS[subscription.dialect].countsRequests
    ? await sequences.next(subscription.accountId, subscription.id)
    : null
  const startedAt = clock.monotonicMs()
  const request = questionRequest({ question, sequenceId, leftMs: budgetMs }, clock, sharedBodies)
  const line = lines.of(subscription)
  const outcome = await sendRequest({ line, clock, settings: subscription, request, budgetMs })
    .result
  return {
    request: { ...request, headers: maskedHeaders(request.headers, subscription) },
    reply: shownReply(outcome),
    answer: answerOf(question, outcome).answer,
    durationMs: Math.round(clock.monotonicMs() - startedAt),
  }
}

async function tell({ clock, lines }: ProberOptions, dispatch: Dispatch): Promise<Exchange> {
  const { subscription } = dispatch
  const startedAt = clock.monotonicMs()
  const request = dispatchRequest(dispatch, clock)
  const line = lines.of(subscription)
  const budgetMs = subscription.timeoutMs
  const outcome = await sendRequest({ line, clock, settings: subscription, request, budgetMs })
    .result
  return {
    request: { ...request, headers: maskedHeaders(request.headers, subscription) },
    reply: shownReply(outcome),
    answer: receiptOf(subscription, outcome),
    durationMs: Math.round(clock.monotonicMs() - startedAt),
  }
}

function receiptOf({ dialect }: Subscription, outcome: CallOutcome): Answer {
  if (outcome.kind === 'cancelled') return { kind: 'cancelled' }
  if (outcome.kind === 'failed') return failed(outcome.cause, outcome.detail)
  const receipt = DIALECTS[dialect].readReceipt(outcome)
  if (receipt === 'delivered' || receipt === 'delivered_last')
    return { kind: 'allow', remarks: [], values: undefined }
  return failed('bad_status', `status ${outcome.status} asks for: ${receipt}`)
}

function shownReply(outcome: CallOutcome): Exchange['reply'] {
  if (outcome.kind !== 'reply') return null
  const { status, headers, body } = outcome
  return { status, headers: joinedHeaders(headers), body: shownBody(body) }
}

function joinedHeaders(headers: ReplyHeaders): Readonly<Record<string, string>> {
  const joined = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, typeof value === 'string' ? value : value.join(', ')]],
  )
  return Object.fromEntries(joined)
}
