/** What an error of the database means to us. SQLSTATE codes are facts of PostgreSQL's appendix A. */
import { Problem } from '../../domain/problem.ts'
import { NotSent } from './database.ts'

/** Classes and codes that mean: the connection, or the server behind it, went away or cannot be had. */
const LOST_CONNECTION = /^(08...|57P0[123]|25006|53300)$/
const LOST_SOCKET: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  // The socket of a server on this machine that is down.
  'ENOENT',
])
/** What pg says without a code. */
const LOST_MESSAGE = /connection (terminated|ended|closed)|not queryable|timeout/i

const UNIQUE_VIOLATION = '23505'
const FOREIGN_KEY_VIOLATION = '23503'
/** Lock not available, deadlock, statement cancelled, serialization failure: the same again may well go. */
const BUSY: ReadonlySet<string> = new Set(['55P03', '40P01', '57014', '40001'])
/** Also what a row is refused with that no partition takes. */
const CHECK_VIOLATION = '23514'

/** Its SQLSTATE, or the code of a socket's error; empty when it has none. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}

export function isUniqueViolation(error: unknown): boolean {
  return codeOf(error) === UNIQUE_VIOLATION
}

export function isForeignKeyViolation(error: unknown): boolean {
  return codeOf(error) === FOREIGN_KEY_VIOLATION
}

export function isUnroutable(error: unknown): boolean {
  return codeOf(error) === CHECK_VIOLATION
}

/** Whether nobody can say any more if the statement took effect. */
export function isLostConnection(error: unknown): boolean {
  const code = codeOf(error)
  if (LOST_CONNECTION.test(code) || LOST_SOCKET.has(code)) return true
  // An error with a code of the server's came in an orderly way, whatever it says.
  return code === '' && error instanceof Error && LOST_MESSAGE.test(error.message)
}

/** Turns trouble while reading into our own promise broken; leaves everything else as it is. */
function asProblem(error: unknown): unknown {
  if (error instanceof Problem) return error
  if (error instanceof NotSent || isLostConnection(error)) return unavailable(error)
  // It came in an orderly way: nothing of the statement took effect.
  if (BUSY.has(codeOf(error)))
    return new Problem('store_busy', { retryAfterSeconds: 1, cause: error })
  return error
}

/** The same for a write: once it was sent, nobody can say whether it took effect. */
export function asWriteProblem(error: unknown): unknown {
  if (error instanceof Problem || error instanceof NotSent || !isLostConnection(error)) {
    return asProblem(error)
  }
  return new Problem('outcome_unknown', { retryAfterSeconds: 2, cause: error })
}

function unavailable(cause: unknown): Problem {
  const detail = 'The database cannot be reached.'
  return new Problem('store_unavailable', { detail, retryAfterSeconds: 1, cause })
}

/** For writes: see asWriteProblem. */
export async function orWriteProblem<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw asWriteProblem(error)
  }
}

/** For reads and settings: any loss of the database is `store_unavailable`. */
export async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw asProblem(error)
  }
}
