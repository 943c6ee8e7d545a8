import { describe, expect, it } from 'vitest'
import { type Asked, type Asking, askValidators } from '../../../src/app/ask-validators.ts'
import { deadlineFrom } from '../../../src/domain/deadline.ts'
import type { Subscription } from '../../../src/domain/subscription.ts'
import type { TimedAnswer } from '../../../src/domain/verdict.ts'
import {
  allow,
  changeWith,
  deny,
  failed,
  inquiryOf,
  planOf,
  subscriptionOf,
  subscriptionsOf,
  timed,
} from '../../support/build.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'
import { FakeAsker, fakePresence } from './fakes.ts'

/** A fan-out under way. */
function askAll(
  subscriptions: readonly Subscription[],
  over: Partial<Asking> = {},
  { keepsBudget = true } = {},
) {
  const clock = new FakeClock()
  const asker = new FakeAsker(() => null, keepsBudget ? clock : null)
  const caller = fakePresence()
  const told: string[] = []
  const asking: Asking = {
    plan: planOf(subscriptions),
    inquiry: inquiryOf(),
    deadline: deadlineFrom(clock.monotonicMs(), 10_000),
    denyGraceMs: 100,
    presence: caller.presence,
    earlier: new Map(),
    onAnswer: (subscription, { answer }) => void told.push(`${subscription.id} ${answer.kind}`),
    ...over,
  }
  let ended: Asked | null = null
  let late: readonly TimedAnswer[] | null = null
  void askValidators(asking, { asker, clock }).then((asked) => {
    ended = asked
    void asked.late?.then((answers) => {
      late = answers
    })
  })
  return {
    clock,
    asker,
    caller,
    told,
    isOver: async () => {
      await settled()
      return ended !== null
    },
    kinds: async () => {
      await settled()
      return (ended as Asked | null)?.answers.map(({ answer }) => answer.kind)
    },
    ended: async (): Promise<Asked> => {
      await settled()
      if (ended === null) throw new Error('it goes on')
      return ended
    },
    late: async () => {
      await settled()
      return late
    },
    cancelled: () =>
      asker.calls.filter(({ isCancelled }) => isCancelled).map((c) => c.question.subscription.id),
  }
}

const abc = subscriptionsOf(['a', 'b', 'c'])
const shadow = subscriptionOf({ id: 's', mode: 'shadow' })

describe('the fan-out', () => {
  it('asks everybody at once, waits for all and answers in plan order', async () => {
    const { asker, isOver, ended, told, cancelled } = askAll(abc)
    expect(asker.calls).toHaveLength(3)
    asker.call('c').answer(allow({ x: 3 }))
    asker.call('a').answer(allow({ x: 1 }))
    expect(await isOver()).toBe(false)
    asker.call('b').answer(allow({ x: 2 }))
    const { answers, late } = await ended()
    expect(answers.map(({ answer }) => answer)).toEqual([
      allow({ x: 1 }),
      allow({ x: 2 }),
      allow({ x: 3 }),
    ])
    expect(late).toBeNull()
    expect(told).toEqual(['c allow', 'a allow', 'b allow'])
    expect(cancelled()).toEqual([])
  })

  it('of nobody is over at once', async () => {
    expect(await askAll([]).kinds()).toEqual([])
  })

  it('tells when each call started and how long it took', async () => {
    const { asker, clock, ended } = askAll(abc.slice(0, 2), { deadline: deadlineFrom(-40, 10_000) })
    await clock.advance(30)
    asker.call('b').answer(allow(), 204)
    await clock.advance(20)
    asker.call('a').answer(deny('no'), 422)
    await clock.advance(0)
    expect((await ended()).answers).toEqual([
      { answer: deny('no'), status: 422, startedMs: 40, durationMs: 50 },
      { answer: allow(), status: 204, startedMs: 40, durationMs: 30 },
    ])
  })

  it('gives each call its own limit, cut by what is left of the budget, and shadows all of theirs', () => {
    const { asker } = askAll(
      [
        subscriptionOf({ id: 'short', timeoutMs: 200 }),
        subscriptionOf({ id: 'long', timeoutMs: 9_000 }),
        subscriptionOf({ id: 's', mode: 'shadow', timeoutMs: 9_000 }),
      ],
      { deadline: deadlineFrom(-700, 1_000) },
    )
    const budgets = asker.calls.map(({ question }) => question.budgetMs)
    expect(budgets).toEqual([200, 300, 9_000])
  })

  it('ends with the budget, whoever has not answered having failed', async () => {
    const { clock, kinds, isOver } = askAll(abc, { deadline: deadlineFrom(0, 500) })
    await clock.advance(499)
    expect(await isOver()).toBe(false)
    await clock.advance(1)
    expect(await kinds()).toEqual(['failed', 'failed', 'failed'])
  })
})

