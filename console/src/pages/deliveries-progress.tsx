/** Replays that are under way. */
import { useRef, useState } from 'preact/hooks'
import { api, at } from '../api.ts'
import { useWords, words } from '../language.ts'
import { usePoll } from '../load.ts'
import { Card, ErrorNote, share, Time } from '../ui/pieces.tsx'

const WORDS = words({
  title: { en: 'Being sent again', ru: 'Отправляются повторно', uk: 'Надсилаються повторно' },
  range: {
    en: 'Numbers {from} to {to}: {share}',
    ru: 'Номера с {from} по {to}: {share}',
    uk: 'Номери з {from} до {to}: {share}',
  },
  since: { en: 'since', ru: 'начато', uk: 'розпочато' },
})

type Replay = {
  readonly id: string
  readonly fromSequenceId: number
  readonly toSequenceId: number
  readonly nextSequenceId: number
  readonly requestedAt: string
}

const LOOK_EVERY_MS = 1_000

type ReplaysProps = {
  readonly subscriptionId: string
  readonly onProgress: (() => void) | undefined
}

export function Replays({ subscriptionId, onProgress }: ReplaysProps) {
  const say = useWords(WORDS)
  const [items, setItems] = useState<readonly Replay[]>([])
  const [error, setError] = useState<unknown>(undefined)
  const known = useRef('[]')
  usePoll(LOOK_EVERY_MS, (signal) =>
    api
      .get<{ items: readonly Replay[] }>(at('/v1/subscriptions', subscriptionId, 'replays'), {
        signal,
      })
      .then(
        (answer) => {
          const seen = JSON.stringify(answer.items)
          if (seen !== known.current) onProgress?.()
          known.current = seen
          setItems(answer.items)
          setError(undefined)
        },
        (failure: unknown) => {
          if (!signal.aborted) setError(failure)
        },
      ),
  )
  if (error !== undefined) return <ErrorNote error={error} />
  if (items.length === 0) return null
  return (
    <Card title={say('title')}>
      {items.map((one) => (
        <Progress key={one.id} replay={one} />
      ))}
    </Card>
  )
}

function Progress({ replay }: { replay: Replay }) {
  const say = useWords(WORDS)
  const { fromSequenceId, toSequenceId, nextSequenceId } = replay
  const whole = toSequenceId - fromSequenceId + 1
  const done = Math.min(whole, Math.max(0, nextSequenceId - fromSequenceId))
  const text = say('range', {
    from: fromSequenceId,
    to: toSequenceId,
    share: share(done, whole),
  })
  return (
    <div class="stack">
      <span>
        {text}{' '}
        <span class="soft small">
          ({say('since')} <Time at={replay.requestedAt} />)
        </span>
      </span>
      <progress class="progress" value={done} max={whole} aria-label={text} />
    </div>
  )
}
