import { describe, expect, it } from 'vitest'
import {
  CHANGE_EVENTS,
  changeEventNames,
  changeOf,
  isChangeEvent,
  isOperationalEvent,
  NOTIFICATION_EVENTS,
  OPERATIONAL_EVENTS,
  valuesToBe,
  withValues,
} from '../../../src/domain/change.ts'
import { changeWith } from '../../support/build.ts'

describe('events', () => {
  it('are the four that are asked about, and nothing that an object inherits', () => {
    expect(changeEventNames).toEqual([
      'record.before.created',
      'record.before.updated',
      'record.before.deleted',
      'record.updating',
    ])
    for (const name of changeEventNames) expect(isChangeEvent(name)).toBe(true)
    for (const name of ['record.created', 'toString', '__proto__', '']) {
      expect(isChangeEvent(name)).toBe(false)
    }
  })

  it('of the gateway itself are two, and asked about they are not', () => {
    expect(OPERATIONAL_EVENTS).toEqual(['subscription.failing', 'subscription.disabled'])
    for (const name of OPERATIONAL_EVENTS) {
      expect([isOperationalEvent(name), isChangeEvent(name)]).toEqual([true, false])
    }
    for (const name of [...changeEventNames, ...NOTIFICATION_EVENTS, 'subscription', 'length']) {
      expect(isOperationalEvent(name)).toBe(false)
    }
  })

  it('lead to one notification each, except for a form that is still being filled in', () => {
    const told = changeEventNames.map((name) => CHANGE_EVENTS[name].notification)
    expect(told).toEqual([...NOTIFICATION_EVENTS, null])
  })
})

describe('changed fields', () => {
  it('are those that differ from the record', () => {
    const change = changeWith({ values: { status: 'new', total: 11 } })
    expect(change.changedFields).toEqual(['total'])
  })

  it('are all that were sent where the record is not known', () => {
    expect(changeWith({ prevValues: undefined }).changedFields).toEqual(['status'])
  })

  it('are none on delete, whatever was sent', () => {
    expect(changeWith({ event: 'record.before.deleted' }).changedFields).toEqual([])
  })
})

describe('the record as it will be', () => {
  const prevValues = { a: 0, b: 0, c: 0 }

  it('is what was there with what is sent on top', () => {
    expect(valuesToBe(changeWith({ prevValues, values: { b: 1 } }))).toEqual({ a: 0, b: 1, c: 0 })
    expect(
      valuesToBe(
        changeWith({ event: 'record.before.created', prevValues: undefined, values: { b: 1 } }),
      ),
    ).toEqual({ b: 1 })
  })

  it('is on delete what was there', () => {
    const event = 'record.before.deleted'
    expect(valuesToBe(changeWith({ event, prevValues, values: undefined }))).toEqual(prevValues)
    expect(valuesToBe(changeWith({ event, prevValues: undefined }))).toEqual({})
  })

  it('is while a form is being filled in the record under the form under the change', () => {
    const event = 'record.updating'
    const change = changeWith({ event, prevValues, allValues: { b: 1, c: 1 }, values: { c: 2 } })
    expect(valuesToBe(change)).toEqual({ a: 0, b: 1, c: 2 })
  })
})

describe('setting values', () => {
  it('changes the change, its changed fields included, and leaves the first one alone', () => {
    const change = changeWith({ values: { status: 'paid' } })
    const set = withValues(change, { total: 12, status: 'new' })
    expect(set).toEqual(changeOf({ ...change, values: { status: 'new', total: 12 } }))
    expect(set.changedFields).toEqual(['total'])
    expect(change.values).toEqual({ status: 'paid' })
    expect(change.changedFields).toEqual(['status'])
  })
})
