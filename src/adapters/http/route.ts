/**
 * A route is data: method, path, scope, schemas and a handler. The router, the OpenAPI document, the
 * /docs page and the table of who may do what are all made from the same list, so they cannot disagree.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { z } from 'zod'
import type { Presence } from '../../app/ask-validators.ts'
import type { Caller, Scope } from '../../app/store.ts'
import type { Scheme } from './authenticate.ts'

export type HttpMethod = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/** What a handler answers: a JSON value, a text that is JSON (or something else) already, bytes, or a stream. */
export type Answer = {
  readonly status: number
  readonly json?: unknown
  readonly text?: string | undefined
  readonly stream?: ReadableStream<Uint8Array> | undefined
  readonly bytes?: Uint8Array | undefined
  /** For browsers; each a header of its own. */
  readonly cookies?: readonly string[] | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

export type Context<Body, Query> = {
  readonly caller: Caller
  readonly requestId: string
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Body
  /** What the body was parsed from. */
  readonly bodyText: string
  readonly header: (name: string) => string | undefined
  readonly presence: Presence
  /** How long it had to wait for its turn. */
  readonly waitedMs: number
}

export type Response = {
  readonly description: string
  readonly schema?: z.ZodType | undefined
  /** Media type, when it is not JSON. */
  readonly mediaType?: string | undefined
}

/** How a route that stands in for another product's is unlike ours, beside its path and its bodies. */
export type Manners = {
  readonly schemes: readonly Scheme[]
  /** A problem document as that product's clients read it, and its schema. */
  readonly reword: (problem: Answer) => Answer
  readonly problem: z.ZodType
  readonly isSlashOptional: boolean
}

export type Route = {
  readonly method: HttpMethod
  /** Asking for it keeps a session going; what a page does by itself does not. */
  readonly renewsSession?: true | undefined
  /** In OpenAPI's form: `/v1/catalogs/{catalogId}`. */
  readonly path: string
  /** Any one of these lets a caller in (`admin` always does); null: no key is needed. */
  readonly scopes: readonly Scope[] | null
  readonly tag: string
  readonly summary: string
  readonly body?: z.ZodType | undefined
  /** A body may be left out altogether. */
  readonly bodyOptional?: true | undefined
  readonly query?: z.ZodType | undefined
  /** Query parameters whose names are not known beforehand, such as `where[field]`. */
  readonly queryNote?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly responses: Readonly<Record<number, Response>>
  readonly manners?: Manners | undefined
  readonly handle: (context: Context<unknown, unknown>) => Promise<Answer> | Answer
}

type Typed<B extends z.ZodType, Q extends z.ZodType> = Omit<Route, 'handle' | 'body' | 'query'> & {
  readonly body?: B | undefined
  readonly query?: Q | undefined
  readonly handle: (context: Context<z.output<B>, z.output<Q>>) => Promise<Answer> | Answer
}

/** Ties the handler's types to the schemas that its body and query pass first. */
export function route<B extends z.ZodType = z.ZodUndefined, Q extends z.ZodType = z.ZodUndefined>(
  definition: Typed<B, Q>,
): Route {
  return definition as unknown as Route
}

export const ok = (json: unknown): Answer => ({ status: 200, json })
export const created = (json: unknown): Answer => ({ status: 201, json })
export const noContent: Answer = { status: 204 }

/** What @hono/node-server puts beside a request. Absent when a request is made without a socket. */
export type NodeBindings = {
  readonly incoming?: IncomingMessage | undefined
  readonly outgoing?: ServerResponse | undefined
}
