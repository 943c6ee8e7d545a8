import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bpium } from '../../../src/dialects/bpium.ts'
import type { Signing } from '../../../src/dialects/dialect.ts'
import { poster } from '../../../src/dialects/poster.ts'
import type { NeutralMessage } from '../../../src/domain/notification.ts'
import { holdsItsVectors, messageOf, replyOf, SIGNING } from './vectors.ts'

holdsItsVectors('poster')

type Body = {
  account: string
  account_number: string
  object: string
  object_id: string | number
  action: string
  time: string
  verify: string
  data?: string
}

const bodyOf = (given: Partial<NeutralMessage>, signing: Signing = SIGNING): Body =>
  JSON.parse(poster.encode(messageOf({ event: 'record.updated', ...given }), signing))

const dataOf = (given: Partial<NeutralMessage>): unknown => {
  const { data } = bodyOf(given)
  return data === undefined ? undefined : JSON.parse(data)
}

/** What a receiver computes of the decoded body, as Poster's documentation tells it to. */
function receiversVerify({ data, ...body }: Body, secret: string): string {
  const { account, object, object_id, action, time } = body
  const parts = [account, object, object_id, action, ...(data === undefined ? [] : [data])]
  return createHash('md5')
    .update([...parts, time, secret].join(';'))
    .digest('hex')
}

describe('poster: verify', () => {
  it('is what a receiver computes of the body that it decoded, whatever is in it', () => {
    const text = fc.string({ unit: 'binary', maxLength: 20 })
    const scalar = fc.oneof(text, fc.double(), fc.integer(), fc.integer().map(String))
    const value = fc.dictionary(
      fc.constantFrom('type', 'element_id', 'storage_id', 'user_id', 'access_token', 'title'),
      scalar,
    )
    const amount = fc.record({ value_absolute: scalar }, { requiredKeys: [] })
    const record = fc.tuple(value, amount).map(([one, two]) => ({ ...one, ...two }))
    const message = fc.record({
      accountId: text,
      catalogId: fc.oneof(fc.constantFrom('stock', 'application', 'client_ewallet'), text),
      recordId: scalar.map(String),
      event: fc.constantFrom('record.created', 'record.updated', 'record.deleted', 'x.transformed'),
      values: record,
      prevValues: record,
    })
    let withData = 0
    fc.assert(
      fc.property(message, text, (given, secret) => {
        const body = bodyOf(given, { ...SIGNING, secrets: [secret] })
        expect(body.verify).toBe(receiversVerify(body, secret))
        expect(JSON.stringify(body).isWellFormed()).toBe(true)
        expect(JSON.stringify(body)).not.toMatch(/\\ud[89a-f]/i)
        withData += body.data === undefined ? 0 : 1
      }),
      { numRuns: 1_000 },
    )
    expect(withData).toBeGreaterThan(50)
  })

  it('is by the current secret and the time of this attempt', () => {
    const sent = (attemptAtMs: number, ...secrets: string[]) =>
      bodyOf({ occurredAtMs: 0 }, { id: 'evt_1', attemptAtMs, secrets })
    expect(sent(1_999, 'a', 'b')).toEqual(sent(1_000, 'a'))
    expect(sent(1_000, 'a').time).toBe('1')
    expect(sent(2_000, 'a').time).toBe('2')
    const verifies = [sent(1_000, 'a'), sent(2_000, 'a'), sent(1_000, 'b')]
    expect(new Set(verifies.map(({ verify }) => verify)).size).toBe(3)
  })

  it('is in the body, which no other subscription shares, and in no header', () => {
    expect(poster.sign('{}', SIGNING)).toEqual({})
    expect(poster.sharesBody).toBe(false)
  })
})

