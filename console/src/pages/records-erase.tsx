/** Everything about a record is erased for good: whoever does it types its id. */
import { useState } from 'preact/hooks'
import { api, at } from '../api.ts'
import { useWords, words } from '../language.ts'
import { go, href } from '../route.ts'
import { Dialog } from '../ui/dialog.tsx'
import { TextField } from '../ui/form.tsx'
import { Button, ErrorNote } from '../ui/pieces.tsx'
import { toast } from '../ui/toast.tsx'

const WORDS = words({
  title: {
    en: 'Erase everything about this record?',
    ru: 'Стереть всё об этой записи?',
    uk: 'Стерти все про цей запис?',
  },
  text: {
    en: 'The record, what its decisions and approvals hold of it, kept answers, its events and their deliveries are erased for good. Nobody is asked and nobody is told.',
    ru: 'Запись, её данные в решениях и согласованиях, сохранённые ответы, её события и доставки будут стёрты навсегда. Никого не спрашивают и никого не извещают.',
    uk: 'Запис, його дані в рішеннях і погодженнях, збережені відповіді, його події та доставки буде стерто назавжди. Нікого не запитують і нікого не сповіщають.',
  },
  type: {
    en: 'Type the id of the record',
    ru: 'Введите id записи',
    uk: 'Введіть id запису',
  },
  erase: { en: 'Erase for good', ru: 'Стереть навсегда', uk: 'Стерти назавжди' },
  keep: { en: 'Keep it', ru: 'Оставить', uk: 'Залишити' },
  done: {
    en: 'Erased. Records: {records}, decisions: {decisions}, events: {events}.',
    ru: 'Стёрто: записей — {records}, решений — {decisions}, событий — {events}.',
    uk: 'Стерто: записів — {records}, рішень — {decisions}, подій — {events}.',
  },
})

type Erased = { readonly records: number; readonly decisions: number; readonly events: number }
type EraseProps = {
  readonly catalogId: string
  readonly recordId: string
  readonly onClose: () => void
}

export function Erase({ catalogId, recordId, onClose }: EraseProps) {
  const say = useWords(WORDS)
  const [typed, setTyped] = useState('')
  const [error, setError] = useState<unknown>(undefined)
  const [isBusy, setBusy] = useState(false)
  const erase = () => {
    setBusy(true)
    api.post<Erased>(at('/v1/catalogs', catalogId, 'records', recordId, 'erase')).then(
      ({ records, decisions, events }) => {
        toast(say('done', { records, decisions, events }))
        onClose()
        go(href('records', catalogId))
      },
      (failure: unknown) => {
        setError(failure)
        setBusy(false)
      },
    )
  }
  return (
    <Dialog title={say('title')} onClose={onClose}>
      <p>{say('text')}</p>
      {error === undefined ? null : <ErrorNote error={error} />}
      <TextField
        label={say('type')}
        help={<code>{recordId}</code>}
        value={typed}
        onInput={setTyped}
      />
      <div class="row end">
        <Button onClick={onClose}>{say('keep')}</Button>
        <Button kind="danger" onClick={erase} disabled={isBusy || typed !== recordId}>
          {say('erase')}
        </Button>
      </div>
    </Dialog>
  )
}
