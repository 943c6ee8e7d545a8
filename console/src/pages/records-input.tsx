/** One input for each type of field. What it cannot show is shown as JSON, so that nothing is lost by editing. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { useWords, words } from '../language.ts'
import { Check, Rows, TextField } from '../ui/form.tsx'
import { Button } from '../ui/pieces.tsx'
import { type Draft, type Field, sameValue, textOf } from './records-draft.ts'

const WORDS = words({
  yes: { en: 'Yes', ru: 'Да', uk: 'Так' },
  no: { en: 'No', ru: 'Нет', uk: 'Ні' },
  several: { en: 'Choose several', ru: 'Выбрать несколько', uk: 'Вибрати кілька' },
  one: { en: 'Choose one', ru: 'Выбрать одно', uk: 'Вибрати одне' },
  withTime: { en: 'Add a time', ru: 'Добавить время', uk: 'Додати час' },
  withoutTime: { en: 'Without a time', ru: 'Без времени', uk: 'Без часу' },
  contact: { en: 'Phone or e-mail', ru: 'Телефон или почта', uk: 'Телефон або пошта' },
  comment: { en: 'Comment', ru: 'Комментарий', uk: 'Коментар' },
  id: { en: 'User id', ru: 'Id пользователя', uk: 'Id користувача' },
  title: { en: 'Title', ru: 'Название', uk: 'Назва' },
  catalogId: { en: 'Catalog', ru: 'Каталог', uk: 'Каталог' },
  recordId: { en: 'Record', ru: 'Запись', uk: 'Запис' },
  url: { en: 'Address', ru: 'Адрес', uk: 'Адреса' },
})

export type InputTies = {
  readonly id: string
  readonly disabled: boolean
  readonly 'aria-describedby': string | undefined
  readonly 'aria-invalid': 'true' | undefined
  readonly 'aria-required': 'true' | undefined
}

export type InputProps = Draft & {
  readonly field: Field
  readonly onDraft: (draft: Draft) => void
  readonly ties: InputTies
}

type Kind = 'text' | 'number' | 'boolean' | 'date' | 'one' | 'several' | 'list' | 'json'

const COLUMNS = {
  contact: ['contact', 'comment'],
  user: ['id', 'title'],
  object: ['catalogId', 'recordId'],
  file: ['title', 'url'],
} as const satisfies Partial<Record<Field['type'], readonly (keyof typeof WORDS)[]>>

type ListType = keyof typeof COLUMNS
type Item = Readonly<Record<string, string>>

/** The input for this value of this field. */
export function kindOf({ type, options = [] }: Field, value: unknown): Kind {
  const isEmpty = value === undefined || value === null
  switch (type) {
    case 'text':
      return isEmpty || typeof value === 'string' ? 'text' : 'json'
    case 'number':
      return isEmpty || typeof value === 'number' ? 'number' : 'json'
    case 'boolean':
      return isEmpty || typeof value === 'boolean' ? 'boolean' : 'json'
    case 'date':
      return isEmpty || (typeof value === 'string' && !Number.isNaN(Date.parse(value)))
        ? 'date'
        : 'json'
    case 'choice':
      if (options.length === 0) return isEmpty || typeof value === 'string' ? 'text' : 'json'
      return Array.isArray(value) ? 'several' : 'one'
    case 'any':
      return 'json'
    case 'contact':
    case 'user':
    case 'object':
    case 'file':
      return isEmpty || isListOf(value, COLUMNS[type]) ? 'list' : 'json'
  }
}

/** These bring their own frame with a name. */
export function isGroup(kind: Kind): boolean {
  return kind === 'several' || kind === 'list'
}

function isListOf(value: unknown, columns: readonly string[]): value is readonly Item[] {
  return (
    Array.isArray(value) &&
    value.every(
      (item) =>
        typeof item === 'object' &&
        item !== null &&
        Object.entries(item).every(
          ([key, one]) => columns.includes(key) && typeof one === 'string',
        ),
    )
  )
}

export function Input(props: InputProps) {
  switch (kindOf(props.field, props.value)) {
    case 'text':
      return <TextInput {...props} />
    case 'number':
      return <ReadInput {...props} read={readNumber} />
    case 'boolean':
      return <BooleanInput {...props} />
    case 'date':
      return <DateInput {...props} />
    case 'one':
      return <OneInput {...props} />
    case 'several':
      return <SeveralInput {...props} />
    case 'list':
      return <ListInput {...props} />
    case 'json':
      return <ReadInput {...props} read={readJson} />
  }
}

const TEXT_STYLE = { font: 'inherit', minHeight: '2.25rem', fieldSizing: 'content' } as const

function TextInput({ value, onDraft, ties }: InputProps) {
  return (
    <textarea
      {...ties}
      rows={1}
      style={TEXT_STYLE}
      value={typeof value === 'string' ? value : ''}
      onInput={({ currentTarget }) =>
        onDraft({ value: currentTarget.value === '' ? undefined : currentTarget.value })
      }
    />
  )
}

type Read = (text: string) => Draft

const readNumber: Read = (text) => {
  const plain = text.trim().replace(',', '.')
  if (plain === '') return { value: undefined }
  const value = Number(plain)
  return Number.isFinite(value) ? { value } : { value: undefined, unreadable: text }
}

const readJson: Read = (text) => {
  if (text.trim() === '') return { value: undefined }
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return { value: undefined, unreadable: text }
  }
}

