import { describe, expect, it } from 'vitest'
import { Problem } from '../../../src/domain/problem.ts'

import { fine, resultOf, world } from './relay-world.ts'

describe('what breaks on the way', () => {
  it('a send of ours that crashes leaves the delivery to its lease, and it is sent again', async () => {
    let crashes = 1
    const { relay, outbox, clock, sent, journal } = world(() =>
      crashes-- > 0 ? new Error('a bug') : resultOf(),
    )
    const owed = outbox.add(1)
    relay.start()
    await clock.advance(60_000)
    expect(sent).toHaveLength(1)
    expect(owed.state).toBe('sending')
    expect(journal.events).toMatchObject([{ kind: 'relay.stumbled', step: 'send' }])
    await clock.advance(31_000)
    expect(sent).toHaveLength(2)
    expect(sent[0]?.dispatch.deliveryId).toBe(sent[1]?.dispatch.deliveryId)
    expect(owed.state).toBe('delivered')
  })

  it('a result that cannot be written down has the delivery sent again, never lost', async () => {
    const { relay, outbox, clock, sent, journal } = world(fine)
    const owed = outbox.add(1)
    outbox.broken.add('settle')
    relay.start()
    await clock.advance(5)
    expect(journal.events.at(-1)).toMatchObject({ kind: 'relay.stumbled', step: 'settle' })
    outbox.broken.clear()
    await clock.advance(91_000)
    expect(sent).toHaveLength(2)
    expect(owed.state).toBe('delivered')
  })

  it('a result is kept while the database is away, and written down when it is back', async () => {
    const { relay, outbox, clock, sent } = world(fine)
    const owed = outbox.add(1)
    const settle = outbox.settle.bind(outbox)
    outbox.settle = () => Promise.reject(new Problem('store_unavailable'))
    relay.start()
    await clock.advance(20_000)
    expect(owed.state).toBe('sending')
    expect(relay.trouble).toBe('cannot settle')
    outbox.settle = settle
    await clock.advance(1_000)
    expect(owed.state).toBe('delivered')
    expect(relay.trouble).toBeNull()
    expect(sent).toHaveLength(1)
  })

  it('a result that the database refuses does not keep the others out', async () => {
    const { relay, outbox, clock } = world(fine)
    const [bad, good] = [outbox.add(1), outbox.add(2)]
    const settle = outbox.settle.bind(outbox)
    outbox.settle = (settlements) =>
      settlements.some(({ delivery }) => delivery.sequenceId === 1)
        ? Promise.reject(new Error('a NUL in the reply'))
        : settle(settlements)
    relay.start()
    await clock.advance(10)
    expect([bad.state, good.state]).toEqual(['sending', 'delivered'])
  })

  it('a lease that was lost meanwhile makes the late result change nothing', async () => {
    const { relay, outbox, clock, sent } = world(() => null)
    const owed = outbox.add(1)
    relay.start()
    await clock.advance(91_000)
    expect(sent).toHaveLength(2)
    sent[0]?.answer(resultOf({ outcome: 'abort' }))
    await clock.advance(10)
    expect(outbox.lost).toBe(1)
    expect(owed.state).toBe('sending')
    sent[1]?.answer(resultOf())
    await clock.advance(10)
    expect(owed.state).toBe('delivered')
  })

  it('settings that cannot be read leave the delivery to its lease', async () => {
    const { relay, outbox, clock, sent, account } = world(fine)
    const load = account.load.bind(account)
    account.load = () => Promise.reject(new Error('the store is away'))
    const owed = outbox.add(1)
    relay.start()
    await clock.advance(100)
    expect(sent).toEqual([])
    account.load = load
    await clock.advance(91_000)
    expect(owed.state).toBe('delivered')
  })

  it('an account whose settings cannot be read holds up nobody else', async () => {
    const { relay, outbox, clock, journal } = world(fine)
    const unlucky = Object.assign(outbox.add(1), { accountId: 'elsewhere' })
    const owed = outbox.add(2)
    relay.start()
    await clock.advance(5)
    expect([unlucky.state, owed.state]).toEqual(['sending', 'delivered'])
    expect(journal.events).toContainEqual(
      expect.objectContaining({ kind: 'relay.stumbled', step: 'send' }),
    )
  })

  it('settings are looked at once for all the deliveries of an account', async () => {
    const { relay, outbox, clock, account } = world(fine)
    let looks = 0
    const generation = account.generation.bind(account)
    account.generation = (id) => {
      looks++
      return generation(id)
    }
    for (let sequenceId = 1; sequenceId <= 20; sequenceId++) outbox.add(sequenceId)
    relay.start()
    await clock.advance(5)
    expect(looks).toBe(1)
    expect(outbox.owed.every(({ state }) => state === 'delivered')).toBe(true)
  })

  it.each(['plan', 'claim', 'reap'] as const)(
    'a %s that fails is told, tried again at the next look, and keeps no other step from running',
    async (step) => {
      const { relay, outbox, clock, journal } = world(fine)
      outbox.broken.add(step)
      relay.start()
      await clock.advance(0)
      expect(relay.trouble).toBe(`cannot ${step}`)
      expect(journal.events).toMatchObject([{ kind: 'relay.stumbled', step }])
      if (step !== 'claim') {
        const owed = outbox.add(1)
        relay.wake()
        await clock.advance(5)
        expect(owed.state).toBe('delivered')
        expect(relay.trouble).toBe(`cannot ${step}`)
      }
      outbox.broken.clear()
      await clock.advance(500)
      expect(relay.trouble).toBeNull()
    },
  )
})
