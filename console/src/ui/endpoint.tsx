/** Where and how somebody is called: what subscriptions and menu actions have in common. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { pointerTo } from '../../../src/domain/pointer.ts'
import {
  type Auth,
  DIALECT_NAMES,
  type DialectName,
  METHODS,
  type Method,
  type TlsSettings,
} from '../../../src/domain/subscription.ts'
import { useWords, words } from '../language.ts'
import { NumberField, SelectField, TextField, wrongAt } from './form.tsx'
import { Group } from './group.tsx'
import { useKeys } from './keys.ts'
import { Button } from './pieces.tsx'
import { SecretField } from './secret-field.tsx'

export const ENDPOINT_WORDS = words({
  url: { en: 'URL', ru: 'URL', uk: 'URL' },
  urlHelp: {
    en: 'What the gateway calls. {name} in the path or the query stands for a chosen parameter.',
    ru: 'Адрес, который вызывает шлюз. {name} в пути или запросе заменяется выбранным параметром.',
    uk: 'Адреса, яку викликає шлюз. {name} у шляху чи запиті замінюється вибраним параметром.',
  },
  method: { en: 'Method', ru: 'Метод', uk: 'Метод' },
  dialect: { en: 'Dialect', ru: 'Диалект', uk: 'Діалект' },
  standard: {
    en: 'Standard Webhooks: signed JSON; the reply says allow or deny.',
    ru: 'Standard Webhooks: подписанный JSON; ответ говорит, разрешить или отклонить.',
    uk: 'Standard Webhooks: підписаний JSON; відповідь каже, дозволити чи відхилити.',
  },
  plain: {
    en: 'The same request, for a service that knows nothing of Assent: its status alone decides.',
    ru: 'Тот же запрос для службы, которая не знает об Assent: решает только код ответа.',
    uk: 'Той самий запит для служби, яка не знає про Assent: вирішує лише код відповіді.',
  },
  bpium: {
    en: 'As the webhooks of Bpium: for receivers that were written for it.',
    ru: 'Как вебхуки Bpium — для получателей, написанных под него.',
    uk: 'Як вебхуки Bpium — для отримувачів, написаних під нього.',
  },
  poster: {
    en: 'As the webhooks of Poster: told after a change, never asked before it.',
    ru: 'Как вебхуки Poster: только уведомления после изменения, без вопросов до него.',
    uk: 'Як вебхуки Poster: лише сповіщення після зміни, без запитань до неї.',
  },
  timeout: { en: 'Timeout, ms', ru: 'Тайм-аут, мс', uk: 'Тайм-аут, мс' },
  timeoutHelp: {
    en: 'How long to wait for the answer: 50 to 30,000.',
    ru: 'Сколько ждать ответа: от 50 до 30 000.',
    uk: 'Скільки чекати на відповідь: від 50 до 30 000.',
  },
  access: {
    en: 'Authorization and headers',
    ru: 'Авторизация и заголовки',
    uk: 'Авторизація та заголовки',
  },
  auth: { en: 'Authorization', ru: 'Авторизация', uk: 'Авторизація' },
  none: { en: 'none', ru: 'нет', uk: 'немає' },
  bearer: { en: 'bearer token', ru: 'токен (Bearer)', uk: 'токен (Bearer)' },
  basic: { en: 'user and password', ru: 'имя и пароль', uk: 'ім’я та пароль' },
  custom: { en: 'a header of its own', ru: 'свой заголовок', uk: 'власний заголовок' },
  token: { en: 'Token', ru: 'Токен', uk: 'Токен' },
  username: { en: 'User name', ru: 'Имя пользователя', uk: 'Ім’я користувача' },
  password: { en: 'Password', ru: 'Пароль', uk: 'Пароль' },
  header: { en: 'Header', ru: 'Заголовок', uk: 'Заголовок' },
  value: { en: 'Value', ru: 'Значение', uk: 'Значення' },
  headers: { en: 'Further headers', ru: 'Другие заголовки', uk: 'Інші заголовки' },
  headersHelp: {
    en: 'Sent with every request. Their values are stored encrypted and never shown again.',
    ru: 'Отправляются с каждым запросом. Значения хранятся зашифрованными и больше не показываются.',
    uk: 'Надсилаються з кожним запитом. Значення зберігаються зашифрованими й більше не показуються.',
  },
  addHeader: { en: 'Add a header', ru: 'Добавить заголовок', uk: 'Додати заголовок' },
  removeHeader: {
    en: 'Remove header {n}',
    ru: 'Убрать заголовок {n}',
    uk: 'Прибрати заголовок {n}',
  },
  tls: { en: 'TLS', ru: 'TLS', uk: 'TLS' },
  tlsHelp: {
    en: 'For https only. Left empty: the well-known authorities, and no certificate of our own.',
    ru: 'Только для https. Если пусто — общеизвестные центры сертификации и без своего сертификата.',
    uk: 'Лише для https. Якщо порожньо — загальновідомі центри сертифікації та без власного сертифіката.',
  },
  ca: {
    en: 'Trusted authorities (PEM)',
    ru: 'Доверенные центры (PEM)',
    uk: 'Довірені центри (PEM)',
  },
  cert: {
    en: 'Client certificate (PEM)',
    ru: 'Сертификат клиента (PEM)',
    uk: 'Сертифікат клієнта (PEM)',
  },
  key: {
    en: 'Its private key (PEM)',
    ru: 'Его закрытый ключ (PEM)',
    uk: 'Його закритий ключ (PEM)',
  },
})

export type EndpointValue = {
  readonly url: string
  readonly method: Method
  readonly auth: Auth
  readonly headers: Readonly<Record<string, string>>
  readonly dialect: DialectName
  readonly tls: TlsSettings | null
  readonly timeoutMs: number | null
}

export const FRESH_ENDPOINT: EndpointValue = {
  url: '',
  method: 'POST',
  auth: { type: 'none' },
  headers: {},
  dialect: 'standard',
  tls: null,
  timeoutMs: 10_000,
}

type EndpointProps = {
  readonly value: EndpointValue
  readonly onChange: (value: EndpointValue) => void
  readonly error: unknown
  /** The pointer of what holds the members; empty where the body itself does. */
  readonly base: string
}

