/** From what the caller sent to the change that is asked about, checked against store and catalog. */
import {
  type Catalog,
  missingComplaints,
  RECORD_VALUES_MAX,
  valueComplaints,
} from '../domain/catalog.ts'
import { type Change, type ChangeDraft, changeOf, valuesToBe } from '../domain/change.ts'
import { pointerTo } from '../domain/pointer.ts'
import { type Complaint, Problem } from '../domain/problem.ts'
import { overlay, type Values } from '../domain/values.ts'
import type { ApproveCommand } from './approve.ts'
import type { Configuration } from './configuration.ts'
import type { Records, RecordWrite, StoredRecord } from './store.ts'

export type Prepared = { readonly change: Change; readonly stored: StoredRecord | null }

/** Whether an allow of this command makes the gateway itself write the record. */
export function isGatewayWrite(command: Pick<ApproveCommand, 'event' | 'commit'>): boolean {
  return command.commit === 'gateway' && command.event !== 'record.updating'
}

export async function prepareChange(
  command: ApproveCommand,
  configuration: Configuration,
  records: Records,
): Promise<Prepared> {
  const { accountId, catalogId, recordId } = command
  const stored = needsStored(command)
    ? await records.read(accountId, catalogId, recordId ?? '')
    : null
  checkStored(command, stored)
  const change = changeOf(draftOf(command, stored))
  checkValues(change, configuration)
  return { change, stored }
}

/** A record that the caller describes itself, and does not want the gateway to write, is not looked up. */
function needsStored(command: ApproveCommand): boolean {
  if (command.recordId === undefined) return false
  return (
    command.commit === 'gateway' ||
    command.prevValues === undefined ||
    command.baseVersion !== undefined
  )
}

function checkStored(command: ApproveCommand, stored: StoredRecord | null): void {
  if (isGatewayWrite(command)) {
    const isCreate = command.event === 'record.before.created'
    if (isCreate && stored !== null) throw new Problem('record_exists')
    if (!isCreate && stored === null) throw new Problem('record_not_found')
  }
  const { baseVersion } = command
  if (baseVersion !== undefined && stored !== null && stored.version !== baseVersion) {
    throw new Problem('version_conflict', {
      detail: `The record is at version ${stored.version}, not ${baseVersion}. Nothing was written.`,
    })
  }
}

function draftOf(command: ApproveCommand, stored: StoredRecord | null): ChangeDraft {
  const { event, accountId, catalogId, recordId, values, allValues, user, context } = command
  const isDelete = event === 'record.before.deleted'
  const prevValues =
    command.commit === 'gateway'
      ? (stored?.values ?? command.prevValues)
      : (command.prevValues ?? stored?.values)
  return {
    event,
    accountId,
    catalogId,
    recordId,
    values: isDelete ? undefined : (values ?? {}),
    prevValues: event === 'record.before.created' ? undefined : prevValues,
    allValues: event === 'record.updating' ? allValues : undefined,
    user,
    context,
  }
}

/** Refuses what the catalog would not take, before anybody is asked about it. */
export function checkValues(change: Change, configuration: Configuration): void {
  if (change.event === 'record.before.deleted') return
  const toBe = valuesToBe(change)
  if (Object.keys(toBe).length > RECORD_VALUES_MAX) {
    throw new Problem('too_many_values', {
      detail: `A record has at most ${RECORD_VALUES_MAX} values.`,
      complaints: [{ pointer: '/values', message: 'Too many values.' }],
    })
  }
  const complaints = complaintsAbout(change, toBe, configuration)
  if (complaints.length === 0) return
  const field = firstField(complaints, configuration.catalogs.get(change.catalogId))
  throw new Problem('invalid_values', { complaints, field })
}

/** What the form calls the first field that is complained about. */
function firstField(
  [first]: readonly Complaint[],
  catalog: Catalog | undefined,
): string | undefined {
  const isIt = ({ id }: { id: string }) => first?.pointer === `/values${pointerTo(id)}`
  return catalog?.fields.find(isIt)?.title
}

/** While a person is still typing, fields that are required may still be missing. */
function complaintsAbout(
  change: Change,
  toBe: Values,
  configuration: Configuration,
): readonly Complaint[] {
  const catalog = configuration.catalogs.get(change.catalogId)
  const wrong = valueComplaints(catalog, change.values ?? {})
  if (change.event === 'record.updating') return wrong
  return [...wrong, ...missingComplaints(catalog, toBe)]
}

/** What the gateway writes on an allow; null where it writes nothing. */
export function writeFor(
  command: ApproveCommand,
  { change, stored }: Prepared,
  newRecordId: () => string,
): RecordWrite | null {
  if (!isGatewayWrite(command)) return null
  const { event, values } = change
  if (event === 'record.before.created') {
    return { kind: 'insert', recordId: change.recordId ?? newRecordId(), values: values ?? {} }
  }
  if (stored === null) return null
  const expected = { version: stored.version, origin: stored.origin }
  if (event === 'record.before.deleted') return { kind: 'delete', recordId: stored.id, expected }
  return {
    kind: 'update',
    recordId: stored.id,
    values: overlay(stored.values, values),
    expected,
  }
}
