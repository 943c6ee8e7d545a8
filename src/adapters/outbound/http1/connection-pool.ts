/**
 * The connections to one origin. A request takes the connection that became free last; with none free a
 * new one is made, up to the limit; past it requests wait in order, for as long as their callers do.
 *
 * Before a connection is used again, the event loop listens to it once more. Bytes that followed the last
 * reply would be taken for the answer to the next request, and a server that has hung up, which some do
 * without having said so, would never hear that request.
 *
 * Nothing here retries: what has been sent may have been heard. A connection that cannot be made fails the
 * request that has waited longest, with the connector's own error, which says that nothing was sent.
 */
import type { Socket } from 'node:net'
import type { Clock } from '../../../app/ports.ts'
import { Connection, type ExchangeListener, type Request, wireText } from './connection.ts'
import type { ReplyHeaders } from './reply-parser.ts'
import { afterNextLook } from './turns.ts'

/** Makes a guarded connection to an origin; calls back once. */
export type Connect = (
  origin: Origin,
  callback: (error: Error | null, socket: Socket | null) => void,
) => ConnectProgress | undefined

/** How far a connection has come that is being made; undefined where there is nothing on the way. */
export type ConnectProgress = { readonly isAtProxy: boolean }

export type Origin = {
  readonly protocol: string
  readonly hostname: string
  /** Empty: the protocol's own. */
  readonly port: string
}

export type PoolOptions = {
  readonly connect: Connect
  readonly clock: Clock
  /** Connections at the same time. */
  readonly connections: number
}

/** An idle connection is let go of after this time, which is less than most servers wait. */
const IDLE_MAX_MS = 30_000
/** Of what a server promises: its clock started earlier, and the way to it takes time. */
const KEEP_ALIVE_MARGIN_MS = 1_000

type Idle = { readonly connection: Connection; readonly untilMs: number }

class Exchange implements ExchangeListener {
  readonly text: string
  readonly #listener: ExchangeListener
  connection: Connection | null = null
  isOver = false

  constructor(text: string, listener: ExchangeListener) {
    this.text = text
    this.#listener = listener
  }

  isOf(listener: ExchangeListener): boolean {
    return this.#listener === listener
  }

  onHead(status: number, headers: ReplyHeaders): void {
    if (!this.isOver) this.#listener.onHead(status, headers)
  }

  onBody(chunk: Buffer): void {
    if (!this.isOver) this.#listener.onBody(chunk)
  }

  onEnd(): void {
    if (this.isOver) return
    this.isOver = true
    this.#listener.onEnd()
  }

  onError(error: Error): void {
    if (this.isOver) return
    this.isOver = true
    this.#listener.onError(error)
  }
}

const BROKEN_OFF = new Error('the call was broken off')

export class ConnectionPool {
  readonly #options: PoolOptions
  readonly #origin: Origin
  readonly #host: string
  readonly #connections = new Set<Connection>()
  /** On their way from one request to the next. */
  readonly #listening = new Set<Connection>()
  /** Connections that are being made. */
  readonly #connecting = new Set<{ progress: ConnectProgress | undefined }>()
  #idle: Idle[] = []
  #waiting: Exchange[] = []
  #isClosed = false
  #stopSweep: (() => void) | null = null

