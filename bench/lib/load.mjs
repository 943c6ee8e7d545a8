/**
 * A closed loop of HTTP/1.1 on raw sockets: so many callers, one request of each under way, no pause
 * between them. It is small because it shares the cores with what it measures, and it keeps every sample,
 * so that its percentiles are exact. What comes back is looked into: a gateway that fails fast would
 * otherwise look like a fast gateway.
 */
import { connect } from 'node:net'
import { percentilesOf } from './statistics.mjs'

const REQUEST_TIMEOUT_MS = 15_000
const WATCH_EVERY_MS = 250
const RECONNECT_AFTER_MS = 20

/** One request as the text that goes over the wire. */
export function wire({ host = '127.0.0.1', method = 'POST', path, headers = {}, body = '' }) {
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n`
  for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}\r\n`
  if (method !== 'GET') head += `content-length: ${Buffer.byteLength(body)}\r\n`
  return `${head}\r\n${body}`
}

const HEAD = 0
const COUNTED = 1
const CHUNKED = 2
const UNTIL_CLOSE = 3

/** Reads responses piece by piece: as much of HTTP/1.1 as content-length, chunks, 204 and 304 need. */
export class ResponseReader {
  constructor() {
    this.reset()
  }

  reset() {
    this.buffer = ''
    this.state = HEAD
    this.status = 0
    this.left = 0
    this.head = ''
    this.body = ''
    this.closes = false
  }

  /** Takes text in latin1, where a character is a byte; true when a response is complete. */
  push(text) {
    this.buffer += text
    if (this.state === HEAD && !this.#readHead()) return false
    if (this.state === COUNTED) return this.#readCounted()
    return this.state === CHUNKED && this.#readChunks()
  }

  #readHead() {
    const end = this.buffer.indexOf('\r\n\r\n')
    if (end < 0) return false
    this.head = this.buffer.slice(0, end).toLowerCase()
    this.buffer = this.buffer.slice(end + 4)
    this.status = Number(this.head.slice(9, 12))
    if (this.status === 100) return this.#readHead()
    this.closes = this.head.includes('\r\nconnection: close')
    const length = /\r\ncontent-length: *(\d+)/.exec(this.head)
    if (length !== null || this.status === 204 || this.status === 304) {
      this.left = Number(length?.[1] ?? 0)
      this.state = COUNTED
    } else {
      this.state = /\r\ntransfer-encoding: *chunked/.test(this.head) ? CHUNKED : UNTIL_CLOSE
    }
    return true
  }

  #readCounted() {
    if (this.buffer.length < this.left) return false
    this.body = this.buffer
    return true
  }

  #readChunks() {
    for (;;) {
      const end = this.buffer.indexOf('\r\n')
      if (end < 0) return false
      const size = Number.parseInt(this.buffer.slice(0, end), 16)
      const next = end + 2 + size + 2
      if (this.buffer.length < next) return false
      this.body += this.buffer.slice(end + 2, end + 2 + size)
      this.buffer = this.buffer.slice(next)
      if (size === 0) return true
    }
  }
}

/**
 * @typedef {object} Target
 * @property {number} port
 * @property {readonly number[]} [ports] Several instead of one; the callers are shared out among them.
 * @property {(sequence: number) => string} make The text of the request with that number.
 * @property {{ status: number, text?: string }} [expect] What a good answer is: 2xx unless told.
 */

/**
 * @param {Target} target
 * @param {{ callers: number, seconds?: number, countMax?: number, timeoutMs?: number }} options
 * @returns {Promise<{ count: number, seconds: number, perSecond: number, p50: number, p90: number,
 *   p99: number, max: number, mean: number, statuses: object, errors: object, faults: number,
 *   sample: string | null }>} Times in milliseconds. `faults` counts what should not have happened:
 *   connections that broke, requests without an answer, and answers that are not as expected.
 */
export function runLoad(target, options) {
  return new ClosedLoop(target, options).run()
}

