/**
 * What goes out for a question, a notification or an action: the neutral message, the dialect's request and the
 * gateway's own headers. A body that does not depend on the subscriber is encoded once for each inquiry,
 * however many are asked.
 */
import type { Clock, Dispatch, Inquiry, Question } from '../../app/ports.ts'
import type { ActionCall } from '../../app/run-action.ts'
import type { Signing } from '../../dialects/dialect.ts'
import { DIALECTS } from '../../dialects/index.ts'
import { buildRequest, type OutgoingRequest, validSecrets } from '../../dialects/request.ts'
import type { NeutralMessage } from '../../domain/notification.ts'
import { type DialectName, MASK, type Subscription } from '../../domain/subscription.ts'
import { overlay } from '../../domain/values.ts'
import { type CallHandle, startCall } from './call.ts'
import type { HeaderList } from './http1/connection.ts'
import type { Line, LineSettings } from './lines.ts'

function questionMessage(
  { subscription, inquiry }: Question,
  sequenceId: number | null,
): NeutralMessage {
  const { change, decisionId, occurredAtMs, deadlineAtMs, dryRun, look } = inquiry
  return {
    // Another question than before has another id: receivers drop what they have seen already.
    id:
      look === 1 ? `${decisionId}_${subscription.id}` : `${decisionId}_${subscription.id}_${look}`,
    event: change.event,
    occurredAtMs,
    accountId: change.accountId,
    accountNumber: null,
    catalogId: change.catalogId,
    recordId: change.recordId,
    values: change.values,
    prevValues: change.prevValues,
    allValues: change.allValues,
    changedFields: change.changedFields,
    user: change.user,
    context: change.context,
    sequenceId,
    subscriptionId: subscription.id,
    decisionId,
    dryRun,
    deadlineAtMs,
  }
}

function dispatchMessage(dispatch: Dispatch): NeutralMessage {
  const { body, deliveryId, subscription, occurredAtMs, sequenceId, accountNumber } = dispatch
  const { secrets, ...told } = body
  return {
    ...told,
    values: secrets === undefined ? body.values : overlay(body.values, secrets),
    id: deliveryId,
    accountNumber,
    occurredAtMs,
    allValues: undefined,
    sequenceId,
    subscriptionId: subscription.id,
    dryRun: false,
    deadlineAtMs: null,
  }
}

/**
 * Bodies of the latest inquiry, by dialect. All who are asked about one change are asked in one go, so
 * remembering more would find nothing more.
 */
export class SharedBodies {
  #inquiry: Inquiry | null = null
  readonly #bodies = new Map<DialectName, string>()

  /** The body that this subscription shares with others; undefined when it has one of its own. */
  of(
    { subscription, inquiry }: Question,
    message: NeutralMessage,
    signing: Signing,
  ): string | undefined {
    const { dialect, parameters, method } = subscription
    if (parameters !== null || method === 'GET' || !DIALECTS[dialect].sharesBody) return undefined
    if (inquiry !== this.#inquiry) {
      this.#inquiry = inquiry
      this.#bodies.clear()
    }
    const known = this.#bodies.get(dialect)
    if (known !== undefined) return known
    const body = DIALECTS[dialect].encode(message, signing)
    this.#bodies.set(dialect, body)
    return body
  }
}

/** A request as it is sent. */
export type SentRequest = Omit<OutgoingRequest, 'headers'> & { readonly headers: HeaderList }

export type QuestionOrder = {
  readonly question: Question
  readonly sequenceId: number | null
  /** What is left of the question's budget. */
  readonly leftMs: number
}

