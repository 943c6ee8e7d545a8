import type { Clock } from '../../src/app/ports.ts'

/** Time that stands still until a test turns it. Timers run in the order in which they are due. */
export class FakeClock implements Clock {
  #nowMs = 0
  #timers: { readonly at: number; readonly run: () => void }[] = []
  readonly #wallStartMs: number

  constructor(wallStart = '2026-03-01T09:00:00.000Z') {
    this.#wallStartMs = Date.parse(wallStart)
  }

  wallMs(): number {
    return this.#wallStartMs + this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  schedule(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#nowMs + delayMs, run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Timers that are still to run. */
  get pending(): number {
    return this.#timers.length
  }

  /** Turns time forward; after each timer, whatever it set going runs as far as it can. */
  async advance(ms: number): Promise<void> {
    const until = this.#nowMs + ms
    await settled()
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#timers = this.#timers.filter((other) => other !== due)
      this.#nowMs = Math.max(this.#nowMs, due.at)
      due.run()
      await settled()
    }
    this.#nowMs = until
  }
}

/** Lets everything that waits for promises only run as far as it can: they all go before the next turn. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
