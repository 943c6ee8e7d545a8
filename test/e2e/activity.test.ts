/** What a person who watches reads: what happens by the minute, and the log of decisions as it grows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { Api, startGatewayOn } from '../support/gateway.ts'
import { DATABASES, temporaryPlace } from '../support/places.ts'
import { allow, deny, reply } from '../support/validator-server.ts'
import { idOf, Telling, taken } from './telling.ts'

const NOT_THERE = { event: 'record.before.updated', recordId: 'not there' }
const BEFORE = ['record.before.created']

describe.each(DATABASES)('whoever watches a gateway on the %s database', (database) => {
  let telling: Telling
  beforeAll(async () => {
    telling = await Telling.start(database)
  })
  afterAll(() => telling?.close())

  /** An account of its own, whose validators and decisions nobody else counts. */
  const account = async (id: string) => {
    const { api } = telling
    await api.post('/v1/accounts', { id, title: id })
    const key = (await api.post('/v1/keys', { name: id, scopes: ['admin'], accountId: id })).json
      .key
    const get = async (path: string) => (await api.get(path, { key })).json
    const approve = async (request: object) => (await api.approve({ ...request }, { key })).json
    const subscribe = async (settings: object) => {
      const draft = { name: 'A validator', catalogId: 'things', events: BEFORE, ...settings }
      return (await api.post('/v1/subscriptions', draft, { key })).json
    }
    return { key, get, approve, subscribe }
  }

  it('sees what approvals came to, and what each validator said of them', async () => {
    const { key, get, approve, subscribe } = await account('watched')
    expect(await get('/v1/activity')).toEqual({
      minutes: [],
      validators: [],
      breakers: [],
      backlog: { oldestMs: 0, waiting: 0 },
    })
    const validator = await telling.receiver(({ json }, response) =>
      (json.data.values.bad === true ? deny('No.') : allow)(json, response),
    )
    const { id } = await subscribe({ url: validator.url })
    for (const bad of [false, false, true]) await approve({ values: { bad } })
    await approve({ values: {}, commit: 'none' })
    const refused = await telling.api.approve(NOT_THERE, { key })
    expect(refused.status).toBe(404)
    const { minutes, validators, breakers } = await get('/v1/activity')
    const sum = (name: string) => minutes.reduce((all: number, one: any) => all + one[name], 0)
    expect(['approvals', 'denied', 'confirmed', 'degraded', 'failed'].map(sum)).toEqual([
      4, 1, 0, 0, 1,
    ])
    expect(minutes[0].at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:00\.000Z$/)
    expect(minutes.at(-1).gateway).toEqual({ p50Ms: expect.any(Number), p99Ms: expect.any(Number) })
    expect(validators).toMatchObject([
      { subscriptionId: id, asked: 4, allowed: 3, denied: 1, failed: 0, p50Ms: expect.any(Number) },
    ])
    expect(validators[0].minutes[0]).toMatchObject({ asked: expect.any(Number) })
    expect(breakers).toEqual([{ subscriptionId: id, state: 'closed' }])
    expect((await account('unwatched').then(({ get }) => get('/v1/activity'))).minutes).toEqual([])
  })

  it('sees what a shadow would have denied, also when it answers after everybody else', async () => {
    const { get, approve, subscribe } = await account('shadowed')
    let answer = () => {}
    const slow = await telling.receiver((request, response) => {
      answer = () => void deny('in the shadows')(request, response)
    })
    const { id } = await subscribe({ url: slow.url, mode: 'shadow' })
    const fast = await telling.receiver(allow)
    await subscribe({ url: fast.url })
    expect((await approve({ values: {} })).decision).toBe('allow')
    const shadow = async () =>
      (await get('/v1/activity')).validators.find((one: any) => one.subscriptionId === id)
    expect(await shadow()).toMatchObject({ asked: 1, allowed: 0, denied: 0 })
    answer()
    await eventually('its answer is counted', async () => (await shadow()).denied === 1)
    expect(await shadow()).toMatchObject({ asked: 1, denied: 1, p50Ms: expect.any(Number) })
  })

  it('sees which breaker is open, and what waits to be told', async () => {
    const { key, get, approve, subscribe } = await account('broken')
    const broken = await telling.receiver(reply(500, ''))
    const breaker = { consecutiveFailures: 2 }
    const validator = await subscribe({ url: broken.url, breaker, onFailure: 'allow' })
    const events = ['record.created']
    const retry = { delaysMs: [600_000] }
    const receiver = await subscribe({ url: broken.url, events, retry })
    for (let n = 0; n < 3; n++) await approve({ values: {} })
    const open = await eventually('the breaker is open', async () => {
      const activity = await get('/v1/activity')
      const states = new Map(activity.breakers.map((one: any) => [one.subscriptionId, one.state]))
      const isOpen = states.get(validator.id) === 'open' && activity.backlog.waiting === 3
      return states.has(receiver.id) && isOpen && activity
    })
    expect(open.minutes.at(-1).degraded).toBeGreaterThan(0)
    await telling.api.post(`/v1/subscriptions/${validator.id}/disable`, {}, { key })
    const { breakers } = await get('/v1/activity')
    expect(breakers.map((one: any) => one.subscriptionId)).toEqual([receiver.id])
  })

  it('sees what a gateway has counted that was stopped before, or is another one', async () => {
    const place = await temporaryPlace(database)
    const approvals = async (times: number) => {
      const gateway = await startGatewayOn(place.environment)
      const api = new Api(gateway.url)
      for (let n = 0; n < times; n++) await api.approve({})
      const { minutes } = (await api.get('/v1/activity')).json
      await gateway.close()
      return minutes.reduce((all: number, one: any) => all + one.approvals, 0)
    }
    expect([await approvals(2), await approvals(3), await approvals(0)]).toEqual([2, 5, 5])
    await place.remove()
  })

  it('looks back as far as asked, within a day', async () => {
    const { api } = telling
    for (const minutes of [1, 60, 1_440]) {
      expect((await api.get(`/v1/activity?minutes=${minutes}`)).status).toBe(200)
    }
    for (const minutes of ['0', '1441', '1.5', 'x', '-1']) {
      expect((await api.get(`/v1/activity?minutes=${minutes}`)).status).toBe(400)
    }
  })

  it('follows the log of decisions from the newest that it has, and finds texts in it', async () => {
    const { get, approve, subscribe } = await account('followed')
    const validator = await telling.receiver(deny('Слишком много: 100%'))
    await subscribe({ url: validator.url, catalogId: 'refused' })
    const ids: string[] = []
    for (const catalogId of ['things', 'refused', 'things']) {
      const user = { id: 'anna', title: 'Anna Petrenko' }
      ids.push((await approve({ catalogId, values: {}, user })).id)
    }
    const list = async (query: string) =>
      (await get(`/v1/decisions?${query}`)).items.map((one: any) => one.id)
    expect(await list(`after=${ids[0]}&limit=200`)).toEqual([ids[2], ids[1]])
    expect(await list(`after=${ids[2]}&limit=200`)).toEqual([])
    expect(await list(`text=${encodeURIComponent('много: 100%')}`)).toEqual([ids[1]])
    expect(await list('text=PETRENKO&catalogId=things')).toEqual([ids[2], ids[0]])
    expect(await list(`text=petrenko&after=${ids[0]}&decision=deny`)).toEqual([ids[1]])
    expect(await list('text=nothing')).toEqual([])
    const tooLong = await telling.api.get(`/v1/decisions?text=${'x'.repeat(201)}`)
    expect(tooLong.status).toBe(400)
  })

  it('reads of a decision whom it was told to, and how much time it had', async () => {
    const receiver = await telling.receiver(taken)
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver)
    const { json } = await telling.api.approve({ catalogId, values: { n: 1 }, timeoutMs: 7_000 })
    await telling.all(id, 1)
    const decision = (await telling.api.get(`/v1/decisions/${json.id}`)).json
    const [told] = receiver.received
    expect(decision.notifications).toEqual([
      {
        id: told && idOf(told),
        event: 'record.created',
        subscriptionId: id,
        sequenceId: 1,
        state: 'delivered',
      },
    ])
    expect(decision.timing).toMatchObject({ timeoutMs: 7_000 })
    expect(decision).toMatchObject({ versionBefore: null, versionAfter: 1 })
    expect(decision.considered).toMatchObject([{ subscriptionId: id }])
    const { items } = (await telling.api.get(`/v1/decisions?catalogId=${catalogId}`)).json
    expect(items[0]).not.toHaveProperty('notifications')
  })

  it('sees how many deliveries a replay would send again, and how far one is', async () => {
    const receiver = await telling.receiver(taken)
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver)
    for (let n = 1; n <= 3; n++) await telling.write(catalogId, `r${n}`)
    await telling.all(id, 3)
    const path = `/v1/subscriptions/${id}/replay`
    const order = { fromSequenceId: 2 }
    const preview = await telling.api.post(path, { ...order, preview: true })
    expect([preview.status, preview.json]).toEqual([200, { count: 2 }])
    expect((await telling.api.get(`${path}s`)).json).toEqual({ items: [] })
    expect(receiver.received).toHaveLength(3)
    expect((await telling.api.post(path, { preview: true })).status).toBe(422)
    const started = await telling.api.post(path, order)
    expect([started.status, started.json]).toEqual([202, { count: 2 }])
    await eventually('two came again', () => receiver.received.length === 5)
    await eventually('it is done', async () => {
      const { items } = (await telling.api.get(`${path}s`)).json
      return items.length === 0
    })
  })
})
