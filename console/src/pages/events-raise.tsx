/** Raising an event by hand, as a program would. */
import { useState } from 'preact/hooks'
import { api } from '../api.ts'
import { useWords, words } from '../language.ts'
import { JsonField, TextField, wrongAt } from '../ui/form.tsx'
import { Button, Card, ErrorNote } from '../ui/pieces.tsx'
import { Lacks } from '../ui/settings.tsx'

const WORDS = words({
  title: { en: 'Raise one', ru: 'Сообщить о событии', uk: 'Повідомити про подію' },
  help: {
    en: 'As a program would with POST /v1/events: everybody who subscribes to it is told.',
    ru: 'Как это делает программа запросом POST /v1/events: уведомления получат все подписчики.',
    uk: 'Як це робить програма запитом POST /v1/events: сповіщення отримають усі підписники.',
  },
  data: { en: 'Data (JSON)', ru: 'Данные (JSON)', uk: 'Дані (JSON)' },
  dataHelp: {
    en: 'An object; what happened.',
    ru: 'Объект: что произошло.',
    uk: 'Об’єкт: що сталося.',
  },
  catalog: { en: 'About catalog', ru: 'О каталоге', uk: 'Про каталог' },
  record: { en: 'About record', ru: 'О записи', uk: 'Про запис' },
  user: { en: 'User id', ru: 'Пользователь', uk: 'Користувач' },
  optional: { en: 'It may stay empty.', ru: 'Можно не заполнять.', uk: 'Можна не заповнювати.' },
  raise: { en: 'Raise', ru: 'Сообщить', uk: 'Повідомити' },
  done: {
    en: 'Raised as {id}. Subscribers are being told.',
    ru: 'Событие {id} принято. Подписчики получают уведомления.',
    uk: 'Подію {id} прийнято. Підписники отримують сповіщення.',
  },
})

export function Raise({ name, mayRaise }: { name: string; mayRaise: boolean }) {
  const say = useWords(WORDS)
  const [data, setData] = useState<unknown>({})
  const [about, setAbout] = useState({ catalogId: '', recordId: '', user: '' })
  const [error, setError] = useState<unknown>(undefined)
  const [raised, setRaised] = useState<string | undefined>(undefined)
  const raise = (event: SubmitEvent) => {
    event.preventDefault()
    setError(undefined)
    setRaised(undefined)
    const { catalogId, recordId, user } = about
    const body = {
      type: name,
      data: data ?? null,
      ...(catalogId === '' ? {} : { catalogId }),
      ...(recordId === '' ? {} : { recordId }),
      ...(user === '' ? {} : { user: { id: user } }),
    }
    api.post<{ id: string }>('/v1/events', body).then(({ id }) => setRaised(id), setError)
  }
  const text = (member: keyof typeof about, label: string) => (
    <TextField
      label={label}
      help={say('optional')}
      wrong={wrongAt(error, `/${member}`)}
      value={about[member]}
      onInput={(value) => setAbout({ ...about, [member]: value })}
    />
  )
  return (
    <Card title={say('title')}>
      <p class="soft">{say('help')}</p>
      {mayRaise ? (
        <form class="stack" onSubmit={raise}>
          {error === undefined ? null : <ErrorNote error={error} />}
          <JsonField
            label={say('data')}
            help={say('dataHelp')}
            wrong={wrongAt(error, '/data')}
            value={data}
            onInput={setData}
          />
          <div class="columns">
            {text('catalogId', say('catalog'))}
            {text('recordId', say('record'))}
            {text('user', say('user'))}
          </div>
          <div class="row">
            <Button type="submit">{say('raise')}</Button>
          </div>
          <p role="status">{raised === undefined ? '' : say('done', { id: raised })}</p>
        </form>
      ) : (
        <Lacks scope="approve" />
      )}
    </Card>
  )
}
