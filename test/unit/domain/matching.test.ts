import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../../src/adapters/system/patterns.ts'
import type { ChangeDraft } from '../../../src/domain/change.ts'
import {
  indexSubscriptions,
  matchForNews,
  matchForNotification,
  matchSubscriptions,
  occurrenceOf,
  unconsidered,
} from '../../../src/domain/matching.ts'
import {
  DIALECT_NAMES,
  type DialectName,
  type Subscription,
} from '../../../src/domain/subscription.ts'
import type { Values } from '../../../src/domain/values.ts'
import { changeWith, subscriptionOf } from '../../support/build.ts'

const EVENT = 'record.before.updated'
const indexOf = (...subscriptions: Subscription[]) =>
  indexSubscriptions(subscriptions, compilePattern)

function mismatchOf(over: Partial<Subscription>, change = changeWith()) {
  const subscription = subscriptionOf({ events: [change.event], ...over })
  const match = matchSubscriptions(indexOf(subscription), change.event, change)
  expect(match.matched).toEqual(match.considered[0]?.mismatch === null ? [subscription] : [])
  return match.considered[0]?.mismatch
}

describe('a subscription', () => {
  it('that lists event and catalog matches', () => {
    expect(mismatchOf({})).toBeNull()
    expect(mismatchOf({ catalogId: '*' })).toBeNull()
  })

  it('of another event or catalog is not even looked at', () => {
    expect(mismatchOf({ events: ['record.updating'] })).toBeUndefined()
    expect(mismatchOf({ events: [] })).toBeUndefined()
    expect(mismatchOf({ catalogId: 'goods' })).toBeUndefined()
  })

  it('that is not active does not match', () => {
    expect(mismatchOf({ active: false })).toEqual({ reason: 'inactive' })
  })

  it('that watches fields matches when one of them changes', () => {
    expect(mismatchOf({ fields: ['status'] })).toBeNull()
    expect(mismatchOf({ fields: ['total', 'status'] })).toBeNull()
    expect(mismatchOf({ fields: ['total'] })).toEqual({ reason: 'fields' })
    const same = changeWith({ values: { status: 'new' } })
    expect(mismatchOf({ fields: ['status'] }, same)).toEqual({ reason: 'fields' })
  })

  it('that watches fields matches on create when one is present, on delete always', () => {
    const created = changeWith({ event: 'record.before.created', prevValues: undefined })
    expect(mismatchOf({ fields: ['status'] }, created)).toBeNull()
    expect(mismatchOf({ fields: ['total'] }, created)).toEqual({ reason: 'fields' })
    const deleted = changeWith({ event: 'record.before.deleted', values: undefined })
    expect(mismatchOf({ fields: ['whatever'] }, deleted)).toBeNull()
  })

  it('of certain initiators matches their changes only', () => {
    expect(mismatchOf({ initiators: ['ben', 'anna'] })).toBeNull()
    expect(mismatchOf({ initiators: ['ben'] })).toEqual({ reason: 'initiator' })
    const nobody = changeWith({ user: undefined })
    expect(mismatchOf({ initiators: ['ben'] }, nobody)).toEqual({ reason: 'initiator' })
    expect(mismatchOf({ initiators: [] }, nobody)).toBeNull()
  })

  it('with conditions matches when all hold, and names the first that does not', () => {
    const paid = { field: 'status', op: 'eq', value: 'paid' } as const
    const large = { field: 'total', op: 'gt', value: 100 } as const
    expect(mismatchOf({ conditions: [paid] })).toBeNull()
    expect(mismatchOf({ conditions: [paid, large] })).toEqual({
      reason: 'condition',
      conditionIndex: 1,
    })
    expect(mismatchOf({ conditions: [large, large] })).toEqual({
      reason: 'condition',
      conditionIndex: 0,
    })
  })

  it('is told its first reason: inactive, fields, initiator, condition', () => {
    const conditions = [{ field: 'total', op: 'eq', value: -1 } as const]
    const over = { fields: ['x'], initiators: ['x'], conditions }
    expect(mismatchOf({ ...over, active: false })).toEqual({ reason: 'inactive' })
    expect(mismatchOf(over)).toEqual({ reason: 'fields' })
    expect(mismatchOf({ ...over, fields: [] })).toEqual({ reason: 'initiator' })
    expect(mismatchOf({ conditions })).toMatchObject({ reason: 'condition' })
  })

  it('that lists an event twice is asked once', () => {
    const index = indexOf(subscriptionOf({ events: [EVENT, EVENT] }))
    expect(matchSubscriptions(index, EVENT, changeWith()).matched).toHaveLength(1)
  })
})

