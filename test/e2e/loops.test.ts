/**
 * Validators that write through the gateway while they are being asked. Whether they carry the chain back or
 * hide it, what they start ends, and who is not concerned does not notice. Who is first is told by signals.
 */
import type http from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type * as InFlight from '../../src/app/in-flight.ts'
import { eventually } from '../support/eventually.ts'
import type { Answer, Api } from '../support/gateway.ts'
import { allow, type Behaviour, hang, type Received } from '../support/validator-server.ts'
import { Mall, type Shop } from './shops.ts'

const RING = 5
const DEPTH_MAX = 5
/** A gateway with room for fewer than there usually is, of which one account may have three quarters. */
const ROOM = 200
const ACCOUNT_MAX = 150
vi.mock('../../src/app/in-flight.ts', async (original) => {
  const { createInFlight, ...rest } = await original<typeof InFlight>()
  return { ...rest, createInFlight: () => createInFlight(ROOM) }
})

let mall: Mall
let shop: Shop
beforeAll(async () => {
  mall = await Mall.start('embedded')
})
afterAll(() => mall?.close())
beforeEach(async () => {
  shop = await mall.account()
})

const chainOf = ({ headers }: Received) => ({ 'x-assent-chain': String(headers['x-assent-chain']) })
const catalogOf = (place: number) => `ring ${place % RING}`
const withoutHeaders = () => ({})

/** Answers as the write came out that it made meanwhile. */
function pass(response: http.ServerResponse, { json }: Answer): void {
  const decision = json.decision === 'allow' ? 'allow' : 'deny'
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ decision }))
}

type Ring = {
  /** What the writes of the validators were answered, innermost first. */
  readonly answers: readonly Answer[]
  /** The chain that each question came with. */
  readonly chains: readonly string[]
}

type RingOptions = {
  readonly headersOf: (request: Received) => Record<string, string>
  readonly settings?: object
  readonly timeoutMs?: number
  /** What the validators do with the answer to their own write. */
  readonly finish?: (response: http.ServerResponse, answer: Answer) => void | Promise<void>
}

/** Each of the five, asked about a record of its catalog, first creates one in the next catalog. */
async function closeRing(api: Api, options: RingOptions): Promise<Ring> {
  const { headersOf, settings, timeoutMs, finish = pass } = options
  const answers: Answer[] = []
  const chains: string[] = []
  for (let place = 0; place < RING; place++) {
    const catalogId = catalogOf(place + 1)
    const validator = await mall.receiver(async (request, response) => {
      chains.push(chainOf(request)['x-assent-chain'])
      const headers = headersOf(request)
      const answer = await api.approve({ catalogId, timeoutMs }, { headers })
      answers.push(answer)
      return finish(response, answer)
    })
    await api.subscribe({ catalogId: catalogOf(place), url: validator.url, ...settings })
  }
  return { answers, chains }
}

const codesOf = ({ answers }: Ring) => answers.map(({ status, json }) => json.code ?? status)

async function inFlight(): Promise<number> {
  const { text } = await mall.api.get('/metrics')
  return Number(/^assent_approvals_in_flight (\d+)$/m.exec(text)?.[1] ?? Number.NaN)
}

const atRest = () => eventually('nothing is under way', async () => (await inFlight()) === 0)

/** A quiet account with a validator of its own. */
async function quietShop(): Promise<Shop> {
  const quiet = await mall.account()
  const { url } = await mall.receiver(allow)
  await quiet.api.subscribe({ catalogId: catalogOf(0), url })
  return quiet
}

const ALLOWED = { decision: 'allow', committed: true }

/** How often of so many times the account's change and its read are served at the first try. */
async function timesServed({ api }: Shop, times: number): Promise<number> {
  let served = 0
  for (let turn = 0; turn < times; turn++) {
    const recordId = `${served} ${turn} ${times}`
    const { json } = await api.approve({ catalogId: catalogOf(0), recordId })
    const record = await api.get(
      `/v1/catalogs/${catalogOf(0)}/records/${encodeURIComponent(recordId)}`,
    )
    if (json.decision === 'allow' && json.committed && record.status === 200) served += 1
  }
  return served
}

