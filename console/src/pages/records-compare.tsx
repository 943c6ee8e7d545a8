/** Somebody else was faster: their version beside what was typed here, and which of them to go on with. */
import { api, at } from '../api.ts'
import { useWords, words } from '../language.ts'
import { useLoad } from '../load.ts'
import type { StoredRecord } from '../types.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Button, Show } from '../ui/pieces.tsx'
import { Table } from '../ui/table.tsx'
import {
  changedOf,
  type Drafts,
  type Field,
  lineOf,
  memberOf,
  sameValue,
  type Values,
} from './records-draft.ts'

const WORDS = words({
  title: { en: 'The newer version', ru: 'Новая версия', uk: 'Нова версія' },
  version: {
    en: 'This is version {version}. What differs:',
    ru: 'Это версия {version}. Отличия:',
    uk: 'Це версія {version}. Відмінності:',
  },
  field: { en: 'Field', ru: 'Поле', uk: 'Поле' },
  theirs: { en: 'Newer version', ru: 'Новая версия', uk: 'Нова версія' },
  mine: { en: 'What you typed', ru: 'Введено вами', uk: 'Введено вами' },
  was: { en: 'As you opened it', ru: 'Как было', uk: 'Як було' },
  keep: {
    en: 'Go on with what I typed',
    ru: 'Продолжить с моими данными',
    uk: 'Продовжити з моїми даними',
  },
  take: {
    en: 'Drop what I typed',
    ru: 'Отказаться от моих данных',
    uk: 'Відмовитися від моїх даних',
  },
  back: { en: 'Back', ru: 'Назад', uk: 'Назад' },
})

type Newer = { readonly values: Values; readonly version: number }

type CompareProps = {
  readonly catalogId: string
  readonly recordId: string
  readonly fields: readonly Field[]
  readonly base: Values
  readonly drafts: Drafts
  readonly onClose: () => void
  readonly onTake: (newer: Newer) => void
  readonly onKeep: (newer: Newer) => void
}

export function Compare(props: CompareProps) {
  const say = useWords(WORDS)
  const { catalogId, recordId, fields, base, drafts, onClose, onTake, onKeep } = props
  const path = at('/v1/catalogs', catalogId, 'records', recordId)
  const loaded = useLoad((signal) => api.get<StoredRecord>(path, { signal }), [path])
  const mine = changedOf(base, drafts)
  const differs =
    (newer: Values) =>
    ({ id }: Field) =>
      Object.hasOwn(mine, id) || !sameValue(memberOf(base, id), memberOf(newer, id))
  const cell = (values: Values) => (field: Field) => (
    <bdi>{lineOf(memberOf(values, field.id), field)}</bdi>
  )
  return (
    <Dialog title={say('title')} onClose={onClose}>
      <Show loaded={loaded}>
        {(newer) => (
          <>
            <p>{say('version', { version: newer.version })}</p>
            <Table
              label={say('title')}
              rows={fields.filter(differs(newer.values))}
              keyOf={({ id }) => id}
              columns={[
                { title: say('field'), cell: ({ title }) => <bdi>{title}</bdi> },
                { title: say('theirs'), cell: cell(newer.values) },
                { title: say('mine'), cell: cell(mine) },
                { title: say('was'), cell: cell(base) },
              ]}
            />
            <div class="row end">
              <Button onClick={onClose}>{say('back')}</Button>
              <Button kind="danger" onClick={() => onTake(newer)}>
                {say('take')}
              </Button>
              <Button kind="primary" onClick={() => onKeep(newer)}>
                {say('keep')}
              </Button>
            </div>
          </>
        )}
      </Show>
    </Dialog>
  )
}
