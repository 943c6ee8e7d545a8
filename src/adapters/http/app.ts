/**
 * The inbound API: the list of routes in reading order, and what happens to every request on its way to a
 * handler: request id, key and scope, query, body, handler, answer.
 */
import { Hono, type Context as HonoContext } from 'hono'
import type { InFlight } from '../../app/in-flight.ts'
import type { Ids, Journal } from '../../app/ports.ts'
import { getOrAdd } from '../../domain/maps.ts'
import type { Locales } from '../../domain/message.ts'
import { pointerTo } from '../../domain/pointer.ts'
import { Problem } from '../../domain/problem.ts'
import type { Values } from '../../domain/values.ts'
import { ANSWER_HEADERS } from './answer-headers.ts'
import { type Authenticator, BEARER_ONLY, mayUse, refuseForeignPages } from './authenticate.ts'
import {
  checked,
  complaintsOf,
  decodeText,
  KEYLESS_BODY_BYTES_MAX,
  parseJson,
  readIncoming,
  readRequest,
} from './body.ts'
import { localesOf } from './command.ts'
import { waitOf } from './front-door.ts'
import { presenceOf } from './presence.ts'
import { problemAnswer } from './problem.ts'
import { usableRequestId } from './request-id.ts'
import type { Answer, Context, NodeBindings, Route } from './route.ts'
import { id as idSchema, LOCALE_LENGTH_MAX } from './schemas/common.ts'
import type { Sessions } from './session.ts'

export type AppPorts = {
  readonly authenticator: Authenticator
  readonly sessions: Sessions
  readonly ids: Ids
  readonly journal: Journal
  /** Bodies that are still coming in: of callers, and of those of whom nothing is known. */
  readonly arriving: {
    readonly known: Pick<InFlight, 'enter'>
    readonly unknown: Pick<InFlight, 'enter'>
  }
  /** While it stops, every answer asks its connection to be closed. */
  readonly isStopping: () => boolean
}

type Env = { Bindings: NodeBindings }
type Incoming = HonoContext<Env>

type Visit = {
  readonly requestId: string
  /** The body as it was parsed, also where the schema refuses it then. */
  sent: unknown
  /** A session that goes on. */
  renewal: string | null
}

export function createApp(routes: readonly Route[], ports: AppPorts): Hono<Env> {
  const app = new Hono<Env>()
  for (const one of routes) {
    app.on(one.method, pathsOf(one), (c) => serve(c, one, ports))
  }
  for (const [path, known] of routesByPath(routes)) {
    app.all(path, (c) => refuse(c, ports, new Problem('method_not_allowed'), known))
  }
  app.notFound((c) => refuse(c, ports, new Problem('not_found', { detail: 'No such path.' })))
  app.onError((error, c) => refuse(c, ports, error))
  return app
}

/** As the router writes them. */
function pathsOf({ path, manners }: Route): string[] {
  const own = path.replaceAll(/\{(\w+)\}/g, ':$1')
  return manners?.isSlashOptional === true ? [own, `${own}/`] : [own]
}

function routesByPath(routes: readonly Route[]): ReadonlyMap<string, readonly Route[]> {
  const known = new Map<string, Route[]>()
  for (const one of routes) {
    for (const path of pathsOf(one)) getOrAdd(known, path, () => []).push(one)
  }
  return known
}

async function serve(c: Incoming, route: Route, ports: AppPorts): Promise<Response> {
  const requestId = requestIdOf(c, ports.ids)
  const visit: Visit = { requestId, sent: undefined, renewal: null }
  try {
    const answer = await route.handle(await contextOf(c, route, visit, ports))
    return respond(renewing(closing(answer, ports), visit), requestId)
  } catch (error) {
    if (!(error instanceof Problem)) {
      ports.journal.record({ kind: 'request.crashed', requestId, error })
    }
    const problem = problemAnswer(error, requestId, localesOfReader(c, visit.sent))
    return respond(closing(route.manners?.reword(problem) ?? problem, ports), requestId)
  }
}

function renewing(answer: Answer, { renewal }: Visit): Answer {
  return renewal === null || answer.cookies !== undefined
    ? answer
    : { ...answer, cookies: [renewal] }
}

/** The languages of the person behind a request that failed, as far as it was read. */
function localesOfReader(c: Incoming, sent: unknown): Locales {
  const locale = memberOf(memberOf(sent, 'user'), 'locale')
  const isUsable = typeof locale === 'string' && locale.length <= LOCALE_LENGTH_MAX
  return localesOf(isUsable ? locale : undefined, headerOf(c, 'accept-language'))
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' ? (value as Values | null)?.[name] : undefined
}

function closing(answer: Answer, { isStopping }: AppPorts): Answer {
  if (!isStopping()) return answer
  return { ...answer, headers: { ...answer.headers, connection: 'close' } }
}

function refuse(
  c: Incoming,
  ports: AppPorts,
  error: unknown,
  routesHere: readonly Route[] = [],
): Response {
  const requestId = requestIdOf(c, ports.ids)
  if (!(error instanceof Problem)) {
    ports.journal.record({ kind: 'request.crashed', requestId, error })
  }
  const problem = problemAnswer(error, requestId, localesOfReader(c, undefined))
  const answer = routesHere[0]?.manners?.reword(problem) ?? problem
  const allow = routesHere.map(({ method }) => method).join(', ')
  const headers = allow === '' ? answer.headers : { ...answer.headers, allow }
  return respond({ ...answer, headers }, requestId)
}

/**
 * A header by its name in lower case. Where there is a socket, Node has parsed the headers already; going
 * through the Request would build a Headers object for each request, which costs as much as routing it.
 */
