/** What is told after a commit, to receivers that fail, hang, leave or are too slow. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { DATABASES } from '../support/places.ts'
import { reply } from '../support/validator-server.ts'
import { idOf, keeping, recordOf, Telling, taken, toldOf } from './telling.ts'

const failure = reply(500, '')
const nowMs = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000

describe.each(DATABASES)('deliveries on the %s database', (database) => {
  let telling: Telling
  beforeAll(async () => {
    telling = await Telling.start(database)
  })
  afterAll(() => telling.close())

  it('of a record come in the order of its changes, across retries', async () => {
    const refusals = new Map<string, number>()
    const receiver = await telling.receiver((request, response) => {
      const count = (refusals.get(idOf(request)) ?? 0) + 1
      refusals.set(idOf(request), count)
      return (count <= 2 ? failure : taken)(request, response)
    })
    const catalogId = telling.catalog()
    const retry = { delaysMs: [10, 10, 10] }
    const { id } = await telling.subscribe(catalogId, receiver, { retry })
    for (let n = 1; n <= 4; n++) {
      for (const record of ['a', 'b', 'c']) await telling.write(catalogId, record, n)
    }
    const delivered = await telling.all(id, 12)
    expect(delivered.map(({ sequenceId }) => sequenceId)).toEqual(
      Array.from({ length: 12 }, (_, index) => index + 1),
    )
    expect(delivered.every(({ failures }) => failures === 2)).toBe(true)
    const inOrder = [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    expect(toldOf(receiver.received)).toEqual({ a: inOrder, b: inOrder, c: inOrder })
    for (const { headers, json } of receiver.received) {
      const of = delivered.find((one) => one.id === headers['webhook-id'])
      expect(json.data.sequenceId).toBe(of?.sequenceId)
    }
  })

  it('of a record that fails hold up those of no other record', async () => {
    let isBroken = true
    const receiver = await telling.receiver((request, response) =>
      (isBroken && recordOf(request) === 'bad' ? failure : taken)(request, response),
    )
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver)
    for (let n = 1; n <= 3; n++) {
      for (const record of ['bad', 'good', 'fine']) await telling.write(catalogId, record, n)
    }
    await eventually('the others are delivered', async () => {
      return (await telling.states(id)).filter((state) => state === 'delivered').length === 6
    })
    const bad = (await telling.deliveries(id)).filter(({ recordId }) => recordId === 'bad')
    expect(bad.map(({ state }) => state).slice(1)).toEqual(['waiting', 'waiting'])
    expect(bad[0].state).toMatch(/^(ready|sending|retrying)$/)
    const told = toldOf(receiver.received)
    expect([told['good'], told['fine']]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
    expect(new Set(told['bad'])).toEqual(new Set([1]))
    isBroken = false
    await telling.all(id, 9)
    expect([...new Set(toldOf(receiver.received)['bad'])]).toEqual([1, 2, 3])
  })

  it('to a receiver that hangs hold up those to no other', async () => {
    const keeper = keeping()
    const hanging = await telling.receiver(keeper.behave)
    const healthy = await telling.receiver()
    const catalogId = telling.catalog()
    const hangs = await telling.subscribe(catalogId, hanging, { timeoutMs: 30_000, maxInFlight: 5 })
    const well = await telling.subscribe(catalogId, healthy)
    for (let record = 1; record <= 30; record++) await telling.write(catalogId, `r${record}`)
    await telling.all(well.id, 30)
    expect(new Set(healthy.received.map(recordOf)).size).toBe(30)
    await eventually('as many as may are under way, and the others wait for them', async () => {
      const states = (await telling.states(hangs.id)).toSorted()
      return states.join() === [...Array(25).fill('ready'), ...Array(5).fill('sending')].join()
    })
    hanging.behave = taken
    keeper.release()
    await telling.all(hangs.id, 30)
    expect(new Set(hanging.received.map(idOf)).size).toBe(30)
  })

  it.each([
    ['410', reply(410, '')],
    ['webhook-delivery: disable', reply(500, '', { 'webhook-delivery': 'disable' })],
  ])('to a receiver that says %s are held, and it is told nothing more', async (_, behave) => {
    const receiver = await telling.receiver(behave)
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver)
    await telling.write(catalogId, 'a')
    await telling.all(id, 1, 'held')
    expect(await telling.read(id)).toMatchObject({ active: false, disabledReason: 'gone' })
    for (const record of ['b', 'c']) await telling.write(catalogId, record)
    await telling.write(catalogId, 'a', 2)
    await telling.all(id, 4, 'held')
    expect(receiver.received).toHaveLength(1)
    receiver.behave = taken
    await telling.enable(id)
    await telling.all(id, 4)
    expect(receiver.received.slice(1).map(idOf)).toContain(idOf(receiver.received[0] ?? never()))
    expect(toldOf(receiver.received.slice(1))).toEqual({ a: [1, 2], b: [1], c: [1] })
  })

  it.each([
    ['standard', 200, { 'webhook-delivery': 'disable' }],
    ['bpium', 410, {}],
  ] as const)(
    'to a receiver of %s that takes one as its last are delivered, held from then on, and never sent twice',
    async (dialect, status, headers) => {
      const receiver = await telling.receiver(reply(status, '', headers))
      const catalogId = telling.catalog()
      const secrets = dialect === 'bpium' ? { secret: 'a secret' } : {}
      const { id } = await telling.subscribe(catalogId, receiver, { dialect, ...secrets })
      await telling.write(catalogId, 'a')
      await telling.all(id, 1)
      expect(await telling.read(id)).toMatchObject({ active: false, disabledReason: 'gone' })
      await telling.write(catalogId, 'a', 2)
      await eventually('the second one is held', async () => {
        return (await telling.states(id)).join() === 'delivered,held'
      })
      receiver.behave = taken
      await telling.enable(id)
      await telling.all(id, 2)
      expect(receiver.received).toHaveLength(2)
    },
  )

  it('whose reply is larger than anybody reads count by its status', async () => {
    const long = 'z'.repeat(300_000)
    const receiver = await telling.receiver((request, response) => {
      const status = request.json.data.values.n === 1 ? 200 : 500
      // In pieces of no declared length.
      response.writeHead(status, { 'content-type': 'text/plain' })
      response.write(long)
      response.end()
    })
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver, {
      retry: { delaysMs: [3_600_000] },
    })
    for (const n of [1, 2]) await telling.write(catalogId, 'a', n)
    const found = await eventually('both were attempted', async () => {
      return (await telling.states(id)).join() === 'delivered,retrying' && telling.deliveries(id)
    })
    for (const [index, status] of [200, 500].entries()) {
      const { json } = await telling.api.get(`/v1/deliveries/${found[index]?.id}`)
      expect(json.attempts).toMatchObject([{ status, reply: 'z'.repeat(4_096) }])
    }
  })

  it('that failed before they were held get a new schedule when they are let go', async () => {
    const receiver = await telling.receiver(failure)
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver, {
      retry: { delaysMs: [10, 10, 3_600_000] },
    })
    await telling.write(catalogId, 'a')
    await eventually('it has failed three times', async () => {
      const [one] = await telling.deliveries(id)
      return one.state === 'retrying' && one.failures === 3
    })
    await telling.disable(id)
    await telling.all(id, 1, 'held')
    receiver.received.length = 0
    let failuresLeft = 2
    receiver.behave = (request, response) =>
      (failuresLeft-- > 0 ? failure : taken)(request, response)
    await telling.enable(id)
    const [delivered] = await telling.all(id, 1)
    expect(delivered.failures).toBe(2)
    expect(receiver.received).toHaveLength(3)
  })

  it('that a receiver aborts are cancelled, and the next of that record goes out', async () => {
    const abort = reply(500, '', { 'webhook-delivery': 'abort-message' })
    const receiver = await telling.receiver((request, response) =>
      (request.json.data.values.n === 1 ? abort : taken)(request, response),
    )
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver)
    for (const n of [1, 2]) await telling.write(catalogId, 'a', n)
    await eventually('the second one is delivered', async () => {
      return (await telling.states(id))[1] === 'delivered'
    })
    expect(await telling.states(id)).toEqual(['cancelled', 'delivered'])
    expect(await telling.read(id)).toMatchObject({ active: true })
    expect(toldOf(receiver.received)).toEqual({ a: [1, 2] })
  })

  it('of a disabled subscription are held, and delivered in order when it is enabled', async () => {
    const receiver = await telling.receiver()
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver)
    await telling.write(catalogId, 'a')
    await telling.all(id, 1)
    await telling.disable(id)
    for (let n = 2; n <= 4; n++) await telling.write(catalogId, 'a', n)
    for (let n = 1; n <= 2; n++) await telling.write(catalogId, 'b', n)
    await eventually('five are held', async () => {
      return (await telling.states(id)).filter((state) => state === 'held').length === 5
    })
    expect(receiver.received).toHaveLength(1)
    expect((await telling.enable(id, { held: 'deliver' })).json).toMatchObject({ active: true })
    await telling.all(id, 6)
    expect(toldOf(receiver.received)).toEqual({ a: [1, 2, 3, 4], b: [1, 2] })
    const numbers = receiver.received.map(({ json }) => json.data.sequenceId)
    expect(numbers.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('that were held are cancelled by choice; what comes later is told, with the next number', async () => {
    const receiver = await telling.receiver()
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver)
    await telling.disable(id)
    for (let n = 1; n <= 3; n++) await telling.write(catalogId, 'a', n)
    await telling.all(id, 3, 'held')
    for (const wrong of [
      { held: 'drop' },
      { hold: 'cancel' },
      { held: 'cancel', hold: 'cancel' },
    ]) {
      const { status, json } = await telling.enable(id, wrong)
      expect([status, json.code]).toEqual([422, 'invalid_request'])
    }
    expect(await telling.read(id)).toMatchObject({ active: false })
    expect((await telling.enable(id, { held: 'cancel' })).json).toMatchObject({ active: true })
    await telling.all(id, 3, 'cancelled')
    await telling.write(catalogId, 'a', 4)
    await eventually('the fourth one is delivered', async () => {
      return (await telling.states(id))[3] === 'delivered'
    })
    expect(receiver.received.map(({ json }) => json.data.sequenceId)).toEqual([4])
    expect(await telling.read(id)).toMatchObject({ lastSequenceId: 4 })
  })

  it('are cancelled by the enabling that says so, and by none after it', async () => {
    const receiver = await telling.receiver()
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver)
    await telling.disable(id)
    for (let n = 1; n <= 3; n++) await telling.write(catalogId, 'a', n)
    await telling.all(id, 3, 'held')
    await telling.enable(id, { held: 'cancel' })
    await telling.all(id, 3, 'cancelled')
    receiver.behave = failure
    await telling.api.post(`/v1/subscriptions/${id}/replay`, { states: ['cancelled'] })
    await eventually('they are on their way again', async () => {
      return (await telling.states(id)).every((state) => state !== 'cancelled')
    })
    await telling.disable(id)
    await telling.all(id, 3, 'held')
    receiver.behave = taken
    receiver.received.length = 0
    await telling.enable(id)
    await telling.all(id, 3)
    expect(toldOf(receiver.received)).toEqual({ a: [1, 2, 3] })
  })

  it('are not cancelled later by what was said to a subscription that was on', async () => {
    const receiver = await telling.receiver(failure)
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver)
    for (const n of [1, 2]) await telling.write(catalogId, 'a', n)
    await eventually('it has failed', () => receiver.received.length > 0)
    await telling.enable(id, { held: 'cancel' })
    await telling.disable(id)
    await telling.all(id, 2, 'held')
    receiver.behave = taken
    receiver.received.length = 0
    await telling.enable(id)
    await telling.all(id, 2)
    expect(toldOf(receiver.received)).toEqual({ a: [1, 2] })
  })

  it('that were wanted again while their subscription was off are delivered when it is on', async () => {
    const receiver = await telling.receiver()
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver)
    for (const n of [1, 2]) await telling.write(catalogId, 'a', n)
    await telling.all(id, 2)
    await telling.disable(id)
    receiver.received.length = 0
    const replayed = await telling.api.post(`/v1/subscriptions/${id}/replay`, { fromSequenceId: 1 })
    expect(replayed.json).toEqual({ count: 2 })
    await telling.enable(id)
    await eventually('both came again', () => receiver.received.length === 2)
    await telling.all(id, 2)
    expect(toldOf(receiver.received)).toEqual({ a: [1, 2] })
  })

  it('of a subscription that was removed are cancelled, and stay in the log', async () => {
    const receiver = await telling.receiver(failure)
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver)
    for (let n = 1; n <= 3; n++) await telling.write(catalogId, 'a', n)
    await eventually('it has failed', () => receiver.received.length > 0)
    // What is planned after the end is told to nobody, and so in no log.
    await eventually('all are planned', async () => (await telling.states(id)).length === 3)
    expect((await telling.api.delete(`/v1/subscriptions/${id}`)).status).toBe(204)
    await telling.all(id, 3, 'cancelled')
    const told = receiver.received.length
    await telling.write(catalogId, 'a', 4)
    expect(await telling.states(id)).toHaveLength(3)
    expect(receiver.received.length).toBe(told)
    for (const { id: deliveryId } of await telling.deliveries(id)) {
      const { status, json } = await telling.api.post(`/v1/deliveries/${deliveryId}/retry`)
      expect([status, json.code]).toEqual([409, 'subscription_gone'])
    }
    expect(await telling.states(id)).toEqual(Array(3).fill('cancelled'))
  })

  it('start no sooner than the rate of their subscription allows', async () => {
    const [perSecond, count] = [20, 10]
    const arrivals: number[] = []
    const receiver = await telling.receiver((request, response) => {
      arrivals.push(nowMs())
      return taken(request, response)
    })
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver, {
      active: false,
      maxPerSecond: perSecond,
    })
    for (let record = 1; record <= count; record++) await telling.write(catalogId, `r${record}`)
    await telling.all(id, count, 'held')
    const enabledAt = nowMs()
    await telling.enable(id)
    await telling.all(id, count)
    expect(arrivals).toHaveLength(count)
    for (const [index, at] of arrivals.entries()) {
      // A timer may go off within its last millisecond.
      expect(at - enabledAt).toBeGreaterThanOrEqual((index * 1_000) / perSecond - 2)
    }
  })

  it('under way are never more than their subscription allows', async () => {
    const keeper = keeping()
    const receiver = await telling.receiver(keeper.behave)
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver, {
      active: false,
      maxInFlight: 2,
      timeoutMs: 30_000,
    })
    for (let record = 1; record <= 9; record++) await telling.write(catalogId, `r${record}`)
    await telling.all(id, 9, 'held')
    await telling.enable(id)
    for (let answered = 0; answered < 9; answered++) {
      const wanted = Math.min(2, 9 - answered)
      await eventually('as many as may are under way', () => keeper.held.length === wanted)
      const states = await telling.states(id)
      expect(states.filter((state) => state === 'sending').length).toBeLessThanOrEqual(2)
      keeper.held.shift()?.()
    }
    await telling.all(id, 9)
    expect(keeper.most).toBe(2)
  })
})

function never(): never {
  throw new Error('nothing was received')
}
