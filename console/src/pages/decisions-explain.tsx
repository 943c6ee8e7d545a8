/** One decision: what was to change, who was asked, who said what when, and what came of it. */
import { all, api, at } from '../api.ts'
import { useWords, words } from '../language.ts'
import { type Loaded, useLoad, usePoll } from '../load.ts'
import { href } from '../route.ts'
import type { Decision, Subscription } from '../types.ts'
import { Badge, Button, Card, Head, Json, Show, Time } from '../ui/pieces.tsx'
import { ChangeCard } from './decisions-change.tsx'
import { Facts } from './decisions-facts.tsx'
import { Considered } from './decisions-matching.tsx'
import { Seen } from './decisions-seen.tsx'
import { Timeline } from './decisions-timeline.tsx'
import { ToldCard } from './decisions-told.tsx'
import { DECISION_TONES, DECISION_WORDS, type DecisionDetail, personOf } from './decisions-words.ts'
import { recordHref } from './records-lib.ts'

const WORDS = words({
  back: { en: 'All decisions', ru: 'Все решения', uk: 'Усі рішення' },
  refresh: { en: 'Refresh', ru: 'Обновить', uk: 'Оновити' },
  json: { en: 'Everything as JSON', ru: 'Всё в виде JSON', uk: 'Усе у вигляді JSON' },
  'record.before.created': {
    en: 'A record was to be created',
    ru: 'Создание записи',
    uk: 'Створення запису',
  },
  'record.before.updated': {
    en: 'A record was to be changed',
    ru: 'Изменение записи',
    uk: 'Змінення запису',
  },
  'record.before.deleted': {
    en: 'A record was to be deleted',
    ru: 'Удаление записи',
    uk: 'Видалення запису',
  },
  'record.updating': {
    en: 'A record was being edited',
    ru: 'Редактирование записи',
    uk: 'Редагування запису',
  },
  deniedBy: { en: 'Refused by', ru: 'Отказал', uk: 'Відмовив' },
  failedBy: {
    en: 'Refused by policy: this validator could not be asked:',
    ru: 'Отклонено по правилу, поскольку не удалось спросить проверяющую систему:',
    uk: 'Відхилено за правилом, бо не вдалося запитати систему перевірки:',
  },
  confirmBy: {
    en: 'A confirmation is wanted by',
    ru: 'Подтверждения просит',
    uk: 'Підтвердження просить',
  },
  degradedBy: {
    en: 'Let through by policy although this validator could not be asked:',
    ru: 'Пропущено по правилу, хотя не удалось спросить проверяющую систему:',
    uk: 'Пропущено за правилом, хоча не вдалося запитати систему перевірки:',
  },
  nobody: {
    en: 'Nobody had to be asked.',
    ru: 'Спрашивать было некого.',
    uk: 'Питати не було кого.',
  },
  agreed: {
    en: {
      one: '{count} validator had nothing against it.',
      other: '{count} validators had nothing against it.',
    },
    ru: {
      one: 'Возражений нет: ответила {count} проверяющая система.',
      few: 'Возражений нет: ответили {count} проверяющие системы.',
      many: 'Возражений нет: ответили {count} проверяющих систем.',
      other: 'Возражений нет: ответили {count} проверяющей системы.',
    },
    uk: {
      one: 'Заперечень немає: відповіла {count} система перевірки.',
      few: 'Заперечень немає: відповіли {count} системи перевірки.',
      many: 'Заперечень немає: відповіли {count} систем перевірки.',
      other: 'Заперечень немає: відповіли {count} системи перевірки.',
    },
  },
})

const LOOK_EVERY_MS = 2_000

