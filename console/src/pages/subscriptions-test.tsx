/** Sends a sample, and shows what went out beside what came back, and what that would mean. */
import { useState } from 'preact/hooks'
import { BUILT_IN_EVENTS, isChangeEvent } from '../../../src/domain/change.ts'
import { api, at } from '../api.ts'
import { useWords, words } from '../language.ts'
import type { Subscription } from '../types.ts'
import { type CatalogField, useFields } from '../ui/condition-value.tsx'
import { JsonField, SelectField, TextField, wrongAt } from '../ui/form.tsx'
import { sampleValues } from '../ui/parameters.tsx'
import { Badge, Button, Card, duration, ErrorNote, Json, type Tone } from '../ui/pieces.tsx'
import { CAUSE_WORDS } from './decisions-words.ts'
import { type Trial, useEventText, useEventTypes } from './subscriptions-common.tsx'

const WORDS = words({
  title: { en: 'Send a test', ru: 'Пробный запрос', uk: 'Пробний запит' },
  text: {
    en: 'Sends this sample now and writes nothing. Validators are told that it is a dry run.',
    ru: 'Пример отправляется сразу и ничего не записывает. Проверке сообщается, что это проба.',
    uk: 'Зразок надсилається одразу й нічого не записує. Перевірці повідомляється, що це проба.',
  },
  event: { en: 'Event', ru: 'Событие', uk: 'Подія' },
  recordId: { en: 'Record id', ru: 'Идентификатор записи', uk: 'Ідентифікатор запису' },
  user: { en: 'User id', ru: 'Идентификатор пользователя', uk: 'Ідентифікатор користувача' },
  madeUp: { en: 'Empty: made up.', ru: 'Пусто — придумать.', uk: 'Порожньо — вигадати.' },
  values: { en: 'Values (JSON)', ru: 'Значения (JSON)', uk: 'Значення (JSON)' },
  prevValues: { en: 'Values before (JSON)', ru: 'Значения до (JSON)', uk: 'Значення до (JSON)' },
  send: { en: 'Send', ru: 'Отправить', uk: 'Надіслати' },
  verdict: { en: 'Verdict', ru: 'Вердикт', uk: 'Вердикт' },
  allow: { en: 'allowed', ru: 'разрешено', uk: 'дозволено' },
  deny: { en: 'denied', ru: 'отклонено', uk: 'відхилено' },
  confirm: { en: 'to be confirmed', ru: 'нужно подтверждение', uk: 'потрібне підтвердження' },
  failed: {
    en: 'no usable answer: {cause}; by the failure policy',
    ru: 'ответа нет: {cause}; по политике сбоев',
    uk: 'відповіді немає: {cause}; за політикою збоїв',
  },
  took: { en: 'in {time}', ru: 'за {time}', uk: 'за {time}' },
  delivered: { en: 'delivered', ru: 'доставлено', uk: 'доставлено' },
  undelivered: {
    en: 'not delivered: {cause}',
    ru: 'не доставлено: {cause}',
    uk: 'не доставлено: {cause}',
  },
  findings: { en: 'What it says', ru: 'Что говорит', uk: 'Що каже' },
  suggested: { en: 'Values that it sets', ru: 'Какие значения ставит', uk: 'Які значення ставить' },
  request: { en: 'Request', ru: 'Запрос', uk: 'Запит' },
  reply: { en: 'Reply', ru: 'Ответ', uk: 'Відповідь' },
  headers: { en: 'Headers', ru: 'Заголовки', uk: 'Заголовки' },
  noBody: { en: 'without a body', ru: 'без тела', uk: 'без тіла' },
  noReply: { en: 'There was none.', ru: 'Его не было.', uk: 'Її не було.' },
})

type Sample = {
  readonly event: string
  readonly recordId: string
  readonly userId: string
  readonly values: unknown
  readonly prevValues: unknown
}

/** Made anew when the fields of its catalog are known, since the sample is made of them. */
export function TestCard({ of }: { of: Subscription }) {
  const fields = useFields(of.catalogId)
  return <Test key={fields.map(({ id }) => id).join()} of={of} fields={fields} />
}

