/**
 * What the standard dialect makes of every reply that we have seen or could think of. The first table is
 * the one that matters most: replies that some gateway somewhere takes for a yes.
 */
import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { bpium } from '../../../src/dialects/bpium.ts'
import { plain } from '../../../src/dialects/plain.ts'
import { standard } from '../../../src/dialects/standard.ts'
import { essence, replyOf } from './vectors.ts'

const EVENT = 'record.before.updated'
const read = (...reply: Parameters<typeof replyOf>) => standard.readAnswer(EVENT, replyOf(...reply))

/** In one word: the kind, or the cause of a failure. */
const wordFor = (...reply: Parameters<typeof replyOf>): string => {
  const answer = read(...reply)
  return answer.kind === 'failed' ? answer.cause : answer.kind
}

const nested = (depth: number) => '['.repeat(depth - 1) + ']'.repeat(depth - 1)
const allowWith = (members: string) => `{"decision":"allow",${members}}`
const bytes = (...parts: (string | number)[]) =>
  Buffer.concat(parts.map((one) => Buffer.from(typeof one === 'string' ? one : [one])))

describe('standard: only a 204 or a literal allow allows', () => {
  const NOT_ALLOWED: readonly [string, number, string | Uint8Array, string][] = [
    ['nothing', 200, '', 'bad_reply'],
    ['a blank', 200, ' \n', 'bad_reply'],
    ['an empty object', 200, '{}', 'bad_reply'],
    ['a no in words of its own', 200, '{"allowed":false}', 'bad_reply'],
    ['a yes in words of its own', 200, '{"allowed":true}', 'bad_reply'],
    ['another no', 200, '{"allow":false,"allowed":false,"message":"no"}', 'bad_reply'],
    ['parse-server success', 200, '{"success":true}', 'bad_reply'],
    ['parse-server error', 200, '{"error":"denied"}', 'bad_reply'],
    ['HTML', 200, '<html>captive portal</html>', 'bad_reply'],
    ['text', 200, 'OK', 'bad_reply'],
    ['text that says it', 200, 'allow', 'bad_reply'],
    ['a JSON text that says it', 200, '"allow"', 'bad_reply'],
    ['a list', 200, '[1,2,3]', 'bad_reply'],
    ['a list that holds it', 200, '[{"decision":"allow"}]', 'bad_reply'],
    ['null', 200, 'null', 'bad_reply'],
    ['true', 200, 'true', 'bad_reply'],
    ['1', 200, '1', 'bad_reply'],
    ['it one level down', 200, '{"data":{"decision":"allow"}}', 'bad_reply'],
    ['another spelling', 200, '{"decision":"Allow"}', 'bad_reply'],
    ['capitals', 200, '{"decision":"ALLOW"}', 'bad_reply'],
    ['another word', 200, '{"decision":"allowed"}', 'bad_reply'],
    ['a blank behind it', 200, '{"decision":"allow "}', 'bad_reply'],
    ['another key', 200, '{"Decision":"allow"}', 'bad_reply'],
    ['a decision that is true', 200, '{"decision":true}', 'bad_reply'],
    ['a decision that is null', 200, '{"decision":null}', 'bad_reply'],
    ['a list of decisions', 200, '{"decision":["allow"]}', 'bad_reply'],
    ['both, the yes last', 200, '{"decision":"deny","decision":"allow"}', 'bad_reply'],
    ['both, the yes first', 200, '{"decision":"allow","decision":"deny"}', 'bad_reply'],
    ['both, one in disguise', 200, '{"decisio\\u006e":"deny","decision":"allow"}', 'bad_reply'],
    ['errors, then none', 200, allowWith('"errors":[{"message":"x"}],"errors":[]'), 'bad_reply'],
    ['errors', 200, allowWith('"errors":[{"message":"x"}]'), 'bad_reply'],
    [
      'a mere hint as an error',
      200,
      allowWith('"errors":[{"severity":"info","message":"x"}]'),
      'bad_reply',
    ],
    [
      'an error as a warning',
      200,
      allowWith('"warnings":[{"severity":"error","message":"x"}]'),
      'bad_reply',
    ],
    ['an error beside it', 200, allowWith('"error":"the ledger is down"'), 'bad_reply'],
    ['errors that are a text', 200, allowWith('"errors":"none"'), 'bad_reply'],
    ['errors that are null', 200, allowWith('"errors":null'), 'bad_reply'],
    ['errors that are bare texts', 200, allowWith('"errors":["x"]'), 'bad_reply'],
    ['warnings that are an object', 200, allowWith('"warnings":{}'), 'bad_reply'],
    ['a warning without a message', 200, allowWith('"warnings":[{"code":"x"}]'), 'bad_reply'],
    [
      'a severity of its own',
      200,
      allowWith('"warnings":[{"severity":"fatal","message":"x"}]'),
      'bad_reply',
    ],
    ['a message that is a number', 200, allowWith('"message":5'), 'bad_reply'],
    ['a title without a text', 200, allowWith('"message":{"title":"x"}'), 'bad_reply'],
    ['a title among languages', 200, allowWith('"message":{"title":"x","en":"y"}'), 'bad_reply'],
    ['values that are a list', 200, allowWith('"values":[1]'), 'bad_reply'],
    ['values that are null', 200, allowWith('"values":null'), 'bad_reply'],
    ['values that are a text', 200, allowWith('"values":"x"'), 'bad_reply'],
    ['depth 65', 200, allowWith(`"x":${nested(65)}`), 'bad_reply'],
    ['depth 100,000', 200, '['.repeat(100_000), 'bad_reply'],
    ['NUL', 200, allowWith('"message":"a\\u0000"'), 'bad_reply'],
    ['a lone surrogate', 200, allowWith('"message":"\\ud83d"'), 'bad_reply'],
    ['__proto__', 200, '{"__proto__":{"decision":"allow"}}', 'bad_reply'],
    ['__proto__ in disguise', 200, allowWith('"\\u005f_proto__":{}'), 'bad_reply'],
    ['constructor', 200, allowWith('"values":{"constructor":1}'), 'bad_reply'],
    ['an infinite number', 200, allowWith('"values":{"a":1e400}'), 'bad_reply'],
    ['a byte order mark', 200, '\ufeff{"decision":"allow"}', 'bad_reply'],
    ['UTF-16', 200, Buffer.from('{"decision":"allow"}', 'utf16le'), 'bad_reply'],
    [
      'a byte that is not UTF-8',
      200,
      bytes('{"decision":"allow","message":"', 0xff, '"}'),
      'bad_reply',
    ],
    ['an overlong form', 200, bytes('{"decision":"allow","a":"', 0xc0, 0xaf, '"}'), 'bad_reply'],
    ['a cut end', 200, '{"decision":"allow"', 'bad_reply'],
    ['something behind it', 200, '{"decision":"allow"}{"decision":"deny"}', 'bad_reply'],
    ['a comment', 200, '{"decision":"allow"/**/}', 'bad_reply'],
    ['single quotes', 200, "{'decision':'allow'}", 'bad_reply'],
    ['an allow that was only created', 201, '{"decision":"allow"}', 'bad_status'],
    ['an allow that was only accepted', 202, '{"decision":"allow"}', 'bad_status'],
    ['an allow that is only a part', 206, '{"decision":"allow"}', 'bad_status'],
    ['an allow behind a 205', 205, '', 'bad_status'],
    ['an allow behind a redirect', 302, '{"decision":"allow"}', 'redirected'],
    ['an allow behind a 307', 307, '{"decision":"allow"}', 'redirected'],
    ['not modified', 304, '', 'redirected'],
    ['an allow behind a refusal', 403, '{"decision":"allow"}', 'bad_status'],
    ['an allow behind a 500', 500, '{"decision":"allow"}', 'bad_status'],
  ]

  it.each(NOT_ALLOWED)('not %s', (_, status, body, expected) => {
    expect(wordFor(status, body)).toBe(expected)
  })

  it.each([
    ['as such', '{"decision":"allow"}'],
    ['with white space around it', ' {\r\n "decision" : "allow" }\n'],
    ['behind other members', '{"a":{"decision":"deny"},"decision":"allow"}'],
    ['beside empty lists', allowWith('"errors":[],"warnings":[]')],
    ['with an error that is none', allowWith('"error":null')],
    ['with quotes and colons in texts', allowWith('"message":"a \\"b\\": {c:d} \\\\"')],
    ['with an odd quote before a colon', allowWith('"message":"12\\": wide"')],
    ['at depth 64', allowWith(`"x":${nested(64)}`)],
    ['with huge finite numbers', allowWith('"values":{"a":1e300,"b":12345678901234567890}')],
    ['with escapes', '{"\\u0064ecision":"\\u0061llow"}'],
  ])('but an allow %s', (_, body) => {
    expect(wordFor(200, body)).toBe('allow')
  })

  it('not when the reply names a content-encoding, whatever its status', () => {
    for (const coding of ['gzip', 'br', 'deflate, gzip', 'GZIP', 'identity, gzip', 'x']) {
      for (const [status, body] of [
        [200, '{"decision":"allow"}'],
        [204, ''],
        [403, ''],
      ] as const) {
        expect(wordFor(status, body, { 'content-encoding': coding })).toBe('bad_reply')
      }
    }
    const listed = { 'content-encoding': ['identity', 'gzip'] }
    expect(wordFor(200, '{"decision":"allow"}', listed)).toBe('bad_reply')
    const identity = { 'content-encoding': 'identity' }
    expect(wordFor(200, '{"decision":"allow"}', identity)).toBe('bad_reply')
  })

  it('whatever the content type', () => {
    for (const type of [undefined, 'text/html', 'application/xml', 'application/json']) {
      expect(wordFor(200, '{"decision":"allow"}', { 'content-type': type })).toBe('allow')
    }
  })

  it('and reads bytes that are a part of a larger buffer', () => {
    const whole = Buffer.from('}{"decision":"allow"}{')
    expect(wordFor(200, whole.subarray(1, -1))).toBe('allow')
  })
})

