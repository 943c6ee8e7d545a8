/** Which catalogs there are, and the records of one of them. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { all, at, withQuery } from '../api.ts'
import { useWords, words } from '../language.ts'
import { useLoad } from '../load.ts'
import { usePages } from '../load-pages.ts'
import { go, href } from '../route.ts'
import type { Catalog, StoredRecord, Who } from '../types.ts'
import { SelectField, TextField } from '../ui/form.tsx'
import { Button, Empty, ErrorNote, Head, More, Show, Time } from '../ui/pieces.tsx'
import { type Column, Table } from '../ui/table.tsx'
import { type Field, lineOf, memberOf } from './records-draft.ts'
import { may, recordHref } from './records-lib.ts'
import { RecordMenu } from './records-menu.tsx'

const WORDS = words({
  title: { en: 'Records', ru: 'Записи', uk: 'Записи' },
  pick: { en: 'Choose a catalog.', ru: 'Выберите каталог.', uk: 'Виберіть каталог.' },
  catalog: { en: 'Catalog', ru: 'Каталог', uk: 'Каталог' },
  fields: { en: 'Fields', ru: 'Поля', uk: 'Поля' },
  none: { en: 'There is no catalog yet.', ru: 'Каталогов пока нет.', uk: 'Каталогів поки немає.' },
  noneText: {
    en: 'A catalog gives records their fields. The first steps show the whole way from an empty system.',
    ru: 'Каталог задаёт поля записей. «Первые шаги» проведут по всему пути с пустой системы.',
    uk: 'Каталог задає поля записів. «Перші кроки» проведуть усім шляхом від порожньої системи.',
  },
  start: { en: 'First steps', ru: 'Первые шаги', uk: 'Перші кроки' },
  newCatalog: { en: 'Make a catalog', ru: 'Создать каталог', uk: 'Створити каталог' },
  others: { en: 'All catalogs', ru: 'Все каталоги', uk: 'Усі каталоги' },
  fresh: { en: 'New record', ru: 'Новая запись', uk: 'Новий запис' },
  id: { en: 'Id', ru: 'Id', uk: 'Id' },
  version: { en: 'Version', ru: 'Версия', uk: 'Версія' },
  updated: { en: 'Changed', ru: 'Изменена', uk: 'Змінено' },
  actions: { en: 'Actions', ru: 'Действия', uk: 'Дії' },
  actionsOf: { en: 'Actions for {record}', ru: 'Действия для {record}', uk: 'Дії для {record}' },
  field: { en: 'Field', ru: 'Поле', uk: 'Поле' },
  value: { en: 'Value', ru: 'Значение', uk: 'Значення' },
  filter: { en: 'Filter', ru: 'Отфильтровать', uk: 'Відфільтрувати' },
  everything: { en: 'Show all', ru: 'Показать все', uk: 'Показати всі' },
  noRecords: { en: 'No records yet', ru: 'Записей пока нет', uk: 'Записів поки немає' },
  noRecordsText: {
    en: 'Make the first one: everybody who has a say is asked before it is written.',
    ru: 'Создайте первую: перед записью будут опрошены все, чьё согласие нужно.',
    uk: 'Створіть перший: перед записом буде опитано всіх, чия згода потрібна.',
  },
  noMatch: {
    en: 'No record has this value.',
    ru: 'Записей с таким значением нет.',
    uk: 'Записів із таким значенням немає.',
  },
})

const COLUMNS_MAX = 8
const PAGE = 50

export function Catalogs({ who }: { who: Who }) {
  const say = useWords(WORDS)
  const loaded = useLoad((signal) => all<Catalog>('/v1/catalogs', signal), [])
  return (
    <>
      <Head title={say('title')} />
      <Show loaded={loaded}>
        {(catalogs) =>
          catalogs.length === 0 ? (
            <Empty title={say('none')}>
              <p>{say('noneText')}</p>
              <div class="row">
                <a class="button primary" href={href('start')}>
                  {say('start')}
                </a>
                {may(who, 'manage') ? (
                  <a class="button" href={href('catalogs', 'new')}>
                    {say('newCatalog')}
                  </a>
                ) : null}
              </div>
            </Empty>
          ) : (
            <>
              <p class="soft">{say('pick')}</p>
              <Table
                label={say('title')}
                rows={catalogs}
                keyOf={({ id }) => id}
                columns={[
                  {
                    title: say('catalog'),
                    cell: ({ id, title }) => (
                      <a href={href('records', id)}>
                        <bdi>{title}</bdi>
                      </a>
                    ),
                  },
                  { title: say('id'), cell: ({ id }) => <code>{id}</code> },
                  { title: say('fields'), kind: 'number', cell: ({ fields }) => fields.length },
                ]}
              />
            </>
          )
        }
      </Show>
    </>
  )
}

type GridProps = { readonly catalog: Catalog; readonly query: URLSearchParams; readonly who: Who }

export function Grid({ catalog, query, who }: GridProps) {
  const say = useWords(WORDS)
  const field = query.get('field') ?? ''
  const value = query.get('value') ?? ''
  return (
    <>
      <Head title={catalog.title}>
        <a href={href('records')}>{say('others')}</a>
        {may(who, 'approve') ? (
          <a class="button primary" href={href('records', catalog.id, 'new')}>
            {say('fresh')}
          </a>
        ) : null}
      </Head>
      <Filter key={`${field}=${value}`} catalog={catalog} field={field} value={value} />
      <Rows
        key={`${field}=${value} `}
        catalog={catalog}
        where={field === '' ? {} : { [`where[${field}]`]: value }}
        mayRun={may(who, 'approve')}
      />
    </>
  )
}

type FilterProps = { readonly catalog: Catalog; readonly field: string; readonly value: string }

function Filter({ catalog: { id, fields }, field, value }: FilterProps) {
  const say = useWords(WORDS)
  const [inField, setField] = useState(field === '' ? (fields[0]?.id ?? '') : field)
  const [wanted, setWanted] = useState(value)
  const address = href('records', id)
  const apply = (event: SubmitEvent) => {
    event.preventDefault()
    if (inField !== '') go(withQuery(address, { field: inField, value: wanted }))
  }
  return (
    <form class="filters" onSubmit={apply}>
      {fields.length === 0 ? (
        <TextField label={say('field')} value={inField} onInput={setField} />
      ) : (
        <SelectField
          label={say('field')}
          value={inField}
          onChange={setField}
          choices={fields.map((one) => ({ value: one.id, label: one.title }))}
        />
      )}
      <TextField label={say('value')} value={wanted} onInput={setWanted} />
      <div class="row">
        <Button type="submit">{say('filter')}</Button>
        {field === '' ? null : <a href={address}>{say('everything')}</a>}
      </div>
    </form>
  )
}

type RowsProps = {
  readonly catalog: Catalog
  readonly where: Readonly<Record<string, string>>
  readonly mayRun: boolean
}

function Rows({ catalog, where, mayRun }: RowsProps) {
  const say = useWords(WORDS)
  const [inMenu, setInMenu] = useState<StoredRecord | undefined>(undefined)
  const path = at('/v1/catalogs', catalog.id, 'records')
  const search = new URLSearchParams(where).toString()
  const pages = usePages<StoredRecord>(search === '' ? path : `${path}?${search}`, PAGE)
  const { loaded, items, onMore, error } = pages
  const openMenu = (record: StoredRecord, event: MouseEvent) => {
    // With Shift the browser's own menu comes.
    if (event.shiftKey) return
    event.preventDefault()
    setInMenu(record)
  }
  return (
    <>
      <Show loaded={loaded}>
        {() =>
          items.length === 0 ? (
            <Nothing isFiltered={search !== ''} />
          ) : (
            <Table
              label={catalog.title}
              rows={items}
              keyOf={({ id }) => id}
              onMenu={openMenu}
              columns={columnsOf(catalog, items, say, setInMenu)}
            />
          )
        }
      </Show>
      {error === undefined ? null : <ErrorNote error={error} />}
      {onMore === undefined ? null : <More onClick={onMore} />}
      {inMenu === undefined ? null : (
        <RecordMenu
          catalogId={catalog.id}
          recordId={inMenu.id}
          mayRun={mayRun}
          onClose={() => {
            setInMenu(undefined)
            loaded.reload()
          }}
        />
      )}
    </>
  )
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  const say = useWords(WORDS)
  return isFiltered ? (
    <p>{say('noMatch')}</p>
  ) : (
    <Empty title={say('noRecords')}>
      <p>{say('noRecordsText')}</p>
    </Empty>
  )
}

function columnsOf(
  catalog: Catalog,
  records: readonly StoredRecord[],
  say: ReturnType<typeof useWords<keyof typeof WORDS>>,
  onMenu: (record: StoredRecord) => void,
): readonly Column<StoredRecord>[] {
  const fields = shownFields(catalog, records)
  const own = [say('id'), say('version'), say('updated'), say('actions')]
  const titles = [...own, ...fields.map(({ title }) => title)]
  const isTwice = (title: string) => titles.filter((one) => one === title).length > 1
  return [
    { title: say('id'), cell: ({ id }) => <RecordLink catalogId={catalog.id} id={id} /> },
    ...fields.map((field) => ({
      title: isTwice(field.title) ? `${field.title} (${field.id})` : field.title,
      kind: field.type === 'number' ? ('number' as const) : undefined,
      cell: ({ values }: StoredRecord) => <bdi>{lineOf(memberOf(values, field.id), field)}</bdi>,
    })),
    { title: say('version'), kind: 'number', cell: ({ version }) => version },
    { title: say('updated'), kind: 'tight', cell: ({ updatedAt }) => <Time at={updatedAt} /> },
    {
      title: say('actions'),
      cell: (record) => (
        <Button label={say('actionsOf', { record: record.id })} onClick={() => onMenu(record)}>
          {say('actions')}
        </Button>
      ),
    },
  ]
}

function RecordLink({ catalogId, id }: { catalogId: string; id: string }): ComponentChildren {
  return (
    <a href={recordHref(catalogId, id)}>
      <bdi>{id}</bdi>
    </a>
  )
}

/** The first of the catalog's; of a catalog without fields those that the records have. */
function shownFields(catalog: Catalog, records: readonly StoredRecord[]): readonly Field[] {
  const names = new Set(records.flatMap(({ values }) => Object.keys(values)))
  const found: readonly Field[] = [...names].map((id) => ({ id, title: id, type: 'any' }))
  return (catalog.fields.length > 0 ? catalog.fields : found).slice(0, COLUMNS_MAX)
}
