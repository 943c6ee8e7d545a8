/** Parts of forms. Each field has its label, its help and what is wrong with it tied to it, so that it can be heard. */
import type { ComponentChildren } from 'preact'
import { useId, useState } from 'preact/hooks'
import { ApiProblem } from '../api.ts'
import { useWords, words } from '../language.ts'
import { useKeys } from './keys.ts'
import { Button } from './pieces.tsx'

const WORDS = words({
  notJson: { en: 'This is not JSON.', ru: 'Это не JSON.', uk: 'Це не JSON.' },
  add: { en: 'Add', ru: 'Добавить', uk: 'Додати' },
  remove: { en: 'Remove {what}', ru: 'Убрать {what}', uk: 'Прибрати {what}' },
})

/** What the gateway said about the member at this JSON pointer. */
export function wrongAt(error: unknown, pointer: string): string | undefined {
  return error instanceof ApiProblem ? error.at(pointer) : undefined
}

export type FieldProps = {
  readonly label: string
  readonly help?: ComponentChildren
  readonly wrong?: string | undefined
}

type Ties = {
  readonly id: string
  readonly 'aria-describedby': string | undefined
  readonly 'aria-invalid': 'true' | undefined
}

/** The children get what ties them to the label. */
export function Field({
  label,
  help,
  wrong,
  children,
}: FieldProps & { children: (ties: Ties) => ComponentChildren }) {
  const id = useId()
  const described = [
    ...(help === undefined ? [] : [`${id}-help`]),
    ...(wrong === undefined ? [] : [`${id}-wrong`]),
  ].join(' ')
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({
        id,
        'aria-describedby': described === '' ? undefined : described,
        'aria-invalid': wrong === undefined ? undefined : 'true',
      })}
      {help === undefined ? null : (
        <span class="help" id={`${id}-help`}>
          {help}
        </span>
      )}
      {wrong === undefined ? null : (
        <span class="wrong" id={`${id}-wrong`} role="alert">
          {wrong}
        </span>
      )}
    </div>
  )
}

const TYPES = {
  text: { type: 'text' },
  password: { type: 'password' },
  number: { type: 'number', step: 'any' },
  url: { type: 'url' },
  search: { type: 'search' },
  date: { type: 'date' },
  'datetime-local': { type: 'datetime-local' },
} as const

type TextProps = FieldProps & {
  readonly value: string
  readonly onInput: (value: string) => void
  readonly type?: keyof typeof TYPES
  readonly placeholder?: string
  readonly required?: boolean
  readonly disabled?: boolean
}

