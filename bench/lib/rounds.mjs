/**
 * Candidates that stay up are measured in turns, in an order that rotates from round to round, so that a
 * neighbour on the machine disturbs all of them alike; what counts is the median over the rounds.
 */
import { judge } from '../goals.mjs'
import { runLoad } from './load.mjs'
import { usageOf } from './processes.mjs'
import { median } from './statistics.mjs'

/**
 * A process that was just started needs many thousands of requests until it is as fast as it will be; the
 * gateway, which has more code than the floor, gains more by them. Until then figures are about the compiler.
 */
const FRESH = { requests: 20_000, seconds: 10 }
const FRESH_QUICK = { requests: 8_000, seconds: 2.5 }
/** For code that has run before, in other circumstances. */
const AGAIN = { requests: 4_000, seconds: 3 }
const AGAIN_QUICK = { requests: 1_000, seconds: 0.7 }
const WARM_UP_CALLERS = 16

/**
 * @param {readonly (import('./load.mjs').Target & { name: string, pids: readonly number[] })[]} targets
 *   `pids`: whose CPU and memory belong to the target.
 * @param {{ callers: number, options: { rounds: number, seconds: number, quick: boolean },
 *   isWarm?: boolean }} how
 * @returns {Promise<Record<string, { perSecond: number, p50: number, p99: number, cpuMs: number,
 *   residentMb: number, faults: number, sample: string | null }>>} by the target's name; `cpuMs` is per
 *   request.
 */
export async function measureInTurns(targets, { callers, options, isWarm = false }) {
  if (!isWarm) for (const target of targets) await warmUpAgain(target, options)
  const runs = new Map(targets.map(({ name }) => [name, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (let turn = 0; turn < targets.length; turn++) {
      const target = targets[(turn + round) % targets.length]
      runs.get(target.name).push(await measureOnce(target, { callers, seconds: options.seconds }))
    }
  }
  return Object.fromEntries([...runs].map(([name, list]) => [name, summaryOf(list)]))
}

/** Of a target whose process was just started. */
export const warmUp = (target, { quick }) => warmUpBy(target, quick ? FRESH_QUICK : FRESH)

/** Of a target that has seen load already. */
export const warmUpAgain = (target, { quick }) => warmUpBy(target, quick ? AGAIN_QUICK : AGAIN)

async function warmUpBy(target, { requests, seconds }) {
  await runLoad(target, { callers: WARM_UP_CALLERS, seconds, countMax: requests })
}

export async function measureOnce(target, { callers, seconds }) {
  const before = usageOf(target.pids)
  const result = await runLoad(target, { callers, seconds })
  const after = usageOf(target.pids)
  const cpuMs = (after.cpuMs - before.cpuMs) / result.count
  return { ...result, cpuMs, residentMb: after.residentMb }
}

const FIGURES = ['perSecond', 'p50', 'p90', 'p99', 'cpuMs', 'residentMb']

function summaryOf(runs) {
  const figures = FIGURES.map((name) => [name, median(runs.map((run) => run[name]))])
  return {
    ...Object.fromEntries(figures),
    faults: runs.reduce((sum, run) => sum + run.faults, 0),
    sample: runs.find((run) => run.sample !== null)?.sample ?? null,
  }
}

/** A row about requests a second: ours beside the yardstick's, with what each cost in CPU. */
export const rateRow = (id, ours, yardstick, note = null) =>
  judge(id, {
    value: ours.perSecond,
    yardstick: yardstick.perSecond,
    cpu: [ours.cpuMs, yardstick.cpuMs],
    note,
    faults: faultsIn(ours, yardstick),
  })

/** What went wrong in these measurements, for the note of a row; null when nothing did. */
export function faultsIn(...summaries) {
  const faulty = summaries.filter(({ faults }) => faults > 0)
  if (faulty.length === 0) return null
  const count = faulty.reduce((sum, { faults }) => sum + faults, 0)
  const sample = faulty.find((summary) => summary.sample !== null)?.sample
  return `${count} faulty answers${sample === undefined ? '' : `, as: ${sample.slice(0, 160)}`}`
}
