/** Who may call the gateway, and what for. */
import { useState } from 'preact/hooks'
import type { z } from 'zod'
import type { keyView } from '../../../src/adapters/http/schemas/log.ts'
import { api, at, withQuery } from '../api.ts'
import type { PageProps } from '../app.tsx'
import { useWords, words } from '../language.ts'
import { href } from '../route.ts'
import { AccountField } from '../ui/account-field.tsx'
import { Badge, Empty, Head, Show, Time } from '../ui/pieces.tsx'
import { COMMON, DeleteButton, idIn, isOperator, Needs, useAll } from '../ui/settings.tsx'
import { type Column, Table } from '../ui/table.tsx'
import { KeyForm } from './keys-form.tsx'

type Key = z.output<typeof keyView>

const WORDS = words({
  ...COMMON,
  title: { en: 'Keys', ru: 'Ключи', uk: 'Ключі' },
  intro: {
    en: 'Programs and people call the gateway with a key. Only its hash is kept here.',
    ru: 'Программы и люди обращаются к шлюзу с ключом. Здесь хранится только его хеш.',
    uk: 'Програми й люди звертаються до шлюзу з ключем. Тут зберігається лише його геш.',
  },
  new: { en: 'New key', ru: 'Новый ключ', uk: 'Новий ключ' },
  none: { en: 'No keys yet', ru: 'Ключей пока нет', uk: 'Ключів поки немає' },
  noneHelp: {
    en: 'Make one for each program that calls the gateway, with no more scopes than it needs.',
    ru: 'Создайте отдельный ключ для каждой программы и дайте ему только нужные права.',
    uk: 'Створіть окремий ключ для кожної програми й надайте йому лише потрібні права.',
  },
  called: { en: 'Name', ru: 'Имя', uk: 'Ім’я' },
  account: { en: 'Account', ru: 'Аккаунт', uk: 'Акаунт' },
  expires: { en: 'Expires', ru: 'Действует до', uk: 'Діє до' },
  expired: { en: 'expired', ru: 'истёк', uk: 'минув' },
  never: { en: 'never', ru: 'бессрочно', uk: 'безстроково' },
  used: { en: 'Last used', ru: 'Последнее обращение', uk: 'Останнє звернення' },
  unused: { en: 'never', ru: 'не было', uk: 'не було' },
  do: { en: 'Delete', ru: 'Удаление', uk: 'Видалення' },
  own: { en: 'this session', ru: 'этот сеанс', uk: 'цей сеанс' },
  delete: { en: 'Delete {name}', ru: 'Удалить {name}', uk: 'Видалити {name}' },
  ask: {
    en: 'Delete the key “{name}”?',
    ru: 'Удалить ключ «{name}»?',
    uk: 'Видалити ключ «{name}»?',
  },
  askHelp: {
    en: 'Whoever calls with it is refused from now on. This cannot be undone.',
    ru: 'Все обращения с ним сразу начнут отклоняться. Отменить это нельзя.',
    uk: 'Усі звернення з ним одразу почнуть відхилятися. Скасувати це не можна.',
  },
  askOwn: {
    en: 'It is the key that you signed in with: you will be signed out.',
    ru: 'Это ключ, с которым вы вошли: сеанс завершится.',
    uk: 'Це ключ, з яким ви увійшли: сеанс завершиться.',
  },
})

export function Page({ route, who }: PageProps) {
  const say = useWords(WORDS)
  return (
    <Needs who={who} scope="admin" title={say('title')}>
      {idIn(route.parts) === null ? (
        <>
          <h1>{say('new')}</h1>
          <KeyForm who={who} accountId={route.query.get('account') ?? who.accountId} />
        </>
      ) : (
        <List who={who} />
      )}
    </Needs>
  )
}

function List({ who }: Pick<PageProps, 'who'>) {
  const say = useWords(WORDS)
  const [accountId, setAccountId] = useState(who.accountId)
  const isOwn = accountId === who.accountId
  const loaded = useAll<Key>('/v1/keys', isOwn ? {} : { accountId })
  const fresh = withQuery(href('keys', 'new'), isOwn ? {} : { account: accountId })
  const link = (
    <a class="button primary" href={fresh}>
      {say('new')}
    </a>
  )
  return (
    <>
      <Head title={say('title')}>{link}</Head>
      <p class="soft">{say('intro')}</p>
      {isOperator(who) ? (
        <div class="filters">
          <AccountField value={accountId} onChange={setAccountId} />
        </div>
      ) : null}
      <Show loaded={loaded}>
        {(keys) =>
          keys.length === 0 ? (
            <Empty title={say('none')}>
              <p>{say('noneHelp')}</p>
              {link}
            </Empty>
          ) : (
            <Keys keys={keys} who={who} onChange={loaded.reload} />
          )
        }
      </Show>
    </>
  )
}

type KeysProps = Pick<PageProps, 'who'> & {
  readonly keys: readonly Key[]
  readonly onChange: () => void
}

function Keys({ keys, who, onChange }: KeysProps) {
  const say = useWords(WORDS)
  const columns: readonly Column<Key>[] = [
    {
      title: say('called'),
      cell: ({ id, name }) => (
        <>
          {name} {id === who.keyId ? <Badge tone="good">{say('own')}</Badge> : null}
          <br />
          <code class="soft">{id}</code>
        </>
      ),
    },
    {
      title: say('scopes'),
      cell: ({ scopes }) => (
        <span class="row">
          {scopes.map((one) => (
            <Badge key={one}>{one}</Badge>
          ))}
        </span>
      ),
    },
    { title: say('account'), cell: ({ accountId }) => accountId },
    { title: say('expires'), cell: ({ expiresAt }) => <Expiry at={expiresAt} /> },
    {
      title: say('used'),
      cell: ({ lastUsedAt }) =>
        lastUsedAt === null ? <span class="soft">{say('unused')}</span> : <Time at={lastUsedAt} />,
    },
    {
      title: say('rate'),
      kind: 'number',
      cell: ({ maxPerSecond }) =>
        maxPerSecond === null ? <span class="soft">{say('unlimited')}</span> : maxPerSecond,
    },
    {
      title: say('do'),
      cell: (key) => <Delete item={key} isOwn={key.id === who.keyId} onDone={onChange} />,
    },
  ]
  return <Table label={say('title')} rows={keys} keyOf={({ id }) => id} columns={columns} />
}

function Expiry({ at: expiresAt }: { at: string | null }) {
  const say = useWords(WORDS)
  if (expiresAt === null) return <span class="soft">{say('never')}</span>
  const isOver = Date.parse(expiresAt) <= Date.now()
  return (
    <>
      <Time at={expiresAt} /> {isOver ? <Badge tone="warn">{say('expired')}</Badge> : null}
    </>
  )
}

function Delete({ item, isOwn, onDone }: { item: Key; isOwn: boolean; onDone: () => void }) {
  const say = useWords(WORDS)
  const { id, name } = item
  return (
    <DeleteButton
      kind="plain"
      label={say('delete', { name })}
      title={say('ask', { name })}
      onDelete={() => api.delete<void>(at('/v1/keys', id)).then(onDone)}
    >
      <p>{say('askHelp')}</p>
      {isOwn ? <p class="note warn">{say('askOwn')}</p> : null}
    </DeleteButton>
  )
}
