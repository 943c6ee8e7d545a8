/**
 * Five times as much as it can do. It should go on doing what it can, refuse the rest in a way that says
 * when to come back, blame no validator for it, and be its old self as soon as it is over.
 */
import { judge } from '../goals.mjs'
import { ALLOWED, startGateway, subscribeValidators } from '../lib/gateway.mjs'
import { runLoad } from '../lib/load.mjs'
import { NUMBER_PLACEHOLDER, runOpenLoad } from '../lib/open-load.mjs'
import { WINDOW_MS } from '../lib/open-loop.mjs'
import { warmUp } from '../lib/rounds.mjs'
import { median } from '../lib/statistics.mjs'
import { targetOf } from './stage.mjs'

export const name = 'overload'

const CATALOG = 'overload'
const PEAK_CALLERS = 64
/** The median of these is the peak: a neighbour's moment must not set the scale of everything else. */
const PEAK_TIMES = 3
const OVERLOAD_FACTOR = 5
/** Of the peak: what it is asked before and after the overload, to see whether it is its old self. */
const CALM_SHARE = 0.2
const CALM_BEFORE_SECONDS = 2
const CALM_AFTER_SECONDS = 4
const CONNECTIONS = 2_000
/** Who finds no connection for so long goes away unheard, as it would from a full load balancer. */
const PATIENCE_MS = 1_000
const OVERLOADED = '"cause":"overloaded"'
/** Normal again is a whole second without a refusal, in which the median is what it was, or nearly. */
const NORMAL_WINDOWS = 4
const NORMAL_FACTOR = 2
const NORMAL_SLACK_MS = 3

const lengthsOf = ({ quick, full }) => {
  if (quick) return { peakSeconds: 1, seconds: 3 }
  return full ? { peakSeconds: 5, seconds: 60 } : { peakSeconds: 3, seconds: 15 }
}

export async function run({ postgres, validators, options, say }) {
  const databaseUrl = await postgres.createDatabase('overload')
  const gateway = await startGateway({ name: 'overload', databaseUrl })
  await subscribeValidators(gateway, validators, { catalogId: CATALOG })
  const { peakSeconds, seconds } = lengthsOf(options)
  await warmUp(targetOf(gateway, { catalogId: CATALOG }), options)
  const peaks = []
  for (let time = 0; time < PEAK_TIMES; time++) peaks.push(await measurePeak(gateway, peakSeconds))
  const peak = median(peaks)
  const perSecond = Math.round(peak * OVERLOAD_FACTOR)
  say(`overload: ${perSecond}/s for ${seconds} s, the peak being ${Math.round(peak)}/s`)
  const calm = { name: 'calm', perSecond: Math.round(peak * CALM_SHARE) }
  const load = await runOpenLoad({
    port: gateway.port,
    request: gateway.approve(CATALOG, NUMBER_PLACEHOLDER),
    expect: ALLOWED.text,
    watch: [OVERLOADED],
    phases: [
      { ...calm, seconds: CALM_BEFORE_SECONDS },
      { name: 'overload', perSecond, seconds },
      { ...calm, seconds: CALM_AFTER_SECONDS },
    ],
    connections: CONNECTIONS,
    patienceMs: PATIENCE_MS,
  })
  await gateway.stop()
  return rowsOf(load, peak)
}

async function measurePeak(gateway, seconds) {
  const target = targetOf(gateway, { catalogId: CATALOG })
  const { perSecond, faults, sample } = await runLoad(target, { callers: PEAK_CALLERS, seconds })
  if (faults > 0) throw new Error(`faulty answers at the peak: ${sample}`)
  return perSecond
}

function rowsOf({ phases: [calm, overload, after], errors, sample }, peak) {
  const { due, sent, unsent, refused, latency, seconds } = overload
  const wrong = sum([calm, overload, after].map(({ unexpected, lost }) => unexpected + lost))
  const untimed = overload.refusedUntimed + calm.refusedUntimed + after.refusedUntimed
  const note = [
    `${rate(due, seconds)} due, ${rate(sent, seconds)} sent (${unsent} found no connection)`,
    `${rate(refused, seconds)} refused`,
    `p50 ${shown(latency.p50)}, p99 ${shown(latency.p99)}`,
  ].join('; ')
  const broken = Object.entries(errors).map(([error, times]) => `${times} ${error}`)
  const details = [...broken, ...(sample === null ? [] : [sample.slice(0, 200)])].join('; ')
  return [
    judge('overload-goodput', { value: overload.goodPerSecond, yardstick: peak, note }),
    judge('overload-refusals', { value: wrong + untimed, note: details === '' ? null : details }),
    judge('overload-verdicts', { value: sum(Object.values(overload.watched)) }),
    recoveryRow(calm, after),
  ]
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0)
/** There is none where nothing was answered as it should be. */
const shown = (ms) => (ms === null ? 'none' : `${ms.toFixed(1)} ms`)
const rate = (count, seconds) => `${Math.round(count / seconds)}/s`

function recoveryRow(calm, { windows, latency }) {
  const limitMs = calm.latency.p50 * NORMAL_FACTOR + NORMAL_SLACK_MS
  const isNormal = ({ good, refused, p50 }) => good > 0 && refused === 0 && p50 <= limitMs
  const at = windows.findIndex((_, index) => {
    const second = windows.slice(index, index + NORMAL_WINDOWS)
    return second.length === NORMAL_WINDOWS && second.every(isNormal)
  })
  const medians = `p50 ${shown(calm.latency.p50)} before, ${shown(latency.p50)} after`
  if (at === -1) {
    const faults = `not normal again within ${CALM_AFTER_SECONDS} s`
    return judge('overload-recovery', { value: CALM_AFTER_SECONDS, note: medians, faults })
  }
  return judge('overload-recovery', { value: (at * WINDOW_MS) / 1_000, note: medians })
}
