import { describe, expect, it } from 'vitest'
import {
  type Catalog,
  clearedComplaints,
  FIELD_TYPES,
  type Field,
  type FieldType,
  missingComplaints,
  valueComplaints,
} from '../../../src/domain/catalog.ts'

const catalogOf = (...fields: Field[]): Catalog => ({ id: 'c', title: 'C', fields })

const options = [
  { id: '1', title: 'One' },
  { id: 'b', title: 'B' },
]

/** What each type takes and what it does not. */
const TABLE: readonly [FieldType, readonly unknown[], readonly unknown[]][] = [
  ['text', ['', 'a'], [1, true, [], {}]],
  ['number', [0, -1.5, 1e300], ['1', true, []]],
  ['boolean', [true, false], [0, 'true', []]],
  [
    'date',
    [
      '2024-02-29',
      '2026-03-01T09:00Z',
      '2026-03-01T09:00:00Z',
      '2026-03-01T09:00:00.123456789+03:00',
      '2026-12-31T23:59:59-11:30',
    ],
    [
      '',
      '2026',
      '2023-02-29',
      '2026-02-30T00:00:00Z',
      '2026-13-01',
      '2026-00-10',
      '2026-03-01 09:00:00Z',
      '2026-03-01T09:00:00',
      '2026-03-01T25:00:00Z',
      '2026-03-01T09:61:00Z',
      '01.03.2026',
      'tomorrow',
      1_700_000_000_000,
    ],
  ],
  ['choice', ['1', 1, 'b', ['1', 'b'], []], ['c', 2, ['1', 'c'], [null], {}, true]],
  ['contact', [[], [{}], [{ contact: 'a@b.example' }]], [{}, 'a', ['a'], [null], [[]]]],
  ['user', [[], [{ id: '1' }]], [{}, 'a', ['a'], [null]]],
  ['object', [[], [{ recordId: '1' }]], [{}, 'a', ['a'], [null]]],
  ['file', [[], [{ id: '1' }]], [{}, 'a', ['a'], [null]]],
  ['any', ['', 0, false, [], {}, [[{}]]], []],
]

describe('a field', () => {
  it.each(TABLE)('of type %s takes %j and refuses %j', (type, right, wrong) => {
    const catalog = catalogOf({ id: 'f', title: 'F', type, ...(type === 'choice' && { options }) })
    for (const f of [...right, null]) expect(valueComplaints(catalog, { f })).toEqual([])
    for (const f of wrong) {
      expect(valueComplaints(catalog, { f }), JSON.stringify(f)).toEqual([
        { pointer: '/values/f', message: expect.stringMatching(/^This field takes .+\.$/) },
      ])
    }
  })

  it('of each type is in the table above', () => {
    expect(TABLE.map(([type]) => type)).toEqual(FIELD_TYPES)
  })

  it('of choice without options takes any of them', () => {
    for (const open of [undefined, []]) {
      const catalog = catalogOf({ id: 'f', title: 'F', type: 'choice', options: open })
      expect(valueComplaints(catalog, { f: ['x', 7] })).toEqual([])
      expect(valueComplaints(catalog, { f: {} })).toHaveLength(1)
    }
  })
})

describe('values', () => {
  const catalog = catalogOf(
    { id: 'a/b~c', title: 'A', type: 'text' },
    { id: 'n', title: 'N', type: 'number' },
  )

  it('are complained about all at once, each by its pointer', () => {
    const complaints = valueComplaints(catalog, { 'a/b~c': 1, n: 'x', other: 1, toString: 1 }, '/v')
    expect(complaints.map(({ pointer }) => pointer)).toEqual([
      '/v/a~1b~0c',
      '/v/n',
      '/v/other',
      '/v/toString',
    ])
    expect(complaints[2]?.message).toContain('other')
  })

  it('are free in a catalog that nobody knows or that has no fields', () => {
    expect(valueComplaints(undefined, { a: [1] })).toEqual([])
    expect(valueComplaints(catalogOf(), { a: [1] })).toEqual([])
  })
})

describe('required fields', () => {
  const catalog = catalogOf(
    { id: 'a', title: 'A', type: 'text', required: true },
    { id: 'b', title: 'B', type: 'text', required: false },
    { id: 'valueOf', title: 'V', type: 'text', required: true },
  )

  it('that are missing or cleared are complained about', () => {
    const pointers = (values: Record<string, unknown>) =>
      missingComplaints(catalog, values).map(({ pointer }) => pointer)
    expect(pointers({})).toEqual(['/values/a', '/values/valueOf'])
    expect(pointers({ a: null, b: null, valueOf: undefined })).toEqual([
      '/values/a',
      '/values/valueOf',
    ])
    expect(pointers({ a: '', valueOf: 'x' })).toEqual([])
    expect(missingComplaints(undefined, {})).toEqual([])
  })

  it('that would be cleared are complained about, those that are not named are not', () => {
    expect(clearedComplaints(catalog, { b: null })).toEqual([])
    expect(clearedComplaints(catalog, { a: '' })).toEqual([])
    expect(clearedComplaints(catalog, { a: null, b: null })).toMatchObject([
      { pointer: '/values/a' },
    ])
  })
})
