/** Waiting for something, but not for ever. */
import type { Clock } from './ports.ts'

/** Resolves when the work is done or the time is over. */
export function within(limitMs: number, work: Promise<unknown>, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.schedule(limitMs, resolve)
    void work.finally(() => {
      cancel()
      resolve()
    })
  })
}

/** The number, or NaN when it does not come in time or not at all. */
export function numberWithin(
  limitMs: number,
  number: Promise<number>,
  clock: Clock,
): Promise<number> {
  return new Promise((resolve) => {
    const cancel = clock.schedule(limitMs, () => resolve(Number.NaN))
    void number
      .catch(() => Number.NaN)
      .then(resolve)
      .finally(cancel)
  })
}