describe('standard: a deny', () => {
  const DENIES: readonly [string, number, string, object[]][] = [
    ['400 and a message', 400, '{"message":"x"}', [{ severity: 'error', message: { text: 'x' } }]],
    ['403 and an error', 403, '{"error":"x"}', [{ severity: 'error', message: { text: 'x' } }]],
    ['409 and a detail', 409, '{"detail":"x"}', [{ severity: 'error', message: { text: 'x' } }]],
    ['422 and errors', 422, '{"errors":["x"]}', [{ severity: 'error', message: { text: 'x' } }]],
    [
      'an error object',
      400,
      '{"error":{"message":"x"}}',
      [{ severity: 'error', message: { text: 'x' } }],
    ],
    ['a reason without a text', 400, '{"errors":{"a":["x"]}}', []],
    ['a detail that is a list', 422, '{"detail":[{"loc":["a"],"msg":"x"}]}', []],
    [
      'languages',
      400,
      '{"message":{"en":"x","uk":"y"}}',
      [{ severity: 'error', message: { locales: { en: { text: 'x' }, uk: { text: 'y' } } } }],
    ],
    ['400 and nothing', 400, '', []],
    ['422 and nothing', 422, '', []],
    [
      '200 and an error',
      200,
      '{"decision":"deny","error":"x"}',
      [{ severity: 'error', message: { text: 'x' } }],
    ],
    [
      '200 and a detail',
      200,
      '{"decision":"deny","errors":[],"detail":"x"}',
      [{ severity: 'error', message: { text: 'x' } }],
    ],
    [
      '200 and a mere warning',
      200,
      '{"decision":"deny","warnings":[{"message":"x"}]}',
      [{ severity: 'warning', message: { text: 'x' } }],
    ],
  ]

  it.each(DENIES)('is %s', (_, status, body, remarks) => {
    expect(read(status, body)).toEqual({ kind: 'deny', remarks, values: undefined })
  })

  it.each([
    ['HTML', 403, '<html>Forbidden</html>'],
    ['text', 400, 'Bad Request'],
    ['JSON about something else', 400, '{"status":400,"title":"Bad Request"}'],
    ['reasons that are null', 400, '{"message":null,"error":null}'],
    ['a list', 409, '["x"]'],
    ['forbidden content', 400, '{"message":"a","__proto__":{}}'],
    ['a 401', 401, '{"message":"x"}'],
    ['a 404', 404, '{"message":"x"}'],
    ['a 410', 410, ''],
    ['a 429', 429, '{"message":"x"}'],
    ['a 500', 500, '{"message":"x"}'],
    ['a 599', 599, ''],
  ])('is not %s: that is a failure', (_, status, body) => {
    expect(essence(read(status, body))).toEqual({
      kind: 'failed',
      cause: 'bad_status',
      remarks: [],
    })
  })

  it('carries no values before a commit', () => {
    expect(read(200, '{"decision":"deny","values":{"a":1}}')).toMatchObject({ values: undefined })
  })
})

