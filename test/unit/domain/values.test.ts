import { describe, expect, it } from 'vitest'
import {
  canonicalJson,
  changedFields,
  deepEqual,
  overlay,
  pick,
} from '../../../src/domain/values.ts'

describe('deepEqual', () => {
  it.each<[unknown, unknown]>([
    [1, 1],
    ['a', 'a'],
    [null, null],
    [true, true],
    [0, -0],
    [[], []],
    [{}, {}],
    [
      { a: 1, b: { c: [1, { d: null }] } },
      { b: { c: [1, { d: null }] }, a: 1 },
    ],
  ])('holds for %j and %j', (left, right) => {
    expect(deepEqual(left, right)).toBe(true)
    expect(deepEqual(right, left)).toBe(true)
  })

  it.each<[unknown, unknown]>([
    [1, '1'],
    [0, false],
    [null, undefined],
    [null, {}],
    [null, 0],
    [[], {}],
    [{}, []],
    [{ 0: 'a' }, ['a']],
    [
      [1, 2],
      [2, 1],
    ],
    [[1], [1, 1]],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: undefined }, { b: undefined }],
    [{ a: 1 }, { b: 1 }],
    [{ toString: 1 }, {}],
    [{ a: { b: [1] } }, { a: { b: [2] } }],
  ])('does not hold for %j and %j', (left, right) => {
    expect(deepEqual(left, right)).toBe(false)
    expect(deepEqual(right, left)).toBe(false)
  })
})

describe('overlay', () => {
  it('lays the second over the first, field by field and not deeper', () => {
    expect(overlay({ a: 1, b: { c: 1 } }, { b: { d: 2 } })).toEqual({ a: 1, b: { d: 2 } })
    expect(overlay({ a: 1 }, { a: null })).toEqual({ a: null })
  })

  it('takes what there is when one is missing, and leaves its arguments as they were', () => {
    const base = Object.freeze({ a: 1 })
    expect(overlay(undefined, base)).toBe(base)
    expect(overlay(base, undefined)).toBe(base)
    expect(overlay(undefined, undefined)).toEqual({})
    expect(overlay(base, Object.freeze({ a: 2 }))).toEqual({ a: 2 })
    expect(base).toEqual({ a: 1 })
  })
})

describe('pick', () => {
  it('keeps the named fields that are there, in the order of the names', () => {
    expect(Object.entries(pick({ a: 1, b: undefined, c: null }, ['c', 'x', 'b', 'a']))).toEqual([
      ['c', null],
      ['b', undefined],
      ['a', 1],
    ])
    expect(pick(undefined, ['a'])).toEqual({})
    expect(pick({}, ['toString'])).toEqual({})
  })
})

describe('changedFields', () => {
  it('are those that differ by content', () => {
    const previous = { a: 1, b: [1, 2], c: { d: 1, e: 2 }, f: null }
    const values = { a: 1, b: [2, 1], c: { e: 2, d: 1 }, f: 0, g: null }
    expect(changedFields(values, previous)).toEqual(['b', 'f', 'g'])
  })

  it('are all that was sent when nothing is known from before, and none when nothing was sent', () => {
    expect(changedFields({ a: 1, b: null }, undefined)).toEqual(['a', 'b'])
    expect(changedFields(undefined, { a: 1 })).toEqual([])
  })

  it('count a field of an unlucky name like any other', () => {
    expect(changedFields({ toString: 'a' }, {})).toEqual(['toString'])
  })
})

describe('canonicalJson', () => {
  it('writes the example of RFC 8785 §3.2.2 as §3.2.3 has it', () => {
    const text = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`
    expect(canonicalJson(JSON.parse(text))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  it('sorts keys by UTF-16 units, as in the example of RFC 8785 §3.2.3', () => {
    const text = String.raw`{
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis"
    }`
    expect(
      Object.values(JSON.parse(canonicalJson(JSON.parse(text)).replaceAll('"1"', '"01"'))),
    ).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ])
  })

  // RFC 8785 appendix B.
  it.each([
    [0, '0'],
    [-0, '0'],
    [5e-324, '5e-324'],
    [-1.7976931348623157e308, '-1.7976931348623157e+308'],
    [9007199254740992, '9007199254740992'],
    [295147905179352830000, '295147905179352830000'],
    [9.999999999999997e22, '9.999999999999997e+22'],
    [1e23, '1e+23'],
    [999999999999999700000, '999999999999999700000'],
    [1e21, '1e+21'],
    [9.999999999999997e-7, '9.999999999999997e-7'],
    [0.000001, '0.000001'],
    [333333333.33333325, '333333333.33333325'],
  ])('writes the number %d as %s', (number, text) => {
    expect(canonicalJson(number)).toBe(text)
  })

  it('leaves out members that are undefined and writes undefined items as null', () => {
    expect(canonicalJson({ b: undefined, a: [undefined, { c: undefined }] })).toBe(
      '{"a":[null,{}]}',
    )
    expect(canonicalJson(undefined)).toBe('null')
  })
})
