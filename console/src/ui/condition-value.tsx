/** The two ends of a condition: a field by its name, and a value of the kind that the operator takes. */
import { useState } from 'preact/hooks'
import type { ConditionOperator, ConditionSource } from '../../../src/domain/condition.ts'
import { api, at } from '../api.ts'
import { useWords, words } from '../language.ts'
import { useLoad } from '../load.ts'
import type { Catalog } from '../types.ts'
import { JsonField, ListField, NumberField, SelectField, TextField } from './form.tsx'
import { SuggestField } from './suggest-field.tsx'

export type CatalogField = Catalog['fields'][number]

/** The fields of a catalog; none for `*` and for one that nobody has defined. */
export function useFields(catalogId: string): readonly CatalogField[] {
  const { data } = useLoad(
    (signal) =>
      catalogId === '' || catalogId === '*'
        ? Promise.resolve({ of: catalogId, fields: [] })
        : api
            .get<Catalog>(at('/v1/catalogs', catalogId), { signal })
            .then(({ fields }) => ({ of: catalogId, fields }))
            .catch(() => ({ of: catalogId, fields: [] })),
    [catalogId],
  )
  return data?.of === catalogId ? data.fields : []
}

const WORDS = words({
  field: { en: 'Field', ru: 'Поле', uk: 'Поле' },
  value: { en: 'Value', ru: 'Значение', uk: 'Значення' },
  kind: { en: 'Kind of value', ru: 'Вид значения', uk: 'Вид значення' },
  text: { en: 'text', ru: 'текст', uk: 'текст' },
  number: { en: 'number', ru: 'число', uk: 'число' },
  boolean: { en: 'yes or no', ru: 'да или нет', uk: 'так чи ні' },
  texts: { en: 'list of texts', ru: 'список текстов', uk: 'список текстів' },
  numbers: { en: 'list of numbers', ru: 'список чисел', uk: 'список чисел' },
  json: { en: 'JSON', ru: 'JSON', uk: 'JSON' },
  yes: { en: 'yes', ru: 'да', uk: 'так' },
  no: { en: 'no', ru: 'нет', uk: 'ні' },
  commas: { en: 'Separated by commas.', ru: 'Через запятую.', uk: 'Через кому.' },
  notNumbers: {
    en: 'These are not all numbers.',
    ru: 'Здесь не только числа.',
    uk: 'Тут не лише числа.',
  },
})

type Kind = 'text' | 'number' | 'boolean' | 'texts' | 'numbers' | 'json'

const ANY: readonly Kind[] = ['text', 'number', 'boolean', 'texts', 'numbers', 'json']
const LISTS: readonly Kind[] = ['texts', 'numbers', 'json']
const ORDERED: readonly Kind[] = ['number', 'text']
const TEXT: readonly Kind[] = ['text']
const SWITCH: readonly Kind[] = ['boolean']

export function kindsFor(op: ConditionOperator): readonly Kind[] {
  switch (op) {
    case 'in':
    case 'notIn':
      return LISTS
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return ORDERED
    case 'startsWith':
    case 'matches':
      return TEXT
    case 'exists':
    case 'empty':
    case 'changed':
      return SWITCH
    case 'eq':
    case 'ne':
    case 'contains':
    case 'changedTo':
    case 'changedFrom':
      return ANY
  }
}

function kindOf(value: unknown): Kind {
  if (typeof value === 'string') return 'text'
  if (typeof value === 'number') return 'number'
  if (typeof value === 'boolean') return 'boolean'
  if (!Array.isArray(value)) return 'json'
  if (value.every((one) => typeof one === 'string')) return 'texts'
  return value.every((one) => typeof one === 'number') ? 'numbers' : 'json'
}

const FIRST = {
  text: '',
  number: undefined,
  boolean: true,
  texts: [],
  numbers: [],
  json: null,
} as const satisfies Record<Kind, unknown>

type FieldType = CatalogField['type'] | undefined

/** What stands there when an operator or a field is chosen: what stood there before, where that fits. */
export function firstValue(op: ConditionOperator, type: FieldType, before: unknown): unknown {
  const kinds = kindsFor(op)
  const isKept = before !== undefined && before !== '' && kinds.includes(kindOf(before))
  return isKept ? before : FIRST[likelyKind(kinds, type)]
}

