/** What a person has typed into the form of a record, beside the record itself. Field ids may be any text: maps. */
import type { ApproveResponse, Catalog } from '../types.ts'

export type Values = Readonly<Record<string, unknown>>
export type Field = Catalog['fields'][number]
export type Finding = ApproveResponse['errors'][number]

/** `value` undefined: empty. `unreadable`: what stands there and cannot be read as a value. */
export type Draft = { readonly value: unknown; readonly unreadable?: string | undefined }
export type Drafts = ReadonlyMap<string, Draft>
export type Suggestion = { readonly value: unknown; readonly by: string }

export type Form = {
  readonly drafts: Drafts
  /** Fields whose draft was suggested, and by whom. */
  readonly marks: ReadonlyMap<string, string>
  /** Suggested for fields that are the person's own. */
  readonly offers: ReadonlyMap<string, Suggestion>
}

export const EMPTY_FORM: Form = { drafts: new Map(), marks: new Map(), offers: new Map() }

export function memberOf(values: Values, field: string): unknown {
  return Object.hasOwn(values, field) ? values[field] : undefined
}

export function sameValue(one: unknown, other: unknown): boolean {
  return JSON.stringify(filled(one) ?? null) === JSON.stringify(filled(other) ?? null)
}

/** Rows that were added and left empty are nothing; a list of nothing is nothing. */
function filled(value: unknown): unknown {
  if (!Array.isArray(value)) return value
  const rest = value.filter((item) => !isEmptyObject(item))
  return rest.length === 0 ? undefined : rest
}

function isEmptyObject(item: unknown): boolean {
  return typeof item === 'object' && item !== null && Object.keys(item).length === 0
}

/** What differs from the record; null clears a field. */
export function changedOf(base: Values, drafts: Drafts): Values {
  return Object.fromEntries(
    [...drafts]
      .filter(([field, { value }]) => !sameValue(value, memberOf(base, field)))
      .map(([field, { value }]) => [field, filled(value) ?? null]),
  )
}

/** The whole form as it stands. */
export function wholeOf(base: Values, drafts: Drafts): Values {
  const all = { ...base, ...changedOf(base, drafts) }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null))
}

export function isReadable(drafts: Drafts): boolean {
  return ![...drafts.values()].some(({ unreadable }) => unreadable !== undefined)
}

export function typedInto(form: Form, field: string, draft: Draft): Form {
  return {
    drafts: new Map(form.drafts).set(field, draft),
    marks: without(form.marks, field),
    offers: without(form.offers, field),
  }
}

/** After these values were written: what was typed meanwhile stays. */
export function afterSaving(form: Form, sent: Values): Form {
  const isSent = ([field, { value, unreadable }]: readonly [string, Draft]) =>
    unreadable === undefined &&
    (!Object.hasOwn(sent, field) || sameValue(value, memberOf(sent, field)))
  return { ...EMPTY_FORM, drafts: new Map([...form.drafts].filter((one) => !isSent(one))) }
}

/** The person takes what was offered. */
export function taken(form: Form, field: string): Form {
  const offer = form.offers.get(field)
  if (offer === undefined) return form
  return {
    drafts: new Map(form.drafts).set(field, { value: offer.value ?? undefined }),
    marks: new Map(form.marks).set(field, offer.by),
    offers: without(form.offers, field),
  }
}

type Suggested = {
  readonly base: Values
  readonly values: Values
  readonly by: (field: string) => string
  /** The field that the person is in. */
  readonly inField: string | undefined
}

/** Puts suggestions in, but offers them only where the person is typing or has typed. */
export function suggestedInto(form: Form, { base, values, by, inField }: Suggested): Form {
  const drafts = new Map(form.drafts)
  const marks = new Map(form.marks)
  const offers = new Map<string, Suggestion>()
  for (const [field, value] of Object.entries(values)) {
    const draft = drafts.get(field)
    const current = draft === undefined ? memberOf(base, field) : draft.value
    if (draft?.unreadable === undefined && sameValue(current, value)) continue
    const isOwn = draft !== undefined && !marks.has(field)
    if (isOwn || field === inField) offers.set(field, { value, by: by(field) })
    else {
      drafts.set(field, { value: value ?? undefined })
      marks.set(field, by(field))
    }
  }
  return { drafts, marks, offers }
}

/** Who suggested the value of a field. */
export function suggesterOf(
  { suggestedBy = {}, verdicts }: ApproveResponse,
  field: string,
): string {
  const id = Object.hasOwn(suggestedBy, field) ? suggestedBy[field] : undefined
  return verdicts.find(({ subscriptionId }) => subscriptionId === id)?.name ?? ''
}

function without<Value>(map: ReadonlyMap<string, Value>, key: string): ReadonlyMap<string, Value> {
  const rest = new Map(map)
  rest.delete(key)
  return rest
}

/** Of a catalog without fields: those that the record and the form have. */
export function fieldsOf(catalog: Catalog, base: Values, drafts: Drafts): readonly Field[] {
  if (catalog.fields.length > 0) return catalog.fields
  const names = new Set([...Object.keys(base), ...drafts.keys()])
  return [...names].map((id) => ({ id, title: id, type: 'any' }))
}

export function pointerTo(field: string): string {
  return `/values/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** A value in a line: in a cell, in an offer. */
export function lineOf(value: unknown, field?: Field): string {
  if (value === undefined || value === null) return ''
  const title = (one: unknown) =>
    field?.options?.find(({ id }) => id === String(one))?.title ?? textOf(one)
  const text = Array.isArray(value) ? value.map(title).join(', ') : title(value)
  return text.length > LINE_MAX ? `${text.slice(0, LINE_MAX)}…` : text
}

const LINE_MAX = 120

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
