/**
 * One account whose validators hang, drip, break off, flood and redirect, beside one that has done nothing wrong. The
 * second should not notice: same gateway, same minute, with and without the first. The hostile account asks at a fixed
 * rate, whatever comes of it; one that asks as often as it can takes its share of the CPU like any other, and what is
 * against that is its `maxPerSecond`.
 */
import { createServer } from 'node:net'
import { judge } from '../goals.mjs'
import { startGateway, subscribeValidators } from '../lib/gateway.mjs'
import { faultsIn, measureOnce, warmUp } from '../lib/rounds.mjs'
import { median } from '../lib/statistics.mjs'
import { targetOf } from './stage.mjs'

export const name = 'hostile-account'

const CATALOG = 'healthy'
const HEALTHY_CALLERS = 4
const HOSTILE_EVERY_MS = 50
const HOSTILE_TIMEOUT_MS = 500

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'

/** What a validator may do to whoever asks it, one for each subscription of the hostile account. */
const BEHAVIOURS = [
  // Nothing, for good.
  () => {},
  (socket) => socket.destroy(),
  (socket) => socket.write('HTTP/1.1 200 OK\r\nx-slow: '),
  (socket) => socket.end(`${HEAD}content-length: 300000\r\n\r\n${'x'.repeat(300_000)}`),
  (socket) =>
    socket.end(
      `HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n`,
    ),
  (socket) => socket.end(`${HEAD}content-length: 9\r\n\r\n[[[[[[[[[`),
  (socket) => socket.end(`HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n`),
  (socket) => socket.end('no HTTP at all'),
]

export async function run({ postgres, validators, options, say }) {
  const databaseUrl = await postgres.createDatabase('hostile')
  const gateway = await startGateway({ name: 'hostile', databaseUrl })
  await subscribeValidators(gateway, validators, { catalogId: CATALOG })
  const target = targetOf(gateway, { catalogId: CATALOG })
  const servers = await startHostile()
  const hostile = await hostileAccount(gateway, servers)
  await warmUp(target, options)
  const runs = { alone: [], beside: [] }
  for (let round = 0; round < (options.quick ? 1 : Math.max(3, options.rounds)); round++) {
    const { seconds } = options
    runs.alone.push(await measureOnce(target, { callers: HEALTHY_CALLERS, seconds }))
    const stop = hostile.start()
    runs.beside.push(await measureOnce(target, { callers: HEALTHY_CALLERS, seconds }))
    say(`hostile-account: ${await stop()} hostile approvals in round ${round + 1}`)
  }
  for (const server of servers) server.close()
  await gateway.stop()
  const p99 = (list) => median(list.map((one) => one.p99))
  const faults = faultsIn(...runs.alone, ...runs.beside)
  return [
    judge('hostile-account-p99', { value: p99(runs.beside), yardstick: p99(runs.alone), faults }),
  ]
}

async function startHostile() {
  return Promise.all(
    BEHAVIOURS.map(
      (behave) =>
        new Promise((resolve) => {
          const server = createServer((socket) => {
            socket.on('error', () => {})
            socket.once('data', () => behave(socket))
          })
          server.listen(0, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
}

async function hostileAccount(gateway, servers) {
  await gateway.request('POST', '/v1/accounts', { id: 'hostile', title: 'Hostile' })
  const made = { name: 'Hostile', scopes: ['admin'], accountId: 'hostile' }
  const { key } = await gateway.request('POST', '/v1/keys', made)
  const authorization = `Bearer ${key}`
  for (const [index, server] of servers.entries()) {
    const body = JSON.stringify({
      name: `Hostile ${index}`,
      catalogId: 'things',
      events: ['record.before.created'],
      url: `http://127.0.0.1:${server.address().port}/`,
      timeoutMs: HOSTILE_TIMEOUT_MS,
      // Its breaker would spare everybody the trouble.
      breaker: { consecutiveFailures: 100_000, minimumCalls: 100_000 },
    })
    const headers = { authorization, 'content-type': 'application/json' }
    const answer = await fetch(`${gateway.base}/v1/subscriptions`, {
      method: 'POST',
      headers,
      body,
    })
    if (answer.status !== 201) throw new Error(`not subscribed: ${await answer.text()}`)
  }
  const body = '{"event":"record.before.created","catalogId":"things","values":{"a":1}}'
  const headers = { authorization, 'content-type': 'application/json' }
  const ask = () => fetch(`${gateway.base}/v1/approve`, { method: 'POST', headers, body })
  return { start: () => askAllTheTime(ask) }
}

/** The returned function ends it, and tells how often it was asked. */
function askAllTheTime(ask) {
  const asked = []
  const timer = setInterval(
    () => asked.push(ask().then((answer) => answer.text())),
    HOSTILE_EVERY_MS,
  )
  return async () => {
    clearInterval(timer)
    await Promise.all(asked)
    return asked.length
  }
}
