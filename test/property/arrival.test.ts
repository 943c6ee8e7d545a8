/** The order in which answers come must not show: each order of four validators' answers is tried. */
import { describe, expect, it } from 'vitest'
import { type Asked, askValidators } from '../../src/app/ask-validators.ts'
import { deadlineFrom } from '../../src/domain/deadline.ts'
import { type Decision, decide } from '../../src/domain/decision.ts'
import type { Subscription } from '../../src/domain/subscription.ts'
import type { Answer, TimedAnswer } from '../../src/domain/verdict.ts'
import {
  allow,
  confirm,
  deny,
  deskConfirming,
  failed,
  inquiryOf,
  planOf,
  subscriptionOf,
  timed,
} from '../support/build.ts'
import { FakeClock, settled } from '../support/fake-clock.ts'
import { FakeAsker, fakePresence } from '../unit/app/fakes.ts'

/** Answers come this far apart. */
const GAP_MS = 10

type Kind = 'allow' | 'deny' | 'confirm' | 'failed' | 'shadow'
const KINDS: readonly Kind[] = ['allow', 'deny', 'confirm', 'failed', 'shadow']

type Validator = {
  readonly subscription: Subscription
  readonly answer: Answer
  readonly kind: Kind
}

function validatorOf(kind: Kind, id: string): Validator {
  const mode = kind === 'shadow' ? 'shadow' : 'enforce'
  const subscription = subscriptionOf({ id, name: id, mode, mayChange: '*', timeoutMs: 30_000 })
  switch (kind) {
    case 'allow':
      return { kind, subscription, answer: allow({ total: id }) }
    case 'confirm':
      return { kind, subscription, answer: confirm(`${id} asks`) }
    case 'failed':
      return { kind, subscription, answer: failed('bad_reply') }
    case 'deny':
    case 'shadow':
      return { kind, subscription, answer: deny(`${id} says no`) }
  }
}

function* combinations(): Generator<readonly Validator[]> {
  for (const a of KINDS) {
    for (const b of KINDS) {
      for (const c of KINDS) {
        for (const d of KINDS) {
          yield [a, b, c, d].map((kind, at) => validatorOf(kind, `v${at}`))
        }
      }
    }
  }
}

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((first) =>
    permutations(items.filter((one) => one !== first)).map((rest) => [first, ...rest]),
  )
}

const ORDERS = permutations([0, 1, 2, 3])

type Outcome = {
  readonly decision: Decision
  /** With the shadows' late answers. */
  readonly late: readonly TimedAnswer[]
  readonly endedAtMs: number
}

/** Lets the answers come in this order, GAP_MS apart, as long as anybody waits for them. */
async function arrive(
  validators: readonly Validator[],
  order: readonly number[],
  denyGraceMs: number,
): Promise<Outcome> {
  const clock = new FakeClock()
  const asker = new FakeAsker(() => null)
  const plan = planOf(validators.map(({ subscription }) => subscription))
  const state: { asked?: Asked; endedAtMs?: number } = {}
  const asking = {
    plan,
    inquiry: inquiryOf(),
    deadline: deadlineFrom(0, 30_000),
    denyGraceMs,
    presence: fakePresence().presence,
    earlier: new Map(),
    onAnswer: undefined,
  }
  void askValidators(asking, { asker, clock }).then((asked) => {
    Object.assign(state, { asked, endedAtMs: clock.monotonicMs() })
  })
  for (const at of order) {
    await clock.advance(GAP_MS)
    asker.calls[at]?.answer(validators[at]?.answer ?? { kind: 'cancelled' })
    await settled()
  }
  await clock.advance(denyGraceMs)
  const { asked, endedAtMs } = state
  if (asked === undefined || endedAtMs === undefined) throw new Error('it never ended')
  const late = (await asked.late) ?? asked.answers
  return { decision: decideOver(plan, asked.answers), late, endedAtMs }
}

