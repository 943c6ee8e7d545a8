import { createHash } from 'node:crypto'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { DATABASES } from '../support/places.ts'
import {
  allow,
  deny,
  hang,
  reply,
  startValidator,
  type ValidatorServer,
} from '../support/validator-server.ts'

let catalogs = 0
/** Each test works in a catalog of its own, so that no subscription of another meddles. */
const newCatalog = (): string => `catalog-${++catalogs}`

describe.each(DATABASES)('an approval on the %s database', (database) => {
  let gateway: TestGateway
  let one: ValidatorServer
  let two: ValidatorServer
  const api = () => gateway.api

  beforeAll(async () => {
    gateway = await startTestGateway(database)
    one = await startValidator()
    two = await startValidator()
  })
  afterAll(async () => {
    await gateway.close()
    await one.close()
    await two.close()
  })

  const subscribe = (catalogId: string, server: ValidatorServer, settings = {}) =>
    api().subscribe({ catalogId, url: `${server.url}/check`, ...settings })

  it('commits on allow, and the record can be read at version 1', async () => {
    const catalogId = newCatalog()
    one.behave = allow
    await subscribe(catalogId, one)
    const { status, json } = await api().approve({ catalogId, values: { title: 'Ten chairs' } })
    expect(status).toBe(200)
    expect(json).toMatchObject({ decision: 'allow', committed: true, record: { version: 1 } })
    expect(json.verdicts).toMatchObject([{ outcome: 'allow', applied: 'allow', status: 200 }])
    const record = await api().get(`/v1/catalogs/${catalogId}/records/${json.record.id}`)
    expect(record.json).toMatchObject({ version: 1, values: { title: 'Ten chairs' } })
    expect(Object.keys(record.json).sort()).toEqual(
      ['catalogId', 'createdAt', 'id', 'updatedAt', 'values', 'version'].sort(),
    )
  })

  it("writes nothing on deny, and answers with the validator's words", async () => {
    const catalogId = newCatalog()
    one.behave = deny('Only ten are left.', { field: 'amount', code: 'stock' })
    const { id, name } = await subscribe(catalogId, one)
    const { json } = await api().approve({ catalogId, recordId: 'r1', values: { amount: 11 } })
    expect(json).toMatchObject({ decision: 'deny', committed: false })
    expect(json.message).toEqual({ text: 'Only ten are left.' })
    expect(json.errors).toEqual([
      {
        subscriptionId: id,
        name,
        code: 'stock',
        field: 'amount',
        severity: 'error',
        message: { text: 'Only ten are left.' },
        cause: 'denied',
      },
    ])
    expect((await api().get(`/v1/catalogs/${catalogId}/records/r1`)).status).toBe(404)
  })

  it('lists the findings of all validators in plan order, whoever answers first', async () => {
    const catalogId = newCatalog()
    let release = () => {}
    const slow = new Promise<void>((resolve) => {
      release = resolve
    })
    one.behave = async (request, response) => {
      await slow
      await deny('first in plan')(request, response)
    }
    two.behave = async (request, response) => {
      await deny('second in plan')(request, response)
      release()
    }
    await subscribe(catalogId, two, { name: 'second', order: 2 })
    await subscribe(catalogId, one, { name: 'first', order: 1 })
    const { json } = await api().approve({ catalogId, denyGraceMs: 5_000 })
    expect(json.errors.map(({ message }: any) => message.text)).toEqual([
      'first in plan',
      'second in plan',
    ])
    expect(json.message.text).toBe('first in plan')
  })

  it('tells validators what the dialect promises, with its own headers and a signature', async () => {
    const catalogId = newCatalog()
    one.behave = allow
    await subscribe(catalogId, one, {
      headers: { 'x-own': 'mine' },
      auth: { type: 'basic', username: 'u', password: 'p:w' },
    })
    const arrives = one.next()
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const { json } = await api().approve(
      { catalogId, values: { a: 1 }, user: { id: 'u1' }, context: { channel: 'shop' } },
      { headers: { traceparent } },
    )
    const { headers, json: body } = await arrives
    expect(headers).toMatchObject({
      'x-own': 'mine',
      authorization: `Basic ${Buffer.from('u:p:w').toString('base64')}`,
      'x-assent-decision': json.id,
      'accept-encoding': 'identity',
    })
    expect(headers['traceparent']).toContain('0af7651916cd43dd8448eb211c80319c')
    expect(Number(headers['x-assent-deadline-ms'])).toBeGreaterThan(0)
    expect(headers['x-assent-chain']).toBeTruthy()
    expect(headers['webhook-signature']).toMatch(/^v1,/)
    expect(body).toMatchObject({
      type: 'record.before.created',
      data: {
        accountId: 'default',
        catalogId,
        values: { a: 1 },
        changedFields: ['a'],
        user: { id: 'u1' },
        context: { channel: 'shop' },
        decisionId: json.id,
      },
    })
    expect(body.data.sequenceId).toBeUndefined()
    expect(body.data.dryRun).toBeUndefined()
  })

  it('sends previous values and the changed fields of an update, and lays the rest underneath', async () => {
    const catalogId = newCatalog()
    await api().approve({ catalogId, recordId: 'r', values: { a: 1, b: 2 } })
    one.behave = allow
    await subscribe(catalogId, one, { events: ['record.before.updated'] })
    const arrives = one.next()
    const { json } = await api().approve({
      event: 'record.before.updated',
      catalogId,
      recordId: 'r',
      values: { a: 1, b: 3 },
      prevValues: { b: 'a lie of the caller' },
    })
    expect(json).toMatchObject({ committed: true, record: { version: 2, values: { a: 1, b: 3 } } })
    const { data } = (await arrives).json
    expect(data.prevValues).toEqual({ a: 1, b: 2 })
    expect(data.changedFields).toEqual(['b'])
  })

  it('deletes on allow; afterwards the record is not found', async () => {
    const catalogId = newCatalog()
    await api().approve({ catalogId, recordId: 'r', values: { a: 1 } })
    const deletion = { event: 'record.before.deleted', catalogId, recordId: 'r' }
    expect((await api().approve(deletion)).json).toMatchObject({ committed: true })
    const again = await api().approve(deletion)
    expect(again.status).toBe(404)
    expect(again.json.code).toBe('record_not_found')
  })

  it('refuses to create what is there, before anybody is asked', async () => {
    const catalogId = newCatalog()
    await api().approve({ catalogId, recordId: 'r' })
    await subscribe(catalogId, one)
    const asked = one.received.length
    const { status, json } = await api().approve({ catalogId, recordId: 'r' })
    expect([status, json.code]).toEqual([409, 'record_exists'])
    expect(one.received.length).toBe(asked)
  })

  it('compares baseVersion before anybody is asked', async () => {
    const catalogId = newCatalog()
    await api().approve({ catalogId, recordId: 'r' })
    await subscribe(catalogId, one, { events: ['record.before.updated'] })
    const asked = one.received.length
    const update = { event: 'record.before.updated', catalogId, recordId: 'r', values: { a: 1 } }
    const stale = await api().approve({ ...update, baseVersion: 7 })
    expect([stale.status, stale.json.code]).toEqual([409, 'version_conflict'])
    expect(one.received.length).toBe(asked)
    one.behave = allow
    expect((await api().approve({ ...update, baseVersion: 1 })).json.record.version).toBe(2)
  })

  it('refuses a second write on a record that is being asked about, at once', async () => {
    const catalogId = newCatalog()
    let answer = () => {}
    one.behave = (request, response) => {
      answer = () => void allow(request, response)
    }
    await subscribe(catalogId, one)
    const asked = one.next()
    const first = api().approve({ catalogId, recordId: 'r' })
    await asked
    const second = await api().approve({ catalogId, recordId: 'r' })
    expect([second.status, second.json.code]).toEqual([409, 'approval_in_flight'])
    answer()
    expect((await first).json.committed).toBe(true)
  })

  it('answers at the first denial when denyGraceMs is 0, and cancels who is still out', async () => {
    const catalogId = newCatalog()
    one.behave = deny('no')
    two.behave = hang
    await subscribe(catalogId, one, { order: 2 })
    await subscribe(catalogId, two, { order: 1 })
    const { json } = await api().approve({ catalogId, denyGraceMs: 0 })
    expect(json.decision).toBe('deny')
    expect(json.verdicts.map(({ outcome }: any) => outcome)).toEqual(['cancelled', 'deny'])
  })

  it('cuts a call at the budget of the change and denies under the default policy', async () => {
    const catalogId = newCatalog()
    one.behave = hang
    await subscribe(catalogId, one, { name: 'Stock' })
    const { json } = await api().approve({ catalogId, timeoutMs: 100 })
    expect(json).toMatchObject({ decision: 'deny', committed: false })
    expect(json.verdicts).toMatchObject([{ outcome: 'failed', cause: 'timeout', applied: 'deny' }])
    expect(json.errors).toMatchObject([{ cause: 'timeout', severity: 'error' }])
    expect(json.errors[0].message.text).toContain('Stock')
  })

  it('allows under a policy that says so for this cause, says that it was degraded, and shows no error', async () => {
    const catalogId = newCatalog()
    one.behave = hang
    await subscribe(catalogId, one, { timeoutMs: 60, onFailure: { timeout: 'allow' } })
    const { json } = await api().approve({ catalogId })
    expect(json).toMatchObject({ decision: 'allow', committed: true, degraded: true, errors: [] })
    expect(json.verdicts).toMatchObject([{ outcome: 'failed', cause: 'timeout', applied: 'allow' }])
  })

  it('never counts a shadow subscription, and keeps its late verdict with the decision', async () => {
    const catalogId = newCatalog()
    let answer = () => {}
    one.behave = (request, response) => {
      answer = () => void deny('in the shadows')(request, response)
    }
    await subscribe(catalogId, one, { mode: 'shadow' })
    const asked = one.next()
    const { json } = await api().approve({ catalogId })
    await asked
    expect(json).toMatchObject({ decision: 'allow', committed: true, errors: [] })
    expect(json.verdicts).toMatchObject([{ mode: 'shadow', outcome: 'cancelled', applied: 'none' }])
    answer()
    await expect
      .poll(async () => (await api().get(`/v1/decisions/${json.id}`)).json.verdicts[0].outcome)
      .toBe('deny')
  })

  it('asks the person to confirm, and lets the same change through with the token, no other', async () => {
    const catalogId = newCatalog()
    one.behave = reply(200, { decision: 'confirm', warnings: [{ message: 'Really?', field: 'a' }] })
    await subscribe(catalogId, one)
    const first = await api().approve({ catalogId, values: { a: 1 } })
    expect(first.json).toMatchObject({ decision: 'confirm', committed: false })
    expect(first.json.warnings).toMatchObject([
      { severity: 'confirm', message: { text: 'Really?' } },
    ])
    const [{ token }] = first.json.confirmations
    const other = await api().approve({ catalogId, values: { a: 2 }, confirm: [token] })
    expect(other.json.decision).toBe('confirm')
    const confirmed = await api().approve({ catalogId, values: { a: 1 }, confirm: ['x', token] })
    expect(confirmed.json).toMatchObject({ decision: 'allow', committed: true })
    two.behave = deny('still no')
    await subscribe(catalogId, two)
    const denied = await api().approve({ catalogId, values: { a: 1 }, confirm: [token] })
    expect(denied.json).toMatchObject({ decision: 'deny', committed: false })
    expect(denied.json.confirmations).toBeUndefined()
  })

  it('merges suggestions of record.updating, reports conflicts and never commits', async () => {
    const catalogId = newCatalog()
    one.behave = reply(200, { values: { city: 'Kyiv', zip: '01001' }, message: 'Filled in.' })
    two.behave = reply(200, {
      values: { city: 'Lviv', zip: '01001' },
      warnings: [{ message: 'Check the street.' }],
    })
    const events = ['record.updating']
    const first = await subscribe(catalogId, one, { events, order: 1 })
    const second = await subscribe(catalogId, two, { events, order: 2 })
    const { json } = await api().approve({
      event: 'record.updating',
      catalogId,
      values: { street: 'x' },
      allValues: { street: 'x', city: '' },
    })
    expect(json).toMatchObject({ decision: 'allow', committed: false })
    expect(json.values).toEqual({ city: 'Kyiv', zip: '01001' })
    expect(json.suggestedBy).toEqual({ city: first.id, zip: first.id })
    expect(json.conflicts).toEqual([{ field: 'city', chosen: first.id, others: [second.id] }])
    const { suggestedBy } = (await api().get(`/v1/decisions/${json.id}`)).json
    expect(suggestedBy).toEqual(json.suggestedBy)
    expect(json.infos).toMatchObject([{ message: { text: 'Filled in.' } }])
    expect(json.warnings).toMatchObject([{ message: { text: 'Check the street.' } }])
    expect((await api().get(`/v1/catalogs/${catalogId}/records`)).json.items).toEqual([])
  })

  it('answers deny when a validator of record.updating reports errors', async () => {
    const catalogId = newCatalog()
    one.behave = reply(200, {
      errors: [{ field: 'zip', message: 'No such zip.' }],
      values: { a: 1 },
    })
    await subscribe(catalogId, one, { events: ['record.updating'] })
    const { json } = await api().approve({
      event: 'record.updating',
      catalogId,
      values: { zip: '0' },
    })
    expect(json).toMatchObject({ decision: 'deny', values: { a: 1 }, errors: [{ field: 'zip' }] })
  })

  it('lets validators set only the fields they may change, and asks all about what is stored', async () => {
    const catalogId = newCatalog()
    one.behave = (request, response) =>
      reply(200, { decision: 'allow', values: { total: 12, owner: 'me' } })(request, response)
    two.behave = allow
    await subscribe(catalogId, one, { mayChange: ['total'] })
    await subscribe(catalogId, two)
    const seen = two.next(2)
    const { json } = await api().approve({ catalogId, values: { net: 10 } })
    expect(json.record.values).toEqual({ net: 10, total: 12 })
    expect((await seen).json.data.values).toEqual({ net: 10, total: 12 })
  })

  it('judges an answer whose values the catalog would not take as a reply that cannot be used', async () => {
    const catalogId = newCatalog()
    const fields = [{ id: 'total', title: 'Total', type: 'number' }]
    await api().post('/v1/catalogs', { id: catalogId, title: 'Typed', fields })
    one.behave = reply(200, { decision: 'allow', values: { total: 'much' } })
    await subscribe(catalogId, one, { mayChange: ['total'] })
    const { status, json } = await api().approve({ catalogId, values: { total: 1 } })
    expect([status, json.decision, json.committed]).toEqual([200, 'deny', false])
    expect(json.verdicts).toMatchObject([{ outcome: 'failed', cause: 'bad_reply' }])
    one.behave = reply(200, { decision: 'allow', values: { other: 'ignored' } })
    const ignored = await api().approve({ catalogId, values: { total: 1 } })
    expect(ignored.json.record.values).toEqual({ total: 1 })
  })

  it('keeps the verdict of a bpium hook that says it is gone, and asks it no more', async () => {
    const catalogId = newCatalog()
    one.behave = reply(410, { message: 'Bye.' })
    const { id } = await subscribe(catalogId, one, { dialect: 'bpium', secret: 's' })
    const { json } = await api().approve({ catalogId })
    expect(json).toMatchObject({ decision: 'allow', committed: true })
    expect(json.verdicts).toMatchObject([{ outcome: 'allow', status: 410, applied: 'allow' }])
    const read = async () => (await api().get(`/v1/subscriptions/${id}`)).json
    await expect.poll(async () => (await read()).disabledReason).toBe('gone')
    expect((await api().approve({ catalogId })).json.verdicts).toEqual([])
  })

  it("shows a bpium validator's own words although its error lets the change through", async () => {
    const catalogId = newCatalog()
    one.behave = reply(500, { message: 'Stock is being counted.' })
    await subscribe(catalogId, one, { dialect: 'bpium', secret: 's', onFailure: 'allow' })
    const { json } = await api().approve({ catalogId })
    expect(json).toMatchObject({ decision: 'allow', degraded: true, errors: [] })
    expect(json.warnings).toMatchObject([
      { cause: 'bad_status', message: { text: 'Stock is being counted.' } },
    ])
  })

  it('tells validators of a dry run and stores nothing but the decision', async () => {
    const catalogId = newCatalog()
    one.behave = allow
    await subscribe(catalogId, one)
    const arrives = one.next()
    const { json } = await api().approve({ catalogId, recordId: 'dry', commit: 'none' })
    expect(json).toMatchObject({ decision: 'allow', committed: false })
    expect((await arrives).json.data.dryRun).toBe(true)
    expect((await api().get(`/v1/catalogs/${catalogId}/records/dry`)).status).toBe(404)
    const kept = await api().get(`/v1/decisions/${json.id}`)
    expect(kept.json).toMatchObject({ commit: 'none', committed: false, decision: 'allow' })
  })

  it("hands out a token for the caller's own commit, which counts once", async () => {
    const catalogId = newCatalog()
    two.behave = reply(200, '')
    await subscribe(catalogId, two, { events: ['record.created'] })
    const { json } = await api().approve({ catalogId, commit: 'caller', values: { a: 1 } })
    expect(json).toMatchObject({ decision: 'allow', committed: false })
    const { token } = json.approval
    const commit = `/v1/approvals/${json.id}/commit`
    expect((await api().post(commit, { token: 'another' })).status).toBe(403)
    const changed = await api().post(commit, { token, values: { a: 2 } })
    expect([changed.status, changed.json.code]).toEqual([422, 'digest_mismatch'])
    const told = two.next()
    const first = await api().post(commit, { token, recordId: '77', values: { a: 1 } })
    expect(first.json).toEqual({ id: json.id, state: 'committed', notifications: 1 })
    expect((await told).json.data).toMatchObject({ recordId: '77', values: { a: 1 } })
    const again = await api().post(commit, { token, recordId: '77', values: { a: 1 } })
    expect([again.status, again.json]).toEqual([200, first.json])
    const abort = await api().post(`/v1/approvals/${json.id}/abort`)
    expect([abort.status, abort.json.code]).toEqual([409, 'approval_committed'])
    // Found by the id that the record got afterwards.
    const byRecord = await api().get(`/v1/decisions?catalogId=${catalogId}&recordId=77`)
    expect(byRecord.json.items.map((one: any) => one.id)).toEqual([json.id])
    const history = await api().get(`/v1/catalogs/${catalogId}/records/77/history`)
    expect(history.json.items).toEqual(byRecord.json.items)
  })

  it('signs what was approved, so that anybody can see it, by the keys that it publishes', async () => {
    const catalogId = newCatalog()
    const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', gateway.url))
    const options = { algorithms: ['EdDSA'], typ: 'assent-approval+jwt' }
    const digestOf = (text: string) => createHash('sha256').update(text).digest('base64url')
    const changes = [
      { event: 'record.before.created', values: { b: 1, a: 'ü' } },
      { event: 'record.before.updated', recordId: 'r 1', values: { a: [1.5, null] } },
      { event: 'record.before.deleted', recordId: 'r 1' },
    ]
    const canonical = [
      `{"catalogId":"${catalogId}","event":"record.before.created","values":{"a":"ü","b":1}}`,
      `{"catalogId":"${catalogId}","event":"record.before.updated","recordId":"r 1","values":{"a":[1.5,null]}}`,
      `{"catalogId":"${catalogId}","event":"record.before.deleted","recordId":"r 1"}`,
    ]
    for (const [index, change] of changes.entries()) {
      const { json } = await api().approve({
        values: undefined,
        ...change,
        catalogId,
        commit: 'caller',
      })
      const { payload } = await jwtVerify(json.approval.token, keys, options)
      const { iat = 0, exp = 0, ...claims } = payload
      expect(claims).toEqual({
        jti: json.id,
        acc: 'default',
        event: change.event,
        cat: catalogId,
        ...(change.recordId === undefined ? {} : { rec: change.recordId }),
        dig: digestOf(canonical[index] ?? ''),
      })
      expect(exp - iat).toBe(60)
      expect(Math.floor(Date.parse(json.approval.expiresAt) / 1_000)).toBe(exp)
    }
  })

  it('refuses to commit what was aborted', async () => {
    const catalogId = newCatalog()
    const { json } = await api().approve({ catalogId, commit: 'caller' })
    const abort = await api().post(`/v1/approvals/${json.id}/abort`)
    expect(abort.json).toEqual({ id: json.id, state: 'aborted' })
    const { token } = json.approval
    const commit = await api().post(`/v1/approvals/${json.id}/commit`, { token })
    expect([commit.status, commit.json.code]).toEqual([409, 'approval_aborted'])
  })

  it('answers a repeated key with the first answer to the byte, and another body with 422', async () => {
    const catalogId = newCatalog()
    const headers = { 'idempotency-key': `key of ${catalogId}` }
    const first = await api().approve({ catalogId, values: { a: 1 } }, { headers })
    const again = await api().approve({ catalogId, values: { a: 1 } }, { headers })
    expect(again.text).toBe(first.text)
    expect(first.headers.get('idempotent-replayed')).toBeNull()
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    const other = await api().approve({ catalogId, values: { a: 2 } }, { headers })
    expect([other.status, other.json.code]).toEqual([422, 'idempotency_key_reused'])
    expect((await api().get(`/v1/catalogs/${catalogId}/records`)).json.items).toHaveLength(1)
  })

  it('keeps a denial by timeout under its key, and no problem document', async () => {
    const catalogId = newCatalog()
    one.behave = hang
    await subscribe(catalogId, one, { timeoutMs: 60 })
    const headers = { 'idempotency-key': `timeout of ${catalogId}` }
    const denied = await api().approve({ catalogId }, { headers })
    one.behave = allow
    expect((await api().approve({ catalogId }, { headers })).text).toBe(denied.text)

    const update = { event: 'record.before.updated', catalogId, recordId: 'none', values: {} }
    const key = { 'idempotency-key': `problem of ${catalogId}` }
    expect((await api().approve(update, { headers: key })).status).toBe(404)
    await api().approve({ catalogId, recordId: 'none' })
    expect((await api().approve(update, { headers: key })).status).toBe(200)
  })

  it('refuses a key whose first request still runs', async () => {
    const catalogId = newCatalog()
    let answer = () => {}
    one.behave = (request, response) => {
      answer = () => void allow(request, response)
    }
    await subscribe(catalogId, one)
    const headers = { 'idempotency-key': `running ${catalogId}` }
    const asked = one.next()
    const first = api().approve({ catalogId }, { headers })
    await asked
    const second = await api().approve({ catalogId }, { headers })
    expect([second.status, second.json.code]).toEqual([409, 'idempotency_in_progress'])
    answer()
    expect((await first).status).toBe(200)
  })

  it('streams plan, verdicts and decision to who asks for events', async () => {
    const catalogId = newCatalog()
    one.behave = allow
    two.behave = allow
    await subscribe(catalogId, one)
    await subscribe(catalogId, two)
    const { text, headers } = await api().approve(
      { catalogId },
      { headers: { accept: 'text/event-stream' } },
    )
    expect(headers.get('content-type')).toContain('text/event-stream')
    const events = text
      .trim()
      .split('\n\n')
      .map((block) => /^event: (\w+)\ndata: (.*)$/s.exec(block)?.slice(1))
    expect(events.map((event) => event?.[0])).toEqual(['plan', 'verdict', 'verdict', 'decision'])
    expect(JSON.parse(events.at(-1)?.[1] ?? '')).toMatchObject({ decision: 'allow' })
  })

  it('streams one verdict each, also of who was cancelled or asked about amended values', async () => {
    const catalogId = newCatalog()
    one.behave = reply(200, { decision: 'allow', values: { total: 2 } })
    two.behave = allow
    await subscribe(catalogId, one, { mayChange: ['total'] })
    await subscribe(catalogId, two)
    const headers = { accept: 'text/event-stream' }
    const amended = await api().approve({ catalogId, values: { total: 1 } }, { headers })
    const names = (text: string) => [...text.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name)
    expect(names(amended.text)).toEqual(['plan', 'verdict', 'verdict', 'decision'])
    one.behave = deny('no')
    two.behave = hang
    const denied = await api().approve({ catalogId, denyGraceMs: 0 }, { headers })
    expect(names(denied.text)).toEqual(['plan', 'verdict', 'verdict', 'decision'])
    expect(denied.text).toContain('"outcome":"cancelled"')
  })

  it('answers a stream request that cannot be served with an ordinary problem', async () => {
    const { status, json } = await api().approve(
      { event: 'record.before.updated', catalogId: newCatalog(), recordId: 'none' },
      { headers: { accept: 'text/event-stream' } },
    )
    expect([status, json.code]).toEqual([404, 'record_not_found'])
  })

  it('speaks the language that the person reads', async () => {
    const catalogId = newCatalog()
    one.behave = deny('', { message: { en: 'Too many', uk: 'Забагато' } })
    await subscribe(catalogId, one, { name: 'Склад' })
    const byHeader = await api().approve({ catalogId }, { headers: { 'accept-language': 'uk-UA' } })
    expect(byHeader.json.message.text).toBe('Забагато')
    const byUser = await api().approve(
      { catalogId, user: { id: '1', locale: 'en' } },
      { headers: { 'accept-language': 'uk' } },
    )
    expect(byUser.json.message.text).toBe('Too many')
  })

  it('plans anew when a validator subscribes while others think: nobody passes unasked', async () => {
    const catalogId = newCatalog()
    let answer = () => {}
    one.behave = (request, response) => {
      answer = () => void allow(request, response)
    }
    two.behave = deny('I have a say too.')
    await subscribe(catalogId, one)
    const asked = one.next()
    const approval = api().approve({ catalogId })
    await asked
    const before = one.received.length
    await subscribe(catalogId, two)
    answer()
    const { json } = await approval
    expect(json).toMatchObject({ decision: 'deny', committed: false })
    expect(json.verdicts.map(({ outcome }: any) => outcome)).toEqual(['allow', 'deny'])
    expect(one.received.length).toBe(before)
  })

  it('matches by watched fields, initiators and conditions, and says why somebody was not asked', async () => {
    const catalogId = newCatalog()
    one.behave = allow
    const ids = [
      await subscribe(catalogId, one, { name: 'fields', fields: ['price'] }),
      await subscribe(catalogId, one, { name: 'initiator', initiators: ['boss'] }),
      await subscribe(catalogId, one, {
        name: 'condition',
        conditions: [{ field: 'amount', op: 'gt', value: 100 }],
      }),
      await subscribe(catalogId, one, { name: 'inactive', active: false }),
      await subscribe(catalogId, one, {
        name: 'matches',
        conditions: [{ field: 'amount', op: 'lte', value: 100 }],
      }),
      await subscribe(newCatalog(), one, { name: 'other catalog' }),
      await subscribe(catalogId, one, { name: 'other event', events: ['record.before.deleted'] }),
    ].map(({ id }) => id)
    const { json } = await api().approve({
      catalogId,
      values: { amount: 5 },
      user: { id: 'clerk' },
    })
    expect(json.verdicts.map(({ name }: any) => name)).toEqual(['matches'])
    const { considered } = (await api().get(`/v1/decisions/${json.id}`)).json
    const reasons = ids.map(
      (id) => considered.find((c: any) => c.subscriptionId === id)?.mismatch?.reason ?? null,
    )
    expect(reasons).toEqual([
      'fields',
      'initiator',
      'condition',
      'inactive',
      null,
      'catalog',
      'event',
    ])
  })

  it('delivers the notification signed, once for the commit and not for a denial', async () => {
    const catalogId = newCatalog()
    one.behave = (request, response) => {
      const isBad = request.json.data.values.bad === true
      void (isBad ? deny('no') : allow)(request, response)
    }
    two.behave = reply(204, '')
    await subscribe(catalogId, one)
    const told = await subscribe(catalogId, two, { events: ['record.created', 'record.updated'] })
    const before = two.received.length
    await api().approve({ catalogId, values: { bad: true } })
    const arrives = two.next()
    const { json } = await api().approve({ catalogId, values: { good: 1 }, user: { id: 'u' } })
    const { headers, json: body } = await arrives
    expect(body).toMatchObject({
      type: 'record.created',
      data: {
        catalogId,
        recordId: json.record.id,
        values: { good: 1 },
        sequenceId: 1,
        decisionId: json.id,
      },
    })
    expect(headers['webhook-id']).toMatch(new RegExp(`^evt_[0-9a-f]+_${told.id}$`))
    const { Webhook } = await import('standardwebhooks')
    const text = two.received.at(-1)?.text ?? ''
    expect(() => new Webhook(told.secret).verify(text, headers as any)).not.toThrow()
    expect(two.received.length).toBe(before + 1)
    await expect
      .poll(async () => {
        const path = `/v1/deliveries?subscriptionId=${told.id}`
        return (await api().get(path)).json.items.map(({ state }: any) => state)
      })
      .toEqual(['delivered'])
  })

  it('keeps trying a notification that was not taken, with the same id, and shows each attempt', async () => {
    const catalogId = newCatalog()
    let tries = 0
    two.behave = (request, response) => void reply(++tries < 3 ? 500 : 200, 'x')(request, response)
    const told = await subscribe(catalogId, two, {
      events: ['record.created'],
      retry: { delaysMs: [1, 1, 1] },
    })
    const third = two.next(3)
    await api().approve({ catalogId })
    await third
    const ids = two.received.slice(-3).map(({ headers }) => headers['webhook-id'])
    expect(new Set(ids).size).toBe(1)
    await expect
      .poll(async () => (await api().get(`/v1/deliveries/${ids[0]}`)).json.state)
      .toBe('delivered')
    const { attempts } = (await api().get(`/v1/deliveries/${ids[0]}`)).json
    expect(attempts.map(({ status }: any) => status)).toEqual([500, 500, 200])
    expect(JSON.stringify(attempts)).not.toContain(told.secret)
  })

  it('counts requests and notifications of a bpium hook with one counter', async () => {
    const catalogId = newCatalog()
    one.behave = reply(200, '')
    const { id } = await subscribe(catalogId, one, {
      dialect: 'bpium',
      secret: 's',
      events: ['record.before.created', 'record.created'],
    })
    const second = one.next(2)
    await api().approve({ catalogId, values: { a: 'x' }, user: { id: '7' } })
    const notification = (await second).json
    const request = one.received.at(-2)?.json
    expect(request.hook).toEqual({ id, event: 'record.before.created', sequenceId: 1 })
    expect(notification.hook).toEqual({ id, event: 'record.created', sequenceId: 2 })
    expect((await api().get(`/v1/subscriptions/${id}`)).json.lastSequenceId).toBe(2)
  })
})
