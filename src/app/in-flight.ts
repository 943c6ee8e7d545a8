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
  /**
   * Takes room for what is about to be sent, in characters; the returned function gives it back. Receivers that accept
   * a connection and never read leave all of it in our memory.
   */
  carry(accountId: string, size: number): () => void
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
/** Characters on their way out at once: a few hundred megabytes at worst. */
const CARRIED_MAX = 192 * 1_024 * 1_024

/** Bodies on their way in at once. An account's share of them and of approvals is less than the front door lets in. */
export const ARRIVING_MAX = 600
/** Of those of whom nothing is known, who may send little. */
const ARRIVING_UNKNOWN_MAX = 64

export function createInFlight(max: number = APPROVALS_IN_FLIGHT_MAX): InFlight {
  const records = new Set<string>()
  const byAccount = new Map<string, number>()
  const accountMax = Math.ceil(max * ACCOUNT_SHARE)
  const waiting: (() => void)[] = []
  const load = createLoad(CARRIED_MAX)
  let count = 0
  let isShut = false

  const leave = (accountId: string, recordKey: string | null): void => {
    if (recordKey !== null) records.delete(recordKey)
    add(byAccount, accountId, -1)
    count--
    if (count === 0) for (const tell of waiting.splice(0)) tell()
  }

  return {
    get count() {
      return count
    },
    carry: load.take,
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
      add(byAccount, accountId, 1)
      count++
      return onlyOnce(() => leave(accountId, recordKey))
    },
    drained: () =>
      count === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve)),
  }
}

/** Bodies that are still coming in: of callers, and of whoever has shown no key. */
export function createArriving() {
  return {
    known: createInFlight(ARRIVING_MAX),
    unknown: createInFlight(ARRIVING_UNKNOWN_MAX),
  }
}

function createLoad(max: number) {
  const byAccount = new Map<string, number>()
  let total = 0
  return {
    take: (accountId: string, size: number): (() => void) => {
      const ofAccount = (byAccount.get(accountId) ?? 0) + size
      // What is alone is let through, however large it is: it would never be otherwise.
      const isTooMuch = total + size > max || ofAccount > max * ACCOUNT_SHARE
      if (size > 0 && total > 0 && isTooMuch)
        throw new Problem('overloaded', { retryAfterSeconds: 1 })
      add(byAccount, accountId, size)
      total += size
      return onlyOnce(() => {
        add(byAccount, accountId, -size)
        total -= size
      })
    },
  }
}

function add(counts: Map<string, number>, name: string, by: number): void {
  const sum = (counts.get(name) ?? 0) + by
  if (sum === 0) counts.delete(name)
  else counts.set(name, sum)
}

function onlyOnce(run: () => void): () => void {
  let isDue = true
  return () => {
    if (isDue) run()
    isDue = false
  }
}
