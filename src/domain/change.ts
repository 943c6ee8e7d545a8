import { changedFields, overlay, type Values } from './values.ts'

/** The four events that are asked about, by what the person or program is doing to the record. */
export const CHANGE_EVENTS = {
  'record.before.created': { operation: 'created', notification: 'record.created' },
  'record.before.updated': { operation: 'updated', notification: 'record.updated' },
  'record.before.deleted': { operation: 'deleted', notification: 'record.deleted' },
  'record.updating': { operation: 'updating', notification: null },
} as const

export type ChangeEvent = keyof typeof CHANGE_EVENTS

export const NOTIFICATION_EVENTS = ['record.created', 'record.updated', 'record.deleted'] as const
export type NotificationEvent = (typeof NOTIFICATION_EVENTS)[number]

/** What the gateway itself tells about a subscription. Nobody is asked, and no record is behind it. */
export const OPERATIONAL_EVENTS = ['subscription.failing', 'subscription.disabled'] as const
export type OperationalEvent = (typeof OPERATIONAL_EVENTS)[number]

export function isOperationalEvent(name: string): name is OperationalEvent {
  return OPERATIONAL_EVENTS.some((event) => event === name)
}

/** Tells an app that an account was connected or disconnected; what happened is its `action`. */
export const APPLICATION_EVENT = 'application'

/** Tells that a change was allowed although somebody who has a say could not be asked. */
export const DEGRADED_EVENT = 'approval.degraded'

export const changeEventNames = Object.keys(CHANGE_EVENTS) as [ChangeEvent, ...ChangeEvent[]]

/** Events that every account has. Others are defined by it (event-type.ts). */
export const BUILT_IN_EVENTS = [
  ...changeEventNames,
  ...NOTIFICATION_EVENTS,
  ...OPERATIONAL_EVENTS,
  APPLICATION_EVENT,
  DEGRADED_EVENT,
] as const
export type BuiltInEvent = (typeof BUILT_IN_EVENTS)[number]

export function isBuiltInEvent(name: string): name is BuiltInEvent {
  return BUILT_IN_EVENTS.some((event) => event === name)
}

/** Names that no account may give to an event of its own: those of the gateway, also of later builds. */
export function isReservedEventName(name: string): boolean {
  return isBuiltInEvent(name) || /^(record|subscription|approval|application|action)\./.test(name)
}

/** One operational event: which subscription it is about, and what is said of it. */
export type OperationalOccurrence = {
  readonly event: OperationalEvent
  readonly accountId: string
  readonly subscriptionId: string
  readonly values: Values
}

export function isChangeEvent(name: string): name is ChangeEvent {
  return Object.hasOwn(CHANGE_EVENTS, name)
}

/** Who makes the change, as the caller says it. */
export type User = {
  readonly id: string
  readonly title?: string | undefined
  readonly locale?: string | undefined
}

/** Who writes the record after an allow: the gateway, the caller, or nobody (a dry run). */
export const COMMIT_MODES = ['gateway', 'caller', 'none'] as const
export type CommitMode = (typeof COMMIT_MODES)[number]

/** One change to one record, complete: what validators are asked about and what is committed. */
export type Change = {
  readonly event: ChangeEvent
  readonly accountId: string
  readonly catalogId: string
  readonly recordId: string | undefined
  /** What changes. Absent on delete. */
  readonly values: Values | undefined
  /** The whole record before the change, where anybody knows it. */
  readonly prevValues: Values | undefined
  /** `record.updating` only: the whole form. */
  readonly allValues: Values | undefined
  readonly changedFields: readonly string[]
  readonly user: User | undefined
  readonly context: Values | undefined
}

export type ChangeDraft = Omit<Change, 'changedFields'>

/** Completes a draft with the fields that really differ. A delete changes no field. */
export function changeOf(draft: ChangeDraft): Change {
  const { event, values, prevValues } = draft
  return {
    event,
    accountId: draft.accountId,
    catalogId: draft.catalogId,
    recordId: draft.recordId,
    values,
    prevValues,
    allValues: draft.allValues,
    changedFields: event === 'record.before.deleted' ? [] : changedFields(values, prevValues),
    user: draft.user,
    context: draft.context,
  }
}

/** The record as it will be if the change goes through; on delete as it was. */
export function valuesToBe(change: Change): Values {
  if (change.event === 'record.before.deleted') return change.prevValues ?? {}
  if (change.event === 'record.updating') {
    return overlay(overlay(change.prevValues, change.allValues), change.values)
  }
  return overlay(change.prevValues, change.values)
}

/** The same change with some fields set by validators that may do so. */
export function withValues(change: Change, values: Values): Change {
  return changeOf({ ...change, values: overlay(change.values, values) })
}
