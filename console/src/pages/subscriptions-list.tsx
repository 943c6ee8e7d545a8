/** All subscriptions, with how those on the screen are doing. */
import { useRef, useState } from 'preact/hooks'
import { all, api, at } from '../api.ts'
import { useWords, words } from '../language.ts'
import { useLoad, usePoll } from '../load.ts'
import { href } from '../route.ts'
import type { Subscription, Who } from '../types.ts'
import { SelectField, TextField } from '../ui/form.tsx'
import { duration, Empty, Head, More, Show } from '../ui/pieces.tsx'
import { type Column, Table } from '../ui/table.tsx'
import {
  BreakerBadge,
  callsOf,
  DisabledNote,
  type Health,
  ModeBadge,
  mayManage,
  useEventText,
  useEventTypes,
} from './subscriptions-common.tsx'
import { type Day, DayText, useDay } from './subscriptions-day.tsx'

const WORDS = words({
  title: { en: 'Subscriptions', ru: 'Подписки', uk: 'Підписки' },
  add: { en: 'New subscription', ru: 'Новая подписка', uk: 'Нова підписка' },
  emptyTitle: { en: 'No subscriptions yet', ru: 'Подписок пока нет', uk: 'Підписок поки немає' },
  emptyText: {
    en: 'A subscription names a validator that is asked before a record is written, or a receiver that is told afterwards: which changes, at which URL, and what happens when it cannot be reached.',
    ru: 'Подписка указывает, кого спросить перед записью или уведомить после неё: о каких изменениях, по какому URL и что делать, если ответа нет.',
    uk: 'Підписка вказує, кого спитати перед записом або сповістити після нього: про які зміни, за яким URL і що робити, якщо відповіді немає.',
  },
  firstSteps: { en: 'First steps', ru: 'Первые шаги', uk: 'Перші кроки' },
  search: { en: 'Search', ru: 'Поиск', uk: 'Пошук' },
  state: { en: 'State', ru: 'Состояние', uk: 'Стан' },
  any: { en: 'any', ru: 'любое', uk: 'будь-який' },
  active: { en: 'active', ru: 'активные', uk: 'активні' },
  disabled: { en: 'disabled', ru: 'отключённые', uk: 'вимкнені' },
  shadow: { en: 'in shadow', ru: 'в тени', uk: 'у тіні' },
  none: {
    en: 'No subscription is like this.',
    ru: 'Таких подписок нет.',
    uk: 'Таких підписок немає.',
  },
  name: { en: 'Name', ru: 'Название', uk: 'Назва' },
  catalog: { en: 'Catalog', ru: 'Каталог', uk: 'Каталог' },
  every: { en: 'every', ru: 'все', uk: 'усі' },
  events: { en: 'Events', ru: 'События', uk: 'Події' },
  further: { en: '+{n} more', ru: 'и ещё {n}', uk: 'і ще {n}' },
  dialect: { en: 'Dialect', ru: 'Диалект', uk: 'Діалект' },
  breaker: { en: 'Breaker', ru: 'Предохранитель', uk: 'Запобіжник' },
  minutes: { en: 'Last 5 min', ru: 'За 5 мин', uk: 'За 5 хв' },
  calls: {
    en: { one: '{count} call', other: '{count} calls' },
    ru: { one: '{count} вызов', few: '{count} вызова', other: '{count} вызовов' },
    uk: { one: '{count} виклик', few: '{count} виклики', other: '{count} викликів' },
  },
  failures: {
    en: { one: '{count} failure', other: '{count} failures' },
    ru: { one: '{count} сбой', few: '{count} сбоя', other: '{count} сбоев' },
    uk: { one: '{count} збій', few: '{count} збої', other: '{count} збоїв' },
  },
  day: { en: 'Last 24 hours', ru: 'За сутки', uk: 'За добу' },
  deliveries: { en: 'Deliveries', ru: 'Доставки', uk: 'Доставки' },
  deliveriesOf: { en: 'Deliveries of {name}', ru: 'Доставки: {name}', uk: 'Доставки: {name}' },
})

