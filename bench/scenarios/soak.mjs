/**
 * A steady stream of approvals for as long as patience lasts: what it answers, when those who want to know
 * are told, and whether its memory stays what it was.
 */
import { startReceiver, subscribeReceiver } from '../compare/start-receiver.mjs'
import { judge, unmeasured } from '../goals.mjs'
import { startGateway, subscribeValidators } from '../lib/gateway.mjs'
import { runLoad } from '../lib/load.mjs'
import { NUMBER_PLACEHOLDER, runOpenLoad } from '../lib/open-load.mjs'
import { usageOf } from '../lib/processes.mjs'
import { percentilesOf, slopeOf } from '../lib/statistics.mjs'

export const name = 'soak'

const CATALOG = 'soak'
const PER_SECOND = 500
const VALIDATORS = 3
const CONNECTIONS = 64
const WARM_UP_REQUESTS = 2_000
const SAMPLE_EVERY_MS = 1_000
const ARRIVAL_TIMEOUT_MS = 20_000
/** In the first fifth it warms up: caches fill, the compilers work, the heap finds its size. */
const WARM_UP_SHARE = 0.2
const ALLOWED = '"decision":"allow"'

const secondsOf = ({ quick, full }) => (quick ? 4 : full ? 600 : 30)

export async function run({ postgres, validators, options, say }) {
  const databaseUrl = await postgres.createDatabase('soak')
  const gateway = await startGateway({ name: 'soak', databaseUrl })
  const receiver = await startReceiver()
  await subscribeValidators(gateway, validators, { catalogId: CATALOG, count: VALIDATORS })
  await subscribeReceiver(gateway, receiver, CATALOG)
  await warmUp(gateway, receiver)
  const seconds = secondsOf(options)
  say(`soak: ${PER_SECOND} approvals/s × ${VALIDATORS} validators for ${seconds} s`)
  const memory = sampleMemory(gateway.pid)
  const load = await runOpenLoad({
    port: gateway.port,
    request: gateway.approve(CATALOG, NUMBER_PLACEHOLDER),
    expect: ALLOWED,
    phases: [{ name: 'soak', perSecond: PER_SECOND, seconds }],
    connections: CONNECTIONS,
  })
  const samples = memory.stop()
  const arrivals = await receiver.arrivals(load.phases[0].good, ARRIVAL_TIMEOUT_MS)
  await receiver.stop()
  await gateway.stop()
  return [
    ...loadRows(load, arrivals),
    memoryRow(samples.slice(Math.floor(samples.length * WARM_UP_SHARE)), options),
  ]
}

async function warmUp(gateway, receiver) {
  const make = (sequence) => gateway.approve(CATALOG, sequence)
  const target = { port: gateway.port, make }
  const { count } = await runLoad(target, { callers: 16, seconds: 10, countMax: WARM_UP_REQUESTS })
  await receiver.arrivals(count, ARRIVAL_TIMEOUT_MS)
  await receiver.forget()
}

/** Resident memory over time, in minutes and MB. */
function sampleMemory(pid) {
  const startedAt = performance.now()
  const samples = []
  const sample = () => {
    const minutes = (performance.now() - startedAt) / 60_000
    samples.push({ x: minutes, y: usageOf([pid]).residentMb })
  }
  const timer = setInterval(sample, SAMPLE_EVERY_MS)
  return {
    stop: () => {
      clearInterval(timer)
      return samples
    },
  }
}

function loadRows({ phases: [phase], errors, sample }, { ages, count, repeated }) {
  const { latency, good, refused, unexpected, lost, unsent } = phase
  const broken = Object.values(errors).reduce((sum, times) => sum + times, 0)
  const wrong = refused + unexpected + Math.max(lost, broken) + unsent
  const told = percentilesOf(ages)
  const missing = good - count
  const faults = missing > 0 ? `${missing} of ${good} notifications are missing` : null
  const note = `${good} approvals; p50 ${latency.p50.toFixed(1)} ms, max ${latency.max.toFixed(0)} ms`
  const lagNote = `p50 ${told.p50} ms, max ${told.max} ms; ${repeated} sent again`
  return [
    judge('soak-p99', { value: latency.p99, note }),
    judge('soak-errors', { value: wrong, note: sample }),
    judge('soak-lag', { value: told.p99, note: lagNote, faults }),
  ]
}

/** Half a minute says nothing about a leak: only the long run is judged. */
function memoryRow(samples, { full }) {
  if (samples.length < 2) return unmeasured('soak-memory', 'too short to tell')
  const ends = [samples[0], samples.at(-1)].map(({ y }) => y.toFixed(0))
  const row = judge('soak-memory', {
    value: slopeOf(samples),
    note: `${ends[0]} → ${ends[1]} MB${full ? '' : '; judged in --full only'}`,
  })
  return full ? row : { ...row, pass: null }
}
