/**
 * Several processes that share one port (node:cluster). The primary serves nothing: it starts the workers,
 * replaces those that die, asks all of them where one answer is wanted of all, and stops them together. A
 * worker is a gateway like any other, and is to its siblings what gateways of other machines are: all that
 * they share is the database.
 *
 * - The first worker is started alone: it migrates the database and makes the first admin key, and when it
 *   cannot start, nobody can.
 * - A worker that dies is replaced after a pause, which doubles while workers die young. Trouble with one,
 *   or with its channel, is no trouble of the primary's.
 * - What a worker asks of all is bounded in time: whoever is silent is left out, and whoever asks goes on.
 * - A worker whose channel breaks has lost its primary. It stops in order, as after SIGTERM.
 */
import cluster, { type Worker } from 'node:cluster'
import { type MetricValues, mergedMetrics } from './adapters/telemetry/metrics.ts'
import type { Clock } from './app/ports.ts'

/** What one worker asks of all: their metrics, or to store the decisions that they have answered. */
type Wish = 'metrics' | 'flush'

type ToPrimary =
  | { readonly kind: 'listening'; readonly started: Started }
  | { readonly kind: 'wanted'; readonly wish: Wish; readonly request: number }
  | { readonly kind: 'done'; readonly request: number; readonly metrics: MetricValues | null }

type ToWorker =
  | { readonly kind: 'do'; readonly wish: Wish; readonly request: number }
  | { readonly kind: 'all done'; readonly request: number; readonly text: string }
  | { readonly kind: 'stop' }

/** What a gateway that has started tells whoever started it. */
export type Started = { readonly url: string; readonly generatedAdminKey: string | null }

const PAUSE_MS = { first: 100, longest: 10_000 } as const
/** A worker that lived this long did not die of its start. */
const GROWN_UP_MS = 60_000
/** Whoever has not answered by then is left out: it may be stuck. */
const WISH_MS = 1_000
/** Whoever asked goes on by itself then; later than the primary would answer. */
const ANSWER_MS = 2_000
/** Longer than a worker takes to stop in order. */
const STOP_MS = 30_000

export const isWorker = cluster.isWorker

const living = (): Worker[] =>
  Object.values(cluster.workers ?? {}).filter(
    (one): one is Worker => one !== undefined && !one.isDead(),
  )

// ---- the primary

export class Workers {
  readonly #clock: Clock
  readonly #complain: (text: string) => void
  /** Workers that serve. One that is still starting has answered nothing that anybody could ask about. */
  readonly #serving = new Set<Worker>()
  readonly #rounds = new Map<number, Round>()
  /** Rounds under way, by wish: who asks meanwhile shares the answer. */
  readonly #shared = new Map<Wish, Promise<string>>()
  #lastRound = 0
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

  /** Resolves when the last one has ended; whoever takes too long is ended. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const ends = living().map((worker) => {
      const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
      tell(worker, { kind: 'stop' })
      return ended
    })
    const cancel = this.#clock.schedule(STOP_MS, () => this.kill())
    await Promise.all(ends)
    cancel()
  }

  /** Ends them without waiting for anything. */
  kill(): void {
    for (const worker of living()) worker.process.kill('SIGKILL')
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
    // Of a channel to a worker that is gone, before that is known; or the worker could not be started.
    worker.on('error', (error) => this.#complain(`worker ${worker.id}: ${error.message}`))
    worker.on('exit', (code, signal) => {
      this.#serving.delete(worker)
      for (const round of this.#rounds.values()) round.without(worker)
      if (this.#isStopping || !this.#isServing) return
      this.#complain(`worker ${worker.process.pid} ended (${signal ?? code}); another one starts`)
      this.#replaceLater(this.#clock.monotonicMs() - bornAt)
    })
    return worker
  }

  #replaceLater(livedMs: number): void {
    if (livedMs >= GROWN_UP_MS) this.#pauseMs = PAUSE_MS.first
    this.#clock.schedule(this.#pauseMs, () => {
      if (this.#isStopping) return
      try {
        this.#fork()
      } catch (error) {
        this.#complain(`no worker could be started: ${String(error)}`)
        this.#replaceLater(0)
      }
    })
    this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MS.longest)
  }

