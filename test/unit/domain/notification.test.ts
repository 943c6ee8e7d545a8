import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../../src/adapters/system/patterns.ts'
import type { Change } from '../../../src/domain/change.ts'
import { NO_EVENT_TYPES } from '../../../src/domain/event-type.ts'
import { indexSubscriptions } from '../../../src/domain/matching.ts'
import { committedEvents, operationalEvent } from '../../../src/domain/notification.ts'
import { changeWith, subscriptionOf } from '../../support/build.ts'

const index = indexSubscriptions(
  [
    subscriptionOf({ id: 'asked', events: ['record.before.updated'] }),
    subscriptionOf({ id: 'told', events: ['record.updated', 'record.deleted'] }),
    subscriptionOf({ id: 'held', events: ['record.updated'], active: false, order: 1 }),
    subscriptionOf({ id: 'elsewhere', events: ['record.updated'], catalogId: 'goods' }),
  ],
  compilePattern,
)

function committed(change: Change, over = index, recordId = 'rec_1') {
  const told = { recordId, decisionId: 'dec_1', index: over, eventTypes: NO_EVENT_TYPES }
  return committedEvents(change, told)
}

describe('a committed change', () => {
  it('is told as the after-event of its kind; a form that is filled in is told to nobody', () => {
    const everything = indexSubscriptions(
      [subscriptionOf({ events: ['record.created', 'record.updated', 'record.deleted'] })],
      compilePattern,
    )
    const eventsOf = (over: Parameters<typeof changeWith>[0]) =>
      committed(changeWith(over), everything).map(({ body }) => body.event)
    expect(eventsOf({ event: 'record.before.created' })).toEqual(['record.created'])
    expect(eventsOf({ event: 'record.before.updated' })).toEqual(['record.updated'])
    expect(eventsOf({ event: 'record.before.deleted' })).toEqual(['record.deleted'])
    expect(eventsOf({ event: 'record.updating' })).toEqual([])
  })

  it('is one event for everybody who is told, with all that they may need', () => {
    const change = changeWith({ context: { screen: 'cashier' } })
    expect(committed(change)).toEqual([
      {
        subscriptionIds: ['told', 'held'],
        body: {
          event: 'record.updated',
          accountId: change.accountId,
          catalogId: 'orders',
          recordId: 'rec_1',
          values: { status: 'paid' },
          prevValues: { status: 'new', total: 10 },
          changedFields: ['status'],
          user: { id: 'anna' },
          context: { screen: 'cashier' },
          decisionId: 'dec_1',
        },
      },
    ])
  })

  it('carries the id that the record got on its creation', () => {
    const every = indexSubscriptions(
      [subscriptionOf({ events: ['record.created'] })],
      compilePattern,
    )
    const change = changeWith({ event: 'record.before.created', recordId: undefined })
    expect(committed(change, every, 'rec_9')[0]?.body.recordId).toBe('rec_9')
  })

  it('is no event at all when nobody is told', () => {
    const goods = changeWith({ event: 'record.before.created' })
    expect(committed(goods)).toEqual([])
    expect(committed(changeWith({ event: 'record.updating' }))).toEqual([])
  })
})

describe('an operational event', () => {
  const listeners = indexSubscriptions(
    [
      subscriptionOf({ id: 'ops', catalogId: '*', events: ['subscription.disabled'] }),
      subscriptionOf({
        id: 'by_id',
        order: 1,
        catalogId: '*',
        events: ['subscription.disabled'],
        conditions: [{ field: 'subscriptionId', op: 'eq', value: 'sub_b' }],
      }),
    ],
    compilePattern,
  )
  const failingSince = '2026-03-01T09:00:00.000Z'
  const about = (subscriptionId: string) =>
    ({
      event: 'subscription.disabled',
      accountId: 'default',
      subscriptionId,
      values: { name: 'Stock', failingSince, reason: 'failing' },
    }) as const

  it('says which subscription it is about, and belongs to no catalog, person or decision', () => {
    expect(operationalEvent(about('sub_b'), listeners)).toEqual({
      subscriptionIds: ['ops', 'by_id'],
      body: {
        event: 'subscription.disabled',
        accountId: 'default',
        catalogId: undefined,
        recordId: 'sub_b',
        values: { subscriptionId: 'sub_b', name: 'Stock', failingSince, reason: 'failing' },
        prevValues: undefined,
        changedFields: [],
        user: undefined,
        context: undefined,
        decisionId: undefined,
      },
    })
    expect(operationalEvent(about('sub_c'), listeners)?.subscriptionIds).toEqual(['ops'])
  })

  it('is no event at all when nobody listens', () => {
    const failing = { ...about('sub_b'), event: 'subscription.failing' } as const
    expect(operationalEvent(failing, listeners)).toBeNull()
    expect(operationalEvent(about('sub_b'), index)).toBeNull()
  })
})
