/** Servers on loopback that do with their sockets what node:http would never let them. */
import { once } from 'node:events'
import net from 'node:net'
import { setInterval } from 'node:timers/promises'
import tls from 'node:tls'
import { Worker } from 'node:worker_threads'

export type Listening = {
  readonly url: string
  readonly close: () => Promise<void>
  /** What was written on all connections so far, where that is counted. */
  readonly bytesSent?: () => number
}

/** What a server does with a new connection. */
export type Conduct = (socket: net.Socket) => void

export async function startRaw(conduct: Conduct): Promise<Listening> {
  const { port, ...rest } = await listen(net.createServer(), 'connection', conduct)
  return { url: `http://127.0.0.1:${port}`, ...rest }
}

/** An https server with a certificate of one's choice. */
export async function startTls(cert: string, key: string, conduct: Conduct): Promise<Listening> {
  const server = tls.createServer({ cert, key })
  server.on('tlsClientError', () => {})
  const { port, ...rest } = await listen(server, 'secureConnection', conduct)
  return { url: `https://127.0.0.1:${port}`, ...rest }
}

async function listen(server: net.Server, event: string, conduct: Conduct) {
  const sockets = new Set<net.Socket>()
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  server.on(event, (socket: net.Socket) => {
    // Whoever breaks a connection off is no concern of a server that misbehaves.
    socket.on('error', () => {})
    conduct(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  return {
    port,
    bytesSent: () => [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, 0),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Waits for each whole request before it answers. */
export function whenAsked(answer: Conduct): Conduct {
  return (socket) => {
    let pending = ''
    socket.setEncoding('latin1')
    socket.on('data', (text) => {
      pending += String(text)
      for (let end = endOfRequest(pending); end !== null; end = endOfRequest(pending)) {
        pending = pending.slice(end)
        answer(socket)
      }
    })
  }
}

function endOfRequest(text: string): number | null {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return null
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
  const whole = end + 4 + length
  return text.length >= whole ? whole : null
}

/** Writes the same bytes again and again, as long as anybody listens. */
export async function trickle(socket: net.Socket, bytes: string, everyMs: number): Promise<void> {
  for await (const _ of setInterval(everyMs)) {
    if (socket.destroyed) return
    socket.write(bytes)
  }
}

/** Writes as fast as it is read, up to a number of bytes; then hangs up. */
export function pour(socket: net.Socket, chunk: Uint8Array, bytesMax: number): void {
  let sent = 0
  const write = () => {
    while (sent < bytesMax && !socket.destroyed) {
      sent += chunk.length
      if (!socket.write(chunk)) return void socket.once('drain', write)
    }
    socket.end()
  }
  write()
}

const NEVER_ACCEPTS = `
  const { parentPort } = require('node:worker_threads')
  const server = require('node:net').createServer()
  server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })`

/**
 * Listens, and is stuck: nobody takes connections out of its queue, which is short and full already, so
 * that the next ones are not even made.
 */
export async function startNeverAccepting(): Promise<Listening> {
  const worker = new Worker(NEVER_ACCEPTS, { eval: true })
  const [port] = (await once(worker, 'message')) as [number]
  const waiting = [1, 2, 3].map(() => net.connect(port, '127.0.0.1').on('error', () => {}))
  await Promise.all(waiting.slice(0, 2).map((socket) => once(socket, 'connect')))
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      for (const socket of waiting) socket.destroy()
      await worker.terminate()
    },
  }
}
