/** Who was asked and answered what: a bar for each validator, and the same in words beside it. */
import { useWords, words } from '../language.ts'
import { href } from '../route.ts'
import type { Decision, Subscription } from '../types.ts'
import { Badge, Card, duration, type Tone } from '../ui/pieces.tsx'
import { Findings } from './decisions-seen.tsx'
import { CAUSE_WORDS, type Verdict } from './decisions-words.ts'

const WORDS = words({
  title: { en: 'Verdicts', ru: 'Вердикты', uk: 'Вердикти' },
  scale: {
    en: 'Decided after {time}. A bar runs from the call to the reply; a line marks the deadline where it came that far.',
    ru: 'Решено за {time}. Полоса идёт от вызова до ответа; черта — крайний срок, если до него дошло.',
    uk: 'Вирішено за {time}. Смуга йде від виклику до відповіді; риска — крайній термін, якщо до нього дійшло.',
  },
  allow: { en: 'allows', ru: 'разрешает', uk: 'дозволяє' },
  deny: { en: 'denies', ru: 'отказывает', uk: 'відмовляє' },
  failed: { en: 'could not be asked', ru: 'не удалось спросить', uk: 'не вдалося запитати' },
  cancelled: { en: 'no longer needed', ru: 'уже не понадобился', uk: 'уже не знадобився' },
  shadow: { en: 'shadow', ru: 'в тени', uk: 'у тіні' },
  span: { en: 'from {start} to {end}', ru: 'с {start} по {end}', uk: 'з {start} до {end}' },
  within: { en: 'deadline {time}', ru: 'крайний срок {time}', uk: 'крайній термін {time}' },
  took: { en: 'took {time}', ru: 'заняло {time}', uk: 'тривало {time}' },
  policyDeny: {
    en: 'The failure policy denied.',
    ru: 'Правило на случай сбоя: отклонить.',
    uk: 'Правило на випадок збою: відхилити.',
  },
  policyAllow: {
    en: 'The failure policy allowed.',
    ru: 'Правило на случай сбоя: пропустить.',
    uk: 'Правило на випадок збою: пропустити.',
  },
  notCounted: {
    en: 'It did not count.',
    ru: 'На решение не повлияло.',
    uk: 'На рішення не вплинуло.',
  },
  nobody: {
    en: 'No validator was asked.',
    ru: 'Ни одна проверяющая система не опрошена.',
    uk: 'Жодної системи перевірки не опитано.',
  },
})

const TONES = {
  allow: 'good',
  deny: 'bad',
  failed: 'warn',
  cancelled: 'none',
} as const satisfies Record<Verdict['outcome'], Tone>

/** Beyond the last reply, so that a deadline just behind it is seen. */
const SCALE = 1.05

type TimelineProps = {
  readonly decision: Decision
  readonly subscriptions: readonly Subscription[]
}

export function Timeline({ decision, subscriptions }: TimelineProps) {
  const say = useWords(WORDS)
  const { verdicts, timeline, timing } = decision
  const lastMs = Math.max(timing.decidedMs, ...timeline.map(({ endedMs }) => endedMs), 0.01)
  return (
    <Card title={say('title')}>
      {verdicts.length === 0 ? (
        <p class="soft">{say('nobody')}</p>
      ) : (
        <p class="soft small">{say('scale', { time: duration(timing.decidedMs) })}</p>
      )}
      <ul class="stack" style={{ listStyle: 'none', margin: 0, padding: 0, gap: '1.25rem' }}>
        {verdicts.map((verdict) => (
          <Line
            key={verdict.subscriptionId}
            verdict={verdict}
            decision={decision}
            endMs={lastMs * SCALE}
            timeoutMs={
              subscriptions.find(({ id }) => id === verdict.subscriptionId)?.timeoutMs ?? null
            }
          />
        ))}
      </ul>
    </Card>
  )
}

type LineProps = {
  readonly verdict: Verdict
  readonly decision: Decision
  readonly endMs: number
  readonly timeoutMs: number | null
}

function Line({ verdict, decision, endMs, timeoutMs }: LineProps) {
  const say = useWords(WORDS)
  const { subscriptionId, name, mode, outcome } = verdict
  const call = decision.timeline.find((one) => one.subscriptionId === subscriptionId)
  const said = [...decision.errors, ...decision.warnings, ...decision.infos].filter(
    (one) => one.subscriptionId === subscriptionId,
  )
  return (
    <li class="stack" style={{ gap: '0.35rem' }}>
      <div class="row">
        <a href={href('subscriptions', subscriptionId)}>
          <bdi>{name}</bdi>
        </a>
        <Badge tone={TONES[outcome]}>{say(outcome)}</Badge>
        {mode === 'shadow' ? <Badge>{say('shadow')}</Badge> : null}
      </div>
      {call === undefined ? null : (
        <Bar
          startMs={call.startedMs}
          stopMs={call.endedMs}
          endMs={endMs}
          deadlineMs={Math.min(
            call.startedMs + (timeoutMs ?? Number.POSITIVE_INFINITY),
            decision.timing.timeoutMs ?? Number.POSITIVE_INFINITY,
          )}
          tone={TONES[outcome]}
        />
      )}
      <Circumstances verdict={verdict} call={call} timeoutMs={timeoutMs} />
      {call?.detail === undefined ? null : <code>{call.detail}</code>}
      <Findings findings={said} />
    </li>
  )
}

type Call = Decision['timeline'][number]

function Circumstances({
  verdict,
  call,
  timeoutMs,
}: {
  verdict: Verdict
  call: Call | undefined
  timeoutMs: number | null
}) {
  const say = useWords(WORDS)
  const sayCause = useWords(CAUSE_WORDS)
  const { status, durationMs, cause } = verdict
  const parts = [
    call === undefined
      ? say('took', { time: duration(durationMs) })
      : say('span', { start: duration(call.startedMs), end: duration(call.endedMs) }),
    ...(timeoutMs === null ? [] : [say('within', { time: duration(timeoutMs) })]),
    ...(status === undefined ? [] : [`HTTP ${status}`]),
    ...(cause === undefined ? [] : [sayCause(cause)]),
  ]
  const policy = policyOf(verdict)
  return (
    <span class="small">
      {parts.join(' · ')}
      {policy === null ? null : <strong> {say(policy)}</strong>}
    </span>
  )
}

function policyOf({ outcome, applied, mode }: Verdict) {
  if (mode === 'shadow') return 'notCounted'
  if (outcome !== 'failed') return null
  return applied === 'allow' ? 'policyAllow' : 'policyDeny'
}

type BarProps = {
  readonly startMs: number
  readonly stopMs: number
  readonly endMs: number
  readonly deadlineMs: number
  readonly tone: Tone
}

/** Said in words beside it, so nobody has to hear of it twice. */
function Bar({ startMs, stopMs, endMs, deadlineMs, tone }: BarProps) {
  const percent = (ms: number) => `${Math.min(100, (100 * ms) / endMs).toFixed(2)}%`
  const place = { left: percent(startMs), width: percent(stopMs - startMs) }
  const look = tone === 'none' ? { ...place, background: 'var(--strong-line)' } : place
  return (
    <div class="bar" aria-hidden="true">
      <span class={tone} style={look} />
      {deadlineMs > endMs ? null : (
        <span style={{ left: percent(deadlineMs), width: '2px', background: 'var(--text)' }} />
      )}
    </div>
  )
}
