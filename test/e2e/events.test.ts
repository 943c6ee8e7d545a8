/** Business events: derived from committed changes, or raised by programs; told like any other. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DATABASES } from '../support/places.ts'
import { Telling } from './telling.ts'

const titled = (name: string, more: object = {}) => ({ name, title: { en: name }, ...more })

describe.each(DATABASES)('business events on the %s database', (database) => {
  let telling: Telling
  beforeAll(async () => {
    telling = await Telling.start(database)
  })
  afterAll(() => telling.close())

  const define = async (eventType: object) => {
    const answer = await telling.api.post('/v1/event-types', eventType)
    expect(answer.status).toBe(201)
    return answer.json
  }
  const listening = async (events: readonly string[], settings: object = {}) => {
    const receiver = await telling.receiver()
    const { id } = await telling.subscribe('*', receiver, { events, ...settings })
    return { id, receiver }
  }

  it('are raised by each committed change that fits, and by no other', async () => {
    const catalogId = telling.catalog()
    const conditions = [{ field: 'status', op: 'changedTo', value: 'paid' }]
    await define(titled('order.paid', { catalogId, on: ['updated'], conditions }))
    const { id, receiver } = await listening(['order.paid'])
    const change = (event: string, values: object) =>
      telling.api.approve({ event, catalogId, recordId: 'o1', values, user: { id: 'anna' } })
    await change('record.before.created', { status: 'paid', total: 1 })
    await change('record.before.updated', { status: 'new' })
    await change('record.before.updated', { total: 2 })
    const paid = await change('record.before.updated', { status: 'paid' })
    await change('record.before.updated', { status: 'paid', total: 3 })
    await change('record.before.deleted', {})
    await telling.all(id, 1)
    const [told] = receiver.received
    expect(receiver.received).toHaveLength(1)
    expect(told?.json).toMatchObject({
      type: 'order.paid',
      data: {
        catalogId,
        recordId: 'o1',
        values: { status: 'paid' },
        prevValues: { status: 'new', total: 2 },
        changedFields: ['status'],
        user: { id: 'anna' },
        decisionId: paid.json.id,
        sequenceId: 1,
      },
    })
  })

  it('are raised by changes of the fields that they watch, and by deletes', async () => {
    const catalogId = telling.catalog()
    await define(titled('watched', { catalogId, fields: ['a', 'b'] }))
    const { id } = await listening(['watched'])
    const change = (event: string, recordId: string, values?: object) =>
      telling.api.approve({ event: `record.before.${event}`, catalogId, recordId, values })
    await change('created', 'without', { c: 1 })
    await change('created', 'with', { b: 1, c: 1 })
    await change('updated', 'with', { b: 1, c: 2 })
    await change('updated', 'with', { a: 1, c: 3 })
    await change('updated', 'with', {})
    await change('deleted', 'with')
    await telling.all(id, 3)
    await change('deleted', 'without')
    expect((await telling.all(id, 4)).map(({ recordId }) => recordId)).toEqual([
      'with',
      'with',
      'with',
      'without',
    ])
  })

  it('named after another catalog are news of both', async () => {
    const catalogId = telling.catalog()
    await define(titled('client sum.changed', { catalogId }))
    const ears = [
      await listening(['client sum.changed'], { catalogId: 'client sum' }),
      await listening(['client sum.changed'], { catalogId }),
      await listening(['client sum.changed']),
    ]
    const deaf = await listening(['client sum.changed'], { catalogId: 'client' })
    await telling.write(catalogId, 'one')
    for (const { id, receiver } of ears) {
      await telling.all(id, 1)
      expect(receiver.received[0]?.json.data.catalogId).toBe(catalogId)
    }
    expect(await telling.deliveries(deaf.id)).toEqual([])
  })

  it('come after the record’s own event, in the order of their names, one number each', async () => {
    const catalogId = telling.catalog()
    await define(titled('b.second', { catalogId }))
    await define(titled('a.first', { catalogId }))
    const events = ['b.second', 'a.first', 'record.created']
    const { id, receiver } = await listening(events, { catalogId })
    await telling.write(catalogId, 'one')
    await telling.all(id, 3)
    expect(receiver.received.map(({ json }) => [json.type, json.data.sequenceId])).toEqual([
      ['record.created', 1],
      ['a.first', 2],
      ['b.second', 3],
    ])
    const { json } = await telling.api.get('/v1/notifications?limit=3')
    expect(json.items.map(({ event }: any) => event)).toEqual([
      'b.second',
      'a.first',
      'record.created',
    ])
  })

  it('say what was chosen, where something was', async () => {
    const catalogId = telling.catalog()
    const data = [
      { name: 'who', from: '/data/user/id' },
      { name: 'now', from: '/data/values/n' },
      { name: 'what', from: '/type' },
      { name: 'nothing', from: '/data/values/none' },
    ]
    await define(titled('chosen', { catalogId: '*', on: ['created'], data }))
    const { id, receiver } = await listening(['chosen'])
    await telling.write(catalogId, 'one')
    await telling.all(id, 1)
    const { json } = receiver.received[0] ?? {}
    expect(json.data.values).toEqual({ who: 'anna', now: 1, what: 'chosen' })
    expect(json.data).not.toHaveProperty('prevValues')
    await telling.api.delete('/v1/event-types/chosen')
  })

  it('pass the filters of a subscription like any other event', async () => {
    const catalogId = telling.catalog()
    await define(titled('filtered', { catalogId }))
    const settings = [
      { catalogId: 'elsewhere' },
      { catalogId, fields: ['other'] },
      { catalogId, initiators: ['ben'] },
      { catalogId, conditions: [{ field: 'n', op: 'gt', value: 1 }] },
    ]
    const silent = await Promise.all(settings.map((one) => listening(['filtered'], one)))
    const { id } = await listening(['filtered'], { catalogId, fields: ['n'] })
    await telling.write(catalogId, 'one')
    await telling.all(id, 1)
    for (const one of silent) expect(await telling.deliveries(one.id)).toEqual([])
  })

  it('of a caller’s own commit are told with it', async () => {
    const catalogId = telling.catalog()
    await define(titled('theirs', { catalogId }))
    const { id } = await listening(['theirs', 'record.created'], { catalogId })
    const { json } = await telling.api.approve({ catalogId, values: { n: 1 }, commit: 'caller' })
    expect(await telling.deliveries(id)).toEqual([])
    const path = `/v1/approvals/${json.id}/commit`
    const body = { token: json.approval.token, recordId: 'r1' }
    expect((await telling.api.post(path, body)).json.notifications).toBe(2)
    // Said again, it is the same answer and nothing else.
    expect((await telling.api.post(path, body)).json.notifications).toBe(2)
    const events = (await telling.all(id, 2)).map(({ event }) => event)
    expect(events).toEqual(['record.created', 'theirs'])
  })

  it('are not raised by what is denied, tried out or only typed', async () => {
    const catalogId = telling.catalog()
    await define(titled('never', { catalogId }))
    const { id } = await listening(['never'])
    const validator = await telling.receiver((_request, response) => {
      response.writeHead(200).end('{"decision":"deny"}')
    })
    const asked = { catalogId, url: validator.url, events: ['record.before.created'] }
    const { id: denying } = await telling.api.subscribe(asked)
    await telling.api.approve({ catalogId, values: { n: 1 } })
    await telling.api.delete(`/v1/subscriptions/${denying}`)
    await telling.api.approve({ catalogId, values: { n: 1 }, commit: 'none' })
    await telling.api.approve({ event: 'record.updating', catalogId, values: { n: 1 } })
    await telling.api.approve({ catalogId, values: { n: 1 } })
    await telling.all(id, 1)
  })

  it('that programs raise are durable when they are taken, and found although nobody listens', async () => {
    await define(titled('sos'))
    const alone = await telling.api.post('/v1/events', { type: 'sos', data: { driver: 6 } })
    expect(alone.status).toBe(202)
    const { id, receiver } = await listening(['sos'])
    const conditions = [{ field: 'driver', op: 'eq', value: 7 }]
    const { id: other } = await listening(['sos'], { catalogId: 'driver', conditions })
    const event = {
      type: 'sos',
      data: { driver: 7, place: 'bridge' },
      user: { id: 'ben' },
      recordId: 'd7',
      catalogId: 'driver',
    }
    const { status, json } = await telling.api.post('/v1/events', event)
    expect(status).toBe(202)
    await telling.all(id, 1)
    await telling.all(other, 1)
    expect(receiver.received[0]?.headers['webhook-id']).toBe(`${json.id}_${id}`)
    expect(receiver.received[0]?.json).toMatchObject({
      type: 'sos',
      data: { recordId: 'd7', catalogId: 'driver', values: event.data, user: { id: 'ben' } },
    })
    const { items } = (await telling.api.get('/v1/notifications?limit=2')).json
    expect(items.map((one: any) => one.id)).toEqual([json.id, alone.json.id])
  })

  it('change what is raised from the next commit on', async () => {
    const catalogId = telling.catalog()
    await define(titled('moving', { catalogId, on: ['created'] }))
    const { id } = await listening(['moving'])
    await telling.write(catalogId, 'a')
    await telling.api.patch('/v1/event-types/moving', { on: ['deleted'] })
    await telling.write(catalogId, 'b')
    expect((await telling.api.delete('/v1/event-types/moving')).status).toBe(204)
    await telling.api.approve({ event: 'record.before.deleted', catalogId, recordId: 'a' })
    await define(titled('moving', { catalogId, on: ['deleted'] }))
    await telling.api.approve({ event: 'record.before.deleted', catalogId, recordId: 'b' })
    expect((await telling.all(id, 2)).map(({ recordId }) => recordId)).toEqual(['a', 'b'])
  })

  it('read back as they were defined, in pages by name', async () => {
    const full = {
      name: 'an event of ours',
      title: { en: 'An event', ru: 'Событие', uk: 'Подія' },
      catalogId: 'things',
      on: ['created', 'deleted'],
      fields: ['a', 'b'],
      conditions: [{ field: 'a', source: 'prevValues', op: 'matches', value: '^x' }],
      data: [{ name: 'a', from: '/data/values/a' }],
    }
    expect(await define(full)).toEqual(full)
    const path = `/v1/event-types/${encodeURIComponent(full.name)}`
    expect((await telling.api.get(path)).json).toEqual(full)
    const raised = await telling.api.patch(path, { catalogId: null, data: null })
    expect(raised.json).toEqual({ name: full.name, title: full.title })
    const derived = await telling.api.patch(path, { catalogId: 'things', title: { en: 'Other' } })
    const on = ['created', 'updated', 'deleted']
    expect(derived.json).toEqual({
      name: full.name,
      title: { en: 'Other' },
      catalogId: 'things',
      on,
      fields: [],
      conditions: [],
    })
    const names: string[] = []
    for (let cursor = ''; ; ) {
      const { json } = await telling.api.get(`/v1/event-types?limit=2${cursor}`)
      names.push(...json.items.map((one: any) => one.name))
      if (json.nextCursor === null) break
      cursor = `&cursor=${json.nextCursor}`
    }
    expect(names).toEqual([...new Set(names)].sort())
    expect(names).toContain(full.name)
  })

  it.each<[string, object, string]>([
    ['no title', { name: 'x' }, '/title'],
    ['no English title', { name: 'x', title: { ru: 'Да' } }, '/title/en'],
    ['a name of the gateway’s', titled('record.created'), '/name'],
    ['a name that begins like one', titled('record.exploded'), '/name'],
    ['the name of the app event', titled('application'), '/name'],
    ['an operation that there is not', titled('x', { catalogId: 'c', on: ['read'] }), '/on/0'],
    ['no operation', titled('x', { catalogId: 'c', on: [] }), '/on'],
    ['watched fields without a catalog', titled('x', { fields: ['a'] }), '/fields'],
    ['operations without a catalog', titled('x', { on: ['created'] }), '/on'],
    [
      'conditions without a catalog',
      titled('x', { conditions: [{ field: 'a', op: 'exists' }] }),
      '/conditions',
    ],
    [
      'a condition that says nothing',
      titled('x', { catalogId: 'c', conditions: [{ field: 'a', op: 'in', value: 1 }] }),
      '/conditions/0',
    ],
    ['data that points nowhere', titled('x', { data: [{ name: 'a', from: 'a' }] }), '/data/0/from'],
    [
      'data with a name twice',
      titled('x', {
        data: [
          { name: 'a', from: '/data' },
          { name: 'a', from: '/type' },
        ],
      }),
      '/data/1/name',
    ],
  ])('are not defined with %s', async (_what, eventType, pointer) => {
    const { status, json } = await telling.api.post('/v1/event-types', eventType)
    expect(status).toBe(422)
    expect(json.errors.map((one: any) => one.pointer)).toEqual([pointer])
  })

  it('are defined once, and unknown ones are not there', async () => {
    await define(titled('once'))
    expect((await telling.api.post('/v1/event-types', titled('once'))).json.code).toBe(
      'already_exists',
    )
    const path = '/v1/event-types/nobody'
    for (const answer of [
      await telling.api.get(path),
      await telling.api.patch(path, {}),
      await telling.api.delete(path),
    ]) {
      expect(answer.status).toBe(404)
    }
    expect((await telling.api.patch('/v1/event-types/once', { on: ['created'] })).status).toBe(422)
  })

  it('that are derived, or not defined, are raised by nobody', async () => {
    await define(titled('derived', { catalogId: 'c' }))
    for (const type of ['derived', 'unheard of', 'record.created', 'application']) {
      const { status, json } = await telling.api.post('/v1/events', { type, data: {} })
      expect([status, json.errors?.[0]?.pointer]).toEqual([422, '/type'])
    }
    const unfit = await telling.api.post('/v1/events', { type: 'sos', data: 'much' })
    expect([unfit.status, unfit.json.errors[0].pointer]).toEqual([422, '/data'])
    const data = Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`v${n}`, n]))
    const much = await telling.api.post('/v1/events', { type: 'sos', data })
    expect([much.status, much.json.code]).toEqual([422, 'too_many_values'])
  })

  it('can be subscribed to once they are defined, and be tried out', async () => {
    const receiver = await telling.receiver()
    const settings = { name: 'x', url: receiver.url, events: ['record.created', 'undefined yet'] }
    const refused = await telling.api.post('/v1/subscriptions', settings)
    expect([refused.status, refused.json.errors[0].pointer]).toEqual([422, '/events/1'])
    await define(titled('undefined yet'))
    const { id } = await telling.api.subscribe(settings)
    const misspelt = await telling.api.patch(`/v1/subscriptions/${id}`, { events: ['recrod'] })
    expect([misspelt.status, misspelt.json.errors[0].pointer]).toEqual([422, '/events/0'])
    const trial = (event: string) =>
      telling.api.post(`/v1/subscriptions/${id}/test`, { event, values: { a: 1 } })
    expect((await trial('undefined yet')).json.decision).toBe('allow')
    expect(receiver.received[0]?.json).toMatchObject({
      type: 'undefined yet',
      data: { values: { a: 1 } },
    })
    expect((await trial('application')).json.decision).toBe('allow')
    expect(receiver.received[1]?.json.data.values).toMatchObject({ access_token: '***' })
    const unknown = await trial('nothing of ours')
    expect([unknown.status, unknown.json.errors[0].pointer]).toEqual([422, '/event'])
  })
})
