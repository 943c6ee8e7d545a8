import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../../src/adapters/system/patterns.ts'
import { BUILT_IN_EVENTS, DEGRADED_EVENT, isReservedEventName } from '../../../src/domain/change.ts'
import { degradedEvent, failedOpen } from '../../../src/domain/degraded.ts'
import { indexSubscriptions } from '../../../src/domain/matching.ts'
import type { Subscription } from '../../../src/domain/subscription.ts'
import type { Verdict } from '../../../src/domain/verdict.ts'
import { changeWith, subscriptionOf } from '../../support/build.ts'

const verdict = (over: Partial<Verdict>): Verdict => ({
  subscriptionId: 'sub_a',
  name: 'Stock check',
  mode: 'enforce',
  outcome: 'failed',
  cause: 'timeout',
  durationMs: 5,
  applied: 'allow',
  ...over,
})

const PASSED_BY = { subscriptionId: 'sub_a', name: 'Stock check', cause: 'timeout' } as const

/** Which of the subscriptions are told of a change of an order. */
function told(...overs: Partial<Subscription>[]): readonly string[] {
  const subscriptions = overs.map((over, order) =>
    subscriptionOf({ id: `sub_${order}`, order, events: [DEGRADED_EVENT], ...over }),
  )
  const index = indexSubscriptions(subscriptions, compilePattern)
  const change = changeWith({ context: { screen: 'cashier' } })
  const decision = { change, recordId: 'rec_1', decisionId: 'dec_1', passedBy: [PASSED_BY] }
  return degradedEvent(decision, index)?.subscriptionIds ?? []
}

describe('who was passed by', () => {
  it('is every one whose own policy let its failure pass, and nobody else', () => {
    const verdicts = [
      verdict({}),
      verdict({ subscriptionId: 'b', cause: 'circuit_open' }),
      verdict({ subscriptionId: 'c', applied: 'deny' }),
      verdict({ subscriptionId: 'd', outcome: 'allow', cause: undefined }),
      verdict({ subscriptionId: 'e', mode: 'shadow', applied: 'none' }),
      verdict({ subscriptionId: 'f', outcome: 'cancelled', cause: undefined, applied: 'none' }),
    ]
    expect(failedOpen(verdicts)).toEqual([
      PASSED_BY,
      { ...PASSED_BY, subscriptionId: 'b', cause: 'circuit_open' },
    ])
  })
})

describe('the event of a degraded approval', () => {
  it('is built in, and no account may define another of its name', () => {
    expect(BUILT_IN_EVENTS).toContain(DEGRADED_EVENT)
    expect(isReservedEventName(DEGRADED_EVENT)).toBe(true)
  })

  it('names the decision, the change and who was passed by, and holds no value of the record', () => {
    const index = indexSubscriptions([subscriptionOf({ events: [DEGRADED_EVENT] })], compilePattern)
    const change = changeWith({ context: { screen: 'cashier' } })
    const decision = { change, recordId: undefined, decisionId: 'dec_1', passedBy: [PASSED_BY] }
    expect(degradedEvent(decision, index)).toEqual({
      subscriptionIds: ['sub_a'],
      body: {
        event: 'approval.degraded',
        accountId: change.accountId,
        catalogId: 'orders',
        recordId: 'rec_1',
        values: { decisionId: 'dec_1', change: 'record.before.updated', verdicts: [PASSED_BY] },
        prevValues: undefined,
        changedFields: [],
        user: { id: 'anna' },
        context: undefined,
        decisionId: 'dec_1',
      },
    })
  })

  it('is told to those who list it for the catalog of the change, or for every catalog', () => {
    const elsewhere = { catalogId: 'goods' }
    expect(told({}, { catalogId: '*' }, elsewhere, { events: ['record.updated'] })).toEqual([
      'sub_0',
      'sub_1',
    ])
    expect(told(elsewhere)).toEqual([])
  })

  it('is filtered by who made the change and by conditions on what it says, not by watched fields', () => {
    const names = (value: string) => [{ field: 'change', op: 'eq' as const, value }]
    expect(
      told(
        { fields: ['status'] },
        { initiators: ['anna'] },
        { initiators: ['boris'] },
        { conditions: names('record.before.updated') },
        { conditions: names('record.before.created') },
        { conditions: [{ field: 'status', op: 'exists' }] },
        { conditions: [{ field: 'screen', source: 'context', op: 'exists' }] },
      ),
    ).toEqual(['sub_0', 'sub_1', 'sub_3'])
  })
})
