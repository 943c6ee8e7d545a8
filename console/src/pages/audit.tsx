/** Who changed which setting, and whether that can be believed. */
import { useState } from 'preact/hooks'
import type { z } from 'zod'
import type { auditView } from '../../../src/adapters/http/schemas/audit.ts'
import { withQuery } from '../api.ts'
import type { PageProps } from '../app.tsx'
import { useWords, words } from '../language.ts'
import { usePages } from '../load-pages.ts'
import { AccountField } from '../ui/account-field.tsx'
import { SelectField, TextField } from '../ui/form.tsx'
import { Badge, Button, Empty, ErrorNote, Head, Show, Time } from '../ui/pieces.tsx'
import { isOperator, Needs } from '../ui/settings.tsx'
import { type Column, Table } from '../ui/table.tsx'
import { ACTION_NAMES, ACTIONS } from './audit-actions.ts'
import { Difference } from './audit-difference.tsx'
import { Verify } from './audit-verify.tsx'

type Row = z.output<typeof auditView>

const WORDS = words({
  title: { en: 'Audit', ru: 'Журнал изменений', uk: 'Журнал змін' },
  intro: {
    en: 'Every change of a setting, with who made it. Rows can only be added, and each is chained to the one before.',
    ru: 'Все изменения настроек и те, кто их сделал. Строки можно только добавлять; каждая сцеплена с предыдущей.',
    uk: 'Усі зміни налаштувань і ті, хто їх зробив. Рядки можна лише додавати; кожен зчеплений із попереднім.',
  },
  since: { en: 'Since', ru: 'Начиная с', uk: 'Починаючи з' },
  until: { en: 'Until', ru: 'До', uk: 'До' },
  actor: { en: 'Who (id)', ru: 'Кто (идентификатор)', uk: 'Хто (ідентифікатор)' },
  action: { en: 'What was done', ru: 'Что сделано', uk: 'Що зроблено' },
  any: { en: 'Anything', ru: 'Что угодно', uk: 'Будь-що' },
  target: { en: 'What to (id)', ru: 'С чем (идентификатор)', uk: 'З чим (ідентифікатор)' },
  show: { en: 'Show', ru: 'Показать', uk: 'Показати' },
  none: { en: 'Nothing to see', ru: 'Ничего не найдено', uk: 'Нічого не знайдено' },
  noneHelp: {
    en: 'No change fits these filters. Take some away, or change a setting first.',
    ru: 'Под эти условия ничего не подходит. Уберите часть из них или сначала измените какую-нибудь настройку.',
    uk: 'Під ці умови нічого не підходить. Приберіть частину з них або спершу змініть якесь налаштування.',
  },
  at: { en: 'When', ru: 'Когда', uk: 'Коли' },
  who: { en: 'Who', ru: 'Кто', uk: 'Хто' },
  key: { en: 'key', ru: 'ключ', uk: 'ключ' },
  token: { en: 'token', ru: 'токен', uk: 'токен' },
  gateway: { en: 'the gateway', ru: 'шлюз', uk: 'шлюз' },
  what: { en: 'What', ru: 'Что', uk: 'Що' },
  change: { en: 'Change', ru: 'Изменение', uk: 'Зміна' },
  older: { en: 'Older', ru: 'Раньше', uk: 'Раніше' },
})

type Filter = {
  readonly since: string
  readonly until: string
  readonly actor: string
  readonly action: string
  readonly target: string
  readonly accountId: string
}

export function Page({ who, route }: PageProps) {
  const say = useWords(WORDS)
  return (
    <Needs who={who} scope="admin" title={say('title')}>
      <Audit who={who} route={route} />
    </Needs>
  )
}

function Audit({ who, route }: PageProps) {
  const say = useWords(WORDS)
  const [filter, setFilter] = useState<Filter>({
    since: '',
    until: '',
    actor: route.query.get('actor') ?? '',
    action: '',
    target: route.query.get('target') ?? '',
    accountId: who.accountId,
  })
  const path = withQuery('/v1/audit', {
    ...filter,
    since: moment(filter.since),
    until: moment(filter.until),
  })
  return (
    <>
      <Head title={say('title')} />
      <p class="soft">{say('intro')}</p>
      <Verify key={filter.accountId} accountId={filter.accountId} />
      <Filters filter={filter} onChange={setFilter} isOperator={isOperator(who)} />
      <Rows key={path} path={path} />
    </>
  )
}

