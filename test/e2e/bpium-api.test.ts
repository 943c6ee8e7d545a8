/** The API under /api/v1, as a program written for Bpium calls it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ADMIN_KEY, startTestGateway, type TestGateway } from '../support/gateway.ts'
import { DATABASES } from '../support/places.ts'
import { allow, reply, startValidator, type ValidatorServer } from '../support/validator-server.ts'

const basic = (userName: string, key: string = ADMIN_KEY) => ({
  authorization: `Basic ${Buffer.from(`${userName}:${key}`).toString('base64')}`,
})

const AS_ANNA = { key: null, headers: basic('anna') }
const EVENTS = ['record.before.created', 'record.before.updated', 'record.before.deleted']

describe.each(DATABASES)('the API shaped like Bpium on the %s database', (database) => {
  let gateway: TestGateway
  let validator: ValidatorServer
  let catalogs = 0
  let base = ''
  let catalogId = ''
  const api = () => gateway.api

  beforeAll(async () => {
    gateway = await startTestGateway(database)
    validator = await startValidator()
  })
  afterAll(async () => {
    await gateway.close()
    await validator.close()
  })
  beforeEach(() => {
    catalogId = `catalog-${++catalogs}`
    base = `/api/v1/catalogs/${catalogId}/records`
    validator.received.length = 0
    validator.behave = allow
  })

  const subscribe = (settings: object = {}) =>
    api().subscribe({
      catalogId,
      url: validator.url,
      events: EVENTS,
      dialect: 'bpium',
      ...settings,
    })

  const keyWith = async (scopes: string[], accountId?: string): Promise<string> => {
    const answer = await api().post('/v1/keys', { name: scopes.join(' '), scopes, accountId })
    expect(answer.status, answer.text).toBe(201)
    return answer.json.key
  }

  describe('records', () => {
    it('are created, read, changed, listed and deleted with 200 and with bodies of their kind', async () => {
      const created = await api().post(base, { values: { '2': 'Text', '3': 333, '4': ['1'] } })
      expect(created.status).toBe(200)
      expect(created.headers.get('content-type')).toBe('application/json')
      expect(created.json).toEqual({ id: expect.stringMatching(/^rec_/) })
      const { id } = created.json
      const read = await api().get(`${base}/${id}`)
      const values = { '2': 'Text', '3': 333, '4': ['1'] }
      expect([read.status, read.json]).toEqual([200, { id, catalogId, title: id, values }])
      const changed = await api().patch(`${base}/${id}`, { values: { '3': 4, '4': null } })
      expect([changed.status, changed.json]).toEqual([200, {}])
      const listed = await api().get(base)
      const now = { id, catalogId, title: id, values: { '2': 'Text', '3': 4, '4': null } }
      expect([listed.status, listed.json]).toEqual([200, [now]])
      const removed = await api().delete(`${base}/${id}`)
      expect([removed.status, removed.json]).toEqual([200, {}])
      expect((await api().get(`${base}/${id}`)).status).toBe(404)
      expect((await api().get(base)).json).toEqual([])
    })

    it('are the same records that /v1 has, by the same approval', async () => {
      const { json } = await api().post(base, { values: { a: 1 } })
      const ours = await api().get(`/v1/catalogs/${catalogId}/records/${json.id}`)
      expect(ours.json).toMatchObject({ id: json.id, version: 1, values: { a: 1 } })
      const { items } = (await api().get(`/v1/decisions?recordId=${json.id}`)).json
      expect(items).toMatchObject([{ event: 'record.before.created', committed: true }])
    })

    it('carry the first text field of their catalog as the title', async () => {
      const fields = [
        { id: '1', title: 'Number', type: 'number' },
        { id: '2', title: 'Name', type: 'text' },
        { id: '3', title: 'Note', type: 'text' },
      ]
      await api().post('/v1/catalogs', { id: catalogId, title: 'Named', fields })
      const { id } = (await api().post(base, { values: { '1': 5, '2': 'Anna', '3': 'x' } })).json
      expect((await api().get(`${base}/${id}`)).json.title).toBe('Anna')
      await api().patch(`${base}/${id}`, { values: { '2': null } })
      expect((await api().get(base)).json[0].title).toBe(id)
    })

    it('are reached with a slash at the end too', async () => {
      const { status, json } = await api().post(`${base}/`, { values: {} })
      expect(status).toBe(200)
      expect((await api().get(`${base}/`)).json).toHaveLength(1)
      expect((await api().patch(`${base}/${json.id}/`, { values: { a: 1 } })).status).toBe(200)
      expect((await api().get(`${base}/${json.id}/`)).json.values).toEqual({ a: 1 })
      expect((await api().delete(`${base}/${json.id}/`)).status).toBe(200)
    })

    it.each([
      ['a text', { message: 'Not today.' }, 'Not today.'],
      [
        'a title and a text',
        { message: { title: 'No', text: 'Not today.' } },
        { title: 'No', text: 'Not today.' },
      ],
      ['nothing', {}, 'A validator refused the change without giving a reason.'],
    ])(
      'are refused with 400 and just the message, where the subscriber sent %s',
      async (_, sent, message) => {
        const { id } = (await api().post(base, { values: { a: 1 } })).json
        const hook = await subscribe()
        validator.behave = reply(403, sent)
        for (const refused of [
          await api().post(base, { values: { a: 2 } }),
          await api().patch(`${base}/${id}`, { values: { a: 2 } }),
          await api().delete(`${base}/${id}`),
        ]) {
          expect([refused.status, refused.json]).toEqual([400, { message }])
          expect(refused.headers.get('content-type')).toBe('application/json')
        }
        expect((await api().get(base)).json).toMatchObject([{ id, values: { a: 1 } }])
        await api().delete(`/v1/subscriptions/${hook.id}`)
      },
    )

    it('are refused with the question, where a subscriber asks for a confirmation', async () => {
      await subscribe({ dialect: 'standard' })
      const warnings = [{ message: 'Is that so?' }]
      validator.behave = reply(200, { decision: 'confirm', warnings })
      const { status, json } = await api().post(base, { values: {} })
      expect([status, json]).toEqual([400, { message: 'Is that so?' }])
      expect((await api().get(base)).json).toEqual([])
    })

    it("speak the person's language where the text is the gateway's own", async () => {
      await subscribe()
      validator.behave = reply(403, {})
      const headers = { 'accept-language': 'ru' }
      const { json } = await api().post(base, { values: {} }, { headers })
      expect(json.message).toBe('A validator: изменение отклонено без указания причины.')
      const missing = await api().get(`${base}/none`, { headers })
      expect([missing.status, typeof missing.json.message]).toEqual([404, 'string'])
      expect(missing.json.message).toMatch(/[а-я]/)
    })

    it('repeat the first answer under the same key, and only to the same user on the same API', async () => {
      const headers = { ...basic('anna'), 'idempotency-key': `key ${catalogId}` }
      const body = { values: { a: 1 } }
      const first = await api().post(base, body, { key: null, headers })
      const again = await api().post(base, body, { key: null, headers })
      expect([again.status, again.text]).toEqual([200, first.text])
      expect(again.headers.get('idempotent-replayed')).toBe('true')
      expect((await api().get(base)).json).toHaveLength(1)
      const others = [
        await api().post(base, body, { key: null, headers: { ...headers, ...basic('boris') } }),
        await api().post(base, { values: { a: 2 } }, { key: null, headers }),
      ]
      for (const { status, json } of others) {
        expect([status, json.code]).toEqual([400, 'idempotency_key_reused'])
      }
      const { 'idempotency-key': key } = headers
      const elsewhere = await api().post(`/v1/catalogs/${catalogId}/records`, body, {
        headers: { 'idempotency-key': key },
      })
      expect([elsewhere.status, elsewhere.json.code]).toEqual([422, 'idempotency_key_reused'])
    })

    it('repeat a refusal under its key, status and body', async () => {
      await subscribe()
      validator.behave = reply(403, { message: 'No.' })
      const headers = { 'idempotency-key': `refused ${catalogId}` }
      const first = await api().post(base, { values: {} }, { headers })
      validator.behave = allow
      const again = await api().post(base, { values: {} }, { headers })
      expect([again.status, again.text]).toEqual([400, first.text])
      expect(validator.received).toHaveLength(1)
    })

    it('are changed under the condition that nobody else changed them', async () => {
      const { id } = (await api().post(base, { values: { a: 1 } })).json
      const etag = (await api().get(`${base}/${id}`)).headers.get('etag') ?? ''
      expect(etag).toBe('"1"')
      const headers = { 'if-match': etag }
      expect((await api().patch(`${base}/${id}`, { values: { a: 2 } }, { headers })).status).toBe(
        200,
      )
      const stale = await api().patch(`${base}/${id}`, { values: { a: 3 } }, { headers })
      expect([stale.status, stale.json.code]).toEqual([409, 'version_conflict'])
      const gone = await api().delete(`${base}/${id}`, undefined, { headers })
      expect([gone.status, gone.json.code]).toEqual([409, 'version_conflict'])
      const none = await api().patch(
        `${base}/${id}`,
        { values: {} },
        { headers: { 'if-match': 'x' } },
      )
      expect([none.status, none.json.code]).toEqual([400, 'invalid_header'])
    })
  })

  describe('a list of records', () => {
    const idsOf = async (query: string): Promise<string[]> => {
      const answer = await api().get(`${base}?${query}`)
      expect(answer.status, answer.text).toBe(200)
      return answer.json.map(({ id }: any) => id)
    }
    const filter = (filters: unknown) => `filters=${encodeURIComponent(JSON.stringify(filters))}`

    it('goes by limit and offset, up or down by id, a hundred at a time', async () => {
      for (let n = 0; n < 102; n++) {
        await api().post(`/v1/catalogs/${catalogId}/records`, {
          id: `r${String(n).padStart(3, '0')}`,
          values: { n },
        })
      }
      expect(await idsOf('')).toHaveLength(100)
      expect(await idsOf('limit=2')).toEqual(['r000', 'r001'])
      expect(await idsOf('limit=2&offset=100')).toEqual(['r100', 'r101'])
      expect(await idsOf('offset=102')).toEqual([])
      expect(await idsOf('limit=2&sortType=-1')).toEqual(['r101', 'r100'])
      expect(await idsOf('limit=1&offset=1&sortField=id&sortType=-1')).toEqual(['r100'])
      expect(await idsOf('limit=1&sortType=1&timezoneOffset=180')).toEqual(['r000'])
    })

    it('shows the wanted fields only, as one record does', async () => {
      const { id } = (await api().post(base, { values: { '2': 'x', '3': 1, '4': 2 } })).json
      const wanted = encodeURIComponent('["2",4,"9"]')
      const values = { '2': 'x', '4': 2 }
      expect((await api().get(`${base}?fields=${wanted}`)).json[0].values).toEqual(values)
      expect((await api().get(`${base}/${id}?fields=${wanted}`)).json.values).toEqual(values)
      expect((await api().get(`${base}?fields=[]`)).json[0].values).toEqual({})
    })

    const link = (recordId: string) => ({ catalogId: '18', recordId })
    const RECORDS: Record<string, object> = {
      a: { text: 'Red wine', number: 5, choice: ['1', '3'], user: [{ id: '7', title: 'Anna' }] },
      b: { text: 'white', number: 10, choice: '2', linked: [link('9')] },
      c: {
        text: ['no text'],
        number: '5',
        choice: 3,
        contact: [{ contact: '+7-901', comment: '' }],
      },
      d: {
        text: null,
        linked: [link('10'), link('11')],
        user: [{ id: 8 }],
        number: -2.5,
        yes: true,
      },
    }
    const CASES: readonly [string, unknown, string[]][] = [
      ['part of a text, by case', { text: 'wi' }, ['a']],
      ['a text that is in no text', { text: 'Wi' }, []],
      ['wildcards as they are', { text: '%' }, []],
      ['part of a contact', { contact: '901' }, ['c']],
      ['a number by the whole of it', { number: 5 }, ['a', 'c']],
      ['true', { yes: true }, ['d']],
      ['a range of numbers', { number: { at: 5, to: 10 } }, ['a', 'b']],
      ['a range without a beginning', { number: { to: 5 } }, ['a', 'd']],
      ['a range without an end', { number: { at: '5.5' } }, ['b']],
      ['any of some choices', { choice: ['3', 2] }, ['a', 'b', 'c']],
      ['choices in a text', { choice: '[1,2]' }, ['a', 'b']],
      ['users', { user: ['8'] }, ['d']],
      ['users as objects', { user: [{ id: '7' }] }, ['a']],
      ['linked records', { linked: [link('9'), { catalogId: 18, recordId: 11 }] }, ['b', 'd']],
      ['two filters that must both fit', { number: { at: 1 }, text: 'white' }, ['b']],
      ['a field that nobody has', { none: 'x' }, []],
    ]

    it('finds by filters, of which all must fit, in JSON and in brackets', async () => {
      for (const [id, values] of Object.entries(RECORDS)) {
        await api().post(`/v1/catalogs/${catalogId}/records`, { id, values })
      }
      for (const [name, filters, found] of CASES) {
        expect([name, await idsOf(filter(filters))]).toEqual([name, found])
      }
      const list = [
        { fieldId: 'choice', value: ['1'] },
        { fieldId: 'text', value: 'Red' },
      ]
      expect(await idsOf(filter(list))).toEqual(['a'])
      for (const [query, found] of [
        ['filters[0][fieldId]=text&filters[0][value]=wine', ['a']],
        ['filters[0][fieldId]=number&filters[0][value]=10', ['b']],
        ['filters[0][fieldId]=number&filters[0][value][at]=5&filters[0][value][to]=9', ['a']],
        [
          'filters[0][fieldId]=choice&filters[0][value][0]=2&filters[0][value][1]=3',
          ['a', 'b', 'c'],
        ],
        [
          'filters[0][fieldId]=linked&filters[0][value][0][catalogId]=18&filters[0][value][0][recordId]=9&filters[1][fieldId]=text&filters[1][value]=white',
          ['b'],
        ],
      ] as const) {
        expect([query, await idsOf(query)]).toEqual([query, found])
      }
      expect(await idsOf(`${filter({ choice: ['3', '2'] })}&limit=1&offset=1`)).toEqual(['b'])
    })

    it.each([
      ['limit=0', '/limit'],
      ['limit=201', '/limit'],
      ['limit=x', '/limit'],
      ['offset=-1', '/offset'],
      ['sortType=2', '/sortType'],
      ['sortField=3', '/sortField'],
      ['viewId=1', '/viewId'],
      ['searchText=x', '/searchText'],
      ['id=1&id=2', '/id'],
      ['withFieldsAdditional=true', '/withFieldsAdditional'],
      ['filter[0]=x', '/filter[0]'],
      ['fields={"a":1}', '/fields'],
      ['fields=[{"fieldId":5,"fields":{"27":[2]}}]', '/fields'],
      ['filters="x"', '/filters'],
      ['filters={"$or":[{"a":"x"}]}', '/filters/$or'],
      ['filters={"a":{"$or":["x"]}}', '/filters/a'],
      ['filters={"a":{"at":"2015-10-27T00:00:00Z"}}', '/filters/a'],
      ['filters={"a":null}', '/filters/a'],
      ['filters={"a":[]}', '/filters/a'],
      ['filters={"a":["CURRENT_USER"]}', '/filters/a'],
      ['filters={"a":[{"catalogId":"1","filters":[]}]}', '/filters/a'],
      ['filters=[{"value":"x"}]', '/filters/0'],
      ['filters[0]=x', '/filters/0'],
      ['filters[0][fieldId]=4', '/filters/0/value'],
      ['filters[a', '/filters[a'],
    ])('answers ?%s with a 400 that points to it', async (query, pointer) => {
      const { status, json } = await api().get(`${base}?${query.replaceAll('"', '%22')}`)
      expect([status, json.code, typeof json.message]).toEqual([400, 'invalid_query', 'string'])
      expect(json.errors.map((one: any) => one.pointer)).toContain(pointer)
    })

    it('is refused for what is no JSON, and for more filters than anybody needs', async () => {
      expect((await api().get(`${base}?filters={`)).json.code).toBe('invalid_query')
      expect((await api().get(`${base}?fields=2,3`)).json.code).toBe('invalid_query')
      const many = Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`f${n}`, 'x']))
      const { status, json } = await api().get(`${base}?${filter(many)}`)
      expect([status, json.code]).toEqual([400, 'invalid_query'])
      expect((await api().get(`${base}/x?limit=1`)).json.errors).toMatchObject([
        { pointer: '/limit' },
      ])
    })
  })

  describe('what cannot be served', () => {
    const REFUSED: readonly [string, string | undefined, string, string | undefined][] = [
      ['no body', undefined, 'invalid_json', ''],
      ['no JSON', '{"values":', 'invalid_json', ''],
      ['no object', '[]', 'invalid_request', ''],
      ['no values', '{}', 'invalid_request', '/values'],
      ['values that are none', '{"values":[]}', 'invalid_request', '/values'],
      ['a user, who is named by Basic', '{"values":{},"user":{"id":"x"}}', 'invalid_request', ''],
      ['an id, which the gateway makes', '{"values":{},"id":"x"}', 'invalid_request', ''],
      ['__proto__', '{"values":{"__proto__":1}}', 'invalid_json', '/values/__proto__'],
    ]
    it.each(REFUSED)('is 400 with a message: %s', async (_, raw, code, pointer) => {
      for (const method of ['POST', 'PATCH']) {
        const path = method === 'POST' ? base : `${base}/x`
        const { status, json, headers } = await api().call(path, undefined, {
          method,
          raw: raw ?? '',
        })
        expect([status, json.status, json.code]).toEqual([400, 400, code])
        expect(json.errors[0].pointer).toBe(pointer)
        expect(json.message).toMatch(/\w/)
        expect(headers.get('content-type')).toBe('application/problem+json')
      }
    })

    it('is 400 with a message: fields that the catalog does not have, before anybody is asked', async () => {
      const fields = [{ id: '2', title: 'Name', type: 'text', required: true }]
      await api().post('/v1/catalogs', { id: catalogId, title: 'Typed', fields })
      await subscribe()
      const { status, json } = await api().post(base, { values: { '3': 1 } })
      expect([status, json.code, typeof json.message]).toEqual([400, 'invalid_values', 'string'])
      expect(json.errors.map((one: any) => one.pointer).sort()).toEqual(['/values/2', '/values/3'])
      expect(validator.received).toEqual([])
    })

    it('is 404 with a message: records that are not there, also those of other accounts', async () => {
      const { id } = (await api().post(base, { values: {} })).json
      const account = await api().post('/v1/accounts', { id: `other-${database}`, title: 'Other' })
      expect([201, 409]).toContain(account.status)
      const key = await keyWith(['admin'], `other-${database}`)
      for (const [recordId, options] of [
        ['none', {}],
        [id, { key }],
        [id, { key: null, headers: basic('anna', key) }],
      ] as const) {
        for (const answer of [
          await api().get(`${base}/${recordId}`, options),
          await api().patch(`${base}/${recordId}`, { values: {} }, options),
          await api().delete(`${base}/${recordId}`, undefined, options),
        ]) {
          expect([answer.status, answer.json.code]).toEqual([404, 'record_not_found'])
          expect(typeof answer.json.message).toBe('string')
        }
      }
      expect((await api().get(base, { key })).json).toEqual([])
      expect((await api().get(base)).json).toHaveLength(1)
    })

    it('is 405 with a message, and 404 where there is no such path', async () => {
      const { status, headers, json } = await api().call(base, undefined, { method: 'PUT' })
      expect([status, headers.get('allow')]).toEqual([405, 'GET, POST'])
      expect(typeof json.message).toBe('string')
      const elsewhere = await api().get('/api/v1/sections')
      expect([elsewhere.status, elsewhere.json.code]).toEqual([404, 'not_found'])
      expect(elsewhere.json.message).toBeDefined()
    })
  })

  describe('callers', () => {
    it('name themselves by the user name of Basic, and by nothing else', async () => {
      await subscribe()
      const users = async (options: object) => {
        await api().post(base, { values: {} }, options)
        return validator.received.at(-1)?.json.user
      }
      expect(await users(AS_ANNA)).toEqual({ id: 'anna' })
      expect(await users({ key: null, headers: basic('Анна Ивановна') })).toEqual({
        id: 'Анна Ивановна',
      })
      expect(await users({ key: null, headers: basic('') })).toEqual({ id: null })
      expect(await users({})).toEqual({ id: null })
    })

    it('may have a colon in the password, as RFC 7617 has it, and write Basic as they like', async () => {
      const { authorization } = basic('anna')
      for (const header of [
        authorization,
        authorization.replace('Basic', 'basic '),
        `${authorization} `,
      ]) {
        const { status } = await api().get(base, { key: null, headers: { authorization: header } })
        expect([header, status]).toEqual([header, 200])
      }
      const withColon = await api().get(base, { key: null, headers: basic('an:na') })
      expect(withColon.status).toBe(401)
    })

    it.each([
      ['nothing', {}],
      ['an unknown key', basic('anna', 'assent_00000000000000000000000000')],
      ['no password', basic('anna', '')],
      ['what is no base64', { authorization: 'Basic %%%' }],
      ['no colon', { authorization: `Basic ${Buffer.from(ADMIN_KEY).toString('base64')}` }],
      [
        'no UTF-8',
        { authorization: `Basic ${Buffer.from([0xff, 0x3a, 0x61]).toString('base64')}` },
      ],
      ['another scheme', { authorization: `Digest ${ADMIN_KEY}` }],
    ])('who send %s are asked for either', async (_, headers) => {
      const answer = await api().get(base, {
        key: null,
        headers: headers as Record<string, string>,
      })
      expect([answer.status, answer.json.code]).toEqual([401, 'unauthenticated'])
      expect(typeof answer.json.message).toBe('string')
      const challenge = answer.headers.get('www-authenticate') ?? ''
      expect(challenge).toMatch(/^Bearer realm="assent", Basic realm="assent"/)
    })

    it('cannot use Basic on routes of /v1, which do not offer it', async () => {
      const { authorization } = basic('anna')
      for (const path of [`/v1/catalogs/${catalogId}/records`, '/v1/subscriptions', '/v1/keys']) {
        const answer = await api().get(path, { key: null, headers: { authorization } })
        expect([path, answer.status]).toEqual([path, 401])
        expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="assent"')
      }
    })

    it('are told when their name is no id, before anything is written', async () => {
      for (const name of ['a'.repeat(201), '..', 'a\u0007']) {
        const { status, json } = await api().post(
          base,
          { values: {} },
          { key: null, headers: basic(name) },
        )
        expect([status, json.code]).toEqual([400, 'invalid_header'])
      }
      expect((await api().get(base)).json).toEqual([])
    })

    it('need `read` to read, `approve` to write records and `manage` to write webhooks', async () => {
      const keys = {
        read: await keyWith(['read']),
        approve: await keyWith(['approve']),
        manage: await keyWith(['manage']),
      }
      const hook = { catalog: 'x', events: ['record.created'], url: validator.url }
      const statuses: Record<string, number[]> = {}
      for (const [scope, key] of Object.entries(keys)) {
        const options = { key: null, headers: basic('anna', key) }
        statuses[scope] = [
          (await api().get(base, options)).status,
          (await api().get('/api/v1/catalogs/webhooks/records', options)).status,
          (await api().post(base, { values: {} }, options)).status,
          (await api().post('/api/v1/catalogs/webhooks/records', { values: hook }, options)).status,
          (await api().post('/api/v1/catalogs/%77ebhooks/records', { values: hook }, options))
            .status,
        ]
      }
      expect(statuses).toEqual({
        read: [200, 200, 403, 403, 403],
        approve: [403, 403, 200, 403, 403],
        manage: [200, 200, 403, 200, 200],
      })
    })

    it('on pages of other sites cannot use a Basic key that a browser remembers', async () => {
      const sent = (headers: Record<string, string>) =>
        api().post(base, { values: {} }, { key: null, headers: { ...basic('anna'), ...headers } })
      for (const headers of [
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { origin: 'https://elsewhere.example' },
        { origin: 'null' },
      ]) {
        const { status, json } = await sent(headers)
        expect([status, json.code, typeof json.message]).toEqual([403, 'forbidden', 'string'])
      }
      expect((await sent({ 'sec-fetch-site': 'same-origin', origin: gateway.url })).status).toBe(
        200,
      )
      const bearer = { headers: { origin: 'https://elsewhere.example' } }
      expect((await api().post(base, { values: {} }, bearer)).status).toBe(200)
    })

    it('find both schemes in the OpenAPI document, Basic on these routes only', async () => {
      const { paths, components } = (await api().get('/openapi.json', { key: null })).json
      expect(components.securitySchemes).toMatchObject({
        key: { type: 'http', scheme: 'bearer' },
        basic: { type: 'http', scheme: 'basic' },
      })
      for (const [path, methods] of Object.entries<any>(paths)) {
        for (const { security } of Object.values<any>(methods)) {
          const takesBasic = security.some((one: any) => 'basic' in one)
          expect([path, takesBasic]).toEqual([path, path.startsWith('/api/v1/')])
        }
      }
    })
  })
})
