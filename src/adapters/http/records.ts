/** The gateway as the store. Every write runs the same approval as `POST /v1/approve`. */
import type { z } from 'zod'
import type { ApproveCommand } from '../../app/approve.ts'
import type { Decisions } from '../../app/decision-store.ts'
import { type ErasePorts, eraseRecord } from '../../app/erase-record.ts'
import type { StoredRecord } from '../../app/store.ts'
import { Problem } from '../../domain/problem.ts'
import { type ActingPorts, acting } from './acting.ts'
import {
  answerOf,
  commandOf,
  IDEMPOTENCY_HEADERS,
  keepOf,
  type Render,
  type Wish,
  type WritePorts,
} from './command.ts'
import { paged, pageOf } from './paging.ts'
import { type Context, ok, type Route, route } from './route.ts'
import {
  approveResponse,
  createRecordRequest,
  deleteRecordRequest,
  updateRecordRequest,
} from './schemas/approval.ts'
import { erasedRecord, storedRecord } from './schemas/catalog.ts'
import { pageQuery, pageOf as pageSchema } from './schemas/common.ts'
import { decisionView } from './schemas/log.ts'

export type RecordPorts = WritePorts & ActingPorts & ErasePorts & { readonly decisions: Decisions }

const COLLECTION = '/v1/catalogs/{catalogId}/records'
const ITEM = `${COLLECTION}/{recordId}`

/** A refusal of the write has its own status here, because the write is what was asked for. */
const renderWith =
  (allowed: number): Render =>
  (response) => ({
    status: response.decision === 'allow' ? allowed : 422,
    body: JSON.stringify(response),
  })

const refused = { description: 'Denied, or to be confirmed.', schema: approveResponse }
const WRITE_HEADERS = {
  ...IDEMPOTENCY_HEADERS,
  'If-Match': '`"<version>"`: the version that the editor saw.',
}

export function recordRoutes(ports: RecordPorts): Route[] {
  return [...readRoutes(ports), ...writeRoutes(ports), eraseRoute(ports)]
}

function eraseRoute(ports: RecordPorts): Route {
  return route({
    method: 'POST',
    path: `${ITEM}/erase`,
    scopes: ['manage'],
    tag: 'Records',
    summary: 'Erase everything that is stored about a record, for good',
    responses: { 200: { description: 'How many of each there were.', schema: erasedRecord } },
    handle: async ({ caller, requestId, params: { catalogId = '', recordId = '' } }) => {
      const name = { accountId: caller.accountId, catalogId, recordId }
      return ok(await eraseRecord(name, acting(ports, caller, requestId)))
    },
  })
}

function readRoutes(ports: RecordPorts): Route[] {
  return [
    route({
      method: 'GET',
      path: COLLECTION,
      scopes: ['read'],
      tag: 'Records',
      summary: 'List records, in order of id',
      query: pageQuery.loose(),
      queryNote: '`where[field]=value` keeps the records whose field reads like the value.',
      responses: { 200: { description: 'A page.', schema: pageSchema(storedRecord) } },
      handle: async ({ caller, params, query }) => {
        const { catalogId = '' } = params
        const where = whereOf(query)
        const found = await ports.records.list(caller.accountId, catalogId, where, pageOf(query))
        const { items, nextCursor } = paged(found, query)
        return ok({ items: items.map(viewOf), nextCursor })
      },
    }),
    route({
      method: 'GET',
      path: ITEM,
      scopes: ['read'],
      tag: 'Records',
      summary: 'Read a record',
      responses: { 200: { description: 'The record.', schema: storedRecord } },
      handle: async ({ caller, params: { catalogId = '', recordId = '' } }) => {
        const record = await ports.records.read(caller.accountId, catalogId, recordId)
        if (record === null) throw new Problem('record_not_found')
        // What `If-Match` takes.
        return { ...ok(viewOf(record)), headers: { etag: `"${record.version}"` } }
      },
    }),
    route({
      method: 'GET',
      path: `${ITEM}/history`,
      scopes: ['read'],
      tag: 'Records',
      summary: "A record's decisions, newest first",
      query: pageQuery,
      responses: { 200: { description: 'A page.', schema: pageSchema(decisionView) } },
      handle: async ({ caller, params, query }) => {
        const { catalogId, recordId } = params
        const filter = { catalogId, recordId }
        const found = await ports.decisions.list(caller.accountId, filter, pageOf(query))
        return ok(paged(found, query))
      },
    }),
  ]
}