describe('a refusal with what no database keeps', () => {
  const said = '{"message":"No\\u0000 way\\ud83d, \\ud83d\\ude00 \\\\u0000"}'
  const message = { text: 'No\u0001 way\ufffd, \u{1f600} \\u0000' }
  const error = { severity: 'error', message }

  it('stays one, and keeps its words', () => {
    const body = `{"decision":"deny","errors":[${said}]}`
    expect(read(200, body)).toMatchObject({ kind: 'deny', remarks: [error] })
    for (const dialect of [standard, plain, bpium]) {
      const answer = dialect.readAnswer(EVENT, replyOf(422, said))
      expect(answer).toMatchObject({ kind: 'deny', remarks: [error] })
    }
  })

  it('is one only where it says so', () => {
    expect(wordFor(200, '{"decision":"deny\\u0000"}')).toBe('bad_reply')
    expect(wordFor(200, `{"x":"\\u0000","decision":"allow"}`)).toBe('bad_reply')
    const twice = '{"decision":"deny","x":"\\u0000","decision":"allow"}'
    expect(wordFor(200, twice)).toBe('bad_reply')
    expect(wordFor(200, '{"decision":"deny","x":"\\u0000","__proto__":1}')).toBe('bad_reply')
  })

  it('makes a form neither allowed nor filled in', () => {
    const reading = (body: string) =>
      [standard, bpium, plain].map((one) => one.readAnswer('record.updating', replyOf(200, body)))
    const silent = reading('{"decision":"deny","values":{"a":"\\u0000","b\\u0000":1}}')
    expect(silent.map(({ kind }) => kind)).toEqual(['failed', 'failed', 'allow'])
    const refusing = reading(
      '{"decision":"deny","errors":[{"message":"No\\u0000"}],"values":{"a":"\\u0000"}}',
    )
    expect(refusing.map(({ kind }) => kind)).toEqual(['deny', 'failed', 'allow'])
    for (const answer of [...silent, ...refusing]) {
      expect('values' in answer ? answer.values : undefined).toBeUndefined()
    }
  })
})

