/** What receivers of each dialect are told, and what they find when they fetch what they lack. */
import { createHash, createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { DATABASES } from '../support/places.ts'
import { type Received, reply } from '../support/validator-server.ts'
import { ONCE, Telling, taken } from './telling.ts'

const SECRET = 'a secret; with a semicolon'

/** As a receiver in PHP would: over what it has decoded. */
function verifyOf(body: any): string {
  const { account, object, object_id, action, data, time } = body
  const parts = [account, object, object_id, action, ...(data === undefined ? [] : [data]), time]
  return createHash('md5')
    .update([...parts, SECRET].join(';'))
    .digest('hex')
}

describe.each(DATABASES)('dialects of notifications on the %s database', (database) => {
  let telling: Telling
  beforeAll(async () => {
    telling = await Telling.start(database)
  })
  afterAll(() => telling.close())

  const pull = async (id: string, query = '') =>
    (await telling.api.get(`/v1/subscriptions/${id}/deliveries${query}`)).json
  const numbersIn = ({ items }: any) => items.map(({ sequenceId }: any) => sequenceId)

  /** Records written one after the other, each delivered before the next one. */
  const told = async (settings: object, count: number, catalogId = telling.catalog()) => {
    const receiver = await telling.receiver()
    const { id } = await telling.subscribe(catalogId, receiver, settings)
    for (let record = 1; record <= count; record++) {
      await telling.write(catalogId, `r${record}`, 1, { value_absolute: record })
      await telling.all(id, record)
    }
    return { id, catalogId, receiver }
  }

  it('are fetched page by page in order of number, with the bodies that were sent', async () => {
    const { id, receiver } = await told({ dialect: 'standard' }, 5)
    const first = await pull(id, '?limit=2')
    expect([numbersIn(first), first.nextCursor]).toEqual([[1, 2], '2'])
    const second = await pull(id, `?limit=2&cursor=${first.nextCursor}`)
    const third = await pull(id, `?limit=2&cursor=${second.nextCursor}`)
    expect(third.nextCursor).toBeNull()
    const items = [...first.items, ...second.items, ...third.items]
    expect(items.map(({ body }) => JSON.stringify(body))).toEqual(
      receiver.received.map(({ text }) => text),
    )
    expect(items.map(({ id: of }) => of)).toEqual(
      receiver.received.map(({ headers }) => headers['webhook-id']),
    )
    expect(items.every(({ state }) => state === 'delivered')).toBe(true)
    const behind = await pull(id, '?after=3')
    expect([numbersIn(behind), behind.nextCursor]).toEqual([[4, 5], null])
    const nothing = await pull(id, '?after=5')
    expect(nothing).toEqual({ items: [], nextCursor: null })
  })

  it('are fetched whatever became of them: dead, held or cancelled', async () => {
    const { id, catalogId, receiver } = await told({ retry: ONCE }, 1)
    receiver.behave = reply(500, '')
    await telling.write(catalogId, 'dead')
    await eventually('it is dead', async () => (await telling.states(id))[1] === 'dead')
    await telling.disable(id)
    await telling.write(catalogId, 'held')
    await eventually('it is held', async () => (await telling.states(id))[2] === 'held')
    const read = async () => (await pull(id)).items.map(({ state }: any) => state)
    expect(await read()).toEqual(['delivered', 'dead', 'held'])
    await telling.enable(id, { held: 'cancel' })
    await eventually('it is cancelled', async () => (await read())[2] === 'cancelled')
    const { items } = await pull(id, '?after=1')
    expect(items.map(({ body }: any) => body.data.recordId)).toEqual(['dead', 'held'])
    expect(items.map(({ body }: any) => body.data.sequenceId)).toEqual([2, 3])
  })

  it('of bpium count requests and notifications of a hook by one counter', async () => {
    const catalogId = telling.catalog()
    const receiver = await telling.receiver()
    const { id } = await telling.subscribe(catalogId, receiver, {
      dialect: 'bpium',
      secret: SECRET,
      events: ['record.before.created', 'record.created'],
    })
    for (let record = 1; record <= 3; record++) {
      await telling.write(catalogId, `r${record}`)
      await telling.all(id, record)
    }
    const hooks = receiver.received.map(({ json }) => json.hook)
    expect(hooks).toEqual(
      [1, 2, 3, 4, 5, 6].map((sequenceId) => ({
        id,
        event: sequenceId % 2 === 1 ? 'record.before.created' : 'record.created',
        sequenceId,
      })),
    )
    for (const { headers, text } of receiver.received) {
      expect(headers['x-hook-signature']).toBe(
        createHmac('md5', SECRET).update(text).digest('base64'),
      )
    }
    // Who has seen number 1 and lacks the rest finds the notifications; the other numbers were requests.
    const first = await pull(id, '?after=1&limit=2')
    expect([numbersIn(first), first.nextCursor]).toEqual([[2, 4], '4'])
    const rest = await pull(id, `?limit=2&cursor=${first.nextCursor}`)
    expect([numbersIn(rest), rest.nextCursor]).toEqual([[6], null])
    const sent = receiver.received.filter(({ json }) => json.hook.event === 'record.created')
    expect([...first.items, ...rest.items].map(({ body }) => JSON.stringify(body))).toEqual(
      sent.map(({ text }) => text),
    )
    expect(await telling.read(id)).toMatchObject({ lastSequenceId: 6 })
  })

  it('of bpium lose no number to approvals that come all at once', async () => {
    const catalogId = telling.catalog()
    const receiver = await telling.receiver()
    const { id } = await telling.subscribe(catalogId, receiver, {
      dialect: 'bpium',
      secret: SECRET,
      events: ['record.before.created', 'record.created'],
    })
    const records = Array.from({ length: 25 }, (_, index) => `r${index}`)
    await Promise.all(records.map((record) => telling.write(catalogId, record)))
    await telling.all(id, 25)
    const numbers = receiver.received.map(({ json }) => json.hook.sequenceId)
    expect(numbers.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 50 }, (_, index) => index + 1),
    )
    const isTold = ({ json }: Received) => json.hook.event === 'record.created'
    const sent = receiver.received.filter(isTold).map(({ json }) => json.hook.sequenceId)
    expect(numbersIn(await pull(id, '?limit=200'))).toEqual(sent.toSorted((a, b) => a - b))
  })

  it('of poster are fetched as they are sent, but for the time and what depends on it', async () => {
    const settings = { dialect: 'poster', secret: SECRET }
    const { id, receiver } = await told(settings, 3, 'client_ewallet')
    const { items } = await pull(id)
    const timeless = ({ time, verify, ...rest }: any) => ({
      ...rest,
      signed: [time, verify].length,
    })
    expect(items.map(({ body }: any) => timeless(body))).toEqual(
      receiver.received.map(({ json }) => timeless(json)),
    )
    for (const { body } of items) expect(body.verify).toBe(verifyOf(body))
    expect(numbersIn(await pull(id, '?after=1&limit=1'))).toEqual([2])
  })

  it('of poster are told of an incoming order when it is taken or turned away only', async () => {
    const receiver = await telling.receiver()
    const other = await telling.receiver()
    const settings = { dialect: 'poster', secret: SECRET }
    const { id } = await telling.subscribe('incoming_order', receiver, settings)
    const standard = await telling.subscribe('incoming_order', other)
    const writes = [
      ['1', 1, 'new'],
      ['1', 2, 'new'],
      ['1', 3, 'cooking'],
      ['1', 4, 'applied'],
      ['2', 1, 'new'],
      ['2', 2, 'applied'],
      ['2', 3, 'rejected'],
      ['3', 1, 'new'],
      ['3', 2, 'rejected'],
    ] as const
    for (const [record, n, status] of writes) {
      await telling.write('incoming_order', record, n, { status })
    }
    await telling.all(standard.id, writes.length)
    await telling.all(id, 5)
    const told = receiver.received.map(({ json }) => `${json.object_id} ${json.action}`)
    expect(told.toSorted()).toEqual(['1 added', '2 added', '2 changed', '3 added', '3 changed'])
  })

  it('of poster are delivered by a 200 and by nothing else, each try signed anew', async () => {
    const answers = [201, 204, 302, 410, 500, 200]
    const receiver = await telling.receiver((request, response) =>
      reply(answers[receiver.received.length - 1] ?? 200, '')(request, response),
    )
    const { id } = await telling.subscribe('stock', receiver, {
      dialect: 'poster',
      secret: SECRET,
      retry: { delaysMs: [1, 1, 1, 1, 1, 1, 1, 1] },
    })
    const startedAtSeconds = Math.floor(Date.now() / 1_000)
    const stock = { type: 1, element_id: '7', storage_id: 2 }
    await telling.write('stock', '42', 1, { ...stock, value_absolute: 5 })
    await telling.all(id, 1)
    const [delivery] = await telling.deliveries(id)
    const { attempts } = (await telling.api.get(`/v1/deliveries/${delivery.id}`)).json
    expect(attempts.map(({ status }: any) => status)).toEqual(answers)
    expect(await telling.read(id)).toMatchObject({ active: true })
    for (const { json } of receiver.received) {
      expect(json).toMatchObject({ account: 'default', object: 'stock', object_id: 42 })
      expect(json).toMatchObject({ action: 'added', time: expect.stringMatching(/^\d{10}$/) })
      expect(JSON.parse(json.data)).toEqual({ ...stock, value_relative: 5, value_absolute: 5 })
      expect(Number(json.time)).toBeGreaterThanOrEqual(startedAtSeconds)
      expect(json.verify).toBe(verifyOf(json))
    }
    // What happens next is the next request: there is no try after the 200.
    receiver.behave = taken
    await telling.write('stock', '42', 2, { value_absolute: 3 })
    await telling.all(id, 2)
    expect(receiver.received).toHaveLength(answers.length + 1)
    const { json } = receiver.received.at(-1) ?? { json: undefined }
    expect(json).toMatchObject({ action: 'changed', object_id: 42 })
    expect(JSON.parse(json.data)).toEqual({ ...stock, value_relative: -2, value_absolute: 3 })
    expect(json.verify).toBe(verifyOf(json))
  })
})
