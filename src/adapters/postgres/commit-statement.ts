/**
 * The statement that commits. It carries many items at once, each of which succeeds or fails by
 * itself: the gate drops those whose configuration moved or whose key was used, the writes drop those
 * whose record is not what the plan saw, and only what passed both leaves a decision, a kept answer, an
 * event and its outbox pointer. Nothing of an item that did not pass is stored.
 *
 * One item can still break the statement for all (a key stored by another gateway a moment ago, two
 * gateways inserting in turns); the batcher then sends its items one by one.
 *
 * A single json parameter carries the items: PostgreSQL takes it apart as fast as two dozen arrays, and
 * record values travel through it without being escaped twice.
 */
import type { CommitItem, CommitResult, DecisionEntry } from '../../app/store.ts'
import type { Decision } from '../../domain/decision.ts'
import type { Verdict } from '../../domain/verdict.ts'
import { waitingEntries } from './audit-log.ts'
import {
  CURRENT,
  DECIDED,
  DEFINED,
  DELETED,
  EXCEPTED,
  gatePart,
  HANDED_OUT,
  HAPPENED,
  INSERTED,
  type IsNeeded,
  itemPart,
  KEPT,
  LOCKED,
  NEEDS,
  passedPart,
  resultPart,
  UPDATED,
} from './commit-parts.ts'
import type { Statement } from './database.ts'
import { eventRows, POINTED } from './event-parts.ts'

function needsOf(item: CommitItem): number {
  const { write, events, keep, pending } = item
  let needs = item.insistsOnGeneration ? NEEDS.generation : 0
  if (write !== null) needs |= write.kind === 'insert' ? NEEDS.insert : NEEDS.replace
  if (events.length > 0) needs |= NEEDS.event
  const isExcepted = item.exceptions.length > 0
  if (keep !== null || pending !== null || item.definesCatalog || isExcepted) {
    needs |= NEEDS.rare
  }
  return needs
}

const statements = new Map<number, Statement>()

/** The statement for these items. */
export function commitStatement(items: readonly CommitItem[]): Statement {
  return statementFor(items.reduce((needs, item) => needs | needsOf(item), 0))
}

function statementFor(needs: number): Statement {
  const known = statements.get(needs)
  if (known !== undefined) return known
  const made = { name: `commit_${needs}`, text: textFor((need) => (needs & NEEDS[need]) !== 0) }
  statements.set(needs, made)
  return made
}

/** For decisions without a record, a key or an event: what the decision log stores. */
export const LOG = statementFor(0)

function textFor(isNeeded: IsNeeded): string {
  const parts = [
    itemPart(isNeeded),
    isNeeded('generation') && CURRENT,
    gatePart(isNeeded),
    isNeeded('insert') && INSERTED,
    ...(isNeeded('replace') ? [LOCKED, UPDATED, DELETED] : []),
    passedPart(isNeeded),
    DECIDED,
    ...(isNeeded('rare') ? [KEPT, HANDED_OUT, DEFINED, EXCEPTED] : []),
    ...(isNeeded('event') ? [HAPPENED, POINTED] : []),
  ]
  return `with ${parts.filter(Boolean).join(',\n')}\n${resultPart(isNeeded)}`
}

export type CommitRow = { readonly ord: number; readonly result: CommitResult }

/**
 * One item as the statement reads it; members that are undefined arrive as SQL nulls. One literal with all
 * members, because this is made for every commit, and an object put together from parts costs ten times
 * as much.
 */
export function commitRow(item: CommitItem, ord: number): object {
  const { entry, write, events, keep, pending } = item
  const { change, decision } = entry
  const expected = write === null || write.kind === 'insert' ? undefined : write.expected
  return {
    ord,
    account: entry.accountId,
    id: entry.id,
    generation: entry.generation,
    insists: item.insistsOnGeneration,
    op: write?.kind,
    record_id: write?.recordId,
    values: write === null || write.kind === 'delete' ? undefined : write.values,
    version: expected?.version,
    origin: expected?.origin,
    defines: item.definesCatalog,
    event: change.event,
    catalog_id: change.catalogId,
    change_record_id: change.recordId,
    decision: decision.decision,
    commit_mode: entry.commitMode,
    degraded: decision.degraded,
    version_before: entry.versionBefore,
    version_after: entry.versionAfter,
    asked: decision.verdicts.map(({ subscriptionId }) => subscriptionId),
    request_id: entry.requestId,
    detail: detailOf(entry),
    decided_at: entry.decidedAt,
    key: keep?.key,
    fingerprint: keep?.fingerprint,
    status: keep?.status,
    body: keep?.body,
    token_hash: pending?.tokenHash,
    expires_at: pending?.expiresAt,
    pending_change: pending?.change ?? undefined,
    values_digest: pending?.valuesDigest,
    exceptions: item.exceptions.length === 0 ? undefined : waitingEntries(item),
    events: events.length === 0 ? undefined : eventRows(events),
  }
}

/** What is kept of a decision beside what it can be searched by. */
export type DecisionDetail = ReturnType<typeof detailOf>

function detailOf({ change, decision, considered, timeline, timing }: DecisionEntry) {
  return {
    values: change.values,
    prevValues: change.prevValues,
    allValues: change.allValues,
    changedFields: change.changedFields,
    user: change.user,
    context: change.context,
    message: decision.message,
    errors: decision.errors,
    warnings: decision.warnings,
    infos: decision.infos,
    verdicts: decision.verdicts as readonly Verdict[],
    suggestions: decision.suggestions,
    suggestedBy: decision.suggestedBy as Decision['suggestedBy'] | undefined,
    conflicts: decision.conflicts,
    considered,
    timeline,
    timing,
  }
}

/**
 * Bars a commit whose outcome nobody knows (see approvals.ts) and tells what is there now: `void` is the
 * bar, also one from an earlier try whose answer was lost; anything else is the decision itself.
 */
export const BAR: Statement = {
  name: 'bar_commit',
  text: `insert into decisions (account, id, event, catalog_id, decision, committed, commit_mode, degraded,
    generation, asked, request_id, detail, decided_at)
  values ($1, $2, '', '', 'void', false, 'none', false, 0, '{}', '', '{}', now())
  on conflict (account, id) do update set id = excluded.id
  returning decision`,
}

export type BarRow = { readonly decision: string }

export const AMEND: Statement = {
  name: 'amend_verdicts',
  text: `update decisions d set detail = jsonb_set(d.detail::jsonb, '{verdicts}', i.verdicts)::json
    from json_to_recordset($1::json) as i(account text, id text, verdicts jsonb)
   where d.account = i.account and d.id = i.id`,
}
