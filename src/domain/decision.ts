/**
 * Verdicts become a decision. Pure, and the only reader of the failure policy: what it is given in plan
 * order it returns in plan order, whatever the order in which the answers came.
 */
import type { Change } from './change.ts'
import { chooseLocale, cleanText, type Locales, type Message, messageFor } from './message.ts'
import type { Plan } from './plan.ts'
import type { Subscription } from './subscription.ts'
import { type Conflict, mergeSuggestions } from './suggestions.ts'
import { ownText } from './texts.ts'
import type { Values } from './values.ts'
import {
  applyPolicy,
  type Effect,
  type FailureCause,
  outcomeOf,
  type Remark,
  type Severity,
  type TimedAnswer,
  type Verdict,
} from './verdict.ts'

export type Finding = {
  readonly subscriptionId: string
  readonly name: string
  readonly code?: string | undefined
  readonly field?: string | undefined
  readonly severity: Severity
  readonly message: Message
  readonly cause: 'denied' | FailureCause
}

/** A finding that the person may confirm, with the token that says so on resubmission. */
export type Confirmation = { readonly token: string; readonly finding: Finding }

/** Makes the token for a finding about this change, and says whether an earlier one confirms it. */
export type ConfirmationDesk = {
  readonly tokenFor: (finding: Finding, change: Change) => string
  readonly isConfirmed: (finding: Finding, change: Change) => boolean
}

export type Decision = {
  readonly decision: 'allow' | 'deny' | 'confirm'
  readonly message: Message | undefined
  readonly errors: readonly Finding[]
  readonly warnings: readonly Finding[]
  readonly infos: readonly Finding[]
  readonly confirmations: readonly Confirmation[]
  readonly verdicts: readonly Verdict[]
  /** What validators would set, within what each may change. */
  readonly suggestions: Values
  /** By field: the subscription whose value that is. */
  readonly suggestedBy: Readonly<Record<string, string>>
  readonly conflicts: readonly Conflict[]
  /** It went through although somebody who should have been asked could not be. */
  readonly degraded: boolean
}

/** Codes and field ids that validators name are cut here: they are names, not texts. */
const NAME_LENGTH_MAX = 200

type Opinion = {
  readonly subscription: Subscription
  readonly timed: TimedAnswer
  readonly effect: Effect
  readonly findings: readonly Finding[]
}

export type Deliberation = {
  readonly plan: Plan
  /** One for each subscription of the plan, in its order. */
  readonly answers: readonly TimedAnswer[]
  readonly locales: Locales
  readonly desk: ConfirmationDesk
}

export function decide({ plan, answers, locales, desk }: Deliberation): Decision {
  const opinions = plan.asked.map((subscription, index): Opinion => {
    const timed = answers[index] ?? NEVER_ASKED
    const effect = applyPolicy(timed.answer, subscription.mode, subscription.onFailure)
    const findings = findingsOf({ subscription, timed, effect }, locales)
    const isOpen =
      effect === 'confirm' && findings.some((one) => isUnconfirmed(one, plan.change, desk))
    // A confirm is an allow once all of it was confirmed.
    return {
      subscription,
      timed,
      effect: effect === 'confirm' && !isOpen ? 'allow' : effect,
      findings,
    }
  })
  const counted = opinions.filter(({ subscription }) => subscription.mode === 'enforce')
  const findings = counted.flatMap((opinion) => opinion.findings)
  const errors = findings.filter(({ severity }) => severity === 'error')
  const merged = mergeSuggestions(
    counted.map(({ subscription, timed }) => ({ subscription, answer: timed.answer })),
    plan.change.event === 'record.updating',
  )
  const effects = counted.map(({ effect }) => effect)
  const isDenied = effects.includes('deny')
  return {
    decision: isDenied ? 'deny' : effects.includes('confirm') ? 'confirm' : 'allow',
    message: errors[0]?.message,
    errors,
    warnings: findings.filter(({ severity }) => severity === 'warning' || severity === 'confirm'),
    infos: findings.filter(({ severity }) => severity === 'info'),
    confirmations: isDenied ? [] : confirmationsOf(counted, plan.change, desk),
    verdicts: opinions.map(verdictOf),
    suggestions: merged.values,
    suggestedBy: merged.by,
    conflicts: merged.conflicts,
    degraded: !isDenied && counted.some(isFailedOpen),
  }
}

const NEVER_ASKED: TimedAnswer = {
  answer: { kind: 'cancelled' },
  status: undefined,
  startedMs: 0,
  durationMs: 0,
}

/** Whether an answer already settles that the change is refused; the fan-out stops waiting for others. */
export function isDenial(subscription: Subscription, timed: TimedAnswer): boolean {
  return applyPolicy(timed.answer, subscription.mode, subscription.onFailure) === 'deny'
}

function isFailedOpen({ effect, timed }: Opinion): boolean {
  return effect === 'allow' && timed.answer.kind === 'failed'
}

function isUnconfirmed(finding: Finding, change: Change, desk: ConfirmationDesk): boolean {
  return finding.severity === 'confirm' && !desk.isConfirmed(finding, change)
}

