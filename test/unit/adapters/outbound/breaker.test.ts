import { describe, expect, it } from 'vitest'
import { Breaker, type HealthSign, REFUSED } from '../../../../src/adapters/outbound/breaker.ts'
import type { BreakerSettings } from '../../../../src/domain/subscription.ts'
import { FakeClock, settle } from './support.ts'

function breakerWith(changes: Partial<BreakerSettings> = {}) {
  const clock = new FakeClock()
  const states: string[] = []
  const breaker = new Breaker({
    clock,
    onChange: (state) => states.push(state),
    settings: {
      failureRate: 0.5,
      minimumCalls: 10,
      windowMs: 30_000,
      openMs: 10_000,
      consecutiveFailures: 1_000,
      ...changes,
    },
  })
  const call = async (sign: HealthSign) => {
    const ticket = breaker.enter()
    if (ticket !== REFUSED) breaker.leave(ticket, sign)
    await settle()
    return ticket !== REFUSED
  }
  const calls = async (...signs: HealthSign[]) => {
    for (const sign of signs) await call(sign)
  }
  return { breaker, clock, states, call, calls }
}

const many = (times: number, sign: HealthSign): HealthSign[] => Array(times).fill(sign)

describe('a closed breaker', () => {
  it('opens when the share of failures is reached, and refuses from then on', async () => {
    const { breaker, calls, states } = breakerWith()
    await calls(...many(5, 'good'), ...many(4, 'bad'))
    expect(breaker.state).toBe('closed')
    await calls('bad')
    expect(breaker.state).toBe('open')
    expect(breaker.enter()).toBe(REFUSED)
    expect(states).toEqual(['open'])
  })

  it('stays closed below the least number of calls and below the share', async () => {
    const few = breakerWith()
    await few.calls(...many(9, 'bad'))
    expect(few.breaker.state).toBe('closed')
    const mostlyGood = breakerWith()
    await mostlyGood.calls(...many(11, 'good'), ...many(10, 'bad'))
    expect(mostlyGood.breaker.state).toBe('closed')
  })

  it('opens at a failure rate of one only when every call fails', async () => {
    const { breaker, calls } = breakerWith({ failureRate: 1 })
    await calls('good', ...many(20, 'bad'))
    expect(breaker.state).toBe('closed')
    const other = breakerWith({ failureRate: 1 })
    await other.calls(...many(10, 'bad'))
    expect(other.breaker.state).toBe('open')
  })

  it('opens on consecutive failures however few calls there are', async () => {
    const { breaker, calls } = breakerWith({ consecutiveFailures: 3 })
    await calls('bad', 'bad', 'good', 'bad', 'bad')
    expect(breaker.state).toBe('closed')
    await calls('bad')
    expect(breaker.state).toBe('open')
  })

  it('forgets what is older than its window', async () => {
    const { breaker, calls, clock } = breakerWith()
    await calls(...many(9, 'bad'))
    clock.advance(30_001)
    await calls('bad')
    expect(breaker.state).toBe('closed')
    clock.advance(15_000)
    await calls(...many(8, 'bad'))
    expect(breaker.state).toBe('closed')
    await calls('bad')
    expect(breaker.state).toBe('open')
  })

  it('counts calls that say nothing neither as success nor as failure', async () => {
    const { breaker, calls } = breakerWith({ consecutiveFailures: 3 })
    await calls(...many(50, 'nothing'), 'bad', 'nothing', 'bad', 'nothing')
    expect(breaker.state).toBe('closed')
    await calls('bad')
    expect(breaker.state).toBe('open')
    const diluted = breakerWith()
    await diluted.calls(...many(100, 'nothing'), ...many(9, 'bad'))
    expect(diluted.breaker.state).toBe('closed')
    await diluted.calls('bad')
    expect(diluted.breaker.state).toBe('open')
  })
})

async function opened(changes: Partial<BreakerSettings> = {}) {
  const made = breakerWith({ consecutiveFailures: 1, ...changes })
  await made.call('bad')
  expect(made.breaker.state).toBe('open')
  return made
}

async function halfOpened() {
  const made = await opened()
  made.clock.advance(10_000)
  return made
}

