/** What a receiver is sent: the whole payload of its dialect, or members chosen from a sample of it. */
import { pointerTo, readPointer } from '../../../src/domain/pointer.ts'
import type { Parameter } from '../../../src/domain/subscription.ts'
import { useWords, words } from '../language.ts'
import type { CatalogField } from './condition-value.tsx'
import { SelectField, TextField, wrongAt } from './form.tsx'
import { useKeys } from './keys.ts'
import { Button } from './pieces.tsx'

export const PARAMETER_WORDS = words({
  legend: { en: 'What is sent', ru: 'Что отправляется', uk: 'Що надсилається' },
  payload: { en: 'Payload', ru: 'Содержимое', uk: 'Вміст' },
  whole: {
    en: 'everything, as the dialect writes it',
    ru: 'всё, как принято в диалекте',
    uk: 'усе, як заведено в діалекті',
  },
  chosen: { en: 'only what is chosen here', ru: 'только выбранное', uk: 'лише вибране' },
  help: {
    en: 'Chosen parameters go into the JSON body, into the query of a GET, or into {name} of the URL.',
    ru: 'Выбранные параметры попадают в тело JSON, в строку запроса GET или на место {имя} в URL.',
    uk: 'Вибрані параметри потрапляють у тіло JSON, у рядок запиту GET або на місце {ім’я} в URL.',
  },
  sample: {
    en: 'Choose from a sample payload',
    ru: 'Выбрать из примера',
    uk: 'Вибрати з прикладу',
  },
  take: { en: 'Add {pointer}', ru: 'Добавить {pointer}', uk: 'Додати {pointer}' },
  name: { en: 'Name', ru: 'Имя', uk: 'Ім’я' },
  from: { en: 'From (JSON Pointer)', ru: 'Откуда (JSON Pointer)', uk: 'Звідки (JSON Pointer)' },
  inSample: { en: 'In the sample: {value}', ru: 'В примере: {value}', uk: 'У прикладі: {value}' },
  remove: { en: 'Remove parameter {n}', ru: 'Убрать параметр {n}', uk: 'Прибрати параметр {n}' },
  own: { en: 'Add by hand', ru: 'Добавить вручную', uk: 'Додати вручну' },
})

type ParametersProps = {
  /** Null: the whole payload. */
  readonly value: readonly Parameter[] | null
  readonly onChange: (value: readonly Parameter[] | null) => void
  readonly error: unknown
  /** The pointer of the list, such as `/parameters`. */
  readonly base: string
  /** Of the catalog, for the sample; see `useFields`. */
  readonly fields?: readonly CatalogField[]
  readonly legend?: string
  readonly help?: string
  /** What null means here, where it is not the dialect's whole payload. */
  readonly wholeLabel?: string
}

export function Parameters({ value, onChange, error, base, ...props }: ParametersProps) {
  const say = useWords(PARAMETER_WORDS)
  const sample = samplePayload(props.fields ?? [])
  return (
    <fieldset>
      <legend>{props.legend ?? say('legend')}</legend>
      <SelectField
        label={say('payload')}
        help={props.help ?? say('help')}
        wrong={wrongAt(error, base)}
        value={value === null ? 'whole' : 'chosen'}
        choices={[
          { value: 'whole', label: props.wholeLabel ?? say('whole') },
          { value: 'chosen', label: say('chosen') },
        ]}
        onChange={(kind) => onChange(kind === 'whole' ? null : [])}
      />
      {value === null ? null : (
        <Chosen value={value} onChange={onChange} error={error} base={base} sample={sample} />
      )}
    </fieldset>
  )
}

type ChosenProps = Pick<ParametersProps, 'error' | 'base'> & {
  readonly value: readonly Parameter[]
  readonly onChange: (value: readonly Parameter[]) => void
  readonly sample: unknown
}

function Chosen({ value, onChange, error, base, sample }: ChosenProps) {
  const say = useWords(PARAMETER_WORDS)
  const keys = useKeys(value.length)
  const add = (parameter: Parameter) => {
    keys.add()
    onChange([...value, parameter])
  }
  const take = (from: string) => add({ name: freeName(from, value), from })
  return (
    <>
      {value.map((parameter, index) => (
        <div class="filters" key={keys.all[index]}>
          <One
            value={parameter}
            onChange={(next) => onChange(value.with(index, next))}
            error={error}
            base={`${base}/${index}`}
            sample={sample}
          />
          <Button
            kind="plain"
            onClick={() => {
              keys.remove(index)
              onChange(value.toSpliced(index, 1))
            }}
          >
            {say('remove', { n: index + 1 })}
          </Button>
        </div>
      ))}
      <div class="row">
        <Button onClick={() => add({ name: '', from: '' })}>{say('own')}</Button>
      </div>
      <details open>
        <summary>{say('sample')}</summary>
        <Tree value={sample} pointer="" onTake={take} />
      </details>
    </>
  )
}

