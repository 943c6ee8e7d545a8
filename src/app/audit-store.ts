/** What the audit needs of the store, and how changes of settings are told apart by who makes them (CONTRACT.md §9). */
import type { Actor, AuditAction } from '../domain/audit.ts'
import type { AuditRow, Checkpoint } from '../domain/audit-chain.ts'
import type { Accounts, Apps, Installations } from './app-store.ts'
import type { Deliveries } from './delivery-store.ts'
import type { Erasures } from './erase-record.ts'
import type { Presets } from './load-preset.ts'
import type { Actions, Catalogs, EventTypes, Keys, Page, Subscriptions } from './store.ts'

/** Everything that settings are changed through. */
export type Changes = {
  readonly accounts: Accounts
  readonly keys: Keys
  readonly catalogs: Catalogs
  readonly subscriptions: Subscriptions
  readonly eventTypes: EventTypes
  readonly actions: Actions
  readonly apps: Apps
  readonly installations: Installations
  readonly presets: Presets
  readonly deliveries: Deliveries
  readonly erasures: Erasures
}

/** The same, in somebody's name; whatever is changed otherwise is written down as the gateway's own doing. */
export type ChangesBy = (actor: Actor) => Changes

export type AuditFilter = {
  readonly since?: string | undefined
  readonly until?: string | undefined
  /** An id of a key, or what a token says. */
  readonly actor?: string | undefined
  readonly action?: AuditAction | undefined
  readonly target?: string | undefined
}

/** What an account's audit says of itself. */
export type AuditHead = {
  readonly lastSeq: number
  readonly sealedSeq: number
  /** The number of the newest checkpoint; 0 for none. */
  readonly checkpoint: number
}

export type Unsealed = {
  readonly accountId: string
  readonly head: AuditHead
  /** In order of number. */
  readonly rows: readonly AuditRow[]
  /** The hash before the first of them. */
  readonly previous: string
  /** The newest one, and the one before it. */
  readonly checkpoint: Checkpoint | null
  readonly checkpointBefore: Checkpoint | null
}

export type Seal = {
  /** One for each row. */
  readonly hashes: readonly string[]
  readonly checkpoint: Checkpoint
}

/** Null where a seal would vouch for what is not right; then the account is left as it is. */
export type MakeSeal = (unsealed: Unsealed) => Seal | null

export type Sealed =
  | { readonly kind: 'sealed' | 'nothing' }
  | { readonly kind: 'refused'; readonly accountId: string }

export interface AuditLog {
  /** Newest first; `page.after` is a number. */
  list(accountId: string, filter: AuditFilter, page: Page): Promise<readonly AuditRow[]>
  /** Gives what waits its numbers, and has rows of one account sealed, which is none of `except`. */
  seal(make: MakeSeal, except: readonly string[]): Promise<Sealed>
  /** An account whose newest checkpoint was signed with another key gets one more. */
  sealAnew(keyId: string, make: MakeSeal, except: readonly string[]): Promise<Sealed>
  head(accountId: string): Promise<AuditHead>
  /** In order of number, behind `after`; null: from the first there is. */
  rows(accountId: string, after: number | null, limit: number): Promise<readonly AuditRow[]>
  checkpoints(accountId: string, after: number, limit: number): Promise<readonly Checkpoint[]>
  /** The first row or checkpoint that is behind the end, or sealed out of turn; null: none is. */
  stray(accountId: string): Promise<{
    readonly seq: number
    readonly kind: 'row' | 'checkpoint'
  } | null>
}

/** Signs with the first of the master keys, and knows the signatures of all of them. */
export interface CheckpointSigner {
  readonly keyId: string
  sign(text: string): string
  check(keyId: string, text: string, signature: string): 'genuine' | 'forged' | 'key_unknown'
}
