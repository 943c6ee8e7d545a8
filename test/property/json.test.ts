import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pointerAt, scanJson } from '../../src/domain/json-scan.ts'
import { isPointer, pointerTo, readPointer } from '../../src/domain/pointer.ts'
import {
  canonicalJson,
  changedFields,
  deepEqual,
  overlay,
  type Values,
} from '../../src/domain/values.ts'

/** Texts and keys that nothing is wrong with, escapes and all. */
const text = fc.string({ unit: 'binary' }).filter((one) => !one.includes('\u0000'))
const key = text.filter((one) => !/^(__proto__|constructor)$/.test(one))
const number = fc.oneof(
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }),
)

const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, false),
    number,
    text,
    fc.array(tie('tree'), { maxLength: 5 }),
    fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
  ),
}))

/** The same JSON written in another way: escapes and white space. */
const escaped = (json: string): string =>
  json.replace(
    /[^\x20-\x7e\n\t]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** Places within a tree, as paths of keys. */
function pathsOf(
  value: unknown,
  path: readonly (string | number)[] = [],
): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  const entries = Array.isArray(value)
    ? value.map((one, at) => [at, one] as const)
    : Object.entries(value)
  return [path, ...entries.flatMap(([key, one]) => pathsOf(one, [...path, key]))]
}

describe('the scan before parsing', () => {
  it('finds nothing in JSON that nothing is wrong with, however it is written', () => {
    fc.assert(
      fc.property(tree, fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
        const json = JSON.stringify(value, null, indent)
        for (const written of [json, escaped(json)]) {
          expect(scanJson(written, 'exact')).toBeNull()
          expect(deepEqual(JSON.parse(written), JSON.parse(json))).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('lets nothing through that JSON.parse takes and the store or a prototype would not', () => {
    const hostile = fc.constantFrom<unknown>(
      'a\u0000b',
      '\ud800',
      'x\udc00',
      { ['__proto__']: 1 },
      { constructor: 1 },
      2 ** 53,
      -(2 ** 60),
    )
    const spot = fc.array(fc.oneof(fc.constant(0), key), { maxLength: 10 })
    fc.assert(
      fc.property(hostile, spot, fc.boolean(), (value, path, isEscaped) => {
        const wrapped = path.reduce<unknown>(
          (inner, at) => (at === 0 ? ['x', inner] : { y: 1, [String(at)]: inner }),
          value,
        )
        const json = JSON.stringify(wrapped)
        expect(scanJson(isEscaped ? escaped(json) : json, 'exact')).not.toBeNull()
      }),
    )
  })

  it('never throws and always ends, on any text', () => {
    const noise = fc.string({
      unit: fc.constantFrom(...'{}[]:,"\\u0d8eE+-.1 \n\u0000\ud800n'.split('')),
    })
    fc.assert(
      fc.property(noise, (noisy) => {
        const fault = scanJson(noisy, 'exact')
        if (fault !== null) expect(isPointer(pointerAt(noisy, fault.offset))).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it('points to the very place of a fault', () => {
    const plainKey = fc.stringMatching(/^[a-z/~ ]{0,6}$/)
    const shape = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(null, 1, 'text'),
        fc.array(tie('node'), { maxLength: 4 }),
        fc.dictionary(plainKey, tie('node'), { maxKeys: 4 }),
      ),
    })).node
    fc.assert(
      fc.property(shape, fc.nat(), (value, choice) => {
        const paths = pathsOf(value)
        const path = paths[choice % paths.length] ?? []
        const marked = replaceAt(value, path, '\u0001marker')
        const json = JSON.stringify(marked).replace('"\\u0001marker"', '1e400')
        const fault = scanJson(json, 'finite')
        expect(fault?.kind).toBe('number_out_of_range')
        expect(pointerAt(json, fault?.offset ?? 0)).toBe(pointerTo(...path))
      }),
      { numRuns: 500 },
    )
  })
})

function replaceAt(value: unknown, path: readonly (string | number)[], by: unknown): unknown {
  const [first, ...rest] = path
  if (first === undefined) return by
  if (Array.isArray(value))
    return value.map((one, at) => (at === first ? replaceAt(one, rest, by) : one))
  return Object.fromEntries(
    Object.entries(value as Values).map(([key, one]) => [
      key,
      key === first ? replaceAt(one, rest, by) : one,
    ]),
  )
}

/** The same value with the keys of every object the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, one]) => [key, reversed(one)]),
  )
}

describe('canonical JSON and equality', () => {
  it('agree: two values are equal if and only if they are written alike', () => {
    fc.assert(
      fc.property(tree, tree, (left, right) => {
        const same = canonicalJson(left) === canonicalJson(right)
        expect(deepEqual(left, right)).toBe(same)
        expect(deepEqual(right, left)).toBe(same)
      }),
    )
  })

  it('do not see the order of keys', () => {
    fc.assert(
      fc.property(tree, (value) => {
        const other = reversed(value)
        expect(deepEqual(value, other)).toBe(true)
        expect(canonicalJson(other)).toBe(canonicalJson(value))
      }),
    )
  })

  it('keep the value: what is written reads back equal', () => {
    fc.assert(
      fc.property(tree, (value) => {
        expect(deepEqual(JSON.parse(canonicalJson(value)), value)).toBe(true)
      }),
    )
  })
})

describe('changed fields', () => {
  const record = fc.dictionary(fc.constantFrom('a', 'b', 'c'), tree, { maxKeys: 3 })

  it('are what has to be written so that the record becomes what it will be, and no more', () => {
    fc.assert(
      fc.property(record, record, (before, sent) => {
        const changed = changedFields(sent, before)
        const needed = Object.fromEntries(changed.map((field) => [field, sent[field]]))
        expect(deepEqual(overlay(before, needed), overlay(before, sent))).toBe(true)
        for (const field of changed) {
          const { [field]: _, ...fewer } = needed
          expect(deepEqual(overlay(before, fewer), overlay(before, sent))).toBe(false)
        }
      }),
    )
  })
})

describe('a pointer', () => {
  it('made of keys reads what the keys lead to', () => {
    fc.assert(
      fc.property(tree, fc.nat(), (value, choice) => {
        const paths = pathsOf(value)
        const path = paths[choice % paths.length] ?? []
        const expected = path.reduce<unknown>((at, step) => (at as Values)[step], value)
        expect(isPointer(pointerTo(...path))).toBe(true)
        expect(readPointer(value, pointerTo(...path))).toEqual(expected)
      }),
    )
  })
})
