/** The port Accounts. */
import { describe, expect, it } from 'vitest'
import { systemIds } from '../../src/adapters/system/ids.ts'
import type { Account } from '../../src/app/app-store.ts'
import type { Opened } from '../support/store.ts'

type Draft = Omit<Account, 'createdAt'>

const draftOf = (over: Partial<Draft> = {}): Draft => ({
  id: systemIds.make('req').replace('_', '-'),
  title: 'A "shop" – \u{1f600}',
  accountNumber: '4711',
  maxPerSecond: 250,
  ...over,
})

export function accountsContract(opened: () => Opened): void {
  describe('Accounts', () => {
    it('read back as they were created and changed', async () => {
      const { store } = opened()
      const draft = draftOf()
      const created = await store.accounts.create(draft)
      expect(created).toEqual({
        ...draft,
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      })
      expect(await store.accounts.read(draft.id)).toEqual(created)
      const plain = draftOf({ accountNumber: null, maxPerSecond: null })
      expect(await store.accounts.create(plain)).toMatchObject(plain)
      const changed = await store.accounts.update(draft.id, (current) => {
        expect(current).toEqual(created)
        return { ...current, title: 'Renamed', accountNumber: null, maxPerSecond: 3 }
      })
      const renamed = { title: 'Renamed', accountNumber: null, maxPerSecond: 3 }
      expect(changed).toEqual({ ...created, ...renamed })
      expect(await store.accounts.read(draft.id)).toEqual(changed)
      expect(await store.accounts.read(plain.id)).toMatchObject(plain)
    })

    it('that are not there are neither read nor changed', async () => {
      const { store } = opened()
      expect(await store.accounts.read('nobody')).toBeNull()
      const change = () => {
        throw new Error('nothing to change')
      }
      await expect(store.accounts.update('nobody', change)).rejects.toMatchObject({
        code: 'not_found',
      })
      expect(await store.configuration.load('nobody')).toBeNull()
    })

    it('refuse an id that is taken, and change nothing then', async () => {
      const { store } = opened()
      const draft = draftOf()
      const created = await store.accounts.create(draft)
      const results = await Promise.allSettled(
        Array.from({ length: 5 }, () => store.accounts.create({ ...draft, title: 'Another' })),
      )
      for (const result of results) {
        expect(result).toMatchObject({ status: 'rejected', reason: { code: 'already_exists' } })
      }
      expect(await store.accounts.read(draft.id)).toEqual(created)
      expect(await store.configuration.generation(draft.id)).toBe(1)
    })

    it('are made once by ten at a time', async () => {
      const { store } = opened()
      const draft = draftOf()
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, (_, n) => store.accounts.create({ ...draft, title: `${n}` })),
      )
      const won = results.findIndex(({ status }) => status === 'fulfilled')
      expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(9)
      expect(await store.accounts.read(draft.id)).toMatchObject({ title: `${won}` })
    })

    it('have a number that their configuration tells, from the next generation on', async () => {
      const { store } = opened()
      const { id } = await store.accounts.create(draftOf({ accountNumber: null }))
      const other = await store.accounts.create(draftOf({ accountNumber: '1' }))
      const told: (string | null)[] = []
      store.onConfigurationChanged((accountId) => told.push(accountId))
      const load = () => store.configuration.load(id)
      expect(await load()).toMatchObject({ accountNumber: null, generation: 1 })
      await store.accounts.update(id, (one) => ({ ...one, accountNumber: '42' }))
      expect(await load()).toMatchObject({ accountNumber: '42', generation: 2 })
      await store.accounts.update(id, (one) => ({ ...one, accountNumber: null }))
      expect(await load()).toMatchObject({ accountNumber: null, generation: 3 })
      store.onConfigurationChanged(() => {})
      expect(told).toContain(id)
      expect(told).not.toContain(other.id)
      expect(await store.configuration.load(other.id)).toMatchObject({
        accountNumber: '1',
        generation: 1,
      })
    })

    it('take ten changes at a time one after the other: none is lost', async () => {
      const { store } = opened()
      const { id } = await store.accounts.create(draftOf({ title: '' }))
      await Promise.all(
        Array.from({ length: 10 }, () =>
          store.accounts.update(id, (one) => ({ ...one, title: `${one.title}x` })),
        ),
      )
      expect(await store.accounts.read(id)).toMatchObject({ title: 'x'.repeat(10) })
      expect(await store.configuration.generation(id)).toBe(11)
    })

    it('stay as they are when a change throws', async () => {
      const { store } = opened()
      const created = await store.accounts.create(draftOf())
      const update = store.accounts.update(created.id, () => {
        throw new RangeError('refused')
      })
      await expect(update).rejects.toThrow('refused')
      expect(await store.accounts.read(created.id)).toEqual(created)
      expect(await store.configuration.generation(created.id)).toBe(1)
    })

    it('are listed in order of id, in pages that neither repeat nor leave out', async () => {
      const { store } = opened()
      const ids: string[] = []
      for (let n = 0; n < 7; n++) ids.push((await store.accounts.create(draftOf())).id)
      const seen: string[] = []
      for (let after: string | null = null; ; after = seen.at(-1) ?? null) {
        const page = await store.accounts.list({ limit: 3, after })
        expect(page.length).toBeLessThanOrEqual(3)
        if (page.length === 0) break
        seen.push(...page.map(({ id }) => id))
      }
      expect(new Set(seen).size).toBe(seen.length)
      expect(seen.filter((id) => ids.includes(id))).toEqual(ids.toSorted())
      expect(seen).toContain('default')
      const everyone = await store.accounts.list({ limit: 200, after: null })
      expect(everyone.map(({ id }) => id)).toEqual(seen)
    })
  })
}
