/**
 * Receivers in PHP, which the source systems are written for: the examples as they are, and what the gateway
 * really sends, verified by PHP's own md5 and hash_hmac.
 */
import { createHmac } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type PhpServer, startPhp } from '../support/php.ts'
import type { Received } from '../support/validator-server.ts'
import { ONCE, Telling } from './telling.ts'

const SECRET = 'a secret; "quoted", with a / and Ключ'
/** Whatever JSON, PHP or a semicolon between parts could stumble over. */
const TRICKY = `"quoted" 'single' \\ back / slash; Привіт, Ростов 😀 \u{1f469}‍\u{1f467} <b>&amp;</b> €`

let telling: Telling
beforeAll(async () => {
  telling = await Telling.start('embedded')
})
afterAll(() => telling?.close())

const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one()
})

async function php(script: string, secret = SECRET): Promise<PhpServer> {
  const server = await startPhp(`examples/${script}`, { WEBHOOK_SECRET: secret })
  undo.push(server.close)
  return server
}

async function subscribe(url: string, settings: object): Promise<string> {
  const { id } = await telling.api.subscribe({ url, secret: SECRET, retry: ONCE, ...settings })
  undo.push(() => telling.api.delete(`/v1/subscriptions/${id}`))
  return id
}

const OPERATIONS = {
  created: 'record.before.created',
  updated: 'record.before.updated',
  deleted: 'record.before.deleted',
} as const
type Operation = keyof typeof OPERATIONS

type Write = {
  readonly catalogId: string
  readonly recordId: string
  readonly operation: Operation
  readonly values?: object
}

/** Commits a change that nobody is expected to refuse. */
async function write({ operation, ...rest }: Write): Promise<void> {
  const user = { id: TRICKY, title: TRICKY }
  const answer = await telling.api.approve({ event: OPERATIONS[operation], user, ...rest })
  expect(answer.json, answer.text).toMatchObject({ committed: true })
}

