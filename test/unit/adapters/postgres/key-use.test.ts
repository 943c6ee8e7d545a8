import { describe, expect, it } from 'vitest'
import type { Database } from '../../../../src/adapters/postgres/database.ts'
import { KeyUse } from '../../../../src/adapters/postgres/key-use.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

function setup() {
  const written: [ids: string[], seconds: number[]][] = []
  const database = { isDown: false, troubles: 0, whileWriting: async () => {} }
  const run = async (_statement: unknown, values: [string[], number[]]) => {
    await database.whileWriting()
    if (database.isDown) throw new Error('down')
    written.push(values)
    return []
  }
  const clock = new FakeClock()
  const onTrouble = () => {
    database.troubles += 1
  }
  const use = new KeyUse({ everyone: { run } } as unknown as Database, clock, onTrouble)
  return { use, clock, written, database }
}

describe('the use of keys', () => {
  it('is written for all of them in one statement, ten seconds after the first, with how long ago', async () => {
    const { use, clock, written } = setup()
    use.note('a')
    await clock.advance(4_000)
    for (let n = 0; n < 100; n++) use.note('b')
    await clock.advance(5_999)
    expect(written).toEqual([])
    await clock.advance(1)
    expect(written).toEqual([
      [
        ['a', 'b'],
        [10, 6],
      ],
    ])
  })

  it('is nothing to write, and nothing to wait for, while nobody calls', async () => {
    const { use, clock, written } = setup()
    await use.flush()
    use.note('a')
    await clock.advance(100_000)
    expect(written).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  it('is written at once when the gateway stops', async () => {
    const { use, clock, written } = setup()
    use.note('a')
    await use.flush()
    expect(written).toEqual([[['a'], [0]]])
    expect(clock.pending).toBe(0)
  })

  it('that is noted while a statement fails is later than what that one told of', async () => {
    const { use, clock, written, database } = setup()
    database.isDown = true
    let fail = () => {}
    database.whileWriting = () => new Promise((resolve) => (fail = resolve))
    use.note('a')
    await clock.advance(12_000)
    use.note('a')
    fail()
    await clock.advance(0)
    Object.assign(database, { isDown: false, whileWriting: async () => {} })
    await clock.advance(10_000)
    expect(written).toEqual([[['a'], [10]]])
  })

  it('is written later when the database was away, and the later use counts', async () => {
    const { use, clock, written, database } = setup()
    database.isDown = true
    use.note('a')
    use.note('b')
    await clock.advance(10_000)
    expect(database.troubles).toBe(1)
    database.isDown = false
    use.note('a')
    await clock.advance(10_000)
    expect(written.map(([ids, seconds]) => ids.map((id, n) => [id, seconds[n]]))).toEqual([
      [
        ['a', 10],
        ['b', 20],
      ],
    ])
  })
})
