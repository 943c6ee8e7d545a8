/**
 * A validator's answer. Two kinds are kept apart all the way: what a validator said (allow, deny, confirm)
 * and that it could not be asked (a failure with a cause). The subscription's failure policy turns the
 * second into allow or deny in `applyPolicy`, and nowhere else.
 */
import type { LocalisedText, Message } from './message.ts'
import type { Values } from './values.ts'

/** Every way in which asking can fail, and whether it speaks against the validator's health. */
export const FAILURES = {
  timeout: { countsAgainstHealth: true },
  unreachable: { countsAgainstHealth: true },
  tls: { countsAgainstHealth: true },
  bad_status: { countsAgainstHealth: true },
  bad_reply: { countsAgainstHealth: true },
  reply_too_large: { countsAgainstHealth: true },
  redirected: { countsAgainstHealth: true },
  circuit_open: { countsAgainstHealth: false },
  overloaded: { countsAgainstHealth: false },
  egress_blocked: { countsAgainstHealth: false },
  budget_exhausted: { countsAgainstHealth: false },
} as const

export type FailureCause = keyof typeof FAILURES
export const failureCauses = Object.keys(FAILURES) as [FailureCause, ...FailureCause[]]

/** Failures without a call: they took no time, which would make the validator look fast. */
export const NEVER_CALLED: ReadonlySet<FailureCause> = new Set([
  'circuit_open',
  'overloaded',
  'egress_blocked',
  'budget_exhausted',
])

export const SEVERITIES = ['error', 'warning', 'confirm', 'info'] as const
export type Severity = (typeof SEVERITIES)[number]

/** One thing that a validator says to the person at the screen, before a language is chosen. */
export type Remark = {
  readonly code?: string | undefined
  readonly field?: string | undefined
  readonly severity: Severity
  readonly message: Message | LocalisedText
}

/** What came back from one validator, as its dialect read it. */
export type Answer =
  | {
      readonly kind: 'allow'
      readonly remarks: readonly Remark[]
      /** Fields that it would set, before `mayChange` is applied. */
      readonly values: Values | undefined
    }
  | {
      readonly kind: 'deny'
      readonly remarks: readonly Remark[]
      /** `record.updating` only: errors beside suggestions for other fields. */
      readonly values: Values | undefined
    }
  | { readonly kind: 'confirm'; readonly remarks: readonly Remark[] }
  | {
      readonly kind: 'failed'
      readonly cause: FailureCause
      /** What the reply said, where its dialect shows that although it failed (bpium's 5xx). */
      readonly remarks: readonly Remark[]
      /** For the operator: what exactly went wrong. Never shown to the person who edits. */
      readonly detail: string
    }
  /** The decision no longer needed it. */
  | { readonly kind: 'cancelled' }

/** An answer with what is known about the call. */
export type TimedAnswer = {
  readonly answer: Answer
  /** HTTP status, when a reply arrived. */
  readonly status: number | undefined
  /** Milliseconds from the change's plan to the start of this call. */
  readonly startedMs: number
  readonly durationMs: number
  /** It said that it is gone: the answer counts for this change, and it is asked no more. */
  readonly isGone?: true | undefined
}

export type Mode = 'enforce' | 'shadow'

/** Which effect an answer has on the decision. */
export type Effect = 'allow' | 'deny' | 'confirm' | 'none'

export type FailurePolicy =
  | 'deny'
  | 'allow'
  | Readonly<Partial<Record<FailureCause, 'deny' | 'allow' | undefined>>>

/** The one place where "could not be asked" becomes allow or deny. A map's missing causes deny. */
export function applyPolicy(answer: Answer, mode: Mode, policy: FailurePolicy): Effect {
  if (mode === 'shadow') return 'none'
  switch (answer.kind) {
    case 'allow':
      return 'allow'
    case 'deny':
      return 'deny'
    case 'confirm':
      return 'confirm'
    case 'cancelled':
      return 'none'
    case 'failed':
      return typeof policy === 'string' ? policy : (policy[answer.cause] ?? 'deny')
  }
}

/** The verdict of one subscription as the caller reads it and as the decision log keeps it. */
export type Verdict = {
  readonly subscriptionId: string
  readonly name: string
  readonly mode: Mode
  readonly outcome: 'allow' | 'deny' | 'failed' | 'cancelled'
  readonly cause?: FailureCause | undefined
  readonly status?: number | undefined
  readonly durationMs: number
  readonly applied: 'allow' | 'deny' | 'none'
}

/** How the answer's kind reads as an outcome: a confirm is an allow that waits for the person. */
export function outcomeOf(answer: Answer): Verdict['outcome'] {
  return answer.kind === 'confirm' ? 'allow' : answer.kind
}