const post = async (url: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  (await fetch(url, { method: 'POST', body: body as string, headers })).status

describe('a Poster receiver in PHP', () => {
  const TOLD = ['record.created', 'record.updated', 'record.deleted']

  /** Everything that the receiver says it has verified, once all was delivered; a failure would be the end of it. */
  async function verified(server: PhpServer, id: string, count: number): Promise<string[]> {
    await telling.all(id, count)
    return server.said(count)
  }

  it.each([
    ['product', '42'],
    ['dish', '007'],
    ['client', '9007199254740993'],
    ['loyalty rule', '-5'],
    ['transaction', '1e3'],
    ['incoming_order', 'заказ №1; "срочный"/😀'],
    [`catalog; ${TRICKY}`, TRICKY],
  ])(
    'P3 verifies what was added, changed and removed in %j, id %j',
    async (catalogId, recordId) => {
      const server = await php('poster-receiver.php')
      const id = await subscribe(server.url, { dialect: 'poster', events: TOLD, catalogId })
      const of = { catalogId, recordId }
      await write({ ...of, operation: 'created', values: { name: TRICKY, status: 'new' } })
      await write({ ...of, operation: 'updated', values: { name: 'б', status: 'applied' } })
      await write({ ...of, operation: 'deleted' })
      expect(await verified(server, id, 3)).toEqual(
        ['added', 'changed', 'removed'].map(
          (action) => `verified ${catalogId} ${action} ${recordId}`,
        ),
      )
    },
  )

  it.each([
    ['client_ewallet', {}],
    ['stock', { type: 2, element_id: '17', storage_id: 3 }],
    ['stock', { type: '5', element_id: TRICKY, storage_id: '1; 2' }],
  ])(
    'P3 verifies data of %s beside %j, amounts with decimals included',
    async (catalogId, values) => {
      const server = await php('poster-receiver.php')
      const id = await subscribe(server.url, { dialect: 'poster', events: TOLD, catalogId })
      const of = { catalogId, recordId: `${undo.length}${Object.values(values).join('')}` }
      await write({ ...of, operation: 'created', values: { ...values, value_absolute: 0.1 } })
      await write({ ...of, operation: 'updated', values: { value_absolute: '1234567.3' } })
      await write({ ...of, operation: 'deleted' })
      const data = [
        { ...values, value_relative: 0.1, value_absolute: 0.1 },
        { ...values, value_relative: 1_234_567.2, value_absolute: 1_234_567.3 },
        { ...values, value_relative: -1_234_567.3, value_absolute: 0 },
      ]
      expect(await verified(server, id, 3)).toEqual(
        ['added', 'changed', 'removed'].map(
          (action, at) =>
            `verified ${catalogId} ${action} ${of.recordId} ${JSON.stringify(data[at])}`,
        ),
      )
    },
  )

  it('P2 P3 verifies that a dish was transformed into a product', async () => {
    const server = await php('poster-receiver.php')
    const catalogId = 'prepack'
    const name = 'prepack.transformed'
    const defined = await telling.api.post('/v1/event-types', {
      name,
      title: { en: 'A prepack became something else' },
      catalogId,
      on: ['updated'],
      conditions: [{ field: 'kind', op: 'changed' }],
    })
    expect(defined.status, defined.text).toBe(201)
    const id = await subscribe(server.url, { dialect: 'poster', events: [name], catalogId })
    const of = { catalogId, recordId: '8' }
    await write({ ...of, operation: 'created', values: { kind: 'dish', name: TRICKY } })
    await write({ ...of, operation: 'updated', values: { name: 'another' } })
    await write({ ...of, operation: 'updated', values: { kind: 'product' } })
    expect(await verified(server, id, 1)).toEqual(['verified prepack transformed 8'])
  })

  it('P3 refuses a message in which any part that is signed was changed', async () => {
    const server = await php('poster-receiver.php')
    const recorder = await telling.receiver()
    const settings = { dialect: 'poster', events: TOLD, catalogId: 'stock' }
    const id = await subscribe(recorder.url, settings)
    const values = { type: 1, element_id: '7', storage_id: 2, value_absolute: 5 }
    await write({ catalogId: 'stock', recordId: '77', operation: 'created', values })
    await telling.all(id, 1)
    const { text, json } = recorder.received[0] as Received
    expect(await post(server.url, text)).toBe(200)
    const parts = ['account', 'object', 'object_id', 'action', 'data', 'time', 'verify'] as const
    for (const part of parts) {
      const changed = { ...json, [part]: `${json[part]}0` }
      expect(await post(server.url, JSON.stringify(changed)), part).toBe(403)
      const { [part]: _left, ...rest } = json
      expect(await post(server.url, JSON.stringify(rest)), `without ${part}`).toBe(403)
    }
    for (const text of ['', 'null', '[]', '{"verify":', JSON.stringify({ ...json, time: 1 })]) {
      expect(await post(server.url, text), text).toBe(403)
    }
    expect(await server.said(1)).toHaveLength(1)
  })

  it('P3 refuses what was signed with another secret, so that it is not delivered', async () => {
    const server = await php('poster-receiver.php', 'another secret')
    const id = await subscribe(server.url, { dialect: 'poster', events: TOLD, catalogId: 'spot' })
    await write({ catalogId: 'spot', recordId: '1', operation: 'created' })
    const [delivery] = await telling.all(id, 1, 'dead')
    const { attempts } = (await telling.api.get(`/v1/deliveries/${delivery.id}`)).json
    expect(attempts.map(({ status }: any) => status)).toEqual([403])
    expect(await server.said(0)).toEqual([])
  })

  it('P3 P4 takes nothing while its secret is not set, so that all of it comes again', async () => {
    const server = await php('poster-receiver.php', '')
    expect(await post(server.url, '{}')).toBe(500)
  })
})

describe('a Bpium validator in PHP', () => {
  const ASKED = ['record.before.created', 'record.before.updated', 'record.updating']

  it('B2 B6 allows an order within the limit and refuses one over it, in its own words', async () => {
    const server = await php('bpium-validator.php')
    const catalogId = telling.catalog()
    await subscribe(server.url, { dialect: 'bpium', events: ASKED, catalogId })
    const of = { catalogId, recordId: 'r1' }
    await write({ ...of, operation: 'created', values: { total: 9_999.99, note: TRICKY } })
    const refused = await telling.api.approve({
      ...of,
      event: 'record.before.updated',
      values: { total: 10_000.5, note: `${TRICKY}!` },
      user: { id: TRICKY },
    })
    const message = {
      title: 'Over the limit',
      text: 'An order of 10000.5 has to be split: the limit is 10000.',
    }
    expect(refused.json).toMatchObject({ decision: 'deny', committed: false, message })
    expect(refused.json.verdicts).toMatchObject([{ outcome: 'deny', status: 400 }])
    const other = await telling.api.approve({ catalogId, values: { total: 10_001 } })
    expect(other.json).toMatchObject({ decision: 'deny', message: { title: message.title } })
  })

  it.each([
    [{ total: 4_999 }, undefined, 0],
    [{ note: TRICKY }, { total: '5000' }, 5],
    [{ total: 1 }, { total: 9_000 }, 0],
  ])(
    'B5 B6 fills in the form: %j of %j gets a discount of %d',
    async (values, allValues, discount) => {
      const server = await php('bpium-validator.php')
      const catalogId = telling.catalog()
      await subscribe(server.url, { dialect: 'bpium', events: ASKED, catalogId })
      const event = 'record.updating'
      const { json } = await telling.api.approve({ event, catalogId, values, allValues })
      expect(json).toMatchObject({ decision: 'allow', values: { discount } })
      expect(json.verdicts).toMatchObject([{ outcome: 'allow', status: 200 }])
    },
  )

  it('B6 verifies notifications, whatever the values are', async () => {
    const server = await php('bpium-validator.php')
    const catalogId = telling.catalog()
    const events = ['record.created', 'record.updated', 'record.deleted']
    const id = await subscribe(server.url, { dialect: 'bpium', events, catalogId })
    const of = { catalogId, recordId: TRICKY }
    const values = { '2': TRICKY, '3': 0.1, '4': ['1'], '5': null, '6': 1e21 }
    await write({ ...of, operation: 'created', values })
    await write({ ...of, operation: 'updated', values: { '3': -12.5 } })
    await write({ ...of, operation: 'deleted' })
    await telling.all(id, 3)
    const lines = await server.said(3)
    expect(lines.map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'verified #1 record.created',
      'verified #2 record.updated',
      'verified #3 record.deleted',
    ])
    expect(JSON.parse(lines[0]?.replace(/^[^{]*/, '') ?? '')).toEqual({ ...of, values })
  })

  it('B6 refuses a body in which any one byte was changed, and any other signature', async () => {
    const server = await php('bpium-validator.php')
    const recorder = await telling.receiver()
    const catalogId = telling.catalog()
    const events = ['record.created']
    const id = await subscribe(recorder.url, { dialect: 'bpium', events, catalogId })
    await write({ catalogId, recordId: '1', operation: 'created', values: { name: 'Київ' } })
    await telling.all(id, 1)
    const { text, headers } = recorder.received[0] as Received
    const signature = String(headers['x-hook-signature'])
    const signed = { 'x-hook-signature': signature }
    expect(await post(server.url, text, signed)).toBe(200)
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at] = (bytes[at] ?? 0) ^ 1
      expect(await post(server.url, changed, signed), `byte ${at}`).toBe(401)
    }
    expect(await post(server.url, `${text} `, signed)).toBe(401)
    for (const other of ['', signature.toLowerCase(), signature.slice(0, -1), `${signature}=`]) {
      expect(await post(server.url, text, { 'x-hook-signature': other }), other).toBe(401)
    }
    expect(await post(server.url, text)).toBe(401)
    expect(await server.said(1)).toHaveLength(1)
  })

  it('B6 refuses what was signed with another secret, and so denies the change', async () => {
    const server = await php('bpium-validator.php', 'another secret')
    const catalogId = telling.catalog()
    await subscribe(server.url, { dialect: 'bpium', events: ASKED, catalogId })
    const { json } = await telling.api.approve({ catalogId, values: { total: 1 } })
    expect(json).toMatchObject({ decision: 'deny', committed: false })
    expect(json.verdicts).toMatchObject([{ outcome: 'deny', status: 401 }])
  })

  it('B6 neither allows nor refuses while its secret is not set, or what it cannot read', async () => {
    const server = await php('bpium-validator.php', '')
    const catalogId = telling.catalog()
    await subscribe(server.url, { dialect: 'bpium', events: ASKED, catalogId })
    const { json } = await telling.api.approve({ catalogId, values: { total: 1 } })
    expect(json.verdicts).toMatchObject([{ outcome: 'failed', cause: 'bad_status', status: 500 }])
    const other = await php('bpium-validator.php', 'known')
    for (const text of ['', '{', '"text"', '{"hook":1}', '{"hook":{},"payload":{}}']) {
      const signature = createHmac('md5', 'known').update(text).digest('base64')
      expect(await post(other.url, text, { 'x-hook-signature': signature }), text).toBe(500)
    }
  })
})