export function Explain({ id }: { id: string }) {
  const say = useWords(WORDS)
  const sayShared = useWords(DECISION_WORDS)
  const decision = useLoad(
    (signal) => api.get<DecisionDetail>(at('/v1/decisions', id), { signal }),
    [id],
  )
  const subscriptions = useLoad((signal) => all<Subscription>('/v1/subscriptions', signal), [])
  useReloading(decision)
  return (
    <>
      <Head title={sayShared('decision')}>
        <a href={href('decisions')}>{say('back')}</a>
        <Button onClick={decision.reload}>{say('refresh')}</Button>
      </Head>
      <Show loaded={decision}>
        {(found) => (
          <>
            <Headline decision={found} />
            <ChangeCard decision={found} />
            <Timeline decision={found} subscriptions={subscriptions.data ?? []} />
            <Seen decision={found} />
            <Considered decision={found} subscriptions={subscriptions.data ?? []} />
            <ToldCard
              notifications={found.notifications}
              subscriptions={subscriptions.data ?? []}
            />
            <Facts decision={found} />
            <Card>
              <details>
                <summary>{say('json')}</summary>
                <Json value={found} label={say('json')} />
              </details>
            </Card>
          </>
        )}
      </Show>
    </>
  )
}

const ENDED = new Set(['delivered', 'dead', 'cancelled', 'held'])

/** As long as somebody is still to be told. */
function useReloading({ data, isLoading, reload }: Loaded<DecisionDetail>): void {
  const isTelling = data?.notifications.some(({ state }) => state === null || !ENDED.has(state))
  usePoll(LOOK_EVERY_MS, async () => {
    if (isTelling && !isLoading) reload()
  })
}

const EVENTS = [
  'record.before.created',
  'record.before.updated',
  'record.before.deleted',
  'record.updating',
] as const

function Headline({ decision }: { decision: Decision }) {
  const say = useWords(WORDS)
  const sayShared = useWords(DECISION_WORDS)
  const { event, catalogId, recordId, degraded } = decision
  const known = EVENTS.find((one) => one === event)
  const place = recordId === null ? href('records', catalogId) : recordHref(catalogId, recordId)
  return (
    <section class="card">
      <div class="row">
        <Badge tone={DECISION_TONES[decision.decision]}>{sayShared(decision.decision)}</Badge>
        {degraded ? <Badge tone="warn">{sayShared('degraded')}</Badge> : null}
        <Time at={decision.decidedAt} />
        <span>
          {sayShared('person')}: <bdi>{personOf(decision)}</bdi>
        </span>
      </div>
      <h2>
        {known === undefined ? event : say(known)}
        {': '}
        <a href={place}>
          <bdi>{recordId === null ? catalogId : `${catalogId} / ${recordId}`}</bdi>
        </a>
      </h2>
      <Why decision={decision} />
    </section>
  )
}

/** In one sentence. */
function Why({ decision }: { decision: Decision }) {
  const say = useWords(WORDS)
  const { errors, warnings, verdicts, degraded } = decision
  const passedBy = verdicts.filter(
    ({ outcome, applied }) => outcome === 'failed' && applied === 'allow',
  )
  const [first] =
    decision.decision === 'deny'
      ? errors
      : warnings.filter(({ severity }) => severity === 'confirm')
  if (decision.decision !== 'allow' && first !== undefined) {
    const key = decision.decision === 'confirm' ? 'confirmBy' : 'deniedBy'
    const { name, message, cause } = first
    return (
      <p>
        {say(cause === 'denied' ? key : 'failedBy')}{' '}
        <strong>
          <bdi>{name}</bdi>
        </strong>
        : <bdi>{message.text}</bdi>
      </p>
    )
  }
  if (degraded) {
    const names = passedBy.map(({ name }) => name).join(', ')
    return (
      <p>
        {say('degradedBy')}{' '}
        <strong>
          <bdi>{names}</bdi>
        </strong>
      </p>
    )
  }
  const count = verdicts.filter(({ applied }) => applied === 'allow').length
  return <p>{verdicts.length === 0 ? say('nobody') : say('agreed', { count })}</p>
}