describe('poster: the body', () => {
  it('has its members in the documented order', () => {
    const given = { catalogId: 'client_ewallet', event: 'record.created' }
    expect(Object.keys(bodyOf({ ...given, values: { value_absolute: 1 } }))).toEqual([
      'account',
      'account_number',
      'object',
      'object_id',
      'action',
      'time',
      'verify',
      'data',
    ])
  })

  it.each([
    ['42', 42],
    ['0', 0],
    ['-7', -7],
    ['9007199254740991', 9_007_199_254_740_991],
    ['9007199254740993', '9007199254740993'],
    ['007', '007'],
    ['-0', '-0'],
    ['1.5', '1.5'],
    ['1e3', '1e3'],
    ['+1', '+1'],
    [' 1', ' 1'],
    ['', ''],
    ['NaN', 'NaN'],
    ['rec_1', 'rec_1'],
    [undefined, ''],
  ])('tells the record %j as %j', (recordId, expected) => {
    expect(bodyOf({ recordId }).object_id).toBe(expected)
  })

  it.each([
    [{ client_id: 7 }, undefined, 7],
    [{ status: 'closed' }, { client_id: '7', status: 'open' }, 7],
    [{ client_id: 'c 7' }, undefined, 'c 7'],
    [{ client_id: null }, { client_id: 7 }, 'order 1'],
    [{}, undefined, 'order 1'],
  ])(
    'tells the sum that a client has paid as the client’s: %j after %j',
    (values, prevValues, id) => {
      const event = 'client_payed_sum.changed'
      const message = { event, catalogId: 'transaction', recordId: 'order 1', values, prevValues }
      expect(bodyOf(message)).toMatchObject({ object: 'client_payed_sum', object_id: id })
    },
  )

  it('names what happened to an application by its action', () => {
    const event = 'application'
    const told = {
      event,
      catalogId: undefined,
      recordId: 'app_1',
      values: { action: 'removed', user_id: '9' },
    }
    expect(bodyOf(told)).toMatchObject({
      object: 'application',
      object_id: 'app_1',
      action: 'removed',
    })
    expect(JSON.parse(String(bodyOf(told).data))).toEqual({ user_id: '9' })
  })

  it.each([
    ['record.created', 'orders', 'orders', 'added'],
    ['record.updated', 'orders', 'orders', 'changed'],
    ['record.deleted', 'orders', 'orders', 'removed'],
    ['dish.transformed', 'dish', 'dish', 'transformed'],
    ['dish.became_a_product', 'dish', 'dish', 'became_a_product'],
    ['client_payed_sum.changed', 'transaction', 'client_payed_sum', 'changed'],
    ['subscription.disabled', undefined, 'subscription', 'disabled'],
    ['a.b.c', undefined, 'a.b', 'c'],
    ['toString', undefined, 'toString', 'toString'],
  ])('tells %s of the catalog %s as %s, %s', (event, catalogId, object, action) => {
    expect(bodyOf({ event, catalogId })).toMatchObject({ object, action })
  })

  it('has the number of the account as a text, empty where it has none', () => {
    expect(bodyOf({ accountNumber: '0042' }).account_number).toBe('0042')
    expect(bodyOf({ accountNumber: null }).account_number).toBe('')
  })
})

