/**
 * Requests with something wrong, to every route, by the thousand: none makes the gateway fail, and each gets
 * an answer that says what is wrong. A seed decides them all. `npm run fuzz` tries as many as one likes.
 */
import type { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { NodeBindings } from '../../src/adapters/http/route.ts'
import type * as Serving from '../../src/adapters/http/server.ts'
import { type FuzzAnswer, faultOf, parsed, pollution } from '../support/fuzz/oracle.ts'
import { type Document, type FuzzRequest, Requests } from '../support/fuzz/requests.ts'
import { answersIn, exchange, wireOf } from '../support/fuzz/sockets.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { DATABASES } from '../support/places.ts'

const numberFrom = (name: string, usual: number): number => Number(process.env[name] ?? usual)
const SEED = numberFrom('FUZZ_SEED', 20_261_122)
const REQUESTS = numberFrom('FUZZ_REQUESTS', 3_000)
const SOCKETS = numberFrom('FUZZ_SOCKETS', 1_500)
const AT_ONCE = 16
const FAULTS_MAX = 20
/** Of a run by hand; the suite is over before. */
const PROGRESS_EVERY = 10_000
/** Far more than each takes, so that only what hangs runs into it. */
const LIMIT_MS = 120_000 + 50 * (REQUESTS + SOCKETS)

type App = Hono<{ Bindings: NodeBindings }>
const started = vi.hoisted(() => ({ app: null as App | null }))

/** The app as it is wired behind its server, for requests without a socket. */
vi.mock('../../src/adapters/http/server.ts', async (original) => {
  const server = await original<typeof Serving>()
  const listen: typeof server.listen = (app, options) => {
    started.app = app
    return server.listen(app, options)
  }
  return { ...server, listen }
})

let gateway: TestGateway
const unheeded: unknown[] = []
const note = (error: unknown) => void unheeded.push(error)

beforeAll(async () => {
  gateway = await startTestGateway(DATABASES.at(-1))
  for (const id of ['shop 1', 'shop 2']) await gateway.api.post('/v1/accounts', { id, title: id })
  process.on('unhandledRejection', note)
  process.on('uncaughtExceptionMonitor', note)
})
afterAll(async () => {
  process.off('unhandledRejection', note)
  process.off('uncaughtExceptionMonitor', note)
  await gateway?.close()
})

/** At once: a long run may be broken off before it can report. */
const say = (line: string): void => void process.stderr.write(`${line}\n`)

/** Runs one after the other, some at once, until there are too many faults. */
async function each(count: number, run: (index: number) => Promise<string | null>) {
  const faults: string[] = []
  let next = 0
  const worker = async () => {
    while (next < count && faults.length < FAULTS_MAX) {
      const index = next++
      if (index > 0 && index % PROGRESS_EVERY === 0) say(`${index} of ${count}`)
      const fault = await run(index)
      if (fault === null) continue
      const finding = `seed ${SEED}, number ${index}: ${fault}`
      faults.push(finding)
      say(finding)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return { faults, count: next }
}

const told = ({ method, path, headers, body }: FuzzRequest): string =>
  JSON.stringify([
    method,
    path.slice(0, 300),
    headers,
    Buffer.from(body ?? []).toString('latin1'),
  ]).slice(0, 1_500)

const SUBSCRIPTION = { name: 'S', catalogId: '*', url: 'http://127.0.0.1:1/', timeoutMs: 50 }
const EVENTS = ['record.before.created', 'record.created', 'order.paid', 'application']

/** Something of everything, so that not all that is asked for by id is absent. */
const FURNITURE: readonly (readonly [string, object])[] = [
  ['/v1/event-types', { name: 'order.paid', title: { en: 'Paid' } }],
  ['/v1/subscriptions', { ...SUBSCRIPTION, events: EVENTS, onFailure: 'allow' }],
  ['/v1/subscriptions', { ...SUBSCRIPTION, events: EVENTS, dialect: 'bpium', catalogId: 'goods' }],
  ['/v1/actions', { title: { en: 'Press' }, catalogId: 'orders', url: 'http://127.0.0.1:1/' }],
  ['/v1/apps', { name: 'App', subscriptions: [{ ...SUBSCRIPTION, events: EVENTS }] }],
  ['/v1/keys', { name: 'K', scopes: ['read'] }],
  ['/v1/approve', { event: 'record.before.created', catalogId: 'orders', recordId: '1' }],
]

async function requestsFrom(seed: number): Promise<Requests> {
  const { api } = gateway
  const requests = new Requests((await api.get('/openapi.json')).json as Document, seed)
  for (const [path, body] of FURNITURE) requests.heed({ path }, (await api.post(path, body)).json)
  return requests
}

async function answerOf(request: FuzzRequest): Promise<FuzzAnswer> {
  const { method, path, headers, body } = request
  const url = new URL('http://127.0.0.1')
  const content = body === null ? {} : { body: Buffer.from(body) }
  const sent = new Request(`${url.origin}${path}`, { method, headers, ...content })
  const response = await (started.app as App).fetch(sent, {})
  const text = await response.text()
  const hasBody = method !== 'HEAD'
  return { status: response.status, headers: new Map(response.headers), text, hasBody }
}

/** Header values that no client could send are not sent. */
function isSendable({ headers }: FuzzRequest): boolean {
  return Object.values(headers).every((value) => /^[\t\x20-\x7e\x80-\xff]*$/.test(value))
}

async function isWell(): Promise<void> {
  const { api } = gateway
  expect((await api.get('/readyz')).status).toBe(200)
  const change = { catalogId: 'after the storm', recordId: 'r', commit: 'none' }
  expect((await api.approve(change)).status).toBe(200)
  expect(pollution()).toEqual([])
  expect(unheeded).toEqual([])
}

describe('requests with something wrong', () => {
  it(
    'are each answered by what is wrong with them, in process',
    async () => {
      const requests = await requestsFrom(SEED)
      const statuses = new Map<number, number>()
      const { faults, count } = await each(REQUESTS, async (index) => {
        const request = requests.at(index)
        if (!isSendable(request)) return null
        const answer = await answerOf(request)
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
        requests.heed(request, parsed(answer.text))
        const fault = pollution().length > 0 ? 'the prototype of all objects' : faultOf(answer)
        return fault && `${fault} after ${told(request)} with ${answer.text.slice(0, 500)}`
      })
      expect(faults).toEqual([])
      expect(count).toBe(REQUESTS)
      // Both what is right and what is wrong was tried, or it would show nothing.
      for (const status of [200, 201, 400, 401, 404, 409, 422]) {
        expect(statuses.get(status) ?? 0, `${status}`).toBeGreaterThan(REQUESTS / 1_000)
      }
      await isWell()
    },
    LIMIT_MS,
  )

  it(
    'are each answered by what is wrong with them, or cut, over sockets',
    async () => {
      const requests = await requestsFrom(SEED + 1)
      let answered = 0
      const { faults } = await each(SOCKETS, async (index) => {
        const request = requests.at(index)
        const wire = wireOf(request, index, SEED)
        const { answers, hung } = await exchange(gateway.url, wire)
        answered += answers.length
        const fault = hung ? 'no end' : answers.map(faultOf).find((one) => one !== null)
        const sent = wire.bytes.toString('latin1').slice(0, 1_500)
        return fault ? `${fault} after ${JSON.stringify(sent)}` : null
      })
      expect(faults).toEqual([])
      expect(answered).toBeGreaterThan(SOCKETS / 2)
      await isWell()
    },
    LIMIT_MS,
  )
})

describe('the judge of answers', () => {
  const headers = new Map([['content-type', 'application/problem+json']])
  const problem = { code: 'not_found', status: 404, requestId: 'req_1' }
  const judged = (status: number, body: unknown) =>
    faultOf({ status, headers, text: JSON.stringify(body), hasBody: true })

  it.each([
    [404, problem, null],
    [503, { ...problem, code: 'overloaded', status: 503 }, null],
    [422, { decision: 'deny' }, null],
    [500, { ...problem, code: 'internal', status: 500 }, 'status 500'],
    [502, {}, 'status 502'],
    [404, {}, '404 without a code'],
    [404, { ...problem, code: 'unheard' }, '404 without a code'],
    [404, { ...problem, requestId: undefined }, '404 without a requestId'],
    [409, { ...problem, status: 409 }, 'not_found with 409'],
    [404, 'text', '404 without a JSON body'],
  ])('finds what is wrong with %i %j', (status, body, fault) => {
    expect(judged(status, body)).toBe(fault)
  })

  it('reads answers off a socket, also several, in chunks, and cut', () => {
    const one = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}'
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'
    const received = Buffer.from(`HTTP/1.1 100 Continue\r\n\r\n${one}${chunked}${one.slice(0, -1)}`)
    expect(answersIn(received, false).map(({ status, text }) => [status, text])).toEqual([
      [400, '{}'],
      [200, '{}'],
      [400, ''],
    ])
    expect(answersIn(Buffer.from('nonsense\r\n\r\n'), false)).toMatchObject([{ status: 599 }])
  })
})
