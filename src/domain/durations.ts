/**
 * How long things took, as counts by magnitude. Buckets grow by a fourth root of two, so percentiles are right to within
 * a fifth, and counts of several processes can be added up.
 */
const BUCKETS_PER_DOUBLING = 4
const FIRST_BUCKET_MS = 0.25
/** Reaches 32 s, beyond the longest budget. */
export const DURATION_BUCKETS = 1 + 17 * BUCKETS_PER_DOUBLING

export function durationBucket(durationMs: number): number {
  if (durationMs <= FIRST_BUCKET_MS) return 0
  const bucket = Math.ceil(Math.log2(durationMs / FIRST_BUCKET_MS) * BUCKETS_PER_DOUBLING)
  return Math.min(DURATION_BUCKETS - 1, bucket)
}

/** The upper end of the bucket that this share of all falls into; null when nothing was counted. */
export function percentileMs(counts: Uint32Array, share: number): number | null {
  const all = counts.reduce((sum, times) => sum + times, 0)
  if (all === 0) return null
  const wanted = Math.ceil(all * share)
  let seen = 0
  const bucket = counts.findIndex((times) => {
    seen += times
    return seen >= wanted
  })
  return bucketMs(bucket)
}

/** The upper end of a bucket, as people read it. */
function bucketMs(bucket: number): number {
  const exact = FIRST_BUCKET_MS * 2 ** (bucket / BUCKETS_PER_DOUBLING)
  return Math.round(exact * 100) / 100
}
