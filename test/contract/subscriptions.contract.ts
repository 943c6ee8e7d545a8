/** The ports Subscriptions and ConfigurationStore. */
import { describe, expect, it } from 'vitest'
import { createSealer, masterKeyOf } from '../../src/adapters/system/master-key.ts'
import type { SubscriptionSecrets } from '../../src/domain/subscription.ts'
import { committed, creation, SECRETS, settingsOf, subscribed } from '../support/items.ts'
import type { Opened } from '../support/store.ts'

const ALL = { limit: 200, after: null }

export function subscriptionsContract(opened: () => Opened): void {
  describe('Subscriptions', () => {
    it('read back as they were created, with their secrets', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const settings = settingsOf({
        name: 'Checks "everything" – \u{1f600}',
        conditions: [{ field: 'a', op: 'in', value: ['x', null, 1.5] }],
        onFailure: { timeout: 'allow' },
        fallbackMessage: { en: 'Later.' },
        mayChange: ['a'],
      })
      const created = await store.subscriptions.create(accountId, settings, SECRETS)
      expect(created).toEqual({
        ...settings,
        ...SECRETS,
        accountId,
        revision: 1,
        createdAt: created.updatedAt,
        updatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      })
      expect(await store.subscriptions.read(accountId, settings.id)).toEqual(created)
      expect(await store.subscriptions.list(accountId, ALL)).toEqual([created])
      expect(await store.subscriptions.read(other, settings.id)).toBeNull()
      expect(await store.subscriptions.list(other, ALL)).toEqual([])
    })

    it('have ids of their own within an account', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const { id } = await subscribed(store.subscriptions, accountId)
      await expect(subscribed(store.subscriptions, accountId, { id })).rejects.toMatchObject({
        code: 'already_exists',
      })
      await subscribed(store.subscriptions, other, { id })
    })

    it('grow their revision with each change, and keep what the change left alone', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const created = await subscribed(store.subscriptions, accountId)
      const updated = await store.subscriptions.update(accountId, created.id, (current) => {
        expect(current).toEqual(created)
        return { ...current, name: 'Renamed', secret: 'another' }
      })
      expect(updated).toEqual({
        ...created,
        name: 'Renamed',
        secret: 'another',
        revision: 2,
        updatedAt: updated?.updatedAt,
      })
      expect(await store.subscriptions.read(accountId, created.id)).toEqual(updated)
    })

    it('stay as they are when a change throws', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const created = await subscribed(store.subscriptions, accountId)
      const before = await generationOf(opened(), accountId)
      const update = store.subscriptions.update(accountId, created.id, () => {
        throw new RangeError('refused')
      })
      await expect(update).rejects.toThrow('refused')
      expect(await store.subscriptions.read(accountId, created.id)).toEqual(created)
      expect(await generationOf(opened(), accountId)).toBe(before)
    })

    it('take twenty changes at a time one after the other: none is lost', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const { id } = await subscribed(store.subscriptions, accountId)
      await Promise.all(
        Array.from({ length: 20 }, () =>
          store.subscriptions.update(accountId, id, (current) => ({
            ...current,
            order: current.order + 1,
          })),
        ),
      )
      const found = await store.subscriptions.read(accountId, id)
      expect(found).toMatchObject({ order: 20, revision: 21 })
    })

    it('that are not there are neither changed nor removed', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const { id } = await subscribed(store.subscriptions, accountId)
      const change = () => {
        throw new Error('nothing to change')
      }
      expect(await store.subscriptions.update(other, id, change)).toBeNull()
      expect(await store.subscriptions.remove(other, id)).toBe(false)
      await store.subscriptions.disable(other, id, 'gone', null)
      expect(await store.subscriptions.read(accountId, id)).toMatchObject({ active: true })
      expect(await store.subscriptions.remove(accountId, id)).toBe(true)
      expect(await store.subscriptions.remove(accountId, id)).toBe(false)
      expect(await store.subscriptions.read(accountId, id)).toBeNull()
    })

    it('are listed in order of id, in pages that neither repeat nor leave out', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const ids: string[] = []
      for (let n = 0; n < 11; n++) ids.push((await subscribed(store.subscriptions, accountId)).id)
      const seen: string[] = []
      for (let after: string | null = null; ; after = seen.at(-1) ?? null) {
        const page = await store.subscriptions.list(accountId, { limit: 4, after })
        if (page.length === 0) break
        seen.push(...page.map(({ id }) => id))
      }
      expect(seen).toEqual(ids)
    })

    it('are disabled with the reason, and a first reason stays', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const { id } = await subscribed(store.subscriptions, accountId)
      await store.subscriptions.disable(accountId, id, 'gone', null)
      await store.subscriptions.disable(accountId, id, 'failing', null)
      expect(await store.subscriptions.read(accountId, id)).toMatchObject({
        active: false,
        disabledReason: 'gone',
        revision: 2,
      })
    })

    it('are 500 in an account at most, also when several are created at a time', async () => {
      const { store, sql } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const { id } = await subscribed(store.subscriptions, accountId)
      await sql(
        `insert into subscriptions (account, id, settings, sealed)
         select account, id || n, settings, sealed from subscriptions, generate_series(1, 497) n
          where account = $1 and id = $2`,
        [accountId, id],
      )
      const results = await Promise.allSettled(
        Array.from({ length: 5 }, () => subscribed(store.subscriptions, accountId)),
      )
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
      for (const result of results) {
        if (result.status === 'fulfilled') continue
        expect(result.reason).toMatchObject({ code: 'too_many_subscriptions' })
      }
      const [row] = await sql<{ count: number }>(
        'select count(*)::integer as count from subscriptions where account = $1',
        [accountId],
      )
      expect(row?.count).toBe(500)
      await subscribed(store.subscriptions, other)
    })

    it('leave their secrets in no table in clear, whatever happened to them', async () => {
      const { store, sql } = opened()
      const accountId = await opened().account()
      const { id } = await store.subscriptions.create(accountId, settingsOf(), secretsNamed('a'))
      await store.subscriptions.update(accountId, id, (one) => ({ ...one, ...secretsNamed('b') }))
      await store.subscriptions.disable(accountId, id, 'failing', null)
      await committed(store.approvals, creation(accountId, { told: [id], insists: false }))
      await store.outbox.plan(1_000)
      const dump = await dumpOf(sql)
      // The dump sees what is there: the subscription's name, and the values of the record.
      expect(dump).toContain('A subscriber')
      expect(dump).toContain('"One"')
      for (const text of [...textsOf(secretsNamed('a')), ...textsOf(secretsNamed('b'))]) {
        for (const form of [text, Buffer.from(text).toString('base64').replace(/=+$/, '')]) {
          expect(dump.includes(form), `${form} is in the dump`).toBe(false)
        }
      }
    })

    it('cannot be read with another master key', async () => {
      const { sql } = opened()
      const { store } = opened()
      const accountId = await opened().account()
      const { id } = await subscribed(store.subscriptions, accountId)
      const [row] = await sql<{ sealed: string }>(
        'select sealed from subscriptions where account = $1 and id = $2',
        [accountId, id],
      )
      const place = { accountId, table: 'subscriptions', column: 'sealed', row: id }
      const stranger = createSealer([masterKeyOf(new Uint8Array(32))])
      expect(() => stranger.open(place, row?.sealed ?? '')).toThrow(/master key/)
    })

    it('cannot be given the sealed secrets of another one', async () => {
      const { store, sql } = opened()
      const accountId = await opened().account()
      const one = await subscribed(store.subscriptions, accountId)
      const two = await subscribed(store.subscriptions, accountId)
      await sql(
        `update subscriptions s set sealed = o.sealed from subscriptions o
          where s.account = $1 and s.id = $2 and o.account = $1 and o.id = $3`,
        [accountId, one.id, two.id],
      )
      await expect(store.subscriptions.read(accountId, one.id)).rejects.toThrow()
      await expect(store.configuration.load(accountId)).rejects.toThrow()
      await sql('delete from subscriptions where account = $1', [accountId])
    })
  })

  describe('ConfigurationStore', () => {
    it('loads everything that an account has set, and nothing of another one', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const field = { id: 'f', title: 'F', type: 'text', required: true } as const
      const catalog = { id: 'c', title: 'C', fields: [field] }
      await store.catalogs.create(accountId, catalog)
      const subscription = await subscribed(store.subscriptions, accountId)
      await subscribed(store.subscriptions, other)
      const eventType = {
        name: 'c.paid',
        title: { en: 'Paid', uk: 'Сплачено' },
        catalogId: 'c',
        on: ['updated'],
        fields: ['f'],
        conditions: [{ field: 'f', op: 'changedTo', value: 'paid' }],
        data: null,
      } as const
      await store.eventTypes.create(accountId, eventType)
      expect(await store.configuration.load(accountId)).toEqual({
        accountId,
        accountNumber: null,
        generation: 4,
        subscriptions: [subscription],
        catalogs: [catalog],
        eventTypes: [eventType],
      })
    })

    it('has nothing for an account that does not exist', async () => {
      expect(await opened().store.configuration.load('account-of-nobody')).toBeNull()
    })

    it('grows its generation with each change of settings, and tells of each', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const told: (string | null)[] = []
      store.onConfigurationChanged((id) => told.push(id))
      const { subscriptions, catalogs } = store
      const catalog = { id: 'c', title: 'C', fields: [] }
      const { id } = await subscribed(subscriptions, accountId)
      const changes: (() => Promise<unknown>)[] = [
        () => subscriptions.update(accountId, id, (one) => one),
        () => subscriptions.disable(accountId, id, 'gone', null),
        () => catalogs.create(accountId, catalog),
        () => catalogs.update(accountId, 'c', (one) => ({ ...one, title: 'D' })),
        () => catalogs.remove(accountId, 'c'),
        () => subscriptions.remove(accountId, id),
      ]
      let generation = await generationOf(opened(), accountId)
      expect(generation).toBe(2)
      for (const change of changes) {
        told.length = 0
        await change()
        const next = await generationOf(opened(), accountId)
        expect(next).toBeGreaterThan(generation)
        expect(told).toContain(accountId)
        generation = next
      }
      store.onConfigurationChanged(() => {})
    })

    it('does not grow its generation with records and decisions', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      await committed(store.approvals, creation(accountId, { definesCatalog: true }))
      expect(await generationOf(opened(), accountId)).toBe(1)
    })

    it('makes a commit whose plan is older than the change hear so', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      await subscribed(store.subscriptions, accountId)
      const stale = creation(accountId, { generation: 1 })
      const commit = (item: typeof stale) => store.approvals.commit(item, () => true)
      expect(await commit(stale)).toBe('configuration_changed')
      expect(await commit(creation(accountId, { generation: 2 }))).toBe('committed')
    })
  })
}

