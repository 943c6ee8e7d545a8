/**
 * A validator may itself write through the gateway while it is being asked. The chain that it carries
 * back tells which records are already under approval and how deep we are, so that a ring of validators
 * ends in an answer instead of a pile of open requests.
 */
import { Problem } from './problem.ts'

export type Chain = {
  readonly depth: number
  /** Keys of the records under approval, outermost first. */
  readonly records: readonly string[]
}

export const CHAIN_DEPTH_MAX = 5
export const EMPTY_CHAIN: Chain = { depth: 0, records: [] }

/** One record of one account as a single text, for registries and chains. */
export function recordKey(accountId: string, catalogId: string, recordId: string): string {
  return JSON.stringify([accountId, catalogId, recordId])
}

/** The chain that the validators of a change carry, or the refusal of the change. */
export function extendChain(chain: Chain, key: string | null, writes: boolean): Chain {
  if (chain.depth >= CHAIN_DEPTH_MAX) {
    throw new Problem('approval_loop', {
      detail: `This change was made while ${CHAIN_DEPTH_MAX} others, each caused by the one before, were being asked about.`,
    })
  }
  if (key === null || !writes) return { depth: chain.depth + 1, records: chain.records }
  if (chain.records.includes(key)) {
    throw new Problem('approval_in_flight', {
      detail: 'A validator tried to write the very record that it was being asked about.',
    })
  }
  return { depth: chain.depth + 1, records: [...chain.records, key] }
}
