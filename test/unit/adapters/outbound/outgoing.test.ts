import { describe, expect, it } from 'vitest'
import {
  dispatchRequest,
  questionRequest,
  SharedBodies,
} from '../../../../src/adapters/outbound/outgoing.ts'
import type { Dispatch } from '../../../../src/app/ports.ts'
import { operationalBody } from '../../../../src/domain/notification.ts'
import type { Subscription } from '../../../../src/domain/subscription.ts'
import { ACCOUNT, inquiryOf, subscriptionOf } from '../../../support/build.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

const operational = (over: Partial<Subscription>): Dispatch => ({
  subscription: subscriptionOf(over),
  deliveryId: 'evt_1_sub_a',
  body: operationalBody({
    event: 'subscription.failing',
    accountId: ACCOUNT,
    subscriptionId: 'sub_b',
    values: { name: 'Stock' },
  }),
  accountNumber: '0042',
  occurredAtMs: 0,
  sequenceId: 7,
})

describe('a notification of something that nobody decided', () => {
  it('names no decision, in no header and in no body, and no catalog', () => {
    const { headers, body } = dispatchRequest(operational({}), new FakeClock())
    expect(headers).toContain('x-assent-deadline-ms')
    expect(headers).not.toContain('x-assent-decision')
    expect(JSON.parse(body ?? '').data).toEqual({
      accountId: ACCOUNT,
      recordId: 'sub_b',
      values: { subscriptionId: 'sub_b', name: 'Stock' },
      changedFields: [],
      sequenceId: 7,
    })
  })

  it('carries the number of the account where the dialect tells it, and the time of the attempt', async () => {
    const clock = new FakeClock()
    const send = () => dispatchRequest(operational({ dialect: 'poster', secret: 's' }), clock)
    const first = JSON.parse(send().body ?? '')
    expect(first).toMatchObject({
      account: ACCOUNT,
      account_number: '0042',
      object: 'subscription',
      action: 'failing',
      time: String(Math.floor(clock.wallMs() / 1_000)),
    })
    await clock.advance(60_000)
    const second = JSON.parse(send().body ?? '')
    expect(Number(second.time) - Number(first.time)).toBe(60)
    expect(second.verify).not.toBe(first.verify)
  })
})

describe('a question', () => {
  it('of one change has one body for all of a dialect that shares it, however they sign', () => {
    const shared = new SharedBodies()
    const clock = new FakeClock()
    const inquiry = inquiryOf()
    const ask = (id: string, secret: string) => {
      const question = { subscription: subscriptionOf({ id, secret }), inquiry, budgetMs: 1_000 }
      return questionRequest({ question, sequenceId: null, leftMs: 1_000 }, clock, shared)
    }
    const one = ask('sub_a', `whsec_${'AQID'.repeat(8)}`)
    const other = ask('sub_b', `whsec_${'BQYH'.repeat(8)}`)
    expect(other.body).toBe(one.body)
    const signatureOf = ({ headers }: typeof one) =>
      headers[headers.indexOf('webhook-signature') + 1]
    expect(signatureOf(other)).not.toBe(signatureOf(one))
    expect(one.headers).toContain('x-assent-decision')
  })
})
