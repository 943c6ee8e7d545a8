/** What is done to a request that would have been fine. */
import type { Chance } from './chance.ts'

const deep = (levels: number): unknown => {
  let nested: unknown = 1
  for (let level = 0; level < levels; level++) nested = level % 2 === 0 ? [nested] : { a: nested }
  return nested
}

const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [at, at]))

/** Each made anew, so that no mutation changes it for the next. */
const NASTY: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => 0,
  () => -1,
  () => 1.5,
  () => 2 ** 53,
  () => 1e308,
  () => -0,
  () => '',
  () => ' ',
  () => '***',
  () => '\u0000',
  () => 'a\u0000b',
  () => '\ud800',
  () => '\udfff\ud800',
  () => '\u202eabc\u2066',
  () => '\u{1f600}'.repeat(70),
  () => 'x'.repeat(201),
  () => 'x'.repeat(5_000),
  () => '__proto__',
  () => 'constructor',
  () => 'toString',
  () => "'; drop table records; --",
  () => '${1+1}{{1}}%s%n',
  () => '../../etc/passwd',
  () => '2026-02-30T25:61:00Z',
  () => '9999-99-99',
  () => '+275760-09-13T00:00:00.001Z',
  () => '(a+)+$',
  () => '[',
  () => '\\',
  () => 'http://[::1]:1/',
  () => 'javascript:alert(1)',
  () => [],
  () => {
    return {}
  },
  () => [[]],
  () => [null, null],
  () => Array.from({ length: 1_001 }, (_, at) => at),
  () => many(1_001),
  () => deep(40),
  () => deep(63),
  () => deep(70),
  () => ({ length: 5 }),
  () => ({ toString: 1, valueOf: 2, toJSON: 3 }),
  () => ({ constructor: { prototype: { polluted: true } } }),
  () => JSON.parse('{"__proto__":{"polluted":true}}'),
]

const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toJSON',
  'hasOwnProperty',
  '',
  ' ',
  '\u0000',
  '\ud800',
  'x'.repeat(300),
  'id',
  'accountId',
  'secret',
  'values',
  'commit',
  'context',
] as const

type Holder = Record<string, unknown> | unknown[]

function holdersIn(value: unknown, found: Holder[] = []): Holder[] {
  if (typeof value !== 'object' || value === null || found.length > 200) return found
  found.push(value as Holder)
  for (const inner of Object.values(value)) holdersIn(inner, found)
  return found
}

/** Changes one place of a value. */
export function mutateValue(value: unknown, chance: Chance): unknown {
  const holders = holdersIn(value)
  if (holders.length === 0 || chance.happens(0.03)) return chance.pick(NASTY)()
  const holder = chance.pick(holders) as Record<string, unknown>
  const names = Object.keys(holder)
  const name = names.length === 0 ? 'a' : chance.pick(names)
  switch (chance.below(5)) {
    case 0:
      delete holder[name]
      break
    case 1:
      define(holder, chance.pick(NAMES), chance.pick(NASTY)())
      break
    case 2:
      define(holder, name, swapped(holder[name]))
      break
    default:
      define(holder, name, chance.pick(NASTY)())
  }
  return value
}

/** Also `__proto__`, as a member like any other. */
function define(holder: object, name: string, value: unknown): void {
  const options = { value, enumerable: true, configurable: true, writable: true }
  if (Array.isArray(holder) && name === 'length') return
  Object.defineProperty(holder, name, options)
}

function swapped(value: unknown): unknown {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number') return String(value)
  if (typeof value === 'boolean') return value ? 'true' : 0
  if (Array.isArray(value)) return value[0]
  return value === null ? {} : [value]
}

/** `toJSON` and the like may be members: what cannot be written is sent as it reads. */
export function textOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return String(value)
  }
}

