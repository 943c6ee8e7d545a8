/**
 * Errors of connecting, sending and reading, as the causes that the contract names. Everything that is
 * not known here is `unreachable`: the safe reading of "no usable reply came back".
 */
import type { FailureCause } from '../../domain/verdict.ts'
import { ReplyFault } from './http1/reply-parser.ts'

/** Where a connection failed. Nothing had been sent in any of them. */
export type ConnectPhase = 'name' | 'proxy' | 'connect' | 'tls'

export class ConnectError extends Error {
  readonly code = 'ASSENT_CONNECT'
  readonly phase: ConnectPhase

  constructor(phase: ConnectPhase, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'ConnectError'
    this.phase = phase
  }
}

/** The guard refused the address. */
export class EgressBlocked extends Error {
  readonly code = 'ASSENT_EGRESS_BLOCKED'

  constructor(reason: string) {
    super(reason)
    this.name = 'EgressBlocked'
  }
}

export type CallFailure = {
  readonly cause: FailureCause
  /** For the operator. */
  readonly detail: string
  /** Nothing was sent, and the very same call may do better in a moment. */
  readonly mayRetry: boolean
  /** It went wrong on the way out, which says nothing about the receiver. */
  readonly isOnTheWay: boolean
}

const PHASES = {
  name: { cause: 'unreachable', mayRetry: false, isOnTheWay: false },
  proxy: { cause: 'unreachable', mayRetry: true, isOnTheWay: true },
  connect: { cause: 'unreachable', mayRetry: true, isOnTheWay: false },
  tls: { cause: 'tls', mayRetry: false, isOnTheWay: false },
} as const satisfies Record<ConnectPhase, Omit<CallFailure, 'detail'>>

function causeOf(error: Error): FailureCause {
  if (error instanceof ReplyFault) return 'bad_reply'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  // TLS 1.3 servers may refuse us after the handshake, when we have begun to send.
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || code === 'EPROTO') return 'tls'
  return 'unreachable'
}

/** A validator's reply must not fill our log: details are short. */
const DETAIL_LENGTH_MAX = 300

/** A certificate's name, or a part of a reply, may hold anything; a database does not take NUL or half a character. */
const legible = (text: string): string =>
  text.slice(0, DETAIL_LENGTH_MAX).replace(CONTROL_CHARACTERS, '\uFFFD').toWellFormed()

const CONTROL_CHARACTERS = /\p{Cc}/gu

export function failureOf(error: unknown): CallFailure {
  const unsure = { mayRetry: false, isOnTheWay: false } as const
  if (!(error instanceof Error)) {
    return { cause: 'unreachable', detail: 'unknown failure', ...unsure }
  }
  const detail = legible(error.message)
  if (error instanceof EgressBlocked) return { cause: 'egress_blocked', detail, ...unsure }
  if (error instanceof ConnectError) return { ...PHASES[error.phase], detail }
  return { cause: causeOf(error), detail, ...unsure }
}
