/** The buttons of a taxi dispatcher's menu, with the preset `taxi` over HTTP. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../../support/gateway.ts'
import { DATABASES } from '../../support/places.ts'
import { reply, startValidator, type ValidatorServer } from '../../support/validator-server.ts'

type Values = Readonly<Record<string, string>>

/** What the source lets a button depend on, in the source's own words. */
const LISTS = [
  {
    catalogId: 'driver',
    field: 'status',
    titles: ['free', 'on break', 'on order', 'blocked', 'order offered'],
  },
  { catalogId: 'driver', field: 'driver_group', titles: ['day', 'night', 'VIP'] },
  {
    catalogId: 'order',
    field: 'status',
    titles: ['new', 'accepted', 'at the place', 'en route', 'completed', 'cancelled', 'overdue'],
  },
  {
    catalogId: 'order',
    field: 'distribution_status',
    titles: [
      'off',
      'awaiting distribution',
      'awaiting acceptance',
      'accepted',
      'declined',
      'no driver found',
    ],
  },
  {
    catalogId: 'order',
    field: 'distribution_method',
    titles: [
      'no driver',
      'personal',
      'on air',
      'exchanger',
      'RBT',
      'UP&UP',
      'Taxik',
      'Sedi',
      'external app',
      'MultiTaxi',
    ],
  },
  { catalogId: 'order', field: 'order_type', titles: ['city', 'airport', 'delivery', 'transfer'] },
] as const

/** Which groups of drivers and types of orders there are is each company's own affair. */
const OWN_LISTS: readonly string[] = ['driver_group', 'order_type']

