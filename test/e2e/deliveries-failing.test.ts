/** Receivers that fail for long, or are gone: somebody is told, they are disabled, nothing is lost. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { DATABASES } from '../support/places.ts'
import { reply, type ValidatorServer } from '../support/validator-server.ts'
import { Telling, taken, toldOf } from './telling.ts'

const PATIENCE_MS = 3_000

describe.each(DATABASES)('a receiver that fails, on the %s database', (database) => {
  let telling: Telling
  let operator: ValidatorServer
  beforeAll(async () => {
    telling = await Telling.start(database, { ASSENT_AUTO_DISABLE_AFTER_MS: String(PATIENCE_MS) })
    operator = await telling.receiver()
    await telling.subscribe('*', operator, {
      events: ['subscription.failing', 'subscription.disabled'],
    })
  })
  afterAll(() => telling.close())

  const toldAbout = (id: string) =>
    operator.received.map(({ json }) => json).filter(({ data }) => data.recordId === id)

  it('is told of and then disabled; what was for it is held, and delivered when it is enabled', async () => {
    const receiver = await telling.receiver(reply(500, ''))
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver, { name: 'The till' })
    const before = Date.now()
    for (let n = 1; n <= 3; n++) await telling.write(catalogId, 'a', n)
    await eventually('it is disabled', async () => !(await telling.read(id)).active)
    expect(await telling.read(id)).toMatchObject({ disabledReason: 'failing' })
    await telling.all(id, 3, 'held')
    const disabled = await eventually('somebody is told', () =>
      toldAbout(id).find(({ type }) => type === 'subscription.disabled'),
    )
    expect(disabled.data).toMatchObject({
      accountId: 'default',
      recordId: id,
      values: { subscriptionId: id, name: 'The till', reason: 'failing' },
    })
    for (const absent of ['catalogId', 'decisionId', 'user', 'prevValues']) {
      expect(disabled.data).not.toHaveProperty(absent)
    }
    const since = Date.parse(disabled.data.values.failingSince)
    expect(since).toBeGreaterThanOrEqual(before - 1_000)
    expect(Date.parse(disabled.timestamp) - since).toBeGreaterThanOrEqual(PATIENCE_MS - 100)
    const failing = toldAbout(id).filter(({ type }) => type === 'subscription.failing')
    const percents = failing.map(({ data }) => data.values.percent)
    // On a busy machine one may be passed over, none is told twice.
    expect(percents.length).toBeGreaterThan(0)
    expect(percents).toEqual([50, 70, 90].filter((percent) => percents.includes(percent)))
    for (const { data } of failing) {
      expect(data.values).toMatchObject({ subscriptionId: id, name: 'The till' })
    }
    expect(toldAbout(id).at(-1)).toBe(disabled)
    receiver.behave = taken
    receiver.received.length = 0
    await telling.enable(id)
    await telling.all(id, 3)
    expect(toldOf(receiver.received)).toEqual({ a: [1, 2, 3] })
  })

  it('is forgiven by one success, time after time', async () => {
    let answered = 0
    // Every third one is taken.
    const receiver = await telling.receiver((request, response) =>
      (++answered % 3 === 0 ? taken : reply(500, ''))(request, response),
    )
    const catalogId = telling.catalog()
    const retry = { delaysMs: [400, 400] }
    const { id } = await telling.subscribe(catalogId, receiver, { retry })
    const startedAt = Date.now()
    for (let n = 1; n <= 5; n++) await telling.write(catalogId, 'a', n)
    await telling.all(id, 5)
    // Longer than it may fail, with a success now and then.
    expect(Date.now() - startedAt).toBeGreaterThan(PATIENCE_MS)
    expect(receiver.received).toHaveLength(15)
    expect(await telling.read(id)).toMatchObject({ active: true })
  })

  it('is told of to those of any catalog', async () => {
    const listener = await telling.receiver()
    await telling.subscribe(telling.catalog(), listener, { events: ['subscription.disabled'] })
    const receiver = await telling.receiver(reply(410, ''))
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver)
    await telling.write(catalogId, 'a')
    await eventually('the listener is told', () =>
      listener.received.some(({ json }) => json.data.recordId === id),
    )
  })

  it('and is gone is told of too', async () => {
    const receiver = await telling.receiver(reply(410, ''))
    const catalogId = telling.catalog()
    const { id } = await telling.subscribe(catalogId, receiver, { name: 'The lamp' })
    await telling.write(catalogId, 'a')
    await telling.all(id, 1, 'held')
    const told = await eventually('somebody is told', () => toldAbout(id)[0])
    expect(told).toMatchObject({
      type: 'subscription.disabled',
      data: { values: { subscriptionId: id, name: 'The lamp', reason: 'gone' } },
    })
    const { items } = (await telling.api.get('/v1/notifications?limit=200')).json
    expect(items.find(({ recordId }: any) => recordId === id)).toMatchObject({
      event: 'subscription.disabled',
      catalogId: null,
      decisionId: null,
    })
    expect(toldAbout(id)).toHaveLength(1)
  })

  it('and is disabled by hand is told of to nobody', async () => {
    const receiver = await telling.receiver()
    const { id } = await telling.subscribe(telling.catalog(), receiver)
    await telling.disable(id)
    // Told after it, and there first.
    const other = await telling.receiver(reply(410, ''))
    const catalogId = telling.catalog()
    const gone = await telling.subscribe(catalogId, other)
    await telling.write(catalogId, 'a')
    await eventually('somebody is told of the other one', () => toldAbout(gone.id)[0])
    expect(toldAbout(id)).toEqual([])
  })
})
