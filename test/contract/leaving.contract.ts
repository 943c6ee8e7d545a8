/** The end of an installation: what goes at once, and what stays until it has said goodbye. */
import { beforeEach, describe, expect, it } from 'vitest'
import { SWEEP_LEAVING } from '../../src/adapters/postgres/installations.ts'
import { SUBSCRIPTIONS_PER_ACCOUNT_MAX } from '../../src/domain/subscription.ts'
import { appSubscription, connected, connectionOf, farewell, hashOf } from '../support/apps.ts'
import {
  ALL,
  claimAll,
  claimOne,
  countsOf,
  drained,
  emptied,
  happened,
  planAll,
  recordsOf,
  settled,
  statesOf,
  withStoppedClock,
} from '../support/deliver.ts'
import { sorted, subscribed } from '../support/items.ts'
import type { Opened } from '../support/store.ts'

const HOUR_MS = 3_600_000
/** One that is not told of its end. */
const DEAF = { name: 'Deaf', events: ['record.created'] }

/** Sweeps, as the store does now and then; how many went. */
export const swept = async ({ sql }: Pick<Opened, 'sql'>) => (await sql(SWEEP_LEAVING.text)).length

/** As if everybody who is leaving had been disconnected an hour ago. */
export const anHourLater = ({ sql }: Pick<Opened, 'sql'>) =>
  sql(`update subscriptions set leaving_since = leaving_since - interval '1 hour'
    where leaving_since is not null`)

/** What is left of a subscription: its row, its lane, its counter. */
async function leftOf({ sql }: Opened, accountId: string, id: string) {
  const [row] = await sql<{ left: string[] }>(
    `select array(
       select 'row' from subscriptions where account = $1 and id = $2
       union all select 'lane' from lanes where account = $1 and subscription_id = $2
       union all select 'counter' from sequences where account = $1 and subscription_id = $2) as left`,
    [accountId, id],
  )
  return row?.left
}