/** All of it; its three parts can stand apart. Give it a new `key` when another thing is edited. */
export function Endpoint(props: EndpointProps) {
  return (
    <>
      <EndpointAddress {...props} />
      <EndpointAccess {...props} />
      <EndpointTls {...props} />
    </>
  )
}

/** `without`: dialects that make no sense here. */
type MannerProps = EndpointProps & { readonly without?: readonly DialectName[] }

function EndpointAddress(props: MannerProps) {
  return (
    <>
      <EndpointUrl {...props} />
      <EndpointManner {...props} />
    </>
  )
}

export function EndpointManner({ value, onChange, error, base, without = [] }: MannerProps) {
  const say = useWords(ENDPOINT_WORDS)
  const dialects = DIALECT_NAMES.filter((one) => !without.includes(one))
  return (
    <div class="filters" style={{ alignItems: 'start' }}>
      <SelectField
        label={say('method')}
        value={value.method}
        choices={METHODS.map((one) => ({ value: one, label: one }))}
        onChange={(method) => onChange({ ...value, method })}
        wrong={wrongAt(error, `${base}/method`)}
      />
      <SelectField
        label={say('dialect')}
        help={say(value.dialect)}
        value={value.dialect}
        choices={dialects.map((one) => ({ value: one, label: one }))}
        onChange={(dialect) => onChange({ ...value, dialect })}
        wrong={wrongAt(error, `${base}/dialect`)}
      />
      <NumberField
        label={say('timeout')}
        help={say('timeoutHelp')}
        value={value.timeoutMs}
        onInput={(timeoutMs) => onChange({ ...value, timeoutMs })}
        wrong={wrongAt(error, `${base}/timeoutMs`)}
      />
    </div>
  )
}

export function EndpointUrl({ value, onChange, error, base }: EndpointProps) {
  const say = useWords(ENDPOINT_WORDS)
  return (
    <TextField
      label={say('url')}
      help={say('urlHelp')}
      placeholder="https://"
      value={value.url}
      onInput={(url) => onChange({ ...value, url })}
      wrong={wrongAt(error, `${base}/url`)}
    />
  )
}

export function EndpointAccess({ value, onChange, error, base }: EndpointProps) {
  const say = useWords(ENDPOINT_WORDS)
  const set = (auth: Auth) => onChange({ ...value, auth })
  return (
    <Group title={say('access')} error={error} holds={[`${base}/auth`, `${base}/headers`]}>
      <SelectField
        label={say('auth')}
        value={value.auth.type}
        choices={AUTH_TYPES.map((one) => ({ value: one, label: say(one) }))}
        onChange={(type) => set(FRESH_AUTH[type])}
        wrong={wrongAt(error, `${base}/auth`)}
      />
      <AuthFields value={value.auth} onChange={set} error={error} base={`${base}/auth`} />
      <Headers
        value={value.headers}
        onChange={(headers) => onChange({ ...value, headers })}
        error={error}
        base={`${base}/headers`}
      />
    </Group>
  )
}

