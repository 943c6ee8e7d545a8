import { sql } from 'kysely'
import type {
  AttemptView,
  Deliveries,
  DeliveryFilter,
  DeliveryView,
  NotificationView,
  NumberedDelivery,
  RetryResult,
} from '../../app/delivery-store.ts'
import type { Page } from '../../app/store.ts'
import type { Actor } from '../../domain/audit.ts'
import type { EventBody } from '../../domain/notification.ts'
import { audit } from './audit-write.ts'
import { backlogOf } from './backlog.ts'
import type { Database } from './database.ts'
import { createReplays } from './replays.ts'
import { orUnavailable, orWriteProblem } from './sqlstate.ts'

/** A delivery's id is `<event id>_<subscription id>`, as on the wire. Ids have no `_` but after the prefix. */
const DELIVERY_ID = /^(evt_[0-9a-z]+)_(.+)$/

/** The latest; a delivery that is replayed time after time has many. */
const ATTEMPTS_SHOWN_MAX = 200

export function createDeliveries(database: Database, actor: Actor | null = null): Deliveries {
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
    retry: (accountId, deliveryId) => retry({ database, actor }, accountId, deliveryId),
    ...createReplays(database, actor),
    backlog: (accountId) => backlogOf(database, accountId),
    numbered: async (accountId, subscriptionId, after, limit) => {
      const rows = await orUnavailable(
        select(database, accountId)
          .select('e.occurred_at')
          .where('d.subscription_id', '=', subscriptionId)
          .where('d.sequence_id', '>', after)
          .orderBy('d.sequence_id')
          .limit(limit)
          .execute(),
      )
      return rows.map((row) => numberedOf(row as DeliveryRow & { occurred_at: Date }))
    },
    notifications: async (accountId, page) => {
      let query = database
        .of(accountId)
        .kysely.selectFrom('events')
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

function select(database: Database, accountId: string) {
  return database
    .of(accountId)
    .kysely.selectFrom('deliveries as d')
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
  database: Database,
  accountId: string,
  row: DeliveryRow,
): Promise<AttemptView[]> {
  const attempts = await orUnavailable(
    database
      .of(accountId)
      .kysely.selectFrom('attempts')
      .selectAll()
      .where('account', '=', accountId)
      .where('subscription_id', '=', row.subscription_id)
      .where('sequence_id', '=', row.sequence_id)
      .orderBy('at', 'desc')
      .limit(ATTEMPTS_SHOWN_MAX)
      .execute(),
  )
  return attempts.toReversed().map((attempt) => ({
    at: attempt.at.toISOString(),
    requestHeaders: attempt.request_headers as AttemptView['requestHeaders'],
    status: attempt.status,
    reply: attempt.reply,
    durationMs: attempt.duration_ms,
    error: attempt.error,
  }))
}

type Ordering = { readonly database: Database; readonly actor: Actor | null }

async function retry(
  { database, actor }: Ordering,
  accountId: string,
  deliveryId: string,
): Promise<RetryResult> {
  const row = await find(database, accountId, deliveryId)
  if (row === undefined) return 'not_found'
  if (row.state === 'sending') return 'under_way'
  const work = database
    .of(accountId)
    .kysely.transaction()
    .execute(async (tx) => {
      const { rows } = await sql<{ is_there: boolean }>`
      select reopen_deliveries(${accountId}, ${row.subscription_id}, ${[row.sequence_id]}) as is_there`.execute(
        tx,
      )
      if (rows[0]?.is_there !== true) return 'nobody_listens'
      const retried = { before: { state: row.state }, after: {} }
      const change = { accountId, action: 'delivery.retried', target: deliveryId } as const
      await audit(tx, actor, { ...change, ...retried })
      return 'on_its_way'
    })
  return orWriteProblem(work)
}

/** What comes later is no part of it. What ends meanwhile within the range is. */
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

function numberedOf(row: DeliveryRow & { readonly occurred_at: Date }): NumberedDelivery {
  return {
    sequenceId: row.sequence_id,
    id: `${row.event_id}_${row.subscription_id}`,
    state: row.state as NumberedDelivery['state'],
    body: row.body,
    occurredAtMs: row.occurred_at.getTime(),
  }
}

const OPEN_STATES: ReadonlySet<string> = new Set(['ready', 'retrying'])

function deliveryOf(row: DeliveryRow): DeliveryView {
  const { body } = row
  return {
    id: `${row.event_id}_${row.subscription_id}`,
    subscriptionId: row.subscription_id,
    sequenceId: row.sequence_id,
    event: body.event,
    catalogId: body.catalogId ?? null,
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
    catalogId: row.body.catalogId ?? null,
    recordId: row.body.recordId ?? null,
    decisionId: row.body.decisionId ?? null,
    occurredAt: row.occurred_at.toISOString(),
    subscriptionIds: row.subscription_ids,
  }
}
