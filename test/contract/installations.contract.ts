/** The port Installations: all that comes with an app is stored at once, or nothing of it. */
import { beforeEach, describe, expect, it } from 'vitest'
import { systemIds } from '../../src/adapters/system/ids.ts'
import { type Connection, OPERATOR_ACCOUNT } from '../../src/app/app-store.ts'
import { SUBSCRIPTIONS_PER_ACCOUNT_MAX, type Subscription } from '../../src/domain/subscription.ts'
import { appOf, connected, connectionOf, hashOf, tokenOf } from '../support/apps.ts'
import { ALL, claimAll, emptied, planAll, statesOf } from '../support/deliver.ts'
import { SECRETS, subscribed } from '../support/items.ts'
import type { Opened } from '../support/store.ts'

/** How many rows of an account there are of everything that comes with an app. */
async function countsOfAccount({ sql }: Opened, accountId: string) {
  const counts: Record<string, number | undefined> = {}
  for (const table of ['installations', 'keys', 'subscriptions', 'lanes', 'sequences', 'events']) {
    const [row] = await sql<{ count: number }>(
      `select count(*)::integer as count from ${table} where account = $1`,
      [accountId],
    )
    counts[table] = row?.count
  }
  return counts
}

/** Copies of a subscription, past the store. */
const copied = ({ sql }: Opened, { accountId, id }: Subscription, count: number) =>
  sql(
    `insert into subscriptions (account, id, settings, sealed)
     select account, id || '-' || n, settings, sealed from subscriptions,
       generate_series(1, $3::integer) n where account = $1 and id = $2`,
    [accountId, id, count],
  )

type Bad = {
  readonly name: string
  readonly hears: object
  readonly make: (connection: Connection, opened: Opened) => Promise<Connection>
}

const BAD: readonly Bad[] = [
  {
    name: 'an id that is taken for the last of its subscriptions',
    hears: { code: 'already_exists' },
    make: async (connection, { store }) => {
      const { accountId } = connection.installation
      const { id } = await subscribed(store.subscriptions, accountId)
      const subscriptions = connection.subscriptions.map((one, n) =>
        n === 1 ? { ...one, id } : one,
      )
      return { ...connection, subscriptions }
    },
  },
  {
    name: 'more subscriptions than there is room for',
    hears: { code: 'too_many_subscriptions' },
    make: async (connection, opened) => {
      const { accountId } = connection.installation
      const one = await subscribed(opened.store.subscriptions, accountId)
      await copied(opened, one, SUBSCRIPTIONS_PER_ACCOUNT_MAX - 2)
      return connection
    },
  },
  {
    name: 'an app that was withdrawn meanwhile',
    hears: { code: 'not_found' },
    make: async (connection, { store }) => {
      const { appAccountId, appId } = connection.installation
      await store.apps.remove(appAccountId, appId)
      return connection
    },
  },
  {
    name: 'a key that is taken',
    hears: { code: '23505' },
    make: async (connection, { store }) => {
      const { key, keyHash } = connection
      const taken = { ...key, id: systemIds.make('key'), maxPerSecond: null }
      await store.keys.create(taken, keyHash)
      return connection
    },
  },
  {
    name: 'an event that no database takes',
    hears: { code: '22021' },
    make: async (connection) => ({
      ...connection,
      events: connection.events.map((one) => ({ ...one, subscriptionIds: ['NUL: \u0000'] })),
    }),
  },
]

