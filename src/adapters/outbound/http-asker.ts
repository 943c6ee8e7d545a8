/**
 * Asks one subscriber about one change. The order of things: no budget, no call; the breaker; the
 * bulkhead; a number of the subscription's counter where its dialect counts requests; the request; the one
 * guarded call; the dialect's reading of the reply.
 *
 * A call settles within its budget and never rejects. What goes wrong on our own side before anything was
 * sent is no fault of the subscriber: it is `overloaded` when the counter's store failed and
 * `budget_exhausted` when its number came too late, neither of which its breaker hears about.
 */
import type { Asker, Call, Clock, Journal, Question, Reply, Sequences } from '../../app/ports.ts'
import { DIALECTS } from '../../dialects/index.ts'
import { type Answer, FAILURES, type FailureCause, outcomeOf } from '../../domain/verdict.ts'
import { type Breaker, type HealthSign, REFUSED } from './breaker.ts'
import type { CallHandle, CallOutcome } from './call.ts'
import type { Line, Lines } from './lines.ts'
import { questionRequest, type SharedBodies, sendRequest } from './outgoing.ts'

export type AskerOptions = {
  readonly clock: Clock
  readonly journal: Journal
  readonly sequences: Sequences
  readonly lines: Lines
  readonly sharedBodies: SharedBodies
}

/** A timeout that the change's budget cut shorter than this says nothing about the subscriber. */
const FAIR_TIMEOUT_MS = 1_000

export function createAsker(options: AskerOptions): Asker {
  return { ask: (question) => ask(options, question) }
}

function ask(options: AskerOptions, question: Question): Call {
  const line = options.lines.of(question.subscription)
  if (question.budgetMs <= 0) {
    return refuse(options, line, question, failed('budget_exhausted', 'no time was left'))
  }
  const { breaker } = line
  const ticket = breaker.enter()
  if (ticket === REFUSED) {
    return refuse(
      options,
      line,
      question,
      failed('circuit_open', `the breaker is ${breaker.state}`),
    )
  }
  if (!line.bulkhead.enter()) {
    breaker.leave(ticket, 'nothing')
    const limit = `${line.bulkhead.limit} calls are under way`
    return refuse(options, line, question, failed('overloaded', limit))
  }
  return new Ask(options, { line, breaker, ticket, question })
}

export function failed(cause: FailureCause, detail: string): Answer {
  return { kind: 'failed', cause, detail, remarks: [] }
}

/** The reply of a question that was never asked. */
function refuse(options: AskerOptions, line: Line, question: Question, answer: Answer): Call {
  note(options, line, { question, answer, durationMs: 0 })
  return { reply: Promise.resolve({ answer, status: undefined }), cancel: () => {} }
}

type Ended = {
  readonly question: Question
  readonly answer: Answer
  readonly durationMs: number
}

function note({ journal }: AskerOptions, line: Line, ended: Ended): void {
  const { question, answer, durationMs } = ended
  const outcome = outcomeOf(answer)
  const cause = answer.kind === 'failed' ? answer.cause : undefined
  line.health.record(outcome, cause, durationMs)
  journal.record({
    kind: 'call.ended',
    accountId: question.subscription.accountId,
    subscriptionId: question.subscription.id,
    outcome,
    cause,
    durationMs,
  })
}

/** Reads a call's outcome as its dialect does. */
export function answerOf({ subscription, inquiry }: Question, outcome: CallOutcome): Reply {
  switch (outcome.kind) {
    case 'cancelled':
      return { answer: { kind: 'cancelled' }, status: undefined }
    case 'failed':
      return { answer: failed(outcome.cause, outcome.detail), status: undefined }
    case 'reply': {
      const answer = DIALECTS[subscription.dialect].readAnswer(inquiry.change.event, outcome)
      return { answer, status: outcome.status }
    }
  }
}

function signOf(answer: Answer, { subscription, budgetMs }: Question): HealthSign {
  if (answer.kind === 'cancelled') return 'nothing'
  if (answer.kind !== 'failed') return 'good'
  if (!FAILURES[answer.cause].countsAgainstHealth) return 'nothing'
  const isFair = budgetMs >= Math.min(subscription.timeoutMs, FAIR_TIMEOUT_MS)
  return answer.cause === 'timeout' && !isFair ? 'nothing' : 'bad'
}

