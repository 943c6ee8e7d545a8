import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { DATABASES } from '../support/places.ts'
import {
  allow,
  deny,
  reply,
  startValidator,
  type ValidatorServer,
} from '../support/validator-server.ts'

describe.each(DATABASES)('records, catalogs and subscriptions on the %s database', (database) => {
  let gateway: TestGateway
  let validator: ValidatorServer
  const api = () => gateway.api
  beforeAll(async () => {
    gateway = await startTestGateway(database)
    validator = await startValidator()
  })
  afterAll(async () => {
    await gateway.close()
    await validator.close()
  })

  it('writes records through the same approval: 201, 200, or 422 with the same body', async () => {
    const path = '/v1/catalogs/orders/records'
    const { id } = await api().subscribe({
      catalogId: 'orders',
      url: validator.url,
      events: ['record.before.created', 'record.before.updated', 'record.before.deleted'],
    })
    validator.behave = allow
    const created = await api().post(path, { id: 'o1', values: { a: 1 }, user: { id: 'u' } })
    expect([created.status, created.json.record.version]).toEqual([201, 1])
    const changed = await api().patch(
      `${path}/o1`,
      { values: { b: 2 } },
      { headers: { 'if-match': '"1"' } },
    )
    expect([changed.status, changed.json.record.values]).toEqual([200, { a: 1, b: 2 }])
    const stale = await api().patch(
      `${path}/o1`,
      { values: { b: 3 } },
      { headers: { 'if-match': '"1"' } },
    )
    expect([stale.status, stale.json.code]).toEqual([409, 'version_conflict'])
    validator.behave = deny('No.')
    for (const refused of [
      await api().post(path, { values: {} }),
      await api().patch(`${path}/o1`, { values: { a: 2 } }),
      await api().delete(`${path}/o1`),
    ]) {
      expect(refused.status).toBe(422)
      expect(refused.json).toMatchObject({
        decision: 'deny',
        committed: false,
        message: { text: 'No.' },
      })
    }
    expect((await api().get(`${path}/o1`)).json).toMatchObject({
      version: 2,
      values: { a: 1, b: 2 },
    })
    validator.behave = allow
    const removed = await api().delete(`${path}/o1`, undefined, { headers: { 'if-match': '"2"' } })
    expect([removed.status, removed.json.committed]).toEqual([200, true])
    expect((await api().get(`${path}/o1`)).status).toBe(404)
    const history = await api().get(`${path}/o1/history`)
    expect(history.json.items.map(({ event, decision }: any) => `${event} ${decision}`)).toEqual([
      'record.before.deleted allow',
      'record.before.deleted deny',
      'record.before.updated deny',
      'record.before.updated allow',
      'record.before.created allow',
    ])
    await api().delete(`/v1/subscriptions/${id}`)
  })

  it('keeps keys of record writes too, with the status of the first answer', async () => {
    const headers = { 'idempotency-key': 'record key' }
    const path = '/v1/catalogs/keyed/records'
    const first = await api().post(path, { values: { a: 1 } }, { headers })
    const again = await api().post(path, { values: { a: 1 } }, { headers })
    expect([first.status, again.status, again.text]).toEqual([201, 201, first.text])
    const elsewhere = await api().post(
      '/v1/catalogs/other/records',
      { values: { a: 1 } },
      { headers },
    )
    expect(elsewhere.status).toBe(422)
  })

  it('lists records page by page and filtered by field', async () => {
    const path = '/v1/catalogs/paged/records'
    for (let n = 0; n < 5; n++)
      await api().post(path, { id: `r${n}`, values: { odd: n % 2 === 1, n } })
    const first = await api().get(`${path}?limit=2`)
    expect(first.json.items.map(({ id }: any) => id)).toEqual(['r0', 'r1'])
    const second = await api().get(`${path}?limit=2&cursor=${first.json.nextCursor}`)
    const third = await api().get(`${path}?limit=2&cursor=${second.json.nextCursor}`)
    expect(third.json).toMatchObject({ items: [{ id: 'r4' }], nextCursor: null })
    const odd = await api().get(`${path}?where[odd]=true&where[n]=3`)
    expect(odd.json.items.map(({ id }: any) => id)).toEqual(['r3'])
  })

  it('defines catalogs, and refuses values that do not fit before anybody is asked', async () => {
    const fields = [
      { id: 'title', title: 'Title', type: 'text', required: true },
      { id: 'amount', title: 'Amount', type: 'number' },
      { id: 'state', title: 'State', type: 'choice', options: [{ id: '1', title: 'New' }] },
    ]
    const defined = await api().post('/v1/catalogs', { id: 'typed', title: 'Typed', fields })
    expect([defined.status, defined.json]).toEqual([201, { id: 'typed', title: 'Typed', fields }])
    expect((await api().post('/v1/catalogs', { id: 'typed', title: 'Again' })).json.code).toBe(
      'already_exists',
    )
    await api().subscribe({ catalogId: 'typed', url: validator.url })
    const asked = validator.received.length
    const wrong = await api().approve({
      catalogId: 'typed',
      values: { amount: '5', colour: 'red', state: ['2'] },
    })
    expect([wrong.status, wrong.json.code]).toEqual([422, 'invalid_values'])
    expect(wrong.json.errors.map(({ pointer }: any) => pointer).sort()).toEqual([
      '/values/amount',
      '/values/colour',
      '/values/state',
      '/values/title',
    ])
    expect(validator.received.length).toBe(asked)
    validator.behave = allow
    const right = { title: 'x', amount: 5, state: ['1'] }
    expect((await api().approve({ catalogId: 'typed', values: right })).json.committed).toBe(true)
    expect((await api().delete('/v1/catalogs/typed')).json.code).toBe('catalog_not_empty')
    const patched = await api().patch('/v1/catalogs/typed', { fields: [] })
    expect(patched.json).toEqual({ id: 'typed', title: 'Typed', fields: [] })
    expect((await api().approve({ catalogId: 'typed', values: { colour: 'red' } })).status).toBe(
      200,
    )
  })

  it('lists a catalog that nobody defined from its first record on', async () => {
    const ids = async () =>
      (await api().get('/v1/catalogs?limit=200')).json.items.map(({ id }: any) => id)
    expect(await ids()).not.toContain('implied')
    await api().post('/v1/catalogs/implied/records', { values: { a: 1 } })
    await api().post('/v1/catalogs/implied/records', { values: { a: 2 } })
    expect((await ids()).filter((id: string) => id === 'implied')).toHaveLength(1)
    expect((await api().get('/v1/catalogs/implied')).json.fields).toEqual([])
  })

  it('shows a secret once, masks all others, and keeps what a patch masks', async () => {
    const made = await api().subscribe({
      catalogId: 'masks',
      url: `${validator.url}/m`,
      auth: { type: 'bearer', token: 'token-in-clear' },
      headers: { 'x-key': 'header-in-clear' },
    })
    expect(made.secret).toMatch(/^whsec_/)
    expect(made).toMatchObject({
      auth: { type: 'bearer', token: '***' },
      headers: { 'x-key': '***' },
    })
    const path = `/v1/subscriptions/${made.id}`
    const read = await api().get(path)
    expect(read.json.secret).toBe('***')
    for (const text of [read.text, (await api().get('/v1/subscriptions?limit=200')).text]) {
      for (const secret of ['in-clear', made.secret]) expect(text).not.toContain(secret)
    }
    const patched = await api().patch(path, { ...read.json, name: 'Renamed' })
    expect([patched.status, patched.json.name]).toEqual([200, 'Renamed'])
    const arrives = validator.next()
    validator.behave = allow
    await api().approve({ catalogId: 'masks' })
    expect((await arrives).headers).toMatchObject({
      authorization: 'Bearer token-in-clear',
      'x-key': 'header-in-clear',
    })
    const masked = await api().patch(path, {
      auth: { type: 'basic', username: 'u', password: '***' },
    })
    expect([masked.status, masked.json.errors[0].pointer]).toEqual([422, '/auth/password'])
  })

  it('fills in every default of the contract', async () => {
    const made = await api().subscribe({ catalogId: 'defaults', url: validator.url })
    expect(made).toMatchObject({
      active: true,
      fields: [],
      initiators: [],
      conditions: [],
      method: 'POST',
      parameters: null,
      auth: { type: 'none' },
      headers: {},
      dialect: 'standard',
      timeoutMs: 10_000,
      onFailure: 'deny',
      mode: 'enforce',
      breaker: {
        failureRate: 0.5,
        minimumCalls: 20,
        windowMs: 30_000,
        openMs: 10_000,
        consecutiveFailures: 5,
      },
      maxConcurrency: 256,
      retry: { preset: 'standard' },
      lastSequenceId: 0,
      order: 0,
      mayChange: null,
      maxInFlight: 20,
    })
  })

  it.each([
    ['a URL that is none', { url: 'not a url' }, '/url'],
    ['another scheme', { url: 'ftp://127.0.0.1/' }, '/url'],
    ['user data in the URL', { url: 'http://u:p@127.0.0.1/' }, '/url'],
    ['a private address', { url: 'http://10.0.0.1/' }, '/url'],
    ['cloud metadata', { url: 'http://169.254.169.254/latest' }, '/url'],
    ['no events', { events: [] }, '/events'],
    ['an unknown event', { events: ['record.exploded'] }, '/events/0'],
    ['a timeout out of range', { timeoutMs: 49 }, '/timeoutMs'],
    ['an unknown dialect', { dialect: 'klingon' }, '/dialect'],
    ['a secret of the wrong form', { secret: 'short' }, '/secret'],
    [
      'a secret that is too short',
      { secret: `whsec_${Buffer.alloc(8).toString('base64')}` },
      '/secret',
    ],
    ['a GET without parameters', { method: 'GET' }, '/parameters'],
    ['a header with a line break', { headers: { 'x-a': 'b\r\nc: d' } }, undefined],
    ['a header that is ours', { headers: { 'webhook-id': 'x' } }, undefined],
    [
      'a pattern that is none',
      { conditions: [{ field: 'a', op: 'matches', value: '(' }] },
      '/conditions/0',
    ],
    [
      'a list operator without a list',
      { conditions: [{ field: 'a', op: 'in', value: 'x' }] },
      '/conditions/0',
    ],
    ['an unknown failure cause', { onFailure: { boredom: 'allow' } }, undefined],
  ])('refuses to save %s', async (_, settings, pointer) => {
    const { status, json } = await api().post('/v1/subscriptions', {
      name: 'x',
      catalogId: 'c',
      events: ['record.before.created'],
      url: validator.url,
      ...settings,
    })
    expect([status, json.code]).toEqual([422, 'invalid_request'])
    if (pointer !== undefined) expect(json.errors[0].pointer).toBe(pointer)
  })

  it('rotates a secret: both sign for a while, then only the new one', async () => {
    const made = await api().subscribe({ catalogId: 'rotation', url: validator.url })
    const rotated = await api().post(`/v1/subscriptions/${made.id}/rotate-secret`)
    expect(rotated.status).toBe(200)
    expect(rotated.json.secret).not.toBe(made.secret)
    validator.behave = allow
    const arrives = validator.next()
    await api().approve({ catalogId: 'rotation' })
    const { headers, text } = await arrives
    const { Webhook } = await import('standardwebhooks')
    for (const secret of [made.secret, rotated.json.secret]) {
      expect(() => new Webhook(secret).verify(text, headers as any)).not.toThrow()
    }
    await api().post(`/v1/subscriptions/${made.id}/rotate-secret`, { overlapMs: 0 })
    const next = validator.next()
    await api().approve({ catalogId: 'rotation' })
    expect(String((await next).headers['webhook-signature']).split(' ')).toHaveLength(2)
  })

  it('sends a test and shows request, reply and verdict; shows health', async () => {
    validator.behave = deny('Not like this.')
    const made = await api().subscribe({
      catalogId: 'tried',
      url: validator.url,
      auth: { type: 'bearer', token: 'token-in-clear' },
    })
    const { status, json, text } = await api().post(`/v1/subscriptions/${made.id}/test`, {
      values: { a: 1 },
    })
    expect(status).toBe(200)
    expect(json).toMatchObject({
      request: { method: 'POST', headers: { authorization: '***' } },
      reply: { status: 200 },
      verdict: { outcome: 'deny', applied: 'deny' },
      decision: 'deny',
      findings: [{ message: { text: 'Not like this.' } }],
    })
    expect(text).not.toContain('token-in-clear')
    await api().approve({ catalogId: 'tried' })
    const health = await api().get(`/v1/subscriptions/${made.id}/health`)
    expect(health.json).toMatchObject({ breaker: 'closed', counts: { deny: 1, failed: 0 } })
  })

  it('tries out a receiver with a notification, not with a question', async () => {
    validator.behave = reply(200, '')
    const { id } = await api().subscribe({
      catalogId: 'tried',
      url: validator.url,
      events: ['record.created'],
    })
    const { json } = await api().post(`/v1/subscriptions/${id}/test`)
    expect(json).toMatchObject({ decision: 'allow', verdict: { outcome: 'allow', status: 200 } })
    expect(validator.received.at(-1)?.json.type).toBe('record.created')
  })

  it('changes one setting of a breaker and leaves the others', async () => {
    const breaker = { consecutiveFailures: 3, openMs: 500 }
    const { id } = await api().subscribe({ catalogId: 'patched', url: validator.url, breaker })
    const patched = await api().patch(`/v1/subscriptions/${id}`, { breaker: { openMs: 700 } })
    expect(patched.json.breaker).toMatchObject({
      consecutiveFailures: 3,
      openMs: 700,
      minimumCalls: 20,
    })
  })

  it('opens the breaker of a validator that keeps failing, and closes it when it is enabled again', async () => {
    validator.behave = reply(500, '')
    const breaker = { consecutiveFailures: 2, openMs: 600_000 }
    const { id } = await api().subscribe({ catalogId: 'broken', url: validator.url, breaker })
    const causes: string[] = []
    for (let n = 0; n < 3; n++) {
      causes.push((await api().approve({ catalogId: 'broken' })).json.verdicts[0].cause)
    }
    expect(causes).toEqual(['bad_status', 'bad_status', 'circuit_open'])
    expect((await api().get(`/v1/subscriptions/${id}/health`)).json.breaker).toBe('open')
    validator.behave = allow
    await api().post(`/v1/subscriptions/${id}/enable`)
    expect((await api().approve({ catalogId: 'broken' })).json.committed).toBe(true)
  })

  it('does not ask a disabled subscription, and holds its notifications until it is enabled', async () => {
    validator.behave = reply(204, '')
    const { id } = await api().subscribe({
      catalogId: 'held',
      url: validator.url,
      events: ['record.before.created', 'record.created'],
    })
    const disabled = await api().post(`/v1/subscriptions/${id}/disable`)
    expect(disabled.json).toMatchObject({ active: false, disabledReason: 'manual' })
    const before = validator.received.length
    expect((await api().approve({ catalogId: 'held' })).json).toMatchObject({
      committed: true,
      verdicts: [],
    })
    const states = async () =>
      (await api().get(`/v1/deliveries?subscriptionId=${id}`)).json.items.map(
        ({ state }: any) => state,
      )
    await expect.poll(states).toEqual(['held'])
    expect(validator.received.length).toBe(before)
    const arrives = validator.next()
    await api().post(`/v1/subscriptions/${id}/enable`)
    expect((await arrives).json.type).toBe('record.created')
    await expect.poll(states).toEqual(['delivered'])
  })

  it('disables a receiver that says it is gone, and keeps what was for it', async () => {
    validator.behave = reply(410, '')
    const { id } = await api().subscribe({
      catalogId: 'gone',
      url: validator.url,
      events: ['record.created'],
    })
    await api().approve({ catalogId: 'gone' })
    const read = async () => (await api().get(`/v1/subscriptions/${id}`)).json
    await expect.poll(async () => (await read()).disabledReason).toBe('gone')
    expect(await read()).toMatchObject({ active: false })
  })

  it('sends a retried delivery again on request', async () => {
    validator.behave = reply(400, '')
    const { id } = await api().subscribe({
      catalogId: 'manual',
      url: validator.url,
      events: ['record.created'],
      retry: { preset: 'none' },
    })
    await api().approve({ catalogId: 'manual' })
    const list = async () => (await api().get(`/v1/deliveries?subscriptionId=${id}`)).json.items
    await expect.poll(async () => (await list())[0]?.state).toBe('dead')
    validator.behave = reply(200, '')
    const [{ id: deliveryId }] = await list()
    expect((await api().post(`/v1/deliveries/${deliveryId}/retry`)).status).toBe(200)
    await expect.poll(async () => (await list())[0]?.state).toBe('delivered')
    expect(validator.received.at(-1)?.headers['webhook-id']).toBe(deliveryId)
  })

  it('shows metrics, readiness, and the log of decisions with filters', async () => {
    const since = new Date(Date.now() - 3_600_000).toISOString()
    validator.behave = deny('No.')
    const { id } = await api().subscribe({ catalogId: 'filtered', url: validator.url })
    await api().approve({ catalogId: 'filtered', recordId: 'x' })
    const query = `decision=deny&catalogId=filtered&recordId=x&subscriptionId=${id}&since=${since}`
    const { items } = (await api().get(`/v1/decisions?${query}`)).json
    expect(items).toHaveLength(1)
    expect((await api().get(`/v1/decisions?${query}&until=${since}`)).json.items).toEqual([])
    const metrics = await api().get('/metrics', { key: null })
    expect(metrics.text).toContain(
      'assent_approvals_total{event="record.before.created",decision="deny",commit="gateway"}',
    )
    expect(metrics.text).toContain(
      `assent_validator_calls_total{subscription="${id}",outcome="deny",cause=""} 1`,
    )
    expect((await api().get('/readyz', { key: null })).json.status).toBe('ready')
    expect((await api().get('/.well-known/jwks.json', { key: null })).json).toMatchObject({
      keys: [{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA' }],
    })
  })
})
