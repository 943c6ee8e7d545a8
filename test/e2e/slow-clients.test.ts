/** Clients that take their time: to send, or to read what they asked for. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NodeBindings } from '../../src/adapters/http/route.ts'
import { listen } from '../../src/adapters/http/server.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { systemIds } from '../../src/adapters/system/ids.ts'
import { ARRIVING_MAX } from '../../src/app/in-flight.ts'
import { ADMIN_KEY, startTestGateway, type TestGateway } from '../support/gateway.ts'

const sockets: Socket[] = []

async function connected(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  sockets.push(socket)
  await once(socket, 'connect')
  return socket
}

afterAll(() => {
  for (const socket of sockets) socket.destroy()
})

describe('bodies that do not come', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startTestGateway()
  })
  afterAll(() => gateway.close())

  const begun = async (key: string): Promise<Socket> => {
    const socket = await connected(gateway.url)
    const head = `POST /v1/approve HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Length: 100\r\n\r\n{`
    await new Promise((resolve) => socket.write(head, resolve))
    return socket
  }

  it('take three quarters of the room at most, and other accounts are served', async () => {
    const { api } = gateway
    await api.post('/v1/accounts', { id: 'slow', title: 'Slow' })
    const made = await api.post('/v1/keys', { name: 'K', scopes: ['approve'], accountId: 'slow' })
    const { key } = made.json
    const share = ARRIVING_MAX * 0.75
    const first = await begun(key)
    for (let count = 1; count < share; count++) await begun(key)

    // Requests of one account are seen in the order in which they are sent, so all of them are in by now.
    const refused = await begun(key)
    const [answer] = (await once(refused, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 503 /)
    expect(answer.toString()).toMatch(/retry-after: 1/i)
    expect(answer.toString()).toContain('"code":"overloaded"')

    const other = await api.approve({})
    expect(other.status).toBe(200)
    first.destroy()
    const late = await begun(key)
    late.write(`${' '.repeat(98)}}`)
    const [text] = (await once(late, 'data')) as [Buffer]
    expect(text.toString()).toMatch(/^HTTP\/1\.1 422 /)
  })

  it('are of nobody without a key, who is not waited for', async () => {
    const socket = await begun(`${ADMIN_KEY}x`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 401 /)
  })
})

describe('an answer that is not read', () => {
  it('is cut off with its connection when nothing has moved for long enough', async () => {
    let isCancelled = () => {}
    const cancelled = new Promise<void>((resolve) => {
      isCancelled = resolve
    })
    const app = new Hono<{ Bindings: NodeBindings }>()
    app.get('/', () => {
      const chunk = new Uint8Array(1_048_576)
      return new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(chunk),
          cancel: isCancelled,
        }),
      )
    })
    const journal = { record: () => {} }
    const door = { clock: systemClock, ids: systemIds, journal, nextTurn: setImmediate }
    const listening = await listen(app, {
      port: 0,
      host: '127.0.0.1',
      door,
      processClock: systemClock,
      silenceMs: 100,
    })
    const socket = await connected(`http://127.0.0.1:${listening.address.port}`)
    socket.pause()
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await cancelled
    socket.destroy()
    await listening.close(0, systemClock.schedule)
  })
})
