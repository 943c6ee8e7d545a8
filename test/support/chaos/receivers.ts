/**
 * Receivers of notifications that are as bad as receivers are: they refuse some, answer some so late that
 * nobody waits any more, and are gone for a while. What they write down is what arrived and whether they
 * accepted it. One whose sender hung up before it was done has accepted nothing: it rolled back.
 */
import { randomBytes } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Webhook } from 'standardwebhooks'
import type { Receipt } from './check-ledger.ts'
import { type Chance, chanceFrom } from './seeded.ts'

export type Temper = {
  /** Shares of the requests. */
  readonly refuses: number
  readonly answersLate: number
  /** How long it takes to accept one. */
  readonly takesMs: number
  /** When a late answer comes: after the gateway's patience. */
  readonly lateMs: number
}

/** What the receivers saw, all of them together. */
export type Book = {
  readonly receipts: Receipt[]
  refused: number
  late: number
  /** Connections that were turned away while a receiver was gone. */
  turnedAway: number
  hungUp: number
  /** Being accepted just now. */
  held: number
}

export const newBook = (): Book => ({
  receipts: [],
  refused: 0,
  late: 0,
  turnedAway: 0,
  hungUp: 0,
  held: 0,
})

export type Receiver = {
  readonly name: string
  readonly url: string
  readonly secret: string
  /** Breaks off every connection, and lets nobody in until so much time has passed. */
  readonly goAway: (forMs: number) => void
  readonly close: () => Promise<void>
}

export type ReceiverOptions = {
  readonly name: string
  readonly seed: string
  readonly temper: Temper
  readonly book: Book
}

export async function startReceiver({
  name,
  seed,
  temper,
  book,
}: ReceiverOptions): Promise<Receiver> {
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  const desk = new Desk({ name, webhook: new Webhook(secret), temper, book }, chanceFrom(seed))
  const server = http.createServer((request, response) => void desk.serve(request, response))
  let isAway = false
  server.on('connection', (socket) => {
    if (!isAway) return
    book.turnedAway++
    socket.destroy()
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const goAway = (forMs: number) => {
    isAway = true
    server.closeAllConnections()
    void pause(forMs).then(() => {
      isAway = false
    })
  }
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { name, url: `http://127.0.0.1:${port}/told`, secret, goAway, close }
}

type DeskOptions = {
  readonly name: string
  readonly webhook: Webhook
  readonly temper: Temper
  readonly book: Book
}

class Desk {
  readonly #options: DeskOptions
  readonly #chance: Chance

  constructor(options: DeskOptions, chance: Chance) {
    this.#options = options
    this.#chance = chance
  }

  async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    // A body that is cut off never was a request.
    const body = await textOf(request).catch(() => null)
    if (body === null) return
    const { temper, book } = this.#options
    const arrival = this.#read(request, body)
    const draw = this.#chance.next()
    if (draw < temper.refuses) {
      book.refused++
      book.receipts.push({ ...arrival, isAccepted: false })
      response.writeHead(500).end()
    } else if (draw < temper.refuses + temper.answersLate) {
      book.late++
      book.receipts.push({ ...arrival, isAccepted: true })
      await pause(temper.lateMs)
      response.writeHead(204).end()
    } else {
      await this.#accept(arrival, response)
    }
  }

  async #accept(
    arrival: Omit<Receipt, 'isAccepted'>,
    response: http.ServerResponse,
  ): Promise<void> {
    const { temper, book } = this.#options
    book.held++
    await pause(temper.takesMs)
    book.held--
    const isAccepted = !hasHungUp(response)
    if (!isAccepted) book.hungUp++
    book.receipts.push({ ...arrival, isAccepted })
    response.writeHead(204).end()
  }

  #read({ headers }: http.IncomingMessage, body: string): Omit<Receipt, 'isAccepted'> {
    const { name, webhook } = this.#options
    const { data } = JSON.parse(body)
    return {
      receiver: name,
      number: Number(data.sequenceId),
      webhookId: String(headers['webhook-id']),
      decisionId: String(data.decisionId),
      body,
      isGenuine: isGenuine(webhook, body, headers),
    }
  }
}

async function textOf(request: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function isGenuine(webhook: Webhook, body: string, headers: http.IncomingHttpHeaders): boolean {
  try {
    webhook.verify(body, headers as Record<string, string>)
    return true
  } catch {
    return false
  }
}

/** A process that was killed closes its end of the connection; somebody who waits keeps it open. */
const hasHungUp = ({ socket }: http.ServerResponse): boolean =>
  socket === null || socket.destroyed || socket.readableEnded
