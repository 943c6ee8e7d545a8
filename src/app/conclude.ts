/**
 * The end of an approval: the decision is stored, on allow together with the record and its event in one
 * transaction, and becomes the answer.
 *
 * Who waits for the database: an allow that writes (it must be durable before the answer leaves), an allow
 * whose commit the caller makes (its token must be redeemable), whatever is kept under an idempotency key,
 * and what somebody is told of. Any other decision is logged behind the answer; reads of decisions wait for
 * that log.
 */
import type { Deadline } from '../domain/deadline.ts'
import { type Decision, decide } from '../domain/decision.ts'
import { degradedEvent, failedOpen } from '../domain/degraded.ts'
import { type CommittedEvent, committedEvents } from '../domain/notification.ts'
import type { Plan } from '../domain/plan.ts'
import { Problem, unreachable } from '../domain/problem.ts'
import { canonicalJson } from '../domain/values.ts'
import type { Verdict } from '../domain/verdict.ts'
import { type ApprovalToken, type ApproveResponse, entryOf, responseOf, rounded } from './answer.ts'
import type { ApproveCommand, Keep, Round } from './approve.ts'
import type { Asked } from './ask-validators.ts'
import { valuesDigestOf } from './commit-approval.ts'
import type { Configurations } from './configuration.ts'
import { confirmationDesk } from './confirmations.ts'
import { exceptionsOf } from './exceptions.ts'
import { named, weigh } from './name-events.ts'
import type { ApprovalSigner, Clock, Ids, Journal, Vault } from './ports.ts'
import { writeFor } from './prepare-change.ts'
import type {
  Approvals,
  CommitItem,
  CommitResult,
  DecisionEntry,
  KeptAnswer,
  KeptAnswers,
} from './store.ts'

/** A decision of now, or the answer that an earlier request with the same key got. */
export type Answered =
  | {
      readonly kind: 'decided'
      readonly response: ApproveResponse
      readonly kept: KeptAnswer | null
    }
  | { readonly kind: 'replayed'; readonly kept: KeptAnswer }

export type ConcludePorts = {
  readonly approvals: Approvals
  readonly keptAnswers: KeptAnswers
  readonly configurations: Configurations
  readonly clock: Clock
  readonly ids: Ids
  readonly vault: Vault
  readonly approvalSigner: ApprovalSigner
  readonly journal: Journal
  /** Tells the relay that there is something to deliver. */
  readonly onCommitted: () => void
}

export type Conclusion = {
  readonly command: ApproveCommand
  readonly deadline: Deadline
  readonly plan: Plan
  readonly asked: Asked
  readonly decision: Decision
  readonly rounds: number
  /** The last look at the change, which the decision was made on. */
  readonly round: Round
  /** When the first validator of all rounds was asked, in milliseconds of the change; null: nobody was. */
  readonly firstAskedMs: number | null
}

/** How long a caller may take for its own commit. */
const APPROVAL_VALID_MS = 60_000

export async function conclude(
  conclusion: Conclusion,
  ports: ConcludePorts,
): Promise<Answered | 'configuration_changed'> {
  const draft = draftOf(conclusion, ports)
  if (isStored(draft.item)) {
    const result = await store(draft, conclusion, ports)
    if (result !== 'committed') return settleConflict(result, conclusion, ports)
  } else {
    ports.approvals.log(draft.item.entry)
  }
  if (draft.item.events.length > 0) ports.onCommitted()
  amendWhenLate(conclusion, ports)
  const response = draft.frozen ?? answerNow(draft, conclusion, ports)
  report(response, draft, conclusion, ports)
  return { kind: 'decided', response, kept: draft.kept }
}

/** Whether the answer waits until it is durable. */
const isStored = ({ write, pending, keep, events }: CommitItem): boolean =>
  write !== null || pending !== null || keep !== null || events.length > 0

type Draft = {
  readonly item: CommitItem
  readonly token: ApprovalToken | null
  /**
   * An answer that is kept under a key is frozen before the commit, so that every replay is the same to
   * the byte; it tells no commit time. Any other is made afterwards, and tells what it took.
   */
  readonly frozen: ApproveResponse | null
  readonly kept: KeptAnswer | null
  readonly sentAt: number
}

