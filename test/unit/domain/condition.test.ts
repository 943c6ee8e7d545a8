import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../../src/adapters/system/patterns.ts'
import { changeOf } from '../../../src/domain/change.ts'
import {
  CONDITION_OPERATORS,
  type Condition,
  type ConditionOperator,
  compileCondition,
  conditionComplaints,
  conditionFault,
  PATTERN_STEPS_MAX,
  type PatternCompiler,
} from '../../../src/domain/condition.ts'
import { occurrenceOf } from '../../../src/domain/matching.ts'
import { changeWith } from '../../support/build.ts'

function holds(condition: Condition, change = changeWith()): boolean {
  return compileCondition(condition, compilePattern)(occurrenceOf(change))
}

/** The record as it will be has one field `f` with this value, or none. */
const recordWith = (actual: unknown) =>
  changeWith({
    event: 'record.before.created',
    prevValues: undefined,
    values: actual === undefined ? {} : { f: actual },
  })

/** One of each kind of value, by a name that the tables below use. */
const KINDS = {
  missing: undefined,
  null: null,
  true: true,
  false: false,
  zero: 0,
  five: 5,
  nine: 9,
  blank: '',
  ant: 'ant',
  bee: 'bee',
  none: [],
  list: ['ant', 5],
  bare: {},
  object: { ant: 1 },
} as const
type Kind = keyof typeof KINDS
const kinds = Object.keys(KINDS) as Kind[]

const all = (...but: Kind[]): Kind[] => kinds.filter((kind) => !but.includes(kind))

/** For which values of the field each condition holds; for no other. */
const TABLE: readonly [ConditionOperator, unknown, Kind[]][] = [
  ['eq', 'ant', ['ant']],
  ['eq', 5, ['five']],
  ['eq', null, ['null']],
  ['eq', false, ['false']],
  ['eq', [], ['none']],
  ['eq', ['ant', 5], ['list']],
  ['eq', {}, ['bare']],
  ['eq', { ant: 1 }, ['object']],
  ['ne', 'ant', all('ant')],
  ['ne', null, all('null')],
  ['ne', ['ant', 5], all('list')],
  ['in', ['ant', 5, null, {}], ['ant', 'five', 'null', 'bare']],
  ['in', [], []],
  ['in', 'ant', []],
  ['notIn', ['ant', 5, null], all('ant', 'five', 'null')],
  ['notIn', [], all()],
  ['gt', 5, ['nine']],
  ['gt', 'ant', ['bee']],
  ['gte', 5, ['five', 'nine']],
  ['gte', 'ant', ['ant', 'bee']],
  ['gte', '', ['blank', 'ant', 'bee']],
  ['lt', 5, ['zero']],
  ['lt', 'bee', ['blank', 'ant']],
  ['lte', 5, ['zero', 'five']],
  ['lte', 'ant', ['blank', 'ant']],
  ['exists', undefined, all('missing')],
  ['exists', true, all('missing')],
  ['exists', false, ['missing']],
  ['empty', undefined, ['missing', 'null', 'blank', 'none', 'bare']],
  ['empty', true, ['missing', 'null', 'blank', 'none', 'bare']],
  ['empty', false, ['true', 'false', 'zero', 'five', 'nine', 'ant', 'bee', 'list', 'object']],
  ['contains', 'ant', ['ant', 'list']],
  ['contains', 'n', ['ant']],
  ['contains', 5, ['list']],
  ['contains', '', ['blank', 'ant', 'bee']],
  ['startsWith', 'a', ['ant']],
  ['startsWith', '', ['blank', 'ant', 'bee']],
  ['matches', '^(a|b)', ['ant', 'bee']],
  ['matches', 'n', ['ant']],
  ['matches', '^$', ['blank']],
  ['matches', '(', []],
  // On create each field that is there has changed.
  ['changed', undefined, all('missing')],
  ['changed', true, all('missing')],
  ['changed', false, ['missing']],
  ['changedTo', 'ant', ['ant']],
  ['changedTo', null, ['null']],
  ['changedTo', ['ant', 5], ['list']],
  ['changedFrom', null, all('missing')],
  ['changedFrom', 'ant', []],
]