function headerOf(c: Incoming, name: string): string | undefined {
  const incoming = c.env?.incoming
  if (incoming === undefined) return c.req.header(name)
  const value = incoming.headers[name]
  return typeof value === 'object' ? value.join(', ') : value
}

function requestIdOf(c: Incoming, ids: Ids): string {
  return usableRequestId(headerOf(c, 'x-request-id'), ids)
}

async function contextOf(
  c: Incoming,
  route: Route,
  visit: Visit,
  ports: AppPorts,
): Promise<Context<unknown, unknown>> {
  const caller = await admit(c, route, visit, ports)
  const params = readParams(c)
  const query = route.query === undefined ? undefined : readQuery(c, route.query)
  const bytes = await bytesOf(c, route, () => placeFor(route, ports).enter(caller.accountId, null))
  const { body, bodyText } = bodyOf(route, bytes, visit)
  return {
    caller,
    requestId: visit.requestId,
    params,
    query,
    body,
    bodyText,
    header: (name) => headerOf(c, name),
    presence: presenceOf(c.env ?? {}),
    waitedMs: waitOf(c.env?.incoming),
  }
}

const NOBODY = { accountId: '', keyId: '', scopes: new Set<never>() }

async function admit(
  c: Incoming,
  { scopes, manners, renewsSession }: Route,
  visit: Visit,
  { authenticator, sessions }: AppPorts,
) {
  if (scopes === null) return NOBODY
  const schemes = manners?.schemes ?? BEARER_ONLY
  const authorization = headerOf(c, 'authorization')
  const header = (name: string) => headerOf(c, name)
  const session = authorization === undefined ? sessions.read(header, c.req.method) : null
  visit.renewal = renewsSession === true ? (session?.renewal ?? null) : null
  const caller = await (session === null
    ? authenticator.authenticate(authorization, schemes)
    : authenticator.callerOf(session.keyHash))
  if (schemes.includes('basic')) refuseForeignPages(header)
  if (mayUse(caller, scopes)) return caller
  throw new Problem('forbidden', { detail: `This needs the scope ${scopes.join(' or ')}.` })
}

/** Ids in a path keep the rules of ids in a body. */
function readParams(c: Incoming): Readonly<Record<string, string>> {
  const params = c.req.param() as Readonly<Record<string, string>>
  for (const [name, value] of Object.entries(params)) {
    if (idSchema.safeParse(value).success) continue
    const complaints = [{ pointer: pointerTo(name), message: 'This is no id.' }]
    throw new Problem('invalid_request', { complaints })
  }
  return params
}

function readQuery(c: Incoming, schema: NonNullable<Route['query']>): unknown {
  const sent = c.req.query()
  // NUL is the one character that no text in the database can hold.
  const nul = Object.keys(sent).find((name) => `${name}${sent[name]}`.includes('\u0000'))
  if (nul !== undefined) {
    const complaints = [{ pointer: pointerTo(nul), message: 'NUL is not allowed.' }]
    throw new Problem('invalid_query', { complaints })
  }
  const result = schema.safeParse(sent)
  if (result.success) return result.data
  throw new Problem('invalid_query', { complaints: complaintsOf(result.error) })
}

const placeFor = ({ scopes }: Route, { arriving }: AppPorts) =>
  scopes === null ? arriving.unknown : arriving.known

/** Null for a route that takes no body. A body has a place for as long as it is coming in. */
async function bytesOf(
  c: Incoming,
  route: Route,
  takePlace: () => () => void,
): Promise<Buffer | null> {
  if (route.body === undefined) return null
  const encoding = headerOf(c, 'content-encoding')
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Problem('unsupported_media_type', { detail: 'Send the body without compression.' })
  }
  const { incoming } = c.env ?? {}
  if (incoming === undefined) return readRequest(c.req.raw)
  const leave = takePlace()
  try {
    return await readIncoming(incoming, route.scopes === null ? KEYLESS_BODY_BYTES_MAX : undefined)
  } finally {
    leave()
  }
}

function bodyOf(
  route: Route,
  bytes: Buffer | null,
  visit: Visit,
): { body: unknown; bodyText: string } {
  if (route.body === undefined || bytes === null) return { body: undefined, bodyText: '' }
  const bodyText = decodeText(bytes)
  const isLeftOut = route.bodyOptional === true && bodyText.trim() === ''
  visit.sent = isLeftOut ? {} : parseJson(bodyText)
  return { body: checked(route.body, visit.sent), bodyText }
}

/** Written out in one literal, and given to the Response as a plain object: a Headers object costs more. */
function respond(answer: Answer, requestId: string): Response {
  const { status, json, text, stream, bytes, headers, cookies } = answer
  const body = stream ?? bytes ?? text ?? (json === undefined ? null : JSON.stringify(json))
  const all: Record<string, string> = {
    'cache-control': ANSWER_HEADERS['cache-control'],
    'content-security-policy': ANSWER_HEADERS['content-security-policy'],
    'referrer-policy': ANSWER_HEADERS['referrer-policy'],
    'x-content-type-options': ANSWER_HEADERS['x-content-type-options'],
    'x-request-id': requestId,
  }
  if (body !== null && stream === undefined) all['content-type'] = 'application/json'
  if (headers !== undefined) Object.assign(all, headers)
  // 499 is no status that can be sent; whoever it is for does not listen any more.
  const response = new Response(body as string | null, {
    status: status === 499 ? 400 : status,
    headers: all,
  })
  for (const cookie of cookies ?? []) response.headers.append('set-cookie', cookie)
  return response
}
