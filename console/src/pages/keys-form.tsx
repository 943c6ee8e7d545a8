/** A new key, which is shown once. */
import { useState } from 'preact/hooks'
import type { Scope } from '../../../src/app/store.ts'
import { api } from '../api.ts'
import { useWords, words } from '../language.ts'
import { href } from '../route.ts'
import type { Who } from '../types.ts'
import { AccountField } from '../ui/account-field.tsx'
import { Check, NumberField, SelectField, TextField, wrongAt } from '../ui/form.tsx'
import { COMMON, isOperator, SaveForm } from '../ui/settings.tsx'
import { ShownOnce } from '../ui/shown-once.tsx'

const SCOPES = words<Scope>({
  approve: {
    en: 'approve: ask about changes, write records, raise events',
    ru: 'approve: запрашивать проверку изменений, записывать данные, сообщать о событиях',
    uk: 'approve: запитувати перевірку змін, записувати дані, повідомляти про події',
  },
  read: {
    en: 'read: see records, decisions, deliveries and settings',
    ru: 'read: видеть записи, решения, доставки и настройки',
    uk: 'read: бачити записи, рішення, доставки й налаштування',
  },
  manage: {
    en: 'manage: change subscriptions, catalogs, event types and actions; see what read sees',
    ru: 'manage: менять подписки, каталоги, типы событий и действия; видеть всё, что даёт read',
    uk: 'manage: змінювати підписки, каталоги, типи подій і дії; бачити все, що дає read',
  },
  admin: {
    en: 'admin: everything, with keys, apps, accounts and the audit',
    ru: 'admin: всё, включая ключи, приложения, аккаунты и журнал',
    uk: 'admin: усе, зокрема ключі, застосунки, акаунти й журнал',
  },
})
const SCOPE_NAMES = ['approve', 'read', 'manage', 'admin'] as const

const WORDS = words({
  ...COMMON,
  name: { en: 'Name', ru: 'Имя', uk: 'Ім’я' },
  nameHelp: {
    en: 'Who will use it: “Shop front”.',
    ru: 'Кто будет им пользоваться: «Интернет-магазин».',
    uk: 'Хто ним користуватиметься: «Інтернет-магазин».',
  },
  accountHelp: {
    en: 'Whose data it opens.',
    ru: 'К чьим данным он даёт доступ.',
    uk: 'До чиїх даних він дає доступ.',
  },
  expires: { en: 'Expires', ru: 'Срок действия', uk: 'Строк дії' },
  never: { en: 'Never', ru: 'Бессрочно', uk: 'Безстроково' },
  days: {
    en: { one: 'In {count} day', other: 'In {count} days' },
    ru: { one: 'Через {count} день', few: 'Через {count} дня', other: 'Через {count} дней' },
    uk: { one: 'Через {count} день', few: 'Через {count} дні', other: 'Через {count} днів' },
  },
  own: { en: 'At a chosen time', ru: 'В указанное время', uk: 'У вказаний час' },
  moment: { en: 'Expires at', ru: 'Действует до', uk: 'Діє до' },
  rateHelp: {
    en: 'More are answered 429 until the next second. Empty: as many as come.',
    ru: 'Сверх этого шлюз отвечает 429 до следующей секунды. Пусто — без ограничений.',
    uk: 'Понад це шлюз відповідає 429 до наступної секунди. Порожньо — без обмежень.',
  },
  create: { en: 'Create the key', ru: 'Создать ключ', uk: 'Створити ключ' },
  made: { en: 'The key is ready', ru: 'Ключ создан', uk: 'Ключ створено' },
})

const DAYS = [30, 90, 365] as const
const DAY_MS = 86_400_000

type Draft = {
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly accountId: string
  /** Days, or `never`, or `own`. */
  readonly expiry: string
  readonly moment: string
  readonly maxPerSecond: number | null
}

function expiryOf({ expiry, moment }: Draft): string | undefined {
  if (expiry === 'never') return undefined
  if (expiry !== 'own') return new Date(Date.now() + Number(expiry) * DAY_MS).toISOString()
  return moment === '' ? undefined : new Date(moment).toISOString()
}

