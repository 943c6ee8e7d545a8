import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  createChainTokens,
  createSealer,
  createVault,
  masterKeyOf,
} from '../../../../src/adapters/system/master-key.ts'
import { EMPTY_CHAIN } from '../../../../src/domain/chain.ts'
import { BUDGET_MS } from '../../../../src/domain/deadline.ts'

const newKey = () => masterKeyOf(randomBytes(32))
const PLACE = { accountId: 'a1', table: 'subscriptions', column: 'sealed', row: 'r1' } as const

describe('the sealer', () => {
  it.each(['', 'secret', 'naïve \u{1f600} \u0000', 'x'.repeat(100_000)])(
    'opens what it sealed, at the same place (%#)',
    (plain) => {
      const sealer = createSealer([newKey()])
      expect(sealer.open(PLACE, sealer.seal(PLACE, plain))).toBe(plain)
    },
  )

  it.each([
    { accountId: 'a2' },
    { table: 'keys' },
    { column: 'settings' },
    { row: 'r2' },
    // Parts that read the same when they are put one behind the other.
    { accountId: 'a1","subscriptions', table: '' },
    { column: 'sealedr', row: '1' },
  ])('opens nothing that was moved to another place: %j', (other) => {
    const sealer = createSealer([newKey()])
    const sealed = sealer.seal(PLACE, 'secret')
    expect(() => sealer.open({ ...PLACE, ...other }, sealed)).toThrow()
  })

  it('opens nothing of which a single character was changed, or that was cut short', () => {
    const sealer = createSealer([newKey()])
    const sealed = sealer.seal(PLACE, 'a secret')
    for (let at = 0; at < sealed.length; at++) {
      // Another character of the same alphabet, with another highest bit: no bit of it is padding.
      const other = sealed[at] === 'A' ? 'g' : 'A'
      const changed = sealed.slice(0, at) + other + sealed.slice(at + 1)
      expect(() => sealer.open(PLACE, changed), `changed at ${at}`).toThrow()
      expect(() => sealer.open(PLACE, sealed.slice(0, at)), `cut at ${at}`).toThrow()
    }
  })

  it.each(['', 'plain text', 'v1', 'v1.00000000', 'v2.0.0.0', '...', 'v1...'])(
    'opens nothing that it did not seal: "%s"',
    (text) => {
      expect(() => createSealer([newKey()]).open(PLACE, text)).toThrow()
    },
  )

  it('never seals a text the same way twice, and shows nothing of it', () => {
    const sealer = createSealer([newKey()])
    const texts = Array.from({ length: 100 }, () => sealer.seal(PLACE, 'a secret'))
    expect(new Set(texts).size).toBe(100)
    for (const text of texts) {
      expect(text).toMatch(/^v1\.[0-9a-f]{8}\.[\w-]{16}\.[\w-]+$/)
      expect(text).not.toContain(Buffer.from('a secret').toString('base64url').slice(0, 8))
    }
  })

  it('seals with the first key of the list, and opens with all of them', () => {
    const [old, current, next] = [newKey(), newKey(), newKey()]
    const before = createSealer([old]).seal(PLACE, 'sealed by the old one')
    const rotated = createSealer([current, old])
    expect(rotated.open(PLACE, before)).toBe('sealed by the old one')
    const after = rotated.seal(PLACE, 'sealed by the current one')
    expect(after.split('.')[1]).toBe(current.id)
    expect(createSealer([next, current]).open(PLACE, after)).toBe('sealed by the current one')
  })

  it('names the key that is missing, and shows no key', () => {
    const [old, current] = [newKey(), newKey()]
    const sealed = createSealer([old]).seal(PLACE, 'secret')
    const open = () => createSealer([current]).open(PLACE, sealed)
    expect(open).toThrow(`sealed with master key ${old.id}, which is not configured`)
  })

  it('does not take another key for the one that is named', () => {
    const [one, two] = [newKey(), newKey()]
    const sealed = createSealer([one]).seal(PLACE, 'secret')
    const renamed = sealed.replace(one.id, two.id)
    expect(() => createSealer([one, two]).open(PLACE, renamed)).toThrow()
  })
})

describe('the id of a master key', () => {
  it('is the same for the same bytes, another for others, and says nothing of them', () => {
    const bytes = randomBytes(32)
    expect(masterKeyOf(bytes).id).toBe(masterKeyOf(new Uint8Array(bytes)).id)
    expect(masterKeyOf(bytes).id).not.toBe(newKey().id)
    expect(masterKeyOf(bytes).id).toMatch(/^[0-9a-f]{8}$/)
    expect(bytes.toString('hex')).not.toContain(masterKeyOf(bytes).id)
  })
})

