/** The verbs of those who say what the changes of their records mean. */
import { type Condition, conditionComplaints, type PatternCompiler } from '../domain/condition.ts'
import { type EventType, OPERATIONS, type Operation } from '../domain/event-type.ts'
import { isPointer, pointerTo } from '../domain/pointer.ts'
import { type Complaint, Problem } from '../domain/problem.ts'
import type { Parameter } from '../domain/subscription.ts'
import type { EventTypes, Page } from './store.ts'

export type EventTypePorts = {
  readonly eventTypes: EventTypes
  readonly compilePattern: PatternCompiler
}

/** As it is sent: what is left out is not asked for. */
export type EventTypeDraft = Pick<EventType, 'name' | 'title'> & EventTypePatch

export type EventTypePatch = {
  readonly title?: EventType['title'] | undefined
  readonly catalogId?: string | null | undefined
  readonly on?: readonly Operation[] | undefined
  readonly fields?: readonly string[] | undefined
  readonly conditions?: readonly Condition[] | undefined
  readonly data?: readonly Parameter[] | null | undefined
}

/** CONTRACT.md §7, as it is read back. */
type EventTypeView = ReturnType<typeof viewOf>

export async function createEventType(
  accountId: string,
  draft: EventTypeDraft,
  ports: EventTypePorts,
): Promise<EventTypeView> {
  const { name, title, catalogId = null, fields = [], conditions = [], data = null } = draft
  const on = draft.on === undefined ? (catalogId === null ? [] : OPERATIONS) : unique(draft.on)
  const eventType = { name, title, catalogId, on, fields, conditions, data }
  check(eventType, ports)
  return viewOf(await ports.eventTypes.create(accountId, eventType))
}

export async function updateEventType(
  accountId: string,
  name: string,
  patch: EventTypePatch,
  ports: EventTypePorts,
): Promise<EventTypeView> {
  const change = (current: EventType): EventType => {
    const next = patched(current, patch)
    check(next, ports)
    return next
  }
  return viewOf(orNotFound(await ports.eventTypes.update(accountId, name, change)))
}

const unique = (on: readonly Operation[]): Operation[] => [...new Set(on)]

function patched(current: EventType, patch: EventTypePatch): EventType {
  const base = { ...current, ...whenDerivationChanges(current, patch) }
  return {
    name: current.name,
    title: patch.title ?? base.title,
    catalogId: patch.catalogId === undefined ? base.catalogId : patch.catalogId,
    on: patch.on === undefined ? base.on : unique(patch.on),
    fields: patch.fields ?? base.fields,
    conditions: patch.conditions ?? base.conditions,
    data: patch.data === undefined ? base.data : patch.data,
  }
}

/** One that gets a catalog is raised by all of its changes, unless something else is said with it. */
function whenDerivationChanges(current: EventType, { catalogId }: EventTypePatch) {
  if (catalogId === undefined || (catalogId === null) === (current.catalogId === null)) return {}
  return catalogId === null ? { on: [], fields: [], conditions: [] } : { on: OPERATIONS }
}

function check(eventType: EventType, { compilePattern }: EventTypePorts): void {
  const complaints = [
    ...derivationFaults(eventType),
    ...conditionComplaints(eventType.conditions, compilePattern),
    ...dataFaults(eventType.data ?? []),
  ]
  if (complaints.length > 0) throw new Problem('invalid_request', { complaints })
}

function derivationFaults({ catalogId, on, fields, conditions }: EventType): Complaint[] {
  if (catalogId !== null) {
    const isNever = on.length === 0
    return isNever ? [{ pointer: '/on', message: 'Nothing would ever raise this event.' }] : []
  }
  const message = 'Only an event with a catalogId is derived; this one is raised by programs.'
  return [
    ...(on.length > 0 ? [{ pointer: '/on', message }] : []),
    ...(fields.length > 0 ? [{ pointer: '/fields', message }] : []),
    ...(conditions.length > 0 ? [{ pointer: '/conditions', message }] : []),
  ]
}

function dataFaults(data: readonly Parameter[]): Complaint[] {
  const names = new Set<string>()
  return data.flatMap(({ name, from }, index): Complaint[] => {
    const isRepeated = names.has(name)
    names.add(name)
    if (isRepeated) {
      return [{ pointer: pointerTo('data', index, 'name'), message: 'This name repeats.' }]
    }
    if (isPointer(from)) return []
    const message = 'This is no JSON Pointer (RFC 6901), such as /data/values/status.'
    return [{ pointer: pointerTo('data', index, 'from'), message }]
  })
}

export async function listEventTypes(
  accountId: string,
  page: Page,
  { eventTypes }: EventTypePorts,
): Promise<readonly EventTypeView[]> {
  return (await eventTypes.list(accountId, page)).map(viewOf)
}

export async function readEventType(
  accountId: string,
  name: string,
  { eventTypes }: EventTypePorts,
): Promise<EventTypeView> {
  return viewOf(orNotFound(await eventTypes.read(accountId, name)))
}

/** Subscriptions that list it stay as they are: they are told again once it is defined again. */
export async function removeEventType(
  accountId: string,
  name: string,
  { eventTypes }: EventTypePorts,
): Promise<void> {
  if (!(await eventTypes.remove(accountId, name))) throw new Problem('not_found')
}

function orNotFound(eventType: EventType | null): EventType {
  if (eventType === null) throw new Problem('not_found')
  return eventType
}

function viewOf({ name, title, catalogId, on, fields, conditions, data }: EventType) {
  const common = { name, title, data: data ?? undefined }
  return catalogId === null ? common : { ...common, catalogId, on, fields, conditions }
}
