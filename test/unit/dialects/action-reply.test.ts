import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { readActionReply } from '../../../src/dialects/action-reply.ts'
import { DIALECT_NAMES, type DialectName } from '../../../src/domain/subscription.ts'
import { replyOf } from './vectors.ts'

const TEXT = { 'content-type': 'text/plain; charset=utf-8' }
const read = (...reply: Parameters<typeof replyOf>) =>
  readActionReply('standard', replyOf(...reply))
const said = (body: string | Uint8Array, headers?: Record<string, string>) =>
  read(200, body, headers).message

describe('what counts as done', () => {
  const STATUSES = [200, 201, 204, 302, 400, 403, 404, 409, 410, 422, 429, 500, 503] as const
  const IN_HTTP = {
    200: null,
    201: null,
    204: null,
    302: 'redirected',
    400: 'refused',
    403: 'refused',
    404: 'bad_status',
    409: 'refused',
    410: 'bad_status',
    422: 'refused',
    429: 'bad_status',
    500: 'bad_status',
    503: 'bad_status',
  } as const
  const TABLE: Record<DialectName, Record<(typeof STATUSES)[number], string | null>> = {
    standard: IN_HTTP,
    plain: IN_HTTP,
    // Bpium takes redirects for successes, and 410 for one that is the last.
    bpium: { ...IN_HTTP, 302: null, 410: null },
    // For Poster 200 only is one.
    poster: { ...IN_HTTP, 201: 'bad_status', 204: 'bad_status' },
  }

  it.each(DIALECT_NAMES)('is what counts as received in the dialect %s', (dialect) => {
    for (const status of STATUSES) {
      const { failure } = readActionReply(dialect, replyOf(status, ''))
      expect([status, failure]).toEqual([status, TABLE[dialect][status]])
    }
  })

  it.each(DIALECT_NAMES)('in the dialect %s is no reply that says deny', (dialect) => {
    const decided = (body: string) => readActionReply(dialect, replyOf(200, body)).failure
    expect(decided('{"decision":"deny"}')).toBe('refused')
    expect(decided('{"decision":"allow"}')).toBeNull()
    expect(decided('{"decision":"DENY"}')).toBeNull()
    expect(decided('[{"decision":"deny"}]')).toBeNull()
    expect(decided('{"data":{"decision":"deny"}}')).toBeNull()
  })

  it('is not what asks to be called no more, unless it took this one', () => {
    const wish = { 'webhook-delivery': 'abort-message' }
    expect(read(200, '', wish).failure).toBe('bad_status')
    expect(read(200, '', { 'webhook-delivery': 'disable' }).failure).toBeNull()
  })

  it('does not turn a failing status into a success by its words', () => {
    expect(read(500, '{"decision":"allow","message":"Fine"}')).toEqual({
      failure: 'bad_status',
      message: { text: 'Fine' },
    })
  })
})

