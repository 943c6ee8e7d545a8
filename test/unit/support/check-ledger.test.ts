/** The judge of the chaos run, on ledgers in which one thing at a time is wrong. */
import { describe, expect, it } from 'vitest'
import {
  type CommittedChange,
  duplicatesOf,
  type Ledger,
  NO_VIOLATIONS,
  type Receipt,
  violationsOf,
} from '../../support/chaos/check-ledger.ts'

const change = (
  name: string,
  version: number,
  told: readonly string[] = ['a', 'b'],
): CommittedChange => ({
  decisionId: `dec-${name}-${version}`,
  key: `key-${name}-${version}`,
  recordId: name,
  version,
  told,
})

/** Two records, three changes; `a` is told of all of them, `b` of two. */
const COMMITTED = [change('x', 1), change('y', 1, ['a']), change('x', 2)]

/** Everybody was told everything, once and in order. */
function goodLedger(): Ledger {
  const receipts = ['a', 'b'].flatMap((receiver) =>
    COMMITTED.filter(({ told }) => told.includes(receiver)).map(
      ({ decisionId }, index): Receipt => ({
        receiver,
        number: index + 1,
        webhookId: `id-${decisionId}-${receiver}`,
        decisionId,
        body: `body of ${decisionId} for ${receiver}`,
        isGenuine: true,
        isAccepted: true,
      }),
    ),
  )
  const planned = receipts.map(({ receiver, number, webhookId, decisionId }) => ({
    receiver,
    number,
    webhookId,
    decisionId,
  }))
  return { committed: COMMITTED, promised: COMMITTED, planned, receipts }
}

const GOOD = goodLedger()

function receiptOf(receiver: string, number: number): Receipt {
  const found = GOOD.receipts.find((one) => one.receiver === receiver && one.number === number)
  if (found === undefined) throw new Error(`nothing has number ${number} of ${receiver}`)
  return found
}

const without = (list: readonly Receipt[], gone: Receipt) => list.filter((one) => one !== gone)
const swapped = (gone: Receipt, ...instead: Receipt[]) =>
  GOOD.receipts.flatMap((one) => (one === gone ? instead : [one]))
const plannedFrom = (receipts: readonly Receipt[]): Ledger => ({
  ...GOOD,
  receipts,
  planned: receipts,
})

describe('a ledger', () => {
  it('of which everything arrived once and in order has no violations and no duplicates', () => {
    expect(violationsOf(GOOD)).toEqual(NO_VIOLATIONS)
    expect(duplicatesOf(GOOD)).toBe(0)
  })

  it('in which something arrived again, whenever, has duplicates and no violations', () => {
    const again = [...GOOD.receipts, receiptOf('a', 1), receiptOf('a', 1), receiptOf('b', 2)]
    expect(violationsOf({ ...GOOD, receipts: again })).toEqual(NO_VIOLATIONS)
    expect(duplicatesOf({ ...GOOD, receipts: again })).toBe(3)
  })

  it('in which something was refused before it was accepted has no violations and no duplicates', () => {
    const one = receiptOf('a', 1)
    const receipts = [{ ...one, isAccepted: false }, ...GOOD.receipts]
    expect(violationsOf({ ...GOOD, receipts })).toEqual(NO_VIOLATIONS)
    expect(duplicatesOf({ ...GOOD, receipts })).toBe(0)
  })

  it('in which records overtake each other has no violations', () => {
    const second = receiptOf('a', 2)
    const receipts = [second, ...without(GOOD.receipts, second)]
    expect(violationsOf({ ...GOOD, receipts })).toEqual(NO_VIOLATIONS)
  })
})