function Test({ of, fields }: { of: Subscription; fields: readonly CatalogField[] }) {
  const say = useWords(WORDS)
  const [sample, setSample] = useState<Sample>(() => firstSample(of, fields))
  const [result, setResult] = useState<{ readonly trial: Trial; readonly event: string }>()
  const [error, setError] = useState<unknown>(undefined)
  const [isBusy, setBusy] = useState(false)
  const send = (event: SubmitEvent) => {
    event.preventDefault()
    const wrong = notJson(event.currentTarget)
    if (wrong !== undefined) return wrong.focus()
    setBusy(true)
    setError(undefined)
    api
      .post<Trial>(at('/v1/subscriptions', of.id, 'test'), bodyOf(sample))
      .then((trial) => setResult({ trial, event: sample.event }), setError)
      .finally(() => setBusy(false))
  }
  return (
    <Card title={say('title')}>
      <p class="soft small">{say('text')}</p>
      {error === undefined ? null : <ErrorNote error={error} />}
      <form class="stack" noValidate onSubmit={send}>
        <SampleFields of={of} value={sample} onChange={setSample} error={error} />
        <div class="row">
          <Button type="submit" kind="primary" disabled={isBusy}>
            {say('send')}
          </Button>
        </div>
      </form>
      <div role="status" class="stack">
        {result === undefined ? null : <Outcome {...result} />}
      </div>
      {result === undefined ? null : <Exchange of={result.trial} />}
    </Card>
  )
}

/** What cannot be read would be left out, and something else be sent in its place. */
function notJson(form: EventTarget | null): HTMLTextAreaElement | undefined {
  if (!(form instanceof HTMLFormElement)) return undefined
  return [...form.querySelectorAll('textarea')].find(
    ({ value }) => value.trim() !== '' && typeof readable(value) === 'string',
  )
}

function firstSample(
  { events, fields: watched }: Subscription,
  fields: readonly CatalogField[],
): Sample {
  const [first = 'record.before.created'] = events
  const event = events.find(isChangeEvent) ?? first
  const made = Object.fromEntries(watched.map((name) => [name, 'sample']))
  const values = fields.length === 0 && watched.length > 0 ? made : sampleValues(fields)
  return { event, recordId: '', userId: '', values, prevValues: {} }
}

function bodyOf({ event, recordId, userId, values, prevValues }: Sample) {
  return {
    event,
    ...(recordId === '' ? {} : { recordId }),
    ...(userId === '' ? {} : { user: { id: userId } }),
    ...(values === undefined ? {} : { values }),
    ...(prevValues === undefined || !hasBefore(event) ? {} : { prevValues }),
  }
}

const hasBefore = (event: string): boolean => /updat|deleted/.test(event)

type FieldsProps = {
  readonly of: Subscription
  readonly value: Sample
  readonly onChange: (value: Sample) => void
  readonly error: unknown
}

function SampleFields({ of, value, onChange, error }: FieldsProps) {
  const say = useWords(WORDS)
  const types = useEventTypes()
  const textOf = useEventText(types)
  // Its own come first.
  const names = new Set([...of.events, ...BUILT_IN_EVENTS, ...types.map(({ name }) => name)])
  return (
    <>
      <div class="columns">
        <SelectField
          label={say('event')}
          value={value.event}
          choices={[...names].map((name) => ({ value: name, label: textOf(name) }))}
          onChange={(event) => onChange({ ...value, event })}
          wrong={wrongAt(error, '/event')}
        />
        <TextField
          label={say('recordId')}
          help={say('madeUp')}
          value={value.recordId}
          onInput={(recordId) => onChange({ ...value, recordId })}
          wrong={wrongAt(error, '/recordId')}
        />
        <TextField
          label={say('user')}
          help={say('madeUp')}
          value={value.userId}
          onInput={(userId) => onChange({ ...value, userId })}
          wrong={wrongAt(error, '/user/id')}
        />
      </div>
      <div class="columns">
        <JsonField
          label={say('values')}
          value={value.values}
          onInput={(values) => onChange({ ...value, values })}
          wrong={wrongAt(error, '/values')}
        />
        {hasBefore(value.event) ? (
          <JsonField
            label={say('prevValues')}
            value={value.prevValues}
            onInput={(prevValues) => onChange({ ...value, prevValues })}
            wrong={wrongAt(error, '/prevValues')}
          />
        ) : null}
      </div>
    </>
  )
}

