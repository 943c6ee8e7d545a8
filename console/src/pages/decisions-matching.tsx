/** Which subscriptions were concerned, and why the others were not. */
import { useWords, words } from '../language.ts'
import { href } from '../route.ts'
import type { Decision, Subscription } from '../types.ts'
import { Badge, Card } from '../ui/pieces.tsx'
import { type Column, Table } from '../ui/table.tsx'

const WORDS = words({
  title: {
    en: 'Subscriptions considered',
    ru: 'Рассмотренные подписки',
    uk: 'Розглянуті підписки',
  },
  subscription: { en: 'Subscription', ru: 'Подписка', uk: 'Підписка' },
  result: { en: 'Result', ru: 'Итог', uk: 'Підсумок' },
  why: { en: 'Why', ru: 'Почему', uk: 'Чому' },
  matched: { en: 'matched', ru: 'подошла', uk: 'підійшла' },
  not: { en: 'not concerned', ru: 'не подошла', uk: 'не підійшла' },
  fits: {
    en: 'All its filters fit.',
    ru: 'Все её фильтры подходят.',
    uk: 'Усі її фільтри підходять.',
  },
  event: {
    en: 'It does not listen to this event.',
    ru: 'Она не слушает это событие.',
    uk: 'Вона не слухає цю подію.',
  },
  catalog: {
    en: 'It is for another catalog.',
    ru: 'Она для другого каталога.',
    uk: 'Вона для іншого каталогу.',
  },
  inactive: { en: 'It was disabled.', ru: 'Она была выключена.', uk: 'Її було вимкнено.' },
  fields: {
    en: 'None of the fields it watches changed.',
    ru: 'Ни одно из её полей не изменилось.',
    uk: 'Жодне з її полів не змінилося.',
  },
  initiator: {
    en: 'The change was made by somebody it does not watch.',
    ru: 'Изменение сделал тот, за кем она не следит.',
    uk: 'Зміну зробив той, за ким вона не стежить.',
  },
  condition: {
    en: 'Condition {number} did not hold:',
    ru: 'Не выполнено условие {number}:',
    uk: 'Не виконано умову {number}:',
  },
  since: {
    en: '(The subscription was changed since; this is the condition as it is now.)',
    ru: '(С тех пор подписку изменили; условие показано в нынешнем виде.)',
    uk: '(Відтоді підписку змінено; умову показано в теперішньому вигляді.)',
  },
  nobody: {
    en: 'There was no subscription to look at.',
    ru: 'Подписок для рассмотрения не было.',
    uk: 'Підписок для розгляду не було.',
  },
  add: { en: 'Add a subscription', ru: 'Добавить подписку', uk: 'Додати підписку' },
})

type Considered = Decision['considered'][number]
type ConsideredProps = {
  readonly decision: Decision
  readonly subscriptions: readonly Subscription[]
}

export function Considered({ decision, subscriptions }: ConsideredProps) {
  const say = useWords(WORDS)
  const { considered } = decision
  const columns: readonly Column<Considered>[] = [
    {
      title: say('subscription'),
      cell: (row) => (
        <a href={href('subscriptions', row.subscriptionId)}>
          <bdi>{row.name}</bdi>
        </a>
      ),
    },
    {
      title: say('result'),
      cell: ({ mismatch }) =>
        mismatch === null ? (
          <Badge tone="good">{say('matched')}</Badge>
        ) : (
          <Badge>{say('not')}</Badge>
        ),
    },
    {
      title: say('why'),
      cell: (row) => (
        <Reason
          row={row}
          decidedAt={decision.decidedAt}
          subscription={subscriptions.find(({ id }) => id === row.subscriptionId)}
        />
      ),
    },
  ]
  return (
    <Card title={say('title')}>
      {considered.length === 0 ? (
        <p class="soft">
          {say('nobody')} <a href={href('subscriptions', 'new')}>{say('add')}</a>
        </p>
      ) : (
        <Table
          label={say('title')}
          columns={columns}
          rows={considered}
          keyOf={({ subscriptionId }) => subscriptionId}
        />
      )}
    </Card>
  )
}

type ReasonProps = {
  readonly row: Considered
  readonly decidedAt: string
  readonly subscription: Subscription | undefined
}

function Reason({ row: { mismatch }, decidedAt, subscription }: ReasonProps) {
  const say = useWords(WORDS)
  if (mismatch === null) return <>{say('fits')}</>
  if (mismatch.reason !== 'condition') return <>{say(mismatch.reason)}</>
  const index = mismatch.conditionIndex ?? 0
  const condition = subscription?.conditions[index]
  const isChanged = subscription !== undefined && subscription.updatedAt > decidedAt
  return (
    <>
      {say('condition', { number: index + 1 })}{' '}
      {condition === undefined ? null : <code>{conditionText(condition)}</code>}{' '}
      {isChanged ? <span class="soft small">{say('since')}</span> : null}
    </>
  )
}

/** `values.status eq "paid"`. */
function conditionText({ field, source, op, value }: Subscription['conditions'][number]): string {
  const wanted = value === undefined ? '' : ` ${JSON.stringify(value)}`
  return `${source ?? 'values'}.${field} ${op}${wanted}`
}
