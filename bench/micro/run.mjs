/**
 * Micro-benchmarks of the pure parts, as they are in dist/: what one approval spends where no socket and
 * no database is involved. They tell where time goes; whether the gateway is fast, the scenarios tell.
 */
import { markdownTable } from '../lib/table.mjs'
import { measure } from './measure.mjs'

const ROUNDS = 15

/** The subjects are loaded here, so that whoever only reads the list of options needs no dist/. */
async function candidates() {
  const { matchingCandidates } = await import('./matching.mjs')
  const { decidingCandidates } = await import('./deciding.mjs')
  const { readingCandidates } = await import('./reading.mjs')
  const { dialectCandidates } = await import('./dialects.mjs')
  return [
    ...readingCandidates(),
    ...matchingCandidates(),
    ...dialectCandidates(),
    ...decidingCandidates(),
  ]
}

/** @param {{ readonly rounds?: number, readonly say?: (text: string) => void }} [options] */
export async function runMicro({ rounds = ROUNDS, say = console.log } = {}) {
  const figures = measure(await candidates(), { rounds })
  say(table(figures))
  return figures
}

function table(figures) {
  const rows = figures.map(({ group, name, nanoseconds, bytes }) => [
    group,
    name,
    shownTime(nanoseconds),
    shownRate(nanoseconds),
    bytes === null ? '' : String(bytes),
  ])
  return markdownTable(['part', 'case', 'ns', 'calls/s', 'bytes allocated'], rows)
}

const shownTime = (nanoseconds) =>
  nanoseconds < 100 ? nanoseconds.toFixed(1) : Math.round(nanoseconds).toLocaleString('en')

const shownRate = (nanoseconds) => Math.round(1e9 / nanoseconds).toLocaleString('en')
