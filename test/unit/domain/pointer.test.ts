import { describe, expect, it } from 'vitest'
import { isPointer, pointerTo, readPointer } from '../../../src/domain/pointer.ts'

// RFC 6901 §5.
const DOCUMENT = {
  foo: ['bar', 'baz'],
  '': 0,
  'a/b': 1,
  'c%d': 2,
  'e^f': 3,
  'g|h': 4,
  'i\\j': 5,
  'k"l': 6,
  ' ': 7,
  'm~n': 8,
}

describe('a pointer', () => {
  it.each<[string, unknown]>([
    ['', DOCUMENT],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
  ])('%j reads as in RFC 6901 §5', (pointer, expected) => {
    expect(isPointer(pointer)).toBe(true)
    expect(readPointer(DOCUMENT, pointer)).toEqual(expected)
  })

  it('reads nothing where there is nothing, and nothing that is inherited', () => {
    for (const pointer of ['/x', '/foo/2', '/foo/-', '/foo/0/x', '/toString', '/__proto__/x']) {
      expect(readPointer(DOCUMENT, pointer)).toBeUndefined()
    }
    expect(readPointer(undefined, '/a')).toBeUndefined()
    expect(readPointer(null, '/a')).toBeUndefined()
    expect(readPointer('text', '/length')).toBeUndefined()
  })

  it('unescapes ~01 to ~1, not to a slash', () => {
    expect(readPointer({ '~1': 'tilde', '/': 'slash' }, '/~01')).toBe('tilde')
  })

  it('starts with a slash and escapes each tilde', () => {
    for (const text of ['a', 'a/b', '/a~', '/~2', '#/a']) expect(isPointer(text)).toBe(false)
  })

  it('is made of keys so that it reads what they name', () => {
    expect(pointerTo()).toBe('')
    expect(pointerTo('values', 'a/b', 'm~n', 0)).toBe('/values/a~1b/m~0n/0')
    for (const key of Object.keys(DOCUMENT)) {
      expect(readPointer(DOCUMENT, pointerTo(key))).toBe(DOCUMENT[key as keyof typeof DOCUMENT])
    }
  })
})