/** `text` is what is searched for at first. */
export function List({ who, text }: { who: Who; text: string }) {
  const say = useWords(WORDS)
  const loaded = useLoad((signal) => all<Subscription>('/v1/subscriptions', signal), [])
  return (
    <>
      <Head title={say('title')}>
        {mayManage(who) ? (
          <a class="button primary" href={href('subscriptions', 'new')}>
            {say('add')}
          </a>
        ) : null}
      </Head>
      <Show loaded={loaded}>
        {(items) =>
          items.length === 0 ? <None who={who} /> : <Found items={items} first={text} />
        }
      </Show>
    </>
  )
}

function None({ who }: { who: Who }) {
  const say = useWords(WORDS)
  return (
    <Empty title={say('emptyTitle')}>
      <p>{say('emptyText')}</p>
      <div class="row">
        {mayManage(who) ? (
          <a class="button" href={href('subscriptions', 'new')}>
            {say('add')}
          </a>
        ) : null}
        <a class="button plain" href={href('start')}>
          {say('firstSteps')}
        </a>
      </div>
    </Empty>
  )
}

const STATES = ['any', 'active', 'disabled', 'shadow'] as const
type State = (typeof STATES)[number]
const SHOWN_AT_ONCE = 50

function Found({ items, first }: { items: readonly Subscription[]; first: string }) {
  const say = useWords(WORDS)
  const [text, setText] = useState(first)
  const [state, setState] = useState<State>('any')
  const [length, setLength] = useState(SHOWN_AT_ONCE)
  const fitting = items.filter((one) => hasState(one, state) && holds(one, text))
  return (
    <>
      <div class="filters">
        <TextField type="search" label={say('search')} value={text} onInput={setText} />
        <SelectField
          label={say('state')}
          value={state}
          choices={STATES.map((value) => ({ value, label: say(value) }))}
          onChange={setState}
        />
      </div>
      {fitting.length === 0 ? (
        <p role="status">{say('none')}</p>
      ) : (
        <Rows rows={fitting.slice(0, length)} />
      )}
      {fitting.length > length ? <More onClick={() => setLength(length + SHOWN_AT_ONCE)} /> : null}
    </>
  )
}

function hasState({ active, mode }: Subscription, state: State): boolean {
  if (state === 'any') return true
  return state === 'shadow' ? mode === 'shadow' : active === (state === 'active')
}

function holds({ id, name, url, catalogId, events }: Subscription, text: string): boolean {
  const all = [id, name, url, catalogId, ...events].join('\n').toLowerCase()
  return all.includes(text.trim().toLowerCase())
}

function Rows({ rows }: { rows: readonly Subscription[] }) {
  const say = useWords(WORDS)
  const place = useRef<HTMLDivElement>(null)
  const health = useHealth(place)
  const columns = useColumns(health, useDay(), useEventText(useEventTypes()))
  return (
    <div ref={place}>
      <Table label={say('title')} columns={columns} rows={rows} keyOf={({ id }) => id} />
    </div>
  )
}

const POLL_MS = 5_000

/** Of those that can be seen now: an account may have hundreds. */
function useHealth(place: { readonly current: HTMLElement | null }) {
  const [known, setKnown] = useState<ReadonlyMap<string, Health>>(new Map())
  usePoll(POLL_MS, async (signal) => {
    const marks = [...(place.current?.querySelectorAll<HTMLElement>('[data-health]') ?? [])]
    const seen = marks.filter((mark) => {
      const { top, bottom } = mark.getBoundingClientRect()
      return bottom >= 0 && top <= innerHeight
    })
    const read = seen.map(async ({ dataset: { health: id = '' } }) => {
      const path = at('/v1/subscriptions', id, 'health')
      return [id, await api.get<Health>(path, { signal })] as const
    })
    const answers = await Promise.allSettled(read)
    if (signal.aborted) return
    const fresh = answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    setKnown((before) => new Map([...before, ...fresh]))
  })
  return known
}

