/** One record as a form: asked about while it is typed in, and again when it is saved or deleted. */
import { useState } from 'preact/hooks'
import { useWords, words } from '../language.ts'
import { go, href } from '../route.ts'
import type { ApproveResponse, Catalog, StoredRecord, Who } from '../types.ts'
import { Confirm } from '../ui/dialog.tsx'
import { TextField, wrongAt } from '../ui/form.tsx'
import { Button, ErrorNote, Head, Json } from '../ui/pieces.tsx'
import { toast } from '../ui/toast.tsx'
import { Answer, Findings } from './records-answer.tsx'
import type { Asking } from './records-asking.ts'
import { Compare } from './records-compare.tsx'
import {
  type Field,
  fieldsOf,
  isReadable,
  memberOf,
  pointerTo,
  taken,
  typedInto,
} from './records-draft.ts'
import { Erase } from './records-erase.tsx'
import { AddField, Fields } from './records-form.tsx'
import { History } from './records-history.tsx'
import { may, recordHref } from './records-lib.ts'
import { HowAsked, mannerOf } from './records-manner.tsx'
import { RecordMenu } from './records-menu.tsx'
import { type Base, type CardState, useCard } from './records-state.ts'

const WORDS = words({
  fresh: { en: 'New record', ru: 'Новая запись', uk: 'Новий запис' },
  all: { en: 'All records', ru: 'Все записи', uk: 'Усі записи' },
  version: { en: 'Version {version}', ru: 'Версия {version}', uk: 'Версія {version}' },
  id: { en: 'Id', ru: 'Id', uk: 'Id' },
  idHelp: {
    en: 'Left empty, one is made.',
    ru: 'Если не указать, будет создан автоматически.',
    uk: 'Якщо не вказати, буде створено автоматично.',
  },
  save: { en: 'Save', ru: 'Сохранить', uk: 'Зберегти' },
  discard: { en: 'Discard changes', ru: 'Отменить изменения', uk: 'Скасувати зміни' },
  discardTitle: {
    en: 'Discard what you typed?',
    ru: 'Отменить введённое?',
    uk: 'Скасувати введене?',
  },
  discardText: {
    en: 'The values become again those that are stored.',
    ru: 'Значения снова станут такими, какие сохранены.',
    uk: 'Значення знову стануть такими, які збережено.',
  },
  actions: { en: 'Actions', ru: 'Действия', uk: 'Дії' },
  remove: { en: 'Delete', ru: 'Удалить', uk: 'Видалити' },
  removeTitle: { en: 'Delete this record?', ru: 'Удалить эту запись?', uk: 'Видалити цей запис?' },
  removeText: {
    en: 'Everyone who has a say is asked first. What is deleted does not come back.',
    ru: 'Сначала будут опрошены все, чьё согласие нужно. Удалённое не вернуть.',
    uk: 'Спершу буде опитано всіх, чия згода потрібна. Видалене не повернути.',
  },
  removed: { en: 'The record is deleted.', ru: 'Запись удалена.', uk: 'Запис видалено.' },
  erase: { en: 'Erase everything', ru: 'Стереть всё', uk: 'Стерти все' },
  saved: { en: 'Saved.', ru: 'Сохранено.', uk: 'Збережено.' },
  form: { en: 'Values', ru: 'Значения', uk: 'Значення' },
  others: {
    en: 'Values without a field in the catalog',
    ru: 'Значения, для которых в каталоге нет полей',
    uk: 'Значення, для яких у каталозі немає полів',
  },
  mayNot: {
    en: 'Your key may not change records.',
    ru: 'Ваш ключ не даёт права изменять записи.',
    uk: 'Ваш ключ не дає права змінювати записи.',
  },
  gone: {
    en: 'There is no such record now.',
    ru: 'Такой записи сейчас нет.',
    uk: 'Такого запису зараз немає.',
  },
  unreadable: {
    en: 'One of the fields cannot be read yet.',
    ru: 'Одно из полей пока не читается.',
    uk: 'Одне з полів поки не читається.',
  },
  typing: {
    en: 'Nobody could be asked while you typed:',
    ru: 'Во время ввода никого не удалось спросить:',
    uk: 'Під час введення нікого не вдалося запитати:',
  },
})

type CardProps = {
  readonly catalog: Catalog
  /** Null for one that is to be. */
  readonly record: StoredRecord | null
  readonly who: Who
  /** The answer that this record came to be with. */
  readonly born: ApproveResponse | undefined
  readonly onBorn: (response: ApproveResponse) => void
}

