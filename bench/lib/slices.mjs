/**
 * For differences of a few per cent: two targets take turns in slices so short that whatever disturbs the
 * machine disturbs both, and CPU time is summed over all slices, because one slice has too few ticks.
 */
import { measureOnce, warmUp } from './rounds.mjs'
import { median } from './statistics.mjs'

/**
 * @param {readonly Parameters<typeof measureOnce>[0][]} targets
 * @param {{ callers: number, slices: number, seconds: number, options: { quick: boolean } }} how
 * @returns {Promise<Record<string, { p50: number, perSecond: number, cpuMs: number, faults: number,
 *   sample: string | null }>>} by the target's name
 */
export async function measureInSlices(targets, { callers, slices, seconds, options }) {
  for (const target of targets) await warmUp(target, options)
  const runs = new Map(targets.map(({ name }) => [name, []]))
  for (let slice = 0; slice < slices; slice++) {
    const order = slice % 2 === 0 ? targets : targets.toReversed()
    for (const target of order) {
      runs.get(target.name).push(await measureOnce(target, { callers, seconds }))
    }
  }
  return Object.fromEntries([...runs].map(([name, list]) => [name, summaryOf(list)]))
}

function summaryOf(runs) {
  const total = (of) => runs.reduce((sum, run) => sum + of(run), 0)
  return {
    p50: median(runs.map(({ p50 }) => p50)),
    perSecond: median(runs.map(({ perSecond }) => perSecond)),
    cpuMs: total(({ cpuMs, count }) => cpuMs * count) / total(({ count }) => count),
    faults: total(({ faults }) => faults),
    sample: runs.find(({ sample }) => sample !== null)?.sample ?? null,
  }
}