describe('the vault', () => {
  const vault = createVault([newKey()])

  it.each([
    ['', ''],
    ['a', 'a'],
    ['ключ', 'ключ'],
  ])('finds "%s" and "%s" the same', (left, right) => {
    expect(vault.isSame(left, right)).toBe(true)
  })

  it.each([
    ['', 'a'],
    ['a', ''],
    ['a', 'b'],
    ['a', 'A'],
    ['secret', 'secret '],
    ['secret', 'secre'],
    ['secret', 'secreT'],
    ['é', 'e\u0301'],
    ['a\u0000', 'a'],
    // As many characters, not as many bytes.
    ['é', 'e'],
  ])('finds %j and %j different, and does not throw', (left, right) => {
    expect(vault.isSame(left, right)).toBe(false)
  })

  it('tags the same text for the same purpose alike, and in no other case', () => {
    const other = createVault([newKey()])
    const tags = [
      vault.tag('chain', 'text'),
      vault.tag('confirmation', 'text'),
      vault.tag('chain', 'texT'),
      other.tag('chain', 'text'),
    ]
    expect(new Set(tags).size).toBe(tags.length)
    expect(vault.tag('chain', 'text')).toBe(tags[0])
    for (const tag of tags) expect(tag).toMatch(/^[\w-]{43}$/)
  })

  it('knows its tags again after the master key was rotated, and no others', () => {
    const [old, fresh] = [newKey(), newKey()]
    const before = createVault([old]).tag('chain', 'text')
    const rotated = createVault([fresh, old])
    expect(rotated.tag('chain', 'text')).not.toBe(before)
    expect(rotated.isTagged('chain', 'text', before)).toBe(true)
    expect(rotated.isTagged('chain', 'texT', before)).toBe(false)
    expect(rotated.isTagged('confirmation', 'text', before)).toBe(false)
    expect(createVault([fresh]).isTagged('chain', 'text', before)).toBe(false)
  })

  it('tags alike in every gateway that has the key', () => {
    const bytes = randomBytes(32)
    const [one, two] = [createVault([masterKeyOf(bytes)]), createVault([masterKeyOf(bytes)])]
    expect(one.tag('confirmation', 'x')).toBe(two.tag('confirmation', 'x'))
  })

  it('hashes as the standard says', () => {
    expect(vault.sha256('abc')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
  })

  it('gives as many unpredictable bytes as it is asked for', () => {
    const seen = new Set(Array.from({ length: 50 }, () => vault.randomBytes(16).join()))
    expect(seen.size).toBe(50)
    expect(vault.randomBytes(33)).toHaveLength(33)
    const chance = vault.random()
    expect(chance).toBeGreaterThanOrEqual(0)
    expect(chance).toBeLessThan(1)
  })
})

describe('chain tokens', () => {
  const START = 1_790_000_000_000
  const MINUTE = 60_000
  let nowMs = START
  const clock = { wallMs: () => nowMs }
  const tokens = createChainTokens(createVault([newKey()]), clock)
  const chain = { depth: 2, records: ['["a","c","1"]', '["a","c","2"]'] }
  beforeEach(() => {
    nowMs = START
  })

  it('carry a chain there and back', () => {
    for (const carried of [chain, EMPTY_CHAIN, { depth: 4, records: [] }]) {
      expect(tokens.open(tokens.seal(carried, 'a'), 'a')).toEqual(carried)
    }
  })

  it('that are absent or were not made here are the empty chain', () => {
    const [body = '', tag = ''] = tokens.seal(chain, 'a').split('.')
    const forged = Buffer.from(JSON.stringify([0])).toString('base64url')
    const stranger = createChainTokens(createVault([newKey()]), clock).seal(chain, 'a')
    const others = [undefined, '', '.', 'x', body, `${body}.`, `${forged}.${tag}`, `.${tag}`]
    for (const token of [...others, stranger, `${body}x.${tag}`, `${body}.${tag}x`]) {
      expect(tokens.open(token, 'a'), String(token)).toEqual(EMPTY_CHAIN)
    }
  })

  it('of another account are the empty chain, whether or not they name a record', () => {
    const bare = { depth: 3, records: [] }
    for (const carried of [chain, bare]) {
      expect(tokens.open(tokens.seal(carried, 'a'), 'b')).toEqual(EMPTY_CHAIN)
      expect(tokens.open(tokens.seal(carried, 'b'), 'b')).toEqual(carried)
    }
  })

  it('are good for as long as the longest question can be open, and then the empty chain', () => {
    const bare = { depth: 3, records: [] }
    for (const carried of [chain, bare]) {
      nowMs = START
      const token = tokens.seal(carried, 'a')
      nowMs = START + BUDGET_MS.max + MINUTE / 2
      expect(tokens.open(token, 'a')).toEqual(carried)
      nowMs = START + 2 * MINUTE
      expect(tokens.open(token, 'a')).toEqual(EMPTY_CHAIN)
      expect(tokens.open(tokens.seal(carried, 'a'), 'a')).toEqual(carried)
      nowMs = START - 2 * MINUTE
      expect(tokens.open(token, 'a')).toEqual(EMPTY_CHAIN)
    }
  })
})
