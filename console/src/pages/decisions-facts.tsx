/** How a decision was committed, and what it is found by. */
import type { ComponentChildren } from 'preact'
import { useWords, words } from '../language.ts'
import type { Decision } from '../types.ts'
import { Card, duration, Json, Time } from '../ui/pieces.tsx'

const WORDS = words({
  title: { en: 'Circumstances', ru: 'Обстоятельства', uk: 'Обставини' },
  versions: { en: 'Version of the record', ru: 'Версия записи', uk: 'Версія запису' },
  commit: { en: 'Commit', ru: 'Фиксация', uk: 'Фіксація' },
  gateway: { en: 'by the gateway', ru: 'делает шлюз', uk: 'робить шлюз' },
  caller: { en: 'by the caller', ru: 'делает вызывающий', uk: 'робить той, хто викликає' },
  none: {
    en: 'none: only tried or being edited',
    ru: 'нет: проба или правка',
    uk: 'немає: проба або правка',
  },
  written: { en: 'written', ru: 'записано', uk: 'записано' },
  notWritten: { en: 'not written', ru: 'не записано', uk: 'не записано' },
  pending: {
    en: 'the caller has not committed yet',
    ru: 'вызывающий ещё не зафиксировал',
    uk: 'той, хто викликає, ще не зафіксував',
  },
  committed: { en: 'committed', ru: 'зафиксировано', uk: 'зафіксовано' },
  aborted: { en: 'aborted', ru: 'отменено', uk: 'скасовано' },
  conflicts: {
    en: 'Conflicting suggestions',
    ru: 'Расхождения в предложениях',
    uk: 'Розбіжності в пропозиціях',
  },
  instead: {
    en: '{field}: taken from {chosen}, not from {others}',
    ru: '{field}: взято у {chosen}, а не у {others}',
    uk: '{field}: узято в {chosen}, а не в {others}',
  },
  decided: { en: 'Decided after', ru: 'Решено за', uk: 'Вирішено за' },
  validators: {
    en: 'of which validators {time}',
    ru: 'из них проверяющие системы {time}',
    uk: 'з них системи перевірки {time}',
  },
  budget: { en: 'of at most {time}', ru: 'из отведённых {time}', uk: 'з відведених {time}' },
  at: { en: 'Decided at', ru: 'Время решения', uk: 'Час рішення' },
  generation: { en: 'Configuration', ru: 'Конфигурация', uk: 'Конфігурація' },
  id: { en: 'Decision id', ru: 'Id решения', uk: 'Id рішення' },
  requestId: { en: 'Request id', ru: 'Id запроса', uk: 'Id запиту' },
  context: { en: 'Context', ru: 'Контекст', uk: 'Контекст' },
})

export function Facts({ decision }: { decision: Decision }) {
  const say = useWords(WORDS)
  const { versionBefore, versionAfter, timing, context, conflicts } = decision
  return (
    <Card title={say('title')}>
      <FactList>
        <Fact name={say('versions')}>
          {versionBefore ?? '–'} → {versionAfter ?? '–'}
        </Fact>
        <Fact name={say('commit')}>
          <Commit decision={decision} />
        </Fact>
        <Fact name={say('decided')}>
          {duration(timing.decidedMs)}
          {timing.timeoutMs === undefined
            ? null
            : ` ${say('budget', { time: duration(timing.timeoutMs) })}`}
          , {say('validators', { time: duration(timing.validatorsMs) })}
        </Fact>
        <Fact name={say('at')}>
          <Time at={decision.decidedAt} />
        </Fact>
        {conflicts.length === 0 ? null : (
          <Fact name={say('conflicts')}>
            <Conflicts decision={decision} />
          </Fact>
        )}
        {context === null ? null : (
          <Fact name={say('context')}>
            <Json value={context} label={say('context')} />
          </Fact>
        )}
        <Fact name={say('generation')}>{decision.generation}</Fact>
        <Fact name={say('id')}>
          <code>{decision.id}</code>
        </Fact>
        <Fact name={say('requestId')}>
          <code>{decision.requestId}</code>
        </Fact>
      </FactList>
    </Card>
  )
}

function Commit({ decision: { commit, committed, state } }: { decision: Decision }) {
  const say = useWords(WORDS)
  const outcome = state === null ? say(committed ? 'written' : 'notWritten') : say(state)
  return (
    <>
      {say(commit)}; {outcome}
    </>
  )
}

function Conflicts({ decision: { conflicts, verdicts } }: { decision: Decision }) {
  const say = useWords(WORDS)
  const nameOf = (id: string) => verdicts.find((one) => one.subscriptionId === id)?.name ?? id
  return (
    <>
      {conflicts.map(({ field, chosen, others }) => (
        <div key={field}>
          {say('instead', {
            field,
            chosen: nameOf(chosen),
            others: others.map(nameOf).join(', '),
          })}
        </div>
      ))}
    </>
  )
}

export function FactList({ children }: { children: ComponentChildren }) {
  return (
    <dl class="columns" style={{ margin: 0 }}>
      {children}
    </dl>
  )
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div style={{ minWidth: 0, overflowWrap: 'anywhere' }}>
      <dt class="soft small">{name}</dt>
      <dd style={{ margin: 0 }}>{children}</dd>
    </div>
  )
}
