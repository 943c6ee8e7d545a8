import { describe, expect, it } from 'vitest'
import { LEASE_MS } from '../../../../src/app/deliver/sender.ts'
import { Problem } from '../../../../src/domain/problem.ts'
import { fine, later, resultOf, world } from './relay-world.ts'

/** When a lease that ends now is given back and its delivery sent again: a look of upkeep, and one claim. */
const TAKEN_OVER_MS = LEASE_MS + 1_600

describe('what breaks on the way', () => {
  it('a send of ours that crashes leaves the delivery to its lease, and it is sent again', async () => {
    let crashes = 1
    const { relay, outbox, clock, sent, journal } = world(() =>
      crashes-- > 0 ? new Error('a bug') : resultOf(),
    )
    const owed = outbox.add(1)
    relay.start()
    await clock.advance(LEASE_MS - 1)
    expect(sent).toHaveLength(1)
    expect(owed.state).toBe('sending')
    expect(journal.events).toMatchObject([{ kind: 'relay.stumbled', step: 'send' }])
    await clock.advance(TAKEN_OVER_MS - LEASE_MS)
    expect(sent).toHaveLength(2)
    expect(sent[0]?.dispatch.deliveryId).toBe(sent[1]?.dispatch.deliveryId)
    expect(owed.state).toBe('delivered')
    expect(journal.events).toContainEqual({ kind: 'deliveries.reaped', count: 1 })
  })

  it('a receiver that is gone and cannot be disabled just now is asked again', async () => {
    const { ports, relay, outbox, clock, sent, disabled } = world(() =>
      resultOf({ outcome: 'disable', status: 410 }),
    )
    const disable = ports.subscriptions.disable.bind(ports.subscriptions)
    ports.subscriptions.disable = () => Promise.reject(new Problem('store_unavailable'))
    const owed = outbox.add(1)
    relay.start()
    await clock.advance(100)
    expect(owed.state).toBe('sending')
    ports.subscriptions.disable = disable
    await clock.advance(TAKEN_OVER_MS)
    expect(sent).toHaveLength(2)
    expect(disabled).toHaveLength(1)
    expect(owed.state).toBe('held')
  })

  it('a result that cannot be written down has the delivery sent again, never lost', async () => {
    const { relay, outbox, clock, sent, journal } = world(fine)
    const owed = outbox.add(1)
    outbox.broken.add('settle')
    relay.start()
    await clock.advance(5)
    expect(journal.events.at(-1)).toMatchObject({ kind: 'relay.stumbled', step: 'settle' })
    outbox.broken.clear()
    await clock.advance(TAKEN_OVER_MS)
    expect(sent).toHaveLength(2)
    expect(owed.state).toBe('delivered')
  })

  it('a result is kept while the database is away, and written down when it is back', async () => {
    const { relay, outbox, clock, sent } = world(fine)
    const owed = outbox.add(1)
    const settle = outbox.settle.bind(outbox)
    outbox.settle = () => Promise.reject(new Problem('store_unavailable'))
    relay.start()
    await clock.advance(LEASE_MS - 2_000)
    expect(owed.state).toBe('sending')
    expect(relay.trouble).toBe('cannot settle')
    outbox.settle = settle
    await clock.advance(1_000)
    expect(owed.state).toBe('delivered')
    expect(relay.trouble).toBeNull()
    expect(sent).toHaveLength(1)
  })

  it('a lease that was lost meanwhile makes the late result change nothing', async () => {
    const { relay, outbox, clock, sent } = world(later)
    const owed = outbox.add(1)
    outbox.broken.add('extend')
    relay.start()
    await clock.advance(TAKEN_OVER_MS)
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
    await clock.advance(TAKEN_OVER_MS)
    expect(owed.state).toBe('delivered')
  })

  it('an account whose settings cannot be read holds up nobody else', async () => {
    const { relay, outbox, clock, journal } = world(fine)
    const unlucky = outbox.add(1, { accountId: 'elsewhere' })
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
    outbox.addMany(20)
    relay.start()
    await clock.advance(5)
    expect(looks).toBe(1)
    expect(outbox.inState('delivered')).toHaveLength(20)
  })

  it.each([
    ['plan', 'cannot plan'],
    ['claim', 'cannot claim'],
  ] as const)(
    'a %s that fails is told, tried again at the next look, and keeps no other loop from running',
    async (step, trouble) => {
      const { relay, outbox, clock, journal } = world(fine)
      outbox.broken.add(step)
      relay.start()
      await clock.advance(0)
      expect(relay.trouble).toBe(trouble)
      const named = trouble.replace('cannot ', '')
      expect(journal.events).toMatchObject([{ kind: 'relay.stumbled', step: named }])
      if (step !== 'claim') {
        const owed = outbox.add(1)
        await clock.advance(600)
        expect(owed.state).toBe('delivered')
        expect(relay.trouble).toBe(trouble)
      }
      outbox.broken.clear()
      await clock.advance(1_000)
      expect(relay.trouble).toBeNull()
    },
  )

  it('upkeep that finds no database is told as trouble, and keeps no other loop from running', async () => {
    const { relay, outbox, clock, journal } = world(fine)
    const turn = outbox.turn.bind(outbox)
    outbox.turn = () => Promise.reject(new Problem('store_unavailable'))
    relay.start()
    await clock.advance(0)
    expect(relay.trouble).toBe('cannot look after deliveries')
    expect(journal.events).toMatchObject([
      { kind: 'relay.stumbled', step: 'look after deliveries' },
    ])
    const owed = outbox.add(1)
    await clock.advance(600)
    expect(owed.state).toBe('delivered')
    outbox.turn = turn
    await clock.advance(1_000)
    expect(relay.trouble).toBeNull()
  })

  it('a receiver that fails and cannot be disabled just now is told, and stays for the next failure', async () => {
    const { ports, relay, outbox, clock, journal } = world(fine)
    ports.subscriptions.disable = () => Promise.reject(new Problem('store_unavailable'))
    const failingMs = (ports.patience.autoDisableAfterMs ?? 0) + 1
    outbox.failingNow = [
      { accountId: 'default', subscriptionId: 'sub_a', failingMs, toldPercent: 0 },
    ]
    const owed = outbox.add(1)
    relay.start()
    await clock.advance(5)
    expect(owed.state).toBe('delivered')
    expect(journal.events.at(-1)).toMatchObject({ kind: 'relay.stumbled', step: 'disable' })
    expect(relay.trouble).toBeNull()
  })
})
