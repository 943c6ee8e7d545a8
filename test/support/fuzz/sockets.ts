/** Requests as bytes on a socket: what no HTTP client would send. */
import net from 'node:net'
import { Chance } from './chance.ts'
import { flipped } from './mutate.ts'
import type { FuzzAnswer } from './oracle.ts'
import type { FuzzRequest } from './requests.ts'

/** One that is neither answered nor closed by then hangs. */
const HUNG_MS = 20_000

export type Wire = { readonly bytes: Buffer; readonly breaksOff: boolean }

/** The bytes of a request, most of the time with something wrong. */
export function wireOf(request: FuzzRequest, index: number, seed: number): Wire {
  const chance = new Chance(Math.imul(seed, 7_919) + index)
  const whole = Buffer.concat([head(request, chance), framed(request, chance)])
  const breaksOff = chance.happens(0.05)
  if (chance.happens(0.4)) return { bytes: whole, breaksOff }
  return { bytes: Buffer.from(mangled(whole, chance)), breaksOff }
}

const LINES = [
  'Host: other.example',
  'Host:',
  'Host: [::1',
  'Host: a b',
  'Host: \u00e9.example',
  'Content-Length: 5',
  'Content-Length: +5',
  'Content-Length: 0x5',
  'Content-Length : 5',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding:\tchunked',
  'Expect: 100-continue',
  'Expect: 200-ok',
  'Upgrade: websocket\r\nConnection: Upgrade',
  'Connection: keep-alive, close',
  'X-A: b\r\n folded',
  'X-A\u0000: b',
  ': no name',
  'no colon',
  `X-Long: ${'x'.repeat(17_000)}`,
  `X-Many: 1\r\n`.repeat(1_200).trimEnd(),
  'Authorization: Bearer a\r\nAuthorization: Bearer b',
  'Content-Type: application/json\r\nContent-Type: text/plain',
  'Trailer: X-A',
  'TE: trailers',
] as const

const TARGETS = [
  '*',
  'http://other.example/v1/approve',
  'https://[::1',
  '//a/b',
  '/\\a',
  '/a b',
  'v1',
  '',
  '/%',
  '/\u00ff',
  '/#a',
  '?a=b',
  'http://',
  '/'.padEnd(20_000, 'x'),
] as const

const METHODS = [
  'get',
  'CONNECT',
  'TRACE',
  'PRI',
  'M-SEARCH',
  '',
  'POST POST',
  'X'.repeat(40),
] as const
const VERSIONS = [
  'HTTP/1.0',
  'HTTP/0.9',
  'HTTP/2.0',
  'HTTP/1.1 x',
  'http/1.1',
  'HTTP/1.9',
  '',
] as const

function head({ method, path, headers, body }: FuzzRequest, chance: Chance): Buffer {
  const asked = chance.happens(0.04) ? chance.pick(METHODS) : method
  const target = chance.happens(0.05) ? chance.pick(TARGETS) : path
  const version = chance.happens(0.05) ? chance.pick(VERSIONS) : 'HTTP/1.1'
  const own = Object.entries(headers).filter(([name]) => body === null || name !== 'content-length')
  const lines = own.map(([name, value]) => `${name}: ${value}`)
  if (!chance.happens(0.03)) lines.unshift('Host: 127.0.0.1')
  for (let count = chance.below(5) - 2; count > 0; count--) {
    lines.splice(chance.below(lines.length + 1), 0, chance.pick(LINES))
  }
  if (chance.happens(0.5)) lines.push('Connection: close')
  const end = chance.happens(0.03) ? '\n' : '\r\n'
  const text = [`${asked} ${target} ${version}`, ...lines].join(end)
  return Buffer.from(text, chance.happens(0.5) ? 'latin1' : 'utf8')
}

/** The end of the head and the body, framed in one of the two ways or wrongly. */
function framed({ body }: FuzzRequest, chance: Chance): Buffer {
  if (body === null) return Buffer.from('\r\n\r\n')
  if (chance.happens(0.7)) {
    const length = chance.happens(0.1) ? chance.below(2 * body.length + 2) : body.length
    return Buffer.concat([Buffer.from(`\r\nContent-Length: ${length}\r\n\r\n`), body])
  }
  const size = chance.happens(0.8) ? body.length.toString(16) : chance.pick(SIZES)
  const end = chance.happens(0.8) ? '\r\n0\r\n\r\n' : chance.pick(ENDS)
  const before = `\r\nTransfer-Encoding: chunked\r\n\r\n${size}\r\n`
  return Buffer.concat([Buffer.from(before), body, Buffer.from(end)])
}

