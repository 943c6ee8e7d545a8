/**
 * Reads one HTTP/1.1 reply from the bytes of a connection (RFC 9112), as they come.
 *
 * It is narrow on purpose. What two readers could understand differently is not understood here at all:
 * two lengths, a length beside a transfer coding, folded header lines, bare line feeds, white space before
 * a colon, codings other than chunked, an interim reply with a body. Such a reply is a ReplyFault, and the
 * connection that brought it is not used again. Nor is one that has more bytes than its reply, which are
 * nobody's answer, or one whose reply speaks of a body that its status forbids, which may still come.
 *
 * How the bytes are cut into chunks changes nothing of what is told, limits included.
 */

export type ReplyHeaders = Readonly<Record<string, string | string[] | undefined>>

/** Told in this order: any number of interim heads (1xx), the head, the body in pieces, the end. */
export interface ReplyListener {
  onHead(status: number, headers: ReplyHeaders): void
  onBody(chunk: Buffer): void
  onEnd(): void
}

/** It spoke, but not HTTP as agreed. */
export class ReplyFault extends Error {
  readonly code = 'ASSENT_REPLY_FAULT'

  constructor(message: string) {
    super(message)
    this.name = 'ReplyFault'
  }
}

/** Status line and headers together. Once more: what comes beside a body's bytes. */
export const HEAD_BYTES_MAX = 16 * 1024
const HEAD_END = '\r\n\r\n'
/** A chunk's size in hexadecimal, with whatever extensions follow it. */
const CHUNK_LINE_BYTES_MAX = 1_024

const PROTOCOL = 'HTTP/1.'
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Header lines none of which is to be refused, told at one look; the rest is only to say what is wrong. */
const GOOD_HEADERS = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*(?:\r\n|$))*$/
const CHUNK_LINE = /^([0-9a-fA-F]{1,8})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/

const NOTHING = Buffer.alloc(0)

type State =
  | 'head'
  | 'sized'
  | 'chunkSize'
  | 'chunk'
  | 'chunkEnd'
  | 'trailer'
  | 'untilClose'
  | 'over'

export class ReplyParser {
  readonly #listener: ReplyListener
  #state: State = 'head'
  /** A head or a line that is not complete yet. */
  readonly #rest = new Gathered()
  #hasReadStatusLine = false
  /** Bytes that the body, or its current chunk, still has to come. */
  #left = 0
  /** Extensions of chunks and trailers. */
  #bytesBeside = 0
  #staysOpen = true

  constructor(listener: ReplyListener) {
    this.#listener = listener
  }

  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** Whether the connection may be used for another request, once the reply is over. */
  get staysOpen(): boolean {
    return this.#staysOpen
  }

  /** Throws ReplyFault. */
  push(bytes: Buffer): void {
    let chunk: Buffer | null = bytes
    while (chunk !== null && chunk.length > 0) {
      if (this.#state === 'over') {
        this.#staysOpen = false
        return
      }
      chunk = this.#step(chunk)
    }
  }

