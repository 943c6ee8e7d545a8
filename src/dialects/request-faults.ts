/**
 * What may go into a request of a subscription: checked when it is saved, so that a person hears of it at
 * the form and not a validator's operator at three in the morning. The same rules are kept once more when
 * a request is built, where breaking them would let a subscriber's setting replace a header of ours.
 */

import { isChangeEvent } from '../domain/change.ts'
import { isPointer, pointerTo } from '../domain/pointer.ts'
import type { Complaint } from '../domain/problem.ts'
import type { Auth, Parameter, Subscription } from '../domain/subscription.ts'
import { DIALECTS } from './index.ts'

export type RequestSettings = Pick<
  Subscription,
  'url' | 'method' | 'parameters' | 'auth' | 'headers'
>

/** What is saved beside how it is called: a subscription has events, an action has none. */
type SavedSettings = RequestSettings & Partial<Pick<Subscription, 'dialect' | 'events'>>

const URL_LENGTH_MAX = 2_048
const PARAMETER_NAME_LENGTH_MAX = 100
const HEADER_VALUE_LENGTH_MAX = 4_096

/** Headers that belong to the connection, to intermediaries or to us. In lower case. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  // What cloud metadata services want to see before they hand out credentials.
  'metadata',
  'metadata-flavor',
  'te',
  'traceparent',
  'tracestate',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-hook-signature',
  // With them a POST may become a DELETE behind the back of whoever reads the method.
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
])
const RESERVED_PREFIXES = [
  'proxy-',
  'webhook-',
  'x-assent-',
  'x-aws-ec2-metadata-',
  'x-forwarded-',
] as const

export function isReservedHeader(name: string): boolean {
  const lower = name.toLowerCase()
  return RESERVED_HEADERS.has(lower) || RESERVED_PREFIXES.some((prefix) => lower.startsWith(prefix))
}

/** A `{name}` of a URL template. */
export const PLACEHOLDER = /\{([^{}]*)\}/g

export function placeholdersOf(url: string): ReadonlySet<string> {
  return new Set(Array.from(url.matchAll(PLACEHOLDER), ([, name = '']) => name))
}

/** What is wrong with where and how a subscription (or an action) would be called. */
export function requestFaults(settings: SavedSettings): Complaint[] {
  const { url, method, parameters, auth, headers } = settings
  const complaints = [
    ...eventFaults(settings),
    ...urlFaults(url, parameters ?? []).map((message) => ({ pointer: '/url', message })),
    ...parameterFaults(parameters ?? []),
    ...headerFaults(headers),
    ...authFaults(auth),
  ]
  if (method !== 'GET' || parameters !== null) return complaints
  const message = 'A GET has no body to carry the whole payload: choose parameters.'
  return [...complaints, { pointer: '/parameters', message }]
}

/** A dialect without requests would never be heard, and its silence would read as a refusal. */
function eventFaults({ dialect, events = [] }: SavedSettings): Complaint[] {
  if (dialect === undefined || DIALECTS[dialect].takesRequests) return []
  const requests = events.filter(isChangeEvent)
  if (requests.length === 0) return []
  const message = `The dialect ${dialect} is told of what has happened and cannot be asked: ${requests.join(', ')}.`
  return [{ pointer: '/events', message }]
}

