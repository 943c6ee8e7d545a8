/**
 * Writes pass one by one, in the order in which they came, and not more at once than can be served well.
 *
 * There is a limit for each thing that goes wrong without one. At most `startsPerTurn` writes begin in one turn of the
 * event loop: were a thousand that arrive together all begun together, replies and timers would wait behind them,
 * validators that answered in time would look late, and their places would be taken by calls whose answers lie unread.
 * At most `insideMax` are being served or wait: what is more, or has waited for `waitMaxMs`, is turned away. And none
 * begins while the event loop itself is late time after time. Refusing must cost next to nothing, or it becomes the
 * overload itself: no routing, no key, no body, one small answer.
 *
 * Reads, settings and the end of an approval that was begun do not pass here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock, Ids, Journal } from '../../app/ports.ts'
import { getOrAdd } from '../../domain/maps.ts'
import { acceptedLanguages } from '../../domain/message.ts'
import { Problem } from '../../domain/problem.ts'
import { ANSWER_HEADERS } from './answer-headers.ts'
import type { LoopDelay } from './loop-delay.ts'
import { problemAnswer } from './problem.ts'
import { usableRequestId } from './request-id.ts'

export const DOOR_LIMITS = {
  startsPerTurn: 32,
  insideMax: 2_000,
  waitMaxMs: 1_000,
} as const

const RETRY_AFTER_SECONDS = 1

export type DoorPorts = {
  readonly clock: Clock
  readonly ids: Ids
  readonly journal: Journal
  /** Runs after the loop has seen to everything else; `setImmediate`. */
  readonly nextTurn: (run: () => void) => void
}

type Waiting = {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly sinceMs: number
}

type Serve = (incoming: IncomingMessage, outgoing: ServerResponse) => void

/** How long a request had to wait, which counts against its budget. */
const waits = new WeakMap<IncomingMessage, number>()

/** In milliseconds; 0 for a request that did not have to wait. */
export function waitOf(incoming: IncomingMessage | undefined): number {
  return incoming === undefined ? 0 : (waits.get(incoming) ?? 0)
}

export class FrontDoor {
  readonly #ports: DoorPorts
  readonly #serve: Serve
  readonly #loop: Pick<LoopDelay, 'isOverrun'>
  /** Responses behind others on the same connection, which nobody tells when it closes. */
  readonly #pipelined = new WeakMap<Socket, Set<ServerResponse>>()
  #queue: Waiting[] = []
  #inside = 0
  #startsLeft: number = DOOR_LIMITS.startsPerTurn
  #isTurnDue = false

  constructor(ports: DoorPorts, serve: Serve, loop: Pick<LoopDelay, 'isOverrun'>) {
    this.#ports = ports
    this.#serve = serve
    this.#loop = loop
  }

  /** Writes that wait for their turn. */
  get waiting(): number {
    return this.#queue.length
  }

  /** Writes that wait or are being served. */
  get inside(): number {
    return this.#inside
  }

  readonly enter: Serve = (incoming, outgoing) => {
    if (!isWrite(incoming)) return this.#serve(incoming, outgoing)
    const isFull = this.#inside >= DOOR_LIMITS.insideMax
    if (isFull || this.#loop.isOverrun) return this.#turnAway(incoming, outgoing)
    this.#countInside(incoming, outgoing)
    if (this.#startsLeft > 0) return this.#start(incoming, outgoing)
    this.#queue.push({ incoming, outgoing, sinceMs: this.#ports.clock.monotonicMs() })
  }

  /** Until its response is closed; one that is pipelined behind another hears of nothing but its socket. */
  #countInside(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.#inside += 1
    const pipelined = outgoing.socket === null ? this.#pipelinedOn(incoming.socket) : null
    pipelined?.add(outgoing)
    outgoing.once('close', () => {
      pipelined?.delete(outgoing)
      this.#inside -= 1
    })
  }

  #pipelinedOn(socket: Socket): Set<ServerResponse> {
    return getOrAdd(this.#pipelined, socket, () => {
      const responses = new Set<ServerResponse>()
      socket.once('close', () => {
        for (const response of responses) response.emit('close')
      })
      return responses
    })
  }

  #start(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.#startsLeft -= 1
    if (!this.#isTurnDue) {
      this.#isTurnDue = true
      this.#ports.nextTurn(() => this.#turn())
    }
    this.#serve(incoming, outgoing)
  }

  #turn(): void {
    this.#isTurnDue = false
    this.#startsLeft = DOOR_LIMITS.startsPerTurn
    const now = this.#ports.clock.monotonicMs()
    let taken = 0
    for (const { incoming, outgoing, sinceMs } of this.#queue) {
      if (this.#startsLeft === 0) break
      taken += 1
      if (incoming.socket.destroyed) continue
      if (now - sinceMs > DOOR_LIMITS.waitMaxMs) {
        this.#turnAway(incoming, outgoing)
        continue
      }
      waits.set(incoming, now - sinceMs)
      this.#start(incoming, outgoing)
    }
    if (taken > 0) this.#queue = this.#queue.slice(taken)
  }

  #turnAway(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { ids, journal } = this.#ports
    const sent = incoming.headers['x-request-id']
    const requestId = usableRequestId(typeof sent === 'string' ? sent : undefined, ids)
    const problem = new Problem('overloaded', { retryAfterSeconds: RETRY_AFTER_SECONDS })
    const {
      status,
      text = '',
      headers,
    } = problemAnswer(problem, requestId, acceptedLanguages(incoming.headers['accept-language']))
    outgoing.writeHead(status, {
      ...headers,
      'content-length': Buffer.byteLength(text),
      ...ANSWER_HEADERS,
      'x-request-id': requestId,
    })
    outgoing.end(text)
    journal.record({ kind: 'request.shed' })
  }
}

/** Records of ours, and of the API that is shaped like Bpium's. */
const CHANGES = /^(\/api)?\/v1\/catalogs\/[^/]+\/records(\/[^/]*)?\/?$/

/** What asks validators: `POST /v1/approve`, and every change of a record. */
function isWrite({ method, url = '' }: IncomingMessage): boolean {
  if (method === 'GET') return false
  const path = pathOf(url)
  return path === '/v1/approve' || CHANGES.test(path)
}

/** As the router will read it: whole URLs and percent-encoded letters are no way around the door. */
function pathOf(url: string): string {
  const isPlain = url.startsWith('/') && !url.includes('%')
  const path =
    isPlain || !URL.canParse(url, 'http://door') ? url : new URL(url, 'http://door').pathname
  return decoded(path.split('?', 1)[0] ?? '')
}

/** What `decodeURI` leaves as it is: `#`, `$`, `&`, `+`, `,`, `/`, `:`, `;`, `=`, `?` and `@`. */
const STAYS_ENCODED: ReadonlySet<string> = new Set(
  ['#', '$', '&', '+', ',', '/', ':', ';', '=', '?', '@'].map(
    (one) => `%${one.charCodeAt(0).toString(16)}`,
  ),
)

function decoded(path: string): string {
  if (!path.includes('%')) return path
  return path.replace(/%[2-7][0-9a-f]/gi, (code) =>
    STAYS_ENCODED.has(code.toLowerCase())
      ? code
      : String.fromCharCode(Number.parseInt(code.slice(1), 16)),
  )
}
