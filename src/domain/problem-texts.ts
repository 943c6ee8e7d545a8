/**
 * What a problem says to the person at a form, who neither sent the request nor reads English details. Each
 * code has a text here: the compiler says which one lacks it. `title` and `detail` are for programs.
 */
import { chooseLocale, cleanText, type Locales } from './message.ts'
import type { Problem, ProblemCode } from './problem.ts'
import type { OwnLanguage } from './texts.ts'

type Text = Readonly<Record<OwnLanguage, string>>

/** Only whoever wrote the application can do something about it. */
const OF_THE_APPLICATION = {
  en: 'The application sent a request that cannot be understood. Please tell your administrator.',
  ru: 'Приложение отправило непонятный запрос. Сообщите администратору.',
  uk: 'Застосунок надіслав незрозумілий запит. Повідомте адміністратора.',
} as const

export const PROBLEM_TEXTS = {
  unreadable_request: OF_THE_APPLICATION,
  headers_too_large: OF_THE_APPLICATION,
  invalid_json: OF_THE_APPLICATION,
  json_too_deep: OF_THE_APPLICATION,
  invalid_header: OF_THE_APPLICATION,
  invalid_query: OF_THE_APPLICATION,
  method_not_allowed: OF_THE_APPLICATION,
  unsupported_media_type: OF_THE_APPLICATION,
  idempotency_key_reused: OF_THE_APPLICATION,
  request_timeout: {
    en: 'The request took too long to arrive. Nothing was saved. Please try again.',
    ru: 'Запрос передавался слишком долго. Ничего не сохранено. Попробуйте ещё раз.',
    uk: 'Запит надходив занадто довго. Нічого не збережено. Спробуйте ще раз.',
  },
  client_gone: {
    en: 'The connection was closed before there was an answer. Nothing was saved.',
    ru: 'Соединение закрылось до получения ответа. Ничего не сохранено.',
    uk: 'З’єднання закрилося до отримання відповіді. Нічого не збережено.',
  },
  unauthenticated: {
    en: 'Access could not be confirmed. Please sign in again or tell your administrator.',
    ru: 'Не удалось подтвердить доступ. Войдите ещё раз или сообщите администратору.',
    uk: 'Не вдалося підтвердити доступ. Увійдіть ще раз або повідомте адміністратора.',
  },
  forbidden: {
    en: 'You are not allowed to do this. Please ask your administrator.',
    ru: 'У вас нет прав на это действие. Обратитесь к администратору.',
    uk: 'У вас немає прав на цю дію. Зверніться до адміністратора.',
  },
  approval_token_invalid: {
    en: 'The approval does not belong to this change. Please submit the change again.',
    ru: 'Одобрение не относится к этому изменению. Отправьте изменение ещё раз.',
    uk: 'Схвалення не стосується цієї зміни. Надішліть зміну ще раз.',
  },
  not_found: {
    en: 'This could not be found. It may have been deleted.',
    ru: 'Не найдено. Возможно, запись уже удалена.',
    uk: 'Не знайдено. Можливо, запис уже видалено.',
  },
  record_not_found: {
    en: 'There is no such record. It may have been deleted.',
    ru: 'Такой записи нет. Возможно, её уже удалили.',
    uk: 'Такого запису немає. Можливо, його вже видалили.',
  },
  record_exists: {
    en: 'There is a record with this id already. Nothing was saved.',
    ru: 'Запись с таким идентификатором уже есть. Ничего не сохранено.',
    uk: 'Запис із таким ідентифікатором уже є. Нічого не збережено.',
  },
  already_exists: {
    en: 'This id is taken. Please choose another one.',
    ru: 'Такой идентификатор уже занят. Выберите другой.',
    uk: 'Такий ідентифікатор уже зайнятий. Виберіть інший.',
  },
  version_conflict: {
    en: 'Somebody else has changed this record meanwhile. Please reload it and make your change again.',
    ru: 'Тем временем эту запись изменил кто-то другой. Откройте её заново и внесите изменение ещё раз.',
    uk: 'Тим часом цей запис змінив хтось інший. Відкрийте його заново та внесіть зміну ще раз.',
  },
  configuration_changed: {
    en: 'The settings were changed while your change was being checked. Please try again.',
    ru: 'Пока ваше изменение проверялось, изменились настройки. Повторите попытку.',
    uk: 'Поки вашу зміну перевіряли, змінилися налаштування. Спробуйте ще раз.',
  },
  approval_in_flight: {
    en: 'Another change of this record is being checked right now. Please try again in a moment.',
    ru: 'Сейчас проверяется другое изменение этой записи. Повторите попытку чуть позже.',
    uk: 'Зараз перевіряється інша зміна цього запису. Спробуйте ще раз трохи згодом.',
  },
  approval_aborted: {
    en: 'This change has been called off. Please submit it again.',
    ru: 'Это изменение было отменено. Отправьте его ещё раз.',
    uk: 'Цю зміну було скасовано. Надішліть її ще раз.',
  },
  approval_committed: {
    en: 'This change has been saved already.',
    ru: 'Это изменение уже сохранено.',
    uk: 'Цю зміну вже збережено.',
  },
  approval_expired: {
    en: 'The approval is no longer valid. Please submit the change again.',
    ru: 'Срок действия одобрения истёк. Отправьте изменение ещё раз.',
    uk: 'Термін дії схвалення минув. Надішліть зміну ще раз.',
  },
  digest_mismatch: {
    en: 'This is not the change that was approved. Please submit it again.',
    ru: 'Это не то изменение, которое было одобрено. Отправьте его ещё раз.',
    uk: 'Це не та зміна, яку було схвалено. Надішліть її ще раз.',
  },
  idempotency_in_progress: {
    en: 'This change is being processed already. Please wait a moment.',
    ru: 'Это изменение уже обрабатывается. Подождите немного.',
    uk: 'Ця зміна вже обробляється. Зачекайте трохи.',
  },
  action_not_available: {
    en: 'This action is not available for the record at the moment.',
    ru: 'Сейчас это действие для записи недоступно.',
    uk: 'Зараз ця дія для запису недоступна.',
  },
  app_connected: {
    en: 'Accounts are still connected to this app. Please disconnect them first.',
    ru: 'К этому приложению ещё подключены аккаунты. Сначала отключите их.',
    uk: 'До цього застосунку ще підключено акаунти. Спочатку від’єднайте їх.',
  },
  catalog_not_empty: {
    en: 'There are still records in this catalog. Please delete them first.',
    ru: 'В этом каталоге ещё есть записи. Сначала удалите их.',
    uk: 'У цьому каталозі ще є записи. Спочатку видаліть їх.',
  },
  delivery_in_progress: {
    en: 'This notification is still being delivered. Please wait until that has ended.',
    ru: 'Это уведомление ещё доставляется. Дождитесь окончания доставки.',
    uk: 'Це сповіщення ще доставляється. Дочекайтеся завершення доставки.',
  },
  subscription_of_app: {
    en: 'This subscription came with an app and goes with it. You can switch it off, or disconnect the app.',
    ru: 'Эта подписка появилась вместе с приложением и исчезнет вместе с ним. Её можно выключить, или отключить приложение.',
    uk: 'Ця підписка з’явилася разом із застосунком і зникне разом із ним. Її можна вимкнути, або від’єднати застосунок.',
  },
  subscription_gone: {
    en: 'The subscription of this notification no longer exists.',
    ru: 'Подписки, к которой относится это уведомление, больше нет.',
    uk: 'Підписки, до якої належить це сповіщення, більше немає.',
  },
  events_too_large: {
    en: 'This change has too much to tell at once. Please make it smaller, or tell your administrator.',
    ru: 'Это изменение вызывает слишком много уведомлений сразу. Уменьшите его или сообщите администратору.',
    uk: 'Ця зміна спричиняє забагато сповіщень одразу. Зменште її або повідомте адміністратора.',
  },
  body_too_large: {
    en: 'This is too much to be sent at once. Please make it smaller.',
    ru: 'Слишком большой объём данных. Уменьшите его.',
    uk: 'Завеликий обсяг даних. Зменште його.',
  },
  invalid_request: {
    en: 'Something that was entered does not fit. Please check it.',
    ru: 'Введённые данные не подходят. Проверьте их.',
    uk: 'Введені дані не підходять. Перевірте їх.',
  },
  invalid_values: {
    en: 'Some fields are empty or do not fit. Please check the form.',
    ru: 'Некоторые поля не заполнены или заполнены неверно. Проверьте форму.',
    uk: 'Деякі поля не заповнено або заповнено неправильно. Перевірте форму.',
  },
  too_many_values: {
    en: 'The record has too many values to be saved.',
    ru: 'В записи слишком много значений, сохранить её нельзя.',
    uk: 'У записі забагато значень, зберегти його не можна.',
  },
  limit_reached: {
    en: 'The limit is reached: no more can be added.',
    ru: 'Достигнут предел: больше добавить нельзя.',
    uk: 'Досягнуто межі: більше додати не можна.',
  },
  too_many_subscriptions: {
    en: 'The limit of subscriptions is reached. Please tell your administrator.',
    ru: 'Достигнуто предельное число подписок. Сообщите администратору.',
    uk: 'Досягнуто граничної кількості підписок. Повідомте адміністратора.',
  },
  rate_limited: {
    en: 'There were too many requests. Please try again in a moment.',
    ru: 'Слишком много запросов. Повторите попытку чуть позже.',
    uk: 'Забагато запитів. Спробуйте ще раз трохи згодом.',
  },
  internal: {
    en: 'Something went wrong on our side. Please try again later.',
    ru: 'На нашей стороне произошла ошибка. Повторите попытку позже.',
    uk: 'На нашому боці сталася помилка. Спробуйте пізніше.',
  },
  overloaded: {
    en: 'The system is very busy at the moment. Please try again in a few seconds.',
    ru: 'Система сейчас перегружена. Повторите попытку через несколько секунд.',
    uk: 'Система зараз перевантажена. Спробуйте ще раз за кілька секунд.',
  },
  stopping: {
    en: 'The system is being restarted. Please try again in a moment.',
    ru: 'Система перезапускается. Повторите попытку чуть позже.',
    uk: 'Система перезапускається. Спробуйте ще раз трохи згодом.',
  },
  store_busy: {
    en: 'The database is busy. Please try again in a moment.',
    ru: 'База данных сейчас занята. Повторите попытку чуть позже.',
    uk: 'База даних зараз зайнята. Спробуйте ще раз трохи згодом.',
  },
  store_unavailable: {
    en: 'The database cannot be reached at the moment. Please try again later.',
    ru: 'База данных сейчас недоступна. Повторите попытку позже.',
    uk: 'База даних зараз недоступна. Спробуйте пізніше.',
  },
  outcome_unknown: {
    en: 'It is not known yet whether your change was saved. Please look before you try again.',
    ru: 'Пока неизвестно, сохранено ли ваше изменение. Проверьте это, прежде чем повторять попытку.',
    uk: 'Поки невідомо, чи збережено вашу зміну. Перевірте це, перш ніж пробувати ще раз.',
  },
  approval_loop: {
    en: 'The services that check this change keep calling each other. Please tell your administrator.',
    ru: 'Сервисы, которые проверяют это изменение, вызывают друг друга по кругу. Сообщите администратору.',
    uk: 'Сервіси, які перевіряють цю зміну, викликають один одного по колу. Повідомте адміністратора.',
  },
} as const satisfies Record<ProblemCode, Text>

