/**
 * Idempotency keys. The answer is stored in the transaction that makes it true, so a request that is
 * repeated, even after its first answer was lost on the way, gets that answer and is not carried out
 * again. Problems are never kept: a retry after one is a new try.
 */
import { Problem, type ProblemCode } from '../domain/problem.ts'
import type { Keep } from './approve.ts'
import type { Answered } from './conclude.ts'
import type { KeptAnswer, KeptAnswers } from './store.ts'

export interface KeyRegistry {
  /** Runs the request, or answers as before; a request with the same key under way is refused. */
  once(accountId: string, keep: Keep | null, run: () => Promise<Answered>): Promise<Answered>
}

export function createKeyRegistry(keptAnswers: KeptAnswers): KeyRegistry {
  const running = new Set<string>()

  /** What a repeated request runs into may be what the first one did, on another gateway just now. */
  const runOrReplay = async (accountId: string, keep: Keep, run: () => Promise<Answered>) => {
    try {
      return await run()
    } catch (error) {
      if (!(error instanceof Problem) || !TRACES.has(error.code)) throw error
      const kept = await keptAnswers.find(accountId, keep.key)
      if (kept === null) throw error
      return replay(kept, keep)
    }
  }

  return {
    once: async (accountId, keep, run) => {
      if (keep === null) return run()
      const key = JSON.stringify([accountId, keep.key])
      if (running.has(key)) throw new Problem('idempotency_in_progress', { retryAfterSeconds: 1 })
      running.add(key)
      try {
        const kept = await keptAnswers.find(accountId, keep.key)
        if (kept !== null) return replay(kept, keep)
        return await runOrReplay(accountId, keep, run)
      } finally {
        running.delete(key)
      }
    },
  }
}

/** Problems that the first request with the same key may have been the cause of. */
const TRACES: ReadonlySet<ProblemCode> = new Set([
  'record_exists',
  'record_not_found',
  'version_conflict',
])

function replay(kept: KeptAnswer, keep: Keep): Answered {
  if (kept.fingerprint !== keep.fingerprint) throw new Problem('idempotency_key_reused')
  return { kind: 'replayed', kept }
}