function urlFaults(url: string, parameters: readonly Parameter[]): string[] {
  if (url.length > URL_LENGTH_MAX) return [`The URL is longer than ${URL_LENGTH_MAX} characters.`]
  // WHATWG URL drops tabs and line feeds and reads `\` as `/`: what is written must be what is called.
  if (/[\s\\\u0000-\u001f\u007f]/.test(url)) {
    return ['The URL holds white space, a control character or a backslash.']
  }
  const authority = /^https?:\/\/([^/?#]+)/i.exec(url)?.[1]
  if (authority === undefined)
    return ['The URL must be absolute and begin with http:// or https://.']
  if (/[{}]/.test(authority)) return ['Placeholders may stand in the path and the query only.']
  if (!URL.canParse(url.replace(PLACEHOLDER, 'x'))) return ['This is not a URL.']
  return [
    ...(authority.includes('@') ? ['The URL must not hold a user name or password.'] : []),
    ...(url.includes('#') ? ['The URL must not have a fragment.'] : []),
    ...placeholderFaults(url, parameters),
  ]
}

function placeholderFaults(url: string, parameters: readonly Parameter[]): string[] {
  const names = new Set(parameters.map(({ name }) => name))
  const strays = /[{}]/.test(url.replace(PLACEHOLDER, ''))
  return [
    ...(strays ? ['A brace of the URL belongs to no placeholder.'] : []),
    ...[...placeholdersOf(url)]
      .filter((name) => !names.has(name))
      .map((name) => `The placeholder {${name}} names no parameter.`),
  ]
}

function parameterFaults(parameters: readonly Parameter[]): Complaint[] {
  const seen = new Set<string>()
  return parameters.flatMap(({ name, from }, index) => {
    const complaints: Complaint[] = []
    const complain = (member: keyof Parameter, message: string) =>
      complaints.push({ pointer: pointerTo('parameters', index, member), message })
    if (name === '' || name.length > PARAMETER_NAME_LENGTH_MAX) {
      complain('name', `A parameter's name has 1 to ${PARAMETER_NAME_LENGTH_MAX} characters.`)
    }
    if (seen.has(name)) complain('name', 'Another parameter has this name.')
    if (!isPointer(from))
      complain('from', 'This is not a JSON Pointer, such as /data/values/status.')
    seen.add(name)
    return complaints
  })
}

function headerFaults(headers: Readonly<Record<string, string>>): Complaint[] {
  const seen = new Set<string>()
  return Object.entries(headers).flatMap(([name, value]) => {
    const isRepeated = seen.has(name.toLowerCase())
    seen.add(name.toLowerCase())
    return [
      nameFault(name),
      isRepeated ? 'The header is set twice.' : null,
      valueFault(value),
    ].flatMap((message) => complaint(message, 'headers', name))
  })
}

function authFaults(auth: Auth): Complaint[] {
  switch (auth.type) {
    case 'none':
      return []
    case 'bearer':
      return complaint(secretValueFault(auth.token), 'auth', 'token')
    case 'basic':
      return [
        ...complaint(userNameFault(auth.username), 'auth', 'username'),
        ...complaint(passwordFault(auth.password), 'auth', 'password'),
      ]
    case 'custom':
      return [
        ...complaint(nameFault(auth.header), 'auth', 'header'),
        ...complaint(secretValueFault(auth.value), 'auth', 'value'),
      ]
  }
}

function complaint(message: string | null, ...path: readonly string[]): Complaint[] {
  return message === null ? [] : [{ pointer: pointerTo(...path), message }]
}

/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/

function nameFault(name: string): string | null {
  if (!TOKEN.test(name))
    return "A header name has 1 to 64 letters, digits or any of !#$%&'*+.^_`|~-."
  return isReservedHeader(name) ? 'This header is not for subscriptions to set.' : null
}

function valueFault(value: string): string | null {
  if (value.length > HEADER_VALUE_LENGTH_MAX) {
    return `A header value has at most ${HEADER_VALUE_LENGTH_MAX} characters.`
  }
  return /^[\t\x20-\x7e]*$/.test(value)
    ? null
    : 'A header value may hold visible ASCII characters, spaces and tabs only.'
}

const secretValueFault = (value: string): string | null =>
  value.trim() === '' ? 'This must not be empty.' : valueFault(value)

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/
const CREDENTIAL_LENGTH_MAX = 500

/** RFC 7617: the first colon ends the user name. */
const userNameFault = (name: string): string | null =>
  name.includes(':') ? 'A user name must not hold a colon.' : passwordFault(name)

function passwordFault(text: string): string | null {
  if (text.length > CREDENTIAL_LENGTH_MAX) return `At most ${CREDENTIAL_LENGTH_MAX} characters.`
  return CONTROL.test(text) ? 'This must not hold control characters.' : null
}
