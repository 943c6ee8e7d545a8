/**
 * A change that was allowed although somebody who has a say could not be asked. Who made that policy answers
 * for it, and whoever lists the event hears each time that it was used.
 */
import { type Change, DEGRADED_EVENT } from './change.ts'
import { matchForNotification, type Occurrence, type SubscriptionIndex } from './matching.ts'
import type { CommittedEvent, EventBody } from './notification.ts'
import type { FailureCause, Verdict } from './verdict.ts'

/** A subscription that was not asked, and did not count, by its own failure policy. */
export type FailedOpen = {
  readonly subscriptionId: string
  readonly name: string
  readonly cause: FailureCause | undefined
}

export function failedOpen(verdicts: readonly Verdict[]): FailedOpen[] {
  return verdicts
    .filter(({ outcome, applied }) => outcome === 'failed' && applied === 'allow')
    .map(({ subscriptionId, name, cause }) => ({ subscriptionId, name, cause }))
}

export type DegradedDecision = {
  readonly change: Change
  /** Of the record that was written, where the change did not name it. */
  readonly recordId: string | undefined
  readonly decisionId: string
  readonly passedBy: readonly FailedOpen[]
}

/** What is told of it: which decision, whose, about what and who was passed by; nothing of the record. */
export function degradedBody({ change, recordId, ...told }: DegradedDecision): EventBody {
  return {
    event: DEGRADED_EVENT,
    accountId: change.accountId,
    catalogId: change.catalogId,
    recordId: recordId ?? change.recordId,
    values: { decisionId: told.decisionId, change: change.event, verdicts: told.passedBy },
    prevValues: undefined,
    changedFields: [],
    user: change.user,
    context: undefined,
    decisionId: told.decisionId,
  }
}

/** The event to store; null when nobody listens. No field has changed, so watched ones have no say. */
export function degradedEvent(
  decision: DegradedDecision,
  index: SubscriptionIndex,
): CommittedEvent | null {
  const body = degradedBody(decision)
  const occurrence: Occurrence = {
    catalogId: body.catalogId,
    changesFields: false,
    valuesToBe: body.values ?? {},
    prevValues: undefined,
    changedFields: [],
    user: body.user,
    context: undefined,
  }
  const subscriptionIds = matchForNotification(index, DEGRADED_EVENT, occurrence)
  return subscriptionIds.length === 0 ? null : { subscriptionIds, body }
}
