import { describe, expect, it } from 'vitest'
import { PostgresActivity } from '../../../../src/adapters/postgres/activity.ts'
import type { Database, Statement } from '../../../../src/adapters/postgres/database.ts'
import type { JournalEvent } from '../../../../src/app/journal.ts'
import type { MinuteCounts } from '../../../../src/domain/activity.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { sorted } from '../../../support/items.ts'

type Written = { readonly account: string; readonly minute: string; readonly counts: MinuteCounts }

function setup() {
  const written: Written[][] = []
  const database = { isDown: false, troubles: 0, whileWriting: async () => {} }
  const run = async (_statement: Statement, [rows]: [string]) => {
    await database.whileWriting()
    if (database.isDown) throw new Error('down')
    written.push(JSON.parse(rows))
    return []
  }
  const clock = new FakeClock()
  const activity = new PostgresActivity({
    database: { everyone: { run } } as unknown as Database,
    clock,
    gatewayId: 'gtw_1',
    onTrouble: () => {
      database.troubles += 1
    },
  })
  const fail = (accountId: string) =>
    activity.record({ kind: 'approval.failed', accountId } as JournalEvent)
  /** What was written since the last look: account, time of day and problems of each minute, a list for each statement. */
  const taken = () =>
    written
      .splice(0)
      .map((rows) =>
        rows.map(({ account, minute, counts }) => [account, minute.slice(11, 16), counts.failed]),
      )
  return { activity, clock, database, fail, taken }
}

describe('what happens in accounts', () => {
  it('is written for all of them in one statement, five seconds after the first of it', async () => {
    const { clock, fail, taken } = setup()
    fail('a')
    await clock.advance(3_000)
    for (let n = 0; n < 100; n++) fail('b')
    await clock.advance(1_999)
    expect(taken()).toEqual([])
    await clock.advance(1)
    expect(taken()).toEqual([
      [
        ['a', '09:00', 1],
        ['b', '09:00', 100],
      ],
    ])
  })

  it('is written again only where more of it has come, with all of its minute', async () => {
    const { clock, fail, taken } = setup()
    fail('a')
    fail('b')
    await clock.advance(10_000)
    taken()
    fail('b')
    await clock.advance(40_000)
    expect(taken()).toEqual([[['b', '09:00', 2]]])
    expect(clock.pending).toBe(0)
    fail('a')
    await clock.advance(5_000)
    expect(taken()).toEqual([[['a', '09:00', 2]]])
  })

  it('begins anew with each minute, and the end of the one before is written too', async () => {
    const { clock, fail, taken } = setup()
    await clock.advance(58_000)
    fail('a')
    await clock.advance(2_000)
    fail('a')
    fail('a')
    await clock.advance(3_000)
    expect(taken()).toEqual([
      [
        ['a', '09:00', 1],
        ['a', '09:01', 2],
      ],
    ])
  })

  it('is not counted in a minute that is written when the clock is set back', async () => {
    const { activity, clock, fail, taken } = setup()
    await clock.advance(60_000)
    fail('a')
    await activity.flush()
    taken()
    await clock.advance(60_000)
    fail('b')
    await activity.flush()
    taken()
    const now = clock.wallMs()
    clock.wallMs = () => now - 60_000
    fail('a')
    await activity.flush()
    expect(taken()).toEqual([[['a', '09:02', 1]]])
  })

  it('waits while the database is away, and nothing of it is lost or counted twice', async () => {
    const { clock, database, fail, taken } = setup()
    await clock.advance(50_000)
    database.isDown = true
    fail('a')
    fail('b')
    await clock.advance(15_000)
    expect(database.troubles).toBe(3)
    fail('a')
    database.isDown = false
    await clock.advance(5_000)
    const [rows = [], ...more] = taken()
    expect(more).toEqual([])
    expect(sorted(rows)).toEqual(['a,09:00,1', 'a,09:01,1', 'b,09:00,1'])
    await clock.advance(60_000)
    expect(taken()).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('is written once a statement although its minute ends while it is being written in vain', async () => {
    const { activity, clock, database, fail, taken } = setup()
    await clock.advance(59_000)
    fail('a')
    database.isDown = true
    let go = () => {}
    database.whileWriting = () => new Promise((resolve) => (go = resolve))
    const flushed = activity.flush()
    await clock.advance(0)
    fail('a')
    await clock.advance(1_000)
    fail('a')
    go()
    await flushed
    Object.assign(database, { isDown: false, whileWriting: async () => {} })
    await activity.flush()
    expect(taken()).toEqual([
      [
        ['a', '09:00', 2],
        ['a', '09:01', 1],
      ],
    ])
  })

  it('is let go of, the oldest first, when the database stays away', async () => {
    const { activity, clock, database, fail, taken } = setup()
    database.isDown = true
    const accounts = Array.from({ length: 4_000 }, (_, n) => `account-${n}`)
    for (let minute = 0; minute < 4; minute++) {
      for (const account of accounts) fail(account)
      await clock.advance(60_000)
    }
    database.isDown = false
    await activity.flush()
    const statements = taken()
    expect(Math.max(...statements.map((rows) => rows.length))).toBe(500)
    const perMinute = ['09:00', '09:01', '09:02', '09:03'].map(
      (time) => statements.flat().filter(([, minute]) => minute === time).length,
    )
    expect(perMinute).toEqual([2_000, 4_000, 4_000, 4_000])
  })

  it('costs nothing while nothing happens', async () => {
    const { activity, clock, taken } = setup()
    activity.record({ kind: 'request.shed' })
    await activity.flush()
    expect(clock.pending).toBe(0)
    expect(taken()).toEqual([])
  })
})
