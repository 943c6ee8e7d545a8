/**
 * For services that know nothing of Assent: the standard dialect's request, and a status that alone
 * decides. Nothing in the body can turn it; the body only gives a refusal its text, and a reply to
 * `record.updating` its values.
 */
import type { ChangeEvent } from '../domain/change.ts'
import { TEXT_LENGTH_MAX } from '../domain/message.ts'
import type { Answer, Remark } from '../domain/verdict.ts'
import type { Dialect, DialectReply } from './dialect.ts'
import {
  ALLOW,
  headerValues,
  headline,
  isPlainObject,
  isSuccess,
  listedErrors,
  REFUSING_STATUSES,
  readJson,
  readText,
  remark,
  statusFailure,
} from './reply.ts'
import { readSuggestions, standard } from './standard.ts'

function readAnswer(event: ChangeEvent, reply: DialectReply): Answer {
  const { status } = reply
  if (isSuccess(status)) return event === 'record.updating' ? suggestionsOf(reply) : ALLOW
  if (!REFUSING_STATUSES.has(status)) return statusFailure(status)
  return { kind: 'deny', remarks: reasonsOf(reply), values: undefined }
}

/** The status has allowed it: what cannot be read has nothing to say, and errors can only warn. */
function suggestionsOf(reply: DialectReply): Answer {
  if (reply.status === 204) return ALLOW
  const answer = readSuggestions(reply)
  if (answer.kind === 'allow') return answer
  if (answer.kind !== 'deny') return ALLOW
  const remarks = answer.remarks.map((one) =>
    one.severity === 'error' ? { ...one, severity: 'warning' as const } : one,
  )
  return { kind: 'allow', remarks, values: answer.values }
}

function reasonsOf(reply: DialectReply): Remark[] {
  const reading = readJson(reply)
  if ('fault' in reading || !isPlainObject(reading.value)) return remark('error', plainText(reply))
  return [...remark('error', headline(reading.value)), ...listedErrors(reading.value)]
}

/** A short body that was written for people. Without a type that says so, markup and JSON are none. */
export function plainText(reply: DialectReply): Remark['message'] | undefined {
  const types = headerValues(reply, 'content-type')
  const isText = types.every((type) => /^text\/plain\b/.test(type))
  const text = readText(reply)?.trim() ?? ''
  if (!isText || text === '' || text.length > TEXT_LENGTH_MAX) return undefined
  return types.length === 0 && /^[<{[]/.test(text) ? undefined : { text }
}

export const plain: Dialect = { ...standard, readAnswer }
