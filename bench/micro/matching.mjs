/** Who is concerned by a change: the index, the conditions, the plan. */
import { compilePattern } from '../../dist/adapters/system/patterns.js'
import { changeOf } from '../../dist/domain/change.js'
import { compileCondition } from '../../dist/domain/condition.js'
import { indexSubscriptions, matchSubscriptions, occurrenceOf } from '../../dist/domain/matching.js'
import { planFor } from '../../dist/domain/plan.js'
import { SAMPLE_CATALOG, sampleValues, scattered, subscription } from './samples.mjs'

const INDEX_SIZES = [1, 100, 10_000]

export const sampleChange = () =>
  changeOf({
    event: 'record.before.created',
    accountId: 'default',
    catalogId: SAMPLE_CATALOG,
    recordId: undefined,
    values: sampleValues(),
    prevValues: undefined,
    allValues: undefined,
    user: { id: '1' },
    context: undefined,
  })

const indexOf = (subscriptions) => indexSubscriptions(subscriptions, compilePattern)

function matching() {
  const change = sampleChange()
  const sizes = INDEX_SIZES.map((size) => {
    const index = indexOf(scattered(size))
    return {
      group: 'matching',
      name: `1 of ${size} subscriptions fits`,
      run: () => matchSubscriptions(index, change.event, change),
    }
  })
  const condition = { field: 'amount', op: 'lt', value: 0 }
  const unwilling = Array.from({ length: 10 }, (_, number) =>
    subscription(number, { conditions: [condition] }),
  )
  const index = indexOf(unwilling)
  const run = () => matchSubscriptions(index, change.event, change)
  return [...sizes, { group: 'matching', name: '10 looked at, a condition fails', run }]
}

const KINDS = [
  'receipt',
  'order',
  'offer',
  'contract',
  'note',
  'reminder',
  'credit',
  'debit',
  'invoice',
]

const CONDITIONS = {
  eq: { field: 'status', op: 'eq', value: 'ok' },
  'in, 9 values': { field: 'kind', op: 'in', value: KINDS },
  gte: { field: 'amount', op: 'gte', value: 100 },
  'contains, 180 letters': { field: 'note', op: 'contains', value: 'no objections' },
  'matches (RE2), 180 letters': { field: 'note', op: 'matches', value: 'raised by (audit|tax)' },
  changed: { field: 'status', op: 'changed' },
}

function conditions() {
  const subject = occurrenceOf(sampleChange())
  return Object.entries(CONDITIONS).map(([name, condition]) => {
    const holds = compileCondition(condition, compilePattern)
    if (!holds(subject)) throw new Error(`the condition ${name} should hold for the sample`)
    return { group: 'condition', name, run: () => holds(subject) }
  })
}

function plans() {
  const change = sampleChange()
  return [1, 10].map((count) => {
    const asked = Array.from({ length: count }, (_, number) => subscription(number))
    const index = indexOf(asked)
    const run = () => planFor(change, index, 1)
    return { group: 'plan', name: `${count} asked`, run }
  })
}

function indexing() {
  const subscriptions = scattered(500)
  const run = () => indexOf(subscriptions)
  return [{ group: 'index', name: 'made of 500 subscriptions', run }]
}

export const matchingCandidates = () => [...matching(), ...conditions(), ...plans(), ...indexing()]
