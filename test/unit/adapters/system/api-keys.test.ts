import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isApiKey, makeApiKey } from '../../../../src/adapters/system/api-keys.ts'
import { systemIds } from '../../../../src/adapters/system/ids.ts'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const FORM = /^(ask_live_([0-9a-f]{32})_[0-9A-Za-z]{43})([0-9A-Za-z]{6})$/

describe('an API key', () => {
  it('tells what it is, which one it is, and proves that it was not mistyped', () => {
    const id = systemIds.make('key')
    const [, body = '', ownId, checksum] = FORM.exec(makeApiKey(id)) ?? []
    expect(`key_${ownId}`).toBe(id)
    const digest = createHash('sha256').update(body).digest()
    const expected = Array.from(
      { length: 6 },
      (_, n) => ALPHABET[digest.readUInt32BE(n * 4) % 62],
    ).join('')
    expect(checksum).toBe(expected)
  })

  it('is another one each time, also for the same id', () => {
    const keys = Array.from({ length: 1_000 }, () => makeApiKey('key_1'))
    expect(new Set(keys).size).toBe(1_000)
  })

  it('uses every letter of its alphabet about as often as the others', () => {
    const counts = new Map<string, number>()
    const rounds = 2_000
    for (let round = 0; round < rounds; round++) {
      for (const letter of makeApiKey('key_1').slice('ask_live_1_'.length, -6)) {
        counts.set(letter, (counts.get(letter) ?? 0) + 1)
      }
    }
    const mean = (rounds * 43) / 62
    expect([...counts.keys()].toSorted((a, b) => (a < b ? -1 : 1)).join('')).toBe(ALPHABET)
    // Eight standard deviations: chance alone does not get there.
    for (const count of counts.values()) {
      expect(Math.abs(count - mean)).toBeLessThan(8 * Math.sqrt(mean))
    }
  })
})

describe('the form of an API key', () => {
  const key = makeApiKey(systemIds.make('key'))
  const checksumOf = (body: string) => {
    const digest = createHash('sha256').update(body).digest()
    return Array.from({ length: 6 }, (_, n) => ALPHABET[digest.readUInt32BE(n * 4) % 62]).join('')
  }

  it('is that of every key that is made, and of one that calls itself a test', () => {
    for (let n = 0; n < 100; n++) expect(isApiKey(makeApiKey(systemIds.make('key')))).toBe(true)
    const body = key.slice(0, -6).replace('ask_live_', 'ask_test_')
    expect(isApiKey(body + checksumOf(body))).toBe(true)
  })

  it('is lost with any one letter changed, left out, doubled or swapped with the next', () => {
    for (let at = 0; at < key.length; at++) {
      const [before, letter, after] = [key.slice(0, at), key[at], key.slice(at + 1)]
      const other = letter === 'x' ? 'y' : 'x'
      expect(isApiKey(before + other + after)).toBe(false)
      expect(isApiKey(before + after)).toBe(false)
      expect(isApiKey(before + letter + letter + after)).toBe(false)
      const next = after[0] ?? ''
      if (next !== '' && next !== letter)
        expect(isApiKey(before + next + letter + after.slice(1))).toBe(false)
    }
  })

  it('is not that of anything else, whatever its checksum', () => {
    const bodies = [
      '',
      'ask_live_x_y',
      `ask_live__${'a'.repeat(43)}`,
      `ask_prod_1_${'a'.repeat(43)}`,
      `ask_live_1_${'a'.repeat(42)}`,
      `ask_live_1_${'a'.repeat(44)}`,
      `ask_live_1_${'a'.repeat(42)}-`,
      `ask_live_1_${'a'.repeat(42)}\u0000`,
      `ask_live_${'1'.repeat(65)}_${'a'.repeat(43)}`,
    ]
    for (const body of bodies) expect(isApiKey(body + checksumOf(body))).toBe(false)
    expect(isApiKey(` ${key}`)).toBe(false)
    expect(isApiKey(`${key}\n`)).toBe(false)
  })
})

describe('an id', () => {
  it('has its prefix, no dot, and sorts by the time of making, also within a millisecond', () => {
    const ids = Array.from({ length: 10_000 }, () => systemIds.make('dec'))
    for (const id of ids.slice(0, 100)) expect(id).toMatch(/^dec_[0-9a-f]{32}$/)
    expect(ids.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(ids)
    expect(new Set(ids).size).toBe(ids.length)
  })
})
