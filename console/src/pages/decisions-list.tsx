/** The log of decisions, live, as far as the filters in the address let it through. */
import { useState } from 'preact/hooks'
import { all, withQuery } from '../api.ts'
import { useWords, words } from '../language.ts'
import { useLoad } from '../load.ts'
import { href } from '../route.ts'
import type { Catalog, Subscription } from '../types.ts'
import { Button, Empty, ErrorNote, Head } from '../ui/pieces.tsx'
import { Choose, Typed } from './decisions-filters.tsx'
import { type DecisionFilter, ROWS_MAX, useLiveLog } from './decisions-live.ts'
import { DecisionRows } from './decisions-rows.tsx'
import { DECISION_KINDS, DECISION_WORDS } from './decisions-words.ts'

const WORDS = words({
  subscription: { en: 'Subscription', ru: 'Подписка', uk: 'Підписка' },
  recordId: { en: 'Record id', ru: 'Id записи', uk: 'Id запису' },
  text: { en: 'Text', ru: 'Текст', uk: 'Текст' },
  textHelp: {
    en: 'In messages, record ids and people.',
    ru: 'В сообщениях, id записей и именах людей.',
    uk: 'У повідомленнях, id записів та іменах людей.',
  },
  clear: { en: 'Clear filters', ru: 'Сбросить фильтры', uk: 'Скинути фільтри' },
  pause: { en: 'Pause', ru: 'Приостановить', uk: 'Призупинити' },
  resume: { en: 'Resume', ru: 'Продолжить', uk: 'Продовжити' },
  live: { en: 'Live', ru: 'В реальном времени', uk: 'Наживо' },
  paused: { en: 'Paused', ru: 'Приостановлено', uk: 'Призупинено' },
  loading: { en: 'Loading…', ru: 'Загрузка…', uk: 'Завантаження…' },
  older: { en: 'Older', ru: 'Более ранние', uk: 'Раніші' },
  shown: {
    en: { one: '{count} decision', other: '{count} decisions' },
    ru: {
      one: '{count} решение',
      few: '{count} решения',
      many: '{count} решений',
      other: '{count} решения',
    },
    uk: {
      one: '{count} рішення',
      few: '{count} рішення',
      many: '{count} рішень',
      other: '{count} рішення',
    },
  },
  news: {
    en: { one: '{count} new decision', other: '{count} new decisions' },
    ru: {
      one: '{count} новое решение',
      few: '{count} новых решения',
      many: '{count} новых решений',
      other: '{count} нового решения',
    },
    uk: {
      one: '{count} нове рішення',
      few: '{count} нові рішення',
      many: '{count} нових рішень',
      other: '{count} нового рішення',
    },
  },
  full: {
    en: 'No more than {max} are kept here. Filters show what is older.',
    ru: 'Здесь хранится не больше {max}. Более ранние покажут фильтры.',
    uk: 'Тут зберігається не більше {max}. Раніші покажуть фільтри.',
  },
  none: { en: 'No decisions yet', ru: 'Решений пока нет', uk: 'Рішень ще немає' },
  noneHelp: {
    en: 'Each change that is asked for appears here at once. Try one in the records, or send POST /v1/approve.',
    ru: 'Каждое изменение, о котором спросили, сразу появится здесь. Попробуйте изменить запись или отправьте POST /v1/approve.',
    uk: 'Кожна зміна, про яку запитали, одразу з’явиться тут. Спробуйте змінити запис або надішліть POST /v1/approve.',
  },
  toRecords: { en: 'Go to the records', ru: 'К записям', uk: 'До записів' },
  noMatch: {
    en: 'No decision fits these filters',
    ru: 'Под фильтры не подходит ни одно решение',
    uk: 'Жодне рішення не відповідає фільтрам',
  },
  noMatchHelp: {
    en: 'New ones that fit will appear here.',
    ru: 'Новые подходящие появятся здесь.',
    uk: 'Нові відповідні з’являться тут.',
  },
})

const FILTERS = ['catalogId', 'decision', 'subscriptionId', 'recordId', 'text'] as const

function filterOf(query: URLSearchParams): DecisionFilter {
  const get = (name: keyof DecisionFilter) => query.get(name) ?? ''
  return {
    catalogId: get('catalogId'),
    decision: get('decision'),
    subscriptionId: get('subscriptionId'),
    recordId: get('recordId'),
    text: get('text'),
  }
}

