/** Deliveries by subscription, state and record, newest first. */
import { useState } from 'preact/hooks'
import { DELIVERY_STATES } from '../../../src/domain/notification.ts'
import { all, withQuery } from '../api.ts'
import { useWords, words } from '../language.ts'
import { useLoad } from '../load.ts'
import { usePages } from '../load-pages.ts'
import { href } from '../route.ts'
import type { Delivery, Subscription } from '../types.ts'
import { Badge, Button, Empty, ErrorNote, Head, More, Show, Time } from '../ui/pieces.tsx'
import { type Column, Table } from '../ui/table.tsx'
import { Choose, Typed } from './decisions-filters.tsx'
import { Replays } from './deliveries-progress.tsx'
import { ReplayDialog } from './deliveries-replay.tsx'
import { STATE_TONES, STATE_WORDS } from './deliveries-words.ts'
import { recordHref } from './records-lib.ts'

const WORDS = words({
  title: { en: 'Deliveries', ru: 'Доставки', uk: 'Доставки' },
  refresh: { en: 'Refresh', ru: 'Обновить', uk: 'Оновити' },
  replay: { en: 'Send again…', ru: 'Отправить повторно…', uk: 'Надіслати повторно…' },
  clear: { en: 'Clear filters', ru: 'Сбросить фильтры', uk: 'Скинути фільтри' },
  subscription: { en: 'Subscription', ru: 'Подписка', uk: 'Підписка' },
  state: { en: 'State', ru: 'Состояние', uk: 'Стан' },
  recordId: { en: 'Record id', ru: 'Id записи', uk: 'Id запису' },
  event: { en: 'Event', ru: 'Событие', uk: 'Подія' },
  record: { en: 'Record', ru: 'Запись', uk: 'Запис' },
  number: { en: 'No.', ru: '№', uk: '№' },
  failures: { en: 'Failures', ru: 'Неудачи', uk: 'Невдачі' },
  due: { en: 'Next try', ru: 'Следующая попытка', uk: 'Наступна спроба' },
  status: { en: 'Last status', ru: 'Последний статус', uk: 'Останній статус' },
  created: { en: 'Planned', ru: 'Поставлена', uk: 'Поставлена' },
  none: { en: 'Nothing has been delivered yet', ru: 'Доставок пока нет', uk: 'Доставок ще немає' },
  noneHelp: {
    en: 'Subscriptions that listen to events after the commit, such as record.created, are told of each change. Add one.',
    ru: 'Подписки на события после фиксации, например record.created, узнают о каждом изменении. Добавьте такую.',
    uk: 'Підписки на події після фіксації, наприклад record.created, дізнаються про кожну зміну. Додайте таку.',
  },
  add: { en: 'Add a subscription', ru: 'Добавить подписку', uk: 'Додати підписку' },
  noMatch: {
    en: 'No delivery fits these filters',
    ru: 'Под фильтры не подходит ни одна доставка',
    uk: 'Жодна доставка не відповідає фільтрам',
  },
  noMatchHelp: {
    en: 'Clear a filter to see more.',
    ru: 'Сбросьте фильтр, чтобы увидеть больше.',
    uk: 'Скиньте фільтр, щоб побачити більше.',
  },
})

const FILTERS = ['subscriptionId', 'state', 'recordId'] as const
type Filter = Readonly<Record<(typeof FILTERS)[number], string>>

function filterOf(query: URLSearchParams): Filter {
  const get = (name: (typeof FILTERS)[number]) => query.get(name) ?? ''
  return {
    subscriptionId: get('subscriptionId'),
    state: get('state'),
    recordId: get('recordId'),
  }
}

function show(filter: Filter): void {
  location.replace(withQuery(href('deliveries'), filter))
}

const PAGE_LIMIT = 50

type ListProps = { readonly query: URLSearchParams; readonly mayManage: boolean }

