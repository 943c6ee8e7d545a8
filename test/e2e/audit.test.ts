/** Who changed which setting: from the key in the header to the row that is read back, and checked. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { Api, startGatewayOn, startTestGateway, type TestGateway } from '../support/gateway.ts'
import { DATABASES, temporaryFolder } from '../support/places.ts'
import { reply, startValidator, type ValidatorServer } from '../support/validator-server.ts'

const CANARY = 'canary-of-the-audit'
/** In records, which their own decisions may show. */
const VALUE = 'a value of a record'

type Row = any

/** Routes that change settings, and one request that does. `/:id` is what the first request of the row made. */
type Step = readonly [method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: object]
type Change = {
  readonly route: string
  readonly setUp?: Step
  readonly change: Step
  readonly action: string
}

const auth = { type: 'bearer', token: CANARY }
const headers = { 'x-tenant': CANARY }
const endpoint = { url: 'http://127.0.0.1:1/hook', auth, headers, secret: CANARY }
const SUBSCRIPTION = { name: 'A', events: ['record.created'], dialect: 'bpium', ...endpoint }
const ACTION = { title: 'Call', catalogId: 'c', dialect: 'bpium', ...endpoint }
const APP = { name: 'App', secret: CANARY, subscriptions: [SUBSCRIPTION] }

const subscribe: Step = ['POST', '/v1/subscriptions', SUBSCRIPTION]
const changes = (paths: string, setUp: Step, action: string, body: object): Change[] => [
  { route: `POST ${setUp[1]}`, change: setUp, action: `${action}.created` },
  {
    route: `PATCH ${paths}`,
    setUp,
    change: ['PATCH', `${setUp[1]}/:id`, body],
    action: `${action}.updated`,
  },
  {
    route: `DELETE ${paths}`,
    setUp,
    change: ['DELETE', `${setUp[1]}/:id`],
    action: `${action}.removed`,
  },
]

const url = 'http://127.0.0.1:1/'
const WEBHOOK = { values: { catalog: 'c', events: ['record.created'], url, secret: CANARY } }
const WEBHOOKS = '/api/v1/catalogs/webhooks/records'

let made = 0
const unique = (prefix: string) => `${prefix}-${++made}`

const CHANGES: readonly Change[] = [
  ...changes('/v1/subscriptions/{id}', subscribe, 'subscription', {
    secret: `${CANARY}-2`,
    auth: { type: 'basic', username: 'u', password: CANARY },
  }),
  {
    route: 'POST /v1/subscriptions/{id}/rotate-secret',
    setUp: subscribe,
    change: ['POST', '/v1/subscriptions/:id/rotate-secret'],
    action: 'subscription.updated',
  },
  {
    route: 'POST /v1/subscriptions/{id}/disable',
    setUp: subscribe,
    change: ['POST', '/v1/subscriptions/:id/disable'],
    action: 'subscription.updated',
  },
  {
    route: 'POST /v1/subscriptions/{id}/enable',
    setUp: ['POST', '/v1/subscriptions', { ...SUBSCRIPTION, active: false }],
    change: ['POST', '/v1/subscriptions/:id/enable'],
    action: 'subscription.updated',
  },
  ...changes('/v1/actions/{id}', ['POST', '/v1/actions', ACTION], 'action', {
    auth: { type: 'custom', header: 'x-key', value: CANARY },
  }),
  ...changes(
    '/v1/catalogs/{catalogId}',
    ['POST', '/v1/catalogs', { id: 'UNIQUE', title: 'C' }],
    'catalog',
    { title: 'D' },
  ),
  ...changes(
    '/v1/event-types/{name}',
    ['POST', '/v1/event-types', { name: 'UNIQUE', title: { en: 'E' } }],
    'eventType',
    { title: { en: 'F' } },
  ),
  {
    route: 'POST /v1/presets/{name}',
    change: ['POST', '/v1/presets/pos'],
    action: 'preset.loaded',
  },
  { route: 'POST /v1/apps', change: ['POST', '/v1/apps', APP], action: 'app.created' },
  {
    route: 'DELETE /v1/apps/{id}',
    setUp: ['POST', '/v1/apps', APP],
    change: ['DELETE', '/v1/apps/:id'],
    action: 'app.removed',
  },
  {
    route: 'POST /v1/catalogs/{catalogId}/records/{recordId}/erase',
    setUp: ['POST', '/v1/catalogs/things/records', { id: 'person', values: { name: 'x' } }],
    change: ['POST', '/v1/catalogs/things/records/person/erase'],
    action: 'record.erased',
  },
  {
    route: 'POST /v1/keys',
    change: ['POST', '/v1/keys', { name: 'K', scopes: ['read'] }],
    action: 'key.created',
  },
  {
    route: 'DELETE /v1/keys/{id}',
    setUp: ['POST', '/v1/keys', { name: 'K', scopes: ['read'] }],
    change: ['DELETE', '/v1/keys/:id'],
    action: 'key.removed',
  },
  {
    route: `POST /api/v1/catalogs/{catalogId}/records`,
    change: ['POST', WEBHOOKS, WEBHOOK],
    action: 'subscription.created',
  },
  {
    route: `PATCH /api/v1/catalogs/{catalogId}/records/{recordId}`,
    setUp: ['POST', WEBHOOKS, WEBHOOK],
    change: ['PATCH', `${WEBHOOKS}/:id`, { values: { url: 'http://127.0.0.1:2/' } }],
    action: 'subscription.updated',
  },
  {
    route: `DELETE /api/v1/catalogs/{catalogId}/records/{recordId}`,
    setUp: ['POST', WEBHOOKS, WEBHOOK],
    change: ['DELETE', `${WEBHOOKS}/:id`],
    action: 'subscription.removed',
  },
]

