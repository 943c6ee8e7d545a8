/** What becomes of a change: who has answered so far, what they say, and what can be done about it. */
import { useState } from 'preact/hooks'
import { ApiProblem } from '../api.ts'
import { useWords, words } from '../language.ts'
import { href } from '../route.ts'
import type { ApproveResponse } from '../types.ts'
import { Dialog } from '../ui/dialog.tsx'
import { AreaField } from '../ui/form.tsx'
import { Badge, Button, duration, ErrorNote, type Tone } from '../ui/pieces.tsx'
import type { Asking, Progress, Verdict, Wish } from './records-asking.ts'
import type { Field, Finding } from './records-draft.ts'
import { Said, WRAP } from './records-form.tsx'

const WORDS = words({
  asking: { en: 'Asking…', ru: 'Идёт опрос…', uk: 'Триває опитування…' },
  nobody: { en: 'Nobody has a say in this.', ru: 'Спрашивать некого.', uk: 'Питати нема кого.' },
  answered: { en: 'Who was asked', ru: 'Кого спросили', uk: 'Кого запитали' },
  waiting: { en: 'has not answered yet', ru: 'ещё не ответил', uk: 'ще не відповів' },
  allow: { en: 'agrees', ru: 'согласен', uk: 'згоден' },
  deny: { en: 'refuses', ru: 'против', uk: 'проти' },
  confirm: { en: 'doubts', ru: 'сомневается', uk: 'сумнівається' },
  failed: { en: 'could not be asked', ru: 'спросить не удалось', uk: 'запитати не вдалося' },
  cancelled: { en: 'was not waited for', ru: 'ответа не ждали', uk: 'відповіді не чекали' },
  shadow: { en: 'only watches', ru: 'только наблюдает', uk: 'лише спостерігає' },
  refused: {
    en: 'Refused. Nothing was written.',
    ru: 'Отклонено. Ничего не записано.',
    uk: 'Відхилено. Нічого не записано.',
  },
  doubted: {
    en: 'Not written yet: this has to be confirmed.',
    ru: 'Пока не записано: требуется подтверждение.',
    uk: 'Поки не записано: потрібне підтвердження.',
  },
  saved: {
    en: 'Saved as version {version}.',
    ru: 'Сохранено, версия {version}.',
    uk: 'Збережено, версія {version}.',
  },
  why: { en: 'Explain the decision', ru: 'Пояснить решение', uk: 'Пояснити рішення' },
  confirmTitle: {
    en: 'Do you really want this?',
    ru: 'Вы уверены?',
    uk: 'Ви впевнені?',
  },
  reason: { en: 'Reason', ru: 'Причина', uk: 'Причина' },
  reasonHelp: {
    en: 'Is kept with the decision and shown to everyone who is asked.',
    ru: 'Сохраняется вместе с решением; её увидят все, кого спросят.',
    uk: 'Зберігається разом із рішенням; її побачать усі, кого запитають.',
  },
  yes: { en: 'Confirm', ru: 'Подтвердить', uk: 'Підтвердити' },
  drop: { en: 'Leave it', ru: 'Не сохранять', uk: 'Не зберігати' },
  conflict: {
    en: 'Somebody changed this record meanwhile. Nothing was written, and what you typed is still here.',
    ru: 'Запись тем временем изменил кто-то другой. Ничего не записано, введённое вами сохранено в форме.',
    uk: 'Запис тим часом змінив хтось інший. Нічого не записано, введене вами збережено у формі.',
  },
  look: {
    en: 'Look at the newer version',
    ru: 'Посмотреть новую версию',
    uk: 'Переглянути нову версію',
  },
})

const TONES = {
  allow: 'good',
  deny: 'bad',
  confirm: 'warn',
  failed: 'warn',
  cancelled: 'none',
} as const satisfies Record<string, Tone>

type AnswerProps = {
  readonly asking: Asking
  readonly fields: readonly Field[]
  readonly onConfirm: (wish: Wish) => void
  readonly onDrop: () => void
  readonly onLook: () => void
}

export function Answer({ asking, fields, onConfirm, onDrop, onLook }: AnswerProps) {
  const say = useWords(WORDS)
  switch (asking.kind) {
    case 'idle':
      return null
    case 'asking':
      return (
        <div class="card" role="status">
          <h2>{say('asking')}</h2>
          <WhoAnswered {...asking} />
        </div>
      )
    case 'failed':
      return isConflict(asking.error) ? (
        <div class="note warn stack" role="alert">
          <p>{say('conflict')}</p>
          <div class="row">
            <Button onClick={onLook}>{say('look')}</Button>
          </div>
        </div>
      ) : (
        <Failure {...asking} onConfirm={onConfirm} />
      )
    case 'answered':
      return (
        <>
          <Outcome response={asking.response} fields={fields} />
          {asking.response.decision === 'confirm' ? (
            <ConfirmChange {...asking} fields={fields} onConfirm={onConfirm} onDrop={onDrop} />
          ) : null}
        </>
      )
  }
}

