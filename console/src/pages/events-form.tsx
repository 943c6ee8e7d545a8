/** An event type as a form. */
import { useState } from 'preact/hooks'
import type { Operation } from '../../../src/domain/event-type.ts'
import { api, at } from '../api.ts'
import { useWords, words } from '../language.ts'
import { go, href } from '../route.ts'
import { CatalogPick } from '../ui/catalog-pick.tsx'
import { useFields } from '../ui/condition-value.tsx'
import { Conditions } from '../ui/conditions.tsx'
import { Checks, ListField, SelectField, TextField, wrongAt } from '../ui/form.tsx'
import { Parameters } from '../ui/parameters.tsx'
import { COMMON, SaveForm } from '../ui/settings.tsx'
import { toast } from '../ui/toast.tsx'
import type { EventType } from './events.tsx'

const WORDS = words({
  ...COMMON,
  name: { en: 'Name', ru: 'Имя', uk: 'Ім’я' },
  nameHelp: {
    en: 'What programs call it, such as order.completed. It stays as it is.',
    ru: 'Как его называют программы, например order.completed. Потом его не изменить.',
    uk: 'Як його називають програми, наприклад order.completed. Потім його не змінити.',
  },
  en: { en: 'Title in English', ru: 'Название по-английски', uk: 'Назва англійською' },
  ru: { en: 'Title in Russian', ru: 'Название по-русски', uk: 'Назва російською' },
  uk: { en: 'Title in Ukrainian', ru: 'Название по-украински', uk: 'Назва українською' },
  kind: { en: 'Raised by', ru: 'Откуда возникает', uk: 'Звідки виникає' },
  derived: {
    en: 'changes of records, by themselves',
    ru: 'из изменений записей, автоматически',
    uk: 'зі змін записів, автоматично',
  },
  raised: { en: 'programs', ru: 'от программ', uk: 'від програм' },
  on: { en: 'Operations', ru: 'Операции', uk: 'Операції' },
  created: { en: 'created', ru: 'создание', uk: 'створення' },
  updated: { en: 'updated', ru: 'изменение', uk: 'зміна' },
  deleted: { en: 'deleted', ru: 'удаление', uk: 'видалення' },
  fields: { en: 'Watched fields', ru: 'Отслеживаемые поля', uk: 'Відстежувані поля' },
  fieldsHelp: {
    en: 'Ids with commas: raised only when one of them changes. Empty: whichever changes.',
    ru: 'Идентификаторы через запятую: событие возникает, только если изменилось одно из этих полей. Пусто — любое.',
    uk: 'Ідентифікатори через кому: подія виникає, лише якщо змінилося одне з цих полів. Порожньо — будь-яке.',
  },
  data: { en: 'What the event says', ru: 'Что сообщает событие', uk: 'Що повідомляє подія' },
  dataHelp: {
    en: 'The data that subscribers get with it.',
    ru: 'Данные, которые получают подписчики.',
    uk: 'Дані, які отримують підписники.',
  },
  whole: {
    en: 'what the change or the program says',
    ru: 'всё, что сообщает изменение или программа',
    uk: 'усе, що повідомляє зміна або програма',
  },
  create: { en: 'Create the event type', ru: 'Создать тип событий', uk: 'Створити тип подій' },
})

const OPERATIONS = ['created', 'updated', 'deleted'] as const
const LANGUAGES = ['en', 'ru', 'uk'] as const

function draftOf(eventType: EventType | undefined) {
  const { name = '', title, catalogId, on, fields = [], conditions = [], data } = eventType ?? {}
  return {
    name,
    en: title?.en ?? '',
    ru: title?.ru ?? '',
    uk: title?.uk ?? '',
    isDerived: eventType === undefined || catalogId !== undefined,
    catalogId: catalogId ?? '',
    on: (on ?? OPERATIONS) as readonly Operation[],
    fields: fields as readonly string[],
    conditions: conditions as NonNullable<EventType['conditions']>,
    data: data ?? null,
  }
}
type Draft = ReturnType<typeof draftOf>