const AUTH_TYPES = ['none', 'bearer', 'basic', 'custom'] as const
const FRESH_AUTH: Readonly<Record<Auth['type'], Auth>> = {
  none: { type: 'none' },
  bearer: { type: 'bearer', token: '' },
  basic: { type: 'basic', username: '', password: '' },
  custom: { type: 'custom', header: '', value: '' },
}

type PartProps<Value> = {
  readonly value: Value
  readonly onChange: (value: Value) => void
  readonly error: unknown
  readonly base: string
}

function AuthFields({ value, onChange, error, base }: PartProps<Auth>) {
  const say = useWords(ENDPOINT_WORDS)
  const wrong = (name: string) => wrongAt(error, `${base}/${name}`)
  if (value.type === 'none') return null
  if (value.type === 'bearer') {
    return (
      <SecretField
        key="token"
        label={say('token')}
        value={value.token}
        onInput={(token) => onChange({ ...value, token })}
        wrong={wrong('token')}
      />
    )
  }
  if (value.type === 'basic') {
    return (
      <Pair>
        <TextField
          label={say('username')}
          value={value.username}
          onInput={(username) => onChange({ ...value, username })}
          wrong={wrong('username')}
        />
        <SecretField
          key="password"
          label={say('password')}
          value={value.password}
          onInput={(password) => onChange({ ...value, password })}
          wrong={wrong('password')}
        />
      </Pair>
    )
  }
  return (
    <Pair>
      <TextField
        label={say('header')}
        value={value.header}
        onInput={(header) => onChange({ ...value, header })}
        wrong={wrong('header')}
      />
      <SecretField
        key="value"
        label={say('value')}
        value={value.value}
        onInput={(text) => onChange({ ...value, value: text })}
        wrong={wrong('value')}
      />
    </Pair>
  )
}

function Pair({ children }: { children: ComponentChildren }) {
  return (
    <div class="filters" style={{ alignItems: 'start' }}>
      {children}
    </div>
  )
}

/** Rows of their own, since two of them may have one name, or none, while they are typed. */
function Headers({ value, onChange, error, base }: PartProps<EndpointValue['headers']>) {
  const say = useWords(ENDPOINT_WORDS)
  const [rows, setRows] = useState<readonly (readonly [string, string])[]>(() =>
    Object.entries(value),
  )
  const keys = useKeys(rows.length)
  const set = (next: typeof rows) => {
    setRows(next)
    onChange(Object.fromEntries(next.filter(([name, text]) => name !== '' || text !== '')))
  }
  return (
    <fieldset>
      <legend>{say('headers')}</legend>
      <span class="soft small">{say('headersHelp')}</span>
      {rows.map(([name, text], index) => (
        <div class="filters" key={keys.all[index]}>
          <TextField
            label={say('header')}
            value={name}
            onInput={(next) => set(rows.with(index, [next, text]))}
            wrong={wrongAt(error, base + pointerTo(name))}
          />
          <SecretField
            label={say('value')}
            value={text}
            onInput={(next) => set(rows.with(index, [name, next]))}
          />
          <Button
            kind="plain"
            onClick={() => {
              keys.remove(index)
              set(rows.toSpliced(index, 1))
            }}
          >
            {say('removeHeader', { n: index + 1 })}
          </Button>
        </div>
      ))}
      <div class="row">
        <Button
          onClick={() => {
            keys.add()
            set([...rows, ['', '']])
          }}
        >
          {say('addHeader')}
        </Button>
      </div>
    </fieldset>
  )
}

export function EndpointTls({ value, onChange, error, base }: EndpointProps) {
  const say = useWords(ENDPOINT_WORDS)
  const set = (name: keyof TlsSettings, text: string) => {
    const typed = { ...value.tls, [name]: text === '' ? undefined : text }
    // The key is of the certificate; a stored one cannot be emptied by itself.
    const next = name === 'cert' && text === '' ? { ...typed, key: undefined } : typed
    const isEmpty = Object.values(next).every((one) => one === undefined)
    onChange({ ...value, tls: isEmpty ? null : next })
  }
  return (
    <Group title={say('tls')} error={error} holds={[`${base}/tls`]}>
      <p class="soft small">{say('tlsHelp')}</p>
      {(['ca', 'cert', 'key'] as const).map((name) => (
        <SecretField
          key={name}
          kind="area"
          label={say(name)}
          value={value.tls?.[name] ?? ''}
          onInput={(text) => set(name, text)}
          wrong={
            wrongAt(error, `${base}/tls/${name}`) ??
            (name === 'ca' ? wrongAt(error, `${base}/tls`) : undefined)
          }
        />
      ))}
    </Group>
  )
}
