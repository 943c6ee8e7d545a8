import { describe, expect, it } from 'vitest'
import { mergeSuggestions, withFittingValues } from '../../../src/domain/suggestions.ts'
import { allow, confirm, failed, subscriptionOf, timed } from '../../support/build.ts'

const from = (
  id: string,
  values: Record<string, unknown>,
  mayChange: string[] | '*' | null = '*',
) => ({
  subscription: subscriptionOf({ id, mayChange }),
  answer: allow(values),
})

describe('suggestions', () => {
  it('are merged in plan order: the first to name a field wins', () => {
    const suggestions = [from('a', { x: 1 }), from('b', { x: 2, y: 2 }), from('c', { x: 3, z: 3 })]
    expect(mergeSuggestions(suggestions, false)).toEqual({
      values: { x: 1, y: 2, z: 3 },
      by: { x: 'a', y: 'b', z: 'c' },
      conflicts: [{ field: 'x', chosen: 'a', others: ['b', 'c'] }],
    })
  })

  it('of equal content are no conflict, whatever the order of their keys', () => {
    const suggestions = [
      from('a', { x: { p: 1, q: [2] } }),
      from('b', { x: { q: [2], p: 1 } }),
      from('c', { x: { q: [3], p: 1 } }),
    ]
    expect(mergeSuggestions(suggestions, false)).toEqual({
      values: { x: { p: 1, q: [2] } },
      by: { x: 'a' },
      conflicts: [{ field: 'x', chosen: 'a', others: ['c'] }],
    })
  })

  it('may say null, which is a value', () => {
    expect(mergeSuggestions([from('a', { x: null }), from('b', { x: 1 })], false)).toEqual({
      values: { x: null },
      by: { x: 'a' },
      conflicts: [{ field: 'x', chosen: 'a', others: ['b'] }],
    })
  })

  it('for fields that a subscription may not change are neither taken nor a conflict', () => {
    const suggestions = [
      from('a', { x: 1, y: 1 }, ['y']),
      from('b', { x: 2, y: 2 }, null),
      from('c', { x: 3 }, ['x']),
    ]
    expect(mergeSuggestions(suggestions, false)).toEqual({
      values: { x: 3, y: 1 },
      by: { x: 'c', y: 'a' },
      conflicts: [],
    })
  })

  it('are anybody’s while a form is being filled in, beside a deny too', () => {
    const deny = { kind: 'deny' as const, remarks: [], values: { x: 1 } }
    const suggestions = [
      { subscription: subscriptionOf({ id: 'a', mayChange: null }), answer: deny },
      from('b', { x: 2, y: 2 }, null),
    ]
    expect(mergeSuggestions(suggestions, true)).toEqual({
      values: { x: 1, y: 2 },
      by: { x: 'a', y: 'b' },
      conflicts: [{ field: 'x', chosen: 'a', others: ['b'] }],
    })
    const before = suggestions.map(({ subscription, answer }) => ({
      subscription: { ...subscription, mayChange: '*' as const },
      answer,
    }))
    expect(mergeSuggestions(before, false).values).toEqual({ x: 2, y: 2 })
  })

  it('come from nobody who failed, was cancelled or wants a confirmation', () => {
    const subscription = subscriptionOf({ mayChange: '*' })
    const answers = [failed(), confirm('?'), { kind: 'cancelled' as const }, allow(undefined)]
    const suggestions = answers.map((answer) => ({ subscription, answer }))
    expect(mergeSuggestions(suggestions, true)).toEqual({ values: {}, by: {}, conflicts: [] })
  })
})

describe('values that the catalog would not take', () => {
  const catalog = {
    id: 'orders',
    title: 'Orders',
    fields: [
      { id: 'total', title: 'Total', type: 'number', required: true },
      { id: 'note', title: 'Note', type: 'text' },
    ],
  } as const

  it('make the reply one that cannot be understood, whatever else it says', () => {
    for (const values of [
      { total: 'ten' },
      { unknown: 1 },
      { total: null },
      { note: 'x', total: [] },
    ]) {
      const judged = withFittingValues(
        timed(allow(values), { status: 200, durationMs: 7 }),
        catalog,
        () => true,
      )
      expect(judged).toMatchObject({
        answer: { kind: 'failed', cause: 'bad_reply', remarks: [] },
        status: 200,
        durationMs: 7,
      })
    }
    const { answer } = withFittingValues(timed(allow({ total: 'ten' })), catalog, () => true)
    expect(answer).toMatchObject({ detail: expect.stringContaining('/values/total') })
  })

  it('are left out of a deny, which stays one whatever the failure policy would say', () => {
    const refusal = { kind: 'deny' as const, remarks: [], values: { total: 'ten' } }
    const judged = withFittingValues(timed(refusal), catalog, () => true)
    expect(judged.answer).toEqual({ kind: 'deny', remarks: [], values: undefined })
  })

  it('do not count where the validator may not change the field anyway', () => {
    const given = timed(allow({ total: 'ten', unknown: 1 }))
    expect(withFittingValues(given, catalog, (field) => field === 'note')).toBe(given)
    expect(withFittingValues(given, catalog, (field) => field !== 'note')).not.toBe(given)
  })

  it('are not those that it takes, nor none at all', () => {
    const fitting = [allow({ total: 1, note: null }), allow({}), allow(), confirm('?'), failed()]
    for (const answer of fitting) {
      const given = timed(answer)
      expect(withFittingValues(given, catalog, () => true)).toBe(given)
    }
  })
})
