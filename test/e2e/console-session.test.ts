/** A person's session in the console, and pages of other sites that would like to use it. */
import { once } from 'node:events'
import http from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { startGateway } from '../../src/compose.ts'
import { ADMIN_KEY, Api, configFor } from '../support/gateway.ts'
import { DATABASE, type Place, temporaryPlace } from '../support/places.ts'

type Sent = {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}
type Answer = {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
}

/** The wall clock is ahead by so much. */
let aheadMs = 0
let place: Place
let gateway: Awaited<ReturnType<typeof startGateway>>
let host = ''
beforeAll(async () => {
  place = await temporaryPlace(DATABASE)
  const clock = { ...systemClock, wallMs: () => Date.now() + aheadMs }
  gateway = await startGateway(configFor(place.environment), { clock })
  host = new URL(gateway.url).host
})
afterAll(async () => {
  await gateway.close()
  await place.remove()
})

/** As a browser would send it: `fetch` does not let a program say where a page is from. */
async function send(
  path: string,
  { method = 'GET', headers = {}, body }: Sent = {},
): Promise<Answer> {
  const request = http.request(gateway.url + path, { method, headers })
  request.end(body)
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: Buffer.concat(chunks).toString(),
  }
}

const JSON_TYPE = { 'content-type': 'application/json' }
const own = () => ({ 'sec-fetch-site': 'same-origin', origin: `http://${host}` })

async function signIn(key = ADMIN_KEY): Promise<{ cookie: string; answer: Answer }> {
  const headers = { ...own(), ...JSON_TYPE }
  const body = JSON.stringify({ key })
  const answer = await send('/console/session', { method: 'POST', headers, body })
  const [cookie = ''] = answer.headers['set-cookie'] ?? []
  return { cookie: cookie.split(';')[0] ?? '', answer }
}

describe('a session', () => {
  it('begins with a key, and lets its pages do what the key may do', async () => {
    const { cookie, answer } = await signIn()
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.text)).toMatchObject({ accountId: 'default', keyId: 'admin' })
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(
        /^assent_session=[\w.-]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=28800$/,
      ),
    ])
    expect(answer.text + cookie).not.toContain(ADMIN_KEY)
    const headers = { ...own(), cookie, ...JSON_TYPE }
    expect((await send('/console/session', { headers })).status).toBe(200)
    const body = JSON.stringify({ name: 'K', scopes: ['read'] })
    expect((await send('/v1/keys', { method: 'POST', headers, body })).status).toBe(201)
  })

  it('is secure behind https, and is not begun over plain http from elsewhere', async () => {
    const body = JSON.stringify({ key: ADMIN_KEY })
    const from = (more: Record<string, string>) => {
      const headers = { 'sec-fetch-site': 'same-origin', ...JSON_TYPE, ...more }
      return send('/console/session', { method: 'POST', headers, body })
    }
    const secure = await from({ host: 'assent.example', 'x-forwarded-proto': 'https' })
    expect(secure.headers['set-cookie']?.[0]).toMatch(/^__Host-assent=.*; Secure$/)
    const plain = await from({ host: 'assent.example' })
    expect([plain.status, plain.headers['set-cookie']]).toEqual([403, undefined])
  })

  it('is the one of its own name only: what a neighbour on the way has set counts for nothing', async () => {
    const { cookie } = await signIn()
    const secure = { host: 'assent.example', 'x-forwarded-proto': 'https' }
    const headers = { ...secure, 'sec-fetch-site': 'same-origin', cookie }
    expect((await send('/v1/decisions', { headers })).status).toBe(401)
  })

  it('does not take more than a key may have, from whoever has shown none', async () => {
    const body = JSON.stringify({ key: 'x'.repeat(9_000) })
    const sent = { method: 'POST', headers: { ...own(), ...JSON_TYPE }, body }
    expect((await send('/console/session', sent)).status).toBe(413)
  })

  it('does not begin with a wrong key', async () => {
    const { answer } = await signIn(`${ADMIN_KEY}x`)
    expect([answer.status, answer.headers['set-cookie']]).toEqual([401, undefined])
  })

  it('ends with its key, at once', async () => {
    const api = new Api(gateway.url)
    const made = await api.post('/v1/keys', { name: 'K', scopes: ['read'] })
    const { cookie } = await signIn(made.json.key)
    const headers = { ...own(), cookie }
    expect((await send('/v1/decisions', { headers })).status).toBe(200)
    await api.delete(`/v1/keys/${made.json.id}`)
    expect((await send('/v1/decisions', { headers })).status).toBe(401)
  })

  it('ends half an hour after it was last used, and eight hours after it began', async () => {
    let { cookie } = await signIn()
    const look = () => send('/console/session', { headers: { ...own(), cookie } })
    expect((await look()).headers['set-cookie']).toBeUndefined()
    aheadMs += 30 * 60_000
    expect((await look()).status).toBe(401)

    cookie = (await signIn()).cookie
    for (let passed = 0; passed < 8 * 60 - 20; passed += 20) {
      aheadMs += 20 * 60_000
      // What a page does by itself keeps nothing going.
      const polled = await send('/v1/decisions', { headers: { ...own(), cookie } })
      expect([polled.status, polled.headers['set-cookie']]).toEqual([200, undefined])
      const answer = await look()
      expect(answer.status).toBe(200)
      cookie = answer.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
    }
    aheadMs += 20 * 60_000
    expect((await look()).status).toBe(401)
    aheadMs = 0
  })

  it('is none that somebody has made up or changed', async () => {
    const { cookie } = await signIn()
    const [name = '', value = ''] = cookie.split('=', 2)
    const [body = '', tag = ''] = value.split('.')
    const inside = JSON.parse(Buffer.from(body, 'base64url').toString())
    const longer = Buffer.from(JSON.stringify({ ...inside, startedMs: inside.startedMs + 1 }))
    for (const forged of [
      '',
      '.',
      value.slice(1),
      `${body}.`,
      `${longer.toString('base64url')}.${tag}`,
    ]) {
      const headers = { ...own(), cookie: `${name}=${forged}` }
      expect((await send('/v1/decisions', { headers })).status, forged).toBe(401)
    }
  })

  it('is over for the browser when it is ended', async () => {
    const { status, headers } = await send('/console/session', { method: 'DELETE', headers: own() })
    expect(status).toBe(204)
    expect(headers['set-cookie']).toEqual([
      expect.stringContaining('Max-Age=0'),
      expect.stringContaining('Max-Age=0'),
    ])
  })
})

