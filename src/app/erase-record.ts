/** What somebody is entitled to have forgotten: all that is stored about one record, and nothing of others. */
import { Problem } from '../domain/problem.ts'
import type { Vault } from './ports.ts'

export type RecordName = {
  readonly accountId: string
  readonly catalogId: string
  readonly recordId: string
}

/** How many of each there were. */
export type Erased = {
  readonly records: number
  readonly decisions: number
  /** For commits that a caller makes itself: none of them can be redeemed any more. */
  readonly approvals: number
  /** Answers that were kept under an idempotency key. */
  readonly answers: number
  /** Events that told of it; what of them was not delivered yet is cancelled. */
  readonly events: number
  readonly attempts: number
}

export interface Erasures {
  /** Null when nothing is known of it. `target` is what the audit calls it. */
  erase(name: RecordName, target: string): Promise<Erased | null>
}

export type ErasePorts = { readonly erasures: Erasures; readonly vault: Pick<Vault, 'sha256'> }

/**
 * Nobody is asked, and nobody is told: who listens hears of a record's end when it is deleted before. The audit, which
 * cannot forget, says that it was erased under a digest of its names: whoever knows them can find that again.
 */
export async function eraseRecord(
  name: RecordName,
  { erasures, vault }: ErasePorts,
): Promise<Erased> {
  const { accountId, catalogId, recordId } = name
  const digest = vault.sha256(JSON.stringify([accountId, catalogId, recordId]))
  const erased = await erasures.erase(name, `sha256:${digest}`)
  if (erased === null) throw new Problem('record_not_found')
  return erased
}
