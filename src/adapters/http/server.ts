/** The HTTP server around the app: limits against slow and greedy clients, and an orderly end. */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { type DoorPorts, FrontDoor } from './front-door.ts'
import type { NodeBindings } from './route.ts'

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
} as const
const CONNECTIONS_MAX = 10_000

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
}

export function listen(
  app: Hono<{ Bindings: NodeBindings }>,
  { port, host, door }: ListenOptions,
): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const serve = getRequestListener(app.fetch, { hostname: host })
    const frontDoor = new FrontDoor(door, (incoming, outgoing) => void serve(incoming, outgoing))
    const server = createServer(LIMITS, frontDoor.enter)
    server.maxConnections = CONNECTIONS_MAX
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve({
        address: server.address() as AddressInfo,
        waiting: () => frontDoor.waiting,
        close: closer(server),
      })
    })
  })
}

function closer(server: Server) {
  return (graceMs: number, schedule: Schedule): Promise<void> =>
    new Promise((resolve) => {
      const cancel = schedule(graceMs, () => server.closeAllConnections())
      server.close(() => {
        cancel()
        resolve()
      })
      server.closeIdleConnections()
    })
}