function moment(local: string): string | undefined {
  return local === '' ? undefined : new Date(local).toISOString()
}

type FiltersProps = {
  readonly filter: Filter
  readonly onChange: (filter: Filter) => void
  readonly isOperator: boolean
}

/** What is typed is looked for when it is finished. */
function Filters({ filter, onChange, isOperator: isAll }: FiltersProps) {
  const say = useWords(WORDS)
  const sayAction = useWords(ACTIONS)
  const [draft, setDraft] = useState(filter)
  const change = (next: Partial<Filter>) => setDraft({ ...draft, ...next })
  const show = (event: SubmitEvent) => {
    event.preventDefault()
    onChange(draft)
  }
  const choose = (next: Partial<Filter>) => {
    change(next)
    onChange({ ...draft, ...next })
  }
  const moments = ['since', 'until'] as const
  const ids = ['actor', 'target'] as const
  return (
    <form
      class="filters"
      style={{ gridTemplateColumns: 'repeat(auto-fill, minmax(min(100%, 14.5rem), 1fr))' }}
      onSubmit={show}
    >
      {moments.map((name) => (
        <TextField
          key={name}
          label={say(name)}
          type="datetime-local"
          value={draft[name]}
          onInput={(value) => change({ [name]: value })}
        />
      ))}
      <SelectField
        label={say('action')}
        value={draft.action}
        choices={[
          { value: '', label: say('any') },
          ...ACTION_NAMES.map((value) => ({ value, label: sayAction(value) })),
        ]}
        onChange={(action) => choose({ action })}
      />
      {ids.map((name) => (
        <TextField
          key={name}
          label={say(name)}
          value={draft[name]}
          onInput={(value) => change({ [name]: value })}
        />
      ))}
      {isAll ? (
        <AccountField value={draft.accountId} onChange={(accountId) => choose({ accountId })} />
      ) : null}
      <Button type="submit">{say('show')}</Button>
    </form>
  )
}

const PAGE_LIMIT = 50

function Rows({ path }: { path: string }) {
  const say = useWords(WORDS)
  const { loaded, items, onMore, error } = usePages<Row>(path, PAGE_LIMIT)
  return (
    <Show loaded={loaded}>
      {() => (
        <>
          {items.length === 0 ? (
            <Empty title={say('none')}>
              <p>{say('noneHelp')}</p>
            </Empty>
          ) : (
            <List rows={items} />
          )}
          {error === undefined ? null : <ErrorNote error={error} />}
          {onMore === undefined ? null : (
            <div class="row">
              <Button onClick={onMore}>{say('older')}</Button>
            </div>
          )}
        </>
      )}
    </Show>
  )
}

function List({ rows }: { rows: readonly Row[] }) {
  const say = useWords(WORDS)
  const sayAction = useWords(ACTIONS)
  const columns: readonly Column<Row>[] = [
    { title: '№', kind: 'number', cell: ({ seq }) => seq },
    { title: say('at'), cell: ({ at }) => <Time at={at} /> },
    {
      title: say('who'),
      cell: ({ actor }) => (
        <>
          <Badge>{say(actor.kind)}</Badge> {actor.kind === 'gateway' ? null : actor.id}
        </>
      ),
    },
    {
      title: say('what'),
      cell: ({ action, target }) => {
        const known = ACTION_NAMES.find((one) => one === action)
        return (
          <>
            {known === undefined ? action : sayAction(known)}
            <br />
            <code class="soft">{target}</code>
          </>
        )
      },
    },
    {
      title: say('change'),
      cell: ({ before, after }) => <Difference before={before} after={after} />,
    },
  ]
  return (
    <Table label={say('title')} rows={rows} keyOf={({ seq }) => String(seq)} columns={columns} />
  )
}
