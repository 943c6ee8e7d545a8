/** What records are made of. */

import { api, at } from '../api.ts'
import type { PageProps } from '../app.tsx'
import { useWords, words } from '../language.ts'
import { useLoad } from '../load.ts'
import { go, href } from '../route.ts'
import type { Catalog, Who } from '../types.ts'
import { Head, Show } from '../ui/pieces.tsx'
import { COMMON, DeleteButton, hrefOf, may, useAll } from '../ui/settings.tsx'
import { SettingsList, SettingsPages } from '../ui/settings-pages.tsx'
import { Table } from '../ui/table.tsx'
import { CatalogForm } from './catalogs-form.tsx'

const WORDS = words({
  ...COMMON,
  title: { en: 'Catalogs', ru: 'Каталоги', uk: 'Каталоги' },
  intro: {
    en: 'A catalog says which fields its records have. Validators subscribe to catalogs.',
    ru: 'Каталог описывает, какие поля есть у его записей. Проверяющие системы подписываются на каталоги.',
    uk: 'Каталог описує, які поля мають його записи. Системи перевірки підписуються на каталоги.',
  },
  new: { en: 'New catalog', ru: 'Новый каталог', uk: 'Новий каталог' },
  none: { en: 'No catalogs yet', ru: 'Каталогов пока нет', uk: 'Каталогів поки немає' },
  noneHelp: {
    en: 'Make one with the fields of your records, or load a preset that brings its own. A catalog also appears by itself with its first record.',
    ru: 'Создайте каталог с полями ваших записей или загрузите заготовку с готовыми каталогами. Кроме того, каталог появляется сам вместе с первой записью.',
    uk: 'Створіть каталог із полями ваших записів або завантажте заготовку з готовими каталогами. Крім того, каталог з’являється сам разом із першим записом.',
  },
  presets: { en: 'See the presets', ru: 'Посмотреть заготовки', uk: 'Переглянути заготовки' },
  fields: { en: 'Fields', ru: 'Поля', uk: 'Поля' },
  anyFields: { en: 'any', ru: 'любые', uk: 'будь-які' },
  links: { en: 'Go to', ru: 'Перейти', uk: 'Перейти' },
  records: { en: 'Records', ru: 'Записи', uk: 'Записи' },
  ask: {
    en: 'Delete the catalog “{title}”?',
    ru: 'Удалить каталог «{title}»?',
    uk: 'Видалити каталог «{title}»?',
  },
  askHelp: {
    en: 'Its fields are forgotten. Only a catalog without records can be deleted; subscriptions to it stay, and are asked again when records of this id appear.',
    ru: 'Описание полей будет потеряно. Удалить можно только каталог без записей; подписки на него останутся и снова сработают, когда появятся записи с этим идентификатором каталога.',
    uk: 'Опис полів буде втрачено. Видалити можна лише каталог без записів; підписки на нього залишаться й знову спрацюють, коли з’являться записи з цим ідентифікатором каталогу.',
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
      form={<CatalogForm isLocked={false} />}
      detail={(id) => <Detail key={id} id={id} who={who} />}
    />
  )
}

function List({ who }: { who: Who }) {
  const say = useWords(WORDS)
  const loaded = useAll<Catalog>('/v1/catalogs')
  const presets = (
    <a class="button" href={href('presets')}>
      {say('presets')}
    </a>
  )
  return (
    <SettingsList
      who={who}
      page="catalogs"
      scope="manage"
      loaded={loaded}
      say={say}
      beside={presets}
    >
      {(items) => <Catalogs catalogs={items} />}
    </SettingsList>
  )
}

function Catalogs({ catalogs }: { catalogs: readonly Catalog[] }) {
  const say = useWords(WORDS)
  return (
    <Table
      label={say('title')}
      rows={catalogs}
      keyOf={({ id }) => id}
      columns={[
        {
          title: say('called'),
          cell: ({ id, title }) => <a href={hrefOf('catalogs', id)}>{title}</a>,
        },
        { title: say('id'), cell: ({ id }) => <code>{id}</code> },
        {
          title: say('fields'),
          kind: 'number',
          cell: ({ fields }) => (fields.length === 0 ? say('anyFields') : fields.length),
        },
        { title: say('links'), cell: (one) => <Links {...one} /> },
      ]}
    />
  )
}

function Links({ id, title }: Pick<Catalog, 'id' | 'title'>) {
  const say = useWords(WORDS)
  const subscriptions = `${href('subscriptions')}?catalogId=${encodeURIComponent(id)}`
  return (
    <span class="row">
      <a href={href('records', id)} aria-label={`${say('records')}: ${title}`}>
        {say('records')}
      </a>
      <a href={subscriptions} aria-label={`${say('subscriptions')}: ${title}`}>
        {say('subscriptions')}
      </a>
    </span>
  )
}

function Detail({ id, who }: { id: string } & Pick<PageProps, 'who'>) {
  const say = useWords(WORDS)
  const path = at('/v1/catalogs', id)
  const loaded = useLoad((signal) => api.get<Catalog>(path, { signal }), [path])
  const mayManage = may(who, 'manage')
  const title = loaded.data?.title ?? id
  const remove = async () => {
    await api.delete(path)
    go(href('catalogs'))
  }
  return (
    <>
      <Head title={title}>
        <Links id={id} title={title} />
        {mayManage ? (
          <DeleteButton title={say('ask', { title })} onDelete={remove}>
            <p>{say('askHelp')}</p>
          </DeleteButton>
        ) : null}
      </Head>
      <Show loaded={loaded}>
        {(catalog) => <CatalogForm catalog={catalog} isLocked={!mayManage} />}
      </Show>
    </>
  )
}
