/** The last hour at a glance: is it well, how fast is it, and who stands in the way. */
import { useState } from 'preact/hooks'
import { all, api } from '../api.ts'
import { language, useWords, words } from '../language.ts'
import { useLoad, usePoll } from '../load.ts'
import { href } from '../route.ts'
import type { Activity, Subscription } from '../types.ts'
import { Card, duration, Empty, ErrorNote, Head, share } from '../ui/pieces.tsx'
import { Share, Times } from './overview-charts.tsx'
import { type Health, Troubles, Validators } from './overview-validators.tsx'

const WORDS = words({
  title: { en: 'Overview', ru: 'Обзор', uk: 'Огляд' },
  lastHour: { en: 'Last hour', ru: 'Последний час', uk: 'Остання година' },
  approvals: { en: 'Approvals', ru: 'Согласования', uk: 'Погодження' },
  denied: { en: 'Denied', ru: 'Отказано', uk: 'Відмовлено' },
  passed: {
    en: 'Let through by a failure policy',
    ru: 'Пропущено по политике сбоев',
    uk: 'Пропущено за політикою збоїв',
  },
  failed: { en: 'Ended in a problem', ru: 'Завершились ошибкой', uk: 'Завершилися помилкою' },
  backlog: {
    en: 'Oldest notification not delivered',
    ru: 'Самое старое недоставленное уведомление',
    uk: 'Найстаріше недоставлене сповіщення',
  },
  waiting: {
    en: 'Notifications to be sent',
    ru: 'Уведомлений к отправке',
    uk: 'Сповіщень до надсилання',
  },
  none: { en: 'none', ru: 'нет', uk: 'немає' },
  nothing: {
    en: 'Nothing has been asked yet',
    ru: 'Пока ни о чём не спрашивали',
    uk: 'Поки ні про що не питали',
  },
  nothingHelp: {
    en: 'Register a validator and try a change: that takes two minutes.',
    ru: 'Подключите проверяющую систему и попробуйте изменение: это займёт две минуты.',
    uk: 'Підключіть систему перевірки та спробуйте зміну: це займе дві хвилини.',
  },
  firstSteps: { en: 'First steps', ru: 'Первые шаги', uk: 'Перші кроки' },
})

const EVERY_MS = 2_000
const SUBSCRIPTIONS_EVERY_MS = 10_000
/** The gateway counts no further. */
const WAITING_MAX = 1_000

export function Page() {
  const say = useWords(WORDS)
  const [activity, setActivity] = useState<Activity | undefined>(undefined)
  const [error, setError] = useState<unknown>(undefined)
  const [health, setHealth] = useState<Health | undefined>(undefined)
  usePoll(EVERY_MS, async (signal) => {
    try {
      setActivity(await api.get<Activity>('/v1/activity?minutes=60', { signal }))
      setError(undefined)
    } catch (failure) {
      if (!signal.aborted) setError(failure)
    }
    setHealth(await api.get<Health>('/readyz', { signal, takes: [503] }))
  })
  const subscriptions = useLoad((signal) => all<Subscription>('/v1/subscriptions', signal), [])
  usePoll(SUBSCRIPTIONS_EVERY_MS, async () => {
    if (!subscriptions.isLoading) subscriptions.reload()
  })
  const names = new Map((subscriptions.data ?? []).map(({ id, name }) => [id, name]))
  return (
    <>
      <Head title={say('title')} />
      {error === undefined ? null : <ErrorNote error={error} />}
      <Troubles health={health} activity={activity} subscriptions={subscriptions.data ?? []} />
      {activity === undefined ? null : (
        <>
          <Figures activity={activity} />
          {activity.minutes.length === 0 ? <Nothing /> : <Charts activity={activity} />}
          <Validators activity={activity} names={names} subscriptions={subscriptions.data ?? []} />
        </>
      )}
    </>
  )
}

function Nothing() {
  const say = useWords(WORDS)
  return (
    <Empty title={say('nothing')}>
      <p>{say('nothingHelp')}</p>
      <a class="button primary" href={href('start')}>
        {say('firstSteps')}
      </a>
    </Empty>
  )
}

function Charts({ activity }: { activity: Activity }) {
  return (
    <div class="columns">
      <Share minutes={activity.minutes} />
      <Times minutes={activity.minutes} />
    </div>
  )
}

function Figures({ activity: { minutes, backlog } }: { activity: Activity }) {
  const say = useWords(WORDS)
  const sum = (name: 'approvals' | 'denied' | 'degraded' | 'failed') =>
    minutes.reduce((total, minute) => total + minute[name], 0)
  const approvals = sum('approvals')
  const figures = [
    { name: say('approvals'), value: approvals.toLocaleString(language()) },
    { name: say('denied'), value: share(sum('denied'), approvals) },
    { name: say('passed'), value: sum('degraded').toLocaleString(language()) },
    { name: say('failed'), value: sum('failed').toLocaleString(language()) },
    {
      name: say('backlog'),
      value: backlog.oldestMs < 1_000 ? say('none') : duration(backlog.oldestMs),
    },
    {
      name: say('waiting'),
      value: `${backlog.waiting.toLocaleString(language())}${backlog.waiting < WAITING_MAX ? '' : '+'}`,
    },
  ]
  return (
    <section class="figures" aria-label={say('lastHour')}>
      {figures.map(({ name, value }) => (
        <Card key={name}>
          <p class="soft">{name}</p>
          <p class="big">{value}</p>
        </Card>
      ))}
    </section>
  )
}
