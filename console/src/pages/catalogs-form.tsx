/** A catalog as a form. Fields have keys of their own here, because ids may change while they are typed. */
import { useState } from 'preact/hooks'
import { api, at } from '../api.ts'
import { useWords, words } from '../language.ts'
import { go, href } from '../route.ts'
import type { Catalog } from '../types.ts'
import { Rows, SelectField, TextField, wrongAt } from '../ui/form.tsx'
import { Button } from '../ui/pieces.tsx'
import { COMMON, SaveForm } from '../ui/settings.tsx'
import { toast } from '../ui/toast.tsx'
import { FieldCard, type FieldRow, type Keep, useKeepChoices } from './catalogs-field.tsx'

const WORDS = words({
  ...COMMON,
  create: { en: 'Create the catalog', ru: 'Создать каталог', uk: 'Створити каталог' },
  created: { en: 'The catalog is there.', ru: 'Каталог создан.', uk: 'Каталог створено.' },
  title: { en: 'Title', ru: 'Название', uk: 'Назва' },
  titleHelp: {
    en: 'What people call it: “Orders”.',
    ru: 'Как его называют люди: «Заказы».',
    uk: 'Як його називають люди: «Замовлення».',
  },
  idHelp: {
    en: 'What programs call it. It stays as it is.',
    ru: 'Как его называют программы. Потом его не изменить.',
    uk: 'Як його називають програми. Потім його не змінити.',
  },
  fields: { en: 'Fields', ru: 'Поля', uk: 'Поля' },
  fieldsHelp: {
    en: 'With fields, unknown ones and values of a wrong type are refused before any validator is asked. Without fields the catalog takes any values.',
    ru: 'Если поля заданы, неизвестные поля и значения неподходящего типа отклоняются ещё до запроса к проверяющим системам. Без полей каталог принимает любые значения.',
    uk: 'Якщо поля задано, невідомі поля та значення невідповідного типу відхиляються ще до запиту до систем перевірки. Без полів каталог приймає будь-які значення.',
  },
  add: { en: 'Add a field', ru: 'Добавить поле', uk: 'Додати поле' },
  redact: { en: 'What decisions keep', ru: 'Что хранят решения', uk: 'Що зберігають рішення' },
  redactHelp: {
    en: 'Values that the log of decisions should not hold, by field.',
    ru: 'Значения полей, которые не должны попадать в журнал решений.',
    uk: 'Значення полів, які не мають потрапляти до журналу рішень.',
  },
  field: { en: 'Field', ru: 'Поле', uk: 'Поле' },
})

type Rule = { readonly field: string; readonly keep: Keep }
type Draft = {
  readonly id: string
  readonly title: string
  readonly rows: readonly FieldRow[]
  /** Of a catalog without fields. */
  readonly rules: readonly Rule[]
}

let lastKey = 0
function nextKey(): number {
  lastKey += 1
  return lastKey
}

function draftOf({ id, title, fields, redact = {} }: Catalog): Draft {
  const rows = fields.map((field) => ({
    key: nextKey(),
    isNew: false,
    keep: redact[field.id] ?? ('keep' as const),
    field: { ...field, options: field.options ?? [] },
  }))
  const rules = Object.entries(redact).map(([field, keep]) => ({ field, keep }))
  return { id, title, rows, rules: fields.length === 0 ? rules : [] }
}

const freshRow = (): FieldRow => ({
  key: nextKey(),
  isNew: true,
  keep: 'keep',
  field: { id: '', title: '', type: 'text', options: [] },
})

function bodyOf({ rows, rules, title }: Draft) {
  const kept =
    rows.length === 0
      ? rules.map(({ field, keep }) => [field, keep] as const)
      : rows.map(({ field, keep }) => [field.id, keep] as const)
  const redact = Object.fromEntries(kept.filter(([, keep]) => keep !== 'keep'))
  const fields = rows.map(({ field: { id, title: called, type, required, options } }) => ({
    id,
    title: called,
    type,
    ...(required === true ? { required } : {}),
    ...(type === 'choice' ? { options } : {}),
  }))
  return { title, fields, redact: Object.keys(redact).length === 0 ? undefined : redact }
}

