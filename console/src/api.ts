/** The public API, called in the session of whoever signed in. */
import { language } from './language.ts'

export type Complaint = { readonly pointer: string; readonly message: string }

/** A problem document (RFC 9457), or no answer at all (`status` 0). */
export class ApiProblem extends Error {
  readonly status: number
  readonly code: string
  readonly complaints: readonly Complaint[]
  readonly retryAfterSeconds: number | null

  constructor(status: number, document: ProblemDocument, retryAfter: string | null) {
    super(document.message?.text ?? document.detail ?? document.title ?? `HTTP ${status}`)
    this.name = 'ApiProblem'
    this.status = status
    this.code = document.code ?? ''
    this.complaints = document.errors ?? []
    this.retryAfterSeconds = retryAfter === null ? null : Number(retryAfter)
  }

  /** What is wrong with the member at this JSON pointer, if anything. */
  at(pointer: string): string | undefined {
    return this.complaints.find((one) => one.pointer === pointer)?.message
  }
}

type ProblemDocument = {
  readonly title?: string
  readonly detail?: string
  readonly code?: string
  readonly message?: { readonly text: string }
  readonly errors?: readonly Complaint[]
}

export type Page<T> = { readonly items: readonly T[]; readonly nextCursor: string | null }

export const SESSION_PATH = '/console/session'

type Options = {
  readonly signal?: AbortSignal | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Answers of these statuses are no problems. */
  readonly takes?: readonly number[] | undefined
}

let onSignedOut = () => {}
/** An answer to what was sent before somebody signed in says nothing of the session of now. */
let sessions = 0
/** Called whenever an answer says that there is no session (any more). */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener
}

async function call<T>(
  method: string,
  path: string,
  body: unknown,
  { signal, headers, takes = [] }: Options,
): Promise<T> {
  const sentIn = sessions
  const response = await fetch(path, {
    method,
    credentials: 'same-origin',
    headers: {
      'accept-language': language(),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiProblem(0, {}, null)
  })
  const text = await response.text()
  const json: unknown = text === '' ? undefined : parsed(text)
  if (method === 'POST' && path === SESSION_PATH && response.ok) sessions++
  if (response.ok || takes.includes(response.status)) return json as T
  if (response.status === 401 && sentIn === sessions) onSignedOut()
  throw new ApiProblem(
    response.status,
    (json ?? {}) as ProblemDocument,
    response.headers.get('retry-after'),
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const api = {
  get: <T>(path: string, options: Options = {}) => call<T>('GET', path, undefined, options),
  post: <T>(path: string, body?: unknown, options: Options = {}) =>
    call<T>('POST', path, body, options),
  patch: <T>(path: string, body: unknown, options: Options = {}) =>
    call<T>('PATCH', path, body, options),
  delete: <T>(path: string, options: Options = {}) => call<T>('DELETE', path, undefined, options),
}

/** `at('/v1/subscriptions', id)`: each part encoded; `query` without what is undefined or empty. */
export function at(base: string, ...parts: readonly string[]): string {
  return [base, ...parts.map(encodeURIComponent)].join('/')
}

export function withQuery(
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(name, String(value))
  }
  const text = search.toString()
  if (text === '') return path
  return `${path}${path.includes('?') ? '&' : '?'}${text}`
}

/** All pages of a list that is never long. */
export async function all<T>(path: string, signal?: AbortSignal): Promise<readonly T[]> {
  const items: T[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await api.get<Page<T>>(withQuery(path, { limit: 200, cursor }), { signal })
    items.push(...page.items)
    if (page.nextCursor === null) return items
    cursor = page.nextCursor
  }
}