/** Replaces the address: going back leaves the log, however much was typed. */
function show(filter: DecisionFilter): void {
  location.replace(withQuery(href('decisions'), filter))
}

export function DecisionLog({ query }: { query: URLSearchParams }) {
  const say = useWords(WORDS)
  const sayShared = useWords(DECISION_WORDS)
  const [isPaused, setPaused] = useState(false)
  const filter = filterOf(query)
  const isFiltered = FILTERS.some((name) => filter[name] !== '')
  return (
    <>
      <Head title={sayShared('title')}>
        <span class="soft">{isPaused ? say('paused') : say('live')}</span>
        <Button onClick={() => setPaused(!isPaused)}>
          {isPaused ? say('resume') : say('pause')}
        </Button>
      </Head>
      <Filters filter={filter} isFiltered={isFiltered} />
      <Log
        key={JSON.stringify(filter)}
        filter={filter}
        isFiltered={isFiltered}
        isPaused={isPaused}
      />
    </>
  )
}

function Filters({ filter, isFiltered }: { filter: DecisionFilter; isFiltered: boolean }) {
  const say = useWords(WORDS)
  const sayShared = useWords(DECISION_WORDS)
  const catalogs = useLoad((signal) => all<Catalog>('/v1/catalogs', signal), [])
  const subscriptions = useLoad((signal) => all<Subscription>('/v1/subscriptions', signal), [])
  const set = (change: Partial<DecisionFilter>) => show({ ...filter, ...change })
  const kinds = DECISION_KINDS.map((value) => ({ value, label: sayShared(value) }))
  return (
    <div class="filters" role="search" style={{ alignItems: 'start' }}>
      <Choose
        label={sayShared('decision')}
        value={filter.decision}
        choices={kinds}
        onChange={(decision) => set({ decision })}
      />
      <Choose
        label={sayShared('catalog')}
        value={filter.catalogId}
        choices={(catalogs.data ?? []).map(({ id, title }) => ({ value: id, label: title }))}
        onChange={(catalogId) => set({ catalogId })}
      />
      <Choose
        label={say('subscription')}
        value={filter.subscriptionId}
        choices={(subscriptions.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
        onChange={(subscriptionId) => set({ subscriptionId })}
      />
      <Typed
        label={say('recordId')}
        value={filter.recordId}
        onSettled={(recordId) => set({ recordId })}
      />
      <Typed
        label={say('text')}
        help={say('textHelp')}
        value={filter.text}
        onSettled={(text) => set({ text })}
      />
      {isFiltered ? (
        <div style={{ alignSelf: 'end' }}>
          <Button onClick={() => location.replace(href('decisions'))}>{say('clear')}</Button>
        </div>
      ) : null}
    </div>
  )
}

type LogProps = {
  readonly filter: DecisionFilter
  readonly isFiltered: boolean
  readonly isPaused: boolean
}

function Log({ filter, isFiltered, isPaused }: LogProps) {
  const say = useWords(WORDS)
  const { rows, isRead, error, announced, hasOlder, readOlder } = useLiveLog(filter, isPaused)
  return (
    <>
      {error === undefined ? null : <ErrorNote error={error} />}
      <span class="visually-hidden" role="status">
        {announced === 0 ? '' : say('news', { count: announced })}
      </span>
      {isRead || error !== undefined ? null : <p role="status">{say('loading')}</p>}
      {isRead && rows.length === 0 ? <NoRows isFiltered={isFiltered} /> : null}
      {rows.length === 0 ? null : (
        <>
          <DecisionRows rows={rows} />
          <div class="row">
            {hasOlder ? <Button onClick={readOlder}>{say('older')}</Button> : null}
            <span class="soft">{say('shown', { count: rows.length })}</span>
            {rows.length < ROWS_MAX ? null : (
              <span class="soft">{say('full', { max: ROWS_MAX })}</span>
            )}
          </div>
        </>
      )}
    </>
  )
}

function NoRows({ isFiltered }: { isFiltered: boolean }) {
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
      <a class="button primary" href={href('records')}>
        {say('toRecords')}
      </a>
    </Empty>
  )
}