class ClosedLoop {
  constructor(
    target,
    { callers, seconds = 5, countMax = Infinity, timeoutMs = REQUEST_TIMEOUT_MS },
  ) {
    Object.assign(this, { target, callers, seconds, countMax, timeoutMs })
    this.isGood = judgeOf(target.expect)
    this.samples = []
    this.statuses = {}
    this.errors = {}
    this.unexpected = 0
    this.sample = null
    this.sequence = 0
    this.isOver = false
    this.connections = new Set()
    this.ports = target.ports ?? [target.port]
  }

  run() {
    return new Promise((resolve) => {
      this.live = this.callers
      this.startedAt = performance.now()
      this.timers = [
        setTimeout(() => {
          this.isOver = true
        }, this.seconds * 1_000),
        setInterval(() => this.#cutWhatHangs(), WATCH_EVERY_MS),
      ]
      this.resolve = resolve
      for (let caller = 0; caller < this.callers; caller++) {
        this.#open(this.ports[caller % this.ports.length])
      }
    })
  }

  #open(port) {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    socket.setEncoding('latin1')
    const connection = { port, socket, reader: new ResponseReader(), sentAt: 0, hasEnded: false }
    this.connections.add(connection)
    socket.on('connect', () => this.#send(connection))
    socket.on('data', (text) => this.#receive(connection, text))
    socket.on('error', (error) => this.#count(error.code ?? error.message))
    socket.on('close', () => this.#closed(connection))
  }

  #send(connection) {
    if (this.isOver || this.sequence >= this.countMax) {
      this.#end(connection)
      return this.#leave()
    }
    connection.reader.reset()
    connection.sentAt = performance.now()
    connection.socket.write(this.target.make(this.sequence++))
  }

  #receive(connection, text) {
    const { reader } = connection
    if (connection.sentAt === 0 || !reader.push(text)) return
    this.samples.push(performance.now() - connection.sentAt)
    connection.sentAt = 0
    this.statuses[reader.status] = (this.statuses[reader.status] ?? 0) + 1
    if (!this.isGood(reader)) {
      this.unexpected += 1
      this.sample ??= `${reader.status} ${reader.body.slice(0, 400)}`
    }
    if (!reader.closes) return this.#send(connection)
    this.#end(connection)
    this.#another(connection)
  }

  #closed(connection) {
    if (connection.hasEnded) return
    if (connection.sentAt !== 0) this.#count('closed')
    this.#end(connection)
    setTimeout(() => this.#another(connection), RECONNECT_AFTER_MS)
  }

  #another({ port }) {
    if (this.isOver || this.sequence >= this.countMax) this.#leave()
    else this.#open(port)
  }

  #end(connection) {
    connection.hasEnded = true
    this.connections.delete(connection)
    connection.socket.destroy()
  }

  #cutWhatHangs() {
    const before = performance.now() - this.timeoutMs
    for (const connection of this.connections) {
      if (connection.sentAt === 0 || connection.sentAt > before) continue
      this.#count('timeout')
      connection.sentAt = 0
      connection.socket.destroy()
    }
  }

  #count(error) {
    this.errors[error] = (this.errors[error] ?? 0) + 1
  }

  #leave() {
    this.live -= 1
    if (this.live > 0) return
    for (const timer of this.timers) clearTimeout(timer)
    const seconds = (performance.now() - this.startedAt) / 1_000
    const { samples, statuses, errors, sample } = this
    const count = samples.length
    const broken = Object.values(errors).reduce((sum, times) => sum + times, 0)
    this.resolve({
      ...percentilesOf(samples),
      count,
      seconds,
      perSecond: count / seconds,
      statuses,
      errors,
      faults: broken + this.unexpected,
      sample,
    })
  }
}

function judgeOf(expect) {
  if (expect === undefined) return ({ status }) => status >= 200 && status < 300
  const { status, text } = expect
  if (text === undefined) return (reader) => reader.status === status
  return (reader) => reader.status === status && reader.body.includes(text)
}