  /** The other side has closed. Returns whether the reply was complete. */
  close(): boolean {
    if (this.#state === 'untilClose') this.#end()
    return this.#state === 'over'
  }

  /** Takes what it can of the chunk, and returns the rest. */
  #step(chunk: Buffer): Buffer | null {
    switch (this.#state) {
      case 'head':
        return this.#head(chunk)
      case 'sized':
      case 'chunk':
        return this.#bytes(chunk)
      case 'chunkSize':
        return this.#line(chunk, CHUNK_LINE_BYTES_MAX, (line) => this.#chunkSize(line))
      case 'chunkEnd':
        return this.#line(chunk, 0, () => {
          this.#state = 'chunkSize'
        })
      case 'trailer':
        return this.#line(chunk, HEAD_BYTES_MAX, (line) => this.#trailer(line))
      case 'untilClose':
        this.#listener.onBody(chunk)
        return null
      case 'over':
        return null
    }
  }

  #head(chunk: Buffer): Buffer | null {
    const searched = Math.max(0, this.#rest.length - HEAD_END.length + 1)
    const bytes = this.#rest.add(chunk)
    const end = bytes.indexOf(HEAD_END, searched)
    if ((end === -1 ? bytes.length - HEAD_END.length + 1 : end) > HEAD_BYTES_MAX) {
      throw new ReplyFault(`the headers have more than ${HEAD_BYTES_MAX} bytes`)
    }
    if (end === -1) {
      if (!this.#hasReadStatusLine) this.#refuseEarly(bytes)
      return null
    }
    this.#rest.clear()
    this.#hasReadStatusLine = false
    this.#readHead(bytes.toString('latin1', 0, end))
    return bytes.subarray(end + HEAD_END.length)
  }

  /** What cannot become a head any more is not waited for: it may be another protocol, and stay silent. */
  #refuseEarly(bytes: Buffer): void {
    const start = bytes.toString('latin1', 0, PROTOCOL.length)
    if (!PROTOCOL.startsWith(start)) throw new ReplyFault('this is not HTTP/1.1')
    const line = bytes.indexOf('\n')
    if (line === -1) return
    if (bytes[line - 1] !== 0x0d) throw new ReplyFault('a line does not end as it should')
    readStatusLine(bytes.toString('latin1', 0, line - 1))
    this.#hasReadStatusLine = true
  }

  #readHead(text: string): void {
    const lineEnd = text.indexOf('\r\n')
    const { minor, status } = readStatusLine(lineEnd === -1 ? text : text.slice(0, lineEnd))
    const headers = readHeaders(lineEnd === -1 ? '' : text.slice(lineEnd + 2))
    if (status === 101) throw new ReplyFault('it wants to speak another protocol')
    if (status < 200) {
      refuseInterimBody(headers)
      return this.#listener.onHead(status, headers)
    }
    this.#staysOpen = minor === '1' && !listOf(headers['connection']).includes('close')
    this.#expectBody(status, minor, headers)
    this.#listener.onHead(status, headers)
    if (this.#state === 'sized' && this.#left === 0) this.#end()
  }

  /** RFC 9112 §6.3, without what is ambiguous. */
  #expectBody(status: number, minor: string, headers: ReplyHeaders): void {
    const length = headers['content-length']
    const coding = headers['transfer-encoding']
    this.#state = 'sized'
    this.#left = 0
    if (coding !== undefined) {
      if (length !== undefined) throw new ReplyFault('it has a length and a transfer coding')
      if (minor === '0' || typeof coding !== 'string' || coding.toLowerCase() !== 'chunked') {
        throw new ReplyFault('it has a transfer coding that is not chunked')
      }
    }
    if (length !== undefined && (typeof length !== 'string' || !/^\d{1,15}$/.test(length))) {
      throw new ReplyFault('its length is not one number')
    }
    if (status === 204 || status === 304) {
      if (coding !== undefined || Number(length ?? 0) > 0) this.#staysOpen = false
      return
    }
    if (coding !== undefined) this.#state = 'chunkSize'
    else if (length !== undefined) this.#left = Number(length)
    else {
      this.#state = 'untilClose'
      this.#staysOpen = false
    }
  }

  #bytes(chunk: Buffer): Buffer | null {
    const isWhole = chunk.length >= this.#left
    const piece = chunk.length > this.#left ? chunk.subarray(0, this.#left) : chunk
    const rest = isWhole ? chunk.subarray(this.#left) : null
    this.#left -= piece.length
    this.#listener.onBody(piece)
    if (!isWhole) return null
    if (this.#state === 'chunk') this.#state = 'chunkEnd'
    else this.#end()
    return rest
  }

  #line(chunk: Buffer, bytesMax: number, read: (line: string) => void): Buffer | null {
    const searched = this.#rest.length
    const bytes = this.#rest.add(chunk)
    const end = bytes.indexOf('\n', searched)
    if ((end === -1 ? bytes.length : end) > bytesMax + 1) throw new ReplyFault('a line is too long')
    if (end === -1) return null
    this.#rest.clear()
    if (bytes[end - 1] !== 0x0d) throw new ReplyFault('a line does not end as it should')
    read(bytes.toString('latin1', 0, end - 1))
    return bytes.subarray(end + 1)
  }

  #chunkSize(line: string): void {
    const size = CHUNK_LINE.exec(line)?.[1]
    if (size === undefined) throw new ReplyFault('a chunk has no size')
    this.#countBeside(line.length - size.length)
    this.#left = Number.parseInt(size, 16)
    this.#state = this.#left === 0 ? 'trailer' : 'chunk'
  }

  /** Trailers say nothing that anybody here wants to know, but they must be some. */
  #trailer(line: string): void {
    if (line === '') return this.#end()
    this.#countBeside(line.length + 2)
    readHeaders(line)
  }

  /** Whoever counts the bytes of the body does not see these. */
  #countBeside(bytes: number): void {
    this.#bytesBeside += bytes
    if (this.#bytesBeside > HEAD_BYTES_MAX)
      throw new ReplyFault('there is too much beside the body')
  }

  #end(): void {
    this.#state = 'over'
    this.#listener.onEnd()
  }
}