function writeRoutes(ports: RecordPorts): Route[] {
  return [
    route({
      method: 'POST',
      path: COLLECTION,
      scopes: ['approve'],
      tag: 'Records',
      summary: 'Create a record, if nobody objects',
      body: createRecordRequest,
      headers: IDEMPOTENCY_HEADERS,
      responses: { 201: { description: 'Created.', schema: approveResponse }, 422: refused },
      handle: (context) => {
        const event = 'record.before.created'
        return write(
          { context, event, values: context.body.values, recordId: context.body.id },
          ports,
        )
      },
    }),
    route({
      method: 'PATCH',
      path: ITEM,
      scopes: ['approve'],
      tag: 'Records',
      summary: 'Change fields of a record, if nobody objects',
      body: updateRecordRequest,
      headers: WRITE_HEADERS,
      responses: { 200: { description: 'Changed.', schema: approveResponse }, 422: refused },
      handle: (context) => {
        const { params, body } = context
        const event = 'record.before.updated'
        return write({ context, event, values: body.values, recordId: params['recordId'] }, ports)
      },
    }),
    route({
      method: 'DELETE',
      path: ITEM,
      scopes: ['approve'],
      tag: 'Records',
      summary: 'Delete a record, if nobody objects',
      body: deleteRecordRequest,
      bodyOptional: true,
      headers: WRITE_HEADERS,
      responses: { 200: { description: 'Deleted.', schema: approveResponse }, 422: refused },
      handle: (context) => {
        const recordId = context.params['recordId']
        return write(
          { context, event: 'record.before.deleted', values: undefined, recordId },
          ports,
        )
      },
    }),
  ]
}

type Write = {
  readonly context: Context<z.output<typeof deleteRecordRequest>, unknown>
  readonly event: 'record.before.created' | 'record.before.updated' | 'record.before.deleted'
  readonly values: ApproveCommand['values']
  readonly recordId: string | undefined
}

function write({ context, event, values, recordId }: Write, ports: RecordPorts) {
  const { body, params } = context
  const { catalogId = '' } = params
  const isCreate = event === 'record.before.created'
  const render = renderWith(isCreate ? 201 : 200)
  const name = `${event} ${JSON.stringify([catalogId, recordId])}`
  const wish: Wish = {
    event,
    catalogId,
    recordId,
    values,
    prevValues: undefined,
    allValues: undefined,
    user: body.user,
    context: body.context,
    baseVersion: isCreate ? undefined : versionOf(context.header('if-match')),
    commit: 'gateway',
    timeoutMs: body.timeoutMs,
    denyGraceMs: body.denyGraceMs,
    confirm: body.confirm,
  }
  const keep = keepOf(context, name, ports, render)
  return answerOf(commandOf(context, wish, keep, ports), ports, render)
}

/** `If-Match: "<version>"` (RFC 9110 §13.1.1); `*` asks for any version. */
export function versionOf(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === '*') return undefined
  const version = /^\s*"(\d{1,15})"\s*$/.exec(header)?.[1]
  if (version !== undefined) return Number(version)
  throw new Problem('invalid_header', { detail: 'If-Match takes one version in quotes: "3".' })
}

const WHERE_MAX = 20

function whereOf(query: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const where = Object.entries(query).flatMap(([name, value]) => {
    const field = /^where\[(.{1,200})\]$/s.exec(name)?.[1]
    return field === undefined ? [] : [[field, String(value)] as const]
  })
  if (where.length > WHERE_MAX) {
    throw new Problem('invalid_query', { detail: `At most ${WHERE_MAX} fields.` })
  }
  return Object.fromEntries(where)
}

function viewOf({ id: recordId, catalogId, version, values, createdAt, updatedAt }: StoredRecord) {
  return { id: recordId, catalogId, version, values, createdAt, updatedAt }
}
