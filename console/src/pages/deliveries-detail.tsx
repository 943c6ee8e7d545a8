/** One delivery with each of its attempts. */
import { useState } from 'preact/hooks'
import { api, at } from '../api.ts'
import { useWords, words } from '../language.ts'
import { type Loaded, useLoad, usePoll } from '../load.ts'
import { href } from '../route.ts'
import type { DeliveryDetail, Subscription } from '../types.ts'
import { Badge, Button, Card, duration, ErrorNote, Head, Json, Show, Time } from '../ui/pieces.tsx'
import { toast } from '../ui/toast.tsx'
import { Fact, FactList } from './decisions-facts.tsx'
import { RecordLink } from './deliveries-list.tsx'
import { STATE_TONES, STATE_WORDS } from './deliveries-words.ts'

const WORDS = words({
  title: { en: 'Delivery', ru: 'Доставка', uk: 'Доставка' },
  back: { en: 'All deliveries', ru: 'Все доставки', uk: 'Усі доставки' },
  retry: { en: 'Send again now', ru: 'Отправить сейчас', uk: 'Надіслати зараз' },
  retried: { en: 'It is being sent again.', ru: 'Отправляется снова.', uk: 'Надсилається знову.' },
  facts: { en: 'What is told', ru: 'О чём сообщается', uk: 'Про що повідомляється' },
  event: { en: 'Event', ru: 'Событие', uk: 'Подія' },
  subscription: { en: 'Subscription', ru: 'Подписка', uk: 'Підписка' },
  record: { en: 'Record', ru: 'Запись', uk: 'Запис' },
  number: { en: 'Number', ru: 'Номер', uk: 'Номер' },
  state: { en: 'State', ru: 'Состояние', uk: 'Стан' },
  failures: { en: 'Failures', ru: 'Неудачи', uk: 'Невдачі' },
  due: { en: 'Next try', ru: 'Следующая попытка', uk: 'Наступна спроба' },
  created: { en: 'Planned', ru: 'Поставлена', uk: 'Поставлена' },
  ended: { en: 'Ended', ru: 'Завершена', uk: 'Завершена' },
  id: {
    en: 'Delivery id (webhook-id)',
    ru: 'Id доставки (webhook-id)',
    uk: 'Id доставки (webhook-id)',
  },
  attempts: {
    en: { one: '{count} attempt', other: '{count} attempts' },
    ru: {
      one: '{count} попытка',
      few: '{count} попытки',
      many: '{count} попыток',
      other: '{count} попытки',
    },
    uk: {
      one: '{count} спроба',
      few: '{count} спроби',
      many: '{count} спроб',
      other: '{count} спроби',
    },
  },
  noAttempts: {
    en: 'Nothing has been sent yet.',
    ru: 'Ещё ничего не отправлено.',
    uk: 'Ще нічого не надіслано.',
  },
  attempt: { en: 'Attempt {number}', ru: 'Попытка {number}', uk: 'Спроба {number}' },
  noReply: { en: 'no reply', ru: 'без ответа', uk: 'без відповіді' },
  emptyReply: { en: 'The reply was empty.', ru: 'Ответ пустой.', uk: 'Відповідь порожня.' },
  headers: { en: 'Request headers', ru: 'Заголовки запроса', uk: 'Заголовки запиту' },
  reply: {
    en: 'Reply (its first 4 KiB)',
    ru: 'Ответ (первые 4 КиБ)',
    uk: 'Відповідь (перші 4 КіБ)',
  },
})

const LOOK_EVERY_MS = 2_000

export function DeliveryPage({ id, mayManage }: { id: string; mayManage: boolean }) {
  const say = useWords(WORDS)
  const address = at('/v1/deliveries', id)
  const loaded = useLoad((signal) => api.get<DeliveryDetail>(address, { signal }), [address])
  useReloading(loaded)
  return (
    <>
      <Head title={say('title')}>
        <a href={href('deliveries')}>{say('back')}</a>
        {mayManage ? <Retry id={id} onRetried={loaded.reload} /> : null}
      </Head>
      <Show loaded={loaded}>
        {(delivery) => (
          <>
            <About delivery={delivery} />
            <Attempts delivery={delivery} />
          </>
        )}
      </Show>
    </>
  )
}

