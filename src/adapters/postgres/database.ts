/**
 * One PostgreSQL, in this process or on a server. Everything above it is the same for both: the same SQL,
 * the same migrations, the same types in and out (bigint as number, json parsed, timestamps as Date).
 */
import type { Kysely } from 'kysely'
import type { Tables } from './tables.ts'

/** A statement with a name is parsed and planned once for each connection. */
export type Statement = { readonly name: string; readonly text: string }

/** The database as somebody may see it. */
export interface View {
  readonly kysely: Kysely<Tables>
  /**
   * Runs one statement. Throws `NotSent` when no connection was to be had, so that nothing can have
   * happened; anything else that it throws comes from the database or from losing it underway.
   */
  run<Row>(statement: Statement, values: readonly unknown[]): Promise<readonly Row[]>
}

/**
 * Each statement names its account; where PostgreSQL walls accounts off from each other as well
 * (migrations/0010_walls.sql), a view reaches no rows but those of the accounts that it is for.
 */
export interface Database {
  readonly kind: 'embedded' | 'server'
  of(...accountIds: readonly string[]): View
  /** For what a gateway does for all accounts together. */
  readonly everyone: View
  /** Runs several statements as one transaction, holding the migration lock. */
  migrate(work: (session: MigrationSession) => Promise<void>): Promise<void>
  /** Tells other gateways that an account's configuration changed. */
  announce(accountId: string): Promise<void>
  /** Calls with the account that another gateway announced; null when announcements may have been missed. */
  onAnnounced(listener: (accountId: string | null) => void): void
  close(): Promise<void>
}

export interface MigrationSession {
  script(text: string): Promise<void>
  rows<Row>(text: string): Promise<readonly Row[]>
}

/** No connection was to be had: nothing was sent. */
export class NotSent extends Error {
  constructor(cause: unknown) {
    super('no database connection', { cause })
    this.name = 'NotSent'
  }
}

export const CONFIGURATION_CHANNEL = 'assent_configuration'
