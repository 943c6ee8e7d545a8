/** What a subscription said in the last day; of one in shadow, what it would have said. */
import { useState } from 'preact/hooks'
import type { z } from 'zod'
import type { activityView } from '../../../src/adapters/http/schemas/activity.ts'
import { api, withQuery } from '../api.ts'
import { useWords, words } from '../language.ts'
import { usePoll } from '../load.ts'
import type { Subscription } from '../types.ts'

export type Day = z.output<typeof activityView>

const WORDS = words({
  shadow: {
    en: 'would have denied {denied} of {count}',
    ru: 'отклонила бы {denied} из {count}',
    uk: 'відхилила б {denied} з {count}',
  },
  enforce: {
    en: 'denied {denied} of {count}',
    ru: 'отклонила {denied} из {count}',
    uk: 'відхилила {denied} з {count}',
  },
  failed: {
    en: 'no usable answer: {count}',
    ru: 'без ответа: {count}',
    uk: 'без відповіді: {count}',
  },
})

const MINUTES = 1_440
const POLL_MS = 60_000

export function useDay(): Day | undefined {
  const [day, setDay] = useState<Day>()
  usePoll(POLL_MS, async (signal) => {
    const read = await api.get<Day>(withQuery('/v1/activity', { minutes: MINUTES }), { signal })
    if (!signal.aborted) setDay(read)
  })
  return day
}

export function DayText({ of, day }: { of: Subscription; day: Day | undefined }) {
  const say = useWords(WORDS)
  const own = day?.validators.find(({ subscriptionId }) => subscriptionId === of.id)
  if (own === undefined) return <span class="soft">–</span>
  const { asked, denied, failed } = own
  return (
    <>
      <div>{say(of.mode, { denied, count: asked })}</div>
      {failed === 0 ? null : <div class="small">{say('failed', { count: failed })}</div>}
    </>
  )
}
