/** What a subscriber's answer may do, and what is done where there is none. */
import { failureCauses } from '../../../src/domain/verdict.ts'
import { LANGUAGE_NAMES, LANGUAGES, useWords, words } from '../language.ts'
import type { CatalogField } from '../ui/condition-value.tsx'
import { NumberField, SelectField, TextField, wrongAt } from '../ui/form.tsx'
import { Group } from '../ui/group.tsx'
import { CAUSE_WORDS } from './decisions-words.ts'
import type { Draft, FormProps } from './subscriptions-draft.ts'
import { FieldNames, wrongUnder } from './subscriptions-form-basics.tsx'

export const ANSWER_WORDS = words({
  group: {
    en: 'Failures and suggestions',
    ru: 'Сбои и подсказки',
    uk: 'Збої та підказки',
  },
  onFailure: {
    en: 'When it cannot be asked',
    ru: 'Если спросить не удалось',
    uk: 'Якщо спитати не вдалося',
  },
  onFailureHelp: {
    en: 'A failure is no answer: it is neither a yes nor a no of the validator.',
    ru: 'Сбой — это не ответ: ни «да», ни «нет» проверки.',
    uk: 'Збій — це не відповідь: ні «так», ні «ні» перевірки.',
  },
  deny: { en: 'deny the change', ru: 'отклонить изменение', uk: 'відхилити зміну' },
  allow: { en: 'allow the change', ru: 'разрешить изменение', uk: 'дозволити зміну' },
  byCause: { en: 'depends on the cause', ru: 'по причине сбоя', uk: 'за причиною збою' },
  causes: { en: 'By cause', ru: 'По причинам', uk: 'За причинами' },
  fallback: {
    en: 'What the editor is told then',
    ru: 'Что показать пользователю при сбое',
    uk: 'Що показати користувачеві в разі збою',
  },
  fallbackHelp: {
    en: 'In place of the gateway’s own text. Empty: the gateway’s.',
    ru: 'Вместо текста шлюза. Пусто — текст шлюза.',
    uk: 'Замість тексту шлюзу. Порожньо — текст шлюзу.',
  },
  mayChange: {
    en: 'Fields that it may set',
    ru: 'Поля, которые можно заполнять ответом',
    uk: 'Поля, які можна заповнювати відповіддю',
  },
  usual: {
    en: 'all while a form is filled in, none before a commit',
    ru: 'все — при заполнении формы, никакие — перед записью',
    uk: 'усі — під час заповнення форми, жодних — перед записом',
  },
  all: { en: 'all, always', ru: 'все и всегда', uk: 'усі й завжди' },
  some: { en: 'only these', ru: 'только эти', uk: 'лише ці' },
  mayChangeHelp: {
    en: 'Other values of its replies are ignored.',
    ru: 'Остальные значения из ответов не учитываются.',
    uk: 'Решта значень із відповідей не враховується.',
  },
  fields: { en: 'These fields', ru: 'Эти поля', uk: 'Ці поля' },
  order: { en: 'Order', ru: 'Порядок', uk: 'Порядок' },
  orderHelp: {
    en: 'Whose words come first, and whose suggestion wins: lower goes first. Empty: 0.',
    ru: 'Чьи слова идут первыми и чья подсказка побеждает: меньшее раньше. Пусто — 0.',
    uk: 'Чиї слова йдуть першими й чия підказка перемагає: менше раніше. Порожньо — 0.',
  },
})

const MEMBERS = ['/onFailure', '/fallbackMessage', '/mayChange', '/order'] as const

export function AnswerGroup({
  value,
  onChange,
  error,
  fields,
}: FormProps & { readonly fields: readonly CatalogField[] }) {
  const say = useWords(ANSWER_WORDS)
  const set = (part: Partial<Draft>) => onChange({ ...value, ...part })
  return (
    <Group title={say('group')} error={error} holds={MEMBERS}>
      <OnFailure
        value={value.onFailure}
        onChange={(onFailure) => set({ onFailure })}
        error={error}
      />
      <Fallback
        value={value.fallbackMessage}
        onChange={(fallbackMessage) => set({ fallbackMessage })}
        error={error}
      />
      <MayChange
        value={value.mayChange}
        onChange={(mayChange) => set({ mayChange })}
        error={error}
        fields={fields}
      />
      <NumberField
        label={say('order')}
        help={say('orderHelp')}
        value={value.order}
        onInput={(order) => set({ order })}
        wrong={wrongAt(error, '/order')}
      />
    </Group>
  )
}

