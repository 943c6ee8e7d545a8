/** Buttons beside a record, each of which calls an endpoint. */
import { api, at } from '../api.ts'
import type { PageProps } from '../app.tsx'
import { useWords, words } from '../language.ts'
import { useLoad } from '../load.ts'
import { go, href } from '../route.ts'
import type { Who } from '../types.ts'
import { Head, Show } from '../ui/pieces.tsx'
import { COMMON, DeleteButton, hrefOf, may, useAll } from '../ui/settings.tsx'
import { SettingsList, SettingsPages } from '../ui/settings-pages.tsx'
import { Table } from '../ui/table.tsx'
import { type Action, ActionForm } from './actions-form.tsx'

const WORDS = words({
  ...COMMON,
  title: { en: 'Actions', ru: 'Действия', uk: 'Дії' },
  intro: {
    en: 'Buttons in the menu of a record. One is shown while its conditions hold; pressing it calls its endpoint and shows the answer.',
    ru: 'Кнопки в меню записи. Кнопка видна, пока выполняются её условия; по нажатию вызывается её адрес, и человек видит ответ.',
    uk: 'Кнопки в меню запису. Кнопку видно, поки виконуються її умови; після натискання викликається її адреса, і людина бачить відповідь.',
  },
  new: { en: 'New action', ru: 'Новое действие', uk: 'Нова дія' },
  none: { en: 'No actions yet', ru: 'Действий пока нет', uk: 'Дій поки немає' },
  noneHelp: {
    en: 'Make one for something that people do with a record in another system: “Send the receipt”, “Call the driver”.',
    ru: 'Создайте действие для того, что люди делают с записью в другой системе: «Отправить чек», «Позвонить водителю».',
    uk: 'Створіть дію для того, що люди роблять із записом в іншій системі: «Надіслати чек», «Зателефонувати водієві».',
  },
  catalog: { en: 'Catalog', ru: 'Каталог', uk: 'Каталог' },
  every: { en: 'every catalog', ru: 'любой', uk: 'будь-який' },
  calls: { en: 'Calls', ru: 'Вызывает', uk: 'Викликає' },
  conditions: { en: 'Conditions', ru: 'Условия', uk: 'Умови' },
  ask: {
    en: 'Delete the action “{title}”?',
    ru: 'Удалить действие «{title}»?',
    uk: 'Видалити дію «{title}»?',
  },
  askHelp: {
    en: 'It disappears from the menus at once, with its secret. This cannot be undone.',
    ru: 'Оно сразу исчезнет из меню вместе со своим секретом. Отменить это нельзя.',
    uk: 'Вона одразу зникне з меню разом зі своїм секретом. Скасувати це не можна.',
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
      form={<ActionForm isLocked={false} />}
      detail={(id) => <Detail key={id} id={id} who={who} />}
    />
  )
}

function List({ who }: { who: Who }) {
  const say = useWords(WORDS)
  const loaded = useAll<Action>('/v1/actions')
  return (
    <SettingsList who={who} page="actions" scope="manage" loaded={loaded} say={say}>
      {(items) => <Actions items={items} />}
    </SettingsList>
  )
}

function Actions({ items }: { items: readonly Action[] }) {
  const say = useWords(WORDS)
  return (
    <Table
      label={say('title')}
      rows={items}
      keyOf={({ id }) => id}
      columns={[
        {
          title: say('called'),
          cell: ({ id, title }) => <a href={hrefOf('actions', id)}>{title}</a>,
        },
        {
          title: say('catalog'),
          cell: ({ catalogId }) => (catalogId === '*' ? say('every') : <code>{catalogId}</code>),
        },
        {
          title: say('calls'),
          cell: ({ method, url }) => (
            <code>
              {method} {url}
            </code>
          ),
        },
        {
          title: say('conditions'),
          kind: 'number',
          cell: ({ conditions }) => conditions.length,
        },
      ]}
    />
  )
}

function Detail({ id, who }: { id: string; who: Who }) {
  const say = useWords(WORDS)
  const path = at('/v1/actions', id)
  const loaded = useLoad((signal) => api.get<Action>(path, { signal }), [path])
  const title = loaded.data?.title ?? id
  const remove = async () => {
    await api.delete(path)
    go(href('actions'))
  }
  return (
    <>
      <Head title={title}>
        {may(who, 'manage') ? (
          <DeleteButton title={say('ask', { title })} onDelete={remove}>
            <p>{say('askHelp')}</p>
          </DeleteButton>
        ) : null}
      </Head>
      <Show loaded={loaded}>
        {(action) => <ActionForm action={action} isLocked={!may(who, 'manage')} />}
      </Show>
    </>
  )
}
