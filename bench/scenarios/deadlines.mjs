/**
 * Whether a deadline is a deadline while the gateway has its hands full: a validator that never answers in
 * time is asked again and again beside 16 callers who keep the gateway busy, and how long it was waited
 * for is compared with what its subscription allows.
 */
import { judge } from '../goals.mjs'
import { runLoad } from '../lib/load.mjs'
import { faultsIn } from '../lib/rounds.mjs'
import { percentilesOf } from '../lib/statistics.mjs'
import { stageOf, targetOf } from './stage.mjs'

export const name = 'deadlines'

const CATALOG = 'deadline'
const TIMEOUT_MS = 200
const CALLERS = 16
/** Asked at the same time, so that a few seconds give a few hundred answers. */
const ASKED_AT_ONCE = 10
const SECONDS = { quick: 1.5, default: 6, full: 30 }

export async function run(context) {
  const { gateway } = await stageOf(context)
  const { options, validators, say } = context
  await gateway.request('POST', '/v1/subscriptions', {
    name: 'never in time',
    catalogId: CATALOG,
    events: ['record.before.created'],
    url: validators.url(0, `/check/${TIMEOUT_MS * 10}`),
    timeoutMs: TIMEOUT_MS,
    // Open, it would answer instead of the deadline.
    breaker: { minimumCalls: 100_000, consecutiveFailures: 100_000 },
  })
  const seconds = options.quick ? SECONDS.quick : options.full ? SECONDS.full : SECONDS.default
  say(`${ASKED_AT_ONCE} deadlines of ${TIMEOUT_MS} ms at once, beside ${CALLERS} callers`)
  const busy = runLoad(targetOf(gateway), { callers: CALLERS, seconds })
  const until = performance.now() + seconds * 1_000 - TIMEOUT_MS * 2
  const askers = Array.from({ length: ASKED_AT_ONCE }, () => waitedFor(gateway, until))
  const offMs = (await Promise.all(askers)).flat()
  const { p50, p99, max } = percentilesOf(offMs)
  const load = await busy
  const note = `${offMs.length} deadlines beside ${Math.round(load.perSecond)} approvals/s; p50 ${p50.toFixed(1)} ms, most ${max.toFixed(1)} ms`
  return [judge('deadlines', { value: p99, note, faults: faultsIn(load) })]
}

/** How far each was off, early or late, by the gateway's own account. */
async function waitedFor(gateway, until) {
  const offMs = []
  while (performance.now() < until) {
    const answer = await gateway.request('POST', '/v1/approve', {
      event: 'record.before.created',
      catalogId: CATALOG,
      values: {},
    })
    const [{ cause, durationMs }] = answer.verdicts
    if (cause !== 'timeout') throw new Error(`not a timeout but ${cause}`)
    offMs.push(Math.abs(durationMs - TIMEOUT_MS))
  }
  return offMs
}
