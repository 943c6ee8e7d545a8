/**
 * How often a key may be used, and how often everybody of an account together may call. Each may run ahead by a
 * second's worth; what is more is refused until it is earned, and a refusal uses nothing up. Kept in this
 * process alone: several gateways and workers each allow the whole rate, because a count that they shared
 * would cost every request a round trip.
 *
 * One number stands for a meter: until when what was taken is paid. Nobody who is idle for a second owes
 * anything, so meters are forgotten without harm.
 */
import { Problem } from '../domain/problem.ts'
import type { Clock, Journal } from './ports.ts'
import type { Caller, CallLimits } from './store.ts'

const AHEAD_MS = 1_000
/** Sums of thirds and sevenths are never quite a second. */
const TOLERANCE_MS = 1e-6
const SWEEP_FROM = 1_000

export type CallLimiterPorts = { readonly clock: Clock; readonly journal: Journal }

export interface CallLimiter {
  /** Counts a request. Throws Problem `rate_limited`. */
  admit(caller: Caller, limits: CallLimits): void
}

export function createCallLimiter({ clock, journal }: CallLimiterPorts): CallLimiter {
  const keys = new Meters()
  const accounts = new Meters()
  const refuse = (by: 'key' | 'account', perSecond: number, waitMs: number): never => {
    journal.record({ kind: 'request.limited', by })
    const whose = by === 'key' ? 'This key' : 'This account'
    throw new Problem('rate_limited', {
      detail: `${whose} may call ${perSecond} times a second.`,
      retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)),
    })
  }
  return {
    admit: ({ keyId, accountId }, { ofKey, ofAccount }) => {
      const now = clock.monotonicMs()
      // Both are looked at before either is taken from.
      const keyWaitMs = ofKey === null ? 0 : keys.waitMs(keyId, ofKey, now)
      if (ofKey !== null && keyWaitMs > 0) refuse('key', ofKey, keyWaitMs)
      const accountWaitMs = ofAccount === null ? 0 : accounts.waitMs(accountId, ofAccount, now)
      if (ofAccount !== null && accountWaitMs > 0) refuse('account', ofAccount, accountWaitMs)
      if (ofKey !== null) keys.take(keyId, ofKey, now)
      if (ofAccount !== null) accounts.take(accountId, ofAccount, now)
    },
  }
}

class Meters {
  readonly #paidUntil = new Map<string, number>()
  #sweepAt = SWEEP_FROM

  /** How long until the next request may pass; 0: now. */
  waitMs(id: string, perSecond: number, now: number): number {
    const aheadMs = (this.#paidUntil.get(id) ?? now) - now
    const mayBeMs = AHEAD_MS - AHEAD_MS / perSecond
    return aheadMs > mayBeMs + TOLERANCE_MS ? aheadMs - mayBeMs : 0
  }

  take(id: string, perSecond: number, now: number): void {
    const paidUntil = Math.max(now, this.#paidUntil.get(id) ?? now)
    this.#paidUntil.set(id, paidUntil + AHEAD_MS / perSecond)
    if (this.#paidUntil.size > this.#sweepAt) this.#sweep(now)
  }

  #sweep(now: number): void {
    for (const [id, paidUntil] of this.#paidUntil) {
      if (paidUntil <= now) this.#paidUntil.delete(id)
    }
    this.#sweepAt = Math.max(SWEEP_FROM, this.#paidUntil.size * 2)
  }
}
