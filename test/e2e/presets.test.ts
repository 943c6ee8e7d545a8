/** Presets bring what an account lacks, and leave alone what it has. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { EVENT_TYPES_PER_ACCOUNT_MAX } from '../../src/domain/event-type.ts'
import { PRESETS } from '../../src/domain/presets/index.ts'
import { Api, startTestGateway, type TestGateway } from '../support/gateway.ts'
import { DATABASES } from '../support/places.ts'

const idsOf = (items: readonly { readonly id: string }[]) => items.map(({ id }) => id)
const namesOf = (items: readonly { readonly name: string }[]) => items.map(({ name }) => name)
const NOTHING = { catalogs: [], eventTypes: [] }

describe.each(DATABASES)('presets on the %s database', (database) => {
  let gateway: TestGateway
  const api = () => gateway.api
  beforeAll(async () => {
    gateway = await startTestGateway(database)
  })
  afterAll(() => gateway.close())

  /** Everything of a kind, page by page. */
  const all = async (path: string): Promise<any[]> => {
    const items: any[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const at: string = cursor === '' ? '' : `&cursor=${cursor}`
      const { json } = await api().get(`${path}?limit=200${at}`)
      items.push(...json.items)
      cursor = json.nextCursor
    }
    return items
  }
  const state = async () => ({
    catalogs: await all('/v1/catalogs'),
    eventTypes: await all('/v1/event-types'),
  })
  const catalogPath = (id: string) => `/v1/catalogs/${encodeURIComponent(id)}`
  const load = (name: string) => api().post(`/v1/presets/${name}`)

  /** The settings that the account's changes are decided under. */
  const generation = async (): Promise<number> => {
    const decided = await api().approve({ catalogId: 'elsewhere', commit: 'none' })
    return (await api().get(`/v1/decisions/${decided.json.id}`)).json.generation
  }

  // Each test begins with an account that has nothing.
  beforeEach(async () => {
    const { catalogs, eventTypes } = await state()
    for (const { name } of eventTypes) await api().delete(`/v1/event-types/${name}`)
    for (const { id } of catalogs) {
      for (const record of await all(`${catalogPath(id)}/records`)) {
        await api().delete(`${catalogPath(id)}/records/${record.id}`)
      }
      await api().delete(catalogPath(id))
    }
    expect(await state()).toEqual({ catalogs: [], eventTypes: [] })
  })

  describe.each(PRESETS)('$name', (preset) => {
    const { name, catalogs, eventTypes } = preset
    const everything = { catalogs: idsOf(catalogs), eventTypes: namesOf(eventTypes) }

    it('creates its catalogs and event types, and says so', async () => {
      const loaded = await load(name)
      expect(loaded.status).toBe(201)
      expect(loaded.json).toMatchObject({ name, created: everything, kept: NOTHING })
      const after = await state()
      expect(after.catalogs).toEqual(
        // As JSON has it: without the members that are undefined.
        JSON.parse(JSON.stringify(catalogs)).toSorted((a: any, b: any) => (a.id < b.id ? -1 : 1)),
      )
      expect(namesOf(after.eventTypes)).toEqual(everything.eventTypes.toSorted())
      for (const { name: type, title, catalogId, conditions } of eventTypes) {
        const found = after.eventTypes.find((one) => one.name === type)
        expect(found).toMatchObject({ title, ...(catalogId !== null && { catalogId, conditions }) })
      }
    })

    it('changes nothing the second time, not even the generation of the settings', async () => {
      const first = await load(name)
      const before = { state: await state(), generation: await generation() }
      const second = await load(name)
      expect(second.status).toBe(200)
      expect(second.json).toEqual({ ...first.json, created: NOTHING, kept: everything })
      expect({ state: await state(), generation: await generation() }).toEqual(before)
    })

    it('brings nothing that an administrator could not have written', async () => {
      await load(name)
      const before = await state()
      for (const catalog of before.catalogs) {
        await api().delete(catalogPath(catalog.id))
        const made = await api().post('/v1/catalogs', catalog)
        expect([made.status, made.json]).toEqual([201, catalog])
      }
      for (const eventType of before.eventTypes) {
        await api().delete(`/v1/event-types/${eventType.name}`)
        const made = await api().post('/v1/event-types', eventType)
        expect([made.status, made.json]).toEqual([201, eventType])
      }
      expect((await load(name)).status).toBe(200)
      expect(await state()).toEqual(before)
    })
  })

  it('are loaded beside each other', async () => {
    for (const { name } of PRESETS) expect((await load(name)).status).toBe(201)
    for (const { name } of PRESETS) expect((await load(name)).status).toBe(200)
    const { catalogs, eventTypes } = await state()
    expect(catalogs).toHaveLength(PRESETS.flatMap((preset) => preset.catalogs).length)
    expect(eventTypes).toHaveLength(PRESETS.flatMap((preset) => preset.eventTypes).length)
  })

  it('leave what an administrator changed, and show it', async () => {
    await load('taxi')
    const { json: order } = await api().get('/v1/catalogs/order')
    const options = [{ id: 'airport', title: 'Airport' }]
    const fields = order.fields
      .filter(({ id }: any) => id !== 'distribution_method')
      .map((field: any) => (field.id === 'order_type' ? { ...field, options } : field))
    await api().patch('/v1/catalogs/order', { title: 'Rides', fields })
    const edited = {
      title: { en: 'Ride edited' },
      conditions: [{ field: 'price', op: 'changed' }],
    }
    await api().patch('/v1/event-types/order.edited', edited)
    const before = await state()
    const again = await load('taxi')
    expect([again.status, again.json.created]).toEqual([200, NOTHING])
    expect(await state()).toEqual(before)
    expect(before.catalogs.find(({ id }) => id === 'order')).toMatchObject({
      title: 'Rides',
      fields,
    })
    expect(before.eventTypes.find(({ name }) => name === 'order.edited')).toMatchObject(edited)
    expect(
      again.json.actionConditions.map(({ catalogId, field }: any) => `${catalogId}.${field}`),
    ).toEqual([
      'driver.status',
      'driver.driver_group',
      'order.status',
      'order.distribution_status',
      'order.order_type',
    ])
    expect(again.json.actionConditions.at(-1)).toEqual({
      catalogId: 'order',
      field: 'order_type',
      title: 'Order type',
      options,
    })
  })

  it('bring back what was deleted when they are loaded again, and nothing else', async () => {
    await load('taxi')
    const before = await state()
    await api().patch('/v1/event-types/order.created', { title: { en: 'Ride created' } })
    await api().delete('/v1/catalogs/driver')
    await api().delete('/v1/event-types/order.edited')
    await load('helpdesk')
    expect((await api().get('/v1/catalogs/driver')).status).toBe(404)
    expect((await api().get('/v1/event-types/order.edited')).status).toBe(404)
    const again = await load('taxi')
    expect(again.status).toBe(201)
    expect(again.json.created).toEqual({ catalogs: ['driver'], eventTypes: ['order.edited'] })
    expect(again.json.kept.catalogs).toEqual(['order'])
    expect(again.json.kept.eventTypes).toHaveLength(17)
    const after = await state()
    for (const catalog of before.catalogs) expect(after.catalogs).toContainEqual(catalog)
    for (const eventType of before.eventTypes.filter(({ name }) => name !== 'order.created')) {
      expect(after.eventTypes).toContainEqual(eventType)
    }
    expect(after.eventTypes).toContainEqual(
      expect.objectContaining({ name: 'order.created', title: { en: 'Ride created' } }),
    )
  })

  it('define a catalog that came into being with its first record, and leave the record', async () => {
    const asked = { catalogId: 'loyalty rule', recordId: 'r1' }
    await api().approve({ ...asked, values: { own: true } })
    const loaded = await load('pos')
    expect([loaded.status, loaded.json.created.catalogs.length]).toEqual([201, 26])
    const { fields } = (await api().get('/v1/catalogs/loyalty%20rule')).json
    expect(fields.length).toBeGreaterThan(0)
    const record = (await api().get('/v1/catalogs/loyalty%20rule/records/r1')).json
    expect(record.values).toEqual({ own: true })
    expect((await load('pos')).json.created).toEqual(NOTHING)
  })

  it('leave a catalog without fields that somebody has defined, before or after its first record', async () => {
    await api().post('/v1/catalogs', { id: 'spot', title: 'Ours' })
    await api().approve({ catalogId: 'waiter', values: { own: true } })
    await api().patch('/v1/catalogs/waiter', { title: 'Ours too' })
    await api().approve({ catalogId: 'supply', values: { own: true } })
    const defined = { id: 'supply', title: 'Ours as well' }
    expect((await api().post('/v1/catalogs', defined)).status).toBe(201)
    expect((await api().post('/v1/catalogs', defined)).json.code).toBe('already_exists')
    expect((await load('pos')).json.kept.catalogs.toSorted()).toEqual(['spot', 'supply', 'waiter'])
    for (const id of ['spot', 'supply', 'waiter']) {
      expect((await api().get(`/v1/catalogs/${id}`)).json.fields).toEqual([])
    }
  })

  it('create each thing once when they are loaded several times at once', async () => {
    const loaded = await Promise.all([load('pos'), load('pos'), load('pos'), load('pos')])
    const created = loaded.map(({ json }) => json.created)
    expect(created.flatMap(({ catalogs }) => catalogs)).toHaveLength(26)
    expect(created.flatMap(({ eventTypes }) => eventTypes)).toHaveLength(5)
    expect(loaded.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200, 200, 200, 201,
    ])
  })

  it('check changes against their fields from the first one on', async () => {
    const change = { catalogId: 'driver', values: { status: 'asleep' }, commit: 'none' }
    expect((await api().approve(change)).status).toBe(200)
    await load('taxi')
    const refused = await api().approve(change)
    expect([refused.status, refused.json.errors]).toEqual([
      422,
      [expect.objectContaining({ pointer: '/values/status' })],
    ])
  })

  it('create nothing at all where an account has no room for their event types', async () => {
    const { eventTypes } = PRESETS.find(({ name }) => name === 'taxi') ?? { eventTypes: [] }
    const room = eventTypes.length - 1
    const fill = Array.from({ length: EVENT_TYPES_PER_ACCOUNT_MAX - room }, (_, index) => index)
    for (const index of fill) {
      await api().post('/v1/event-types', { name: `own.${index}`, title: { en: 'Own' } })
    }
    const refused = await load('taxi')
    expect([refused.status, refused.json.code]).toEqual([422, 'limit_reached'])
    expect((await state()).catalogs).toEqual([])
    // With one of its own there is room for the rest: what is there already takes none.
    await api().delete('/v1/event-types/own.0')
    expect((await load('taxi')).status).toBe(201)
    expect(await all('/v1/event-types')).toHaveLength(EVENT_TYPES_PER_ACCOUNT_MAX)
    await api().delete('/v1/catalogs/order')
    const again = await load('taxi')
    expect([again.status, again.json.created]).toEqual([
      201,
      { catalogs: ['order'], eventTypes: [] },
    ])
  })

  it('are listed with what each of them brings', async () => {
    const { status, json } = await api().get('/v1/presets')
    expect(status).toBe(200)
    expect(json.nextCursor).toBeNull()
    expect(namesOf(json.items)).toEqual(['helpdesk', 'pos', 'taxi'])
    for (const [index, { title, catalogs, eventTypes }] of PRESETS.entries()) {
      const listed = json.items[index]
      expect(listed.title).toEqual(title)
      expect(listed.catalogs).toEqual(
        catalogs.map(({ id, title: called }) => ({ id, title: called })),
      )
      expect(listed.eventTypes).toEqual(
        eventTypes.map(({ name, title: called, catalogId }) => ({
          name,
          title: called,
          ...(catalogId !== null && { catalogId }),
        })),
      )
    }
    expect(json.items.map(({ actionConditions }: any) => actionConditions.length)).toEqual([
      0, 0, 6,
    ])
    expect((await load('taxi')).json.actionConditions).toEqual(json.items[2].actionConditions)
    const first = await api().get('/v1/presets?limit=2')
    expect(namesOf(first.json.items)).toEqual(['helpdesk', 'pos'])
    const rest = await api().get(`/v1/presets?limit=2&cursor=${first.json.nextCursor}`)
    expect([namesOf(rest.json.items), rest.json.nextCursor]).toEqual([['taxi'], null])
    expect((await api().get('/v1/presets?limit=0')).status).toBe(400)
    expect((await api().get('/v1/presets?cursor=x')).json.code).toBe('invalid_query')
  })

  it('are loaded with manage, read with read, and neither without a key', async () => {
    const keyOf = async (...scopes: string[]) =>
      new Api(gateway.url, (await api().post('/v1/keys', { name: 'A key', scopes })).json.key)
    const [reader, manager, approver] = [
      await keyOf('read'),
      await keyOf('manage'),
      await keyOf('approve'),
    ]
    const statuses = async (caller: Api, options = {}) => [
      (await caller.get('/v1/presets', options)).status,
      (await caller.post('/v1/presets/taxi', undefined, options)).status,
    ]
    expect(await statuses(api(), { key: null })).toEqual([401, 401])
    expect(await statuses(approver)).toEqual([403, 403])
    expect(await statuses(reader)).toEqual([200, 403])
    expect((await state()).catalogs).toEqual([])
    // Who may change settings may read them.
    expect(await statuses(manager)).toEqual([200, 201])
  })

  it('that nobody knows are not found, and nothing else can be done with one', async () => {
    for (const name of ['bank', 'TAXI', 'constructor', '__proto__', 'taxi%20']) {
      const answer = await load(name)
      expect([answer.status, answer.json.code]).toEqual([404, 'not_found'])
    }
    expect(await state()).toEqual({ catalogs: [], eventTypes: [] })
    const deleted = await api().delete('/v1/presets/taxi')
    expect([deleted.status, deleted.headers.get('allow')]).toEqual([405, 'POST'])
  })
})