/** Whoever chooses a field should not have to think of types. */
function likelyKind(kinds: readonly Kind[], type: FieldType): Kind {
  const [first = 'text'] = kinds
  const likely =
    type === undefined || type === 'any' ? [first] : (LIKELY[type] ?? ['text', 'texts'])
  return likely.find((one) => kinds.includes(one)) ?? first
}

const LIKELY: { readonly [Type in CatalogField['type']]?: readonly Kind[] } = {
  number: ['number', 'numbers'],
  boolean: ['boolean'],
}

type FieldInputProps = {
  readonly value: string
  readonly source: ConditionSource
  readonly fields: readonly CatalogField[]
  readonly onInput: (field: string) => void
  readonly wrong: string | undefined
}

export function FieldInput({ value, source, fields, onInput, wrong }: FieldInputProps) {
  const say = useWords(WORDS)
  const known =
    source === 'user'
      ? ['id', 'title', 'locale'].map((id) => ({ id, title: id }))
      : source === 'context'
        ? []
        : fields
  const title = known.find(({ id }) => id === value)?.title
  return (
    <SuggestField
      label={say('field')}
      help={title === value ? undefined : title}
      wrong={wrong}
      value={value}
      onInput={onInput}
      known={known}
    />
  )
}

type ValueProps = {
  readonly op: ConditionOperator
  readonly type: FieldType
  readonly value: unknown
  readonly onChange: (value: unknown) => void
  readonly wrong: string | undefined
}

/** The kind is kept here, since a value that is half typed does not say of which kind it will be. */
export function ValueField({ op, type, value, onChange, wrong }: ValueProps) {
  const say = useWords(WORDS)
  const kinds = kindsFor(op)
  const [kind, setKind] = useState<Kind>(() =>
    value === undefined ? likelyKind(kinds, type) : kindOf(value),
  )
  const choose = (next: Kind) => {
    setKind(next)
    onChange(FIRST[next])
  }
  return (
    <>
      {kinds.length === 1 ? null : (
        <SelectField
          label={say('kind')}
          value={kind}
          choices={kinds.map((one) => ({ value: one, label: say(one) }))}
          onChange={choose}
        />
      )}
      <Typed key={kind} kind={kind} value={value} onChange={onChange} wrong={wrong} />
    </>
  )
}

type TypedProps = Omit<ValueProps, 'op' | 'type'> & { readonly kind: Kind }

function Typed({ kind, value, onChange, wrong }: TypedProps) {
  const say = useWords(WORDS)
  const label = say('value')
  const ties = { label, wrong }
  switch (kind) {
    case 'text':
      return (
        <TextField {...ties} value={typeof value === 'string' ? value : ''} onInput={onChange} />
      )
    case 'number':
      return (
        <NumberField
          {...ties}
          value={typeof value === 'number' ? value : null}
          onInput={(number) => onChange(number ?? undefined)}
        />
      )
    case 'boolean':
      return (
        <SelectField
          {...ties}
          value={value === false ? 'no' : 'yes'}
          choices={[
            { value: 'yes', label: say('yes') },
            { value: 'no', label: say('no') },
          ]}
          onChange={(chosen) => onChange(chosen === 'yes')}
        />
      )
    case 'texts':
      return <ListField {...ties} help={say('commas')} value={listOf(value)} onInput={onChange} />
    case 'numbers':
      return <Numbers {...ties} value={value} onChange={onChange} />
    case 'json':
      return <JsonField {...ties} value={value} onInput={onChange} />
  }
}

function Numbers({ label, value, onChange, wrong }: Omit<TypedProps, 'kind'> & { label: string }) {
  const say = useWords(WORDS)
  const [isWrong, setWrong] = useState(false)
  return (
    <ListField
      label={label}
      help={say('commas')}
      wrong={isWrong ? say('notNumbers') : wrong}
      value={listOf(value)}
      onInput={(texts) => {
        const numbers = texts.map(Number)
        setWrong(numbers.some(Number.isNaN))
        onChange(numbers.some(Number.isNaN) ? undefined : numbers)
      }}
    />
  )
}

const listOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map(String) : []
