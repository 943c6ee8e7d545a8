/** A subscriber on loopback whose behaviour a test chooses, and which remembers what it was sent. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'

export type Received = {
  readonly method: string
  readonly path: string
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
  readonly json: any
}

export type Behaviour = (request: Received, response: http.ServerResponse) => void | Promise<void>

export type ValidatorServer = {
  readonly url: string
  readonly received: Received[]
  behave: Behaviour
  /** Resolves with the next request that arrives, or the nth from now. */
  next(count?: number): Promise<Received>
  close(): Promise<void>
}

export const reply =
  (status: number, body: unknown, headers: Record<string, string> = {}): Behaviour =>
  (_request, response) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(text)
  }

export const allow = reply(200, { decision: 'allow' })
export const deny = (text: string, extra: Record<string, unknown> = {}): Behaviour =>
  reply(200, { decision: 'deny', errors: [{ message: text, ...extra }] })
/** Takes the request and never answers. */
export const hang: Behaviour = () => {}

export async function startValidator(behave: Behaviour = allow): Promise<ValidatorServer> {
  const received: Received[] = []
  const waiting: { at: number; tell: (request: Received) => void }[] = []
  const server = http.createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('error', () => {})
    incoming.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8')
      const request: Received = {
        method: incoming.method ?? '',
        path: incoming.url ?? '',
        headers: incoming.headers,
        text,
        json: text === '' ? undefined : JSON.parse(text),
      }
      received.push(request)
      for (const one of waiting.splice(0)) {
        if (received.length >= one.at) one.tell(request)
        else waiting.push(one)
      }
      void self.behave(request, response)
    })
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const self: ValidatorServer = {
    url: `http://127.0.0.1:${port}`,
    received,
    behave,
    next: (count = 1) => new Promise((tell) => waiting.push({ at: received.length + count, tell })),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return self
}
