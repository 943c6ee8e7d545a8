/** What is told after a commit, and the neutral message that every dialect turns into its own bytes. */
import {
  CHANGE_EVENTS,
  type Change,
  type NotificationEvent,
  type OperationalOccurrence,
  type User,
} from './change.ts'
import { matchForNotification, matchForOperational, type SubscriptionIndex } from './matching.ts'
import type { Values } from './values.ts'

/** The content of one event, as it is stored once and sent to everyone who is told. */
export type EventBody = {
  readonly event: string
  readonly accountId: string
  /** Undefined where the event is about no record. */
  readonly catalogId: string | undefined
  readonly recordId: string | undefined
  readonly values: Values | undefined
  readonly prevValues: Values | undefined
  readonly changedFields: readonly string[]
  readonly user: User | undefined
  readonly context: Values | undefined
  /** Undefined where nothing was decided. */
  readonly decisionId: string | undefined
}

/** What a dialect encodes, be it a request before the commit or a notification after it. */
export type NeutralMessage = Omit<EventBody, 'event'> & {
  /** Stable over retries; no `.` in it. */
  readonly id: string
  readonly event: string
  /** Null for an account without one, and in questions. */
  readonly accountNumber: string | null
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

/** What an operational event says. Its record is the subscription that it is about. */
export function operationalBody(occurrence: OperationalOccurrence): EventBody {
  const { event, accountId, subscriptionId, values } = occurrence
  return {
    event,
    accountId,
    catalogId: undefined,
    recordId: subscriptionId,
    values: { subscriptionId, ...values },
    prevValues: undefined,
    changedFields: [],
    user: undefined,
    context: undefined,
    decisionId: undefined,
  }
}

/** The operational event to store; null when nobody listens. */
export function operationalEvent(
  occurrence: OperationalOccurrence,
  index: SubscriptionIndex,
): CommittedEvent | null {
  const body = operationalBody(occurrence)
  const { values = {} } = body
  const subscriptionIds = matchForOperational(index, { ...occurrence, values })
  return subscriptionIds.length === 0 ? null : { subscriptionIds, body }
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

/** Nothing happens to these any more unless somebody asks for it. */
export const ENDED_STATES = ['delivered', 'dead', 'cancelled'] as const satisfies DeliveryState[]
export type EndedState = (typeof ENDED_STATES)[number]

/** What a receiver's reply to a notification asks for: `delivered_last` took this one and wants no more. */
export type DeliveryOutcome = 'delivered' | 'delivered_last' | 'retry' | 'disable' | 'abort'
