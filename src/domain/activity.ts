/**
 * What happens in an account, counted by the minute: approvals, what the gateway added to them, and each validator. Each
 * process counts for itself; whoever reads adds up the minutes of all of them.
 */
import { DURATION_BUCKETS, durationBucket, percentileMs } from './durations.ts'
import { getOrAdd } from './maps.ts'
import { NEVER_CALLED, type Verdict } from './verdict.ts'

/** Of one minute and one process; validators beyond these are not counted. */
const VALIDATORS_MAX = 200
/** Of all validators together, so that a day of many of them is still an answer of a size that can be drawn. */
const POINTS_MAX = 20_000

/** As counted and stored; readers of other builds must understand it, so members are only ever added. */
export type MinuteCounts = {
  readonly approvals: number
  readonly denied: number
  readonly confirmed: number
  readonly degraded: number
  /** Answered with a problem. */
  readonly failed: number
  readonly added: SparseCounts
  readonly validators: readonly ValidatorCounts[]
}

export type ValidatorCounts = {
  readonly subscriptionId: string
  readonly asked: number
  readonly allowed: number
  readonly denied: number
  readonly failed: number
  readonly times: SparseCounts
}

/** Buckets of durations that hold something, each followed by how many. */
type SparseCounts = readonly number[]

export type CountedApproval = {
  readonly decision: 'allow' | 'deny' | 'confirm'
  readonly degraded: boolean
  readonly verdicts: readonly Verdict[]
  /** Time beyond the validators'. */
  readonly addedMs: number
}

/** Counts as they come. This is called with every approval, so it only adds up. */
export class MinuteTally {
  #approvals = 0
  #denied = 0
  #confirmed = 0
  #degraded = 0
  #failed = 0
  readonly #added = new Uint32Array(DURATION_BUCKETS)
  readonly #validators = new Map<string, ValidatorTally>()

