/** From answers to one decision, and from failures to the next try. */
import { compilePattern } from '../../dist/adapters/system/patterns.js'
import { decide } from '../../dist/domain/decision.js'
import { indexSubscriptions } from '../../dist/domain/matching.js'
import { planFor } from '../../dist/domain/plan.js'
import { nextDelayMs, retryAfterMs } from '../../dist/domain/retry.js'
import { sampleChange } from './matching.mjs'
import { subscription } from './samples.mjs'

const NO_DESK = { tokenFor: () => '', isConfirmed: () => false }

const ALLOWED = { kind: 'allow', remarks: [], values: undefined }
const DENIED = {
  kind: 'deny',
  remarks: [{ severity: 'error', field: 'amount', message: { text: 'At most 100 at a time.' } }],
  values: undefined,
}
const TIMED_OUT = { kind: 'failed', cause: 'timeout', remarks: [], detail: 'no reply in time' }

const timed = (answer) => ({ answer, status: 200, startedMs: 0.2, durationMs: 1.9 })

function deliberation(count, answer) {
  const asked = Array.from({ length: count }, (_, number) => subscription(number))
  const plan = planFor(sampleChange(), indexSubscriptions(asked, compilePattern), 1)
  return { plan, answers: asked.map(() => timed(answer)), locales: ['en'], desk: NO_DESK }
}

function decisions() {
  const cases = [
    ['1 validator allows', deliberation(1, ALLOWED)],
    ['3 validators allow', deliberation(3, ALLOWED)],
    ['10 validators allow', deliberation(10, ALLOWED)],
    ['1 validator denies', deliberation(1, DENIED)],
    ['1 validator is too late', deliberation(1, TIMED_OUT)],
  ]
  return cases.map(([name, given]) => ({ group: 'decide', name, run: () => decide(given) }))
}

function retries() {
  const attempt = { failures: 3, status: 503, retryAfterMs: 120_000, random: 0.5 }
  const now = Date.parse('2026-01-01T00:00:00.000Z')
  const date = 'Thu, 01 Jan 2026 00:02:00 GMT'
  return [
    { name: 'next delay', run: () => nextDelayMs({ preset: 'standard' }, attempt) },
    { name: 'Retry-After in seconds', run: () => retryAfterMs('120', now) },
    { name: 'Retry-After as a date', run: () => retryAfterMs(date, now) },
  ].map((one) => ({ group: 'retry', ...one }))
}

export const decidingCandidates = () => [...decisions(), ...retries()]
