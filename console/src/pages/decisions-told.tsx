/** The notifications that a decision caused, and how far each has come. */
import { useWords, words } from '../language.ts'
import { href } from '../route.ts'
import type { Subscription } from '../types.ts'
import { Badge, Card } from '../ui/pieces.tsx'
import { type Column, Table } from '../ui/table.tsx'
import type { DecisionDetail } from './decisions-words.ts'
import { STATE_TONES, STATE_WORDS } from './deliveries-words.ts'

const WORDS = words({
  title: { en: 'Notifications', ru: 'Уведомления', uk: 'Сповіщення' },
  event: { en: 'Event', ru: 'Событие', uk: 'Подія' },
  to: { en: 'Subscription', ru: 'Подписка', uk: 'Підписка' },
  number: { en: 'No.', ru: '№', uk: '№' },
  state: { en: 'Delivery', ru: 'Доставка', uk: 'Доставка' },
  planned: { en: 'being planned', ru: 'планируется', uk: 'планується' },
  nobody: {
    en: 'Nobody was told.',
    ru: 'Никого не уведомляли.',
    uk: 'Нікого не сповіщали.',
  },
})

type Told = DecisionDetail['notifications'][number]
type ToldProps = {
  readonly notifications: readonly Told[]
  readonly subscriptions: readonly Subscription[]
}

export function ToldCard({ notifications, subscriptions }: ToldProps) {
  const say = useWords(WORDS)
  const columns: readonly Column<Told>[] = [
    {
      title: say('event'),
      cell: ({ id, event, state }) =>
        state === null ? event : <a href={href('deliveries', id)}>{event}</a>,
    },
    {
      title: say('to'),
      cell: ({ subscriptionId }) => (
        <bdi>{subscriptions.find(({ id }) => id === subscriptionId)?.name ?? subscriptionId}</bdi>
      ),
    },
    { title: say('number'), kind: 'number', cell: ({ sequenceId }) => sequenceId ?? '–' },
    { title: say('state'), cell: ({ state }) => <State state={state} /> },
  ]
  return (
    <Card title={say('title')}>
      {notifications.length === 0 ? (
        <p class="soft">{say('nobody')}</p>
      ) : (
        <Table label={say('title')} columns={columns} rows={notifications} keyOf={({ id }) => id} />
      )}
    </Card>
  )
}

function State({ state }: Pick<Told, 'state'>) {
  const say = useWords(WORDS)
  const sayState = useWords(STATE_WORDS)
  if (state === null) return <Badge>{say('planned')}</Badge>
  return <Badge tone={STATE_TONES[state]}>{sayState(state)}</Badge>
}
