/**
 * Group commit. Items wait while the writers are busy, and whoever becomes free takes all that has
 * gathered: with one caller nobody waits, with many the batches grow by themselves.
 *
 * Two items about the same record never share a batch (one statement cannot touch a row twice); the later
 * one waits for the next. The queue is as long as approvals can be in flight, so it has a bound of its
 * own only as a last resort.
 */
import { Problem } from '../../domain/problem.ts'

export type BatchEntry<Item, Result> = {
  readonly item: Item
  /** Items with the same key travel in different batches; null travels with anybody. */
  readonly key: string | null
  /** Asked last before sending; false takes the item out with the withdrawn result. */
  readonly isWanted: () => boolean
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

export type BatcherOptions<Item, Result> = {
  /** Statements under way at the same time. */
  readonly writers: number
  readonly batchMax: number
  readonly queueMax: number
  readonly withdrawn: Result
  /** Settles every entry; never rejects. */
  readonly send: (entries: readonly BatchEntry<Item, Result>[]) => Promise<void>
}

export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>
  #queue: BatchEntry<Item, Result>[] = []
  #busy = 0
  #isScheduled = false

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options
  }

  get queued(): number {
    return this.#queue.length
  }

  add(item: Item, key: string | null, isWanted: () => boolean): Promise<Result> {
    if (this.#queue.length >= this.#options.queueMax) {
      return Promise.reject(new Problem('overloaded', { retryAfterSeconds: 1 }))
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, key, isWanted, resolve, reject })
      this.#schedule()
    })
  }

  /** One turn of the event loop lets requests that arrived together travel together. */
  #schedule(): void {
    if (this.#isScheduled || this.#busy >= this.#options.writers) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#pump()
    })
  }

  #pump(): void {
    while (this.#busy < this.#options.writers && this.#queue.length > 0) {
      const batch = this.#take()
      if (batch.length === 0) continue
      this.#busy++
      void this.#options.send(batch).finally(() => {
        this.#busy--
        if (this.#queue.length > 0) this.#schedule()
      })
    }
  }

  #take(): BatchEntry<Item, Result>[] {
    const batch: BatchEntry<Item, Result>[] = []
    const left: BatchEntry<Item, Result>[] = []
    const keys = new Set<string>()
    for (const entry of this.#queue) {
      if (!entry.isWanted()) entry.resolve(this.#options.withdrawn)
      else if (batch.length >= this.#options.batchMax) left.push(entry)
      else if (entry.key !== null && keys.has(entry.key)) left.push(entry)
      else {
        if (entry.key !== null) keys.add(entry.key)
        batch.push(entry)
      }
    }
    this.#queue = left
    return batch
  }
}