describe('poster: data', () => {
  const wallet = { catalogId: 'client_ewallet' }
  const labels = { type: 1, element_id: '39', storage_id: 2 }

  it('counts from nothing on creation and to nothing on removal', () => {
    const created = { ...wallet, event: 'record.created', values: { value_absolute: 7 } }
    expect(dataOf(created)).toEqual({ value_relative: 7, value_absolute: 7 })
    const deleted = { ...wallet, event: 'record.deleted', prevValues: { value_absolute: 7 } }
    expect(dataOf(deleted)).toEqual({ value_relative: -7, value_absolute: 0 })
  })

  it('tells an amount that stays as it is when something else changes', () => {
    const given = { ...wallet, values: { client: 'x' }, prevValues: { value_absolute: 7 } }
    expect(dataOf(given)).toEqual({ value_relative: 0, value_absolute: 7 })
  })

  it.each([
    [0.1 + 0.2, 0.1, 0.2, 0.3],
    ['0.3', '0.1', 0.2, 0.3],
    [' 12.50 ', 10, 2.5, 12.5],
    ['-.5', '+1.', -1.5, -0.5],
    [1_234_567.1, 0.2, 1_234_566.9, 1_234_567.1],
    [1e-9, 0, 0, 0],
    [5, 5, 0, 5],
  ])('of %j after %j has %j and %j, without dust', (now, before, relative, absolute) => {
    const given = { values: { value_absolute: now }, prevValues: { value_absolute: before } }
    expect(dataOf({ ...wallet, ...given })).toEqual({
      value_relative: relative,
      value_absolute: absolute,
    })
  })

  it.each(['', ' ', 'x', '0x1f', '1e3', '1,5', 'Infinity', '9'.repeat(400), true, [5], {}])(
    'is not sent for %j, which is no number',
    (odd) => {
      const now = { values: { value_absolute: odd }, prevValues: { value_absolute: 1 } }
      const before = { values: { value_absolute: 1 }, prevValues: { value_absolute: odd } }
      expect([bodyOf({ ...wallet, ...now }), bodyOf({ ...wallet, ...before })]).toEqual([
        expect.not.objectContaining({ data: expect.anything() }),
        expect.not.objectContaining({ data: expect.anything() }),
      ])
    },
  )

  it.each([{}, { client: 'x' }, { value_absolute: null }, { value_absolute: undefined }])(
    'counts from nothing where the amount appears on %j, which had none',
    (prevValues) => {
      const given = { values: { ...labels, value_absolute: 2.5 }, prevValues }
      for (const catalogId of ['client_ewallet', 'stock']) {
        expect(dataOf({ catalogId, ...given })).toMatchObject({
          value_relative: 2.5,
          value_absolute: 2.5,
        })
      }
    },
  )

  it('is not sent where the amount goes away: nobody knows what it is', () => {
    const given = { values: { value_absolute: null }, prevValues: { value_absolute: 1 } }
    expect(dataOf({ ...wallet, ...given })).toBeUndefined()
    expect(dataOf({ ...wallet, values: { client: 'x' }, prevValues: {} })).toBeUndefined()
  })

  it('is not sent where nobody knows what it was before', () => {
    expect(dataOf({ ...wallet, values: { value_absolute: 1 } })).toBeUndefined()
    expect(dataOf({ ...wallet, event: 'record.deleted' })).toBeUndefined()
  })

  it('of stock names what it is stock of, and is not sent where that is not known', () => {
    const given = { catalogId: 'stock', event: 'record.created' }
    const values = { ...labels, value_absolute: 3 }
    expect(bodyOf({ ...given, values }).data).toBe(
      '{"type":1,"element_id":"39","storage_id":2,"value_relative":3,"value_absolute":3}',
    )
    for (const missing of ['type', 'element_id', 'storage_id', 'value_absolute']) {
      expect(dataOf({ ...given, values: { ...values, [missing]: undefined } })).toBeUndefined()
      expect(dataOf({ ...given, values: { ...values, [missing]: ['1'] } })).toBeUndefined()
    }
  })

  it('of an application has its token when it is added and never again', () => {
    const values = { user_id: '7', access_token: 'tok' }
    const app = (event: string) => dataOf({ event, catalogId: 'application', values })
    expect(app('record.created')).toEqual(values)
    for (const event of ['record.updated', 'record.deleted', 'application.transformed']) {
      expect(app(event)).toEqual({ user_id: '7' })
    }
    const plain = { event: 'application.added', catalogId: undefined }
    expect(dataOf({ ...plain, values })).toEqual(values)
    expect(dataOf({ ...plain, values: { user_id: '7' } })).toEqual({ user_id: '7' })
    expect(dataOf({ ...plain, values: { access_token: 'tok' } })).toBeUndefined()
  })

  it('is of those three entities only', () => {
    const values = { ...labels, user_id: 1, access_token: 'tok', value_absolute: 3 }
    for (const catalogId of ['orders', 'Stock', 'toString', 'constructor']) {
      expect(bodyOf({ event: 'record.created', catalogId, values })).not.toHaveProperty('data')
    }
  })
})

describe('poster: replies', () => {
  it('deliver with a 200 and with nothing else, and never end a subscription', () => {
    for (let status = 200; status <= 599; status++) {
      const headers = { 'webhook-delivery': 'disable' }
      const expected = status === 200 ? 'delivered' : 'retry'
      expect(poster.readReceipt(replyOf(status, '', headers))).toBe(expected)
    }
  })

  it('answer no request: it takes none, counts none, and would allow none', () => {
    expect([poster.takesRequests, poster.countsRequests]).toEqual([false, false])
    for (const body of ['', '{"decision":"allow"}']) {
      expect(poster.readAnswer('record.before.updated', replyOf(200, body))).toMatchObject({
        kind: 'failed',
        cause: 'bad_reply',
      })
    }
  })
})

describe('poster: secrets', () => {
  it('are those that bpium takes and makes', () => {
    for (const secret of ['', 'a;b', 'a\n', 'x'.repeat(256), 'x'.repeat(257)]) {
      expect(poster.secretFault(secret)).toBe(bpium.secretFault(secret))
    }
    expect(poster.secretFault('')).toMatch(/1 to 256/)
    const bytes = new Uint8Array(32).fill(251)
    expect(poster.newSecret(bytes)).toBe(bpium.newSecret(bytes))
    expect(poster.secretFault(poster.newSecret(bytes))).toBeNull()
  })
})
