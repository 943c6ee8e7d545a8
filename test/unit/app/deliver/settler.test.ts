import { describe, expect, it } from 'vitest'
import { judge } from '../../../../src/app/deliver/judge.ts'
import { Settler } from '../../../../src/app/deliver/settler.ts'
import type { Settlement } from '../../../../src/app/delivery-store.ts'
import { Problem } from '../../../../src/domain/problem.ts'
import { settled } from '../../../support/fake-clock.ts'
import { afterTurns, fine, PATIENCE, world as relayWorld, resultOf } from './relay-world.ts'

const STANDARD = { preset: 'standard' } as const

function world(count: number, patience = PATIENCE) {
  const given = relayWorld(fine, { patience })
  const { outbox, ports } = given
  let told = 0
  const done: number[] = []
  const settler = new Settler({
    ports,
    onDone: ({ delivery }) => void done.push(delivery.sequenceId),
    onSettled: async () => void told++,
  })
  const results: Settlement[] = outbox.addMany(count).map((owed) => {
    Object.assign(owed, { state: 'sending', leaseId: `lease_${owed.sequenceId}` })
    return judge({ ...owed }, STANDARD, resultOf(), 0.5)
  })
  const addAll = (from = 0, to = count) => {
    for (const result of results.slice(from, to)) settler.add(result)
  }
  return {
    ...given,
    settler,
    results,
    done,
    addAll,
    get told() {
      return told
    },
  }
}

/** Statements that end when the test says so. */
function holdStatements({ outbox }: ReturnType<typeof world>): () => Promise<void> {
  const settle = outbox.settle.bind(outbox)
  let end = () => {}
  outbox.settle = async (settlements, failingAfterMs) => {
    const failing = await settle(settlements, failingAfterMs)
    await new Promise<void>((resolve) => void (end = resolve))
    return failing
  }
  return async () => {
    end()
    await settled()
  }
}

describe('results', () => {
  it('that come within 2 ms are written down together', async () => {
    const { outbox, clock, addAll } = world(10)
    addAll(0, 4)
    await clock.advance(1)
    addAll(4, 10)
    expect(outbox.statements).toEqual([])
    await clock.advance(1)
    expect(outbox.statements).toEqual([10])
    expect(outbox.inState('delivered')).toHaveLength(10)
  })

  it('that come while a statement is under way share the next one', async () => {
    const given = world(9)
    const { outbox, clock, addAll } = given
    const endStatement = holdStatements(given)
    addAll(0, 2)
    await clock.advance(2)
    addAll(2, 5)
    await clock.advance(100)
    addAll(5, 9)
    expect(outbox.statements).toEqual([2])
    await endStatement()
    expect(outbox.statements).toEqual([2, 7])
    await endStatement()
    await clock.advance(1_000)
    expect(outbox.statements).toEqual([2, 7])
  })

  it('wait for 2 ms and a statement at most, whenever they come', async () => {
    for (let turns = 0; turns < 16; turns++) {
      const { outbox, clock, addAll } = world(2)
      addAll(0, 1)
      await clock.advance(1)
      // Within the very moment in which the first one is written down.
      const settle = outbox.settle.bind(outbox)
      outbox.settle = (settlements, failingAfterMs) => {
        outbox.settle = settle
        afterTurns(turns, () => addAll(1, 2))
        return settle(settlements, failingAfterMs)
      }
      await clock.advance(1 + 5)
      expect(outbox.inState('delivered'), `after ${turns} turns`).toHaveLength(2)
    }
  })

  it('are written down 256 at a time', async () => {
    const { outbox, clock, addAll } = world(600)
    addAll()
    await clock.advance(2)
    expect(outbox.statements).toEqual([256, 256, 88])
  })

  it('that were written down are told of after each statement', async () => {
    const given = world(300)
    given.addAll()
    await given.clock.advance(2)
    expect(given.told).toBe(2)
  })

  it('are asked about receivers that failed for half of the patience', async () => {
    const { outbox, clock, addAll } = world(1, { ...PATIENCE, autoDisableAfterMs: 1_000 })
    addAll()
    await clock.advance(2)
    expect(outbox.failingAfterMs).toBe(500)
  })

  it('are asked about no receiver where none is ever disabled', async () => {
    const { outbox, clock, addAll } = world(1, { ...PATIENCE, autoDisableAfterMs: null })
    addAll()
    await clock.advance(2)
    expect(outbox.failingAfterMs).toBeNull()
  })
})

