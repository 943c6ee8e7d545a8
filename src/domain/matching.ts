/**
 * Which subscriptions a change concerns. An account's subscriptions are compiled once into an index by
 * event and catalog, so that the thousands that have nothing to do with a change cost nothing.
 */
import { type Change, valuesToBe } from './change.ts'
import {
  type CompiledCondition,
  type ConditionSubject,
  compileCondition,
  type PatternCompiler,
} from './condition.ts'
import { isTold } from './dialect-rules.ts'
import { getOrAdd } from './maps.ts'
import type { Subscription } from './subscription.ts'
import type { Values } from './values.ts'

/** Why a subscription was not concerned, in the order in which the reasons are looked at. */
export type Mismatch =
  | { readonly reason: 'event' }
  | { readonly reason: 'catalog' }
  | { readonly reason: 'inactive' }
  | { readonly reason: 'fields' }
  | { readonly reason: 'initiator' }
  | { readonly reason: 'condition'; readonly conditionIndex: number }

/** A subscription that was looked at, with the reason why it is not concerned (null: it is). */
export type Considered = {
  readonly subscriptionId: string
  readonly name: string
  readonly mismatch: Mismatch | null
}

type CompiledSubscription = {
  readonly subscription: Subscription
  readonly fields: ReadonlySet<string>
  readonly initiators: ReadonlySet<string>
  readonly conditions: readonly CompiledCondition[]
}

type Bucket = readonly CompiledSubscription[]

export type SubscriptionIndex = {
  /** By event, then by catalog id; `*` holds those for every catalog. Buckets are in plan order. */
  readonly buckets: ReadonlyMap<string, ReadonlyMap<string, Bucket>>
  /** Also those that are leaving, which no event concerns any more. */
  readonly byId: ReadonlyMap<string, Subscription>
}

export type Match = {
  readonly matched: readonly Subscription[]
  readonly considered: readonly Considered[]
}

/** Plan order: the administrator's number, then creation, then id so that it is total. */
function inPlanOrder(left: Subscription, right: Subscription): number {
  return (
    left.order - right.order ||
    Date.parse(left.createdAt) - Date.parse(right.createdAt) ||
    (left.id < right.id ? -1 : 1)
  )
}

export function indexSubscriptions(
  subscriptions: readonly Subscription[],
  compilePattern: PatternCompiler,
): SubscriptionIndex {
  const buckets = new Map<string, Map<string, CompiledSubscription[]>>()
  for (const subscription of [...subscriptions].sort(inPlanOrder)) {
    if (subscription.leavingSince !== null) continue
    const compiled = compile(subscription, compilePattern)
    for (const event of new Set(subscription.events)) {
      const byCatalog = getOrAdd(buckets, event, () => new Map<string, CompiledSubscription[]>())
      getOrAdd(byCatalog, subscription.catalogId, () => []).push(compiled)
    }
  }
  return { buckets, byId: new Map(subscriptions.map((one) => [one.id, one])) }
}

function compile(subscription: Subscription, compilePattern: PatternCompiler) {
  return {
    subscription,
    fields: new Set(subscription.fields),
    initiators: new Set(subscription.initiators),
    conditions: subscription.conditions.map((one) => compileCondition(one, compilePattern)),
  }
}

/** What filters look at: a change, or an event that no change of a record gave rise to. */
export type Occurrence = ConditionSubject & {
  readonly catalogId: string | undefined
  /** A delete changes no field, and concerns those who watch some all the same. */
  readonly changesFields: boolean
}

export function occurrenceOf(change: Change): Occurrence {
  return {
    catalogId: change.catalogId,
    changesFields: change.event !== 'record.before.deleted',
    valuesToBe: valuesToBe(change),
    prevValues: change.prevValues,
    changedFields: change.changedFields,
    user: change.user,
    context: change.context,
  }
}

/** The subscriptions listing this event for this catalog, in plan order, each with match or reason. */
export function matchSubscriptions(index: SubscriptionIndex, event: string, change: Change): Match {
  const bucket = bucketFor(index, event, change.catalogId)
  if (bucket.length === 0) return NOBODY
  const subject = occurrenceOf(change)
  const matched: Subscription[] = []
  const considered: Considered[] = []
  for (const candidate of bucket) {
    const mismatch = mismatchOf(candidate, subject)
    const { subscription } = candidate
    if (mismatch === null) matched.push(subscription)
    considered.push({ subscriptionId: subscription.id, name: subscription.name, mismatch })
  }
  return { matched, considered }
}

