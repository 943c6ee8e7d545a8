/**
 * Replies by chance that a seed decides, read by each dialect and judged by rules that are written down here
 * once more, independently of the code: what allows must have said so by the letter.
 */
import { Buffer } from 'node:buffer'
import type { DialectReply } from '../../src/dialects/dialect.ts'
import { DIALECTS } from '../../src/dialects/index.ts'
import { type ChangeEvent, changeEventNames } from '../../src/domain/change.ts'
import {
  DIALECT_NAMES,
  type DialectName,
  type Subscription,
} from '../../src/domain/subscription.ts'
import { mergeSuggestions } from '../../src/domain/suggestions.ts'
import { type Answer, applyPolicy } from '../../src/domain/verdict.ts'
import { subscriptionOf } from './build.ts'
import { chanceFrom } from './chance.ts'
import { literalJson } from './literal-json.ts'

type Chance = () => number

const pick = <T>(list: readonly [T, ...T[]], chance: Chance): T =>
  list[Math.floor(chance() * list.length)] ?? list[0]

// ---- what is sent

const SEEDS: readonly [string, ...string[]] = [
  '{"decision":"allow"}',
  '{"decision":"allow"}',
  '{"decision": "allow", "values": {"status": "paid", "total": 7}}',
  '{"decision":"allow","message":"ok","warnings":[{"message":"x","severity":"info"}]}',
  '{"decision":"allow","errors":[]}',
  '{"decision":"allow","errors":[{"message":"no"}]}',
  '{"decision":"allow","error":"no"}',
  '{"decision":"allow","warnings":[{"message":"x","severity":"error"}]}',
  '{"decision":"allow","warnings":[{"message":"x","severity":"confirm"}]}',
  '{"decision":"allow","values":{"__proto__":{"isAdmin":true},"status":"paid"}}',
  '{"decision":"allow","values":{"constructor":{"prototype":{"isAdmin":true}}}}',
  '{"decision":"deny"}',
  '{"decision":"deny","errors":[{"code":"a","field":"b","message":"c"}]}',
  '{"decision":"deny","decision":"allow"}',
  '{"decision":"allow","decision":"deny"}',
  '{"decision":"deny","\\u0064ecision":"allow"}',
  '{"decision":"confirm","warnings":[{"message":{"en":"x"},"severity":"confirm"}]}',
  '{"values":{"status":"paid"}}',
  '{"values":[],"message":{"title":"a","text":"b"}}',
  '{"errors":[{"message":"no"}],"values":{"status":"paid"}}',
  '{"decision":"deny","values":{"status":"\\u0000"}}',
  '[{"decision":"allow"}]',
  '"allow"',
  'true',
  '<html><body>{"decision":"allow"}</body></html>',
  '',
]

const WORDS: readonly [string, ...string[]] = [
  '"decision"',
  '"allow"',
  '"deny"',
  '"confirm"',
  '"errors"',
  '"warnings"',
  '"values"',
  '"severity":"error"',
  '"severity":"confirm"',
  '"__proto__":',
  '"constructor":',
  '"error":1',
  '"decision":"allow",',
  ',"decision":"deny"',
  '"decision":"deny",',
  '\\u0061llow',
  'Allow',
  ':',
  ',',
  '{',
  '}',
  '[',
  ']',
  '"',
  '\\',
  'null',
  'true',
  '0',
  '1e999',
  '-',
  'NaN',
  '/**/',
  ' ',
  '\u0000',
  '\\u0000',
  '\ud83d',
  '\\ud83d',
  '\ufeff',
  '\u202e',
  '\n',
  'ａllow',
  'allow\u200b',
  '['.repeat(70),
  '{"a":'.repeat(70),
  'x'.repeat(300),
]

const EDITS: readonly [string, ...string[]] = [
  'put',
  'cut',
  'replace',
  'double',
  'swap',
  'flip',
  'end',
]

function edited(text: string, chance: Chance): string {
  const at = Math.floor(chance() * (text.length + 1))
  const to = Math.min(text.length, at + Math.floor(chance() * 12))
  switch (pick(EDITS, chance)) {
    case 'put':
      return text.slice(0, at) + pick(WORDS, chance) + text.slice(at)
    case 'cut':
      return text.slice(0, at) + text.slice(to)
    case 'replace':
      return text.slice(0, at) + pick(WORDS, chance) + text.slice(to)
    case 'double':
      return text.slice(0, to) + text.slice(at)
    case 'swap':
      return text.slice(to) + text.slice(0, at)
    case 'flip':
      return (
        text.slice(0, at) + String.fromCharCode(Math.floor(chance() * 128)) + text.slice(at + 1)
      )
    default:
      return text.slice(0, at)
  }
}

function bodyBy(chance: Chance): Uint8Array {
  const edits = Math.floor(chance() * 4)
  let text = pick(SEEDS, chance)
  for (let turn = 0; turn < edits; turn += 1) text = edited(text, chance)
  const bytes = Buffer.from(text)
  if (chance() < 0.05 && bytes.length > 0) {
    bytes[Math.floor(chance() * bytes.length)] = Math.floor(chance() * 256)
  }
  return bytes
}

const STATUSES: readonly [number, ...number[]] = [
  200, 200, 200, 200, 200, 200, 200, 201, 202, 204, 206, 301, 302, 304, 307, 400, 401, 403, 404,
  409, 410, 422, 429, 500, 503,
]

const TYPES: readonly [string, ...string[]] = [
  'application/json',
  'application/json; charset=utf-8',
  'application/problem+json',
  'text/html',
  'text/plain',
]

