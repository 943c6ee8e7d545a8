/** The actions that apply to a record now, and what running one of them says. */
import { useState } from 'preact/hooks'
import { api, at, withQuery } from '../api.ts'
import { useWords, words } from '../language.ts'
import { useLoad } from '../load.ts'
import { href } from '../route.ts'
import type { ApproveResponse } from '../types.ts'
import { CloseRow, Dialog } from '../ui/dialog.tsx'
import { TextField } from '../ui/form.tsx'
import { Button, ErrorNote, Show } from '../ui/pieces.tsx'
import { WRAP } from './records-form.tsx'

const WORDS = words({
  title: { en: 'Actions for {record}', ru: 'Действия для {record}', uk: 'Дії для {record}' },
  none: {
    en: 'No action applies to this record as it is now.',
    ru: 'К этой записи в её нынешнем виде не подходит ни одно действие.',
    uk: 'Для цього запису в його нинішньому стані немає жодної дії.',
  },
  define: { en: 'Set up actions', ru: 'Настроить действия', uk: 'Налаштувати дії' },
  mayNot: {
    en: 'Your key may not run actions.',
    ru: 'Ваш ключ не даёт права выполнять действия.',
    uk: 'Ваш ключ не дає права виконувати дії.',
  },
  running: { en: 'Running…', ru: 'Выполняется…', uk: 'Виконується…' },
  done: { en: 'Done.', ru: 'Готово.', uk: 'Готово.' },
  failed: {
    en: 'The action failed.',
    ru: 'Не удалось выполнить действие.',
    uk: 'Не вдалося виконати дію.',
  },
  run: { en: 'Run', ru: 'Выполнить', uk: 'Виконати' },
  back: { en: 'Back', ru: 'Назад', uk: 'Назад' },
  user: {
    en: 'In the name of (user id)',
    ru: 'От имени (id пользователя)',
    uk: 'Від імені (id користувача)',
  },
})

type Action = { readonly id: string; readonly title: string; readonly confirmText?: string }
type Result = {
  readonly status: 'done' | 'failed'
  readonly message?: ApproveResponse['message']
  readonly httpStatus?: number
}

type MenuProps = {
  readonly catalogId: string
  readonly recordId: string
  readonly mayRun: boolean
  readonly onClose: () => void
}

export function RecordMenu({ catalogId, recordId, mayRun, onClose }: MenuProps) {
  const say = useWords(WORDS)
  const [userId, setUserId] = useState('')
  const [doubted, setDoubted] = useState<Action | undefined>(undefined)
  const [isRunning, setRunning] = useState(false)
  const [result, setResult] = useState<Result | undefined>(undefined)
  const [error, setError] = useState<unknown>(undefined)
  const path = at('/v1/catalogs', catalogId, 'records', recordId, 'actions')
  const loaded = useLoad(
    (signal) => api.get<{ items: readonly Action[] }>(withQuery(path, { userId }), { signal }),
    [path, userId],
  )
  const run = ({ id }: Action) => {
    setDoubted(undefined)
    setRunning(true)
    setResult(undefined)
    setError(undefined)
    const user = userId === '' ? undefined : { id: userId }
    api
      .post<Result>(at(path, id), { user })
      .then(setResult, setError)
      .finally(() => {
        setRunning(false)
        loaded.reload()
      })
  }
  const choose = (action: Action) =>
    action.confirmText === undefined ? run(action) : setDoubted(action)
  return (
    <Dialog title={say('title', { record: recordId })} onClose={onClose}>
      {doubted === undefined ? (
        <>
          <Show loaded={loaded}>
            {({ items }) => (
              <Choices items={items} mayRun={mayRun && !isRunning} onChoose={choose} />
            )}
          </Show>
          {mayRun ? (
            <TextField label={say('user')} value={userId} onInput={setUserId} />
          ) : (
            <p class="note">{say('mayNot')}</p>
          )}
          <div role="status">{isRunning ? say('running') : null}</div>
          {result === undefined ? null : <Outcome result={result} />}
          {error === undefined ? null : <ErrorNote error={error} />}
          <CloseRow onClose={onClose} />
        </>
      ) : (
        <>
          <h3>
            <bdi>{doubted.title}</bdi>
          </h3>
          <p style={WRAP}>
            <bdi>{doubted.confirmText}</bdi>
          </p>
          <div class="row end">
            <Button onClick={() => setDoubted(undefined)}>{say('back')}</Button>
            <Button kind="primary" onClick={() => run(doubted)}>
              {say('run')}
            </Button>
          </div>
        </>
      )}
    </Dialog>
  )
}

type ChoicesProps = {
  readonly items: readonly Action[]
  readonly mayRun: boolean
  readonly onChoose: (action: Action) => void
}

function Choices({ items, mayRun, onChoose }: ChoicesProps) {
  const say = useWords(WORDS)
  if (items.length === 0) {
    return (
      <p>
        {say('none')} <a href={href('actions')}>{say('define')}</a>
      </p>
    )
  }
  return (
    <ul class="stack" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
      {items.map((action) => (
        <li key={action.id}>
          <Button disabled={!mayRun} onClick={() => onChoose(action)}>
            <bdi style={WRAP}>{action.title}</bdi>
          </Button>
        </li>
      ))}
    </ul>
  )
}

function Outcome({ result: { status, message, httpStatus } }: { result: Result }) {
  const say = useWords(WORDS)
  const isDone = status === 'done'
  return (
    <div class={isDone ? 'note good' : 'note bad'} role={isDone ? 'status' : 'alert'}>
      <p>
        {say(isDone ? 'done' : 'failed')}
        {isDone || httpStatus === undefined ? null : ` HTTP ${httpStatus}`}
      </p>
      {message?.title === undefined ? null : (
        <p>
          <strong>
            <bdi>{message.title}</bdi>
          </strong>
        </p>
      )}
      {message === undefined ? null : (
        <p>
          <bdi>{message.text}</bdi>
        </p>
      )}
    </div>
  )
}
