/**
 * One message to one subscription as an HTTP request: the dialect's whole payload, or just the parameters
 * that the subscription chose. Pure, so that a test send shows exactly what a real one would do.
 */
import { Buffer } from 'node:buffer'
import type { NeutralMessage } from '../domain/notification.ts'
import { readPointer } from '../domain/pointer.ts'
import type { Auth, Method, Subscription } from '../domain/subscription.ts'
import type { Signing } from './dialect.ts'
import { DIALECTS } from './index.ts'
import {
  isReservedHeader,
  PLACEHOLDER,
  placeholdersOf,
  type RequestSettings,
} from './request-faults.ts'
import { standardPayload } from './standard.ts'

export { type RequestSettings, requestFaults } from './request-faults.ts'

export type OutgoingRequest = {
  readonly method: Method
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

export type RequestOrder = {
  readonly subscription: RequestSettings & Pick<Subscription, 'dialect'>
  readonly message: NeutralMessage
  readonly attemptAtMs: number
  /** As validSecrets gives them. */
  readonly secrets: readonly string[]
  /** The dialect's whole payload, where it was encoded already for another subscription. */
  readonly sharedBody?: string | undefined
}

const USER_AGENT = 'assent/1'

/** Ours come last: no setting of a subscription replaces a content type or a signature. */
export function buildRequest(order: RequestOrder): OutgoingRequest {
  const { subscription, message, attemptAtMs, secrets } = order
  const signing = { id: message.id, attemptAtMs, secrets }
  const { url, body } = contentOf(order, signing)
  const headers: Record<string, string> = { 'user-agent': USER_AGENT }
  for (const [name, value] of Object.entries(subscription.headers)) {
    if (!isReservedHeader(name)) headers[name.toLowerCase()] = value
  }
  Object.assign(headers, authHeaders(subscription.auth))
  if (body !== null) headers['content-type'] = 'application/json'
  Object.assign(headers, DIALECTS[subscription.dialect].sign(body ?? '', signing))
  return { method: subscription.method, url, headers, body }
}

/** The current secret, then those that a rotation has left valid for a while. */
export function validSecrets(
  { secret, retiring }: Pick<Subscription, 'secret' | 'retiring'>,
  nowMs: number,
): string[] {
  const still = retiring.filter(({ validUntil }) => Date.parse(validUntil) > nowMs)
  return [secret, ...still.map((one) => one.secret)]
}

function authHeaders(auth: Auth): Readonly<Record<string, string>> {
  switch (auth.type) {
    case 'none':
      return {}
    case 'bearer':
      return { authorization: `Bearer ${auth.token}` }
    case 'basic': {
      const credentials = Buffer.from(`${auth.username}:${auth.password}`, 'utf8')
      return { authorization: `Basic ${credentials.toString('base64')}` }
    }
    case 'custom':
      return isReservedHeader(auth.header) ? {} : { [auth.header.toLowerCase()]: auth.value }
  }
}

type Content = Pick<OutgoingRequest, 'url' | 'body'>

function contentOf({ subscription, message, sharedBody }: RequestOrder, signing: Signing): Content {
  const { url, method, parameters, dialect } = subscription
  if (parameters === null) {
    // A GET without parameters is refused when saved; were there one, it still would carry no body.
    const body =
      method === 'GET' ? null : (sharedBody ?? DIALECTS[dialect].encode(message, signing))
    return { url, body }
  }
  const payload = standardPayload(message)
  const values = new Map(parameters.map(({ name, from }) => [name, readPointer(payload, from)]))
  const placed = placeholdersOf(url)
  const rest = [...values].filter(([name, value]) => !placed.has(name) && value !== undefined)
  const filled = fillTemplate(url, values)
  return method === 'GET'
    ? { url: withQuery(filled, rest), body: null }
    : { url: filled, body: JSON.stringify(Object.fromEntries(rest)) }
}

type ChosenValues = ReadonlyMap<string, unknown>

/**
 * Fills a template segment by segment, because a value that is `..` (which no percent-encoding hides: URL
 * reads `%2e` as a dot) would otherwise send the question to another path, one that may always say yes.
 */
function fillTemplate(url: string, values: ChosenValues): string {
  const queryAt = url.indexOf('?')
  const path = queryAt === -1 ? url : url.slice(0, queryAt)
  const query = queryAt === -1 ? '' : url.slice(queryAt)
  const segments = path.split('/').map((segment) => {
    const filled = fill(segment, values)
    return filled === segment ? segment : filled.replace(DOT_SEGMENT, escapeDots)
  })
  return segments.join('/') + fill(query, values)
}

const DOT_SEGMENT = /^(?:\.|%2e){1,2}$/i
const escapeDots = (segment: string): string => segment.replace(/\.|%2e/gi, '%252E')

function fill(template: string, values: ChosenValues): string {
  return template.replace(PLACEHOLDER, (written, name: string) =>
    values.has(name) ? percentEncoded(values.get(name)) : written,
  )
}

function withQuery(url: string, entries: readonly (readonly [string, unknown])[]): string {
  if (entries.length === 0) return url
  const pairs = entries.map(([name, value]) => `${percentEncoded(name)}=${percentEncoded(value)}`)
  const joint = !url.includes('?') ? '?' : /[?&]$/.test(url) ? '' : '&'
  return url + joint + pairs.join('&')
}

/** encodeURIComponent throws on half a surrogate pair, hence toWellFormed. */
const percentEncoded = (value: unknown): string => encodeURIComponent(textOf(value).toWellFormed())

/** Nothing and null are the empty text; lists and objects their JSON. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}
