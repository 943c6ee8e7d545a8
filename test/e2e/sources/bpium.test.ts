/** What Bpium does, row by row of the list of features, through the API. */
import { createHmac } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseAllowList } from '../../../src/adapters/outbound/egress-policy.ts'
import { systemClock } from '../../../src/adapters/system/clock.ts'
import type { Clock } from '../../../src/app/ports.ts'
import { startGateway } from '../../../src/compose.ts'
import { readConfig } from '../../../src/config.ts'
import { eventually } from '../../support/eventually.ts'
import { ADMIN_KEY, Api, startTestGateway, type TestGateway } from '../../support/gateway.ts'
import { DATABASES, temporaryFolder } from '../../support/places.ts'
import {
  type Behaviour,
  hang,
  type Received,
  reply,
  startValidator,
  type ValidatorServer,
} from '../../support/validator-server.ts'

const SECRET = 'a secret of ours; с пробелами'
const WEBHOOKS = '/api/v1/catalogs/webhooks/records'
const BEFORE = ['record.before.created', 'record.before.updated', 'record.before.deleted']
const AFTER = ['record.created', 'record.updated', 'record.deleted']
const EVENTS = [...AFTER, ...BEFORE, 'record.updating']

const basic = (userName: string) =>
  `Basic ${Buffer.from(`${userName}:${ADMIN_KEY}`).toString('base64')}`
const by = (userName: string) => ({ key: null, headers: { authorization: basic(userName) } })
const ANNA = by('anna')

const okay = reply(200, '')
const eventOf = ({ json }: Received): string => json.hook.event
const signatureOf = (text: string, secret = SECRET) =>
  createHmac('md5', secret).update(text, 'utf8').digest('base64')

