import { Buffer } from 'node:buffer'
import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  buildRequest,
  type RequestOrder,
  type RequestSettings,
  requestFaults,
  validSecrets,
} from '../../../src/dialects/request.ts'
import { standard } from '../../../src/dialects/standard.ts'
import {
  changeEventNames,
  NOTIFICATION_EVENTS,
  OPERATIONAL_EVENTS,
} from '../../../src/domain/change.ts'
import { METHODS } from '../../../src/domain/subscription.ts'
import { messageOf, SIGNING } from './vectors.ts'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const AT_MS = 1_763_712_001_500

const MESSAGE = messageOf({
  recordId: 'r 1/2',
  values: { status: 'paid & sealed', total: 12.5, tags: ['a', 'b'], note: null, on: false },
  changedFields: ['status'],
  user: { id: '7' },
})

type Settings = RequestOrder['subscription']
const settings = (given: Partial<Settings> = {}): Settings => ({
  url: 'https://validator.test/check',
  method: 'POST',
  parameters: null,
  auth: { type: 'none' },
  headers: {},
  dialect: 'standard',
  ...given,
})

const build = (given: Partial<Settings> = {}, order: Partial<RequestOrder> = {}) =>
  buildRequest({
    subscription: settings(given),
    message: MESSAGE,
    attemptAtMs: AT_MS,
    secrets: [SECRET],
    ...order,
  })

const PARAMETERS = [
  { name: 'state', from: '/data/values/status' },
  { name: 'total', from: '/data/values/total' },
  { name: 'tags', from: '/data/values/tags' },
  { name: 'note', from: '/data/values/note' },
  { name: 'on', from: '/data/values/on' },
  { name: 'gone', from: '/data/values/gone' },
  { name: 'event', from: '/type' },
]

describe('a request with the whole payload', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)('is the body of a %s', (method) => {
    const request = build({ method })
    expect(request.method).toBe(method)
    expect(request.url).toBe('https://validator.test/check')
    expect(request.body).toBe(standard.encode(MESSAGE, SIGNING))
    expect(request.headers['content-type']).toBe('application/json')
    expect(request.headers['user-agent']).toBe('assent/1')
  })

  it('takes a body that was encoded before instead of encoding again', () => {
    const request = build({}, { sharedBody: '{"shared":true}' })
    expect(request.body).toBe('{"shared":true}')
    expect(request.headers).toMatchObject(
      standard.sign('{"shared":true}', { id: 'dec_1', attemptAtMs: AT_MS, secrets: [SECRET] }),
    )
  })

  it('leaves a URL with braces as it is written', () => {
    expect(build({ url: 'https://validator.test/{x}' }).url).toBe('https://validator.test/{x}')
  })
})

