/**
 * Who may do what: one row for each route, and nobody may do anything that has no row. Every route is called
 * without a key, with one that nobody has, and with one of each scope; then by another account, with the ids of
 * ours, and what it hears is what it hears of ids that nobody has, to the byte.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isApiKey, makeApiKey } from '../../src/adapters/system/api-keys.ts'
import { SCOPES, type Scope } from '../../src/app/store.ts'
import { eventually } from '../support/eventually.ts'
import { everyRoute } from '../support/every-route.ts'
import { type Answer, Api, startTestGateway, type TestGateway } from '../support/gateway.ts'
import { DATABASES } from '../support/places.ts'

// ---- the table

/** Beside `admin`, which may do everything. */
const MAY = {
  anybody: null,
  ask: ['approve', 'admin'],
  read: ['read', 'manage', 'admin'],
  anyKey: ['approve', 'read', 'manage', 'admin'],
  manage: ['manage', 'admin'],
  admin: ['admin'],
} as const satisfies Record<string, readonly Scope[] | null>

type Row = {
  readonly route: string
  readonly may: keyof typeof MAY
  /** What those who may are answered, when the ids in it are nobody's. */
  readonly status: number
  readonly body?: unknown
  /** Names of the path that are chosen, where they are not ids. */
  readonly at?: Readonly<Record<string, string>>
  /** What the path names is everybody's own: nothing can be said of another account's. */
  readonly isOwn?: true
}

const VALUES = { values: { name: 'x' } }
const WEBHOOKS = { catalogId: 'webhooks' }

