/** Apps that accounts connect to, and the connections of this one. */
import type { z } from 'zod'
import type { appView, installationView } from '../../../src/adapters/http/schemas/app.ts'
import { api, at } from '../api.ts'
import type { PageProps } from '../app.tsx'
import { useWords, words } from '../language.ts'
import { useLoad } from '../load.ts'
import { go, href } from '../route.ts'
import type { Who } from '../types.ts'
import { Badge, Card, Head, Json, Show, Time } from '../ui/pieces.tsx'
import { COMMON, DeleteButton, hrefOf, useAll } from '../ui/settings.tsx'
import { SettingsList, SettingsPages } from '../ui/settings-pages.tsx'
import { Table } from '../ui/table.tsx'
import { Connect } from './apps-connect.tsx'
import { AppForm } from './apps-form.tsx'

type App = z.output<typeof appView>
type Installation = z.output<typeof installationView>

const WORDS = words({
  ...COMMON,
  title: { en: 'Apps', ru: 'Приложения', uk: 'Застосунки' },
  intro: {
    en: 'An app is a bundle of subscriptions. Whoever connects it gets all of them at once, and the app an access token. Here are your own apps and those that the operator offers to everybody.',
    ru: 'Приложение — это набор подписок. Тот, кто его подключает, получает их все сразу, а приложение — токен доступа. Здесь показаны ваши приложения и те, что оператор предлагает всем.',
    uk: 'Застосунок — це набір підписок. Той, хто його під’єднує, отримує їх усі одразу, а застосунок — токен доступу. Тут показано ваші застосунки й ті, які оператор пропонує всім.',
  },
  new: { en: 'New app', ru: 'Новое приложение', uk: 'Новий застосунок' },
  none: { en: 'No apps yet', ru: 'Приложений пока нет', uk: 'Застосунків поки немає' },
  noneHelp: {
    en: 'Make one when a service wants to be asked in several accounts: each of them only has to connect it.',
    ru: 'Создайте приложение, если сервис должен участвовать в проверках в нескольких аккаунтах: каждому останется только подключить его.',
    uk: 'Створіть застосунок, якщо сервіс має брати участь у перевірках у кількох акаунтах: кожному залишиться лише під’єднати його.',
  },
  name: { en: 'Name', ru: 'Название', uk: 'Назва' },
  created: { en: 'Created', ru: 'Создано', uk: 'Створено' },
  redirect: {
    en: 'Leads on to',
    ru: 'После подключения ведёт на',
    uk: 'Після під’єднання веде на',
  },
  connected: { en: 'Connected here', ru: 'Подключено здесь', uk: 'Під’єднано тут' },
  unconnected: {
    en: 'Nothing is connected yet. Open an app to connect it.',
    ru: 'Пока ничего не подключено. Откройте приложение, чтобы подключить его.',
    uk: 'Поки нічого не під’єднано. Відкрийте застосунок, щоб під’єднати його.',
  },
  app: { en: 'App', ru: 'Приложение', uk: 'Застосунок' },
  user: { en: 'Connected by', ru: 'Кто подключил', uk: 'Хто під’єднав' },
  since: { en: 'Since', ru: 'С какого времени', uk: 'Відколи' },
  disconnect: { en: 'Disconnect', ru: 'Отключить', uk: 'Від’єднати' },
  disconnectWhat: {
    en: 'Disconnect {app}',
    ru: 'Отключить {app}',
    uk: 'Від’єднати {app}',
  },
  disconnected: { en: 'Disconnected.', ru: 'Отключено.', uk: 'Від’єднано.' },
  ask: {
    en: 'Disconnect the app “{app}”?',
    ru: 'Отключить приложение «{app}»?',
    uk: 'Від’єднати застосунок «{app}»?',
  },
  askHelp: {
    en: 'Its subscriptions are removed from this account and its access token is refused from now on. This cannot be undone; connected again it gets a new token.',
    ru: 'Его подписки в этом аккаунте будут удалены, а токен доступа сразу перестанет действовать. Отменить это нельзя; при новом подключении будет выдан новый токен.',
    uk: 'Його підписки в цьому акаунті буде видалено, а токен доступу одразу перестане діяти. Скасувати це не можна; під час нового під’єднання буде видано новий токен.',
  },
  withdraw: { en: 'Withdraw', ru: 'Отозвать', uk: 'Відкликати' },
  withdrawn: { en: 'Withdrawn.', ru: 'Отозвано.', uk: 'Відкликано.' },
  askWithdraw: {
    en: 'Withdraw the app “{app}”?',
    ru: 'Отозвать приложение «{app}»?',
    uk: 'Відкликати застосунок «{app}»?',
  },
  withdrawHelp: {
    en: 'Nobody can connect it any more. It works only for apps of your own that no account is connected to.',
    ru: 'Подключить его больше никто не сможет. Отозвать можно только своё приложение, к которому не подключён ни один аккаунт.',
    uk: 'Під’єднати його більше ніхто не зможе. Відкликати можна лише власний застосунок, до якого не під’єднано жодного акаунта.',
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
      scopes={{ look: 'admin', make: 'admin' }}
      list={<List who={who} />}
      form={<AppForm />}
      detail={(id) => <Detail key={id} id={id} />}
    />
  )
}

function List({ who }: { who: Who }) {
  const say = useWords(WORDS)
  const apps = useAll<App>('/v1/apps')
  const installations = useAll<Installation>('/v1/installations')
  return (
    <>
      <SettingsList who={who} page="apps" scope="admin" loaded={apps} say={say}>
        {(items) => <Apps apps={items} />}
      </SettingsList>
      <h2>{say('connected')}</h2>
      <Show loaded={installations}>
        {(items) => (
          <Installations items={items} apps={apps.data ?? []} onChange={installations.reload} />
        )}
      </Show>
    </>
  )
}

function Apps({ apps }: { apps: readonly App[] }) {
  const say = useWords(WORDS)
  return (
    <Table
      label={say('title')}
      rows={apps}
      keyOf={({ id }) => id}
      columns={[
        { title: say('name'), cell: ({ id, name }) => <a href={hrefOf('apps', id)}>{name}</a> },
        { title: say('id'), cell: ({ id }) => <code>{id}</code> },
        { title: say('scopes'), cell: ({ scopes }) => <Scopes scopes={scopes} /> },
        {
          title: say('subscriptions'),
          kind: 'number',
          cell: ({ subscriptions }) => subscriptions.length,
        },
        { title: say('created'), cell: ({ createdAt }) => <Time at={createdAt} /> },
      ]}
    />
  )
}

function Scopes({ scopes }: { scopes: readonly string[] }) {
  return (
    <span class="row">
      {scopes.length === 0 ? '–' : scopes.map((one) => <Badge key={one}>{one}</Badge>)}
    </span>
  )
}

type InstallationsProps = {
  readonly items: readonly Installation[]
  readonly apps: readonly App[]
  readonly onChange: () => void
}

function Installations({ items, apps, onChange }: InstallationsProps) {
  const say = useWords(WORDS)
  const nameOf = (appId: string) => apps.find(({ id }) => id === appId)?.name ?? appId
  if (items.length === 0) return <p class="soft">{say('unconnected')}</p>
  return (
    <Table
      label={say('connected')}
      rows={items}
      keyOf={({ id }) => id}
      columns={[
        {
          title: say('app'),
          cell: ({ appId }) => <a href={hrefOf('apps', appId)}>{nameOf(appId)}</a>,
        },
        { title: say('user'), cell: ({ userId }) => <bdi>{userId}</bdi> },
        { title: say('scopes'), cell: ({ scopes }) => <Scopes scopes={scopes} /> },
        { title: say('since'), cell: ({ createdAt }) => <Time at={createdAt} /> },
        {
          title: say('disconnect'),
          cell: ({ id, appId }) => (
            <DeleteButton
              kind="plain"
              action={say('disconnect')}
              done={say('disconnected')}
              label={say('disconnectWhat', { app: nameOf(appId) })}
              title={say('ask', { app: nameOf(appId) })}
              onDelete={() => api.delete<void>(at('/v1/installations', id)).then(onChange)}
            >
              <p>{say('askHelp')}</p>
            </DeleteButton>
          ),
        },
      ]}
    />
  )
}

function Detail({ id }: { id: string }) {
  const say = useWords(WORDS)
  const path = at('/v1/apps', id)
  const loaded = useLoad((signal) => api.get<App>(path, { signal }), [path])
  const app = loaded.data?.name ?? id
  const withdraw = async () => {
    await api.delete(path)
    go(href('apps'))
  }
  return (
    <>
      <Head title={app}>
        <DeleteButton
          action={say('withdraw')}
          done={say('withdrawn')}
          title={say('askWithdraw', { app })}
          onDelete={withdraw}
        >
          <p>{say('withdrawHelp')}</p>
        </DeleteButton>
      </Head>
      <Show loaded={loaded}>
        {(found) => (
          <>
            <Connect appId={id} scopes={found.scopes} />
            <Facts app={found} />
          </>
        )}
      </Show>
    </>
  )
}

function Facts({ app: { id, redirect, scopes, subscriptions } }: { app: App }) {
  const say = useWords(WORDS)
  return (
    <Card title={say('subscriptions')}>
      <p>
        {say('id')}: <code>{id}</code>
      </p>
      <p class="row">
        {say('scopes')}: <Scopes scopes={scopes} />
      </p>
      {redirect === undefined ? null : (
        <p>
          {say('redirect')}: <bdi>{redirect}</bdi>
        </p>
      )}
      {subscriptions.map((template, index) => (
        <details key={`${index} ${template.name}`}>
          <summary>
            {template.name} <span class="soft small">{template.events.join(', ')}</span>
          </summary>
          <Json value={template} label={template.name} />
        </details>
      ))}
    </Card>
  )
}
