/** The HTTP server around the app: limits against slow and greedy clients, and an orderly end. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import type { Clock } from '../../app/ports.ts'
import { Problem } from '../../domain/problem.ts'
import { type DoorPorts, FrontDoor } from './front-door.ts'
import { LoopDelay } from './loop-delay.ts'
import type { NodeBindings } from './route.ts'
import { lacksHost, refuseBytes, refuseUnread, responseTo } from './unread.ts'

const LIMITS = {
  maxHeaderSize: 16_384,
  /** A client that takes longer for its headers or its whole request is cut. */
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  /** Above what load balancers keep idle connections for. */
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
  /** Two Authorization headers are one that fits nobody, not the first of them. */
  joinDuplicateHeaders: true,
  /** Seen to here, because Node would refuse without a word. */
  requireHostHeader: false,
} as const
const CONNECTIONS_MAX = 10_000
/**
 * A connection on which nothing moves is cut, whoever it waits for: a client that does not read its answer would keep
 * the answer, and its place, for good. Longer than the longest time that an approval may take.
 */
const SILENCE_MS = 60_000

export type Listening = {
  readonly address: AddressInfo
  /** Writes that wait for their turn. */
  readonly waiting: () => number
  /** No new connections; resolves when the last one is closed, cutting those left after `graceMs`. */
  close(graceMs: number, schedule: Schedule): Promise<void>
}
type Schedule = (delayMs: number, run: () => void) => () => void

export type ListenOptions = {
  readonly port: number
  readonly host: string
  readonly door: DoorPorts
  /** How late the process is, is a matter of real time, whatever clock the gateway goes by. */
  readonly processClock: Clock
  /** Instead of `SILENCE_MS`. */
  readonly silenceMs?: number
}

export function listen(
  app: Hono<{ Bindings: NodeBindings }>,
  { port, host, door, processClock, silenceMs = SILENCE_MS }: ListenOptions,
): Promise<Listening> {
  return new Promise((resolve, reject) => {
    // What no URL can be made of never gets to the app; all that goes wrong in the app is answered there.
    const errorHandler = (error: unknown) => responseTo(error, door.ids)
    const serve = getRequestListener(app.fetch, { hostname: host, errorHandler })
    const loop = new LoopDelay(processClock)
    const frontDoor = new FrontDoor(
      door,
      (incoming, outgoing) => void serve(incoming, outgoing),
      loop,
    )
    const server = createServer(LIMITS, (incoming, outgoing) => {
      if (lacksHost(incoming)) refuseUnread({ incoming, outgoing }, WITHOUT_HOST, door.ids)
      else frontDoor.enter(incoming, outgoing)
    })
    server.on('clientError', (error, socket: Socket) => refuseBytes(error, socket, door.ids))
    server.on('checkExpectation', (incoming: IncomingMessage, outgoing: ServerResponse) =>
      refuseUnread({ incoming, outgoing }, WITH_EXPECTATION, door.ids),
    )
    server.maxConnections = CONNECTIONS_MAX
    server.timeout = silenceMs
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      loop.start()
      resolve({
        address: server.address() as AddressInfo,
        waiting: () => frontDoor.waiting,
        close: closer(server, () => loop.stop()),
      })
    })
  })
}

const WITHOUT_HOST = new Problem('invalid_header', {
  detail: 'An HTTP/1.1 request names its Host.',
})
const WITH_EXPECTATION = new Problem('invalid_header', {
  detail: 'Expect takes 100-continue only.',
})

function closer(server: Server, onClosed: () => void) {
  return (graceMs: number, schedule: Schedule): Promise<void> =>
    new Promise((resolve) => {
      const cancel = schedule(graceMs, () => server.closeAllConnections())
      server.close(() => {
        cancel()
        onClosed()
        resolve()
      })
      server.closeIdleConnections()
    })
}