const ROWS: readonly Row[] = [
  { route: 'GET /healthz', may: 'anybody', status: 200 },
  { route: 'GET /readyz', may: 'anybody', status: 200 },
  { route: 'GET /metrics', may: 'anybody', status: 200 },
  { route: 'GET /.well-known/jwks.json', may: 'anybody', status: 200 },
  { route: 'GET /openapi.json', may: 'anybody', status: 200 },
  { route: 'GET /docs', may: 'anybody', status: 200 },
  { route: 'GET /console', may: 'anybody', status: 200 },
  { route: 'GET /console/files/{file}', may: 'anybody', status: 404 },
  { route: 'POST /console/session', may: 'anybody', status: 422, body: {} },
  { route: 'GET /console/session', may: 'anyKey', status: 200 },
  // Only pages of our own may end one.
  { route: 'DELETE /console/session', may: 'anybody', status: 403 },

  { route: 'POST /v1/approve', may: 'ask', status: 422, body: {} },
  {
    route: 'POST /v1/approvals/{decisionId}/commit',
    may: 'ask',
    status: 404,
    body: { token: 'x' },
  },
  { route: 'POST /v1/approvals/{decisionId}/abort', may: 'ask', status: 404 },
  { route: 'POST /v1/events', may: 'ask', status: 422, body: {} },

  { route: 'GET /v1/catalogs', may: 'read', status: 200 },
  { route: 'POST /v1/catalogs', may: 'manage', status: 422, body: {} },
  { route: 'GET /v1/catalogs/{catalogId}', may: 'read', status: 404 },
  { route: 'PATCH /v1/catalogs/{catalogId}', may: 'manage', status: 404, body: { title: 'x' } },
  { route: 'DELETE /v1/catalogs/{catalogId}', may: 'manage', status: 404 },

  { route: 'GET /v1/catalogs/{catalogId}/records', may: 'read', status: 200 },
  { route: 'GET /v1/catalogs/{catalogId}/records/{recordId}', may: 'read', status: 404 },
  { route: 'GET /v1/catalogs/{catalogId}/records/{recordId}/history', may: 'read', status: 200 },
  { route: 'GET /v1/catalogs/{catalogId}/records/{recordId}/actions', may: 'read', status: 404 },
  { route: 'POST /v1/catalogs/{catalogId}/records', may: 'ask', status: 422, body: { values: 7 } },
  {
    route: 'PATCH /v1/catalogs/{catalogId}/records/{recordId}',
    may: 'ask',
    status: 404,
    body: VALUES,
  },
  { route: 'DELETE /v1/catalogs/{catalogId}/records/{recordId}', may: 'ask', status: 404 },
  {
    route: 'POST /v1/catalogs/{catalogId}/records/{recordId}/erase',
    may: 'manage',
    status: 404,
  },
  {
    route: 'POST /v1/catalogs/{catalogId}/records/{recordId}/actions/{actionId}',
    may: 'ask',
    status: 404,
  },

  { route: 'GET /api/v1/catalogs/{catalogId}/records', may: 'read', status: 200 },
  { route: 'GET /api/v1/catalogs/{catalogId}/records/{recordId}', may: 'read', status: 404 },
  {
    route: 'POST /api/v1/catalogs/{catalogId}/records',
    may: 'ask',
    status: 200,
    body: VALUES,
    at: { catalogId: 'scratch' },
    isOwn: true,
  },
  {
    route: 'PATCH /api/v1/catalogs/{catalogId}/records/{recordId}',
    may: 'ask',
    status: 404,
    body: VALUES,
  },
  { route: 'DELETE /api/v1/catalogs/{catalogId}/records/{recordId}', may: 'ask', status: 404 },
  { route: 'GET /api/v1/catalogs/{catalogId}/records', may: 'read', status: 200, at: WEBHOOKS },
  {
    route: 'GET /api/v1/catalogs/{catalogId}/records/{recordId}',
    may: 'read',
    status: 404,
    at: WEBHOOKS,
  },
  {
    route: 'POST /api/v1/catalogs/{catalogId}/records',
    may: 'manage',
    status: 400,
    body: { values: {} },
    at: WEBHOOKS,
  },
  {
    route: 'PATCH /api/v1/catalogs/{catalogId}/records/{recordId}',
    may: 'manage',
    status: 404,
    body: { values: {} },
    at: WEBHOOKS,
  },
  {
    route: 'DELETE /api/v1/catalogs/{catalogId}/records/{recordId}',
    may: 'manage',
    status: 404,
    at: WEBHOOKS,
  },

  { route: 'GET /v1/subscriptions', may: 'read', status: 200 },
  { route: 'POST /v1/subscriptions', may: 'manage', status: 422, body: {} },
  { route: 'GET /v1/subscriptions/{id}', may: 'read', status: 404 },
  { route: 'PATCH /v1/subscriptions/{id}', may: 'manage', status: 404, body: { name: 'x' } },
  { route: 'DELETE /v1/subscriptions/{id}', may: 'manage', status: 404 },
  { route: 'POST /v1/subscriptions/{id}/test', may: 'manage', status: 404 },
  { route: 'POST /v1/subscriptions/{id}/rotate-secret', may: 'manage', status: 404 },
  { route: 'POST /v1/subscriptions/{id}/enable', may: 'manage', status: 404 },
  { route: 'POST /v1/subscriptions/{id}/disable', may: 'manage', status: 404 },
  {
    route: 'POST /v1/subscriptions/{id}/replay',
    may: 'manage',
    status: 404,
    body: { states: ['dead'] },
  },
  {
    route: 'POST /v1/subscriptions/{id}/replay',
    may: 'manage',
    status: 404,
    body: { states: ['dead'], preview: true },
  },
  { route: 'GET /v1/subscriptions/{id}/replays', may: 'read', status: 404 },
  { route: 'GET /v1/subscriptions/{id}/health', may: 'read', status: 404 },
  { route: 'GET /v1/subscriptions/{id}/deliveries', may: 'read', status: 404 },

  { route: 'GET /v1/event-types', may: 'read', status: 200 },
  { route: 'POST /v1/event-types', may: 'manage', status: 422, body: {} },
  { route: 'GET /v1/event-types/{name}', may: 'read', status: 404 },
  {
    route: 'PATCH /v1/event-types/{name}',
    may: 'manage',
    status: 404,
    body: { title: { en: 'x' } },
  },
  { route: 'DELETE /v1/event-types/{name}', may: 'manage', status: 404 },

  { route: 'GET /v1/actions', may: 'read', status: 200 },
  { route: 'POST /v1/actions', may: 'manage', status: 422, body: {} },
  { route: 'GET /v1/actions/{id}', may: 'read', status: 404 },
  { route: 'PATCH /v1/actions/{id}', may: 'manage', status: 404, body: { title: 'x' } },
  { route: 'DELETE /v1/actions/{id}', may: 'manage', status: 404 },

  { route: 'GET /v1/presets', may: 'read', status: 200 },
  { route: 'POST /v1/presets/{name}', may: 'manage', status: 404, isOwn: true },

  { route: 'GET /v1/activity', may: 'read', status: 200 },
  { route: 'GET /v1/decisions', may: 'read', status: 200 },
  { route: 'GET /v1/decisions/{id}', may: 'read', status: 404 },
  { route: 'GET /v1/notifications', may: 'read', status: 200 },
  { route: 'GET /v1/deliveries', may: 'read', status: 200 },
  { route: 'GET /v1/deliveries/{id}', may: 'read', status: 404 },
  { route: 'POST /v1/deliveries/{id}/retry', may: 'manage', status: 404 },

  { route: 'GET /v1/accounts', may: 'admin', status: 200 },
  { route: 'POST /v1/accounts', may: 'admin', status: 422, body: {} },
  { route: 'GET /v1/accounts/{id}', may: 'admin', status: 404 },
  { route: 'PATCH /v1/accounts/{id}', may: 'admin', status: 404, body: { title: 'x' } },
  { route: 'GET /v1/keys', may: 'admin', status: 200 },
  { route: 'POST /v1/keys', may: 'admin', status: 422, body: {} },
  { route: 'DELETE /v1/keys/{id}', may: 'admin', status: 404 },
  { route: 'GET /v1/apps', may: 'admin', status: 200 },
  { route: 'POST /v1/apps', may: 'admin', status: 422, body: {} },
  { route: 'GET /v1/apps/{id}', may: 'admin', status: 404 },
  { route: 'DELETE /v1/apps/{id}', may: 'admin', status: 404 },
  { route: 'GET /v1/installations', may: 'admin', status: 200 },
  { route: 'POST /v1/installations', may: 'admin', status: 422, body: {} },
  { route: 'GET /v1/installations/{id}', may: 'admin', status: 404 },
  { route: 'DELETE /v1/installations/{id}', may: 'admin', status: 404 },
  { route: 'GET /v1/audit', may: 'admin', status: 200 },
  { route: 'GET /v1/audit/verify', may: 'admin', status: 200 },
]

