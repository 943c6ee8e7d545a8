/**
 * Several processes that share one port (node:cluster). The primary serves nothing: it starts the workers,
 * replaces those that die, adds up their metrics and stops them together. A worker is a gateway like any
 * other, and is to its siblings what gateways of other machines are: all that they share is the database.
 *
 * - The first worker is started alone: it migrates the database and makes the first admin key, and when it
 *   cannot start, nobody can.
 * - A worker that dies is replaced after a pause, which doubles while workers die young.
 * - Only the primary hears signals (a terminal sends them to all); workers are told through the channel,
 *   and a worker whose channel breaks has lost its primary and stops by itself.
 */
import cluster, { type Worker } from 'node:cluster'
import { type MetricValues, mergedMetrics } from './adapters/telemetry/metrics.ts'
import type { Clock } from './app/ports.ts'

type ToPrimary =
  | { readonly kind: 'listening'; readonly started: Started }
  | { readonly kind: 'metrics.wanted'; readonly request: number }
  | { readonly kind: 'metrics.told'; readonly request: number; readonly metrics: MetricValues }

type ToWorker =
  | { readonly kind: 'metrics.tell'; readonly request: number }
  | { readonly kind: 'metrics.gathered'; readonly request: number; readonly text: string }
  | { readonly kind: 'stop' }

/** What a gateway that has started tells whoever started it. */
export type Started = { readonly url: string; readonly generatedAdminKey: string | null }

const PAUSE_MS = { first: 100, longest: 10_000 } as const
/** A worker that lived this long did not die of its start. */
const GROWN_UP_MS = 60_000
/** A worker that does not tell its metrics in this time is left out: it may be starting, or be stuck. */
const METRICS_WAIT_MS = 1_000

export const isWorker = cluster.isWorker

// ---- the primary

export class Workers {
  readonly #clock: Clock
  readonly #complain: (text: string) => void
  readonly #gatherings = new Map<number, Gathering>()
  #gathered = 0
  #pauseMs: number = PAUSE_MS.first
  /** The first worker is up: from now on whoever dies is replaced. */
  #isServing = false
  #isStopping = false

  constructor(clock: Clock, complain: (text: string) => void) {
    this.#clock = clock
    this.#complain = complain
  }

  /** Resolves when the first worker listens; the others follow. Rejects with its exit code when it ends. */
  async start(count: number): Promise<Started> {
    // The default turns NaN, which a gauge that cannot be read says, into null.
    cluster.setupPrimary({ serialization: 'advanced' })
    const started = await this.#first()
    for (let others = count - 1; others > 0; others--) this.#fork()
    return started
  }

  /** Resolves when the last one has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const workers = Object.values(cluster.workers ?? {}).filter((one) => one !== undefined)
    await Promise.all(
      workers.map(async (worker) => {
        const ended = new Promise((resolve) => worker.once('exit', resolve))
        tell(worker, { kind: 'stop' })
        await ended
      }),
    )
  }

  /** Ends them without waiting for anything. */
  kill(): void {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL')
  }