describe('after the first deny', () => {
  it('others may add their errors within the grace, then they are broken off', async () => {
    const { asker, clock, isOver, kinds, cancelled } = askAll(abc)
    asker.call('b').answer(deny('first'))
    await clock.advance(60)
    asker.call('c').answer(deny('second'))
    await clock.advance(39)
    expect(await isOver()).toBe(false)
    await clock.advance(1)
    expect(await kinds()).toEqual(['cancelled', 'deny', 'deny'])
    expect(cancelled()).toEqual(['a'])
  })

  it('the grace is not waited out when everybody has answered', async () => {
    const { asker, clock, kinds } = askAll(abc)
    asker.call('b').answer(deny('no'))
    await clock.advance(10)
    asker.call('a').answer(allow())
    asker.call('c').answer(allow())
    expect(await kinds()).toEqual(['allow', 'deny', 'allow'])
    await settled()
    // What is left are the calls' own timers.
    expect(clock.pending).toBe(3)
  })

  it('a second deny does not lengthen the grace', async () => {
    const { asker, clock, isOver } = askAll(abc)
    asker.call('a').answer(deny('first'))
    await clock.advance(90)
    asker.call('b').answer(deny('second'))
    await clock.advance(10)
    expect(await isOver()).toBe(true)
  })

  it('nobody is waited for when the grace is 0', async () => {
    const { asker, kinds, cancelled, clock } = askAll(abc, { denyGraceMs: 0 })
    await clock.advance(5)
    asker.call('c').answer(deny('no'))
    expect(await kinds()).toEqual(['cancelled', 'cancelled', 'deny'])
    expect(cancelled()).toEqual(['a', 'b'])
  })

  it('the grace ends with the budget', async () => {
    const over = { deadline: deadlineFrom(0, 1_000), denyGraceMs: 500 }
    // Even if the calls themselves went on for longer than they may.
    const { asker, clock, isOver } = askAll(abc, over, { keepsBudget: false })
    await clock.advance(900)
    asker.call('a').answer(deny('no'))
    await clock.advance(99)
    expect(await isOver()).toBe(false)
    await clock.advance(1)
    expect(await isOver()).toBe(true)
  })

  it('a failure that its policy turns into a deny counts as one, another does not', async () => {
    const lenient = subscriptionOf({ id: 'lenient', onFailure: 'allow' })
    const { asker, isOver, kinds } = askAll([lenient, ...abc], { denyGraceMs: 0 })
    asker.call('lenient').answer(failed('bad_status'))
    expect(await isOver()).toBe(false)
    asker.call('a').answer(failed('bad_status'))
    expect(await kinds()).toEqual(['failed', 'failed', 'cancelled', 'cancelled'])
  })

  it('while a form is being filled in everybody is waited for all the same', async () => {
    const plan = planOf(abc, changeWith({ event: 'record.updating' }))
    const { asker, clock, isOver, kinds } = askAll(abc, { plan, denyGraceMs: 0 })
    asker.call('a').answer(deny('no'))
    await clock.advance(5_000)
    expect(await isOver()).toBe(false)
    asker.call('b').answer(allow())
    asker.call('c').answer(allow())
    expect(await kinds()).toEqual(['deny', 'allow', 'allow'])
  })

  it('an answer that comes after the end changes nothing', async () => {
    const { asker, ended, told } = askAll(abc, { denyGraceMs: 0 })
    asker.call('a').answer(deny('no'))
    const { answers } = await ended()
    const before = structuredClone(answers)
    asker.call('b').answer(deny('too late'))
    await settled()
    expect(answers).toEqual(before)
    expect(told).toEqual(['a deny', 'b cancelled', 'c cancelled'])
  })
})

describe('a caller that goes away', () => {
  it('ends it at once, and every call is broken off', async () => {
    const { asker, caller, kinds, cancelled } = askAll(abc)
    asker.call('a').answer(allow())
    await settled()
    caller.leave()
    expect(await kinds()).toEqual(['allow', 'cancelled', 'cancelled'])
    expect(cancelled()).toEqual(['b', 'c'])
  })

  it('that left before it began has nobody asked', async () => {
    const caller = fakePresence()
    caller.leave()
    const { asker, kinds } = askAll(abc, { presence: caller.presence })
    expect(await kinds()).toEqual(['cancelled', 'cancelled', 'cancelled'])
    expect(asker.calls).toHaveLength(0)
    expect(caller.listening).toBe(0)
  })

  it('is listened for no longer than that', async () => {
    const { asker, caller, isOver } = askAll(abc.slice(0, 1))
    expect(caller.listening).toBe(1)
    asker.call('a').answer(allow())
    expect(await isOver()).toBe(true)
    expect(caller.listening).toBe(0)
  })
})

