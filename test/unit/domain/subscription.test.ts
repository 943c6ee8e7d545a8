import { describe, expect, it } from 'vitest'
import { RETRY_PRESETS } from '../../../src/domain/retry.ts'
import {
  DIALECT_NAMES,
  defaultRetry,
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

describe('a notification of which the subscription does not say how it is repeated', () => {
  it('is repeated as Poster does in its dialect, and by the standard schedule in every other', () => {
    for (const dialect of DIALECT_NAMES) {
      const preset = dialect === 'poster' ? 'poster' : 'standard'
      expect(defaultRetry(dialect)).toEqual({ preset })
      expect(RETRY_PRESETS).toHaveProperty(preset)
    }
  })
})

describe('limits', () => {
  it('are those of the contract', () => {
    expect(SUBSCRIPTIONS_PER_ACCOUNT_MAX).toBe(500)
    expect(SUBSCRIPTIONS_ASKED_MAX).toBe(64)
    expect(MASK).toBe('***')
  })
})
