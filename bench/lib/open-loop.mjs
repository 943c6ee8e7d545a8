/** The arrivals, sockets and counts of open-load.mjs. */
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { ResponseReader } from './load.mjs'
import { percentilesOf } from './statistics.mjs'

const TIMEOUT_MS = 15_000
const PATIENCE_MS = 60_000
const CONNECT_TIMEOUT_MS = 20_000
const RECONNECT_AFTER_MS = 20
const WATCH_EVERY_MS = 250
/** So many connections are opened at once: more would not fit into the listening socket's queue. */
const OPENED_TOGETHER = 100
export const WINDOW_MS = 250

/**
 * @typedef {object} PhaseResult
 * @property {string} name
 * @property {number} seconds
 * @property {number} due How many requests were due.
 * @property {number} sent
 * @property {number} unsent Found no connection for as long as patience lasts.
 * @property {number} good Answers as expected to requests of this phase.
 * @property {number} goodPerSecond Answers as expected that arrived while the phase lasted.
 * @property {number} refused Answers of 429 or 503.
 * @property {number} refusedUntimed Those of them without Retry-After.
 * @property {number} unexpected Any other answer.
 * @property {number} lost Sent, and never answered.
 * @property {Record<string, number>} statuses
 * @property {Record<string, number>} watched
 * @property {object} latency Percentiles of good answers, from when they were due, in milliseconds.
 * @property {readonly { at: number, good: number, refused: number, p50: number, p99: number }[]} windows
 *   By when requests were due, from the start of the phase.
 */

export class OpenLoop {
  #order
  #idle = []
  #connections = new Set()
  #waiting = []
  #waitingFrom = 0
  #phases = []
  #current = null
  #errors = {}
  #sample = null
  #sequence = 0
  #open = 0
  #isOver = false

  constructor(order) {
    this.#order = { timeoutMs: TIMEOUT_MS, patienceMs: PATIENCE_MS, watch: [], ...order }
  }

