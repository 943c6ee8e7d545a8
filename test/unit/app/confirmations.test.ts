import { describe, expect, it } from 'vitest'
import { CONFIRMATION_VALID_MS, confirmationDesk } from '../../../src/app/confirmations.ts'
import type { Change } from '../../../src/domain/change.ts'
import type { Finding } from '../../../src/domain/decision.ts'
import { changeWith } from '../../support/build.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { fakeVault } from './fakes.ts'

const finding: Finding = {
  subscriptionId: 'sub_a',
  name: 'Stock check',
  code: 'low',
  field: 'total',
  severity: 'confirm',
  message: { title: 'Low stock', text: 'Only one is left. Sell it?' },
  cause: 'denied',
}
const change = changeWith()

function presenting(clock = new FakeClock()) {
  const token = confirmationDesk([], { vault: fakeVault, clock }).tokenFor(finding, change)
  const isConfirmed = (about: Finding = finding, by: Change = change, tokens = [token]) =>
    confirmationDesk(tokens, { vault: fakeVault, clock }).isConfirmed(about, by)
  return { token, clock, isConfirmed }
}

describe('a confirmation token', () => {
  it('confirms the finding about the change that it was made for', () => {
    expect(presenting().isConfirmed()).toBe(true)
  })

  it.each<[string, Partial<Change>]>([
    ['account', { accountId: 'other' }],
    ['event', { event: 'record.before.created' }],
    ['catalog', { catalogId: 'goods' }],
    ['record', { recordId: 'rec_2' }],
    ['values', { values: { status: 'void' } }],
    ['more values', { values: { status: 'paid', total: 1 } }],
    ['user', { user: { id: 'ben' } }],
    ['unknown user', { user: undefined }],
  ])('confirms nothing about another %s', (_, over) => {
    expect(presenting().isConfirmed(finding, { ...change, ...over })).toBe(false)
  })

  it.each<[string, Partial<Finding>]>([
    ['validator', { subscriptionId: 'sub_b' }],
    ['code', { code: 'lower' }],
    ['field', { field: undefined }],
    ['text', { message: { title: 'Low stock', text: 'None is left. Sell it?' } }],
    ['title', { message: { text: 'Only one is left. Sell it?' } }],
  ])('confirms nothing that is said with another %s', (_, over) => {
    expect(presenting().isConfirmed({ ...finding, ...over })).toBe(false)
  })

  it('does not depend on the order of keys in the values', () => {
    const left = changeWith({ values: { a: 1, b: 2 } })
    const right = changeWith({ values: { b: 2, a: 1 } })
    const clock = new FakeClock()
    const token = confirmationDesk([], { vault: fakeVault, clock }).tokenFor(finding, left)
    const desk = confirmationDesk([token], { vault: fakeVault, clock })
    expect(desk.isConfirmed(finding, right)).toBe(true)
  })

  it('holds for ten minutes and not a millisecond longer', async () => {
    const { clock, isConfirmed } = presenting()
    expect(CONFIRMATION_VALID_MS).toBe(600_000)
    await clock.advance(CONFIRMATION_VALID_MS - 1)
    expect(isConfirmed()).toBe(true)
    await clock.advance(1)
    expect(isConfirmed()).toBe(false)
  })

  it('cannot be given a longer life, or made up', () => {
    const { token, clock, isConfirmed } = presenting()
    const [, tag = ''] = token.split('.')
    const later = (clock.wallMs() + 2 * CONFIRMATION_VALID_MS).toString(36)
    for (const forged of [`${later}.${tag}`, `${token}x`, tag, '', '.', 'zzzzzzzzz.', '.x']) {
      expect(isConfirmed(finding, change, [forged])).toBe(false)
    }
  })

  it('is found among others', () => {
    const { token, isConfirmed } = presenting()
    expect(isConfirmed(finding, change, ['a.b', token, 'c'])).toBe(true)
    expect(isConfirmed(finding, change, [])).toBe(false)
  })
})
