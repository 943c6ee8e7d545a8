/** The index against a matcher that looks at every subscription each time. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../src/adapters/system/patterns.ts'
import { type Change, changeEventNames } from '../../src/domain/change.ts'
import type { Condition } from '../../src/domain/condition.ts'
import {
  indexSubscriptions,
  matchForNotification,
  matchSubscriptions,
  occurrenceOf,
  unconsidered,
} from '../../src/domain/matching.ts'
import type { Subscription } from '../../src/domain/subscription.ts'
import { changeWith, subscriptionOf } from '../support/build.ts'

const FIELDS = ['a', 'b', 'c'] as const
const EVENTS = [...changeEventNames, 'record.updated', 'record.created']
const CATALOGS = ['orders', 'goods']

const value = fc.constantFrom(null, 0, 1, 2)
const values = fc.dictionary(fc.constantFrom(...FIELDS), value, { maxKeys: 3 })
const few = <T>(items: readonly T[]) => fc.subarray([...items], { maxLength: 2 })

const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ field: fc.constantFrom(...FIELDS), op: fc.constant('eq' as const), value }),
  fc.record({ field: fc.constantFrom(...FIELDS), op: fc.constant('exists' as const) }),
  fc.record({ field: fc.constantFrom(...FIELDS), op: fc.constant('changed' as const) }),
)

const subscription = fc
  .record({
    active: fc.boolean(),
    catalogId: fc.constantFrom(...CATALOGS, '*'),
    events: fc.subarray(EVENTS),
    fields: few(FIELDS),
    initiators: few(['anna', 'ben']),
    conditions: fc.array(condition, { maxLength: 2 }),
    order: fc.integer({ min: 0, max: 2 }),
    createdAt: fc.constantFrom('2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'),
  })
  .map((over) => subscriptionOf(over))

const subscriptions = fc
  .array(subscription, { maxLength: 12 })
  .map((list) => list.map((one, at) => ({ ...one, id: `sub_${(at * 7) % 12}` })))

const change = fc
  .record({
    event: fc.constantFrom(...changeEventNames),
    catalogId: fc.constantFrom(...CATALOGS, '*'),
    values,
    prevValues: fc.option(values, { nil: undefined }),
    user: fc.constantFrom(undefined, { id: 'anna' }, { id: 'ben' }),
  })
  .map((over) => changeWith(over))

/** The rules as CONTRACT.md says them, one subscription at a time. */
function fits(one: Subscription, event: string, change: Change): boolean {
  const { values = {}, prevValues } = change
  const isDelete = change.event === 'record.before.deleted'
  const toBe = isDelete ? (prevValues ?? {}) : { ...prevValues, ...values }
  const hasChanged = (field: string) =>
    !isDelete &&
    field in values &&
    (prevValues === undefined || prevValues[field] !== values[field])
  const holds = ({ field, op, value }: Condition) => {
    if (op === 'changed') return hasChanged(field)
    return op === 'exists' ? field in toBe : toBe[field] === value
  }
  return (
    one.events.includes(event) &&
    (one.catalogId === '*' || one.catalogId === change.catalogId) &&
    (one.fields.length === 0 || isDelete || one.fields.some(hasChanged)) &&
    (one.initiators.length === 0 || one.initiators.includes(change.user?.id ?? '')) &&
    one.conditions.every(holds)
  )
}

const planOrder = (list: readonly Subscription[]): string[] =>
  list
    .toSorted(
      (x, y) =>
        x.order - y.order || x.createdAt.localeCompare(y.createdAt) || (x.id < y.id ? -1 : 1),
    )
    .map(({ id }) => id)

describe('the index of subscriptions', () => {
  it('finds exactly those that a look at each of them finds, in plan order', () => {
    fc.assert(
      fc.property(subscriptions, change, fc.constantFrom(...EVENTS), (list, change, event) => {
        const index = indexSubscriptions(list, compilePattern)
        const { matched, considered } = matchSubscriptions(index, event, change)
        const fitting = list.filter((one) => fits(one, event, change))
        expect(matched.map(({ id }) => id)).toEqual(planOrder(fitting.filter((one) => one.active)))
        expect(matchForNotification(index, event, occurrenceOf(change))).toEqual(planOrder(fitting))
        const without = considered.filter(({ mismatch }) => mismatch === null)
        expect(without.map(({ subscriptionId }) => subscriptionId)).toEqual(
          matched.map(({ id }) => id),
        )
      }),
      { numRuns: 2_000 },
    )
  })

  it('has a reason for each subscription of the account, once', () => {
    fc.assert(
      fc.property(subscriptions, change, fc.constantFrom(...EVENTS), (list, change, event) => {
        const index = indexSubscriptions(list, compilePattern)
        const { considered } = matchSubscriptions(index, event, change)
        const rest = unconsidered(index, event, change.catalogId)
        const told = [...considered, ...rest].map(({ subscriptionId }) => subscriptionId)
        expect(told.toSorted()).toEqual(list.map(({ id }) => id).toSorted())
      }),
    )
  })

  it('does not depend on the order in which the subscriptions were read', () => {
    fc.assert(
      fc.property(subscriptions, change, (list, change) => {
        const found = (given: readonly Subscription[]) =>
          matchSubscriptions(indexSubscriptions(given, compilePattern), change.event, change)
        expect(found(list.toReversed())).toEqual(found(list))
      }),
    )
  })
})