/** Tested by themselves below, or no change of a setting. */
const OTHERS = new Set([
  'POST /v1/accounts',
  'PATCH /v1/accounts/{id}',
  'POST /v1/installations',
  'DELETE /v1/installations/{id}',
  'POST /v1/subscriptions/{id}/replay',
  'POST /v1/deliveries/{id}/retry',
  'POST /v1/subscriptions/{id}/test',
])

describe.each(DATABASES)('the audit on the %s database', (database) => {
  let gateway: TestGateway
  let validator: ValidatorServer
  beforeAll(async () => {
    gateway = await startTestGateway(database)
    validator = await startValidator()
  })
  afterAll(async () => {
    await gateway.close()
    await validator.close()
  })
  const api = () => gateway.api
  const audit = async (query = ''): Promise<Row[]> =>
    (await api().get(`/v1/audit?limit=200${query}`)).json.items

  /** Another account, with a key of each kind. */
  const account = async (...scopes: readonly string[]) => {
    const id = unique('shop')
    await api().post('/v1/accounts', { id, title: id })
    const { json } = await api().post('/v1/keys', { name: 'K', scopes, accountId: id })
    return { id, keyId: json.id as string, api: new Api(gateway.url, json.key) }
  }

  const send = async (by: Api, [method, path, body]: Step, id = '') => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const answer = await by.call(
      path.replace(':id', encodeURIComponent(id)),
      text === undefined ? undefined : JSON.parse(text.replaceAll('UNIQUE', id)),
      { method },
    )
    expect(answer.status, `${method} ${path}: ${answer.text}`).toBeLessThan(300)
    return answer
  }

  it('has a row for each route that changes a setting: by whom, in which request, without a secret', async () => {
    const shop = await account('admin')
    for (const { route, setUp, change, action } of CHANGES) {
      const name = unique('thing')
      const first = setUp && (await send(shop.api, setUp, name))
      const id = first?.json?.id ?? first?.json?.name ?? name
      const before = (await audit(`&accountId=${shop.id}`)).length
      const answer = await send(shop.api, change, id)
      const rows = await audit(`&accountId=${shop.id}`)
      expect({ route, rows: rows.length }).toEqual({ route, rows: before + 1 })
      expect({ route, ...rows[0] }).toMatchObject({
        route,
        action,
        seq: before + 1,
        actor: {
          kind: 'key',
          id: shop.keyId,
          accountId: shop.id,
          requestId: answer.headers.get('x-request-id'),
        },
      })
    }
    const { text } = await api().get(`/v1/audit?limit=200&accountId=${shop.id}`)
    expect(text).not.toContain(CANARY)
    expect(text).not.toContain(VALUE)
    expect(text).toContain('*** (changed)')
    const verified = await shop.api.get('/v1/audit/verify')
    expect(verified.json).toMatchObject({ ok: true, checked: expect.any(Number) })
  })

  it('is asked of every route that takes settings: a new one must be in the table above', async () => {
    const { json } = await api().get('/openapi.json')
    const routes = Object.entries<Record<string, any>>(json.paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([method]) => ['post', 'patch', 'delete'].includes(method))
        .filter(([, { description }]) => /Scope: .*`(manage|admin)`/.test(description ?? ''))
        .map(([method]) => `${method.toUpperCase()} ${path}`),
    )
    expect(routes.length).toBeGreaterThan(20)
    const known = new Set([...CHANGES.map(({ route }) => route), ...OTHERS])
    expect(routes.filter((route) => !known.has(route))).toEqual([])
  })

  it('tells that the operator changed an account, in that account’s own audit', async () => {
    const shop = await account('admin')
    await api().patch(`/v1/accounts/${shop.id}`, { title: 'Renamed' })
    const { json } = await shop.api.get('/v1/audit')
    expect(json.items).toMatchObject([
      {
        seq: 3,
        action: 'account.updated',
        target: shop.id,
        actor: { kind: 'key', id: 'admin', accountId: 'default' },
        before: { title: shop.id },
        after: { title: 'Renamed' },
      },
      { seq: 2, action: 'key.created', target: shop.keyId },
      { seq: 1, action: 'account.created', target: shop.id, before: null },
    ])
  })

  it('is for admins, of their own account, and of all for those of default', async () => {
    const [ours, theirs, manager] = [
      await account('admin'),
      await account('admin'),
      await account('manage', 'read', 'approve'),
    ]
    for (const path of ['/v1/audit', '/v1/audit/verify']) {
      expect((await manager.api.get(path)).status).toBe(403)
      expect((await api().get(path, { key: null })).status).toBe(401)
      expect((await ours.api.get(`${path}?accountId=${ours.id}`)).status).toBe(200)
      const others = await ours.api.get(`${path}?accountId=${theirs.id}`)
      const unknown = await ours.api.get(`${path}?accountId=nobody`)
      expect(others.status).toBe(404)
      const bare = ({ text }: { text: string }) => text.replaceAll(/"requestId":"[^"]*"/g, '')
      expect(bare(others)).toBe(bare(unknown))
      expect((await api().get(`${path}?accountId=${theirs.id}`)).status).toBe(200)
      expect((await api().get(`${path}?accountId=nobody`)).status).toBe(404)
    }
    expect(JSON.stringify((await ours.api.get('/v1/audit')).json)).not.toContain(theirs.id)
  })

  it('is read in pages and by what is looked for; other cursors are refused', async () => {
    const shop = await account('admin')
    for (let n = 0; n < 5; n++) await shop.api.post('/v1/catalogs', { id: `c${n}`, title: 'C' })
    const seen: number[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { json } = await shop.api.get(`/v1/audit?limit=3${cursor && `&cursor=${cursor}`}`)
      seen.push(...json.items.map(({ seq }: Row) => seq))
      cursor = json.nextCursor
    }
    expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1])
    const found = async (query: string) =>
      (await shop.api.get(`/v1/audit?${query}`)).json.items.map(({ seq }: Row) => seq)
    expect(await found('target=c1')).toEqual([4])
    expect(await found('action=key.created')).toEqual([2])
    expect(await found('actor=admin')).toEqual([2, 1])
    const [{ at }] = (await shop.api.get('/v1/audit?target=c3')).json.items
    expect(await found(`since=${at}`)).toEqual([7, 6])
    expect(await found(`until=${at}`)).toEqual([5, 4, 3, 2, 1])
    const foreign = Buffer.from('1:sub_x').toString('base64url')
    for (const query of [`cursor=${foreign}`, 'action=none', 'since=yesterday', 'limit=0']) {
      expect((await shop.api.get(`/v1/audit?${query}`)).status, query).toBe(400)
    }
  })

  it('says so when the gateway disables a subscription by itself', async () => {
    const shop = await account('admin')
    validator.behave = reply(410, {})
    const { id } = await shop.api.subscribe({ url: validator.url, dialect: 'bpium' })
    await shop.api.approve({ values: { a: 1 } })
    const row = await eventually('it is disabled', async () => {
      const { json } = await shop.api.get('/v1/audit?action=subscription.disabled')
      return json.items[0]
    })
    expect(row).toMatchObject({
      target: id,
      actor: { kind: 'gateway', id: 'gateway', accountId: shop.id },
      before: { active: true, disabledReason: null },
      after: { active: false, disabledReason: 'gone' },
    })
    expect(row.actor.requestId).toBeUndefined()
  })

  it('tells what a person confirmed against a validator’s doubt, and nothing of the record', async () => {
    const shop = await account('admin')
    validator.behave = reply(200, { decision: 'confirm', warnings: [{ message: 'Really?' }] })
    const { id } = await shop.api.subscribe({ url: validator.url })
    const values = { name: VALUE }
    const user = { id: 'ada' }
    const first = await shop.api.approve({ values, user })
    const [{ token }] = first.json.confirmations
    expect((await shop.api.approve({ values, user, confirm: ['other'] })).json.decision).toBe(
      'confirm',
    )
    const dry = await shop.api.approve({ values, user, confirm: [token], commit: 'none' })
    expect(dry.json.decision).toBe('allow')
    const second = await shop.api.approve({ values, user, confirm: [token] })
    expect(second.json).toMatchObject({ decision: 'allow', committed: true })
    const own = await shop.api.approve({ values, user, confirm: [token], commit: 'caller' })
    const rows = await eventually('it is written down', async () => {
      const { json } = await shop.api.get('/v1/audit?action=approval.confirmed')
      return json.items.length === 2 && json.items
    })
    expect(rows).toMatchObject([
      { target: own.json.id },
      {
        target: second.json.id,
        actor: { kind: 'key', id: shop.keyId, requestId: second.headers.get('x-request-id') },
        before: null,
        after: {
          event: 'record.before.created',
          catalogId: 'things',
          userId: 'ada',
          subscriptionIds: [id],
        },
      },
    ])
    expect(JSON.stringify(rows)).not.toContain(VALUE)
    expect((await shop.api.get('/v1/audit/verify')).json.ok).toBe(true)
  })

  it('tells who connected an app, let go of it, and had deliveries sent again', async () => {
    const shop = await account('admin')
    validator.behave = reply(200, {})
    const app = await shop.api.post('/v1/apps', { name: 'App', subscriptions: [] })
    const connected = await shop.api.post('/v1/installations', { appId: app.json.id, userId: '7' })
    expect(connected.status, connected.text).toBe(201)
    await shop.api.delete(`/v1/installations/${connected.json.id}`)
    const settings = { url: validator.url, events: ['record.created'] }
    const { id } = await shop.api.subscribe(settings)
    await shop.api.approve({ values: { name: VALUE } })
    const delivery = await eventually('it is delivered', async () => {
      const { json } = await shop.api.get('/v1/deliveries?state=delivered')
      return json.items[0]
    })
    const again = await shop.api.post(`/v1/deliveries/${delivery.id}/retry`)
    expect(again.status).toBe(200)
    await eventually('it is delivered again', async () => {
      const { json } = await shop.api.get(`/v1/deliveries/${delivery.id}`)
      return json.state === 'delivered'
    })
    const replay = await shop.api.post(`/v1/subscriptions/${id}/replay`, { fromSequenceId: 1 })
    expect(replay.json).toEqual({ count: 1 })
    const by = (answer: { headers: Headers }) => ({
      kind: 'key',
      id: shop.keyId,
      accountId: shop.id,
      requestId: answer.headers.get('x-request-id'),
    })
    const { json, text } = await shop.api.get('/v1/audit?limit=6')
    expect(json.items).toMatchObject([
      { action: 'deliveries.replayed', actor: by(replay), target: id },
      { action: 'delivery.retried', actor: by(again), target: delivery.id },
      { action: 'subscription.created' },
      { action: 'installation.removed', target: connected.json.id, actor: { id: shop.keyId } },
      { action: 'installation.created', actor: by(connected), after: { userId: '7' } },
      { action: 'app.created', actor: by(app), target: app.json.id },
    ])
    expect(text).not.toContain(connected.json.accessToken)
    expect(text).not.toContain(CANARY)
    expect(text).not.toContain(VALUE)
  })

  it('is sealed by itself, a moment after the change', async () => {
    const shop = await account('admin')
    await eventually('its rows have hashes', async () => {
      const { json } = await shop.api.get('/v1/audit')
      return json.items.every(({ hash }: Row) => typeof hash === 'string')
    })
  })
})

describe('the audit of a data folder', () => {
  it('goes on where it was when the gateway is started again, under a new master key too', async () => {
    const place = await temporaryFolder()
    const old = Buffer.alloc(32, 1).toString('base64')
    const fresh = Buffer.alloc(32, 2).toString('base64')
    const visit = async (keys: string, id: string) => {
      const gateway = await startGatewayOn({ ...place.environment, ASSENT_MASTER_KEY: keys })
      const api = new Api(gateway.url)
      try {
        await api.post('/v1/catalogs', { id, title: 'C' })
        return (await api.get('/v1/audit/verify')).json
      } finally {
        await gateway.close()
      }
    }
    try {
      expect(await visit(old, 'a')).toMatchObject({ ok: true, checked: 1 })
      expect(await visit(old, 'b')).toMatchObject({ ok: true, checked: 2 })
      expect(await visit(`${fresh},${old}`, 'c')).toMatchObject({ ok: true, checked: 3 })
      expect(await visit(fresh, 'd')).toMatchObject({ ok: true, checked: 4 })
    } finally {
      await place.remove()
    }
  })
})
