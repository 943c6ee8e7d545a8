import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import fc from 'fast-check'
import { Client } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ReplyFault,
  type ReplyHeaders,
  ReplyParser,
} from '../../src/adapters/outbound/http1/reply-parser.ts'

/** What was told of a reply, pieces of the body put together. */
type Told = {
  readonly heads: readonly (readonly [number, ReplyHeaders])[]
  readonly body: string
  readonly ends: number
  readonly staysOpen: boolean
  readonly fault: unknown
}

/** Feeds the chunks, and then the end of the connection. */
function tell(chunks: readonly Buffer[]): Told {
  const heads: (readonly [number, ReplyHeaders])[] = []
  const pieces: Buffer[] = []
  let ends = 0
  const parser = new ReplyParser({
    onHead: (status, headers) => void heads.push([status, headers]),
    onBody: (piece) => void pieces.push(piece),
    onEnd: () => {
      ends += 1
    },
  })
  let fault: unknown = null
  try {
    for (const chunk of chunks) parser.push(chunk)
    parser.close()
  } catch (error) {
    fault = error
  }
  const body = Buffer.concat(pieces).toString('latin1')
  return { heads, body, ends, staysOpen: parser.staysOpen, fault }
}

/** Which words a fault has may depend on the cut; that there is one may not. */
const comparable = ({ fault, ...told }: Told) => ({ ...told, isFaulty: fault !== null })

// ---- replies that nothing is wrong with

