/** What is told after a commit, and the neutral message that every dialect turns into its own bytes. */
import {
  APPLICATION_EVENT,
  CHANGE_EVENTS,
  type Change,
  type OperationalOccurrence,
  type User,
} from './change.ts'
import {
  type EventType,
  type EventTypeIndex,
  eventTypesRaisedBy,
  meansSomething,
} from './event-type.ts'
import {
  hasListeners,
  matchForNews,
  matchForNotification,
  type Occurrence,
  occurrenceOf,
  type SubscriptionIndex,
} from './matching.ts'
import { readPointer } from './pointer.ts'
import { MASK, type Parameter } from './subscription.ts'
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
  /** Values for those who are told and for nobody else: kept encrypted, never read back. */
  readonly secrets?: Readonly<Record<string, string>> | undefined
  /** The record that it told of was erased, and it is told no more. */
  readonly erased?: true | undefined
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

/** An event with its id, ready to be stored. */
export type NamedEvent = CommittedEvent & { readonly id: string }

/** What a committed change gives rise to: its own event, then those that it means to the account. */
export type Aftermath = {
  readonly recordId: string | undefined
  readonly decisionId: string
  readonly index: SubscriptionIndex
  readonly eventTypes: EventTypeIndex
}

/** The events to store with the commit: those that some subscription is told of. */
export function committedEvents(change: Change, aftermath: Aftermath): readonly CommittedEvent[] {
  const { notification, operation } = CHANGE_EVENTS[change.event]
  if (notification === null) return NOTHING
  const { index, eventTypes } = aftermath
  const { catalogId } = change
  // Nobody listens to most changes of most catalogs.
  if (!hasListeners(index, notification, catalogId) && !meansSomething(eventTypes, catalogId)) {
    return NOTHING
  }
  const occurrence = occurrenceOf(change)
  const own = matchForNotification(index, notification, occurrence)
  const raised = eventTypesRaisedBy(eventTypes, operation, occurrence)
  if (own.length === 0 && raised.length === 0) return NOTHING
  const body = bodyOf(change, notification, aftermath)
  const events = own.length === 0 ? [] : [{ subscriptionIds: own, body }]
  for (const eventType of raised) {
    const subscriptionIds = toldOf(eventType.name, occurrence, index)
    if (subscriptionIds.length > 0) {
      events.push({
        subscriptionIds,
        body: derivedBody({ ...body, event: eventType.name }, eventType),
      })
    }
  }
  return events
}

/**
 * An event that is named after another catalog than the one whose change raised it (`client_payed_sum.changed`,
 * of a transaction) is news of both.
 */
function toldOf(event: string, occurrence: Occurrence, index: SubscriptionIndex): string[] {
  const own = matchForNotification(index, event, occurrence)
  const catalogId = event.slice(0, Math.max(0, event.lastIndexOf('.')))
  if (catalogId === '' || catalogId === occurrence.catalogId) return [...own]
  const others = matchForNotification(index, event, { ...occurrence, catalogId })
  return [...new Set([...own, ...others])]
}

const NOTHING: readonly CommittedEvent[] = []

/** How many are told. */
export function notificationsOf(events: readonly CommittedEvent[]): number {
  return events.reduce((count, { subscriptionIds }) => count + subscriptionIds.length, 0)
}

function bodyOf(change: Change, event: string, { recordId, decisionId }: Aftermath): EventBody {
  const { accountId, catalogId, values, prevValues, changedFields, user, context } = change
  return {
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
  }
}

/** With chosen data an event says just that; otherwise what the change says. */
function derivedBody(body: EventBody, { data }: EventType): EventBody {
  if (data === null) return body
  return { ...body, values: chosen(body, data), prevValues: undefined }
}

/** Members of an event's standard payload (DIALECTS.md), as far as it exists before anybody is told. */
function chosen({ event, ...data }: EventBody, parameters: readonly Parameter[]): Values {
  const payload = { type: event, data }
  return Object.fromEntries(
    parameters.flatMap(({ name, from }) => {
      const value = readPointer(payload, from)
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

/** An event that a program raises (CONTRACT.md §7). */
export type RaisedEvent = {
  readonly eventType: EventType
  readonly accountId: string
  readonly data: Values
  readonly user: User | undefined
  readonly recordId: string | undefined
  readonly catalogId: string | undefined
}

/** The event to store, also where nobody is told of it: whoever raised it finds it in the log. */
export function raisedEvent(raised: RaisedEvent, index: SubscriptionIndex): CommittedEvent {
  const { eventType, accountId, data, user, recordId, catalogId } = raised
  const said: EventBody = {
    event: eventType.name,
    accountId,
    catalogId,
    recordId,
    values: data,
    prevValues: undefined,
    changedFields: Object.keys(data),
    user,
    context: undefined,
    decisionId: undefined,
  }
  const body = derivedBody(said, eventType)
  const occurrence: Occurrence = {
    catalogId,
    changesFields: true,
    valuesToBe: body.values ?? {},
    prevValues: undefined,
    changedFields: said.changedFields,
    user,
    context: undefined,
  }
  return { subscriptionIds: matchForNotification(index, eventType.name, occurrence), body }
}

/** An account was connected to an app, or disconnected from it (CONTRACT.md §9). */
export type ApplicationOccurrence = {
  readonly accountId: string
  readonly appId: string
  readonly action: 'added' | 'removed'
  readonly userId: string
  /** Null where it is not told. */
  readonly accessToken: string | null
}

/** Its record is the app. The members of `values` are Poster's, whose apps read them by these names. */
export function applicationBody(occurrence: ApplicationOccurrence): EventBody {
  const { accountId, appId, action, userId, accessToken } = occurrence
  const token = accessToken === null ? {} : { access_token: MASK }
  return {
    event: APPLICATION_EVENT,
    accountId,
    catalogId: undefined,
    recordId: appId,
    values: { action, user_id: userId, ...token },
    prevValues: undefined,
    changedFields: [],
    user: { id: userId },
    context: undefined,
    decisionId: undefined,
    secrets: accessToken === null ? undefined : { access_token: accessToken },
  }
}

/** All that somebody who is leaving is told of. */
export function isFarewell({ event, values }: EventBody): boolean {
  return event === APPLICATION_EVENT && values?.['action'] === 'removed'
}

/**
 * The app's own subscriptions are told with the token; the account's others that listen hear that it
 * happened, and those of other apps hear nothing.
 */
export function applicationEvent(
  occurrence: ApplicationOccurrence,
  own: readonly string[],
  index: SubscriptionIndex,
): readonly CommittedEvent[] {
  const told = { subscriptionIds: own, body: applicationBody(occurrence) }
  const body = applicationBody({ ...occurrence, accessToken: null })
  const { values = {} } = body
  const others = matchForNews(index, { event: APPLICATION_EVENT, about: null, values }).filter(
    (id) => index.byId.get(id)?.installationId === null,
  )
  return [told, { subscriptionIds: others, body }].filter(
    ({ subscriptionIds }) => subscriptionIds.length > 0,
  )
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
  const { event, subscriptionId: about } = occurrence
  const subscriptionIds = matchForNews(index, { event, about, values })
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
