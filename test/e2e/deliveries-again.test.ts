/** Deliveries that are sent again on request, and the log of what was attempted. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type Issuer, startIssuer } from '../support/issuer.ts'
import { DATABASES } from '../support/places.ts'
import { reply } from '../support/validator-server.ts'
import { idOf, keeping, ONCE, recordOf, Telling, taken, toldOf } from './telling.ts'

const failure = reply(500, '')

describe.each(DATABASES)('deliveries that are wanted again on the %s database', (database) => {
  let telling: Telling
  let issuer: Issuer
  beforeAll(async () => {
    issuer = await startIssuer()
    telling = await Telling.start(database, issuer.environment)
  })
  afterAll(async () => {
    await telling.close()
    await issuer.close()
  })

  /** Five records, of which those of these numbers are dead and the others delivered. */
  const five = async (...dead: number[]) => {
    const receiver = await telling.receiver((request, response) =>
      (dead.includes(request.json.data.sequenceId) ? failure : taken)(request, response),
    )
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver, { retry: ONCE })
    for (let number = 1; number <= 5; number++) {
      await telling.write(catalogId, `r${number}`)
      await eventually('it has ended', async () => {
        return (await telling.deliveries(id))[number - 1]?.endedAt
      })
    }
    receiver.behave = taken
    const before = receiver.received.splice(0)
    return { catalogId, id, receiver, before, deliveries: await telling.deliveries(id) }
  }
  const replay = (id: string, order: object) =>
    telling.api.post(`/v1/subscriptions/${id}/replay`, order)
  const numbersOf = (receiver: { received: readonly any[] }) =>
    receiver.received.map(({ json }) => json.data.sequenceId).toSorted((a, b) => a - b)

  it('in a state go out again under their numbers and ids, and no others', async () => {
    const { id, receiver, before } = await five(2, 4)
    expect(await replay(id, { states: ['dead'] })).toMatchObject({
      status: 202,
      json: { count: 2 },
    })
    await telling.all(id, 5)
    expect(numbersOf(receiver)).toEqual([2, 4])
    for (const again of receiver.received) {
      const first = before.find((one) => idOf(one) === idOf(again))
      expect(again.text).toBe(first?.text)
    }
  })

  it('in a range of numbers go out again, whatever became of them', async () => {
    const { id, receiver } = await five(3)
    const order = { fromSequenceId: 2, toSequenceId: 4 }
    expect((await replay(id, order)).json).toEqual({ count: 3 })
    await eventually('three came again', () => receiver.received.length === 3)
    await telling.all(id, 5)
    expect(numbersOf(receiver)).toEqual([2, 3, 4])
  })

  it('in a range of time go out again: from then on, and before then', async () => {
    const { id, receiver, deliveries } = await five(1)
    const [, , third, , fifth] = deliveries.map(({ createdAt }) => createdAt)
    expect((await replay(id, { since: third, until: fifth })).json).toEqual({ count: 2 })
    await eventually('two came again', () => receiver.received.length === 2)
    expect(numbersOf(receiver)).toEqual([3, 4])
    expect((await replay(id, { since: fifth, states: ['delivered'] })).json).toEqual({ count: 1 })
    await eventually('one more came again', () => receiver.received.length === 3)
    expect(numbersOf(receiver)).toEqual([3, 4, 5])
    expect((await replay(id, { since: '2999-01-01T00:00:00Z' })).json).toEqual({ count: 0 })
    expect((await telling.states(id))[0]).toBe('dead')
  })

  it('keep their order by record, and begin their schedule anew', async () => {
    const receiver = await telling.receiver(failure)
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver, { retry: { delaysMs: [10] } })
    for (let n = 1; n <= 3; n++) {
      for (const record of ['a', 'b']) await telling.write(catalogId, record, n)
    }
    await telling.all(id, 6, 'dead')
    receiver.received.length = 0
    const refused = new Set<string>()
    receiver.behave = (request, response) => {
      const isFirst = !refused.has(idOf(request))
      refused.add(idOf(request))
      return (isFirst ? failure : taken)(request, response)
    }
    expect((await replay(id, { states: ['dead'] })).json).toEqual({ count: 6 })
    const delivered = await telling.all(id, 6)
    expect(delivered.map(({ failures }) => failures)).toEqual(Array(6).fill(1))
    const inOrder = [1, 1, 2, 2, 3, 3]
    expect(toldOf(receiver.received)).toEqual({ a: inOrder, b: inOrder })
  })

  it('by the hundreds go out in chunks, beside what happens meanwhile', async () => {
    const receiver = await telling.receiver(failure)
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver, { retry: ONCE, maxInFlight: 100 })
    const records = Array.from({ length: 130 }, (_, index) => `r${index}`)
    await Promise.all(records.map((record) => telling.write(catalogId, record)))
    await telling.all(id, 130, 'dead')
    receiver.behave = taken
    receiver.received.length = 0
    expect((await replay(id, { fromSequenceId: 1 })).json).toEqual({ count: 130 })
    await telling.write(catalogId, 'new')
    await telling.all(id, 131)
    expect(new Set(receiver.received.map(recordOf))).toEqual(new Set([...records, 'new']))
    expect(receiver.received).toHaveLength(131)
  })

  it('are asked for by time, by number or by state, and only those that have ended', async () => {
    const { id, receiver } = await five(1)
    const wrong = [
      {},
      { states: [] },
      { state: ['dead'] },
      { states: ['dead'], limit: 5 },
      { fromSequenceId: 3, toSequenceId: 2 },
      { since: '2026-01-02T00:00:00Z', until: '2026-01-01T00:00:00Z' },
      { since: '2026-01-01T00:00:00Z', until: '2026-01-01T00:00:00Z' },
      { since: '2026-01-01T00:00:00+01:00', until: '2025-12-31T23:00:00Z' },
      { states: ['held'] },
      { states: ['dead', 'retrying'] },
      { states: ['sending'] },
      { since: 'yesterday' },
      { fromSequenceId: -1 },
      { fromSequenceId: 1.5 },
    ]
    for (const order of wrong) {
      const { status, json } = await replay(id, order)
      expect([JSON.stringify(order), status, json.code]).toEqual([
        JSON.stringify(order),
        422,
        'invalid_request',
      ])
    }
    expect(receiver.received).toEqual([])
  })

  it('may be asked for up to a time, up to a number, or by one number alone', async () => {
    const { id, receiver, deliveries } = await five(1)
    expect((await replay(id, { until: deliveries[2]?.createdAt })).json).toEqual({ count: 2 })
    await eventually('two came again', () => receiver.received.length === 2)
    await telling.all(id, 5)
    expect((await replay(id, { toSequenceId: 3 })).json).toEqual({ count: 3 })
    await eventually('three more came again', () => receiver.received.length === 5)
    await telling.all(id, 5)
    const one = { fromSequenceId: 4, toSequenceId: 4 }
    expect((await replay(id, one)).json).toEqual({ count: 1 })
    await eventually('one more came again', () => receiver.received.length === 6)
    expect(numbersOf(receiver)).toEqual([1, 1, 2, 2, 3, 4])
  })

  it('are found by nobody of another account', async () => {
    const { id, receiver, deliveries } = await five(1)
    const { api } = telling
    await api.post('/v1/accounts', { id: 'elsewhere', title: 'Elsewhere' })
    const key = await issuer.keyOf('elsewhere')
    const [{ id: deliveryId }] = deliveries
    const answers = [
      await api.post(`/v1/subscriptions/${id}/replay`, { states: ['dead'] }, { key }),
      await api.post(`/v1/deliveries/${deliveryId}/retry`, undefined, { key }),
      await api.get(`/v1/deliveries/${deliveryId}`, { key }),
      await api.get(`/v1/subscriptions/${id}/deliveries`, { key }),
    ]
    for (const { status, json } of answers) {
      expect([status, json.code]).toEqual([404, 'not_found'])
    }
    expect((await api.get('/v1/deliveries', { key })).json.items).toEqual([])
    const own = await issuer.keyOf('default')
    expect((await api.get(`/v1/deliveries/${deliveryId}`, { key: own })).status).toBe(200)
    expect(receiver.received).toEqual([])
    expect((await telling.states(id))[0]).toBe('dead')
  })

  it.each(['dead', 'delivered'])('one by one: a %s one goes out again', async (state) => {
    const { id, receiver, deliveries } = await five(3)
    const wanted = deliveries.find((one) => one.state === state)
    const { status, json } = await telling.api.post(`/v1/deliveries/${wanted.id}/retry`)
    expect(status).toBe(200)
    expect(json).toMatchObject({ id: wanted.id, sequenceId: wanted.sequenceId, failures: 0 })
    const read = async () => (await telling.api.get(`/v1/deliveries/${wanted.id}`)).json
    await eventually('it is attempted again', async () => {
      const now = await read()
      return now.state === 'delivered' && now.attempts.length === 2
    })
    expect(receiver.received.map(idOf)).toEqual([wanted.id])
    expect(await telling.deliveries(id)).toHaveLength(5)
  })

  it('one by one: not while it is under way; one that waits for its next try goes out now', async () => {
    const keeper = keeping()
    const receiver = await telling.receiver(keeper.behave)
    const catalogId = telling.catalog()
    const retry = { delaysMs: [3_600_000] }
    const settings = { retry, timeoutMs: 30_000 }
    const { id } = await telling.subscribe(catalogId, receiver, settings)
    await telling.write(catalogId, 'a')
    await eventually('it is under way', () => keeper.held.length === 1)
    const [{ id: deliveryId }] = await telling.deliveries(id)
    const again = () => telling.api.post(`/v1/deliveries/${deliveryId}/retry`)
    const refused = await again()
    expect([refused.status, refused.json.code]).toEqual([409, 'delivery_in_progress'])
    receiver.behave = taken
    keeper.release()
    await telling.all(id, 1)
    receiver.behave = failure
    await again()
    await telling.all(id, 1, 'retrying')
    receiver.behave = taken
    expect((await again()).status).toBe(200)
    await telling.all(id, 1)
    expect(receiver.received).toHaveLength(3)
  })

  it('one by one: one that is held stays so until its subscription is enabled', async () => {
    const { id, catalogId, receiver, deliveries } = await five()
    await telling.disable(id)
    await telling.write(catalogId, 'r1', 2)
    await eventually('it is held', async () => (await telling.states(id))[5] === 'held')
    const held = (await telling.deliveries(id)).at(-1)
    for (const { id: deliveryId } of [held, ...deliveries.slice(0, 1)]) {
      const { status, json } = await telling.api.post(`/v1/deliveries/${deliveryId}/retry`)
      expect([status, json.state]).toEqual([200, 'held'])
    }
    expect(receiver.received).toEqual([])
    await telling.enable(id)
    await telling.all(id, 6)
    expect(toldOf(receiver.received)).toEqual({ r1: [1, 2] })
  })

  it('are logged attempt by attempt, with the beginning of the reply and without secrets', async () => {
    const long = `${'é'.repeat(5_000)}END`
    const receiver = await telling.receiver(reply(503, long, { 'content-type': 'text/plain' }))
    const catalogId = telling.catalog()
    const { id, secret } = await telling.subscribe(catalogId, receiver, {
      retry: { delaysMs: [0, 0] },
      auth: { type: 'bearer', token: 'token-in-clear' },
      headers: { 'X-Own': 'header-in-clear' },
    })
    await telling.write(catalogId, 'a')
    await telling.all(id, 1, 'retrying')
    const [{ id: deliveryId }] = await telling.deliveries(id)
    receiver.behave = reply(200, '{"ok":true}')
    await telling.api.post(`/v1/deliveries/${deliveryId}/retry`)
    await telling.all(id, 1)
    const { json, text } = await telling.api.get(`/v1/deliveries/${deliveryId}`)
    expect(json).toMatchObject({ state: 'delivered', failures: 1, lastStatus: 200 })
    const [failed, fine, ...more] = json.attempts
    expect(more).toEqual([])
    expect(failed).toMatchObject({ status: 503, error: expect.stringContaining('503') })
    expect(fine).toMatchObject({ status: 200, error: null, reply: '{"ok":true}' })
    // 4 KiB, which here end within no letter.
    expect(failed.reply).toBe('é'.repeat(2_048))
    expect(Date.parse(failed.at)).toBeLessThanOrEqual(Date.parse(fine.at))
    for (const { requestHeaders, durationMs } of json.attempts) {
      expect(requestHeaders).toMatchObject({
        authorization: '***',
        'x-own': '***',
        'webhook-id': deliveryId,
        'content-type': 'application/json',
      })
      expect(durationMs).toBeGreaterThanOrEqual(0)
    }
    for (const hidden of ['in-clear', secret]) expect(text).not.toContain(hidden)
    expect(receiver.received[0]?.headers).toMatchObject({
      authorization: 'Bearer token-in-clear',
      'x-own': 'header-in-clear',
    })
  })

  it('are logged with what went wrong where nobody answered', async () => {
    const receiver = await telling.receiver()
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver, { retry: ONCE })
    await receiver.close()
    await telling.write(catalogId, 'a')
    const [{ id: deliveryId }] = await telling.all(id, 1, 'dead')
    const { json } = await telling.api.get(`/v1/deliveries/${deliveryId}`)
    expect(json.attempts).toMatchObject([
      { status: null, reply: '', error: expect.stringMatching(/\w/) },
    ])
  })
})
