/** Catalogs give records their fields. A catalog without fields takes any values. */
import { pointerTo } from './pointer.ts'
import type { Complaint } from './problem.ts'
import type { RedactionRules } from './redaction.ts'
import type { Values } from './values.ts'

export const FIELD_TYPES = [
  'text',
  'number',
  'boolean',
  'date',
  'choice',
  'contact',
  'user',
  'object',
  'file',
  'any',
] as const
export type FieldType = (typeof FIELD_TYPES)[number]

export type FieldOption = { readonly id: string; readonly title: string }

export type Field = {
  readonly id: string
  readonly title: string
  readonly type: FieldType
  readonly required?: boolean | undefined
  readonly options?: readonly FieldOption[] | undefined
}

export type Catalog = {
  readonly id: string
  readonly title: string
  readonly fields: readonly Field[]
  /** What its decisions do not keep. */
  readonly redact?: RedactionRules | undefined
}

export const RECORD_VALUES_MAX = 1_000

const isListOfObjects = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every((item) => typeof item === 'object' && item !== null && !Array.isArray(item))

// RFC 3339 date, or date and time with a zone; the calendar is checked by Date.parse beside it.
const DATE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/

function isDate(value: unknown): boolean {
  if (typeof value !== 'string' || !DATE.test(value)) return false
  const day = new Date(`${value.slice(0, 10)}T00:00:00Z`)
  return (
    !Number.isNaN(Date.parse(value)) &&
    !Number.isNaN(day.getTime()) &&
    day.toISOString().slice(0, 10) === value.slice(0, 10)
  )
}

function isChoice(value: unknown, { options }: Field): boolean {
  const chosen = Array.isArray(value) ? value : [value]
  return chosen.every(
    (one) =>
      (typeof one === 'string' || typeof one === 'number') &&
      (options === undefined ||
        options.length === 0 ||
        options.some((option) => option.id === String(one))),
  )
}

/** What each type takes, and how to say so. */
const TYPES: Record<FieldType, { says: string; fits: (value: unknown, field: Field) => boolean }> =
  {
    text: { says: 'a text', fits: (value) => typeof value === 'string' },
    number: { says: 'a number', fits: (value) => typeof value === 'number' },
    boolean: { says: 'true or false', fits: (value) => typeof value === 'boolean' },
    date: { says: 'a date in RFC 3339 form', fits: isDate },
    choice: { says: "one or several of the field's options", fits: isChoice },
    contact: { says: 'a list of objects', fits: isListOfObjects },
    user: { says: 'a list of objects', fits: isListOfObjects },
    object: { says: 'a list of objects', fits: isListOfObjects },
    file: { says: 'a list of objects', fits: isListOfObjects },
    any: { says: 'any value', fits: () => true },
  }

/** What is wrong with these values for this catalog. `null` clears a field, so it fits every type. */
export function valueComplaints(
  catalog: Catalog | undefined,
  values: Values,
  at: string = '/values',
): Complaint[] {
  if (catalog === undefined || catalog.fields.length === 0) return []
  const fields = new Map(catalog.fields.map((field) => [field.id, field]))
  return Object.entries(values).flatMap(([id, value]): Complaint[] => {
    const field = fields.get(id)
    const pointer = at + pointerTo(id)
    if (field === undefined) {
      return [{ pointer, message: `The catalog has no field "${id}".` }]
    }
    const type = TYPES[field.type]
    if (value === null || type.fits(value, field)) return []
    return [{ pointer, message: `This field takes ${type.says}.` }]
  })
}

/** Required fields that the record as it will be lacks. */
export function missingComplaints(
  catalog: Catalog | undefined,
  valuesToBe: Values,
  at: string = '/values',
): Complaint[] {
  return (catalog?.fields ?? [])
    .filter((field) => field.required === true && !isGiven(valuesToBe, field.id))
    .map((field) => ({ pointer: at + pointerTo(field.id), message: 'This field is required.' }))
}

function isGiven(values: Values, field: string): boolean {
  return Object.hasOwn(values, field) && (values[field] ?? null) !== null
}

/** Required fields that these values would clear. */
export function clearedComplaints(catalog: Catalog, values: Values): Complaint[] {
  return catalog.fields
    .filter(({ id, required }) => required === true && values[id] === null)
    .map(({ id }) => ({ pointer: `/values${pointerTo(id)}`, message: 'This field is required.' }))
}
