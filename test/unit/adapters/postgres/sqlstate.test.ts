import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { NotSent } from '../../../../src/adapters/postgres/database.ts'
import {
  asWriteProblem,
  isLostConnection,
  isUniqueViolation,
  orUnavailable,
} from '../../../../src/adapters/postgres/sqlstate.ts'
import { Problem } from '../../../../src/domain/problem.ts'

function withCode(code: string, message = 'something'): Error {
  return Object.assign(new Error(message), { code })
}

/** Errors after which nobody can say whether the statement took effect. */
const LOST = [
  ...['08000', '08003', '08006', '08001', '08004', '08007', '08P01'].map((code) => withCode(code)),
  // The server goes down, crashed, or is starting.
  ...['57P01', '57P02', '57P03'].map((code) => withCode(code)),
  // A server that became a standby takes no writes: the next connection finds the new primary.
  withCode('25006'),
  ...['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'].map((code) =>
    withCode(code),
  ),
  ...['EHOSTUNREACH', 'ENETUNREACH', 'ECONNABORTED', 'ENOENT'].map((code) => withCode(code)),
  // The server has no connection left.
  withCode('53300'),
  // What pg says by itself.
  new Error('Connection terminated unexpectedly'),
  new Error('Connection terminated due to connection timeout'),
  new Error('Connection terminated'),
  new Error('timeout exceeded when trying to connect'),
  new Error('Client has encountered a connection error and is not queryable'),
  new Error('Client was closed and is not queryable'),
] as const

/** Errors of which the server told in an orderly way: nothing was written. */
const ORDERLY = [
  ...['23505', '22P05', '42P01', '53100'].map((code) => withCode(code)),
  new TypeError('cannot read'),
  new Error('something else'),
  { code: 7 },
  null,
  undefined,
  'ECONNRESET',
]

describe('an error of the database', () => {
  it.each(LOST)('says that the connection was lost: $message $code', async (error) => {
    expect(isLostConnection(error)).toBe(true)
    const reading = await orUnavailable(Promise.reject(error)).catch((thrown: unknown) => thrown)
    expect(reading).toBeInstanceOf(Problem)
    expect(reading).toMatchObject({ code: 'store_unavailable', details: { retryAfterSeconds: 1 } })
    expect(asWriteProblem(error)).toMatchObject({ code: 'outcome_unknown' })
  })

  it('with a code of its own is orderly, whatever it says', () => {
    const timedOut = withCode('55P03', 'canceling statement due to lock timeout')
    expect(isLostConnection(timedOut)).toBe(false)
    expect(asWriteProblem(timedOut)).toMatchObject({ code: 'store_busy' })
  })

  it.each(['55P03', '40P01', '57014', '40001'])('that may pass is store_busy: %s', async (code) => {
    await expect(orUnavailable(Promise.reject(withCode(code)))).rejects.toMatchObject({
      code: 'store_busy',
    })
  })

  it('that came before anything was sent leaves no doubt about a write', () => {
    const error = new NotSent(new Error('no room'))
    expect(asWriteProblem(error)).toMatchObject({ code: 'store_unavailable' })
  })

  it.each(ORDERLY)('is left as it is when it says something else: %j', (error) => {
    expect(isLostConnection(error)).toBe(false)
    expect(asWriteProblem(error)).toBe(error)
  })

  it('is known as a unique violation by its code only', () => {
    expect(isUniqueViolation(withCode('23505'))).toBe(true)
    expect(isUniqueViolation(withCode('23503'))).toBe(false)
    expect(isUniqueViolation(new Error('duplicate key 23505'))).toBe(false)
    const own = new pg.DatabaseError('duplicate key', 1, 'error')
    own.code = '23505'
    expect(isUniqueViolation(own)).toBe(true)
  })

  it('that means nothing was sent is store_unavailable', async () => {
    const cause = new Error('no room')
    await expect(orUnavailable(Promise.reject(new NotSent(cause)))).rejects.toMatchObject({
      code: 'store_unavailable',
    })
  })

  it('that is a problem of ours already stays the same', async () => {
    const problem = new Problem('already_exists')
    await expect(orUnavailable(Promise.reject(problem))).rejects.toBe(problem)
    await expect(orUnavailable(Promise.resolve(7))).resolves.toBe(7)
  })
})