function bodyOf({ en, ru, uk, isDerived, catalogId, on, fields, conditions, data }: Draft) {
  const title = { en, ...(ru === '' ? {} : { ru }), ...(uk === '' ? {} : { uk }) }
  return isDerived
    ? { title, catalogId, on, fields, conditions, data }
    : { title, catalogId: null, data }
}

export function EventTypeForm({
  eventType,
  isLocked,
}: {
  eventType?: EventType
  isLocked: boolean
}) {
  const say = useWords(WORDS)
  const isNew = eventType === undefined
  const [draft, setDraft] = useState(() => draftOf(eventType))
  const change = (next: Partial<Draft>) => setDraft((before) => ({ ...before, ...next }))
  const known = useFields(draft.isDerived ? draft.catalogId : '')
  const save = async () => {
    const body = bodyOf(draft)
    if (isNew) await api.post('/v1/event-types', { name: draft.name, ...body })
    else await api.patch(at('/v1/event-types', eventType.name), body)
    toast(say('saved'))
    go(href('events'))
  }
  return (
    <SaveForm
      action={isNew ? say('create') : say('save')}
      back={href('events')}
      onSave={save}
      isLocked={isLocked}
    >
      {(error) => (
        <>
          <TextField
            label={say('name')}
            help={say('nameHelp')}
            wrong={wrongAt(error, '/name')}
            value={draft.name}
            onInput={(name) => change({ name })}
            disabled={!isNew}
            required
          />
          <Titles draft={draft} onChange={change} error={error} />
          <SelectField
            label={say('kind')}
            value={draft.isDerived ? 'derived' : 'raised'}
            choices={[
              { value: 'derived', label: say('derived') },
              { value: 'raised', label: say('raised') },
            ]}
            onChange={(kind) => change({ isDerived: kind === 'derived' })}
          />
          {draft.isDerived ? (
            <Derivation draft={draft} onChange={change} error={error} known={known} />
          ) : null}
          <Parameters
            legend={say('data')}
            help={say('dataHelp')}
            wholeLabel={say('whole')}
            value={draft.data}
            onChange={(data) => change({ data: data === null ? null : [...data] })}
            error={error}
            base="/data"
            fields={known}
          />
        </>
      )}
    </SaveForm>
  )
}

type PartProps = {
  readonly draft: Draft
  readonly onChange: (next: Partial<Draft>) => void
  readonly error: unknown
}

function Titles({ draft, onChange, error }: PartProps) {
  const say = useWords(WORDS)
  return (
    <div class="columns">
      {LANGUAGES.map((one) => (
        <TextField
          key={one}
          label={say(one)}
          wrong={wrongAt(error, `/title/${one}`)}
          value={draft[one]}
          onInput={(text) => onChange({ [one]: text })}
          required={one === 'en'}
        />
      ))}
    </div>
  )
}

function Derivation({
  draft,
  onChange,
  error,
  known,
}: PartProps & { readonly known: ReturnType<typeof useFields> }) {
  const say = useWords(WORDS)
  const wrongOn = wrongAt(error, '/on')
  return (
    <>
      <CatalogPick
        value={draft.catalogId}
        wrong={wrongAt(error, '/catalogId')}
        onInput={(catalogId) => onChange({ catalogId })}
      />
      <div class="field">
        <Checks
          legend={say('on')}
          choices={OPERATIONS.map((value) => ({ value, label: say(value) }))}
          chosen={draft.on}
          onChange={(on) => onChange({ on })}
        />
        {wrongOn === undefined ? null : (
          <span class="wrong" role="alert">
            {wrongOn}
          </span>
        )}
      </div>
      <ListField
        label={say('fields')}
        help={say('fieldsHelp')}
        wrong={wrongAt(error, '/fields')}
        value={draft.fields}
        onInput={(fields) => onChange({ fields })}
      />
      <Conditions
        value={draft.conditions}
        onChange={(conditions) => onChange({ conditions: [...conditions] })}
        error={error}
        base="/conditions"
        fields={known}
      />
    </>
  )
}
