/** Each validator in the last hour, and what is not as it should be. */
import { language, useWords, words } from '../language.ts'
import { href } from '../route.ts'
import type { Activity, Subscription } from '../types.ts'
import { Chart } from '../ui/chart.tsx'
import { Badge, Card, duration, share } from '../ui/pieces.tsx'
import { type Column, Table } from '../ui/table.tsx'
import { hourOf } from './overview-charts.tsx'

type Validator = Activity['validators'][number]

export type Health = {
  readonly status: string
  readonly checks: Readonly<Record<string, string>>
}

const WORDS = words({
  validators: { en: 'Validators', ru: 'Проверяющие системы', uk: 'Системи перевірки' },
  name: { en: 'Name', ru: 'Название', uk: 'Назва' },
  asked: { en: 'Asked', ru: 'Спрошено', uk: 'Запитано' },
  denied: { en: 'Denied', ru: 'Отказы', uk: 'Відмови' },
  failed: { en: 'Failed', ru: 'Сбои', uk: 'Збої' },
  breaker: { en: 'Breaker', ru: 'Предохранитель', uk: 'Запобіжник' },
  closed: { en: 'closed', ru: 'замкнут', uk: 'замкнений' },
  open: { en: 'open', ru: 'разомкнут', uk: 'розімкнений' },
  halfOpen: { en: 'half-open', ru: 'на пробе', uk: 'на пробі' },
  p50Ms: {
    en: 'Time taken by validators (p50)',
    ru: 'Время проверяющих систем (p50)',
    uk: 'Час систем перевірки (p50)',
  },
  p99Ms: {
    en: 'Time taken by validators (p99)',
    ru: 'Время проверяющих систем (p99)',
    uk: 'Час систем перевірки (p99)',
  },
  shadow: {
    en: 'shadow: would have denied',
    ru: 'в тени: отказала бы',
    uk: 'у тіні: відмовила б',
  },
  off: { en: 'switched off', ru: 'выключена', uk: 'вимкнена' },
  failing: {
    en: 'Subscriptions that are switched off because their receiver fails or is gone:',
    ru: 'Подписки, выключенные из-за сбоев или ухода получателя:',
    uk: 'Підписки, вимкнені через збої або зникнення отримувача:',
  },
  notReady: { en: 'The gateway cannot serve:', ru: 'Шлюз не готов:', uk: 'Шлюз не готовий:' },
  openBreakers: {
    en: 'Validators that are not asked just now, because they failed:',
    ru: 'Сейчас не опрашиваются из-за сбоев:',
    uk: 'Зараз не опитуються через збої:',
  },
})

type TroublesProps = {
  readonly health: Health | undefined
  readonly activity: Activity | undefined
  readonly subscriptions: readonly Subscription[]
}

/** What an operator wants to see first, at three in the morning. */
export function Troubles({ health, activity, subscriptions }: TroublesProps) {
  const say = useWords(WORDS)
  const nameOf = (id: string) => subscriptions.find((one) => one.id === id)?.name ?? id
  const troubles = Object.entries(health?.checks ?? {}).filter(([, state]) => state !== 'ok')
  const open = (activity?.breakers ?? []).filter(({ state }) => state === 'open')
  const failing = subscriptions.filter(
    ({ disabledReason }) => disabledReason === 'failing' || disabledReason === 'gone',
  )
  return (
    <div class="stack" role="status">
      {troubles.length === 0 ? null : (
        <p class="note bad">
          {say('notReady')} {troubles.map(([name, state]) => `${name}: ${state}`).join('; ')}
        </p>
      )}
      {open.length === 0 ? null : (
        <p class="note bad">
          {say('openBreakers')}{' '}
          {open.map(({ subscriptionId }) => nameOf(subscriptionId)).join(', ')}
        </p>
      )}
      {failing.length === 0 ? null : (
        <p class="note warn">
          {say('failing')} {failing.map(({ name }) => name).join(', ')}
        </p>
      )}
    </div>
  )
}

