/** The lists of the systems that the presets stand for, written out once more. */
import { describe, expect, it } from 'vitest'
import type { Catalog } from '../../../../src/domain/catalog.ts'
import { helpdesk } from '../../../../src/domain/presets/helpdesk.ts'
import { pos } from '../../../../src/domain/presets/pos.ts'
import { actionConditionsOf, type Preset } from '../../../../src/domain/presets/preset.ts'
import { taxi } from '../../../../src/domain/presets/taxi.ts'

const optionsOf = ({ catalogs }: Preset, catalogId: string, fieldId: string) => {
  const catalog = catalogs.find(({ id }) => id === catalogId)
  return catalog?.fields.find(({ id }) => id === fieldId)?.options
}

const wordsOf = (options: ReturnType<typeof optionsOf>) =>
  options?.map(({ title }) => title.toLowerCase())

/** `en route` is `en_route`, `UP&UP` is `up_and_up`. */
const idOf = (word: string) => word.toLowerCase().replace('&', '_and_').replaceAll(' ', '_')

const fieldsOf = ({ catalogs }: Preset, catalogId: string) =>
  catalogs.find(({ id }: Catalog) => id === catalogId)?.fields.map(({ id }) => id)

describe('the preset pos', () => {
  it('has a catalog for each of the 26 entities, by its name to the letter', () => {
    const entities =
      'transaction, incoming_order, product, dish, category, prepack, ingredient, workshop, ingredients_category, client, client_payed_sum, clients_group, promotion, promotion_prize, client_ewallet, loyalty rule, storage, stock, supply, book_transaction, cash_shift_transaction, spot, register, waiter, configs, application'
    expect(pos.catalogs.map(({ id }) => id)).toEqual(entities.split(', '))
    expect(pos.catalogs).toHaveLength(26)
  })

  it('has the fields and the lists that the poster dialect tells of', () => {
    expect(fieldsOf(pos, 'client_ewallet')).toContain('value_absolute')
    expect(fieldsOf(pos, 'stock')).toEqual(
      expect.arrayContaining(['type', 'element_id', 'storage_id', 'value_absolute']),
    )
    expect(fieldsOf(pos, 'application')).toContain('user_id')
    expect(optionsOf(pos, 'stock', 'type')).toEqual([
      { id: '1', title: 'Ingredient' },
      { id: '2', title: 'Product' },
      { id: '3', title: 'Modifier' },
      { id: '4', title: 'Produced dish' },
      { id: '5', title: 'Produced prepack' },
    ])
    const idsOf = (catalogId: string, field: string) =>
      optionsOf(pos, catalogId, field)?.map(({ id }) => id)
    expect(idsOf('incoming_order', 'status')).toEqual(['new', 'applied', 'rejected'])
    expect(idsOf('transaction', 'status')).toEqual(['open', 'closed'])
    for (const thing of ['product', 'dish', 'prepack', 'ingredient']) {
      expect(idsOf(thing, 'kind')).toEqual(['product', 'dish', 'prepack', 'ingredient'])
    }
  })
})

describe('the preset taxi', () => {
  it.each([
    ['driver', 'status', 5, 'free, on break, on order, blocked, order offered'],
    ['order', 'status', 7, 'new, accepted, at the place, en route, completed, cancelled, overdue'],
    [
      'order',
      'distribution_status',
      6,
      'off, awaiting distribution, awaiting acceptance, accepted, declined, no driver found',
    ],
    [
      'order',
      'distribution_method',
      10,
      'no driver, personal, on air, exchanger, RBT, UP&UP, Taxik, Sedi, external app, MultiTaxi',
    ],
  ])('lists of %s.%s all %i', (catalogId, field, count, list) => {
    const words = list.split(', ')
    const options = optionsOf(taxi, catalogId, field)
    expect(options).toHaveLength(count)
    expect(wordsOf(options)).toEqual(words.map((word) => word.toLowerCase()))
    expect(options?.map(({ id }) => id)).toEqual(words.map(idOf))
  })

  it('has the conditions of buttons: two of a driver, four of an order', () => {
    const conditions = actionConditionsOf(taxi, taxi.catalogs)
    expect(conditions.map(({ catalogId, field }) => `${catalogId}.${field}`)).toEqual([
      'driver.status',
      'driver.driver_group',
      'order.status',
      'order.distribution_status',
      'order.distribution_method',
      'order.order_type',
    ])
    expect(conditions.map(({ options }) => options.length)).toEqual([5, 0, 7, 6, 10, 0])
  })

  it('has the 6 events of a driver and the 12 of an order', () => {
    const names = taxi.eventTypes.map(({ name }) => name)
    expect(names.filter((name) => name.startsWith('driver.'))).toEqual([
      'driver.shift_opened',
      'driver.shift_closed',
      'driver.status_changed',
      'driver.balance_changed',
      'driver.sos_raised',
      'driver.message_sent',
    ])
    expect(names.filter((name) => name.startsWith('order.')).toSorted()).toEqual([
      'order.cancelled',
      'order.completed',
      'order.created',
      'order.distribution_method_changed',
      'order.distribution_status_changed',
      'order.driver_accepted',
      'order.driver_assigned',
      'order.driver_declined',
      'order.driver_removed',
      'order.edited',
      'order.restored',
      'order.status_changed',
    ])
    expect(names).toHaveLength(18)
  })
})

describe('the preset helpdesk', () => {
  it('has channels, agents, teams, conversations and messages', () => {
    expect(helpdesk.catalogs.map(({ id }) => id)).toEqual([
      'inbox',
      'agent',
      'team',
      'conversation',
      'message',
    ])
  })

  it('has 6 events, all of things that belong to a channel', () => {
    expect(helpdesk.eventTypes.map(({ name }) => name)).toEqual([
      'conversation.status_changed',
      'conversation.substatus_changed',
      'message.created',
      'message.updated',
      'conversation.assigned_agent_changed',
      'conversation.assigned_team_changed',
    ])
    for (const { catalogId } of helpdesk.eventTypes) {
      expect(fieldsOf(helpdesk, catalogId ?? '')).toContain('inbox_id')
    }
  })
})