const token = fc.stringMatching(/^[a-z!#$%&'*+.^_`|~-]{1,8}$/)
const value = fc.stringMatching(/^[\t\x20-\x7e\xa0-\xff]{0,12}$/)
const lines = (lists: readonly (readonly [string, string])[]) =>
  lists.map(([name, text]) => `x-${name}: ${text}\r\n`).join('')
const headerLines = fc.array(fc.tuple(token, value), { maxLength: 4 }).map(lines)
const binary = fc
  .uint8Array({ maxLength: 60 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'))

const interim = fc
  .tuple(fc.constantFrom(102, 103), headerLines)
  .map(([status, more]) => `HTTP/1.1 ${status} Wait\r\n${more}\r\n`)

const chunkOf = fc
  .tuple(binary, fc.constantFrom('', '', ';a', ';a="b;c"', ' ; a=b'), fc.boolean())
  .map(([text, extension, isLoud]) => {
    const size = text.length.toString(16)
    return `${isLoud ? size.toUpperCase() : `0${size}`}${extension}\r\n${text}\r\n`
  })
const notEmpty = (chunk: string): boolean => !/^0+[;\s]/.test(chunk)
const chunks = fc
  .tuple(fc.array(chunkOf.filter(notEmpty), { maxLength: 4 }), headerLines)
  .map(([all, trailers]) => `${all.join('')}0\r\n${trailers}\r\n`)

/** The lines that frame a body, and the body as it is written. */
const framed = fc.oneof(
  binary.map((text) => [`Content-Length: ${text.length}\r\n`, text] as const),
  chunks.map((text) => ['transfer-encoding: chunked\r\n', text] as const),
  binary.map((text) => ['', text] as const),
)

const goodReply = fc
  .record({
    before: fc.array(interim, { maxLength: 2 }).map((all) => all.join('')),
    status: fc.constantFrom(200, 200, 201, 302, 404, 500, 599),
    reason: fc.constantFrom(' OK', ' ', ' na\xefve'),
    more: headerLines,
    connection: fc.constantFrom('', 'connection: close\r\n', 'Connection: keep-alive\r\n'),
    frame: framed,
  })
  .map(({ before, status, reason, more, connection, frame: [lengthLine, body] }) => {
    const head = `HTTP/1.1 ${status}${reason}\r\n${more}${lengthLine}${connection}\r\n`
    return before + head + body
  })

const emptyReply = fc
  .tuple(fc.constantFrom(204, 304), headerLines)
  .map(([status, more]) => `HTTP/1.1 ${status} x\r\n${more}\r\n`)

const reply = fc.oneof({ arbitrary: goodReply, weight: 9 }, { arbitrary: emptyReply, weight: 1 })

// ---- what may go wrong with them

/** Bytes and lines that mean something to one reader or another. */
const POISONOUS_BYTES = '\r\n \t:;,01f-+x\0\v\x85\xa0'.split('')
const POISONOUS_TEXTS = [
  '\r\n',
  '\r\n ',
  '\r\n\r\n',
  '0\r\n\r\n',
  'a\n: b',
  'chunked, ',
  '\r\nConnection: close',
  '\r\nContent-Length: 3',
  '\r\ncontent-length: 0',
  '\r\ncontent-length : 1',
  '\r\ncontent-length: 4\xa0',
  '\r\nTransfer-Encoding: chunked',
  '\r\nTransfer-Encoding: identity',
  '\r\ntransfer-encoding:\xa0chunked',
  'HTTP/1.1 103 Wait\r\ncontent-length: 5\r\n\r\n',
  'HTTP/1.1 200 OK\r\n\r\n',
]
const poison = fc.constantFrom(...POISONOUS_BYTES, ...POISONOUS_TEXTS)

type Mutation = {
  readonly kind: 'insert' | 'replace' | 'remove' | 'repeat' | 'cut'
  /** Within the head more often than not. */
  readonly at: readonly ['head' | 'line end' | 'anywhere', number]
  readonly length: number
  readonly text: string
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('insert', 'insert', 'replace', 'remove', 'repeat', 'cut'),
  at: fc.tuple(fc.constantFrom('head', 'line end', 'anywhere'), fc.nat()),
  length: fc.integer({ min: 1, max: 6 }),
  text: poison,
})

function placeOf(text: string, [where, choice]: Mutation['at']): number {
  if (where === 'line end') {
    const ends = Array.from(text.matchAll(/\r\n/g), ({ index }) => index)
    return ends[choice % Math.max(1, ends.length)] ?? 0
  }
  const headEnd = text.indexOf('\r\n\r\n') + 4
  return choice % ((where === 'head' ? headEnd : text.length) + 1)
}

function mutated(text: string, { kind, at, length, text: poisonous }: Mutation): string {
  const place = placeOf(text, at)
  const [before, taken] = [text.slice(0, place), text.slice(place, place + length)]
  const after = text.slice(place + length)
  switch (kind) {
    case 'insert':
      return before + poisonous + taken + after
    case 'replace':
      return before + poisonous + after
    case 'remove':
      return before + after
    case 'repeat':
      return before + taken + taken + after
    case 'cut':
      return before
  }
}

const badReply = fc
  .tuple(reply, fc.array(mutation, { minLength: 1, maxLength: 3 }))
  .map(([text, mutations]) => mutations.reduce(mutated, text))

const anyReply = fc.oneof(reply, badReply)

/** Bytes in pieces: of one byte, of a few, or whole. */
function cut(text: string, sizes: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text, 'latin1')
  const pieces: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? bytes.length
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

describe('a reply that comes in pieces', () => {
  it('is the same reply, however it is cut, right or wrong', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(anyReply, sizes, (text, some) => {
        const whole = comparable(tell(cut(text, [])))
        expect(comparable(tell(cut(text, [1])))).toEqual(whole)
        expect(comparable(tell(cut(text, some)))).toEqual(whole)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('a reply', () => {
  it('that nothing is wrong with is read to its end', () => {
    fc.assert(
      fc.property(reply, (text) => {
        expect(tell(cut(text, []))).toMatchObject({ ends: 1, fault: null })
      }),
      { numRuns: 500 },
    )
  })

  it('that something is wrong with ends once or not at all, and fails as a ReplyFault', () => {
    fc.assert(
      fc.property(badReply, (text) => {
        const { ends, heads, fault } = tell(cut(text, []))
        expect(ends).toBeLessThanOrEqual(1)
        if (fault !== null) expect(fault).toBeInstanceOf(ReplyFault)
        if (fault !== null) expect(ends).toBe(0)
        if (ends === 1) expect(heads.filter(([status]) => status >= 200)).toHaveLength(1)
      }),
      { numRuns: 3_000 },
    )
  })

  it('of any bytes whatsoever fails as a ReplyFault, or waits for more', () => {
    const noise = fc.array(poison, { maxLength: 30 }).map((all) => all.join(''))
    fc.assert(
      fc.property(noise, fc.constantFrom('', 'HTTP/1.1 200 OK\r\n'), (text, start) => {
        const { fault } = tell(cut(start + text, []))
        if (fault !== null) expect(fault).toBeInstanceOf(ReplyFault)
      }),
      { numRuns: 1_000 },
    )
  })
})

// ---- the same bytes, read by somebody else

type Understood = { readonly status: number; readonly body: string }

function understoodHere(text: string): Understood | null {
  const { heads, body, ends } = tell(cut(text, []))
  const [status = 0] = heads.at(-1) ?? []
  return ends === 1 ? { status, body } : null
}

/** Null when undici refuses the reply. */
async function understoodElsewhere(origin: string): Promise<Understood | null> {
  const client = new Client(origin, { maxHeaderSize: 16 * 1024 })
  try {
    const { statusCode, body } = await client.request({ method: 'POST', path: '/', body: '{}' })
    const bytes = Buffer.from(await body.arrayBuffer())
    return { status: statusCode, body: bytes.toString('latin1') }
  } catch {
    return null
  } finally {
    await client.destroy()
  }
}

describe('a reply that another reader understands as well', () => {
  let server: Server
  let origin = ''
  let next = ''

  beforeAll(async () => {
    server = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end(next, 'latin1'))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

  afterAll(async () => {
    server.close()
    await once(server, 'close')
  })

  it('has the same status and the same body there', async () => {
    // As it is understood here, and there.
    const counts = { 'yes yes': 0, 'yes no': 0, 'no yes': 0, 'no no': 0 }
    await fc.assert(
      fc.asyncProperty(anyReply, async (text) => {
        next = text
        const here = understoodHere(text)
        const there = await understoodElsewhere(origin)
        if (here !== null && there !== null) expect(here).toEqual(there)
        counts[`${here === null ? 'no' : 'yes'} ${there === null ? 'no' : 'yes'}`] += 1
      }),
      { numRuns: 400 },
    )
    expect(counts['yes yes']).toBeGreaterThan(100)
    expect(counts['no no']).toBeGreaterThan(10)
  })
})
