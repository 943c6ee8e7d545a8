/**
 * The one use case that matters: a change is asked about, decided and, on allow, committed.
 *
 * Nothing is held in the database while validators think. The plan is made under one generation of the
 * account's configuration, and the commit insists on that generation and on the record's version: a
 * record that changed meanwhile is a 409; a configuration that changed is planned again, and only those
 * who are new or changed are asked again. A denial is an answer; only broken promises of our own throw.
 */
import { type Chain, extendChain, recordKey } from '../domain/chain.ts'
import {
  type ChangeEvent,
  type CommitMode,
  type User,
  valuesToBe,
  withValues,
} from '../domain/change.ts'
import { type Deadline, deadlineFrom } from '../domain/deadline.ts'
import { type Decision, decide } from '../domain/decision.ts'
import type { Locales } from '../domain/message.ts'
import { type Plan, planFor } from '../domain/plan.ts'
import { Problem } from '../domain/problem.ts'
import { mayChangeField, type Subscription } from '../domain/subscription.ts'
import { withFittingValues } from '../domain/suggestions.ts'
import { deepEqual, type Values } from '../domain/values.ts'
import type { TimedAnswer } from '../domain/verdict.ts'
import type { ApproveResponse } from './answer.ts'
import { type Asked, askValidators, type Presence } from './ask-validators.ts'
import { type Answered, type ConcludePorts, conclude } from './conclude.ts'
import type { Configuration, Configurations } from './configuration.ts'
import { confirmationDesk } from './confirmations.ts'
import type { InFlight } from './in-flight.ts'
import type { Asker, ChainTokens, Inquiry, Vault } from './ports.ts'
import { checkValues, isGatewayWrite, type Prepared, prepareChange } from './prepare-change.ts'
import type { Records } from './store.ts'

export type ApproveCommand = {
  readonly accountId: string
  /** Who sends it. */
  readonly keyId: string
  readonly requestId: string
  /** How long it had to wait for its turn, which counts against its budget. */
  readonly waitedMs: number
  /** About what each validator is sent of it, in characters. */
  readonly size: number
  readonly event: ChangeEvent
  readonly catalogId: string
  readonly recordId: string | undefined
  readonly values: Values | undefined
  readonly prevValues: Values | undefined
  readonly allValues: Values | undefined
  readonly user: User | undefined
  readonly context: Values | undefined
  readonly baseVersion: number | undefined
  readonly commit: CommitMode
  readonly timeoutMs: number
  readonly denyGraceMs: number
  readonly confirm: readonly string[]
  readonly locales: Locales
  readonly chain: Chain
  readonly traceparent: string | undefined
  readonly presence: Presence
  readonly progress: Progress | undefined
  /** Under which idempotency key the answer is kept; null for none. */
  readonly keep: Keep | null
}

/** How an answer is kept for repeated requests: for which request, and how it reads on the wire. */
export type Keep = {
  readonly key: string
  readonly fingerprint: string
  readonly render: (response: ApproveResponse) => { readonly status: number; readonly body: string }
}

/** Told as it happens, to a person who watches. */
export type Progress = {
  readonly planned: (plan: Plan, decisionId: string) => void
  readonly answered: (subscription: Subscription, timed: TimedAnswer) => void
}

export type ApprovePorts = ConcludePorts & {
  readonly configurations: Configurations
  readonly records: Records
  readonly asker: Asker
  readonly vault: Vault
  readonly chainTokens: ChainTokens
  readonly inFlight: InFlight
  /** A subscriber said that it is gone: it is to be disabled, with that reason. */
  readonly onGone: (subscriptionId: string, accountId: string) => void
}

/** How often a plan is made anew because the configuration changed under it. */
const ROUNDS_MAX = 4

