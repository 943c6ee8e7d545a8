/** What the use cases need of decisions that were made. The other half of the store is store.ts. */
import type { CommitMode } from '../domain/change.ts'
import type { Decision, Finding } from '../domain/decision.ts'
import type { Considered } from '../domain/matching.ts'
import type { DeliveryState } from '../domain/notification.ts'
import type { Values } from '../domain/values.ts'
import type { Verdict } from '../domain/verdict.ts'
import type { ApprovalState, DecisionTiming, Page, TimelineEntry } from './store.ts'

export type DecisionView = {
  readonly id: string
  readonly event: string
  readonly catalogId: string
  readonly recordId: string | null
  readonly decision: Decision['decision']
  readonly committed: boolean
  readonly commit: CommitMode
  readonly state: ApprovalState | null
  readonly degraded: boolean
  readonly generation: number
  readonly versionBefore: number | null
  readonly versionAfter: number | null
  readonly user: Values | null
  readonly values: Values | null
  readonly prevValues: Values | null
  readonly changedFields: readonly string[]
  readonly context: Values | null
  readonly message: Finding['message'] | null
  readonly errors: readonly Finding[]
  readonly warnings: readonly Finding[]
  readonly infos: readonly Finding[]
  readonly verdicts: readonly Verdict[]
  readonly suggestions: Values
  readonly suggestedBy: Decision['suggestedBy']
  readonly conflicts: Decision['conflicts']
  readonly considered: readonly Considered[]
  readonly timeline: readonly TimelineEntry[]
  readonly timing: DecisionTiming
  readonly requestId: string
  readonly decidedAt: string
}

export type DecisionFilter = {
  readonly decision?: Decision['decision'] | undefined
  readonly catalogId?: string | undefined
  readonly recordId?: string | undefined
  readonly subscriptionId?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
  /** Somewhere in its texts, its record's id or its user, in whatever case. */
  readonly text?: string | undefined
  /** Those that came after this one: made later, or made before and decided later. */
  readonly after?: string | undefined
}

/** Somebody who was told because of a decision. */
export type ToldView = {
  /** Of the delivery. */
  readonly id: string
  readonly event: string
  readonly subscriptionId: string
  /** Null until the delivery is planned, which is a moment after the commit. */
  readonly sequenceId: number | null
  readonly state: DeliveryState | null
}

export interface Decisions {
  read(accountId: string, decisionId: string): Promise<DecisionView | null>
  told(accountId: string, decisionId: string): Promise<readonly ToldView[]>
  /** Newest first. With a text only so many of the newest are looked at. */
  list(accountId: string, filter: DecisionFilter, page: Page): Promise<readonly DecisionView[]>
}
