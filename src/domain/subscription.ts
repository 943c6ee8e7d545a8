import type { Condition } from './condition.ts'
import type { RetryPolicy, RetryPreset } from './retry.ts'
import type { FailurePolicy, Mode } from './verdict.ts'

export const DIALECT_NAMES = ['standard', 'plain', 'bpium', 'poster'] as const
export type DialectName = (typeof DIALECT_NAMES)[number]

/** How a notification is repeated where the subscription does not say. */
const DEFAULT_RETRY = {
  standard: 'standard',
  plain: 'standard',
  bpium: 'standard',
  poster: 'poster',
} as const satisfies Record<DialectName, RetryPreset>

export function defaultRetry(dialect: DialectName): RetryPolicy {
  return { preset: DEFAULT_RETRY[dialect] }
}

export const METHODS = ['POST', 'PUT', 'PATCH', 'GET', 'DELETE'] as const
export type Method = (typeof METHODS)[number]

/** A chosen parameter: its name on the wire and where it comes from in the standard payload. */
export type Parameter = { readonly name: string; readonly from: string }

export type Auth =
  | { readonly type: 'none' }
  | { readonly type: 'bearer'; readonly token: string }
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  | { readonly type: 'custom'; readonly header: string; readonly value: string }

export type BreakerSettings = {
  readonly failureRate: number
  readonly minimumCalls: number
  readonly windowMs: number
  readonly openMs: number
  readonly consecutiveFailures: number
}

export type DisabledReason = 'gone' | 'failing' | 'manual'

/** A secret that still verifies, after a rotation. */
export type RetiringSecret = { readonly secret: string; readonly validUntil: string }

/** How TLS is spoken with one endpoint, where it is not as with everybody. All PEM. */
export type TlsSettings = {
  /** The authorities that it is trusted by, in place of the well-known ones. */
  readonly ca?: string | undefined
  /** What the gateway shows of itself: its certificate, then those between it and its authority. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** The parts of a subscription that are encrypted at rest and never read back. */
export type SubscriptionSecrets = {
  readonly secret: string
  readonly retiring: readonly RetiringSecret[]
  readonly auth: Auth
  readonly headers: Readonly<Record<string, string>>
  readonly tls?: TlsSettings | undefined
}

/** Where and how somebody is called: what subscriptions and menu actions have in common. */
export type Endpoint = SubscriptionSecrets & {
  readonly id: string
  readonly accountId: string
  readonly url: string
  readonly method: Method
  readonly parameters: readonly Parameter[] | null
  readonly dialect: DialectName
  readonly timeoutMs: number
}

/** A subscription with its secrets, as the gateway works with it. */
export type Subscription = Endpoint & {
  /** Grows with every change of the subscription: an answer given under another one is asked again. */
  readonly revision: number
  readonly name: string
  readonly active: boolean
  readonly catalogId: string
  readonly events: readonly string[]
  readonly fields: readonly string[]
  readonly initiators: readonly string[]
  readonly conditions: readonly Condition[]
  readonly onFailure: FailurePolicy
  readonly breaker: BreakerSettings
  readonly maxConcurrency: number
  readonly mode: Mode
  readonly retry: RetryPolicy
  readonly disabledReason: DisabledReason | null
  readonly order: number
  readonly mayChange: readonly string[] | '*' | null
  readonly fallbackMessage: Readonly<Record<string, string>> | null
  readonly maxPerSecond: number | null
  readonly maxInFlight: number
  /** The installation that it came with, and goes with. */
  readonly installationId: string | null
  /** Since when it is leaving: it is told of its end, and of nothing else any more. */
  readonly leavingSince: string | null
  readonly createdAt: string
  readonly updatedAt: string
}

/** Limits that CONTRACT.md promises. */
export const SUBSCRIPTIONS_PER_ACCOUNT_MAX = 500
export const SUBSCRIPTIONS_ASKED_MAX = 64

/** The value that stands for a secret in every answer; sending it back keeps the stored one. */
export const MASK = '***'

/** Whether a subscription may set a field through the values of its reply. */
export function mayChangeField(
  mayChange: Subscription['mayChange'],
  isUpdating: boolean,
  field: string,
): boolean {
  const allowed = mayChange ?? (isUpdating ? '*' : [])
  return allowed === '*' || allowed.includes(field)
}