describe('a condition', () => {
  it.each(TABLE)('%s %j holds for exactly %j', (op, value, expected) => {
    const held = kinds.filter((kind) => holds({ field: 'f', op, value }, recordWith(KINDS[kind])))
    expect(held).toEqual(kinds.filter((kind) => expected.includes(kind)))
  })

  it('of each operator is in the table above', () => {
    expect(new Set(TABLE.map(([op]) => op))).toEqual(new Set(CONDITION_OPERATORS))
  })

  it('compares ISO times as the texts that they are', () => {
    const change = recordWith('2026-03-01T00:00:00Z')
    expect(holds({ field: 'f', op: 'gt', value: '2026-02-28T23:59:59Z' }, change)).toBe(true)
    expect(holds({ field: 'f', op: 'lt', value: '2026-02-28' }, change)).toBe(false)
  })

  it('sees the record as it will be unless it names another source', () => {
    const change = changeWith({
      values: { status: 'paid' },
      prevValues: { status: 'new', total: 10 },
      user: { id: 'anna', locale: 'uk' },
      context: { screen: 'cashier' },
    })
    const eq = (field: string, value: unknown, source?: Condition['source']) =>
      holds({ field, op: 'eq', value, source }, change)
    expect(eq('status', 'paid')).toBe(true)
    expect(eq('total', 10)).toBe(true)
    expect(eq('status', 'paid', 'values')).toBe(true)
    expect(eq('status', 'new', 'prevValues')).toBe(true)
    expect(eq('locale', 'uk', 'user')).toBe(true)
    expect(eq('screen', 'cashier', 'context')).toBe(true)
  })

  it('finds nothing in a source that is not there, and nothing inherited in one that is', () => {
    const bare = changeOf({
      ...changeWith(),
      prevValues: undefined,
      user: undefined,
      context: undefined,
    })
    for (const source of ['prevValues', 'user', 'context'] as const) {
      expect(holds({ field: 'id', source, op: 'exists' }, bare)).toBe(false)
      expect(holds({ field: 'id', source, op: 'ne', value: 1 }, bare)).toBe(true)
    }
    expect(holds({ field: 'toString', op: 'exists' })).toBe(false)
    expect(holds({ field: 'toString', op: 'empty' })).toBe(true)
  })

  it('about a change looks at what differs, whatever was sent', () => {
    const change = changeWith({
      values: { status: 'paid', total: 10 },
      prevValues: { status: 'new', total: 10, note: 'x' },
    })
    const about = (field: string, op: ConditionOperator, value?: unknown) =>
      holds({ field, op, value }, change)
    expect(about('status', 'changed')).toBe(true)
    expect(about('total', 'changed')).toBe(false)
    expect(about('total', 'changed', false)).toBe(true)
    expect(about('status', 'changedTo', 'paid')).toBe(true)
    expect(about('status', 'changedFrom', 'new')).toBe(true)
    expect(about('status', 'changedFrom', 'paid')).toBe(false)
    expect(about('total', 'changedTo', 10)).toBe(false)
    expect(about('total', 'changedFrom', 10)).toBe(false)
    expect(about('note', 'changedFrom', 'x')).toBe(false)
  })

  it('takes a field that was not there as one that was null, whatever its name', () => {
    for (const field of ['fresh', 'toString', 'valueOf']) {
      const change = changeWith({ values: { [field]: 1 }, prevValues: { other: 1 } })
      expect(holds({ field, op: 'changedFrom', value: null }, change)).toBe(true)
    }
  })

  it('on delete sees the record that goes', () => {
    const change = changeWith({ event: 'record.before.deleted', values: undefined })
    expect(holds({ field: 'status', op: 'eq', value: 'new' }, change)).toBe(true)
    expect(holds({ field: 'status', op: 'changed' }, change)).toBe(false)
  })

  it('matches in time linear in the text: patterns that are hostile elsewhere are harmless', () => {
    const text = `${'a'.repeat(9_000)}!`
    for (const value of ['^(a+)+$', '^(a|aa)*$', '(.*a){20}b']) {
      expect(holds({ field: 'f', op: 'matches', value }, recordWith(text))).toBe(false)
    }
    expect(holds({ field: 'f', op: 'matches', value: '^(a+)+!$' }, recordWith(text))).toBe(true)
  }, 10_000)

  it('holds for a text that is too long to be looked at, so that nobody gets past it by its length', () => {
    const long = recordWith('a'.repeat(10_001))
    expect(holds({ field: 'f', op: 'matches', value: '^b' }, long)).toBe(true)
    const looked = recordWith('a'.repeat(10_000))
    expect(holds({ field: 'f', op: 'matches', value: '^b' }, looked)).toBe(false)
  })

  it('is looked at for so long over one change, by however many patterns, and holds from then on', () => {
    let looks = 0
    const counting: PatternCompiler = () => ({
      stepsFor: () => PATTERN_STEPS_MAX / 4,
      matches: () => {
        looks += 1
        return false
      },
    })
    const patterns = Array.from({ length: 10 }, () =>
      compileCondition({ field: 'f', op: 'matches', value: 'x' }, counting),
    )
    const change = occurrenceOf(recordWith('text'))
    expect(patterns.map((one) => one(change))).toEqual([
      ...Array.from({ length: 4 }, () => false),
      ...Array.from({ length: 6 }, () => true),
    ])
    expect(looks).toBe(4)
    const another = occurrenceOf(recordWith('text'))
    expect(patterns[0]?.(another)).toBe(false)
  })
})

