/** How long after a commit a receiver hears of it when nothing else is going on: one change at a time. */
import { setTimeout as sleep } from 'node:timers/promises'
import { startReceiver, subscribeReceiver } from '../compare/start-receiver.mjs'
import { judge } from '../goals.mjs'
import { startGateway } from '../lib/gateway.mjs'
import { recordText } from '../lib/record.mjs'
import { percentilesOf } from '../lib/statistics.mjs'

export const name = 'notifications'

const CATALOG = 'notifications'
const PAUSE_MS = 200
const WARM_UP_CHANGES = 30
const WARM_UP_PAUSE_MS = 20
const ARRIVAL_TIMEOUT_MS = 10_000

const secondsOf = ({ quick, full }) => (quick ? 3 : full ? 120 : 30)

export async function run({ postgres, options, say }) {
  const databaseUrl = await postgres.createDatabase('notifications')
  const gateway = await startGateway({ name: 'notifications', databaseUrl })
  const receiver = await startReceiver()
  await subscribeReceiver(gateway, receiver, CATALOG)
  await change(gateway, { count: WARM_UP_CHANGES, pauseMs: WARM_UP_PAUSE_MS })
  await receiver.arrivals(WARM_UP_CHANGES, ARRIVAL_TIMEOUT_MS)
  await receiver.forget()
  const count = Math.round((secondsOf(options) * 1_000) / PAUSE_MS)
  say(`notifications: ${count} changes, one each ${PAUSE_MS} ms`)
  await change(gateway, { count, pauseMs: PAUSE_MS })
  const found = await receiver.arrivals(count, ARRIVAL_TIMEOUT_MS)
  await receiver.stop()
  await gateway.stop()
  return rowsOf(found, count)
}

async function change(gateway, { count, pauseMs }) {
  for (let sequence = 0; sequence < count; sequence++) {
    await gateway.request('POST', '/v1/approve', {
      event: 'record.before.created',
      catalogId: CATALOG,
      values: JSON.parse(recordText(sequence)),
    })
    await sleep(pauseMs)
  }
}

function rowsOf({ ages, count, repeated }, expected) {
  const { p50, p99, max } = percentilesOf(ages)
  const missing = expected - count
  const faults =
    missing === 0 && repeated === 0 ? null : `${missing} missing, ${repeated} sent again`
  const note = `${count} changes; from the start of the commit's transaction; max ${max} ms`
  return [
    judge('notifications-p50', { value: p50, note, faults }),
    judge('notifications-p99', { value: p99, faults }),
  ]
}
