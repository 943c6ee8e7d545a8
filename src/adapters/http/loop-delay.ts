/**
 * How late this process is: a timer that is due every `TICK_MS` notes by how much it was missed. One long turn of the
 * event loop (a collection of garbage, one large answer) is over when it is noticed; two missed ticks in a row are a
 * process that has more to do than it can, whose timers, and so its deadlines, mean nothing any more.
 */
import type { Clock } from '../../app/ports.ts'

const TICK_MS = 100
/** Beyond it validators that answer in time would look late. */
const LATE_MS = 500

export class LoopDelay {
  readonly #clock: Clock
  #latenessMs = 0
  #latenessBeforeMs = 0
  #cancel: () => void = () => {}

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isOverrun(): boolean {
    return Math.min(this.#latenessMs, this.#latenessBeforeMs) > LATE_MS
  }

  start(): void {
    const dueAt = this.#clock.monotonicMs() + TICK_MS
    this.#cancel = this.#clock.schedule(TICK_MS, () => {
      this.#latenessBeforeMs = this.#latenessMs
      this.#latenessMs = this.#clock.monotonicMs() - dueAt
      this.start()
    })
  }

  stop(): void {
    this.#cancel()
  }
}
