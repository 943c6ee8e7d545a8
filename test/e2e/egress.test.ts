/** The way out as a whole: TLS settings of a subscription over the API, and a proxy for all calls. */

import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startConnectProxy } from '../support/connect-proxy.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { DATABASES } from '../support/places.ts'
import { startValidator } from '../support/validator-server.ts'
import {
  CA_CERTIFICATE,
  CLIENT_AUTHORITY,
  CLIENT_CERTIFICATE,
  CLIENT_KEY,
  EXPIRED_CERTIFICATE,
  GOOD_CERTIFICATE,
  SERVER_KEY,
} from '../unit/adapters/outbound/certificates.ts'

const TLS = { ca: CA_CERTIFICATE, cert: CLIENT_CERTIFICATE, key: CLIENT_KEY }
const SHOWN = { ...TLS, key: '***' }
/** Some of the key, without its line breaks. */
const SECRET_PART = CLIENT_KEY.split('\n')[1] ?? ''

/** Lets in whoever shows a certificate of the other authority. */
async function startStrictServer() {
  const options = { cert: GOOD_CERTIFICATE, key: SERVER_KEY, ca: CLIENT_AUTHORITY }
  const server = createServer({ ...options, requestCert: true }, (request, response) => {
    request.resume().on('end', () => response.writeHead(204).end())
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

describe.each(DATABASES)('TLS settings of a subscription on the %s database', (database) => {
  let gateway: TestGateway
  let server: Awaited<ReturnType<typeof startStrictServer>>

  beforeAll(async () => {
    gateway = await startTestGateway(database)
    server = await startStrictServer()
  })

  afterAll(async () => {
    server?.close()
    await gateway?.close()
  })

  it('are used, stay a secret, survive a change of something else, and can be taken away', async () => {
    const { api } = gateway
    const created = await api.subscribe({ url: server.url, catalogId: 'mine', tls: TLS })
    expect(created.tls).toEqual(SHOWN)
    const decide = async () => (await api.approve({ catalogId: 'mine' })).json
    expect(await decide()).toMatchObject({ decision: 'allow' })

    const path = `/v1/subscriptions/${created.id}`
    const renamed = await api.patch(path, { name: 'Renamed', tls: SHOWN })
    expect(renamed.json).toMatchObject({ name: 'Renamed', tls: SHOWN })
    expect(await decide()).toMatchObject({ decision: 'allow' })

    for (const answer of [renamed, await api.get(path), await api.get('/v1/subscriptions')]) {
      expect(answer.text).toContain('***')
      expect(answer.text).not.toContain(SECRET_PART)
    }
    const trial = await api.post(`${path}/test`, {})
    expect(trial.text).not.toContain(SECRET_PART)

    await api.patch(path, { tls: { ca: CA_CERTIFICATE } })
    expect(await decide()).toMatchObject({ decision: 'deny', verdicts: [{ outcome: 'failed' }] })
    await api.patch(path, { tls: null })
    expect((await api.get(path)).json).not.toHaveProperty('tls')
    expect((await decide()).verdicts).toMatchObject([{ cause: 'tls' }])
  })

  it.each([
    [{ ca: 'no certificate' }, '/tls/ca'],
    [{ ca: EXPIRED_CERTIFICATE }, '/tls/ca'],
    [{ cert: CLIENT_CERTIFICATE }, '/tls/key'],
    [{ cert: CLIENT_CERTIFICATE, key: SERVER_KEY }, '/tls/key'],
    [{ cert: CLIENT_CERTIFICATE, key: '***' }, '/tls/key'],
    [{}, '/tls'],
    [{ authority: CA_CERTIFICATE }, '/tls'],
  ])('that cannot be used are refused, with a pointer (%#)', async (tls, pointer) => {
    const endpoint = { url: server.url, tls }
    const subscription = { name: 'x', events: ['record.before.created'], ...endpoint }
    const action = { title: 'x', ...endpoint }
    for (const answer of [
      await gateway.api.post('/v1/subscriptions', subscription),
      await gateway.api.post('/v1/actions', action),
    ]) {
      expect(answer.status).toBe(422)
      const pointers = answer.json.errors.map((one: { pointer: string }) => one.pointer)
      expect(
        pointers.some((one: string) => one.startsWith(pointer)),
        answer.text,
      ).toBe(true)
      expect(answer.text).not.toContain(SERVER_KEY.split('\n')[1])
    }
  })

  it('are there for menu actions too', async () => {
    const { api } = gateway
    const action = { id: 'print', title: 'Print', url: server.url, tls: TLS }
    const created = await api.post('/v1/actions', action)
    expect(created.json.tls).toEqual(SHOWN)
    expect((await api.patch('/v1/actions/print', { tls: SHOWN })).json.tls).toEqual(SHOWN)
    await api.approve({ catalogId: 'free', recordId: 'one' })
    const run = () => api.post('/v1/catalogs/free/records/one/actions/print', {})
    expect((await run()).json).toMatchObject({ status: 'done' })
    const gone = await api.patch('/v1/actions/print', { tls: null })
    expect(gone.json).not.toHaveProperty('tls')
    expect((await run()).json).toMatchObject({ status: 'failed' })
  })
})

describe('with ASSENT_EGRESS_PROXY', () => {
  it('questions and notifications go through the proxy, and nothing past the guard', async () => {
    await using proxy = await startConnectProxy()
    const validator = await startValidator()
    const gateway = await startTestGateway('embedded', {
      ASSENT_EGRESS_PROXY: `http://127.0.0.1:${proxy.port}`,
    })
    try {
      const { api } = gateway
      const { host } = new URL(validator.url)
      const events = ['record.before.created', 'record.created']
      await api.subscribe({ url: validator.url, events })
      const told = validator.next(2)
      expect((await api.approve({})).json).toMatchObject({ decision: 'allow', committed: true })
      await told
      expect(proxy.asked.length).toBeGreaterThan(0)
      expect(new Set(proxy.asked)).toEqual(new Set([host]))
      const refused = { name: 'x', events, url: 'http://169.254.169.254/' }
      expect((await api.post('/v1/subscriptions', refused)).status).toBe(422)
    } finally {
      await gateway.close()
      await validator.close()
    }
  })
})
