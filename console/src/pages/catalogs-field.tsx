/** One field of a catalog in the form. */
import type { FieldType } from '../../../src/domain/catalog.ts'
import type { Redaction } from '../../../src/domain/redaction.ts'
import { ApiProblem } from '../api.ts'
import { useWords, words } from '../language.ts'
import type { Catalog } from '../types.ts'
import { Check, type Choice, Rows, SelectField, TextField, wrongAt } from '../ui/form.tsx'
import { Button } from '../ui/pieces.tsx'

const TYPES = words<FieldType>({
  text: { en: 'Text', ru: 'Текст', uk: 'Текст' },
  number: { en: 'Number', ru: 'Число', uk: 'Число' },
  boolean: { en: 'Yes or no', ru: 'Да или нет', uk: 'Так чи ні' },
  date: { en: 'Date', ru: 'Дата', uk: 'Дата' },
  choice: { en: 'Choice', ru: 'Выбор из списка', uk: 'Вибір зі списку' },
  contact: { en: 'Contact', ru: 'Контакт', uk: 'Контакт' },
  user: { en: 'User', ru: 'Пользователь', uk: 'Користувач' },
  object: { en: 'Links to records', ru: 'Ссылки на записи', uk: 'Посилання на записи' },
  file: { en: 'File', ru: 'Файл', uk: 'Файл' },
  any: { en: 'Anything', ru: 'Любое значение', uk: 'Будь-яке значення' },
})

const KEEPS = words<Keep>({
  keep: { en: 'Keep the value', ru: 'Хранить значение', uk: 'Зберігати значення' },
  remove: { en: 'Keep nothing', ru: 'Ничего не хранить', uk: 'Нічого не зберігати' },
  hash: { en: 'Keep a fingerprint', ru: 'Хранить отпечаток', uk: 'Зберігати відбиток' },
  last4: {
    en: 'Keep the last four characters',
    ru: 'Хранить последние четыре символа',
    uk: 'Зберігати останні чотири символи',
  },
})

const WORDS = words({
  unnamed: { en: 'New field', ru: 'Новое поле', uk: 'Нове поле' },
  title: { en: 'Field title', ru: 'Название поля', uk: 'Назва поля' },
  id: { en: 'Field id', ru: 'Идентификатор поля', uk: 'Ідентифікатор поля' },
  idHelp: {
    en: 'The name of the value in a record.',
    ru: 'Имя значения в записи.',
    uk: 'Ім’я значення в записі.',
  },
  type: { en: 'Type', ru: 'Тип', uk: 'Тип' },
  required: { en: 'Required', ru: 'Обязательное', uk: 'Обов’язкове' },
  keep: { en: 'What decisions keep', ru: 'Что хранят решения', uk: 'Що зберігають рішення' },
  keepHelp: {
    en: 'Validators get the value in any case; this is about the log.',
    ru: 'Проверяющие системы получают значение в любом случае; настройка касается только журнала.',
    uk: 'Системи перевірки отримують значення в будь-якому разі; налаштування стосується лише журналу.',
  },
  options: { en: 'Options', ru: 'Варианты', uk: 'Варіанти' },
  optionsHelp: {
    en: 'Without options the field takes any.',
    ru: 'Без вариантов поле принимает любой.',
    uk: 'Без варіантів поле приймає будь-який.',
  },
  optionId: { en: 'Option id', ru: 'Идентификатор варианта', uk: 'Ідентифікатор варіанта' },
  optionTitle: { en: 'Option title', ru: 'Название варианта', uk: 'Назва варіанта' },
  up: { en: 'Move {what} up', ru: 'Переместить «{what}» выше', uk: 'Перемістити «{what}» вище' },
  down: {
    en: 'Move {what} down',
    ru: 'Переместить «{what}» ниже',
    uk: 'Перемістити «{what}» нижче',
  },
  remove: { en: 'Remove', ru: 'Убрать', uk: 'Прибрати' },
  removeWhat: { en: 'Remove {what}', ru: 'Убрать «{what}»', uk: 'Прибрати «{what}»' },
})

export type Keep = Redaction | 'keep'

export type FieldRow = {
  readonly key: number
  readonly isNew: boolean
  readonly keep: Keep
  readonly field: Catalog['fields'][number]
}

