import { describe, expect, it } from 'vitest'
import { ACTIONS_PER_ACCOUNT_MAX, type Action } from '../../src/domain/action.ts'
import { SECRETS } from '../support/items.ts'
import { onEachStore } from '../support/store.ts'

const refusal = (code: string) => expect.objectContaining({ code })

function draftOf(accountId: string, over: Partial<Action> = {}) {
  return {
    ...SECRETS,
    id: 'call',
    accountId,
    title: 'Call',
    catalogId: 'driver',
    conditions: [{ field: 'status', op: 'eq' as const, value: 'free' }],
    url: 'https://dispatch.test/{id}',
    method: 'POST' as const,
    parameters: [{ name: 'id', from: '/data/recordId' }],
    dialect: 'standard' as const,
    confirmText: 'Really?',
    timeoutMs: 5_000,
    ...over,
  }
}

const PAGE = { limit: 200, after: null }
const idsOf = (actions: readonly Action[]) => actions.map(({ id }) => id)

onEachStore((opened) => {
  describe('stored actions', () => {
    it('read as they were created, and as they were changed', async () => {
      const { store, account } = opened()
      const accountId = await account()
      const draft = draftOf(accountId)
      const created = await store.actions.create(draft)
      const times = { createdAt: expect.any(String), updatedAt: expect.any(String) }
      expect(created).toEqual({ ...draft, ...times })
      expect(await store.actions.read(accountId, 'call')).toEqual(created)
      const change = { title: 'Text', catalogId: '*', confirmText: null, secret: 'whsec_other' }
      const updated = await store.actions.update(accountId, 'call', (current) => ({
        ...current,
        ...change,
      }))
      expect(updated).toEqual({ ...draft, ...change, ...times })
      expect(updated?.createdAt).toBe(created.createdAt)
      expect(await store.actions.read(accountId, 'call')).toEqual(updated)
      expect(await store.actions.remove(accountId, 'call')).toBe(true)
      expect(await store.actions.remove(accountId, 'call')).toBe(false)
      expect(await store.actions.read(accountId, 'call')).toBeNull()
      expect(await store.actions.update(accountId, 'call', (current) => current)).toBeNull()
    })

    it('belong to one account: the same id is another action elsewhere', async () => {
      const { store, account } = opened()
      const [ours, theirs] = [await account(), await account()]
      await store.actions.create(draftOf(ours, { title: 'Ours' }))
      expect(await store.actions.read(theirs, 'call')).toBeNull()
      expect(await store.actions.list(theirs, undefined, PAGE)).toEqual([])
      expect(await store.actions.ofCatalog(theirs, 'driver')).toEqual([])
      expect(await store.actions.remove(theirs, 'call')).toBe(false)
      await store.actions.create(draftOf(theirs, { title: 'Theirs' }))
      await expect(store.actions.create(draftOf(ours))).rejects.toEqual(refusal('already_exists'))
      expect((await store.actions.read(ours, 'call'))?.title).toBe('Ours')
      await expect(store.actions.create(draftOf('nobody'))).rejects.toEqual(refusal('not_found'))
    })

    it('are listed by catalog and page by page, and found for a record’s menu', async () => {
      const { store, account } = opened()
      const accountId = await account()
      for (const [id = '', catalogId = ''] of [
        ['c', 'driver'],
        ['a', 'driver'],
        ['d', '*'],
        ['b', 'order'],
      ]) {
        await store.actions.create(draftOf(accountId, { id, catalogId }))
      }
      const list = async (catalogId: string | undefined, page = PAGE) =>
        idsOf(await store.actions.list(accountId, catalogId, page))
      expect(await list(undefined)).toEqual(['a', 'b', 'c', 'd'])
      expect(await list(undefined, { limit: 2, after: null })).toEqual(['a', 'b'])
      expect(await list('driver')).toEqual(['a', 'c'])
      expect(await list('*')).toEqual(['d'])
      const menu = await store.actions.ofCatalog(accountId, 'driver')
      expect(idsOf(menu).toSorted()).toEqual(['a', 'c', 'd'])
    })

    it('keep their secrets encrypted, bound to their own row', async () => {
      const { store, account, sql } = opened()
      const accountId = await account()
      await store.actions.create(draftOf(accountId, { id: 'one' }))
      await store.actions.create(draftOf(accountId, { id: 'two' }))
      const rows = await sql('select * from actions where account = $1', [accountId])
      for (const secret of ['of-the-suites', SECRETS.secret]) {
        expect(JSON.stringify(rows)).not.toContain(secret)
      }
      await sql(
        `update actions set sealed = (select sealed from actions where account = $1 and id = 'two')
          where account = $1 and id = 'one'`,
        [accountId],
      )
      await expect(store.actions.read(accountId, 'one')).rejects.toThrow()
      expect((await store.actions.read(accountId, 'two'))?.secret).toBe(SECRETS.secret)
    })

    it('bump no generation: no approval depends on them', async () => {
      const { store, account } = opened()
      const accountId = await account()
      const before = await store.configuration.generation(accountId)
      await store.actions.create(draftOf(accountId))
      await store.actions.update(accountId, 'call', (current) => ({ ...current, title: 'x' }))
      await store.actions.remove(accountId, 'call')
      expect(await store.configuration.generation(accountId)).toBe(before)
    })

    it('are not more than an account may have, however many come at once', async () => {
      const { store, account, sql } = opened()
      const accountId = await account()
      const { sealed, settings } = (
        await store.actions
          .create(draftOf(accountId))
          .then(() =>
            sql<any>('select sealed, settings from actions where account = $1', [accountId]),
          )
      )[0]
      await sql(
        `insert into actions (account, id, catalog_id, settings, sealed)
          select $1, 'made-' || n, 'driver', $3, $4 from generate_series(1, $2::int) n`,
        [accountId, ACTIONS_PER_ACCOUNT_MAX - 3, JSON.stringify(settings), sealed],
      )
      const ids = ['x1', 'x2', 'x3', 'x4', 'x5']
      const ends = await Promise.allSettled(
        ids.map((id) => store.actions.create(draftOf(accountId, { id }))),
      )
      expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
      for (const end of ends) {
        if (end.status === 'rejected') expect(end.reason).toEqual(refusal('limit_reached'))
      }
    })
  })
})
