/** Menu actions over HTTP: set up, shown while their conditions hold, and run against real endpoints. */
import { createHash, createHmac } from 'node:crypto'
import type http from 'node:http'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TEXTS } from '../../src/domain/texts.ts'
import { type Answer, startTestGateway, type TestGateway } from '../support/gateway.ts'
import { DATABASES } from '../support/places.ts'
import {
  type Behaviour,
  hang,
  type Received,
  reply,
  startValidator,
  type ValidatorServer,
} from '../support/validator-server.ts'

const WHSEC = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const PLAIN_SECRET = 'a secret; with a semicolon'

describe.each(DATABASES)('menu actions on the %s database', (database) => {
  let gateway: TestGateway
  let endpoint: ValidatorServer
  const api = () => gateway.api
  let catalogs = 0
  beforeAll(async () => {
    gateway = await startTestGateway(database)
    endpoint = await startValidator()
  })
  afterAll(async () => {
    await gateway.close()
    await endpoint.close()
  })

  const define = async (settings: Record<string, unknown> = {}) => {
    const body = { title: 'Call', catalogId: 'driver', url: endpoint.url, ...settings }
    const answer = await api().post('/v1/actions', body)
    if (answer.status !== 201) throw new Error(`not defined: ${answer.status} ${answer.text}`)
    return answer.json
  }
  /** A catalog of its own with one record, and where that record's menu is. */
  const record = async (values: Record<string, unknown> = { status: 'free' }) => {
    const catalogId = `catalog ${++catalogs}`
    const path = `/v1/catalogs/${encodeURIComponent(catalogId)}/records`
    const { status } = await api().post(path, { id: 'r 1', values })
    expect(status).toBe(201)
    return { catalogId, path: `${path}/r%201`, menu: `${path}/r%201/actions` }
  }
  type Place = Awaited<ReturnType<typeof record>>
  const press = (place: Place, id: string, body?: unknown, headers?: Record<string, string>) =>
    api().post(`${place.menu}/${encodeURIComponent(id)}`, body, headers && { headers })
  /** Defines an action, runs it once, and returns what arrived and what was answered. */
  const run = async (
    settings: Record<string, unknown>,
    behave: Behaviour,
    { body, headers }: { body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<{ received: Received; answer: Answer; place: Place; action: any }> => {
    const place = await record({ status: 'free', name: 'Анна & Co', tags: ['a'] })
    const action = await define({ catalogId: place.catalogId, ...settings })
    endpoint.behave = behave
    const arrives = endpoint.next()
    const answer = await press(place, action.id, body, headers)
    return { received: await arrives, answer, place, action }
  }
  const failing = async (settings: Record<string, unknown>, title = 'Позвонить') => {
    const place = await record()
    const { id } = await define({ catalogId: place.catalogId, title, ...settings })
    return press(place, id, { user: { id: 'u', locale: 'ru' } })
  }
  const textOf = (cause: keyof typeof TEXTS, title = 'Позвонить') =>
    TEXTS[cause].ru.replace('{name}', title)

  describe('setting up', () => {
    it('fills in defaults, makes an id and a secret, and shows the secret this once', async () => {
      const made = await define({ catalogId: 'defaults' })
      expect(made).toEqual({
        id: expect.stringMatching(/^act_[0-9a-f]{32}$/),
        title: 'Call',
        catalogId: 'defaults',
        conditions: [],
        url: endpoint.url,
        method: 'POST',
        parameters: null,
        auth: { type: 'none' },
        headers: {},
        dialect: 'standard',
        secret: expect.stringMatching(/^whsec_/),
        timeoutMs: 10_000,
        createdAt: expect.stringMatching(/Z$/),
        updatedAt: expect.stringMatching(/Z$/),
      })
      const read = await api().get(`/v1/actions/${made.id}`)
      expect([read.status, read.json]).toEqual([200, { ...made, secret: '***' }])
    })

    it('takes the id that is chosen, once', async () => {
      for (const id of ['call.driver', 'Звонок водителю', 'a b', 'a/b', '%41', 'x'.repeat(200)]) {
        expect((await define({ id })).id).toBe(id)
        expect((await api().get(`/v1/actions/${encodeURIComponent(id)}`)).json.id).toBe(id)
        const again = await api().post('/v1/actions', { id, title: 'x', url: endpoint.url })
        expect([again.status, again.json.code]).toEqual([409, 'already_exists'])
      }
    })

    it('lists page by page in order of id, all or those of one catalog', async () => {
      for (const id of ['p1', 'p2', 'p3']) await define({ id, catalogId: 'paged' })
      await define({ id: 'p0', catalogId: '*' })
      const first = await api().get('/v1/actions?catalogId=paged&limit=2')
      expect(first.json.items.map(({ id }: any) => id)).toEqual(['p1', 'p2'])
      const cursor = first.json.nextCursor
      const second = await api().get(`/v1/actions?catalogId=paged&limit=2&cursor=${cursor}`)
      expect(second.json).toMatchObject({ items: [{ id: 'p3' }], nextCursor: null })
      const every = await api().get('/v1/actions?catalogId=*')
      expect(every.json.items.map(({ id }: any) => id)).toEqual(['p0'])
      const all = (await api().get('/v1/actions?limit=200')).json.items.map(({ id }: any) => id)
      expect(all).toEqual(expect.arrayContaining(['p0', 'p1', 'p2', 'p3']))
      expect((await api().get('/v1/actions?catalogId=nobodys')).json).toEqual({
        items: [],
        nextCursor: null,
      })
      await api().delete('/v1/actions/p0')
    })

    it('masks secrets in every answer, and keeps what a patch masks', async () => {
      const { received, place, action } = await run(
        {
          auth: { type: 'bearer', token: 'token-in-clear' },
          headers: { 'x-key': 'header-in-clear' },
          confirmText: 'Really?',
        },
        reply(204, ''),
      )
      expect(received.headers).toMatchObject({
        authorization: 'Bearer token-in-clear',
        'x-key': 'header-in-clear',
      })
      const path = `/v1/actions/${action.id}`
      const read = await api().get(path)
      expect(read.json).toMatchObject({
        secret: '***',
        auth: { type: 'bearer', token: '***' },
        headers: { 'x-key': '***' },
        confirmText: 'Really?',
      })
      const patched = await api().patch(path, { ...read.json, title: 'Renamed' })
      expect([patched.status, patched.json.title]).toEqual([200, 'Renamed'])
      for (const { text } of [
        read,
        patched,
        await api().get('/v1/actions?limit=200'),
        await api().get(place.menu),
      ]) {
        for (const secret of ['in-clear', action.secret]) expect(text).not.toContain(secret)
      }
      const arrives = endpoint.next()
      await press(place, action.id)
      const { headers, text } = await arrives
      expect(headers).toMatchObject({
        authorization: 'Bearer token-in-clear',
        'x-key': 'header-in-clear',
      })
      expect(() => new Webhook(action.secret).verify(text, headers as any)).not.toThrow()
      const masked = { auth: { type: 'basic', username: 'u', password: '***' } }
      const refused = await api().patch(path, masked)
      expect([refused.status, refused.json.errors[0].pointer]).toEqual([422, '/auth/password'])
      const unknown = { headers: { 'x-other': '***' } }
      expect((await api().patch(path, unknown)).json.errors[0].pointer).toBe('/headers/x-other')
      expect((await api().post('/v1/actions', { ...read.json, id: 'copy' })).status).toBe(422)
    })

    it('changes what is sent and leaves the rest, and the next run follows', async () => {
      const { place, action } = await run({ confirmText: 'Really?' }, reply(204, ''))
      const other = await startValidator(reply(200, { message: 'From the other one.' }))
      const path = `/v1/actions/${action.id}`
      const patched = await api().patch(path, { url: `${other.url}/x`, confirmText: null })
      expect(patched.json).toMatchObject({ title: 'Call', url: `${other.url}/x` })
      expect(patched.json).not.toHaveProperty('confirmText')
      expect((await press(place, action.id)).json.message).toEqual({ text: 'From the other one.' })
      await api().patch(path, { conditions: [{ field: 'status', op: 'eq', value: 'busy' }] })
      expect((await press(place, action.id)).json.code).toBe('action_not_available')
      expect((await api().delete(path)).status).toBe(204)
      for (const gone of [
        await api().get(path),
        await api().patch(path, {}),
        await api().delete(path),
        await press(place, action.id),
      ]) {
        expect([gone.status, gone.json.code]).toEqual([404, 'not_found'])
      }
      await other.close()
    })

    it.each<[string, Record<string, unknown>, string]>([
      ['no title', { title: undefined }, '/title'],
      ['an empty title', { title: '' }, '/title'],
      ['a long title', { title: 'x'.repeat(201) }, '/title'],
      ['an empty id', { id: '' }, '/id'],
      ['an id of dots', { id: '..' }, '/id'],
      ['a long id', { id: 'x'.repeat(201) }, '/id'],
      ['a control character in the id', { id: 'a\nb' }, '/id'],
      ['an empty catalog', { catalogId: '' }, '/catalogId'],
      ['no URL', { url: undefined }, '/url'],
      ['a URL that is none', { url: 'not a url' }, '/url'],
      ['another scheme', { url: 'ftp://127.0.0.1/' }, '/url'],
      ['a private address', { url: 'http://10.0.0.1/' }, '/url'],
      ['cloud metadata', { url: 'http://169.254.169.254/latest' }, '/url'],
      ['a placeholder without a parameter', { url: 'http://127.0.0.1/{a}' }, '/url'],
      ['an unknown method', { method: 'HEAD' }, '/method'],
      ['a GET without parameters', { method: 'GET' }, '/parameters'],
      [
        'a parameter from nowhere',
        { parameters: [{ name: 'a', from: 'b' }] },
        '/parameters/0/from',
      ],
      ['an unknown dialect', { dialect: 'klingon' }, '/dialect'],
      ['a secret of the wrong form', { secret: 'short' }, '/secret'],
      ['a masked secret', { secret: '***' }, '/secret'],
      ['a masked token', { auth: { type: 'bearer', token: '***' } }, '/auth/token'],
      ['auth without a token', { auth: { type: 'bearer' } }, '/auth/token'],
      ['a header that is ours', { headers: { 'webhook-id': 'x' } }, '/headers/webhook-id'],
      ['a header with a line break', { headers: { a: 'b\r\nc: d' } }, '/headers/a'],
      ['a timeout that is too short', { timeoutMs: 49 }, '/timeoutMs'],
      ['a timeout that is too long', { timeoutMs: 30_001 }, '/timeoutMs'],
      ['an empty confirmation', { confirmText: '' }, '/confirmText'],
      ['a long confirmation', { confirmText: 'x'.repeat(1_001) }, '/confirmText'],
      ['conditions that are no list', { conditions: {} }, '/conditions'],
      ['an unknown operator', { conditions: [{ field: 'a', op: 'is' }] }, '/conditions/0/op'],
      [
        'a pattern that is none',
        { conditions: [{ field: 'a', op: 'matches', value: '(' }] },
        '/conditions/0',
      ],
      [
        'a condition about a change',
        { conditions: [{ field: 'a', op: 'changed' }] },
        '/conditions/0/op',
      ],
      [
        'one about what it became',
        { conditions: [{ field: 'a', op: 'changedTo', value: 1 }] },
        '/conditions/0/op',
      ],
      [
        'one about what it was',
        { conditions: [{ field: 'a', op: 'changedFrom', value: 1 }] },
        '/conditions/0/op',
      ],
      [
        'one about previous values',
        { conditions: [{ field: 'a', op: 'empty', source: 'prevValues' }] },
        '/conditions/0/source',
      ],
      [
        'one about the context',
        { conditions: [{ field: 'a', op: 'empty', source: 'context' }] },
        '/conditions/0/source',
      ],
    ])('refuses %s, when it is defined and when it is changed', async (_, settings, pointer) => {
      const body = { title: 'x', catalogId: 'bad', url: endpoint.url, ...settings }
      const { status, json } = await api().post('/v1/actions', body)
      expect([status, json.code, json.errors[0].pointer]).toEqual([422, 'invalid_request', pointer])
      expect((await api().get('/v1/actions?catalogId=bad')).json.items).toEqual([])
      const [name] = Object.keys(settings)
      const [value] = Object.values(settings)
      // What is left out is no mistake of a patch, its id is no setting, and a mask keeps the secret.
      if (value === undefined || name === 'id' || settings['secret'] === '***') return
      const { id } = await define({ catalogId: 'kept' })
      const refused = await api().patch(`/v1/actions/${id}`, settings)
      expect([refused.status, refused.json.errors[0].pointer]).toEqual([422, pointer])
    })

    it('tells all that is wrong at once', async () => {
      const { json } = await api().post('/v1/actions', {
        title: 'x',
        url: 'http://10.0.0.1/',
        method: 'GET',
        secret: 'short',
        conditions: [{ field: 'a', op: 'changed' }],
      })
      expect(json.errors.map(({ pointer }: any) => pointer).sort()).toEqual([
        '/conditions/0/op',
        '/parameters',
        '/secret',
        '/url',
      ])
    })

    it('wants the scope of each verb', async () => {
      const place = await record()
      const { id } = await define({ catalogId: place.catalogId })
      endpoint.behave = reply(204, '')
      const settings = { title: 'x', catalogId: 'defined', url: endpoint.url }
      const verbs: Record<string, (key: string) => Promise<Answer>> = {
        list: (key) => api().get('/v1/actions', { key }),
        read: (key) => api().get(`/v1/actions/${id}`, { key }),
        menu: (key) => api().get(place.menu, { key }),
        run: (key) => api().post(`${place.menu}/${id}`, undefined, { key }),
        change: (key) => api().patch(`/v1/actions/${id}`, {}, { key }),
        define: (key) => api().post('/v1/actions', settings, { key }),
        remove: (key) => api().delete(`/v1/actions/${id}`, undefined, { key }),
      }
      const allowed: Record<string, string[]> = {
        read: ['list', 'read', 'menu'],
        approve: ['run'],
        manage: ['list', 'read', 'menu', 'change', 'define', 'remove'],
      }
      for (const [scope, may] of Object.entries(allowed)) {
        const { key } = (await api().post('/v1/keys', { name: scope, scopes: [scope] })).json
        for (const [verb, call] of Object.entries(verbs)) {
          const { status } = await call(key)
          expect([scope, verb, status === 403]).toEqual([scope, verb, !may.includes(verb)])
        }
      }
    })
  })

  describe('the menu of a record', () => {
    it('has the actions of its catalog and of every one whose conditions hold, by title', async () => {
      const place = await record({ status: 'free', group: 'day' })
      const { catalogId } = place
      const when = (field: string, value: string) => ({ field, op: 'eq', value })
      await define({ id: 'm1', title: 'Line 10', catalogId, conditions: [when('status', 'free')] })
      await define({ id: 'm2', title: 'Line 2', catalogId: '*' })
      await define({
        id: 'm3',
        title: 'Both',
        catalogId,
        conditions: [when('status', 'free'), when('group', 'night')],
      })
      await define({ id: 'm4', catalogId: 'another' })
      const shown = async () =>
        (await api().get(place.menu)).json.items.map(({ id }: any) => id as string)
      expect(await shown()).toEqual(['m2', 'm1'])
      await api().patch(place.path, { values: { group: 'night' } })
      expect(await shown()).toEqual(['m3', 'm2', 'm1'])
      await api().patch(place.path, { values: { status: 'busy' } })
      expect(await shown()).toEqual(['m2'])
      const { items, nextCursor } = (await api().get(place.menu)).json
      expect(nextCursor).toBeNull()
      expect(items[0]).toEqual((await api().get('/v1/actions/m2')).json)
      for (const id of ['m1', 'm2', 'm3', 'm4']) await api().delete(`/v1/actions/${id}`)
    })

    it('may depend on who looks', async () => {
      const place = await record()
      const { id } = await define({
        catalogId: place.catalogId,
        conditions: [{ field: 'id', source: 'user', op: 'eq', value: 'anna b' }],
      })
      const count = async (query: string) =>
        (await api().get(`${place.menu}${query}`)).json.items.length
      expect(await count('?userId=anna%20b')).toBe(1)
      expect(await count('?userId=bert')).toBe(0)
      expect(await count('')).toBe(0)
      endpoint.behave = reply(204, '')
      expect((await press(place, id)).json.code).toBe('action_not_available')
      expect((await press(place, id, { user: { id: 'bert' } })).status).toBe(409)
      expect((await press(place, id, { user: { id: 'anna b' } })).json.status).toBe('done')
    })

    it('is not found without the record; unusable queries and bodies are refused', async () => {
      const place = await record()
      const { id } = await define({ catalogId: place.catalogId })
      const elsewhere = await define({ catalogId: 'another catalog' })
      const none = place.menu.replace('r%201', 'none')
      const cases = [
        [await api().get(none), 404, 'record_not_found'],
        [await api().post(`${none}/${id}`), 404, 'record_not_found'],
        [await press(place, 'none'), 404, 'not_found'],
        [await press(place, elsewhere.id), 404, 'not_found'],
        [await api().get(`${place.menu}?userId=`), 400, 'invalid_query'],
        [await api().get(`${place.menu}?userId=%00`), 400, 'invalid_query'],
        [await api().get('/v1/actions?limit=0'), 400, 'invalid_query'],
        [await api().get('/v1/actions?cursor=x'), 400, 'invalid_query'],
        [await api().get('/v1/actions?catalogId='), 400, 'invalid_query'],
        [await press(place, id, { user: {} }), 422, 'invalid_request'],
        [await press(place, id, { user: 'anna' }), 422, 'invalid_request'],
        [await press(place, id, []), 422, 'invalid_request'],
        [await api().post(`${place.menu}/${id}`, undefined, { raw: '{' }), 400, 'invalid_json'],
        [await api().get(`${place.menu}/${id}`), 405, 'method_not_allowed'],
      ] as const
      for (const [{ status, json }, expected, code] of cases) {
        expect([status, json.code]).toEqual([expected, code])
      }
    })
  })

  describe('running one', () => {
    it('sends the record, the person and the action, and shows the endpoint’s message', async () => {
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
      const { received, answer, place, action } = await run(
        { id: 'звонок.1', title: 'Позвонить', timeoutMs: 3_000 },
        reply(200, { message: { title: 'Call', text: 'It rings\u202e.' } }),
        { body: { user: { id: 'anna', title: 'Anna' } }, headers: { traceparent } },
      )
      expect([answer.status, answer.json]).toEqual([
        200,
        {
          status: 'done',
          message: { title: 'Call', text: 'It rings.' },
          httpStatus: 200,
          durationMs: expect.any(Number),
        },
      ])
      expect(received.json).toEqual({
        type: 'action.run',
        timestamp: expect.stringMatching(/Z$/),
        data: {
          accountId: 'default',
          catalogId: place.catalogId,
          recordId: 'r 1',
          values: { status: 'free', name: 'Анна & Co', tags: ['a'] },
          changedFields: [],
          user: { id: 'anna', title: 'Anna' },
          context: { actionId: action.id, actionTitle: 'Позвонить' },
          deadlineAt: expect.stringMatching(/Z$/),
        },
      })
      expect(received.headers).toMatchObject({
        'webhook-id': expect.stringMatching(/^evt_[0-9a-f]{32}$/),
        'x-assent-deadline-ms': '3000',
        traceparent,
      })
      expect(received.headers).not.toHaveProperty('x-assent-decision')
    })

    it('gives each press an id of its own, and needs no body', async () => {
      const { received, place, action } = await run({}, reply(204, ''))
      const arrives = endpoint.next()
      const { json } = await press(place, action.id)
      expect(json).toEqual({ status: 'done', httpStatus: 204, durationMs: expect.any(Number) })
      expect((await arrives).headers['webhook-id']).not.toBe(received.headers['webhook-id'])
    })

    const PARAMETERS = [
      { name: 'status', from: '/data/values/status' },
      { name: 'name', from: '/data/values/name' },
      { name: 'tags', from: '/data/values/tags' },
      { name: 'who', from: '/data/user/id' },
      { name: 'record', from: '/data/recordId' },
      { name: 'button', from: '/data/context/actionId' },
      { name: 'nothing', from: '/data/values/none' },
    ]
    const CHOSEN = {
      status: 'free',
      name: 'Анна & Co',
      tags: ['a'],
      who: 'anna',
      record: 'r 1',
    }
    const chosenBy = (id: string) => ({ ...CHOSEN, button: id })
    const queryOf = (path: string) =>
      Object.fromEntries(new URL(path, 'http://x').searchParams.entries())

    it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
      'sends the whole payload, or the chosen parameters, as the JSON body of a %s',
      async (method) => {
        const options = { body: { user: { id: 'anna' } } }
        const whole = await run({ method }, reply(200, ''), options)
        expect(whole.received).toMatchObject({ method, path: '/', json: { type: 'action.run' } })
        const { received, action } = await run(
          { method, parameters: PARAMETERS },
          reply(200, ''),
          options,
        )
        expect(received).toMatchObject({ method, path: '/' })
        expect(received.json).toEqual(chosenBy(action.id))
        const settings = {
          method,
          parameters: PARAMETERS,
          url: `${endpoint.url}/{record}/{name}?x=1`,
        }
        const placed = await run(settings, reply(200, ''), options)
        expect(placed.received.path).toBe(`/r%201/${encodeURIComponent('Анна & Co')}?x=1`)
        const { record: _, name: __, ...rest } = chosenBy(placed.action.id)
        expect(placed.received.json).toEqual(rest)
      },
    )

    it('sends the chosen parameters as the query of a GET, which has no body', async () => {
      const options = { body: { user: { id: 'anna' } } }
      const settings = { method: 'GET', parameters: PARAMETERS }
      const { received, action } = await run(settings, reply(200, ''), options)
      expect([received.method, received.text]).toEqual(['GET', ''])
      expect(queryOf(received.path)).toEqual({ ...chosenBy(action.id), tags: '["a"]' })
      const url = `${endpoint.url}/{record}?x=1`
      const placed = await run({ ...settings, url }, reply(200, ''), options)
      expect(placed.received.path).toMatch(/^\/r%201\?x=1&/)
      expect(queryOf(placed.received.path)).not.toHaveProperty('record')
    })

    it.each<[string, object, object]>([
      ['bearer', { type: 'bearer', token: 't' }, { authorization: 'Bearer t' }],
      [
        'basic',
        { type: 'basic', username: 'u', password: 'p' },
        { authorization: `Basic ${Buffer.from('u:p').toString('base64')}` },
      ],
      ['custom', { type: 'custom', header: 'X-Api-Key', value: 'k' }, { 'x-api-key': 'k' }],
    ])('authenticates by %s, and sends headers of its own', async (_, auth, headers) => {
      const { received } = await run({ auth, headers: { 'x-own': 'h' } }, reply(200, ''))
      expect(received.headers).toMatchObject({ ...headers, 'x-own': 'h' })
    })

    const SIGNED: Record<string, (received: Received) => void> = {
      standard: ({ text, headers }) => void new Webhook(WHSEC).verify(text, headers as any),
      plain: ({ text, headers }) => void new Webhook(WHSEC).verify(text, headers as any),
      bpium: ({ text, headers, json }) => {
        expect(headers['x-hook-signature']).toBe(
          createHmac('md5', PLAIN_SECRET).update(text).digest('base64'),
        )
        expect(json).toMatchObject({
          hook: { event: 'action.run' },
          payload: { recordId: 'r 1', values: { status: 'free' } },
          user: { id: 'anna' },
        })
      },
      poster: ({ json }) => {
        const { account, object, object_id, action, time, verify } = json
        const parts = [account, object, object_id, action, time, PLAIN_SECRET]
        expect(verify).toBe(createHash('md5').update(parts.join(';')).digest('hex'))
        expect(json).toMatchObject({ account: 'default', object_id: 'r 1', action: 'run' })
      },
    }

    it.each(['standard', 'plain', 'bpium', 'poster'])(
      'speaks the dialect %s, signed with its secret, and reads its reply',
      async (dialect) => {
        const secret = dialect === 'bpium' || dialect === 'poster' ? PLAIN_SECRET : WHSEC
        const options = { body: { user: { id: 'anna' } } }
        const done = await run({ dialect, secret }, reply(200, { message: 'Yes.' }), options)
        SIGNED[dialect]?.(done.received)
        expect(done.answer.json).toMatchObject({ status: 'done', message: { text: 'Yes.' } })
        if (dialect === 'poster') expect(done.received.json.object).toBe(done.place.catalogId)
        const settings = { dialect, secret, method: 'GET', parameters: PARAMETERS }
        const asked = await run(settings, reply(200, ''), options)
        if (dialect === 'standard' || dialect === 'plain') SIGNED[dialect]?.(asked.received)
        if (dialect === 'bpium') {
          expect(asked.received.headers['x-hook-signature']).toBe(
            createHmac('md5', PLAIN_SECRET).update('').digest('base64'),
          )
        }
        const refused = await run({ dialect, secret }, reply(422, { message: 'No.' }), options)
        expect(refused.answer.json).toMatchObject({
          status: 'failed',
          httpStatus: 422,
          message: { text: 'No.' },
        })
        const denied = await run(
          { dialect, secret },
          reply(200, { decision: 'deny', errors: [{ message: 'Not now.' }] }),
          options,
        )
        expect(denied.answer.json).toMatchObject({
          status: 'failed',
          httpStatus: 200,
          message: { text: 'Not now.' },
        })
        const made = await define({ dialect, catalogId: 'made' })
        expect(made.secret).toMatch(secret === WHSEC ? /^whsec_/ : /^[\w-]{43}$/)
      },
    )

    it('says where 200 only is done, and where a 201 is', async () => {
      const statusOf = async (dialect: string) =>
        (await run({ dialect }, reply(201, ''))).answer.json.status
      expect(await statusOf('standard')).toBe('done')
      expect(await statusOf('bpium')).toBe('done')
      expect(await statusOf('poster')).toBe('failed')
    })

    it('shows one language of several: that of the person, then that of the browser', async () => {
      const texts = { en: 'Called.', ru: 'Позвонили.', uk: 'Подзвонили.' }
      const shown = async (user: object | undefined, language: string | undefined) => {
        const headers = language === undefined ? {} : { 'accept-language': language }
        const options = { body: { user }, headers }
        const { answer } = await run({}, reply(200, { message: texts }), options)
        return answer.json.message.text
      }
      expect(await shown({ id: 'u', locale: 'uk' }, 'ru')).toBe('Подзвонили.')
      expect(await shown({ id: 'u' }, 'ru-RU, en;q=0.5')).toBe('Позвонили.')
      expect(await shown(undefined, 'de')).toBe('Called.')
    })

    it('cuts a long message, and never shows HTML as one', async () => {
      const long = await run({}, reply(200, { message: 'x'.repeat(5_000) }))
      expect(long.answer.json.message.text).toBe(`${'x'.repeat(999)}…`)
      const html = { 'content-type': 'text/html' }
      const page = await run({}, reply(200, '<b>Called.</b>', html))
      expect(page.answer.json).not.toHaveProperty('message')
      const text = await run({}, reply(200, 'Called.', { 'content-type': 'text/plain' }))
      expect(text.answer.json.message).toEqual({ text: 'Called.' })
    })

    it('is counted by how it ended', async () => {
      const count = async (status: string) => {
        const { text } = await api().get('/metrics', { key: null })
        const found = new RegExp(`^assent_actions_total\\{status="${status}"\\} (\\d+)$`, 'm')
        return Number(found.exec(text)?.[1] ?? 0)
      }
      const before = [await count('done'), await count('failed')]
      await run({}, reply(200, ''))
      await run({}, reply(500, ''))
      expect([await count('done'), await count('failed')]).toEqual(before.map((n) => n + 1))
    })
  })

  describe('an endpoint that fails', () => {
    const inOurWords = (cause: keyof typeof TEXTS, httpStatus?: number) => ({
      status: 'failed',
      message: { text: textOf(cause) },
      ...(httpStatus === undefined ? {} : { httpStatus }),
      durationMs: expect.any(Number),
    })

    it('and refuses connections is told of in our words', async () => {
      const gone = await startValidator()
      await gone.close()
      const { status, json } = await failing({ url: gone.url })
      expect([status, json]).toEqual([200, inOurWords('unreachable')])
    })

    it('and does not answer in time is told of when its time is over', async () => {
      endpoint.behave = hang
      const { status, json } = await failing({ timeoutMs: 300 })
      expect([status, json]).toEqual([200, inOurWords('timeout')])
      expect(json.durationMs).toBeGreaterThanOrEqual(290)
      expect(json.durationMs).toBeLessThan(5_000)
    })

    it('and redirects is not followed', async () => {
      const other = await startValidator(reply(200, ''))
      endpoint.behave = reply(302, '', { location: other.url })
      expect((await failing({})).json).toEqual(inOurWords('redirected', 302))
      expect(other.received).toEqual([])
      await other.close()
    })

    it('with a status says so, in its own words where it has any', async () => {
      endpoint.behave = reply(500, '<h1>Oops</h1>', { 'content-type': 'text/html' })
      expect((await failing({})).json).toEqual(inOurWords('bad_status', 500))
      endpoint.behave = reply(500, { error: 'Нет линии.' })
      expect((await failing({})).json).toMatchObject({
        status: 'failed',
        httpStatus: 500,
        message: { text: 'Нет линии.' },
      })
      endpoint.behave = reply(403, '')
      expect((await failing({})).json).toEqual(inOurWords('refused', 403))
    })

    it('by a reply that is too large is read no further than 256 KiB', async () => {
      endpoint.behave = reply(200, { message: 'x'.repeat(300_000) })
      expect((await failing({})).json).toEqual(inOurWords('reply_too_large', 200))
    })

    it('because it is this gateway is not called', async () => {
      expect((await failing({ url: gateway.url })).json).toEqual(inOurWords('egress_blocked'))
    })

    it('and is pressed by everybody at once is called 64 times at once, and no more', async () => {
      const place = await record()
      const { id } = await define({ catalogId: place.catalogId, title: 'Позвонить' })
      const held: http.ServerResponse[] = []
      endpoint.behave = (_, response) => void held.push(response)
      const all = endpoint.next(64)
      const running = Array.from({ length: 64 }, () => press(place, id))
      await all
      const body = { user: { id: 'u', locale: 'ru' } }
      expect((await press(place, id, body)).json).toEqual(inOurWords('overloaded'))
      for (const response of held) response.end()
      const ends = (await Promise.all(running)).map(({ json }) => json.status)
      expect(ends).toEqual(Array.from({ length: 64 }, () => 'done'))
      endpoint.behave = reply(200, '')
      expect((await press(place, id)).json.status).toBe('done')
    })

    it('again and again is called again: a person wants a try', async () => {
      const place = await record()
      const { id } = await define({ catalogId: place.catalogId })
      endpoint.behave = reply(500, '')
      const before = endpoint.received.length
      for (let n = 0; n < 12; n++) {
        expect((await press(place, id)).json.httpStatus).toBe(500)
      }
      expect(endpoint.received.length).toBe(before + 12)
      endpoint.behave = reply(200, '')
      expect((await press(place, id)).json.status).toBe('done')
    })
  })

  it('of another account are not there, and their ids are free', async () => {
    const place = await record()
    const { id } = await define({ id: 'ours only', catalogId: place.catalogId })
    const account = await api().post('/v1/accounts', { id: 'neighbour', title: 'Neighbour' })
    expect(account.status).toBe(201)
    const scopes = ['read', 'manage', 'approve']
    const draft = { name: 'theirs', scopes, accountId: 'neighbour' }
    const { key } = (await api().post('/v1/keys', draft)).json
    const path = `/v1/actions/${encodeURIComponent(id)}`
    for (const { status, json } of [
      await api().get(path, { key }),
      await api().patch(path, { title: 'Stolen' }, { key }),
      await api().delete(path, undefined, { key }),
      await api().post(`${place.menu}/${encodeURIComponent(id)}`, undefined, { key }),
    ]) {
      expect([status, json.code]).toEqual([404, 'not_found'])
    }
    expect((await api().get(place.menu, { key })).json.code).toBe('record_not_found')
    expect((await api().get('/v1/actions', { key })).json.items).toEqual([])
    const theirs = { id, title: 'Theirs', url: endpoint.url }
    expect((await api().post('/v1/actions', theirs, { key })).status).toBe(201)
    expect((await api().get(path)).json.title).toBe('Call')
  })

  it('keep their connections and counts apart from a subscription of the same id', async () => {
    const place = await record()
    const breaker = { consecutiveFailures: 1, openMs: 600_000 }
    const { id } = await api().subscribe({ catalogId: 'twins', url: endpoint.url, breaker })
    endpoint.behave = reply(500, '')
    await api().approve({ catalogId: 'twins' })
    const health = async () => (await api().get(`/v1/subscriptions/${id}/health`)).json
    expect(await health()).toMatchObject({ breaker: 'open', counts: { failed: 1 } })
    await define({ id, catalogId: place.catalogId })
    endpoint.behave = reply(200, '')
    expect((await press(place, id)).json.status).toBe('done')
    await api().delete(`/v1/actions/${id}`)
    expect(await health()).toMatchObject({ breaker: 'open', counts: { failed: 1 } })
  })

  it('are 500 in an account at most', async () => {
    const settings = { title: 'Many', catalogId: 'many', url: endpoint.url }
    const answers: Answer[] = []
    while (answers.every(({ status }) => status === 201)) {
      const batch = Array.from({ length: 25 }, () => api().post('/v1/actions', settings))
      answers.push(...(await Promise.all(batch)))
    }
    const refused = answers.filter(({ status }) => status !== 201)
    for (const { status, json } of refused) {
      expect([status, json.code]).toEqual([422, 'limit_reached'])
    }
    let count = 0
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`
      const { json }: Answer = await api().get(`/v1/actions?limit=200${query}`)
      count += json.items.length
      cursor = json.nextCursor
    }
    expect(count).toBe(500)
  })
})

describe('a gateway that is stopping', () => {
  it('lets a running action finish, and takes no new one', async () => {
    const gateway = await startTestGateway()
    const endpoint = await startValidator()
    const { api } = gateway
    await api.post('/v1/catalogs/driver/records', { id: 'd', values: {} })
    const { json } = await api.post('/v1/actions', { title: 'Call', url: endpoint.url })
    const path = `/v1/catalogs/driver/records/d/actions/${json.id}`
    let finish = () => {}
    endpoint.behave = (_, response) => {
      finish = () => void response.end('{"message":"Called."}')
    }
    const arrives = endpoint.next()
    const running = api.post(path)
    await arrives
    const closed = gateway.close()
    const refused = await api.post(path)
    expect([refused.status, refused.json.code]).toEqual([503, 'stopping'])
    finish()
    expect((await running).json).toMatchObject({ status: 'done', message: { text: 'Called.' } })
    await closed
    await endpoint.close()
  })
})
