import { sql } from 'kysely'
import type {
  AttemptView,
  Deliveries,
  DeliveryFilter,
  DeliveryView,
  NotificationView,
  Page,
} from '../../app/store.ts'
import type { EventBody } from '../../domain/notification.ts'
import type { Database } from './database.ts'
import { orUnavailable } from './sqlstate.ts'

/** A delivery's id is `<event id>_<subscription id>`, as on the wire. Ids have no `_` but after the prefix. */
const DELIVERY_ID = /^(evt_[0-9a-z]+)_(.+)$/

export function createDeliveries(database: Database): Deliveries {
  return {
    list: async (accountId, filter, page) => {
      const rows = await orUnavailable(filtered(database, accountId, filter, page).execute())
      return rows.map((row) => deliveryOf(row as DeliveryRow))
    },
    read: async (accountId, deliveryId) => {
      const row = await find(database, accountId, deliveryId)
      if (row === undefined) return null
      return { ...deliveryOf(row), attemptLog: await attemptsOf(database, accountId, row) }
    },
    retry: (accountId, deliveryId) => retry(database, accountId, deliveryId),
    notifications: async (accountId, page) => {
      let query = database.kysely
        .selectFrom('events')
        .select(['seq', 'id', 'subscription_ids', 'body', 'occurred_at'])
        .where('account', '=', accountId)
        .orderBy('seq', 'desc')
        .limit(page.limit)
      if (page.after !== null) {
        // By seq, which is the order of the list: gateways make ids by their own clocks.
        const { after } = page
        query = query.where('seq', '<', (events) =>
          events
            .selectFrom('events')
            .select('seq')
            .where('account', '=', accountId)
            .where('id', '=', after),
        )
      }
      const rows = await orUnavailable(query.execute())
      return rows.map((row) => notificationOf(row as NotificationRow))
    },
  }
}

function select({ kysely }: Database, accountId: string) {
  return kysely
    .selectFrom('deliveries as d')
    .innerJoin('events as e', 'e.seq', 'd.event')
    .selectAll('d')
    .select(['e.id as event_id', 'e.body'])
    .where('d.account', '=', accountId)
}

function filtered(database: Database, accountId: string, filter: DeliveryFilter, page: Page) {
  let query = select(database, accountId)
    .orderBy('d.event', 'desc')
    .orderBy('d.subscription_id', 'desc')
    .limit(page.limit)
  if (page.after !== null) {
    const [, eventId = '', subscriptionId = ''] = DELIVERY_ID.exec(page.after) ?? []
    query = query.where(
      sql<boolean>`(d.event, d.subscription_id) < ((select seq from events where account = ${accountId} and id = ${eventId}), ${subscriptionId})`,
    )
  }
  if (filter.subscriptionId !== undefined) {
    query = query.where('d.subscription_id', '=', filter.subscriptionId)
  }
  if (filter.state !== undefined) query = query.where('d.state', '=', filter.state)
  if (filter.recordId !== undefined) {
    query = query.where(sql<boolean>`e.body->>'recordId' = ${filter.recordId}`)
  }
  return query
}

async function find(database: Database, accountId: string, deliveryId: string) {
  const [, eventId, subscriptionId] = DELIVERY_ID.exec(deliveryId) ?? []
  if (eventId === undefined || subscriptionId === undefined) return undefined
  const row = await orUnavailable(
    select(database, accountId)
      .where('e.id', '=', eventId)
      .where('d.subscription_id', '=', subscriptionId)
      .executeTakeFirst(),
  )
  return row as DeliveryRow | undefined
}

async function attemptsOf(
  { kysely }: Database,
  accountId: string,
  row: DeliveryRow,
): Promise<AttemptView[]> {
  const attempts = await orUnavailable(
    kysely
      .selectFrom('attempts')
      .selectAll()
      .where('account', '=', accountId)
      .where('subscription_id', '=', row.subscription_id)
      .where('sequence_id', '=', row.sequence_id)
      .orderBy('at')
      .limit(200)
      .execute(),
  )
  return attempts.map((attempt) => ({
    at: attempt.at.toISOString(),
    requestHeaders: attempt.request_headers as AttemptView['requestHeaders'],
    status: attempt.status,
    reply: attempt.reply,
    durationMs: attempt.duration_ms,
    error: attempt.error,
  }))
}

/** The count of failures stays: a retry by hand is one more try, not a new schedule. */
async function retry(database: Database, accountId: string, deliveryId: string) {
  const row = await find(database, accountId, deliveryId)
  if (row === undefined) return null
  const { numUpdatedRows } = await orUnavailable(
    database.kysely
      .updateTable('deliveries')
      .set({ state: 'ready', due_at: sql`now()`, ended_at: null })
      .where('account', '=', accountId)
      .where('subscription_id', '=', row.subscription_id)
      .where('sequence_id', '=', row.sequence_id)
      .where('state', '<>', 'sending')
      .executeTakeFirst(),
  )
  return numUpdatedRows > 0n
}

type DeliveryRow = {
  readonly subscription_id: string
  readonly sequence_id: number
  readonly state: string
  readonly failures: number
  readonly due_at: Date
  readonly last_status: number | null
  readonly created_at: Date
  readonly ended_at: Date | null
  readonly event_id: string
  readonly body: EventBody
}

const OPEN_STATES: ReadonlySet<string> = new Set(['ready', 'retrying'])

function deliveryOf(row: DeliveryRow): DeliveryView {
  const { body } = row
  return {
    id: `${row.event_id}_${row.subscription_id}`,
    subscriptionId: row.subscription_id,
    sequenceId: row.sequence_id,
    event: body.event,
    catalogId: body.catalogId,
    recordId: body.recordId ?? null,
    state: row.state as DeliveryView['state'],
    failures: row.failures,
    dueAt: OPEN_STATES.has(row.state) ? row.due_at.toISOString() : null,
    lastStatus: row.last_status,
    createdAt: row.created_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
  }
}

type NotificationRow = {
  readonly id: string
  readonly subscription_ids: string[]
  readonly body: EventBody
  readonly occurred_at: Date
}

function notificationOf(row: NotificationRow): NotificationView {
  return {
    id: row.id,
    event: row.body.event,
    catalogId: row.body.catalogId,
    recordId: row.body.recordId ?? null,
    decisionId: row.body.decisionId,
    occurredAt: row.occurred_at.toISOString(),
    subscriptionIds: row.subscription_ids,
  }
}
