import { describe, expect, it } from 'vitest'
import { DURATION_BUCKETS, durationBucket, percentileMs } from '../../../src/domain/durations.ts'

function countsOf(durations: readonly number[]): Uint32Array {
  const counts = new Uint32Array(DURATION_BUCKETS)
  for (const ms of durations) counts[durationBucket(ms)] = (counts[durationBucket(ms)] ?? 0) + 1
  return counts
}

describe('durations by magnitude', () => {
  it('fall into buckets that grow, from nothing to beyond the longest budget', () => {
    expect(durationBucket(0)).toBe(0)
    expect(durationBucket(0.25)).toBe(0)
    expect(durationBucket(0.26)).toBe(1)
    expect(durationBucket(30_000)).toBeLessThan(DURATION_BUCKETS)
    expect(durationBucket(10 ** 9)).toBe(DURATION_BUCKETS - 1)
    let before = 0
    for (let ms = 0.1; ms < 100_000; ms *= 1.05) {
      expect(durationBucket(ms)).toBeGreaterThanOrEqual(before)
      before = durationBucket(ms)
    }
  })

  it.each([0.3, 1, 7.5, 42, 999, 12_345, 29_000])(
    'of about %d ms read as that to within a fifth, and never as less',
    (ms) => {
      const read = percentileMs(countsOf([ms]), 0.5) ?? 0
      // What people read is rounded to a hundredth.
      expect(read).toBeGreaterThanOrEqual(ms - 0.01)
      expect(read).toBeLessThan(ms * 1.2)
    },
  )

  it('tell the one in the middle and the slowest in a hundred', () => {
    const counts = countsOf([...Array.from({ length: 98 }, () => 2), 500, 4_000])
    expect(percentileMs(counts, 0.5)).toBe(2)
    expect(percentileMs(counts, 0.99)).toBeCloseTo(500, -2)
    expect(percentileMs(counts, 1)).toBeGreaterThanOrEqual(4_000)
  })

  it('of nothing are none', () => {
    expect(percentileMs(new Uint32Array(DURATION_BUCKETS), 0.5)).toBeNull()
  })
})