function headersBy(chance: Chance): DialectReply['headers'] {
  return {
    ...(chance() < 0.8 && { 'content-type': pick(TYPES, chance) }),
    ...(chance() < 0.04 && { 'content-encoding': pick(['gzip', 'identity', 'br'], chance) }),
  }
}

export type FuzzedReply = {
  readonly dialect: DialectName
  readonly event: ChangeEvent
  readonly reply: DialectReply
}

function replyBy(chance: Chance): FuzzedReply {
  const status = chance() < 0.95 ? pick(STATUSES, chance) : 100 + Math.floor(chance() * 500)
  return {
    // Where the body decides there is most to get wrong.
    dialect: chance() < 0.6 ? 'standard' : pick(DIALECT_NAMES, chance),
    event: pick(changeEventNames, chance),
    reply: { status, headers: headersBy(chance), body: bodyBy(chance) },
  }
}

// ---- what it may mean

const between = (value: number, low: number, high: number): boolean => value >= low && value <= high

const isEmpty = (list: unknown): boolean =>
  list === undefined || (Array.isArray(list) && list.length === 0)

function severitiesOf(warnings: unknown): unknown[] {
  if (!Array.isArray(warnings)) return []
  return warnings.map((one) => (one instanceof Map ? one.get('severity') : undefined))
}

/** DIALECTS.md, standard: what must be so, whatever else is. */
function standardMayAllow(event: ChangeEvent, { status, headers, body }: DialectReply): boolean {
  if (headers['content-encoding'] !== undefined) return false
  if (status === 204) return true
  const said = status === 200 ? literalJson(body) : undefined
  if (!(said instanceof Map) || !isEmpty(said.get('errors'))) return false
  const severities = severitiesOf(said.get('warnings'))
  if (severities.includes('error')) return false
  if (event === 'record.updating') return true
  return said.get('decision') === 'allow' && !said.get('error') && !severities.includes('confirm')
}

function mayAllow({ dialect, event, reply }: FuzzedReply): boolean {
  const { status } = reply
  switch (dialect) {
    case 'standard':
      return standardMayAllow(event, reply)
    case 'plain':
      return between(status, 200, 299)
    case 'bpium':
      return between(status, 200, 399) || status === 410
    case 'poster':
      return false
  }
}

const MAY_CHANGE: readonly [Subscription['mayChange'], ...Subscription['mayChange'][]] = [
  null,
  '*',
  ['status'],
  ['total', '__proto__', 'constructor'],
]

function holdsForbiddenKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const keys = Array.isArray(value) ? [] : Object.keys(value)
  return (
    keys.some((key) => key === '__proto__' || key === 'constructor') ||
    Object.values(value).some(holdsForbiddenKey)
  )
}

/** In both dialects that are read by the letter, what is suggested was said by the letter. */
function inventsValues({ dialect, reply }: FuzzedReply, answer: Answer): boolean {
  if (dialect !== 'standard' && dialect !== 'plain') return false
  if (!('values' in answer) || answer.values === undefined) return false
  const said = literalJson(reply.body)
  const values = said instanceof Map ? said.get('values') : undefined
  return !(values instanceof Map) || Object.keys(answer.values).some((key) => !values.has(key))
}

/** Whether a suggestion sets what its subscription may not, or what no record has. */
function oversteps({ event }: FuzzedReply, answer: Answer, chance: Chance): boolean {
  const isUpdating = event === 'record.updating'
  const subscription = subscriptionOf({ mayChange: pick(MAY_CHANGE, chance) })
  const { values } = mergeSuggestions([{ subscription, answer }], isUpdating)
  const mayChange = subscription.mayChange ?? (isUpdating ? '*' : [])
  return (
    holdsForbiddenKey(values) ||
    Object.getPrototypeOf(values) !== Object.prototype ||
    Object.keys(values).some((field) => mayChange !== '*' && !mayChange.includes(field))
  )
}

export type Finding = { readonly what: string; readonly seed: number; readonly fuzzed: FuzzedReply }

export type FuzzReport = {
  readonly replies: number
  readonly allowed: number
  readonly findings: readonly Finding[]
}

const FINDINGS_MAX = 20

/** Each reply has a seed of its own: that of the first, and its number. */
export function fuzzReplies(seed: number, count: number): FuzzReport {
  const findings: Finding[] = []
  let allowed = 0
  for (let number = 0; number < count && findings.length < FINDINGS_MAX; number += 1) {
    const chance = chanceFrom(seed + number)
    const fuzzed = replyBy(chance)
    const what = judged(fuzzed, chance)
    if (what === 'allowed') allowed += 1
    else if (what !== null) findings.push({ what, seed: seed + number, fuzzed })
  }
  return { replies: count, allowed, findings }
}

function judged(fuzzed: FuzzedReply, chance: Chance): string | null {
  try {
    const answer = DIALECTS[fuzzed.dialect].readAnswer(fuzzed.event, fuzzed.reply)
    DIALECTS[fuzzed.dialect].readReceipt(fuzzed.reply)
    const effect = applyPolicy(answer, 'enforce', 'deny')
    if (effect === 'allow' && !mayAllow(fuzzed)) return 'it allows what it must not'
    if (inventsValues(fuzzed, answer)) return 'it suggests what nobody said'
    if (oversteps(fuzzed, answer, chance)) return 'it suggests what it must not'
    if (Object.keys(Object.prototype).length > 0) return 'it has reached a prototype'
    return effect === 'allow' ? 'allowed' : null
  } catch (error) {
    return `it throws ${String(error)}`
  }
}