  #first(): Promise<Started> {
    return new Promise((resolve, reject) => {
      const worker = this.#fork()
      worker.once('exit', (code: number | null) => reject(new FirstWorkerEnded(code ?? 1)))
      worker.on('message', (message: ToPrimary) => {
        if (message.kind !== 'listening') return
        this.#isServing = true
        resolve(message.started)
      })
    })
  }

  #fork(): Worker {
    const worker = cluster.fork()
    const bornAt = this.#clock.monotonicMs()
    worker.on('message', (message: ToPrimary) => this.#hear(worker, message))
    worker.on('exit', (code, signal) => {
      for (const gathering of this.#gatherings.values()) gathering.without(worker)
      if (this.#isStopping || !this.#isServing) return
      this.#complain(`worker ${worker.process.pid} ended (${signal ?? code}); another one starts`)
      this.#replace(this.#clock.monotonicMs() - bornAt)
    })
    return worker
  }

  #replace(livedMs: number): void {
    if (livedMs >= GROWN_UP_MS) this.#pauseMs = PAUSE_MS.first
    this.#clock.schedule(this.#pauseMs, () => {
      if (!this.#isStopping) this.#fork()
    })
    this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MS.longest)
  }

  #hear(worker: Worker, message: ToPrimary): void {
    switch (message.kind) {
      case 'listening':
        return
      case 'metrics.wanted':
        return this.#gather(worker, message.request)
      case 'metrics.told':
        return this.#gatherings.get(message.request)?.add(worker, message.metrics)
    }
  }

  #gather(asker: Worker, request: number): void {
    const workers = Object.values(cluster.workers ?? {}).filter((one) => one !== undefined)
    this.#gathered += 1
    const id = this.#gathered
    const finish = (all: readonly MetricValues[]): void => {
      this.#gatherings.delete(id)
      stopTimer()
      void mergedMetrics(all).then((text) => {
        tell(asker, { kind: 'metrics.gathered', request, text })
      })
    }
    const gathering = new Gathering(workers, finish)
    const stopTimer = this.#clock.schedule(METRICS_WAIT_MS, () => gathering.end())
    this.#gatherings.set(id, gathering)
    for (const worker of workers) tell(worker, { kind: 'metrics.tell', request: id })
  }
}

export class FirstWorkerEnded extends Error {
  readonly code: number

  constructor(code: number) {
    super('the first worker could not start')
    this.name = 'FirstWorkerEnded'
    this.code = code
  }
}

/** One round of asking every worker for its metrics. */
class Gathering {
  readonly #open: Set<Worker>
  readonly #told: MetricValues[] = []
  readonly #finish: (all: readonly MetricValues[]) => void
  #isOver = false

  constructor(workers: readonly Worker[], finish: (all: readonly MetricValues[]) => void) {
    this.#open = new Set(workers)
    this.#finish = finish
  }

  add(worker: Worker, metrics: MetricValues): void {
    if (!this.#open.has(worker)) return
    this.#told.push(metrics)
    this.without(worker)
  }

  without(worker: Worker): void {
    this.#open.delete(worker)
    if (this.#open.size === 0) this.end()
  }

  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#finish(this.#told)
  }
}

/** A channel that is closing has nobody at its other end; what was to be said is not missed. */
function tell(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message, () => {})
}

// ---- a worker

export type WorkerDuties = {
  /** This process's own metrics. */
  readonly metrics: () => Promise<MetricValues>
  readonly stop: () => void
}

/** The worker's end of the channel to its primary. */
export class Primary {
  readonly #waiting = new Map<number, (text: string) => void>()
  #asked = 0

  /** The metrics of all workers together, as Prometheus reads them. */
  metricsOfAll(): Promise<string> {
    return new Promise((resolve) => {
      this.#asked += 1
      this.#waiting.set(this.#asked, resolve)
      this.#tell({ kind: 'metrics.wanted', request: this.#asked })
    })
  }

  /** Says that this worker serves, and does from now on what the primary asks for. */
  report(started: Started, duties: WorkerDuties): void {
    process.on('message', (message: ToWorker) => this.#hear(message, duties))
    process.on('disconnect', duties.stop)
    this.#tell({ kind: 'listening', started })
  }

  #hear(message: ToWorker, { metrics, stop }: WorkerDuties): void {
    switch (message.kind) {
      case 'stop':
        return stop()
      case 'metrics.tell': {
        const { request } = message
        void metrics().then((told) => this.#tell({ kind: 'metrics.told', request, metrics: told }))
        return
      }
      case 'metrics.gathered':
        this.#waiting.get(message.request)?.(message.text)
        this.#waiting.delete(message.request)
    }
  }

  #tell(message: ToPrimary): void {
    // Without its primary a worker is stopping anyway.
    if (process.connected) process.send?.(message, undefined, undefined, () => {})
  }
}
