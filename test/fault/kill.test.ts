/** kill -9 in the middle of the work: what was answered as committed is there once, and is told about. */
import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type Api } from '../support/gateway.ts'
import {
  type Entry,
  expectConsistent,
  isCommitted,
  listAll,
  readStored,
  requestsOf,
  SHARED,
  send,
  sendAll,
} from '../support/ledger.ts'
import {
  DATABASES,
  type Environment,
  ownersUrl,
  type Place,
  temporaryPlace,
} from '../support/places.ts'
import { endAll, type GatewayProcess, startProcess } from '../support/process.ts'
import {
  allow,
  deny,
  hang,
  type Received,
  startValidator,
  type ValidatorServer,
} from '../support/validator-server.ts'

const AT_A_TIME = 16
const APPROVALS = 200
/** After which answer of a round the gateway is killed. */
const ROUNDS = [
  { seed: 1, killAfter: 3 },
  { seed: 2, killAfter: 60 },
  { seed: 3, killAfter: 140 },
  { seed: 4, killAfter: 180 },
] as const

let subscriber: ValidatorServer
let place: Place

beforeAll(async () => {
  subscriber = await startValidator()
})
afterEach(async () => {
  await endAll()
  await place.remove()
})
afterAll(() => subscriber.close())

describe.each(DATABASES)('a gateway on the %s database that is killed', (kind) => {
  let environment: Environment = {}

  const prepare = async () => {
    place = await temporaryPlace(kind)
    environment = { ...place.environment, ASSENT_EGRESS_ALLOW: '127.0.0.1/32' }
    subscriber.received.length = 0
    subscriber.behave = (request, response) => {
      if (request.path === '/told') return allow(request, response)
      const isRefused = request.json.data.values.refuse === true
      return (isRefused ? deny('No.') : allow)(request, response)
    }
    const gateway = await startProcess(environment)
    const validator = await gateway.api.subscribe({
      url: `${subscriber.url}/asked`,
      events: ['record.before.created', 'record.before.updated'],
    })
    const receiver = await gateway.api.subscribe({
      url: `${subscriber.url}/told`,
      events: ['record.created', 'record.updated'],
    })
    return { gateway, validator, receiver }
  }

  /** Kills it, and starts another one at the same place. */
  const killAndRestart = async (gateway: GatewayProcess) => {
    await gateway.end('SIGKILL')
    if (kind === 'server') await withServer(sessionsAreGone)
    return startProcess(environment)
  }

  const withServer = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client({ connectionString: ownersUrl(environment['DATABASE_URL'] ?? '') })
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.end()
    }
  }

  /** Ends the gateway in order, moves time on until every lease has run out, and starts it again. */
  const afterTheLeases = async (gateway: GatewayProcess): Promise<GatewayProcess> => {
    await gateway.end('SIGTERM')
    const statement = "update deliveries set lease_until = now() where state = 'sending'"
    if (kind === 'server') await withServer((client) => client.query(statement))
    else {
      const engine = await PGlite.create(`${environment['ASSENT_DATA_DIR']}/postgres`)
      await engine.query(statement)
      await engine.close()
    }
    return startProcess(environment)
  }

  it('has stored what it said it had, once, and nothing else; and tells everybody', async () => {
    const { gateway: first, receiver } = await prepare()
    let gateway = first
    const setUp = SHARED.map((recordId) => ({
      key: `key-${recordId}`,
      body: { event: 'record.before.created', recordId, values: { key: `key-${recordId}` } },
    }))
    const entries: Entry[] = await sendAll(gateway.api, setUp, AT_A_TIME)
    for (const { seed, killAfter } of ROUNDS) {
      const requests = requestsOf(seed, APPROVALS)
      const dying = gateway
      const isOver = sendAll(gateway.api, requests, AT_A_TIME, (count) => {
        if (count === killAfter) dying.signal('SIGKILL')
      })
      const answers = await isOver
      expect(answers.filter(({ answer }) => answer !== null).length).toBeGreaterThanOrEqual(
        killAfter,
      )
      expect(answers.some(({ answer }) => answer === null)).toBe(true)
      entries.push(...answers)
      gateway = await killAndRestart(gateway)
      expectConsistent(await readStored(gateway.api), entries)
    }
    entries.push(...(await retryAll(gateway.api, entries)))
    const stored = await readStored(gateway.api)
    expectConsistent(stored, entries)
    gateway = await afterTheLeases(gateway)
    await eventually('everything is delivered', async () => {
      const delivered = await listAll(gateway.api, '/v1/deliveries?state=delivered')
      return delivered.length === stored.notifications.length
    })
    await expectDelivered(gateway.api, receiver.id, stored.notifications)
  })

  it('has one record for each key when every request is sent again', async () => {
    const { gateway } = await prepare()
    const requests = requestsOf(7, APPROVALS).filter(({ body }) => !SHARED.includes(body.recordId))
    const entries = await sendAll(gateway.api, requests, AT_A_TIME, (count) => {
      if (count === 40) gateway.signal('SIGKILL')
    })
    const again = await killAndRestart(gateway)
    const retried = await retryAll(again.api, entries)
    const twice = await retryAll(again.api, retried)
    for (const [index, { answer }] of twice.entries()) {
      expect(answer?.text).toBe(retried[index]?.answer?.text)
      expect(answer?.headers.get('idempotent-replayed')).toBe('true')
    }
    const wanted = requests.filter(({ body }) => !('refuse' in body.values && body.values.refuse))
    const stored = await readStored(again.api)
    expect(new Set(stored.records.keys())).toEqual(new Set(wanted.map(({ body }) => body.recordId)))
    expectConsistent(stored, [...entries, ...retried])
  })

  it('between commit and delivery tells the receiver again, under the same id', async () => {
    const { gateway } = await prepare()
    subscriber.behave = (request, response) =>
      request.path === '/told' ? hang(request, response) : allow(request, response)
    const isTold = eventually('it is being told', () => toldOf(subscriber).length === 1)
    const answer = await gateway.api.approve({ recordId: 'r', values: { key: 'k' } })
    expect(isCommitted(answer)).toBe(true)
    await isTold
    const again = await killAndRestart(gateway)
    const [delivery] = (await again.api.get('/v1/deliveries')).json.items
    expect(delivery).toMatchObject({ state: 'sending', failures: 0 })
    subscriber.behave = allow
    const last = await afterTheLeases(again)
    const path = `/v1/deliveries/${delivery.id}`
    await eventually('it is delivered', async () => {
      return (await last.api.get(path)).json.state === 'delivered'
    })
    const [first, second, ...more] = toldOf(subscriber)
    expect(more).toEqual([])
    expect(first?.headers['webhook-id']).toBe(delivery.id)
    expect(second?.headers['webhook-id']).toBe(delivery.id)
    expect(second?.text).toBe(first?.text)
  })

  it('right after the answer tells everybody all the same', async () => {
    const { gateway } = await prepare()
    const answer = await gateway.api.approve({ recordId: 'r', values: { key: 'k' } })
    gateway.signal('SIGKILL')
    expect(isCommitted(answer)).toBe(true)
    const again = await afterTheLeases(await killAndRestart(gateway))
    await eventually('it is delivered', async () => {
      const { json } = await again.api.get('/v1/deliveries?state=delivered')
      return json.items.length === 1
    })
    const ids = new Set(toldOf(subscriber).map(({ headers }) => headers['webhook-id']))
    expect(ids.size).toBe(1)
  })

  /** Sends each request again under its key: an answer that was given is given again, to the byte. */
  async function retryAll(api: Api, entries: readonly Entry[]): Promise<Entry[]> {
    const retried: Entry[] = []
    for (const { request, answer: first } of entries) {
      const answer = await send(api, request)
      retried.push({ request, answer })
      expect(answer?.status, request.key).toBe(200)
      // Problems are not kept under a key: the retry was a new try.
      if (first === null || first.status !== 200) continue
      expect(answer?.text).toBe(first.text)
      expect(answer?.headers.get('idempotent-replayed')).toBe('true')
    }
    return retried
  }

  /** Every notification arrived at least once, always under one id, and nothing else arrived. */
  async function expectDelivered(api: Api, receiverId: string, notifications: readonly any[]) {
    const idsOf = new Map<string, Set<string>>()
    for (const { headers, json } of toldOf(subscriber)) {
      const ids = idsOf.get(json.data.decisionId) ?? new Set()
      idsOf.set(json.data.decisionId, ids.add(String(headers['webhook-id'])))
    }
    expect(new Set(idsOf.keys())).toEqual(
      new Set(notifications.map(({ decisionId }) => decisionId)),
    )
    for (const { id, decisionId } of notifications) {
      expect([...(idsOf.get(decisionId) ?? [])]).toEqual([`${id}_${receiverId}`])
    }
    const deliveries = await listAll(api, `/v1/deliveries?subscriptionId=${receiverId}`)
    const numbers = deliveries.map(({ sequenceId }) => sequenceId).toSorted((a, b) => a - b)
    expect(numbers).toEqual(notifications.map((_, index) => index + 1))
  }
})

const toldOf = ({ received }: ValidatorServer): Received[] =>
  received.filter(({ path }) => path === '/told')

/** Statements of a dead gateway may still be at work inside the server for a moment. */
async function sessionsAreGone(client: pg.Client): Promise<void> {
  await eventually('the sessions of the dead gateway are gone', async () => {
    const { rows } = await client.query(
      "select from pg_stat_activity where datname = current_database() and application_name like 'assent%'",
    )
    return rows.length === 0
  })
}
