/** The ports Catalogs and Keys. */
import { describe, expect, it } from 'vitest'
import { systemIds } from '../../src/adapters/system/ids.ts'
import type { Scope } from '../../src/app/store.ts'
import type { Catalog } from '../../src/domain/catalog.ts'
import { committed, creation } from '../support/items.ts'
import type { Opened } from '../support/store.ts'

const ALL = { limit: 200, after: null }

const catalogOf = (id: string): Catalog => ({
  id,
  title: `Catalog ${id}`,
  fields: [
    { id: 'status', title: 'Status', type: 'choice', options: [{ id: '1', title: 'New' }] },
    { id: 'name', title: 'Name "quoted"', type: 'text', required: true },
  ],
})

export function catalogsContract(opened: () => Opened): void {
  describe('Catalogs', () => {
    it('read back as they were created, by their account only', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const catalog = catalogOf('c')
      expect(await store.catalogs.create(accountId, catalog)).toEqual(catalog)
      expect(await store.catalogs.read(accountId, 'c')).toEqual(catalog)
      expect(await store.catalogs.list(accountId, ALL)).toEqual([catalog])
      expect(await store.catalogs.read(other, 'c')).toBeNull()
      expect(await store.catalogs.list(other, ALL)).toEqual([])
      expect(await store.catalogs.update(other, 'c', (one) => one)).toBeNull()
      expect(await store.catalogs.remove(other, 'c')).toBe(false)
      await store.catalogs.create(other, catalog)
    })

    it('refuse an id that is taken, and change nothing then', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      await store.catalogs.create(accountId, catalogOf('c'))
      const again = store.catalogs.create(accountId, { id: 'c', title: 'Another', fields: [] })
      await expect(again).rejects.toMatchObject({ code: 'already_exists' })
      expect(await store.catalogs.read(accountId, 'c')).toEqual(catalogOf('c'))
      expect(await store.configuration.load(accountId)).toMatchObject({ generation: 2 })
    })

    it('take ten changes at a time one after the other: none is lost', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      await store.catalogs.create(accountId, { id: 'c', title: '', fields: [] })
      await Promise.all(
        Array.from({ length: 10 }, () =>
          store.catalogs.update(accountId, 'c', (one) => ({ ...one, title: `${one.title}x` })),
        ),
      )
      expect(await store.catalogs.read(accountId, 'c')).toMatchObject({ title: 'x'.repeat(10) })
    })

    it('are removed when they are empty, and only then', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const item = creation(accountId, { catalogId: 'c', definesCatalog: true })
      await committed(store.approvals, item)
      await expect(store.catalogs.remove(accountId, 'c')).rejects.toMatchObject({
        code: 'catalog_not_empty',
      })
      expect(await store.catalogs.read(accountId, 'c')).not.toBeNull()
      const recordId = item.write?.recordId ?? ''
      const expected = { version: 1, origin: item.entry.id }
      const write = { kind: 'delete', recordId, expected } as const
      await committed(store.approvals, creation(accountId, { catalogId: 'c', write }))
      expect(await store.catalogs.remove(accountId, 'c')).toBe(true)
      expect(await store.catalogs.remove(accountId, 'c')).toBe(false)
    })

    it('are listed in order of id, in pages that neither repeat nor leave out', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
      for (const id of ids.toReversed()) await store.catalogs.create(accountId, catalogOf(id))
      const seen: string[] = []
      for (let after: string | null = null; ; after = seen.at(-1) ?? null) {
        const page = await store.catalogs.list(accountId, { limit: 3, after })
        if (page.length === 0) break
        seen.push(...page.map(({ id }) => id))
      }
      expect(seen).toEqual(ids)
    })
  })
}

export function keysContract(opened: () => Opened): void {
  const keyOf = (accountId: string, more: { scopes?: Scope[]; expiresAt?: string } = {}) => ({
    id: systemIds.make('key'),
    name: 'A key',
    accountId,
    scopes: more.scopes ?? ['approve', 'read'],
    expiresAt: more.expiresAt ?? null,
  })

  describe('Keys', () => {
    it('are none in a new installation, and some from the first one on', async () => {
      const { store, sql } = opened()
      await sql('delete from keys')
      expect(await store.keys.isEmpty()).toBe(true)
      await store.keys.create(keyOf(await opened().account()), 'first hash')
      expect(await store.keys.isEmpty()).toBe(false)
    })

    it('are found by their hash, with account and scopes', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const key = keyOf(accountId, { scopes: ['manage', 'admin'] })
      const created = await store.keys.create(key, `hash of ${key.id}`)
      expect(created).toEqual({ ...key, createdAt: expect.stringMatching(/Z$/) })
      expect(await store.keys.findByHash(`hash of ${key.id}`)).toEqual({
        accountId,
        keyId: key.id,
        scopes: new Set(['manage', 'admin']),
      })
      expect(await store.keys.findByHash('another hash')).toBeNull()
      expect(await store.keys.findByHash('')).toBeNull()
    })

    it('that expired are not found, and are still listed', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const past = keyOf(accountId, { expiresAt: '2020-01-01T00:00:00.000Z' })
      const future = keyOf(accountId, { expiresAt: '2099-01-01T00:00:00.000Z' })
      for (const key of [past, future]) await store.keys.create(key, `hash of ${key.id}`)
      expect(await store.keys.findByHash(`hash of ${past.id}`)).toBeNull()
      expect(await store.keys.findByHash(`hash of ${future.id}`)).not.toBeNull()
      const listed = await store.keys.list(accountId, ALL)
      expect(listed.map(({ id, expiresAt }) => ({ id, expiresAt }))).toEqual([
        { id: past.id, expiresAt: past.expiresAt },
        { id: future.id, expiresAt: future.expiresAt },
      ])
    })

    it('are removed by their account only, and found no more', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const key = keyOf(accountId)
      await store.keys.create(key, `hash of ${key.id}`)
      expect(await store.keys.list(other, ALL)).toEqual([])
      expect(await store.keys.remove(other, key.id)).toBe(false)
      expect(await store.keys.findByHash(`hash of ${key.id}`)).not.toBeNull()
      expect(await store.keys.remove(accountId, key.id)).toBe(true)
      expect(await store.keys.remove(accountId, key.id)).toBe(false)
      expect(await store.keys.findByHash(`hash of ${key.id}`)).toBeNull()
    })

    it('are listed in pages that neither repeat nor leave out', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const keys = Array.from({ length: 5 }, () => keyOf(accountId))
      for (const key of keys) await store.keys.create(key, `hash of ${key.id}`)
      const first = await store.keys.list(accountId, { limit: 3, after: null })
      const second = await store.keys.list(accountId, { limit: 3, after: first[2]?.id ?? '' })
      expect([...first, ...second].map(({ id }) => id)).toEqual(keys.map(({ id }) => id))
    })
  })
}
