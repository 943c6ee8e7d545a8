/** A short run of what tools/fuzz-replies.mjs does at length; it sets the two variables. */
import { describe, expect, it } from 'vitest'
import { fuzzReplies } from '../support/reply-fuzz.ts'

const COUNT = Number(process.env['FUZZ_REPLIES'] ?? 20_000)
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_122)
/** Of a long run: 10 000 replies take less than a second. */
const TIMEOUT_MS = 30_000 + COUNT

describe(`${COUNT} replies made by chance, from seed ${SEED}`, () => {
  it(
    'allow nothing that was not literally allowed, set nothing that they may not, and throw nothing',
    () => {
      const { allowed, findings } = fuzzReplies(SEED, COUNT)
      expect(findings).toEqual([])
      // Otherwise chance has made nothing but noise.
      expect(allowed).toBeGreaterThan(COUNT / 50)
      expect(allowed).toBeLessThan(COUNT / 2)
    },
    TIMEOUT_MS,
  )
})
