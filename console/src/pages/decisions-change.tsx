/** What was to change, field by field: before, after, and what validators suggested. */
import { useState } from 'preact/hooks'
import { useWords, words } from '../language.ts'
import type { Decision } from '../types.ts'
import { Check } from '../ui/form.tsx'
import { Badge, Card } from '../ui/pieces.tsx'
import { type Column, Table } from '../ui/table.tsx'

const WORDS = words({
  title: { en: 'Change', ru: 'Изменение', uk: 'Зміна' },
  field: { en: 'Field', ru: 'Поле', uk: 'Поле' },
  before: { en: 'Before', ru: 'Было', uk: 'Було' },
  after: { en: 'After', ru: 'Стало', uk: 'Стало' },
  suggested: { en: 'Suggested', ru: 'Предложено', uk: 'Запропоновано' },
  by: { en: 'by {names}', ru: 'кто: {names}', uk: 'хто: {names}' },
  overruled: {
    en: 'differently by {names}',
    ru: 'иначе: {names}',
    uk: 'інакше: {names}',
  },
  changed: { en: 'changed', ru: 'изменено', uk: 'змінено' },
  all: {
    en: { one: 'Show {count} unchanged field', other: 'Show {count} unchanged fields' },
    ru: {
      one: 'Показать {count} неизменённое поле',
      few: 'Показать {count} неизменённых поля',
      many: 'Показать {count} неизменённых полей',
      other: 'Показать {count} неизменённого поля',
    },
    uk: {
      one: 'Показати {count} незмінене поле',
      few: 'Показати {count} незмінені поля',
      many: 'Показати {count} незмінених полів',
      other: 'Показати {count} незміненого поля',
    },
  },
  nothing: {
    en: 'No field changes.',
    ru: 'Ни одно поле не меняется.',
    uk: 'Жодне поле не змінюється.',
  },
})

type FieldRow = {
  readonly field: string
  readonly before: unknown
  readonly after: unknown
  readonly isChanged: boolean
  readonly suggestion: unknown
  readonly by: string
  readonly overruled: string
}

export function ChangeCard({ decision }: { decision: Decision }) {
  const say = useWords(WORDS)
  const [isAll, setAll] = useState(false)
  const rows = rowsOf(decision)
  const changed = rows.filter(({ isChanged, suggestion }) => isChanged || suggestion !== undefined)
  const others = rows.length - changed.length
  const columns: Column<FieldRow>[] = [
    { title: say('field'), cell: (row) => <FieldName row={row} /> },
    { title: say('before'), cell: (row) => <Before row={row} /> },
    { title: say('after'), cell: (row) => <After row={row} /> },
  ]
  if (rows.some(({ suggestion }) => suggestion !== undefined)) {
    columns.push({ title: say('suggested'), cell: (row) => <Suggested row={row} /> })
  }
  const shown = isAll ? rows : changed
  return (
    <Card title={say('title')}>
      {changed.length === 0 ? <p class="soft">{say('nothing')}</p> : null}
      {shown.length === 0 ? null : (
        <Table label={say('title')} columns={columns} rows={shown} keyOf={({ field }) => field} />
      )}
      {others === 0 ? null : (
        <Check label={say('all', { count: others })} checked={isAll} onChange={setAll} />
      )}
    </Card>
  )
}

function FieldName({ row }: { row: FieldRow }) {
  const say = useWords(WORDS)
  return (
    <>
      <code>{row.field}</code> {row.isChanged ? <Badge>{say('changed')}</Badge> : null}
    </>
  )
}

function Before({ row: { before, isChanged } }: { row: FieldRow }) {
  if (before === undefined) return <span class="soft">–</span>
  return isChanged ? (
    <del class="before">
      <bdi>{shownValue(before)}</bdi>
    </del>
  ) : (
    <bdi>{shownValue(before)}</bdi>
  )
}

function After({ row: { after, isChanged } }: { row: FieldRow }) {
  if (after === undefined) return <span class="soft">–</span>
  return isChanged ? (
    <ins class="after">
      <bdi>{shownValue(after)}</bdi>
    </ins>
  ) : (
    <bdi>{shownValue(after)}</bdi>
  )
}

function Suggested({ row }: { row: FieldRow }) {
  const say = useWords(WORDS)
  if (row.suggestion === undefined) return null
  return (
    <>
      <bdi>{shownValue(row.suggestion)}</bdi>
      <br />
      <span class="soft small">
        {row.by === '' ? '' : say('by', { names: row.by })}
        {row.overruled === '' ? '' : `; ${say('overruled', { names: row.overruled })}`}
      </span>
    </>
  )
}

/** A text as it is, anything else as JSON; an empty text would not be seen. */
function shownValue(value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : (JSON.stringify(value) ?? '')
}

function rowsOf(decision: Decision): readonly FieldRow[] {
  const { changedFields, conflicts, suggestions, suggestedBy, event } = decision
  const before = new Map(Object.entries(decision.prevValues ?? {}))
  const sent = new Map(Object.entries(decision.values ?? {}))
  const suggested = new Map(Object.entries(suggestions))
  const changed = new Set(changedFields)
  const isDelete = event === 'record.before.deleted'
  const nameOf = (id: string) =>
    decision.verdicts.find((one) => one.subscriptionId === id)?.name ?? id
  const fields = [...new Set([...sent.keys(), ...before.keys(), ...suggested.keys()])]
  return fields.map((field) => {
    const conflict = conflicts.find((one) => one.field === field)
    const by = Object.hasOwn(suggestedBy, field) ? suggestedBy[field] : undefined
    const after = sent.has(field) ? sent.get(field) : before.get(field)
    return {
      field,
      before: before.get(field),
      after: isDelete ? undefined : after,
      isChanged: isDelete || changed.has(field),
      suggestion: suggested.get(field),
      by: by === undefined ? '' : nameOf(by),
      overruled: (conflict?.others ?? []).map(nameOf).join(', '),
    }
  })
}