/** Bytes that come in pieces, put together without copying all of them for each new piece. */
class Gathered {
  #bytes: Buffer = NOTHING
  #length = 0

  get length(): number {
    return this.#length
  }

  /** All that has come until now. Valid until the next piece. */
  add(piece: Buffer): Buffer {
    const start = this.#length
    this.#length += piece.length
    if (start === 0) {
      this.#bytes = piece
      return piece
    }
    if (this.#length > this.#bytes.length) {
      const wider = Buffer.allocUnsafeSlow(2 * this.#length)
      this.#bytes.copy(wider, 0, 0, start)
      this.#bytes = wider
    }
    piece.copy(this.#bytes, start)
    return this.#bytes.subarray(0, this.#length)
  }

  /** Lets go of the bytes, which others may keep parts of. */
  clear(): void {
    this.#bytes = NOTHING
    this.#length = 0
  }
}

/** Some readers would take its body for the beginning of the next reply, others would not. */
function refuseInterimBody(headers: ReplyHeaders): void {
  const length = headers['content-length']
  if (headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')) {
    throw new ReplyFault('an interim reply has a body')
  }
}

function readStatusLine(line: string): { minor: string; status: number } {
  const [, minor, status] = STATUS_LINE.exec(line) ?? []
  if (minor === undefined || status === undefined) throw new ReplyFault('this is not HTTP/1.1')
  return { minor, status: Number(status) }
}

function readHeaders(lines: string): ReplyHeaders {
  if (!GOOD_HEADERS.test(lines)) throw headerFault(lines)
  const headers: Record<string, string | string[]> = {}
  let at = 0
  while (at < lines.length) {
    const found = lines.indexOf('\r\n', at)
    const end = found === -1 ? lines.length : found
    const colon = lines.indexOf(':', at)
    addHeader(headers, lines.slice(at, colon), lines.slice(colon + 1, end))
    at = end + 2
  }
  return headers
}

function headerFault(lines: string): ReplyFault {
  for (const line of lines.split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon === -1) return new ReplyFault('a header has no colon')
    if (!HEADER_NAME.test(line.slice(0, colon))) {
      return new ReplyFault('a header has an unusable name')
    }
  }
  return new ReplyFault('a header has an unusable value')
}

function addHeader(
  headers: Record<string, string | string[]>,
  rawName: string,
  rawValue: string,
): void {
  const name = rawName.toLowerCase()
  // The one name that an object does not take as a name.
  if (name === '__proto__') return
  // A blank around the coding to one reader, and part of it to another.
  if (name === 'transfer-encoding' && rawValue.includes('\t')) {
    throw new ReplyFault('it has a transfer coding that is not chunked')
  }
  const value = withoutBlanks(rawValue)
  // An object has a `constructor` of its own kind already.
  const earlier = Object.hasOwn(headers, name) ? headers[name] : undefined
  if (earlier === undefined) headers[name] = value
  else if (typeof earlier === 'string') headers[name] = [earlier, value]
  else earlier.push(value)
}

/** Blanks are spaces and tabs; trim() would take more, and so find a length where others find none. */
function withoutBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start += 1
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09

function listOf(header: string | string[] | undefined): string[] {
  if (header === undefined) return []
  return [header].flat().flatMap((line) => line.split(',').map((one) => one.trim().toLowerCase()))
}
