/** A field of work ready to use: its catalogs, the events that its changes mean, and what its buttons ask. */
import type { Catalog, Field, FieldOption } from '../catalog.ts'
import type { Condition } from '../condition.ts'
import type { EventTitle, EventType } from '../event-type.ts'

export type Preset = {
  readonly name: string
  readonly title: EventTitle
  readonly catalogs: readonly Catalog[]
  readonly eventTypes: readonly EventType[]
  /** Fields that conditions of menu buttons look at, in the order in which a person is offered them. */
  readonly actionFields: readonly ActionField[]
}

export type ActionField = { readonly catalogId: string; readonly field: string }

/** What a button may be made to depend on: a field, and the values that it can have. */
export type ActionCondition = ActionField & {
  readonly title: string
  /** Empty where the account has not yet said which there are. */
  readonly options: readonly FieldOption[]
}

/** As the catalogs are now: an administrator may have added options to a field, or taken the field away. */
export function actionConditionsOf(
  { actionFields }: Preset,
  catalogs: readonly Catalog[],
): readonly ActionCondition[] {
  return actionFields.flatMap(({ catalogId, field: fieldId }) => {
    const fields = catalogs.find(({ id }) => id === catalogId)?.fields ?? []
    return fields
      .filter(({ id }) => id === fieldId)
      .map(({ title, options = [] }) => ({ catalogId, field: fieldId, title, options }))
  })
}

// ---- how presets write down their facts

export const text = (id: string, title: string): Field => ({ id, title, type: 'text' })
/** An amount, in whatever unit the source counts. */
export const number = (id: string, title: string): Field => ({ id, title, type: 'number' })
export const boolean = (id: string, title: string): Field => ({ id, title, type: 'boolean' })
/** Ids, moments and lists, which one source sends as numbers and another one as texts. */
export const any = (id: string, title: string): Field => ({ id, title, type: 'any' })

/** One of a list. An empty list takes every value until the account writes down its own. */
export const choice = (
  id: string,
  title: string,
  options: Readonly<Record<string, string>>,
): Field => ({
  id,
  title,
  type: 'choice',
  options: Object.entries(options).map(([option, name]) => ({ id: option, title: name })),
})

/** For choices whose options only the account knows. */
export const OWN_OPTIONS = {} as const

/** A choice is one of its options or, as Bpium writes it, a list of them. */
const isOption = (field: string, option: string): Condition => ({
  field,
  op: 'in',
  value: [option, [option]],
})

/** A choice arrived at an option. */
export const became = (field: string, option: string): readonly Condition[] => [
  { field, op: 'changed' },
  isOption(field, option),
]

/** A choice left an option. */
export const noLonger = (field: string, option: string): readonly Condition[] => [
  { field, op: 'changed' },
  { ...isOption(field, option), source: 'prevValues' },
]

type Derived = Pick<EventType, 'on'> & Partial<Pick<EventType, 'fields' | 'conditions'>>

/** An event that changes in the catalog give rise to; it says what the change says. */
export const derived = (
  name: string,
  catalogId: string,
  title: EventTitle,
  { on, fields = [], conditions = [] }: Derived,
): EventType => ({ name, title, catalogId, on, fields, conditions, data: null })

/** An event that a program tells of, because no record changes with it. */
export const raised = (name: string, title: EventTitle): EventType => ({
  name,
  title,
  catalogId: null,
  on: [],
  fields: [],
  conditions: [],
  data: null,
})
