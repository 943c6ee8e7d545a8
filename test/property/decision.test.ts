/** Every combination of up to three validators is tried: 200,000 decisions against the rules in words. */
import { describe, expect, it } from 'vitest'
import { type Decision, decide } from '../../src/domain/decision.ts'
import type { Subscription } from '../../src/domain/subscription.ts'
import type { Answer, FailurePolicy, Mode } from '../../src/domain/verdict.ts'
import {
  allow,
  confirm,
  deny,
  deskConfirming,
  failed,
  planOf,
  remark,
  subscriptionOf,
  timed,
} from '../support/build.ts'

const ANSWERS: Readonly<Record<string, Answer>> = {
  allow: allow({ total: 1 }, [remark('by the way', { severity: 'info' })]),
  deny: deny('no'),
  asking: confirm('sure?'),
  confirmed: confirm('confirmed'),
  timeout: failed('timeout'),
  broken: failed('bad_reply'),
  cancelled: { kind: 'cancelled' },
}

const MODES: Mode[] = ['enforce', 'shadow']
const POLICIES: FailurePolicy[] = ['deny', 'allow', { timeout: 'allow' }]

type Validator = { readonly says: string; readonly subscription: Subscription }

/** What one validator may be like: what it says, whether it counts, what its failures mean. */
const VALIDATORS: readonly Validator[] = Object.keys(ANSWERS).flatMap((says) =>
  MODES.flatMap((mode) =>
    POLICIES.map((onFailure) => ({ says, subscription: subscriptionOf({ mode, onFailure }) })),
  ),
)

/** The same validators at each place of the plan, with the id of the place. */
const PLACES = ['a', 'b', 'c'].map((id) =>
  VALIDATORS.map(({ says, subscription }) => ({
    says,
    subscription: { ...subscription, id, name: id },
  })),
)

function* plans(places: number): Generator<readonly Validator[]> {
  if (places === 0) return yield []
  for (const rest of plans(places - 1)) {
    for (const one of PLACES[places - 1] ?? []) yield [...rest, one]
  }
}

/** The failure policy in words, not as the code has it. */
function failsClosed({ says, subscription: { onFailure } }: Validator): boolean {
  if (says !== 'timeout' && says !== 'broken') return false
  if (onFailure === 'allow') return false
  return onFailure === 'deny' || says === 'broken'
}

const isDenying = (one: Validator): boolean =>
  one.subscription.mode === 'enforce' && (one.says === 'deny' || failsClosed(one))
const isAsking = (one: Validator): boolean =>
  one.subscription.mode === 'enforce' && one.says === 'asking'
const isFailedOpen = (one: Validator): boolean =>
  one.subscription.mode === 'enforce' && /timeout|broken/.test(one.says) && !failsClosed(one)

function isInPlanOrder(findings: readonly { readonly subscriptionId: string }[]): boolean {
  return findings.every((one, at) => (findings[at - 1]?.subscriptionId ?? '') <= one.subscriptionId)
}

/** What the rules say against this decision; null when nothing. */
function objection(validators: readonly Validator[], decided: Decision): string | null {
  const { decision, errors, warnings, infos, verdicts, confirmations, degraded } = decided
  const denying = validators.filter(isDenying)
  const asking = validators.filter(isAsking)
  const expected = denying.length > 0 ? 'deny' : asking.length > 0 ? 'confirm' : 'allow'
  if (decision !== expected) return `${decision} instead of ${expected}`
  const ids = (list: readonly Validator[]) => list.map(({ subscription }) => subscription.id).join()
  if (errors.map((one) => one.subscriptionId).join() !== ids(denying)) return 'errors'
  if (decided.message?.text !== errors[0]?.message.text) return 'message'
  if (![errors, warnings, infos].every(isInPlanOrder)) return 'order of findings'
  if (verdicts.map((one) => one.subscriptionId).join() !== ids(validators)) return 'verdicts'
  const wanted = decision === 'confirm' ? ids(asking) : ''
  if (confirmations.map(({ finding }) => finding.subscriptionId).join() !== wanted) {
    return 'confirmations'
  }
  if (degraded !== (decision !== 'deny' && validators.some(isFailedOpen))) return 'degraded'
  const counting = new Set(
    validators
      .filter((one) => one.subscription.mode === 'enforce')
      .map((one) => one.subscription.id),
  )
  const speaking = [...errors, ...warnings, ...infos].map((one) => one.subscriptionId)
  if (!speaking.every((id) => counting.has(id))) return 'a shadow speaks'
  if (verdicts.some((one) => one.mode === 'shadow' && one.applied !== 'none'))
    return 'a shadow counts'
  return null
}

describe('every decision about up to three validators', () => {
  it.each([0, 1, 2, 3])('of %d follows the rules: who denies, who speaks, who counts', (places) => {
    const desk = deskConfirming('confirmed')
    const objections: string[] = []
    let count = 0
    for (const validators of plans(places)) {
      count++
      const decided = decide({
        plan: planOf(validators.map(({ subscription }) => subscription)),
        answers: validators.map(({ says }) => timed(ANSWERS[says] ?? { kind: 'cancelled' })),
        locales: [],
        desk,
      })
      const found = objection(validators, decided)
      if (found !== null) objections.push(`${found}: ${JSON.stringify(validators)}`)
      if (objections.length > 3) break
    }
    expect(objections).toEqual([])
    expect(count).toBe(VALIDATORS.length ** places)
  })

  it('is the same without its shadows, but for their verdicts', () => {
    const desk = deskConfirming('confirmed')
    const decideOver = (validators: readonly Validator[]) =>
      decide({
        plan: planOf(validators.map(({ subscription }) => subscription)),
        answers: validators.map(({ says }) => timed(ANSWERS[says] ?? { kind: 'cancelled' })),
        locales: [],
        desk,
      })
    for (const validators of plans(2)) {
      const counting = validators.filter(({ subscription }) => subscription.mode === 'enforce')
      if (counting.length === validators.length) continue
      const { verdicts: _all, ...withShadows } = decideOver(validators)
      const { verdicts: _some, ...without } = decideOver(counting)
      expect(withShadows).toEqual(without)
    }
  })
})
