/**
 * A contact centre: channels, agents and teams, conversations and their messages. Both conversations and
 * messages carry `inbox_id`, so that a subscription for one channel is one condition on that field, whatever
 * events it lists.
 */
import type { Catalog, Field } from '../catalog.ts'
import type { EventTitle, EventType } from '../event-type.ts'
import { any, boolean, choice, derived, OWN_OPTIONS, type Preset, text } from './preset.ts'

const STATUSES = {
  open: 'Open',
  pending: 'Pending',
  snoozed: 'Snoozed',
  resolved: 'Resolved',
} as const

const DIRECTIONS = {
  incoming: 'From the customer',
  outgoing: 'To the customer',
  activity: 'What happened in the conversation',
} as const

const MESSAGE_STATUSES = {
  sent: 'Sent',
  delivered: 'Delivered',
  read: 'Read',
  failed: 'Failed',
} as const

const inboxId = any('inbox_id', 'Channel')

const CONVERSATION: readonly Field[] = [
  choice('status', 'Status', STATUSES),
  // Reasons for a status are each company's own.
  choice('substatus', 'Substatus', OWN_OPTIONS),
  inboxId,
  any('agent_id', 'Assigned agent'),
  any('team_id', 'Assigned team'),
  any('contact', 'Customer'),
  text('subject', 'Subject'),
  any('priority', 'Priority'),
  any('labels', 'Labels'),
  any('attributes', 'Attributes'),
]

const MESSAGE: readonly Field[] = [
  any('conversation_id', 'Conversation'),
  inboxId,
  choice('direction', 'Direction', DIRECTIONS),
  text('content', 'Text'),
  any('attachments', 'Attachments'),
  any('sender', 'Sender'),
  boolean('private', 'For colleagues only'),
  choice('status', 'Status', MESSAGE_STATUSES),
]

const catalogs: readonly Catalog[] = [
  {
    id: 'inbox',
    title: 'Channels',
    fields: [text('name', 'Name'), any('channel_type', 'Kind'), any('address', 'Address')],
  },
  {
    id: 'agent',
    title: 'Agents',
    fields: [text('name', 'Name'), text('email', 'E-mail'), any('team_ids', 'Teams')],
  },
  { id: 'team', title: 'Teams', fields: [text('name', 'Name')] },
  { id: 'conversation', title: 'Conversations', fields: CONVERSATION },
  { id: 'message', title: 'Messages', fields: MESSAGE },
]

/** What a conversation starts with has not changed; its first agent and the leave of its last one are changes. */
const whenChanged = (name: string, field: string, title: EventTitle): EventType =>
  derived(name, 'conversation', title, { on: ['updated'], conditions: [{ field, op: 'changed' }] })

const eventTypes: readonly EventType[] = [
  whenChanged('conversation.status_changed', 'status', {
    en: 'Conversation status changed',
    ru: 'Статус диалога изменён',
    uk: 'Статус діалогу змінено',
  }),
  whenChanged('conversation.substatus_changed', 'substatus', {
    en: 'Conversation substatus changed',
    ru: 'Подстатус диалога изменён',
    uk: 'Підстатус діалогу змінено',
  }),
  derived(
    'message.created',
    'message',
    { en: 'Message created', ru: 'Сообщение создано', uk: 'Повідомлення створено' },
    { on: ['created'] },
  ),
  derived(
    'message.updated',
    'message',
    { en: 'Message updated', ru: 'Сообщение изменено', uk: 'Повідомлення змінено' },
    { on: ['updated'] },
  ),
  whenChanged('conversation.assigned_agent_changed', 'agent_id', {
    en: 'Assigned agent changed',
    ru: 'Изменён назначенный оператор',
    uk: 'Змінено призначеного оператора',
  }),
  whenChanged('conversation.assigned_team_changed', 'team_id', {
    en: 'Assigned team changed',
    ru: 'Изменена назначенная команда',
    uk: 'Змінено призначену команду',
  }),
]

export const helpdesk: Preset = {
  name: 'helpdesk',
  title: { en: 'Contact centre', ru: 'Контакт-центр', uk: 'Контакт-центр' },
  catalogs,
  eventTypes,
  actionFields: [],
}