const SIZES = [
  '-1',
  'ffffffffffffffff',
  'x',
  '',
  '5;a=b',
  `1${';a'.repeat(10_000)}`,
  '0x5',
] as const
const ENDS = [
  '\r\n0\r\n',
  '0\r\n\r\n',
  '\r\n0\r\nX-Trailer: 1\r\n\r\n',
  '',
  '\r\n\r\n',
  '\r\n-1\r\n',
] as const

const PREAMBLES = [
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\u0016\u0003\u0001',
  '\r\n\r\n\r\n',
  'GET /\r\n',
  '\u0000',
] as const

function mangled(bytes: Buffer, chance: Chance): Uint8Array {
  switch (chance.below(6)) {
    case 0:
      return bytes.subarray(0, chance.below(bytes.length + 1))
    case 1:
      return Buffer.concat([Buffer.from(chance.pick(PREAMBLES), 'latin1'), bytes])
    case 2:
      return Buffer.concat([bytes, bytes])
    case 3:
      return Buffer.concat([bytes, Buffer.from('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n')])
    case 4:
      return flipped(bytes.subarray(0, 2_000), chance)
    default:
      return bytes
  }
}

export type Exchange = { readonly answers: readonly FuzzAnswer[]; readonly hung: boolean }

/** Sends the bytes, ends its side, and reads until the other side has ended too. */
export function exchange(url: string, { bytes, breaksOff }: Wire): Promise<Exchange> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let hung = false
    const socket = net.connect(Number(port), hostname)
    socket.setTimeout(HUNG_MS, () => {
      hung = true
      socket.destroy()
    })
    socket.on('data', (chunk: Buffer) => void chunks.push(chunk))
    // A reset is how a server may end what it does not want to read.
    socket.on('error', () => {})
    socket.on('close', () => {
      const asksForHead = bytes.includes('HEAD ')
      resolve({ answers: answersIn(Buffer.concat(chunks), asksForHead), hung })
    })
    if (breaksOff) socket.write(bytes, () => socket.destroy())
    else socket.end(bytes)
  })
}

/** The answers that arrived whole. */
export function answersIn(received: Buffer, asksForHead: boolean): FuzzAnswer[] {
  const answers: FuzzAnswer[] = []
  let rest = received
  for (;;) {
    const end = rest.indexOf('\r\n\r\n')
    if (end === -1) return answers
    const [line = '', ...lines] = rest.subarray(0, end).toString('latin1').split('\r\n')
    const headers = new Map(
      lines.map((one) => {
        const at = one.indexOf(':')
        return [one.slice(0, at).toLowerCase(), one.slice(at + 1).trim()] as const
      }),
    )
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(line)?.[1] ?? 599)
    rest = rest.subarray(end + 4)
    if (status < 200) continue
    const body = bodyIn(rest, headers)
    if (body === null) return [...answers, { status, headers, text: '', hasBody: false }]
    answers.push({ status, headers, text: body.text, hasBody: !asksForHead })
    rest = asksForHead ? Buffer.alloc(0) : rest.subarray(body.length)
  }
}

type Body = { readonly text: string; readonly length: number }

/** Null when it did not arrive whole. */
function bodyIn(rest: Buffer, headers: ReadonlyMap<string, string>): Body | null {
  if (headers.get('transfer-encoding') === 'chunked') return chunkedIn(rest)
  const length = Number(headers.get('content-length') ?? 0)
  if (rest.length < length) return null
  return { text: rest.subarray(0, length).toString('utf8'), length }
}

function chunkedIn(rest: Buffer): Body | null {
  const chunks: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = rest.indexOf('\r\n', at)
    if (lineEnd === -1) return null
    const size = Number.parseInt(rest.subarray(at, lineEnd).toString('latin1'), 16)
    const start = lineEnd + 2
    if (Number.isNaN(size) || rest.length < start + size + 2) return null
    if (size === 0) return { text: Buffer.concat(chunks).toString('utf8'), length: start + 2 }
    chunks.push(rest.subarray(start, start + size))
    at = start + size + 2
  }
}
