/** What an entry of the catalogue of validators is made of. The entries are in the files beside this one. */
import type http from 'node:http'
import type { DialectName } from '../../src/domain/subscription.ts'
import type { FailureCause } from '../../src/domain/verdict.ts'
import { type Conduct, type Listening, startRaw, whenAsked } from '../support/hostile-server.ts'
import { startValidator } from '../support/validator-server.ts'

/** The verdict that a behaviour deserves, whatever the failure policy is. */
export type Expected =
  | {
      readonly outcome: 'allow'
      readonly infos?: readonly string[] | undefined
      readonly warnings?: readonly string[] | undefined
    }
  | { readonly outcome: 'confirm'; readonly texts: readonly string[] }
  /** No texts: the gateway's own text is shown. */
  | {
      readonly outcome: 'deny'
      readonly texts: readonly string[]
      readonly fields?: readonly string[] | undefined
      readonly titles?: readonly string[] | undefined
    }
  /** Without a text the gateway's own is shown, never what the validator sent. */
  | { readonly outcome: 'failed'; readonly cause: FailureCause; readonly text?: string | undefined }

export type ValidatorBehaviour = {
  /** What it does, after "a validator that". */
  readonly name: string
  readonly dialect: DialectName
  readonly start: (around: Around) => Promise<Listening>
  readonly expected: Expected
  /** HTTP status of the verdict: only a reply that was read to its end has one. */
  readonly status: number | undefined
  /** How long it is waited for; short for those that never come to an end. */
  readonly timeoutMs: number
}

/** What a behaviour may want to know. */
export type Around = { readonly gatewayUrl: string }

const TIMEOUT_MS = { usual: 10_000, hanging: 300 } as const

export const allowed: Expected = { outcome: 'allow' }
export const denied = (...texts: readonly string[]): Expected => ({ outcome: 'deny', texts })
export const failed = (cause: FailureCause, text?: string): Expected => ({
  outcome: 'failed',
  cause,
  text,
})

type Options = Partial<Omit<ValidatorBehaviour, 'name' | 'start' | 'expected'>>

export function behaviour(
  name: string,
  start: ValidatorBehaviour['start'],
  expected: Expected,
  options: Options = {},
): ValidatorBehaviour {
  const isHanging = expected.outcome === 'failed' && expected.cause === 'timeout'
  return {
    name,
    start,
    expected,
    dialect: 'standard',
    status: undefined,
    timeoutMs: isHanging ? TIMEOUT_MS.hanging : TIMEOUT_MS.usual,
    ...options,
  }
}

export type Reply = {
  readonly status?: number
  /** An object or list becomes JSON; text and bytes go out as they are. */
  readonly body?: unknown
  readonly headers?: http.OutgoingHttpHeaders
}

/** A validator that gives a proper HTTP reply, whatever is in it. */
export function replies(
  name: string,
  reply: Reply,
  expected: Expected,
  options: Options = {},
): ValidatorBehaviour {
  const { status = 200, body = '', headers } = reply
  const isBytes = typeof body === 'string' || body instanceof Uint8Array
  const bytes = isBytes ? body : JSON.stringify(body)
  const type = isBytes ? 'text/plain' : 'application/json'
  const start = () =>
    startValidator((_request, response) => {
      response.writeHead(status, { 'content-type': type, ...headers })
      response.end(bytes)
    })
  return behaviour(name, start, expected, { status, ...options })
}

export const ALLOW_TEXT = '{"decision":"allow"}'
export const DENY_TEXT = '{"decision":"deny","errors":[{"message":"Not today."}]}'

/** An HTTP/1.1 reply as bytes; its length is stated unless the headers say otherwise. */
export function wired(body: string, headers?: string): string {
  const stated = headers ?? `content-length: ${Buffer.byteLength(body)}\r\n`
  return `HTTP/1.1 200 OK\r\n${stated}\r\n${body}`
}

/** A validator that answers each request with exactly these bytes, and then hangs up or stays. */
export function writes(
  name: string,
  bytes: string,
  then: 'end' | 'reset' | 'stay',
  expected: Expected,
): ValidatorBehaviour {
  const answer: Conduct = (socket) => {
    socket.write(bytes, 'latin1', () => {
      if (then === 'end') socket.end()
      if (then === 'reset') socket.resetAndDestroy()
    })
  }
  return behaviour(name, () => startRaw(whenAsked(answer)), expected, statusOf(expected))
}

/** Replies that are written by hand and understood all have status 200. */
export function statusOf(expected: Expected): Options {
  return { status: expected.outcome === 'failed' ? undefined : 200 }
}
