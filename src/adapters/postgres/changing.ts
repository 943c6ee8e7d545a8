/**
 * How settings are changed: in a transaction that bumps the account's generation, announced to other
 * gateways and reported to this one once it is committed.
 */
import { sql, type Transaction } from 'kysely'
import type { Actor } from '../../domain/audit.ts'
import { Problem } from '../../domain/problem.ts'
import type { Database } from './database.ts'
import { asWriteProblem, isUniqueViolation } from './sqlstate.ts'
import type { Tables } from './tables.ts'

/** Encrypts what is bound to one place, and decrypts it at that place only. */
export interface Sealer {
  /** Of the master keys; the first one seals. */
  readonly keyIds: readonly [string, ...string[]]
  seal(place: SealPlace, plain: string): string
  open(place: SealPlace, sealed: string): string
}
export type SealPlace = {
  readonly accountId: string
  readonly table: string
  readonly column: string
  readonly row: string
}

export type ConfigurationPorts = {
  readonly database: Database
  readonly sealer: Sealer
  /** After each committed change, in this process. */
  readonly onChanged: (accountId: string) => void
  /** In whose name; null: of the gateway's own accord. */
  readonly actor: Actor | null
}

/** Runs a change of an account's settings: with its bump, announced once it is committed. */
export async function changing<T>(
  { database, onChanged }: ConfigurationPorts,
  accountId: string,
  work: (tx: Transaction<Tables>) => Promise<T>,
): Promise<T> {
  try {
    return await database
      .of(accountId)
      .kysely.transaction()
      .execute(async (tx) => {
        // The account's row is the lock under which its settings change, one change after the other.
        const { numUpdatedRows } = await tx
          .updateTable('accounts')
          .set({ generation: sql`generation + 1` })
          .where('id', '=', accountId)
          .executeTakeFirst()
        if (numUpdatedRows === 0n) {
          throw new Problem('not_found', { detail: 'There is no such account.' })
        }
        return work(tx)
      })
  } catch (error) {
    throw asWriteProblem(error)
  } finally {
    // Also when nobody knows how it ended: whoever looks again will see.
    onChanged(accountId)
    await database.announce(accountId).catch(() => {
      // Other gateways may work on with what they know: their commits insist on the generation.
    })
  }
}

export function takenId(error: unknown): never {
  throw isUniqueViolation(error) ? new Problem('already_exists') : error
}