describe('a page of another site', () => {
  const TYPES = [
    undefined,
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json',
  ]
  const SITES = [undefined, 'cross-site', 'same-site', 'none']
  const ORIGINS = ['https://evil.example', 'null', undefined]
  const FORMS = TYPES.flatMap((type) =>
    SITES.flatMap((site) => ORIGINS.map((origin) => ({ type, site, origin }))),
  )

  const keyCount = async () =>
    (await new Api(gateway.url).get('/v1/keys?limit=200')).json.items.length
  const body = JSON.stringify({ name: 'Evil', scopes: ['admin'] })
  const headersOf = (more: Record<string, string | undefined>) =>
    Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined)) as Record<
      string,
      string
    >

  it('gets nothing done by any of 60 forms, whatever the browser says of it', async () => {
    expect(FORMS).toHaveLength(60)
    const { cookie } = await signIn()
    const before = await keyCount()
    for (const { type, site, origin } of FORMS) {
      const headers = headersOf({ cookie, 'content-type': type, 'sec-fetch-site': site, origin })
      const { status } = await send('/v1/keys', { method: 'POST', headers, body })
      expect(status, JSON.stringify({ type, site, origin })).toBe(403)
    }
    expect(await keyCount()).toBe(before)
  })

  it('cannot have our own pages send what is no JSON, nor sign anybody in', async () => {
    const { cookie } = await signIn()
    const before = await keyCount()
    for (const type of TYPES.slice(0, -1)) {
      const headers = headersOf({ ...own(), cookie, 'content-type': type })
      expect((await send('/v1/keys', { method: 'POST', headers, body })).status).toBe(415)
    }
    expect(await keyCount()).toBe(before)
    for (const { type, site, origin } of FORMS) {
      const headers = headersOf({ 'content-type': type, 'sec-fetch-site': site, origin })
      const sent = { method: 'POST', headers, body: JSON.stringify({ key: ADMIN_KEY }) }
      const answer = await send('/console/session', sent)
      expect([answer.status, answer.headers['set-cookie']]).toEqual([403, undefined])
    }
  })

  it('reads nothing either', async () => {
    const { cookie } = await signIn()
    for (const site of ['cross-site', 'same-site', 'none']) {
      const headers = { cookie, 'sec-fetch-site': site }
      expect((await send('/v1/keys', { headers })).status).toBe(403)
    }
  })

  it('is no concern of programs, which send their key', async () => {
    const headers = { authorization: `Bearer ${ADMIN_KEY}`, origin: 'https://elsewhere.example' }
    const type = { 'content-type': 'text/plain' }
    const sent = { method: 'POST', headers: { ...headers, ...type }, body }
    expect((await send('/v1/keys', sent)).status).toBe(201)
  })
})