/** Where a problem knows which field of the form it is about; plural forms are avoided. */
export const FIELD_TEXTS = {
  one: {
    en: 'Please check the field “{field}”: it is empty or does not fit.',
    ru: 'Проверьте поле «{field}»: оно не заполнено или заполнено неверно.',
    uk: 'Перевірте поле «{field}»: його не заповнено або заповнено неправильно.',
  },
  several: {
    en: 'Please check the field “{field}”: it is empty or does not fit. Fields to check in all: {count}.',
    ru: 'Проверьте поле «{field}»: оно не заполнено или заполнено неверно. Всего таких полей: {count}.',
    uk: 'Перевірте поле «{field}»: його не заповнено або заповнено неправильно. Усього таких полів: {count}.',
  },
} as const satisfies Record<'one' | 'several', Text>

const FIELD_TITLE_LENGTH_MAX = 100

/** What to show to the person, and in which language it is. */
export function problemText(
  { code, details: { complaints = [], field } }: Problem,
  locales: Locales,
): { readonly text: string; readonly language: OwnLanguage } {
  const name = cleanText(field ?? '', FIELD_TITLE_LENGTH_MAX)
  const texts = name === '' ? PROBLEM_TEXTS[code] : fieldTexts(complaints.length)
  const language = chooseLocale(LANGUAGES, locales) ?? 'en'
  const text = texts[language]
    .replace('{count}', String(complaints.length))
    .replace('{field}', () => name)
  return { text, language }
}

const LANGUAGES = { en: 'en', ru: 'ru', uk: 'uk' } as const

const fieldTexts = (count: number): Text => (count > 1 ? FIELD_TEXTS.several : FIELD_TEXTS.one)
