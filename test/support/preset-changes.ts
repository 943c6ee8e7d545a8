/**
 * Changes that people and programs make in the fields of work that have a preset, and the events that each
 * of them must raise: these and no others. The unit tests look them up in the preset, the end-to-end tests
 * make them over HTTP.
 */
import type { Values } from '../../src/domain/values.ts'

export type PresetChange = {
  readonly what: string
  readonly catalogId: string
  /** The record before the change; null: there is none yet. */
  readonly before: Values | null
  /** What is sent; null: the record is deleted. */
  readonly sent: Values | null
  /** In order of name. */
  readonly raises: readonly string[]
}

type Row = readonly [string, Values | null, Values | null, readonly string[]]

const rowsOf = (catalogId: string, rows: readonly Row[]): readonly PresetChange[] =>
  rows.map(([what, before, sent, raises]) => ({ what, catalogId, before, sent, raises }))

// ---- point of sale

const ofKind = (catalogId: string, own: string, other: string): readonly PresetChange[] =>
  rowsOf(catalogId, [
    [
      `a ${own} becomes a ${other}`,
      { name: 'Borsch', kind: own },
      { kind: other },
      [`${catalogId}.transformed`],
    ],
    [
      `a ${other} among them becomes a ${own}`,
      { name: 'Borsch', kind: other },
      { kind: own, name: 'Borsch, new' },
      [`${catalogId}.transformed`],
    ],
    [`a ${own} is renamed`, { name: 'Borsch', kind: own }, { name: 'Red borsch', kind: own }, []],
    [`a ${own} is told its kind`, { name: 'Borsch' }, { kind: own }, []],
    [`a ${own} loses its kind`, { name: 'Borsch', kind: own }, { kind: null }, []],
    [`a ${own} is added`, null, { name: 'Borsch', kind: own }, []],
    [`a ${own} is removed`, { name: 'Borsch', kind: own }, null, []],
  ])

const PAID = ['client_payed_sum.changed']

const POS: readonly PresetChange[] = [
  ...ofKind('product', 'product', 'dish'),
  ...ofKind('dish', 'dish', 'product'),
  ...ofKind('prepack', 'prepack', 'dish'),
  ...ofKind('ingredient', 'ingredient', 'prepack'),
  ...rowsOf('transaction', [
    [
      'an order with a customer closes',
      { status: 'open', client_id: 7 },
      { status: 'closed', payed_sum: 320.5 },
      PAID,
    ],
    [
      'an order closes and gets its customer at the same time',
      { status: 'open' },
      { status: 'closed', client_id: '7' },
      PAID,
    ],
    ['a closed order with a customer is added', null, { status: 'closed', client_id: 7 }, PAID],
    ['an order without a customer closes', { status: 'open' }, { status: 'closed' }, []],
    ['an order of nobody closes', { status: 'open', client_id: 0 }, { status: 'closed' }, []],
    [
      'an order of nobody, as a text, closes',
      { status: 'open', client_id: '0' },
      { status: 'closed' },
      [],
    ],
    [
      'an order loses its customer as it closes',
      { status: 'open', client_id: 7 },
      { status: 'closed', client_id: null },
      [],
    ],
    ['an open order with a customer is added', null, { status: 'open', client_id: 7 }, []],
    [
      'an open order with a customer is changed',
      { status: 'open', client_id: 7 },
      { sum: 12, status: 'open' },
      [],
    ],
    [
      'a closed order is changed',
      { status: 'closed', client_id: 7 },
      { comment: 'By card', status: 'closed' },
      [],
    ],
    [
      'a closed order with a customer is opened again',
      { status: 'closed', client_id: 7 },
      { status: 'open' },
      [],
    ],
    ['a closed order with a customer is removed', { status: 'closed', client_id: 7 }, null, []],
  ]),
  ...rowsOf('incoming_order', [
    ['an incoming order is applied', { status: 'new', client_id: 7 }, { status: 'applied' }, []],
  ]),
  ...rowsOf('client', [
    ['a customer is changed', { first_name: 'Olha' }, { total_payed_sum: 12.5 }, []],
  ]),
]

// ---- taxi

const STATUS = 'order.status_changed'
const DISTRIBUTION = 'order.distribution_status_changed'
const METHOD = 'order.distribution_method_changed'

