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

/** For what cannot be seen from outside, such as a statement that waits inside a server. */
export async function neverWithin(what: string, look: () => Promise<boolean>, ms: number) {
  const until = nowMs() + ms
  while (nowMs() <= until) {
    if (await look()) throw new Error(`this must not happen: ${what}`)
    await pause(LOOK_EVERY_MS)
  }
}