describe('while the database is away', () => {
  const away = (given: ReturnType<typeof world>) => {
    const settle = given.outbox.settle.bind(given.outbox)
    given.outbox.settle = () => Promise.reject(new Problem('store_unavailable'))
    return () => {
      given.outbox.settle = settle
    }
  }

  it('results are kept, those that come meanwhile too, and written down when it is back', async () => {
    const given = world(20)
    const { outbox, clock, addAll, settler, journal } = given
    const comeBack = away(given)
    addAll(0, 10)
    await clock.advance(10_000)
    addAll(10, 20)
    await clock.advance(10_000)
    expect(settler.trouble).toBe('cannot settle')
    expect(journal.events[0]).toMatchObject({ kind: 'relay.stumbled', step: 'settle' })
    expect(given.done).toEqual([])
    comeBack()
    await clock.advance(500)
    expect(outbox.statements).toEqual([20])
    expect(outbox.settlements.map(({ delivery }) => delivery.sequenceId)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    )
    expect(given.done).toHaveLength(20)
    expect(settler.trouble).toBeNull()
  })

  it('it is asked every quarter of a second, and not by each result', async () => {
    const given = world(50)
    const { clock, addAll, journal } = given
    away(given)
    for (let at = 0; at < 50; at++) {
      addAll(at, at + 1)
      await clock.advance(100)
    }
    expect(journal.events.length).toBeGreaterThanOrEqual(18)
    expect(journal.events.length).toBeLessThanOrEqual(21)
  })

  it('stop() tries once more and ends', async () => {
    const given = world(3)
    const { clock, addAll, settler, journal } = given
    away(given)
    addAll()
    await clock.advance(2)
    const before = journal.events.length
    await settler.stop()
    expect(journal.events.length).toBe(before + 1)
  })
})

describe('a result that the database refuses', () => {
  const refusing = (given: ReturnType<typeof world>, ...bad: number[]) => {
    const settle = given.outbox.settle.bind(given.outbox)
    given.outbox.settle = (settlements, failingAfterMs) =>
      settlements.some(({ delivery }) => bad.includes(delivery.sequenceId))
        ? Promise.reject(new Error('a NUL in the reply'))
        : settle(settlements, failingAfterMs)
  }

  it('keeps no other one out', async () => {
    const given = world(6)
    const { outbox, clock, addAll, journal } = given
    refusing(given, 2, 5)
    addAll()
    await clock.advance(2)
    expect(outbox.inState('delivered').map(({ sequenceId }) => sequenceId)).toEqual([1, 3, 4, 6])
    // Once for all of them, and once for each that is bad.
    expect(journal.events.map(({ kind }) => kind)).toEqual(Array(3).fill('relay.stumbled'))
    expect(given.done.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('is not tried again: its lease runs out, and it is sent again', async () => {
    const given = world(2)
    const { outbox, clock, addAll, journal, settler } = given
    refusing(given, 1)
    addAll(0, 1)
    await clock.advance(10_000)
    expect(journal.events).toHaveLength(1)
    expect(given.done).toEqual([1])
    expect(settler.trouble).toBeNull()
    addAll(1, 2)
    await clock.advance(2)
    expect(outbox.owed.map(({ state }) => state)).toEqual(['sending', 'delivered'])
    expect(settler.trouble).toBeNull()
  })
})

describe('a subscription whose lane is busy', () => {
  const busy = (given: ReturnType<typeof world>, subscriptionId: string) => {
    const { outbox } = given
    const settle = outbox.settle.bind(outbox)
    outbox.settle = (settlements, failingAfterMs) =>
      settlements.some(({ delivery }) => delivery.subscriptionId === subscriptionId)
        ? Promise.reject(new Problem('store_busy'))
        : settle(settlements, failingAfterMs)
    return () => {
      outbox.settle = settle
    }
  }

  it('keeps no other one out, and has its results written down later', async () => {
    const given = world(4)
    const { outbox, clock, addAll, settler } = given
    const ofOther = outbox.addMany(4, { subscriptionId: 'sub_b', state: 'sending' })
    const free = busy(given, 'sub_b')
    addAll()
    for (const one of ofOther) settler.add(judge({ ...one }, STANDARD, resultOf(), 0.5))
    await clock.advance(2)
    expect(given.done).toEqual([1, 2, 3, 4])
    expect(outbox.inState('delivered')).toHaveLength(4)
    expect(settler.trouble).toBe('cannot settle')
    await clock.advance(10_000)
    expect(given.done).toHaveLength(4)
    free()
    await clock.advance(300)
    expect(given.done.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(outbox.inState('delivered')).toHaveLength(8)
    expect(settler.trouble).toBeNull()
  })
})

describe('stop()', () => {
  it('writes down what there is, without waiting for more', async () => {
    const { outbox, addAll, settler } = world(3)
    addAll()
    await settler.stop()
    expect(outbox.statements).toEqual([3])
  })

  it('waits for the statement that is under way, and writes down what came meanwhile', async () => {
    const given = world(4)
    const { outbox, clock, addAll, settler } = given
    const endStatement = holdStatements(given)
    addAll(0, 1)
    await clock.advance(2)
    let isStopped = false
    const stopped = settler.stop().then(() => void (isStopped = true))
    addAll(1, 4)
    await settled()
    expect(isStopped).toBe(false)
    await endStatement()
    await endStatement()
    await stopped
    expect(outbox.statements).toEqual([1, 3])
  })
})
