/**
 * The menu of a record, and one press of one of its buttons. The endpoint is called while the person waits:
 * once, within the action's own limit, with the record as it is now. What the menu showed may be old, so the
 * conditions are looked at again. That an endpoint refused, failed or could not be reached is an answer; only
 * a button that is not there, or a gateway without room, is a problem.
 */
import { type Action, type ActionFailure, availableActions } from '../domain/action.ts'
import type { User } from '../domain/change.ts'
import type { PatternCompiler } from '../domain/condition.ts'
import { EVERY_CATALOG } from '../domain/matching.ts'
import { type Locales, type LocalisedText, type Message, messageFor } from '../domain/message.ts'
import type { NeutralMessage } from '../domain/notification.ts'
import { Problem } from '../domain/problem.ts'
import { ownText } from '../domain/texts.ts'
import type { Configurations } from './configuration.ts'
import type { InFlight } from './in-flight.ts'
import { type ActionView, viewOf } from './manage-actions.ts'
import type { Clock, Ids, Journal } from './ports.ts'
import type { Actions, Records, StoredRecord } from './store.ts'

/** Room for actions under way. Their own, so that slow endpoints take none from approvals. */
export const ACTIONS_IN_FLIGHT_MAX = 500

export type ActionCall = {
  readonly action: Action
  readonly message: NeutralMessage
  readonly requestId: string
  readonly traceparent: string | undefined
}

export type ActionOutcome = {
  /** Null when it was done. */
  readonly failure: ActionFailure | null
  /** What the endpoint said, before a language is chosen. */
  readonly message: Message | LocalisedText | undefined
  /** Undefined when no reply came. */
  readonly httpStatus: number | undefined
  readonly durationMs: number
}

/** Settles within the action's own limit and never rejects. */
export interface ActionRunner {
  run(call: ActionCall): Promise<ActionOutcome>
}

type MenuPorts = {
  readonly actions: Actions
  readonly records: Records
  readonly compilePattern: PatternCompiler
}

export type RunActionPorts = MenuPorts & {
  readonly configurations: Configurations
  readonly actionRunner: ActionRunner
  readonly actionsInFlight: InFlight
  readonly ids: Ids
  readonly clock: Clock
  readonly journal: Journal
}

export type MenuRequest = {
  readonly accountId: string
  readonly catalogId: string
  readonly recordId: string
  readonly user: User | undefined
}

export type RunRequest = MenuRequest & {
  readonly actionId: string
  readonly requestId: string
  readonly locales: Locales
  readonly traceparent: string | undefined
}

export type ActionResult = {
  readonly status: 'done' | 'failed'
  readonly message?: Message | undefined
  readonly httpStatus?: number | undefined
  readonly durationMs: number
}

/** The actions whose conditions all hold for the record as it is. */
export async function menuOf(
  { accountId, catalogId, recordId, user }: MenuRequest,
  { actions, records, compilePattern }: MenuPorts,
): Promise<readonly ActionView[]> {
  const record = await recordOf(records, { accountId, catalogId, recordId })
  const all = await actions.ofCatalog(accountId, catalogId)
  return availableActions(all, record, user, compilePattern).map(viewOf)
}

export async function runAction(request: RunRequest, ports: RunActionPorts): Promise<ActionResult> {
  const leave = ports.actionsInFlight.enter(request.accountId, null)
  try {
    const { action, record } = await actionToRun(request, ports)
    const message = await messageAbout({ action, record, user: request.user }, ports)
    const { requestId, traceparent } = request
    const call = { action, message, requestId, traceparent }
    const outcome = await ports.actionRunner.run(call)
    note(request, outcome, ports.journal)
    return resultOf(action, outcome, request.locales)
  } finally {
    leave()
  }
}

type RecordName = Pick<MenuRequest, 'accountId' | 'catalogId' | 'recordId'>

async function recordOf(
  records: Records,
  { accountId, catalogId, recordId }: RecordName,
): Promise<StoredRecord> {
  const record = await records.read(accountId, catalogId, recordId)
  if (record === null) throw new Problem('record_not_found')
  return record
}

async function actionToRun(
  request: RunRequest,
  { actions, records, compilePattern }: MenuPorts,
): Promise<{ readonly action: Action; readonly record: StoredRecord }> {
  const { accountId, catalogId, actionId } = request
  const action = await actions.read(accountId, actionId)
  const isOfCatalog = action?.catalogId === catalogId || action?.catalogId === EVERY_CATALOG
  if (action === null || !isOfCatalog) throw new Problem('not_found')
  const record = await recordOf(records, request)
  if (availableActions([action], record, request.user, compilePattern).length === 0) {
    throw new Problem('action_not_available', {
      detail: 'Its conditions do not hold for the record as it is now.',
    })
  }
  return { action, record }
}

type Press = {
  readonly action: Action
  readonly record: StoredRecord
  readonly user: User | undefined
}

async function messageAbout(
  { action, record, user }: Press,
  { configurations, ids, clock }: RunActionPorts,
): Promise<NeutralMessage> {
  const { accountNumber } = await configurations.of(action.accountId)
  const nowMs = clock.wallMs()
  return {
    // Of its own making: an action's id may hold what no header takes.
    id: ids.make('evt'),
    event: 'action.run',
    occurredAtMs: nowMs,
    accountId: action.accountId,
    accountNumber,
    catalogId: record.catalogId,
    recordId: record.id,
    values: record.values,
    prevValues: undefined,
    allValues: undefined,
    changedFields: [],
    user,
    context: { actionId: action.id, actionTitle: action.title },
    sequenceId: null,
    subscriptionId: action.id,
    decisionId: undefined,
    dryRun: false,
    deadlineAtMs: nowMs + action.timeoutMs,
  }
}

function note(
  { accountId, catalogId, recordId, actionId, requestId }: RunRequest,
  { failure, httpStatus, durationMs }: ActionOutcome,
  journal: Journal,
): void {
  journal.record({
    kind: 'action.ended',
    requestId,
    accountId,
    actionId,
    catalogId,
    recordId,
    status: failure === null ? 'done' : 'failed',
    cause: failure ?? undefined,
    httpStatus,
    durationMs,
  })
}

/** A failure is always told in words: where the endpoint has none, in ours. */
function resultOf(
  { title }: Action,
  { failure, message, httpStatus, durationMs }: ActionOutcome,
  locales: Locales,
): ActionResult {
  const said = message === undefined ? undefined : messageFor(message, locales)
  const hasSaid = said !== undefined && said.text !== ''
  const own = failure === null ? undefined : ownText(failure, title, locales)
  return {
    status: failure === null ? 'done' : 'failed',
    message: hasSaid ? said : own,
    httpStatus,
    durationMs,
  }
}