describe.each(DATABASES)('Bpium on the %s database', (database) => {
  let gateway: TestGateway
  const servers: ValidatorServer[] = []
  let catalogs = 0
  let catalog = ''
  let records = ''
  const api = () => gateway.api

  beforeAll(async () => {
    gateway = await startTestGateway(database)
  })
  afterAll(async () => {
    for (const one of servers) one.behave = okay
    await gateway.close()
    for (const one of servers) await one.close()
  })
  beforeEach(() => {
    catalog = String(100 + ++catalogs)
    records = `/api/v1/catalogs/${catalog}/records`
  })

  const subscriber = async (behave: Behaviour = okay): Promise<ValidatorServer> => {
    const server = await startValidator(behave)
    servers.push(server)
    return server
  }

  /** A webhook, made as a record. */
  const hook = async (server: ValidatorServer, values: object = {}): Promise<string> => {
    const webhook = { catalog, events: EVENTS, url: server.url, secret: SECRET, ...values }
    const answer = await api().post(WEBHOOKS, { values: webhook }, ANNA)
    expect(answer.status, answer.text).toBe(200)
    return answer.json.id
  }

  const create = (values: object, options: object = ANNA) =>
    api().post(records, { values }, options)
  const change = (id: string, values: object, options: object = ANNA) =>
    api().patch(`${records}/${id}`, { values }, options)
  const remove = (id: string, options: object = ANNA) =>
    api().delete(`${records}/${id}`, undefined, options)
  const edit = (request: object) =>
    api().post('/v1/approve', {
      event: 'record.updating',
      catalogId: catalog,
      user: { id: 'anna' },
      ...request,
    })

  const arrived = (server: ValidatorServer, count: number) =>
    eventually(`${count} messages`, () => server.received.length >= count && server.received)

  describe('B1', () => {
    it('B1 a subscription has a catalog, events, watched fields, an initiator, a URL, a secret and the number of the last event', async () => {
      const server = await subscriber()
      const events = ['record.before.created', 'record.before.updated']
      const id = await hook(server, { events, fields: ['2', '3'], initiator: [{ id: 'anna' }] })
      const read = async () => (await api().get(`${WEBHOOKS}/${id}`, ANNA)).json.values
      expect(await read()).toEqual({
        catalog,
        events,
        fields: ['2', '3'],
        url: server.url,
        initiator: [{ id: 'anna' }],
        secret: '***',
        active: true,
        lastSequenceId: 0,
      })
      const record = (await create({ '2': 'a', '4': 'x' })).json.id
      expect(server.received.map(eventOf)).toEqual(['record.before.created'])
      expect((await read()).lastSequenceId).toBe(1)
      // Another initiator, another field, the same value, an event that is not listed, another catalog.
      await change(record, { '2': 'b' }, by('boris'))
      await change(record, { '4': 'y' })
      await change(record, { '2': 'b', '4': 'z' })
      await api().post('/api/v1/catalogs/elsewhere/records', { values: { '2': 'a' } }, ANNA)
      expect(server.received).toHaveLength(1)
      await change(record, { '3': 1, '4': 'w' })
      await remove(record)
      expect(server.received.map(eventOf)).toEqual(events)
      expect(server.received[1]?.json.payload.values).toEqual({ '3': 1, '4': 'w' })
      for (const { text, headers } of server.received) {
        expect(headers['x-hook-signature']).toBe(signatureOf(text))
      }
      expect((await read()).lastSequenceId).toBe(2)
    })

    it('B1 no watched fields are any fields, and no initiator is anybody', async () => {
      const server = await subscriber()
      await hook(server, { events: BEFORE, fields: [], initiator: [] })
      const { id } = (await create({ '2': 'a' }, {})).json
      await change(id, { '9': 1 }, by('boris'))
      await remove(id)
      expect(server.received.map(eventOf)).toEqual(BEFORE)
      expect(server.received.map(({ json }) => json.user.id)).toEqual([null, 'boris', 'anna'])
    })

    it('B1 a URL has its protocol', async () => {
      const server = await subscriber()
      for (const url of [new URL(server.url).host, 'ftp://127.0.0.1/', '//127.0.0.1/', '']) {
        const values = { catalog, events: EVENTS, url }
        const { status, json } = await api().post(WEBHOOKS, { values }, ANNA)
        expect([url, status, json.errors[0].pointer]).toEqual([url, 400, '/values/url'])
        expect(typeof json.message).toBe('string')
      }
    })
  })

  describe('B2', () => {
    it('B2 requests come before a change, notifications after it, and actions while it is edited', async () => {
      const seen: string[] = []
      const server = await subscriber(async (request, response) => {
        const { json } = await api().get(`/v1/catalogs/${catalog}/records?limit=200`)
        const stored = json.items.map(({ values }: any) => values['2']).join()
        seen.push(`${eventOf(request)} ${stored}`)
        await okay(request, response)
      })
      await hook(server)
      const record = (await create({ '2': 'first' })).json.id
      await eventually('it was told', () => seen.length === 2)
      expect(seen).toEqual(['record.before.created ', 'record.created first'])
      await edit({ recordId: record, values: { '2': 'second' } })
      expect(seen[2]).toBe('record.updating first')
      await change(record, { '2': 'second' })
      await eventually('it was told', () => seen.length === 5)
      expect(seen.slice(3)).toEqual(['record.before.updated first', 'record.updated second'])
      await remove(record)
      await eventually('it was told', () => seen.length === 7)
      expect(seen.slice(5)).toEqual(['record.before.deleted second', 'record.deleted '])
    })

    it('B2 a request that is refused changes nothing, tells nobody, and shows its text to the employee', async () => {
      const server = await subscriber()
      const hookId = await hook(server)
      const { id } = (await create({ '2': 'kept' })).json
      await arrived(server, 2)
      server.behave = (request, response) =>
        BEFORE.includes(eventOf(request))
          ? reply(403, { message: `Нельзя: ${eventOf(request)}` })(request, response)
          : okay(request, response)
      const refused = [await create({}), await change(id, { '2': 'x' }), await remove(id)]
      expect(refused.map(({ status, json }) => [status, json])).toEqual(
        BEFORE.map((event) => [400, { message: `Нельзя: ${event}` }]),
      )
      expect((await api().get(records, ANNA)).json).toMatchObject([{ id, values: { '2': 'kept' } }])
      const { items } = (await api().get(`/v1/deliveries?subscriptionId=${hookId}`)).json
      expect(items).toMatchObject([{ event: 'record.created' }])
    })

    it('B2 an action fills in the form and tells the employee, and nothing is stored', async () => {
      const server = await subscriber(reply(200, { message: 'Found.', values: { '3': 'Anna' } }))
      await hook(server)
      const answer = await edit({ values: { '2': '+7' }, allValues: { '2': '+7', '3': '' } })
      expect(answer.json).toMatchObject({
        decision: 'allow',
        committed: false,
        values: { '3': 'Anna' },
        infos: [{ message: { text: 'Found.' } }],
      })
      expect((await api().get(records, ANNA)).json).toEqual([])
    })
  })

  it('B3 each of the seven events is raised by what it is named after, and by nothing else', async () => {
    const hooks = await Promise.all(
      EVENTS.map(async (event) => {
        const server = await subscriber()
        await hook(server, { events: [event] })
        return { event, server }
      }),
    )
    const heard = () => hooks.map(({ event, server }) => [event, server.received.map(eventOf)])
    const { id } = (await create({ '2': 'a' })).json
    await change(id, { '2': 'b' })
    await edit({ recordId: id, values: { '2': 'c' } })
    await remove(id)
    await eventually('everybody heard', () => hooks.every((one) => one.server.received.length > 0))
    expect(heard()).toEqual(EVENTS.map((event) => [event, [event]]))
    const { items } = (await api().get('/v1/notifications?limit=200')).json
    const told = items.filter((one: any) => one.catalogId === catalog)
    expect(told.map(({ event }: any) => event).toSorted()).toEqual(AFTER.toSorted())
  })

  describe('B4', () => {
    it('B4 requests go to all matching subscriptions in parallel', async () => {
      const count = 5
      const held: (() => void)[] = []
      // Nobody answers before everybody was asked.
      const meet: Behaviour = (request, response) => {
        held.push(() => void okay(request, response))
        if (held.length === count) for (const answer of held) answer()
      }
      for (let n = 0; n < count; n++) await hook(await subscriber(meet), { events: BEFORE })
      const other = await subscriber(reply(403, {}))
      await hook(other, { events: BEFORE, catalog: 'elsewhere' })
      const { status, json } = await create({ '2': 'a' })
      expect([status, json]).toEqual([200, { id: expect.any(String) }])
      expect(held).toHaveLength(count)
      expect(other.received).toEqual([])
    })

    it('B4 the first refusal answers, whoever else has not answered yet or would refuse later', async () => {
      const asked: Received[] = []
      const patient: Behaviour = (request) => void asked.push(request)
      const silent = await subscriber(patient)
      const alsoSilent = await subscriber(hang)
      const refusing = await subscriber((request, response) =>
        eventually('the others were asked', () => asked.length === 1).then(() =>
          reply(422, { message: 'The first to say no.' })(request, response),
        ),
      )
      for (const server of [silent, alsoSilent, refusing]) await hook(server, { events: BEFORE })
      const { status, json } = await create({})
      expect([status, json]).toEqual([400, { message: 'The first to say no.' }])
      const { items } = (await api().get(`/v1/decisions?catalogId=${catalog}`)).json
      expect(items[0].verdicts.map(({ outcome }: any) => outcome)).toEqual([
        'cancelled',
        'cancelled',
        'deny',
      ])
      expect(items[0].timing.decidedMs).toBeLessThan(9_000)
    })

    it('B4 nothing is waited for after the first refusal, not even another one that is near', async () => {
      let said = () => {}
      const isSaid = new Promise<void>((resolve) => {
        said = resolve
      })
      const slower = await subscriber(async (request, response) => {
        await isSaid
        await pause(30)
        await reply(403, { message: 'The second.' })(request, response)
      })
      const quicker = await subscriber((request, response) => {
        response.once('finish', said)
        void eventually('the other was asked', () => slower.received.length === 1).then(() =>
          reply(403, { message: 'The first.' })(request, response),
        )
      })
      for (const server of [slower, quicker]) await hook(server, { events: BEFORE })
      expect((await create({})).json).toEqual({ message: 'The first.' })
    })

    it('B4 who does not answer in ten seconds has refused', async () => {
      const place = await temporaryFolder()
      const variables = {
        PORT: '0',
        ASSENT_ADMIN_KEY: ADMIN_KEY,
        ASSENT_LOG_LEVEL: 'silent',
        ASSENT_EGRESS_ALLOW: '127.0.0.0/8',
        ...place.environment,
      }
      const config = readConfig(variables, (list) => parseAllowList(list, 'allow').faults)
      const quick = await startGateway(config, { clock: fasterClock(20) })
      const there = new Api(quick.url)
      const servers = [await subscriber(), await subscriber(hang)]
      for (const { url } of servers) {
        const values = { catalog, events: BEFORE, url }
        expect((await there.post(WEBHOOKS, { values }, ANNA)).status).toBe(200)
      }
      const { status, json } = await there.post(records, { values: {} }, ANNA)
      expect([status, json]).toEqual([
        400,
        { message: expect.stringMatching(/did not answer in time/) },
      ])
      expect((await there.get(records, ANNA)).json).toEqual([])
      const { items } = (await there.get('/v1/decisions')).json
      const { verdicts, timing } = items[0]
      expect(verdicts).toMatchObject([
        { outcome: 'allow' },
        { outcome: 'failed', cause: 'timeout', applied: 'deny' },
      ])
      expect(timing.decidedMs).toBeGreaterThan(9_900)
      expect(timing.decidedMs).toBeLessThan(20_000)
      await quick.close()
      await place.remove()
    })

    it('B4 who cannot be reached has refused', async () => {
      const gone = await startValidator()
      await gone.close()
      await hook(gone, { events: BEFORE })
      const { status, json } = await create({})
      expect([status, json]).toEqual([400, { message: expect.stringMatching(/cannot be reached/) }])
    })
  })

  it('B5 actions are awaited all, their messages and values are merged, and the person goes on working', async () => {
    const first = await subscriber(reply(200, { message: 'One.', values: { '3': 1, '4': 'a' } }))
    const message = { title: 'Two', text: 'of three' }
    const second = await subscriber(reply(200, { message, values: { '4': 'b', '5': ['1'] } }))
    let release = () => {}
    const last = await subscriber((request, response) => {
      release = () => void reply(201, { values: { '6': null } })(request, response)
    })
    const ids: string[] = []
    for (const server of [first, second, last]) ids.push(await hook(server))
    // These hooks see the requests of what is written meanwhile too; they are about actions here.
    for (const id of ids) {
      const values = { events: ['record.updating'] }
      expect((await api().patch(`${WEBHOOKS}/${id}`, { values }, ANNA)).status).toBe(200)
    }
    const { id } = (await create({ '2': 'old' })).json
    let isAnswered = false
    const editing = edit({ recordId: id, values: { '2': 'new' } }).finally(() => {
      isAnswered = true
    })
    await Promise.all([first, second, last].map((server) => arrived(server, 1)))
    expect((await change(id, { '9': 'meanwhile' })).status).toBe(200)
    expect((await create({ '2': 'another' })).status).toBe(200)
    expect(isAnswered).toBe(false)
    release()
    const { json } = await editing
    expect(json).toMatchObject({
      decision: 'allow',
      committed: false,
      values: { '3': 1, '4': 'a', '5': ['1'], '6': null },
      conflicts: [{ field: '4', chosen: ids[0], others: [ids[1]] }],
    })
    expect(json.infos.map((one: any) => [one.subscriptionId, one.message])).toEqual([
      [ids[0], { text: 'One.' }],
      [ids[1], message],
    ])
    expect((await api().get(`${records}/${id}`, ANNA)).json.values).toEqual({
      '2': 'old',
      '9': 'meanwhile',
    })
  })

  describe('B6', () => {
    const VALUES = {
      '2': 'Текст "в кавычках" \\ / 😀',
      '3': 333.5,
      '4': ['1'],
      '8': '2015-11-06T21:00:00.000Z',
      '11': [{ contact: '8-901-234-56-78', comment: 'основной' }],
      '14': [{ id: '1', title: 'Victor Nikitin' }],
      '15': [
        {
          sectionId: '2',
          catalogId: '5',
          catalogTitle: 'Clients',
          catalogIcon: 'users-10',
          recordId: '33',
          recordTitle: 'Companyname',
        },
      ],
      '16': [
        { id: '5', title: 'a.png', url: 'https://files.example/a', size: 8513, mimeType: 'x/y' },
      ],
    }

    it('B6 a message is exactly this, signed, and numbered over requests and notifications', async () => {
      const server = await subscriber()
      const id = await hook(server)
      const startedAt = Math.floor(Date.now() / 1_000)
      const recordId = (await create(VALUES)).json.id
      await arrived(server, 2)
      await edit({ recordId, values: { '3': 1 }, allValues: { ...VALUES, '3': 1 } })
      await change(recordId, { '2': VALUES['2'], '3': 4, '4': null })
      await arrived(server, 5)
      await remove(recordId)
      await arrived(server, 7)
      const changed = { values: { '3': 4, '4': null }, prevValues: VALUES }
      const expected: [string, object][] = [
        ['record.before.created', { catalogId: catalog, values: VALUES }],
        ['record.created', { catalogId: catalog, recordId, values: VALUES }],
        [
          'record.updating',
          { catalogId: catalog, recordId, values: { '3': 1 }, allValues: { ...VALUES, '3': 1 } },
        ],
        ['record.before.updated', { catalogId: catalog, recordId, ...changed }],
        ['record.updated', { catalogId: catalog, recordId, ...changed }],
        ['record.before.deleted', { catalogId: catalog, recordId }],
        ['record.deleted', { catalogId: catalog, recordId }],
      ]
      expect(server.received.map(({ json }) => ({ ...json, timestamp: undefined }))).toEqual(
        expected.map(([event, payload], index) => ({
          hook: { id, event, sequenceId: index + 1 },
          payload,
          user: { id: 'anna' },
          timestamp: undefined,
        })),
      )
      for (const { method, text, json, headers } of server.received) {
        expect([method, headers['content-type']]).toEqual(['POST', 'application/json'])
        expect(Object.keys(json)).toEqual(['timestamp', 'hook', 'payload', 'user'])
        expect(json.timestamp).toMatch(/^\d{10}$/)
        expect(Number(json.timestamp)).toBeGreaterThanOrEqual(startedAt)
        expect(headers['x-hook-signature']).toBe(signatureOf(text))
      }
    })

    const FOLLOWED = { location: '/elsewhere' }
    const STATUSES: readonly [number, 'allowed' | 'refused'][] = [
      [200, 'allowed'],
      [201, 'allowed'],
      [204, 'allowed'],
      [299, 'allowed'],
      [301, 'allowed'],
      [302, 'allowed'],
      [304, 'allowed'],
      [307, 'allowed'],
      [410, 'allowed'],
      [400, 'refused'],
      [401, 'refused'],
      [403, 'refused'],
      [404, 'refused'],
      [409, 'refused'],
      [422, 'refused'],
      [429, 'refused'],
      [500, 'refused'],
      [503, 'refused'],
    ]

    it.each(STATUSES)('B6 a request that is answered with %i is %s', async (status, outcome) => {
      const message = { title: 'Информация', text: `Status ${status}` }
      const server = await subscriber(
        reply(status, status === 204 || status === 304 ? '' : { message }, FOLLOWED),
      )
      const id = await hook(server, { events: BEFORE })
      const answer = await create({ '2': 'a' })
      if (outcome === 'allowed')
        expect([answer.status, Object.keys(answer.json)]).toEqual([200, ['id']])
      else expect([answer.status, answer.json]).toEqual([400, { message }])
      expect(server.received.map(({ path }) => path)).toEqual(['/'])
      // 410 takes the hook away: nobody is asked the next time.
      const isGone = status === 410
      await eventually('the hook is as it will be', async () => {
        const { values } = (await api().get(`${WEBHOOKS}/${id}`, ANNA)).json
        return values.active === !isGone
      })
      server.behave = okay
      expect((await create({})).status).toBe(200)
      expect(server.received).toHaveLength(isGone ? 1 : 2)
    })

    it.each(STATUSES)(
      'B6 a notification that is answered with %i is told once, and counts as %s',
      async (status, outcome) => {
        const server = await subscriber(reply(status, '', FOLLOWED))
        const id = await hook(server, { events: AFTER })
        await create({ '2': 'a' })
        const [delivery] = await eventually('it was told', async () => {
          const { items } = (await api().get(`/v1/deliveries?subscriptionId=${id}`)).json
          return ['delivered', 'dead'].includes(items[0]?.state) && items
        })
        expect(delivery.state).toBe(outcome === 'allowed' ? 'delivered' : 'dead')
        expect(server.received).toHaveLength(1)
        const { values } = (await api().get(`${WEBHOOKS}/${id}`, ANNA)).json
        expect(values.active).toBe(status !== 410)
      },
    )

    it('B6 a number that was given to a message that did not arrive is missing at the receiver', async () => {
      const server = await subscriber()
      const id = await hook(server, { events: ['record.before.created', 'record.created'] })
      await create({})
      await arrived(server, 2)
      server.behave = reply(403, {})
      await create({})
      server.behave = reply(500, '')
      await create({})
      server.behave = okay
      await create({})
      await arrived(server, 6)
      expect(server.received.map(({ json }) => json.hook.sequenceId)).toEqual([1, 2, 3, 4, 5, 6])
      const read = async () => (await api().get(`${WEBHOOKS}/${id}`, ANNA)).json.values
      expect((await read()).lastSequenceId).toBe(6)
    })

    it.each([
      ['a text', { message: 'Отказано' }, 'Отказано'],
      ['a title and a text', { message: { title: 'A', text: 'b' } }, { title: 'A', text: 'b' }],
      ['a text alone in an object', { message: { text: 'b' } }, 'b'],
    ])('B6 the message of a reply is %s', async (_, sent, message) => {
      await hook(await subscriber(reply(400, sent)), { events: BEFORE })
      expect((await create({})).json).toEqual({ message })
    })
  })

  describe('B7', () => {
    it('B7 subscriptions are created, read, changed and deleted like records', async () => {
      const server = await subscriber()
      const values = { catalog, events: ['record.before.created'], url: `${server.url}/hook/` }
      const created = await api().post(WEBHOOKS, { values }, ANNA)
      expect([created.status, Object.keys(created.json)]).toEqual([200, ['id']])
      const { id } = created.json
      const title = `${new URL(server.url).host}/hook`
      const full = {
        ...values,
        fields: [],
        initiator: [],
        secret: '***',
        active: true,
        lastSequenceId: 0,
      }
      const item = `${WEBHOOKS}/${id}`
      expect((await api().get(item, ANNA)).json).toEqual({
        id,
        catalogId: 'webhooks',
        title,
        values: full,
      })
      const ours = (await api().get(`/v1/subscriptions/${id}`)).json
      expect(ours).toMatchObject({
        name: title,
        dialect: 'bpium',
        retry: { preset: 'none' },
        timeoutMs: 10_000,
        onFailure: 'deny',
      })
      // What was read can be sent back, changed in places; the number of the last event is nobody's to set.
      const next = { ...full, url: `${server.url}/other`, secret: SECRET, lastSequenceId: 7 }
      expect((await api().patch(item, { values: next }, ANNA)).json).toEqual({})
      const changed = (await api().get(`${item}?fields=["url","secret","lastSequenceId"]`, ANNA))
        .json
      expect(changed.title).toBe(`${new URL(server.url).host}/other`)
      expect(changed.values).toEqual({ url: next.url, secret: '***', lastSequenceId: 0 })
      await api().patch(item, { values: { secret: '***', fields: null } }, ANNA)
      await create({ '2': 'a' })
      const [{ text, headers, path }] = server.received as [Received]
      expect([path, headers['x-hook-signature']]).toEqual(['/other', signatureOf(text)])
      await api().patch(item, { values: { active: false } }, ANNA)
      await create({})
      expect(server.received).toHaveLength(1)
      expect((await api().delete(item, undefined, ANNA)).json).toEqual({})
      for (const answer of [
        await api().get(item, ANNA),
        await api().patch(item, { values: {} }, ANNA),
        await api().delete(item, undefined, ANNA),
      ]) {
        expect([answer.status, answer.json.code]).toEqual([404, 'record_not_found'])
      }
    })

    it('B7 the catalog lists them all, made here or elsewhere, by filters, limit and offset, and nothing else', async () => {
      const server = await subscriber()
      const ids: string[] = []
      for (const url of ['/a', '/b', '/c']) ids.push(await hook(server, { url: server.url + url }))
      const other = { catalogId: catalog, url: server.url, events: ['record.created'] }
      const made = await api().subscribe({ ...other, name: 'Made here', dialect: 'bpium' })
      const standard = await api().subscribe({ ...other, dialect: 'standard' })
      ids.push(made.id)
      const list = async (query: string) => {
        const filters = encodeURIComponent(JSON.stringify({ catalog }))
        const answer = await api().get(`${WEBHOOKS}?filters=${filters}&${query}`, ANNA)
        expect(answer.status, answer.text).toBe(200)
        return answer.json
      }
      const idsOf = async (query: string) => (await list(query)).map(({ id }: any) => id)
      expect(await idsOf('')).toEqual(ids.toSorted())
      expect(await idsOf('sortType=-1')).toEqual(ids.toSorted().reverse())
      expect(await idsOf('limit=1&offset=1')).toEqual(ids.toSorted().slice(1, 2))
      expect(await idsOf('filters[0][fieldId]=url&filters[0][value]=/b')).toEqual([ids[1]])
      expect(
        await idsOf('filters[0][fieldId]=events&filters[0][value][0]=record.updating'),
      ).toEqual(ids.slice(0, 3).toSorted())
      expect(await idsOf('fields=["url"]')).toEqual(ids.toSorted())
      expect((await api().get(`${WEBHOOKS}/${standard.id}`, ANNA)).status).toBe(404)
      expect((await api().delete(`${WEBHOOKS}/${standard.id}`, undefined, ANNA)).status).toBe(404)
      const everything = (await api().get(`${WEBHOOKS}?limit=200`, ANNA)).json
      const everyId = everything.map(({ id }: any) => id)
      expect(everyId).toEqual(expect.arrayContaining(ids))
      expect(everyId).not.toContain(standard.id)
      // Bpium's own name for the catalog.
      const same = await api().get('/api/v1/catalogs/$webhooks/records?limit=200', ANNA)
      expect(same.json.map(({ id }: any) => id)).toEqual(everyId)
      expect(same.json[0].catalogId).toBe('$webhooks')
    })

    const FAULTS: readonly [string, object, string][] = [
      ['no catalog', { catalog: undefined }, '/values/catalog'],
      ['no events', { events: [] }, '/values/events'],
      ['an event that nobody knows', { events: ['record.exploded'] }, '/values/events/0'],
      ['no URL', { url: undefined }, '/values/url'],
      ['fields that are no list', { fields: '2,3' }, '/values/fields'],
      ['an initiator without an id', { initiator: [{ title: 'Anna' }] }, '/values/initiator/0'],
      ['an empty secret', { secret: '' }, '/values/secret'],
      ['a secret with a line break', { secret: 'a\nb' }, '/values/secret'],
      ['a mask that stands for nothing', { secret: '***' }, '/values/secret'],
      ['a field that a webhook does not have', { colour: 'red' }, '/values'],
    ]
    it.each(FAULTS)(
      'B7 a webhook with %s is refused with 400 and a pointer',
      async (_, fault, pointer) => {
        const values = { catalog, events: EVENTS, url: 'http://127.0.0.1:9/', ...fault }
        const { status, json } = await api().post(WEBHOOKS, { values }, ANNA)
        expect([status, typeof json.message]).toEqual([400, 'string'])
        expect(json.errors.map((one: any) => one.pointer)).toEqual([pointer])
      },
    )

    it('B7 no record event is raised by changes of catalogs, fields, keys and webhooks', async () => {
      const server = await subscriber()
      const told = async () => (await api().get('/v1/notifications?limit=200')).json.items.length
      const id = await hook(server, { catalog: '*' })
      const before = await told()
      const path = `/v1/catalogs/${catalog}`
      const field = { id: '2', title: 'Name', type: 'text' }
      const steps = [
        await api().post('/v1/catalogs', { id: catalog, title: 'New', fields: [] }),
        await api().patch(path, { title: 'Renamed', fields: [field] }),
        await api().patch(path, { fields: [] }),
        await api().delete(path),
      ]
      expect(steps.map(({ status }) => status)).toEqual([201, 200, 200, 204])
      const key = await api().post('/v1/keys', { name: 'Some rights', scopes: ['read'] })
      expect(key.status).toBe(201)
      expect((await api().delete(`/v1/keys/${key.json.id}`)).status).toBe(204)
      const other = await hook(server, { catalog: 'webhooks', fields: ['url'] })
      await api().patch(`${WEBHOOKS}/${other}`, { values: { url: `${server.url}/x` } }, ANNA)
      await api().delete(`${WEBHOOKS}/${other}`, undefined, ANNA)
      // What happens next is the first that is heard.
      await create({ '2': 'a' })
      await arrived(server, 2)
      expect(server.received.map(({ json }) => [json.hook.event, json.hook.sequenceId])).toEqual([
        ['record.before.created', 1],
        ['record.created', 2],
      ])
      expect(await told()).toBe(before + 1)
      await api().delete(`${WEBHOOKS}/${id}`, undefined, ANNA)
    })
  })
})

/** A clock for which more time passes than does. */
function fasterClock(times: number): Clock {
  const start = systemClock.monotonicMs()
  return {
    wallMs: systemClock.wallMs,
    monotonicMs: () => start + (systemClock.monotonicMs() - start) * times,
    schedule: (delayMs, run) => systemClock.schedule(delayMs / times, run),
  }
}