/** More than this nobody reads; what a validator says beyond it is left out. */
const FINDINGS_MAX = 100

function findingsOf(
  { subscription, timed, effect }: Omit<Opinion, 'findings'>,
  locales: Locales,
): Finding[] {
  const answer = bounded(timed.answer)
  switch (answer.kind) {
    case 'cancelled':
      return []
    case 'allow':
      return findingsIn(answer.remarks, subscription, locales)
    case 'deny': {
      const findings = findingsIn(answer.remarks, subscription, locales)
      return withAtLeastOne(findings, 'error', ownFinding(subscription, 'denied', 'error', locales))
    }
    case 'confirm': {
      const findings = findingsIn(answer.remarks, subscription, locales)
      const own = ownFinding(subscription, 'confirm', 'confirm', locales)
      return withAtLeastOne(findings, 'confirm', own)
    }
    case 'failed':
      if (effect === 'deny') return [failureFinding(subscription, answer, locales)]
      // What it said is shown although the change goes through; our own words would only puzzle.
      if (effect !== 'allow' || answer.remarks.length === 0) return []
      return [{ ...failureFinding(subscription, answer, locales), severity: 'warning' }]
  }
}

/** Errors and what is to be confirmed come first, so that none of them is left out for a warning. */
function bounded(answer: TimedAnswer['answer']): TimedAnswer['answer'] {
  if (answer.kind === 'cancelled' || answer.remarks.length <= FINDINGS_MAX) return answer
  const isWeighty = ({ severity }: Remark) => severity === 'error' || severity === 'confirm'
  const weighty = answer.remarks.filter(isWeighty)
  const others = answer.remarks.filter((remark) => !isWeighty(remark))
  return { ...answer, remarks: [...weighty, ...others].slice(0, FINDINGS_MAX) }
}

function withAtLeastOne(findings: Finding[], severity: Severity, own: Finding): Finding[] {
  return findings.some((finding) => finding.severity === severity) ? findings : [own, ...findings]
}

function findingsIn(
  remarks: readonly Remark[],
  subscription: Subscription,
  locales: Locales,
): Finding[] {
  return remarks.flatMap((remark) => findingOf(subscription, remark, locales) ?? [])
}

/** Our own words stand in for what is missing to a refusal or a question; a remark without words is none. */
function findingOf(
  subscription: Subscription,
  remark: Remark,
  locales: Locales,
): Finding | undefined {
  const message = messageOf(remark, locales)
  if (message.text === '' && (remark.severity === 'warning' || remark.severity === 'info'))
    return undefined
  const own = remark.severity === 'confirm' ? 'confirm' : 'denied'
  return {
    subscriptionId: subscription.id,
    name: subscription.name,
    code: remark.code && cleanText(remark.code, NAME_LENGTH_MAX),
    field: remark.field && cleanText(remark.field, NAME_LENGTH_MAX),
    severity: remark.severity,
    message: message.text === '' ? ownText(own, subscription.name, locales) : message,
    cause: 'denied',
  }
}

/** A title stands in for a text that is missing. */
function messageOf(remark: Remark, locales: Locales): Message {
  const message = messageFor(remark.message, locales)
  return message.text === '' && message.title !== undefined
    ? { title: message.title, text: message.title }
    : message
}

function ownFinding(
  subscription: Subscription,
  key: 'denied' | 'confirm',
  severity: Severity,
  locales: Locales,
): Finding {
  const message = ownText(key, subscription.name, locales)
  return {
    subscriptionId: subscription.id,
    name: subscription.name,
    severity,
    message,
    cause: 'denied',
  }
}

/** What the reply said wins, then the administrator's own text, then the gateway's. */
function failureFinding(
  subscription: Subscription,
  answer: Extract<TimedAnswer['answer'], { kind: 'failed' }>,
  locales: Locales,
): Finding {
  const said = answer.remarks[0] && messageOf(answer.remarks[0], locales)
  const fallback = cleanText(chooseLocale(subscription.fallbackMessage ?? {}, locales) ?? '')
  const own = ownText(answer.cause, subscription.name, locales)
  const message = said?.text ? said : fallback === '' ? own : { text: fallback }
  return {
    subscriptionId: subscription.id,
    name: subscription.name,
    severity: 'error',
    message,
    cause: answer.cause,
  }
}

function confirmationsOf(
  opinions: readonly Opinion[],
  change: Change,
  desk: ConfirmationDesk,
): Confirmation[] {
  return opinions
    .filter(({ effect }) => effect === 'confirm')
    .flatMap(({ findings }) => findings)
    .filter((finding) => finding.severity === 'confirm')
    .map((finding) => ({ token: desk.tokenFor(finding, change), finding }))
}

function verdictOf({ subscription, timed, effect }: Opinion): Verdict {
  const { answer } = timed
  return {
    subscriptionId: subscription.id,
    name: subscription.name,
    mode: subscription.mode,
    outcome: outcomeOf(answer),
    cause: answer.kind === 'failed' ? answer.cause : undefined,
    status: timed.status,
    durationMs: Math.round(timed.durationMs * 100) / 100,
    applied: effect === 'confirm' ? 'none' : effect,
  }
}
