/** What point of sale, taxi dispatch and contact centre do, done with their presets over HTTP. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Field } from '../../../src/domain/catalog.ts'
import { helpdesk } from '../../../src/domain/presets/helpdesk.ts'
import { pos } from '../../../src/domain/presets/pos.ts'
import { taxi } from '../../../src/domain/presets/taxi.ts'
import type { Values } from '../../../src/domain/values.ts'
import { DATABASES } from '../../support/places.ts'
import { PRESET_CHANGES, type PresetChange } from '../../support/preset-changes.ts'
import type { Received } from '../../support/validator-server.ts'
import { type Ears, SourceWorld } from './source-world.ts'

const SECRET = 'poster; secret'
const RECORD_EVENTS = ['record.created', 'record.updated', 'record.deleted']

const changesOf = (preset: string, ...catalogIds: string[]): readonly PresetChange[] =>
  (PRESET_CHANGES[preset] ?? []).filter(({ catalogId }) => catalogIds.includes(catalogId))

const namesOf = ({ eventTypes }: { readonly eventTypes: readonly { readonly name: string }[] }) =>
  eventTypes.map(({ name }) => name)

const typeOf = ({ json }: Received): string => json.type

/** As a receiver in PHP would: over what it has decoded. */
function expectVerified({ json }: Received): void {
  const { account, object, object_id, action, data, time, verify } = json
  const parts = [account, object, object_id, action, ...(data === undefined ? [] : [data]), time]
  const digest = createHash('md5').update([...parts, SECRET].join(';'))
  expect(verify).toBe(digest.digest('hex'))
}

const posterEars = (events: readonly string[]): Ears => ({
  settings: { dialect: 'poster', secret: SECRET, events },
  recordOf: ({ json }) => String(json.object_id),
  last: { what: 'the end', catalogId: 'spot', before: null, sent: { name: 'End' }, raises: [] },
})

const standardEars = (events: readonly string[], last: PresetChange): Ears => ({
  settings: { dialect: 'standard', events },
  recordOf: ({ json }) => json.data.recordId,
  last,
})

/** A value that the field takes; the second one differs from the first, but for choices. */
function sampleOf({ type, options = [] }: Field, turn: 1 | 2): unknown {
  if (type === 'number') return turn * 10.5
  if (type === 'boolean') return turn === 1
  if (type === 'choice') return options[0]?.id ?? 'own'
  if (type === 'text') return turn === 1 ? 'Борщ; «red»' : 'Borsch'
  return turn
}

const samplesOf = (fields: readonly Field[], turn: 1 | 2): Values =>
  Object.fromEntries(fields.map((field) => [field.id, sampleOf(field, turn)]))

