/** Waiting for what happens elsewhere: the only place of the suites that lets time pass. */
import { setTimeout as pause } from 'node:timers/promises'

const LOOK_EVERY_MS = 20

const nowMs = (): number => Number(process.hrtime.bigint() / 1_000_000n)

export type Bound = { readonly withinMs?: number }

/**
 * Looks until there is something to see, and returns it; null, undefined and false are nothing. Fails
 * when the time is over, with what was waited for and the error of the last look.
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T> | T,
  { withinMs = 60_000 }: Bound = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const until = nowMs() + withinMs
  let cause: unknown
  for (;;) {
    try {
      const seen = await look()
      if (seen !== null && seen !== undefined && seen !== false) {
        return seen as NonNullable<Exclude<T, false>>
      }
      cause = undefined
    } catch (error) {
      cause = error
    }
    if (nowMs() > until) throw new Error(`waited ${withinMs} ms in vain: ${what}`, { cause })
    await pause(LOOK_EVERY_MS)
  }
}
