/** Keys and tokens of a running gateway: how long they are good, how often, and what is known of their use. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ADMIN_KEY,
  type Answer,
  Api,
  startGatewayOn,
  startTestGateway,
  type TestGateway,
} from '../support/gateway.ts'
import { type Issuer, startIssuer } from '../support/issuer.ts'
import { DATABASES, temporaryPlace } from '../support/places.ts'

/** With one a second, so many at once cannot all pass, however slow the machine is. */
const FLOOD = 40

const flood = (call: () => Promise<Answer>): Promise<Answer[]> =>
  Promise.all(Array.from({ length: FLOOD }, call))

const refusedOf = (answers: readonly Answer[]) => answers.filter(({ status }) => status === 429)

describe.each(DATABASES)('callers on the %s database', (database) => {
  let gateway: TestGateway
  let issuer: Issuer
  const api = () => gateway.api
  beforeAll(async () => {
    issuer = await startIssuer()
    gateway = await startTestGateway(database, issuer.environment)
  })
  afterAll(async () => {
    await gateway?.close()
    await issuer?.close()
  })

  const keyWith = async (more: object): Promise<any> => {
    const { status, json } = await api().post('/v1/keys', {
      name: 'k',
      scopes: ['approve'],
      ...more,
    })
    expect(status).toBe(201)
    return json
  }
  const account = async (id: string, more: object = {}) => {
    const { status, json } = await api().post('/v1/accounts', { id, title: id, ...more })
    expect([status, json.id]).toEqual([201, id])
  }
  const limitedBy = async (by: 'key' | 'account'): Promise<number> => {
    const { text } = await api().get('/metrics')
    const line = new RegExp(`^assent_requests_limited_total\\{by="${by}"\\} (\\d+)$`, 'm').exec(
      text,
    )
    return Number(line?.[1] ?? 0)
  }

  it('with a key past its rate are refused with 429 and when to come again, and counted', async () => {
    const { key, maxPerSecond } = await keyWith({ maxPerSecond: 1 })
    expect(maxPerSecond).toBe(1)
    const before = await limitedBy('key')
    const answers = await flood(() => api().approve({ catalogId: 'limited' }, { key }))
    const refused = refusedOf(answers)
    expect(refused.length).toBeGreaterThan(0)
    expect(answers.filter(({ status }) => status === 200).length).toBe(FLOOD - refused.length)
    expect(FLOOD - refused.length).toBeGreaterThan(0)
    for (const { json, headers } of refused) {
      expect(json.code).toBe('rate_limited')
      expect(headers.get('retry-after')).toBe('1')
      expect(headers.get('content-type')).toBe('application/problem+json')
    }
    expect((await limitedBy('key')) - before).toBe(refused.length)
    const { items } = (await api().get('/v1/decisions?catalogId=limited&limit=200')).json
    expect(items).toHaveLength(FLOOD - refused.length)
  })

  it('without a rate are never refused', async () => {
    const { key, maxPerSecond } = await keyWith({ scopes: ['read'] })
    expect(maxPerSecond).toBeNull()
    expect(refusedOf(await flood(() => api().get('/v1/decisions', { key })))).toEqual([])
  })

  it('share the rate of their account, tokens and keys alike, until the operator lifts it', async () => {
    await account('shop', { maxPerSecond: 1 })
    const keys = [
      (await keyWith({ accountId: 'shop', scopes: ['read'] })).key,
      await issuer.keyOf('shop'),
    ]
    const before = await limitedBy('account')
    let turn = 0
    const each = () => api().get('/v1/decisions', { key: keys[turn++ % 2] })
    const refused = refusedOf(await flood(each))
    expect(refused.length).toBeGreaterThan(0)
    for (const { json, headers } of refused) {
      expect([json.code, headers.get('retry-after')]).toEqual(['rate_limited', '1'])
    }
    expect((await limitedBy('account')) - before).toBe(refused.length)
    const lifted = await api().patch('/v1/accounts/shop', { maxPerSecond: null })
    expect([lifted.status, 'maxPerSecond' in lifted.json]).toEqual([200, false])
    expect(refusedOf(await flood(each))).toEqual([])
    await api().patch('/v1/accounts/shop', { maxPerSecond: 1 })
    expect(refusedOf(await flood(each)).length).toBeGreaterThan(0)
    expect(refusedOf(await flood(() => api().get('/v1/decisions')))).toEqual([])
  })

  it('do not set the rate of their own account, except the operator', async () => {
    await account('proud', { maxPerSecond: 100 })
    const own = await keyWith({ accountId: 'proud', scopes: ['admin'] })
    const theirs = new Api(gateway.url, own.key)
    for (const maxPerSecond of [1_000, null]) {
      const { status } = await theirs.patch('/v1/accounts/proud', { maxPerSecond })
      expect(status).toBe(403)
    }
    expect((await theirs.patch('/v1/accounts/proud', { title: 'Prouder' })).status).toBe(200)
    const { json } = await theirs.get('/v1/accounts/proud')
    expect(json).toMatchObject({ title: 'Prouder', maxPerSecond: 100 })
  })

  it.each([0, -1, 1.5, '5', 1_000_001, true])('have no rate of %j', async (maxPerSecond) => {
    const answers = [
      await api().post('/v1/keys', { name: 'k', scopes: ['read'], maxPerSecond }),
      await api().post('/v1/accounts', { title: 'x', maxPerSecond }),
      await api().patch('/v1/accounts/default', { maxPerSecond }),
    ]
    for (const { status, json } of answers) {
      expect([status, json.errors[0].pointer]).toEqual([422, '/maxPerSecond'])
    }
  })

  it('get no key that is over before it begins', async () => {
    for (const expiresAt of ['2020-01-01T00:00:00Z', new Date().toISOString()]) {
      const draft = { name: 'old', scopes: ['read'], expiresAt }
      const { status, json } = await api().post('/v1/keys', draft)
      expect([status, json.errors[0].pointer]).toEqual([422, '/expiresAt'])
    }
    const { expiresAt } = await keyWith({ expiresAt: '2999-12-31T23:59:59Z' })
    expect(expiresAt).toBe('2999-12-31T23:59:59.000Z')
  })

  it('with a token of an account that does not exist are nobody, until it is opened', async () => {
    const key = await issuer.keyOf('nowhere')
    const draft = { name: 'k', scopes: ['read'] }
    for (const answer of [
      await api().get('/v1/decisions', { key }),
      await api().approve({}, { key }),
      await api().post('/v1/keys', draft, { key }),
    ]) {
      expect([answer.status, answer.json.code]).toEqual([401, 'unauthenticated'])
    }
    await account('nowhere')
    expect((await api().get('/v1/decisions', { key })).status).toBe(200)
    expect((await api().post('/v1/keys', draft, { key })).status).toBe(201)
  })
})

describe.each(DATABASES)('the last use of a key on the %s database', (database) => {
  it('is there after a restart, to the minute, for keys that were used', async () => {
    const place = await temporaryPlace(database)
    const from = Date.now()
    const first = await startGatewayOn(place.environment)
    const api = new Api(first.url)
    const draft = { name: 'used', scopes: ['read'] }
    const used = (await api.post('/v1/keys', draft)).json
    const idle = (await api.post('/v1/keys', { ...draft, name: 'idle' })).json
    expect([used.lastUsedAt, idle.lastUsedAt]).toEqual([null, null])
    expect((await api.get('/v1/decisions', { key: used.key })).status).toBe(200)
    await first.close()

    const second = await startGatewayOn(place.environment)
    const { items } = (await new Api(second.url, ADMIN_KEY).get('/v1/keys')).json
    const lastUse = (id: string) => items.find((one: { id: string }) => one.id === id).lastUsedAt
    const at = Date.parse(lastUse(used.id))
    expect(at % 60_000).toBe(0)
    expect(at).toBeGreaterThan(from - 60_000)
    expect(at).toBeLessThanOrEqual(Date.now())
    expect(lastUse(idle.id)).toBeNull()
    await second.close()
    await place.remove()
  })
})
