/** What is kept of a decision, and what the caller reads of it (CONTRACT.md §3). */
import type { Decision, Finding } from '../domain/decision.ts'
import { unreachable } from '../domain/problem.ts'
import { redacted, redactedChange } from '../domain/redaction.ts'
import type { Subscription } from '../domain/subscription.ts'
import type { Values } from '../domain/values.ts'
import type { Verdict } from '../domain/verdict.ts'
import type { Asked } from './ask-validators.ts'
import type { Conclusion } from './conclude.ts'
import type { Clock, Vault } from './ports.ts'
import type { Prepared } from './prepare-change.ts'
import type { DecisionEntry, PendingApproval, RecordWrite, TimelineEntry } from './store.ts'

export type ApproveResponse = {
  readonly id: string
  readonly decision: Decision['decision']
  readonly committed: boolean
  readonly degraded?: true | undefined
  readonly record?: RecordView | undefined
  readonly message?: Finding['message'] | undefined
  readonly errors: readonly Finding[]
  readonly warnings: readonly Finding[]
  readonly infos: readonly Finding[]
  readonly values?: Values | undefined
  readonly suggestedBy?: Decision['suggestedBy'] | undefined
  readonly conflicts?: Decision['conflicts'] | undefined
  readonly confirmations?: Decision['confirmations'] | undefined
  readonly verdicts: readonly Verdict[]
  readonly approval?: { readonly token: string; readonly expiresAt: string } | undefined
  readonly timing: {
    readonly totalMs: number
    readonly validatorsMs: number
    readonly commitMs: number
  }
}

type RecordView = {
  readonly id: string
  readonly catalogId: string
  readonly version: number
  readonly values: Values
}

export type ApprovalToken = { readonly token: string; readonly pending: PendingApproval }

export function entryOf(
  conclusion: Conclusion,
  write: RecordWrite | null,
  { clock, vault }: { readonly clock: Clock; readonly vault: Vault },
): DecisionEntry {
  const { command, deadline, plan } = conclusion
  const { prepared, inquiry } = conclusion.round
  const { change, decision, timeline } = keptOf(conclusion, vault)
  return {
    id: inquiry.decisionId,
    accountId: command.accountId,
    change,
    commitMode: command.commit,
    decision,
    committed: write !== null,
    generation: plan.generation,
    versionBefore: prepared.stored?.version ?? null,
    versionAfter: write === null ? null : versionAfter(write),
    considered: plan.considered,
    timeline,
    timing: {
      decidedMs: rounded(clock.monotonicMs() - deadline.startedAt),
      validatorsMs: validatorsMs(conclusion),
      timeoutMs: command.timeoutMs,
    },
    requestId: command.requestId,
    decidedAt: new Date(clock.wallMs()).toISOString(),
  }
}

/** What its catalog lets a decision keep. */
function keptOf(
  { round, plan, asked, decision }: Conclusion,
  vault: Vault,
): Pick<DecisionEntry, 'change' | 'decision' | 'timeline'> {
  const { change } = round.prepared
  const timeline = timelineOf(plan.asked, asked)
  const rules = round.configuration.catalogs.get(change.catalogId)?.redact
  if (rules === undefined) return { change, decision, timeline }
  const fingerprint = (text: string) => vault.tag('redaction', `${change.accountId}\n${text}`)
  const suggestions = redacted(decision.suggestions, rules, fingerprint)
  return {
    change: redactedChange(change, rules, fingerprint),
    decision: { ...decision, suggestions },
    // A reply that was none may quote anything.
    timeline: timeline.map((one) => ({ ...one, detail: undefined })),
  }
}

function timelineOf(subscriptions: readonly Subscription[], asked: Asked): TimelineEntry[] {
  return subscriptions.map((subscription, index) => {
    const timed = asked.answers[index]
    const startedMs = timed?.startedMs ?? 0
    return {
      subscriptionId: subscription.id,
      startedMs: rounded(startedMs),
      endedMs: rounded(startedMs + (timed?.durationMs ?? 0)),
      detail: timed?.answer.kind === 'failed' ? timed.answer.detail : undefined,
    }
  })
}

/** The version that the record has after the write; for a delete the one that it had. */
function versionAfter(write: RecordWrite): number {
  switch (write.kind) {
    case 'insert':
      return 1
    case 'update':
      return write.expected.version + 1
    case 'delete':
      return write.expected.version
    default:
      return unreachable(write)
  }
}

/** From the first call's start, of whichever round, to the last answer that the decision waited for. */
function validatorsMs({ asked, firstAskedMs }: Conclusion): number {
  const ends = asked.answers.map(({ startedMs, durationMs }) => startedMs + durationMs)
  if (ends.length === 0 || firstAskedMs === null) return 0
  return rounded(Math.max(...ends) - firstAskedMs)
}

/** A hundredth of a millisecond is more than anybody reads. */
export const rounded = (ms: number): number => Math.round(ms * 100) / 100

export type Concluded = {
  readonly entry: DecisionEntry
  readonly write: RecordWrite | null
  readonly token: ApprovalToken | null
  readonly timing: ApproveResponse['timing']
}

export function responseOf(
  { round: { prepared, amended }, decision }: Conclusion,
  { entry, write, token, timing }: Concluded,
): ApproveResponse {
  const isUpdating = prepared.change.event === 'record.updating'
  const hasValues = isUpdating || amended !== null
  return {
    id: entry.id,
    decision: decision.decision,
    committed: entry.committed,
    degraded: decision.degraded || undefined,
    record: write === null ? undefined : recordView(write, prepared, versionAfter(write)),
    message: decision.message,
    errors: decision.errors,
    warnings: decision.warnings,
    infos: decision.infos,
    values: hasValues ? (amended ?? decision.suggestions) : undefined,
    suggestedBy: hasValues ? decision.suggestedBy : undefined,
    conflicts: hasValues ? decision.conflicts : undefined,
    confirmations: decision.decision === 'confirm' ? decision.confirmations : undefined,
    verdicts: decision.verdicts,
    approval:
      token === null ? undefined : { token: token.token, expiresAt: token.pending.expiresAt },
    timing,
  }
}

function recordView(write: RecordWrite, prepared: Prepared, version: number): RecordView {
  const values = write.kind === 'delete' ? (prepared.stored?.values ?? {}) : write.values
  return { id: write.recordId, catalogId: prepared.change.catalogId, version, values }
}