export function RecordCard({ catalog, record, who, born, onBorn }: CardProps) {
  const say = useWords(WORDS)
  const [newId, setNewId] = useState('')
  const [isComparing, setComparing] = useState(false)
  const card = useCard({
    catalogId: catalog.id,
    record,
    onDone: (response, { event }) => {
      const isRemoved = event === 'record.before.deleted'
      toast(say(isRemoved ? 'removed' : 'saved'))
      if (isRemoved) go(href('records', catalog.id))
      else if (record === null && response.record !== undefined) {
        onBorn(response)
        go(recordHref(catalog.id, response.record.id))
      }
    },
  })
  const { base, form, asking } = card
  const wish = {
    event: record === null ? 'record.before.created' : 'record.before.updated',
    catalogId: catalog.id,
    recordId: record?.id ?? (newId === '' ? undefined : newId),
    baseVersion: base.version,
    ...mannerOf(card.manner),
  } as const
  const shown: Asking =
    asking.kind === 'idle' && born?.record?.version === base.version && born !== undefined
      ? { kind: 'answered', wish, response: born }
      : asking
  const fields = fieldsOf(catalog, base.values, form.drafts)
  const place = { catalogId: catalog.id, recordId: record?.id ?? '' }
  return (
    <>
      <CardHead
        {...place}
        version={base.version}
        who={who}
        onRemove={() => card.ask({ ...wish, event: 'record.before.deleted' })}
      />
      {may(who, 'approve') ? null : <p class="note">{say('mayNot')}</p>}
      <Answer
        asking={shown}
        fields={fields}
        onConfirm={card.ask}
        onDrop={card.reset}
        onLook={() => setComparing(true)}
      />
      {isComparing ? (
        <Newer {...place} fields={fields} card={card} onClose={() => setComparing(false)} />
      ) : null}
      <CardForm
        catalog={catalog}
        fields={fields}
        card={card}
        mayWrite={may(who, 'approve')}
        onSave={() => card.ask({ ...wish, values: card.changed })}
        newId={record === null ? newId : undefined}
        onId={setNewId}
      />
      {record === null ? null : (
        <History {...place} last={asking.kind === 'answered' ? asking.response.id : undefined} />
      )}
    </>
  )
}

type GoneProps = { readonly catalogId: string; readonly recordId: string; readonly who: Who }

/** What was decided about a record outlives it, until it is erased. */
export function GoneCard({ who, ...place }: GoneProps) {
  const say = useWords(WORDS)
  const [isErasing, setErasing] = useState(false)
  return (
    <>
      <Head title={place.recordId}>
        <a href={href('records', place.catalogId)}>{say('all')}</a>
        {may(who, 'manage') ? (
          <Button kind="danger" onClick={() => setErasing(true)}>
            {say('erase')}
          </Button>
        ) : null}
      </Head>
      <p class="note">{say('gone')}</p>
      <History {...place} last={undefined} />
      {isErasing ? <Erase {...place} onClose={() => setErasing(false)} /> : null}
    </>
  )
}

type NewerProps = NotesProps & {
  readonly catalogId: string
  readonly recordId: string
  readonly onClose: () => void
}

function Newer({ card: { base, form, begin, rebase }, ...props }: NewerProps) {
  const settle = (how: typeof begin) => (newer: Base) => {
    how(newer)
    props.onClose()
  }
  return (
    <Compare
      {...props}
      base={base.values}
      drafts={form.drafts}
      onTake={settle(begin)}
      onKeep={settle(rebase)}
    />
  )
}

type HeadProps = ToolsProps & { readonly version: number | undefined }

function CardHead({ version, ...props }: HeadProps) {
  const say = useWords(WORDS)
  return (
    <Head title={version === undefined ? say('fresh') : props.recordId}>
      <a href={href('records', props.catalogId)}>{say('all')}</a>
      {version === undefined ? null : (
        <>
          <span class="soft">{say('version', { version })}</span>
          <Tools {...props} />
        </>
      )}
    </Head>
  )
}

type ToolsProps = {
  readonly catalogId: string
  readonly recordId: string
  readonly who: Who
  readonly onRemove: () => void
}

