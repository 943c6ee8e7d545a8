import { unreachable } from '../../domain/problem.ts'
import { nextDelayMs, type RetryPolicy } from '../../domain/retry.ts'
import type { ClaimedDelivery, Settlement } from '../delivery-store.ts'
import type { DispatchResult } from '../ports.ts'

/** What an attempt makes of its delivery. `random`: 0 ≤ random < 1. */
export function judge(
  delivery: ClaimedDelivery,
  policy: RetryPolicy,
  result: DispatchResult,
  random: number,
): Settlement {
  const { outcome, status, retryAfterMs } = result
  switch (outcome) {
    case 'delivered':
    case 'delivered_last':
      return { delivery, state: 'delivered', retryInMs: null, sign: 'success', result }
    // It answered, and said what it wants.
    case 'abort':
      return { delivery, state: 'cancelled', retryInMs: null, sign: 'success', result }
    case 'disable':
      return { delivery, state: 'held', retryInMs: null, sign: 'neither', result }
    case 'broken_off':
      return { delivery, state: 'retrying', retryInMs: 0, sign: 'neither', result }
    case 'retry': {
      const failures = delivery.failures + 1
      const retryInMs = nextDelayMs(policy, { failures, status, retryAfterMs, random })
      const state = retryInMs === null ? 'dead' : 'retrying'
      const sign = result.isOnTheWay === true ? 'neither' : 'failure'
      return { delivery, state, retryInMs, sign, result }
    }
    default:
      return unreachable(outcome)
  }
}

/** The rest of a settlement of what was not sent, since its subscription is off or gone. */
export const NOT_SENT = { retryInMs: null, sign: 'neither', result: null } as const
