/**
 * Work that is looked for when somebody says that there is some, when it comes due, and now and then by
 * itself, so that a word that was missed costs a moment and nothing else. One look at a time.
 */
import type { Clock, Journal } from '../ports.ts'

export type LoopOptions = {
  readonly clock: Clock
  readonly journal: Journal
  /** What it does, as it reads after "cannot". */
  readonly step: string
  /** The longest time without a look. */
  readonly pollMs: number
  /** Does what there is to do, and tells when there may be more: milliseconds from now, 0 for at once. */
  readonly look: () => Promise<number>
}

export class Loop {
  readonly #options: LoopOptions
  #isRunning = false
  #isWoken = false
  #looking: Promise<void> | null = null
  #cancelTimer: (() => void) | null = null
  #isFailing = false

  constructor(options: LoopOptions) {
    this.#options = options
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** What keeps it from working at the moment; null when nothing does. */
  get trouble(): string | null {
    if (!this.#isRunning) return 'not running'
    return this.#isFailing ? `cannot ${this.#options.step}` : null
  }

  start(): void {
    this.#isRunning = true
    this.wake()
  }

  /** There is something to do. Cheap, however often it is said. */
  wake(): void {
    if (!this.#isRunning) return
    this.#isWoken = true
    this.#cancelTimer?.()
    this.#cancelTimer = null
    this.#looking ??= this.#lookWhileWoken().finally(() => {
      this.#looking = null
      // Woken after the last look and before this.
      if (this.#isWoken) this.wake()
    })
  }

  /** Wakes it, and resolves when it has looked. */
  async wakeAndWait(): Promise<void> {
    this.wake()
    await this.#looking
  }

  /** Resolves when the look that is under way is over. */
  async stop(): Promise<void> {
    this.#isRunning = false
    this.#cancelTimer?.()
    await this.#looking
  }

  async #lookWhileWoken(): Promise<void> {
    let nextInMs = this.#options.pollMs
    while (this.#isWoken && this.#isRunning) {
      this.#isWoken = false
      nextInMs = await this.#look()
      if (nextInMs <= 0) this.#isWoken = true
    }
    if (!this.#isRunning) return
    const delayMs = Math.min(this.#options.pollMs, nextInMs)
    this.#cancelTimer = this.#options.clock.schedule(delayMs, () => this.wake())
  }

  /** A look that fails is told and tried again after the usual time. */
  async #look(): Promise<number> {
    const { look, journal, step, pollMs } = this.#options
    try {
      const nextInMs = await look()
      this.#isFailing = false
      return nextInMs
    } catch (error) {
      this.#isFailing = true
      journal.record({ kind: 'relay.stumbled', step, error })
      return pollMs
    }
  }
}
