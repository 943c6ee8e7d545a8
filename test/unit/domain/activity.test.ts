import { describe, expect, it } from 'vitest'
import { ActivitySum, type CountedApproval, MinuteTally } from '../../../src/domain/activity.ts'
import { verdictOf } from '../../support/items.ts'

const MINUTE_MS = 60_000
const START_MS = Date.parse('2026-03-01T09:00:00.000Z')

const approvalOf = (more: Partial<CountedApproval> = {}): CountedApproval => ({
  decision: 'allow',
  degraded: false,
  verdicts: [],
  addedMs: 1,
  ...more,
})

const tallyOf = (...approvals: readonly CountedApproval[]): MinuteTally => {
  const tally = new MinuteTally()
  for (const one of approvals) tally.decided(one)
  return tally
}

/** As it is after it was stored. */
const stored = (tally: MinuteTally) => JSON.parse(JSON.stringify(tally.counts()))

describe('the activity of a minute', () => {
  it('counts what approvals came to, and problems beside them', () => {
    const tally = tallyOf(
      approvalOf(),
      approvalOf({ degraded: true }),
      approvalOf({ decision: 'deny' }),
      approvalOf({ decision: 'confirm' }),
    )
    tally.failed()
    tally.failed()
    expect(tally.summary(START_MS)).toMatchObject({
      at: '2026-03-01T09:00:00.000Z',
      approvals: 4,
      denied: 1,
      confirmed: 1,
      degraded: 1,
      failed: 2,
      gateway: { p50Ms: 1, p99Ms: 1 },
    })
  })

  it('of problems alone has no times', () => {
    const tally = new MinuteTally()
    tally.failed()
    expect(tally.summary(START_MS)).toMatchObject({ failed: 1, gateway: { p50Ms: null } })
  })

  it('counts each validator by what it said, a shadow by what it would have done', () => {
    const tally = tallyOf(
      approvalOf({ verdicts: [verdictOf('a'), verdictOf('s', { mode: 'shadow' })] }),
      approvalOf({
        verdicts: [
          verdictOf('a', { outcome: 'deny', applied: 'deny', durationMs: 100 }),
          verdictOf('s', { mode: 'shadow', outcome: 'deny', applied: 'none' }),
        ],
      }),
    )
    expect(tally.counts().validators).toMatchObject([
      { subscriptionId: 'a', asked: 2, allowed: 1, denied: 1, failed: 0 },
      { subscriptionId: 's', asked: 2, allowed: 1, denied: 1, failed: 0 },
    ])
  })

  it('takes no time of those who were not called, and nothing of those whose answer was not waited for', () => {
    const verdicts = [
      verdictOf('open', { outcome: 'failed', cause: 'circuit_open', durationMs: 0 }),
      verdictOf('slow', { outcome: 'failed', cause: 'timeout', durationMs: 1_000 }),
      verdictOf('out', { outcome: 'cancelled', durationMs: 100 }),
    ]
    const [open, slow, out] = tallyOf(approvalOf({ verdicts })).counts().validators
    expect(open).toMatchObject({ asked: 1, failed: 1, times: [] })
    expect(slow).toMatchObject({ asked: 1, failed: 1 })
    expect(slow?.times).toHaveLength(2)
    expect(out).toMatchObject({ asked: 1, allowed: 0, denied: 0, failed: 0, times: [] })
  })

  it('has a shadow that answers late as asked once', () => {
    const outcome = { mode: 'shadow', applied: 'none' } as const
    const tally = tallyOf(
      approvalOf({ verdicts: [verdictOf('s', { ...outcome, outcome: 'cancelled' })] }),
    )
    tally.heardLate([verdictOf('s', { ...outcome, outcome: 'deny' })])
    expect(tally.counts().validators).toMatchObject([{ asked: 1, denied: 1 }])
  })

  it('grows with no more than so many validators', () => {
    const tally = tallyOf(
      ...Array.from({ length: 300 }, (_, n) => approvalOf({ verdicts: [verdictOf(`sub_${n}`)] })),
    )
    expect(tally.counts().validators).toHaveLength(200)
    expect(tally.counts().approvals).toBe(300)
  })
})

describe('the activity of several processes', () => {
  it('adds up by the minute what each of them has counted', () => {
    const one = tallyOf(
      approvalOf({ addedMs: 1, verdicts: [verdictOf('a', { durationMs: 10 })] }),
      approvalOf({ decision: 'deny', addedMs: 1, verdicts: [verdictOf('b', { outcome: 'deny' })] }),
    )
    const other = tallyOf(
      approvalOf({ addedMs: 500, verdicts: [verdictOf('a', { durationMs: 1_000 })] }),
    )
    other.failed()
    const sum = new ActivitySum()
    sum.add(START_MS, stored(one))
    sum.add(START_MS, stored(other))
    sum.add(START_MS + MINUTE_MS, stored(one))
    const { minutes, validators } = sum.end()
    expect(minutes).toMatchObject([
      { at: '2026-03-01T09:00:00.000Z', approvals: 3, denied: 1, failed: 1, gateway: { p50Ms: 1 } },
      { at: '2026-03-01T09:01:00.000Z', approvals: 2, denied: 1, failed: 0, gateway: { p99Ms: 1 } },
    ])
    expect(minutes[0]?.gateway.p99Ms).toBeGreaterThan(400)
    const [a, b] = validators
    expect(a).toMatchObject({ subscriptionId: 'a', asked: 3, allowed: 3 })
    expect(a?.minutes).toMatchObject([
      { at: '2026-03-01T09:00:00.000Z', asked: 2 },
      { at: '2026-03-01T09:01:00.000Z', asked: 1 },
    ])
    expect(a?.minutes[0]?.p99Ms).toBeGreaterThan(900)
    expect(a?.minutes[1]?.p99Ms).toBeLessThan(13)
    expect(a?.p99Ms).toBeGreaterThan(900)
    expect(b).toMatchObject({ subscriptionId: 'b', asked: 2, denied: 2 })
  })

  it('is told minute by minute for those who are asked most, and in one sum for all', () => {
    const sum = new ActivitySum()
    const minutes = 150
    const verdicts = Array.from({ length: 180 }, (_, n) => verdictOf(`sub_${n}`))
    const often = verdicts.at(-1) ?? verdictOf('none')
    const counts = stored(tallyOf(approvalOf({ verdicts }), approvalOf({ verdicts: [often] })))
    for (let n = 0; n < minutes; n++) sum.add(START_MS + n * MINUTE_MS, counts)
    const { validators } = sum.end()
    expect(validators[0]).toMatchObject({ subscriptionId: often.subscriptionId, asked: 300 })
    const points = validators.map((one) => one.minutes.length)
    expect(points[0]).toBe(minutes)
    expect(points.reduce((all, count) => all + count, 0)).toBe(Math.floor(20_000 / 150) * 150)
    expect(validators).toHaveLength(180)
    expect(validators.at(-1)).toMatchObject({ asked: 150, minutes: [] })
  })

  it('of nothing is nothing', () => {
    expect(new ActivitySum().end()).toEqual({ minutes: [], validators: [] })
  })
})
