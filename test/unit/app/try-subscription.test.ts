import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../../src/adapters/system/patterns.ts'
import { createConfigurations } from '../../../src/app/configuration.ts'
import { createInFlight } from '../../../src/app/in-flight.ts'
import type { Dispatch, Prober, Question } from '../../../src/app/ports.ts'
import { type Sample, trySubscription } from '../../../src/app/try-subscription.ts'
import { EMPTY_CHAIN } from '../../../src/domain/chain.ts'
import type { Subscription } from '../../../src/domain/subscription.ts'
import type { Answer } from '../../../src/domain/verdict.ts'
import { ACCOUNT, allow, deny, failed, subscriptionOf } from '../../support/build.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { ACCOUNT_NUMBER, countingIds, FakeAccount, fakeVault } from './fakes.ts'

const NOTHING: Sample = {
  event: undefined,
  recordId: undefined,
  values: undefined,
  prevValues: undefined,
  user: undefined,
}

async function tryOut(
  answer: Answer,
  over: Partial<Subscription> = {},
  sample: Partial<Sample> = {},
) {
  const asked: Question[] = []
  const told: Dispatch[] = []
  const request = { method: 'POST', url: 'https://stock.example/', headers: {}, body: '{}' }
  const reply = { status: 200, headers: {}, body: '{}' }
  const exchange = { request, reply, answer, durationMs: 12 }
  const prober: Prober = {
    probe: async (question) => {
      asked.push(question)
      return exchange
    },
    tell: async (dispatch) => {
      told.push(dispatch)
      return exchange
    },
  }
  const ports = {
    configurations: createConfigurations(new FakeAccount([subscriptionOf(over)]), compilePattern),
    prober,
    trialsInFlight: createInFlight(),
    ids: countingIds(),
    clock: new FakeClock(),
    vault: fakeVault,
    chainTokens: { seal: () => 'sealed', open: () => EMPTY_CHAIN },
  }
  const id = 'sub_a'
  const trial = await trySubscription(
    { accountId: ACCOUNT, id, sample: { ...NOTHING, ...sample }, locales: [] },
    ports,
  )
  return { trial, asked, told }
}

describe('a trial', () => {
  it('is a dry run with the limit of the subscription itself', async () => {
    const { asked, told } = await tryOut(allow(), { timeoutMs: 700 })
    expect(asked).toMatchObject([{ budgetMs: 700, inquiry: { dryRun: true } }])
    expect(told).toEqual([])
  })

  it('shows what would be decided if it counted, shadow or not', async () => {
    const { trial } = await tryOut(deny('no stock'), { mode: 'shadow' })
    expect(trial).toMatchObject({
      decision: 'deny',
      verdict: { outcome: 'deny', applied: 'deny', mode: 'enforce' },
      findings: [{ message: { text: 'no stock' } }],
      detail: null,
      durationMs: 12,
    })
  })

  it('tells the operator what went wrong', async () => {
    const { trial } = await tryOut(failed('tls'))
    expect(trial).toMatchObject({ decision: 'deny', detail: 'tls it was' })
  })

  const changeOf = async (over: Partial<Subscription>, sample: Partial<Sample> = {}) =>
    (await tryOut(allow(), over, sample)).asked[0]?.inquiry.change

  it('makes up what the sample leaves out', async () => {
    const every = { events: ['record.created', 'record.updating'], catalogId: '*', fields: ['a'] }
    expect(await changeOf(every)).toMatchObject({
      event: 'record.updating',
      catalogId: 'sample',
      recordId: 'sample',
      values: { a: 'sample' },
      allValues: { a: 'sample' },
      user: { id: 'sample' },
    })
    expect(await changeOf({ events: ['something.else'] })).toMatchObject({
      event: 'record.before.created',
      recordId: undefined,
      values: { title: 'sample' },
      prevValues: undefined,
    })
  })

  it('takes what the sample says', async () => {
    const sample = {
      event: 'record.before.deleted',
      recordId: '7',
      values: { b: 1 },
      prevValues: { c: 2 },
      user: { id: 'anna' },
    } as const
    expect(await changeOf({}, sample)).toMatchObject({
      event: 'record.before.deleted',
      catalogId: 'orders',
      recordId: '7',
      values: undefined,
      prevValues: { c: 2 },
      user: { id: 'anna' },
    })
  })

  it('of a subscription that is only told of things tells it of one, without taking a number', async () => {
    const { asked, told } = await tryOut(allow(), { events: ['record.deleted', 'record.updated'] })
    expect(asked).toEqual([])
    expect(told).toMatchObject([
      {
        deliveryId: expect.stringMatching(/^evt_.+_sub_a$/),
        sequenceId: 0,
        body: { event: 'record.updated', recordId: 'sample', values: { title: 'sample' } },
      },
    ])
    const chosen = await tryOut(allow(), {}, { event: 'record.deleted', recordId: '7' })
    expect(chosen.told[0]?.body).toMatchObject({ event: 'record.deleted', recordId: '7' })
    expect(chosen.told[0]?.body.values).toBeUndefined()
  })

  it('of a receiver in the poster dialect is a notification, with the number of the account', async () => {
    const poster = { dialect: 'poster', events: ['record.updated'] } as const
    const { asked, told } = await tryOut(allow(), poster)
    expect(asked).toEqual([])
    expect(told).toMatchObject([
      { accountNumber: ACCOUNT_NUMBER, body: { event: 'record.updated', recordId: 'sample' } },
    ])
  })

  it('of one that only hears of subscriptions tells it of itself, as if it had happened to it', async () => {
    const over = { events: ['subscription.disabled'], catalogId: '*' }
    const { asked, told } = await tryOut(allow(), over, { recordId: '7' })
    expect(asked).toEqual([])
    expect(told).toMatchObject([{ sequenceId: 0, accountNumber: ACCOUNT_NUMBER }])
    expect(told[0]?.body).toEqual({
      event: 'subscription.disabled',
      accountId: ACCOUNT,
      catalogId: undefined,
      recordId: 'sub_a',
      values: {
        subscriptionId: 'sub_a',
        name: 'Stock check',
        failingSince: expect.stringMatching(/^\d{4}-.*Z$/),
        reason: 'failing',
      },
      prevValues: undefined,
      changedFields: [],
      user: undefined,
      context: undefined,
      decisionId: undefined,
    })
    const sample = { event: 'subscription.failing', values: { percent: 99 } } as const
    const chosen = await tryOut(allow(), {}, sample)
    expect(chosen.told[0]?.body).toMatchObject({
      event: 'subscription.failing',
      recordId: 'sub_a',
      values: { subscriptionId: 'sub_a', name: 'Stock check', percent: 99 },
    })
  })

  it('of a receiver of both kinds of news shows a record, which it gets more of', async () => {
    const { told } = await tryOut(allow(), { events: ['subscription.failing', 'record.deleted'] })
    expect(told[0]?.body.event).toBe('record.deleted')
  })

  it('of a subscription that is not there is not found', async () => {
    await expect(tryOut(allow(), { id: 'another' })).rejects.toMatchObject({ code: 'not_found' })
  })
})
