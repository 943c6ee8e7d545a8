import { describe, expect, it } from 'vitest'
import { redacted, redactedChange } from '../../../src/domain/redaction.ts'
import { changeWith } from '../../support/build.ts'

const fingerprint = (text: string) => `<${text}>`
const last4 = (value: unknown) => redacted({ f: value }, { f: 'last4' }, fingerprint)['f']

describe('what a decision keeps of a record', () => {
  it('is by field nothing, a keyed hash, or the end; and all of the other fields', () => {
    const values = { card: '4111111111111111', name: 'Anna', pin: 1234, note: 'x' }
    const rules = { card: 'last4', name: 'hash', pin: 'remove' } as const
    expect(redacted(values, rules, fingerprint)).toEqual({
      card: '…1111',
      name: 'hash:<"Anna">',
      note: 'x',
    })
  })

  it('hashes alike what is equal, whatever the order of its members', () => {
    const of = (value: unknown) => redacted({ f: value }, { f: 'hash' }, fingerprint)['f']
    expect(of({ a: 1, b: 2 })).toBe(of({ b: 2, a: 1 }))
    expect(of('1')).not.toBe(of(1))
  })

  it('shows the end of what is long enough to have one', () => {
    expect(last4('12345678')).toBe('…5678')
    expect(last4(12_345_678)).toBe('…5678')
    expect(last4('😀😀😀😀😀😀😀😀')).toBe('…😀😀😀😀')
    for (const short of ['1234567', 1_234_567, '', true, ['123456789'], { a: '123456789' }]) {
      expect(last4(short)).toBe('…')
    }
  })

  it('still says that a field was cleared, and knows no inherited rule', () => {
    expect(redacted({ f: null }, { f: 'hash' }, fingerprint)).toEqual({ f: null })
    const values = { toString: 'a', constructor: 'b' }
    expect(redacted(values, {}, fingerprint)).toEqual(values)
  })

  it('goes for the values before and the form as well, and names the fields that changed', () => {
    const change = changeWith({
      values: { a: 1 },
      prevValues: { a: 0, b: 1 },
      allValues: { a: 1, b: 2 },
    })
    const kept = redactedChange(change, { a: 'remove' }, fingerprint)
    expect(kept).toMatchObject({ values: {}, prevValues: { b: 1 }, allValues: { b: 2 } })
    expect(kept.changedFields).toEqual(change.changedFields)
    expect(kept.values).not.toHaveProperty('a')
  })
})