const TAXI: readonly PresetChange[] = [
  ...rowsOf('driver', [
    ['a driver opens the shift', { shift: 'closed' }, { shift: 'open' }, ['driver.shift_opened']],
    [
      'a driver opens the first shift',
      { name: 'Ivan' },
      { shift: 'open' },
      ['driver.shift_opened'],
    ],
    ['a driver is entered on shift', null, { shift: 'open' }, ['driver.shift_opened']],
    ['a driver closes the shift', { shift: 'open' }, { shift: 'closed' }, ['driver.shift_closed']],
    ['a driver who had no shift has it closed', { name: 'Ivan' }, { shift: 'closed' }, []],
    ['a driver is entered off shift', null, { shift: 'closed', status: 'free', balance: 0 }, []],
    [
      'a driver takes a break',
      { status: 'free', balance: 100 },
      { status: 'on_break', balance: 100 },
      ['driver.status_changed'],
    ],
    [
      'a driver is blocked on shift',
      { status: 'free', shift: 'open' },
      { status: 'blocked', shift: 'closed' },
      ['driver.shift_closed', 'driver.status_changed'],
    ],
    [
      'a driver is charged',
      { status: 'free', balance: 100 },
      { balance: 80.5 },
      ['driver.balance_changed'],
    ],
    [
      'a driver moves to another group',
      { status: 'free', driver_group: 'day', shift: 'open' },
      { driver_group: 'night', status: 'free', shift: 'open' },
      [],
    ],
    ['a driver on shift is removed', { status: 'free', shift: 'open', balance: 5 }, null, []],
  ]),
  ...rowsOf('order', [
    ['an order is entered', null, { status: 'new', distribution_status: 'off' }, ['order.created']],
    [
      'an order is entered with its driver',
      null,
      { status: 'new', driver_id: 5, distribution_method: 'personal' },
      ['order.created', 'order.driver_assigned'],
    ],
    [
      'an order is entered after the ride',
      null,
      { status: 'completed' },
      ['order.completed', 'order.created'],
    ],
    [
      'an order is entered with an address only',
      null,
      { pickup_address: 'Airport' },
      ['order.created'],
    ],
    [
      'an order is entered that was cancelled on the phone',
      null,
      { status: 'cancelled' },
      ['order.cancelled', 'order.created'],
    ],
    [
      'an order is entered that its driver has taken',
      null,
      { status: 'accepted', distribution_status: 'accepted' },
      ['order.created', 'order.driver_accepted'],
    ],
    [
      'an order is entered that its driver has turned down',
      null,
      { status: 'new', distribution_status: 'declined' },
      ['order.created', 'order.driver_declined'],
    ],
    ['a cancelled order loses its status', { status: 'cancelled' }, { status: null }, [STATUS]],
    [
      'an order gets another address',
      { status: 'new', pickup_address: 'Main Street 1' },
      { pickup_address: 'Main Street 2', status: 'new' },
      ['order.edited'],
    ],
    [
      'an order gets another address and is taken',
      { status: 'new', pickup_address: 'Main Street 1' },
      { pickup_address: 'Main Street 2', status: 'accepted' },
      ['order.edited', STATUS],
    ],
    [
      'an order is completed, as Bpium writes a choice',
      { status: ['en_route'] },
      { status: ['completed'] },
      ['order.completed', STATUS],
    ],
    [
      'a cancelled order is restored, as Bpium writes a choice',
      { status: ['cancelled'] },
      { status: ['new'] },
      ['order.restored', STATUS],
    ],
    ['an order is saved as it was', { status: 'new', price: 100 }, { price: 100 }, []],
    [
      'an order gets another price and type',
      { status: 'en_route', driver_id: 5, price: 100, order_type: 'city' },
      { price: 120, order_type: 'airport' },
      ['order.edited'],
    ],
    ['a car is at the place', { status: 'accepted' }, { status: 'at_the_place' }, [STATUS]],
    ['an order is overdue', { status: 'new' }, { status: 'overdue' }, [STATUS]],
    [
      'an order is completed',
      { status: 'en_route' },
      { status: 'completed' },
      ['order.completed', STATUS],
    ],
    [
      'an order is cancelled',
      { status: 'new' },
      { status: 'cancelled' },
      ['order.cancelled', STATUS],
    ],
    [
      'a cancelled order is restored',
      { status: 'cancelled' },
      { status: 'new' },
      ['order.restored', STATUS],
    ],
    ['a completed order goes on', { status: 'completed' }, { status: 'en_route' }, [STATUS]],
    [
      'an order is given out',
      { status: 'new', distribution_status: 'off' },
      { distribution_status: 'awaiting_distribution' },
      [DISTRIBUTION],
    ],
    [
      'an order goes on air',
      { distribution_method: 'no_driver' },
      { distribution_method: 'on_air' },
      [METHOD],
    ],
    [
      'a driver accepts the order',
      { status: 'new', distribution_status: 'awaiting_acceptance', driver_id: 5 },
      { distribution_status: 'accepted', status: 'accepted' },
      [DISTRIBUTION, 'order.driver_accepted', STATUS],
    ],
    [
      'a driver declines the order',
      { status: 'new', distribution_status: 'awaiting_acceptance' },
      { distribution_status: 'declined' },
      [DISTRIBUTION, 'order.driver_declined'],
    ],
    [
      'no driver is found',
      { distribution_status: 'awaiting_distribution' },
      { distribution_status: 'no_driver_found' },
      [DISTRIBUTION],
    ],
    ['a driver is assigned', { status: 'new' }, { driver_id: 5 }, ['order.driver_assigned']],
    [
      'an order goes from one driver to another',
      { status: 'new', driver_id: 5 },
      { driver_id: 6 },
      ['order.driver_assigned', 'order.driver_removed'],
    ],
    [
      'a driver is taken off the order',
      { status: 'new', driver_id: 5 },
      { driver_id: null },
      ['order.driver_removed'],
    ],
    ['a completed order is removed', { status: 'completed', driver_id: 5 }, null, []],
  ]),
]

