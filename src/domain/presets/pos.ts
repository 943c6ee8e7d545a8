/**
 * A point of sale, as the receivers of Poster's webhooks know it: a catalog for each entity, whose id is the
 * entity's name to the letter, so that the `poster` dialect says it as its `object`. Added, changed and
 * removed are the record's own events; what else happens to an entity are the event types below.
 */
import type { Catalog, Field } from '../catalog.ts'
import type { Condition } from '../condition.ts'
import type { EventTitle, EventType } from '../event-type.ts'
import { any, became, choice, derived, number, type Preset, text } from './preset.ts'

/** What a thing on the menu or in the store can be. */
const KINDS = {
  product: 'Product',
  dish: 'Dish',
  prepack: 'Prepack',
  ingredient: 'Ingredient',
} as const

const ORDER_STATUSES = { open: 'Open', closed: 'Closed' } as const
const INCOMING_STATUSES = { new: 'New', applied: 'Applied', rejected: 'Rejected' } as const

/** What lies in a storage, by the number that Poster gives it. */
const STOCK_TYPES = {
  1: 'Ingredient',
  2: 'Product',
  3: 'Modifier',
  4: 'Produced dish',
  5: 'Produced prepack',
} as const

const name = text('name', 'Name')
const comment = text('comment', 'Comment')
const address = any('address', 'Address')
const date = any('date', 'Date')
const kind = choice('kind', 'Kind', KINDS)
const spotId = any('spot_id', 'Spot')
const clientId = any('client_id', 'Customer')
const storageId = any('storage_id', 'Storage')
const userId = any('user_id', 'Employee')
const clientsGroupId = any('client_groups_id', 'Customer group')
const products = any('products', 'Items')
const ingredients = any('ingredients', 'Ingredients')
const sum = number('sum', 'Sum')
const amount = number('amount', 'Amount')
const cost = number('cost', 'Cost')
const isHidden = any('hidden', 'Hidden')
/** The dialect tells it as it is, and how far it is from what it was. */
const valueAbsolute = number('value_absolute', 'Amount')

const onMenu: readonly Field[] = [
  name,
  kind,
  any('category_id', 'Category'),
  any('workshop_id', 'Workshop'),
  any('price', 'Price'),
  any('barcode', 'Barcode'),
  text('photo', 'Photo'),
  isHidden,
  cost,
]

const moneyMoved: readonly Field[] = [
  any('type', 'Type'),
  any('category_id', 'Category'),
  any('account_id', 'Money account'),
  spotId,
  userId,
  amount,
  date,
  comment,
]