describe('an open breaker', () => {
  it('refuses for exactly its pause', async () => {
    const { breaker, clock } = await opened()
    clock.advance(9_999)
    expect(breaker.enter()).toBe(REFUSED)
    expect(breaker.state).toBe('open')
    clock.advance(1)
    expect(breaker.state).toBe('halfOpen')
    expect(breaker.enter()).not.toBe(REFUSED)
  })

  it('is not closed by a success that began before it opened', async () => {
    const { breaker, call } = breakerWith({ consecutiveFailures: 1 })
    const early = breaker.enter()
    await call('bad')
    breaker.leave(early, 'good')
    await settle()
    expect(breaker.state).toBe('open')
  })

  it('closes at once when it is reset', async () => {
    const { breaker, states, call } = await opened()
    breaker.reset()
    expect(breaker.state).toBe('closed')
    expect(states).toEqual(['open', 'closed'])
    expect(await call('good')).toBe(true)
    expect(breaker.enter()).not.toBe(REFUSED)
    expect(breaker.enter()).not.toBe(REFUSED)
  })
})

describe('a half-open breaker', () => {
  it('lets exactly one of a hundred callers through', async () => {
    const { breaker, states } = await halfOpened()
    const tickets = Array.from({ length: 100 }, () => breaker.enter())
    expect(tickets.filter((ticket) => ticket !== REFUSED)).toHaveLength(1)
    expect(states).toEqual(['open', 'halfOpen'])
  })

  it('opens again for a whole pause when its probe fails', async () => {
    const { breaker, clock, call } = await halfOpened()
    await call('bad')
    expect(breaker.state).toBe('open')
    clock.advance(9_999)
    expect(breaker.enter()).toBe(REFUSED)
    clock.advance(1)
    expect(breaker.enter()).not.toBe(REFUSED)
  })

  it('gives the place of a probe that says nothing to the next caller, again and again', async () => {
    const { breaker, call } = await halfOpened()
    for (let turn = 0; turn < 5; turn += 1) {
      const probe = breaker.enter()
      expect(probe).not.toBe(REFUSED)
      expect(breaker.enter()).toBe(REFUSED)
      breaker.leave(probe, 'nothing')
      expect(breaker.state).toBe('halfOpen')
    }
    await call('good')
    expect(breaker.state).toBe('closed')
  })

  it('lets nobody in between the end of its probe and the change of its state', async () => {
    const { breaker } = await halfOpened()
    breaker.leave(breaker.enter(), 'good')
    expect(breaker.enter()).toBe(REFUSED)
    await settle()
    expect(breaker.enter()).not.toBe(REFUSED)
  })

  it('does not listen to calls from before it opened', async () => {
    const { breaker, clock, call } = breakerWith({ consecutiveFailures: 1 })
    const [earlyGood, earlyBad] = [breaker.enter(), breaker.enter()]
    await call('bad')
    clock.advance(10_000)
    const probe = breaker.enter()
    breaker.leave(earlyGood, 'good')
    breaker.leave(earlyBad, 'bad')
    await settle()
    expect(breaker.state).toBe('halfOpen')
    expect(breaker.enter()).toBe(REFUSED)
    breaker.leave(probe, 'good')
    await settle()
    expect(breaker.state).toBe('closed')
  })

  it('judges by a clean window after it has closed', async () => {
    const { breaker, clock, calls } = breakerWith()
    await calls(...many(10, 'bad'))
    clock.advance(10_000)
    await calls('good', 'bad')
    expect(breaker.state).toBe('closed')
  })
})

describe('the slow start after closing', () => {
  it('lets 1, 2, 4 … calls in at a time and everyone after some successes', async () => {
    const { breaker, call } = await halfOpened()
    await call('good')
    const admitted = () => {
      const tickets: number[] = []
      for (let ticket = breaker.enter(); ticket !== REFUSED; ticket = breaker.enter()) {
        tickets.push(ticket)
        if (tickets.length >= 1_000) break
      }
      for (const ticket of tickets) breaker.leave(ticket, 'nothing')
      return tickets.length
    }
    const limits = []
    for (let turn = 0; turn < 9; turn += 1) {
      limits.push(admitted())
      await call('good')
    }
    expect(limits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 1_000])
  })

  it('does not grow on calls that say nothing', async () => {
    const { breaker, call, calls } = await halfOpened()
    await call('good')
    await calls('nothing', 'nothing')
    expect(breaker.enter()).not.toBe(REFUSED)
    expect(breaker.enter()).toBe(REFUSED)
  })
})

describe('a breaker that is let go of', () => {
  it('schedules nothing, ever', async () => {
    const { breaker, clock, calls } = await opened()
    expect(clock.pending).toBe(0)
    clock.advance(10_000)
    await calls('good', 'bad')
    breaker.close()
    expect(clock.pending).toBe(0)
  })
})
