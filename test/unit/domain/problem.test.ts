import { describe, expect, it } from 'vitest'
import { PROBLEMS, Problem, unreachable } from '../../../src/domain/problem.ts'

describe('a problem', () => {
  it('is an error with a code, what to tell, and a cause for the log', () => {
    const cause = new Error('socket hang up')
    const problem = new Problem('store_unavailable', { cause, retryAfterSeconds: 1 })
    expect(problem).toBeInstanceOf(Error)
    expect(problem.code).toBe('store_unavailable')
    expect(problem.message).toBe(PROBLEMS.store_unavailable.title)
    expect(problem.cause).toBe(cause)
    expect(problem.details.retryAfterSeconds).toBe(1)
    expect(new Problem('not_found', { detail: 'No such key.' }).message).toBe('No such key.')
  })

  // Codes and statuses are the contract's: a change here breaks callers.
  it.each([
    ['unauthenticated', 401],
    ['forbidden', 403],
    ['record_not_found', 404],
    ['record_exists', 409],
    ['version_conflict', 409],
    ['approval_in_flight', 409],
    ['idempotency_in_progress', 409],
    ['approval_expired', 410],
    ['body_too_large', 413],
    ['idempotency_key_reused', 422],
    ['digest_mismatch', 422],
    ['rate_limited', 429],
    ['outcome_unknown', 503],
    ['approval_loop', 508],
  ] as const)('%s has status %d', (code, status) => {
    expect(PROBLEMS[code].status).toBe(status)
  })

  it('has a title that says something and a status of an error, each of them', () => {
    for (const [code, { status, title }] of Object.entries(PROBLEMS)) {
      expect(code).toMatch(/^[a-z_]+$/)
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(600)
      expect(title.length).toBeGreaterThan(10)
    }
  })

  it('is not what a broken assumption throws: that is a bug', () => {
    expect(() => unreachable('x' as never)).toThrow(TypeError)
  })
})
