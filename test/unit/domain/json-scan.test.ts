import { describe, expect, it } from 'vitest'
import {
  FAULT_TEXTS,
  JSON_DEPTH_MAX,
  pointerAt,
  type ScanFault,
  scanJson,
} from '../../../src/domain/json-scan.ts'

const kindOf = (text: string): ScanFault['kind'] | null => scanJson(text, 'exact')?.kind ?? null

/** The pointer that a caller would be told. */
const pointed = (text: string): string => pointerAt(text, scanJson(text, 'exact')?.offset ?? -1)

describe('depth', () => {
  it('of 64 is the deepest there may be, in arrays, objects and both', () => {
    const arrays = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    const objects = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
    const both = (pairs: number) => `${'[{"a":'.repeat(pairs)}1${'}]'.repeat(pairs)}`
    expect(JSON_DEPTH_MAX).toBe(64)
    expect(kindOf(arrays(64))).toBeNull()
    expect(scanJson(arrays(65), 'exact')).toEqual({ kind: 'too_deep', offset: 64 })
    expect(kindOf(objects(64))).toBeNull()
    expect(kindOf(objects(65))).toBe('too_deep')
    expect(kindOf(both(32))).toBeNull()
    expect(kindOf(both(33))).toBe('too_deep')
    expect(kindOf('['.repeat(1_000_000))).toBe('too_deep')
  })

  it('is that of nesting, not of number, and brackets within texts are none', () => {
    expect(kindOf(`[${'[],'.repeat(1_000)}[]]`)).toBeNull()
    expect(kindOf(`"${'['.repeat(100)}"`)).toBeNull()
    expect(kindOf(`["\\"${'{'.repeat(100)}"]`)).toBeNull()
  })
})

describe('texts', () => {
  it.each([
    ['"a\u0000b"', 'nul'],
    [String.raw`"\u0000"`, 'nul'],
    [String.raw`{"\u0000":1}`, 'nul'],
    [String.raw`"\\\u0000"`, 'nul'],
    ['"\ud83d"', 'lone_surrogate'],
    [String.raw`"\ud83d"`, 'lone_surrogate'],
    [String.raw`"\uDE00\uD83D"`, 'lone_surrogate'],
    [String.raw`{"\ud83d":1}`, 'lone_surrogate'],
    [String.raw`"\ud83d\\ude00"`, 'lone_surrogate'],
  ])('%j are refused: %s', (text, kind) => {
    expect(kindOf(text)).toBe(kind)
  })

  it.each([
    String.raw`"\\u0000"`,
    String.raw`"\\\\u0000"`,
    String.raw`"\ud83d\ude00"`,
    '"\ud83d\ude00"',
    '"\ud83d\\ude00"',
    String.raw`"\"\\\/\b\f\n\r\t"`,
    '""',
    '"\\\\"',
  ])('%j are accepted', (text) => {
    expect(kindOf(text)).toBeNull()
    expect(() => JSON.parse(text)).not.toThrow()
  })
})

describe('keys', () => {
  it.each([
    '{"__proto__":1}',
    '{"constructor":1}',
    '{"a":[{"__proto__"  \n :1}]}',
    String.raw`{"a\\":1,"__proto__":2}`,
    String.raw`{"a":"\\\\","__proto__":2}`,
    String.raw`{"a":"\\\"","__proto__":2}`,
    String.raw`{"\u005f_proto__":1}`,
    String.raw`{"const\u0072uctor":1}`,
  ])('that could touch a prototype are refused: %s', (text) => {
    expect(kindOf(text)).toBe('forbidden_key')
  })

  it.each([
    '"__proto__"',
    '["__proto__","constructor"]',
    '{"a":"__proto__"}',
    '{"proto":1}',
    '{"prototype":1}',
    '{"__proto__ ":1}',
  ])('are not confused with values or look-alikes: %s', (text) => {
    expect(kindOf(text)).toBeNull()
  })
})

describe('numbers', () => {
  it.each([
    ['0', null, null],
    ['-0', null, null],
    ['123456789012345', null, null],
    ['9007199254740991', null, null],
    ['-9007199254740991', null, null],
    ['9007199254740992', 'number_out_of_range', null],
    ['-9007199254740993', 'number_out_of_range', null],
    ['12345678901234567890', 'number_out_of_range', null],
    ['3.141592653589793238', null, null],
    ['1e308', null, null],
    ['1E400', 'number_out_of_range', 'number_out_of_range'],
    ['-1e400', 'number_out_of_range', 'number_out_of_range'],
    ['1e-400', null, null],
    [`1${'0'.repeat(400)}`, 'number_out_of_range', 'number_out_of_range'],
    [`0.${'1'.repeat(400)}`, 'number_out_of_range', null],
  ])('%s: to be stored %s, to be read %s', (text, exact, finite) => {
    expect(scanJson(`{"a":[${text}]}`, 'exact')?.kind ?? null).toBe(exact)
    expect(scanJson(`{"a":[${text}]}`, 'finite')?.kind ?? null).toBe(finite)
  })

  it('in texts are none', () => {
    expect(kindOf('"1e400 9007199254740993"')).toBeNull()
  })
})

describe('the first fault', () => {
  it('is told, with where it is', () => {
    expect(scanJson('{"a":1,"b":"\u0000","c":1e400}', 'exact')).toEqual({ kind: 'nul', offset: 11 })
    expect(scanJson('{"a":1e400,"b":"\u0000"}', 'exact')).toEqual({
      kind: 'number_out_of_range',
      offset: 5,
    })
  })

  it('of each kind has a text for the caller', () => {
    for (const text of Object.values(FAULT_TEXTS)) expect(text).toMatch(/^[A-Z].+\.$/)
  })

  it.each([
    ['{"values":{"total":1e400}}', '/values/total'],
    ['{"values":{"a":1,"__proto__":{}}}', '/values/__proto__'],
    ['{"list":[1,{"a":"b"},["x","\u0000"]]}', '/list/2/1'],
    [String.raw`{"a/b":{"m~n":"\ud800"}}`, '/a~1b/m~0n'],
    ['{"done":{"x":[1,2]},"now":"\u0000"}', '/now'],
    ['["a,b","c]d",1e400]', '/2'],
    ['{"":{"a":1e400}}', '//a'],
    ['{"":1e400}', '/'],
    ['1e400', ''],
    ['"\u0000"', ''],
  ])('of %j is at %j', (text, pointer) => {
    expect(pointed(text)).toBe(pointer)
  })

  it('has a pointer of bearable length however long the key', () => {
    expect(pointed(`{"${'k'.repeat(10_000)}":1e400}`).length).toBeLessThanOrEqual(500)
  })
})

describe('text that is no JSON', () => {
  it.each(['', '"', '"\\', '{', '}', ']]]]', '{"a', '-', '1-2', 'nul', '\\u0000', '[1,'])(
    '%j is left to JSON.parse, without a fault or a hang',
    (text) => {
      expect(kindOf(text)).toBeNull()
      expect(() => JSON.parse(text)).toThrow()
    },
  )

  it('of a million quotes and backslashes is scanned in a moment', () => {
    expect(kindOf('"\\'.repeat(500_000))).toBeNull()
    expect(kindOf(`"${'\\'.repeat(1_000_000)}`)).toBeNull()
    expect(kindOf('\\"'.repeat(500_000))).toBeNull()
    expect(kindOf(`"${'\\"'.repeat(500_000)}`)).toBeNull()
  }, 5_000)
})
