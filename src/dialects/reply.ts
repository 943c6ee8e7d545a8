/**
 * Reading replies. A reply is in the hands of somebody else: it may be cut, nested a thousand deep, say
 * two things at once, or come from a captive portal. So it is read in one order only: bytes → UTF-8 →
 * scanned → parsed → checked against a schema, and whatever does not get through to the end becomes a
 * failure, or a "no" without a text, but never an allow.
 *
 * Two readings live here. The strict one is for replies that speak to us (a 200 of the standard dialect):
 * wrong types make the whole reply unusable. The lenient one is for services that refuse in their own
 * words: their status has spoken, and we only look for a text to show.
 */
import { Buffer, isUtf8 } from 'node:buffer'
import { z } from 'zod'
import { FAULT_TEXTS, scanJson } from '../domain/json-scan.ts'
import { cleanText, type LocalisedText, type Message } from '../domain/message.ts'
import { pointerTo } from '../domain/pointer.ts'
import type { Values } from '../domain/values.ts'
import { type Answer, type FailureCause, type Remark, SEVERITIES } from '../domain/verdict.ts'
import type { DialectReply } from './dialect.ts'

export const ALLOW: Answer = { kind: 'allow', remarks: [], values: undefined }

/** `detail` is for the operator. */
export function failed(
  cause: FailureCause,
  detail: string,
  remarks: readonly Remark[] = [],
): Answer {
  return { kind: 'failed', cause, remarks, detail }
}

export const isSuccess = (status: number): boolean => status >= 200 && status <= 299
export const isRedirect = (status: number): boolean => status >= 300 && status <= 399

/** Statuses with which a service says no. Every other 4xx is about the call, not about the change. */
export const REFUSING_STATUSES: ReadonlySet<number> = new Set([400, 403, 409, 422])

/** What a status that neither allows nor refuses means. */
export function statusFailure(status: number): Answer {
  if (isRedirect(status))
    return failed('redirected', `Status ${status}: redirects are not followed.`)
  return failed('bad_status', `Status ${status}.`)
}

/** Every value of a header that may be given several times or as a list. */
export function headerValues(reply: DialectReply, name: string): string[] {
  const header = reply.headers[name] ?? []
  return [header].flat().flatMap((line) => line.split(',').map((one) => one.trim().toLowerCase()))
}

/** Whether the body comes in a coding. We ask for plain bytes and unpack nothing, so none is expected. */
export function isEncoded(reply: DialectReply): boolean {
  return reply.headers['content-encoding'] !== undefined
}

/** The body as text, or null when it is not UTF-8 or is compressed. */
export function readText(reply: DialectReply): string | null {
  const { body } = reply
  if (isEncoded(reply) || !isUtf8(body)) return null
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
}

export type Reading =
  | {
      readonly value: unknown
      readonly text: string
      /** What was wrong with it and was set right: it is good for a refusal's texts, and nothing else. */
      readonly mended?: string | undefined
    }
  | { readonly fault: string }

/** The body as JSON, or what is wrong with it. */
export function readJson(reply: DialectReply): Reading {
  if (reply.body.length === 0) return { fault: 'The reply is empty.' }
  const text = readText(reply)
  if (text === null) return { fault: 'The reply is compressed or not UTF-8.' }
  const reading = parsed(text)
  return 'fault' in reading ? (refusalIn(reply, text, reading.fault) ?? reading) : reading
}

function parsed(text: string): Reading {
  const found = scanJson(text, 'finite')
  if (found !== null) return { fault: FAULT_TEXTS[found.kind] }
  try {
    return { text, value: JSON.parse(text) as unknown }
  } catch {
    // What came instead (a login page, a stack trace) is what an operator wants to know.
    return { fault: `The reply is not JSON; it begins ${JSON.stringify(cleanText(text, 80))}.` }
  }
}

/** A pair of halves, half of a pair, NUL, or any other escape (which is stepped over). */
const ESCAPE = /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\(?:u([\da-fA-F]{4})|.)/gs

/**
 * Two escapes are JSON although no database keeps them, NUL and half of a character. They are no reason to lose
 * a refusal, of which only texts are used and those are cleaned; null where it is none.
 */