  async run() {
    await this.#connectAll()
    const watch = setInterval(() => this.#giveUp(), WATCH_EVERY_MS)
    for (const phase of this.#order.phases) await this.#runPhase(phase)
    await this.#untilAnswered()
    clearInterval(watch)
    this.#isOver = true
    for (const { socket } of this.#connections) socket.destroy()
    const phases = this.#phases.map(resultOf)
    return { phases, errors: this.#errors, sample: this.#sample }
  }

  // ---- connections

  async #connectAll() {
    const { connections } = this.#order
    const end = performance.now() + CONNECT_TIMEOUT_MS
    while (this.#connections.size < connections) {
      const target = Math.min(connections, this.#connections.size + OPENED_TOGETHER)
      while (this.#connections.size < target) this.#connect()
      while (this.#idle.length < target) {
        if (performance.now() > end)
          throw new Error(`no connection: ${JSON.stringify(this.#errors)}`)
        await sleep(1)
      }
    }
  }

  #connect() {
    const socket = connect({ host: '127.0.0.1', port: this.#order.port, noDelay: true })
    socket.setEncoding('latin1')
    const connection = { socket, reader: new ResponseReader(), request: null, sentAt: 0 }
    this.#connections.add(connection)
    socket.on('connect', () => this.#release(connection))
    socket.on('data', (text) => this.#receive(connection, text))
    socket.on('error', ({ code, message }) => this.#count(code ?? message))
    socket.on('close', () => this.#closed(connection))
  }

  #closed(connection) {
    this.#connections.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at !== -1) this.#idle.splice(at, 1)
    if (this.#isOver) return
    if (connection.request !== null) {
      this.#count('closed')
      this.#settle(connection).lost += 1
    }
    setTimeout(() => {
      if (!this.#isOver) this.#connect()
    }, RECONNECT_AFTER_MS)
  }

  // ---- arrivals

  #runPhase({ name, perSecond, seconds }) {
    const startedAt = performance.now()
    const phase = newPhase({ name, seconds, startedAt, watch: this.#order.watch })
    this.#phases.push(phase)
    this.#current = phase
    const total = Math.round(perSecond * seconds)
    return new Promise((resolve) => {
      const tick = () => {
        const elapsedMs = performance.now() - startedAt
        const dueNow = Math.min(total, Math.floor((elapsedMs / 1_000) * perSecond) + 1)
        while (phase.due < dueNow) this.#arrive(phase, startedAt + (phase.due * 1_000) / perSecond)
        if (elapsedMs >= seconds * 1_000) resolve()
        else setTimeout(tick, 1)
      }
      tick()
    })
  }

  #arrive(phase, dueAt) {
    phase.due += 1
    const request = { phase, dueAt }
    // The one that has been idle longest: all stay in use, so none is closed for idleness.
    const connection = this.#idle.shift()
    if (connection === undefined) this.#waiting.push(request)
    else this.#send(connection, request)
  }

  #send(connection, request) {
    connection.request = request
    connection.sentAt = performance.now()
    connection.reader.reset()
    request.phase.sent += 1
    this.#open += 1
    connection.socket.write(this.#order.make(this.#sequence++))
  }

  #release(connection) {
    this.#dropImpatient()
    if (this.#waitingFrom < this.#waiting.length) {
      this.#send(connection, this.#waiting[this.#waitingFrom++])
    } else {
      this.#idle.push(connection)
    }
  }

  #dropImpatient(oldest = performance.now() - this.#order.patienceMs) {
    while (this.#waitingFrom < this.#waiting.length) {
      const { dueAt, phase } = this.#waiting[this.#waitingFrom]
      if (dueAt >= oldest) return
      phase.unsent += 1
      this.#waitingFrom += 1
    }
    this.#waiting = []
    this.#waitingFrom = 0
  }

  // ---- answers

  #receive(connection, text) {
    const { reader, request } = connection
    if (request === null || !reader.push(text)) return
    const phase = this.#settle(connection)
    phase.statuses[reader.status] = (phase.statuses[reader.status] ?? 0) + 1
    if (reader.status === 200) this.#readAnswer(reader, request)
    else if (reader.status === 429 || reader.status === 503) this.#readRefusal(reader, request)
    else this.#unexpected(reader, phase)
    if (reader.closes) connection.socket.destroy()
    else this.#release(connection)
  }

  #settle(connection) {
    const { phase } = connection.request
    connection.request = null
    this.#open -= 1
    return phase
  }

  #readAnswer(reader, { phase, dueAt }) {
    for (const text of this.#order.watch) {
      if (reader.body.includes(text)) phase.watched[text] += 1
    }
    if (!reader.body.includes(this.#order.expect)) return this.#unexpected(reader, phase)
    const now = performance.now()
    phase.good.push({ at: dueAt - phase.startedAt, latencyMs: now - dueAt })
    if (this.#current !== null && now <= endOf(this.#current)) this.#current.arrived += 1
  }

  #readRefusal(reader, { phase, dueAt }) {
    phase.refused.push(dueAt - phase.startedAt)
    if (!reader.head.includes('\r\nretry-after:')) phase.refusedUntimed += 1
  }

  #unexpected(reader, phase) {
    phase.unexpected += 1
    this.#sample ??= `${reader.status} ${reader.body.slice(0, 400)}`
  }

  // ---- the end

  /** Cuts what was not answered in time. */
  #giveUp() {
    this.#dropImpatient()
    const before = performance.now() - this.#order.timeoutMs
    for (const connection of this.#connections) {
      if (connection.request !== null && connection.sentAt < before) connection.socket.destroy()
    }
  }

  async #untilAnswered() {
    this.#current = null
    const end = performance.now() + this.#order.timeoutMs
    while (this.#open > 0 || this.#waitingFrom < this.#waiting.length) {
      if (performance.now() > end) this.#dropImpatient(Infinity)
      await sleep(10)
    }
  }

  #count(error) {
    this.#errors[error] = (this.#errors[error] ?? 0) + 1
  }
}

const endOf = ({ startedAt, seconds }) => startedAt + seconds * 1_000

const newPhase = ({ watch, ...rest }) => ({
  ...rest,
  due: 0,
  sent: 0,
  unsent: 0,
  arrived: 0,
  lost: 0,
  unexpected: 0,
  refusedUntimed: 0,
  statuses: {},
  watched: Object.fromEntries(watch.map((text) => [text, 0])),
  good: [],
  refused: [],
})

/** @returns {PhaseResult} */
function resultOf({ startedAt, arrived, good, refused, ...counts }) {
  void startedAt
  return {
    ...counts,
    good: good.length,
    goodPerSecond: arrived / counts.seconds,
    refused: refused.length,
    latency: percentilesOf(good.map(({ latencyMs }) => latencyMs)),
    windows: windowsOf(counts.seconds, good, refused),
  }
}

function windowsOf(seconds, good, refused) {
  const windows = Array.from({ length: Math.ceil((seconds * 1_000) / WINDOW_MS) }, () => ({
    latencies: [],
    refused: 0,
  }))
  const of = (at) => windows[Math.min(windows.length - 1, Math.floor(at / WINDOW_MS))]
  for (const { at, latencyMs } of good) of(at).latencies.push(latencyMs)
  for (const at of refused) of(at).refused += 1
  return windows.map(({ latencies, refused: count }, index) => {
    const { p50, p99 } = percentilesOf(latencies)
    return { at: index * WINDOW_MS, good: latencies.length, refused: count, p50, p99 }
  })
}
