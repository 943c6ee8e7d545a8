/** Who shares the gateway: each account has its own catalogs, records, subscriptions and keys. */
import { useState } from 'preact/hooks'
import { api, at } from '../api.ts'
import type { PageProps } from '../app.tsx'
import { useWords, words } from '../language.ts'
import { useLoad } from '../load.ts'
import { go, href } from '../route.ts'
import type { Who } from '../types.ts'
import type { Account } from '../ui/account-field.tsx'
import { NumberField, TextField, wrongAt } from '../ui/form.tsx'
import { Head, Show, Time } from '../ui/pieces.tsx'
import { COMMON, hrefOf, isOperator, SaveForm, useAll } from '../ui/settings.tsx'
import { SettingsPages } from '../ui/settings-pages.tsx'
import { Table } from '../ui/table.tsx'
import { toast } from '../ui/toast.tsx'

const WORDS = words({
  ...COMMON,
  title: { en: 'Accounts', ru: 'Аккаунты', uk: 'Акаунти' },
  intro: {
    en: 'Each account has its own catalogs, records, subscriptions and keys, and sees nothing of the others.',
    ru: 'У каждого аккаунта свои каталоги, записи, подписки и ключи; чужих он не видит.',
    uk: 'Кожен акаунт має власні каталоги, записи, підписки й ключі; чужих він не бачить.',
  },
  others: {
    en: 'This is your own account. Accounts are managed by the admins of the account “default”.',
    ru: 'Это ваш аккаунт. Аккаунтами управляют администраторы аккаунта «default».',
    uk: 'Це ваш акаунт. Акаунтами керують адміністратори акаунта «default».',
  },
  new: { en: 'New account', ru: 'Новый аккаунт', uk: 'Новий акаунт' },
  calledHelp: {
    en: 'What people call it.',
    ru: 'Как его называют люди.',
    uk: 'Як його називають люди.',
  },
  idHelp: {
    en: 'What programs call it. Empty: one is made. It stays as it is.',
    ru: 'Как его называют программы. Пусто — будет создан. Потом его не изменить.',
    uk: 'Як його називають програми. Порожньо — буде створено. Потім його не змінити.',
  },
  number: { en: 'Account number', ru: 'Номер аккаунта', uk: 'Номер акаунта' },
  numberHelp: {
    en: 'What it is called outside. Receivers of the dialect “poster” read it. It may stay empty.',
    ru: 'Как он называется во внешних системах; его читают получатели с диалектом «poster». Можно не заполнять.',
    uk: 'Як він називається у зовнішніх системах; його читають отримувачі з діалектом «poster». Можна не заповнювати.',
  },
  rateHelp: {
    en: 'Of all its keys together; more are answered 429. Empty: as many as come.',
    ru: 'Всех его ключей вместе; сверх этого шлюз отвечает 429. Пусто — без ограничений.',
    uk: 'Усіх його ключів разом; понад це шлюз відповідає 429. Порожньо — без обмежень.',
  },
  since: { en: 'Created', ru: 'Создан', uk: 'Створено' },
  keys: { en: 'Make a key for it', ru: 'Создать для него ключ', uk: 'Створити для нього ключ' },
  create: { en: 'Create the account', ru: 'Создать аккаунт', uk: 'Створити акаунт' },
  created: {
    en: 'The account is there. Make a key for it next.',
    ru: 'Аккаунт создан. Теперь создайте для него ключ.',
    uk: 'Акаунт створено. Тепер створіть для нього ключ.',
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
      form={<Form isLocked={!isOperator(who)} />}
      detail={(id) => <Detail key={id} id={id} who={who} />}
    />
  )
}

function List({ who }: { who: Who }) {
  const say = useWords(WORDS)
  const loaded = useAll<Account>('/v1/accounts')
  return (
    <>
      <Head title={say('title')}>
        {isOperator(who) ? (
          <a class="button primary" href={href('accounts', 'new')}>
            {say('new')}
          </a>
        ) : null}
      </Head>
      <p class="soft">{isOperator(who) ? say('intro') : say('others')}</p>
      <Show loaded={loaded}>{(accounts) => <Accounts accounts={accounts} />}</Show>
    </>
  )
}

function Accounts({ accounts }: { accounts: readonly Account[] }) {
  const say = useWords(WORDS)
  return (
    <Table
      label={say('title')}
      rows={accounts}
      keyOf={({ id }) => id}
      columns={[
        {
          title: say('called'),
          cell: ({ id, title }) => <a href={hrefOf('accounts', id)}>{title}</a>,
        },
        { title: say('id'), cell: ({ id }) => <code>{id}</code> },
        { title: say('number'), cell: ({ accountNumber }) => accountNumber ?? '–' },
        {
          title: say('rate'),
          kind: 'number',
          cell: ({ maxPerSecond }) => maxPerSecond ?? <span class="soft">{say('unlimited')}</span>,
        },
        { title: say('since'), cell: ({ createdAt }) => <Time at={createdAt} /> },
      ]}
    />
  )
}

function Detail({ id, who }: { id: string; who: Who }) {
  const say = useWords(WORDS)
  const path = at('/v1/accounts', id)
  const loaded = useLoad((signal) => api.get<Account>(path, { signal }), [path])
  const mayChange = isOperator(who)
  const fresh = `${href('keys', 'new')}?account=${encodeURIComponent(id)}`
  return (
    <>
      <Head title={loaded.data?.title ?? id}>
        {mayChange ? (
          <a class="button" href={fresh}>
            {say('keys')}
          </a>
        ) : null}
      </Head>
      {mayChange ? null : <p class="soft">{say('others')}</p>}
      <Show loaded={loaded}>{(account) => <Form account={account} isLocked={!mayChange} />}</Show>
    </>
  )
}

function Form({ account, isLocked }: { account?: Account; isLocked: boolean }) {
  const say = useWords(WORDS)
  const isNew = account === undefined
  const [draft, setDraft] = useState({
    id: account?.id ?? '',
    title: account?.title ?? '',
    accountNumber: account?.accountNumber ?? '',
    maxPerSecond: account?.maxPerSecond ?? null,
  })
  const change = (next: Partial<typeof draft>) => setDraft({ ...draft, ...next })
  const save = async () => {
    const { id, title, accountNumber, maxPerSecond } = draft
    const body = { title, maxPerSecond, accountNumber: accountNumber || null }
    if (isNew) await api.post('/v1/accounts', { ...body, id: id || undefined })
    else await api.patch(at('/v1/accounts', account.id), body)
    toast(isNew ? say('created') : say('saved'))
    go(href('accounts'))
  }
  const action = isNew ? say('create') : say('save')
  return (
    <SaveForm action={action} back={href('accounts')} onSave={save} isLocked={isLocked}>
      {(error) => (
        <>
          <TextField
            label={say('called')}
            help={say('calledHelp')}
            wrong={wrongAt(error, '/title')}
            value={draft.title}
            onInput={(title) => change({ title })}
            required
          />
          <TextField
            label={say('id')}
            help={say('idHelp')}
            wrong={wrongAt(error, '/id')}
            value={draft.id}
            onInput={(id) => change({ id })}
            disabled={!isNew}
          />
          <TextField
            label={say('number')}
            help={say('numberHelp')}
            wrong={wrongAt(error, '/accountNumber')}
            value={draft.accountNumber}
            onInput={(accountNumber) => change({ accountNumber })}
          />
          <NumberField
            label={say('rate')}
            help={say('rateHelp')}
            wrong={wrongAt(error, '/maxPerSecond')}
            value={draft.maxPerSecond}
            onInput={(maxPerSecond) => change({ maxPerSecond })}
          />
        </>
      )}
    </SaveForm>
  )
}
