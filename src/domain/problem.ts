/**
 * Promises of our own that we could not keep, and requests that we cannot serve. Each has a code of this
 * closed list; the HTTP adapter turns it into an RFC 9457 document. A validator's "no" is never one.
 */
export const PROBLEMS = {
  unreadable_request: { status: 400, title: 'The request is not readable as HTTP' },
  invalid_json: { status: 400, title: 'The body is not acceptable JSON' },
  json_too_deep: { status: 400, title: 'The JSON is nested too deep' },
  invalid_header: { status: 400, title: 'A header has an unusable value' },
  invalid_query: { status: 400, title: 'The query string has an unusable value' },
  unauthenticated: { status: 401, title: 'A valid key is needed' },
  forbidden: { status: 403, title: 'The key lacks the scope' },
  approval_token_invalid: { status: 403, title: 'The approval token does not belong to it' },
  not_found: { status: 404, title: 'There is no such thing' },
  record_not_found: { status: 404, title: 'There is no such record' },
  method_not_allowed: { status: 405, title: 'The method does not fit the path' },
  record_exists: { status: 409, title: 'The record exists already' },
  already_exists: { status: 409, title: 'The id is taken' },
  version_conflict: { status: 409, title: 'The record was changed by somebody else' },
  configuration_changed: { status: 409, title: 'The configuration kept changing' },
  approval_in_flight: { status: 409, title: 'A change of this record is being asked about' },
  approval_aborted: { status: 409, title: 'The approval was aborted' },
  approval_committed: { status: 409, title: 'The approval was committed' },
  idempotency_in_progress: { status: 409, title: 'The first request with this key still runs' },
  action_not_available: { status: 409, title: 'The action cannot be run on this record now' },
  app_connected: { status: 409, title: 'Accounts are connected to the app' },
  catalog_not_empty: { status: 409, title: 'The catalog has records' },
  delivery_in_progress: { status: 409, title: 'The delivery is not at rest' },
  store_busy: { status: 503, title: 'The database is busy' },
  subscription_of_app: { status: 409, title: 'The subscription belongs to a connected app' },
  subscription_gone: { status: 409, title: 'The subscription of this delivery is no more' },
  request_timeout: { status: 408, title: 'The request took too long to arrive' },
  approval_expired: { status: 410, title: 'The approval is too old' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body comes in an unusable form' },
  invalid_request: { status: 422, title: 'The request does not fit' },
  invalid_values: { status: 422, title: "The values do not fit the catalog's fields" },
  too_many_values: { status: 422, title: 'The record has too many values' },
  limit_reached: { status: 422, title: 'The account has as many of these as it may have' },
  events_too_large: { status: 422, title: 'The change means more than can be told of it' },
  too_many_subscriptions: { status: 422, title: 'The limit of subscriptions is reached' },
  digest_mismatch: { status: 422, title: 'This is not the change that was approved' },
  idempotency_key_reused: { status: 422, title: 'The key was used for another request' },
  headers_too_large: { status: 431, title: 'The headers are too large' },
  rate_limited: { status: 429, title: 'Too many requests' },
  client_gone: { status: 499, title: 'The caller went away' },
  internal: { status: 500, title: 'Something broke on our side' },
  overloaded: { status: 503, title: 'The gateway is full' },
  stopping: { status: 503, title: 'The gateway is stopping' },
  store_unavailable: { status: 503, title: 'The database cannot be reached' },
  outcome_unknown: { status: 503, title: 'Nobody can say yet whether it was committed' },
  approval_loop: { status: 508, title: 'Validators call each other in a ring' },
} as const

export type ProblemCode = keyof typeof PROBLEMS

/** One thing wrong with a request: where (RFC 6901 pointer) and what. */
export type Complaint = { readonly pointer: string; readonly message: string }

export type ProblemDetails = {
  /** For the caller: what happened, in a sentence. */
  readonly detail?: string | undefined
  readonly complaints?: readonly Complaint[] | undefined
  /** The title of the first field that it is about, for the person at the form. */
  readonly field?: string | undefined
  readonly retryAfterSeconds?: number | undefined
  /** For the log only. */
  readonly cause?: unknown
}

/** The only exception that use cases and adapters throw on purpose. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly details: ProblemDetails

  constructor(code: ProblemCode, details: ProblemDetails = {}) {
    super(details.detail ?? PROBLEMS[code].title, { cause: details.cause })
    this.name = 'Problem'
    this.code = code
    this.details = details
  }
}

/** For the branch that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new TypeError(`unreachable: ${JSON.stringify(value)}`)
}
