import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../../src/adapters/system/patterns.ts'
import { createConfigurations } from '../../../src/app/configuration.ts'
import type { Question } from '../../../src/app/ports.ts'
import { type Sample, trySubscription } from '../../../src/app/try-subscription.ts'
import { EMPTY_CHAIN } from '../../../src/domain/chain.ts'
import type { Subscription } from '../../../src/domain/subscription.ts'
import type { Answer } from '../../../src/domain/verdict.ts'
import { ACCOUNT, allow, deny, failed, subscriptionOf } from '../../support/build.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { countingIds, FakeAccount, fakeVault } from './fakes.ts'

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
  const questions: Question[] = []
  const request = { method: 'POST', url: 'https://stock.example/', headers: {}, body: '{}' }
  const reply = { status: 200, headers: {}, body: '{}' }
  const ports = {
    configurations: createConfigurations(new FakeAccount([subscriptionOf(over)]), compilePattern),
    prober: {
      probe: async (question: Question) => {
        questions.push(question)
        return { request, reply, answer, durationMs: 12 }
      },
    },
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
  const [question] = questions
  if (question === undefined) throw new Error('nobody was asked')
  return { trial, question, change: question.inquiry.change }
}

describe('a trial', () => {
  it('is a dry run with the limit of the subscription itself', async () => {
    const { question } = await tryOut(allow(), { timeoutMs: 700 })
    expect(question.inquiry.dryRun).toBe(true)
    expect(question.budgetMs).toBe(700)
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

  it('makes up what the sample leaves out', async () => {
    const every = { events: ['record.created', 'record.updating'], catalogId: '*', fields: ['a'] }
    const { change } = await tryOut(allow(), every)
    expect(change).toMatchObject({
      event: 'record.updating',
      catalogId: 'sample',
      recordId: 'sample',
      values: { a: 'sample' },
      allValues: { a: 'sample' },
      user: { id: 'sample' },
    })
    const created = await tryOut(allow(), { events: ['record.created'] })
    expect(created.change).toMatchObject({
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
    expect((await tryOut(allow(), {}, sample)).change).toMatchObject({
      event: 'record.before.deleted',
      catalogId: 'orders',
      recordId: '7',
      values: undefined,
      prevValues: { c: 2 },
      user: { id: 'anna' },
    })
  })

  it('of a subscription that is not there is not found', async () => {
    await expect(tryOut(allow(), { id: 'another' })).rejects.toMatchObject({ code: 'not_found' })
  })
})
