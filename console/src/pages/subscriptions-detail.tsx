/** One subscription: how it is doing, what can be done with it, and how it is set. */
import { useState } from 'preact/hooks'
import { api, at } from '../api.ts'
import { useWords, words } from '../language.ts'
import { useLoad, usePoll } from '../load.ts'
import { go, href } from '../route.ts'
import type { Subscription, Who } from '../types.ts'
import { Dialog } from '../ui/dialog.tsx'
import { SelectField } from '../ui/form.tsx'
import { Button, Card, ErrorNote, Head, Show, useProblemText } from '../ui/pieces.tsx'
import { DeleteButton } from '../ui/settings.tsx'
import { toast } from '../ui/toast.tsx'
import { CAUSE_WORDS } from './decisions-words.ts'
import {
  BreakerBadge,
  callsOf,
  DisabledNote,
  type Health,
  ModeBadge,
  mayManage,
  OfApp,
} from './subscriptions-common.tsx'
import { DayText, useDay } from './subscriptions-day.tsx'
import { timesOf } from './subscriptions-list.tsx'
import { RotateDialog, SecretCard, type ShownSecret, takeSecret } from './subscriptions-secret.tsx'
import { Settings } from './subscriptions-settings.tsx'
import { TestCard } from './subscriptions-test.tsx'

const WORDS = words({
  list: { en: 'All subscriptions', ru: 'Все подписки', uk: 'Усі підписки' },
  edit: { en: 'Edit', ru: 'Изменить', uk: 'Змінити' },
  rotate: { en: 'Rotate the secret', ru: 'Сменить секрет', uk: 'Змінити секрет' },
  enable: { en: 'Enable', ru: 'Включить', uk: 'Увімкнути' },
  disable: { en: 'Disable', ru: 'Отключить', uk: 'Вимкнути' },
  removeTitle: { en: 'Delete {name}?', ru: 'Удалить «{name}»?', uk: 'Видалити «{name}»?' },
  removeText: {
    en: 'It is asked and told no more, and deliveries that are still open are cancelled. This cannot be undone.',
    ru: 'Её больше не спрашивают и не уведомляют, а незавершённые доставки отменяются. Это нельзя отменить.',
    uk: 'Її більше не питають і не сповіщають, а незавершені доставки скасовуються. Цього не можна скасувати.',
  },
  disableTitle: { en: 'Disable {name}?', ru: 'Отключить «{name}»?', uk: 'Вимкнути «{name}»?' },
  disableText: {
    en: 'Changes are then written without asking it. Notifications are held until it is enabled again.',
    ru: 'Изменения будут записываться без её ответа. Уведомления откладываются до включения.',
    uk: 'Зміни записуватимуться без її відповіді. Сповіщення відкладаються до ввімкнення.',
  },
  disabled: { en: 'Disabled', ru: 'Отключено', uk: 'Вимкнено' },
  enabled: { en: 'Enabled', ru: 'Включено', uk: 'Увімкнено' },
  enableTitle: { en: 'Enable {name}', ru: 'Включить «{name}»', uk: 'Увімкнути «{name}»' },
  held: {
    en: 'Notifications that were held',
    ru: 'Отложенные уведомления',
    uk: 'Відкладені сповіщення',
  },
  heldHelp: {
    en: 'Those of changes that were made while it was disabled.',
    ru: 'Об изменениях, сделанных, пока она была отключена.',
    uk: 'Про зміни, зроблені, поки її було вимкнено.',
  },
  deliver: { en: 'deliver them now', ru: 'доставить сейчас', uk: 'доставити зараз' },
  cancel: {
    en: 'cancel them for good',
    ru: 'отменить навсегда',
    uk: 'скасувати назавжди',
  },
  back: { en: 'Cancel', ru: 'Отмена', uk: 'Скасувати' },
  health: { en: 'Health', ru: 'Состояние', uk: 'Стан' },
  breaker: { en: 'Breaker', ru: 'Предохранитель', uk: 'Запобіжник' },
  reset: { en: 'Reset the breaker', ru: 'Замкнуть предохранитель', uk: 'Замкнути запобіжник' },
  resetDone: {
    en: 'The breaker is closed',
    ru: 'Предохранитель замкнут',
    uk: 'Запобіжник замкнено',
  },
  calls: { en: 'Calls, 5 min', ru: 'Вызовы, 5 мин', uk: 'Виклики, 5 хв' },
  allowed: { en: 'Allowed', ru: 'Разрешено', uk: 'Дозволено' },
  denied: { en: 'Denied', ru: 'Отклонено', uk: 'Відхилено' },
  failures: { en: 'Failures', ru: 'Сбои', uk: 'Збої' },
  inFlight: { en: 'Under way now', ru: 'Сейчас в работе', uk: 'Зараз у роботі' },
  day: { en: 'Last 24 hours', ru: 'За сутки', uk: 'За добу' },
  deliveries: { en: 'Its deliveries', ru: 'Её доставки', uk: 'Її доставки' },
  decisions: { en: 'Its decisions', ru: 'Её решения', uk: 'Її рішення' },
})

