/**
 * Bpium's webhooks, by their documentation of 2026-04-30. The status decides; the body brings a message
 * for the person and, for `record.updating`, values for the form. A number counts how often the hook has
 * fired, requests included, so the body is each subscription's own.
 */
import { Buffer } from 'node:buffer'
import { createHmac } from 'node:crypto'
import type { ChangeEvent } from '../domain/change.ts'
import type { DeliveryOutcome, NeutralMessage } from '../domain/notification.ts'
import { pick, type Values } from '../domain/values.ts'
import type { Answer, Remark } from '../domain/verdict.ts'
import type { Dialect, DialectReply, Signing } from './dialect.ts'
import {
  claimsJson,
  failed,
  headline,
  isEncoded,
  isPlainObject,
  isRedirect,
  isSuccess,
  readJson,
  remark,
} from './reply.ts'

// ---- out

function encode(message: NeutralMessage): string {
  return JSON.stringify({
    timestamp: String(Math.floor(message.occurredAtMs / 1_000)),
    hook: {
      id: message.subscriptionId,
      event: message.event,
      sequenceId: message.sequenceId ?? 0,
    },
    payload: payloadOf(message),
    // Receivers written for Bpium read `user.id` without asking whether there is a user.
    user: { id: message.user?.id ?? null },
  })
}

/** Which members each kind of event has. Business events look like creations: all values, no previous. */
function payloadOf(message: NeutralMessage): Values {
  const { event, catalogId, recordId, values, prevValues, allValues, changedFields } = message
  if (event === 'record.before.created') return { catalogId, values: values ?? {} }
  if (event.endsWith('.deleted')) return { catalogId, recordId }
  const changed = pick(values, changedFields)
  if (event === 'record.updating') return { catalogId, recordId, values: changed, allValues }
  if (event.endsWith('.updated')) return { catalogId, recordId, values: changed, prevValues }
  return { catalogId, recordId, values: values ?? {} }
}

/** There is room for one signature: during a rotation the current secret's. */
function sign(body: string, { secrets: [current] }: Signing): Readonly<Record<string, string>> {
  if (current === undefined) return {}
  return { 'x-hook-signature': createHmac('md5', current).update(body).digest('base64') }
}

// ---- in

/** 410 asks to remove the hook, and is a success for the change at hand. */
const succeeds = (status: number): boolean =>
  isSuccess(status) || isRedirect(status) || status === 410

function readAnswer(event: ChangeEvent, reply: DialectReply): Answer {
  const { status } = reply
  const said = bodyOf(reply)
  if (succeeds(status)) {
    const remarks = remarksOf(said, 'info')
    return event === 'record.updating'
      ? suggestionsOf(reply, said, remarks)
      : { kind: 'allow', remarks, values: undefined }
  }
  const remarks = remarksOf(said, 'error')
  if (status >= 400 && status <= 499) return { kind: 'deny', remarks, values: undefined }
  return failed('bad_status', `Status ${status}.`, remarks)
}

/** The body, where it is a JSON object; a status needs none to count. */
function bodyOf(reply: DialectReply): Values | undefined {
  const reading = readJson(reply)
  return 'fault' in reading || !isPlainObject(reading.value) ? undefined : reading.value
}

/**
 * A body that was meant to fill in the form and cannot be read is a failure: to drop it would leave the
 * person with a form that only looks checked. A body that is no JSON at all was never meant for it.
 */
function suggestionsOf(
  reply: DialectReply,
  said: Values | undefined,
  remarks: readonly Remark[],
): Answer {
  const reading = readJson(reply)
  if (!('fault' in reading) && reading.mended !== undefined) {
    return failed('bad_reply', reading.mended)
  }
  if (said === undefined) {
    const isUnread = reply.body.length > 0 && (claimsJson(reply) || isEncoded(reply))
    if (isUnread) return failed('bad_reply', faultOf(reply))
    return { kind: 'allow', remarks, values: undefined }
  }
  const values = said.values ?? undefined
  if (isPlainObject(values)) return { kind: 'allow', remarks, values }
  // PHP writes an empty map as an empty list.
  const isNone = values === undefined || (Array.isArray(values) && values.length === 0)
  if (isNone) return { kind: 'allow', remarks, values: undefined }
  return failed('bad_reply', 'The values of the reply are not an object.')
}

function faultOf(reply: DialectReply): string {
  const reading = readJson(reply)
  return 'fault' in reading ? reading.fault : 'The reply is not a JSON object.'
}

function remarksOf(said: Values | undefined, severity: Remark['severity']): Remark[] {
  return remark(severity, messageOf(said?.message))
}

/** A string or `{title, text}`; ours too: a text in several languages. */
function messageOf(message: unknown): Remark['message'] | undefined {
  if (typeof message === 'string') return message === '' ? undefined : { text: message }
  if (!isPlainObject(message)) return undefined
  if (typeof message.text !== 'string') return headline({ message })
  const { title, text } = message
  return typeof title === 'string' ? { title, text } : { text }
}

function readReceipt({ status }: DialectReply): DeliveryOutcome {
  if (status === 410) return 'delivered_last'
  return succeeds(status) ? 'delivered' : 'retry'
}

// ---- secrets

export function secretFault(secret: string): string | null {
  const isUsable = /^[^\u0000-\u001f\u007f-\u009f]{1,256}$/.test(secret)
  return isUsable ? null : 'A secret has 1 to 256 characters, none of them a control character.'
}

export function newSecret(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

export const bpium: Dialect = {
  takesRequests: true,
  countsRequests: true,
  sharesBody: false,
  encode,
  sign,
  readAnswer,
  readReceipt,
  secretFault,
  newSecret,
}