describe('a request with chosen parameters', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)(
    'carries them as the body of a %s',
    (method) => {
      const { body, url } = build({ method, parameters: PARAMETERS }, { sharedBody: 'not this' })
      expect(url).toBe('https://validator.test/check')
      expect(body).toBe(
        '{"state":"paid & sealed","total":12.5,"tags":["a","b"],"note":null,"on":false,"event":"record.before.updated"}',
      )
    },
  )

  it('carries them as the query of a GET, which has no body and no content type', () => {
    const { body, url, headers } = build({ method: 'GET', parameters: PARAMETERS })
    expect(body).toBeNull()
    expect(headers).not.toHaveProperty('content-type')
    expect(url).toBe(
      'https://validator.test/check?state=paid%20%26%20sealed&total=12.5&tags=%5B%22a%22%2C%22b%22%5D&note=&on=false&event=record.before.updated',
    )
  })

  it('sends no body with a GET even where parameters were forgotten', () => {
    expect(build({ method: 'GET' }, { sharedBody: '{}' }).body).toBeNull()
  })

  it.each([
    ['https://v.test/?a=1', 'https://v.test/?a=1&total=12.5'],
    ['https://v.test/?', 'https://v.test/?total=12.5'],
    ['https://v.test/?a=1&', 'https://v.test/?a=1&total=12.5'],
    ['https://v.test', 'https://v.test?total=12.5'],
  ])('joins them to the query of %s', (url, expected) => {
    const parameters = [{ name: 'total', from: '/data/values/total' }]
    expect(build({ method: 'GET', url, parameters }).url).toBe(expected)
  })

  it('fills placeholders, percent-encoded, and does not repeat them', () => {
    const url = 'https://v.test/{record}/x-{record}?s={state}&g=[{gone}]'
    const parameters = [...PARAMETERS, { name: 'record', from: '/data/recordId' }]
    const post = build({ url, parameters })
    expect(post.url).toBe('https://v.test/r%201%2F2/x-r%201%2F2?s=paid%20%26%20sealed&g=[]')
    expect(JSON.parse(post.body ?? '')).toEqual({
      total: 12.5,
      tags: ['a', 'b'],
      note: null,
      on: false,
      event: 'record.before.updated',
    })
    expect(build({ url, parameters, method: 'GET' }).url).toBe(
      `${post.url}&total=12.5&tags=%5B%22a%22%2C%22b%22%5D&note=&on=false&event=record.before.updated`,
    )
  })

  it('reads pointers into the standard payload whatever the dialect', () => {
    const parameters = [{ name: 'who', from: '/data/user/id' }]
    expect(build({ dialect: 'bpium', parameters }).body).toBe('{"who":"7"}')
    expect(build({ dialect: 'plain', parameters }).body).toBe('{"who":"7"}')
  })

  it('sends an empty object where nothing was chosen or found', () => {
    expect(build({ parameters: [] }).body).toBe('{}')
    expect(build({ parameters: [{ name: 'x', from: '/data/nope' }] }).body).toBe('{}')
  })

  it('sends half of a surrogate pair as the replacement character', () => {
    const parameters = [{ name: 'a', from: '/data/values/a' }]
    const message = messageOf({ values: { a: 'x\ud83d' } })
    expect(build({ method: 'GET', parameters }, { message }).url).toMatch(/\?a=x%EF%BF%BD$/)
  })

  it('reaches no other host or path by any value', () => {
    const parameters = [
      { name: 'a', from: '/data/values/a' },
      { name: 'b', from: '/data/values/b' },
    ]
    const spelled = fc.oneof(
      fc.constantFrom('.', '..', '%2e', '%2E%2e', '/', '\\', '../..', '#', '?', '@evil.test', ''),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(spelled, spelled, (a, b) => {
        const request = build(
          { url: 'https://v.test/check/{a}/.{b}/{a}{b}/end?q={b}', parameters },
          { message: messageOf({ values: { a, b } }) },
        )
        const url = new URL(request.url)
        expect(url.host).toBe('v.test')
        expect(url.hash).toBe('')
        expect(url.pathname.split('/')).toHaveLength(6)
        expect(url.pathname).toMatch(/^\/check\/.*\/end$/)
        expect([...url.searchParams.keys()]).toEqual(['q'])
      }),
    )
  })
})

describe('signatures of a request', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('cover the bytes that are sent, for every method and choice', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: AT_MS })
    for (const method of METHODS) {
      for (const parameters of [null, PARAMETERS]) {
        const { body, headers } = build({ method, parameters })
        const verify = () => new Webhook(SECRET).verify(body ?? '', headers, { jsonParse: false })
        expect(verify).not.toThrow()
      }
    }
  })

  it('are of the dialect', () => {
    const { body, headers } = build({ dialect: 'bpium' }, { secrets: ['s', 'older'] })
    expect(headers['x-hook-signature']).toBe(
      createHmac('md5', 's')
        .update(body ?? '')
        .digest('base64'),
    )
    expect(headers).not.toHaveProperty('webhook-signature')
  })

  it('are in the body where the dialect puts them there, by the current secret and this attempt', () => {
    const { body, headers } = build({ dialect: 'poster' }, { secrets: ['s', 'older'] })
    const signed = 'default;orders;r 1/2;updated;1763712001;s'
    expect(JSON.parse(body ?? '')).toMatchObject({
      time: '1763712001',
      verify: createHash('md5').update(signed).digest('hex'),
    })
    expect(Object.keys(headers).sort()).toEqual(['content-type', 'user-agent'])
    const again = build({ dialect: 'poster' }, { secrets: ['s'], attemptAtMs: AT_MS + 1_000 })
    expect(again.body).not.toBe(body)
  })

  it('use the current secret first and retiring ones while they are valid', () => {
    const retiring = [
      { secret: 'past', validUntil: new Date(AT_MS).toISOString() },
      { secret: 'still', validUntil: new Date(AT_MS + 1).toISOString() },
      { secret: 'broken', validUntil: 'soon' },
    ]
    expect(validSecrets({ secret: 'now', retiring }, AT_MS)).toEqual(['now', 'still'])
  })
})