export function DeliveryList({ query, mayManage }: ListProps) {
  const say = useWords(WORDS)
  const filter = filterOf(query)
  const [isReplaying, setReplaying] = useState(false)
  const [replays, setReplays] = useState(0)
  const subscriptions = useLoad((signal) => all<Subscription>('/v1/subscriptions', signal), [])
  const pages = usePages<Delivery>(withQuery('/v1/deliveries', filter), PAGE_LIMIT)
  const { loaded, items, hasFurther, onMore, error } = pages
  const started = (subscriptionId: string) => {
    setReplays(replays + 1)
    show({ ...filter, subscriptionId })
    loaded.reload()
  }
  return (
    <>
      <Head title={say('title')}>
        <Button onClick={loaded.reload}>{say('refresh')}</Button>
        {mayManage ? <Button onClick={() => setReplaying(true)}>{say('replay')}</Button> : null}
      </Head>
      <Filters filter={filter} subscriptions={subscriptions.data ?? []} />
      {filter.subscriptionId === '' ? null : (
        <Replays
          key={`${filter.subscriptionId} ${replays}`}
          subscriptionId={filter.subscriptionId}
          // Whoever has read on is not thrown back to the first page.
          onProgress={hasFurther ? undefined : loaded.reload}
        />
      )}
      <Show loaded={loaded}>
        {() => (
          <Deliveries
            items={items}
            subscriptions={subscriptions.data ?? []}
            isFiltered={FILTERS.some((name) => filter[name] !== '')}
          />
        )}
      </Show>
      {error === undefined ? null : <ErrorNote error={error} />}
      {onMore === undefined ? null : <More onClick={onMore} />}
      {isReplaying ? (
        <ReplayDialog
          subscriptions={subscriptions.data ?? []}
          subscriptionId={filter.subscriptionId}
          onStarted={started}
          onClose={() => setReplaying(false)}
        />
      ) : null}
    </>
  )
}

type FiltersProps = {
  readonly filter: Filter
  readonly subscriptions: readonly Subscription[]
}

function Filters({ filter, subscriptions }: FiltersProps) {
  const say = useWords(WORDS)
  const sayState = useWords(STATE_WORDS)
  const set = (change: Partial<Filter>) => show({ ...filter, ...change })
  return (
    <div class="filters" role="search">
      <Choose
        label={say('subscription')}
        value={filter.subscriptionId}
        choices={subscriptions.map(({ id, name }) => ({ value: id, label: name }))}
        onChange={(subscriptionId) => set({ subscriptionId })}
      />
      <Choose
        label={say('state')}
        value={filter.state}
        choices={DELIVERY_STATES.map((value) => ({ value, label: sayState(value) }))}
        onChange={(state) => set({ state })}
      />
      <Typed
        label={say('recordId')}
        value={filter.recordId}
        onSettled={(recordId) => set({ recordId })}
      />
      {FILTERS.some((name) => filter[name] !== '') ? (
        <Button onClick={() => location.replace(href('deliveries'))}>{say('clear')}</Button>
      ) : null}
    </div>
  )
}

type DeliveriesProps = {
  readonly items: readonly Delivery[]
  readonly subscriptions: readonly Subscription[]
  readonly isFiltered: boolean
}

function Deliveries({ items, subscriptions, isFiltered }: DeliveriesProps) {
  const say = useWords(WORDS)
  const sayState = useWords(STATE_WORDS)
  if (items.length === 0) return <Nothing isFiltered={isFiltered} />
  const nameOf = (id: string) => subscriptions.find((one) => one.id === id)?.name ?? id
  const columns: readonly Column<Delivery>[] = [
    {
      title: say('created'),
      kind: 'tight',
      cell: ({ id, createdAt }) => (
        <a href={href('deliveries', id)}>
          <Time at={createdAt} />
        </a>
      ),
    },
    { title: say('subscription'), cell: (row) => <bdi>{nameOf(row.subscriptionId)}</bdi> },
    { title: say('number'), kind: 'number', cell: ({ sequenceId }) => sequenceId },
    { title: say('event'), cell: ({ event }) => event },
    { title: say('record'), cell: (row) => <RecordLink delivery={row} /> },
    {
      title: say('state'),
      kind: 'tight',
      cell: ({ state }) => <Badge tone={STATE_TONES[state]}>{sayState(state)}</Badge>,
    },
    { title: say('failures'), kind: 'number', cell: ({ failures }) => failures },
    { title: say('due'), kind: 'tight', cell: ({ dueAt }) => <Time at={dueAt} /> },
    { title: say('status'), kind: 'number', cell: ({ lastStatus }) => lastStatus ?? '–' },
  ]
  return <Table label={say('title')} columns={columns} rows={items} keyOf={({ id }) => id} />
}

export function RecordLink({ delivery: { catalogId, recordId } }: { delivery: Delivery }) {
  if (catalogId === null) return <span class="soft">–</span>
  if (recordId === null) return <bdi>{catalogId}</bdi>
  return (
    <a href={recordHref(catalogId, recordId)}>
      <bdi>
        {catalogId} / {recordId}
      </bdi>
    </a>
  )
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  const say = useWords(WORDS)
  if (isFiltered) {
    return (
      <Empty title={say('noMatch')}>
        <p>{say('noMatchHelp')}</p>
      </Empty>
    )
  }
  return (
    <Empty title={say('none')}>
      <p>{say('noneHelp')}</p>
      <a class="button primary" href={href('subscriptions', 'new')}>
        {say('add')}
      </a>
    </Empty>
  )
}
