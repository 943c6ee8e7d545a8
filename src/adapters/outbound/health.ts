/**
 * What happened to the calls of one subscription in the last five minutes, in slots of ten seconds. A
 * slot is a small row of counters, made when it is first needed: a quiet subscription costs nothing.
 */
import type { Clock } from '../../app/ports.ts'
import { type FailureCause, failureCauses, type Verdict } from '../../domain/verdict.ts'

type Outcome = Verdict['outcome']

export const HEALTH_SLOT_MS = 10_000
export const HEALTH_SLOTS = 30

const OUTCOMES = ['allow', 'deny', 'failed', 'cancelled'] as const satisfies readonly Outcome[]

/** Failures without a call: they took no time, which would make the subscriber look fast. */
const NEVER_CALLED: ReadonlySet<FailureCause> = new Set([
  'circuit_open',
  'overloaded',
  'egress_blocked',
  'budget_exhausted',
])

/** Latency buckets grow by a fourth root of two: percentiles are right to within a fifth. */
const BUCKETS_PER_DOUBLING = 4
const FIRST_BUCKET_MS = 0.25
/** Reaches 32 s, beyond the longest budget. */
const BUCKETS = 1 + 17 * BUCKETS_PER_DOUBLING

const CAUSES_FROM = OUTCOMES.length
const BUCKETS_FROM = CAUSES_FROM + failureCauses.length
const CELLS = BUCKETS_FROM + BUCKETS

const outcomeCell = new Map<Outcome, number>(OUTCOMES.map((name, index) => [name, index]))
const causeCell = new Map<FailureCause, number>(
  failureCauses.map((name, index) => [name, CAUSES_FROM + index]),
)

function bucketOf(durationMs: number): number {
  if (durationMs <= FIRST_BUCKET_MS) return 0
  const bucket = Math.ceil(Math.log2(durationMs / FIRST_BUCKET_MS) * BUCKETS_PER_DOUBLING)
  return Math.min(BUCKETS - 1, bucket)
}

/** The upper end of a bucket, as people read it. */
function bucketMs(bucket: number): number {
  const exact = FIRST_BUCKET_MS * 2 ** (bucket / BUCKETS_PER_DOUBLING)
  return Math.round(exact * 100) / 100
}

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
    count(cells, BUCKETS_FROM + bucketOf(durationMs))
  }

  summary(): HealthSummary {
    const cells = this.#sum()
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
      p50Ms: percentile(cells, 0.5),
      p99Ms: percentile(cells, 0.99),
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

function percentile(cells: Uint32Array, share: number): number | null {
  const buckets = cells.subarray(BUCKETS_FROM)
  const calls = buckets.reduce((sum, times) => sum + times, 0)
  if (calls === 0) return null
  const wanted = Math.ceil(calls * share)
  let seen = 0
  for (const [bucket, times] of buckets.entries()) {
    seen += times
    if (seen >= wanted) return bucketMs(bucket)
  }
  return bucketMs(BUCKETS - 1)
}
