/** What the pages of subscriptions have in common: types, events in words, and how a subscription is doing. */
import type { z } from 'zod'
import type { eventTypeView } from '../../../src/adapters/http/schemas/event.ts'
import type {
  healthResponse,
  trialResponse,
} from '../../../src/adapters/http/schemas/subscription.ts'
import { BUILT_IN_EVENTS, type BuiltInEvent } from '../../../src/domain/change.ts'
import { type Language, useLanguage, useWords, words } from '../language.ts'
import type { Subscription, Who } from '../types.ts'
import { Badge, type Tone } from '../ui/pieces.tsx'
import { may, useAll } from '../ui/settings.tsx'

export type Health = z.output<typeof healthResponse>
export type Trial = z.output<typeof trialResponse>
export type EventType = z.output<typeof eventTypeView>

export const mayManage = (who: Who): boolean => may(who, 'manage')

const EVENT_WORDS = words<BuiltInEvent>({
  'record.before.created': {
    en: 'before a record is created',
    ru: 'перед созданием записи',
    uk: 'перед створенням запису',
  },
  'record.before.updated': {
    en: 'before a record is updated',
    ru: 'перед изменением записи',
    uk: 'перед зміною запису',
  },
  'record.before.deleted': {
    en: 'before a record is deleted',
    ru: 'перед удалением записи',
    uk: 'перед видаленням запису',
  },
  'record.updating': {
    en: 'while a form is filled in',
    ru: 'во время заполнения формы',
    uk: 'під час заповнення форми',
  },
  'record.created': {
    en: 'a record was created',
    ru: 'запись создана',
    uk: 'запис створено',
  },
  'record.updated': { en: 'a record was updated', ru: 'запись изменена', uk: 'запис змінено' },
  'record.deleted': { en: 'a record was deleted', ru: 'запись удалена', uk: 'запис видалено' },
  'subscription.failing': {
    en: 'a subscription keeps failing',
    ru: 'подписка даёт сбои',
    uk: 'підписка дає збої',
  },
  'subscription.disabled': {
    en: 'a subscription was disabled',
    ru: 'подписка отключена',
    uk: 'підписку вимкнено',
  },
  application: {
    en: 'an app was connected or disconnected',
    ru: 'приложение подключено или отключено',
    uk: 'застосунок під’єднано або від’єднано',
  },
  'approval.degraded': {
    en: 'a change was allowed unasked, by a failure policy',
    ru: 'изменение разрешено без ответа проверки',
    uk: 'зміну дозволено без відповіді перевірки',
  },
})

/** A built-in event in words, one of the account by its title, and any other by its name. */
export function useEventText(types: readonly EventType[]): (name: string) => string {
  const say = useWords(EVENT_WORDS)
  const own = useLanguage()
  return (name) => {
    const builtIn = BUILT_IN_EVENTS.find((one) => one === name)
    if (builtIn !== undefined) return say(builtIn)
    const type = types.find((one) => one.name === name)
    return type === undefined ? name : titleIn(type, own)
  }
}

const titleIn = ({ title }: EventType, own: Language): string => title[own] ?? title.en

export function useEventTypes(): readonly EventType[] {
  const { data = [] } = useAll<EventType>('/v1/event-types')
  return data
}

const WORDS = words({
  enforce: { en: 'enforced', ru: 'действует', uk: 'діє' },
  shadow: { en: 'shadow', ru: 'в тени', uk: 'у тіні' },
  gone: {
    en: 'disabled: the receiver said that it is gone',
    ru: 'отключена: получатель сообщил, что его больше нет',
    uk: 'вимкнено: отримувач повідомив, що його більше немає',
  },
  failing: {
    en: 'disabled: nothing could be delivered for too long',
    ru: 'отключена: слишком долго ничего не удавалось доставить',
    uk: 'вимкнено: надто довго нічого не вдавалося доставити',
  },
  manual: { en: 'disabled by hand', ru: 'отключена вручную', uk: 'вимкнено вручну' },
  ofApp: {
    en: 'It came with an app, whose settings these are. It can only be switched on and off.',
    ru: 'Она создана приложением, и это его настройки. Её можно только включать и отключать.',
    uk: 'Її створив застосунок, і це його налаштування. Її можна лише вмикати й вимикати.',
  },
  closed: { en: 'closed', ru: 'замкнут', uk: 'замкнений' },
  open: { en: 'open', ru: 'разомкнут', uk: 'розімкнений' },
  halfOpen: { en: 'half-open', ru: 'на пробе', uk: 'на пробі' },
})

export function ModeBadge({ mode }: Pick<Subscription, 'mode'>) {
  const say = useWords(WORDS)
  return <Badge tone={mode === 'shadow' ? 'warn' : 'none'}>{say(mode)}</Badge>
}

/** Only for what does not work: being active is the usual state. */
export function DisabledNote({ of }: { of: Subscription }) {
  const say = useWords(WORDS)
  if (of.active) return null
  const reason = of.disabledReason ?? 'manual'
  return (
    <span style={{ color: `var(--${reason === 'manual' ? 'soft' : 'bad'})` }}>{say(reason)}</span>
  )
}

export function OfApp() {
  return <p class="note">{useWords(WORDS)('ofApp')}</p>
}

const BREAKER_TONES = {
  closed: 'good',
  open: 'bad',
  halfOpen: 'warn',
} as const satisfies Record<Health['breaker'], Tone>

export function BreakerBadge({ state }: { state: Health['breaker'] }) {
  const say = useWords(WORDS)
  return <Badge tone={BREAKER_TONES[state]}>{say(state)}</Badge>
}

export function callsOf({ counts }: Health): number {
  return Object.values(counts).reduce((sum, one) => sum + one, 0)
}