type OneProps = Omit<ChosenProps, 'value' | 'onChange'> & {
  readonly value: Parameter
  readonly onChange: (value: Parameter) => void
}

function One({ value, onChange, error, base, sample }: OneProps) {
  const say = useWords(PARAMETER_WORDS)
  const found = readPointer(sample, value.from)
  const shown = found === undefined ? undefined : JSON.stringify(found)
  return (
    <>
      <TextField
        label={say('name')}
        value={value.name}
        onInput={(name) => onChange({ ...value, name })}
        wrong={wrongAt(error, `${base}/name`)}
      />
      <TextField
        label={say('from')}
        value={value.from}
        onInput={(from) => onChange({ ...value, from })}
        wrong={wrongAt(error, `${base}/from`)}
        {...(shown === undefined ? {} : { help: say('inSample', { value: cut(shown) }) })}
      />
    </>
  )
}

const SHOWN_LENGTH = 60
const cut = (text: string): string =>
  text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text

/** The last part of the pointer, with a number where that is taken. */
function freeName(from: string, taken: readonly Parameter[]): string {
  const last = from.split('/').at(-1) ?? ''
  const plain = last.replaceAll('~1', '/').replaceAll('~0', '~')
  const isFree = (name: string) => taken.every((one) => one.name !== name)
  if (isFree(plain)) return plain
  let count = 2
  while (!isFree(`${plain}${count}`)) count++
  return `${plain}${count}`
}

type TreeProps = {
  readonly value: unknown
  readonly pointer: string
  readonly onTake: (pointer: string) => void
}

function Tree({ value, pointer, onTake }: TreeProps) {
  if (typeof value !== 'object' || value === null) return null
  return (
    <ul class="stack" style={{ margin: 0, gap: '0.15rem', paddingInlineStart: '1.1rem' }}>
      {Object.entries(value).map(([name, member]) => (
        <Branch key={name} name={name} value={member} pointer={pointer} onTake={onTake} />
      ))}
    </ul>
  )
}

function Branch({ name, value, pointer, onTake }: TreeProps & { readonly name: string }) {
  const say = useWords(PARAMETER_WORDS)
  const own = pointer + pointerTo(name)
  const isLeaf = typeof value !== 'object' || value === null || Array.isArray(value)
  return (
    <li>
      <div class="row">
        <code>
          {name}
          {isLeaf ? <span class="soft">: {cut(JSON.stringify(value))}</span> : null}
        </code>
        <Button kind="plain" onClick={() => onTake(own)} label={say('take', { pointer: own })}>
          +
        </Button>
      </div>
      {isLeaf ? null : <Tree value={value} pointer={own} onTake={onTake} />}
    </li>
  )
}

/** The standard dialect's, which is what pointers go into, whatever dialect is spoken (DIALECTS.md). */
function samplePayload(fields: readonly CatalogField[]) {
  const values = sampleValues(fields)
  const moment = '2026-01-31T09:30:00.000Z'
  return {
    type: 'record.before.updated',
    timestamp: moment,
    data: {
      accountId: 'default',
      catalogId: 'orders',
      recordId: '42',
      values,
      prevValues: values,
      allValues: values,
      changedFields: Object.keys(values),
      user: { id: 'u1', title: 'Ann', locale: 'en' },
      context: { channel: 'web' },
      sequenceId: 1,
      decisionId: 'dec_1',
      deadlineAt: moment,
    },
  }
}

/** Values that would fit; made up where nothing is known of the fields. */
export function sampleValues(fields: readonly CatalogField[]): Record<string, unknown> {
  if (fields.length === 0) return { status: 'new', amount: 100 }
  return Object.fromEntries(fields.map((field) => [field.id, SAMPLES[field.type](field)]))
}

const SAMPLES: Readonly<Record<CatalogField['type'], (field: CatalogField) => unknown>> = {
  text: ({ title }) => title,
  number: () => 100,
  boolean: () => true,
  date: () => '2026-01-31T09:30:00.000Z',
  choice: ({ options = [] }) => [options[0]?.id ?? '1'],
  contact: () => [{ contact: '+380441234567', comment: '' }],
  user: () => [{ id: 'u1', title: 'Ann' }],
  object: () => [{ catalogId: 'orders', recordId: '42' }],
  file: () => [
    {
      id: 'f1',
      title: 'a.pdf',
      url: 'https://example.com/a.pdf',
      size: 1,
      mimeType: 'application/pdf',
    },
  ],
  any: () => 'text',
}
