/**
 * What the use cases need of the store. Shaped by its users here; the PostgreSQL adapter offers it twice,
 * embedded and on a server, and runs the suites of test/contract on both.
 */
import type { Action } from '../domain/action.ts'
import type { Catalog } from '../domain/catalog.ts'
import type { Change, CommitMode } from '../domain/change.ts'
import type { Decision } from '../domain/decision.ts'
import type { EventType } from '../domain/event-type.ts'
import type { Considered } from '../domain/matching.ts'
import type { NamedEvent } from '../domain/notification.ts'
import type { RecordFilter } from '../domain/record-filter.ts'
import type { DisabledReason, Subscription, SubscriptionSecrets } from '../domain/subscription.ts'
import type { Values } from '../domain/values.ts'
import type { Verdict } from '../domain/verdict.ts'
import type { Exception } from './exceptions.ts'

export type AccountConfiguration = {
  readonly accountId: string
  readonly accountNumber: string | null
  readonly generation: number
  readonly subscriptions: readonly Subscription[]
  readonly catalogs: readonly Catalog[]
  readonly eventTypes: readonly EventType[]
}

export interface ConfigurationStore {
  /** Null for an account that does not exist. One consistent snapshot. */
  load(accountId: string): Promise<AccountConfiguration | null>
  /** Just the generation, to see whether what is known still holds. Null for no such account. */
  generation(accountId: string): Promise<number | null>
}

export type StoredRecord = {
  readonly id: string
  readonly catalogId: string
  readonly version: number
  /** The decision that created it: tells a record from another one of the same id before it. */
  readonly origin: string
  readonly values: Values
  readonly createdAt: string
  readonly updatedAt: string
}

export type Page = { readonly limit: number; readonly after: string | null }

export interface Records {
  read(accountId: string, catalogId: string, recordId: string): Promise<StoredRecord | null>
  /** In order of id, which for ids of the gateway's own making is the order of creation. */
  list(
    accountId: string,
    catalogId: string,
    where: Readonly<Record<string, string>>,
    page: Page,
  ): Promise<readonly StoredRecord[]>
}

export interface RecordSearch {
  /** All filters must fit. In order of id, from `offset` on. */
  find(
    accountId: string,
    catalogId: string,
    wanted: {
      readonly filters: readonly RecordFilter[]
      readonly direction: 'asc' | 'desc'
      readonly limit: number
      readonly offset: number
    },
  ): Promise<readonly StoredRecord[]>
}

export type RecordWrite =
  | { readonly kind: 'insert'; readonly recordId: string; readonly values: Values }
  | {
      readonly kind: 'update'
      readonly recordId: string
      readonly values: Values
      readonly expected: Pick<StoredRecord, 'version' | 'origin'>
    }
  | {
      readonly kind: 'delete'
      readonly recordId: string
      readonly expected: Pick<StoredRecord, 'version' | 'origin'>
    }

/** Everything about a decision that is kept. */
export type DecisionEntry = {
  readonly id: string
  readonly accountId: string
  readonly change: Change
  readonly commitMode: CommitMode
  readonly decision: Decision
  readonly committed: boolean
  readonly generation: number
  /** Versions of the record before and after; null where there is none. */
  readonly versionBefore: number | null
  readonly versionAfter: number | null
  readonly considered: readonly Considered[]
  readonly timeline: readonly TimelineEntry[]
  readonly timing: DecisionTiming
  readonly requestId: string
  readonly decidedAt: string
}

export type TimelineEntry = {
  readonly subscriptionId: string
  readonly startedMs: number
  readonly endedMs: number
  /** What went wrong, for the operator. */
  readonly detail?: string | undefined
}

/** As it stood when the decision was made; the commit was still to come. */
export type DecisionTiming = {
  readonly decidedMs: number
  readonly validatorsMs: number
  /** The budget of all of it. Builds before have not stored it. */
  readonly timeoutMs?: number | undefined
}

