import { type Catalog, clearedComplaints, valueComplaints } from './catalog.ts'
import { mayChangeField, type Subscription } from './subscription.ts'
import { deepEqual, pick, type Values } from './values.ts'
import type { Answer, TimedAnswer } from './verdict.ts'

/** A field for which subscriptions suggested different values; ids of the one taken and the others. */
export type Conflict = {
  readonly field: string
  readonly chosen: string
  readonly others: readonly string[]
}

export type Merged = {
  readonly values: Values
  /** The subscription whose value was taken, by field. */
  readonly by: Readonly<Record<string, string>>
  readonly conflicts: readonly Conflict[]
}

/**
 * An allow whose values the catalog would not take is no usable reply: it is judged by the failure policy, like any
 * other reply that cannot be understood. A deny stays one, without its values: no mistake in what it suggests may
 * let the change through. Fields that it may not change do not count.
 */
export function withFittingValues(
  timed: TimedAnswer,
  catalog: Catalog,
  mayChange: (field: string) => boolean,
): TimedAnswer {
  const { answer } = timed
  if ((answer.kind !== 'allow' && answer.kind !== 'deny') || answer.values === undefined)
    return timed
  const allowed = Object.keys(answer.values).filter(mayChange)
  const values = pick(answer.values, allowed)
  const complaints = [...valueComplaints(catalog, values), ...clearedComplaints(catalog, values)]
  const [first] = complaints
  if (first === undefined) return timed
  if (answer.kind === 'deny') return { ...timed, answer: { ...answer, values: undefined } }
  const detail = `it would set values that the catalog does not take: ${first.pointer} ${first.message}`
  return { ...timed, answer: { kind: 'failed', cause: 'bad_reply', remarks: [], detail } }
}

type Suggestion = { readonly subscription: Subscription; readonly answer: Answer }

/**
 * Merges what validators would set, in plan order: the first to name a field wins, equal values are no
 * conflict, fields that a subscription may not change are ignored.
 */
export function mergeSuggestions(suggestions: readonly Suggestion[], isUpdating: boolean): Merged {
  const chosen = new Map<string, { value: unknown; by: string; others: string[] }>()
  for (const { subscription, answer } of suggestions) {
    const suggests = answer.kind === 'allow' || (isUpdating && answer.kind === 'deny')
    if (!suggests || answer.values === undefined) continue
    for (const [field, value] of Object.entries(answer.values)) {
      if (!mayChangeField(subscription.mayChange, isUpdating, field)) continue
      const earlier = chosen.get(field)
      if (earlier === undefined) chosen.set(field, { value, by: subscription.id, others: [] })
      else if (!deepEqual(earlier.value, value)) earlier.others.push(subscription.id)
    }
  }
  return {
    values: Object.fromEntries([...chosen].map(([field, { value }]) => [field, value])),
    by: Object.fromEntries([...chosen].map(([field, { by }]) => [field, by])),
    conflicts: [...chosen]
      .filter(([, { others }]) => others.length > 0)
      .map(([field, { by, others }]) => ({ field, chosen: by, others })),
  }
}