const CASES: readonly (readonly [string, Ledger, Partial<typeof NO_VIOLATIONS>])[] = [
  [
    'an answer whose change is not there',
    { ...GOOD, promised: [...GOOD.promised, change('z', 1)] },
    { lost: 1 },
  ],
  [
    'an answer whose change has become another',
    { ...GOOD, promised: [{ ...change('x', 1), version: 9 }] },
    { lost: 1 },
  ],
  [
    'a request that was carried out twice',
    {
      ...GOOD,
      committed: [...COMMITTED, { ...change('x', 3, []), key: 'key-x-1' }],
    },
    { repeated: 1 },
  ],
  [
    'what never arrived',
    { ...GOOD, receipts: without(GOOD.receipts, receiptOf('b', 2)) },
    { missing: 1 },
  ],
  [
    'what was only ever refused',
    { ...GOOD, receipts: swapped(receiptOf('b', 2), { ...receiptOf('b', 2), isAccepted: false }) },
    { missing: 1 },
  ],
  [
    'what arrived and was not planned',
    { ...GOOD, planned: without(GOOD.receipts, receiptOf('b', 2)) },
    { missing: 1 },
  ],
  [
    'what arrived and was not committed',
    plannedFrom([
      ...GOOD.receipts,
      { ...receiptOf('b', 2), number: 3, webhookId: 'id-z', decisionId: 'dec-z-1' },
    ]),
    { invented: 1 },
  ],
  [
    'what arrived at somebody who had not asked for it',
    plannedFrom([
      ...GOOD.receipts,
      { ...receiptOf('b', 2), number: 3, webhookId: 'id-y', decisionId: 'dec-y-1' },
    ]),
    { invented: 1 },
  ],
  [
    'what was planned and not committed',
    {
      ...GOOD,
      planned: [
        ...GOOD.planned,
        { receiver: 'a', number: 4, webhookId: 'id-z', decisionId: 'dec-z-1' },
      ],
    },
    { invented: 1 },
  ],
  [
    'a number that nothing has',
    plannedFrom(swapped(receiptOf('a', 3), { ...receiptOf('a', 3), number: 5 })),
    { gaps: 2 },
  ],
  [
    'a first number that nothing has',
    plannedFrom(
      GOOD.receipts.map((one) => (one.receiver === 'b' ? { ...one, number: one.number + 1 } : one)),
    ),
    { gaps: 1 },
  ],
  [
    'a number that two have',
    plannedFrom(swapped(receiptOf('a', 2), { ...receiptOf('a', 2), number: 3 })),
    { gaps: 1, ambiguous: 1 },
  ],
  [
    'a second number of the same',
    { ...GOOD, receipts: [...GOOD.receipts, { ...receiptOf('a', 3), number: 4, body: 'other' }] },
    { ambiguous: 1, altered: 1 },
  ],
  [
    'a second id of the same, under a number of its own',
    {
      ...GOOD,
      receipts: [...GOOD.receipts, { ...receiptOf('a', 3), number: 4, webhookId: 'id-2' }],
    },
    { ambiguous: 1 },
  ],
  [
    'an id that two events have',
    plannedFrom(swapped(receiptOf('a', 2), { ...receiptOf('a', 1), decisionId: 'dec-y-1' })),
    { gaps: 1, ambiguous: 1 },
  ],
  [
    'a change that arrived after a later one of its record',
    {
      ...GOOD,
      receipts: [receiptOf('a', 3), ...without(GOOD.receipts, receiptOf('a', 3))],
    },
    { outOfOrder: 1 },
  ],
  [
    'a change that was accepted after a later one, though it arrived before',
    {
      ...GOOD,
      receipts: [
        { ...receiptOf('b', 1), isAccepted: false },
        ...without(GOOD.receipts, receiptOf('b', 1)),
        receiptOf('b', 1),
      ],
    },
    { outOfOrder: 1 },
  ],
  [
    'what nobody signed, though it was refused',
    {
      ...GOOD,
      receipts: [{ ...receiptOf('a', 1), isGenuine: false, isAccepted: false }, ...GOOD.receipts],
    },
    { badSignatures: 1 },
  ],
  [
    'another body under the same id',
    { ...GOOD, receipts: [...GOOD.receipts, { ...receiptOf('a', 1), body: 'another' }] },
    { altered: 1 },
  ],
]

describe('a ledger is told by its violations', () => {
  it.each(CASES)('when it has %s', (_, ledger, expected) => {
    expect(violationsOf(ledger)).toEqual({ ...NO_VIOLATIONS, ...expected })
  })

  it('each of which one of these has', () => {
    const shown = CASES.flatMap(([, , expected]) => Object.keys(expected))
    expect(new Set(shown)).toEqual(new Set(Object.keys(NO_VIOLATIONS)))
  })
})