type ValidatorsProps = {
  readonly activity: Activity
  readonly names: ReadonlyMap<string, string>
  readonly subscriptions: readonly Subscription[]
}

export function Validators({ activity, names, subscriptions }: ValidatorsProps) {
  const say = useWords(WORDS)
  if (activity.validators.length === 0) return null
  const nameOf = (id: string) => names.get(id) ?? id
  return (
    <>
      <div class="columns">
        <ValidatorTimes part="p50Ms" activity={activity} nameOf={nameOf} />
        <ValidatorTimes part="p99Ms" activity={activity} nameOf={nameOf} />
      </div>
      <Card title={say('validators')}>
        <Table
          label={say('validators')}
          columns={useColumns(activity, nameOf, subscriptions)}
          rows={activity.validators}
          keyOf={({ subscriptionId }) => subscriptionId}
        />
      </Card>
    </>
  )
}

function useColumns(
  { breakers }: Activity,
  nameOf: (id: string) => string,
  subscriptions: readonly Subscription[],
): readonly Column<Validator>[] {
  const say = useWords(WORDS)
  const settingsOf = (id: string) => subscriptions.find((one) => one.id === id)
  const deniedOf = ({ subscriptionId, denied, asked }: Validator) => {
    const isShadow = settingsOf(subscriptionId)?.mode === 'shadow'
    const figure = `${denied.toLocaleString(language())} (${share(denied, asked)})`
    return isShadow ? `${say('shadow')} ${figure}` : figure
  }
  return [
    {
      title: say('name'),
      cell: ({ subscriptionId }) => (
        <a href={href('subscriptions', subscriptionId)}>{nameOf(subscriptionId)}</a>
      ),
    },
    { title: say('asked'), kind: 'number', cell: ({ asked }) => asked.toLocaleString(language()) },
    { title: say('denied'), kind: 'number', cell: deniedOf },
    {
      title: say('failed'),
      kind: 'number',
      cell: ({ failed, asked }) => `${failed.toLocaleString(language())} (${share(failed, asked)})`,
    },
    { title: 'p50', kind: 'number', cell: ({ p50Ms }) => time(p50Ms) },
    { title: 'p99', kind: 'number', cell: ({ p99Ms }) => time(p99Ms) },
    {
      title: say('breaker'),
      kind: 'tight',
      cell: ({ subscriptionId }) => (
        <Breaker state={breakers.find((one) => one.subscriptionId === subscriptionId)?.state} />
      ),
    },
  ]
}

const time = (ms: number | null): string => (ms === null ? '–' : duration(ms))

const TONES = { closed: 'good', open: 'bad', halfOpen: 'warn' } as const

function Breaker({ state }: { state: string | undefined }) {
  const say = useWords(WORDS)
  if (state === 'closed' || state === 'open' || state === 'halfOpen') {
    return <Badge tone={TONES[state]}>{say(state)}</Badge>
  }
  return <Badge>{say('off')}</Badge>
}

const COLORS = ['var(--accent)', 'var(--warn)', 'var(--good)', 'var(--bad)', 'var(--soft)'] as const

/** The slowest few: more lines than colours tell nothing. */
function ValidatorTimes({
  part,
  activity,
  nameOf,
}: {
  part: 'p50Ms' | 'p99Ms'
  activity: Activity
  nameOf: (id: string) => string
}) {
  const say = useWords(WORDS)
  const slowest = activity.validators
    .toSorted((a, b) => (b.p99Ms ?? 0) - (a.p99Ms ?? 0))
    .slice(0, COLORS.length)
  const { times } = hourOf(activity.minutes)
  const lines = slowest.map(({ subscriptionId, minutes }, index) => {
    const byTime = new Map(minutes.map((one) => [Date.parse(one.at), one[part]]))
    return {
      id: subscriptionId,
      name: nameOf(subscriptionId),
      color: COLORS[index] ?? 'var(--soft)',
      values: times.map((at) => byTime.get(Date.parse(at)) ?? null),
    }
  })
  return (
    <Card title={say(part)}>
      <Chart label={say(part)} times={times} lines={lines} format={duration} />
    </Card>
  )
}