  constructor(origin: string, options: PoolOptions) {
    const { protocol, hostname, port, host } = new URL(origin)
    this.#options = options
    this.#origin = { protocol, hostname, port }
    this.#host = host
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Sends a request; returns the function that breaks it off. Throws when it cannot be written down. */
  dispatch(request: Request, listener: ExchangeListener): () => void {
    const exchange = new Exchange(wireText(request, this.#host), listener)
    if (this.#isClosed) {
      exchange.onError(new Error('the connections to it are closed'))
      return () => {}
    }
    this.#waiting.push(exchange)
    this.#provide()
    return () => this.#abort(exchange)
  }

  /** Lets what is under way finish; nothing new begins. */
  close(): void {
    this.#isClosed = true
    for (const { connection } of this.#idle.splice(0)) connection.destroy(BROKEN_OFF)
    this.#sweepNoMore()
  }

  /** Breaks everything off. */
  destroy(): void {
    this.#isClosed = true
    for (const exchange of this.#waiting.splice(0)) exchange.onError(BROKEN_OFF)
    this.close()
    for (const connection of this.#connections) connection.destroy(BROKEN_OFF)
  }

  #start(exchange: Exchange, connection: Connection): void {
    exchange.connection = connection
    connection.send(exchange.text, exchange)
  }

  /** Sees to it that as many connections are on their way as requests wait, if there is room for them. */
  #provide(): void {
    while (this.#connecting.size + this.#listening.size < this.#waiting.length) {
      const idle = this.#takeIdle()
      if (idle !== null) this.#listenTo(idle)
      else if (this.#connections.size + this.#connecting.size < this.#options.connections)
        this.#connect()
      else return
    }
  }

  #connect(): void {
    const attempt: { progress: ConnectProgress | undefined } = { progress: undefined }
    this.#connecting.add(attempt)
    attempt.progress = this.#options.connect(this.#origin, (error, socket) => {
      this.#connecting.delete(attempt)
      // One that has closed already has said so when nobody listened yet.
      if (socket === null || socket.destroyed) {
        this.#waiting.shift()?.onError(error ?? new Error('no connection'))
        return this.#provide()
      }
      const connection = new Connection(socket, {
        onFree: (used) => this.#freed(used),
        onClosed: (closed) => this.#closed(closed),
      })
      this.#connections.add(connection)
      this.#serve(connection)
    })
  }

  /** Whether a request has not been sent yet because a proxy lets it wait. */
  isHeldAtProxy(listener: ExchangeListener): boolean {
    const isHeld = [...this.#connecting].some(({ progress }) => progress?.isAtProxy === true)
    return isHeld && this.#waiting.some((exchange) => exchange.isOf(listener))
  }

  /** Somebody may wait for one that is being made, and is served sooner by this one. */
  #freed(connection: Connection): void {
    if (this.#waiting.length > this.#listening.size) this.#listenTo(connection)
    else this.#keep(connection)
  }

  #listenTo(connection: Connection): void {
    this.#listening.add(connection)
    afterNextLook(() => {
      if (this.#listening.delete(connection)) this.#serve(connection)
    })
  }

  #serve(connection: Connection): void {
    const next = this.#waiting.shift()
    if (next !== undefined) this.#start(next, connection)
    else this.#keep(connection)
  }

  #keep(connection: Connection): void {
    if (this.#isClosed) return connection.destroy(BROKEN_OFF)
    const { keptForMs } = connection
    const promisedMs = keptForMs === null ? IDLE_MAX_MS : keptForMs - KEEP_ALIVE_MARGIN_MS
    if (promisedMs <= 0) return connection.destroy(BROKEN_OFF)
    const now = this.#options.clock.monotonicMs()
    this.#idle.push({ connection, untilMs: now + Math.min(IDLE_MAX_MS, promisedMs) })
    this.#stopSweep ??= this.#options.clock.schedule(IDLE_MAX_MS, () => this.#sweep())
  }

  /** A connection that closed makes room for whoever waits. */
  #closed(connection: Connection): void {
    this.#connections.delete(connection)
    this.#listening.delete(connection)
    this.#idle = this.#idle.filter((one) => one.connection !== connection)
    this.#provide()
  }

  /** The one used last: the others grow old and go. */
  #takeIdle(): Connection | null {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.untilMs > this.#options.clock.monotonicMs()) return idle.connection
      idle.connection.destroy(BROKEN_OFF)
    }
    return null
  }

  #sweep(): void {
    this.#stopSweep = null
    const now = this.#options.clock.monotonicMs()
    const old = this.#idle.filter(({ untilMs }) => untilMs <= now)
    for (const { connection } of old) connection.destroy(BROKEN_OFF)
    if (this.#idle.length === 0) return
    this.#stopSweep = this.#options.clock.schedule(IDLE_MAX_MS, () => this.#sweep())
  }

  #sweepNoMore(): void {
    this.#stopSweep?.()
    this.#stopSweep = null
  }

  #abort(exchange: Exchange): void {
    if (exchange.isOver) return
    exchange.isOver = true
    if (exchange.connection !== null) return exchange.connection.destroy(BROKEN_OFF)
    this.#waiting = this.#waiting.filter((one) => one !== exchange)
  }
}
