/** Secrets at rest: with which master keys, and sealed anew with another one while gateways are at work. */
import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { openStore, type Store } from '../../src/adapters/postgres/store.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { systemIds } from '../../src/adapters/system/ids.ts'
import { createSealer, type MasterKeys, masterKeyOf } from '../../src/adapters/system/master-key.ts'
import { SECRETS, subscribed } from '../support/items.ts'
import { onServerStore } from '../support/store.ts'

const newKey = () => masterKeyOf(randomBytes(32))

onServerStore((opened) => {
  const stores: Store[] = []
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close()
  })
  const openWith = async (...keys: MasterKeys): Promise<Store> => {
    const store = await openStore({
      location: { url: opened().url ?? '' },
      sealer: createSealer(keys),
      clock: systemClock,
      ids: systemIds,
      journal: { record: () => {} },
    })
    stores.push(store)
    return store
  }

  describe('sealed secrets', () => {
    it('are sealed anew with the first master key, all of them, and read as before', async () => {
      await opened().sql('delete from subscriptions')
      const accountId = await opened().account()
      const [old, next] = [newKey(), newKey()]
      const before = await openWith(old)
      const made: { readonly id: string }[] = []
      while (made.length < 450) made.push(await subscribed(before.subscriptions, accountId))
      expect(await before.sealedSecrets.keyIds()).toEqual([old.id])
      const rotating = await openWith(next, old)
      expect(await rotating.sealedSecrets.sealAnew()).toBe(450)
      expect(await rotating.sealedSecrets.keyIds()).toEqual([next.id])
      expect(await rotating.sealedSecrets.sealAnew()).toBe(0)
      const after = await openWith(next)
      const page = { limit: 500, after: null }
      const read = await after.subscriptions.list(accountId, page)
      expect(read.map(({ id }) => id)).toEqual(made.map(({ id }) => id).toSorted())
      for (const one of read) expect(one).toMatchObject(SECRETS)
      await expect(before.subscriptions.list(accountId, page)).rejects.toThrow(next.id)
    })

    it('that are changed meanwhile stay what they were changed to', async () => {
      await opened().sql('delete from subscriptions')
      const accountId = await opened().account()
      const [old, next] = [newKey(), newKey()]
      const before = await openWith(old)
      const { id } = await subscribed(before.subscriptions, accountId)
      const rotating = await openWith(next, old)
      const change = rotating.subscriptions.update(accountId, id, (current) => ({
        ...current,
        secret: 'changed',
      }))
      await Promise.all([change, rotating.sealedSecrets.sealAnew()])
      expect((await rotating.subscriptions.read(accountId, id))?.secret).toBe('changed')
      expect(await rotating.sealedSecrets.keyIds()).toEqual([next.id])
    })
  })
})
