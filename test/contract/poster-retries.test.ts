/**
 * How long somebody who takes nothing is tried again in Poster's dialect, over a real socket. Two days pass by
 * moving the database's clock.
 */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseAllowList } from '../../src/adapters/outbound/egress-policy.ts'
import { createOutbound } from '../../src/adapters/outbound/outbound.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { happened } from '../support/deliver.ts'
import { eventually } from '../support/eventually.ts'
import { subscribed } from '../support/items.ts'
import { type Opened, onEachStore } from '../support/store.ts'
import { reply, startValidator, type ValidatorServer } from '../support/validator-server.ts'
import { relayOver, VirtualClock } from '../support/virtual-clock.ts'

/** DIALECTS.md, in seconds. */
const DELAYS = [
  30, 60, 120, 300, 600, 1_200, 2_400, 3_600, 7_200, 10_800, 14_400, 21_600, 28_800, 36_000, 45_690,
]
const TWO_DAYS = 172_800
/** None of them is 200; the last two ask for a pause that this preset does not know. */
const REFUSALS = [500, 404, 201, 204, 302, 400, 410, 502, 429, 503]

onEachStore((opened) => {
  describe('a receiver of the dialect poster that answers anything but 200', () => {
    let clock: VirtualClock
    let receiver: ValidatorServer
    beforeAll(async () => {
      clock = await VirtualClock.of(opened())
      receiver = await startValidator((request, response) => {
        const status = REFUSALS[receiver.received.length % REFUSALS.length] ?? 500
        void reply(status, '', { 'retry-after': '86400' })(request, response)
      })
    })
    afterAll(async () => {
      await clock.restore()
      await receiver.close()
    })

    it('P4 is tried fifteen times more within two days, exactly so, each time with a fresh signature', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const { id, secret } = await subscribed(store.subscriptions, accountId, {
        dialect: 'poster',
        url: receiver.url,
        events: ['record.created'],
        retry: { preset: 'poster' },
      })
      const relay = relayOver(opened(), outboundOf(opened()).notifier)
      await happened(opened(), accountId, [id], ['5'])
      relay.start()
      const tried = (count: number) =>
        eventually(`it was tried ${count} times`, async () => {
          relay.wake()
          const [row] = await opened().sql<{ failures: number }>(
            'select failures from deliveries where account = $1',
            [accountId],
          )
          return receiver.received.length === count && row?.failures === count
        })
      await tried(1)
      for (const [index, seconds] of DELAYS.entries()) {
        await clock.pass(seconds * 1_000 - 1)
        await notYet(opened())
        await clock.pass(1)
        await tried(index + 2)
      }
      await relay.stop()
      expect(DELAYS.reduce((sum, seconds) => sum + seconds)).toBe(TWO_DAYS)
      const [row] = await opened().sql('select state from deliveries where account = $1', [
        accountId,
      ])
      expect(row).toEqual({ state: 'dead' })
      for (const { json } of receiver.received) {
        const { account, object, object_id, action, time, verify } = json
        const signed = [account, object, object_id, action, time, secret].join(';')
        expect(verify).toBe(createHash('md5').update(signed).digest('hex'))
      }
    })
  })
})

function outboundOf({ store, journal }: Opened) {
  const { policy } = parseAllowList('127.0.0.0/8', 'allow')
  const { sequences } = store
  return createOutbound({ clock: systemClock, journal, sequences, policy })
}

/** A millisecond before its time nothing is due. */
async function notYet({ store }: Opened): Promise<void> {
  expect(await store.outbox.nextDueInMs()).toBeGreaterThan(0)
}
