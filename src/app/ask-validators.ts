/**
 * The fan-out: everybody in the plan is asked at once, under one deadline.
 *
 * It ends when every enforcing validator has answered; or `denyGraceMs` after the first answer that denies
 * (they may still add their errors until then); or when the caller goes away. What is not needed any more
 * is broken off and reads `cancelled`. Shadow validators are never waited for: those still out when it
 * ends go on by themselves, and their verdicts arrive through `late`.
 *
 * It cannot fail: a call's reply never rejects and settles within its budget, because the asker owns a
 * deadline of its own for each. Whatever went wrong is an answer of kind `failed`.
 */
import { type Deadline, remainingMs } from '../domain/deadline.ts'
import { isDenial } from '../domain/decision.ts'
import { budgetFor, type Plan } from '../domain/plan.ts'
import type { Subscription } from '../domain/subscription.ts'
import type { TimedAnswer } from '../domain/verdict.ts'
import type { Asker, Call, Clock, Inquiry } from './ports.ts'

/** Whether the caller is still there, and a way to hear of it when it leaves. */
export type Presence = {
  readonly isGone: () => boolean
  /** At most one listener at a time; the returned function takes it back. */
  readonly onGone: (listener: () => void) => () => void
}

export type Asking = {
  readonly plan: Plan
  readonly inquiry: Inquiry
  readonly deadline: Deadline
  readonly denyGraceMs: number
  readonly presence: Presence
  /** Answers of an earlier round that still hold, by subscription id. */
  readonly earlier: ReadonlyMap<string, TimedAnswer>
  readonly onAnswer: ((subscription: Subscription, timed: TimedAnswer) => void) | undefined
}

export type Asked = {
  /** One for each of the plan's subscriptions, in plan order. */
  readonly answers: readonly TimedAnswer[]
  /** The same once all shadow validators have answered; null when none was still out. */
  readonly late: Promise<readonly TimedAnswer[]> | null
}

type AskPorts = { readonly asker: Asker; readonly clock: Clock }

const CANCELLED = { kind: 'cancelled' } as const

export function askValidators(asking: Asking, ports: AskPorts): Promise<Asked> {
  if (asking.plan.asked.length === 0) return NOBODY_ASKED
  return new Promise((resolve) => new FanOut(asking, ports, resolve).start())
}

const NOBODY_ASKED: Promise<Asked> = Promise.resolve({ answers: [], late: null })

type Slot = {
  call: Call | null
  timed: TimedAnswer | null
  isNew: boolean
  readonly startedMs: number
}

class FanOut {
  readonly #asking: Asking
  readonly #ports: AskPorts
  readonly #resolve: (asked: Asked) => void
  readonly #slots: Slot[] = []
  #enforcingOut = 0
  #shadowsOut = 0
  #isOver = false
  #tellLate: (() => void) | null = null
  #cancelGrace: (() => void) | null = null
  #stopListening: (() => void) | null = null

  constructor(asking: Asking, ports: AskPorts, resolve: (asked: Asked) => void) {
    this.#asking = asking
    this.#ports = ports
    this.#resolve = resolve
  }

  start(): void {
    const { plan, presence } = this.#asking
    for (const subscription of plan.asked) this.#count(subscription, 1)
    this.#stopListening = presence.onGone(() => this.#finish())
    // Whoever left while the change was being prepared is not heard leaving any more.
    if (presence.isGone()) this.#finish()
    for (const [index, subscription] of plan.asked.entries()) {
      // It may be over already: the caller gone, an earlier round's deny. Shadows are asked all the same.
      if (!this.#isOver || subscription.mode === 'shadow') this.#ask(subscription, index)
    }
    if (this.#enforcingOut === 0) this.#finish()
  }

  #ask(subscription: Subscription, index: number): void {
    const { inquiry, deadline, earlier } = this.#asking
    const now = this.#ports.clock.monotonicMs()
    const startedMs = now - deadline.startedAt
    const slot: Slot = { call: null, timed: null, isNew: false, startedMs }
    this.#slots[index] = slot
    const known = earlier.get(subscription.id)
    // An answer of an earlier round was told when it came.
    if (known !== undefined) return this.#take(subscription, slot, known)
    slot.isNew = true
    const budgetMs = budgetFor(subscription, deadline, now)
    slot.call = this.#ports.asker.ask({ subscription, inquiry, budgetMs })
    void slot.call.reply.then(({ answer, status, isGone }) => {
      const durationMs = this.#ports.clock.monotonicMs() - now
      const { startedMs } = slot
      this.#take(subscription, slot, { answer, status, startedMs, durationMs, isGone })
    })
  }

  #take(subscription: Subscription, slot: Slot, timed: TimedAnswer): void {
    if (this.#isOver && subscription.mode === 'enforce') return
    slot.timed = timed
    slot.call = null
    this.#count(subscription, -1)
    if (this.#isOver) {
      if (this.#shadowsOut === 0) this.#tellLate?.()
      return
    }
    if (slot.isNew) this.#asking.onAnswer?.(subscription, timed)
    if (this.#enforcingOut === 0 && subscription.mode === 'enforce') this.#finish()
    else if (isDenial(subscription, timed)) this.#startGrace()
  }

  #count(subscription: Subscription, by: 1 | -1): void {
    if (subscription.mode === 'enforce') this.#enforcingOut += by
    else this.#shadowsOut += by
  }

  /** While a person is still typing nothing is at stake: everybody is waited for, and merged. */
  #startGrace(): void {
    const { plan, denyGraceMs, deadline } = this.#asking
    if (this.#cancelGrace !== null || plan.change.event === 'record.updating') return
    if (denyGraceMs === 0) return this.#finish()
    const { clock } = this.#ports
    const graceMs = Math.min(denyGraceMs, remainingMs(deadline, clock.monotonicMs()))
    this.#cancelGrace = clock.schedule(graceMs, () => this.#finish())
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelGrace?.()
    this.#stopListening?.()
    const answers = this.#answers()
    const late = this.#shadowsOut > 0 ? this.#lateAnswers(answers) : null
    this.#resolve({ answers, late })
    for (const [index, subscription] of this.#asking.plan.asked.entries()) {
      const call = this.#slots[index]?.call ?? null
      const answer = answers[index]
      if (call === null || answer === undefined) continue
      this.#asking.onAnswer?.(subscription, answer)
      if (subscription.mode === 'enforce') call.cancel()
    }
  }

  /** What was decided on stays as it was; only shadows add to it. */
  #lateAnswers(decided: readonly TimedAnswer[]): Promise<readonly TimedAnswer[]> {
    return new Promise((resolve) => {
      this.#tellLate = () =>
        resolve(decided.map((timed, index) => this.#slots[index]?.timed ?? timed))
    })
  }

  #answers(): TimedAnswer[] {
    const now = this.#ports.clock.monotonicMs()
    const { deadline, plan } = this.#asking
    return plan.asked.map((_, index): TimedAnswer => {
      const slot = this.#slots[index]
      if (slot?.timed) return slot.timed
      const startedMs = slot?.startedMs ?? now - deadline.startedAt
      const durationMs = Math.max(0, now - deadline.startedAt - startedMs)
      return { answer: CANCELLED, status: undefined, startedMs, durationMs }
    })
  }
}
