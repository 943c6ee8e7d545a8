/**
 * The API under `/api/v1`, shaped like Bpium's, for programs that were written for that one. The catalog
 * `webhooks` has no routes of its own: a fixed name where others have a parameter would take the fast
 * router from every route of the gateway, and a percent sign in the name would lead around it.
 */
import type { ManagePorts } from '../../app/manage-subscriptions.ts'
import type { Caller, Scope } from '../../app/store.ts'
import { Problem } from '../../domain/problem.ts'
import { type ActingPorts, acting } from './acting.ts'
import { mayUse } from './authenticate.ts'
import { BPIUM } from './bpium/manners.ts'
import { type BpiumRecordPorts, listRecords, readRecord, writeRecord } from './bpium/records.ts'
import {
  changeWebhook,
  createWebhook,
  isWebhooks,
  listWebhooks,
  readWebhook,
  removeWebhook,
} from './bpium/webhooks.ts'
import { IDEMPOTENCY_HEADERS } from './command.ts'
import { type Route, route } from './route.ts'
import {
  bpiumCreated,
  bpiumDone,
  bpiumListQuery,
  bpiumReadQuery,
  bpiumRecord,
  bpiumRecordRequest,
  bpiumRefusal,
} from './schemas/bpium.ts'

export type BpiumPorts = BpiumRecordPorts & ManagePorts & ActingPorts

const COLLECTION = '/api/v1/catalogs/{catalogId}/records'
const ITEM = `${COLLECTION}/{recordId}`

const shared = { tag: "Records, Bpium's way", manners: BPIUM } as const
const refused = {
  description: 'Refused by a subscriber. What cannot be understood is a problem, and 400 too.',
  schema: bpiumRefusal,
}
const WRITE_SCOPES = ['approve', 'manage'] as const
const CONDITIONAL_HEADERS = {
  ...IDEMPOTENCY_HEADERS,
  'If-Match': '`"<version>"`: the `ETag` that the record was read with.',
}

export function bpiumRoutes(ports: BpiumPorts): Route[] {
  return [...readRoutes(ports), ...writeRoutes(ports)]
}

function readRoutes(ports: BpiumPorts): Route[] {
  return [
    route({
      ...shared,
      method: 'GET',
      path: COLLECTION,
      scopes: ['read'],
      summary: 'List records; in the catalog `webhooks`, the webhooks',
      query: bpiumListQuery,
      queryNote: 'Filters are also taken as `filters[0][fieldId]=2&filters[0][value]=text`.',
      responses: { 200: { description: 'The records.', schema: bpiumRecord.array() } },
      handle: (context) =>
        isWebhooks(context.params['catalogId'])
          ? listWebhooks(context, ports)
          : listRecords(context, ports),
    }),
    route({
      ...shared,
      method: 'GET',
      path: ITEM,
      scopes: ['read'],
      summary: 'Read a record',
      query: bpiumReadQuery,
      responses: { 200: { description: 'The record.', schema: bpiumRecord } },
      handle: (context) =>
        isWebhooks(context.params['catalogId'])
          ? readWebhook(context, ports)
          : readRecord(context, ports),
    }),
  ]
}

function writeRoutes(ports: BpiumPorts): Route[] {
  return [
    route({
      ...shared,
      method: 'POST',
      path: COLLECTION,
      scopes: WRITE_SCOPES,
      summary:
        'Create a record, if nobody objects; `webhooks` needs the scope `manage`, and heeds neither `Idempotency-Key` nor `If-Match`',
      body: bpiumRecordRequest,
      headers: IDEMPOTENCY_HEADERS,
      responses: { 200: { description: 'Created.', schema: bpiumCreated }, 400: refused },
      handle: (context) => {
        if (isWebhooksOf(context))
          return createWebhook(context, acting(ports, context.caller, context.requestId))
        const { values } = context.body
        return writeRecord({ context, event: 'record.before.created', values }, ports)
      },
    }),
    route({
      ...shared,
      method: 'PATCH',
      path: ITEM,
      scopes: WRITE_SCOPES,
      summary:
        'Change fields of a record, if nobody objects; `webhooks` needs the scope `manage`, and heeds neither `Idempotency-Key` nor `If-Match`',
      body: bpiumRecordRequest,
      headers: CONDITIONAL_HEADERS,
      responses: { 200: { description: 'Changed.', schema: bpiumDone }, 400: refused },
      handle: (context) => {
        if (isWebhooksOf(context))
          return changeWebhook(context, acting(ports, context.caller, context.requestId))
        const { values } = context.body
        return writeRecord({ context, event: 'record.before.updated', values }, ports)
      },
    }),
    route({
      ...shared,
      method: 'DELETE',
      path: ITEM,
      scopes: WRITE_SCOPES,
      summary:
        'Delete a record, if nobody objects; `webhooks` needs the scope `manage`, and heeds neither `Idempotency-Key` nor `If-Match`',
      headers: CONDITIONAL_HEADERS,
      responses: { 200: { description: 'Deleted.', schema: bpiumDone }, 400: refused },
      handle: (context) =>
        isWebhooksOf(context)
          ? removeWebhook(context, acting(ports, context.caller, context.requestId))
          : writeRecord({ context, event: 'record.before.deleted', values: undefined }, ports),
    }),
  ]
}

type Addressed = {
  readonly caller: Caller
  readonly params: Readonly<Record<string, string>>
}

/** Whether the write is one of a webhook. Either kind of write needs its own scope. */
function isWebhooksOf({ caller, params }: Addressed): boolean {
  const isWebhook = isWebhooks(params['catalogId'])
  const scope: Scope = isWebhook ? 'manage' : 'approve'
  if (mayUse(caller, [scope])) return isWebhook
  throw new Problem('forbidden', { detail: `This needs the scope ${scope}.` })
}