const NOBODY: Match = { matched: [], considered: [] }
const EMPTY: Bucket = []
/** As a subscription's catalog id, or an event type's. */
export const EVERY_CATALOG = '*'

/** Where nothing is said of a catalog, only those who look at every catalog are concerned. */
function bucketFor(
  index: SubscriptionIndex,
  event: string,
  catalogId: string = EVERY_CATALOG,
): Bucket {
  const byCatalog = index.buckets.get(event)
  if (byCatalog === undefined) return EMPTY
  const own = byCatalog.get(catalogId) ?? EMPTY
  const every = catalogId === EVERY_CATALOG ? EMPTY : (byCatalog.get(EVERY_CATALOG) ?? EMPTY)
  if (every.length === 0) return own
  if (own.length === 0) return every
  return [...own, ...every].sort((a, b) => inPlanOrder(a.subscription, b.subscription))
}

function mismatchOf(candidate: CompiledSubscription, subject: Occurrence): Mismatch | null {
  return candidate.subscription.active ? filterMismatch(candidate, subject) : { reason: 'inactive' }
}

/** What the subscription's own filters say, whether it is active or not. */
function filterMismatch(candidate: CompiledSubscription, subject: Occurrence): Mismatch | null {
  if (!watches(candidate.fields, subject)) return { reason: 'fields' }
  if (!isInitiatedBy(candidate.initiators, subject)) return { reason: 'initiator' }
  const failed = candidate.conditions.findIndex((holds) => !holds(subject))
  return failed === -1 ? null : { reason: 'condition', conditionIndex: failed }
}

/** Whether a watched field changes; on create it counts when it is present. None watched: any does. */
export function watches(fields: ReadonlySet<string>, subject: Occurrence): boolean {
  if (fields.size === 0 || !subject.changesFields) return true
  return subject.changedFields.some((field) => fields.has(field))
}

function isInitiatedBy(initiators: ReadonlySet<string>, { user }: Occurrence): boolean {
  if (initiators.size === 0) return true
  return user !== undefined && initiators.has(user.id)
}

/** Whether anybody lists this event for this catalog. */
export function hasListeners(index: SubscriptionIndex, event: string, catalogId: string): boolean {
  return bucketFor(index, event, catalogId).length > 0
}

/**
 * Who is told of an event. An inactive subscription whose filters fit counts too: its notification is held
 * for it until it is enabled again.
 */
export function matchForNotification(
  index: SubscriptionIndex,
  event: string,
  occurrence: Occurrence,
): readonly string[] {
  return bucketFor(index, event, occurrence.catalogId)
    .filter(({ subscription }) => isTold(subscription.dialect, event, occurrence))
    .filter((candidate) => filterMismatch(candidate, occurrence) === null)
    .map((candidate) => candidate.subscription.id)
}

/** What happened to the account's own settings. */
export type News = {
  readonly event: string
  /** The subscription that it happened to, if any. */
  readonly about: string | null
  readonly values: Values
}

/**
 * Who is told of news. They belong to no catalog, nobody's change gave rise to them and no field changed,
 * so these have no say. A subscription is not told that it fails, and one that is off gets nothing held for
 * it: by then it would be news of yesterday.
 */
export function matchForNews(
  index: SubscriptionIndex,
  { event, about, values }: News,
): readonly string[] {
  const subject: ConditionSubject = {
    valuesToBe: values,
    prevValues: undefined,
    changedFields: [],
    user: undefined,
    context: undefined,
  }
  return [...(index.buckets.get(event)?.values() ?? [])]
    .flat()
    .filter(({ subscription }) => subscription.active && subscription.id !== about)
    .filter(({ conditions }) => conditions.every((holds) => holds(subject)))
    .map(({ subscription }) => subscription.id)
}

/** The rest of the account's subscriptions, for the reader of a decision: wrong event or wrong catalog. */
export function unconsidered(
  index: SubscriptionIndex,
  event: string,
  catalogId: string,
): readonly Considered[] {
  return [...index.byId.values()].flatMap((subscription): Considered[] => {
    if (subscription.leavingSince !== null) return []
    const { id: subscriptionId, name } = subscription
    if (!subscription.events.includes(event)) {
      return [{ subscriptionId, name, mismatch: { reason: 'event' } }]
    }
    if (subscription.catalogId !== catalogId && subscription.catalogId !== '*') {
      return [{ subscriptionId, name, mismatch: { reason: 'catalog' } }]
    }
    return []
  })
}