function Tools({ catalogId, recordId, who, onRemove }: ToolsProps) {
  const say = useWords(WORDS)
  const [open, setOpen] = useState<'menu' | 'remove' | 'erase' | undefined>(undefined)
  const close = () => setOpen(undefined)
  const place = { catalogId, recordId, onClose: close }
  return (
    <>
      <Button onClick={() => setOpen('menu')}>{say('actions')}</Button>
      {may(who, 'approve') ? (
        <Button kind="danger" onClick={() => setOpen('remove')}>
          {say('remove')}
        </Button>
      ) : null}
      {may(who, 'manage') ? (
        <Button kind="danger" onClick={() => setOpen('erase')}>
          {say('erase')}
        </Button>
      ) : null}
      {open === 'menu' ? <RecordMenu {...place} mayRun={may(who, 'approve')} /> : null}
      {open === 'erase' ? <Erase {...place} /> : null}
      {open === 'remove' ? (
        <Confirm
          title={say('removeTitle')}
          action={say('remove')}
          onClose={close}
          onConfirm={async () => onRemove()}
        >
          <p>{say('removeText')}</p>
        </Confirm>
      ) : null}
    </>
  )
}

type CardFormProps = {
  readonly catalog: Catalog
  readonly card: CardState
  readonly fields: readonly Field[]
  readonly mayWrite: boolean
  readonly onSave: () => void
  /** Undefined where there is an id already. */
  readonly newId: string | undefined
  readonly onId: (id: string) => void
}

function CardForm({ catalog, card, fields, mayWrite, onSave, newId, onId }: CardFormProps) {
  const say = useWords(WORDS)
  const { base, form, asking, typingError } = card
  const error = asking.kind === 'failed' ? asking.error : typingError
  const isReady = isReadable(form.drafts)
  // What is typed meanwhile would stay behind when the card of the new record opens.
  const isBeingMade = newId !== undefined && asking.kind === 'asking'
  const storedOf = (field: string) => memberOf(base.values, field)
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    if (isReady && asking.kind !== 'asking') onSave()
  }
  return (
    <form class="card" noValidate onSubmit={submit}>
      <h2>{say('form')}</h2>
      <TypingNotes card={card} fields={fields} />
      {newId === undefined ? null : (
        <TextField
          label={say('id')}
          help={say('idHelp')}
          value={newId}
          onInput={onId}
          disabled={isBeingMade}
          wrong={wrongAt(error, '/recordId')}
        />
      )}
      <Fields
        fields={fields}
        form={form}
        findings={card.findings}
        storedOf={storedOf}
        wrongOf={(field) => wrongAt(error, pointerTo(field))}
        disabled={!mayWrite || isBeingMade}
        onDraft={(field, draft) => card.type(field, typedInto(form, field, draft))}
        onTake={(field) => card.type(field, taken(form, field))}
      />
      {catalog.fields.length > 0 ? (
        <Others card={card} fields={fields} />
      ) : mayWrite ? (
        <AddField
          onAdd={(name) => card.type(name, typedInto(form, name, { value: storedOf(name) }))}
        />
      ) : null}
      {mayWrite ? <HowAsked manner={card.manner} onManner={card.setManner} error={error} /> : null}
      {isReady ? null : <p class="soft">{say('unreadable')}</p>}
      {mayWrite ? (
        <div class="row end">
          {form.drafts.size === 0 ? null : <Discard onDiscard={() => card.begin(base)} />}
          <Button kind="primary" type="submit" disabled={!isReady}>
            {say('save')}
          </Button>
        </div>
      ) : null}
    </form>
  )
}

function Discard({ onDiscard }: { onDiscard: () => void }) {
  const say = useWords(WORDS)
  const [isAsked, setAsked] = useState(false)
  return (
    <>
      <Button onClick={() => setAsked(true)}>{say('discard')}</Button>
      {isAsked ? (
        <Confirm
          title={say('discardTitle')}
          action={say('discard')}
          onClose={() => setAsked(false)}
          onConfirm={async () => onDiscard()}
        >
          <p>{say('discardText')}</p>
        </Confirm>
      ) : null}
    </>
  )
}

type NotesProps = { readonly card: CardState; readonly fields: readonly Field[] }

/** What was said while typing, and about no field that is there. */
function TypingNotes({ card: { typed, typingError }, fields }: NotesProps) {
  const say = useWords(WORDS)
  const loose = typed.filter(({ field }) => !fields.some(({ id }) => id === field))
  return (
    <div role="status" class="stack">
      <Findings findings={loose} fields={fields} />
      {typingError === undefined ? null : (
        <>
          <p class="soft small">{say('typing')}</p>
          <ErrorNote error={typingError} />
        </>
      )}
    </div>
  )
}

/** The catalog has changed since they were written. */
function Others({ card: { base }, fields }: NotesProps) {
  const say = useWords(WORDS)
  const others = Object.entries(base.values).filter(([key]) => !fields.some(({ id }) => id === key))
  return others.length === 0 ? null : (
    <details>
      <summary>{say('others')}</summary>
      <Json value={Object.fromEntries(others)} label={say('others')} />
    </details>
  )
}