/** An answer kept under an idempotency key. */
export type KeptAnswer = {
  readonly key: string
  readonly fingerprint: string
  readonly status: number
  readonly body: string
}

/** A caller's own commit that is still to come. */
export type PendingApproval = {
  readonly tokenHash: string
  readonly expiresAt: string
  /** As it was approved, kept until it is redeemed; null where the decision keeps all of it. */
  readonly change: Change | null
  /** Of its values: see digestOf. */
  readonly valuesDigest: string
}

export type CommitItem = {
  readonly entry: DecisionEntry
  readonly write: RecordWrite | null
  /** In the order in which they are told. */
  readonly events: readonly NamedEvent[]
  /** Whether the configuration must still be the one that the plan was made under. */
  readonly insistsOnGeneration: boolean
  readonly keep: KeptAnswer | null
  readonly pending: PendingApproval | null
  /** The record's catalog has never been seen: it is taken as one without fields. */
  readonly definesCatalog: boolean
  /** They go into the audit. */
  readonly exceptions: readonly Exception[]
}

export type CommitResult =
  | 'committed'
  | 'configuration_changed'
  | 'key_taken'
  | 'record_exists'
  | 'version_conflict'
  /** The caller went away before the statement was sent. */
  | 'withdrawn'

export interface Approvals {
  /**
   * Durable when it resolves, all or nothing for this item whatever happens to the ones it travels with.
   * `isWanted` is asked last before sending. Throws Problem `store_unavailable` (nothing was written),
   * `outcome_unknown` (nobody can say) or `overloaded` (the queue is full).
   */
  commit(item: CommitItem, isWanted: () => boolean): Promise<CommitResult>
  /** Stores a decision behind the answer. Reads of decisions wait for it. */
  log(entry: DecisionEntry): void
  /** Replaces the verdicts of a stored decision, when shadow validators answered after it. */
  amend(accountId: string, decisionId: string, verdicts: readonly Verdict[]): void
  /** Resolves when everything logged so far is stored. */
  flush(): Promise<void>
}

export interface KeptAnswers {
  find(accountId: string, key: string): Promise<KeptAnswer | null>
}

export type ApprovalState = 'pending' | 'committed' | 'aborted'

export type CallerApproval = {
  readonly decisionId: string
  readonly state: ApprovalState
  readonly tokenHash: string
  readonly isExpired: boolean
  /** Redeemed or too old it is what the decision keeps of it. */
  readonly change: Change
  /** Null for one of the build before. */
  readonly valuesDigest: string | null
  /** The record's id and the number told, once it is committed. */
  readonly committedRecordId: string | null
  readonly notifications: number
}

export interface CallerApprovals {
  read(accountId: string, decisionId: string): Promise<CallerApproval | null>
  /** Pending → committed with its events, once. False when it was not pending any more, or too old. */
  commit(
    accountId: string,
    decisionId: string,
    recordId: string | null,
    events: readonly NamedEvent[],
  ): Promise<boolean>
  /** Pending → aborted. False when it was not pending any more. */
  abort(accountId: string, decisionId: string): Promise<boolean>
}

// ---- settings that people change

export type SubscriptionSettings = Omit<
  Subscription,
  | keyof SubscriptionSecrets
  | 'accountId'
  | 'revision'
  | 'installationId'
  | 'leavingSince'
  | 'createdAt'
  | 'updatedAt'
>

export interface Subscriptions {
  /** Throws Problem `too_many_subscriptions` or `already_exists`. */
  create(
    accountId: string,
    settings: SubscriptionSettings,
    secrets: SubscriptionSecrets,
  ): Promise<Subscription>
  /** Reads, changes and stores in one transaction; null when there is no such subscription. */
  update(
    accountId: string,
    id: string,
    change: (current: Subscription) => Subscription,
    /** What becomes of deliveries that are held when it is enabled. */
    held?: HeldChoice,
  ): Promise<Subscription | null>
  read(accountId: string, id: string): Promise<Subscription | null>
  list(accountId: string, page: Page): Promise<readonly Subscription[]>
  /** Throws Problem `subscription_of_app`. */
  remove(accountId: string, id: string): Promise<boolean>
  /**
   * Disables because of what a receiver said or did, with the event that tells of it. False when it is not active
   * any more.
   */
  disable(
    accountId: string,
    id: string,
    reason: DisabledReason,
    event: NamedEvent | null,
  ): Promise<boolean>
}

