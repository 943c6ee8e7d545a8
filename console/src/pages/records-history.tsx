/** What was decided about a record, newest first. */
import { useEffect } from 'preact/hooks'
import { at } from '../api.ts'
import { useWords, words } from '../language.ts'
import { usePages } from '../load-pages.ts'
import { href } from '../route.ts'
import type { Decision } from '../types.ts'
import { Badge, Card, ErrorNote, More, Show, Time } from '../ui/pieces.tsx'
import { Table } from '../ui/table.tsx'

const WORDS = words({
  title: { en: 'History', ru: 'История', uk: 'Історія' },
  at: { en: 'Time', ru: 'Время', uk: 'Час' },
  what: { en: 'Change', ru: 'Изменение', uk: 'Зміна' },
  decision: { en: 'Decision', ru: 'Решение', uk: 'Рішення' },
  version: { en: 'Version', ru: 'Версия', uk: 'Версія' },
  said: { en: 'Message', ru: 'Сообщение', uk: 'Повідомлення' },
  none: {
    en: 'Nothing has been decided about this record yet.',
    ru: 'Решений об этой записи пока не было.',
    uk: 'Рішень щодо цього запису поки не було.',
  },
  allow: { en: 'allowed', ru: 'разрешено', uk: 'дозволено' },
  deny: { en: 'refused', ru: 'отклонено', uk: 'відхилено' },
  confirm: { en: 'to be confirmed', ru: 'требует подтверждения', uk: 'потребує підтвердження' },
  'record.before.created': { en: 'created', ru: 'создание', uk: 'створення' },
  'record.before.updated': { en: 'changed', ru: 'изменение', uk: 'зміна' },
  'record.before.deleted': { en: 'deleted', ru: 'удаление', uk: 'видалення' },
  'record.updating': { en: 'typed', ru: 'ввод', uk: 'введення' },
})

const TONES = { allow: 'good', deny: 'bad', confirm: 'warn' } as const
const PAGE = 20

type HistoryProps = {
  readonly catalogId: string
  readonly recordId: string
  /** The last decision that is known of; another one is a reason to look again. */
  readonly last: string | undefined
}

export function History({ catalogId, recordId, last }: HistoryProps) {
  const say = useWords(WORDS)
  const path = at('/v1/catalogs', catalogId, 'records', recordId, 'history')
  const { loaded, items, onMore, error } = usePages<Decision>(path, PAGE)
  useEffect(() => {
    if (last !== undefined) loaded.reload()
  }, [last])
  const eventOf = ({ event }: Decision) =>
    Object.hasOwn(WORDS, event) ? say(event as keyof typeof WORDS) : event
  return (
    <Card title={say('title')}>
      <Show loaded={loaded}>
        {() =>
          items.length === 0 ? (
            <p class="soft">{say('none')}</p>
          ) : (
            <Table
              label={say('title')}
              rows={items}
              keyOf={({ id }) => id}
              columns={[
                {
                  title: say('at'),
                  kind: 'tight',
                  cell: ({ id, decidedAt }) => (
                    <a href={href('decisions', id)}>
                      <Time at={decidedAt} />
                    </a>
                  ),
                },
                { title: say('what'), cell: eventOf },
                {
                  title: say('decision'),
                  cell: ({ decision }) => <Badge tone={TONES[decision]}>{say(decision)}</Badge>,
                },
                { title: say('version'), kind: 'tight', cell: versionsOf },
                { title: say('said'), cell: ({ message }) => <bdi>{message?.text}</bdi> },
              ]}
            />
          )
        }
      </Show>
      {error === undefined ? null : <ErrorNote error={error} />}
      {onMore === undefined ? null : <More onClick={onMore} />}
    </Card>
  )
}

function versionsOf({ versionBefore, versionAfter }: Decision): string {
  return versionAfter === null
    ? String(versionBefore ?? '–')
    : `${versionBefore ?? '–'} → ${versionAfter}`
}