/** Letters that an address needs no escapes for. */
function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
}

const NOTHING: Catalog = { id: '', title: '', fields: [] }

export function CatalogForm({ catalog, isLocked }: { catalog?: Catalog; isLocked: boolean }) {
  const say = useWords(WORDS)
  const [draft, setDraft] = useState(() => draftOf(catalog ?? NOTHING))
  const change = (next: Partial<Draft>) => setDraft((before) => ({ ...before, ...next }))
  const isNew = catalog === undefined
  const setTitle = (title: string) => {
    const isOwnId = !isNew || draft.id !== slugOf(draft.title)
    change(isOwnId ? { title } : { title, id: slugOf(title) })
  }
  const save = async () => {
    const body = bodyOf(draft)
    if (isNew) await api.post('/v1/catalogs', { id: draft.id, ...body })
    else await api.patch(at('/v1/catalogs', catalog.id), { ...body, redact: body.redact ?? null })
    toast(isNew ? say('created') : say('saved'))
    go(href('catalogs'))
  }
  return (
    <SaveForm
      action={isNew ? say('create') : say('save')}
      back={href('catalogs')}
      onSave={save}
      isLocked={isLocked}
    >
      {(error) => (
        <>
          <TextField
            label={say('title')}
            help={say('titleHelp')}
            wrong={wrongAt(error, '/title')}
            value={draft.title}
            onInput={setTitle}
            required
          />
          <TextField
            label={say('id')}
            help={say('idHelp')}
            wrong={wrongAt(error, '/id')}
            value={draft.id}
            onInput={(id) => change({ id })}
            disabled={!isNew}
            required
          />
          <Fields
            rows={draft.rows}
            onChange={(rows) => change({ rows })}
            error={error}
            isLocked={isLocked}
          />
          {draft.rows.length === 0 ? (
            <Rules rules={draft.rules} onChange={(rules) => change({ rules })} />
          ) : null}
        </>
      )}
    </SaveForm>
  )
}

type FieldsProps = {
  readonly rows: readonly FieldRow[]
  readonly onChange: (rows: readonly FieldRow[]) => void
  readonly error: unknown
  readonly isLocked: boolean
}

function Fields({ rows, onChange, error, isLocked }: FieldsProps) {
  const say = useWords(WORDS)
  const moved = (index: number, by: number) => {
    const row = rows[index]
    if (row !== undefined) onChange(rows.toSpliced(index, 1).toSpliced(index + by, 0, row))
  }
  return (
    <section class="stack">
      <h2>{say('fields')}</h2>
      <p class="soft small">{say('fieldsHelp')}</p>
      {rows.map((row, index) => (
        <FieldCard
          key={row.key}
          row={row}
          index={index}
          isLast={index === rows.length - 1}
          error={error}
          isLocked={isLocked}
          onChange={(next) => onChange(rows.with(index, next))}
          onMove={(by) => moved(index, by)}
          onRemove={() => onChange(rows.toSpliced(index, 1))}
        />
      ))}
      {isLocked ? null : (
        <div class="row">
          <Button onClick={() => onChange([...rows, freshRow()])}>{say('add')}</Button>
        </div>
      )}
    </section>
  )
}

function Rules({
  rules,
  onChange,
}: {
  rules: readonly Rule[]
  onChange: (rules: readonly Rule[]) => void
}) {
  const say = useWords(WORDS)
  const choices = useKeepChoices()
  return (
    <Rows
      legend={say('redact')}
      help={say('redactHelp')}
      items={rules}
      onChange={onChange}
      fresh={(): Rule => ({ field: '', keep: 'remove' })}
    >
      {(rule, change) => (
        <>
          <TextField
            label={say('field')}
            value={rule.field}
            onInput={(field) => change({ ...rule, field })}
            required
          />
          <SelectField
            label={say('redact')}
            value={rule.keep}
            choices={choices}
            onChange={(keep) => change({ ...rule, keep })}
          />
        </>
      )}
    </Rows>
  )
}