export function questionRequest(
  { question, sequenceId, leftMs }: QuestionOrder,
  clock: Clock,
  sharedBodies: SharedBodies,
): SentRequest {
  const { subscription, inquiry } = question
  const message = questionMessage(question, sequenceId)
  const attemptAtMs = clock.wallMs()
  const secrets = validSecrets(subscription, attemptAtMs)
  const request = buildRequest({
    subscription,
    message,
    attemptAtMs,
    secrets,
    sharedBody: sharedBodies.of(question, message, { id: message.id, attemptAtMs, secrets }),
  })
  const headers = listOf(request.headers)
  headers.push('x-assent-deadline-ms', String(Math.max(0, Math.floor(leftMs))))
  headers.push('x-assent-decision', inquiry.decisionId, 'x-assent-chain', inquiry.chainToken)
  if (inquiry.traceparent !== undefined) headers.push('traceparent', inquiry.traceparent)
  return { method: request.method, url: request.url, headers, body: request.body }
}

/** No chain: a notification comes after the change, so nothing that it causes can be a loop. */
export function dispatchRequest(dispatch: Dispatch, clock: Clock): SentRequest {
  const { subscription, body } = dispatch
  const now = clock.wallMs()
  const request = buildRequest({
    subscription,
    message: dispatchMessage(dispatch),
    attemptAtMs: now,
    secrets: validSecrets(subscription, now),
  })
  const headers = listOf(request.headers)
  headers.push('x-assent-deadline-ms', String(subscription.timeoutMs))
  if (body.decisionId !== undefined) headers.push('x-assent-decision', body.decisionId)
  return { ...request, headers }
}

/** No decision and no chain: whoever presses a button is not in the middle of an approval. */
export function actionRequest(
  { action, message, traceparent }: ActionCall,
  clock: Clock,
): SentRequest {
  const attemptAtMs = clock.wallMs()
  const secrets = validSecrets(action, attemptAtMs)
  const request = buildRequest({ subscription: action, message, attemptAtMs, secrets })
  const headers = listOf(request.headers)
  headers.push('x-assent-deadline-ms', String(action.timeoutMs))
  if (traceparent !== undefined) headers.push('traceparent', traceparent)
  return { ...request, headers }
}

/** A list, because copying an object with such keys costs as much as signing does. */
function listOf(headers: OutgoingRequest['headers']): string[] {
  const list = ['accept-encoding', 'identity']
  for (const [name, value] of Object.entries(headers)) list.push(name, value)
  return list
}

export type SendOrder = {
  readonly line: Line
  readonly clock: Clock
  readonly settings: Pick<LineSettings, 'maxConcurrency' | 'maxInFlight'>
  readonly request: SentRequest
  readonly budgetMs: number
}

export function sendRequest(order: SendOrder): CallHandle {
  const { line, clock, settings, request, budgetMs } = order
  const { origin, path } = line.pool.target(request.url)
  // Places for notifications come on top: a slow receiver of those must not hold up a question.
  const connections = settings.maxConcurrency + settings.maxInFlight
  return startCall({
    pool: line.pool.to(origin, connections),
    clock,
    method: request.method,
    path,
    headers: request.headers,
    body: request.body,
    budgetMs,
  })
}

/** The headers as people may read them: without what the subscription keeps secret. */
export function maskedHeaders(
  headers: HeaderList,
  { auth, headers: own }: Pick<Subscription, 'auth' | 'headers'>,
): Readonly<Record<string, string>> {
  const secret = new Set(['authorization', ...Object.keys(own).map((name) => name.toLowerCase())])
  if (auth.type === 'custom') secret.add(auth.header.toLowerCase())
  const masked: Record<string, string> = {}
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? ''
    masked[name] = secret.has(name.toLowerCase()) ? MASK : (headers[index + 1] ?? '')
  }
  return masked
}

const SHOWN_BYTES_MAX = 4_096

/** The beginning of a reply as text. NUL goes, since a database's text cannot hold it. */
export function shownBody(body: Uint8Array): string {
  const text = new TextDecoder().decode(body.subarray(0, SHOWN_BYTES_MAX))
  return text.replaceAll('\u0000', '\uFFFD')
}
