/** What the audit tells of, in words. */
import type { AuditAction } from '../../../src/domain/audit.ts'
import { words } from '../language.ts'

export const ACTIONS = words<AuditAction>({
  'account.created': { en: 'Account created', ru: 'Аккаунт создан', uk: 'Акаунт створено' },
  'account.updated': { en: 'Account changed', ru: 'Аккаунт изменён', uk: 'Акаунт змінено' },
  'key.created': { en: 'Key created', ru: 'Ключ создан', uk: 'Ключ створено' },
  'key.removed': { en: 'Key deleted', ru: 'Ключ удалён', uk: 'Ключ видалено' },
  'catalog.created': { en: 'Catalog created', ru: 'Каталог создан', uk: 'Каталог створено' },
  'catalog.updated': { en: 'Catalog changed', ru: 'Каталог изменён', uk: 'Каталог змінено' },
  'catalog.removed': { en: 'Catalog deleted', ru: 'Каталог удалён', uk: 'Каталог видалено' },
  'subscription.created': {
    en: 'Subscription created',
    ru: 'Подписка создана',
    uk: 'Підписку створено',
  },
  'subscription.updated': {
    en: 'Subscription changed',
    ru: 'Подписка изменена',
    uk: 'Підписку змінено',
  },
  'subscription.disabled': {
    en: 'Subscription disabled',
    ru: 'Подписка отключена',
    uk: 'Підписку вимкнено',
  },
  'subscription.removed': {
    en: 'Subscription deleted',
    ru: 'Подписка удалена',
    uk: 'Підписку видалено',
  },
  'eventType.created': {
    en: 'Event type created',
    ru: 'Тип событий создан',
    uk: 'Тип подій створено',
  },
  'eventType.updated': {
    en: 'Event type changed',
    ru: 'Тип событий изменён',
    uk: 'Тип подій змінено',
  },
  'eventType.removed': {
    en: 'Event type deleted',
    ru: 'Тип событий удалён',
    uk: 'Тип подій видалено',
  },
  'action.created': { en: 'Action created', ru: 'Действие создано', uk: 'Дію створено' },
  'action.updated': { en: 'Action changed', ru: 'Действие изменено', uk: 'Дію змінено' },
  'action.removed': { en: 'Action deleted', ru: 'Действие удалено', uk: 'Дію видалено' },
  'app.created': { en: 'App created', ru: 'Приложение создано', uk: 'Застосунок створено' },
  'app.removed': { en: 'App withdrawn', ru: 'Приложение отозвано', uk: 'Застосунок відкликано' },
  'installation.created': {
    en: 'App connected',
    ru: 'Приложение подключено',
    uk: 'Застосунок під’єднано',
  },
  'installation.removed': {
    en: 'App disconnected',
    ru: 'Приложение отключено',
    uk: 'Застосунок від’єднано',
  },
  'preset.loaded': { en: 'Preset loaded', ru: 'Заготовка загружена', uk: 'Заготовку завантажено' },
  'deliveries.replayed': {
    en: 'Deliveries replayed',
    ru: 'Доставки повторены',
    uk: 'Доставки повторено',
  },
  'delivery.retried': {
    en: 'Delivery retried',
    ru: 'Доставка запущена ещё раз',
    uk: 'Доставку запущено ще раз',
  },
  'approval.confirmed': {
    en: 'Change confirmed by a person',
    ru: 'Изменение подтверждено человеком',
    uk: 'Зміну підтверджено людиною',
  },
  'approval.degraded': {
    en: 'Change let through without an answer of everybody',
    ru: 'Изменение пропущено без ответа всех проверяющих систем',
    uk: 'Зміну пропущено без відповіді всіх систем перевірки',
  },
  'record.erased': { en: 'Record erased', ru: 'Запись стёрта', uk: 'Запис стерто' },
})

export const ACTION_NAMES = Object.keys(ACTIONS) as readonly AuditAction[]