export function leavingContract(opened: () => Opened): void {
  /** A connected app, whose event of being added is delivered. */
  const installed = async (subscriptions?: Parameters<typeof connected>[2]) => {
    const accountId = await opened().account()
    const connection = await connected(opened().store, accountId, subscriptions)
    await planAll(opened())
    await drained(opened(), accountId)
    const [id = '', ...others] = connection.subscriptions.map((one) => one.id)
    const disconnect = () =>
      opened().store.installations.disconnect(accountId, connection.installation.id, farewell)
    return { accountId, connection, id, others, disconnect }
  }

  const turned = async () => {
    while (await opened().store.outbox.turn());
  }

  describe('Installations: the end', () => {
    beforeEach(async () => {
      await emptied(opened())
      await opened().sql('delete from subscriptions')
    })

    it('takes the key and the installation, and hides every subscription of it at once', async () => {
      const { store } = opened()
      const { accountId, connection, id, others, disconnect } = await installed([{}, DEAF])
      const own = await subscribed(store.subscriptions, accountId)
      const generation = (await store.configuration.generation(accountId)) ?? 0
      expect(await disconnect()).toEqual([id, ...others])
      expect(await store.installations.read(accountId, connection.installation.id)).toBeNull()
      expect(await store.installations.list(accountId, ALL)).toEqual([])
      expect(await store.keys.findByHash(hashOf(connection.key.id))).toBeNull()
      expect(await store.keys.list(accountId, ALL)).toEqual([])
      expect(await store.subscriptions.list(accountId, ALL)).toEqual([own])
      const change = () => {
        throw new Error('nothing to change')
      }
      for (const gone of [id, ...others]) {
        expect(await store.subscriptions.read(accountId, gone)).toBeNull()
        expect(await store.subscriptions.update(accountId, gone, change)).toBeNull()
        expect(await store.subscriptions.remove(accountId, gone)).toBe(false)
        expect(await store.subscriptions.disable(accountId, gone, 'failing', null)).toBe(false)
      }
      expect(await leftOf(opened(), accountId, others[0] ?? '')).toEqual([])
      expect(await leftOf(opened(), accountId, id)).toEqual(['row', 'lane', 'counter'])
      const loaded = await store.configuration.load(accountId)
      expect(loaded?.generation).toBeGreaterThan(generation)
      expect(loaded?.subscriptions.find((one) => one.id === id)?.leavingSince).toMatch(/Z$/)
      expect(loaded?.subscriptions).toHaveLength(2)
    })

    it('comes once, however many want it, and for its own account only', async () => {
      const { store } = opened()
      const { accountId, connection, disconnect } = await installed()
      const other = await opened().account()
      const never = () => {
        throw new Error('nobody to part from')
      }
      const { id } = connection.installation
      expect(await store.installations.disconnect(other, id, never)).toBeNull()
      expect(await store.installations.disconnect(accountId, 'ins_another', never)).toBeNull()
      const results = await Promise.all(Array.from({ length: 10 }, disconnect))
      expect(results.filter((one) => one !== null)).toHaveLength(1)
      expect(await store.deliveries.notifications(accountId, ALL)).toHaveLength(2)
    })

    it('does not come where saying goodbye fails', async () => {
      const { store } = opened()
      const { accountId, connection, id } = await installed([{}, DEAF])
      const { installation, key } = connection
      const generation = await store.configuration.generation(accountId)
      const before = await store.subscriptions.list(accountId, ALL)
      const end = store.installations.disconnect(accountId, installation.id, () => {
        throw new RangeError('no words')
      })
      await expect(end).rejects.toThrow('no words')
      expect(await store.installations.read(accountId, installation.id)).not.toBeNull()
      expect(await store.keys.findByHash(hashOf(key.id))).not.toBeNull()
      expect(await store.subscriptions.list(accountId, ALL)).toEqual(before)
      expect(await store.configuration.generation(accountId)).toBe(generation)
      await happened(opened(), accountId, [id], ['a'])
      await planAll(opened())
      expect(await drained(opened(), accountId)).toEqual([2])
    })

    it('cancels what is ready, waits or is tried again, lets end what is under way, and is told', async () => {
      const { store } = opened()
      const { accountId, id, others, disconnect } = await installed([{ maxInFlight: 2 }, DEAF])
      await happened(opened(), accountId, [id], ['a', 'a', 'b', 'b', 'c', null])
      await planAll(opened())
      const [first, second] = [await claimOne(opened()), await claimOne(opened())]
      await store.outbox.settle([settled(first, 'retrying', HOUR_MS)], null)
      await happened(opened(), accountId, others, ['a', 'a', 'b'])
      await planAll(opened())
      expect((await statesOf(opened(), accountId, id)).toSorted()).toEqual(
        ['delivered', 'ready', 'ready', 'retrying', 'sending', 'waiting', 'waiting'].toSorted(),
      )
      await disconnect()
      const counts = () => countsOf(opened(), accountId, id)
      expect(await counts()).toEqual({ delivered: 1, cancelled: 5, sending: 1 })
      expect(await countsOf(opened(), accountId, others[0])).toEqual({ delivered: 1, cancelled: 3 })
      await planAll(opened())
      const claimed = await claimAll(opened(), accountId)
      expect(claimed).toMatchObject([
        { subscriptionId: id, sequenceId: 8, body: { values: { action: 'removed' } } },
      ])
      await store.outbox.settle(
        [second, ...claimed].map((one) => settled(one)),
        null,
      )
      expect(await counts()).toEqual({ cancelled: 5, delivered: 3 })
      expect(await drained(opened(), accountId)).toEqual([])
    })

    it('cancels hundreds, also those that were held and were just being let go', async () => {
      const { store } = opened()
      const { accountId, id, disconnect } = await installed([{ maxInFlight: 3 }])
      const records = [...recordsOf(400), ...recordsOf(150)]
      await happened(opened(), accountId, [id], records)
      await planAll(opened())
      const update = (active: boolean) =>
        store.subscriptions.update(accountId, id, (one) => ({ ...one, active }))
      await update(false)
      await turned()
      expect(await countsOf(opened(), accountId, id)).toEqual({ delivered: 1, held: 550 })
      await update(true)
      const sending = await claimAll(opened(), accountId)
      expect(sending).toHaveLength(3)
      // Some of each: what was let go already, and what was not yet.
      expect(await countsOf(opened(), accountId, id)).toMatchObject({ ready: 197, held: 350 })
      await disconnect()
      expect((await countsOf(opened(), accountId, id))['held']).toBeGreaterThan(0)
      await planAll(opened())
      await turned()
      const { sending: left, ready, cancelled } = await countsOf(opened(), accountId, id)
      expect({ left, ready, cancelled }).toEqual({ left: 3, ready: 1, cancelled: 547 })
      await store.outbox.settle(
        sending.map((one) => settled(one, 'dead')),
        null,
      )
      expect(await drained(opened(), accountId)).toEqual([552])
      expect(await countsOf(opened(), accountId, id)).toEqual({
        delivered: 2,
        dead: 3,
        cancelled: 547,
      })
    })

    it('cancels hundreds of those that are told of nothing, and then forgets them', async () => {
      const { accountId, others, disconnect } = await installed([{}, DEAF])
      const [id = ''] = others
      await happened(opened(), accountId, [id], recordsOf(450))
      await planAll(opened())
      await disconnect()
      expect(await leftOf(opened(), accountId, id)).toEqual(['lane', 'counter'])
      await turned()
      expect(await leftOf(opened(), accountId, id)).toEqual([])
      expect(await countsOf(opened(), accountId, id)).toEqual({ delivered: 1, cancelled: 450 })
    })

    it('comes at once where the receiver wants nothing any more: it is not asked again', async () => {
      const { store } = opened()
      const { accountId, id, disconnect } = await installed()
      await disconnect()
      await planAll(opened())
      const claimed = await claimOne(opened())
      await store.subscriptions.disable(accountId, id, 'gone', null)
      await store.outbox.settle([settled(claimed, 'held')], null)
      expect(await statesOf(opened(), accountId, id)).toEqual(['delivered', 'cancelled'])
      expect(await leftOf(opened(), accountId, id)).toEqual([])
    })

    it('is swept up when the farewell is at rest and a while has passed, not before', async () => {
      const { store } = opened()
      await withStoppedClock(opened(), async ({ pass }) => {
        const { accountId, id, disconnect } = await installed()
        const bystander = await installed()
        const stays = async (when: string) => {
          expect(await swept(opened()), when).toBe(0)
          expect(await leftOf(opened(), accountId, id), when).toEqual(['row', 'lane', 'counter'])
        }
        await disconnect()
        await anHourLater(opened())
        await stays('not planned')
        await planAll(opened())
        await stays('ready')
        const claimed = await claimOne(opened())
        expect(claimed.subscriptionId).toBe(id)
        await stays('sending')
        await store.outbox.settle([settled(claimed, 'retrying', HOUR_MS)], null)
        await stays('retrying')
        for (const state of ['waiting', 'held']) {
          const hold = `update deliveries set state = $2 where account = $1 and state = $3`
          await opened().sql(hold, [accountId, state, 'retrying'])
          await stays(state)
          await opened().sql(hold, [accountId, 'retrying', state])
        }
        await pass(HOUR_MS + 1)
        expect(await drained(opened(), accountId)).toEqual([2])
        const since = (text: string) =>
          opened().sql(
            `update subscriptions set leaving_since = ${text} where account = $1 and id = $2`,
            [accountId, id],
          )
        await since("now() - interval '50 seconds'")
        await stays('a moment ago')
        await since("now() - interval '70 seconds'")
        expect(await swept(opened())).toBe(1)
        expect(await leftOf(opened(), accountId, id)).toEqual([])
        expect(await swept(opened())).toBe(0)
        // What was delivered is still told of; those who never left are as they were.
        expect(await statesOf(opened(), accountId, id)).toEqual(['delivered', 'delivered'])
        expect(await leftOf(opened(), bystander.accountId, bystander.id)).toHaveLength(3)
        expect(await store.outbox.mend()).toBe(0)
      })
    })

    it('needs no mending: those who are leaving are left alone', async () => {
      const { store } = opened()
      const { accountId, id, disconnect } = await installed([{}, DEAF])
      await happened(opened(), accountId, [id], ['a', 'a', 'b'])
      await planAll(opened())
      const sending = await claimOne(opened())
      await disconnect()
      const mended = async () => [await store.outbox.mend(), await store.outbox.mendChains()]
      expect(await mended()).toEqual([0, 0])
      await planAll(opened())
      expect(await mended()).toEqual([0, 0])
      const counts = await countsOf(opened(), accountId, id)
      expect(counts).toEqual({ delivered: 1, sending: 1, cancelled: 2, ready: 1 })
      await store.outbox.settle([settled(sending)], null)
      await drained(opened(), accountId)
      expect(await mended()).toEqual([0, 0])
      await anHourLater(opened())
      expect(await swept(opened())).toBe(1)
      expect(await mended()).toEqual([0, 0])
    })

    it('makes room: the same app connects again while its subscriptions of before are leaving', async () => {
      const { store, sql } = opened()
      const { accountId, connection, id, disconnect } = await installed()
      await sql(
        `insert into subscriptions (account, id, settings, sealed)
         select account, 'made-' || n, settings, sealed from subscriptions,
           generate_series(1, $2::integer) n where account = $1`,
        [accountId, SUBSCRIPTIONS_PER_ACCOUNT_MAX - 1],
      )
      const { appAccountId, appId } = connection.installation
      const app = { accountId: appAccountId, id: appId }
      const again = connectionOf({ accountId, app })
      await disconnect()
      await store.installations.connect(again)
      await expect(subscribed(store.subscriptions, accountId)).rejects.toMatchObject({
        code: 'too_many_subscriptions',
      })
      await planAll(opened())
      const claimed = await claimAll(opened(), accountId)
      const told = claimed.map((one) => `${one.subscriptionId} ${one.body.values?.['action']}`)
      const [fresh] = again.subscriptions
      expect(sorted(told)).toEqual(sorted([`${id} removed`, `${fresh?.id} added`]))
    })

    it('ends the subscriptions of this installation only', async () => {
      const { store } = opened()
      const { accountId, disconnect } = await installed()
      const other = await connected(store, accountId)
      const own = await subscribed(store.subscriptions, accountId)
      const elsewhere = await opened().account()
      await connected(store, elsewhere)
      await disconnect()
      const left = await store.subscriptions.list(accountId, ALL)
      const expected = [other.subscriptions[0]?.id, own.id]
      expect(left.map(({ id }) => id).toSorted()).toEqual(expected.toSorted())
      expect(await store.keys.findByHash(hashOf(other.key.id))).not.toBeNull()
      expect(await store.subscriptions.list(elsewhere, ALL)).toHaveLength(1)
      expect(left.map(({ installationId }) => installationId)).toContain(other.installation.id)
      expect(appSubscription(other.installation).installationId).toBe(other.installation.id)
    })
  })
}
