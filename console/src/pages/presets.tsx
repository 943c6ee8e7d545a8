/** Fields of work that are ready to use: what each of them brings, and whether it is there. */
import { useState } from 'preact/hooks'
import type { z } from 'zod'
import type { loadedPreset, presetView } from '../../../src/adapters/http/schemas/preset.ts'
import { api, at } from '../api.ts'
import type { PageProps } from '../app.tsx'
import { useLanguage, useWords, words } from '../language.ts'
import type { Catalog } from '../types.ts'
import { Badge, Button, Card, ErrorNote, Head, Show } from '../ui/pieces.tsx'
import { hrefOf, Lacks, may, Needs, useAll } from '../ui/settings.tsx'

type Preset = z.output<typeof presetView>
type Result = z.output<typeof loadedPreset>
type Had = { readonly catalogs: ReadonlySet<string>; readonly eventTypes: ReadonlySet<string> }

const WORDS = words({
  title: { en: 'Presets', ru: 'Заготовки', uk: 'Заготовки' },
  intro: {
    en: 'A preset brings catalogs and event types that are ready to use. Loading one adds what is not there and changes nothing that is.',
    ru: 'Заготовка содержит готовые каталоги и типы событий. При загрузке добавляется только то, чего ещё нет; всё остальное не меняется.',
    uk: 'Заготовка містить готові каталоги й типи подій. Під час завантаження додається лише те, чого ще немає; решта не змінюється.',
  },
  whole: { en: 'loaded', ru: 'загружена', uk: 'завантажено' },
  part: { en: 'in part', ru: 'частично', uk: 'частково' },
  not: { en: 'not loaded', ru: 'не загружена', uk: 'не завантажено' },
  load: { en: 'Load {title}', ru: 'Загрузить: {title}', uk: 'Завантажити: {title}' },
  missing: {
    en: 'Add what is missing: {title}',
    ru: 'Добавить недостающее: {title}',
    uk: 'Додати відсутнє: {title}',
  },
  catalogs: { en: 'Catalogs', ru: 'Каталоги', uk: 'Каталоги' },
  eventTypes: { en: 'Event types', ru: 'Типы событий', uk: 'Типи подій' },
  byChange: { en: 'raised by changes', ru: 'из изменений', uk: 'зі змін' },
  byPrograms: { en: 'raised by programs', ru: 'от программ', uk: 'від програм' },
  conditions: {
    en: 'What menu actions may depend on',
    ru: 'От чего могут зависеть действия в меню',
    uk: 'Від чого можуть залежати дії в меню',
  },
  added: {
    en: { one: 'Added {count} catalog', other: 'Added {count} catalogs' },
    ru: {
      one: 'Добавлен {count} каталог',
      few: 'Добавлены {count} каталога',
      other: 'Добавлено {count} каталогов',
    },
    uk: {
      one: 'Додано {count} каталог',
      few: 'Додано {count} каталоги',
      other: 'Додано {count} каталогів',
    },
  },
  andEvents: {
    en: { one: 'and {count} event type.', other: 'and {count} event types.' },
    ru: {
      one: 'и {count} тип событий.',
      few: 'и {count} типа событий.',
      other: 'и {count} типов событий.',
    },
    uk: {
      one: 'і {count} тип подій.',
      few: 'і {count} типи подій.',
      other: 'і {count} типів подій.',
    },
  },
  nothing: {
    en: 'Everything was there already; nothing was changed.',
    ru: 'Всё уже было на месте; ничего не изменено.',
    uk: 'Усе вже було на місці; нічого не змінено.',
  },
})

export function Page({ who }: PageProps) {
  const say = useWords(WORDS)
  return (
    <Needs who={who} scope="read" title={say('title')}>
      <Head title={say('title')} />
      <p class="soft">{say('intro')}</p>
      {may(who, 'manage') ? null : <Lacks scope="manage" />}
      <List mayLoad={may(who, 'manage')} />
    </Needs>
  )
}

