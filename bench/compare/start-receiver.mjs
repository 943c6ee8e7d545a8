/** Starts a receiver of notifications and asks it what arrived. */
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort, launch, untilReady } from '../lib/processes.mjs'

const PROGRAM = fileURLToPath(new URL('./receiver.mjs', import.meta.url))
const LOOK_EVERY_MS = 100

export async function startReceiver() {
  const port = await freePort()
  const base = `http://127.0.0.1:${port}`
  const env = { PORT: `${port}` }
  const launched = launch({ name: 'receiver', command: process.execPath, args: [PROGRAM], env })
  await untilReady(`${base}/ready`, launched)
  const arrivals = async () => (await fetch(`${base}/arrivals`)).json()
  const counted = async () => (await fetch(`${base}/counted`)).json()
  return {
    pid: launched.pid,
    url: `${base}/notify`,
    countUrl: `${base}/count`,
    silentUrl: `${base}/silent`,
    stop: launched.stop,
    forget: async () => void (await (await fetch(`${base}/forget`, { method: 'POST' })).text()),
    /** What arrived, once it is as much as expected or nobody wants to wait any longer. */
    arrivals: (expected, timeoutMs) => until(arrivals, expected, timeoutMs),
    /** The same of what was only counted. */
    counted: (expected, timeoutMs) => until(counted, expected, timeoutMs),
  }
}

async function until(look, expected, timeoutMs) {
  const end = performance.now() + timeoutMs
  for (;;) {
    const found = await look()
    if (found.count >= expected || performance.now() > end) return found
    await sleep(LOOK_EVERY_MS)
  }
}

/** Lets a gateway tell the receiver of every record that is created in a catalog. */
export function subscribeReceiver(gateway, receiver, catalogId) {
  return gateway.request('POST', '/v1/subscriptions', {
    name: 'Receiver',
    catalogId,
    events: ['record.created'],
    url: receiver.url,
  })
}
