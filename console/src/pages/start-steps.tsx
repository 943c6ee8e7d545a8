/** The steps that do something. */
import { useState } from 'preact/hooks'
import { ApiProblem, all, api, at } from '../api.ts'
import { language, useWords, words } from '../language.ts'
import { useLoad } from '../load.ts'
import { href } from '../route.ts'
import type { ApproveResponse, Catalog } from '../types.ts'
import { NumberField, SelectField, TextField, wrongAt } from '../ui/form.tsx'
import { Badge, Button, CopyBox, ErrorNote, Show } from '../ui/pieces.tsx'
import { Findings } from './records-answer.tsx'
import { pointerTo } from './records-draft.ts'
import { recordHref } from './records-lib.ts'
import { type Facts, OURS } from './start-facts.ts'
import { type Looks, VALIDATOR_FILE, VALIDATOR_URL, validatorText } from './start-validator.ts'

const WORDS = words({
  catalogText: {
    en: 'A catalog gives records their fields; a preset brings the catalogs and events of a whole field of work.',
    ru: 'Каталог задаёт поля записей; заготовка приносит каталоги и события целой области работы.',
    uk: 'Каталог задає поля записів; заготовка додає каталоги й події цілої галузі роботи.',
  },
  make: {
    en: 'Make a catalog of orders',
    ru: 'Создать каталог заказов',
    uk: 'Створити каталог замовлень',
  },
  load: { en: 'Load “{title}”', ru: 'Загрузить «{title}»', uk: 'Завантажити «{title}»' },
  orders: { en: 'Orders', ru: 'Заказы', uk: 'Замовлення' },
  name: { en: 'Title', ru: 'Название', uk: 'Назва' },
  total: { en: 'Total', ru: 'Сумма', uk: 'Сума' },
  with: {
    en: 'Catalog of the next steps',
    ru: 'Каталог для следующих шагов',
    uk: 'Каталог для наступних кроків',
  },
  code: {
    en: 'A validator is any HTTP server. This one refuses an empty “{title}” and a “{total}” over 1000. Save it as {file}:',
    ru: 'Проверяющая система — это любой HTTP-сервер. Эта не пропускает пустое «{title}» и «{total}» больше 1000. Сохраните её как {file}:',
    uk: 'Система перевірки — це будь-який HTTP-сервер. Ця не пропускає порожнє «{title}» і «{total}» понад 1000. Збережіть її як {file}:',
  },
  codeOne: {
    en: 'A validator is any HTTP server. This one refuses an empty “{title}”. Save it as {file}:',
    ru: 'Проверяющая система — это любой HTTP-сервер. Эта не пропускает пустое «{title}». Сохраните её как {file}:',
    uk: 'Система перевірки — це будь-який HTTP-сервер. Ця не пропускає порожнє «{title}». Збережіть її як {file}:',
  },
  codeLabel: { en: 'The validator', ru: 'Проверяющая система', uk: 'Система перевірки' },
  run: {
    en: 'Start it on the machine of the gateway:',
    ru: 'Запустите его на той же машине, что и шлюз:',
    uk: 'Запустіть його на тій самій машині, що й шлюз:',
  },
  runLabel: { en: 'Command', ru: 'Команда', uk: 'Команда' },
  subscribe: {
    en: 'Subscribe it and send a test',
    ru: 'Создать подписку и отправить проверку',
    uk: 'Створити підписку й надіслати перевірку',
  },
  test: { en: 'Send a test', ru: 'Отправить проверку', uk: 'Надіслати перевірку' },
  subscribed: { en: 'Subscribed:', ru: 'Подписка:', uk: 'Підписка:' },
  answers: {
    en: 'It answers. Of an order without a name it says:',
    ru: 'Проверяющая система отвечает. О заказе без названия она говорит:',
    uk: 'Система перевірки відповідає. Про замовлення без назви вона каже:',
  },
  silent: {
    en: 'It could not be asked. Is it running on this machine? Start it, then send another test.',
    ru: 'Спросить его не удалось. Он запущен на этой машине? Запустите его и отправьте проверку ещё раз.',
    uk: 'Запитати його не вдалося. Чи запущено його на цій машині? Запустіть його й надішліть перевірку ще раз.',
  },
  subscriptionName: { en: 'Order check', ru: 'Проверка заказов', uk: 'Перевірка замовлень' },
  tryText: {
    en: 'Leave the name empty or take a number over 1000, and it is refused. Otherwise it is written.',
    ru: 'Оставьте название пустым или возьмите число больше 1000 — изменение будет отклонено. Иначе запись будет создана.',
    uk: 'Залиште назву порожньою або візьміть число понад 1000 — зміну буде відхилено. Інакше запис буде створено.',
  },
  create: { en: 'Create the record', ru: 'Создать запись', uk: 'Створити запис' },
  refused: { en: 'Refused', ru: 'Отклонено', uk: 'Відхилено' },
  created: { en: 'Written', ru: 'Записано', uk: 'Записано' },
  open: { en: 'Open the record', ru: 'Открыть запись', uk: 'Відкрити запис' },
})

