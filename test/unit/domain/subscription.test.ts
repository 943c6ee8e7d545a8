import { describe, expect, it } from 'vitest'
import {
  MASK,
  mayChangeField,
  SUBSCRIPTIONS_ASKED_MAX,
  SUBSCRIPTIONS_PER_ACCOUNT_MAX,
} from '../../../src/domain/subscription.ts'

describe('what a subscription may change', () => {
  it.each([
    [null, true, true],
    [null, false, false],
    ['*' as const, false, true],
    ['*' as const, true, true],
    [['total'], false, true],
    [['total'], true, true],
    [['status'], true, false],
    [[], true, false],
  ])('%j, on record.updating: %j, makes the field free: %j', (mayChange, isUpdating, expected) => {
    expect(mayChangeField(mayChange, isUpdating, 'total')).toBe(expected)
  })
})

describe('limits', () => {
  it('are those of the contract', () => {
    expect(SUBSCRIPTIONS_PER_ACCOUNT_MAX).toBe(500)
    expect(SUBSCRIPTIONS_ASKED_MAX).toBe(64)
    expect(MASK).toBe('***')
  })
})
