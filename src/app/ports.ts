/**
 * What the use cases need of the world. Each interface is shaped by its users here, not by the technology
 * behind it; an adapter that offers one runs the conformance suite of that name in test/contract.
 */
import type { Chain } from '../domain/chain.ts'
import type { Change } from '../domain/change.ts'
import type { DeliveryOutcome, EventBody } from '../domain/notification.ts'
import type { Subscription } from '../domain/subscription.ts'
import type { Answer } from '../domain/verdict.ts'
import type { JournalEvent } from './journal.ts'

// ---- time, chance, names

export interface Clock {
  /** Milliseconds since 1970. For what people and receivers read, never for measuring. */
  readonly wallMs: () => number
  /** Milliseconds of a clock that only goes forward. For deadlines and durations. */
  readonly monotonicMs: () => number
  /** Calls once after `delayMs`; the returned function takes it back. */
  readonly schedule: (delayMs: number, run: () => void) => () => void
}

export type IdPrefix =
  | 'dec'
  | 'evt'
  | 'sub'
  | 'rec'
  | 'key'
  | 'req'
  | 'act'
  | 'acc'
  | 'app'
  | 'ins'
  | 'gtw'

export interface Ids {
  /** A new id that sorts by time of making: 32 hex digits behind the prefix. No `.` in it. */
  make(prefix: IdPrefix): string
}

/** Unpredictable bytes, and tokens that only this installation can have made. */
export interface Vault {
  randomBytes(count: number): Uint8Array
  random(): number
  /** Hex. */
  sha256(text: string): string
  /** A keyed digest (base64url) of a text, for one purpose; other purposes give other digests. */
  tag(
    purpose: 'confirmation' | 'chain' | 'redaction' | 'approval' | 'session',
    text: string,
  ): string
  /** Whether a tag is ours, also from before the master key was rotated. */
  isTagged(
    purpose: 'confirmation' | 'chain' | 'approval' | 'session',
    text: string,
    tag: string,
  ): boolean
  /** Whether two texts are equal, in a time that does not depend on where they differ. */
  isSame(left: string, right: string): boolean
}

export interface Journal {
  record(event: JournalEvent): void
}

// ---- asking

/** What all validators of one change are told alike. */
export type Inquiry = {
  /** 1, or 2 when validators amended the change and all are asked about the amended one. */
  readonly look: 1 | 2
  readonly change: Change
  readonly decisionId: string
  readonly occurredAtMs: number
  /** Wall-clock end of the change's budget. */
  readonly deadlineAtMs: number
  readonly dryRun: boolean
  readonly chainToken: string
  readonly traceparent: string | undefined
}

export type Question = {
  readonly subscription: Subscription
  readonly inquiry: Inquiry
  /** For the whole call, connecting included. */
  readonly budgetMs: number
}

export type Reply = {
  readonly answer: Answer
  readonly status: number | undefined
  /** It said that it is gone: the answer counts for this change, and it is asked no more. */
  readonly isGone?: true | undefined
}

/** A call under way. The reply never rejects, and settles within the budget. */
export type Call = {
  readonly reply: Promise<Reply>
  /** Breaks the call off; the reply then is `cancelled` unless it was there already. */
  cancel(): void
}

export interface Asker {
  ask(question: Question): Call
}

/** What was sent and what came back, for a person who tries out a subscription. */
export type Exchange = {
  readonly request: {
    readonly method: string
    readonly url: string
    /** Values of secret headers read `***`. */
    readonly headers: Readonly<Record<string, string>>
    readonly body: string | null
  }
  readonly reply: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    /** The first 4 KiB. */
    readonly body: string
  } | null
  readonly answer: Answer
  readonly durationMs: number
}

export interface Prober {
  probe(question: Question): Promise<Exchange>
  /** The same for a notification; what counts as delivered reads as an allow. */
  tell(dispatch: Dispatch): Promise<Exchange>
}

export type BreakerState = 'closed' | 'open' | 'halfOpen'

export type SubscriptionHealth = {
  readonly breaker: BreakerState
  /** The last five minutes. */
  readonly counts: Readonly<Record<'allow' | 'deny' | 'failed' | 'cancelled', number>>
  readonly failures: Readonly<Record<string, number>>
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  readonly inFlight: number
}

export interface HealthDesk {
  of(subscriptionId: string): SubscriptionHealth
  /** A part of the same, for whoever looks at many. */
  breakerOf(subscriptionId: string): BreakerState
}

// ---- telling

export type Dispatch = {
  readonly subscription: Subscription
  /** Also the webhook-id: `<event id>_<subscription id>`. */
  readonly deliveryId: string
  readonly body: EventBody
  /** The number of the event's account; null where it has none. */
  readonly accountNumber: string | null
  readonly occurredAtMs: number
  readonly sequenceId: number
}

export type DispatchResult = {
  /** `broken_off` by this gateway, which says nothing about the receiver. */
  readonly outcome: DeliveryOutcome | 'broken_off'
  /** What failed was the way out, which says nothing about the receiver either; it costs an attempt. */
  readonly isOnTheWay?: boolean | undefined
  readonly status: number | undefined
  readonly retryAfterMs: number | undefined
  readonly durationMs: number
  /** What went wrong, for the attempts log; null when it was delivered. */
  readonly error: string | null
  readonly requestHeaders: Readonly<Record<string, string>>
  /** The first 4 KiB of the reply. */
  readonly reply: string
}

export interface Notifier {
  send(dispatch: Dispatch): Promise<DispatchResult>
}

export interface Renderer {
  /** The body that a dispatch would be sent with now; null where it has none. */
  bodyOf(dispatch: Dispatch): string | null
}

/** Numbers that count by one for each subscription; a number is stored before it is given out. */
export interface Sequences {
  next(accountId: string, subscriptionId: string): Promise<number>
  last(accountId: string, subscriptionIds: readonly string[]): Promise<ReadonlyMap<string, number>>
}

/** What a caller's own commit was approved for (CONTRACT.md §3). */
export type ApprovalClaims = {
  /** The decision. */
  readonly jti: string
  readonly acc: string
  readonly event: string
  readonly cat: string
  /** Left out where the record has no id yet. */
  readonly rec: string | undefined
  /** base64url SHA-256 of the RFC 8785 canonical JSON of `{event, catalogId, recordId, values}`. */
  readonly dig: string
  /** Seconds since 1970. */
  readonly iat: number
  readonly exp: number
}

export interface ApprovalSigner {
  /** A JWS that anybody can verify. */
  sign(claims: ApprovalClaims): string
}

/** Tokens of the approval chain, signed so that a validator cannot make one up. */
export interface ChainTokens {
  seal(chain: Chain, accountId: string): string
  /** The empty chain for a header that is absent, old, of another account, or was not made here. */
  open(token: string | undefined, accountId: string): Chain
}