const ENTITIES: Readonly<Record<string, { title: string; fields: readonly Field[] }>> = {
  transaction: {
    title: 'Orders',
    fields: [
      choice('status', 'Status', ORDER_STATUSES),
      clientId,
      spotId,
      any('table_id', 'Table'),
      userId,
      products,
      sum,
      number('payed_sum', 'Paid'),
      number('payed_cash', 'Paid in cash'),
      number('payed_card', 'Paid by card'),
      number('payed_bonus', 'Paid with bonuses'),
      number('discount', 'Discount'),
      any('pay_type', 'Way of payment'),
      any('date_start', 'Opened at'),
      any('date_close', 'Closed at'),
      comment,
    ],
  },
  incoming_order: {
    title: 'Incoming orders',
    fields: [
      choice('status', 'Status', INCOMING_STATUSES),
      clientId,
      spotId,
      any('transaction_id', 'Order'),
      text('first_name', 'First name'),
      text('last_name', 'Last name'),
      any('phone', 'Phone'),
      text('email', 'E-mail'),
      address,
      products,
      sum,
      any('service_mode', 'Way of service'),
      any('delivery_time', 'Wanted at'),
      comment,
    ],
  },
  product: { title: 'Products', fields: onMenu },
  dish: { title: 'Dishes', fields: [...onMenu, ingredients, number('out', 'Yield')] },
  category: {
    title: 'Categories of products and dishes',
    fields: [name, any('parent_category', 'Parent'), text('photo', 'Photo'), isHidden],
  },
  prepack: {
    title: 'Prepacks',
    fields: [name, kind, ingredients, number('out', 'Yield'), cost],
  },
  ingredient: {
    title: 'Ingredients',
    fields: [
      name,
      kind,
      any('category_id', 'Category'),
      any('unit', 'Unit'),
      any('barcode', 'Barcode'),
      any('losses', 'Losses'),
      cost,
    ],
  },
  workshop: { title: 'Workshops', fields: [name] },
  ingredients_category: { title: 'Categories of ingredients', fields: [name] },
  client: {
    title: 'Customers',
    fields: [
      text('first_name', 'First name'),
      text('last_name', 'Last name'),
      text('patronymic', 'Patronymic'),
      any('phone', 'Phone'),
      text('email', 'E-mail'),
      any('birthday', 'Birthday'),
      any('card_number', 'Card'),
      clientsGroupId,
      number('discount_per', 'Discount, per cent'),
      number('bonus', 'Bonuses'),
      number('total_payed_sum', 'Paid in all'),
      address,
      comment,
    ],
  },
  client_payed_sum: {
    title: 'What customers have paid in all',
    fields: [clientId, number('payed_sum', 'Paid')],
  },
  clients_group: {
    title: 'Customer groups',
    fields: [
      name,
      number('discount', 'Discount, per cent'),
      any('loyalty_type', 'Kind of loyalty'),
    ],
  },
  promotion: {
    title: 'Promotions',
    fields: [
      name,
      any('date_start', 'From'),
      any('date_end', 'Until'),
      any('spots', 'Spots'),
      any('conditions', 'Conditions'),
      any('params', 'What is given'),
    ],
  },
  promotion_prize: {
    title: 'Prizes of promotions',
    fields: [any('promotion_id', 'Promotion'), clientId, any('product_id', 'Item'), amount],
  },
  client_ewallet: { title: 'Customer wallets', fields: [clientId, valueAbsolute] },
  'loyalty rule': {
    title: 'Loyalty rules',
    fields: [name, clientsGroupId, any('type', 'Type'), any('value', 'Value')],
  },
  storage: { title: 'Storages', fields: [name, address] },
  stock: {
    title: 'Stock',
    fields: [
      choice('type', 'Type', STOCK_TYPES),
      any('element_id', 'What it is'),
      storageId,
      any('unit', 'Unit'),
      valueAbsolute,
    ],
  },
  supply: {
    title: 'Supplies',
    fields: [storageId, any('supplier_id', 'Supplier'), date, ingredients, sum, comment],
  },
  book_transaction: { title: 'Book transactions', fields: moneyMoved },
  cash_shift_transaction: {
    title: 'Cash shift transactions',
    fields: [...moneyMoved, any('cash_shift_id', 'Cash shift')],
  },
  spot: { title: 'Spots', fields: [name, address] },
  register: { title: 'Registers', fields: [name, spotId] },
  waiter: { title: 'Waiters', fields: [name, userId, any('phone', 'Phone'), spotId] },
  configs: { title: 'Settings', fields: [name, any('value', 'Value')] },
  // The access token is told by the installation that it belongs to; it does not lie about in a record.
  application: { title: 'Connected apps', fields: [name, any('user_id', 'Connected by')] },
}

const catalogs: readonly Catalog[] = Object.entries(ENTITIES).map(([id, { title, fields }]) => ({
  id,
  title,
  fields,
}))

// ---- events

const TRANSFORMED: Readonly<Record<keyof typeof KINDS, EventTitle>> = {
  product: { en: 'Product transformed', ru: 'Товар преобразован', uk: 'Товар перетворено' },
  dish: { en: 'Dish transformed', ru: 'Блюдо преобразовано', uk: 'Страву перетворено' },
  prepack: {
    en: 'Prepack transformed',
    ru: 'Полуфабрикат преобразован',
    uk: 'Напівфабрикат перетворено',
  },
  ingredient: {
    en: 'Ingredient transformed',
    ru: 'Ингредиент преобразован',
    uk: 'Інгредієнт перетворено',
  },
}

/** It was one kind of thing and is another one now. To be told its kind for the first time is no such change. */
const BECAME_ANOTHER_KIND: readonly Condition[] = [
  { field: 'kind', op: 'changed' },
  { field: 'kind', op: 'empty', value: false },
  { field: 'kind', source: 'prevValues', op: 'empty', value: false },
]

/** Poster writes 0 where an order has no customer. */
const CLOSED_WITH_CUSTOMER: readonly Condition[] = [
  ...became('status', 'closed'),
  { field: 'client_id', op: 'empty', value: false },
  { field: 'client_id', op: 'notIn', value: [0, '0'] },
]

const eventTypes: readonly EventType[] = [
  ...Object.entries(TRANSFORMED).map(([entity, title]) =>
    derived(`${entity}.transformed`, entity, title, {
      on: ['updated'],
      conditions: BECAME_ANOTHER_KIND,
    }),
  ),
  derived(
    'client_payed_sum.changed',
    'transaction',
    {
      en: 'Total paid by a customer changed',
      ru: 'Общая сумма оплат клиента изменилась',
      uk: 'Загальна сума оплат клієнта змінилася',
    },
    // A sale may be written down when it is closed already.
    { on: ['created', 'updated'], conditions: CLOSED_WITH_CUSTOMER },
  ),
]

export const pos: Preset = {
  name: 'pos',
  title: { en: 'Point of sale', ru: 'Касса и склад', uk: 'Каса і склад' },
  catalogs,
  eventTypes,
  actionFields: [],
}
