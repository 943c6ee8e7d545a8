import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../../src/adapters/system/patterns.ts'
import { availableActions, neverHolding } from '../../../src/domain/action.ts'
import {
  CONDITION_OPERATORS,
  CONDITION_SOURCES,
  type Condition,
} from '../../../src/domain/condition.ts'

type Button = {
  readonly id: string
  readonly title: string
  readonly catalogId: string
  readonly conditions: readonly Condition[]
}

const button = (over: Partial<Button> = {}): Button => ({
  id: 'call',
  title: 'Call',
  catalogId: 'driver',
  conditions: [],
  ...over,
})

const idsFor = (
  buttons: readonly Button[],
  values: Record<string, unknown> = {},
  user?: { id: string },
) =>
  availableActions(buttons, { catalogId: 'driver', values }, user, compilePattern).map(
    ({ id }) => id,
  )

describe('the actions of a record', () => {
  it('are those of its catalog and those of every catalog', () => {
    const buttons = [
      button({ id: 'own' }),
      button({ id: 'of orders', catalogId: 'order' }),
      button({ id: 'of all', catalogId: '*' }),
    ]
    expect(idsFor(buttons)).toEqual(['of all', 'own'])
  })

  it('are those whose conditions all hold, whatever the order of the conditions', () => {
    const isFree: Condition = { field: 'status', op: 'eq', value: 'free' }
    const isOurs: Condition = { field: 'group', op: 'in', value: ['day', 'night'] }
    for (const conditions of [
      [isFree, isOurs],
      [isOurs, isFree],
    ]) {
      const buttons = [button({ conditions })]
      expect(idsFor(buttons, { status: 'free', group: 'day' })).toEqual(['call'])
      expect(idsFor(buttons, { status: 'free', group: 'other' })).toEqual([])
      expect(idsFor(buttons, { status: 'busy', group: 'night' })).toEqual([])
      expect(idsFor(buttons, { status: 'busy', group: 'other' })).toEqual([])
      expect(idsFor(buttons)).toEqual([])
    }
  })

  it.each<[Condition, Record<string, unknown>, Record<string, unknown>]>([
    [{ field: 'a', op: 'eq', value: 1 }, { a: 1 }, { a: '1' }],
    [{ field: 'a', op: 'ne', value: 1 }, {}, { a: 1 }],
    [{ field: 'a', op: 'in', value: [1, 2] }, { a: 2 }, { a: 3 }],
    [{ field: 'a', op: 'notIn', value: [1] }, { a: 2 }, { a: 1 }],
    [{ field: 'a', op: 'gt', value: 1 }, { a: 2 }, { a: 1 }],
    [{ field: 'a', op: 'gte', value: 1 }, { a: 1 }, { a: 0 }],
    [{ field: 'a', op: 'lt', value: 1 }, { a: 0 }, { a: 1 }],
    [{ field: 'a', op: 'lte', value: 1 }, { a: 1 }, { a: 2 }],
    [{ field: 'a', op: 'exists' }, { a: null }, {}],
    [{ field: 'a', op: 'empty' }, {}, { a: 0 }],
    [{ field: 'a', op: 'contains', value: 'x' }, { a: ['x'] }, { a: ['y'] }],
    [{ field: 'a', op: 'startsWith', value: 'x' }, { a: 'xy' }, { a: 'yx' }],
    [{ field: 'a', op: 'matches', value: '^x+$' }, { a: 'xx' }, { a: 'xy' }],
  ])('follow the condition %j', (condition, held, other) => {
    const buttons = [button({ conditions: [condition] })]
    expect([idsFor(buttons, held), idsFor(buttons, other)]).toEqual([['call'], []])
  })

  it('may depend on who looks; for nobody such a condition does not hold', () => {
    const buttons = [
      button({ conditions: [{ field: 'id', source: 'user', op: 'eq', value: 'anna' }] }),
    ]
    expect(idsFor(buttons, {}, { id: 'anna' })).toEqual(['call'])
    expect(idsFor(buttons, {}, { id: 'bert' })).toEqual([])
    expect(idsFor(buttons, { id: 'anna' })).toEqual([])
  })

  it('stand in order of their titles as people read them, and of their ids where titles are equal', () => {
    const titles = ['Line 10', 'Жук', 'line 2', 'Ёлка', 'Line 1', 'Ель']
    const buttons = titles.map((title) => button({ id: title, title }))
    const order = ['Line 1', 'line 2', 'Line 10', 'Ёлка', 'Ель', 'Жук']
    expect(idsFor(buttons)).toEqual(order)
    expect(idsFor(buttons.toReversed())).toEqual(order)
    const same = ['c', 'a', 'b'].map((id) => button({ id }))
    expect(idsFor(same)).toEqual(['a', 'b', 'c'])
    expect(idsFor(same.toReversed())).toEqual(['a', 'b', 'c'])
  })

  it('have no conditions about changes: a record at rest has none', () => {
    const about = ['changed', 'changedTo', 'changedFrom']
    for (const op of CONDITION_OPERATORS) {
      const pointers = neverHolding([
        { field: 'a', op: 'eq', value: 1 },
        { field: 'a', op },
      ]).map(({ pointer }) => pointer)
      expect([op, pointers]).toEqual([op, about.includes(op) ? ['/conditions/1/op'] : []])
    }
    for (const source of CONDITION_SOURCES) {
      const pointers = neverHolding([{ field: 'a', op: 'exists', source }]).map(
        ({ pointer }) => pointer,
      )
      const isRefused = source === 'prevValues' || source === 'context'
      expect([source, pointers]).toEqual([source, isRefused ? ['/conditions/0/source'] : []])
    }
    const both = neverHolding([{ field: 'a', op: 'changed', source: 'context' }])
    expect(both.map(({ pointer }) => pointer)).toEqual(['/conditions/0/op', '/conditions/0/source'])
  })
})
