/**
 * Which approvals this process is working on: how many, and which records they are about to write. Two
 * writes of one record cannot both win, so the second hears so at once instead of after its validators
 * (between processes the record's version decides).
 *
 * No account gets all of the room: validators that write while they are asked, each write asking the next of
 * them, fill what their account may have and no more, and the others do not notice.
 */
import { Problem } from '../domain/problem.ts'

export interface InFlight {
  /** Takes a place, and the record where there is one; the returned function gives both back. */
  enter(accountId: string, recordKey: string | null): () => void
  readonly count: number
  /** From now on nobody comes in any more: the gateway is stopping. */
  shut(): void
  /** Resolves when nobody is left. */
  drained(): Promise<void>
}

/** Room for approvals under way. What is more would only wait longer than anybody wants to. */
const APPROVALS_IN_FLIGHT_MAX = 2_000
/** What one account may have of it. */
const ACCOUNT_SHARE = 0.75

export function createInFlight(max: number = APPROVALS_IN_FLIGHT_MAX): InFlight {
  const records = new Set<string>()
  const byAccount = new Map<string, number>()
  const accountMax = Math.ceil(max * ACCOUNT_SHARE)
  const waiting: (() => void)[] = []
  let count = 0
  let isShut = false

  const leave = (accountId: string, recordKey: string | null): void => {
    if (recordKey !== null) records.delete(recordKey)
    const others = (byAccount.get(accountId) ?? 1) - 1
    if (others === 0) byAccount.delete(accountId)
    else byAccount.set(accountId, others)
    count--
    if (count === 0) for (const tell of waiting.splice(0)) tell()
  }

  return {
    get count() {
      return count
    },
    shut: () => {
      isShut = true
    },
    enter: (accountId, recordKey) => {
      if (isShut) throw new Problem('stopping', { retryAfterSeconds: 1 })
      const ofAccount = byAccount.get(accountId) ?? 0
      if (count >= max || ofAccount >= accountMax) {
        throw new Problem('overloaded', { retryAfterSeconds: 1 })
      }
      if (recordKey !== null) {
        if (records.has(recordKey)) {
          throw new Problem('approval_in_flight', {
            detail:
              'Another change of this record is being asked about. Try again when it is done.',
            retryAfterSeconds: 1,
          })
        }
        records.add(recordKey)
      }
      byAccount.set(accountId, ofAccount + 1)
      count++
      let isInside = true
      return () => {
        if (isInside) leave(accountId, recordKey)
        isInside = false
      }
    },
    drained: () =>
      count === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve)),
  }
}