type StepProps = { readonly look: () => Promise<void> }

/** Does something, then looks how far that has brought us. */
function useDoing(look: () => Promise<void>) {
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(undefined)
  const run = (work: () => Promise<unknown>) => {
    setBusy(true)
    setError(undefined)
    void work()
      .catch(setError)
      .then(look)
      .finally(() => setBusy(false))
  }
  return { isBusy, error, run }
}

type Preset = {
  readonly name: string
  readonly title: { readonly en: string; readonly ru?: string; readonly uk?: string }
}

export function CatalogStep({
  facts,
  mayManage,
  look,
}: StepProps & { facts: Facts; mayManage: boolean }) {
  const say = useWords(WORDS)
  const { isBusy, error, run } = useDoing(look)
  const presets = useLoad((signal) => all<Preset>('/v1/presets', signal), [])
  const fields: Catalog['fields'] = [
    { id: 'title', title: say('name'), type: 'text' },
    { id: 'total', title: say('total'), type: 'number' },
  ]
  const make = () => api.post('/v1/catalogs', { id: OURS, title: say('orders'), fields })
  const hasOurs = facts.catalogs.some(({ id }) => id === OURS)
  return (
    <>
      <p>{say('catalogText')}</p>
      {error === undefined ? null : <ErrorNote error={error} />}
      <div class="row">
        <Button kind="primary" disabled={!mayManage || isBusy || hasOurs} onClick={() => run(make)}>
          {say('make')}
        </Button>
        <Show loaded={presets}>
          {(items) =>
            items.map(({ name, title }) => (
              <Button
                key={name}
                disabled={!mayManage || isBusy}
                onClick={() => run(() => api.post(at('/v1/presets', name)))}
              >
                {say('load', { title: title[language()] ?? title.en })}
              </Button>
            ))
          }
        </Show>
      </div>
    </>
  )
}

type Trial = {
  readonly verdict: ApproveResponse['verdicts'][number]
  readonly findings: ApproveResponse['errors']
  readonly detail: string | null
}

type ValidatorProps = StepProps & {
  readonly facts: Facts
  readonly catalog: Catalog
  readonly looks: Looks
  readonly mayManage: boolean
  readonly onChoose: (catalogId: string) => void
}

export function ValidatorStep(props: ValidatorProps) {
  const { facts, catalog, looks, mayManage, look, onChoose } = props
  const say = useWords(WORDS)
  const { isBusy, error, run } = useDoing(look)
  const [trial, setTrial] = useState<Trial | undefined>(undefined)
  const { subscription } = facts
  const subscribe = async () => {
    const { id } = subscription ?? (await register(catalog, say('subscriptionName')))
    const sample = { values: { [looks.title]: '' } }
    setTrial(await api.post<Trial>(at('/v1/subscriptions', id, 'test'), sample))
  }
  return (
    <>
      {facts.catalogs.length < 2 ? null : (
        <SelectField
          label={say('with')}
          value={catalog.id}
          choices={facts.catalogs.map(({ id, title }) => ({ value: id, label: title }))}
          onChange={onChoose}
        />
      )}
      <p>
        {say(looks.total === undefined ? 'codeOne' : 'code', {
          ...titlesOf(catalog, looks),
          file: VALIDATOR_FILE,
        })}
      </p>
      <CopyBox text={validatorText(looks)} label={say('codeLabel')} />
      <p>{say('run')}</p>
      <CopyBox text={`node ${VALIDATOR_FILE}`} label={say('runLabel')} />
      {error === undefined ? null : <ErrorNote error={error} />}
      <div class="row">
        <Button kind="primary" disabled={!mayManage || isBusy} onClick={() => run(subscribe)}>
          {say(subscription === undefined ? 'subscribe' : 'test')}
        </Button>
        {subscription === undefined ? null : (
          <span>
            {say('subscribed')}{' '}
            <a href={href('subscriptions', subscription.id)}>
              <bdi>{subscription.name}</bdi>
            </a>
          </span>
        )}
      </div>
      <div role="status">
        {trial === undefined ? null : <Tested trial={trial} catalog={catalog} />}
      </div>
    </>
  )
}

