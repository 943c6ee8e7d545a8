import { describe, expect, it } from 'vitest'
import { upkeep } from '../../../../src/app/deliver/upkeep.ts'
import { Problem } from '../../../../src/domain/problem.ts'
import { subscriptionOf } from '../../../support/build.ts'
import { fine, PATIENCE, world } from './relay-world.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

function upkeepIn(patience = PATIENCE, subscriptions = [subscriptionOf()]) {
  const given = world(fine, { patience, subscriptions })
  let due = 0
  const look = upkeep(given.ports, () => void due++)
  /** What one look does, and when the next one is wanted. */
  const steps = async () => {
    const nextInMs = await look()
    return { steps: given.outbox.steps.splice(0), nextInMs }
  }
  return {
    ...given,
    look,
    steps,
    get raised() {
      return given.raised
    },
    get due() {
      return due
    },
  }
}

describe('a look', () => {
  it('does one step of each, and wants another at once while there is more', async () => {
    const given = upkeepIn()
    given.outbox.turns = 2
    given.outbox.replays = 1
    await given.steps()
    const again = { steps: ['reap', 'turn', 'replay'], nextInMs: 0 }
    expect(await given.steps()).toEqual(again)
    expect(await given.steps()).toEqual({ ...again, nextInMs: Number.POSITIVE_INFINITY })
    // Twice for what was turned and once for a replay.
    expect(given.due).toBe(3)
  })

  it.each(['turns', 'replays'] as const)('wants another at once for %s alone', async (what) => {
    const given = upkeepIn()
    given.outbox[what] = 1
    expect((await given.steps()).nextInMs).toBe(0)
    expect(given.due).toBe(1)
    expect((await given.steps()).nextInMs).toBe(Number.POSITIVE_INFINITY)
    expect(given.due).toBe(1)
  })

  it('looks at a replay that has to wait again soon, not at once and not only at the next usual look', async () => {
    const given = upkeepIn()
    given.outbox.hasWaitingReplay = true
    expect((await given.steps()).nextInMs).toBe(50)
    given.outbox.turns = 1
    expect((await given.steps()).nextInMs).toBe(0)
  })

  it('gives back what a process that is no more was sending, and tells of it', async () => {
    const given = upkeepIn()
    const [lost, kept] = given.outbox.addMany(2, { state: 'sending', leaseEndsAt: 1_000 })
    if (kept !== undefined) kept.leaseEndsAt = 2_000
    expect((await given.steps()).nextInMs).toBe(Number.POSITIVE_INFINITY)
    expect([given.due, given.journal.events]).toEqual([0, []])
    await given.clock.advance(1_000)
    expect((await given.steps()).nextInMs).toBe(0)
    expect([lost?.state, kept?.state]).toEqual(['ready', 'sending'])
    expect(given.due).toBe(1)
    expect(given.journal.events).toEqual([{ kind: 'deliveries.reaped', count: 1 }])
  })

  it('looks after the log of attempts at first and then every hour', async () => {
    const given = upkeepIn({ ...PATIENCE, attemptsKeptDays: 12 })
    const isKept = async () => (await given.steps()).steps.includes('keepAttempts')
    expect([await isKept(), await isKept()]).toEqual([true, false])
    await given.clock.advance(HOUR_MS - 1)
    expect(await isKept()).toBe(false)
    await given.clock.advance(1)
    expect([await isKept(), await isKept()]).toEqual([true, false])
    expect(given.outbox.kept).toEqual([12, 12])
  })

  it('sets right every minute what somebody has moved past the relay, and tells of it', async () => {
    const given = upkeepIn()
    given.outbox.torn = 3
    await given.steps()
    await given.clock.advance(MINUTE_MS - 1)
    expect((await given.steps()).steps).not.toContain('mend')
    await given.clock.advance(1)
    expect((await given.steps()).steps).toContain('mend')
    expect((await given.steps()).steps).not.toContain('mend')
    expect(given.journal.events).toEqual([{ kind: 'deliveries.mended', count: 3 }])
    await given.clock.advance(MINUTE_MS)
    expect((await given.steps()).steps).toContain('mend')
    expect(given.journal.events).toHaveLength(1)
  })

  it('lets chains go that are stuck, a minute after the start and then every hour', async () => {
    const given = upkeepIn()
    given.outbox.tornChains = 2
    const isMended = async () => (await given.steps()).steps.includes('mendChains')
    expect(await isMended()).toBe(false)
    await given.clock.advance(MINUTE_MS)
    expect([await isMended(), await isMended()]).toEqual([true, false])
    expect(given.journal.events).toEqual([{ kind: 'deliveries.mended', count: 2 }])
    await given.clock.advance(HOUR_MS - 1)
    expect(await isMended()).toBe(false)
    await given.clock.advance(1)
    expect(await isMended()).toBe(true)
  })

  it.each(['reap', 'turn', 'replay', 'mend', 'mendChains', 'failing'] as const)(
    'makes every other step where %s fails, and tells of it',
    async (broken) => {
      const given = upkeepIn()
      await given.clock.advance(MINUTE_MS)
      given.outbox.broken.add(broken)
      const { steps } = await given.steps()
      expect(steps).toEqual(['keepAttempts', 'reap', 'turn', 'replay', 'mend', 'mendChains'])
      expect(given.outbox.askedForFailing).toHaveLength(1)
      expect(given.journal.events).toMatchObject([{ kind: 'relay.stumbled' }])
    },
  )

  it('ends at once where the database is away', async () => {
    const given = upkeepIn()
    given.outbox.turn = () => Promise.reject(new Problem('store_unavailable'))
    await expect(given.look()).rejects.toThrow(Problem)
    expect(given.outbox.steps).toEqual(['keepAttempts', 'reap'])
    expect(given.journal.events).toEqual([])
  })

  it('goes on where the log cannot be looked after, and tells of it', async () => {
    const given = upkeepIn()
    given.outbox.broken.add('keepAttempts')
    given.outbox.turns = 1
    expect((await given.steps()).nextInMs).toBe(0)
    expect(given.journal.events).toMatchObject([{ kind: 'relay.stumbled', step: 'keep attempts' }])
    expect((await given.steps()).steps).not.toContain('keepAttempts')
    await given.clock.advance(HOUR_MS)
    expect((await given.steps()).steps).toContain('keepAttempts')
  })
})

