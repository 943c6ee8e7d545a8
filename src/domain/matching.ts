/**
 * Which subscriptions a change concerns. An account's subscriptions are compiled once into an index by
 * event and catalog, so that the thousands that have nothing to do with a change cost nothing.
 */
import type { Change, OperationalOccurrence } from './change.ts'
import { valuesToBe } from './change.ts'
import {
  type CompiledCondition,
  type ConditionSubject,
  compileCondition,
  type PatternCompiler,
} from './condition.ts'
import { isTold } from './dialect-rules.ts'
import { getOrAdd } from './maps.ts'
import type { Subscription } from './subscription.ts'

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

/** The subscriptions listing this event for this catalog, in plan order, each with match or reason. */
export function matchSubscriptions(index: SubscriptionIndex, event: string, change: Change): Match {
  const bucket = bucketFor(index, event, change.catalogId)
  if (bucket.length === 0) return NOBODY
  const subject: ConditionSubject = { change, valuesToBe: valuesToBe(change) }
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
/** As a subscription's catalog id. */
const EVERY_CATALOG = '*'

function bucketFor(index: SubscriptionIndex, event: string, catalogId: string): Bucket {
  const byCatalog = index.buckets.get(event)
  if (byCatalog === undefined) return EMPTY
  const own = byCatalog.get(catalogId) ?? EMPTY
  const every = catalogId === EVERY_CATALOG ? EMPTY : (byCatalog.get(EVERY_CATALOG) ?? EMPTY)
  if (every.length === 0) return own
  if (own.length === 0) return every
  return [...own, ...every].sort((a, b) => inPlanOrder(a.subscription, b.subscription))
}

function mismatchOf(candidate: CompiledSubscription, subject: ConditionSubject): Mismatch | null {
  return candidate.subscription.active ? filterMismatch(candidate, subject) : { reason: 'inactive' }
}

/** What the subscription's own filters say, whether it is active or not. */
function filterMismatch(
  candidate: CompiledSubscription,
  subject: ConditionSubject,
): Mismatch | null {
  if (!watches(candidate.fields, subject.change)) return { reason: 'fields' }
  if (!isInitiatedBy(candidate.initiators, subject.change)) return { reason: 'initiator' }
  const failed = candidate.conditions.findIndex((holds) => !holds(subject))
  return failed === -1 ? null : { reason: 'condition', conditionIndex: failed }
}

/** Watched fields are ignored on delete; on create a field counts when it is present. */
function watches(fields: ReadonlySet<string>, change: Change): boolean {
  if (fields.size === 0 || change.event === 'record.before.deleted') return true
  return change.changedFields.some((field) => fields.has(field))
}

function isInitiatedBy(initiators: ReadonlySet<string>, change: Change): boolean {
  if (initiators.size === 0) return true
  return change.user !== undefined && initiators.has(change.user.id)
}

/**
 * Who is told after the commit. An inactive subscription whose filters fit counts too: its notification
 * is held for it until it is enabled again.
 */
export function matchForNotification(
  index: SubscriptionIndex,
  event: string,
  change: Change,
): readonly string[] {
  const bucket = bucketFor(index, event, change.catalogId)
  if (bucket.length === 0) return []
  const subject: ConditionSubject = { change, valuesToBe: valuesToBe(change) }
  return bucket
    .filter(({ subscription }) => isTold(subscription.dialect, event, change))
    .filter((candidate) => filterMismatch(candidate, subject) === null)
    .map((candidate) => candidate.subscription.id)
}

/**
 * Who is told of what happened to a subscription. It belongs to no catalog, nobody did it and no field
 * changed, so these have no say. A subscription is not told that it fails, and one that is off gets
 * nothing held for it: by then it would be news of yesterday.
 */
export function matchForOperational(
  index: SubscriptionIndex,
  { event, accountId, subscriptionId, values }: OperationalOccurrence,
): readonly string[] {
  // Conditions look at values and fields only, never at the kind of change that they belong to.
  const change: Change = {
    event: 'record.before.updated',
    accountId,
    catalogId: EVERY_CATALOG,
    recordId: subscriptionId,
    values,
    prevValues: undefined,
    allValues: undefined,
    changedFields: [],
    user: undefined,
    context: undefined,
  }
  const subject: ConditionSubject = { change, valuesToBe: values }
  return [...(index.buckets.get(event)?.values() ?? [])]
    .flat()
    .filter(({ subscription }) => subscription.active && subscription.id !== subscriptionId)
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