describe('a ring of five validators that write while they are asked', () => {
  it('ends after five questions with 508 where it carries the chain', async () => {
    const ring = await closeRing(shop.api, { headersOf: chainOf, finish: allowed })
    const { status, json } = await shop.api.approve({ catalogId: catalogOf(0) })
    expect([status, json.decision]).toEqual([200, 'allow'])
    expect(codesOf(ring)).toEqual(['approval_loop', 200, 200, 200, 200])
    expect(ring.answers[0]?.status).toBe(508)
    expect(ring.chains).toHaveLength(DEPTH_MAX)
    expect(await inFlight()).toBe(0)
  })

  it('ends at the bulkhead where it hides the chain, and a refusal at its end goes all the way up', async () => {
    const maxConcurrency = 4
    const ring = await closeRing(shop.api, {
      headersOf: withoutHeaders,
      settings: { maxConcurrency },
    })
    const { json } = await shop.api.approve({ catalogId: catalogOf(0) })
    expect(json).toMatchObject({ decision: 'deny', errors: [{ cause: 'denied' }] })
    expect(ring.chains).toHaveLength(RING * maxConcurrency)
    expect(ring.answers[0]?.json).toMatchObject({ errors: [{ cause: 'overloaded' }] })
    expect(await inFlight()).toBe(0)
  })

  it('ends at what its account may have under way, and another account does not notice', async () => {
    const quiet = await quietShop()
    let served = 0
    let underWay = 0
    const ring = await closeRing(shop.api, {
      headersOf: withoutHeaders,
      settings: { maxConcurrency: 10_000, timeoutMs: 30_000 },
      timeoutMs: 30_000,
      finish: async (response, answer) => {
        // The innermost keeps the whole ring where it is until the other account was served.
        if (answer.json.code === 'overloaded') {
          underWay = await inFlight()
          served = await timesServed(quiet, 20)
        }
        pass(response, answer)
      },
    })
    const { json } = await shop.api.approve({ catalogId: catalogOf(0), timeoutMs: 30_000 })
    expect([underWay, served]).toEqual([ACCOUNT_MAX, 20])
    expect(json).toMatchObject({ decision: 'deny', errors: [{ cause: 'denied' }] })
    expect(ring.chains).toHaveLength(ACCOUNT_MAX)
    expect(codesOf(ring).slice(0, 2)).toEqual(['overloaded', 200])
    await atRest()
    expect(await timesServed(quiet, 1)).toBe(1)
  })

  it('ends with the budgets where the last of them never answers', async () => {
    const quiet = await quietShop()
    const ring = await closeRing(shop.api, {
      headersOf: withoutHeaders,
      settings: { maxConcurrency: 4 },
      timeoutMs: 1_000,
      finish: (response, answer) => {
        if (answer.json.errors?.[0]?.cause !== 'overloaded') pass(response, answer)
      },
    })
    const { json } = await shop.api.approve({ catalogId: catalogOf(0), timeoutMs: 1_000 })
    expect(json).toMatchObject({ decision: 'deny', committed: false })
    await atRest()
    expect(ring.chains).toHaveLength(RING * 4)
    expect(await timesServed(quiet, 1)).toBe(1)
  })
})

function allowed(response: http.ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"decision":"allow"}')
}

/** A chain of which nothing more may come, as the last validator of a ring was given it. */
async function longestChain(): Promise<string> {
  const ring = await closeRing(shop.api, { headersOf: chainOf, finish: allowed })
  await shop.api.approve({ catalogId: catalogOf(0) })
  const last = ring.chains[DEPTH_MAX - 1]
  if (last === undefined) throw new Error('the ring ended too early')
  return last
}

const ITEM = '/v1/catalogs/free/records/r'

/** Every way to write. */
const WRITES: readonly (readonly [
  string,
  (api: Api, headers: Record<string, string>) => unknown,
])[] = [
  ['POST /v1/approve', (api, headers) => api.approve({ catalogId: 'free' }, { headers })],
  ...(['gateway', 'caller', 'none'] as const).map(
    (commit) =>
      [
        `POST /v1/approve by ${commit}`,
        (api: Api, headers: Record<string, string>) =>
          api.approve({ catalogId: 'free', commit }, { headers }),
      ] as const,
  ),
  [
    'POST records',
    (api, headers) => api.post('/v1/catalogs/free/records', { values: {} }, { headers }),
  ],
  ['PATCH a record', (api, headers) => api.patch(ITEM, { values: { a: 1 } }, { headers })],
  ['DELETE a record', (api, headers) => api.delete(ITEM, {}, { headers })],
  [
    'POST records of the API like Bpium’s',
    (api, headers) => api.post('/api/v1/catalogs/free/records', { values: {} }, { headers }),
  ],
  [
    'PATCH a record of the API like Bpium’s',
    (api, headers) => api.patch(`/api${ITEM}`, { values: { a: 1 } }, { headers }),
  ],
]

