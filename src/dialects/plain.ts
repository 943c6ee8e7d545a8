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
  claimsJson,
  headerValues,
  headline,
  isEncoded,
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

/** "OK" is nothing to put into a form; what looks like JSON must be the JSON that we know. */
function suggestionsOf(reply: DialectReply): Answer {
  const hasSuggestions = reply.status !== 204 && (claimsJson(reply) || isEncoded(reply))
  return hasSuggestions ? readSuggestions(reply) : ALLOW
}

function reasonsOf(reply: DialectReply): Remark[] {
  const reading = readJson(reply)
  if ('fault' in reading) return remark('error', plainText(reply))
  if (!isPlainObject(reading.value)) return []
  return [...remark('error', headline(reading.value)), ...listedErrors(reading.value)]
}

/** A short body that was written for people: no markup, no JSON, no stack trace. */
function plainText(reply: DialectReply): Remark['message'] | undefined {
  const isText = headerValues(reply, 'content-type').every((type) => /^text\/plain\b/.test(type))
  const text = readText(reply)?.trim() ?? ''
  if (!isText || text === '' || text.length > TEXT_LENGTH_MAX || /^[<{[]/.test(text))
    return undefined
  return { text }
}

export const plain: Dialect = { ...standard, readAnswer }