/** As long as it is under way. */
function useReloading({ data, isLoading, reload }: Loaded<DeliveryDetail>): void {
  usePoll(LOOK_EVERY_MS, async () => {
    if (data?.endedAt === null && !isLoading) reload()
  })
}

function Retry({ id, onRetried }: { id: string; onRetried: () => void }) {
  const say = useWords(WORDS)
  const [error, setError] = useState<unknown>(undefined)
  const [isBusy, setBusy] = useState(false)
  const retry = () => {
    setBusy(true)
    api
      .post(at('/v1/deliveries', id, 'retry'))
      .then(() => {
        setError(undefined)
        toast(say('retried'))
        onRetried()
      }, setError)
      .finally(() => setBusy(false))
  }
  return (
    <>
      {error === undefined ? null : <ErrorNote error={error} />}
      <Button kind="primary" onClick={retry} disabled={isBusy}>
        {say('retry')}
      </Button>
    </>
  )
}

function About({ delivery }: { delivery: DeliveryDetail }) {
  const say = useWords(WORDS)
  const sayState = useWords(STATE_WORDS)
  const { state, subscriptionId } = delivery
  // One that is no more has only its id.
  const subscription = useLoad(
    (signal) => api.get<Subscription>(at('/v1/subscriptions', subscriptionId), { signal }),
    [subscriptionId],
  )
  return (
    <Card title={say('facts')}>
      <FactList>
        <Fact name={say('state')}>
          <span role="status">
            <Badge tone={STATE_TONES[state]}>{sayState(state)}</Badge>
          </span>
        </Fact>
        <Fact name={say('event')}>{delivery.event}</Fact>
        <Fact name={say('subscription')}>
          <a href={href('subscriptions', subscriptionId)}>
            <bdi>{subscription.data?.name ?? subscriptionId}</bdi>
          </a>
        </Fact>
        <Fact name={say('record')}>
          <RecordLink delivery={delivery} />
        </Fact>
        <Fact name={say('number')}>{delivery.sequenceId}</Fact>
        <Fact name={say('failures')}>{delivery.failures}</Fact>
        <Fact name={say('created')}>
          <Time at={delivery.createdAt} />
        </Fact>
        <Fact name={say('due')}>
          <Time at={delivery.dueAt} />
        </Fact>
        <Fact name={say('ended')}>
          <Time at={delivery.endedAt} />
        </Fact>
        <Fact name={say('id')}>
          <code>{delivery.id}</code>
        </Fact>
      </FactList>
    </Card>
  )
}

function Attempts({ delivery: { attempts } }: { delivery: DeliveryDetail }) {
  const say = useWords(WORDS)
  return (
    <section class="stack">
      <h2>{say('attempts', { count: attempts.length })}</h2>
      {attempts.length === 0 ? <p class="soft">{say('noAttempts')}</p> : null}
      {attempts.map((attempt, index) => (
        <Attempt key={attempt.at} attempt={attempt} number={index + 1} />
      ))}
    </section>
  )
}

type AttemptProps = {
  readonly attempt: DeliveryDetail['attempts'][number]
  readonly number: number
}

function Attempt({ attempt, number }: AttemptProps) {
  const say = useWords(WORDS)
  const { status, error, reply } = attempt
  const isTaken = status !== null && status >= 200 && status < 300
  const headers = Object.entries(attempt.requestHeaders)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')
  return (
    <article class="card">
      <div class="row">
        <h3>{say('attempt', { number })}</h3>
        <Badge tone={isTaken ? 'good' : 'bad'}>
          {status === null ? say('noReply') : `HTTP ${status}`}
        </Badge>
        <Time at={attempt.at} />
        <span class="soft">{duration(attempt.durationMs)}</span>
      </div>
      {error === null ? null : <p class="note bad">{error}</p>}
      <details>
        <summary>{say('headers')}</summary>
        <Json value={headers} label={`${say('headers')} ${number}`} />
      </details>
      {status === null ? null : (
        <details open>
          <summary>{say('reply')}</summary>
          {reply === '' ? (
            <p class="soft">{say('emptyReply')}</p>
          ) : (
            <Json value={reply} label={`${say('reply')} ${number}`} />
          )}
        </details>
      )}
    </article>
  )
}