export function useKeepChoices(): readonly Choice<Keep>[] {
  const say = useWords(KEEPS)
  return (['keep', 'remove', 'hash', 'last4'] as const).map((value) => ({
    value,
    label: say(value),
  }))
}

const TYPE_NAMES = Object.keys(TYPES) as readonly FieldType[]

type CardProps = {
  readonly row: FieldRow
  readonly index: number
  readonly isLast: boolean
  readonly isLocked: boolean
  readonly error: unknown
  readonly onChange: (row: FieldRow) => void
  readonly onMove: (by: number) => void
  readonly onRemove: () => void
}

export function FieldCard(props: CardProps) {
  const { row, index, error, onMove, onRemove } = props
  const say = useWords(WORDS)
  const sayType = useWords(TYPES)
  const { id, title, type } = row.field
  const what = title || id || say('unnamed')
  const isWrong =
    error instanceof ApiProblem &&
    error.complaints.some(({ pointer }) => pointer.startsWith(`/fields/${index}/`))
  return (
    <div class="card">
      <div class="head">
        <details open={row.isNew || isWrong} style={{ flex: '1 1 16rem', minWidth: 0 }}>
          <summary>
            {what} <span class="soft small">{sayType(type)}</span>
          </summary>
          <FieldInputs {...props} />
        </details>
        {props.isLocked ? null : (
          <div class="row" style={{ alignSelf: 'start' }}>
            <Button
              kind="plain"
              label={say('up', { what })}
              disabled={index === 0}
              onClick={() => onMove(-1)}
            >
              ↑
            </Button>
            <Button
              kind="plain"
              label={say('down', { what })}
              disabled={props.isLast}
              onClick={() => onMove(1)}
            >
              ↓
            </Button>
            <Button kind="plain" label={say('removeWhat', { what })} onClick={onRemove}>
              {say('remove')}
            </Button>
          </div>
        )}
      </div>
    </div>
  )
}

function FieldInputs({ row, index, error, onChange }: CardProps) {
  const say = useWords(WORDS)
  const sayType = useWords(TYPES)
  const keeps = useKeepChoices()
  const { field } = row
  const change = (next: Partial<FieldRow['field']>) =>
    onChange({ ...row, field: { ...field, ...next } })
  const wrong = (name: string) => wrongAt(error, `/fields/${index}/${name}`)
  return (
    <div class="stack">
      <div class="columns">
        <TextField
          label={say('title')}
          wrong={wrong('title')}
          value={field.title}
          onInput={(title) => change({ title })}
        />
        <TextField
          label={say('id')}
          help={say('idHelp')}
          wrong={wrong('id')}
          value={field.id}
          onInput={(id) => change({ id })}
        />
        <SelectField
          label={say('type')}
          value={field.type}
          choices={TYPE_NAMES.map((value) => ({ value, label: sayType(value) }))}
          onChange={(type) => change({ type })}
        />
        <SelectField
          label={say('keep')}
          help={say('keepHelp')}
          value={row.keep}
          choices={keeps}
          onChange={(keep) => onChange({ ...row, keep })}
        />
      </div>
      <Check
        label={say('required')}
        checked={field.required === true}
        onChange={(required) => change({ required })}
      />
      {field.type === 'choice' ? <Options {...{ field, index, error, change }} /> : null}
    </div>
  )
}

type OptionsProps = {
  readonly field: FieldRow['field']
  readonly index: number
  readonly error: unknown
  readonly change: (next: Partial<FieldRow['field']>) => void
}

function Options({ field, index, error, change }: OptionsProps) {
  const say = useWords(WORDS)
  const at = (option: number, name: string) =>
    wrongAt(error, `/fields/${index}/options/${option}/${name}`)
  return (
    <Rows
      legend={say('options')}
      help={say('optionsHelp')}
      items={field.options ?? []}
      onChange={(options) => change({ options: [...options] })}
      fresh={() => ({ id: '', title: '' })}
    >
      {(option, set, number) => (
        <>
          <TextField
            label={say('optionId')}
            wrong={at(number, 'id')}
            value={option.id}
            onInput={(id) => set({ ...option, id })}
          />
          <TextField
            label={say('optionTitle')}
            wrong={at(number, 'title')}
            value={option.title}
            onInput={(title) => set({ ...option, title })}
          />
        </>
      )}
    </Rows>
  )
}