describe('plan order', () => {
  it('is by number, then creation, then id, over the catalog’s own and those for every catalog', () => {
    const early = '2026-01-01T00:00:00.000Z'
    const late = '2026-01-02T00:00:00.000Z'
    const planned = [
      subscriptionOf({ id: 'f', order: -1, createdAt: late, catalogId: '*' }),
      subscriptionOf({ id: 'c', order: 0, createdAt: early }),
      subscriptionOf({ id: 'd', order: 0, createdAt: early, catalogId: '*' }),
      subscriptionOf({ id: 'a', order: 0, createdAt: late }),
      subscriptionOf({ id: 'b', order: 3, createdAt: early, catalogId: '*' }),
      subscriptionOf({ id: 'e', order: 10, createdAt: early }),
    ]
    const ids = planned.map(({ id }) => id)
    for (const given of [
      planned,
      [...planned].reverse(),
      [...planned].sort((x, y) => (x.id < y.id ? -1 : 1)),
    ]) {
      const { matched, considered } = matchSubscriptions(indexOf(...given), EVENT, changeWith())
      expect(matched.map(({ id }) => id)).toEqual(ids)
      expect(considered.map(({ subscriptionId }) => subscriptionId)).toEqual(ids)
      expect(matchForNotification(indexOf(...given), EVENT, occurrenceOf(changeWith()))).toEqual(
        ids,
      )
    }
  })

  it('is that of time, not of text, where times are written differently', () => {
    const index = indexOf(
      subscriptionOf({ id: 'late', createdAt: '2026-01-01T00:30:00.000Z' }),
      subscriptionOf({ id: 'early', createdAt: '2026-01-01T01:00:00.000+02:00' }),
    )
    const { matched } = matchSubscriptions(index, EVENT, changeWith())
    expect(matched.map(({ id }) => id)).toEqual(['early', 'late'])
  })
})

describe('a change of a catalog named *', () => {
  it('asks those for every catalog once', () => {
    const index = indexOf(subscriptionOf({ id: 'every', catalogId: '*' }))
    const { matched } = matchSubscriptions(index, EVENT, changeWith({ catalogId: '*' }))
    expect(matched).toHaveLength(1)
  })
})

describe('a notification', () => {
  const event = 'record.updated'
  const told = (over: Partial<Subscription>) =>
    matchForNotification(
      indexOf(subscriptionOf({ id: 'one', events: [event], ...over })),
      event,
      occurrenceOf(changeWith()),
    )

  it('goes to those whose filters fit, and is held for those who are not active', () => {
    expect(told({})).toEqual(['one'])
    expect(told({ catalogId: '*' })).toEqual(['one'])
    expect(told({ active: false })).toEqual(['one'])
  })

  it('goes to nobody whose filters do not fit, active or not', () => {
    for (const active of [true, false]) {
      expect(told({ active, fields: ['total'] })).toEqual([])
      expect(told({ active, initiators: ['ben'] })).toEqual([])
      expect(told({ active, conditions: [{ field: 'status', op: 'ne', value: 'paid' }] })).toEqual(
        [],
      )
      expect(told({ active, events: ['record.created'] })).toEqual([])
      expect(told({ active, catalogId: 'goods' })).toEqual([])
    }
  })
})

