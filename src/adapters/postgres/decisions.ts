import { sql } from 'kysely'
import type { Decisions, DecisionView } from '../../app/decision-store.ts'
import type { CallerApproval, CallerApprovals, KeptAnswers } from '../../app/store.ts'
import type { Change, ChangeEvent, CommitMode } from '../../domain/change.ts'
import { notificationsOf } from '../../domain/notification.ts'
import type { DecisionDetail } from './commit-statement.ts'
import type { Database, Statement } from './database.ts'
import { eventParameter, HAPPENED_BESIDE, POINTED } from './event-parts.ts'
import { findDecisions, selectDecisions } from './find-decisions.ts'
import { orUnavailable } from './sqlstate.ts'
import { toldOf } from './told-of-decision.ts'

/** Reads wait for what was answered but is not stored yet: every decision that was answered can be read. */
export function createDecisions(database: Database, flush: () => Promise<void>): Decisions {
  return {
    read: async (accountId, decisionId) => {
      await flush()
      const row = await orUnavailable(
        selectDecisions(database, accountId).where('d.id', '=', decisionId).executeTakeFirst(),
      )
      return row === undefined ? null : viewOf(row as Row)
    },
    list: async (accountId, filter, page) => {
      await flush()
      const rows = await findDecisions(database, accountId, filter, page)
      return rows.map((row) => viewOf(row as Row))
    },
    told: (accountId, decisionId) => toldOf(database, accountId, decisionId),
  }
}

type Row = {
  readonly id: string
  readonly event: string
  readonly catalog_id: string
  readonly record_id: string | null
  readonly decision: string
  readonly committed: boolean
  readonly commit_mode: string
  readonly degraded: boolean
  readonly generation: number
  readonly version_before: number | null
  readonly version_after: number | null
  readonly request_id: string
  readonly detail: DecisionDetail
  readonly decided_at: Date
  readonly state: string | null
  readonly committed_record_id: string | null
}

function viewOf(row: Row): DecisionView {
  const { detail } = row
  return {
    id: row.id,
    event: row.event,
    catalogId: row.catalog_id,
    recordId: row.record_id ?? row.committed_record_id,
    decision: row.decision as DecisionView['decision'],
    committed: row.committed || row.state === 'committed',
    commit: row.commit_mode as CommitMode,
    state: row.state as DecisionView['state'],
    degraded: row.degraded,
    generation: row.generation,
    versionBefore: row.version_before,
    versionAfter: row.version_after,
    user: detail.user ?? null,
    values: detail.values ?? null,
    prevValues: detail.prevValues ?? null,
    changedFields: detail.changedFields,
    context: detail.context ?? null,
    message: detail.message ?? null,
    errors: detail.errors,
    warnings: detail.warnings,
    infos: detail.infos,
    verdicts: detail.verdicts,
    suggestions: detail.suggestions,
    // What was decided by a build before has none.
    suggestedBy: detail.suggestedBy ?? {},
    conflicts: detail.conflicts,
    considered: detail.considered,
    timeline: detail.timeline,
    timing: detail.timing,
    requestId: row.request_id,
    decidedAt: row.decided_at.toISOString(),
  }
}

const FIND_KEPT: Statement = {
  name: 'find_kept_answer',
  text: `select key, fingerprint, status, body, expires_at <= now() as expired
    from kept_answers where account = $1 and key = $2`,
}

const FORGET_KEPT: Statement = {
  name: 'forget_kept_answer',
  text: 'delete from kept_answers where account = $1 and key = $2 and expires_at <= now()',
}

type KeptRow = {
  readonly key: string
  readonly fingerprint: string
  readonly status: number
  readonly body: string
  readonly expired: boolean
}

export function createKeptAnswers(database: Database): KeptAnswers {
  return {
    find: async (accountId, key) => {
      const [row] = await orUnavailable(
        database.of(accountId).run<KeptRow>(FIND_KEPT, [accountId, key]),
      )
      if (row === undefined) return null
      if (row.expired) {
        await orUnavailable(database.of(accountId).run(FORGET_KEPT, [accountId, key]))
        return null
      }
      const { fingerprint, status, body } = row
      return { key, fingerprint, status, body }
    },
  }
}

const COMMIT_CALLER: Statement = {
  name: 'commit_caller_approval',
  text: `
with done as (
  update caller_approvals set state = 'committed', record_id = $3, notifications = $4, change = null
   where account = $1 and decision_id = $2 and state = 'pending' and expires_at > now()
  returning account
),
-- A record that got its id on creation is found by it.
named as (
  update decisions d set record_id = $3
    from done where d.account = $1 and d.id = $2 and d.record_id is null and $3::text is not null
),
${HAPPENED_BESIDE(5)},
${POINTED}
select account from done`,
}

export function createCallerApprovals(database: Database): CallerApprovals {
  return {
    read: async (accountId, decisionId) => {
      const row = await orUnavailable(
        database
          .of(accountId)
          .kysely.selectFrom('caller_approvals as c')
          .innerJoin('decisions as d', (join) =>
            join.onRef('d.account', '=', 'c.account').onRef('d.id', '=', 'c.decision_id'),
          )
          .selectAll('c')
          .select(['d.event', 'd.catalog_id', 'd.record_id as asked_record_id', 'd.detail'])
          .select(sql<boolean>`c.expires_at <= now()`.as('expired'))
          .where('c.account', '=', accountId)
          .where('c.decision_id', '=', decisionId)
          .executeTakeFirst(),
      )
      return row === undefined ? null : approvalOf(row as ApprovalRow)
    },
    commit: async (accountId, decisionId, recordId, events) => {
      const count = notificationsOf(events)
      const values = [accountId, decisionId, recordId, count, eventParameter(events)]
      const rows = await orUnavailable(database.of(accountId).run(COMMIT_CALLER, values))
      return rows.length > 0
    },
    abort: async (accountId, decisionId) => {
      const { numUpdatedRows } = await orUnavailable(
        database
          .of(accountId)
          .kysely.updateTable('caller_approvals')
          .set({ state: 'aborted', change: null })
          .where('account', '=', accountId)
          .where('decision_id', '=', decisionId)
          .where('state', '=', 'pending')
          .executeTakeFirst(),
      )
      return numUpdatedRows > 0n
    },
  }
}

type ApprovalRow = {
  readonly account: string
  readonly decision_id: string
  readonly state: string
  readonly token_hash: string
  readonly expired: boolean
  readonly record_id: string | null
  readonly notifications: number
  readonly event: string
  readonly catalog_id: string
  readonly asked_record_id: string | null
  readonly detail: DecisionDetail
  readonly change: unknown
  readonly values_digest: string | null
}

function approvalOf(row: ApprovalRow): CallerApproval {
  const { detail } = row
  const kept: Change = {
    event: row.event as ChangeEvent,
    accountId: row.account,
    catalogId: row.catalog_id,
    recordId: row.asked_record_id ?? undefined,
    values: detail.values,
    prevValues: detail.prevValues,
    allValues: detail.allValues,
    changedFields: detail.changedFields,
    user: detail.user,
    context: detail.context,
  }
  return {
    decisionId: row.decision_id,
    state: row.state as CallerApproval['state'],
    tokenHash: row.token_hash,
    isExpired: row.expired,
    change: row.change === null ? kept : (row.change as Change),
    valuesDigest: row.values_digest,
    committedRecordId: row.record_id,
    notifications: row.notifications,
  }
}
