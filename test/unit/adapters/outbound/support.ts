/** Stand-ins for the outbound adapter's tests: a clock that is turned by hand, subscribers, servers. */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { parseAllowList } from '../../../../src/adapters/outbound/egress-policy.ts'
import type { JournalEvent } from '../../../../src/app/journal.ts'
import type { Clock, Inquiry, Journal, Sequences } from '../../../../src/app/ports.ts'
import type { Change } from '../../../../src/domain/change.ts'
import type { Subscription } from '../../../../src/domain/subscription.ts'
import { subscriptionOf as subscription } from '../../../support/build.ts'

export class FakeClock implements Clock {
  #now = 1_000
  #timers: { at: number; run: () => void }[] = []

  wallMs(): number {
    return 1_700_000_000_000 + this.#now
  }

  monotonicMs(): number {
    return this.#now
  }

  get pending(): number {
    return this.#timers.length
  }

  schedule(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#now + delayMs, run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  advance(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#timers = this.#timers.filter((other) => other !== next)
      this.#now = Math.max(this.#now, next.at)
      next.run()
    }
    this.#now = until
  }
}

/** Real time, for the few tests in which a socket's own pace matters. */
export const realClock: Clock = {
  wallMs: () => new Date().getTime(),
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  schedule(delayMs, run) {
    const stop = new AbortController()
    delay(delayMs, undefined, { signal: stop.signal }).then(run, () => {})
    return () => stop.abort()
  },
}

/** A promise with its handle outside. */
export function signal<T = void>(): { promise: Promise<T>; fire: (value: T) => void } {
  let fire: (value: T) => void = () => {}
  const promise = new Promise<T>((resolve) => {
    fire = resolve
  })
  return { promise, fire }
}

/** Lets everything that is ready to run have run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

export const loopback = parseAllowList('127.0.0.0/8, ::1', 'allow').policy

export function recordingJournal(): Journal & { readonly events: JournalEvent[] } {
  const events: JournalEvent[] = []
  return { events, record: (event) => void events.push(event) }
}

export function countingSequences(): Sequences {
  let last = 0
  return {
    next: () => {
      last += 1
      return Promise.resolve(last)
    },
    last: () => Promise.resolve(new Map()),
  }
}

export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

export function subscriptionOf(changes: Partial<Subscription> = {}): Subscription {
  return subscription({
    id: 'sub_1',
    accountId: 'default',
    revision: 1,
    name: 'Stock check',
    url: 'http://127.0.0.1:1/',
    maxInFlight: 4,
    secret: SECRET,
    ...changes,
  })
}

export const change: Change = {
  event: 'record.before.updated',
  accountId: 'default',
  catalogId: 'orders',
  recordId: 'rec_7',
  values: { status: 'paid' },
  prevValues: { status: 'new', total: 12 },
  allValues: undefined,
  changedFields: ['status'],
  user: { id: 'user_3' },
  context: undefined,
}

export function inquiryOf(changes: Partial<Inquiry> = {}): Inquiry {
  return {
    look: 1,
    change,
    decisionId: 'dec_1',
    occurredAtMs: 1_700_000_000_000,
    deadlineAtMs: 1_700_000_010_000,
    dryRun: false,
    chainToken: 'chain-token',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    ...changes,
  }
}

export type Listening = AsyncDisposable & { readonly port: number; readonly url: string }

async function listening(server: TcpServer, drop: () => void): Promise<Listening> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      drop()
      server.close()
      await once(server, 'close')
    },
  }
}

export function httpServer(listener: RequestListener): Promise<Listening> {
  const server: Server = createServer(listener)
  return listening(server, () => server.closeAllConnections())
}

/** A server that speaks for itself, byte by byte. */
export function rawServer(onSocket: (socket: Socket) => void): Promise<Listening> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    onSocket(socket)
  })
  return listening(server, () => {
    for (const socket of sockets) socket.destroy()
  })
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text
}