type Entrance = {
  readonly line: Line
  readonly breaker: Breaker
  readonly ticket: number
  readonly question: Question
}

/** A question that has its place and is being asked. */
class Ask implements Call {
  readonly reply: Promise<Reply>
  readonly #options: AskerOptions
  readonly #entrance: Entrance
  readonly #startedAt: number
  #call: CallHandle | null = null
  #isCancelled = false
  /** What failed was the way to the subscriber. */
  #isOnTheWay = false
  /** Ends the wait for a number. */
  #stopWaiting: (() => void) | null = null

  constructor(options: AskerOptions, entrance: Entrance) {
    this.#options = options
    this.#entrance = entrance
    this.#startedAt = options.clock.monotonicMs()
    this.reply = this.#run()
  }

  cancel(): void {
    this.#isCancelled = true
    this.#stopWaiting?.()
    this.#call?.cancel()
  }

  async #run(): Promise<Reply> {
    const { question } = this.#entrance
    let reply: Reply
    try {
      const { countsRequests } = DIALECTS[question.subscription.dialect]
      reply = countsRequests ? await this.#askWithNumber() : await this.#askNow(null)
    } catch (error) {
      reply = this.#crashed(error)
    }
    this.#settle(reply.answer)
    return saysGone(reply) ? { ...reply, isGone: true } : reply
  }

  async #askWithNumber(): Promise<Reply> {
    const number = await this.#number()
    if (typeof number === 'number') return this.#askNow(number)
    return { answer: number, status: undefined }
  }

  async #askNow(sequenceId: number | null): Promise<Reply> {
    const { clock, sharedBodies } = this.#options
    const { line, question } = this.#entrance
    // Cancelled between the number's arrival and now.
    if (this.#isCancelled) return { answer: { kind: 'cancelled' }, status: undefined }
    const leftMs = question.budgetMs - (clock.monotonicMs() - this.#startedAt)
    if (leftMs <= 0) {
      return { answer: failed('budget_exhausted', 'no time was left'), status: undefined }
    }
    const request = questionRequest({ question, sequenceId, leftMs }, clock, sharedBodies)
    const { subscription } = question
    this.#call = sendRequest({ line, clock, settings: subscription, request, budgetMs: leftMs })
    const outcome = await this.#call.result
    this.#isOnTheWay = outcome.kind === 'failed' && outcome.isOnTheWay === true
    return answerOf(question, outcome)
  }

  /** The next number, or the answer when there is none. */
  #number(): Promise<number | Answer> {
    const { clock, sequences } = this.#options
    const { question } = this.#entrance
    const { id, accountId } = question.subscription
    return new Promise((resolve) => {
      const stopTimer = clock.schedule(question.budgetMs, () =>
        resolve(failed('budget_exhausted', 'the number of the request came too late')),
      )
      this.#stopWaiting = () => resolve({ kind: 'cancelled' })
      void sequences
        .next(accountId, id)
        .then(resolve, () => resolve(failed('overloaded', 'the request could not be numbered')))
        .finally(stopTimer)
    })
  }

  #crashed(error: unknown): Reply {
    const { question } = this.#entrance
    const requestId = question.inquiry.decisionId
    this.#options.journal.record({ kind: 'request.crashed', requestId, error })
    const detail = error instanceof Error ? `internal fault: ${error.name}` : 'internal fault'
    return { answer: failed('unreachable', detail), status: undefined }
  }

  #settle(answer: Answer): void {
    const { line, breaker, ticket, question } = this.#entrance
    line.bulkhead.leave()
    // A crash of ours, and a proxy that fails, are nothing that the subscriber is to blame for.
    const isTheirs = this.#call !== null && !this.#isOnTheWay
    const sign = isTheirs ? signOf(answer, question) : 'nothing'
    breaker.leave(ticket, sign)
    const durationMs = this.#options.clock.monotonicMs() - this.#startedAt
    note(this.#options, line, { question, answer, durationMs })
  }
}

/** An allow that comes with a 410 counts for this change, and says that nobody is there any more. */
function saysGone({ answer, status }: Reply): boolean {
  return status === 410 && answer.kind === 'allow'
}