function draftOf(conclusion: Conclusion, ports: ConcludePorts): Draft {
  const { command, plan, round, decision } = conclusion
  const { prepared, configuration } = round
  const { change } = prepared
  const isAllowed = decision.decision === 'allow'
  const write = isAllowed ? writeFor(command, prepared, () => ports.ids.make('rec')) : null
  const token =
    isAllowed && command.commit === 'caller' && change.event !== 'record.updating'
      ? newToken(conclusion, ports)
      : null
  const entry = entryOf(conclusion, write, ports)
  const { keep } = command
  const frozen =
    keep === null ? null : responseOf(conclusion, { entry, write, token, timing: early(entry) })
  const kept = keep === null || frozen === null ? null : keptAnswer(keep, frozen)
  // A caller that has committed by itself cannot be refused any more, so this is seen now.
  const meant = write !== null || token !== null ? meantBy(conclusion, write?.recordId) : NO_EVENTS
  const committed = write === null ? NO_EVENTS : meant
  const told = decision.degraded ? [...committed, ...degradedBy(conclusion, write)] : committed
  const events = named(told, ports.ids)
  const item: CommitItem = {
    entry,
    write,
    events,
    insistsOnGeneration: isAllowed && plan.change.event !== 'record.updating',
    keep: kept,
    pending: token?.pending ?? null,
    definesCatalog: write !== null && !configuration.catalogs.has(change.catalogId),
    exceptions: write !== null || token !== null ? exceptionsOf(conclusion) : [],
  }
  return { item, token, frozen, kept, sentAt: ports.clock.monotonicMs() }
}

const NO_EVENTS: readonly CommittedEvent[] = []

/** What the change gives rise to, of which somebody is told. */
function meantBy(
  { round: { prepared, configuration, inquiry } }: Conclusion,
  recordId: string | undefined,
): readonly CommittedEvent[] {
  const { decisionId } = inquiry
  const { index, eventTypes } = configuration
  const events = committedEvents(prepared.change, { recordId, decisionId, index, eventTypes })
  weigh(events)
  return events
}

/**
 * That a policy let the change through. It is told where the decision counts: also before the caller's own
 * commit, which may never come, since who was passed by is passed by; not of a dry run.
 */
function degradedBy(
  { command, decision, round }: Conclusion,
  write: CommitItem['write'],
): readonly CommittedEvent[] {
  if (decision.decision !== 'allow' || command.commit === 'none') return NO_EVENTS
  const { prepared, configuration, inquiry } = round
  const { decisionId } = inquiry
  const passedBy = failedOpen(decision.verdicts)
  const told = { change: prepared.change, recordId: write?.recordId, decisionId, passedBy }
  const event = degradedEvent(told, configuration.index)
  return event === null ? NO_EVENTS : [event]
}

const early = ({ timing }: DecisionEntry): ApproveResponse['timing'] => ({
  totalMs: timing.decidedMs,
  validatorsMs: timing.validatorsMs,
  commitMs: 0,
})

/** What is signed is shown to others; that it is redeemed once is the database's, which knows its hash. */
function newToken(
  { round: { prepared, inquiry, configuration } }: Conclusion,
  { approvalSigner, vault, clock }: ConcludePorts,
): ApprovalToken {
  const { event, accountId, catalogId, recordId, values } = prepared.change
  const expiresAtMs = clock.wallMs() + APPROVAL_VALID_MS
  const approved = canonicalJson({ event, catalogId, recordId, values })
  const token = approvalSigner.sign({
    jti: inquiry.decisionId,
    acc: accountId,
    event,
    cat: catalogId,
    rec: recordId,
    dig: Buffer.from(vault.sha256(approved), 'hex').toString('base64url'),
    iat: Math.floor(clock.wallMs() / 1_000),
    exp: Math.floor(expiresAtMs / 1_000),
  })
  const expiresAt = new Date(expiresAtMs).toISOString()
  const isRedacted = configuration.catalogs.get(catalogId)?.redact !== undefined
  return {
    token,
    pending: {
      tokenHash: vault.sha256(token),
      expiresAt,
      change: isRedacted ? prepared.change : null,
      valuesDigest: valuesDigestOf(values, vault),
    },
  }
}

