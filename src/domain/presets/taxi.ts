/**
 * A taxi dispatch: drivers and orders, what happens to them, and what the buttons in a dispatcher's menu
 * depend on.
 *
 * Which change raises what. Events that say that something *is so now* (a driver is assigned, the order is
 * completed) are raised by a creation, too: an order may be entered with its driver, or after the ride, and
 * whoever is told of assigned drivers must not miss that one. Events that say that something *changed*, was
 * removed or restored need a before, and so an update. One update may raise several: completing an order
 * changes its status, and giving it to another driver removes the first one and assigns the second.
 * `order.edited` watches what remains: the fields that no other event of the order speaks of.
 */
import type { Catalog, Field } from '../catalog.ts'
import type { Condition } from '../condition.ts'
import type { EventTitle, EventType, Operation } from '../event-type.ts'
import {
  any,
  became,
  choice,
  derived,
  noLonger,
  number,
  OWN_OPTIONS,
  type Preset,
  raised,
  text,
} from './preset.ts'

const DRIVER_STATUSES = {
  free: 'Free',
  on_break: 'On break',
  on_order: 'On order',
  blocked: 'Blocked',
  order_offered: 'Order offered',
} as const

const SHIFTS = { open: 'Open', closed: 'Closed' } as const

const ORDER_STATUSES = {
  new: 'New',
  accepted: 'Accepted',
  at_the_place: 'At the place',
  en_route: 'En route',
  completed: 'Completed',
  cancelled: 'Cancelled',
  overdue: 'Overdue',
} as const

const DISTRIBUTION_STATUSES = {
  off: 'Off',
  awaiting_distribution: 'Awaiting distribution',
  awaiting_acceptance: 'Awaiting acceptance',
  accepted: 'Accepted',
  declined: 'Declined',
  no_driver_found: 'No driver found',
} as const

const DISTRIBUTION_METHODS = {
  no_driver: 'No driver',
  personal: 'Personal',
  on_air: 'On air',
  exchanger: 'Exchanger',
  rbt: 'RBT',
  up_and_up: 'UP&UP',
  taxik: 'Taxik',
  sedi: 'Sedi',
  external_app: 'External app',
  multitaxi: 'MultiTaxi',
} as const

// Driver groups and order types are each company's own: their fields take every value until an administrator
// gives them options, which a preset that is loaded again leaves alone.
const DRIVER: readonly Field[] = [
  text('name', 'Name'),
  any('phone', 'Phone'),
  text('callsign', 'Call sign'),
  choice('status', 'Status', DRIVER_STATUSES),
  choice('driver_group', 'Driver group', OWN_OPTIONS),
  choice('shift', 'Shift', SHIFTS),
  number('balance', 'Balance'),
  any('car', 'Car'),
  any('position', 'Position'),
  text('comment', 'Comment'),
]

const ORDER: readonly Field[] = [
  any('number', 'Number'),
  choice('status', 'Status', ORDER_STATUSES),
  choice('distribution_status', 'Distribution status', DISTRIBUTION_STATUSES),
  choice('distribution_method', 'Distribution method', DISTRIBUTION_METHODS),
  choice('order_type', 'Order type', OWN_OPTIONS),
  any('driver_id', 'Driver'),
  text('client_name', 'Customer'),
  any('phone', 'Phone'),
  any('pickup_address', 'From'),
  any('destination_address', 'To'),
  any('pickup_time', 'Wanted at'),
  any('tariff', 'Tariff'),
  any('payment_type', 'Way of payment'),
  number('price', 'Price'),
  text('comment', 'Comment'),
]

const catalogs: readonly Catalog[] = [
  { id: 'driver', title: 'Drivers', fields: DRIVER },
  { id: 'order', title: 'Orders', fields: ORDER },
]

// ---- events

const ON_UPDATE: readonly Operation[] = ['updated']
const ON_WRITE: readonly Operation[] = ['created', 'updated']

const changed = (field: string): Condition => ({ field, op: 'changed' })
const isGiven = (field: string): Condition => ({ field, op: 'empty', value: false })
const wasGiven = (field: string): Condition => ({ ...isGiven(field), source: 'prevValues' })

/** What the other events of an order speak of, so that a change of it is not an edit. */
const SPOKEN_OF = ['status', 'distribution_status', 'distribution_method', 'driver_id']
const EDITED = ORDER.map(({ id }) => id).filter((id) => !SPOKEN_OF.includes(id))

const ofDriver = (
  what: string,
  title: EventTitle,
  on: readonly Operation[],
  conditions: readonly Condition[],
) => derived(`driver.${what}`, 'driver', title, { on, conditions })