const TONES = { allow: 'good', deny: 'bad', confirm: 'warn' } as const satisfies Record<
  Trial['decision'],
  Tone
>

/** Who is told has no say: for them there is only whether it arrived. */
function Outcome({ trial, event }: { trial: Trial; event: string }) {
  const say = useWords(WORDS)
  const sayCause = useWords(CAUSE_WORDS)
  const { verdict, decision } = trial
  const cause = verdict.cause === undefined ? '' : sayCause(verdict.cause)
  const isFailed = verdict.outcome === 'failed'
  const isTold = !isChangeEvent(event)
  return (
    <>
      <div class="row">
        <strong>{say('verdict')}</strong>
        {isTold ? (
          <Badge tone={isFailed || decision !== 'allow' ? 'bad' : 'good'}>
            {isFailed || decision !== 'allow' ? say('undelivered', { cause }) : say('delivered')}
          </Badge>
        ) : (
          <Badge tone={TONES[decision]}>{say(decision)}</Badge>
        )}
        <span>{say('took', { time: duration(trial.durationMs) })}</span>
      </div>
      {isFailed && !isTold ? <p>{say('failed', { cause })}</p> : null}
      {trial.detail === null ? null : (
        <p class="soft small">
          <bdi>{trial.detail}</bdi>
        </p>
      )}
      {isTold ? null : <Findings of={trial} />}
    </>
  )
}

function Findings({ of: { findings, values } }: { of: Trial }) {
  const say = useWords(WORDS)
  return (
    <>
      {findings.length === 0 ? null : (
        <div>
          <h3>{say('findings')}</h3>
          <ul>
            {findings.map(({ message, field, code, severity }, index) => (
              // biome-ignore lint: two may say the same
              <li key={index}>
                {field === undefined ? null : <code>{field}</code>}{' '}
                {message.title === undefined ? null : (
                  <strong>
                    <bdi>{message.title}</bdi>
                  </strong>
                )}{' '}
                <bdi>{message.text}</bdi>{' '}
                <span class="soft small">
                  {severity}
                  {code === undefined ? '' : ` · ${code}`}
                </span>
              </li>
            ))}
          </ul>
        </div>
      )}
      {Object.keys(values).length === 0 ? null : (
        <div>
          <h3>{say('suggested')}</h3>
          <Json value={values} label={say('suggested')} />
        </div>
      )}
    </>
  )
}

function Exchange({ of: { request, reply } }: { of: Trial }) {
  const say = useWords(WORDS)
  return (
    <div class="columns">
      <section class="stack">
        <h3>{say('request')}</h3>
        <code style={{ overflowWrap: 'anywhere' }}>
          {request.method} {request.url}
        </code>
        <HeaderList of={request.headers} />
        {request.body === null ? (
          <p class="soft">{say('noBody')}</p>
        ) : (
          <Json value={readable(request.body)} label={say('request')} />
        )}
      </section>
      <section class="stack">
        <h3>{say('reply')}</h3>
        {reply === null ? (
          <p class="soft">{say('noReply')}</p>
        ) : (
          <>
            <code>HTTP {reply.status}</code>
            <HeaderList of={reply.headers} />
            <Json value={readable(reply.body)} label={say('reply')} />
          </>
        )}
      </section>
    </div>
  )
}

function HeaderList({ of }: { of: Readonly<Record<string, string>> }) {
  const say = useWords(WORDS)
  const text = Object.entries(of)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')
  return (
    <details>
      <summary>{say('headers')}</summary>
      <Json value={text} label={say('headers')} />
    </details>
  )
}

/** JSON in lines, and anything else as it came. */
function readable(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}