export const HELD_CHOICES = ['deliver', 'cancel'] as const
export type HeldChoice = (typeof HELD_CHOICES)[number]

export interface Catalogs {
  list(accountId: string, page: Page): Promise<readonly Catalog[]>
  /** Throws Problem `already_exists`. */
  create(accountId: string, catalog: Catalog): Promise<Catalog>
  update(
    accountId: string,
    id: string,
    change: (current: Catalog) => Catalog,
  ): Promise<Catalog | null>
  read(accountId: string, id: string): Promise<Catalog | null>
  /** Throws Problem `catalog_not_empty`. */
  remove(accountId: string, id: string): Promise<boolean>
}

export interface EventTypes {
  /** In order of name. */
  list(accountId: string, page: Page): Promise<readonly EventType[]>
  read(accountId: string, name: string): Promise<EventType | null>
  /** Throws Problem `already_exists` or `limit_reached`. */
  create(accountId: string, eventType: EventType): Promise<EventType>
  update(
    accountId: string,
    name: string,
    change: (current: EventType) => EventType,
  ): Promise<EventType | null>
  remove(accountId: string, name: string): Promise<boolean>
}

export interface Events {
  /** Stores an event that no change gave rise to; those who are told of it get it like any other. */
  raise(accountId: string, event: NamedEvent): Promise<void>
}

export interface Actions {
  /** In order of id; of one catalog, where one is named. */
  list(accountId: string, catalogId: string | undefined, page: Page): Promise<readonly Action[]>
  /** All that may stand beside a record of this catalog. */
  ofCatalog(accountId: string, catalogId: string): Promise<readonly Action[]>
  read(accountId: string, id: string): Promise<Action | null>
  /** Throws Problem `already_exists` or `limit_reached`. */
  create(action: Omit<Action, 'createdAt' | 'updatedAt'>): Promise<Action>
  update(accountId: string, id: string, change: (current: Action) => Action): Promise<Action | null>
  remove(accountId: string, id: string): Promise<boolean>
}

// ---- callers

export const SCOPES = ['approve', 'read', 'manage', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

/** Who calls, as far as the gateway knows. */
export type Caller = {
  readonly accountId: string
  readonly keyId: string
  readonly scopes: ReadonlySet<Scope>
}

/** Requests a second; null: as many as come. */
export type CallLimits = {
  readonly ofKey: number | null
  /** Of everybody who calls for the account, together. */
  readonly ofAccount: number | null
}

/** A key as it is looked up. */
export type KnownKey = {
  readonly caller: Caller
  readonly limits: CallLimits
  /** How much longer it may be used; null: for good. */
  readonly expiresInMs: number | null
}

export type KeyView = {
  readonly id: string
  readonly name: string
  readonly accountId: string
  readonly scopes: readonly Scope[]
  readonly maxPerSecond: number | null
  readonly expiresAt: string | null
  /** To the minute; null: never, as far as is known. */
  readonly lastUsedAt: string | null
  readonly createdAt: string
}

export interface Keys {
  /** Null for an unknown or expired key. */
  findByHash(hash: string): Promise<KnownKey | null>
  /** Takes note that a key is in use, to be stored some time later; nobody waits for it. */
  noteUse(keyId: string): void
  create(key: Omit<KeyView, 'createdAt' | 'lastUsedAt'>, hash: string): Promise<KeyView>
  list(accountId: string, page: Page): Promise<readonly KeyView[]>
  /** Whether any key was ever made. */
  isEmpty(): Promise<boolean>
  /** `accountId` null: whosever it is. */
  remove(accountId: string | null, id: string): Promise<boolean>
}
