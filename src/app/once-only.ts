/**
 * Idempotency keys. The answer is stored in the transaction that makes it true, so a request that is
 * repeated, even after its first answer was lost on the way, gets that answer and is not carried out
 * again. Problems are never kept: a retry after one is a new try.
 */
import { Problem } from '../domain/problem.ts'
import type { Keep } from './approve.ts'
import type { Answered } from './conclude.ts'
import type { KeptAnswers } from './store.ts'

export interface KeyRegistry {
  /** Runs the request, or answers as before; a request with the same key under way is refused. */
  once(accountId: string, keep: Keep | null, run: () => Promise<Answered>): Promise<Answered>
}

export function createKeyRegistry(keptAnswers: KeptAnswers): KeyRegistry {
  const running = new Set<string>()
  return {
    once: async (accountId, keep, run) => {
      if (keep === null) return run()
      const key = JSON.stringify([accountId, keep.key])
      if (running.has(key)) throw new Problem('idempotency_in_progress', { retryAfterSeconds: 1 })
      running.add(key)
      try {
        const kept = await keptAnswers.find(accountId, keep.key)
        if (kept === null) return await run()
        if (kept.fingerprint !== keep.fingerprint) throw new Problem('idempotency_key_reused')
        return { kind: 'replayed', kept }
      } finally {
        running.delete(key)
      }
    },
  }
}
