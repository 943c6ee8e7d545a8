/** Chance that a seed decides, so that what was tried can be tried again. */
import { createHash } from 'node:crypto'

export type Chance = {
  /** The next number, from 0 to below 1. */
  readonly next: () => number
  /** One of the list; undefined only when it is empty. */
  readonly pick: <T>(list: readonly T[]) => T | undefined
}

export function chanceFrom(seed: string): Chance {
  let count = 0
  const next = () => {
    const digest = createHash('sha256').update(`${seed}:${count++}`).digest()
    return digest.readUInt32BE(0) / 2 ** 32
  }
  return { next, pick: (list) => list[Math.floor(next() * list.length)] }
}
