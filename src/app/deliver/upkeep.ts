/**
 * What does not happen by itself: leases of processes that are no more are given back, deliveries of
 * subscriptions that changed follow them, replays go on, subscriptions that fail are told of, the log of
 * attempts is kept in its bounds. One step of each at a time, so that none keeps the others waiting; one
 * that fails does not keep the others from being made, unless it is the database that is away.
 */
import { Problem } from '../../domain/problem.ts'
import type { RelayPorts } from './relay-ports.ts'
import { FAILING_SHARE, warn } from './watch-failing.ts'

/** Partitions of the log are made for days ahead, so it does not matter much when this is looked after. */
const KEEP_EVERY_MS = 3_600_000
const MEND_EVERY_MS = 60_000
const MEND_CHAINS_EVERY_MS = 3_600_000
/** For a replay that waits until its subscription has less to do. */
const REPLAY_PAUSE_MS = 50

type Step = { readonly name: string; readonly run: () => Promise<number> }

/** Each step tells in how many milliseconds there is more for it to do; the whole tells when to look again. */
export function upkeep(ports: RelayPorts, onDue: () => void): () => Promise<number> {
  const steps = [keepAttempts(ports), ...moves(ports, onDue), warnOfFailing(ports), ...mends(ports)]
  return async () => {
    let nextInMs = Number.POSITIVE_INFINITY
    for (const { name, run } of steps) {
      try {
        nextInMs = Math.min(nextInMs, await run())
      } catch (error) {
        if (error instanceof Problem && error.code === 'store_unavailable') throw error
        ports.journal.record({ kind: 'relay.stumbled', step: name, error })
      }
    }
    return nextInMs
  }
}

const NOT_SOON = Number.POSITIVE_INFINITY

function moves({ outbox, journal }: RelayPorts, onDue: () => void): Step[] {
  const reap = async () => {
    const count = await outbox.reap()
    if (count === 0) return NOT_SOON
    journal.record({ kind: 'deliveries.reaped', count })
    onDue()
    return 0
  }
  const turn = async () => {
    if (!(await outbox.turn())) return NOT_SOON
    onDue()
    return 0
  }
  const replay = async () => {
    const how = await outbox.replay()
    if (how === 'none') return NOT_SOON
    onDue()
    return how === 'going' ? 0 : REPLAY_PAUSE_MS
  }
  return [
    { name: 'reap', run: reap },
    { name: 'turn', run: turn },
    { name: 'replay', run: replay },
  ]
}

function warnOfFailing(ports: RelayPorts): Step {
  const { autoDisableAfterMs } = ports.patience
  const run = async () => {
    if (autoDisableAfterMs === null) return NOT_SOON
    const failing = await ports.outbox.failing(autoDisableAfterMs * FAILING_SHARE)
    const told = await Promise.allSettled(failing.map((one) => warn(one, ports)))
    // One that cannot be told of does not keep the others from being told of.
    const failed = told.find((one) => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    return NOT_SOON
  }
  return { name: 'warn', run }
}

function keepAttempts({ outbox, clock, patience }: RelayPorts): Step {
  const keep = () => outbox.keepAttempts(patience.attemptsKeptDays)
  return { name: 'keep attempts', run: now(KEEP_EVERY_MS, clock, keep) }
}

function mends({ outbox, clock, journal }: RelayPorts): Step[] {
  const told = (mend: () => Promise<number>) => async () => {
    const count = await mend()
    if (count > 0) journal.record({ kind: 'deliveries.mended', count })
  }
  const lanes = later(
    MEND_EVERY_MS,
    clock,
    told(() => outbox.mend()),
  )
  const chains = later(
    MEND_CHAINS_EVERY_MS,
    clock,
    told(() => outbox.mendChains()),
  )
  return [
    { name: 'mend', run: lanes },
    { name: 'mend chains', run: chains },
  ]
}

/** Now and then, the first time at once. */
function now(everyMs: number, clock: RelayPorts['clock'], run: () => Promise<void>) {
  return every(everyMs, clock.monotonicMs(), { clock, run })
}

/** Now and then, the first time a minute after the start: whoever was there before may still be at work. */
function later(everyMs: number, clock: RelayPorts['clock'], run: () => Promise<void>) {
  return every(everyMs, clock.monotonicMs() + MEND_EVERY_MS, { clock, run })
}

type Chore = { readonly clock: RelayPorts['clock']; readonly run: () => Promise<void> }

function every(everyMs: number, firstAtMs: number, { clock, run }: Chore): () => Promise<number> {
  let at = firstAtMs
  return async () => {
    if (clock.monotonicMs() < at) return NOT_SOON
    at = clock.monotonicMs() + everyMs
    await run()
    return NOT_SOON
  }
}