describe('the message', () => {
  it.each<[string, unknown]>([
    ['{"message":"Called."}', { text: 'Called.' }],
    ['{"message":{"title":"Done","text":"Called."}}', { title: 'Done', text: 'Called.' }],
    [
      '{"message":{"en":"Called.","ru":{"text":"Позвонили."}}}',
      { locales: { en: { text: 'Called.' }, ru: { text: 'Позвонили.' } } },
    ],
    ['{"error":"No line."}', { text: 'No line.' }],
    ['{"error":{"message":"No line."}}', { text: 'No line.' }],
    ['{"detail":"No line."}', { text: 'No line.' }],
    ['{"errors":["First.","Second."]}', { text: 'First.' }],
    ['{"errors":[{"message":"First."}]}', { text: 'First.' }],
    ['{"errors":[{"message":{"uk":"Перша."}}]}', { locales: { uk: { text: 'Перша.' } } }],
    ['{"errors":[{},7,null,{"message":"Fourth."}]}', { text: 'Fourth.' }],
    ['{"message":"A.","error":"B.","detail":"C.","errors":["D."]}', { text: 'A.' }],
    ['{"message":" ","error":"B.","detail":"C."}', { text: 'B.' }],
    ['{"message":7,"detail":"C.","errors":["D."]}', { text: 'C.' }],
    ['{"message":[],"errors":["D."]}', { text: 'D.' }],
    ['{"message":{},"error":"B."}', { text: 'B.' }],
    ['{"message":{"text":" "},"error":{"en":""},"detail":"C."}', { text: 'C.' }],
    ['{"message":{}}', undefined],
    ['{}', undefined],
    ['{"message":""}', undefined],
    ['{"message":{"text":7}}', undefined],
    ['{"message":null,"error":null,"detail":null,"errors":null}', undefined],
    ['{"errors":{"message":"no list"}}', undefined],
    ['{"Message":"another key"}', undefined],
    ['"a JSON text"', undefined],
    ['["a list"]', undefined],
    ['null', undefined],
    ['', undefined],
  ])('of %s is %j', (body, message) => {
    expect(said(body, { 'content-type': 'application/json' })).toEqual(message)
  })

  it('is a short text of a body that is plain text, and of none that is anything else', () => {
    expect(said(' Called.\n', TEXT)).toEqual({ text: 'Called.' })
    expect(said('Called.')).toEqual({ text: 'Called.' })
    expect(said('x'.repeat(1_000), TEXT)).toEqual({ text: 'x'.repeat(1_000) })
    expect(said('x'.repeat(1_001), TEXT)).toBeUndefined()
    expect(said('<b>Called.</b>')).toBeUndefined()
    expect(said('<b>Called.</b>', { 'content-type': 'text/html' })).toBeUndefined()
    expect(said('Called.', { 'content-type': 'application/octet-stream' })).toBeUndefined()
    expect(said(' \n ', TEXT)).toBeUndefined()
  })

  it('comes with a failing status as well', () => {
    expect(read(500, '{"error":"No line."}').message).toEqual({ text: 'No line.' })
    expect(read(422, 'No line.', TEXT)).toEqual({
      failure: 'refused',
      message: { text: 'No line.' },
    })
  })
})

describe('a reply that attacks', () => {
  const nested = (depth: number) => `${'{"message":'.repeat(depth)}"x"${'}'.repeat(depth)}`

  it.each<[string, string | Uint8Array, Record<string, string>?]>([
    ['by its depth', nested(100_000)],
    ['by depth of lists', '['.repeat(131_072)],
    ['with bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
    ['with plain text that is not UTF-8', Buffer.from([0xd2, 0xe5, 0xea]), TEXT],
    ['with __proto__', '{"__proto__":{"message":"x"}}'],
    ['with __proto__ in disguise', '{"\\u005f_proto__":{"message":"x"}}'],
    ['with constructor', '{"constructor":{"message":"x"},"message":"y"}'],
    ['with half of an object', '{"message":"x"'],
    ['by a coding', '{"message":"x"}', { 'content-encoding': 'gzip' }],
    ['with names of inherited members', '{"message":{"toString":7}}'],
  ])('%s has nothing to say, and its status counts', (_, body, headers) => {
    expect(read(200, body, headers)).toEqual({ failure: null, message: undefined })
    expect(read(500, body, headers)).toEqual({ failure: 'bad_status', message: undefined })
  })

  it('by nesting as deep as is allowed is read', () => {
    expect(said(nested(64))).toEqual({ text: 'x' })
    expect(said(nested(65))).toBeUndefined()
  })

  it('by tens of thousands of errors that say nothing is not searched to its end', () => {
    const errors = Array.from({ length: 60_000 }, () => '{}').join(',')
    expect(said(`{"errors":[${errors},"the last"]}`)).toBeUndefined()
    expect(said(`{"errors":["the first",${errors}]}`)).toEqual({ text: 'the first' })
  })
})
