/** What is told after a commit, and the neutral message that every dialect turns into its own bytes. */
import { CHANGE_EVENTS, type Change, type NotificationEvent, type User } from './change.ts'
import { matchForNotification, type SubscriptionIndex } from './matching.ts'
import type { Values } from './values.ts'

/** The content of one event, as it is stored once and sent to everyone who is told. */
export type EventBody = {
  readonly event: string
  readonly accountId: string
  readonly catalogId: string
  readonly recordId: string | undefined
  readonly values: Values | undefined
  readonly prevValues: Values | undefined
  readonly changedFields: readonly string[]
  readonly user: User | undefined
  readonly context: Values | undefined
  readonly decisionId: string
}

/** What a dialect encodes, be it a request before the commit or a notification after it. */
export type NeutralMessage = Omit<EventBody, 'event'> & {
  /** Stable over retries; no `.` in it. */
  readonly id: string
  readonly event: string
  /** Milliseconds since 1970 of the event. */
  readonly occurredAtMs: number
  readonly allValues: Values | undefined
  /** Null where this dialect counts no requests. */
  readonly sequenceId: number | null
  readonly subscriptionId: string
  readonly dryRun: boolean
  /** Milliseconds since 1970 by which the reply must be here; null for notifications. */
  readonly deadlineAtMs: number | null
}

export type CommittedEvent = {
  readonly body: EventBody
  readonly subscriptionIds: readonly string[]
}

/** The after-event that a change gives rise to, if any. */
export function notificationEventOf(change: Change): NotificationEvent | null {
  return CHANGE_EVENTS[change.event].notification
}

/** The event to store with the commit; null when no subscription would be told. */
export function committedEvent(
  change: Change,
  recordId: string | undefined,
  decisionId: string,
  index: SubscriptionIndex,
): CommittedEvent | null {
  const event = notificationEventOf(change)
  if (event === null) return null
  const subscriptionIds = matchForNotification(index, event, change)
  if (subscriptionIds.length === 0) return null
  const { accountId, catalogId, values, prevValues, changedFields, user, context } = change
  return {
    subscriptionIds,
    body: {
      event,
      accountId,
      catalogId,
      recordId,
      values,
      prevValues,
      changedFields,
      user,
      context,
      decisionId,
    },
  }
}

export const DELIVERY_STATES = [
  'waiting',
  'ready',
  'sending',
  'retrying',
  'delivered',
  'dead',
  'cancelled',
  'held',
] as const
export type DeliveryState = (typeof DELIVERY_STATES)[number]

/** What a receiver's reply to a notification asks for. */
export type DeliveryOutcome = 'delivered' | 'retry' | 'disable' | 'abort'
