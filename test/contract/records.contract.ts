/** The ports Records and KeptAnswers. */
import { describe, expect, it } from 'vitest'
import { committed, creation } from '../support/items.ts'
import type { Opened } from '../support/store.ts'

export function recordsContract(opened: () => Opened): void {
  describe('Records', () => {
    it('read back what was committed, under the account and catalog that it was committed to', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const values = { name: 'Ada', tags: ['a', 'b'], nested: { deep: [1.5, null, true] } }
      const { entry } = await committed(
        store.approvals,
        creation(accountId, { recordId: 'r', values }),
      )
      const found = await store.records.read(accountId, 'things', 'r')
      expect(found).toEqual({
        id: 'r',
        catalogId: 'things',
        version: 1,
        origin: entry.id,
        values,
        createdAt: found?.updatedAt,
        updatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      })
      expect(await store.records.read(accountId, 'other things', 'r')).toBeNull()
      expect(await store.records.read(other, 'things', 'r')).toBeNull()
      expect(await store.records.list(other, 'things', {}, { limit: 9, after: null })).toEqual([])
    })

    it('count their versions by one, keep their origin, and end with their deletion', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const { entry } = await committed(store.approvals, creation(accountId, { recordId: 'r' }))
      const first = await store.records.read(accountId, 'things', 'r')
      for (let version = 1; version <= 3; version++) {
        const expected = { version, origin: entry.id }
        const values = { name: `Version ${version + 1}` }
        const write = { kind: 'update', recordId: 'r', values, expected } as const
        await committed(store.approvals, creation(accountId, { write }))
        const found = await store.records.read(accountId, 'things', 'r')
        expect(found).toMatchObject({ version: version + 1, origin: entry.id, values })
        expect(found?.createdAt).toBe(first?.createdAt)
        expect(Date.parse(found?.updatedAt ?? '')).toBeGreaterThanOrEqual(
          Date.parse(first?.updatedAt ?? ''),
        )
      }
      const expected = { version: 4, origin: entry.id }
      const write = { kind: 'delete', recordId: 'r', expected } as const
      await committed(store.approvals, creation(accountId, { write }))
      expect(await store.records.read(accountId, 'things', 'r')).toBeNull()
    })

    it('are listed in order of id, in pages that neither repeat nor leave out', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const ids = Array.from({ length: 23 }, (_, n) => `r${String(n).padStart(2, '0')}`)
      for (const recordId of ids.toReversed()) {
        await committed(store.approvals, creation(accountId, { recordId }))
      }
      const seen: string[] = []
      for (let after: string | null = null; ; after = seen.at(-1) ?? null) {
        const page = await store.records.list(accountId, 'things', {}, { limit: 5, after })
        if (page.length === 0) break
        seen.push(...page.map(({ id }) => id))
      }
      expect(seen).toEqual(ids)
    })

    it('are found by what their fields read like, and nothing in a filter becomes SQL', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const odd = `a'b"c\\d->>'e' or true --`
      const records = {
        one: { status: 'new', count: 7 },
        two: { status: 'new', count: 8, [odd]: odd },
        three: { status: 'old', flag: true },
      }
      for (const [recordId, values] of Object.entries(records)) {
        await committed(store.approvals, creation(accountId, { recordId, values }))
      }
      const found = async (where: Record<string, string>) =>
        (await store.records.list(accountId, 'things', where, { limit: 9, after: null })).map(
          ({ id }) => id,
        )
      expect(await found({ status: 'new' })).toEqual(['one', 'two'])
      expect(await found({ status: 'new', count: '8' })).toEqual(['two'])
      expect(await found({ flag: 'true' })).toEqual(['three'])
      expect(await found({ [odd]: odd })).toEqual(['two'])
      expect(await found({ missing: 'x' })).toEqual([])
    })
  })

  describe('KeptAnswers', () => {
    it('are found word for word under their key, by their account only', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const { keep } = await committed(store.approvals, creation(accountId, { key: 'k' }))
      expect(await store.keptAnswers.find(accountId, 'k')).toEqual(keep)
      expect(await store.keptAnswers.find(accountId, 'K')).toBeNull()
      expect(await store.keptAnswers.find(other, 'k')).toBeNull()
    })

    it('last a day', async () => {
      const { store, sql } = opened()
      const accountId = await opened().account()
      await committed(store.approvals, creation(accountId, { key: 'k' }))
      const [row] = await sql<{ hours: string }>(
        'select round(extract(epoch from expires_at - now()) / 3600)::text as hours from kept_answers where account = $1',
        [accountId],
      )
      expect(row?.hours).toBe('24')
    })

    it('that expired are forgotten, and their key can be used anew', async () => {
      const { store, sql } = opened()
      const accountId = await opened().account()
      await committed(store.approvals, creation(accountId, { key: 'k' }))
      await committed(store.approvals, creation(accountId, { key: 'fresh' }))
      await sql(
        `update kept_answers set expires_at = now() - interval '1 second' where account = $1 and key = 'k'`,
        [accountId],
      )
      expect(await store.keptAnswers.find(accountId, 'k')).toBeNull()
      expect(await store.keptAnswers.find(accountId, 'fresh')).not.toBeNull()
      const again = await committed(store.approvals, creation(accountId, { key: 'k' }))
      expect(await store.keptAnswers.find(accountId, 'k')).toEqual(again.keep)
    })
  })
}