type Shown = 'none' | 'enable' | 'rotate'

export function Detail({ id, who }: { id: string; who: Who }) {
  const loaded = useLoad(
    (signal) => api.get<Subscription>(at('/v1/subscriptions', id), { signal }),
    [id],
  )
  const [secret, setSecret] = useState(() => takeSecret(id))
  return (
    <Show loaded={loaded}>
      {(one) => (
        <Parts of={one} who={who} secret={secret} onSecret={setSecret} onChanged={loaded.reload} />
      )}
    </Show>
  )
}

type PartsProps = {
  readonly of: Subscription
  readonly who: Who
  readonly secret: ShownSecret | null
  readonly onSecret: (shown: ShownSecret | null) => void
  readonly onChanged: () => void
}

function Parts({ of, who, secret, onSecret, onChanged }: PartsProps) {
  const say = useWords(WORDS)
  const [shown, setShown] = useState<Shown>('none')
  const isOfApp = of.installationId !== undefined
  return (
    // Names are anybody's, and may be one long word.
    <div class="stack" style={{ gap: '1.25rem', overflowWrap: 'anywhere' }}>
      <a href={href('subscriptions')}>← {say('list')}</a>
      <Head title={of.name}>
        {mayManage(who) ? (
          <Verbs of={of} isOfApp={isOfApp} onChoose={setShown} onChanged={onChanged} />
        ) : null}
      </Head>
      <div class="row">
        <ModeBadge mode={of.mode} />
        <DisabledNote of={of} />
        <code>{of.id}</code>
      </div>
      {isOfApp ? <OfApp /> : null}
      {secret === null ? null : <SecretCard shown={secret} onSeen={() => onSecret(null)} />}
      <div class="columns">
        <HealthCard of={of} who={who} />
        <DayCard of={of} />
      </div>
      {mayManage(who) ? <TestCard of={of} /> : null}
      <Settings of={of} />
      <Windows
        of={of}
        shown={shown}
        onClose={() => setShown('none')}
        onChanged={onChanged}
        onSecret={onSecret}
      />
    </div>
  )
}

type VerbsProps = {
  readonly of: Subscription
  readonly isOfApp: boolean
  readonly onChoose: (shown: Shown) => void
  readonly onChanged: () => void
}

function Verbs({ of, isOfApp, onChoose, onChanged }: VerbsProps) {
  const say = useWords(WORDS)
  return (
    <>
      {isOfApp ? null : (
        <>
          <a class="button" href={href('subscriptions', of.id, 'edit')}>
            {say('edit')}
          </a>
          <Button onClick={() => onChoose('rotate')}>{say('rotate')}</Button>
        </>
      )}
      {of.active ? (
        <DeleteButton
          title={say('disableTitle', { name: of.name })}
          action={say('disable')}
          done={say('disabled')}
          kind="plain"
          onDelete={async () => {
            await api.post(at('/v1/subscriptions', of.id, 'disable'))
            onChanged()
          }}
        >
          <p>{say('disableText')}</p>
        </DeleteButton>
      ) : (
        <Button kind="primary" onClick={() => onChoose('enable')}>
          {say('enable')}
        </Button>
      )}
      <DeleteButton
        title={say('removeTitle', { name: of.name })}
        onDelete={async () => {
          await api.delete(at('/v1/subscriptions', of.id))
          go(href('subscriptions'))
        }}
      >
        <p>{say('removeText')}</p>
      </DeleteButton>
    </>
  )
}