// ---- two accounts

/** In every name that we choose, so that it can be looked for in what others hear. */
const MARK = 'OURS'

/** Ids by the first part of the path that they are under, and by their own names. */
type Ids = Readonly<Record<string, string>>

const NOBODYS: Ids = {
  accounts: 'nobody',
  keys: 'nobody',
  subscriptions: 'nobody',
  // As long as ours, because it is said back.
  'event-types': 'NONE event',
  actions: 'nobody',
  apps: 'nobody',
  installations: 'nobody',
  decisions: 'nobody',
  deliveries: 'nobody',
  presets: 'nobody',
  catalogId: 'nobody',
  recordId: 'nobody',
  actionId: 'nobody',
  decisionId: 'nobody',
  token: 'nobody',
}

async function made(api: Api, path: string, body: object): Promise<any> {
  const { status, text, json } = await api.post(path, body)
  if (status > 202) throw new Error(`${path} answered ${status} ${text}`)
  return json
}

/** An account with one of everything. */
async function furnish(admin: Api, api: Api, accountId: string): Promise<Ids> {
  const catalogId = `${MARK} catalog`
  const url = 'http://127.0.0.1:9/'
  await made(api, '/v1/catalogs', { id: catalogId, title: MARK })
  const name = `${MARK} event`
  await made(api, '/v1/event-types', { name, title: { en: MARK } })
  const events = ['record.created']
  const subscription = await made(api, '/v1/subscriptions', { name: MARK, catalogId, events, url })
  const action = await made(api, '/v1/actions', {
    id: `${MARK} action`,
    title: MARK,
    catalogId,
    url,
  })
  const app = await made(api, '/v1/apps', { id: `${MARK} app`, name: MARK })
  const installation = await made(api, '/v1/installations', { appId: app.id, userId: MARK })
  const key = await made(api, '/v1/keys', { name: MARK, scopes: ['read'] })
  const recordId = `${MARK} record`
  await made(api, `/v1/catalogs/${catalogId}/records`, { id: recordId, values: { name: MARK } })
  const change = { event: 'record.before.updated', catalogId, recordId, values: { name: 'new' } }
  const decision = await made(api, '/v1/approve', { ...change, commit: 'caller' })
  const delivery = await eventually('a delivery is planned', async () => {
    const { json } = await api.get('/v1/deliveries')
    return json.items[0]
  })
  expect((await admin.get(`/v1/accounts/${accountId}`)).status).toBe(200)
  return {
    accounts: accountId,
    keys: key.id,
    subscriptions: subscription.id,
    'event-types': name,
    actions: action.id,
    apps: app.id,
    installations: installation.id,
    decisions: decision.id,
    deliveries: delivery.id,
    presets: 'pos',
    catalogId,
    recordId,
    actionId: action.id,
    decisionId: decision.id,
    token: decision.approval.token,
  }
}

