/** What happens in accounts, counted by several gateways, stored and added up. */
import { afterEach, describe, expect, it } from 'vitest'
import type { PostgresActivity } from '../../src/adapters/postgres/activity.ts'
import type { MinuteCounts } from '../../src/domain/activity.ts'
import { eventually } from '../support/eventually.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { sorted, verdictOf } from '../support/items.ts'
import { DATABASE, DATABASES, type Place, temporaryPlace } from '../support/places.ts'
import { locationOf, openAs } from '../support/store.ts'

const HOUR_MS = 3_600_000

let place: Place | undefined
const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
  await place?.remove()
})

const hoursAgo = (hours: number): FakeClock =>
  new FakeClock(new Date(new Date().getTime() - hours * HOUR_MS).toISOString())

async function openedAt(clock: FakeClock) {
  place ??= await temporaryPlace(DATABASE)
  const store = await openAs(locationOf(place), { clock })
  closing.push(() => store.close())
  return store
}

function decide(activity: PostgresActivity, accountId: string, validators: readonly string[]) {
  activity.record({
    kind: 'approval.decided',
    decisionId: 'dec_1',
    requestId: 'req_1',
    accountId,
    event: 'record.before.created',
    catalogId: 'things',
    recordId: undefined,
    decision: 'allow',
    commit: 'gateway',
    committed: true,
    degraded: false,
    rounds: 1,
    verdicts: validators.map((id) => verdictOf(id)),
    totalMs: 12,
    validatorsMs: 10,
    commitMs: 1,
  })
}

async function read(activity: PostgresActivity, accountId: string, sinceMs = 0) {
  const found: [minuteMs: number, counts: MinuteCounts][] = []
  await activity.each(accountId, sinceMs, (minuteMs, counts) => void found.push([minuteMs, counts]))
  return found
}

describe.each(DATABASES)('what happens in accounts on the %s database', (kind) => {
  afterEach(() => {
    place = undefined
  })

  it('is read as it was counted a moment ago, by account, in order of time, from a minute on', async () => {
    const clock = hoursAgo(2)
    const { activity } = await openedAt(clock)
    for (let n = 0; n < 250; n++) {
      decide(activity, 'default', ['sub_a'])
      if (n === 3) decide(activity, 'other', [])
      await clock.advance(60_000)
    }
    const all = await read(activity, 'default')
    expect(all).toHaveLength(250)
    expect(all.map(([minuteMs]) => minuteMs)).toEqual(
      all.map(([minuteMs]) => minuteMs).toSorted((a, b) => a - b),
    )
    expect(all[0]?.[1]).toMatchObject({
      approvals: 1,
      validators: [{ subscriptionId: 'sub_a', asked: 1 }],
    })
    const since = all[100]?.[0] ?? 0
    expect(await read(activity, 'default', since)).toEqual(all.slice(100))
    expect(await read(activity, 'other')).toHaveLength(1)
  })

  it('of a gateway that starts again within a minute is kept beside what it counted before', async () => {
    const clock = hoursAgo(1)
    const first = await openedAt(clock)
    decide(first.activity, 'default', [])
    decide(first.activity, 'default', [])
    await first.close()
    closing.length = 0
    const second = await openedAt(clock)
    decide(second.activity, 'default', [])
    const found = await read(second.activity, 'default')
    expect(sorted(found.map(([, { approvals }]) => approvals))).toEqual(['1', '2'])
    expect(new Set(found.map(([minuteMs]) => minuteMs)).size).toBe(1)
  })

  if (kind === 'server') {
    it('is seen by every gateway some seconds later', async () => {
      const clock = hoursAgo(1)
      const [one, two] = [await openedAt(clock), await openedAt(clock)]
      decide(one.activity, 'default', [])
      expect(await read(two.activity, 'default')).toEqual([])
      await clock.advance(5_000)
      await eventually(
        'it is written',
        async () => (await read(two.activity, 'default')).length === 1,
      )
    })
  }

  it('is swept when it is a day old', async () => {
    const clock = hoursAgo(24.05)
    const { activity } = await openedAt(clock)
    decide(activity, 'default', ['sub_a'])
    expect(await read(activity, 'default')).toHaveLength(1)
    await clock.advance(9 * 60_000)
    decide(activity, 'default', ['sub_b'])
    await activity.flush()
    await clock.advance(60_000)
    await eventually('the first minute is gone', async () => {
      const left = await read(activity, 'default')
      return left.length === 1 && left[0]?.[1].validators[0]?.subscriptionId === 'sub_b'
    })
  })
})