export function TextField({ label, help, wrong, onInput, type = 'text', ...rest }: TextProps) {
  return (
    <Field label={label} help={help} wrong={wrong}>
      {(ties) => (
        <input
          {...ties}
          {...rest}
          {...TYPES[type]}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  )
}

export function AreaField({
  label,
  help,
  wrong,
  onInput,
  value,
  ...rest
}: Omit<TextProps, 'type'>) {
  return (
    <Field label={label} help={help} wrong={wrong}>
      {(ties) => (
        <textarea
          {...ties}
          {...rest}
          value={value}
          spellcheck={false}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  )
}

/** A number; null for an empty field. What was typed stays as it was typed for as long as it means the value. */
export function NumberField({
  value,
  onInput,
  ...rest
}: Omit<TextProps, 'value' | 'onInput' | 'type'> & {
  value: number | null
  onInput: (value: number | null) => void
}) {
  const [text, setText] = useState('')
  const written = value === null ? '' : String(value)
  return (
    <TextField
      {...rest}
      type="number"
      value={numberOf(text) === value ? text : written}
      onInput={(typed) => {
        setText(typed)
        onInput(numberOf(typed))
      }}
    />
  )
}

function numberOf(text: string): number | null {
  return text === '' ? null : Number(text)
}

export type Choice<Value extends string> = { readonly value: Value; readonly label: string }

type SelectProps<Value extends string> = FieldProps & {
  readonly value: Value
  readonly choices: readonly Choice<Value>[]
  readonly onChange: (value: Value) => void
  readonly disabled?: boolean
}

export function SelectField<Value extends string>({
  label,
  help,
  wrong,
  value,
  choices,
  onChange,
  disabled,
}: SelectProps<Value>) {
  return (
    <Field label={label} help={help} wrong={wrong}>
      {(ties) => (
        <select
          {...ties}
          value={value}
          disabled={disabled}
          onChange={(event) => {
            const chosen = choices.find((one) => one.value === event.currentTarget.value)
            if (chosen !== undefined) onChange(chosen.value)
          }}
        >
          {choices.map((one) => (
            <option key={one.value} value={one.value}>
              {one.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

export function Check({
  label,
  checked,
  onChange,
}: {
  label: string
  checked: boolean
  onChange: (checked: boolean) => void
}) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={checked}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  )
}

type ChecksProps<Value extends string> = {
  readonly legend: string
  readonly help?: string
  readonly choices: readonly Choice<Value>[]
  readonly chosen: readonly Value[]
  readonly onChange: (chosen: readonly Value[]) => void
}

/** Any number of a few. */
export function Checks<Value extends string>({
  legend,
  help,
  choices,
  chosen,
  onChange,
}: ChecksProps<Value>) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      {help === undefined ? null : <span class="help soft small">{help}</span>}
      <div class="filters">
        {choices.map(({ value, label }) => (
          <Check
            key={value}
            label={label}
            checked={chosen.includes(value)}
            onChange={(checked) =>
              onChange(checked ? [...chosen, value] : chosen.filter((one) => one !== value))
            }
          />
        ))}
      </div>
    </fieldset>
  )
}

/** A list of short texts, written with commas. */
export function ListField({
  value,
  onInput,
  ...rest
}: Omit<TextProps, 'value' | 'onInput'> & {
  value: readonly string[]
  onInput: (value: readonly string[]) => void
}) {
  const [text, setText] = useState(value.join(', '))
  const read = (typed: string) =>
    typed
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '')
  return (
    <TextField
      {...rest}
      value={text}
      onInput={(typed) => {
        setText(typed)
        onInput(read(typed))
      }}
    />
  )
}

/** JSON as text. What is no JSON is said at the field, and nothing is passed on meanwhile (undefined). */
export function JsonField({
  value,
  onInput,
  ...rest
}: Omit<TextProps, 'value' | 'onInput'> & { value: unknown; onInput: (value: unknown) => void }) {
  const say = useWords(WORDS)
  const [text, setText] = useState(value === undefined ? '' : JSON.stringify(value, null, 2))
  const isWrong = text.trim() !== '' && parsed(text) === undefined
  const { label, help, placeholder } = rest
  return (
    <Field label={label} help={help} wrong={isWrong ? say('notJson') : rest.wrong}>
      {(ties) => (
        <textarea
          {...ties}
          placeholder={placeholder}
          value={text}
          spellcheck={false}
          // A form with it is not sent: what was typed would be dropped without a word.
          ref={(area) => area?.setCustomValidity(isWrong ? say('notJson') : '')}
          onInput={({ currentTarget: { value: typed } }) => {
            setText(typed)
            onInput(typed.trim() === '' ? undefined : parsed(typed))
          }}
        />
      )}
    </Field>
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

type RowsProps<Item> = {
  readonly legend: string
  readonly help?: ComponentChildren
  readonly items: readonly Item[]
  readonly onChange: (items: readonly Item[]) => void
  readonly fresh: () => Item
  readonly children: (item: Item, change: (next: Item) => void, index: number) => ComponentChildren
}

/** Rows that can be added and removed. */
export function Rows<Item>({ legend, help, items, onChange, fresh, children }: RowsProps<Item>) {
  const say = useWords(WORDS)
  const keys = useKeys(items.length)
  const remove = (index: number) => {
    keys.remove(index)
    onChange(items.toSpliced(index, 1))
  }
  const add = () => {
    keys.add()
    onChange([...items, fresh()])
  }
  return (
    <fieldset>
      <legend>{legend}</legend>
      {help === undefined ? null : <span class="help soft small">{help}</span>}
      {items.map((item, index) => (
        <div class="filters" key={keys.all[index]}>
          {children(item, (next) => onChange(items.with(index, next)), index)}
          <Button kind="plain" onClick={() => remove(index)}>
            {say('remove', { what: String(index + 1) })}
          </Button>
        </div>
      ))}
      <div class="row">
        <Button onClick={add}>{say('add')}</Button>
      </div>
    </fieldset>
  )
}
