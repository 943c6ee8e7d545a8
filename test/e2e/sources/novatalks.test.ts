/** NovaTalks: the list of webhooks, and how each of them is let in. (N3 and N4: presets.test.ts.) */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DATABASES } from '../../support/places.ts'
import { Telling } from '../telling.ts'

describe.each(DATABASES)('webhooks of a contact centre on the %s database', (database) => {
  let telling: Telling
  beforeAll(async () => {
    telling = await Telling.start(database)
    const { status } = await telling.api.post('/v1/presets/helpdesk')
    expect(status).toBe(201)
  })
  afterAll(() => telling.close())

  const write = async (what: string, catalogId: string, recordId: string, values: object) => {
    const event = `record.before.${what}`
    const { json } = await telling.api.approve({ event, catalogId, recordId, values })
    expect(json.committed).toBe(true)
  }

  it('N1 there is a list of webhooks, to which one adds and which one edits', async () => {
    const [first, second] = [await telling.receiver(), await telling.receiver()]
    const settings = { name: 'Talks', url: first.url, events: ['conversation.status_changed'] }
    const { id } = await telling.api.subscribe(settings)
    const other = await telling.api.subscribe({ ...settings, name: 'Others', active: false })
    const list = (await telling.api.get('/v1/subscriptions?limit=200')).json.items
    expect(list.map((one: any) => [one.id, one.name, one.active])).toEqual([
      [id, 'Talks', true],
      [other.id, 'Others', false],
    ])
    const edit = { name: 'Messages', url: second.url, events: ['message.created'] }
    expect((await telling.api.patch(`/v1/subscriptions/${id}`, edit)).json).toMatchObject(edit)
    expect((await telling.api.get(`/v1/subscriptions/${id}`)).json).toMatchObject(edit)
    await write('created', 'conversation', '1', { status: 'open' })
    await write('updated', 'conversation', '1', { status: 'resolved' })
    await write('created', 'message', '2', { content: 'Hello' })
    await telling.all(id, 1)
    expect(first.received).toEqual([])
    expect(second.received[0]?.json.type).toBe('message.created')
    expect((await telling.api.delete(`/v1/subscriptions/${other.id}`)).status).toBe(204)
    expect((await telling.api.get('/v1/subscriptions')).json.items).toHaveLength(1)
  })

  it.each<[string, object, string, string | undefined]>([
    ['None', { type: 'none' }, 'authorization', undefined],
    ['Bearer', { type: 'bearer', token: 'a token' }, 'authorization', 'Bearer a token'],
    [
      'Basic',
      { type: 'basic', username: 'login', password: 'pass:word' },
      'authorization',
      `Basic ${Buffer.from('login:pass:word').toString('base64')}`,
    ],
    ['Custom', { type: 'custom', header: 'X-Talk-Key', value: 'a key' }, 'x-talk-key', 'a key'],
  ])('N2 authorization is %s', async (_kind, auth, header, value) => {
    const receiver = await telling.receiver()
    const { id } = await telling.subscribe(telling.catalog(), receiver, {
      catalogId: 'message',
      events: ['message.updated'],
      auth,
    })
    const shown = await telling.read(id)
    for (const secret of ['a token', 'pass:word', 'a key']) {
      expect(JSON.stringify(shown)).not.toContain(secret)
    }
    expect(shown.auth).toMatchObject({ type: (auth as { type: string }).type })
    const record = `of ${id}`
    await write('created', 'message', record, { content: 'a' })
    await write('updated', 'message', record, { content: 'b' })
    await telling.all(id, 1)
    expect(receiver.received[0]?.headers[header]).toBe(value)
    await telling.api.delete(`/v1/subscriptions/${id}`)
  })
})
