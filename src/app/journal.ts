/**
 * The catalogue of what the gateway says about itself. Each event becomes a log line, a metric or both;
 * none carries record values or secrets.
 */
import type { ActionFailure } from '../domain/action.ts'
import type { ChangeEvent, CommitMode } from '../domain/change.ts'
import type { DeliveryState } from '../domain/notification.ts'
import type { ProblemCode } from '../domain/problem.ts'
import type { FailureCause, Verdict } from '../domain/verdict.ts'

export type JournalEvent =
  /** The one line for each approval that was answered with a decision. */
  | {
      readonly kind: 'approval.decided'
      readonly decisionId: string
      readonly requestId: string
      readonly accountId: string
      readonly event: ChangeEvent
      readonly catalogId: string
      readonly recordId: string | undefined
      readonly decision: 'allow' | 'deny' | 'confirm'
      readonly commit: CommitMode
      readonly committed: boolean
      readonly degraded: boolean
      readonly rounds: number
      readonly verdicts: readonly Verdict[]
      readonly totalMs: number
      readonly validatorsMs: number
      readonly commitMs: number
    }
  /** Shadow validators that were still out when a decision was made have answered. */
  | {
      readonly kind: 'approval.amended'
      readonly decisionId: string
      readonly accountId: string
      /** Theirs alone. */
      readonly verdicts: readonly Verdict[]
    }
  /** An approval that ended in a problem instead of a decision. */
  | {
      readonly kind: 'approval.failed'
      readonly requestId: string
      readonly accountId: string
      readonly event: ChangeEvent
      readonly code: ProblemCode
      readonly totalMs: number
    }
  /** A write that was turned away before anything was read of it, because the gateway was full. */
  | { readonly kind: 'request.shed' }
  /** One that came past the rate of its key, or of its account. */
  | { readonly kind: 'request.limited'; readonly by: 'key' | 'account' }
  | {
      readonly kind: 'call.ended'
      readonly accountId: string
      readonly subscriptionId: string
      readonly outcome: Verdict['outcome']
      readonly cause: FailureCause | undefined
      readonly durationMs: number
    }
  | {
      readonly kind: 'breaker.changed'
      readonly subscriptionId: string
      readonly state: 'closed' | 'open' | 'halfOpen'
    }
  | { readonly kind: 'subscription.forgotten'; readonly subscriptionId: string }
  | { readonly kind: 'commit.flushed'; readonly items: number; readonly durationMs: number }
  | { readonly kind: 'commit.fell_apart'; readonly items: number; readonly error: unknown }
  | { readonly kind: 'log.flushed'; readonly items: number; readonly durationMs: number }
  | { readonly kind: 'log.dropped'; readonly items: number; readonly error: unknown }
  | {
      readonly kind: 'delivery.attempted'
      readonly deliveryId: string
      readonly accountId: string
      readonly subscriptionId: string
      readonly sequenceId: number
      readonly state: DeliveryState
      readonly status: number | undefined
      readonly error: string | null
      readonly durationMs: number
      /** From the commit to the end of this attempt. */
      readonly ageMs: number
    }
  /** A person has pressed a button, and this came of it. */
  | {
      readonly kind: 'action.ended'
      readonly requestId: string
      readonly accountId: string
      readonly actionId: string
      readonly catalogId: string
      readonly recordId: string
      readonly status: 'done' | 'failed'
      readonly cause: ActionFailure | undefined
      readonly httpStatus: number | undefined
      readonly durationMs: number
    }
  | { readonly kind: 'relay.stumbled'; readonly step: string; readonly error: unknown }
  /** What a gateway that is no more was sending is sent again. */
  | { readonly kind: 'deliveries.reaped'; readonly count: number }
  /** Something has moved deliveries past the relay. */
  | { readonly kind: 'deliveries.mended'; readonly count: number }
  /** No success for a part of the time after which it is disabled. */
  | {
      readonly kind: 'subscription.failing'
      readonly accountId: string
      readonly subscriptionId: string
      readonly percent: number
      readonly failingMs: number
    }
  | {
      readonly kind: 'subscription.disabled'
      readonly accountId: string
      readonly subscriptionId: string
      readonly reason: string
    }
  | { readonly kind: 'store.trouble'; readonly error: unknown }
  | { readonly kind: 'request.crashed'; readonly requestId: string; readonly error: unknown }
  | { readonly kind: 'process'; readonly message: string; readonly level: 'info' | 'warn' }
