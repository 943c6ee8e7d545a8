/**
 * Times small pure functions against each other. A batch is as many calls as take a few milliseconds, so
 * that the clock's own cost and grain disappear; batches of all candidates alternate, so that a neighbour
 * who takes the processor for a while slows all of them and not just one; the median of many batches is
 * what is told. It all runs in one process, and every candidate is called through the same call site:
 * a nanosecond or two of each figure is that call.
 */
import { median } from '../lib/statistics.mjs'

const BATCH_NS = 4_000_000n
const WARM_UP_NS = 60_000_000n
/** A part of what V8's young generation holds, so that most samples see no collection. */
const ALLOCATION_SAMPLE_BYTES = 200_000
const ALLOCATION_SAMPLES = 9
const ALLOCATION_CALLS_MAX = 4_096

/**
 * @typedef {{ readonly group: string, readonly name: string, readonly run: () => unknown }} Candidate
 * @typedef {{ readonly group: string, readonly name: string, readonly nanoseconds: number,
 *   readonly bytes: number | null }} Figure
 */

/** What was returned last is kept here, so that no call can be optimised away. */
const kept = { result: undefined }

/** @param {Candidate['run']} run */
function batch(run, count) {
  const startedAt = process.hrtime.bigint()
  for (let at = 0; at < count; at++) kept.result = run()
  return process.hrtime.bigint() - startedAt
}

/** Warms a candidate up and finds how many calls make a batch. */
function calibrate(run) {
  let count = 1
  let spent = 0n
  for (;;) {
    const took = batch(run, count)
    spent += took
    if (spent >= WARM_UP_NS && took > 0n) {
      const perCall = Number(took) / count
      return Math.max(1, Math.round(Number(BATCH_NS) / perCall))
    }
    if (took < BATCH_NS) count *= 2
  }
}

/**
 * Bytes allocated by one call, as the growth of the heap tells it: of so many calls that the growth is
 * large beside the grain of the figure, and so few that a collection, which makes the heap shrink, falls
 * into few of the samples. Null when it fell into too many.
 */
function allocated(run) {
  let count = 1
  for (;;) {
    const grown = growthOf(run, count)
    if (grown === null) return null
    if (grown >= ALLOCATION_SAMPLE_BYTES || count >= ALLOCATION_CALLS_MAX) {
      return Math.round(grown / count)
    }
    count *= 2
  }
}

function growthOf(run, count) {
  const samples = []
  for (let sample = 0; sample < ALLOCATION_SAMPLES; sample++) {
    const before = process.memoryUsage().heapUsed
    for (let at = 0; at < count; at++) kept.result = run()
    samples.push(process.memoryUsage().heapUsed - before - readingCost())
  }
  const whole = samples.filter((grown) => grown >= 0)
  return whole.length <= ALLOCATION_SAMPLES / 2 ? null : median(whole)
}

/** Reading the heap's size allocates too. */
function readingCost() {
  const before = process.memoryUsage().heapUsed
  return Math.max(0, process.memoryUsage().heapUsed - before)
}

/**
 * @param {readonly Candidate[]} candidates
 * @param {{ readonly rounds: number }} options
 * @returns {Figure[]}
 */
export function measure(candidates, { rounds }) {
  const lanes = candidates.map((one) => ({ ...one, count: calibrate(one.run), times: [] }))
  for (let round = 0; round < rounds; round++) {
    for (let at = 0; at < lanes.length; at++) {
      const lane = lanes[(at + round) % lanes.length]
      lane.times.push(Number(batch(lane.run, lane.count)) / lane.count)
    }
  }
  return lanes.map(({ group, name, run, times }) => ({
    group,
    name,
    nanoseconds: median(times),
    bytes: allocated(run),
  }))
}
