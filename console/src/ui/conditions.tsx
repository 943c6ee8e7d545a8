/** A list of conditions, all of which must hold: what is looked at, how it is compared, and with what. */
import {
  CONDITION_OPERATORS,
  CONDITION_SOURCES,
  type Condition,
  type ConditionOperator,
  type ConditionSource,
} from '../../../src/domain/condition.ts'
import { useWords, words } from '../language.ts'
import {
  type CatalogField,
  FieldInput,
  firstValue,
  kindsFor,
  ValueField,
} from './condition-value.tsx'
import { SelectField, wrongAt } from './form.tsx'
import { useKeys } from './keys.ts'
import { Button } from './pieces.tsx'

export const CONDITION_WORDS = words({
  legend: { en: 'Conditions', ru: 'Условия', uk: 'Умови' },
  help: {
    en: 'All of them must hold. Without any, every change counts.',
    ru: 'Должны выполняться все. Если условий нет, подходит любое изменение.',
    uk: 'Мають виконуватися всі. Якщо умов немає, підходить будь-яка зміна.',
  },
  add: { en: 'Add a condition', ru: 'Добавить условие', uk: 'Додати умову' },
  remove: {
    en: 'Remove condition {n}',
    ru: 'Убрать условие {n}',
    uk: 'Прибрати умову {n}',
  },
  condition: { en: 'Condition {n}', ru: 'Условие {n}', uk: 'Умова {n}' },
  source: { en: 'Where', ru: 'Где смотреть', uk: 'Де дивитися' },
  operator: { en: 'Comparison', ru: 'Сравнение', uk: 'Порівняння' },
})

const SOURCES = words<ConditionSource>({
  values: { en: 'the record as it will be', ru: 'запись после', uk: 'запис після' },
  prevValues: { en: 'the record as it was', ru: 'запись до', uk: 'запис до' },
  user: { en: 'who makes the change', ru: 'кто меняет', uk: 'хто змінює' },
  context: { en: 'the context of the request', ru: 'контекст запроса', uk: 'контекст запиту' },
})

export const OPERATORS = words<ConditionOperator>({
  eq: { en: 'is', ru: 'равно', uk: 'дорівнює' },
  ne: { en: 'is not', ru: 'не равно', uk: 'не дорівнює' },
  in: { en: 'is one of', ru: 'одно из', uk: 'одне з' },
  notIn: { en: 'is none of', ru: 'ни одно из', uk: 'жодне з' },
  gt: { en: 'is greater than', ru: 'больше', uk: 'більше за' },
  gte: { en: 'is at least', ru: 'не меньше', uk: 'не менше' },
  lt: { en: 'is less than', ru: 'меньше', uk: 'менше за' },
  lte: { en: 'is at most', ru: 'не больше', uk: 'не більше' },
  exists: { en: 'is present', ru: 'присутствует', uk: 'присутнє' },
  empty: { en: 'is empty', ru: 'пусто', uk: 'порожнє' },
  contains: { en: 'contains', ru: 'содержит', uk: 'містить' },
  startsWith: { en: 'begins with', ru: 'начинается с', uk: 'починається з' },
  matches: {
    en: 'matches the pattern (RE2)',
    ru: 'соответствует выражению (RE2)',
    uk: 'відповідає виразу (RE2)',
  },
  changed: { en: 'changes', ru: 'меняется', uk: 'змінюється' },
  changedTo: { en: 'changes to', ru: 'меняется на', uk: 'змінюється на' },
  changedFrom: { en: 'changes from', ru: 'меняется с', uk: 'змінюється з' },
})

type ConditionsProps = {
  readonly value: readonly Condition[]
  readonly onChange: (value: readonly Condition[]) => void
  readonly error: unknown
  /** The pointer of the list, such as `/conditions`. */
  readonly base: string
  /** Of the catalog, to choose from; see `useFields`. */
  readonly fields?: readonly CatalogField[]
  readonly help?: string
}

export function Conditions({ value, onChange, error, base, fields = [], help }: ConditionsProps) {
  const say = useWords(CONDITION_WORDS)
  const keys = useKeys(value.length)
  const wrong = wrongAt(error, base)
  return (
    <fieldset>
      <legend>{say('legend')}</legend>
      <span class="soft small">{help ?? say('help')}</span>
      {wrong === undefined ? null : <Wrong text={wrong} />}
      {value.map((condition, index) => (
        <div
          class="stack"
          role="group"
          aria-label={say('condition', { n: index + 1 })}
          key={keys.all[index]}
        >
          <One
            value={condition}
            onChange={(next) => onChange(value.with(index, next))}
            error={error}
            base={`${base}/${index}`}
            fields={fields}
          />
          <div class="row">
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
        </div>
      ))}
      <div class="row">
        <Button
          onClick={() => {
            keys.add()
            onChange([...value, { field: '', op: 'eq', value: '' }])
          }}
        >
          {say('add')}
        </Button>
      </div>
    </fieldset>
  )
}

function Wrong({ text }: { text: string }) {
  return (
    <span class="field" role="alert">
      <span class="wrong">{text}</span>
    </span>
  )
}

type OneProps = {
  readonly value: Condition
  readonly onChange: (value: Condition) => void
  readonly error: unknown
  readonly base: string
  readonly fields: readonly CatalogField[]
}

function One({ value, onChange, error, base, fields }: OneProps) {
  const say = useWords(CONDITION_WORDS)
  const sayOperator = useWords(OPERATORS)
  const saySource = useWords(SOURCES)
  const wrong = wrongAt(error, base)
  const typeOf = (field: string) => fields.find(({ id }) => id === field)?.type
  const type = typeOf(value.field)
  const change = (next: Condition) =>
    onChange({ ...next, value: firstValue(next.op, typeOf(next.field), next.value) })
  return (
    <>
      <div class="filters">
        {hasSource(value.op) ? (
          <SelectField
            label={say('source')}
            value={value.source ?? 'values'}
            choices={CONDITION_SOURCES.map((one) => ({ value: one, label: saySource(one) }))}
            onChange={(source) => onChange({ ...value, source })}
            wrong={wrongAt(error, `${base}/source`)}
          />
        ) : null}
        <FieldInput
          value={value.field}
          source={value.source ?? 'values'}
          fields={fields}
          onInput={(field) => change({ ...value, field })}
          wrong={wrongAt(error, `${base}/field`)}
        />
        <SelectField
          label={say('operator')}
          value={value.op}
          choices={CONDITION_OPERATORS.map((one) => ({ value: one, label: sayOperator(one) }))}
          onChange={(op) => change({ ...value, op })}
          wrong={wrongAt(error, `${base}/op`)}
        />
        <ValueField
          key={`${kindsFor(value.op).join()} ${type}`}
          op={value.op}
          type={type}
          value={value.value}
          onChange={(next) => onChange({ ...value, value: next })}
          wrong={wrongAt(error, `${base}/value`)}
        />
      </div>
      {wrong === undefined ? null : <Wrong text={wrong} />}
    </>
  )
}

/** Changes are of the record, whatever else the request holds. */
function hasSource(op: ConditionOperator): boolean {
  return op !== 'changed' && op !== 'changedTo' && op !== 'changedFrom'
}
