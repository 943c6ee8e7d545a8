/** The charts of the overview: an hour, minute by minute, those without anything included. */
import { language, useWords, words } from '../language.ts'
import type { Activity } from '../types.ts'
import { Chart, type Line } from '../ui/chart.tsx'
import { Card, duration } from '../ui/pieces.tsx'

const WORDS = words({
  perSecond: {
    en: 'Approvals per second',
    ru: 'Согласований в секунду',
    uk: 'Погоджень за секунду',
  },
  all: { en: 'all', ru: 'все', uk: 'усі' },
  denied: { en: 'denied', ru: 'отказано', uk: 'відмовлено' },
  added: {
    en: 'Time added by the gateway',
    ru: 'Время, добавленное шлюзом',
    uk: 'Час, доданий шлюзом',
  },
})

const MINUTES = 60
const MINUTE_MS = 60_000

/** From the oldest minute to this one; what is missing in the answer was a minute without anything. */
export function hourOf<M extends { readonly at: string }>(
  minutes: readonly M[],
): { readonly times: readonly string[]; readonly found: readonly (M | null)[] } {
  const byTime = new Map(minutes.map((one) => [Date.parse(one.at), one]))
  const last = Math.max(Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS, ...byTime.keys())
  const at = Array.from({ length: MINUTES }, (_, index) => last - (MINUTES - 1 - index) * MINUTE_MS)
  return {
    times: at.map((ms) => new Date(ms).toISOString()),
    found: at.map((ms) => byTime.get(ms) ?? null),
  }
}

export function Share({ minutes }: { minutes: Activity['minutes'] }) {
  const say = useWords(WORDS)
  const { times, found } = hourOf(minutes)
  const lines: Line[] = [
    {
      id: 'all',
      name: say('all'),
      color: 'var(--accent)',
      values: found.map((one) => (one?.approvals ?? 0) / MINUTES),
    },
    {
      id: 'denied',
      name: say('denied'),
      color: 'var(--bad)',
      values: found.map((one) => (one?.denied ?? 0) / MINUTES),
    },
  ]
  const format = (value: number) =>
    value.toLocaleString(language(), { maximumSignificantDigits: 3 })
  return (
    <Card title={say('perSecond')}>
      <Chart label={say('perSecond')} times={times} lines={lines} format={format} />
    </Card>
  )
}

export function Times({ minutes }: { minutes: Activity['minutes'] }) {
  const say = useWords(WORDS)
  const { times, found } = hourOf(minutes)
  const lines: Line[] = [
    {
      id: 'p50',
      name: 'p50',
      color: 'var(--accent)',
      values: found.map((one) => one?.gateway.p50Ms ?? null),
    },
    {
      id: 'p99',
      name: 'p99',
      color: 'var(--warn)',
      values: found.map((one) => one?.gateway.p99Ms ?? null),
    },
  ]
  return (
    <Card title={say('added')}>
      <Chart label={say('added')} times={times} lines={lines} format={duration} />
    </Card>
  )
}
