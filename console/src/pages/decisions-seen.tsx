/** What the person at the form was shown, every text as text. */
import { useWords, words } from '../language.ts'
import type { Decision } from '../types.ts'
import { Badge, Card, type Tone } from '../ui/pieces.tsx'

const WORDS = words({
  title: { en: 'What the editor saw', ru: 'Что увидел редактор', uk: 'Що побачив редактор' },
  error: { en: 'error', ru: 'ошибка', uk: 'помилка' },
  warning: { en: 'warning', ru: 'предупреждение', uk: 'попередження' },
  confirm: { en: 'to confirm', ru: 'подтвердить', uk: 'підтвердити' },
  info: { en: 'note', ru: 'сведения', uk: 'відомості' },
  field: { en: 'field', ru: 'поле', uk: 'поле' },
  code: { en: 'code', ru: 'код', uk: 'код' },
  nothing: {
    en: 'The editor was shown no message.',
    ru: 'Редактору не показали никаких сообщений.',
    uk: 'Редакторові не показали жодних повідомлень.',
  },
})

type Finding = Decision['errors'][number]

const TONES = {
  error: 'bad',
  warning: 'warn',
  confirm: 'warn',
  info: 'none',
} as const satisfies Record<Finding['severity'], Tone>

export function Seen({ decision }: { decision: Decision }) {
  const say = useWords(WORDS)
  const { message, errors, warnings, infos } = decision
  const findings = [...errors, ...warnings, ...infos]
  return (
    <Card title={say('title')}>
      {message === null ? null : (
        <div class={decision.decision === 'allow' ? 'note' : 'note bad'}>
          {message.title === undefined ? null : (
            <p>
              <strong>
                <bdi>{message.title}</bdi>
              </strong>
            </p>
          )}
          <p>
            <bdi>{message.text}</bdi>
          </p>
        </div>
      )}
      {message === null && findings.length === 0 ? <p class="soft">{say('nothing')}</p> : null}
      <Findings findings={findings} isNamed />
    </Card>
  )
}

/** `isNamed`: with who said it. */
export function Findings({
  findings,
  isNamed = false,
}: {
  findings: readonly Finding[]
  isNamed?: boolean
}) {
  const say = useWords(WORDS)
  if (findings.length === 0) return null
  return (
    <ul style={{ margin: 0, paddingLeft: '1.2rem' }}>
      {findings.map((finding, index) => (
        // biome-ignore lint: findings have no names of their own
        <li key={index} style={{ overflowWrap: 'anywhere' }}>
          <Badge tone={TONES[finding.severity]}>{say(finding.severity)}</Badge>{' '}
          {finding.message.title === undefined ? null : (
            <>
              <strong>
                <bdi>{finding.message.title}</bdi>
              </strong>{' '}
            </>
          )}
          <bdi>{finding.message.text}</bdi>{' '}
          {finding.field === undefined ? null : (
            <span class="soft small">
              {say('field')} <code>{finding.field}</code>{' '}
            </span>
          )}
          {finding.code === undefined ? null : (
            <span class="soft small">
              {say('code')} <code>{finding.code}</code>{' '}
            </span>
          )}
          {isNamed ? (
            <span class="soft small">
              – <bdi>{finding.name}</bdi>
            </span>
          ) : null}
        </li>
      ))}
    </ul>
  )
}