describe.each(DATABASES)('sources on the %s database', (database) => {
  let world: SourceWorld
  beforeAll(async () => {
    world = await SourceWorld.start(database)
  })
  afterAll(() => world.close())

  /** Makes the changes; each must be told by exactly its own events. */
  const expectRaised = async (changes: readonly PresetChange[], ears: Ears) => {
    const heard = await world.hear(changes, ears)
    for (const { change, requests } of heard) {
      const types = requests.map(typeOf).toSorted()
      expect(types, change.what).toEqual(change.raises)
    }
    return heard
  }

  it('P1 tells of each of the 26 entities by its name that it was added, changed and removed', async () => {
    expect(pos.catalogs).toHaveLength(26)
    // A record's own key is what is told; this entity is known by its customer's.
    const known = pos.catalogs.filter(({ id }) => id !== 'client_payed_sum')
    const changes = known.flatMap(({ id: catalogId, fields }) => {
      const before = samplesOf(fields, 1)
      const sent = samplesOf(fields, 2)
      return [
        { what: 'added', catalogId, before: null, sent: before, raises: [] },
        { what: 'changed', catalogId, before, sent, raises: [] },
        { what: 'removed', catalogId, before, sent: null, raises: [] },
      ]
    })
    const heard = await world.hear(changes, posterEars(RECORD_EVENTS))
    for (const { change, requests } of heard) {
      // Of an incoming order it is told only that it was taken or turned away (P6).
      const isSilent = change.catalogId === 'incoming_order' && change.what === 'changed'
      expect(
        requests.map(({ json }) => [json.account, json.object, json.action, typeof json.object_id]),
      ).toEqual(isSilent ? [] : [['default', change.catalogId, change.what, 'number']])
      for (const request of requests) expectVerified(request)
    }
    const dataOf = (catalogId: string) =>
      heard
        .filter(({ change }) => change.catalogId === catalogId)
        .map(({ requests: [request] }) => JSON.parse(request?.json.data))
    expect(dataOf('client_ewallet')).toEqual([
      { value_relative: 10.5, value_absolute: 10.5 },
      { value_relative: 10.5, value_absolute: 21 },
      { value_relative: -10.5, value_absolute: 0 },
    ])
    const there = { type: '1', element_id: 1, storage_id: 1 }
    const elsewhere = { type: '1', element_id: 2, storage_id: 2 }
    expect(dataOf('stock')).toEqual([
      { ...there, value_relative: 10.5, value_absolute: 10.5 },
      { ...elsewhere, value_relative: 10.5, value_absolute: 21 },
      { ...there, value_relative: -10.5, value_absolute: 0 },
    ])
    expect(dataOf('application')).toEqual([{ user_id: 1 }, { user_id: 2 }, { user_id: 1 }])
  })

  it('P1 tells of what a customer has paid by the key of the customer', async () => {
    const receiver = await world.telling.receiver()
    const { settings } = posterEars(RECORD_EVENTS)
    const { id } = await world.telling.subscribe('client_payed_sum', receiver, settings)
    const catalogId = 'client_payed_sum'
    const before = { client_id: 70, payed_sum: 100 }
    await world.write({ catalogId, before: null, sent: before }, 'sum')
    await world.write({ catalogId, before, sent: { payed_sum: 150 } }, 'sum')
    await world.write({ catalogId, before, sent: null }, 'sum')
    await world.telling.all(id, 3)
    expect(receiver.received.map(({ json }) => [json.object, json.object_id, json.action])).toEqual(
      ['added', 'changed', 'removed'].map((action) => [catalogId, 70, action]),
    )
    for (const request of receiver.received) expectVerified(request)
  })

  it.each(['product', 'dish', 'prepack', 'ingredient'])(
    'P2 tells that a record of %s was added, changed, removed and transformed',
    async (entity) => {
      const changes = changesOf('pos', entity)
      const heard = await world.hear(
        changes,
        posterEars([...RECORD_EVENTS, `${entity}.transformed`]),
      )
      const actions = new Set<string>()
      for (const { change, requests } of heard) {
        const told = requests.map(({ json }) => json.action)
        const own = change.before === null ? 'added' : change.sent === null ? 'removed' : 'changed'
        expect(told, change.what).toEqual([
          own,
          ...(change.raises.length > 0 ? ['transformed'] : []),
        ])
        for (const request of requests) {
          expect(request.json.object).toBe(entity)
          expectVerified(request)
        }
        for (const action of told) actions.add(action)
      }
      expect([...actions].toSorted()).toEqual(['added', 'changed', 'removed', 'transformed'])
    },
  )

  it('P6 tells that an incoming order changed only when it goes from new to applied or rejected', async () => {
    const statuses = ['new', 'applied', 'rejected', null]
    const changes = statuses.flatMap((from) =>
      statuses.map((to) => ({
        what: `${from} → ${to}`,
        catalogId: 'incoming_order',
        before: { status: from, comment: 'Call me' },
        sent: { status: to, comment: 'Come' },
        raises: [],
      })),
    )
    const heard = await world.hear(changes, posterEars(RECORD_EVENTS))
    expect(heard).toHaveLength(16)
    const told = heard.filter(({ requests }) => requests.length > 0)
    expect(told.map(({ change }) => change.what)).toEqual(['new → applied', 'new → rejected'])
    for (const { requests } of told) {
      expect(requests.map(({ json }) => [json.object, json.action])).toEqual([
        ['incoming_order', 'changed'],
      ])
      for (const request of requests) expectVerified(request)
    }
  })

  it('P6 tells that the paid sum of a customer changed when an order with a customer closes', async () => {
    // Each order has a customer of its own, so that what is told can be told apart.
    const rows = changesOf('pos', 'transaction')
    expect(rows.filter(({ raises }) => raises.length > 0)).toHaveLength(3)
    const customers = new Map<string, PresetChange>()
    const withCustomer = (values: Values | null, customer: string): Values | null => {
      const key = values?.['client_id'] ?? 0
      if (values === null || key === 0 || key === '0') return values
      return { ...values, client_id: typeof key === 'number' ? Number(customer) : customer }
    }
    const changes = rows.map((row) => {
      const customer = `9${world.recordId()}`
      const { before, sent } = row
      const change = {
        ...row,
        before: withCustomer(before, customer),
        sent: withCustomer(sent, customer),
      }
      customers.set(customer, change)
      return change
    })
    const receiver = await world.telling.receiver()
    const events = namesOf(pos).filter((name) => name.startsWith('client_payed_sum'))
    for (const [id, change] of customers) {
      const { catalogId, before } = change
      if (before !== null) await world.write({ catalogId, before: null, sent: before }, `t${id}`)
    }
    const { settings } = posterEars(events)
    const { id: subscriptionId } = await world.telling.subscribe('transaction', receiver, settings)
    for (const [id, change] of customers) await world.write(change, `t${id}`)
    const last = { status: 'closed', client_id: 1 }
    await world.write({ catalogId: 'transaction', before: null, sent: last }, 'last')
    await world.settled(subscriptionId, receiver, ({ json }) => json.object_id === 1)
    const told = receiver.received.filter(({ json }) => json.object_id !== 1)
    expect(
      told.map(({ json }) => customers.get(String(json.object_id))?.what ?? 'nothing').toSorted(),
    ).toEqual(
      changes
        .filter(({ raises }) => raises.length > 0)
        .map(({ what }) => what)
        .toSorted(),
    )
    for (const request of told) {
      expect(request.json).toMatchObject({ object: 'client_payed_sum', action: 'changed' })
      expect(request.json.object_id).toBeTypeOf('number')
      expectVerified(request)
    }
  })

  it('T1 tells of each event of a driver by the change that it means', async () => {
    const events = namesOf(taxi).filter((name) => name.startsWith('driver.'))
    expect(events).toHaveLength(6)
    const last = {
      what: 'the end',
      catalogId: 'driver',
      before: null,
      sent: { shift: 'open' },
      raises: [],
    }
    const heard = await expectRaised(changesOf('taxi', 'driver'), standardEars(events, last))
    const charged = heard.find(({ change }) => change.raises.includes('driver.balance_changed'))
    expect(charged?.requests[0]?.json.data).toMatchObject({
      catalogId: 'driver',
      values: { balance: 80.5 },
      prevValues: { balance: 100, status: 'free' },
      changedFields: ['balance'],
      user: { id: 'operator' },
    })
  })

  it('T1 tells of an SOS and of a message to the operator as the driver’s app raises them', async () => {
    const { api } = world.telling
    const receiver = await world.telling.receiver()
    const events = namesOf(taxi).filter((name) => name.startsWith('driver.'))
    const { id } = await world.telling.subscribe('driver', receiver, { events })
    const raised = [
      ['driver.sos_raised', { position: [50.45, 30.52] }],
      ['driver.message_sent', { text: 'The road is closed.' }],
    ] as const
    for (const [type, data] of raised) {
      const answer = await api.post('/v1/events', {
        type,
        data,
        catalogId: 'driver',
        recordId: 'driver 5',
        user: { id: 'driver 5' },
      })
      expect(answer.status).toBe(202)
    }
    await world.telling.all(id, 2)
    expect(receiver.received.map(({ json }) => [json.type, json.data.values])).toEqual(raised)
    for (const { json } of receiver.received) {
      expect(json.data).toMatchObject({ catalogId: 'driver', recordId: 'driver 5' })
    }
    // What changes of records mean cannot be claimed by a program.
    const claimed = await api.post('/v1/events', { type: 'driver.shift_opened', data: {} })
    expect([claimed.status, claimed.json.code]).toEqual([422, 'invalid_request'])
  })

  it('T2 tells of each event of an order by the change that it means', async () => {
    const events = namesOf(taxi).filter((name) => name.startsWith('order.'))
    expect(events).toHaveLength(12)
    const last = { what: 'the end', catalogId: 'order', before: null, sent: {}, raises: [] }
    const heard = await expectRaised(changesOf('taxi', 'order'), standardEars(events, last))
    const told = new Set(heard.flatMap(({ requests }) => requests.map(typeOf)))
    expect([...told].toSorted()).toEqual(events.toSorted())
    const handedOver = heard.find(({ change }) => change.raises.includes('order.driver_removed'))
    for (const { json } of handedOver?.requests ?? []) {
      expect(json.data).toMatchObject({ values: { driver_id: 6 }, prevValues: { driver_id: 5 } })
    }
  })

  it('N3 tells of each event of conversations and messages by the change that it means', async () => {
    const events = namesOf(helpdesk)
    expect(events).toHaveLength(6)
    const last = { what: 'the end', catalogId: 'message', before: null, sent: {}, raises: [] }
    const changes = changesOf('helpdesk', 'conversation', 'message', 'agent')
    const heard = await expectRaised(changes, standardEars(events, last))
    const told = new Set(heard.flatMap(({ requests }) => requests.map(typeOf)))
    expect([...told].toSorted()).toEqual(events.toSorted())
  })

  it('N4 tells of one channel only, whatever the event', async () => {
    const { telling } = world
    const events = namesOf(helpdesk)
    const conditions = (inbox: number) => [{ field: 'inbox_id', op: 'eq', value: inbox }]
    const receivers = [await telling.receiver(), await telling.receiver()]
    const ids: string[] = []
    for (const [index, receiver] of receivers.entries()) {
      const settings = { events, conditions: conditions(index + 1) }
      ids.push((await telling.subscribe('*', receiver, settings)).id)
    }
    for (const inbox of [1, 2, 3]) {
      const before = { status: 'open', substatus: 'new', inbox_id: inbox, agent_id: 1, team_id: 1 }
      const conversation = { catalogId: 'conversation', before }
      await world.write({ ...conversation, before: null, sent: before }, `c${inbox}`)
      for (const sent of [
        { status: 'resolved' },
        { substatus: 'done' },
        { agent_id: 2 },
        { team_id: 2 },
      ]) {
        await world.write({ ...conversation, sent }, `c${inbox}`)
      }
      const content = { inbox_id: inbox, content: 'Hello' }
      await world.write({ catalogId: 'message', before: null, sent: content }, `m${inbox}`)
      const read = { status: 'read' }
      await world.write({ catalogId: 'message', before: content, sent: read }, `m${inbox}`)
    }
    for (const inbox of [1, 2]) {
      const sent = { inbox_id: inbox, content: 'The end' }
      await world.write({ catalogId: 'message', before: null, sent }, `end${inbox}`)
    }
    for (const [index, receiver] of receivers.entries()) {
      // Each is told of all six and of the end, and of nothing that is another channel's.
      await telling.all(ids[index] ?? '', 7)
      const told = receiver.received.map(({ json }) => `${json.type} ${json.data.recordId}`)
      const record = (name: string) => (name.startsWith('message.') ? 'm' : 'c') + (index + 1)
      expect(told.toSorted()).toEqual(
        [
          ...events.map((name) => `${name} ${record(name)}`),
          `message.created end${index + 1}`,
        ].toSorted(),
      )
    }
  })
})
