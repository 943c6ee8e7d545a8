/** How a subscriber is called, what protects it and us, and how it is told again. */
import { useState } from 'preact/hooks'
import { RETRY_PRESETS, type RetryPolicy, type RetryPreset } from '../../../src/domain/retry.ts'
import { useWords, words } from '../language.ts'
import type { CatalogField } from '../ui/condition-value.tsx'
import { EndpointManner } from '../ui/endpoint.tsx'
import { ListField, NumberField, SelectField, wrongAt } from '../ui/form.tsx'
import { Group } from '../ui/group.tsx'
import { Parameters } from '../ui/parameters.tsx'
import { SecretField } from '../ui/secret-field.tsx'
import { BREAKER_DEFAULTS, type Draft, type FormProps } from './subscriptions-draft.ts'
import { wrongUnder } from './subscriptions-form-basics.tsx'

export const CALL_WORDS = words({
  call: { en: 'How it is called', ru: 'Как вызывать', uk: 'Як викликати' },
  secret: { en: 'Signing secret', ru: 'Секрет для подписи', uk: 'Секрет для підпису' },
  secretNew: {
    en: 'Left empty, the gateway makes one and shows it once.',
    ru: 'Если не заполнять, шлюз создаст секрет и один раз его покажет.',
    uk: 'Якщо не заповнювати, шлюз створить секрет і один раз його покаже.',
  },
  protection: {
    en: 'Breaker and limits',
    ru: 'Предохранитель и ограничения',
    uk: 'Запобіжник і обмеження',
  },
  protectionHelp: {
    en: 'Who keeps failing is not asked for a while: the failure policy decides at once instead of after a timeout.',
    ru: 'Кто постоянно даёт сбои, того некоторое время не спрашивают: решает политика на случай сбоя, без ожидания.',
    uk: 'Хто постійно дає збої, того певний час не питають: одразу вирішує політика на випадок збою, без очікування.',
  },
  failureRate: { en: 'Share of failures', ru: 'Доля сбоев', uk: 'Частка збоїв' },
  failureRateHelp: {
    en: 'That opens the breaker, up to 1.',
    ru: 'При которой предохранитель размыкается, до 1.',
    uk: 'За якої запобіжник розмикається, до 1.',
  },
  minimumCalls: {
    en: 'Of at least (calls)',
    ru: 'Не менее чем из (вызовов)',
    uk: 'Щонайменше з (викликів)',
  },
  windowMs: { en: 'Within, ms', ru: 'За время, мс', uk: 'За час, мс' },
  openMs: { en: 'Open for, ms', ru: 'Разомкнут, мс', uk: 'Розімкнений, мс' },
  consecutiveFailures: {
    en: 'Or failures in a row',
    ru: 'Или сбоев подряд',
    uk: 'Або збоїв поспіль',
  },
  maxConcurrency: { en: 'Questions at once', ru: 'Вопросов одновременно', uk: 'Запитань водночас' },
  maxConcurrencyHelp: {
    en: 'Past it: “too many at once”, by the failure policy.',
    ru: 'Сверх этого — «слишком много сразу», по политике сбоев.',
    uk: 'Понад це — «забагато водночас», за політикою збоїв.',
  },
  telling: { en: 'Notifications', ru: 'Уведомления', uk: 'Сповіщення' },
  retry: { en: 'Repeat', ru: 'Повторять', uk: 'Повторювати' },
  retryHelp: {
    en: 'When a notification that did not arrive is sent again.',
    ru: 'Когда снова отправлять недоставленное уведомление.',
    uk: 'Коли знову надсилати недоставлене сповіщення.',
  },
  usual: { en: 'as the dialect does', ru: 'как принято в диалекте', uk: 'як заведено в діалекті' },
  standard: {
    en: 'standard: {count} times in three days',
    ru: 'standard: {count} раз за трое суток',
    uk: 'standard: {count} разів за три доби',
  },
  poster: {
    en: 'poster: {count} times in two days',
    ru: 'poster: {count} раз за двое суток',
    uk: 'poster: {count} разів за дві доби',
  },
  none: { en: 'never', ru: 'никогда', uk: 'ніколи' },
  own: { en: 'after delays of its own', ru: 'через свои интервалы', uk: 'через власні інтервали' },
  delays: { en: 'Delays, seconds', ru: 'Интервалы, с', uk: 'Інтервали, с' },
  delaysHelp: {
    en: 'Separated by commas, one for each repetition.',
    ru: 'Через запятую, по одному на повтор.',
    uk: 'Через кому, по одному на повтор.',
  },
  notNumbers: {
    en: 'These are not all numbers.',
    ru: 'Здесь не только числа.',
    uk: 'Тут не лише числа.',
  },
  maxPerSecond: { en: 'At most per second', ru: 'Не более в секунду', uk: 'Не більше за секунду' },
  noLimit: {
    en: 'Empty: no limit.',
    ru: 'Пусто — без ограничения.',
    uk: 'Порожньо — без обмеження.',
  },
  maxInFlight: { en: 'Under way at once', ru: 'Отправлять одновременно', uk: 'Надсилати водночас' },
  empty: { en: 'Empty: {value}.', ru: 'Пусто — {value}.', uk: 'Порожньо — {value}.' },
})

type CallProps = FormProps & { readonly fields: readonly CatalogField[]; readonly isNew: boolean }

const CALL_MEMBERS = ['/method', '/dialect', '/timeoutMs', '/parameters', '/secret'] as const

