/**
 * What was promised and what arrived, compared. Pure, so that the judge of the chaos run can itself be
 * judged: on ledgers that are written by hand, and on runs of a gateway that was made to do wrong.
 *
 * What is owed follows from the committed changes alone. Of what arrived only what a receiver accepted
 * counts as told; whatever arrived, accepted or not, must be genuine.
 */

/** A change that was committed, as the log of decisions has it. */
export type CommittedChange = {
  readonly decisionId: string
  /** The idempotency key under which a caller asked for it. */
  readonly key: string
  readonly recordId: string
  /** The record's version that it made: the order of commits. */
  readonly version: number
  /** Who must be told. */
  readonly told: readonly string[]
}

/** What a caller was answered. */
export type Promised = {
  readonly decisionId: string
  readonly key: string
  readonly version: number
}

/** A number of a subscription's, and what it was given to. */
export type Numbered = {
  readonly receiver: string
  readonly number: number
  readonly webhookId: string
  readonly decisionId: string
}

export type Receipt = Numbered & {
  readonly body: string
  readonly isGenuine: boolean
  readonly isAccepted: boolean
}

export type Ledger = {
  readonly committed: readonly CommittedChange[]
  readonly promised: readonly Promised[]
  readonly planned: readonly Numbered[]
  /** In the order in which they were accepted or refused. */
  readonly receipts: readonly Receipt[]
}

/** How often each thing happened that must not happen. */
export type Violations = {
  /** Answered as committed, and not there. */
  readonly lost: number
  /** One request, several changes. */
  readonly repeated: number
  /** Owed to a receiver, and not planned for it or never accepted by it. */
  readonly missing: number
  /** Planned or received, and owed to nobody. */
  readonly invented: number
  /** Numbers below a receiver's highest that nothing has. */
  readonly gaps: number
  /** Numbers of several webhook-ids, webhook-ids of several numbers or several events. */
  readonly ambiguous: number
  /** Accepted for the first time after a later change of the same record. */
  readonly outOfOrder: number
  readonly badSignatures: number
  /** Received again with another body. */
  readonly altered: number
}

export const NO_VIOLATIONS: Violations = {
  lost: 0,
  repeated: 0,
  missing: 0,
  invented: 0,
  gaps: 0,
  ambiguous: 0,
  outOfOrder: 0,
  badSignatures: 0,
  altered: 0,
}

export function violationsOf(ledger: Ledger): Violations {
  const numbered = [...ledger.planned, ...ledger.receipts]
  return {
    lost: lost(ledger),
    repeated: ledger.committed.length - new Set(ledger.committed.map(({ key }) => key)).size,
    missing: missing(ledger),
    invented: invented(ledger, numbered),
    gaps: gaps(numbered),
    ambiguous: ambiguous(numbered),
    outOfOrder: outOfOrder(ledger),
    badSignatures: ledger.receipts.filter(({ isGenuine }) => !isGenuine).length,
    altered: extraValues(
      ledger.receipts,
      ({ receiver, webhookId }) => pair(receiver, webhookId),
      ({ body }) => body,
    ),
  }
}

/** Accepted more than once: at least once is what was promised. */
export function duplicatesOf({ receipts }: Ledger): number {
  const accepted = receipts.filter(({ isAccepted }) => isAccepted)
  const distinct = new Set(accepted.map(({ receiver, webhookId }) => pair(receiver, webhookId)))
  return accepted.length - distinct.size
}

const pair = (left: string, right: string | number): string => JSON.stringify([left, right])
const ofEvent = ({ receiver, decisionId }: Numbered): string => pair(receiver, decisionId)

function lost({ committed, promised }: Ledger): number {
  const known = new Map(committed.map((change) => [change.decisionId, change]))
  return promised.filter(({ decisionId, key, version }) => {
    const change = known.get(decisionId)
    return change?.key !== key || change.version !== version
  }).length
}

function owedBy({ committed }: Ledger): Set<string> {
  return new Set(
    committed.flatMap(({ decisionId, told }) => told.map((receiver) => pair(receiver, decisionId))),
  )
}

function missing(ledger: Ledger): number {
  const planned = new Set(ledger.planned.map(ofEvent))
  const accepted = new Set(ledger.receipts.filter(({ isAccepted }) => isAccepted).map(ofEvent))
  return [...owedBy(ledger)].filter((one) => !planned.has(one) || !accepted.has(one)).length
}

function invented(ledger: Ledger, numbered: readonly Numbered[]): number {
  const owed = owedBy(ledger)
  return new Set(numbered.map(ofEvent).filter((one) => !owed.has(one))).size
}

function gaps(numbered: readonly Numbered[]): number {
  const numbersOf = new Map<string, Set<number>>()
  for (const { receiver, number } of numbered) {
    numbersOf.set(receiver, (numbersOf.get(receiver) ?? new Set()).add(number))
  }
  const missingIn = (numbers: Set<number>) => {
    const highest = [...numbers].reduce((left, right) => Math.max(left, right), 0)
    return Array.from({ length: highest }, (_, n) => n + 1).filter((n) => !numbers.has(n)).length
  }
  return [...numbersOf.values()].reduce((sum, numbers) => sum + missingIn(numbers), 0)
}

/** A number, its webhook-id and its event belong together, whichever of them one looks at. */
function ambiguous(numbered: readonly Numbered[]): number {
  const byNumber = ({ receiver, number }: Numbered) => pair(receiver, number)
  const byId = ({ receiver, webhookId }: Numbered) => pair(receiver, webhookId)
  return (
    extraValues(numbered, byNumber, byId) +
    extraValues(numbered, byId, byNumber) +
    extraValues(numbered, ofEvent, byId) +
    extraValues(numbered, byId, ofEvent)
  )
}

/** How many values there are beyond one for each key. */
function extraValues<T>(
  list: readonly T[],
  keyOf: (one: T) => string,
  valueOf: (one: T) => string,
): number {
  const valuesOf = new Map<string, Set<string>>()
  for (const one of list) {
    const key = keyOf(one)
    valuesOf.set(key, (valuesOf.get(key) ?? new Set()).add(valueOf(one)))
  }
  return [...valuesOf.values()].reduce((sum, values) => sum + values.size - 1, 0)
}

/** Only what a receiver accepts for the first time is news to it; the same id again is a duplicate. */
function outOfOrder({ committed, receipts }: Ledger): number {
  const changes = new Map(committed.map((change) => [change.decisionId, change]))
  const seen = new Set<string>()
  const newest = new Map<string, number>()
  let count = 0
  for (const receipt of receipts) {
    const change = changes.get(receipt.decisionId)
    const id = pair(receipt.receiver, receipt.webhookId)
    if (change === undefined || !receipt.isAccepted || seen.has(id)) continue
    seen.add(id)
    const record = pair(receipt.receiver, change.recordId)
    const before = newest.get(record) ?? 0
    if (change.version < before) count++
    newest.set(record, Math.max(before, change.version))
  }
  return count
}
