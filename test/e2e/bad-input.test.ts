import net from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ADMIN_KEY, startTestGateway, type TestGateway } from '../support/gateway.ts'

describe('bad input', () => {
  let gateway: TestGateway
  const api = () => gateway.api
  beforeAll(async () => {
    gateway = await startTestGateway()
  })
  afterAll(() => gateway.close())

  const approve = (raw: string | Uint8Array) => api().post('/v1/approve', undefined, { raw })
  const valid = { event: 'record.before.created', catalogId: 'c', values: {} }
  const nested = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`
  const withValues = (values: string) =>
    `{"event":"record.before.created","catalogId":"c","values":${values}}`

  const REFUSED: readonly [string, string | Uint8Array, number, string, string | undefined][] = [
    ['no body', '', 400, 'invalid_json', ''],
    ['text', 'hello', 400, 'invalid_json', ''],
    ['half of an object', '{"event":', 400, 'invalid_json', ''],
    [
      'bytes that are not UTF-8',
      new Uint8Array([0x22, 0xff, 0xfe, 0x22]),
      400,
      'invalid_json',
      undefined,
    ],
    ['UTF-16', new Uint8Array([0xff, 0xfe, 0x7b, 0, 0x7d, 0]), 400, 'invalid_json', undefined],
    ['a list', '[]', 422, 'invalid_request', ''],
    ['null', 'null', 422, 'invalid_request', ''],
    ['a number', '7', 422, 'invalid_request', ''],
    ['depth 65', withValues(`{"a":${nested(64)}}`), 400, 'json_too_deep', undefined],
    ['depth 100,000', withValues(nested(100_000)), 400, 'json_too_deep', undefined],
    ['NUL', withValues('{"a":"x\\u0000y"}'), 400, 'invalid_json', '/values/a'],
    ['half a surrogate pair', withValues('{"a":["\\ud800"]}'), 400, 'invalid_json', '/values/a/0'],
    ['__proto__', withValues('{"__proto__":{"x":1}}'), 400, 'invalid_json', '/values/__proto__'],
    [
      'escaped __proto__',
      withValues('{"\\u005f_proto__":1}'),
      400,
      'invalid_json',
      '/values/__proto__',
    ],
    [
      'constructor',
      withValues('{"a":{"constructor":1}}'),
      400,
      'invalid_json',
      '/values/a/constructor',
    ],
    ['1e400', withValues('{"a":1e400}'), 400, 'invalid_json', '/values/a'],
    [
      'an integer that would lose digits',
      withValues('{"a":12345678901234567890}'),
      400,
      'invalid_json',
      '/values/a',
    ],
    [
      'an unknown event',
      '{"event":"record.exploded","catalogId":"c"}',
      422,
      'invalid_request',
      '/event',
    ],
    ['no event', '{"catalogId":"c"}', 422, 'invalid_request', '/event'],
    ['no catalogId', '{"event":"record.before.created"}', 422, 'invalid_request', '/catalogId'],
    [
      'an empty catalogId',
      JSON.stringify({ ...valid, catalogId: '' }),
      422,
      'invalid_request',
      '/catalogId',
    ],
    [
      'a long catalogId',
      JSON.stringify({ ...valid, catalogId: 'x'.repeat(201) }),
      422,
      'invalid_request',
      '/catalogId',
    ],
    [
      'a control character in an id',
      JSON.stringify({ ...valid, recordId: 'a\nb' }),
      422,
      'invalid_request',
      '/recordId',
    ],
    [
      'a number for an id',
      JSON.stringify({ ...valid, recordId: 7 }),
      422,
      'invalid_request',
      '/recordId',
    ],
    [
      'no recordId for an update',
      JSON.stringify({ ...valid, event: 'record.before.updated' }),
      422,
      'invalid_request',
      '/recordId',
    ],
    [
      'no recordId for a delete',
      JSON.stringify({ ...valid, event: 'record.before.deleted' }),
      422,
      'invalid_request',
      '/recordId',
    ],
    [
      'values that are a list',
      JSON.stringify({ ...valid, values: [1] }),
      422,
      'invalid_request',
      '/values',
    ],
    [
      'values that are null',
      JSON.stringify({ ...valid, values: null }),
      422,
      'invalid_request',
      '/values',
    ],
    [
      'a user without an id',
      JSON.stringify({ ...valid, user: {} }),
      422,
      'invalid_request',
      '/user/id',
    ],
    [
      'a timeout that is too short',
      JSON.stringify({ ...valid, timeoutMs: 49 }),
      422,
      'invalid_request',
      '/timeoutMs',
    ],
    [
      'a timeout that is too long',
      JSON.stringify({ ...valid, timeoutMs: 30_001 }),
      422,
      'invalid_request',
      '/timeoutMs',
    ],
    [
      'a timeout that is a text',
      JSON.stringify({ ...valid, timeoutMs: '100' }),
      422,
      'invalid_request',
      '/timeoutMs',
    ],
    [
      'a negative grace',
      JSON.stringify({ ...valid, denyGraceMs: -1 }),
      422,
      'invalid_request',
      '/denyGraceMs',
    ],
    [
      'an unknown commit mode',
      JSON.stringify({ ...valid, commit: 'maybe' }),
      422,
      'invalid_request',
      '/commit',
    ],
    [
      'a version of zero',
      JSON.stringify({ ...valid, baseVersion: 0 }),
      422,
      'invalid_request',
      '/baseVersion',
    ],
    [
      'confirm that is a text',
      JSON.stringify({ ...valid, confirm: 'token' }),
      422,
      'invalid_request',
      '/confirm',
    ],
    [
      '1,001 values',
      JSON.stringify({
        ...valid,
        values: Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`f${i}`, 1])),
      }),
      422,
      'too_many_values',
      '/values',
    ],
  ]

  it.each(REFUSED)('answers %s with a problem document', async (...row) => {
    const [, raw, status, code, pointer] = row
    const answer = await approve(raw)
    expect([answer.status, answer.json.code]).toEqual([status, code])
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.json).toMatchObject({ status, requestId: answer.headers.get('x-request-id') })
    if (pointer !== undefined) {
      expect(answer.json.errors.map((error: any) => error.pointer)).toContain(pointer)
    }
    const { items } = (await api().get('/v1/catalogs/c/records')).json
    expect(items).toEqual([])
  })

  it('takes what is just inside the limits', async () => {
    const thousand = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`f${i}`, 1]))
    const inside = [
      withValues(`{"a":${nested(62)}}`).replace('"c"', '"deep"'),
      JSON.stringify({ ...valid, catalogId: 'x'.repeat(200), values: thousand }),
      JSON.stringify({ ...valid, catalogId: 'spaces are fine', recordId: 'also here' }),
      JSON.stringify({
        ...valid,
        catalogId: 'numbers',
        values: { a: 9007199254740991, b: -1.5e300 },
      }),
    ]
    for (const raw of inside) expect((await approve(raw)).status).toBe(200)
  })

  it('refuses a body over 1 MiB with 413, told or found out', async () => {
    const raw = JSON.stringify({ ...valid, values: { a: 'x'.repeat(1_100_000) } })
    const told = await approve(raw)
    expect([told.status, told.json.code]).toEqual([413, 'body_too_large'])
    const text = await rawRequest(
      `POST /v1/approve HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ADMIN_KEY}\r\nTransfer-Encoding: chunked\r\n\r\n`,
      `110000\r\n${'x'.repeat(0x110000)}\r\n0\r\n\r\n`,
    )
    expect(text).toMatch(/^HTTP\/1\.1 413 /)
  })

  it('refuses a compressed body, and bytes that are not HTTP', async () => {
    const compressed = await api().post('/v1/approve', undefined, {
      raw: '{}',
      headers: { 'content-encoding': 'gzip' },
    })
    expect([compressed.status, compressed.json.code]).toEqual([415, 'unsupported_media_type'])
    expect(await rawRequest('\u0016\u0003\u0001 garbage\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
  })

  async function rawRequest(...parts: string[]): Promise<string> {
    const { hostname, port } = new URL(gateway.url)
    return new Promise((resolve, reject) => {
      const socket = net.connect(Number(port), hostname)
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk.toString()
        if (text.includes('\r\n\r\n')) socket.destroy()
      })
      socket.on('error', (error) => (text === '' ? reject(error) : resolve(text)))
      socket.on('close', () => resolve(text))
      for (const part of parts) socket.write(part, 'latin1')
    })
  }

  it('wants a key that it knows, with the scope', async () => {
    const without = await api().get('/v1/decisions', { key: null })
    expect([without.status, without.json.code]).toEqual([401, 'unauthenticated'])
    expect(without.headers.get('www-authenticate')).toContain('Bearer')
    for (const key of ['wrong', `${ADMIN_KEY}x`, 'ask_live_x_y']) {
      expect((await api().get('/v1/decisions', { key })).status).toBe(401)
    }
    const made = await api().post('/v1/keys', { name: 'writer', scopes: ['approve'] })
    const { key, id } = made.json
    expect(key).toMatch(/^ask_live_[0-9a-f]+_[0-9A-Za-z]{49}$/)
    expect((await api().approve({}, { key })).status).toBe(200)
    const forbidden = await api().get('/v1/subscriptions', { key })
    expect([forbidden.status, forbidden.json.code]).toEqual([403, 'forbidden'])
    expect((await api().post('/v1/keys', { name: 'x', scopes: ['admin'] }, { key })).status).toBe(
      403,
    )
    expect((await api().delete(`/v1/keys/${id}`)).status).toBe(204)
    expect((await api().approve({}, { key })).status).toBe(401)
  })

  it('answers unknown paths, ids and methods as problems', async () => {
    const answers = [
      [await api().get('/nowhere'), 404, 'not_found'],
      [await api().get('/v1/subscriptions/none'), 404, 'not_found'],
      [await api().patch('/v1/subscriptions/none', {}), 404, 'not_found'],
      [await api().delete('/v1/subscriptions/none'), 404, 'not_found'],
      [await api().post('/v1/subscriptions/none/test'), 404, 'not_found'],
      [await api().get('/v1/subscriptions/none/health'), 404, 'not_found'],
      [await api().get('/v1/decisions/none'), 404, 'not_found'],
      [await api().get('/v1/deliveries/none'), 404, 'not_found'],
      [await api().post('/v1/deliveries/none/retry'), 404, 'not_found'],
      [await api().get('/v1/subscriptions/none/deliveries'), 404, 'not_found'],
      [await api().post('/v1/subscriptions/none/replay', { states: ['dead'] }), 404, 'not_found'],
      [await api().get('/v1/catalogs/none'), 404, 'not_found'],
      [await api().get('/v1/catalogs/none/records/none'), 404, 'record_not_found'],
      [await api().post('/v1/approvals/none/commit', { token: 'x' }), 404, 'not_found'],
      [await api().post('/v1/approvals/none/abort'), 404, 'not_found'],
      [await api().delete('/v1/decisions'), 405, 'method_not_allowed'],
      [await api().get('/v1/approve'), 405, 'method_not_allowed'],
    ] as const
    for (const [answer, status, code] of answers) {
      expect([answer.status, answer.json.code]).toEqual([status, code])
    }
    expect(answers.at(-1)?.[0].headers.get('allow')).toBe('POST')
  })

  it('refuses unusable queries and headers', async () => {
    const cases = [
      [await api().get('/v1/decisions?limit=0'), 400],
      [await api().get('/v1/decisions?limit=201'), 400],
      [await api().get('/v1/decisions?limit=x'), 400],
      [await api().get('/v1/decisions?cursor=%00'), 400],
      [await api().get('/v1/decisions?cursor=bm9uc2Vuc2U'), 400],
      [await api().get('/v1/decisions?since=yesterday'), 400],
      [await api().get('/v1/decisions?decision=perhaps'), 400],
      [await api().get('/v1/deliveries?state=lost'), 400],
      [await api().get('/v1/subscriptions/none/deliveries?after=-1'), 400],
      [await api().get('/v1/subscriptions/none/deliveries?after=x'), 400],
      [await api().get('/v1/subscriptions/none/deliveries?after='), 400],
      [await api().get('/v1/subscriptions/none/deliveries?after=%201'), 400],
      [await api().get('/v1/subscriptions/none/deliveries?after=0x1f'), 400],
      [await api().get('/v1/subscriptions/none/deliveries?after=1e3'), 400],
      [await api().get('/v1/subscriptions/none/deliveries?after=1.5'), 400],
      [await api().get('/v1/subscriptions/none/deliveries?cursor='), 400],
      [await api().get('/v1/subscriptions/none/deliveries?cursor=0x1f'), 400],
      [await api().get('/v1/subscriptions/none/deliveries?after=9007199254740992'), 400],
      [await api().get('/v1/subscriptions/none/deliveries?cursor=bm9uc2Vuc2U'), 400],
      [await api().get('/v1/subscriptions/none/deliveries?limit=0'), 400],
      [await api().get('/v1/catalogs/c/records?where[a]=%00'), 400],
      [await api().approve({}, { headers: { 'idempotency-key': 'x'.repeat(201) } }), 400],
      [
        await api().patch(
          '/v1/catalogs/c/records/r',
          { values: {} },
          { headers: { 'if-match': '7' } },
        ),
        400,
      ],
      [await api().get(`/v1/catalogs/c/records/${'x'.repeat(500)}`), 422],
      [await api().get('/v1/catalogs/c/records/%00'), 422],
      [await api().get('/v1/catalogs/c%00/records'), 422],
      [await api().get('/v1/decisions?catalogId=%00'), 400],
      [await api().post('/v1/catalogs/c%0A/records', { values: {} }), 422],
    ] as const
    for (const [answer, status] of cases) {
      expect([answer.status, answer.text]).toEqual([status, expect.anything()])
    }
  })

  it('survives ids and values that look like SQL', async () => {
    const catalogId = `'; drop table records; --`
    const path = `/v1/catalogs/${encodeURIComponent(catalogId)}/records`
    expect(
      (await api().approve({ catalogId, recordId: `"'\\`, values: { "a'": `x'` } })).status,
    ).toBe(200)
    const found = await api().get(
      `${path}?where[${encodeURIComponent("a'")}]=${encodeURIComponent("x'")}`,
    )
    expect(found.json.items).toHaveLength(1)
  })

  it('echoes a usable request id and makes one for any other', async () => {
    const echoed = await api().get('/healthz', { headers: { 'x-request-id': 'mine-1' } })
    expect(echoed.headers.get('x-request-id')).toBe('mine-1')
    const made = await api().get('/healthz', { headers: { 'x-request-id': 'x'.repeat(201) } })
    expect(made.headers.get('x-request-id')).toMatch(/^req_/)
  })
})