function addressOf(row: Row, ids: Ids): { method: string; path: string } {
  const [method = '', path = ''] = row.route.split(' ')
  const [, , kind = ''] = path.split('/')
  const place = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(row.at?.[name] ?? ids[name] ?? ids[kind] ?? `no id for ${name}`),
  )
  return { method, path: place }
}

/** The same request id for all, so that answers can be compared to the byte. */
const SAME = { headers: { 'x-request-id': 'the-same-for-all' } }

function call(api: Api, row: Row, ids: Ids): Promise<Answer> {
  const { method, path } = addressOf(row, ids)
  return api.call(path, row.body, { ...SAME, method })
}

/** What a caller can tell answers apart by. */
function heard({ status, headers, text }: Answer): string {
  const said = [...headers].filter(([name]) => !['date', 'keep-alive'].includes(name))
  return JSON.stringify([status, said, text])
}

/** Without a name that was in the question. */
const without = (name: string | undefined, answer: Answer): Answer => ({
  ...answer,
  text: name === undefined ? answer.text : answer.text.replaceAll(name, '(as asked)'),
})

type Request = readonly [
  method: string,
  path: string,
  body?: object | undefined,
  saidBack?: string | undefined,
]

/** Ids that come in a body or a query: what is asked of our ids is asked of nobody's too. */
const REQUESTS: readonly ((ids: Ids) => Request)[] = [
  (ids) => ['GET', `/v1/keys?accountId=${ids['accounts']}`],
  (ids) => ['POST', '/v1/keys', { name: 'x', scopes: ['read'], accountId: ids['accounts'] }],
  (ids) => ['DELETE', `/v1/keys/${ids['keys']}?accountId=${ids['accounts']}`],
  (ids) => ['GET', `/v1/audit?accountId=${ids['accounts']}`],
  (ids) => ['PATCH', `/v1/accounts/${ids['accounts']}`, { maxPerSecond: 1 }],
  (ids) => ['POST', '/v1/installations', { appId: ids['apps'], userId: 'u' }],
  (ids) => ['POST', '/v1/events', { type: ids['event-types'] }, ids['event-types']],
  (ids) => ['GET', `/v1/decisions?catalogId=${ids['catalogId']}`],
  (ids) => ['GET', `/v1/decisions?recordId=${ids['recordId']}`],
  (ids) => ['GET', `/v1/decisions?subscriptionId=${ids['subscriptions']}`],
  (ids) => ['GET', `/v1/decisions?text=${ids['recordId']}`],
  (ids) => ['GET', `/v1/deliveries?subscriptionId=${ids['subscriptions']}`],
  (ids) => ['GET', `/v1/deliveries?recordId=${ids['recordId']}`],
  (ids) => ['GET', `/v1/actions?catalogId=${ids['catalogId']}`],
  (ids) => ['POST', `/v1/approvals/${ids['decisions']}/commit`, { token: ids['token'] }],
  (ids) => ['POST', '/v1/approve', changeOf(ids, 'record.before.updated')],
  (ids) => ['POST', '/v1/approve', changeOf(ids, 'record.before.deleted')],
]

const changeOf = ({ catalogId, recordId }: Ids, event: string) => ({
  event,
  catalogId,
  recordId,
  values: event.endsWith('deleted') ? undefined : { name: 'stolen' },
})