describe('a condition as it is sent', () => {
  const fault = (op: ConditionOperator, value?: unknown) =>
    conditionFault({ field: 'f', op, value }, compilePattern)

  it.each<[ConditionOperator, readonly unknown[], readonly unknown[]]>([
    ['eq', [null, 0, '', [], {}], [undefined]],
    ['ne', [null, 0, '', [], {}], [undefined]],
    ['in', [[], [1]], [undefined, null, 'a', { length: 1 }]],
    ['notIn', [[], [1]], [undefined, null, 'a']],
    ['gt', [0, '', '2026'], [undefined, null, true, []]],
    ['gte', [0, ''], [undefined, null, {}]],
    ['lt', [0, ''], [undefined, null, {}]],
    ['lte', [0, ''], [undefined, null, {}]],
    ['exists', [undefined, true, false], [null, 1, 'true']],
    ['empty', [undefined, true, false], [null, 1, 'true']],
    ['changed', [undefined, true, false], [null, 1, 'true']],
    ['contains', [null, 0, ''], [undefined]],
    ['startsWith', ['', 'a'], [undefined, 1, null]],
    [
      'matches',
      ['', 'a+', '^(a|b)$'],
      [undefined, 1, '(', '(?=a)', '\\1', 'a'.repeat(1_001), '(a{100}){100}'],
    ],
    ['changedTo', [null, 0], [undefined]],
    ['changedFrom', [null, 0], [undefined]],
  ])('%s takes %j and refuses %j by name', (op, right, wrong) => {
    for (const value of right) expect(fault(op, value)).toBeNull()
    for (const value of wrong) expect(fault(op, value)).toContain(op)
  })
})

describe('a list of conditions', () => {
  const pattern = { field: 'f', op: 'matches', value: '^a' } as const

  it('is complained about by place', () => {
    const complaints = conditionComplaints(
      [pattern, { field: 'f', op: 'in', value: 1 }, { field: 'f', op: 'eq' }],
      compilePattern,
    )
    expect(complaints.map(({ pointer }) => pointer)).toEqual(['/conditions/1', '/conditions/2'])
  })

  it('has ten patterns at most, each of which costs with every change', () => {
    const ten = Array.from({ length: 10 }, () => pattern)
    const other = { field: 'f', op: 'exists' } as const
    expect(conditionComplaints([...ten, other], compilePattern)).toEqual([])
    const eleven = conditionComplaints([other, ...ten, pattern], compilePattern)
    expect(eleven.map(({ pointer }) => pointer)).toEqual(['/conditions/11'])
  })
})