type FailureProps = Pick<AnswerProps, 'onConfirm'> & {
  readonly wish: Wish
  readonly error: unknown
}

/** The same wish again, confirmations included, gets the answer that was lost. What is wrong in it has to be mended. */
function Failure({ wish, error, onConfirm }: FailureProps) {
  const isMeantWell = !(error instanceof ApiProblem) || error.complaints.length === 0
  return isMeantWell ? (
    <ErrorNote error={error} onRetry={() => onConfirm(wish)} />
  ) : (
    <ErrorNote error={error} />
  )
}

function isConflict(error: unknown): boolean {
  return error instanceof ApiProblem && error.code === 'version_conflict'
}

function WhoAnswered({ plan, verdicts }: Progress) {
  const say = useWords(WORDS)
  if (plan === undefined) return null
  if (plan.length === 0) return <p>{say('nobody')}</p>
  return (
    <ul>
      {plan.map(({ subscriptionId, name, mode }) => {
        const verdict = verdicts.find((one) => one.subscriptionId === subscriptionId)
        return (
          <li key={subscriptionId} style={WRAP}>
            <bdi>{name}</bdi> <VerdictBadge verdict={verdict} />{' '}
            {mode === 'shadow' ? <Badge>{say('shadow')}</Badge> : null}
          </li>
        )
      })}
    </ul>
  )
}

function VerdictBadge({ verdict }: { verdict: Verdict | undefined }) {
  const say = useWords(WORDS)
  if (verdict === undefined) return <Badge>{say('waiting')}</Badge>
  const { outcome, applied, mode, durationMs } = verdict
  const isDoubt = outcome === 'allow' && applied === 'none' && mode === 'enforce'
  const key = isDoubt ? 'confirm' : outcome
  return (
    <>
      <Badge tone={TONES[key]}>{say(key)}</Badge> <span class="small">{duration(durationMs)}</span>
    </>
  )
}

/** Everything that was said, in the order of the plan, whichever field it is about. */
function Outcome({ response, fields }: { response: ApproveResponse; fields: readonly Field[] }) {
  const say = useWords(WORDS)
  const { decision, errors, warnings, infos, record, verdicts } = response
  const looks = { allow: 'note good stack', deny: 'note bad stack', confirm: 'note warn stack' }
  const texts = {
    allow: say('saved', { version: record?.version ?? 0 }),
    deny: say('refused'),
    confirm: say('doubted'),
  }
  return (
    <section class={looks[decision]} role={decision === 'allow' ? 'status' : 'alert'} style={WRAP}>
      <h2>{texts[decision]}</h2>
      <Findings findings={[...errors, ...warnings, ...infos]} fields={fields} />
      <details>
        <summary>{say('answered')}</summary>
        <WhoAnswered plan={verdicts} verdicts={verdicts} />
      </details>
      <p>
        <a href={href('decisions', response.id)}>{say('why')}</a>
      </p>
    </section>
  )
}

type FindingsProps = { readonly findings: readonly Finding[]; readonly fields: readonly Field[] }

export function Findings({ findings, fields }: FindingsProps) {
  return (
    <>
      {findings.map((finding, index) => (
        <Said
          // biome-ignore lint: findings have no names of their own
          key={index}
          finding={finding}
          at={fields.find(({ id }) => id === finding.field)?.title ?? finding.field}
        />
      ))}
    </>
  )
}

type ConfirmChangeProps = Pick<AnswerProps, 'fields' | 'onConfirm' | 'onDrop'> & {
  readonly wish: Wish
  readonly response: ApproveResponse
}

/** The tokens go with what was confirmed before: everybody is asked again. */
function ConfirmChange({ wish, response, fields, onConfirm, onDrop }: ConfirmChangeProps) {
  const say = useWords(WORDS)
  const [reason, setReason] = useState('')
  const confirmations = response.confirmations ?? []
  const confirm = () =>
    onConfirm({
      ...wish,
      context: reason.trim() === '' ? wish.context : { ...wish.context, reason: reason.trim() },
      confirm: [...(wish.confirm ?? []), ...confirmations.map(({ token }) => token)],
    })
  return (
    <Dialog title={say('confirmTitle')} onClose={onDrop}>
      <Findings findings={confirmations.map(({ finding }) => finding)} fields={fields} />
      <AreaField
        label={say('reason')}
        help={say('reasonHelp')}
        value={reason}
        onInput={setReason}
      />
      <div class="row end">
        <Button onClick={onDrop}>{say('drop')}</Button>
        <Button kind="primary" onClick={confirm}>
          {say('yes')}
        </Button>
      </div>
    </Dialog>
  )
}