function refusalIn({ status }: DialectReply, text: string, mended: string): Reading | null {
  if (!text.includes('\\u')) return null
  const reading = parsed(
    text.replace(ESCAPE, (escape, hex: string | undefined) => {
      if (hex === '0000') return '\\u0001'
      return hex !== undefined && /^d[89a-f]/i.test(hex) ? '\\ufffd' : escape
    }),
  )
  if ('fault' in reading) return null
  const { value } = reading
  const isRefusal = status >= 400 || (isPlainObject(value) && value['decision'] === 'deny')
  return isRefusal ? { ...reading, mended } : null
}

/**
 * As readJson, but a reply that gives one key twice is refused: JSON.parse takes the last and others the
 * first, so `{"decision":"deny","decision":"allow"}` says both.
 */
export function readUnambiguousJson(reply: DialectReply): Reading {
  const reading = readJson(reply)
  if ('fault' in reading || memberCount(reading.text) === keyCount(reading.value)) return reading
  return { fault: 'The reply gives a key twice.' }
}

const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c

/** Members of all objects in a valid JSON text: each has one colon outside of strings. */
function memberCount(text: string): number {
  let members = 0
  let isInString = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (isInString && code === BACKSLASH) at++
    else if (code === QUOTE) isInString = !isInString
    else if (code === COLON && !isInString) members++
  }
  return members
}

function keyCount(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = Array.isArray(value) ? 0 : Object.keys(value).length
  for (const inner of Object.values(value)) count += keyCount(inner)
  return count
}

/** Whether a reply means its body to be JSON, whatever became of it. */
export function claimsJson(reply: DialectReply): boolean {
  if (reply.body.length === 0) return false
  if (headerValues(reply, 'content-type').some((type) => /[/+]json\b/.test(type))) return true
  const text = readText(reply)
  return text !== null && /^\s*[{[]/.test(text)
}

export function isPlainObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// ---- the strict reading

const oneMessage = z.union([
  z.string().transform((text): Message => ({ text })),
  z.object({ title: z.string().optional(), text: z.string() }),
])

const localisedMessage = z
  .record(z.string(), oneMessage)
  .refine((locales) => !('title' in locales || 'text' in locales))
  .transform((locales): LocalisedText => ({ locales }))

const messageSchema = z.union([oneMessage, localisedMessage])

const findingSchema = z.object({
  code: z.string().optional(),
  field: z.string().optional(),
  severity: z.enum(SEVERITIES).optional(),
  message: messageSchema,
})
type SaidFinding = z.output<typeof findingSchema>

/** What replies to every event may hold. `values` are checked, not copied. */
export const replyMembers = {
  message: messageSchema.optional(),
  errors: z.array(findingSchema).optional(),
  warnings: z.array(findingSchema).optional(),
  values: z.custom<Values>(isPlainObject, 'Invalid input: expected object').optional(),
}

/** Where and how a reply does not fit; the texts of zod name types, never what was sent. */
export function misfit({ issues }: z.ZodError): string {
  const [issue] = issues
  const at = pointerTo(...(issue?.path ?? []).map(String)).slice(0, 100)
  return `The reply does not fit at "${at}": ${issue?.message ?? 'Invalid input'}.`
}

export function remarksOf(
  findings: readonly SaidFinding[] | undefined,
  severity: Remark['severity'],
): Remark[] {
  return (findings ?? []).map((finding) => ({ ...finding, severity: finding.severity ?? severity }))
}

/** A text as the only remark; none where there is no text. */
export function remark(
  severity: Remark['severity'],
  message: Remark['message'] | undefined,
): Remark[] {
  return message === undefined ? [] : [{ severity, message }]
}

// ---- the lenient reading

/** A text in any of the shapes that services use, `{"error": {"message": …}}` included. */
function textIn(value: unknown): Remark['message'] | undefined {
  if (typeof value === 'string') return value.trim() === '' ? undefined : { text: value }
  if (!isPlainObject(value)) return undefined
  if (Object.hasOwn(value, 'message')) return textIn(value.message)
  return messageSchema.safeParse(value).data
}

/** The one text of a refusal: the first of `message`, `error`, `detail` that is one. */
export function headline(said: Values): Remark['message'] | undefined {
  return textIn(said.message) ?? textIn(said.error) ?? textIn(said.detail)
}

/** The items of `errors` that say something: findings, or bare texts. */
export function listedErrors(said: Values): Remark[] {
  if (!Array.isArray(said.errors)) return []
  return said.errors.flatMap((item: unknown) => {
    const finding = findingSchema.safeParse(item)
    return finding.success ? remarksOf([finding.data], 'error') : remark('error', textIn(item))
  })
}