describe('receivers that have been failing for long', () => {
  const LIMIT_MS = PATIENCE.autoDisableAfterMs ?? 0
  const listener = subscriptionOf({ id: 'sub_ops', events: ['subscription.failing'] })
  const failingFor = (share: number, toldPercent = 0, subscriptionId = 'sub_a') => ({
    accountId: 'default',
    subscriptionId,
    failingMs: Math.round(LIMIT_MS * share),
    toldPercent,
  })

  it('are asked for with each look, from half of the patience on', async () => {
    const given = upkeepIn()
    for (let look = 0; look < 3; look++) await given.steps()
    expect(given.outbox.askedForFailing).toEqual(Array(3).fill(LIMIT_MS / 2))
  })

  it('are not asked for where none is ever disabled', async () => {
    const given = upkeepIn({ ...PATIENCE, autoDisableAfterMs: null }, [subscriptionOf(), listener])
    given.outbox.failingStill = [failingFor(0.9)]
    await given.steps()
    expect(given.outbox.askedForFailing).toEqual([])
    expect(given.outbox.notes).toEqual([])
  })

  it('are warned of although nothing is sent to them, each mark once', async () => {
    const given = upkeepIn(PATIENCE, [subscriptionOf(), listener])
    for (const [share, told] of [
      [0.5, 0],
      [0.6, 50],
      [0.7, 50],
      [0.9, 70],
      [0.99, 90],
    ] as const) {
      given.outbox.failingStill = [failingFor(share, told)]
      await given.steps()
    }
    expect(given.outbox.notes).toMatchObject([
      { percent: 50, event: { subscriptionIds: ['sub_ops'] } },
      { percent: 70, event: { subscriptionIds: ['sub_ops'] } },
      { percent: 90, event: { subscriptionIds: ['sub_ops'] } },
    ])
    expect(given.journal.events.map(({ kind }) => kind)).toEqual(
      Array(3).fill('subscription.failing'),
    )
    expect(given.raised).toBe(3)
  })

  it('are warned of all together', async () => {
    const given = upkeepIn(PATIENCE, [subscriptionOf(), subscriptionOf({ id: 'sub_b' })])
    given.outbox.failingStill = [failingFor(0.5), failingFor(0.7, 0, 'sub_b')]
    await given.steps()
    expect(given.outbox.notes.map(({ percent }) => percent)).toEqual([50, 70])
  })

  it('are never disabled by that: only an attempt that fails does so', async () => {
    const given = upkeepIn()
    given.outbox.failingStill = [failingFor(20)]
    await given.steps()
    expect(given.outbox.notes.map(({ percent }) => percent)).toEqual([90])
    expect(given.disabled).toEqual([])
  })
})