describe('a shadow', () => {
  it('is not waited for, is not broken off, and answers late', async () => {
    const { asker, ended, late, cancelled, told } = askAll([shadow, ...abc.slice(0, 1)])
    asker.call('a').answer(allow())
    const { answers } = await ended()
    expect(answers.map(({ answer }) => answer.kind)).toEqual(['cancelled', 'allow'])
    expect(cancelled()).toEqual([])
    expect(await late()).toBeNull()
    asker.call('s').answer(deny('no'))
    expect((await late())?.map(({ answer }) => answer)).toEqual([deny('no'), allow()])
    expect(answers[0]?.answer.kind).toBe('cancelled')
    expect(told).toEqual(['a allow', 's cancelled'])
  })

  it('that has answered in time is not late', async () => {
    const { asker, ended, told } = askAll([shadow, ...abc.slice(0, 1)])
    asker.call('s').answer(deny('no'))
    await settled()
    asker.call('a').answer(allow())
    expect((await ended()).late).toBeNull()
    expect(told).toEqual(['s deny', 'a allow'])
  })

  it('that denies starts no grace', async () => {
    const { asker, clock, isOver } = askAll([shadow, ...abc], { denyGraceMs: 0 })
    asker.call('s').answer(deny('no'))
    await clock.advance(1_000)
    expect(await isOver()).toBe(false)
  })

  it('alone lets the change through at once', async () => {
    const { asker, kinds, late } = askAll([shadow])
    expect(await kinds()).toEqual(['cancelled'])
    asker.call('s').answer(allow())
    expect(await late()).toHaveLength(1)
  })

  it('is late until the last of them has answered', async () => {
    const { asker, late } = askAll(subscriptionsOf(['s', 't'], { mode: 'shadow' }))
    asker.call('t').answer(allow())
    expect(await late()).toBeNull()
    asker.call('s').answer(allow())
    expect(await late()).toHaveLength(2)
  })

  it('that is late changes nothing about the others: who was broken off, and when', async () => {
    const { asker, clock, ended, late } = askAll([shadow, ...abc.slice(0, 2)], { denyGraceMs: 0 })
    await clock.advance(10)
    asker.call('a').answer(deny('no'))
    asker.call('b').answer(allow())
    const { answers } = await ended()
    expect(answers.map(({ answer }) => answer.kind)).toEqual(['cancelled', 'deny', 'cancelled'])
    await clock.advance(500)
    asker.call('s').answer(allow())
    const [ofShadow, ...others] = (await late()) ?? []
    expect(ofShadow).toMatchObject({ answer: allow(), durationMs: 510 })
    expect(others).toEqual(answers.slice(1))
    expect(others[1]?.durationMs).toBe(10)
  })

  it('goes on when the others are broken off', async () => {
    const { asker, caller, cancelled, isOver } = askAll([shadow, ...abc])
    caller.leave()
    expect(await isOver()).toBe(true)
    expect(cancelled()).toEqual(['a', 'b', 'c'])
    expect(asker.call('s').isCancelled).toBe(false)
  })
})

describe('an answer of an earlier round', () => {
  it('is used again: its validator is not asked, and its times are those of then', async () => {
    const known = timed(allow({ x: 1 }), { startedMs: 3, durationMs: 4 })
    const { asker, ended, told } = askAll(abc, { earlier: new Map([['b', known]]) })
    expect(asker.calls.map(({ question }) => question.subscription.id)).toEqual(['a', 'c'])
    asker.call('a').answer(allow())
    asker.call('c').answer(allow())
    expect((await ended()).answers[1]).toBe(known)
    // It was told when it came.
    expect(told).toEqual(['a allow', 'c allow'])
  })

  it('of everybody is all there is to it', async () => {
    const earlier = new Map(abc.map(({ id }) => [id, timed(allow())]))
    const { asker, kinds } = askAll(abc, { earlier })
    expect(await kinds()).toEqual(['allow', 'allow', 'allow'])
    expect(asker.calls).toHaveLength(0)
  })

  it('that denies, with no grace, spares all others but the shadows', async () => {
    const earlier = new Map([['a', timed(deny('no'))]])
    const { asker, kinds, late } = askAll([...abc, shadow], { earlier, denyGraceMs: 0 })
    expect(await kinds()).toEqual(['deny', 'cancelled', 'cancelled', 'cancelled'])
    expect(asker.calls.map(({ question }) => question.subscription.id)).toEqual(['s'])
    asker.call('s').answer(allow())
    expect((await late())?.map(({ answer }) => answer.kind)).toEqual([
      'deny',
      'cancelled',
      'cancelled',
      'allow',
    ])
  })
})