const decideOver = (plan: ReturnType<typeof planOf>, answers: readonly TimedAnswer[]): Decision =>
  decide({ plan, answers, locales: [], desk: deskConfirming() })

/** The decision over all answers, which is what it should look like. */
const decisionOfAll = (validators: readonly Validator[]): Decision =>
  decideOver(
    planOf(validators.map(({ subscription }) => subscription)),
    validators.map(({ answer }) => timed(answer)),
  )

/** Everything of a decision but how long calls took; of shadows that they were there. */
function seen(decision: Decision): unknown {
  const verdicts = decision.verdicts.map(({ subscriptionId, mode, outcome, applied }) =>
    mode === 'shadow' ? { subscriptionId } : { subscriptionId, outcome, applied },
  )
  return { ...decision, verdicts }
}

const isDenier = ({ kind }: Validator): boolean => kind === 'deny' || kind === 'failed'

const textsOf = ({ errors }: Decision): string[] => errors.map(({ message }) => message.text)

const isSubsequence = (part: readonly string[], whole: readonly string[]): boolean =>
  part.join('\n') === whole.filter((text) => part.includes(text)).join('\n')

describe('the decision about four validators, in each order of arrival', () => {
  it('is the same to the last finding while everybody has the time to answer', async () => {
    for (const validators of combinations()) {
      const expected = JSON.stringify(seen(decisionOfAll(validators)))
      for (const order of ORDERS) {
        const { decision } = await arrive(validators, order, 1_000)
        if (JSON.stringify(seen(decision)) !== expected) {
          expect(seen(decision), JSON.stringify({ validators, order })).toEqual(
            JSON.parse(expected),
          )
        }
      }
    }
  }, 60_000)

  it.each([0, GAP_MS + 5])(
    'is the same decision when a deny ends it %d ms later, with errors in plan order',
    async (denyGraceMs) => {
      for (const validators of combinations()) {
        const full = decisionOfAll(validators)
        const isDenied = validators.some(isDenier)
        for (const order of ORDERS) {
          const { decision, endedAtMs } = await arrive(validators, order, denyGraceMs)
          const said = JSON.stringify({ validators: validators.map(({ kind }) => kind), order })
          if (!isDenied) {
            if (JSON.stringify(seen(decision)) !== JSON.stringify(seen(full))) {
              expect(seen(decision), said).toEqual(seen(full))
            }
            continue
          }
          const firstDenier = order.findIndex((at) => validators.slice(at, at + 1).some(isDenier))
          const deniedAtMs = (firstDenier + 1) * GAP_MS
          // Whoever answered by the end of the grace is heard, and nobody is waited for after it.
          const heard = new Set(
            order.filter((_, at) => (at + 1) * GAP_MS <= deniedAtMs + denyGraceMs),
          )
          const errors = validators.filter((one, at) => isDenier(one) && heard.has(at))
          const isRight =
            decision.decision === 'deny' &&
            decision.errors.map((one) => one.subscriptionId).join() ===
              errors.map(({ subscription }) => subscription.id).join() &&
            isSubsequence(textsOf(decision), textsOf(full)) &&
            decision.message?.text === textsOf(decision)[0] &&
            endedAtMs <= deniedAtMs + denyGraceMs
          if (!isRight) expect.fail(`${said}: ${JSON.stringify(decision)}`)
        }
      }
    },
    60_000,
  )

  it('has each shadow’s verdict in the end, whatever became of the others', async () => {
    const validators = (['shadow', 'deny', 'allow', 'shadow'] as const).map((kind, at) =>
      validatorOf(kind, `v${at}`),
    )
    for (const order of ORDERS) {
      for (const denyGraceMs of [0, 1_000]) {
        const { late } = await arrive(validators, order, denyGraceMs)
        expect([late[0]?.answer, late[3]?.answer]).toEqual([deny('v0 says no'), deny('v3 says no')])
      }
    }
  })
})