// ---- contact centre

const HELPDESK: readonly PresetChange[] = [
  ...rowsOf('conversation', [
    [
      'a conversation begins',
      null,
      { status: 'open', substatus: 'new', inbox_id: 1, agent_id: 2, team_id: 3 },
      [],
    ],
    [
      'a conversation is resolved',
      { status: 'open', inbox_id: 1 },
      { status: 'resolved' },
      ['conversation.status_changed'],
    ],
    [
      'a conversation gets another substatus',
      { status: 'pending', substatus: 'call back' },
      { substatus: 'wait', status: 'pending' },
      ['conversation.substatus_changed'],
    ],
    [
      'an agent takes a conversation',
      { status: 'open' },
      { agent_id: 2 },
      ['conversation.assigned_agent_changed'],
    ],
    [
      'an agent leaves a conversation',
      { status: 'open', agent_id: 2 },
      { agent_id: null },
      ['conversation.assigned_agent_changed'],
    ],
    [
      'a conversation goes to another team and its agent',
      { agent_id: 2, team_id: 3 },
      { agent_id: 4, team_id: 5 },
      ['conversation.assigned_agent_changed', 'conversation.assigned_team_changed'],
    ],
    [
      'a conversation goes to another team',
      { agent_id: 2, team_id: 3 },
      { team_id: 5 },
      ['conversation.assigned_team_changed'],
    ],
    [
      'a conversation is labelled',
      { status: 'open', agent_id: 2, team_id: 3, substatus: 'new' },
      { labels: ['vip'], status: 'open', agent_id: 2 },
      [],
    ],
    ['a conversation is removed', { status: 'open', agent_id: 2, team_id: 3 }, null, []],
  ]),
  ...rowsOf('message', [
    [
      'a message comes in',
      null,
      { conversation_id: 1, inbox_id: 1, direction: 'incoming', content: 'Hello' },
      ['message.created'],
    ],
    [
      'a message is read',
      { content: 'Hello', status: 'sent', private: false },
      { status: 'read' },
      ['message.updated'],
    ],
    ['a message is removed', { content: 'Hello' }, null, []],
  ]),
  ...rowsOf('agent', [['an agent is renamed', { name: 'Ann' }, { name: 'Anna' }, []]]),
]

/** By the name of the preset. */
export const PRESET_CHANGES: Readonly<Record<string, readonly PresetChange[]>> = {
  helpdesk: HELPDESK,
  pos: POS,
  taxi: TAXI,
}