/** Changes the text of a body: its grammar, its length, its bytes. */
export function mutateText(text: string, chance: Chance): Uint8Array {
  const at = chance.below(text.length + 1)
  const put = (inserted: string) => text.slice(0, at) + inserted + text.slice(at)
  switch (chance.below(14)) {
    case 0:
      return bytesOf(text.slice(0, at))
    case 1:
      return bytesOf(
        put(chance.pick(['}', ']', ',', ':', '"', '{', '\\', '/*x*/', '\n', '\u00a0'])),
      )
    case 2:
      return bytesOf(text.replace('{', '{"values":1,"values":{"a":1},"id":"x","id":"y",'))
    case 3:
      return bytesOf(text.replace(/[0-9]+|true|null|"[^"]*"/, chance.pick(LITERALS)))
    case 4:
      return bytesOf(`\ufeff${text}`)
    case 5:
      return bytesOf(text + text)
    case 6:
      return bytesOf(chance.pick(['[', '{"a":', '[{"a":']).repeat(1 + chance.below(3_000)))
    case 7:
      return Buffer.from(text, 'utf16le')
    case 8:
      return Buffer.from(text, 'latin1')
    case 9:
      return bytesOf(put(' '.repeat(10_000)))
    case 10:
      return bytesOf(text.replaceAll('"', "'"))
    case 11:
      return bytesOf(`"${'\\u00'.repeat(chance.below(50))}"`)
    default:
      return flipped(bytesOf(text), chance)
  }
}

const LITERALS = [
  '1e999',
  '-1e999',
  '0x10',
  'NaN',
  'Infinity',
  '01',
  '1.',
  '.5',
  '12345678901234567890',
  '"\\ud800"',
  '"\\u0000"',
  'undefined',
  '1e-400',
  '-0',
  '"\\x"',
  'tru',
]

export function flipped(bytes: Uint8Array, chance: Chance): Uint8Array {
  const copy = Uint8Array.from(bytes)
  for (let count = 1 + chance.below(4); count > 0 && copy.length > 0; count--) {
    copy[chance.below(copy.length)] = chance.below(256)
  }
  return copy
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text)

/** More than any body may have, now and then. */
export const tooLong = (): Uint8Array => Buffer.alloc(1_048_577 + 10, 0x20)

const HEADERS: Readonly<Record<string, readonly string[]>> = {
  'content-type': ['text/plain', 'application/xml', 'multipart/form-data; boundary=x', '', 'a;b;c'],
  'content-encoding': ['gzip', 'br', 'identity', 'gzip, identity'],
  authorization: [
    '',
    'Bearer',
    'Bearer ',
    'Basic Og==',
    'Basic %%%',
    'Bearer a.b.c',
    `Bearer ${'x'.repeat(4_000)}`,
    'Bearer ask_live_1_2',
    'Digest x',
    'Bearer eyJhbGciOiJub25lIn0.e30.',
  ],
  'idempotency-key': ['', ' ', 'k1', 'k2', 'x'.repeat(201), 'ключ', '\t', '"k"'],
  'if-match': ['*', '"1"', '1', 'W/"1"', '"1", "2"', '"99999999999999999999"', '""', '"-1"'],
  accept: ['text/event-stream', '*/*;q=x', '', 'text/event-stream, text/event-stream'],
  'accept-language': [
    'uk',
    'ru;q=x',
    '*',
    '-',
    ',,,,',
    'a-'.repeat(2_000),
    'en;q=1e309',
    '__proto__',
    'constructor',
  ],
  'x-assent-chain': ['', '.', 'a.b', 'WzEsNV0.x', `${'A'.repeat(2_000)}.x`],
  'x-request-id': ['', ' ', 'x'.repeat(300), 'a b', '\u00e9', 'ok'],
  traceparent: ['00-0', '', 'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  origin: ['null', 'https://evil.example', 'http://[', ''],
  'sec-fetch-site': ['cross-site', 'same-origin', 'x'],
  'x-forwarded-for': ['127.0.0.1', '::1, x'],
  'x-http-method-override': ['DELETE'],
  'content-length': ['0', '1', '-1', '99999999999999999999', 'x'],
  cookie: ['a=b', '__proto__=1'],
  range: ['bytes=0-1'],
}

export function mutateHeaders(headers: Record<string, string>, chance: Chance): void {
  const name = chance.pick(Object.keys(HEADERS))
  if (chance.happens(0.1)) delete headers[name]
  else headers[name] = chance.pick(HEADERS[name] ?? [''])
}

const SEGMENTS = [
  '',
  '.',
  '..',
  '%2e%2e',
  '%00',
  '%',
  '%zz',
  '%ff',
  '%C0%AF',
  '%F0%9F%98%80',
  '*',
  ':id',
  '{id}',
  'x'.repeat(201),
  'x'.repeat(4_000),
  '%2F',
  '\\',
  ';a=b',
  '__proto__',
  'constructor',
  "'",
  '%0a',
  '%7f',
  'null',
  '-1',
  '1e9',
]

export function mutatePath(path: string, chance: Chance): string {
  const [before = '', query] = path.split('?', 2)
  const segments = before.split('/')
  const at = 1 + chance.below(Math.max(1, segments.length - 1))
  switch (chance.below(5)) {
    case 0:
      segments.splice(at, 0, chance.pick(SEGMENTS))
      break
    case 1:
      segments.splice(at, 1)
      break
    case 2:
      return `${path}/`
    default:
      segments[at] = chance.pick(SEGMENTS)
  }
  const changed = segments.join('/')
  return query === undefined ? changed : `${changed}?${query}`
}

const QUERY_VALUES = [
  '',
  '0',
  '-1',
  '201',
  '1e3',
  '0x1f',
  'NaN',
  '%00',
  '%',
  '%zz',
  '%ff',
  'x'.repeat(3_000),
  '2026-02-30',
  '9999-12-31T23:59:59.999Z',
  '+275760-09-13T00:00:00.001Z',
  '-271821-04-20T00:00:00Z',
  '9007199254740993',
  'bm9uc2Vuc2U',
  'eyJhIjoxfQ',
  "'",
  '[]',
  '%5B%5D',
  '%ED%A0%80',
  'true',
]

export function mutateQuery(path: string, names: readonly string[], chance: Chance): string {
  const known = [
    ...names,
    'limit',
    'cursor',
    'since',
    'where[a]',
    'where[]',
    'where%5Ba%5D',
    '__proto__',
    '',
    'a',
  ]
  const pair = `${chance.pick(known)}=${chance.pick(QUERY_VALUES)}`
  return `${path}${path.includes('?') ? '&' : '?'}${pair}`
}
