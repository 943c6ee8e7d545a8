/**
 * Records of any catalog, told as Bpium tells them. A write runs the same approval as everywhere, by
 * Bpium's rules: ten seconds for everybody, and the first refusal answers. A question to the editor is
 * something that Bpium does not know, so that it is a refusal too, with the question as its message.
 */
import type { ApproveResponse } from '../../../app/answer.ts'
import type { ApproveCommand } from '../../../app/approve.ts'
import type { Catalogs, RecordSearch, StoredRecord } from '../../../app/store.ts'
import type { Catalog } from '../../../domain/catalog.ts'
import type { User } from '../../../domain/change.ts'
import { BUDGET_MS } from '../../../domain/deadline.ts'
import type { Message } from '../../../domain/message.ts'
import { Problem } from '../../../domain/problem.ts'
import { readBasic } from '../authenticate.ts'
import { answerOf, commandOf, keepOf, type Render, type Wish, type WritePorts } from '../command.ts'
import { versionOf } from '../records.ts'
import { type Answer, type Context, ok } from '../route.ts'
import { id } from '../schemas/common.ts'
import { refusal } from './manners.ts'
import {
  type ListQuery,
  type ReadQuery,
  readItemQuery,
  readListQuery,
  shown,
  type Wanted,
} from './query.ts'

export type BpiumRecordPorts = WritePorts & {
  readonly catalogs: Catalogs
  readonly recordSearch: RecordSearch
}

export async function listRecords(
  { caller, params: { catalogId = '' }, query }: Context<unknown, ListQuery>,
  { recordSearch, catalogs }: BpiumRecordPorts,
): Promise<Answer> {
  const wanted = readListQuery(query)
  const { accountId } = caller
  const [records, catalog] = await Promise.all([
    recordSearch.find(accountId, catalogId, wanted),
    catalogs.read(accountId, catalogId),
  ])
  return ok(records.map((record) => viewOf(record, catalog, wanted)))
}

export async function readRecord(
  { caller, params: { catalogId = '', recordId = '' }, query }: Context<unknown, ReadQuery>,
  { records, catalogs }: BpiumRecordPorts,
): Promise<Answer> {
  const wanted = readItemQuery(query)
  const { accountId } = caller
  const [record, catalog] = await Promise.all([
    records.read(accountId, catalogId, recordId),
    catalogs.read(accountId, catalogId),
  ])
  if (record === null) throw new Problem('record_not_found')
  const headers = { etag: `"${record.version}"` }
  return { status: 200, json: viewOf(record, catalog, wanted), headers }
}

function viewOf(record: StoredRecord, catalog: Catalog | null, { fields }: Pick<Wanted, 'fields'>) {
  const { id: recordId, catalogId, values } = record
  return { id: recordId, catalogId, title: titleOf(record, catalog), values: shown(values, fields) }
}

/** The first text field is what Bpium shows of a record in one line. */
function titleOf({ id: recordId, values }: StoredRecord, catalog: Catalog | null): string {
  const field = catalog?.fields.find(({ type }) => type === 'text')
  const title = field === undefined ? undefined : values[field.id]
  return typeof title === 'string' && title !== '' ? title : recordId
}

type Write = {
  readonly context: Context<unknown, unknown>
  readonly event: 'record.before.created' | 'record.before.updated' | 'record.before.deleted'
  readonly values: ApproveCommand['values']
}

export function writeRecord({ context, event, values }: Write, ports: BpiumRecordPorts) {
  const { catalogId = '', recordId } = context.params
  const isCreate = event === 'record.before.created'
  const user = userOf(context.header('authorization'))
  const wish: Wish = {
    event,
    catalogId,
    recordId,
    values,
    prevValues: undefined,
    allValues: undefined,
    user,
    context: undefined,
    baseVersion: isCreate ? undefined : versionOf(context.header('if-match')),
    commit: 'gateway',
    timeoutMs: BUDGET_MS.default,
    denyGraceMs: 0,
    confirm: [],
  }
  const render = isCreate ? renderCreated : renderDone
  // Who makes the change is part of it, and stands in no body here.
  const name = `bpium ${event} ${JSON.stringify([catalogId, recordId, user?.id])}`
  const keep = keepOf(context, name, ports, render)
  return answerOf(commandOf(context, wish, keep, ports), ports, render)
}

/**
 * The user name of Basic is the employee whose change it is. A key alone is a program's: nobody is named,
 * and subscriptions that watch initiators are not concerned.
 */
function userOf(authorization: string | undefined): User | undefined {
  const userName = readBasic(authorization)?.userName ?? ''
  if (userName === '') return undefined
  if (id.safeParse(userName).success) return { id: userName }
  throw new Problem('invalid_header', { detail: 'The user name of Basic is no id.' })
}

const renderCreated: Render = (response) =>
  response.decision === 'allow'
    ? { status: 200, body: JSON.stringify({ id: response.record?.id }) }
    : refusal(messageOf(response))

const renderDone: Render = (response) =>
  response.decision === 'allow' ? { status: 200, body: '{}' } : refusal(messageOf(response))

function messageOf({ message, warnings }: ApproveResponse): Message | undefined {
  return message ?? warnings.find(({ severity }) => severity === 'confirm')?.message
}
