/** The fields of a record, each with who suggested what stands in it and with what was said about it. */
import { useId, useState } from 'preact/hooks'
import { useWords, words } from '../language.ts'
import { TextField } from '../ui/form.tsx'
import { Badge, Button, type Tone } from '../ui/pieces.tsx'
import { type Draft, type Field, type Finding, type Form, lineOf } from './records-draft.ts'
import { Input, type InputTies, isGroup, kindOf } from './records-input.tsx'

const WORDS = words({
  mark: { en: 'required field', ru: 'обязательное поле', uk: 'обов’язкове поле' },
  suggestedBy: { en: 'Suggested by', ru: 'Предложено:', uk: 'Запропоновано:' },
  suggests: { en: 'suggests', ru: 'предлагает:', uk: 'пропонує:' },
  nothing: { en: 'nothing', ru: 'оставить пустым', uk: 'залишити порожнім' },
  take: { en: 'Use it', ru: 'Подставить', uk: 'Підставити' },
  notNumber: { en: 'This is not a number.', ru: 'Это не число.', uk: 'Це не число.' },
  notJson: {
    en: 'This is not JSON. A text is written in quotes: "like this".',
    ru: 'Это не JSON. Текст пишется в кавычках: "вот так".',
    uk: 'Це не JSON. Текст пишеться в лапках: "ось так".',
  },
  json: {
    en: 'JSON: "a text", 12, true, a list or an object.',
    ru: 'JSON: "текст", 12, true, список или объект.',
    uk: 'JSON: "текст", 12, true, список або об’єкт.',
  },
  error: { en: 'Error', ru: 'Ошибка', uk: 'Помилка' },
  warning: { en: 'Warning', ru: 'Предупреждение', uk: 'Попередження' },
  confirm: { en: 'To be confirmed', ru: 'Нужно подтвердить', uk: 'Потрібно підтвердити' },
  info: { en: 'Note', ru: 'К сведению', uk: 'До відома' },
  newField: { en: 'Name of a new value', ru: 'Имя нового значения', uk: 'Назва нового значення' },
  add: { en: 'Add a value', ru: 'Добавить значение', uk: 'Додати значення' },
})

const TONES = {
  error: 'bad',
  warning: 'warn',
  confirm: 'warn',
  info: 'none',
} as const satisfies Record<Finding['severity'], Tone>
export const WRAP = { overflowWrap: 'anywhere', minWidth: 0 } as const

/** What a validator said: isolated, so that no text turns what stands around it. */
export function Said({ finding, at }: { finding: Finding; at?: string | undefined }) {
  const say = useWords(WORDS)
  const { severity, message, name } = finding
  return (
    <p style={WRAP}>
      <Badge tone={TONES[severity]}>{say(severity)}</Badge>{' '}
      {at === undefined ? null : (
        <>
          <strong>
            <bdi>{at}</bdi>
          </strong>
          :{' '}
        </>
      )}
      {message.title === undefined ? null : (
        <>
          <strong>
            <bdi>{message.title}</bdi>
          </strong>{' '}
        </>
      )}
      <bdi>{message.text}</bdi>{' '}
      <span class="small">
        (<bdi>{name}</bdi>)
      </span>
    </p>
  )
}

export type FormActions = {
  readonly onDraft: (field: string, draft: Draft) => void
  readonly onTake: (field: string) => void
}

type FieldsProps = FormActions & {
  readonly fields: readonly Field[]
  readonly storedOf: (field: string) => unknown
  readonly form: Form
  readonly findings: readonly Finding[]
  /** What the gateway itself says about a field. */
  readonly wrongOf: (field: string) => string | undefined
  readonly disabled: boolean
}

export function Fields(props: FieldsProps) {
  const say = useWords(WORDS)
  const { fields, form, findings, storedOf } = props
  return (
    <>
      {fields.some(({ required }) => required) ? (
        <p class="soft small">
          <span aria-hidden="true">* </span>
          {say('mark')}
        </p>
      ) : null}
      {fields.map((field) => (
        <FieldBox
          key={field.id}
          {...props}
          field={field}
          draft={form.drafts.get(field.id) ?? { value: storedOf(field.id) }}
          said={findings.filter((one) => one.field === field.id)}
        />
      ))}
    </>
  )
}

type BoxProps = FieldsProps & {
  readonly field: Field
  readonly draft: Draft
  readonly said: readonly Finding[]
}

function FieldBox({ field, draft, said, form, wrongOf, disabled, onDraft, onTake }: BoxProps) {
  const say = useWords(WORDS)
  const id = useId()
  const kind = kindOf(field, draft.value)
  const unreadable = draft.unreadable === undefined ? undefined : kind
  const wrong =
    unreadable === undefined
      ? wrongOf(field.id)
      : say(unreadable === 'number' ? 'notNumber' : 'notJson')
  const isWrong = wrong !== undefined || said.some(({ severity }) => severity === 'error')
  const ties: InputTies = {
    id,
    disabled,
    'aria-describedby': `${id}-said`,
    'aria-invalid': isWrong ? 'true' : undefined,
    'aria-required': field.required === true && kind !== 'several' ? 'true' : undefined,
  }
  return (
    <div class="field" data-field={field.id}>
      {isGroup(kind) ? null : (
        <label for={id}>
          <bdi>{field.title}</bdi>
          {field.required === true ? <span aria-hidden="true"> *</span> : null}
        </label>
      )}
      <Input {...draft} field={field} ties={ties} onDraft={(next) => onDraft(field.id, next)} />
      <Marks
        field={field}
        form={form}
        onTake={() => {
          onTake(field.id)
          // The button goes away, and would take the focus with it.
          document.getElementById(id)?.focus()
        }}
      />
      <div id={`${id}-said`} role="status" style={WRAP}>
        {kind === 'json' ? <span class="help">{say('json')}</span> : null}
        {wrong === undefined ? null : <p class="wrong">{wrong}</p>}
        {said.map((finding, index) => (
          // biome-ignore lint: findings have no names of their own
          <Said key={index} finding={finding} />
        ))}
      </div>
    </div>
  )
}

type MarksProps = {
  readonly form: Form
  readonly field: Field
  readonly onTake: () => void
}

function Marks({ field, form, onTake }: MarksProps) {
  const say = useWords(WORDS)
  const by = form.marks.get(field.id)
  const offer = form.offers.get(field.id)
  const offered = offer === undefined ? '' : lineOf(offer.value, field)
  return (
    <>
      {by === undefined ? null : (
        <p class="soft small" style={WRAP}>
          {say('suggestedBy')} <bdi>{by}</bdi>
        </p>
      )}
      {offer === undefined ? null : (
        <p class="row small" role="status">
          <span style={WRAP}>
            <bdi>{offer.by}</bdi> {say('suggests')}{' '}
            <strong>
              <bdi>{offered === '' ? say('nothing') : offered}</bdi>
            </strong>
          </span>
          <Button onClick={onTake}>{say('take')}</Button>
        </p>
      )}
    </>
  )
}

/** In a catalog without fields a record has the values that somebody gives it. */
export function AddField({ onAdd }: { onAdd: (name: string) => void }) {
  const say = useWords(WORDS)
  const [name, setName] = useState('')
  const add = () => {
    onAdd(name.trim())
    setName('')
  }
  return (
    <div class="filters">
      <TextField label={say('newField')} value={name} onInput={setName} />
      <Button onClick={add} disabled={name.trim() === ''}>
        {say('add')}
      </Button>
    </div>
  )
}