describe.each(DATABASES)('on the %s database', (database) => {
  let gateway: TestGateway
  let ours: { readonly api: Api; readonly ids: Ids }
  const theirs = new Map<Scope, Api>()

  const keyFor = async (accountId: string, scope: Scope): Promise<Api> => {
    const draft = { name: 'A key', scopes: [scope], accountId }
    return new Api(gateway.url, (await made(gateway.api, '/v1/keys', draft)).key)
  }

  beforeAll(async () => {
    gateway = await startTestGateway(database)
    const { api: admin } = gateway
    for (const id of [`${MARK}-account`, 'others']) {
      await made(admin, '/v1/accounts', { id, title: id })
    }
    const api = await keyFor(`${MARK}-account`, 'admin')
    ours = { api, ids: await furnish(admin, api, `${MARK}-account`) }
    for (const scope of SCOPES) theirs.set(scope, await keyFor('others', scope))
  })
  afterAll(() => gateway?.close())

  const as = (scope: Scope): Api => {
    const api = theirs.get(scope)
    if (api === undefined) throw new Error(`no key of scope ${scope}`)
    return api
  }

  it('every route has its row, and every row its route', async () => {
    const written = (await everyRoute()).map(({ method, path }) => `${method} ${path}`)
    expect(written.length).toBeGreaterThan(70)
    expect([...new Set(ROWS.map(({ route }) => route))].sort()).toEqual(written.sort())
  })

  it('every route takes the scopes of its row, and refuses all else', async () => {
    const key = makeApiKey('key_nobody')
    expect(isApiKey(key)).toBe(true)
    const strangers = [new Api(gateway.url, 'no-key-at-all'), new Api(gateway.url, key)]
    const differences: string[] = []
    const expectOf = (row: Row, who: string, expected: number, { status }: Answer) => {
      if (status !== expected)
        differences.push(`${row.route} as ${who}: ${status}, not ${expected}`)
    }
    for (const row of ROWS) {
      const may: readonly Scope[] | null = MAY[row.may]
      const { method, path } = addressOf(row, NOBODYS)
      const stranger = may === null ? row.status : 401
      const keyless = await gateway.api.call(path, row.body, { method, key: null })
      expectOf(row, 'nobody', stranger, keyless)
      for (const api of strangers)
        expectOf(row, 'a stranger', stranger, await call(api, row, NOBODYS))
      for (const scope of SCOPES) {
        const expected = may === null || may.includes(scope) ? row.status : 403
        expectOf(row, scope, expected, await call(as(scope), row, NOBODYS))
      }
    }
    expect(differences).toEqual([])
  })

  it("another account's things are to the byte what things are that nobody has", async () => {
    const differences: string[] = []
    const secrets = Object.entries(ours.ids).filter(([kind]) => kind !== 'presets')
    const compare = (what: string, mine: Answer, nobodys: Answer) => {
      if (heard(mine) !== heard(nobodys))
        differences.push(`${what}: ${heard(mine)} ${heard(nobodys)}`)
      const found = secrets.find(([, id]) => mine.text.includes(id))
      if (found !== undefined || mine.text.includes(MARK))
        differences.push(`${what} tells ${found}`)
    }
    for (const scope of SCOPES) {
      for (const row of ROWS) {
        if (row.isOwn === true || row.may === 'anybody') continue
        const mine = await call(as(scope), row, ours.ids)
        if (row.route.includes('{')) {
          compare(`${row.route} as ${scope}`, mine, await call(as(scope), row, NOBODYS))
        } else if (mine.text.includes(MARK)) differences.push(`${row.route} tells of ours`)
      }
      for (const request of REQUESTS) {
        const [first, second] = [request(ours.ids), request(NOBODYS)]
        const asked = async ([method, path, body, saidBack]: Request) =>
          without(saidBack, await as(scope).call(path, body, { ...SAME, method }))
        compare(`${first[0]} ${first[1]} as ${scope}`, await asked(first), await asked(second))
      }
    }
    expect(differences).toEqual([])
  })

  it('what others tried has changed nothing of ours', async () => {
    const { api, ids } = ours
    const at = (path: string) => encodeURI(path)
    const names: Readonly<Record<string, object>> = {
      [`/v1/accounts/${ids['accounts']}`]: { title: `${MARK}-account` },
      [`/v1/catalogs/${ids['catalogId']}`]: { title: MARK },
      [`/v1/catalogs/${ids['catalogId']}/records/${ids['recordId']}`]: {
        version: 1,
        values: { name: MARK },
      },
      [`/v1/subscriptions/${ids['subscriptions']}`]: { name: MARK, active: true },
      [`/v1/event-types/${ids['event-types']}`]: { title: { en: MARK } },
      [`/v1/actions/${ids['actions']}`]: { title: MARK },
      [`/v1/apps/${ids['apps']}`]: { name: MARK },
      [`/v1/installations/${ids['installations']}`]: { userId: MARK },
      [`/v1/decisions/${ids['decisions']}`]: { state: 'pending' },
    }
    for (const [path, expected] of Object.entries(names)) {
      const { status, json } = await api.get(at(path))
      expect([path, status, json]).toMatchObject([path, 200, expected])
    }
    const { items } = (await api.get('/v1/keys')).json
    expect(items.map(({ name }: { name: string }) => name).sort()).toEqual(['A key', MARK, MARK])
    expect((await api.get('/v1/installations')).json.items).toHaveLength(1)
  })
})
