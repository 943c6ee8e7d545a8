import { chooseLocale, cleanText, type Locales, type Message } from './message.ts'
import type { FailureCause } from './verdict.ts'

/** The languages of the gateway's own texts. */
export type OwnLanguage = 'en' | 'ru' | 'uk'

/**
 * The gateway's own texts for the person who edits, or who pressed a button. `{name}` is the name of the
 * subscription, or the title of the action.
 */
export const TEXTS = {
  denied: {
    en: '{name} refused the change without giving a reason.',
    ru: '{name}: изменение отклонено без указания причины.',
    uk: '{name}: зміну відхилено без зазначення причини.',
  },
  refused: {
    en: '{name}: the action was refused, and no reason was given.',
    ru: '{name}: действие отклонено без указания причины.',
    uk: '{name}: дію відхилено без зазначення причини.',
  },
  confirm: {
    en: '{name} asks you to confirm the change.',
    ru: '{name}: подтвердите изменение.',
    uk: '{name}: підтвердьте зміну.',
  },
  timeout: {
    en: '{name} did not answer in time. Please try again in a moment.',
    ru: '{name}: нет ответа за отведённое время. Повторите попытку чуть позже.',
    uk: '{name}: немає відповіді за відведений час. Спробуйте ще раз трохи згодом.',
  },
  unreachable: {
    en: '{name} cannot be reached at the moment. Please try again later.',
    ru: '{name}: сервис сейчас недоступен. Повторите попытку позже.',
    uk: '{name}: сервіс зараз недоступний. Спробуйте пізніше.',
  },
  tls: {
    en: 'No secure connection to {name} could be made. Please tell your administrator.',
    ru: '{name}: не удалось установить защищённое соединение. Сообщите администратору.',
    uk: '{name}: не вдалося встановити захищене з’єднання. Повідомте адміністратора.',
  },
  bad_status: {
    en: '{name} reported an error of its own. Please try again later.',
    ru: '{name}: сервис сообщил о внутренней ошибке. Повторите попытку позже.',
    uk: '{name}: сервіс повідомив про внутрішню помилку. Спробуйте пізніше.',
  },
  bad_reply: {
    en: '{name} gave an answer that could not be understood. Please tell your administrator.',
    ru: '{name}: получен непонятный ответ. Сообщите администратору.',
    uk: '{name}: отримано незрозумілу відповідь. Повідомте адміністратора.',
  },
  reply_too_large: {
    en: '{name} gave an answer that is too large. Please tell your administrator.',
    ru: '{name}: получен слишком большой ответ. Сообщите администратору.',
    uk: '{name}: отримано завелику відповідь. Повідомте адміністратора.',
  },
  redirected: {
    en: '{name} has moved to another address. Please tell your administrator.',
    ru: '{name}: сервис переехал на другой адрес. Сообщите администратору.',
    uk: '{name}: сервіс переїхав на іншу адресу. Повідомте адміністратора.',
  },
  circuit_open: {
    en: '{name} is having trouble and is not being asked for a moment. Please try again shortly.',
    ru: '{name}: сервис временно не опрашивается из-за сбоев. Повторите попытку чуть позже.',
    uk: '{name}: сервіс тимчасово не опитується через збої. Спробуйте трохи згодом.',
  },
  overloaded: {
    en: '{name} has too many questions to answer at once. Please try again in a moment.',
    ru: '{name}: слишком много одновременных запросов. Повторите попытку чуть позже.',
    uk: '{name}: забагато одночасних запитів. Спробуйте трохи згодом.',
  },
  egress_blocked: {
    en: '{name} has an address that may not be called. Please tell your administrator.',
    ru: '{name}: вызов этого адреса запрещён. Сообщите администратору.',
    uk: '{name}: виклик цієї адреси заборонено. Повідомте адміністратора.',
  },
  budget_exhausted: {
    en: 'There was no time left to ask {name}. Please try again.',
    ru: '{name}: не хватило времени на запрос. Повторите попытку.',
    uk: '{name}: не вистачило часу на запит. Спробуйте ще раз.',
  },
} as const satisfies Record<
  FailureCause | 'denied' | 'refused' | 'confirm',
  Record<OwnLanguage, string>
>

/** A text of our own about one subscription, in the person's language. */
export function ownText(key: keyof typeof TEXTS, name: string, locales: Locales): Message {
  const text = chooseLocale<string>(TEXTS[key], locales) ?? TEXTS[key].en
  return { text: cleanText(text.replace('{name}', () => name)) }
}
