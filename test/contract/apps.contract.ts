/** The port Apps. */
import { beforeEach, describe, expect, it } from 'vitest'
import { APPS_PER_ACCOUNT_MAX, OPERATOR_ACCOUNT } from '../../src/app/app-store.ts'
import type { Page } from '../../src/app/store.ts'
import { appOf, connected, farewell, templateOf } from '../support/apps.ts'
import { ALL } from '../support/deliver.ts'
import { SECRETS } from '../support/items.ts'
import type { Opened } from '../support/store.ts'

export function appsContract(opened: () => Opened): void {
  const listed = async (accountId: string, page: Page = ALL) =>
    (await opened().store.apps.list(accountId, page)).map((app) => [app.accountId, app.id])

  describe('Apps', () => {
    beforeEach(async () => {
      for (const table of ['installations', 'apps']) await opened().sql(`delete from ${table}`)
    })

    it('read back as they were created, with their secrets, by their account only', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const templates = [
        templateOf({ name: 'First', retry: { delaysMs: [1, 2] } }),
        templateOf({ name: 'Second', auth: { type: 'none' }, headers: {} }),
        templateOf({ name: 'Third', headers: { 'x-third': 'value of the third' }, secret: 'own' }),
      ]
      const draft = appOf(accountId, { subscriptions: templates })
      const app = await store.apps.create(draft)
      expect(app).toEqual({
        ...draft,
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      })
      expect(await store.apps.read(accountId, app.id)).toEqual(app)
      expect(await store.apps.list(accountId, ALL)).toEqual([app])
      expect(await store.apps.read(other, app.id)).toBeNull()
      expect(await store.apps.list(other, ALL)).toEqual([])
      expect(await store.apps.remove(other, app.id)).toBe(false)
      const plain = appOf(accountId, { redirect: null, scopes: [], subscriptions: [] })
      expect(await store.apps.create(plain)).toMatchObject(plain)
      expect(await store.apps.read(accountId, plain.id)).toMatchObject(plain)
    })

    it('refuse an id that is taken, and change nothing then', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const app = await store.apps.create(appOf(accountId))
      const again = { ...appOf(accountId), id: app.id, name: 'Another', secret: 'another' }
      await expect(store.apps.create(again)).rejects.toMatchObject({ code: 'already_exists' })
      expect(await store.apps.read(accountId, app.id)).toEqual(app)
      await store.apps.create({ ...again, accountId: other })
      expect(await store.apps.read(other, app.id)).toMatchObject({ name: 'Another' })
      expect(await store.apps.read(accountId, app.id)).toEqual(app)
    })

    it('are at most as many as an account may offer, however many come at once', async () => {
      const { store, sql } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const { id } = await store.apps.create(appOf(accountId))
      await sql(
        `insert into apps (account, id, settings, sealed)
         select account, 'made-' || n, settings, sealed from apps, generate_series(1, $3::integer) n
          where account = $1 and id = $2`,
        [accountId, id, APPS_PER_ACCOUNT_MAX - 3],
      )
      const results = await Promise.allSettled(
        Array.from({ length: 6 }, () => store.apps.create(appOf(accountId))),
      )
      const refused = results.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
      expect(refused).toHaveLength(4)
      for (const reason of refused) expect(reason).toMatchObject({ code: 'limit_reached' })
      await store.apps.create(appOf(other))
      await store.apps.create(appOf(OPERATOR_ACCOUNT))
      await expect(store.apps.create(appOf('nobody'))).rejects.toMatchObject({ code: 'not_found' })
    })

    it('of the operator are there for all, and an account’s own come first', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const offered = await store.apps.create(appOf(OPERATOR_ACCOUNT, { id: 'shared' }))
      expect(await store.apps.read(accountId, 'shared')).toEqual(offered)
      const own = await store.apps.create(
        appOf(accountId, { id: 'shared', name: 'Own', secret: 'own-secret' }),
      )
      expect(await store.apps.read(accountId, 'shared')).toEqual(own)
      expect(await store.apps.list(accountId, ALL)).toEqual([own])
      expect(await store.apps.read(other, 'shared')).toEqual(offered)
      expect(await store.apps.read(OPERATOR_ACCOUNT, 'shared')).toEqual(offered)
      // Its own only: the operator's stays, and is seen again.
      expect(await store.apps.remove(accountId, 'shared')).toBe(true)
      expect(await store.apps.remove(accountId, 'shared')).toBe(false)
      expect(await store.apps.read(accountId, 'shared')).toEqual(offered)
      expect(await store.apps.remove(OPERATOR_ACCOUNT, 'shared')).toBe(true)
      expect(await store.apps.read(other, 'shared')).toBeNull()
    })

    it('are listed with the operator’s in order of id, in pages that neither repeat nor leave out', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      for (const id of ['g', 'e', 'c', 'a']) await store.apps.create(appOf(accountId, { id }))
      for (const id of ['f', 'd', 'c', 'b', 'a'])
        await store.apps.create(appOf(OPERATOR_ACCOUNT, { id }))
      await store.apps.create(appOf(other, { id: 'bb' }))
      const all = [
        [accountId, 'a'],
        [OPERATOR_ACCOUNT, 'b'],
        [accountId, 'c'],
        [OPERATOR_ACCOUNT, 'd'],
        [accountId, 'e'],
        [OPERATOR_ACCOUNT, 'f'],
        [accountId, 'g'],
      ]
      expect(await listed(accountId)).toEqual(all)
      for (const limit of [1, 2, 3]) {
        const seen: (string | undefined)[][] = []
        for (let after: string | null = null; ; after = seen.at(-1)?.[1] ?? null) {
          const page = await listed(accountId, { limit, after })
          if (page.length === 0) break
          seen.push(...page)
        }
        expect(seen).toEqual(all)
      }
      expect(await listed(OPERATOR_ACCOUNT)).toEqual(
        ['a', 'b', 'c', 'd', 'f'].map((id) => [OPERATOR_ACCOUNT, id]),
      )
    })

    it('keep their secrets encrypted, bound to their own row', async () => {
      const { store, sql } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const auth = { type: 'basic', username: 'user-of-the-app', password: 'pass-word' } as const
      const custom = { type: 'custom', header: 'x-key', value: 'key-of-the-app' } as const
      const secret = 'secret-of-a-template'
      const subscriptions = [
        templateOf({ auth, secret }),
        templateOf({ auth: custom }),
        templateOf(),
      ]
      const app = await store.apps.create(appOf(accountId, { subscriptions }))
      await store.apps.create(appOf(accountId, { id: 'two', subscriptions }))
      await store.apps.create(appOf(other, { id: app.id, subscriptions }))
      const dump = JSON.stringify(await sql('select * from apps'))
      // The dump sees what is there.
      expect(dump).toContain('https://validator.test/hook')
      const texts = [auth.username, auth.password, custom.value, secret, app.secret]
      for (const text of [...texts, 'token-of-the-suites', SECRETS.headers['x-tenant'] ?? ''])
        expect(dump).not.toContain(text)
      for (const [from, at] of [
        ['two', accountId],
        [app.id, other],
      ]) {
        await sql(
          `update apps set sealed = (select sealed from apps where account = $3 and id = $4)
            where account = $1 and id = $2`,
          [accountId, app.id, at, from],
        )
        await expect(store.apps.read(accountId, app.id)).rejects.toThrow()
      }
      expect((await store.apps.read(accountId, 'two'))?.secret).toBe(app.secret)
    })

    it('that somebody is connected to stay, until nobody is', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const { installation } = await connected(store, accountId)
      const { appId } = installation
      const removal = store.apps.remove(accountId, appId)
      await expect(removal).rejects.toMatchObject({ code: 'app_connected' })
      expect(await store.apps.read(accountId, appId)).not.toBeNull()
      await store.installations.disconnect(accountId, installation.id, farewell)
      expect(await store.apps.remove(accountId, appId)).toBe(true)
    })
  })
}