describe.each(DATABASES)('buttons of a taxi dispatch on the %s database', (database) => {
  let gateway: TestGateway
  let endpoint: ValidatorServer
  const api = () => gateway.api
  beforeAll(async () => {
    gateway = await startTestGateway(database)
    endpoint = await startValidator(reply(200, { message: 'Сделано.' }))
    const loaded = await api().post('/v1/presets/taxi')
    expect(loaded.status).toBe(201)
    for (const { catalogId, field, titles } of LISTS) {
      if (OWN_LISTS.includes(field)) await giveOptions(catalogId, field, titles)
    }
  })
  afterAll(async () => {
    await gateway.close()
    await endpoint.close()
  })

  /** As an administrator does it. */
  const giveOptions = async (catalogId: string, field: string, titles: readonly string[]) => {
    const { fields } = (await api().get(`/v1/catalogs/${catalogId}`)).json
    const options = titles.map((title) => ({ id: title.toLowerCase(), title }))
    const changed = fields.map((one: any) => (one.id === field ? { ...one, options } : one))
    const { status } = await api().patch(`/v1/catalogs/${catalogId}`, { fields: changed })
    expect(status).toBe(200)
  }
  const optionsOf = async (catalogId: string, field: string) => {
    const { fields } = (await api().get(`/v1/catalogs/${catalogId}`)).json
    const { options } = fields.find(({ id }: any) => id === field)
    return options as { readonly id: string; readonly title: string }[]
  }
  const idsOf = async (catalogId: string, field: string) =>
    (await optionsOf(catalogId, field)).map(({ id }) => id)

  let made = 0
  const record = async (catalogId: string, values: Record<string, unknown>): Promise<string> => {
    const id = `r${++made}`
    const path = `/v1/catalogs/${catalogId}/records`
    const answer = await api().post(path, { id, values, user: { id: 'dispatcher' } })
    if (answer.status !== 201) throw new Error(`not written: ${answer.text}`)
    return `${path}/${id}/actions`
  }
  const button = async (settings: Record<string, unknown>): Promise<string> => {
    const answer = await api().post('/v1/actions', { url: endpoint.url, title: 'B', ...settings })
    if (answer.status !== 201) throw new Error(`not defined: ${answer.text}`)
    return answer.json.id
  }
  const shown = async (menu: string): Promise<string[]> =>
    (await api().get(menu)).json.items.map(({ id }: any) => id)

  /**
   * A button for each of the cases, conditioned on all of its values, and a record for each of them: every
   * record's menu must have the button of its own case, and none of all the others.
   */
  const expectEachItsOwn = async (catalogId: string, cases: readonly Values[]) => {
    const buttons: string[] = []
    for (const values of cases) {
      const conditions = Object.entries(values).map(([field, value]) => ({
        field,
        op: 'eq',
        value,
      }))
      buttons.push(await button({ catalogId, conditions }))
    }
    for (const [index, values] of cases.entries()) {
      const menu = await record(catalogId, values)
      expect(await shown(menu), JSON.stringify(values)).toEqual([buttons[index]])
      // What is hidden cannot be pressed either.
      for (const [other, id] of buttons.entries()) {
        if (cases.length > 10 && other !== index && other !== (index + 1) % cases.length) continue
        const { status, json } = await api().post(`${menu}/${id}`)
        const said = [status, status === 200 ? json.status : json.code]
        expect(said).toEqual(other === index ? [200, 'done'] : [409, 'action_not_available'])
      }
    }
    expect(await shown(await record(catalogId, {}))).toEqual([])
    for (const id of buttons) await api().delete(`/v1/actions/${id}`)
  }

  it('T3 a driver and an order each have a menu of their own, with titles, questions and messages', async () => {
    const driver = await record('driver', { name: 'Олег', status: 'free' })
    const order = await record('order', { status: 'new' })
    const call = await button({ title: 'Позвонить', catalogId: 'driver' })
    const block = await button({
      title: 'Заблокировать',
      catalogId: 'driver',
      confirmText: 'Заблокировать водителя?',
    })
    const cancel = await button({ title: 'Отменить', catalogId: 'order' })
    const note = await button({ title: 'Заметка', catalogId: '*' })
    const { items } = (await api().get(driver)).json
    expect(items.map(({ id, title }: any) => [id, title])).toEqual([
      [block, 'Заблокировать'],
      [note, 'Заметка'],
      [call, 'Позвонить'],
    ])
    expect(items[0].confirmText).toBe('Заблокировать водителя?')
    expect(await shown(order)).toEqual([note, cancel])
    const pressed = await api().post(`${driver}/${call}`, { user: { id: 'dispatcher' } })
    expect([pressed.status, pressed.json]).toMatchObject([
      200,
      { status: 'done', message: { text: 'Сделано.' }, httpStatus: 200 },
    ])
    expect((await api().post(`${order}/${call}`)).status).toBe(404)
    for (const id of [call, block, cancel, note]) await api().delete(`/v1/actions/${id}`)
  })

  it.each(LISTS)('T4 the preset has the whole list of $catalogId $field', async (list) => {
    const { catalogId, field, titles } = list
    const options = await optionsOf(catalogId, field)
    expect(options.map(({ title }) => title.toLowerCase())).toEqual(
      titles.map((title) => title.toLowerCase()),
    )
  })

  it('T4 the preset names the fields that a button may depend on, for drivers and for orders', async () => {
    const { items } = (await api().get('/v1/presets')).json
    const { actionConditions } = items.find(({ name }: any) => name === 'taxi')
    expect(actionConditions.map(({ catalogId, field }: any) => ({ catalogId, field }))).toEqual(
      LISTS.map(({ catalogId, field }) => ({ catalogId, field })),
    )
  })

  it.each(LISTS)(
    'T4 a button for one $field of a $catalogId is shown with that one and hidden with every other',
    async ({ catalogId, field, titles }) => {
      const ids = await idsOf(catalogId, field)
      expect(ids).toHaveLength(titles.length)
      await expectEachItsOwn(
        catalogId,
        ids.map((id) => ({ [field]: id })),
      )
    },
  )

  it('T4 a button for a status and a group of drivers is shown when both hold, of all combinations', async () => {
    const groups = await idsOf('driver', 'driver_group')
    const statuses = await idsOf('driver', 'status')
    const cases = statuses.flatMap((status) =>
      groups.map((group) => ({ status, driver_group: group })),
    )
    expect(cases).toHaveLength(15)
    await expectEachItsOwn('driver', cases)
  })

  it('T4 a button for a status and a distribution status is shown when both hold, of all combinations', async () => {
    const distributions = await idsOf('order', 'distribution_status')
    const statuses = await idsOf('order', 'status')
    const cases = statuses.flatMap((status) =>
      distributions.map((distribution) => ({ status, distribution_status: distribution })),
    )
    expect(cases).toHaveLength(42)
    await expectEachItsOwn('order', cases)
  })

  it('T4 a button for all four conditions of an order is shown when all four hold', async () => {
    const fields = ['status', 'distribution_status', 'distribution_method', 'order_type']
    let cases: Values[] = [{}]
    for (const field of fields) {
      const two = (await idsOf('order', field)).slice(0, 2)
      cases = cases.flatMap((values) => two.map((id) => ({ ...values, [field]: id })))
    }
    expect(cases).toHaveLength(16)
    await expectEachItsOwn('order', cases)
  })

  it('T4 a button follows its record: it appears with the change that makes its conditions hold', async () => {
    const menu = await record('order', { status: 'new', distribution_status: 'off' })
    const path = menu.replace(/\/actions$/, '')
    const id = await button({
      catalogId: 'order',
      conditions: [
        { field: 'status', op: 'in', value: ['accepted', 'en_route'] },
        { field: 'distribution_status', op: 'ne', value: 'off' },
      ],
    })
    const seen: string[][] = []
    for (const values of [
      { status: 'accepted' },
      { distribution_status: 'accepted' },
      { status: 'en_route' },
      { status: 'completed' },
    ]) {
      expect((await api().patch(path, { values })).status).toBe(200)
      seen.push(await shown(menu))
    }
    expect(seen).toEqual([[], [id], [id], []])
    await api().delete(`/v1/actions/${id}`)
  })

  const ROWS = [
    {
      catalogId: 'driver',
      values: { name: 'Олег & Ко', callsign: '7 А', status: 'free', balance: -12.5 },
      parameters: [
        { name: 'driver', from: '/data/recordId' },
        { name: 'name', from: '/data/values/name' },
        { name: 'callsign', from: '/data/values/callsign' },
        { name: 'balance', from: '/data/values/balance' },
        { name: 'operator', from: '/data/user/id' },
      ],
      chosen: { name: 'Олег & Ко', callsign: '7 А', balance: -12.5, operator: 'd 1' },
    },
    {
      catalogId: 'order',
      values: { number: 1007, status: 'new', client_name: 'Ірина', price: 250, comment: 'a=b&c' },
      parameters: [
        { name: 'order', from: '/data/recordId' },
        { name: 'number', from: '/data/values/number' },
        { name: 'client', from: '/data/values/client_name' },
        { name: 'price', from: '/data/values/price' },
        { name: 'comment', from: '/data/values/comment' },
      ],
      chosen: { number: 1007, client: 'Ірина', price: 250, comment: 'a=b&c' },
    },
  ]
  const METHODS = ['GET', 'POST', 'PUT', 'DELETE']

  it.each(ROWS.flatMap((row) => METHODS.map((method) => ({ ...row, method }))))(
    'T5 a $method sends the chosen parameters of the $catalogId and nothing else',
    async ({ catalogId, values, parameters, chosen, method }) => {
      const menu = await record(catalogId, values)
      const [, recordId = ''] = /records\/(.*)\/actions$/.exec(menu) ?? []
      const id = await button({ catalogId, method, parameters, url: `${endpoint.url}/hook?v=1` })
      const arrives = endpoint.next()
      const answer = await api().post(`${menu}/${id}`, { user: { id: 'd 1' } })
      expect(answer.json).toMatchObject({ status: 'done' })
      const received = await arrives
      const url = new URL(received.path, endpoint.url)
      const expected = { [catalogId]: recordId, ...chosen }
      expect([received.method, url.pathname]).toEqual([method, '/hook'])
      if (method === 'GET') {
        const texts = Object.entries(expected).map(([name, value]) => [name, String(value)])
        expect(Object.fromEntries(url.searchParams)).toEqual({
          v: '1',
          ...Object.fromEntries(texts),
        })
        expect(received.text).toBe('')
      } else {
        expect(url.search).toBe('?v=1')
        expect(received.headers['content-type']).toBe('application/json')
        expect(received.json).toEqual(expected)
      }
      await api().delete(`/v1/actions/${id}`)
    },
  )
})
