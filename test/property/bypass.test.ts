/**
 * Making a validator fail is no way past it: whatever state its breaker is in, the change goes through only
 * where the subscription's own policy names that very cause. Every state, every policy, every cause.
 */
import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createOutbound, type Outbound } from '../../src/adapters/outbound/outbound.ts'
import type { BreakerState, Clock } from '../../src/app/ports.ts'
import { decide } from '../../src/domain/decision.ts'
import type { Subscription } from '../../src/domain/subscription.ts'
import {
  type Answer,
  type FailureCause,
  type FailurePolicy,
  failureCauses,
} from '../../src/domain/verdict.ts'
import { deskConfirming, failed, planOf, timed } from '../support/build.ts'
import {
  countingSequences,
  httpServer,
  inquiryOf,
  type Listening,
  loopback,
  realClock,
  recordingJournal,
  settle,
  signal,
  subscriptionOf,
} from '../unit/adapters/outbound/support.ts'

/** A policy, and the causes that it lets pass. */
type Policy = readonly [FailurePolicy, ReadonlySet<FailureCause>]

const all: ReadonlySet<FailureCause> = new Set(failureCauses)
const none: ReadonlySet<FailureCause> = new Set()

const POLICIES: readonly Policy[] = [
  ['deny', none],
  ['allow', all],
  [{}, none],
  ...failureCauses.flatMap((cause): Policy[] => {
    const others = failureCauses.filter((other) => other !== cause)
    return [
      [{ [cause]: 'allow' }, new Set([cause])],
      [{ [cause]: 'deny' }, none],
      [Object.fromEntries(others.map((other) => [other, 'allow' as const])), new Set(others)],
    ]
  }),
]

function decisionOf(answer: Answer, over: Partial<Subscription>) {
  const plan = planOf([subscriptionOf(over)])
  return decide({ plan, answers: [timed(answer)], locales: [], desk: deskConfirming() })
}

/** What a failure of this cause comes to under each policy, against what the policy says. */
function wrongUnder(answer: Answer, cause: FailureCause): unknown[] {
  return POLICIES.flatMap(([onFailure, passing]) => {
    const { decision, degraded, verdicts } = decisionOf(answer, { onFailure })
    const mayPass = passing.has(cause)
    const expected = mayPass ? ['allow', true, 'allow'] : ['deny', false, 'deny']
    const got = [decision, degraded, verdicts[0]?.applied]
    return got.join() === expected.join() ? [] : [{ cause, onFailure, got }]
  })
}

describe('a validator that could not be asked', () => {
  it.each(failureCauses)('for the cause %s is passed by where its policy says so only', (cause) => {
    expect(POLICIES).toHaveLength(36)
    expect(wrongUnder(failed(cause), cause)).toEqual([])
  })

  it.each(failureCauses)('for the cause %s does not make another’s no an allow', (cause) => {
    for (const [onFailure] of POLICIES) {
      const plan = planOf([subscriptionOf({ onFailure }), subscriptionOf({ id: 'sub_2' })])
      const answers = [failed(cause), { kind: 'deny', remarks: [], values: undefined } as const]
      const all = { plan, answers: answers.map((one) => timed(one)), locales: [] }
      const { decision, degraded } = decide({ ...all, desk: deskConfirming() })
      expect([decision, degraded]).toEqual(['deny', false])
    }
  })
})

/** Real sockets, and a clock that can be put forward over a breaker's pause. */
class LeapingClock implements Clock {
  aheadMs = 0
  wallMs(): number {
    return realClock.wallMs() + this.aheadMs
  }
  monotonicMs(): number {
    return realClock.monotonicMs() + this.aheadMs
  }
  schedule(delayMs: number, run: () => void): () => void {
    return realClock.schedule(delayMs, run)
  }
}

const PAUSE_MS = 600_000

/** A subscription whose breaker opens with the first failure, and the server that decides what it hears. */
class Bench {
  readonly clock = new LeapingClock()
  readonly #outbound: Outbound
  readonly #subscription: Subscription

  constructor({ url }: Listening) {
    this.#outbound = createOutbound({
      clock: this.clock,
      journal: recordingJournal(),
      sequences: countingSequences(),
      policy: loopback,
    })
    const { breaker } = subscriptionOf()
    const touchy = { ...breaker, consecutiveFailures: 1, openMs: PAUSE_MS }
    this.#subscription = subscriptionOf({ url, breaker: touchy, timeoutMs: 30_000 })
  }

  get state(): BreakerState {
    return this.#outbound.health.of(this.#subscription.id).breaker
  }

  async ask(): Promise<Answer> {
    const subscription = this.#subscription
    const question = { subscription, inquiry: inquiryOf(), budgetMs: 30_000 }
    const { answer } = await this.#outbound.asker.ask(question).reply
    // A breaker hears of it a moment later.
    await settle()
    return answer
  }

  close(): void {
    this.#outbound.close()
  }
}

describe('a breaker', () => {
  let server: Listening
  let bench: Bench
  let behave: (response: ServerResponse) => void
  beforeAll(async () => {
    server = await httpServer((request, response) => {
      request.resume()
      behave(response)
    })
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const answering = (status: number) => (response: ServerResponse) => {
    response.writeHead(status).end()
  }
  const broken = answering(500)
  const well = answering(204)

  async function opened(): Promise<void> {
    bench = new Bench(server)
    behave = broken
    await bench.ask()
  }

  /** Asks one that is kept waiting, and another meanwhile. */
  async function askedBeside(then: (response: ServerResponse) => void): Promise<Answer> {
    const arrived = signal<ServerResponse>()
    behave = arrived.fire
    const first = bench.ask()
    const kept = await arrived.promise
    behave = well
    const second = await bench.ask()
    then(kept)
    await first
    return second
  }

  /** How the state comes about, and what one who asks in it gets. */
  const STATES: readonly (readonly [string, BreakerState, FailureCause, () => Promise<Answer>])[] =
    [
      [
        'that is closed',
        'open',
        'bad_status',
        () => {
          bench = new Bench(server)
          behave = broken
          return bench.ask()
        },
      ],
      [
        'that is open',
        'open',
        'circuit_open',
        async () => {
          await opened()
          behave = well
          return bench.ask()
        },
      ],
      [
        'that is half open, to the probe',
        'open',
        'bad_status',
        async () => {
          await opened()
          bench.clock.aheadMs += PAUSE_MS
          expect(bench.state).toBe('halfOpen')
          return bench.ask()
        },
      ],
      [
        'that is half open, to whoever comes beside the probe',
        'open',
        'circuit_open',
        async () => {
          await opened()
          bench.clock.aheadMs += PAUSE_MS
          return askedBeside(broken)
        },
      ],
      [
        'that has just closed, to more than it lets in at first',
        'closed',
        'circuit_open',
        async () => {
          await opened()
          bench.clock.aheadMs += PAUSE_MS
          behave = well
          await bench.ask()
          expect(bench.state).toBe('closed')
          return askedBeside(well)
        },
      ],
    ]

  it.each(STATES)('%s opens no way past a policy', async (_, state, cause, happen) => {
    const answer = await happen()
    expect(answer).toMatchObject({ kind: 'failed', cause })
    expect(bench.state).toBe(state)
    expect(wrongUnder(answer, cause)).toEqual([])
    bench.close()
  })
})
