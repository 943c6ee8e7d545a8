import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../../src/adapters/system/patterns.ts'
import { createConfigurations } from '../../../src/app/configuration.ts'
import type { AccountConfiguration } from '../../../src/app/store.ts'
import { ACCOUNT, subscriptionOf } from '../../support/build.ts'
import { settled } from '../../support/fake-clock.ts'

type Load = {
  readonly accountId: string
  readonly found: (generation: number) => Promise<void>
  readonly fail: () => Promise<void>
  readonly isMissing: () => Promise<void>
}

/** Configurations over a store whose reads end when the test says so. */
function world() {
  const loads: Load[] = []
  const load = (accountId: string) =>
    new Promise<AccountConfiguration | null>((resolve, reject) => {
      const then = async (act: () => void) => {
        act()
        await settled()
      }
      loads.push({
        accountId,
        found: (generation) =>
          then(() =>
            resolve({
              accountId,
              accountNumber: null,
              generation,
              subscriptions: [],
              catalogs: [],
              eventTypes: [],
            }),
          ),
        fail: () => then(() => reject(new Error('the store is away'))),
        isMissing: () => then(() => resolve(null)),
      })
    })
  const current = { generation: 1 }
  const generation = async () => current.generation
  return {
    loads,
    current,
    configurations: createConfigurations({ load, generation }, compilePattern),
  }
}

describe("an account's configuration", () => {
  it('is read once, however many ask, and then comes from memory', async () => {
    const { loads, configurations } = world()
    const asked = [configurations.of(ACCOUNT), configurations.of(ACCOUNT)]
    expect(configurations.peek(ACCOUNT)).toBeUndefined()
    await loads[0]?.found(1)
    const [first, second] = await Promise.all(asked)
    expect(first).toBe(second)
    expect(await configurations.of(ACCOUNT)).toBe(first)
    expect(configurations.peek(ACCOUNT)).toBe(first)
    expect(loads).toHaveLength(1)
  })

  it('is compiled: subscriptions by event and id, catalogs by id', async () => {
    const catalog = { id: 'orders', title: 'Orders', fields: [] }
    const store = {
      generation: async () => 4,
      load: async (accountId: string) => ({
        accountId,
        accountNumber: '0042',
        generation: 4,
        subscriptions: [subscriptionOf()],
        catalogs: [catalog],
        eventTypes: [],
      }),
    }
    const found = await createConfigurations(store, compilePattern).of(ACCOUNT)
    expect(found.generation).toBe(4)
    expect(found.accountNumber).toBe('0042')
    expect(found.index.byId.get('sub_a')).toEqual(subscriptionOf())
    expect([...found.index.buckets.keys()]).toEqual(['record.before.updated'])
    expect(found.catalogs.get('orders')).toBe(catalog)
  })

  it('of another account is another matter', async () => {
    const { loads, configurations } = world()
    void configurations.of('one')
    void configurations.of('two')
    await settled()
    expect(loads.map(({ accountId }) => accountId)).toEqual(['one', 'two'])
  })

  it('is read again after it was invalidated', async () => {
    const { loads, configurations } = world()
    const first = configurations.of(ACCOUNT)
    await loads[0]?.found(1)
    await first
    configurations.invalidate('somebody else')
    expect(configurations.peek(ACCOUNT)?.generation).toBe(1)
    configurations.invalidate(ACCOUNT)
    expect(configurations.peek(ACCOUNT)).toBeUndefined()
    const again = configurations.of(ACCOUNT)
    await loads[1]?.found(2)
    expect((await again).generation).toBe(2)
  })

  it('that was invalidated while it was read serves those who asked and is not kept', async () => {
    for (const invalidated of [ACCOUNT, null]) {
      const { loads, configurations } = world()
      const before = configurations.of(ACCOUNT)
      configurations.invalidate(invalidated)
      const after = configurations.of(ACCOUNT)
      await loads[0]?.found(1)
      expect((await before).generation).toBe(1)
      expect(configurations.peek(ACCOUNT)).toBeUndefined()
      await loads[1]?.found(2)
      expect((await after).generation).toBe(2)
      expect(configurations.peek(ACCOUNT)?.generation).toBe(2)
      expect(loads).toHaveLength(2)
    }
  })

  it('that was read late does not replace a newer one', async () => {
    const { loads, configurations } = world()
    const before = configurations.of(ACCOUNT)
    configurations.invalidate(ACCOUNT)
    const after = configurations.of(ACCOUNT)
    await loads[1]?.found(2)
    await loads[0]?.found(1)
    expect((await before).generation).toBe(1)
    expect((await after).generation).toBe(2)
    expect(configurations.peek(ACCOUNT)?.generation).toBe(2)
  })

  it('that could not be read is tried again by the next who asks', async () => {
    const { loads, configurations } = world()
    const failed = configurations.of(ACCOUNT)
    const expectation = expect(failed).rejects.toThrow('the store is away')
    await loads[0]?.fail()
    await expectation
    const again = configurations.of(ACCOUNT)
    await loads[1]?.found(1)
    expect((await again).generation).toBe(1)
  })

  it('of an account that does not exist is not found, and not remembered', async () => {
    const { loads, configurations } = world()
    const expectation = expect(configurations.of('nobody')).rejects.toMatchObject({
      code: 'not_found',
    })
    await loads[0]?.isMissing()
    await expectation
    expect(configurations.peek('nobody')).toBeUndefined()
    void configurations.of('nobody')
    await settled()
    expect(loads).toHaveLength(2)
  })

  it('that must be fresh is read again if and only if another generation is in force', async () => {
    const { loads, current, configurations } = world()
    const first = configurations.fresh(ACCOUNT)
    await settled()
    await loads[0]?.found(1)
    expect(await configurations.fresh(ACCOUNT)).toBe(await first)
    expect(loads).toHaveLength(1)
    current.generation = 2
    const renewed = configurations.fresh(ACCOUNT)
    await settled()
    await loads[1]?.found(2)
    expect((await renewed).generation).toBe(2)
    expect(configurations.peek(ACCOUNT)?.generation).toBe(2)
  })

  it('takes note of a catalog that came into being, without reading anything again', async () => {
    const { loads, configurations } = world()
    configurations.noteCatalog(ACCOUNT, 'too early')
    const found = configurations.of(ACCOUNT)
    await loads[0]?.found(1)
    const before = await found
    configurations.noteCatalog(ACCOUNT, 'orders')
    const after = configurations.peek(ACCOUNT)
    expect([...(after?.catalogs.keys() ?? [])]).toEqual(['orders'])
    expect(after?.generation).toBe(1)
    expect(before.catalogs.size).toBe(0)
    configurations.noteCatalog(ACCOUNT, 'orders')
    expect(configurations.peek(ACCOUNT)).toBe(after)
    expect(loads).toHaveLength(1)
  })
})