/** What was typed stays as it was typed for as long as it means the value. */
function ReadInput({ value, unreadable, onDraft, ties, read }: InputProps & { read: Read }) {
  const written = value === undefined || value === null ? '' : JSON.stringify(value, null, 2)
  const [text, setText] = useState(unreadable ?? written)
  const now = read(text)
  const isIt = now.unreadable === unreadable && sameValue(now.value, value)
  const shared = {
    ...ties,
    value: isIt ? text : (unreadable ?? written),
    onInput: (event: { readonly currentTarget: { readonly value: string } }) => {
      setText(event.currentTarget.value)
      onDraft(read(event.currentTarget.value))
    },
  }
  return read === readNumber ? (
    <input {...shared} type="text" inputMode="decimal" autocomplete="off" />
  ) : (
    <textarea {...shared} spellcheck={false} />
  )
}

function BooleanInput({ value, onDraft, ties }: InputProps) {
  const say = useWords(WORDS)
  return (
    <select
      {...ties}
      value={typeof value === 'boolean' ? String(value) : ''}
      onChange={({ currentTarget: { value: chosen } }) =>
        onDraft({ value: chosen === '' ? undefined : chosen === 'true' })
      }
    >
      <option value="">–</option>
      <option value="true">{say('yes')}</option>
      <option value="false">{say('no')}</option>
    </select>
  )
}

function DateInput({ value, onDraft, ties }: InputProps) {
  const say = useWords(WORDS)
  const text = typeof value === 'string' ? value : ''
  // An input that is not complete says nothing: it stays what it is.
  const [isTimed, setTimed] = useState(false)
  const hasTime = text === '' ? isTimed : text.includes('T')
  const turn = () => {
    setTimed(!hasTime)
    if (text === '') return
    const turned = hasTime ? localOf(text).slice(0, 10) : new Date(`${text}T00:00`).toISOString()
    onDraft({ value: turned })
  }
  return (
    <>
      <input
        {...ties}
        type={hasTime ? 'datetime-local' : 'date'}
        step={hasTime ? 1 : undefined}
        value={hasTime && text !== '' ? localOf(text) : text}
        onInput={({ currentTarget: { value: typed } }) => {
          setTimed(hasTime)
          onDraft({
            value: typed === '' ? undefined : hasTime ? new Date(typed).toISOString() : typed,
          })
        }}
      />
      {text === '' && !hasTime ? null : (
        <Turn disabled={ties.disabled} onClick={turn}>
          {say(hasTime ? 'withoutTime' : 'withTime')}
        </Turn>
      )}
    </>
  )
}

/** The moment by the clock of whoever looks, as the input writes it. */
function localOf(text: string): string {
  const at = new Date(text)
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
}

function Turn(props: { onClick: () => void; disabled: boolean; children: ComponentChildren }) {
  return (
    <div class="row">
      <Button kind="plain" {...props} />
    </div>
  )
}

function OneInput({ field: { options = [] }, value, onDraft, ties }: InputProps) {
  const say = useWords(WORDS)
  const chosen = value === undefined || value === null ? '' : textOf(value)
  const isKnown = chosen === '' || options.some(({ id }) => id === chosen)
  return (
    <>
      <select
        {...ties}
        value={chosen}
        onChange={({ currentTarget }) =>
          onDraft({ value: currentTarget.value === '' ? undefined : currentTarget.value })
        }
      >
        <option value="">–</option>
        {isKnown ? null : <option value={chosen}>{chosen}</option>}
        {options.map(({ id, title }) => (
          <option key={id} value={id}>
            {title}
          </option>
        ))}
      </select>
      <Turn
        disabled={ties.disabled}
        onClick={() => onDraft({ value: chosen === '' ? [] : [chosen] })}
      >
        {say('several')}
      </Turn>
    </>
  )
}

function SeveralInput({ field: { title, options = [] }, value, onDraft, ties }: InputProps) {
  const say = useWords(WORDS)
  const chosen = Array.isArray(value) ? value.map(String) : []
  const unknown = chosen.filter((one) => !options.some(({ id }) => id === one))
  const choices = [...options, ...unknown.map((id) => ({ id, title: id }))]
  const change = (id: string, isOn: boolean) =>
    onDraft({ value: isOn ? [...chosen, id] : chosen.filter((one) => one !== id) })
  return (
    <fieldset disabled={ties.disabled} aria-describedby={ties['aria-describedby']}>
      <legend>{title}</legend>
      {choices.map((option) => (
        <Check
          key={option.id}
          label={option.title}
          checked={chosen.includes(option.id)}
          onChange={(isOn) => change(option.id, isOn)}
        />
      ))}
      <Turn disabled={ties.disabled} onClick={() => onDraft({ value: chosen[0] })}>
        {say('one')}
      </Turn>
    </fieldset>
  )
}

function ListInput({ field: { title, type }, value, onDraft, ties }: InputProps) {
  const say = useWords(WORDS)
  const columns = COLUMNS[type as ListType]
  const items = isListOf(value, columns) ? value : []
  const changed = (item: Item, column: string, text: string): Item =>
    Object.fromEntries(Object.entries({ ...item, [column]: text }).filter(([, one]) => one !== ''))
  return (
    <Rows<Item>
      legend={title}
      items={items}
      fresh={() => ({})}
      onChange={(value) => onDraft({ value })}
    >
      {(item, change) =>
        columns.map((column) => (
          <TextField
            key={column}
            label={say(column)}
            value={item[column] ?? ''}
            disabled={ties.disabled}
            onInput={(text) => change(changed(item, column, text))}
          />
        ))
      }
    </Rows>
  )
}
