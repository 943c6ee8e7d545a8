/**
 * What happened to the calls of one subscription in the last five minutes, in slots of ten seconds. A
 * slot is a small row of counters, made when it is first needed: a quiet subscription costs nothing.
 */
import type { Clock } from '../../app/ports.ts'
import { DURATION_BUCKETS, durationBucket, percentileMs } from '../../domain/durations.ts'
import {
  type FailureCause,
  failureCauses,
  NEVER_CALLED,
  type Verdict,
} from '../../domain/verdict.ts'

type Outcome = Verdict['outcome']

export const HEALTH_SLOT_MS = 10_000
export const HEALTH_SLOTS = 30

const OUTCOMES = ['allow', 'deny', 'failed', 'cancelled'] as const satisfies readonly Outcome[]

const CAUSES_FROM = OUTCOMES.length
const BUCKETS_FROM = CAUSES_FROM + failureCauses.length
const CELLS = BUCKETS_FROM + DURATION_BUCKETS

const outcomeCell = new Map<Outcome, number>(OUTCOMES.map((name, index) => [name, index]))
const causeCell = new Map<FailureCause, number>(
  failureCauses.map((name, index) => [name, CAUSES_FROM + index]),
)

type Slot = { readonly period: number; readonly cells: Uint32Array }

export type HealthSummary = {
  readonly counts: Readonly<Record<Outcome, number>>
  readonly failures: Readonly<Record<string, number>>
  readonly p50Ms: number | null
  readonly p99Ms: number | null
}

export const NO_HEALTH: HealthSummary = {
  counts: { allow: 0, deny: 0, failed: 0, cancelled: 0 },
  failures: {},
  p50Ms: null,
  p99Ms: null,
}

export class Health {
  readonly #clock: Clock
  readonly #slots: (Slot | undefined)[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  record(outcome: Outcome, cause: FailureCause | undefined, durationMs: number): void {
    const { cells } = this.#slot()
    count(cells, outcomeCell.get(outcome))
    if (cause !== undefined) count(cells, causeCell.get(cause))
    if (outcome === 'cancelled' || (cause !== undefined && NEVER_CALLED.has(cause))) return
    count(cells, BUCKETS_FROM + durationBucket(durationMs))
  }

  summary(): HealthSummary {
    const cells = this.#sum()
    const times = cells.subarray(BUCKETS_FROM)
    const at = (cell: number | undefined): number => cells[cell ?? -1] ?? 0
    const failures = failureCauses
      .map((cause) => [cause, at(causeCell.get(cause))] as const)
      .filter(([, times]) => times > 0)
    return {
      counts: {
        allow: at(outcomeCell.get('allow')),
        deny: at(outcomeCell.get('deny')),
        failed: at(outcomeCell.get('failed')),
        cancelled: at(outcomeCell.get('cancelled')),
      },
      failures: Object.fromEntries(failures),
      p50Ms: percentileMs(times, 0.5),
      p99Ms: percentileMs(times, 0.99),
    }
  }

  #period(): number {
    return Math.floor(this.#clock.monotonicMs() / HEALTH_SLOT_MS)
  }

  #slot(): Slot {
    const period = this.#period()
    const index = period % HEALTH_SLOTS
    const current = this.#slots[index]
    if (current?.period === period) return current
    const cells = current?.cells.fill(0) ?? new Uint32Array(CELLS)
    const slot = { period, cells }
    this.#slots[index] = slot
    return slot
  }

  #sum(): Uint32Array {
    const oldest = this.#period() - HEALTH_SLOTS
    const total = new Uint32Array(CELLS)
    for (const slot of this.#slots) {
      if (slot === undefined || slot.period <= oldest) continue
      for (const [cell, times] of slot.cells.entries()) total[cell] = (total[cell] ?? 0) + times
    }
    return total
  }
}

function count(cells: Uint32Array, cell: number | undefined): void {
  if (cell !== undefined) cells[cell] = (cells[cell] ?? 0) + 1
}
