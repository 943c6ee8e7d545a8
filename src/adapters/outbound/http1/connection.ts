/**
 * One connection, one exchange at a time: a request goes out in one piece, its reply is read to its end,
 * and only then is the connection free for the next. Whatever does not end that way closes it.
 */
import type { Socket } from 'node:net'
import { type ReplyHeaders, type ReplyListener, ReplyParser } from './reply-parser.ts'

/** Names and values in turn. */
export type HeaderList = readonly string[]

export type Request = {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: HeaderList
  readonly body: string | null
}

/** Hears what becomes of a request. After `onEnd` or `onError` it hears nothing more. */
export interface ExchangeListener {
  /** Interim replies (1xx) come here as well, before the real one. */
  onHead(status: number, headers: ReplyHeaders): void
  onBody(chunk: Buffer): void
  onEnd(): void
  onError(error: Error): void
}

export type ConnectionEvents = {
  /** The exchange is over and the connection is free. */
  readonly onFree: (connection: Connection) => void
  readonly onClosed: (connection: Connection) => void
}

const CLOSED_EARLY = 'the other side closed the connection'

export class Connection implements ReplyListener {
  readonly #socket: Socket
  readonly #events: ConnectionEvents
  #exchange: ExchangeListener | null = null
  #parser: ReplyParser | null = null
  #isClosed = false
  /** How long the other side says that it keeps an idle connection, in milliseconds; null: it does not say. */
  #keptForMs: number | null = null

  constructor(socket: Socket, events: ConnectionEvents) {
    this.#socket = socket
    this.#events = events
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('end', () => this.#ended())
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error(CLOSED_EARLY)))
  }

  get keptForMs(): number | null {
    return this.#keptForMs
  }

  send(text: string, exchange: ExchangeListener): void {
    this.#exchange = exchange
    this.#parser = new ReplyParser(this)
    this.#socket.write(text)
  }

  /** Closes it; an exchange under way hears the error. */
  destroy(error: Error): void {
    this.#fail(error)
  }

  onHead(status: number, headers: ReplyHeaders): void {
    if (status >= 200) this.#keptForMs = keepAliveOf(headers['keep-alive'])
    this.#exchange?.onHead(status, headers)
  }

  onBody(chunk: Buffer): void {
    this.#exchange?.onBody(chunk)
  }

  onEnd(): void {
    const exchange = this.#exchange
    this.#exchange = null
    exchange?.onEnd()
  }

  #read(chunk: Buffer): void {
    const parser = this.#parser
    // Nobody has asked: these bytes answer nothing.
    if (parser === null) return this.#fail(new Error('a reply that nobody asked for'))
    try {
      parser.push(chunk)
    } catch (error) {
      return this.#fail(error instanceof Error ? error : new Error(String(error)))
    }
    if (!parser.isOver || this.#isClosed) return
    this.#parser = null
    // A reply that came before the request was out: who has not read it may never do so.
    const isSent = this.#socket.writableLength === 0
    if (parser.staysOpen && isSent) this.#events.onFree(this)
    else this.#fail(new Error(CLOSED_EARLY))
  }

  #ended(): void {
    try {
      this.#parser?.close()
    } finally {
      this.#fail(new Error(CLOSED_EARLY))
    }
  }

  #fail(error: Error): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#socket.destroy()
    const exchange = this.#exchange
    this.#exchange = null
    try {
      exchange?.onError(error)
    } finally {
      this.#events.onClosed(this)
    }
  }
}

/** `Keep-Alive: timeout=5`, in seconds. */
function keepAliveOf(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string') return null
  const seconds = /(?:^|[,;\s])timeout=(\d{1,6})(?:$|[,;\s])/i.exec(header)?.[1]
  return seconds === undefined ? null : Number(seconds) * 1_000
}

const PATH = /^\/[\x21-\x7e]*$/
const UNSENDABLE = /[^\t\x20-\x7e]/
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** The request as it goes over the wire. Throws when a header or the path could not be sent as it is. */
export function wireText({ method, path, headers, body }: Request, host: string): string {
  if (!PATH.test(path)) throw new Error('the path cannot be sent')
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n`
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] ?? ''
    const value = headers[at + 1] ?? ''
    if (!HEADER_NAME.test(name) || UNSENDABLE.test(value)) {
      throw new Error(`the header ${JSON.stringify(name.slice(0, 50))} cannot be sent`)
    }
    head += `${name}: ${value}\r\n`
  }
  if (body === null) return `${head}\r\n`
  return `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