const driverEvents: readonly EventType[] = [
  ofDriver(
    'shift_opened',
    {
      en: 'Driver opened the shift',
      ru: 'Водитель открыл смену',
      uk: 'Водій відкрив зміну',
    },
    ON_WRITE,
    became('shift', 'open'),
  ),
  ofDriver(
    'shift_closed',
    {
      en: 'Driver closed the shift',
      ru: 'Водитель закрыл смену',
      uk: 'Водій закрив зміну',
    },
    ON_UPDATE,
    // A shift that was never open is not closed by saying so.
    noLonger('shift', 'open'),
  ),
  ofDriver(
    'status_changed',
    {
      en: 'Driver status changed',
      ru: 'Статус водителя изменён',
      uk: 'Статус водія змінено',
    },
    ON_UPDATE,
    [changed('status')],
  ),
  ofDriver(
    'balance_changed',
    {
      en: 'Driver balance changed',
      ru: 'Баланс водителя изменился',
      uk: 'Баланс водія змінився',
    },
    ON_UPDATE,
    [changed('balance')],
  ),
  // Nothing about a driver changes with these two: the driver's app raises them, with the driver as the
  // record, and they are heard by whoever listens to the drivers. As records they would have to be cleared
  // away, and a cry for help could be refused by a validator.
  raised('driver.sos_raised', {
    en: 'SOS from a driver',
    ru: 'Сигнал SOS от водителя',
    uk: 'Сигнал SOS від водія',
  }),
  raised('driver.message_sent', {
    en: 'Message from a driver to the operator',
    ru: 'Сообщение водителя оператору',
    uk: 'Повідомлення водія оператору',
  }),
]

const ofOrder = (
  what: string,
  title: EventTitle,
  on: readonly Operation[],
  conditions: readonly Condition[],
) => derived(`order.${what}`, 'order', title, { on, conditions })

const orderEvents: readonly EventType[] = [
  ofOrder(
    'created',
    { en: 'Order created', ru: 'Заказ создан', uk: 'Замовлення створено' },
    ['created'],
    [],
  ),
  derived(
    'order.edited',
    'order',
    { en: 'Order edited', ru: 'Заказ отредактирован', uk: 'Замовлення відредаговано' },
    { on: ON_UPDATE, fields: EDITED },
  ),
  ofOrder(
    'status_changed',
    {
      en: 'Order status changed',
      ru: 'Статус заказа изменён',
      uk: 'Статус замовлення змінено',
    },
    ON_UPDATE,
    [changed('status')],
  ),
  ofOrder(
    'distribution_status_changed',
    {
      en: 'Order distribution status changed',
      ru: 'Статус распределения заказа изменён',
      uk: 'Статус розподілу замовлення змінено',
    },
    ON_UPDATE,
    [changed('distribution_status')],
  ),
  ofOrder(
    'distribution_method_changed',
    {
      en: 'Order distribution method changed',
      ru: 'Способ распределения заказа изменён',
      uk: 'Спосіб розподілу замовлення змінено',
    },
    ON_UPDATE,
    [changed('distribution_method')],
  ),
  ofOrder(
    'driver_assigned',
    {
      en: 'Driver assigned to the order',
      ru: 'Водитель назначен на заказ',
      uk: 'Водія призначено на замовлення',
    },
    ON_WRITE,
    [changed('driver_id'), isGiven('driver_id')],
  ),
  ofOrder(
    'driver_accepted',
    {
      en: 'Driver accepted the order',
      ru: 'Водитель принял заказ',
      uk: 'Водій прийняв замовлення',
    },
    ON_WRITE,
    became('distribution_status', 'accepted'),
  ),
  ofOrder(
    'driver_declined',
    {
      en: 'Driver declined the order',
      ru: 'Водитель отказался от заказа',
      uk: 'Водій відмовився від замовлення',
    },
    ON_WRITE,
    became('distribution_status', 'declined'),
  ),
  ofOrder(
    'driver_removed',
    {
      en: 'Driver removed from the order',
      ru: 'Водитель снят с заказа',
      uk: 'Водія знято із замовлення',
    },
    ON_UPDATE,
    [changed('driver_id'), wasGiven('driver_id')],
  ),
  ofOrder(
    'completed',
    { en: 'Order completed', ru: 'Заказ выполнен', uk: 'Замовлення виконано' },
    ON_WRITE,
    became('status', 'completed'),
  ),
  ofOrder(
    'cancelled',
    { en: 'Order cancelled', ru: 'Заказ отменён', uk: 'Замовлення скасовано' },
    ON_WRITE,
    became('status', 'cancelled'),
  ),
  ofOrder(
    'restored',
    { en: 'Order restored', ru: 'Заказ восстановлен', uk: 'Замовлення відновлено' },
    ON_UPDATE,
    [...noLonger('status', 'cancelled'), isGiven('status')],
  ),
]

export const taxi: Preset = {
  name: 'taxi',
  title: { en: 'Taxi dispatch', ru: 'Диспетчерская такси', uk: 'Диспетчерська таксі' },
  catalogs,
  eventTypes: [...driverEvents, ...orderEvents],
  actionFields: [
    { catalogId: 'driver', field: 'status' },
    { catalogId: 'driver', field: 'driver_group' },
    { catalogId: 'order', field: 'status' },
    { catalogId: 'order', field: 'distribution_status' },
    { catalogId: 'order', field: 'distribution_method' },
    { catalogId: 'order', field: 'order_type' },
  ],
}
