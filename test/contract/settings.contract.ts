/** The ports Catalogs and Keys. */
import { describe, expect, it } from 'vitest'
import { systemIds } from '../../src/adapters/system/ids.ts'
import type { Clock } from '../../src/app/ports.ts'
import type { KeyView } from '../../src/app/store.ts'
import type { Catalog } from '../../src/domain/catalog.ts'
import { eventually } from '../support/eventually.ts'
import { committed, creation } from '../support/items.ts'
import { Journaled, type Opened, openAs } from '../support/store.ts'

type NewKey = Omit<KeyView, 'createdAt' | 'lastUsedAt'>

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
  const keyOf = (accountId: string, more: Partial<NewKey> = {}): NewKey => ({
    id: systemIds.make('key'),
    name: 'A key',
    accountId,
    scopes: ['approve', 'read'],
    maxPerSecond: null,
    expiresAt: null,
    ...more,
  })

  describe('Keys', () => {
    it('are none in a new installation, and some from the first one on', async () => {
      const { store, sql } = opened()
      await sql('delete from keys')
      expect(await store.keys.isEmpty()).toBe(true)
      await store.keys.create(keyOf(await opened().account()), 'first hash')
      expect(await store.keys.isEmpty()).toBe(false)
    })

    it('are found by their hash, with account, scopes and limits', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const key = keyOf(accountId, { scopes: ['manage', 'admin'], maxPerSecond: 5 })
      const created = await store.keys.create(key, `hash of ${key.id}`)
      expect(created).toEqual({
        ...key,
        lastUsedAt: null,
        createdAt: expect.stringMatching(/Z$/),
      })
      const caller = { accountId, keyId: key.id, scopes: new Set(['manage', 'admin']) }
      const found = { caller, limits: { ofKey: 5, ofAccount: null }, expiresInMs: null }
      expect(await store.keys.findByHash(`hash of ${key.id}`)).toEqual(found)
      await store.accounts.update(accountId, (one) => ({ ...one, maxPerSecond: 70 }))
      const limited = { ...found, limits: { ofKey: 5, ofAccount: 70 } }
      expect(await store.keys.findByHash(`hash of ${key.id}`)).toEqual(limited)
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
      const inAnHour = keyOf(accountId, {
        expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
      })
      await store.keys.create(inAnHour, `hash of ${inAnHour.id}`)
      const found = await store.keys.findByHash(`hash of ${inAnHour.id}`)
      expect(found?.expiresInMs).toBeGreaterThan(3_500_000)
      expect(found?.expiresInMs).toBeLessThan(3_660_000)
      expect(await store.keys.findByHash(`hash of ${future.id}`)).not.toBeNull()
      const listed = await store.keys.list(accountId, ALL)
      expect(listed.map(({ id, expiresAt }) => ({ id, expiresAt }))).toEqual([
        { id: past.id, expiresAt: past.expiresAt },
        { id: future.id, expiresAt: future.expiresAt },
        { id: inAnHour.id, expiresAt: inAnHour.expiresAt },
      ])
    })

    it('are each found as themselves when two thousand are asked for at once', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const keys = Array.from({ length: 20 }, () => keyOf(accountId))
      for (const key of keys) await store.keys.create(key, `hash of ${key.id}`)
      const asked = Array.from({ length: 2_000 }, (_, n) =>
        n % 2 === 0 ? `hash of ${keys[n % 20]?.id}` : `hash of nobody ${n}`,
      )
      const found = await Promise.all(asked.map((hash) => store.keys.findByHash(hash)))
      for (const [n, one] of found.entries()) {
        expect(one?.caller.keyId).toBe(n % 2 === 0 ? keys[n % 20]?.id : undefined)
      }
    })

    it('say when they were last used, to the minute, each its own, and never an earlier time', async () => {
      const due: (() => void)[] = []
      const time = { ms: 0 }
      const clock: Clock = {
        wallMs: () => Date.now(),
        monotonicMs: () => time.ms,
        schedule: (delayMs, run) => {
          if (delayMs <= 60_000) due.push(run)
          return () => {}
        },
      }
      const { url } = opened()
      const store = await openAs(url === undefined ? { folder: 'memory://' } : { url }, { clock })
      const keys = Array.from({ length: 3 }, () => keyOf('default'))
      for (const key of keys) await store.keys.create(key, `hash of ${key.id}`)
      const [first = '', second = '', third = ''] = keys.map(({ id }) => id)
      const used = async () => {
        const listed = await store.keys.list('default', ALL)
        return new Map(listed.map(({ id, lastUsedAt }) => [id, lastUsedAt]))
      }
      const write = () => {
        for (const run of due.splice(0)) run()
      }
      const minute = (at: number) => Math.floor(at / 60_000) * 60_000

      const from = Date.now()
      for (const id of [first, second, 'nobody']) store.keys.noteUse(id)
      time.ms += 600_000
      store.keys.noteUse(second)
      write()
      await eventually('a use is stored', async () => (await used()).get(second))
      const until = Date.now()
      const after = await used()
      for (const [id, agoMs] of [
        [first, 600_000],
        [second, 0],
      ] as const) {
        const at = Date.parse(after.get(id) ?? '')
        expect(at).toBeGreaterThanOrEqual(minute(from - agoMs))
        expect(at).toBeLessThanOrEqual(minute(until - agoMs))
      }
      expect(after.get(third)).toBeNull()

      // What another gateway was slow to write is earlier than what is known.
      store.keys.noteUse(second)
      time.ms += 3_600_000
      store.keys.noteUse(third)
      write()
      await eventually('another use is stored', async () => (await used()).get(third))
      expect((await used()).get(second)).toBe(after.get(second))
      await store.close()
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

const KEYS = 200

export function keyUseContract(opened: () => Opened): void {
  describe('The use of keys', () => {
    it('is written by gateways that write about the same keys at once, and none waits for another', async () => {
      const location = { url: opened().url ?? '' }
      const journal = new Journaled()
      const gateways = await Promise.all(
        Array.from({ length: 3 }, () => openAs(location, { journal })),
      )
      const accountId = await opened().account()
      const ids = Array.from({ length: KEYS }, () => systemIds.make('key'))
      const [store] = gateways
      for (const id of ids) {
        const draft = { name: 'k', scopes: ['read'], maxPerSecond: null, expiresAt: null } as const
        await store?.keys.create({ ...draft, id, accountId }, `hash of ${id}`)
      }
      for (const [n, { keys }] of gateways.entries()) {
        for (const id of n % 2 === 0 ? ids : ids.toReversed()) keys.noteUse(id)
      }
      await Promise.all(gateways.map((one) => one.close()))
      expect(journal.kinds('store.trouble')).toEqual([])
      const count = 'select count(last_used_at)::int as count from keys where account = $1'
      expect(await opened().sql(count, [accountId])).toEqual([{ count: KEYS }])
    })
  })
}
