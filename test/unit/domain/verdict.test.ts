import { describe, expect, it } from 'vitest'
import {
  applyPolicy,
  FAILURES,
  type FailurePolicy,
  failureCauses,
  outcomeOf,
} from '../../../src/domain/verdict.ts'
import { allow, confirm, deny, failed } from '../../support/build.ts'

const POLICIES: FailurePolicy[] = ['deny', 'allow', {}, { timeout: 'allow' }]

describe('the failure policy', () => {
  it('turns a validator that could not be asked into allow or deny, cause by cause', () => {
    for (const cause of failureCauses) {
      const apply = (policy: FailurePolicy) => applyPolicy(failed(cause), 'enforce', policy)
      expect(apply('deny')).toBe('deny')
      expect(apply('allow')).toBe('allow')
      expect(apply({ [cause]: 'allow' })).toBe('allow')
      expect(apply({ [cause]: 'deny' })).toBe('deny')
      expect(apply({})).toBe('deny')
      expect(apply({ timeout: 'allow' })).toBe(cause === 'timeout' ? 'allow' : 'deny')
      expect(apply({ [cause]: undefined })).toBe('deny')
    }
  })

  it('never touches what a validator said', () => {
    for (const policy of POLICIES) {
      expect(applyPolicy(allow(), 'enforce', policy)).toBe('allow')
      expect(applyPolicy(deny(), 'enforce', policy)).toBe('deny')
      expect(applyPolicy(confirm(), 'enforce', policy)).toBe('confirm')
      expect(applyPolicy({ kind: 'cancelled' }, 'enforce', policy)).toBe('none')
    }
  })

  it('gives a shadow no effect at all', () => {
    for (const policy of POLICIES) {
      for (const answer of [allow(), deny(), confirm(), failed()]) {
        expect(applyPolicy(answer, 'shadow', policy)).toBe('none')
      }
    }
  })
})

describe('failures', () => {
  it('are those of the contract, and only what the validator caused speaks against its health', () => {
    const against = failureCauses.filter((cause) => FAILURES[cause].countsAgainstHealth)
    expect(against).toEqual([
      'timeout',
      'unreachable',
      'tls',
      'bad_status',
      'bad_reply',
      'reply_too_large',
      'redirected',
    ])
    expect(failureCauses.filter((cause) => !against.includes(cause))).toEqual([
      'circuit_open',
      'overloaded',
      'egress_blocked',
      'budget_exhausted',
    ])
  })
})

describe('the outcome', () => {
  it('of a confirm reads allow: it said no to nothing', () => {
    expect(outcomeOf(confirm())).toBe('allow')
    expect(outcomeOf(allow())).toBe('allow')
    expect(outcomeOf(deny())).toBe('deny')
    expect(outcomeOf(failed())).toBe('failed')
    expect(outcomeOf({ kind: 'cancelled' })).toBe('cancelled')
  })
})
