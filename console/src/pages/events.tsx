/** Business events: what the changes of records mean, and what programs tell of. */
import type { z } from 'zod'
import type { eventTypeView } from '../../../src/adapters/http/schemas/event.ts'
import { api, at } from '../api.ts'
import type { PageProps } from '../app.tsx'
import { useLanguage, useWords, words } from '../language.ts'
import { useLoad } from '../load.ts'
import { go, href } from '../route.ts'
import type { Who } from '../types.ts'
import { Badge, Head, Show } from '../ui/pieces.tsx'
import { COMMON, DeleteButton, hrefOf, may, useAll } from '../ui/settings.tsx'
import { SettingsList, SettingsPages } from '../ui/settings-pages.tsx'
import { Table } from '../ui/table.tsx'
import { EventTypeForm } from './events-form.tsx'
import { Raise } from './events-raise.tsx'

export type EventType = z.output<typeof eventTypeView>

const WORDS = words({
  ...COMMON,
  title: { en: 'Event types', ru: 'Типы событий', uk: 'Типи подій' },
  intro: {
    en: 'Events in your own words, which subscriptions can listen to: “order.completed” instead of “record.updated”.',
    ru: 'События на вашем языке, на которые можно подписаться: «order.completed» вместо «record.updated».',
    uk: 'Події вашою мовою, на які можна підписатися: «order.completed» замість «record.updated».',
  },
  new: { en: 'New event type', ru: 'Новый тип событий', uk: 'Новий тип подій' },
  none: { en: 'No event types yet', ru: 'Типов событий пока нет', uk: 'Типів подій поки немає' },
  noneHelp: {
    en: 'Define one that changes of a catalog raise, or one that your programs raise; or load a preset that brings its own.',
    ru: 'Создайте тип, который возникает из изменений каталога или о котором сообщают ваши программы, либо загрузите заготовку с готовыми типами.',
    uk: 'Створіть тип, який виникає зі змін каталогу або про який повідомляють ваші програми, чи завантажте заготовку з готовими типами.',
  },
  presets: { en: 'See the presets', ru: 'Посмотреть заготовки', uk: 'Переглянути заготовки' },
  name: { en: 'Name', ru: 'Имя', uk: 'Ім’я' },
  raised: { en: 'Raised by', ru: 'Откуда', uk: 'Звідки' },
  changes: { en: 'changes of {catalog}', ru: 'изменения: {catalog}', uk: 'зміни: {catalog}' },
  every: { en: 'every catalog', ru: 'любой каталог', uk: 'будь-який каталог' },
  programs: { en: 'programs', ru: 'программы', uk: 'програми' },
  ask: {
    en: 'Delete the event type “{name}”?',
    ru: 'Удалить тип событий «{name}»?',
    uk: 'Видалити тип подій «{name}»?',
  },
  askHelp: {
    en: 'It is not raised any more. Subscriptions that list it stay as they are, and hear of it again once it is defined again.',
    ru: 'Такие события больше не будут возникать. Подписки на них останутся и снова сработают, если создать тип с тем же именем.',
    uk: 'Такі події більше не виникатимуть. Підписки на них залишаться й знову спрацюють, якщо створити тип із тим самим ім’ям.',
  },
})

export function Page({ route, who }: PageProps) {
  const say = useWords(WORDS)
  return (
    <SettingsPages
      route={route}
      who={who}
      title={say('title')}
      newTitle={say('new')}
      scopes={{ look: 'read', make: 'manage' }}
      list={<List who={who} />}
      form={<EventTypeForm isLocked={false} />}
      detail={(id) => <Detail key={id} name={id} who={who} />}
    />
  )
}

function useTitle(): (eventType: EventType) => string {
  const own = useLanguage()
  return ({ title }) => title[own] ?? title.en
}

function List({ who }: { who: Who }) {
  const say = useWords(WORDS)
  const loaded = useAll<EventType>('/v1/event-types')
  const presets = (
    <a class="button" href={href('presets')}>
      {say('presets')}
    </a>
  )
  return (
    <SettingsList who={who} page="events" scope="manage" loaded={loaded} say={say} beside={presets}>
      {(items) => <EventTypes items={items} />}
    </SettingsList>
  )
}

function EventTypes({ items }: { items: readonly EventType[] }) {
  const say = useWords(WORDS)
  const titleOf = useTitle()
  return (
    <Table
      label={say('title')}
      rows={items}
      keyOf={({ name }) => name}
      columns={[
        {
          title: say('called'),
          cell: (one) => <a href={hrefOf('events', one.name)}>{titleOf(one)}</a>,
        },
        { title: say('name'), cell: ({ name }) => <code>{name}</code> },
        {
          title: say('raised'),
          cell: ({ catalogId }) =>
            catalogId === undefined ? (
              <Badge>{say('programs')}</Badge>
            ) : (
              say('changes', { catalog: catalogId === '*' ? say('every') : catalogId })
            ),
        },
      ]}
    />
  )
}

function Detail({ name, who }: { name: string; who: Who }) {
  const say = useWords(WORDS)
  const titleOf = useTitle()
  const path = at('/v1/event-types', name)
  const loaded = useLoad((signal) => api.get<EventType>(path, { signal }), [path])
  const remove = async () => {
    await api.delete(path)
    go(href('events'))
  }
  const { data } = loaded
  return (
    <>
      <Head title={data === undefined ? name : titleOf(data)}>
        {may(who, 'manage') ? (
          <DeleteButton title={say('ask', { name })} onDelete={remove}>
            <p>{say('askHelp')}</p>
          </DeleteButton>
        ) : null}
      </Head>
      <Show loaded={loaded}>
        {(eventType) => (
          <>
            {eventType.catalogId === undefined ? (
              <Raise name={name} mayRaise={may(who, 'approve')} />
            ) : null}
            <EventTypeForm eventType={eventType} isLocked={!may(who, 'manage')} />
          </>
        )}
      </Show>
    </>
  )
}
