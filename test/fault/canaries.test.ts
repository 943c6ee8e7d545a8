/**
 * A process that logs all it can, with a secret in every place that takes one, is used in every way that goes well or
 * wrong. None of the secrets comes out: not in an answer, not in the log, not in metrics, documents or the audit.
 */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { noteSecrets } from '../support/canaries.ts'
import { eventually } from '../support/eventually.ts'
import { DATABASE, type Place, temporaryPlace } from '../support/places.ts'
import { endAll, type GatewayProcess, startProcess } from '../support/process.ts'
import {
  allow,
  hang,
  reply,
  startValidator,
  type ValidatorServer,
} from '../support/validator-server.ts'

const canary = (name: string): string => `canary-${name}-${randomBytes(12).toString('hex')}`
const ADMIN = canary('admin')
const MASTER = randomBytes(32).toString('base64')

let place: Place
let gateway: GatewayProcess
let validator: ValidatorServer
beforeAll(async () => {
  place = await temporaryPlace(DATABASE)
  validator = await startValidator()
  gateway = await startProcess({
    ...place.environment,
    ASSENT_ADMIN_KEY: ADMIN,
    ASSENT_MASTER_KEY: MASTER,
    ASSENT_LOG_LEVEL: 'debug',
    ASSENT_EGRESS_ALLOW: '127.0.0.1/32',
  })
})
afterAll(async () => {
  await endAll()
  await validator.close()
  await place.remove()
})

/** One subscription for each way to authenticate, to one address each. */
function subscriptions(): Record<string, unknown>[] {
  const auth = [
    { type: 'bearer', token: canary('bearer') },
    { type: 'basic', username: 'ada', password: canary('password') },
    { type: 'custom', header: 'X-Token', value: canary('value') },
  ]
  return auth.map((one, index) => ({
    auth: one,
    headers: { 'X-Tenant': canary('header') },
    secret: `whsec_${randomBytes(24).toString('base64')}`,
    url: `${validator.url}/${index}?token=${canary('query')}`,
    catalogId: 'things',
    timeoutMs: 200,
    events: ['record.before.created', 'record.before.deleted', 'record.created'],
  }))
}

/** Values of records stay out of the log, the audit and metrics; whoever may read decisions reads them. */
const VALUES = { name: canary('record') }

const BEHAVIOURS = [
  allow,
  reply(500, 'broken'),
  reply(200, '<html>'),
  reply(302, '', { location: 'http://127.0.0.1:1/' }),
  reply(200, { decision: 'deny', message: 'No.' }),
  hang,
]

it('no secret comes out of a gateway, whatever is done with it', async () => {
  const { api, output } = gateway
  const made: any[] = []
  for (const settings of subscriptions()) made.push(await api.subscribe(settings))
  const action = await api.post('/v1/actions', {
    title: 'Print',
    catalogId: 'things',
    url: `${validator.url}/act`,
    auth: { type: 'bearer', token: canary('action') },
  })
  expect(action.status).toBe(201)
  for (const behave of BEHAVIOURS) {
    validator.behave = behave
    await api.approve({ values: VALUES, catalogId: 'things' })
    await api.post('/v1/catalogs/things/records', { values: VALUES })
    for (const { id } of made) await api.post(`/v1/subscriptions/${id}/test`)
  }
  validator.behave = allow
  for (const { id } of made) await api.post(`/v1/subscriptions/${id}/enable`)
  const stored = await api.post('/v1/catalogs/things/records', { id: 'r', values: VALUES })
  expect(stored.status).toBe(201)
  await api.post(`/v1/catalogs/things/records/r/actions/${action.json.id}`)
  for (const { id, secret } of made) {
    await api.patch(`/v1/subscriptions/${id}`, { auth: { type: 'bearer', token: canary('next') } })
    const rotated = await api.post(`/v1/subscriptions/${id}/rotate-secret`)
    expect(rotated.json.secret).not.toBe(secret)
  }
  const key = await api.post('/v1/keys', { name: 'K', scopes: ['read'] })
  noteSecrets([{ secret: ADMIN }, { secret: MASTER }])

  const wrong = { key: `${key.json.key}x` }
  await api.get('/v1/keys', wrong)
  await api.post('/v1/subscriptions', { secret: canary('refused'), auth: 7 })
  await api.call('/v1/subscriptions', undefined, {
    raw: `{"secret":"${canary('broken')}"`,
    method: 'POST',
  })
  await eventually('what happened is delivered', async () => {
    const { json } = await api.get('/v1/deliveries?limit=200')
    return json.items.some(({ state }: { state: string }) => state === 'delivered')
  })
  for (const path of await pages(made)) expect((await api.get(path)).status, path).toBe(200)
  await gateway.end('SIGTERM')

  const log = output.stdout + output.stderr
  expect(log.split('\n').length).toBeGreaterThan(20)
  expect(log).not.toContain('canary-')
  expect(log).not.toContain(MASTER)
  expect(log).not.toContain(key.json.key)
})

/** Everything that can be read, of each thing there is. */
async function pages(made: readonly { readonly id: string }[]): Promise<string[]> {
  const { api } = gateway
  const decisions = await api.get('/v1/decisions?limit=200')
  const deliveries = await api.get('/v1/deliveries?limit=200')
  return [
    '/metrics',
    '/openapi.json',
    '/docs',
    '/console',
    '/v1/audit?limit=200',
    '/v1/audit/verify',
    ...['subscriptions', 'actions', 'keys', 'accounts', 'catalogs', 'notifications', 'apps'].map(
      (name) => `/v1/${name}`,
    ),
    ...made.flatMap(({ id }) => [
      `/v1/subscriptions/${id}`,
      `/v1/subscriptions/${id}/health`,
      `/v1/subscriptions/${id}/deliveries`,
    ]),
    ...decisions.json.items.map(({ id }: { id: string }) => `/v1/decisions/${id}`),
    ...deliveries.json.items.map(({ id }: { id: string }) => `/v1/deliveries/${id}`),
  ]
}