function List({ mayLoad }: { mayLoad: boolean }) {
  const presets = useAll<Preset>('/v1/presets')
  const catalogs = useAll<Catalog>('/v1/catalogs')
  const eventTypes = useAll<{ name: string }>('/v1/event-types')
  const had: Had = {
    catalogs: new Set(catalogs.data?.map(({ id }) => id)),
    eventTypes: new Set(eventTypes.data?.map(({ name }) => name)),
  }
  const reload = () => {
    catalogs.reload()
    eventTypes.reload()
  }
  return (
    <Show loaded={presets}>
      {(items) => (
        <Show loaded={catalogs}>
          {() => (
            <Show loaded={eventTypes}>
              {() =>
                items.map((preset) => (
                  <One
                    key={preset.name}
                    preset={preset}
                    had={had}
                    mayLoad={mayLoad}
                    onLoaded={reload}
                  />
                ))
              }
            </Show>
          )}
        </Show>
      )}
    </Show>
  )
}

function useTitle(): (title: Preset['title']) => string {
  const own = useLanguage()
  return (title) => title[own] ?? title.en
}

type OneProps = {
  readonly preset: Preset
  readonly had: Had
  readonly mayLoad: boolean
  readonly onLoaded: () => void
}

function One({ preset, had, mayLoad, onLoaded }: OneProps) {
  const say = useWords(WORDS)
  const title = useTitle()(preset.title)
  const [result, setResult] = useState<Result | undefined>(undefined)
  const [error, setError] = useState<unknown>(undefined)
  const there =
    preset.catalogs.filter(({ id }) => had.catalogs.has(id)).length +
    preset.eventTypes.filter(({ name }) => had.eventTypes.has(name)).length
  const state =
    there === 0
      ? 'not'
      : there < preset.catalogs.length + preset.eventTypes.length
        ? 'part'
        : 'whole'
  const load = () => {
    setError(undefined)
    api.post<Result>(at('/v1/presets', preset.name)).then((answer) => {
      setResult(answer)
      onLoaded()
    }, setError)
  }
  return (
    <Card
      title={
        <>
          {title} <Badge tone={TONES[state]}>{say(state)}</Badge>
        </>
      }
    >
      <Contents preset={preset} had={had} />
      {error === undefined ? null : <ErrorNote error={error} />}
      <div role="status">{result === undefined ? null : <Added result={result} />}</div>
      {mayLoad ? (
        <div class="row">
          <Button kind={state === 'not' ? 'primary' : 'usual'} onClick={load}>
            {say(state === 'part' ? 'missing' : 'load', { title })}
          </Button>
        </div>
      ) : null}
    </Card>
  )
}

const TONES = { not: 'none', part: 'warn', whole: 'good' } as const

function Added({ result: { created } }: { result: Result }) {
  const say = useWords(WORDS)
  const [catalogs, eventTypes] = [created.catalogs.length, created.eventTypes.length]
  return (
    <p class="note good">
      {catalogs + eventTypes === 0
        ? say('nothing')
        : `${say('added', { count: catalogs })} ${say('andEvents', { count: eventTypes })}`}
    </p>
  )
}

function Contents({ preset, had }: Pick<OneProps, 'preset' | 'had'>) {
  const say = useWords(WORDS)
  const titleOf = useTitle()
  const { catalogs, eventTypes, actionConditions } = preset
  return (
    <div class="columns">
      <div class="stack">
        <h3>{say('catalogs')}</h3>
        <ul style={{ margin: 0 }}>
          {catalogs.map(({ id, title }) => (
            <li key={id}>
              {had.catalogs.has(id) ? <a href={hrefOf('catalogs', id)}>{title}</a> : title}{' '}
              <code class="soft">{id}</code>
            </li>
          ))}
        </ul>
      </div>
      <details>
        <summary>
          {say('eventTypes')}: {eventTypes.length}
        </summary>
        <ul>
          {eventTypes.map(({ name, title, catalogId }) => (
            <li key={name}>
              {titleOf(title)} <code class="soft">{name}</code>{' '}
              <span class="soft small">
                {catalogId === undefined ? say('byPrograms') : say('byChange')}
              </span>
            </li>
          ))}
        </ul>
      </details>
      <details hidden={actionConditions.length === 0}>
        <summary>
          {say('conditions')}: {actionConditions.length}
        </summary>
        <ul>
          {actionConditions.map(({ catalogId, field, title, options }) => (
            <li key={`${catalogId} ${field}`}>
              {title}{' '}
              <code class="soft">
                {catalogId}.{field}
              </code>
              <span class="soft small"> {options.map((one) => one.title).join(', ')}</span>
            </li>
          ))}
        </ul>
      </details>
    </div>
  )
}
