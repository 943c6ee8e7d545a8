/** What a change means in an account's own words, or what programs raise by themselves (CONTRACT.md §7). */
import {
  type CompiledCondition,
  type Condition,
  compileCondition,
  type PatternCompiler,
} from './condition.ts'
import { getOrAdd } from './maps.ts'
import { EVERY_CATALOG, type Occurrence, watches } from './matching.ts'
import type { Parameter } from './subscription.ts'

/** What a committed change did to its record. */
export const OPERATIONS = ['created', 'updated', 'deleted'] as const
export type Operation = (typeof OPERATIONS)[number]

/** In English at least; the console shows the reader's language. */
export type EventTitle = {
  readonly en: string
  readonly ru?: string | undefined
  readonly uk?: string | undefined
}

/**
 * With a catalog it is derived: each committed change that fits raises it. Without one it is raised by
 * programs, and `on`, `fields` and `conditions` are empty.
 */
export type EventType = {
  readonly name: string
  readonly title: EventTitle
  /** `*` is every catalog; null: it is raised, not derived. */
  readonly catalogId: string | null
  readonly on: readonly Operation[]
  /** Watched: raised only when one of them changes (on create: is given); [] for any. Deletes raise it anyway. */
  readonly fields: readonly string[]
  /** All must hold. */
  readonly conditions: readonly Condition[]
  /** What the event says; null: what the change says. */
  readonly data: readonly Parameter[] | null
}

export const EVENT_TYPES_PER_ACCOUNT_MAX = 500

type CompiledEventType = {
  readonly eventType: EventType
  readonly on: ReadonlySet<string>
  readonly fields: ReadonlySet<string>
  readonly conditions: readonly CompiledCondition[]
}

/** By name, and those that are derived by the catalog whose changes raise them. */
export type EventTypeIndex = {
  readonly byName: ReadonlyMap<string, EventType>
  readonly byCatalog: ReadonlyMap<string, readonly CompiledEventType[]>
}

export const NO_EVENT_TYPES: EventTypeIndex = { byName: new Map(), byCatalog: new Map() }

export function indexEventTypes(
  eventTypes: readonly EventType[],
  compilePattern: PatternCompiler,
): EventTypeIndex {
  const byCatalog = new Map<string, CompiledEventType[]>()
  for (const eventType of eventTypes) {
    if (eventType.catalogId === null) continue
    const conditions = eventType.conditions.map((one) => compileCondition(one, compilePattern))
    const on = new Set<string>(eventType.on)
    const fields = new Set(eventType.fields)
    const compiled = { eventType, on, fields, conditions }
    getOrAdd(byCatalog, eventType.catalogId, () => []).push(compiled)
  }
  return { byName: new Map(eventTypes.map((one) => [one.name, one])), byCatalog }
}

/** Whether changes of this catalog may raise any. */
export function meansSomething({ byCatalog }: EventTypeIndex, catalogId: string): boolean {
  return byCatalog.size > 0 && (byCatalog.has(catalogId) || byCatalog.has(EVERY_CATALOG))
}

/** The event types that a committed change raises. */
export function eventTypesRaisedBy(
  { byCatalog }: EventTypeIndex,
  operation: Operation,
  occurrence: Occurrence,
): readonly EventType[] {
  const own = byCatalog.get(occurrence.catalogId ?? EVERY_CATALOG) ?? []
  const every = occurrence.catalogId === EVERY_CATALOG ? [] : (byCatalog.get(EVERY_CATALOG) ?? [])
  return [...own, ...every]
    .filter(({ on, fields }) => on.has(operation) && watches(fields, occurrence))
    .filter(({ conditions }) => conditions.every((holds) => holds(occurrence)))
    .map(({ eventType }) => eventType)
}