  #hear(worker: Worker, message: ToPrimary): void {
    switch (message.kind) {
      case 'listening':
        this.#serving.add(worker)
        return
      case 'wanted': {
        const { wish, request } = message
        void this.#allDo(wish).then((text) => tell(worker, { kind: 'all done', request, text }))
        return
      }
      case 'done':
        return this.#rounds.get(message.request)?.add(worker, message.metrics)
    }
  }

  /** For a flush everybody is asked anew: what was answered after the last one began is not in it. */
  #allDo(wish: Wish): Promise<string> {
    if (wish === 'flush') return this.#round(wish)
    const known = this.#shared.get(wish)
    if (known !== undefined) return known
    const round = this.#round(wish).finally(() => this.#shared.delete(wish))
    this.#shared.set(wish, round)
    return round
  }

  async #round(wish: Wish): Promise<string> {
    this.#lastRound += 1
    const request = this.#lastRound
    let cancel = (): void => {}
    const told = await new Promise<readonly MetricValues[]>((resolve) => {
      const round = new Round(this.#serving, resolve)
      this.#rounds.set(request, round)
      cancel = this.#clock.schedule(WISH_MS, () => round.end())
      for (const worker of this.#serving) tell(worker, { kind: 'do', wish, request })
    })
    cancel()
    this.#rounds.delete(request)
    try {
      return wish === 'metrics' && told.length > 0 ? await mergedMetrics(told) : ''
    } catch (error) {
      this.#complain(`the metrics of all workers do not fit together: ${String(error)}`)
      return ''
    }
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

/** One wish, on its way through all workers. */
class Round {
  readonly #open: Set<Worker>
  readonly #told: MetricValues[] = []
  readonly #finish: (all: readonly MetricValues[]) => void

  constructor(workers: Iterable<Worker>, finish: (all: readonly MetricValues[]) => void) {
    this.#open = new Set(workers)
    this.#finish = finish
  }

  add(worker: Worker, metrics: MetricValues | null): void {
    if (!this.#open.has(worker)) return
    if (metrics !== null) this.#told.push(metrics)
    this.without(worker)
  }

  without(worker: Worker): void {
    if (this.#open.delete(worker) && this.#open.size === 0) this.end()
  }

  /** Settles a promise, so that only the first time counts. */
  end(): void {
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
  /** Stores the decisions that this process has answered. */
  readonly flush: () => Promise<void>
  readonly stop: () => void
}

/** The worker's end of the channel to its primary. */
export class Primary {
  readonly #clock: Clock
  readonly #waiting = new Map<number, (text: string | null) => void>()
  #asked = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The metrics of all workers together, as Prometheus reads them; null when they cannot be had. */
  async metricsOfAll(): Promise<string | null> {
    return (await this.#ask('metrics')) || null
  }

  /** Resolves when every worker has stored what it has answered, or has been waited for long enough. */
  async flushAll(): Promise<void> {
    await this.#ask('flush')
  }

  /** Says that this worker serves, and does from now on what the primary asks for. */
  report(started: Started, duties: WorkerDuties): void {
    process.on('message', (message: ToWorker) => this.#hear(message, duties))
    // Before Node's own listener, which would end the process at once.
    process.prependListener('disconnect', () => {
      if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true
      duties.stop()
    })
    this.#tell({ kind: 'listening', started })
  }

  #ask(wish: Wish): Promise<string | null> {
    return new Promise((resolve) => {
      this.#asked += 1
      const request = this.#asked
      const settle = (text: string | null): void => {
        this.#waiting.delete(request)
        cancel()
        resolve(text)
      }
      const cancel = this.#clock.schedule(ANSWER_MS, () => settle(null))
      this.#waiting.set(request, settle)
      this.#tell({ kind: 'wanted', wish, request })
    })
  }

  #hear(message: ToWorker, duties: WorkerDuties): void {
    switch (message.kind) {
      case 'stop':
        return duties.stop()
      case 'do':
        void this.#do(message.wish, message.request, duties)
        return
      case 'all done':
        this.#waiting.get(message.request)?.(message.text)
    }
  }

  async #do(wish: Wish, request: number, { metrics, flush }: WorkerDuties): Promise<void> {
    try {
      const told = wish === 'metrics' ? await metrics() : await flush().then(() => null)
      this.#tell({ kind: 'done', request, metrics: told })
    } catch {
      // Whoever asked does without.
      this.#tell({ kind: 'done', request, metrics: null })
    }
  }

  #tell(message: ToPrimary): void {
    // Without its primary a worker is stopping anyway.
    if (process.connected) process.send?.(message, undefined, undefined, () => {})
  }
}