export function KeyForm({ who, accountId }: { who: Who; accountId: string }) {
  const say = useWords(WORDS)
  const [made, setMade] = useState<string | undefined>(undefined)
  const [draft, setDraft] = useState<Draft>({
    name: '',
    scopes: ['approve', 'read'],
    accountId,
    expiry: 'never',
    moment: '',
    maxPerSecond: null,
  })
  const change = (next: Partial<Draft>) => setDraft({ ...draft, ...next })
  const save = async () => {
    const { name, scopes } = draft
    const { key } = await api.post<{ key: string }>('/v1/keys', {
      name,
      scopes,
      accountId: draft.accountId,
      expiresAt: expiryOf(draft),
      maxPerSecond: draft.maxPerSecond ?? undefined,
    })
    setMade(key)
  }
  if (made !== undefined) {
    return <ShownOnce title={say('made')} text={made} back={href('keys')} />
  }
  return (
    <SaveForm action={say('create')} back={href('keys')} onSave={save}>
      {(error) => (
        <>
          <TextField
            label={say('name')}
            help={say('nameHelp')}
            wrong={wrongAt(error, '/name')}
            value={draft.name}
            onInput={(name) => change({ name })}
            required
          />
          <Scopes
            chosen={draft.scopes}
            onChange={(scopes) => change({ scopes })}
            wrong={wrongAt(error, '/scopes')}
          />
          {isOperator(who) ? (
            <AccountField
              help={say('accountHelp')}
              wrong={wrongAt(error, '/accountId')}
              value={draft.accountId}
              onChange={(id) => change({ accountId: id })}
            />
          ) : null}
          <Expiry draft={draft} onChange={change} wrong={wrongAt(error, '/expiresAt')} />
          <NumberField
            label={say('rate')}
            help={say('rateHelp')}
            wrong={wrongAt(error, '/maxPerSecond')}
            value={draft.maxPerSecond}
            onInput={(maxPerSecond) => change({ maxPerSecond })}
          />
        </>
      )}
    </SaveForm>
  )
}

type ScopesProps = {
  readonly chosen: readonly Scope[]
  readonly onChange: (chosen: readonly Scope[]) => void
  readonly wrong: string | undefined
}

function Scopes({ chosen, onChange, wrong }: ScopesProps) {
  const say = useWords(WORDS)
  const sayScope = useWords(SCOPES)
  return (
    <div class="field">
      <fieldset>
        <legend>{say('scopes')}</legend>
        {SCOPE_NAMES.map((one) => (
          <Check
            key={one}
            label={sayScope(one)}
            checked={chosen.includes(one)}
            onChange={(checked) =>
              onChange(SCOPE_NAMES.filter((it) => (it === one ? checked : chosen.includes(it))))
            }
          />
        ))}
      </fieldset>
      {wrong === undefined ? null : (
        <span class="wrong" role="alert">
          {wrong}
        </span>
      )}
    </div>
  )
}

type ExpiryProps = {
  readonly draft: Draft
  readonly onChange: (next: Partial<Draft>) => void
  readonly wrong: string | undefined
}

function Expiry({ draft, onChange, wrong }: ExpiryProps) {
  const say = useWords(WORDS)
  const isOwn = draft.expiry === 'own'
  return (
    <div class="columns">
      <SelectField
        label={say('expires')}
        value={draft.expiry}
        choices={[
          { value: 'never', label: say('never') },
          ...DAYS.map((count) => ({ value: String(count), label: say('days', { count }) })),
          { value: 'own', label: say('own') },
        ]}
        onChange={(expiry) => onChange({ expiry })}
      />
      {isOwn ? (
        <TextField
          label={say('moment')}
          type="datetime-local"
          wrong={wrong}
          value={draft.moment}
          onInput={(moment) => onChange({ moment })}
          required
        />
      ) : null}
    </div>
  )
}
