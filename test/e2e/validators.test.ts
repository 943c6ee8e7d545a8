import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ValidatorBehaviour } from '../catalogue/behaviour.ts'
import {
  COMPANIES,
  deserved,
  POLICIES,
  type Policy,
  perform,
  type Run,
  type Stage,
  startStage,
} from '../catalogue/stage.ts'
import { VALIDATORS } from '../catalogue/validators.ts'
import { reply, startValidator } from '../support/validator-server.ts'

/**
 * On top of what a validator may take: far more than any run needs, far less than for ever. A machine that
 * has nothing else to do is asked for 50, by tools/time-validators.mjs.
 */
const SLACK_MS = Number(process.env['VALIDATOR_SLACK_MS'] ?? 2_000)
const POLLS_MAX = 1_000

let stage: Stage

beforeAll(async () => {
  stage = await startStage(VALIDATORS)
})

afterAll(async () => {
  await stage?.close()
})

describe('the catalogue of validators', () => {
  it('holds at least 60 behaviours, each under a name of its own', () => {
    const names = VALIDATORS.map(({ dialect, name }) => `${dialect}: ${name}`)
    expect(new Set(names).size).toBe(names.length)
    expect(names.length).toBeGreaterThanOrEqual(60)
  })

  it('holds every outcome, and every cause that a validator alone can bring about', () => {
    const outcomes = VALIDATORS.map(({ expected }) => expected.outcome)
    const causes = VALIDATORS.flatMap(({ expected }) =>
      expected.outcome === 'failed' ? expected.cause : [],
    )
    expect(new Set(outcomes)).toEqual(new Set(['allow', 'deny', 'confirm', 'failed']))
    expect([...new Set(causes)].toSorted()).toEqual([
      'bad_reply',
      'bad_status',
      'egress_blocked',
      'redirected',
      'reply_too_large',
      'timeout',
      'tls',
      'unreachable',
    ])
  })
})

describe('a validator gets the verdict that it deserves, whatever the policy, alone and in company', () => {
  for (const behaviour of VALIDATORS) {
    it.concurrent(`${behaviour.dialect}: one that ${behaviour.name}`, async () => {
      await Promise.all(POLICIES.map((policy) => performBoth(behaviour, policy)))
    })
  }
})

/** One after the other, so that the second question may find what the first has left behind. */
async function performBoth(behaviour: ValidatorBehaviour, policy: Policy): Promise<void> {
  for (const company of COMPANIES) await check({ behaviour, policy, company })
}

async function check(run: Run): Promise<void> {
  const { behaviour, policy, company } = run
  const label = `onFailure: ${policy}, ${company}`
  const { result, response, tookMs } = await perform(stage, run)
  expect(result, label).toEqual(deserved(run))
  expect(tookMs, label).toBeLessThan(behaviour.timeoutMs + SLACK_MS)
  expect(response.timing.validatorsMs, label).toBeLessThan(behaviour.timeoutMs + SLACK_MS)
}

describe('a bpium hook that is gone', () => {
  it('allows its last change, and is not asked again', async () => {
    const { api } = stage.gateway
    const validator = await startValidator(reply(410, ''))
    const settings = { catalogId: 'left', url: validator.url, dialect: 'bpium' }
    const { id } = await api.subscribe(settings)
    const { json } = await api.approve({ catalogId: 'left', recordId: 'one' })
    expect(json).toMatchObject({ decision: 'allow', committed: true })
    expect(json.verdicts).toMatchObject([{ subscriptionId: id, outcome: 'allow', status: 410 }])
    await disabled(id)
    expect((await api.approve({ catalogId: 'left', recordId: 'two' })).json.verdicts).toEqual([])
    expect(validator.received).toHaveLength(1)
    await validator.close()
  })
})

/** Resolves when the subscription is disabled as gone. */
async function disabled(subscriptionId: string): Promise<void> {
  let reason: unknown
  for (let polls = 0; reason === undefined && polls < POLLS_MAX; polls++) {
    const { json } = await stage.gateway.api.get(`/v1/subscriptions/${subscriptionId}`)
    reason = json.disabledReason
  }
  expect(reason).toBe('gone')
}
