/** Words that both the log of decisions and the page of one use. */
import type { z } from 'zod'
import type { decisionDetail } from '../../../src/adapters/http/schemas/log.ts'
import type { FailureCause } from '../../../src/domain/verdict.ts'
import { words } from '../language.ts'
import type { Decision } from '../types.ts'
import type { Tone } from '../ui/pieces.tsx'

export type DecisionDetail = z.output<typeof decisionDetail>
export type DecisionKind = Decision['decision']
export type Verdict = Decision['verdicts'][number]

export const DECISION_KINDS: readonly DecisionKind[] = ['allow', 'deny', 'confirm']

export const DECISION_TONES = {
  allow: 'good',
  deny: 'bad',
  confirm: 'warn',
} as const satisfies Record<DecisionKind, Tone>

export const DECISION_WORDS = words({
  title: { en: 'Decisions', ru: 'Решения', uk: 'Рішення' },
  allow: { en: 'allowed', ru: 'разрешено', uk: 'дозволено' },
  deny: { en: 'denied', ru: 'отклонено', uk: 'відхилено' },
  confirm: { en: 'to confirm', ru: 'подтвердить', uk: 'підтвердити' },
  degraded: { en: 'degraded', ru: 'с оговоркой', uk: 'із застереженням' },
  time: { en: 'Time', ru: 'Время', uk: 'Час' },
  decision: { en: 'Decision', ru: 'Решение', uk: 'Рішення' },
  event: { en: 'Event', ru: 'Событие', uk: 'Подія' },
  catalog: { en: 'Catalog', ru: 'Каталог', uk: 'Каталог' },
  record: { en: 'Record', ru: 'Запись', uk: 'Запис' },
  person: { en: 'Person', ru: 'Кто', uk: 'Хто' },
})

/** Why a validator could not be asked. */
export const CAUSE_WORDS = words<FailureCause>({
  timeout: {
    en: 'no answer in time',
    ru: 'не ответил вовремя',
    uk: 'не відповів вчасно',
  },
  unreachable: { en: 'unreachable', ru: 'недоступен', uk: 'недоступний' },
  tls: { en: 'TLS failed', ru: 'сбой TLS', uk: 'збій TLS' },
  bad_status: {
    en: 'unexpected HTTP status',
    ru: 'неожиданный статус HTTP',
    uk: 'неочікуваний статус HTTP',
  },
  bad_reply: { en: 'unusable reply', ru: 'непонятный ответ', uk: 'незрозуміла відповідь' },
  reply_too_large: {
    en: 'reply too large',
    ru: 'слишком большой ответ',
    uk: 'завелика відповідь',
  },
  redirected: { en: 'redirected', ru: 'ответил переадресацией', uk: 'відповів переспрямуванням' },
  circuit_open: {
    en: 'not called: circuit breaker open',
    ru: 'не вызван: предохранитель разомкнут',
    uk: 'не викликаний: запобіжник розімкнено',
  },
  overloaded: {
    en: 'not called: too many calls at once',
    ru: 'не вызван: слишком много вызовов сразу',
    uk: 'не викликаний: забагато викликів одночасно',
  },
  egress_blocked: {
    en: 'not called: address not permitted',
    ru: 'не вызван: адрес не разрешён',
    uk: 'не викликаний: адресу не дозволено',
  },
  budget_exhausted: {
    en: 'not called: no time left',
    ru: 'не вызван: время вышло',
    uk: 'не викликаний: час вийшов',
  },
})

export function personOf({ user }: Pick<Decision, 'user'>): string {
  const name = user?.['title'] ?? user?.['id']
  return typeof name === 'string' ? name : '–'
}
