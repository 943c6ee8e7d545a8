import { describe, expect, it } from 'vitest'
import { Loop } from '../../../../src/app/deliver/loop.ts'
import { FakeClock, settled } from '../../../support/fake-clock.ts'
import { recordingJournal } from '../fakes.ts'
import { afterTurns } from './relay-world.ts'

const POLL_MS = 500

function world(answers: (number | Error)[] = []) {
  const clock = new FakeClock()
  const journal = recordingJournal()
  const looks: number[] = []
  /** Set by a test that ends looks itself. */
  const gate: { wait: () => Promise<void> } = { wait: () => Promise.resolve() }
  const loop = new Loop({
    clock,
    journal,
    step: 'look',
    pollMs: POLL_MS,
    look: async () => {
      looks.push(clock.monotonicMs())
      await gate.wait()
      const answer = answers.shift() ?? POLL_MS
      if (answer instanceof Error) throw answer
      return answer
    },
  })
  return { clock, journal, loop, looks, gate }
}

describe('a loop', () => {
  it('looks when it starts, and then by itself, without a word', async () => {
    const { loop, clock, looks } = world()
    loop.start()
    await clock.advance(3 * POLL_MS)
    expect(looks).toEqual([0, 500, 1_000, 1_500])
  })

  it('looks at once when it is woken, and from then on counts anew', async () => {
    const { loop, clock, looks } = world()
    loop.start()
    await clock.advance(300)
    loop.wake()
    await clock.advance(499)
    expect(looks).toEqual([0, 300])
    await clock.advance(1)
    expect(looks).toEqual([0, 300, 800])
  })

  it('looks again when it is told to, at most half a second later', async () => {
    const { loop, clock, looks } = world([0, 0, 10, 4_000, Number.POSITIVE_INFINITY])
    loop.start()
    await clock.advance(1_100)
    expect(looks).toEqual([0, 0, 0, 10, 510, 1_010])
  })

  it('looks at one thing at a time, and once more for all who woke it meanwhile', async () => {
    const { loop, looks, gate } = world()
    let end = () => {}
    gate.wait = () => new Promise((resolve) => void (end = resolve))
    loop.start()
    await settled()
    for (let wake = 0; wake < 5; wake++) loop.wake()
    await settled()
    expect(looks).toHaveLength(1)
    end()
    await settled()
    expect(looks).toHaveLength(2)
    end()
    await settled()
    expect(looks).toHaveLength(2)
  })

  it('misses no word, whenever it comes', async () => {
    for (let turns = 0; turns < 12; turns++) {
      const { loop, clock, looks } = world()
      loop.start()
      afterTurns(turns, () => loop.wake())
      await clock.advance(1)
      // One that comes before the look has begun is answered by it.
      const wanted = turns === 0 ? [1, 2] : [2]
      expect(wanted, `after ${turns} turns`).toContain(looks.length)
      await clock.advance(POLL_MS)
      expect(looks.length, `after ${turns} turns, and half a second`).toBe(
        looks.filter((at) => at === 0).length + 1,
      )
    }
  })

  it('keeps one timer, however often it is woken', async () => {
    const { loop, clock } = world()
    loop.start()
    for (let wake = 0; wake < 20; wake++) {
      loop.wake()
      await clock.advance(10)
    }
    expect(clock.pending).toBe(1)
  })

  it('tells of a look that fails, names the trouble, and looks again after the usual time', async () => {
    const error = new Error('away')
    const { loop, clock, looks, journal } = world([error, error])
    loop.start()
    await clock.advance(0)
    expect(loop.trouble).toBe('cannot look')
    expect(journal.events).toEqual([{ kind: 'relay.stumbled', step: 'look', error }])
    await clock.advance(POLL_MS)
    expect(loop.trouble).toBe('cannot look')
    await clock.advance(POLL_MS)
    expect(loop.trouble).toBeNull()
    expect(looks).toEqual([0, 500, 1_000])
  })

  it('is in trouble while it does not run', async () => {
    const { loop } = world()
    expect(loop.trouble).toBe('not running')
    loop.start()
    expect(loop.trouble).toBeNull()
    await loop.stop()
    expect(loop.trouble).toBe('not running')
  })

  it('that does not run is woken by nobody', async () => {
    const { loop, clock, looks } = world()
    loop.wake()
    await clock.advance(POLL_MS)
    loop.start()
    await clock.advance(0)
    await loop.stop()
    loop.wake()
    await clock.advance(2 * POLL_MS)
    expect(looks).toEqual([500])
    expect(clock.pending).toBe(0)
  })

  it('that is stopped ends its look first, and begins no other', async () => {
    const { loop, clock, looks, gate } = world([0])
    let end = () => {}
    gate.wait = () => new Promise((resolve) => void (end = resolve))
    loop.start()
    loop.wake()
    await settled()
    let isStopped = false
    const stopped = loop.stop().then(() => void (isStopped = true))
    await settled()
    expect(isStopped).toBe(false)
    end()
    await stopped
    await clock.advance(2 * POLL_MS)
    expect(looks).toEqual([0])
    expect(clock.pending).toBe(0)
  })
})
