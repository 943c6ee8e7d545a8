/**
 * What a person on call needs, as Prometheus metrics. Every label has a bounded set of values: events,
 * decisions, outcomes and causes are closed unions, and subscriptions past the limit share one label.
 */
import { AggregatorRegistry, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { JournalEvent } from '../../app/journal.ts'
import type { ChangeEvent } from '../../domain/change.ts'
import { getOrAdd } from '../../domain/maps.ts'
import { DELIVERY_STATES } from '../../domain/notification.ts'
import { unreachable } from '../../domain/problem.ts'
import { type Count, CounterTally, HistogramTally, type Spread } from './tallies.ts'

const SUBSCRIPTION_LABELS_MAX = 1_000
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const NOTIFICATION_AGES = [0.005, 0.02, 0.1, 0.5, 1, 5, 30, 300, 3_600, 86_400]

/** Read when somebody asks, because nobody writes them down. */
export type Gauges = {
  readonly inFlight: () => number
  /** Menu actions. */
  readonly actionsInFlight: () => number
  readonly waiting: () => number
  readonly commitQueue: () => number
  readonly backlogAgeMs: () => Promise<number>
}

/** All metrics of one process, in a form that can be sent to another. */
export type MetricValues = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

/** One text for several processes: counts and sizes are added up, states and ages are those of the worst. */
export function mergedMetrics(all: readonly MetricValues[]): Promise<string> {
  return AggregatorRegistry.aggregate([...all]).metrics()
}

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

const BREAKER_VALUES = { closed: 0, halfOpen: 1, open: 2 } as const

/** Where approvals of one event are counted; by decision and commit mode. */
type EventCells = {
  readonly decided: Map<string, Count>
  readonly total: Spread
  readonly added: Spread
}

/** Where calls to one subscription are counted; by outcome and cause. */
type LineCells = { readonly ended: Map<string, Count>; readonly time: Spread }

export class Metrics {
  readonly #registry = new Registry()
  readonly #known = new Set<string>()
  readonly #events = new Map<ChangeEvent, EventCells>()
  readonly #lines = new Map<string, LineCells>()
  readonly #failed = this.#counter(
    'assent_approvals_failed_total',
    'Approvals that ended in a problem',
    ['event', 'code'],
  )
  readonly #degraded = this.#counter(
    'assent_approvals_degraded_total',
    'Approvals allowed although a validator could not be asked (fail-open)',
    ['event'],
  )
  readonly #approvals = new CounterTally(this.#registry, {
    name: 'assent_approvals_total',
    help: 'Approvals answered with a decision',
  })
  readonly #total = new HistogramTally(
    this.#registry,
    { name: 'assent_approval_seconds', help: 'Whole approval' },
    SECONDS,
  )
  readonly #added = new HistogramTally(
    this.#registry,
    { name: 'assent_approval_added_seconds', help: 'Time added beyond the slowest validator' },
    SECONDS,
  )
  readonly #calls = new CounterTally(this.#registry, {
    name: 'assent_validator_calls_total',
    help: 'Calls by subscription and outcome',
  })
  readonly #callTime = new HistogramTally(
    this.#registry,
    { name: 'assent_validator_seconds', help: 'Duration of calls by subscription' },
    SECONDS,
  )
  readonly #breakers = this.#gauge(
    'assent_breaker_state',
    'Circuit breaker by subscription: 0 closed, 1 half open, 2 open',
    ['subscription'],
  )
  readonly #batch = this.#histogram(
    'assent_commit_batch_items',
    'Changes committed together in one statement',
    [],
    [1, 2, 4, 8, 16, 32, 64, 128],
  )
  readonly #commitTime = this.#histogram('assent_commit_seconds', 'Commit statement', [], SECONDS)
  readonly #commitTrouble = this.#counter(
    'assent_commit_batches_split_total',
    'Batches sent again one by one because an item broke the statement',
    [],
  )
  readonly #logDropped = this.#counter(
    'assent_decisions_dropped_total',
    'Decisions answered but never stored',
    [],
  )
  readonly #attempts = this.#counter(
    'assent_notification_attempts_total',
    'Notification attempts by subscription and the state they led to',
    ['subscription', 'state'],
  )
  readonly #age = this.#histogram(
    'assent_notification_age_seconds',
    'From commit to delivery',
    [],
    NOTIFICATION_AGES,
  )

  readonly #actions = this.#counter('assent_actions_total', 'Menu actions run, by how they ended', [
    'status',
  ])
  readonly #reaped = this.#counter(
    'assent_deliveries_reaped_total',
    'Deliveries taken over from gateways that went away while sending',
    [],
  )
  readonly #relayTrouble = this.#counter(
    'assent_relay_trouble_total',
    'Steps of the notification relay that failed and are tried again',
    ['step'],
  )
  readonly #storeTrouble = this.#counter(
    'assent_store_trouble_total',
    'Troubles with the database that were noticed',
    [],
  )
  readonly #shed = this.#counter(
    'assent_requests_shed_total',
    'Writes turned away unread because the gateway was full',
    [],
  )
  readonly #limited = this.#counter(
    'assent_requests_limited_total',
    'Requests refused past a rate, by whose it is: key or account',
    ['by'],
  )
  readonly #crashes = this.#counter('assent_bugs_total', 'Requests that ended in a bland 500', [])

  constructor(gauges: Gauges) {
    this.#read('assent_workers', 'Processes behind this port', () => 1)
    this.#read('assent_approvals_in_flight', 'Approvals under way', gauges.inFlight)
    this.#read('assent_actions_in_flight', 'Menu actions under way', gauges.actionsInFlight)
    this.#read('assent_requests_waiting', 'Writes that wait for their turn', gauges.waiting)
    this.#read('assent_store_queue_items', 'Writes that wait for the database', gauges.commitQueue)
    this.#read(
      'assent_notification_backlog_age_seconds',
      'Oldest notification that is due',
      async () => (await gauges.backlogAgeMs()) / 1_000,
      'max',
    )
    this.#read('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss())
    this.#read('process_cpu_seconds_total', 'CPU time used by this process', () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    })
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }

  values(): Promise<MetricValues> {
    return this.#registry.getMetricsAsJSON()
  }

  record(event: JournalEvent): void {
    switch (event.kind) {
      case 'approval.decided':
        return this.#decided(event)
      case 'approval.failed':
        return this.#failed.inc({ event: event.event, code: event.code })
      case 'call.ended':
        return this.#called(event)
      case 'breaker.changed':
        return this.#breakers.set(
          { subscription: this.#label(event.subscriptionId) },
          BREAKER_VALUES[event.state],
        )
      case 'subscription.forgotten':
        return this.#forget(event.subscriptionId)
      case 'commit.flushed':
        this.#batch.observe(event.items)
        return this.#commitTime.observe(event.durationMs / 1_000)
      case 'commit.fell_apart':
        return this.#commitTrouble.inc()
      case 'log.dropped':
        return this.#logDropped.inc(event.items)
      case 'delivery.attempted':
        return this.#delivered(event)
      case 'action.ended':
        return this.#actions.inc({ status: event.status })
      case 'deliveries.reaped':
        return this.#reaped.inc(event.count)
      case 'relay.stumbled':
        return this.#relayTrouble.inc({ step: event.step })
      case 'store.trouble':
        return this.#storeTrouble.inc()
      case 'request.crashed':
        return this.#crashes.inc()
      case 'request.shed':
        return this.#shed.inc()
      case 'request.limited':
        return this.#limited.inc({ by: event.by })
      case 'approval.amended':
      case 'log.flushed':
      case 'deliveries.mended':
      case 'subscription.failing':
      case 'subscription.disabled':
      case 'process':
        return
      default:
        return unreachable(event)
    }
  }

  #decided(event: Extract<JournalEvent, { kind: 'approval.decided' }>): void {
    const { decision, commit, totalMs, validatorsMs } = event
    const cells = this.#cellsOf(event.event)
    getOrAdd(cells.decided, `${decision} ${commit}`, () =>
      this.#approvals.cell({ event: event.event, decision, commit }),
    ).count += 1
    if (event.degraded) this.#degraded.inc({ event: event.event })
    cells.total.observe(totalMs / 1_000)
    cells.added.observe(Math.max(0, totalMs - validatorsMs) / 1_000)
  }

  #cellsOf(event: ChangeEvent): EventCells {
    return getOrAdd(this.#events, event, () => ({
      decided: new Map(),
      total: this.#total.cell({ event }),
      added: this.#added.cell({ event }),
    }))
  }

  #called({
    subscriptionId,
    outcome,
    cause,
    durationMs,
  }: Extract<JournalEvent, { kind: 'call.ended' }>): void {
    const subscription = this.#label(subscriptionId)
    const cells = getOrAdd(this.#lines, subscription, () => ({
      ended: new Map(),
      time: this.#callTime.cell({ subscription }),
    }))
    getOrAdd(cells.ended, `${outcome} ${cause ?? ''}`, () =>
      this.#calls.cell({ subscription, outcome, cause: cause ?? '' }),
    ).count += 1
    cells.time.observe(durationMs / 1_000)
  }

  #delivered(event: Extract<JournalEvent, { kind: 'delivery.attempted' }>): void {
    this.#attempts.inc({ subscription: this.#label(event.subscriptionId), state: event.state })
    if (event.state === 'delivered') this.#age.observe(event.ageMs / 1_000)
  }

  #label(subscriptionId: string): string {
    if (this.#known.has(subscriptionId)) return subscriptionId
    if (this.#known.size >= SUBSCRIPTION_LABELS_MAX) return 'other'
    this.#known.add(subscriptionId)
    // Known to be well from the first call on; else "closed" could not be told from "unknown".
    this.#breakers.set({ subscription: subscriptionId }, BREAKER_VALUES.closed)
    return subscriptionId
  }

  #forget(subscription: string): void {
    if (!this.#known.delete(subscription)) return
    this.#breakers.remove({ subscription })
    this.#lines.delete(subscription)
    this.#callTime.forget('subscription', subscription)
    this.#calls.forget('subscription', subscription)
    for (const state of DELIVERY_STATES) this.#attempts.remove({ subscription, state })
  }

  #counter<T extends string>(name: string, help: string, labelNames: T[]): Counter<T> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] })
  }

  #gauge<T extends string>(name: string, help: string, labelNames: T[]): Gauge<T> {
    return new Gauge({ name, help, labelNames, aggregator: 'max', registers: [this.#registry] })
  }

  #histogram<T extends string>(
    name: string,
    help: string,
    labelNames: T[],
    buckets: number[],
  ): Histogram<T> {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.#registry] })
  }

  /** `together` says what the metric is of several processes. */
  #read(
    name: string,
    help: string,
    value: () => number | Promise<number>,
    together: 'sum' | 'max' = 'sum',
  ): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      aggregator: together,
      registers: [this.#registry],
      collect: async () => {
        // The database may be away: the other metrics are wanted then more than ever.
        gauge.set(await Promise.resolve(value()).catch(() => Number.NaN))
      },
    })
  }
}