type WindowsProps = {
  readonly of: Subscription
  readonly shown: Shown
  readonly onClose: () => void
  readonly onChanged: () => void
  readonly onSecret: (shown: ShownSecret) => void
}

function Windows({ of, shown, onClose, onChanged, onSecret }: WindowsProps) {
  if (shown === 'rotate') return <RotateDialog id={of.id} onRotated={onSecret} onClose={onClose} />
  if (shown === 'enable') return <EnableDialog of={of} onClose={onClose} onChanged={onChanged} />
  return null
}

type EnableProps = Omit<WindowsProps, 'shown' | 'onSecret'>

function EnableDialog({ of, onClose, onChanged }: EnableProps) {
  const say = useWords(WORDS)
  const [held, setHeld] = useState<'deliver' | 'cancel'>('deliver')
  const [error, setError] = useState<unknown>(undefined)
  const enable = () => {
    api.post(at('/v1/subscriptions', of.id, 'enable'), { held }).then(() => {
      toast(say('enabled'))
      onChanged()
      onClose()
    }, setError)
  }
  return (
    <Dialog title={say('enableTitle', { name: of.name })} onClose={onClose}>
      {error === undefined ? null : <ErrorNote error={error} />}
      <SelectField
        label={say('held')}
        help={say('heldHelp')}
        value={held}
        choices={(['deliver', 'cancel'] as const).map((one) => ({ value: one, label: say(one) }))}
        onChange={setHeld}
      />
      <div class="row end">
        <Button onClick={onClose}>{say('back')}</Button>
        <Button kind="primary" onClick={enable}>
          {say('enable')}
        </Button>
      </div>
    </Dialog>
  )
}

const POLL_MS = 3_000

function HealthCard({ of, who }: { of: Subscription; who: Who }) {
  const say = useWords(WORDS)
  const problemText = useProblemText()
  const [health, setHealth] = useState<Health>()
  const read = async (signal?: AbortSignal) => {
    const now = await api.get<Health>(at('/v1/subscriptions', of.id, 'health'), { signal })
    if (signal?.aborted !== true) setHealth(now)
  }
  usePoll(POLL_MS, read)
  const reset = () => {
    api
      .post(at('/v1/subscriptions', of.id, 'enable'))
      .then(() => read())
      .then(() => toast(say('resetDone')))
      .catch((error: unknown) => toast(problemText(error)))
  }
  if (health === undefined) return <Card title={say('health')}>…</Card>
  const isResettable = of.active && health.breaker !== 'closed' && mayManage(who)
  return (
    <Card title={say('health')}>
      <div class="row" role="status">
        {say('breaker')} <BreakerBadge state={health.breaker} />
      </div>
      {isResettable ? (
        <div class="row">
          <Button onClick={reset}>{say('reset')}</Button>
        </div>
      ) : null}
      <Counts of={health} />
    </Card>
  )
}

function Counts({ of }: { of: Health }) {
  const say = useWords(WORDS)
  const sayCause = useWords(CAUSE_WORDS)
  const causes = Object.entries(of.failures).map(([cause, count]) => {
    const text = Object.hasOwn(CAUSE_WORDS, cause)
      ? sayCause(cause as keyof typeof CAUSE_WORDS)
      : cause
    return `${text}: ${count}`
  })
  const facts: readonly (readonly [string, string | number])[] = [
    [say('calls'), callsOf(of)],
    [say('allowed'), of.counts.allow],
    [say('denied'), of.counts.deny],
    [say('failures'), [of.counts.failed, ...causes].join(' · ')],
    ['p50 / p99', timesOf(of)],
    [say('inFlight'), of.inFlight],
  ]
  return (
    <dl class="filters" style={{ margin: 0 }}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt class="soft small">{name}</dt>
          <dd style={{ margin: 0 }}>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function DayCard({ of }: { of: Subscription }) {
  const say = useWords(WORDS)
  const query = `?subscriptionId=${encodeURIComponent(of.id)}`
  return (
    <Card title={say('day')}>
      <div>
        <DayText of={of} day={useDay()} />
      </div>
      <div class="row">
        <a href={href('deliveries') + query}>{say('deliveries')}</a>
        <a href={href('decisions') + query}>{say('decisions')}</a>
      </div>
    </Card>
  )
}