export async function approve(command: ApproveCommand, ports: ApprovePorts): Promise<Answered> {
  const startedAt = ports.clock.monotonicMs() - command.waitedMs
  const deadline = deadlineFrom(startedAt, command.timeoutMs)
  const { accountId, catalogId, recordId } = command
  const key = recordId === undefined ? null : recordKey(accountId, catalogId, recordId)
  const writes = isGatewayWrite(command)
  let leave = () => {}
  try {
    // Nobody has been asked: that is our fault, and no policy of a subscription is to judge it.
    if (command.waitedMs >= command.timeoutMs) {
      throw new Problem('overloaded', { retryAfterSeconds: 1 })
    }
    const chain = extendChain(command.chain, key, writes)
    leave = ports.inFlight.enter(accountId, writes ? key : null)
    const configuration = await currentConfiguration(ports.configurations, accountId)
    const prepared = await prepareChange(command, configuration, ports.records)
    return await deliberate({ command, ports, deadline, chain }, prepared, configuration)
  } catch (error) {
    reportFailure(command, ports, deadline, error)
    throw error
  } finally {
    leave()
  }
}

function currentConfiguration(configurations: Configurations, accountId: string) {
  return configurations.peek(accountId) ?? configurations.of(accountId)
}

type Sitting = {
  readonly command: ApproveCommand
  readonly ports: ApprovePorts
  readonly deadline: Deadline
  readonly chain: Chain
}

/** One look at the change: under which configuration, and what is known from the look before. */
export type Round = {
  readonly prepared: Prepared
  readonly configuration: Configuration
  readonly inquiry: Inquiry
  readonly earlier: ReadonlyMap<string, TimedAnswer>
  /** Fields that validators set on the change in an earlier round; null before that. */
  readonly amended: Values | null
}

/** Plans, asks, decides and concludes, again when the configuration or the change itself moved. */
async function deliberate(
  sitting: Sitting,
  prepared: Prepared,
  configuration: Configuration,
): Promise<Answered> {
  const { command, ports, deadline } = sitting
  const inquiry = inquiryAbout(prepared, sitting)
  const desk = confirmationDesk(command.confirm, ports)
  let round: Round = { prepared, configuration, inquiry, earlier: NOTHING_YET, amended: null }
  let firstAskedMs: number | null = null
  for (let rounds = 1; rounds <= ROUNDS_MAX; rounds++) {
    const { index, generation } = round.configuration
    const plan = planFor(round.prepared.change, index, generation)
    const asked = usable(await ask(sitting, plan, round), plan, round.configuration)
    firstAskedMs ??= firstStart(asked)
    const decision = decide({ plan, answers: asked.answers, locales: command.locales, desk })
    const wanted = amendment(round, decision)
    if (wanted !== null) {
      round = amend(round, wanted)
      continue
    }
    const outcome = await conclude(
      { command, deadline, plan, asked, decision, rounds, round, firstAskedMs },
      ports,
    )
    if (outcome !== 'configuration_changed') {
      reportGone(plan, asked, ports)
      return outcome
    }
    round = await renew(round, plan, asked, ports.configurations)
  }
  throw new Problem('configuration_changed', { retryAfterSeconds: 1 })
}

/** Values that the catalog would not take are no usable reply, whatever else it says. */
function usable(asked: Asked, plan: Plan, { catalogs }: Configuration): Asked {
  const catalog = catalogs.get(plan.change.catalogId)
  if (catalog === undefined || catalog.fields.length === 0) return asked
  const isUpdating = plan.change.event === 'record.updating'
  const answers = asked.answers.map((timed, index) => {
    const mayChange = plan.asked[index]?.mayChange ?? null
    return withFittingValues(timed, catalog, (field) =>
      mayChangeField(mayChange, isUpdating, field),
    )
  })
  return { answers, late: asked.late }
}

function firstStart({ answers }: Asked): number | null {
  return answers.length === 0 ? null : Math.min(...answers.map(({ startedMs }) => startedMs))
}

/** Whoever said with its answer that it is gone is asked no more; this answer still counted. */
function reportGone(plan: Plan, asked: Asked, { onGone }: ApprovePorts): void {
  for (const [index, { id, accountId }] of plan.asked.entries()) {
    if (asked.answers[index]?.isGone === true) onGone(id, accountId)
  }
}