describe('standard: a confirm', () => {
  it('keeps what the person is to confirm', () => {
    expect(read(200, '{"decision":"confirm","warnings":[{"message":"x"}],"message":"y"}')).toEqual({
      kind: 'confirm',
      remarks: [
        { severity: 'confirm', message: { text: 'x' } },
        { severity: 'info', message: { text: 'y' } },
      ],
    })
  })

  it.each([
    '"errors":[{"message":"x"}]',
    '"warnings":[{"severity":"error","message":"x"}]',
    '"error":"x"',
  ])('is not one that lists errors: %s', (members) => {
    expect(wordFor(200, `{"decision":"confirm",${members}}`)).toBe('bad_reply')
  })
})

describe('standard: record.updating', () => {
  const fill = (...reply: Parameters<typeof replyOf>) =>
    essence(standard.readAnswer('record.updating', replyOf(...reply)))

  it.each([
    [
      'an error among the warnings',
      '{"warnings":[{"severity":"error","message":"x"}]}',
      'deny',
      'error',
    ],
    ['a confirmation', '{"warnings":[{"severity":"confirm","message":"x"}]}', 'allow', 'warning'],
    ['a message', '{"message":"x"}', 'allow', 'info'],
    ['an error', '{"errors":[{"message":"x"}]}', 'deny', 'error'],
  ])('reads %s', (_, body, kind, severity) => {
    const remarks = [{ severity, message: { text: 'x' } }]
    expect(fill(200, body)).toEqual({ kind, remarks, values: undefined })
  })

  it.each(['', 'null', '[]', '{"values":[]}', '{"values":null}', '{"errors":{}}', '{"message":1}'])(
    'takes no %j',
    (body) => {
      expect(fill(200, body)).toEqual({ kind: 'failed', cause: 'bad_reply', remarks: [] })
    },
  )

  it('is refused by status as a change is', () => {
    expect(fill(422, '{"message":"x"}')).toMatchObject({ kind: 'deny' })
    expect(fill(404, '{"message":"x"}')).toMatchObject({ cause: 'bad_status' })
  })
})

describe('details of failures', () => {
  it('name the place and quote at most 80 characters of the reply', () => {
    expect(read(200, allowWith('"errors":[{"message":5}]'))).toMatchObject({
      detail: expect.stringContaining('"/errors/0/message"'),
    })
    expect(read(200, '<html>captive portal</html>')).toMatchObject({
      detail: expect.stringContaining('<html>captive portal</html>'),
    })
    const long = read(200, 'x'.repeat(10_000))
    expect(long.kind === 'failed' && long.detail.length).toBeLessThan(200)
    const secretive = read(200, '{"decision":"top-secret","values":{"card":"4111"}}')
    expect(JSON.stringify(secretive)).not.toMatch(/top-secret|4111/)
  })
})
