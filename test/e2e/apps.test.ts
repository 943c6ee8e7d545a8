/** Apps that many accounts connect to: what each of them gets, and what ends with the connection. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { Api } from '../support/gateway.ts'
import { DATABASES } from '../support/places.ts'
import { type Received, reply } from '../support/validator-server.ts'
import { actionsOf, Mall, template, write } from './shops.ts'

const MASK = '***'

/** What Poster's own receivers compute. */
function verifyOf({ json }: Received, secret: string): string {
  const { account, object, object_id, action, data, time } = json
  const parts = [account, object, object_id, action, ...(data === undefined ? [] : [data]), time]
  return createHash('md5')
    .update([...parts, secret].join(';'))
    .digest('hex')
}

describe.each(DATABASES)('apps on the %s database', (database) => {
  let mall: Mall
  beforeAll(async () => {
    mall = await Mall.start(database)
  })
  afterAll(() => mall.close())

  it('P5 an app is connected to many accounts, hears of each of them apart, with a token for each', async () => {
    const receiver = await mall.receiver()
    const secret = 'the secret of the app'
    const app = await mall.offer({
      id: 'cloud stock',
      name: 'Cloud stock',
      secret,
      scopes: ['read', 'approve'],
      subscriptions: [template(receiver)],
    })
    expect(app.secret).toBe(secret)
    const shops = [await mall.account('0042'), await mall.account()]
    const tokens = new Map<string, string>()
    for (const { id, api } of shops) {
      const connected = await api.post('/v1/installations', { appId: app.id, userId: '17' })
      expect(connected.status).toBe(201)
      tokens.set(id, connected.json.accessToken)
      await write(api, { name: `of ${id}` }, { recordId: '5' })
    }
    await eventually('both are told', () => receiver.received.length === 4)
    for (const [index, { id }] of shops.entries()) {
      const [added, changed] = receiver.received.filter(({ json }) => json.account === id)
      expect(added?.json).toMatchObject({
        object: 'application',
        object_id: app.id,
        action: 'added',
        account_number: index === 0 ? '0042' : '',
      })
      const data = JSON.parse(added?.json.data)
      expect(data).toEqual({ user_id: '17', access_token: tokens.get(id) })
      expect(changed?.json).toMatchObject({ object: 'product', object_id: 5, action: 'added' })
      for (const one of [added, changed]) {
        expect(one && one.json.verify).toBe(one && verifyOf(one, secret))
      }
    }
    expect(new Set(tokens.values()).size).toBe(2)
    const [first, second] = shops
    const { items } = (await first?.api.get('/v1/installations'))?.json ?? {}
    expect((await first?.api.delete(`/v1/installations/${items[0].id}`))?.status).toBe(204)
    await eventually('the end is told', () => receiver.received.length === 5)
    const goodbye = receiver.received[4]
    expect(goodbye?.json).toMatchObject({ account: first?.id, object: 'application' })
    expect(goodbye?.json).toMatchObject({ action: 'removed', object_id: app.id })
    expect(JSON.parse(goodbye?.json.data)).toEqual({ user_id: '17' })
    expect(goodbye?.json.verify).toBe(goodbye && verifyOf(goodbye, secret))
    if (first && second) {
      await write(first.api, { name: 'unheard' })
      await write(second.api, { name: 'heard' })
    }
    await eventually('the other goes on', () => receiver.received.length === 6)
    expect(receiver.received[5]?.json.account).toBe(second?.id)
  })

  it('hold a token that works for what was granted, and dies with the installation', async () => {
    const receiver = await mall.receiver()
    const app = await mall.offer({
      name: 'Reader',
      scopes: ['read', 'approve'],
      subscriptions: [template(receiver)],
    })
    const shop = await mall.account()
    const body = { appId: app.id, userId: 'u', scopes: ['read', 'read'] }
    const { json } = await shop.api.post('/v1/installations', body)
    expect(json.scopes).toEqual(['read'])
    const theirs = new Api(mall.gateway.url, json.accessToken)
    await write(shop.api, { name: 'a' }, { recordId: '1' })
    const read = await theirs.get('/v1/catalogs/product/records/1')
    expect([read.status, read.json.values]).toEqual([200, { name: 'a' }])
    expect((await write(theirs, { name: 'b' })).status).toBe(403)
    expect((await theirs.get('/v1/keys')).status).toBe(403)
    expect((await mall.api.get('/v1/catalogs/product/records/1')).status).toBe(404)
    await shop.api.delete(`/v1/installations/${json.id}`)
    const dead = await theirs.get('/v1/catalogs/product/records/1')
    expect([dead.status, dead.json.code]).toEqual([401, 'unauthenticated'])
  })

  it('never show the token or the secret again', async () => {
    // What is kept of a reply ends in the middle of the token.
    const echo = await mall.receiver((request, response) => {
      const { access_token: token = '' } = request.json.data.values
      const padding = 'x'.repeat(4_096 - request.text.indexOf(token) - token.length / 2)
      return reply(200, padding + request.text)(request, response)
    })
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
    const app = await mall.offer({
      name: 'Echo',
      secret,
      subscriptions: [
        template(echo, { events: ['record.deleted'], secret: 'a secret of its own' }),
        template(echo, {
          dialect: 'standard',
          auth: { type: 'bearer', token: 'a bearer token' },
          headers: { 'x-own': 'a header value' },
        }),
      ],
    })
    const shop = await mall.account()
    const { json } = await shop.api.post('/v1/installations', { appId: app.id, userId: 'u' })
    await eventually('it is told', () => echo.received.length === 1)
    expect(echo.received[0]?.json).toMatchObject({
      type: 'application',
      data: {
        recordId: app.id,
        values: { action: 'added', user_id: 'u', access_token: json.accessToken },
      },
    })
    expect(echo.received[0]?.headers).toMatchObject({
      authorization: 'Bearer a bearer token',
      'x-own': 'a header value',
    })
    const { items } = (await shop.api.get('/v1/subscriptions')).json
    expect(items).toMatchObject([
      { installationId: json.id, secret: MASK },
      { installationId: json.id, secret: MASK, auth: { token: MASK } },
    ])
    const pages = [
      '/v1/apps',
      `/v1/apps/${encodeURIComponent(app.id)}`,
      '/v1/installations',
      `/v1/installations/${json.id}`,
      '/v1/keys',
      '/v1/subscriptions',
      '/v1/notifications',
      '/v1/deliveries',
      `/v1/subscriptions/${items[1].id}/deliveries`,
      `/v1/deliveries/${echo.received[0]?.headers['webhook-id']}`,
    ]
    await eventually('the attempt is logged', async () => {
      const { attempts } = (await shop.api.get(pages.at(-1) ?? '')).json
      return attempts?.length === 1
    })
    for (const page of pages) {
      const { status, text } = await shop.api.get(page)
      expect([page, status]).toEqual([page, 200])
      for (const hidden of [
        json.accessToken.slice(0, 20),
        secret,
        'a bearer token',
        'a header value',
        'of its own',
      ]) {
        expect(text).not.toContain(hidden)
      }
    }
    const pulled = (await shop.api.get(pages.at(-2) ?? '')).json.items
    expect(pulled[0].body.data.values.access_token).toBe(MASK)
  })

  it('are heard of by the account’s own listeners, without the token, and not by other apps', async () => {
    const [own, other] = [await mall.receiver(), await mall.receiver()]
    const shop = await mall.account()
    const settings = {
      url: own.url,
      events: ['application'],
      catalogId: 'goods',
      dialect: 'poster',
    }
    await shop.api.subscribe({ ...settings, name: 'Own' })
    const bystander = await mall.offer({ name: 'Bystander', subscriptions: [template(other)] })
    await shop.api.post('/v1/installations', { appId: bystander.id, userId: 'u' })
    const app = await mall.offer({ name: 'Quiet', subscriptions: [] })
    const { json } = await shop.api.post('/v1/installations', { appId: app.id, userId: 'u' })
    await shop.api.delete(`/v1/installations/${json.id}`)
    await eventually('all of it is told', () => own.received.length === 3)
    expect(actionsOf(own)).toEqual(
      ['added', 'added', 'removed'].map((action) => `${shop.id} application ${action}`),
    )
    for (const { json: told } of own.received)
      expect(JSON.parse(told.data)).toEqual({ user_id: 'u' })
    expect(other.received).toHaveLength(1)
  })

  it('keep their credentials to their own address, wherever an account would like to see them', async () => {
    const [receiver, elsewhere] = [await mall.receiver(), await mall.receiver()]
    const auth = { type: 'bearer', token: 'the token of the app' }
    const app = await mall.offer({ name: 'Careful', subscriptions: [template(receiver, { auth })] })
    const shop = await mall.account()
    await shop.api.post('/v1/installations', { appId: app.id, userId: 'u' })
    const [{ id }] = (await shop.api.get('/v1/subscriptions')).json.items
    const path = `/v1/subscriptions/${id}`
    const settings = {
      url: elsewhere.url,
      parameters: [{ name: 'type', from: '/data/values/type' }],
      secret: 'another secret',
      events: ['record.deleted'],
    }
    for (const [name, value] of Object.entries(settings)) {
      const moved = await shop.api.patch(path, { [name]: value })
      expect([moved.status, moved.json.errors[0].pointer]).toEqual([422, `/${name}`])
    }
    for (const answer of [
      await shop.api.post(`${path}/rotate-secret`),
      await shop.api.delete(path),
    ]) {
      expect([answer.status, answer.json.code]).toEqual([409, 'subscription_of_app'])
    }
    const off = await shop.api.patch(path, { active: false })
    expect([off.status, off.json.active]).toEqual([200, false])
    expect((await shop.api.post(`${path}/enable`)).json.active).toBe(true)
  })

  it('are offered by the operator to all, by an account to itself, and are connected once', async () => {
    const [shop, other] = [await mall.account(), await mall.account()]
    const own = await shop.api.post('/v1/apps', { id: 'mine', name: 'Mine' })
    expect([own.status, own.json.scopes]).toEqual([201, ['approve', 'read']])
    expect(own.json.secret).toMatch(/^whsec_/)
    const connect = (api: Api, appId: string) =>
      api.post('/v1/installations', { appId, userId: 'u' })
    expect((await connect(other.api, 'mine')).status).toBe(404)
    expect((await other.api.get('/v1/apps/mine')).status).toBe(404)
    expect((await connect(shop.api, 'mine')).status).toBe(201)
    expect((await connect(shop.api, 'mine')).json.code).toBe('already_exists')
    expect((await shop.api.get('/v1/installations')).json.items).toHaveLength(1)
    expect((await shop.api.delete('/v1/apps/mine')).json.code).toBe('app_connected')
    const { id } = (await shop.api.get('/v1/installations')).json.items[0]
    expect((await other.api.get(`/v1/installations/${id}`)).status).toBe(404)
    expect((await other.api.delete(`/v1/installations/${id}`)).status).toBe(404)
    expect((await shop.api.delete(`/v1/installations/${id}`)).status).toBe(204)
    expect((await shop.api.delete(`/v1/installations/${id}`)).status).toBe(404)
    expect((await shop.api.delete('/v1/apps/mine')).status).toBe(204)
    // The operator's own of that name is what is seen from now on.
    await mall.offer({ id: 'mine', name: 'Everybody’s' })
    expect((await shop.api.get('/v1/apps/mine')).json.name).toBe('Everybody’s')
    expect((await connect(other.api, 'mine')).status).toBe(201)
    expect((await shop.api.delete('/v1/apps/mine')).status).toBe(404)
    expect((await mall.api.delete('/v1/apps/mine')).json.code).toBe('app_connected')
  })

  it.each<[string, object, string]>([
    ['no name', {}, '/name'],
    ['a scope that outlives it', { name: 'x', scopes: ['admin'] }, '/scopes/0'],
    ['a redirect that is no address', { name: 'x', redirect: 'javascript:alert(1)' }, '/redirect'],
    [
      'a template without an address',
      { name: 'x', subscriptions: [{ name: 'a', events: ['application'] }] },
      '/subscriptions/0/url',
    ],
    [
      'a template that may not be called',
      {
        name: 'x',
        subscriptions: [{ name: 'a', events: ['application'], url: 'http://10.0.0.1/' }],
      },
      '/subscriptions/0/url',
    ],
    [
      'a secret that its dialect cannot use',
      {
        name: 'x',
        secret: 'plain text',
        subscriptions: [{ name: 'a', events: ['application'], url: 'http://127.0.0.1:9/' }],
      },
      '/secret',
    ],
    [
      'a template whose secret its dialect cannot use',
      {
        name: 'x',
        subscriptions: [
          { name: 'a', events: ['application'], url: 'http://127.0.0.1:9/', secret: 'plain text' },
        ],
      },
      '/subscriptions/0/secret',
    ],
    [
      'a mask for a secret',
      {
        name: 'x',
        subscriptions: [
          {
            name: 'a',
            events: ['application'],
            url: 'http://127.0.0.1:9/',
            auth: { type: 'bearer', token: '***' },
          },
        ],
      },
      '/subscriptions/0/auth/token',
    ],
  ])('are not offered with %s', async (_what, app, pointer) => {
    const { status, json } = await mall.api.post('/v1/apps', app)
    expect(status).toBe(422)
    expect(json.errors.map((one: any) => one.pointer)).toContain(pointer)
  })

  it('are connected by those who may, to what is there, for what it asks for', async () => {
    const app = await mall.offer({ name: 'Narrow', scopes: ['read'] })
    const more = { appId: app.id, userId: 'u', scopes: ['read', 'approve'] }
    const refused = await mall.api.post('/v1/installations', more)
    expect([refused.status, refused.json.errors[0].pointer]).toEqual([422, '/scopes/1'])
    const unknown = await mall.api.post('/v1/installations', { appId: 'nobody', userId: 'u' })
    expect([unknown.status, unknown.json.code]).toEqual([404, 'not_found'])
    expect((await mall.api.post('/v1/installations', { appId: app.id })).status).toBe(422)
    const { json } = await mall.api.post('/v1/keys', { name: 'm', scopes: ['manage'] })
    const options = { key: json.key }
    for (const path of ['/v1/apps', '/v1/installations', '/v1/accounts']) {
      expect((await mall.api.get(path, options)).status).toBe(403)
      expect((await mall.api.post(path, {}, options)).status).toBe(403)
    }
  })

  it('take no more than the subscriptions that an account may have, and nothing of it then', async () => {
    const receiver = await mall.receiver()
    const many = Array.from({ length: 100 }, () => template(receiver))
    const app = await mall.offer({ name: 'Many', subscriptions: many })
    const shop = await mall.account()
    const apps = await Promise.all(
      Array.from(
        { length: 5 },
        async () => (await mall.offer({ name: 'Many', subscriptions: many })).id,
      ),
    )
    for (const appId of apps) {
      expect((await shop.api.post('/v1/installations', { appId, userId: 'u' })).status).toBe(201)
    }
    const refused = await shop.api.post('/v1/installations', { appId: app.id, userId: 'u' })
    expect(refused.json.code).toBe('too_many_subscriptions')
    expect((await shop.api.get('/v1/installations')).json.items).toHaveLength(5)
    expect((await shop.api.get('/v1/keys')).json.items).toHaveLength(6)
  })
})
