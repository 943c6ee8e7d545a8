/** The machine that a run happened on, and how much of it others took meanwhile. */
import { readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { TICK_MS, usageOf } from './processes.mjs'

const BYTES_PER_GB = 1_073_741_824

export function describeMachine() {
  const processors = cpus()
  const memory = Math.round(totalmem() / BYTES_PER_GB)
  return `${processors.length} × ${processors[0]?.model ?? 'unknown processor'}, ${memory} GB`
}

/**
 * Begins to watch; the function that comes back says what share of all cores was taken since by
 * programs that are not the bench's. Above a tenth or so, even ratios are to be taken with care.
 */
export function watchOthers() {
  const before = { machine: machineTimes(), own: ownMs() }
  return () => {
    const after = { machine: machineTimes(), own: ownMs() }
    const busyMs = after.machine.busyMs - before.machine.busyMs
    const totalMs = after.machine.totalMs - before.machine.totalMs
    return Math.max(0, busyMs - (after.own - before.own)) / totalMs
  }
}

const ownMs = () => usageOf([process.pid]).cpuMs

/** All cores together, since the machine was started. */
function machineTimes() {
  const [line] = readFileSync('/proc/stat', 'latin1').split('\n', 1)
  const [user, nice, system, idle, waiting, ...others] = line.split(/ +/).slice(1, 9).map(Number)
  const busy = user + nice + system + others.reduce((sum, ticks) => sum + ticks, 0)
  return { busyMs: busy * TICK_MS, totalMs: (busy + idle + waiting) * TICK_MS }
}
