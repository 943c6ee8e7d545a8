import { describe, expect, it } from 'vitest'
import { createCallLimiter } from '../../../src/app/call-limiter.ts'
import type { Caller } from '../../../src/app/store.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { recordingJournal } from './fakes.ts'

const callerOf = (keyId: string, accountId = 'acme'): Caller => ({
  keyId,
  accountId,
  scopes: new Set(),
})

function setup() {
  const clock = new FakeClock()
  const journal = recordingJournal()
  const limiter = createCallLimiter({ clock, journal })
  /** How many of so many calls at once pass. */
  const passing = (count: number, caller: Caller, ofKey: number | null, ofAccount?: number) => {
    let passed = 0
    for (let n = 0; n < count; n++) {
      try {
        limiter.admit(caller, { ofKey, ofAccount: ofAccount ?? null })
        passed += 1
      } catch (error) {
        expect(error).toMatchObject({ code: 'rate_limited', details: { retryAfterSeconds: 1 } })
      }
    }
    return passed
  }
  return { clock, journal, passing }
}

describe('the rate of a key', () => {
  it.each([1, 2, 3, 7, 10, 49, 1_000])(
    'lets %i at once pass, and then as many in each second',
    async (perSecond) => {
      const { clock, passing } = setup()
      const caller = callerOf('k')
      expect(passing(perSecond + 5, caller, perSecond)).toBe(perSecond)
      for (let second = 0; second < 5; second++) {
        await clock.advance(1_000)
        expect(passing(perSecond + 5, caller, perSecond)).toBe(perSecond)
      }
    },
  )

  it('earns evenly: one by one, as time passes', async () => {
    const { clock, passing } = setup()
    const caller = callerOf('k')
    passing(4, caller, 4)
    for (let n = 0; n < 20; n++) {
      await clock.advance(249)
      expect(passing(3, caller, 4)).toBe(0)
      await clock.advance(1)
      expect(passing(3, caller, 4)).toBe(1)
    }
  })

  it('saves up no more than a second, however long nobody called', async () => {
    const { clock, passing } = setup()
    passing(10, callerOf('k'), 10)
    await clock.advance(3_600_000)
    expect(passing(50, callerOf('k'), 10)).toBe(10)
  })

  it('is used up by nobody else, and not by calls that were refused', async () => {
    const { clock, passing } = setup()
    expect(passing(1_000, callerOf('k'), 5)).toBe(5)
    expect(passing(10, callerOf('other'), 5)).toBe(5)
    await clock.advance(1_000)
    expect(passing(10, callerOf('k'), 5)).toBe(5)
  })

  it('counts on when it is changed', async () => {
    const { clock, passing } = setup()
    passing(10, callerOf('k'), 10)
    expect(passing(10, callerOf('k'), 100)).toBe(0)
    await clock.advance(100)
    expect(passing(100, callerOf('k'), 100)).toBe(10)
    await clock.advance(1_000)
    expect(passing(10, callerOf('k'), 2)).toBe(2)
  })

  it('holds for each of fifty thousand keys, those in use never forgotten', async () => {
    const { clock, passing } = setup()
    for (let n = 0; n < 50_000; n++) {
      expect(passing(1, callerOf(`k${n}`), 1)).toBe(1)
      if (n % 1_000 === 0) await clock.advance(10)
    }
    for (const key of ['k0', 'k999', 'k1001', 'k49999'])
      expect(passing(1, callerOf(key), 1)).toBe(0)
    await clock.advance(1_000)
    expect(passing(2, callerOf('k0'), 1)).toBe(1)
  })

  it('begins when it is set: what was called before does not count', () => {
    const { passing } = setup()
    expect(passing(50, callerOf('k'), null, 50)).toBe(50)
    expect(passing(9, callerOf('k'), 5)).toBe(5)
  })
})

describe('the rate of an account', () => {
  it('is one for all who call for it, and counts beside those of their keys', async () => {
    const { clock, passing, journal } = setup()
    expect(passing(6, callerOf('a'), 4, 10)).toBe(4)
    expect(passing(6, callerOf('b'), null, 10)).toBe(6)
    expect(passing(6, callerOf('jwt:c'), null, 10)).toBe(0)
    expect(passing(6, callerOf('d', 'other'), null, 10)).toBe(6)
    expect(journal.events.filter(({ kind }) => kind === 'request.limited')).toHaveLength(8)
    expect(journal.events[0]).toEqual({ kind: 'request.limited', by: 'key' })
    expect(journal.events[2]).toEqual({ kind: 'request.limited', by: 'account' })
    await clock.advance(1_000)
    expect(passing(20, callerOf('b'), null, 10)).toBe(10)
  })

  it('takes nothing from a key whose call it refuses', () => {
    const { passing } = setup()
    expect(passing(3, callerOf('a'), null, 3)).toBe(3)
    expect(passing(5, callerOf('b'), 5, 3)).toBe(0)
    expect(passing(9, callerOf('b'), 5)).toBe(5)
  })
})