function useColumns(
  health: ReadonlyMap<string, Health>,
  day: Day | undefined,
  eventText: (name: string) => string,
): readonly Column<Subscription>[] {
  const say = useWords(WORDS)
  return [
    { title: say('name'), cell: (one) => <Name of={one} /> },
    { title: say('catalog'), cell: (one) => <CatalogCell of={one} /> },
    {
      title: say('events'),
      cell: ({ events }) => <Events names={events} textOf={eventText} />,
    },
    { title: say('breaker'), cell: (one) => <Breaker of={one} health={health.get(one.id)} /> },
    { title: say('minutes'), kind: 'tight', cell: ({ id }) => <Minutes of={health.get(id)} /> },
    {
      title: 'p50 / p99',
      kind: 'tight',
      cell: ({ id }) => {
        const own = health.get(id)
        return own === undefined ? '–' : timesOf(own)
      },
    },
    { title: say('day'), cell: (one) => <DayText of={one} day={day} /> },
    { title: say('deliveries'), cell: (one) => <Deliveries of={one} /> },
  ]
}

function CatalogCell({ of: { catalogId, dialect } }: { of: Subscription }) {
  const say = useWords(WORDS)
  return (
    <>
      <div>{catalogId === '*' ? say('every') : <bdi>{catalogId}</bdi>}</div>
      <div class="small soft">
        {say('dialect')}: {dialect}
      </div>
    </>
  )
}

function Minutes({ of }: { of: Health | undefined }) {
  const say = useWords(WORDS)
  if (of === undefined) return <>–</>
  const { failed } = of.counts
  return (
    <>
      <div>{say('calls', { count: callsOf(of) })}</div>
      {failed === 0 ? null : (
        <div style={{ color: 'var(--bad)' }}>{say('failures', { count: failed })}</div>
      )}
    </>
  )
}

export const timesOf = ({ p50Ms, p99Ms }: Pick<Health, 'p50Ms' | 'p99Ms'>): string =>
  p50Ms === null || p99Ms === null ? '–' : `${duration(p50Ms)} / ${duration(p99Ms)}`

function Name({ of }: { of: Subscription }) {
  return (
    <div data-health={of.active ? of.id : undefined} style={{ minWidth: '9rem' }}>
      <a href={href('subscriptions', of.id)}>
        <bdi>{of.name}</bdi>
      </a>
      <div class="small row">
        <ModeBadge mode={of.mode} />
        <DisabledNote of={of} />
      </div>
    </div>
  )
}

function Breaker({ of, health }: { of: Subscription; health: Health | undefined }) {
  if (!of.active || health === undefined) return <>–</>
  return <BreakerBadge state={health.breaker} />
}

const EVENTS_SHOWN = 2

type EventsProps = { readonly names: readonly string[]; readonly textOf: (name: string) => string }

function Events({ names, textOf }: EventsProps) {
  const say = useWords(WORDS)
  const rest = names.length - EVENTS_SHOWN
  return (
    <div class="small" style={{ minWidth: '9rem' }}>
      {names.slice(0, EVENTS_SHOWN).map((name) => (
        <div key={name}>
          <bdi>{textOf(name)}</bdi>
        </div>
      ))}
      {rest > 0 ? <span class="soft">{say('further', { n: rest })}</span> : null}
    </div>
  )
}

function Deliveries({ of }: { of: Subscription }) {
  const say = useWords(WORDS)
  return (
    <a
      href={`${href('deliveries')}?subscriptionId=${encodeURIComponent(of.id)}`}
      aria-label={say('deliveriesOf', { name: of.name })}
    >
      {say('deliveries')}
    </a>
  )
}