/** Validators set fields of a change that will be committed: all are asked about what will be stored. */
function amend(round: Round, wanted: Values): Round {
  const change = withValues(round.prepared.change, wanted)
  checkValues(change, round.configuration)
  const prepared = { ...round.prepared, change }
  const inquiry: Inquiry = { ...round.inquiry, change, look: 2 }
  return { ...round, prepared, inquiry, earlier: NOTHING_YET, amended: wanted }
}

/** The configuration moved under the plan: only those who are new or changed are asked again. */
async function renew(
  round: Round,
  plan: Plan,
  asked: Asked,
  configurations: Configurations,
): Promise<Round> {
  configurations.invalidate(plan.change.accountId)
  const configuration = await configurations.of(plan.change.accountId)
  checkValues(plan.change, configuration)
  return { ...round, configuration, earlier: stillValid(plan, asked, configuration) }
}

const NOTHING_YET: ReadonlyMap<string, TimedAnswer> = new Map()

function inquiryAbout({ change }: Prepared, { command, ports, deadline, chain }: Sitting): Inquiry {
  const { clock, ids, chainTokens } = ports
  const nowMs = clock.wallMs()
  return {
    look: 1,
    change,
    decisionId: ids.make('dec'),
    occurredAtMs: nowMs,
    deadlineAtMs: Math.round(nowMs + deadline.endsAt - clock.monotonicMs()),
    dryRun: command.commit === 'none',
    chainToken: chainTokens.seal(chain, command.accountId),
    traceparent: command.traceparent,
  }
}

async function ask(
  { command, ports, deadline }: Sitting,
  plan: Plan,
  { prepared, inquiry, earlier }: Round,
): Promise<Asked> {
  const { denyGraceMs, presence, accountId } = command
  const putDown = ports.inFlight.carry(accountId, loadOf(command, prepared, plan))
  let late: Promise<unknown> | null = null
  try {
    command.progress?.planned(plan, inquiry.decisionId)
    const onAnswer = command.progress?.answered
    const asking = { plan, inquiry, deadline, denyGraceMs, presence, earlier, onAnswer }
    const asked = await askValidators(asking, ports)
    late = asked.late
    if (presence.isGone()) throw new Problem('client_gone')
    return asked
  } finally {
    // Shadows go on, and what they are sent is still there.
    if (late === null) putDown()
    else void late.finally(putDown)
  }
}

/** What all of them are sent together, each of them the record as it was beside the change. */
function loadOf({ size }: ApproveCommand, { stored }: Prepared, { asked }: Plan): number {
  if (asked.length === 0) return 0
  const before = stored === null ? 0 : JSON.stringify(stored.values).length
  return (size + before) * asked.length
}

/** The fields that validators would set on a change that may be committed, if any differ. */
function amendment(
  { prepared: { change }, amended }: Round,
  { decision, suggestions }: Decision,
): Values | null {
  const isWrite =
    change.event === 'record.before.created' || change.event === 'record.before.updated'
  if (amended !== null || !isWrite || decision === 'deny') return null
  const toBe = valuesToBe(change)
  const differs = Object.entries(suggestions).some(
    ([field, value]) => !deepEqual(toBe[field], value),
  )
  return differs ? suggestions : null
}

/** Answers of subscriptions that are the same under the new configuration need not be given again. */
function stillValid(
  plan: Plan,
  asked: Asked,
  renewed: Configuration,
): ReadonlyMap<string, TimedAnswer> {
  const kept = new Map<string, TimedAnswer>()
  for (const [index, subscription] of plan.asked.entries()) {
    const timed = asked.answers[index]
    const same = renewed.index.byId.get(subscription.id)?.revision === subscription.revision
    if (same && timed !== undefined && timed.answer.kind !== 'cancelled') {
      kept.set(subscription.id, timed)
    }
  }
  return kept
}

function reportFailure(
  { requestId, accountId, event }: ApproveCommand,
  { journal, clock }: ApprovePorts,
  deadline: Deadline,
  error: unknown,
): void {
  const code = error instanceof Problem ? error.code : 'internal'
  const totalMs = clock.monotonicMs() - deadline.startedAt
  journal.record({ kind: 'approval.failed', requestId, accountId, event, code, totalMs })
}
