/**
 * Standard Webhooks 1.0.0. What a reply must say to allow is spelled out by it: 204, or 200 with
 * `"decision":"allow"` and no error beside it. Silence, a shape of somebody else's, HTML: all failures.
 */
import { Buffer } from 'node:buffer'
import { createHmac, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { z } from 'zod'
import type { ChangeEvent } from '../domain/change.ts'
import type { DeliveryOutcome, NeutralMessage } from '../domain/notification.ts'
import { unreachable } from '../domain/problem.ts'
import type { Answer } from '../domain/verdict.ts'
import type { Dialect, DialectReply, Signing } from './dialect.ts'
import {
  ALLOW,
  failed,
  headerValues,
  headline,
  isEncoded,
  isPlainObject,
  isSuccess,
  listedErrors,
  misfit,
  REFUSING_STATUSES,
  readJson,
  readUnambiguousJson,
  remark,
  remarksOf,
  replyMembers,
  statusFailure,
} from './reply.ts'

// ---- out

/** The whole payload. Parameters of every dialect are pointers into this object. */
export function standardPayload(message: NeutralMessage) {
  return {
    type: message.event,
    timestamp: new Date(message.occurredAtMs).toISOString(),
    data: {
      accountId: message.accountId,
      catalogId: message.catalogId,
      recordId: message.recordId,
      values: message.values,
      prevValues: message.prevValues,
      allValues: message.allValues,
      changedFields: message.changedFields,
      user: message.user,
      context: message.context,
      sequenceId: message.sequenceId ?? undefined,
      decisionId: message.decisionId,
      dryRun: message.dryRun ? true : undefined,
      deadlineAt:
        message.deadlineAtMs === null ? undefined : new Date(message.deadlineAtMs).toISOString(),
    },
  }
}

function encode(message: NeutralMessage): string {
  return JSON.stringify(standardPayload(message))
}

const SECRET_PREFIX = 'whsec_'
const SECRET_BYTES = { min: 24, max: 64 } as const

const decodeSecret = (secret: string): Buffer =>
  Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64')

// Every question is signed, so a secret is decoded once. The map is emptied when full: it refills itself.
const decodedSecrets = new Map<string, Buffer>()
const DECODED_SECRETS_MAX = 4_096

function secretBytes(secret: string): Buffer {
  const known = decodedSecrets.get(secret)
  if (known !== undefined) return known
  if (decodedSecrets.size >= DECODED_SECRETS_MAX) decodedSecrets.clear()
  const bytes = decodeSecret(secret)
  decodedSecrets.set(secret, bytes)
  return bytes
}

function signHeaders(body: string, { id, attemptAtMs, secrets }: Signing) {
  const timestamp = String(Math.floor(attemptAtMs / 1_000))
  const content = `${id}.${timestamp}.${body}`
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', secretBytes(secret)).update(content).digest('base64')}`,
  )
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  }
}

// An ed25519 private key in PKCS #8 is this, followed by the 32 bytes of the seed (RFC 8410 §7).
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

function privateKey(seed: Uint8Array): KeyObject {
  const key = Buffer.concat([PKCS8_PREFIX, seed])
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}

/** The optional asymmetric signature over `${id}.${timestamp}.${body}`. */
export function signV1a(seed: Uint8Array, content: string): string {
  return `v1a,${sign(null, Buffer.from(content), privateKey(seed)).toString('base64')}`
}

/** The public key that verifies signV1a, as receivers are given it. */
export function publicKeyText(seed: Uint8Array): string {
  const { x = '' } = createPublicKey(privateKey(seed)).export({ format: 'jwk' })
  return `whpk_${Buffer.from(x, 'base64url').toString('base64')}`
}

// ---- in

function readAnswer(event: ChangeEvent, reply: DialectReply): Answer {
  if (isEncoded(reply)) return failed('bad_reply', 'The reply has a content-encoding.')
  if (reply.status === 204) return ALLOW
  if (reply.status === 200) {
    return event === 'record.updating' ? readSuggestions(reply) : readDecision(reply)
  }
  return REFUSING_STATUSES.has(reply.status) ? readRefusal(reply) : statusFailure(reply.status)
}

const decisionSchema = z.object({
  decision: z.enum(['allow', 'deny', 'confirm']),
  ...replyMembers,
  error: z.unknown().optional(),
  detail: z.unknown().optional(),
})
type SaidDecision = z.output<typeof decisionSchema>

function readDecision(reply: DialectReply): Answer {
  const reading = readUnambiguousJson(reply)
  if ('fault' in reading) return failed('bad_reply', reading.fault)
  const said = decisionSchema.safeParse(reading.value)
  if (!said.success) return failed('bad_reply', misfit(said.error))
  switch (said.data.decision) {
    case 'allow':
      return allowOf(said.data)
    case 'confirm':
      return confirmOf(said.data)
    case 'deny':
      return denyOf(said.data)
    default:
      return unreachable(said.data.decision)
  }
}