describe('a changed incoming order', () => {
  const changed = (prevValues: Values | undefined, values: Values | undefined) => ({
    catalogId: 'incoming_order',
    prevValues,
    values,
  })
  const told = (dialect: DialectName, event: string, over: Partial<ChangeDraft>) =>
    matchForNotification(
      indexOf(subscriptionOf({ id: 'one', dialect, catalogId: '*', events: [event] })),
      event,
      occurrenceOf(changeWith(over)),
    )
  const taken = changed({ status: 'new' }, { status: 'applied' })
  const idle = [
    changed({ status: 'new' }, { comment: 'no onions' }),
    changed({ status: 'new' }, { status: 'cooking' }),
    changed({ status: 'new' }, { status: 'new' }),
    changed({ status: 'new' }, undefined),
    changed({ status: 'applied' }, { status: 'rejected' }),
    changed({ status: 'applied' }, { status: 'applied' }),
    changed({}, { status: 'applied' }),
    changed(undefined, { status: 'applied' }),
  ]

  it('is told to poster when it was new and is taken or turned away', () => {
    expect(told('poster', 'record.updated', taken)).toEqual(['one'])
    const refused = changed({ status: 'new' }, { status: 'rejected', by: 'anna' })
    expect(told('poster', 'record.updated', refused)).toEqual(['one'])
  })

  it.each(idle)('is not told to poster as %j', (over) => {
    expect(told('poster', 'record.updated', over)).toEqual([])
  })

  it('is told to every other dialect, whatever changed', () => {
    for (const dialect of DIALECT_NAMES.filter((name) => name !== 'poster')) {
      for (const over of [taken, ...idle]) {
        expect(told(dialect, 'record.updated', over)).toEqual(['one'])
      }
    }
  })

  it('holds back no other entity, and neither creation nor removal', () => {
    for (const over of idle) {
      expect(told('poster', 'record.created', over)).toEqual(['one'])
      expect(told('poster', 'record.deleted', over)).toEqual(['one'])
      expect(told('poster', 'record.updated', { ...over, catalogId: 'orders' })).toEqual(['one'])
    }
  })
})

describe('the rest of the account', () => {
  it('did not match for its event or its catalog, and whoever was looked at is not of the rest', () => {
    const index = indexOf(
      subscriptionOf({ id: 'looked-at', active: false }),
      subscriptionOf({ id: 'every', catalogId: '*' }),
      subscriptionOf({ id: 'goods', name: 'Goods', catalogId: 'goods' }),
      subscriptionOf({ id: 'telling', events: ['record.updated'], catalogId: 'goods' }),
    )
    expect(unconsidered(index, EVENT, 'orders')).toEqual([
      { subscriptionId: 'goods', name: 'Goods', mismatch: { reason: 'catalog' } },
      { subscriptionId: 'telling', name: 'Stock check', mismatch: { reason: 'event' } },
    ])
  })
})

describe('an operational event', () => {
  const listener = (over: Partial<Subscription>) =>
    subscriptionOf({ catalogId: '*', events: ['subscription.failing'], ...over })
  const occurrence = {
    event: 'subscription.failing',
    accountId: 'default',
    subscriptionId: 'sub_b',
    values: { subscriptionId: 'sub_b', name: 'Stock', percent: 40 },
  } as const
  const told = (...subscriptions: Subscription[]) =>
    matchForNews(indexOf(...subscriptions), { ...occurrence, about: occurrence.subscriptionId })

  it('is told to all who list it, in plan order where their catalog is the same', () => {
    const late = listener({ id: 'late', order: 2, events: ['record.created', occurrence.event] })
    expect(told(late, listener({ id: 'early', order: 1 }))).toEqual(['early', 'late'])
    expect(told(listener({ events: ['subscription.disabled'] }))).toEqual([])
    expect(told()).toEqual([])
  })

  it('is told whatever the catalog of a subscription is: it belongs to none', () => {
    const ids = told(
      listener({ id: 'every' }),
      listener({ id: 'orders', catalogId: 'orders' }),
      listener({ id: 'goods', catalogId: 'goods' }),
      listener({ id: 'off', catalogId: 'goods', active: false }),
      listener({ id: 'other', catalogId: 'orders', events: ['subscription.disabled'] }),
    )
    expect(ids.toSorted()).toEqual(['every', 'goods', 'orders'])
  })

  it('is not told to the subscription that it is about, nor to one that is off', () => {
    expect(told(listener({ id: 'sub_b' }), listener({ active: false }))).toEqual([])
  })

  it('was done by nobody to no field: initiators and watched fields have no say', () => {
    expect(told(listener({ initiators: ['anna'], fields: ['status'] }))).toEqual(['sub_a'])
  })

  it('is told where all conditions hold on what it says', () => {
    const over = (value: number) => ({ field: 'percent', op: 'gt', value }) as const
    const named = { field: 'name', op: 'eq', value: 'Stock' } as const
    expect(told(listener({ conditions: [over(30), named] }))).toEqual(['sub_a'])
    expect(told(listener({ conditions: [named, over(50)] }))).toEqual([])
    const before = { field: 'name', source: 'prevValues', op: 'exists' } as const
    expect(told(listener({ conditions: [before] }))).toEqual([])
    expect(told(listener({ conditions: [{ field: 'name', op: 'changed' }] }))).toEqual([])
  })
})