  decided({ decision, degraded, verdicts, addedMs }: CountedApproval): void {
    this.#approvals += 1
    if (decision === 'deny') this.#denied += 1
    else if (decision === 'confirm') this.#confirmed += 1
    if (degraded) this.#degraded += 1
    increase(this.#added, durationBucket(addedMs), 1)
    for (const verdict of verdicts) {
      const validator = this.#validator(verdict.subscriptionId)
      if (validator === null) continue
      validator.asked += 1
      validator.hear(verdict)
    }
  }

  /** What was out when the decision was made, and counted as asked then. */
  heardLate(verdicts: readonly Verdict[]): void {
    for (const verdict of verdicts) this.#validator(verdict.subscriptionId)?.hear(verdict)
  }

  failed(): void {
    this.#failed += 1
  }

  add(counts: MinuteCounts): void {
    this.#approvals += counts.approvals
    this.#denied += counts.denied
    this.#confirmed += counts.confirmed
    this.#degraded += counts.degraded
    this.#failed += counts.failed
    spread(this.#added, counts.added)
    for (const one of counts.validators) {
      getOrAdd(this.#validators, one.subscriptionId, () => new ValidatorTally()).add(one)
    }
  }

  counts(): MinuteCounts {
    return {
      ...this.#sums(),
      added: gathered(this.#added),
      validators: [...this.#validators].map(([id, one]) => one.counts(id)),
    }
  }

  summary(minuteMs: number): ActivityMinute {
    return { at: timeOf(minuteMs), ...this.#sums(), gateway: percentiles(this.#added) }
  }

  get validators(): ReadonlyMap<string, ValidatorTally> {
    return this.#validators
  }

  #sums() {
    return {
      approvals: this.#approvals,
      denied: this.#denied,
      confirmed: this.#confirmed,
      degraded: this.#degraded,
      failed: this.#failed,
    }
  }

  #validator(id: string): ValidatorTally | null {
    const known = this.#validators.get(id)
    if (known !== undefined) return known
    if (this.#validators.size >= VALIDATORS_MAX) return null
    const made = new ValidatorTally()
    this.#validators.set(id, made)
    return made
  }
}

class ValidatorTally {
  asked = 0
  #allowed = 0
  #denied = 0
  #failed = 0
  readonly #times = new Uint32Array(DURATION_BUCKETS)

  /** A shadow's denial counts like any other: that is what it would have done. */
  hear({ outcome, cause, durationMs }: Verdict): void {
    if (outcome === 'cancelled') return
    if (outcome === 'allow') this.#allowed += 1
    else if (outcome === 'deny') this.#denied += 1
    else this.#failed += 1
    if (cause !== undefined && NEVER_CALLED.has(cause)) return
    increase(this.#times, durationBucket(durationMs), 1)
  }

  add({ asked, allowed, denied, failed, times }: ValidatorCounts): void {
    this.asked += asked
    this.#allowed += allowed
    this.#denied += denied
    this.#failed += failed
    spread(this.#times, times)
  }

  counts(subscriptionId: string): ValidatorCounts {
    return { subscriptionId, ...this.#sums(), times: gathered(this.#times) }
  }

  summary(subscriptionId: string, minutes: readonly ValidatorMinute[]): ValidatorActivity {
    return { subscriptionId, ...this.#sums(), ...percentiles(this.#times), minutes }
  }

  point(minuteMs: number): ValidatorMinute {
    return { at: timeOf(minuteMs), asked: this.asked, ...percentiles(this.#times) }
  }

  #sums() {
    const { asked } = this
    return { asked, allowed: this.#allowed, denied: this.#denied, failed: this.#failed }
  }
}

type Percentiles = { readonly p50Ms: number | null; readonly p99Ms: number | null }

type ActivityMinute = Omit<MinuteCounts, 'added' | 'validators'> & {
  readonly at: string
  readonly gateway: Percentiles
}

type ValidatorMinute = Percentiles & { readonly at: string; readonly asked: number }

type ValidatorActivity = Percentiles &
  Omit<ValidatorCounts, 'times'> & { readonly minutes: readonly ValidatorMinute[] }

export type Activity = {
  readonly minutes: readonly ActivityMinute[]
  /** Whoever was asked most comes first. */
  readonly validators: readonly ValidatorActivity[]
}

type Series = { readonly total: ValidatorTally; readonly points: ValidatorMinute[] }

/** Adds up minutes of any number of processes, told in order of time. */
export class ActivitySum {
  readonly #minutes: ActivityMinute[] = []
  readonly #validators = new Map<string, Series>()
  #open: { readonly minuteMs: number; readonly tally: MinuteTally } | null = null

  add(minuteMs: number, counts: MinuteCounts): void {
    if (this.#open?.minuteMs !== minuteMs) {
      this.#close()
      this.#open = { minuteMs, tally: new MinuteTally() }
    }
    this.#open.tally.add(counts)
  }

  end(): Activity {
    this.#close()
    const validators = [...this.#validators].sort(([, a], [, b]) => b.total.asked - a.total.asked)
    let room = POINTS_MAX
    const told = validators.map(([id, { total, points }]) => {
      const shown = points.length <= room ? points : []
      room -= shown.length
      return total.summary(id, shown)
    })
    return { minutes: this.#minutes, validators: told }
  }

  #close(): void {
    if (this.#open === null) return
    const { minuteMs, tally } = this.#open
    this.#open = null
    this.#minutes.push(tally.summary(minuteMs))
    for (const [id, one] of tally.validators) {
      const none = (): Series => ({ total: new ValidatorTally(), points: [] })
      const { total, points } = getOrAdd(this.#validators, id, none)
      total.add(one.counts(id))
      points.push(one.point(minuteMs))
    }
  }
}

const timeOf = (ms: number): string => new Date(ms).toISOString()

function percentiles(times: Uint32Array): Percentiles {
  return { p50Ms: percentileMs(times, 0.5), p99Ms: percentileMs(times, 0.99) }
}

function increase(counts: Uint32Array, bucket: number, by: number): void {
  counts[bucket] = (counts[bucket] ?? 0) + by
}

function gathered(counts: Uint32Array): SparseCounts {
  const found: number[] = []
  for (const [bucket, times] of counts.entries()) if (times > 0) found.push(bucket, times)
  return found
}

function spread(counts: Uint32Array, sparse: SparseCounts): void {
  for (let at = 0; at < sparse.length; at += 2) {
    increase(counts, sparse[at] ?? 0, sparse[at + 1] ?? 0)
  }
}