async function store(
  draft: Draft,
  { command, round: { configuration } }: Conclusion,
  ports: ConcludePorts,
): Promise<CommitResult> {
  const result = await ports.approvals.commit(draft.item, () => !command.presence.isGone())
  if (result === 'committed' && draft.item.definesCatalog) {
    ports.configurations.noteCatalog(configuration.accountId, command.catalogId)
  }
  return result
}

async function settleConflict(
  result: Exclude<CommitResult, 'committed'>,
  { command }: Conclusion,
  ports: ConcludePorts,
): Promise<Answered | 'configuration_changed'> {
  switch (result) {
    case 'configuration_changed':
      return 'configuration_changed'
    case 'key_taken':
      return replay(command, ports)
    case 'record_exists':
      throw new Problem('record_exists')
    case 'version_conflict':
      throw new Problem('version_conflict', {
        detail: 'The record was changed while validators were asked. Nothing was written.',
      })
    case 'withdrawn':
      throw new Problem('client_gone')
    default:
      return unreachable(result)
  }
}

function keptAnswer({ key, fingerprint, render }: Keep, response: ApproveResponse): KeptAnswer {
  const { status, body } = render(response)
  return { key, fingerprint, status, body }
}

/** Another gateway was first with the same key: its answer is the answer. */
async function replay(
  { accountId, keep }: ApproveCommand,
  ports: ConcludePorts,
): Promise<Answered> {
  const kept = keep && (await ports.keptAnswers.find(accountId, keep.key))
  if (!keep || !kept) throw new Problem('idempotency_in_progress', { retryAfterSeconds: 1 })
  if (kept.fingerprint !== keep.fingerprint) throw new Problem('idempotency_key_reused')
  return { kind: 'replayed', kept }
}

/** Shadow validators that were still out report to the log when they are done. */
function amendWhenLate(conclusion: Conclusion, ports: ConcludePorts): void {
  const { command, plan, asked, round } = conclusion
  if (asked.late === null) return
  const { accountId } = command
  const { decisionId } = round.inquiry
  // What was confirmed for the answer stays confirmed in the log.
  const desk = confirmationDesk(command.confirm, ports)
  void asked.late.then((answers) => {
    const { verdicts } = decide({ plan, answers, locales: command.locales, desk })
    ports.approvals.amend(accountId, decisionId, verdicts)
    const wasOut = (_: Verdict, index: number) =>
      asked.answers[index]?.answer.kind === 'cancelled' && plan.asked[index]?.mode === 'shadow'
    const late = verdicts.filter(wasOut)
    ports.journal.record({ kind: 'approval.amended', decisionId, accountId, verdicts: late })
  })
}

function answerNow(
  { item, token, sentAt }: Draft,
  conclusion: Conclusion,
  { clock }: ConcludePorts,
): ApproveResponse {
  const now = clock.monotonicMs()
  const { entry, write } = item
  const timing = {
    totalMs: rounded(now - conclusion.deadline.startedAt),
    validatorsMs: entry.timing.validatorsMs,
    commitMs: isStored(item) ? rounded(now - sentAt) : 0,
  }
  return responseOf(conclusion, { entry, write, token, timing })
}

function report(
  response: ApproveResponse,
  { item, sentAt }: Draft,
  { command, deadline, round, rounds }: Conclusion,
  { journal, clock }: ConcludePorts,
): void {
  const { requestId, accountId, event, catalogId, commit } = command
  journal.record({
    kind: 'approval.decided',
    decisionId: response.id,
    requestId,
    accountId,
    event,
    catalogId,
    recordId: response.record?.id ?? round.prepared.change.recordId,
    decision: response.decision,
    commit,
    committed: response.committed,
    degraded: response.degraded === true,
    rounds,
    verdicts: response.verdicts,
    totalMs: clock.monotonicMs() - deadline.startedAt,
    validatorsMs: response.timing.validatorsMs,
    // The answer that is kept under a key tells none.
    commitMs: isStored(item) ? clock.monotonicMs() - sentAt : 0,
  })
}