function register(catalog: Catalog, name: string): Promise<{ id: string }> {
  return api.post('/v1/subscriptions', {
    name,
    catalogId: catalog.id,
    events: ['record.before.created', 'record.before.updated'],
    url: VALIDATOR_URL,
  })
}

function titlesOf({ fields }: Catalog, { title, total }: Looks) {
  const titleOf = (id: string) => fields.find((field) => field.id === id)?.title ?? id
  return { title: titleOf(title), total: total === undefined ? '' : titleOf(total) }
}

function Tested({ trial, catalog }: { trial: Trial; catalog: Catalog }) {
  const say = useWords(WORDS)
  const { verdict, findings, detail } = trial
  const hasFailed = verdict.outcome === 'failed'
  return (
    <div class={hasFailed ? 'note warn' : 'note good'}>
      <p>{say(hasFailed ? 'silent' : 'answers')}</p>
      <Findings findings={findings} fields={catalog.fields} />
      {detail === null ? null : <p class="small">{detail}</p>}
    </div>
  )
}

type TryProps = StepProps & {
  readonly catalog: Catalog
  readonly looks: Looks
  readonly mayTry: boolean
}

export function TryStep({ catalog, looks, mayTry, look }: TryProps) {
  const say = useWords(WORDS)
  const { isBusy, error, run } = useDoing(look)
  const [name, setName] = useState('')
  const [total, setTotal] = useState<number | null>(5_000)
  const [answer, setAnswer] = useState<ApproveResponse | undefined>(undefined)
  const titles = titlesOf(catalog, looks)
  const create = async () => {
    setAnswer(undefined)
    const number = looks.total === undefined || total === null ? {} : { [looks.total]: total }
    setAnswer(await createRecord(catalog.id, { [looks.title]: name, ...number }))
  }
  return (
    <form
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        run(create)
      }}
    >
      <p>{say('tryText')}</p>
      <div class="columns">
        <TextField
          label={titles.title}
          value={name}
          onInput={setName}
          wrong={wrongAt(error, pointerTo(looks.title))}
        />
        {looks.total === undefined ? null : (
          <NumberField
            label={titles.total}
            value={total}
            onInput={setTotal}
            wrong={wrongAt(error, pointerTo(looks.total))}
          />
        )}
      </div>
      {error === undefined ? null : <ErrorNote error={error} />}
      <div class="row">
        <Button kind="primary" type="submit" disabled={!mayTry || isBusy}>
          {say('create')}
        </Button>
      </div>
      <div role="status">
        {answer === undefined ? null : <Answered answer={answer} catalog={catalog} />}
      </div>
    </form>
  )
}

/** A refusal comes with the status 422 and is an answer all the same. */
async function createRecord(
  catalogId: string,
  values: Readonly<Record<string, unknown>>,
): Promise<ApproveResponse> {
  const path = at('/v1/catalogs', catalogId, 'records')
  const answer = await api.post<ApproveResponse & { code?: string; detail?: string }>(
    path,
    { values },
    { takes: [422] },
  )
  if ('decision' in answer) return answer
  throw new ApiProblem(422, answer, null)
}

function Answered({ answer, catalog }: { answer: ApproveResponse; catalog: Catalog }) {
  const say = useWords(WORDS)
  const { decision, record, errors, warnings, infos } = answer
  const isDone = decision === 'allow'
  return (
    <div class={isDone ? 'note good stack' : 'note bad stack'}>
      <p>
        <Badge tone={isDone ? 'good' : 'bad'}>{say(isDone ? 'created' : 'refused')}</Badge>{' '}
        {record === undefined ? null : (
          <a href={recordHref(catalog.id, record.id)}>{say('open')}</a>
        )}
      </p>
      <Findings findings={[...errors, ...warnings, ...infos]} fields={catalog.fields} />
    </div>
  )
}
