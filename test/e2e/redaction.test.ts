/** What decisions do not keep: by catalog and field, everywhere where a decision can be read. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DATABASES } from '../support/places.ts'
import { Telling } from './telling.ts'

const CARD = '4111222233334444'
const NAME = 'Anna Secretive'
const PIN = 'pin-98765'

describe.each(DATABASES)('a catalog that redacts, on the %s database,', (database) => {
  let telling: Telling
  beforeAll(async () => {
    telling = await Telling.start(database)
  })
  afterAll(() => telling.close())

  const values = { card: CARD, name: NAME, pin: PIN, note: 'plain' }
  const define = async (): Promise<string> => {
    const id = telling.catalog()
    const redact = { card: 'last4', name: 'hash', pin: 'remove' }
    const made = await telling.api.post('/v1/catalogs', { id, title: id, redact })
    expect([made.status, made.json.redact]).toEqual([201, redact])
    return id
  }
  const hides = (text: string) => {
    for (const hidden of [CARD, NAME, PIN]) expect(text).not.toContain(hidden)
  }

  it('asks about, stores and tells the values, and keeps what is left of them with the decision', async () => {
    const catalogId = await define()
    const receiver = await telling.receiver((request, response) => {
      const isAsked = request.json.type.startsWith('record.before')
      response.writeHead(200).end(isAsked ? '{"decision":"allow"}' : '')
    })
    const events = ['record.before.updated', 'record.updated']
    const { id } = await telling.subscribe(catalogId, receiver, { events })
    const asked = { catalogId, recordId: 'r1', user: { id: 'anna' } }
    await telling.api.approve({ ...asked, values: { ...values, name: 'Before' } })
    const changed = await telling.api.approve({ ...asked, event: 'record.before.updated', values })
    expect(changed.json).toMatchObject({ committed: true, record: { values } })
    await telling.all(id, 1)
    for (const { json } of receiver.received) expect(json.data.values).toEqual(values)
    expect((await telling.api.get(`/v1/catalogs/${catalogId}/records/r1`)).json.values).toEqual(
      values,
    )
    const kept = await telling.api.get(`/v1/decisions/${changed.json.id}`)
    expect(kept.json.values).toEqual({
      card: '…4444',
      name: expect.stringMatching(/^hash:[\w-]{43}$/),
      note: 'plain',
    })
    expect(kept.json.prevValues.name).toMatch(/^hash:/)
    expect(kept.json.prevValues.name).not.toBe(kept.json.values.name)
    for (const path of [
      '/v1/decisions',
      `/v1/catalogs/${catalogId}/records/r1/history`,
      `/v1/decisions/${changed.json.id}`,
    ]) {
      hides((await telling.api.get(path)).text)
    }
  })

  it('keeps a change for a caller’s own commit until that is made, and knows it again afterwards', async () => {
    const catalogId = await define()
    const receiver = await telling.receiver()
    const { id } = await telling.subscribe(catalogId, receiver, { events: ['record.created'] })
    const { json } = await telling.api.approve({ catalogId, values, commit: 'caller' })
    hides((await telling.api.get(`/v1/decisions/${json.id}`)).text)
    const path = `/v1/approvals/${json.id}/commit`
    const body = { token: json.approval.token, recordId: 'theirs', values }
    const other = await telling.api.post(path, { ...body, values: { ...values, pin: 'x' } })
    expect([other.status, other.json.code]).toEqual([422, 'digest_mismatch'])
    const first = await telling.api.post(path, body)
    expect([first.status, first.json.notifications]).toEqual([200, 1])
    expect((await telling.api.post(path, body)).text).toBe(first.text)
    const again = await telling.api.post(path, { ...body, values: {} })
    expect([again.status, again.json.code]).toEqual([422, 'digest_mismatch'])
    await telling.all(id, 1)
    expect(receiver.received[0]?.json.data.values).toEqual(values)
    hides((await telling.api.get(`/v1/decisions/${json.id}`)).text)
  })

  it('takes rules for its own fields only, and can be changed', async () => {
    const fields = [{ id: 'card', title: 'Card', type: 'text' }]
    const id = telling.catalog()
    const unknown = await telling.api.post('/v1/catalogs', {
      id,
      title: id,
      fields,
      redact: { cart: 'hash' },
    })
    expect([unknown.status, unknown.json.errors[0].pointer]).toEqual([422, '/redact/cart'])
    const odd = await telling.api.post('/v1/catalogs', { id, title: id, redact: { card: 'rot13' } })
    expect([odd.status, odd.json.errors[0].pointer]).toEqual([422, '/redact/card'])
    await telling.api.post('/v1/catalogs', { id, title: id, fields })
    const path = `/v1/catalogs/${id}`
    expect((await telling.api.get(path)).json).not.toHaveProperty('redact')
    const set = await telling.api.patch(path, { redact: { card: 'hash' } })
    expect(set.json).toMatchObject({ fields, redact: { card: 'hash' } })
    expect((await telling.api.patch(path, { title: 'T' })).json.redact).toEqual({ card: 'hash' })
    const gone = await telling.api.patch(path, { fields: [], redact: null })
    expect(gone.json).not.toHaveProperty('redact')
  })
})