function allowOf(said: SaidDecision): Answer {
  const warnings = remarksOf(said.warnings, 'warning')
  if (listsErrors(said) || warnings.some(({ severity }) => severity === 'error')) {
    return failed('bad_reply', 'The reply says allow and lists errors.')
  }
  const remarks = [...warnings, ...remark('info', said.message)]
  // To ask for a confirmation under the name of a warning is still to ask for it.
  if (warnings.some(({ severity }) => severity === 'confirm')) return { kind: 'confirm', remarks }
  return { kind: 'allow', remarks, values: said.values }
}

function confirmOf(said: SaidDecision): Answer {
  const warnings = remarksOf(said.warnings, 'confirm')
  if (listsErrors(said) || warnings.some(({ severity }) => severity === 'error')) {
    return failed('bad_reply', 'The reply says confirm and lists errors.')
  }
  const asks = warnings.some(({ severity }) => severity === 'confirm')
  return {
    kind: 'confirm',
    remarks: [...warnings, ...remark(asks ? 'info' : 'confirm', said.message)],
  }
}

function denyOf(said: SaidDecision): Answer {
  const errors = remarksOf(said.errors, 'error')
  const warnings = remarksOf(said.warnings, 'warning')
  const spoken =
    errors.length > 0
      ? [...errors, ...warnings, ...remark('info', said.message)]
      : [...remark('error', said.message ?? headline(said)), ...warnings]
  return { kind: 'deny', remarks: spoken, values: undefined }
}

/** `error` is no member of a 200, but a reply that has one beside its allow says two things at once. */
function listsErrors({ errors, error }: SaidDecision): boolean {
  return (errors !== undefined && errors.length > 0) || Boolean(error)
}

const suggestionsSchema = z.object(replyMembers)

/** The reply to `record.updating`, where nothing is committed: an empty object has nothing to say. */
export function readSuggestions(reply: DialectReply): Answer {
  const reading = readUnambiguousJson(reply)
  if ('fault' in reading) return failed('bad_reply', reading.fault)
  const said = suggestionsSchema.safeParse(reading.value)
  if (!said.success) return failed('bad_reply', misfit(said.error))
  const { values, message } = said.data
  const errors = remarksOf(said.data.errors, 'error')
  // While a form is being filled in there is nothing yet that a person could confirm.
  const warnings = remarksOf(said.data.warnings, 'warning').map((one) =>
    one.severity === 'confirm' ? { ...one, severity: 'warning' as const } : one,
  )
  const isRefused = errors.length > 0 || warnings.some(({ severity }) => severity === 'error')
  const remarks = [...errors, ...warnings, ...remark('info', message)]
  if (reading.mended === undefined) return { kind: isRefused ? 'deny' : 'allow', remarks, values }
  // Nobody says \u0000 in a value of a form, or in the name of one, and means what was made of it.
  return isRefused
    ? { kind: 'deny', remarks, values: undefined }
    : failed('bad_reply', reading.mended)
}

const REASONS = ['message', 'error', 'errors', 'detail'] as const

/**
 * A refusing status is a deny when its body is empty or gives a reason. A proxy's HTML, or JSON about
 * something else, comes from somebody who was not asked about the change.
 */
function readRefusal(reply: DialectReply): Answer {
  if (reply.body.length === 0) return { kind: 'deny', remarks: [], values: undefined }
  const reading = readJson(reply)
  const said = 'fault' in reading ? undefined : reading.value
  if (!isPlainObject(said) || !REASONS.some((name) => (said[name] ?? null) !== null)) {
    const why = 'fault' in reading ? reading.fault : 'The reply gives no reason.'
    return failed('bad_status', `Status ${reply.status}. ${why}`)
  }
  const errors = listedErrors(said)
  const remarks =
    errors.length > 0
      ? [...errors, ...remark('info', headline(said))]
      : remark('error', headline(said))
  return { kind: 'deny', remarks, values: undefined }
}

/** What the receiver asks for in words outranks the status that it comes with. */
function readReceipt(reply: DialectReply): DeliveryOutcome {
  const wishes = headerValues(reply, 'webhook-delivery')
  if (reply.status === 410) return 'disable'
  if (wishes.includes('disable')) return isSuccess(reply.status) ? 'delivered_last' : 'disable'
  if (wishes.includes('abort-message')) return 'abort'
  return isSuccess(reply.status) ? 'delivered' : 'retry'
}

// ---- secrets

function secretFault(secret: string): string | null {
  const bytes = decodeSecret(secret)
  const isExact = secret === SECRET_PREFIX + bytes.toString('base64')
  if (isExact && bytes.length >= SECRET_BYTES.min && bytes.length <= SECRET_BYTES.max) return null
  return `A secret is "${SECRET_PREFIX}" and the base64 of ${SECRET_BYTES.min} to ${SECRET_BYTES.max} bytes.`
}

function newSecret(bytes: Uint8Array): string {
  return SECRET_PREFIX + Buffer.from(bytes).toString('base64')
}

export const standard: Dialect = {
  takesRequests: true,
  countsRequests: false,
  sharesBody: true,
  encode,
  sign: signHeaders,
  readAnswer,
  readReceipt,
  secretFault,
  newSecret,
}