export function installationsContract(opened: () => Opened): void {
  const offered = async () => {
    const accountId = await opened().account()
    return { accountId, app: await opened().store.apps.create(appOf(accountId)) }
  }

  describe('Installations', () => {
    beforeEach(() => emptied(opened()))

    it('are stored with all that comes with them', async () => {
      const { store } = opened()
      const { accountId, app } = await offered()
      const other = await opened().account()
      const subscriptions = [{ name: 'One', maxInFlight: 3, maxPerSecond: 2 }, { active: false }]
      const connection = connectionOf({ accountId, app, subscriptions })
      const { installation, key, events } = connection
      const made = await store.installations.connect(connection)
      expect(made).toEqual({
        ...installation,
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      })
      expect(await store.installations.read(accountId, made.id)).toEqual(made)
      expect(await store.installations.list(accountId, ALL)).toEqual([made])
      expect(await store.installations.read(other, made.id)).toBeNull()
      expect(await store.installations.list(other, ALL)).toEqual([])
      expect(await store.keys.findByHash(hashOf(key.id))).toEqual({
        caller: { accountId, keyId: key.id, scopes: new Set(key.scopes) },
        limits: { ofKey: null, ofAccount: null },
        expiresInMs: null,
      })
      const own = await store.subscriptions.list(accountId, ALL)
      expect(own).toEqual(
        connection.subscriptions.map((one) => ({
          ...one,
          createdAt: expect.any(String),
          updatedAt: expect.any(String),
        })),
      )
      expect(own[0]).toMatchObject({ ...SECRETS, installationId: made.id, leavingSince: null })
      expect(await store.configuration.load(accountId)).toMatchObject({
        generation: 2,
        subscriptions: expect.arrayContaining([...own]),
      })
      const lanes = await opened().sql(
        `select is_open, in_flight_max, per_second_max from lanes where account = $1
          order by subscription_id`,
        [accountId],
      )
      expect(lanes).toEqual([
        { is_open: true, in_flight_max: 3, per_second_max: 2 },
        { is_open: false, in_flight_max: 20, per_second_max: null },
      ])
      for (const { id } of own) expect(await store.sequences.next(accountId, id)).toBe(1)
      expect(await store.deliveries.notifications(accountId, ALL)).toMatchObject(
        events.map(({ id, subscriptionIds }) => ({ id, subscriptionIds, event: 'application' })),
      )
      await planAll(opened())
      expect(await statesOf(opened(), accountId)).toEqual(['ready', 'held'])
    })

    it.each(BAD)('leave nothing behind where they come with $name', async ({ hears, make }) => {
      const { store } = opened()
      const { accountId, app } = await offered()
      const subscriptions = [{}, {}]
      const good = connectionOf({ accountId, app, subscriptions })
      const bad = await make(good, opened())
      const before = await countsOfAccount(opened(), accountId)
      const generation = await store.configuration.generation(accountId)
      await expect(store.installations.connect(bad)).rejects.toMatchObject(hears)
      expect(await countsOfAccount(opened(), accountId)).toEqual(before)
      expect(await opened().sql('select * from outbox')).toEqual([])
      expect(await store.configuration.generation(accountId)).toBe(generation)
      expect(await store.installations.read(accountId, good.installation.id)).toBeNull()
      const found = await store.keys.findByHash(good.keyHash)
      expect(found?.caller.keyId).not.toBe(good.key.id)
    })

    it('of an app are one for each account, however many connect it at once', async () => {
      const { store } = opened()
      const app = await store.apps.create(appOf(OPERATOR_ACCOUNT))
      const [accountId, other] = [await opened().account(), await opened().account()]
      const tries = Array.from({ length: 10 }, () => connectionOf({ accountId, app }))
      const results = await Promise.allSettled(tries.map((one) => store.installations.connect(one)))
      const won = results.findIndex(({ status }) => status === 'fulfilled')
      expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(9)
      for (const [n, result] of results.entries()) {
        if (result.status === 'rejected')
          expect(result.reason).toMatchObject({ code: 'already_exists' })
        const found = await store.keys.findByHash(tries[n]?.keyHash ?? '')
        expect(found === null).toBe(n !== won)
      }
      const one = { installations: 1, keys: 1, subscriptions: 1, lanes: 1, sequences: 1, events: 1 }
      expect(await countsOfAccount(opened(), accountId)).toEqual(one)
      expect(await store.configuration.generation(accountId)).toBe(2)
      await store.installations.connect(connectionOf({ accountId: other, app }))
      // The account's own app of the same id is another one.
      const own = await store.apps.create(appOf(accountId, { id: app.id }))
      await store.installations.connect(connectionOf({ accountId, app: own }))
      expect(await store.installations.list(accountId, ALL)).toHaveLength(2)
      expect(await store.installations.list(other, ALL)).toHaveLength(1)
    })

    it('without subscriptions need no room for any', async () => {
      const { store } = opened()
      const { accountId, app } = await offered()
      const one = await subscribed(store.subscriptions, accountId)
      await copied(opened(), one, SUBSCRIPTIONS_PER_ACCOUNT_MAX - 1)
      await store.installations.connect(connectionOf({ accountId, app, subscriptions: [] }))
      expect(await store.installations.list(accountId, ALL)).toHaveLength(1)
    })

    it('fill the account to its last place', async () => {
      const { store } = opened()
      const { accountId, app } = await offered()
      const one = await subscribed(store.subscriptions, accountId)
      await copied(opened(), one, SUBSCRIPTIONS_PER_ACCOUNT_MAX - 3)
      await store.installations.connect(connectionOf({ accountId, app, subscriptions: [{}, {}] }))
      await expect(subscribed(store.subscriptions, accountId)).rejects.toMatchObject({
        code: 'too_many_subscriptions',
      })
    })

    it('are listed in order of id, in pages that neither repeat nor leave out', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const ids: string[] = []
      for (let n = 0; n < 5; n++) ids.push((await connected(store, accountId)).installation.id)
      await connected(store, other)
      const seen: string[] = []
      for (let after: string | null = null; ; after = seen.at(-1) ?? null) {
        const page = await store.installations.list(accountId, { limit: 2, after })
        if (page.length === 0) break
        seen.push(...page.map(({ id }) => id))
      }
      expect(seen).toEqual(ids)
    })
  })

  describe('Installations: the access token', () => {
    beforeEach(() => emptied(opened()))

    it('is in no table in clear, and in each delivery that is claimed', async () => {
      const { store, sql } = opened()
      const accountId = await opened().account()
      const connection = await connected(store, accountId, [{}, {}])
      const token = tokenOf(connection)
      const tables = ['events', 'keys', 'installations', 'subscriptions', 'apps', 'outbox']
      await planAll(opened())
      for (const table of [...tables, 'deliveries', 'attempts']) {
        expect(JSON.stringify(await sql(`select * from ${table}`))).not.toContain(token)
      }
      const [event] = await sql<{ body: object }>('select body from events where account = $1', [
        accountId,
      ])
      expect(event?.body).toMatchObject({ values: { access_token: '***' } })
      expect(event?.body).not.toHaveProperty('secrets')
      const views = [
        await store.deliveries.list(accountId, {}, ALL),
        await store.deliveries.notifications(accountId, ALL),
        await store.deliveries.numbered(accountId, connection.subscriptions[0]?.id ?? '', 0, 10),
      ]
      expect(JSON.stringify(views)).not.toContain(token)
      const claimed = await claimAll(opened(), accountId)
      expect(claimed).toHaveLength(2)
      for (const { body } of claimed) {
        expect(body).not.toHaveProperty('sealed')
        expect(body).toMatchObject({
          secrets: { access_token: token },
          values: { action: 'added', user_id: 'u1', access_token: '***' },
        })
      }
    })

    it.each(['of its own account', 'of another account'])(
      'does not open in another event %s: nobody gets it',
      async (where) => {
        const { store, sql } = opened()
        const accountId = await opened().account()
        const first = await connected(store, accountId)
        const home = where === 'of its own account' ? accountId : await opened().account()
        const second = await connected(store, home)
        const [from, to] = [first.events[0]?.id, second.events[0]?.id]
        await sql(
          'update events set body = (select body from events where id = $1) where id = $2',
          [from, to],
        )
        await sql('delete from outbox where event in (select seq from events where id = $1)', [
          from,
        ])
        await planAll(opened())
        // Refused or left out, but not handed out; it stays under its lease.
        expect(await claimAll(opened(), home).catch(() => [])).toEqual([])
        expect(await statesOf(opened(), home)).toEqual(['sending'])
      },
    )
  })
}
