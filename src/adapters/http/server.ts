/** The HTTP server around the app: limits against slow and greedy clients, and an orderly end. */

import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import type { Hono } from 'hono'
import type { NodeBindings } from './route.ts'

/** A client that takes longer for its headers or its whole request is cut. */
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
/** Above what load balancers keep idle connections for. */
const KEEP_ALIVE_MS = 65_000
const HEADER_BYTES_MAX = 16_384
const CONNECTIONS_MAX = 10_000

export type Listening = {
  readonly address: AddressInfo
  /** No new connections; resolves when the last one is closed, cutting those left after `graceMs`. */
  close(graceMs: number, schedule: Schedule): Promise<void>
}
type Schedule = (delayMs: number, run: () => void) => () => void

export function listen(
  app: Hono<{ Bindings: NodeBindings }>,
  { port, host }: { readonly port: number; readonly host: string },
): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const server = serve({
      fetch: app.fetch,
      port,
      hostname: host,
      serverOptions: {
        maxHeaderSize: HEADER_BYTES_MAX,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: 5_000,
      },
    }) as Server
    server.maxConnections = CONNECTIONS_MAX
    server.once('error', reject)
    server.once('listening', () => {
      server.off('error', reject)
      resolve({ address: server.address() as AddressInfo, close: closer(server) })
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