/** For the server: what one gateway changes, another one hears of. */
export function announcementsContract(opened: () => Opened): void {
  it('ConfigurationStore tells the gateways beside it which account changed', async () => {
    const accountId = await opened().account()
    const other = await opened().another()
    const heard = new Promise<string | null>((resolve) => other.onConfigurationChanged(resolve))
    await subscribed(opened().store.subscriptions, accountId)
    expect(await heard).toBe(accountId)
    expect(await other.configuration.load(accountId)).toMatchObject({ generation: 2 })
  })
}

async function generationOf({ store }: Opened, accountId: string): Promise<number> {
  return (await store.configuration.load(accountId))?.generation ?? Number.NaN
}

function secretsNamed(name: string): SubscriptionSecrets {
  return {
    secret: `signing-secret-${name}`,
    retiring: [{ secret: `retiring-secret-${name}`, validUntil: '2099-01-01T00:00:00.000Z' }],
    auth: { type: 'basic', username: `user-name-${name}`, password: `pass-word-${name}` },
    headers: { 'x-api-key': `header-value-${name}` },
    tls: { ca: `authority-${name}`, cert: `certificate-${name}`, key: `tls-key-${name}` },
  }
}

/** Certificates are public; the audit shows them. */
function textsOf({ secret, retiring, auth, headers, tls }: SubscriptionSecrets): string[] {
  const password = auth.type === 'basic' ? [auth.password] : []
  const key = tls?.key === undefined ? [] : [tls.key]
  const retired = retiring.map((one) => one.secret)
  return [secret, ...retired, ...password, ...Object.values(headers), ...key]
}

/** Every row of every table, as text. */
async function dumpOf(sql: Opened['sql']): Promise<string> {
  const tables = await sql<{ name: string }>(
    "select format('%I', table_name) as name from information_schema.tables where table_schema = 'public'",
  )
  expect(tables.length).toBeGreaterThan(10)
  const parts: string[] = []
  for (const { name } of tables) {
    const rows = await sql<{ row: string }>(`select to_json(t)::text as row from ${name} t`)
    parts.push(name, ...rows.map(({ row }) => row))
  }
  return parts.join('\n')
}