describe('headers of a request', () => {
  it.each([
    [{ type: 'none' }, {}],
    [{ type: 'bearer', token: 'abc' }, { authorization: 'Bearer abc' }],
    // RFC 7617 §2 and §2.1.
    [
      { type: 'basic', username: 'Aladdin', password: 'open sesame' },
      { authorization: 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==' },
    ],
    [
      { type: 'basic', username: 'test', password: '123£' },
      { authorization: 'Basic dGVzdDoxMjPCow==' },
    ],
    [{ type: 'custom', header: 'X-Api-Key', value: 'k' }, { 'x-api-key': 'k' }],
  ] as const)('authenticate by %j', (auth, expected) => {
    const { authorization, 'x-api-key': key } = build({ auth }).headers
    expect({
      ...(authorization === undefined ? {} : { authorization }),
      ...(key === undefined ? {} : { 'x-api-key': key }),
    }).toEqual(expected)
  })

  it("are the subscription's own beside ours", () => {
    const { headers } = build({ headers: { 'X-Tenant': 'a', 'User-Agent': 'mine/2' } })
    expect(headers).toMatchObject({ 'x-tenant': 'a', 'user-agent': 'mine/2' })
    expect(headers).not.toHaveProperty('X-Tenant')
  })

  it('keep ours whatever a stored subscription says', () => {
    const clean = build().headers
    const names = Object.keys(clean).filter((name) => name !== 'user-agent')
    const hostile = [...names, 'host', 'content-length', 'X-Assent-Chain', 'transfer-encoding']
    for (const name of hostile.flatMap((one) => [one, one.toUpperCase()])) {
      expect(build({ headers: { [name]: 'evil' } }).headers).toEqual(clean)
      expect(build({ auth: { type: 'custom', header: name, value: 'evil' } }).headers).toEqual(
        clean,
      )
    }
  })
})

describe('settings that are refused when saved', () => {
  const faults = (given: Partial<RequestSettings>) =>
    requestFaults(settings(given)).map(({ pointer }) => pointer)
  const P = [{ name: 'id', from: '/data/recordId' }]

  it.each<[Partial<RequestSettings>]>([
    [{}],
    [{ url: 'http://127.0.0.1:8080/a?b=c' }],
    [{ url: 'https://[::1]/x' }],
    [{ url: 'https://приклад.укр/шлях' }],
    [{ url: 'HTTPS://V.test/' }],
    [{ url: `https://v.test/${'x'.repeat(2_033)}` }],
    [{ url: 'https://v.test/{id}?x={id}', parameters: P }],
    [{ url: 'https://v.test?x={id}', parameters: P }],
    [{ url: 'https://v.test/', method: 'GET', parameters: [] }],
    [{ method: 'DELETE' }],
    [{ parameters: [{ name: 'x'.repeat(100), from: '' }] }],
    [{ parameters: [{ name: 'a b', from: '/data/values/~0~1' }] }],
    [{ headers: { 'X-A': '', 'x-b': '\t visible ~', ['h'.repeat(64)]: 'x'.repeat(4_096) } }],
    [{ headers: { Authorization: 'Token x', Accept: '*/*' } }],
    [{ auth: { type: 'custom', header: 'X-Key', value: 'k' } }],
    [{ auth: { type: 'basic', username: 'Ольга', password: 'a:b ü' } }],
    [{ auth: { type: 'bearer', token: 'a.b.c' } }],
  ])('do not include %j', (given) => {
    expect(requestFaults(settings(given))).toEqual([])
  })

  it.each([
    '',
    'v.test/x',
    '/x',
    '//v.test/x',
    'ftp://v.test/',
    'file:///etc/passwd',
    'unix:/run/x.sock',
    'javascript:alert(1)',
    'http://',
    'http:///v.test',
    'http:v.test',
    'https://u@v.test/',
    'https://u:p@v.test/',
    'https://v.test/#x',
    'https://v.test#x',
    'https://v.test:99999/',
    'https://[::1/',
    'https://v test/',
    'https://v.test/a b',
    ' https://v.test/',
    'https://v.test/\n',
    'https://v.test\\@evil.test/',
    'https://v.test/\u0000',
    `https://v.test/${'x'.repeat(2_034)}`,
    'https://{id}.test/',
    'https://v.test:{id}/',
    '{id}://v.test/',
    'https://{id}@v.test/',
    'https://v.test/{other}',
    'https://v.test/{}',
    'https://v.test/{id',
    'https://v.test/id}',
    'https://v.test/{{id}}',
    'https://v.test/#{id}',
  ])('include the URL %j', (url) => {
    expect(faults({ url, parameters: P })).toContain('/url')
  })

  it.each([
    'Host',
    'content-length',
    'Content-Type',
    'CONTENT-ENCODING',
    'accept-encoding',
    'transfer-encoding',
    'connection',
    'keep-alive',
    'te',
    'trailer',
    'upgrade',
    'expect',
    'proxy-authorization',
    'metadata-flavor',
    'X-Aws-Ec2-Metadata-Token',
    'X-HTTP-Method-Override',
    'cookie',
    'forwarded',
    'x-forwarded-for',
    'via',
    'webhook-signature',
    'Webhook-Anything',
    'X-Hook-Signature',
    'X-Assent-Chain',
    'traceparent',
    'tracestate',
    '',
    'a b',
    'a:b',
    'a\r\nb',
    'é',
    'x'.repeat(65),
  ])('include the header %j, as auth too', (name) => {
    const pointer = `/headers/${name.replaceAll('/', '~1')}`
    expect(faults({ headers: { [name]: 'x' } })).toEqual([pointer])
    expect(faults({ auth: { type: 'custom', header: name, value: 'x' } })).toEqual(['/auth/header'])
  })

  it.each(['a\r\nX-Evil: 1', 'a\n', 'a\u0000', '\u007f', 'é', '🚕', '\u0001', 'x'.repeat(4_097)])(
    'include the header value %j, as a token and as custom auth too',
    (value) => {
      expect(faults({ headers: { 'x-a': value } })).toEqual(['/headers/x-a'])
      expect(faults({ auth: { type: 'bearer', token: value } })).toEqual(['/auth/token'])
      expect(faults({ auth: { type: 'custom', header: 'x-a', value } })).toEqual(['/auth/value'])
    },
  )

  it.each<[Partial<RequestSettings>, string[]]>([
    [{ method: 'GET' }, ['/parameters']],
    [{ url: 'https://v.test/{id}' }, ['/url']],
    [{ parameters: [...P, ...P] }, ['/parameters/1/name']],
    [{ parameters: [{ name: '', from: '' }] }, ['/parameters/0/name']],
    [{ parameters: [{ name: 'x'.repeat(101), from: '' }] }, ['/parameters/0/name']],
    [{ parameters: [{ name: 'a', from: 'data' }] }, ['/parameters/0/from']],
    [{ parameters: [{ name: 'a', from: '/data/~2' }] }, ['/parameters/0/from']],
    [{ headers: { 'X-A': '1', 'x-a': '2' } }, ['/headers/x-a']],
    [{ auth: { type: 'bearer', token: ' ' } }, ['/auth/token']],
    [{ auth: { type: 'basic', username: 'a:b', password: 'x' } }, ['/auth/username']],
    [
      { auth: { type: 'basic', username: 'a\n', password: '\u0000' } },
      ['/auth/username', '/auth/password'],
    ],
    [{ auth: { type: 'basic', username: 'a', password: 'x'.repeat(501) } }, ['/auth/password']],
    [
      { url: 'x', method: 'GET', headers: { host: 'x' }, auth: { type: 'bearer', token: '' } },
      ['/url', '/headers/host', '/auth/token', '/parameters'],
    ],
  ])('include %j, all faults at once', (given, expected) => {
    expect(faults(given)).toEqual(expected)
  })

  it.each(changeEventNames)('include the request %s in a dialect that is only told', (event) => {
    const given = { ...settings({ dialect: 'poster' }), events: ['record.created', event] }
    expect(requestFaults(given)).toEqual([
      { pointer: '/events', message: expect.stringContaining(event) },
    ])
    for (const dialect of ['standard', 'plain', 'bpium'] as const) {
      expect(requestFaults({ ...given, dialect })).toEqual([])
    }
  })

  it('do not include events that a dialect without requests is told of', () => {
    const events = [...NOTIFICATION_EVENTS, ...OPERATIONAL_EVENTS]
    expect(requestFaults({ ...settings({ dialect: 'poster' }), events })).toEqual([])
  })

  it('never let through a header pair that would break a request', () => {
    const anyPair = fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))
    const near = fc.tuple(fc.constantFrom('x-a', 'X-B', 'host', 'te'), fc.string())
    fc.assert(
      fc.property(fc.oneof(anyPair, near), ([name, value]) => {
        if (faults({ headers: { [name]: value } }).length > 0) return
        const sent = new Headers([[name, value]])
        expect([...sent].length).toBe(1)
        expect(Buffer.from(`${name}${value}`).every((byte) => byte === 9 || byte >= 32)).toBe(true)
      }),
    )
  })
})
