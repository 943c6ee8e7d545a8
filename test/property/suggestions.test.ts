import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergeSuggestions } from '../../src/domain/suggestions.ts'
import { canonicalJson } from '../../src/domain/values.ts'
import { allow, deny, failed, subscriptionOf } from '../support/build.ts'

const FIELDS = ['a', 'b', 'c']
const value = fc.constantFrom<unknown>(null, 1, 2, 'x', [1], { p: 1, q: 2 }, { q: 2, p: 1 })

const suggestion = fc
  .record({
    mayChange: fc.oneof(fc.constantFrom<'*' | null>('*', null), fc.subarray(FIELDS)),
    values: fc.dictionary(fc.constantFrom(...FIELDS), value, { maxKeys: 3 }),
    kind: fc.constantFrom('allow', 'allow', 'allow', 'deny', 'failed'),
  })
  .map(({ mayChange, values, kind }) => ({
    subscription: subscriptionOf({ mayChange }),
    answer:
      kind === 'allow' ? allow(values) : kind === 'failed' ? failed() : { ...deny('no'), values },
  }))

const suggestions = fc
  .array(suggestion, { maxLength: 6 })
  .map((list) =>
    list.map((one, at) => ({ ...one, subscription: { ...one.subscription, id: `v${at}` } })),
  )

type Suggestions = typeof suggestions extends fc.Arbitrary<infer T> ? T : never

/** Who says what about a field, and may say so, in plan order. */
function voices(list: Suggestions, isUpdating: boolean, field: string) {
  return list.flatMap(({ subscription: { id, mayChange }, answer }) => {
    const isHeard = answer.kind === 'allow' || (answer.kind === 'deny' && isUpdating)
    const may = mayChange === '*' || (mayChange === null ? isUpdating : mayChange.includes(field))
    const values = 'values' in answer ? answer.values : undefined
    if (!isHeard || !may || values === undefined || !(field in values)) return []
    return [{ id, text: canonicalJson(values[field]) }]
  })
}

describe('merging suggestions', () => {
  it('takes the first in plan order, and tells of everybody who says otherwise', () => {
    fc.assert(
      fc.property(suggestions, fc.boolean(), (list, isUpdating) => {
        const { values, conflicts } = mergeSuggestions(list, isUpdating)
        for (const field of FIELDS) {
          const [first, ...rest] = voices(list, isUpdating, field)
          const conflict = conflicts.filter((one) => one.field === field)
          if (first === undefined) {
            expect(values).not.toHaveProperty(field)
            expect(conflict).toEqual([])
            continue
          }
          expect(canonicalJson(values[field])).toBe(first.text)
          const others = rest.filter(({ text }) => text !== first.text).map(({ id }) => id)
          expect(conflict).toEqual(others.length === 0 ? [] : [{ field, chosen: first.id, others }])
        }
        expect(conflicts.every(({ field }) => FIELDS.includes(field))).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })
})