type MemberProps<Name extends keyof Draft> = {
  readonly value: Draft[Name]
  readonly onChange: (value: Draft[Name]) => void
  readonly error: unknown
}

function OnFailure({ value, onChange, error }: MemberProps<'onFailure'>) {
  const say = useWords(ANSWER_WORDS)
  const kind = typeof value === 'string' ? value : 'byCause'
  const before = typeof value === 'string' ? value : 'deny'
  const spread = () => Object.fromEntries(failureCauses.map((cause) => [cause, before]))
  return (
    <>
      <SelectField
        label={say('onFailure')}
        help={say('onFailureHelp')}
        value={kind}
        choices={(['deny', 'allow', 'byCause'] as const).map((one) => ({
          value: one,
          label: say(one),
        }))}
        onChange={(chosen) => onChange(chosen === 'byCause' ? spread() : chosen)}
        wrong={wrongUnder(error, '/onFailure')}
      />
      {typeof value === 'string' ? null : <Causes value={value} onChange={onChange} />}
    </>
  )
}

type CausesProps = {
  readonly value: Exclude<Draft['onFailure'], string>
  readonly onChange: (value: Draft['onFailure']) => void
}

function Causes({ value, onChange }: CausesProps) {
  const say = useWords(ANSWER_WORDS)
  const sayCause = useWords(CAUSE_WORDS)
  return (
    <fieldset>
      <legend>{say('causes')}</legend>
      <div class="filters">
        {failureCauses.map((cause) => (
          <SelectField
            key={cause}
            label={sayCause(cause)}
            value={value[cause] ?? 'deny'}
            choices={(['deny', 'allow'] as const).map((one) => ({ value: one, label: say(one) }))}
            onChange={(chosen) => onChange({ ...value, [cause]: chosen })}
          />
        ))}
      </div>
    </fieldset>
  )
}

function Fallback({ value, onChange, error }: MemberProps<'fallbackMessage'>) {
  const say = useWords(ANSWER_WORDS)
  // Those of other languages stay, and can be seen.
  const locales = [...new Set([...LANGUAGES, ...Object.keys(value)])]
  const nameOf = (locale: string) => {
    const own = LANGUAGES.find((one) => one === locale)
    return own === undefined ? locale : LANGUAGE_NAMES[own]
  }
  return (
    <fieldset>
      <legend>{say('fallback')}</legend>
      <span class="soft small">{say('fallbackHelp')}</span>
      {locales.map((locale) => (
        <TextField
          key={locale}
          label={nameOf(locale)}
          value={value[locale] ?? ''}
          onInput={(text) => onChange({ ...value, [locale]: text })}
          wrong={wrongAt(error, `/fallbackMessage/${locale}`)}
        />
      ))}
    </fieldset>
  )
}

type MayChangeProps = MemberProps<'mayChange'> & { readonly fields: readonly CatalogField[] }

function MayChange({ value, onChange, error, fields }: MayChangeProps) {
  const say = useWords(ANSWER_WORDS)
  const kind = value === null ? 'usual' : value === '*' ? 'all' : 'some'
  const isList = value !== null && value !== '*'
  return (
    <>
      <SelectField
        label={say('mayChange')}
        help={say('mayChangeHelp')}
        value={kind}
        choices={(['usual', 'all', 'some'] as const).map((one) => ({
          value: one,
          label: say(one),
        }))}
        onChange={(chosen) => onChange(chosen === 'usual' ? null : chosen === 'all' ? '*' : [])}
        wrong={isList ? undefined : wrongUnder(error, '/mayChange')}
      />
      {isList ? (
        <FieldNames
          label={say('fields')}
          help=""
          fields={fields}
          value={value}
          onChange={onChange}
          wrong={wrongUnder(error, '/mayChange')}
        />
      ) : null}
    </>
  )
}