describe('a chain', () => {
  it('that is as long as it may be is refused by every way to write', async () => {
    const headers = { 'x-assent-chain': await longestChain() }
    await shop.api.approve({ catalogId: 'free', recordId: 'r' })
    for (const [way, write] of WRITES) {
      const refused = (await write(shop.api, headers)) as Answer
      expect([way, refused.status]).toEqual([way, 508])
      const served = (await write(shop.api, {})) as Answer
      expect([way, served.status < 300]).toEqual([way, true])
      if (way.startsWith('DELETE')) await shop.api.approve({ catalogId: 'free', recordId: 'r' })
    }
  })

  it('that was made up, altered or handed to another account is the empty one', async () => {
    const chain = await longestChain()
    const [body = '', tag = ''] = chain.split('.')
    const other = Buffer.from(JSON.stringify([0, DEPTH_MAX])).toString('base64url')
    const write = (api: Api, token: string) =>
      api.approve({ catalogId: 'free' }, { headers: { 'x-assent-chain': token } })
    for (const token of [
      'x',
      `${other}.${tag}`,
      `${body}.`,
      `${body}.${tag}x`,
      `${chain}, ${chain}`,
    ]) {
      expect((await write(shop.api, token)).json).toMatchObject(ALLOWED)
    }
    expect((await write(shop.api, chain)).status).toBe(508)
    const { api } = await mall.account()
    expect((await write(api, chain)).json).toMatchObject(ALLOWED)
  })
})

describe('a second write of a record under approval', () => {
  const RECORD = { catalogId: 'things', recordId: 'r' }
  const UPDATE = { ...RECORD, event: 'record.before.updated', values: { a: 1 } }

  /** What the validator of the record gets for its own write of it, while it is asked. */
  async function insideWrite(
    write: (request: Received) => Promise<Answer>,
  ): Promise<{ readonly inner: Answer; readonly outer: Answer }> {
    await shop.api.approve(RECORD)
    const answers: Answer[] = []
    let isAsked = false
    const behave: Behaviour = async (request, response) => {
      const isFirst = !isAsked
      isAsked = true
      if (isFirst) answers.push(await write(request))
      void allow(request, response)
    }
    const { url } = await mall.receiver(behave)
    await shop.api.subscribe({ catalogId: 'things', url, events: ['record.before.updated'] })
    const outer = await shop.api.approve(UPDATE)
    const [inner] = answers
    if (inner === undefined) throw new Error('nobody was asked')
    return { inner, outer }
  }

  it.each([
    ['with', chainOf],
    ['without', withoutHeaders],
  ])('is 409 at once %s the chain, and the first goes its way', async (_, headersOf) => {
    const { inner, outer } = await insideWrite((request) =>
      shop.api.approve({ ...UPDATE, values: { a: 2 } }, { headers: headersOf(request) }),
    )
    expect([inner.status, inner.json.code]).toEqual([409, 'approval_in_flight'])
    expect(outer.json).toMatchObject({ ...ALLOWED, record: { version: 2, values: { a: 1 } } })
  })

  it.each([
    ['dry run of it', (api: Api) => api.approve({ ...UPDATE, commit: 'none' })],
    [
      'record of that id in another catalog',
      (api: Api) => api.approve({ ...RECORD, catalogId: 'x' }),
    ],
  ])('is not taken for one: a %s', async (_, write) => {
    const { inner, outer } = await insideWrite(() => write(shop.api))
    expect(inner.status).toBe(200)
    expect(outer.json).toMatchObject(ALLOWED)
  })

  it('is not taken for one: a record of that id in another account', async () => {
    const { api } = await mall.account()
    const { inner } = await insideWrite(() => api.approve(RECORD))
    expect(inner.json).toMatchObject(ALLOWED)
  })

  it('comes after the look at its idempotency key: what was answered before is answered again', async () => {
    const headers = { 'idempotency-key': 'first' }
    const before = await shop.api.approve(RECORD, { headers })
    const validator = await mall.receiver(hang)
    const { url } = validator
    await shop.api.subscribe({ catalogId: 'things', url, events: ['record.before.updated'] })
    const arrived = validator.next()
    const stop = new AbortController()
    const own = { 'idempotency-key': 'second' }
    const hanging = shop.api.approve(UPDATE, { headers: own, signal: stop.signal }).catch(() => {})
    await arrived
    const again = await shop.api.approve(RECORD, { headers })
    expect([again.text, again.headers.get('idempotent-replayed')]).toEqual([before.text, 'true'])
    const third = await shop.api.approve(UPDATE, { headers: own })
    expect([third.status, third.json.code]).toEqual([409, 'idempotency_in_progress'])
    const other = await shop.api.approve(UPDATE)
    expect([other.status, other.json.code]).toEqual([409, 'approval_in_flight'])
    stop.abort()
    await hanging
  })
})