export function CallGroup({ value, onChange, error, fields, isNew }: CallProps) {
  const say = useWords(CALL_WORDS)
  return (
    <Group title={say('call')} error={error} holds={CALL_MEMBERS}>
      <EndpointManner
        value={value}
        onChange={(next) => onChange({ ...value, ...next })}
        error={error}
        base=""
      />
      <Parameters
        value={value.parameters}
        onChange={(parameters) => onChange({ ...value, parameters })}
        error={error}
        base="/parameters"
        fields={fields}
      />
      <SecretField
        label={say('secret')}
        value={value.secret}
        onInput={(secret) => onChange({ ...value, secret })}
        wrong={wrongAt(error, '/secret')}
        {...(isNew ? { help: say('secretNew') } : {})}
      />
    </Group>
  )
}

const BREAKER_NAMES = [
  'failureRate',
  'minimumCalls',
  'windowMs',
  'openMs',
  'consecutiveFailures',
] as const

export function ProtectionGroup({ value, onChange, error }: FormProps) {
  const say = useWords(CALL_WORDS)
  const helpOf = (name: (typeof BREAKER_NAMES)[number]) => {
    const empty = say('empty', { value: BREAKER_DEFAULTS[name] })
    return name === 'failureRate' ? `${say('failureRateHelp')} ${empty}` : empty
  }
  return (
    <Group title={say('protection')} error={error} holds={['/breaker', '/maxConcurrency']}>
      <p class="soft small">{say('protectionHelp')}</p>
      <div class="filters" style={{ alignItems: 'start' }}>
        {BREAKER_NAMES.map((name) => (
          <NumberField
            key={name}
            label={say(name)}
            help={helpOf(name)}
            value={value.breaker[name]}
            onInput={(number) =>
              onChange({ ...value, breaker: { ...value.breaker, [name]: number } })
            }
            wrong={wrongAt(error, `/breaker/${name}`)}
          />
        ))}
        <NumberField
          label={say('maxConcurrency')}
          help={`${say('maxConcurrencyHelp')} ${say('empty', { value: 256 })}`}
          value={value.maxConcurrency}
          onInput={(maxConcurrency) => onChange({ ...value, maxConcurrency })}
          wrong={wrongAt(error, '/maxConcurrency')}
        />
      </div>
    </Group>
  )
}

export function TellingGroup({ value, onChange, error }: FormProps) {
  const say = useWords(CALL_WORDS)
  const set = (part: Partial<Draft>) => onChange({ ...value, ...part })
  return (
    <Group title={say('telling')} error={error} holds={['/retry', '/maxPerSecond', '/maxInFlight']}>
      <Retry
        value={value.retry}
        onChange={(retry) => set({ retry })}
        wrong={wrongUnder(error, '/retry')}
      />
      <div class="filters" style={{ alignItems: 'start' }}>
        <NumberField
          label={say('maxPerSecond')}
          help={say('noLimit')}
          value={value.maxPerSecond}
          onInput={(maxPerSecond) => set({ maxPerSecond })}
          wrong={wrongAt(error, '/maxPerSecond')}
        />
        <NumberField
          label={say('maxInFlight')}
          help={say('empty', { value: 20 })}
          value={value.maxInFlight}
          onInput={(maxInFlight) => set({ maxInFlight })}
          wrong={wrongAt(error, '/maxInFlight')}
        />
      </div>
    </Group>
  )
}

type RetryProps = {
  readonly value: RetryPolicy | null
  readonly onChange: (value: RetryPolicy | null) => void
  readonly wrong: string | undefined
}

type RetryKind = RetryPreset | 'usual' | 'own'

function Retry({ value, onChange, wrong }: RetryProps) {
  const say = useWords(CALL_WORDS)
  // Only what is new may be left to the dialect; later the policy is one of its own.
  const [mayBeUsual] = useState(value === null)
  const kinds: readonly RetryKind[] = [
    ...(mayBeUsual ? ['usual' as const] : []),
    'standard',
    'poster',
    'none',
    'own',
  ]
  const choose = (kind: RetryKind) => {
    if (kind === 'own') onChange({ delaysMs: [5_000, 300_000] })
    else onChange(kind === 'usual' ? null : { preset: kind })
  }
  const textOf = (kind: RetryKind) =>
    kind === 'standard' || kind === 'poster'
      ? say(kind, { count: RETRY_PRESETS[kind].delaysMs.length })
      : say(kind)
  return (
    <>
      <SelectField
        label={say('retry')}
        help={say('retryHelp')}
        value={kindOf(value)}
        choices={kinds.map((kind) => ({ value: kind, label: textOf(kind) }))}
        onChange={choose}
        wrong={value !== null && 'delaysMs' in value ? undefined : wrong}
      />
      {value !== null && 'delaysMs' in value ? (
        <Delays
          value={value.delaysMs}
          onChange={(delaysMs) => onChange({ delaysMs })}
          wrong={wrong}
        />
      ) : null}
    </>
  )
}

function kindOf(value: RetryPolicy | null): RetryKind {
  if (value === null) return 'usual'
  return 'preset' in value ? value.preset : 'own'
}

type DelaysProps = {
  readonly value: readonly number[]
  readonly onChange: (value: readonly number[]) => void
  readonly wrong: string | undefined
}

function Delays({ value, onChange, wrong }: DelaysProps) {
  const say = useWords(CALL_WORDS)
  const isWrong = value.some(Number.isNaN)
  return (
    <ListField
      label={say('delays')}
      help={say('delaysHelp')}
      value={value.map((one) => String(one / 1_000))}
      onInput={(texts) => onChange(texts.map((text) => Math.round(Number(text) * 1_000)))}
      wrong={isWrong ? say('notNumbers') : wrong}
    />
  )
}
