import { describe, expect, it } from 'vitest'
import {
  HEAD_BYTES_MAX,
  ReplyFault,
  type ReplyHeaders,
  ReplyParser,
} from '../../../../../src/adapters/outbound/http1/reply-parser.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const SIZED = `${OK}content-length: 2\r\n\r\n`
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`

/** What a parser has told. */
class Heard {
  readonly statuses: number[] = []
  headers: ReplyHeaders = {}
  body = ''
  ends = 0

  onHead(status: number, headers: ReplyHeaders): void {
    this.statuses.push(status)
    this.headers = headers
  }

  onBody(chunk: Buffer): void {
    this.body += chunk.toString('latin1')
  }

  onEnd(): void {
    this.ends += 1
  }
}

/** Feeds the chunks one after the other. */
function fed(...chunks: readonly string[]) {
  const heard = new Heard()
  const parser = new ReplyParser(heard)
  for (const chunk of chunks) parser.push(Buffer.from(chunk, 'latin1'))
  return { heard, parser }
}

function faultOf(...chunks: readonly string[]): unknown {
  try {
    fed(...chunks)
    return 'no fault'
  } catch (error) {
    return error
  }
}

const bytewise = (text: string): string[] => text.split('')

describe('the framing of a reply', () => {
  it.each([
    ['has the length that it states', `${SIZED}ok`, 200, 'ok'],
    ['is empty with a length of nothing', `${OK}content-length: 0\r\n\r\n`, 200, ''],
    ['may state its length between blanks', `${OK}Content-Length: \t 2 \t\r\n\r\nok`, 200, 'ok'],
    ['may come in chunks', `${CHUNKED}1\r\no\r\n1\r\nk\r\n0\r\n\r\n`, 200, 'ok'],
    [
      'may write chunked in any case',
      `${OK}TE: x\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n`,
      200,
      '',
    ],
    [
      'may have a size with zeros and capitals',
      `${CHUNKED}0000000A\r\n0123456789\r\n000\r\n\r\n`,
      200,
      '0123456789',
    ],
    ['may have extensions of chunks', `${CHUNKED}2 ; a="b;c"\r\nok\r\n0;end\r\n\r\n`, 200, 'ok'],
    ['may have trailers', `${CHUNKED}2\r\nok\r\n0\r\nx-sum: 1\r\nx-more: 2\r\n\r\n`, 200, 'ok'],
    ['has no body with 204', 'HTTP/1.1 204 No Content\r\n\r\n', 204, ''],
    [
      'has no body with 304, whatever it states',
      'HTTP/1.1 304 x\r\ncontent-length: 9\r\n\r\n',
      304,
      '',
    ],
    ['may have no reason', 'HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n', 200, ''],
    ['may have an empty reason', 'HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n', 200, ''],
    [
      'may have a reason beyond ASCII',
      'HTTP/1.1 200 na\xefve\r\ncontent-length: 0\r\n\r\n',
      200,
      '',
    ],
    ['may have a status that nobody knows', 'HTTP/1.1 999 x\r\ncontent-length: 0\r\n\r\n', 999, ''],
    ['may come from HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok', 200, 'ok'],
  ])('%s', (_, text, status, body) => {
    for (const chunks of [[text], bytewise(text)]) {
      const { heard, parser } = fed(...chunks)
      expect(heard).toMatchObject({ statuses: [status], body, ends: 1 })
      expect(parser.isOver).toBe(true)
    }
  })

  it('ends with the connection where nothing else says so, and only there', () => {
    const { heard, parser } = fed(`${OK}\r\n`, 'al', 'l')
    expect(heard).toMatchObject({ body: 'all', ends: 0 })
    expect(parser.close()).toBe(true)
    expect(heard.ends).toBe(1)
    expect(parser.close()).toBe(true)
    expect(heard.ends).toBe(1)
  })

  it.each([
    ['nothing', ''],
    ['a part of the head', 'HTTP/1.1 2'],
    ['an interim head', 'HTTP/1.1 103 x\r\n\r\n'],
    ['a part of the body', `${SIZED}o`],
    ['a part of a chunk', `${CHUNKED}2\r\no`],
    ['a chunk without its end', `${CHUNKED}2\r\nok`],
    ['all chunks but the last', `${CHUNKED}2\r\nok\r\n`],
    ['a part of the trailers', `${CHUNKED}0\r\nx-sum: 1\r\n`],
  ])('is not complete with %s', (_, text) => {
    const { heard, parser } = fed(text)
    expect(parser.close()).toBe(false)
    expect(heard.ends).toBe(0)
  })

  it('comes after any interim heads', () => {
    const early = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'
    const { heard } = fed(`HTTP/1.1 100\r\ncontent-length: 0\r\n\r\n${early}${SIZED}ok`)
    expect(heard).toMatchObject({ statuses: [100, 103, 200], body: 'ok', ends: 1 })
  })

  it('lets no interim head speak for the reply', () => {
    const { parser } = fed(`HTTP/1.1 103 x\r\nconnection: close\r\n\r\n${SIZED}ok`)
    expect(parser.staysOpen).toBe(true)
  })
})

describe('a reply that two readers could understand differently', () => {
  it.each([
    ['two lengths', `${OK}content-length: 2\r\ncontent-length: 2\r\n\r\n`],
    ['two lengths in one line', `${OK}content-length: 2, 2\r\n\r\n`],
    ['a signed length', `${OK}content-length: +2\r\n\r\n`],
    ['a length in hexadecimal', `${OK}content-length: 0x2\r\n\r\n`],
    ['an empty length', `${OK}content-length:\r\n\r\n`],
    ['a length beyond counting', `${OK}content-length: ${'9'.repeat(16)}\r\n\r\n`],
    ['a length with a blank that is none', `${OK}content-length: 2\xa0\r\n\r\n`],
    ['a length that is no number under 204', 'HTTP/1.1 204 x\r\ncontent-length: z\r\n\r\n'],
    ['a length and chunks', `${OK}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n`],
    ['chunks and a length', `${OK}transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n`],
    ['another coding', `${OK}transfer-encoding: gzip\r\n\r\n`],
    ['a coding below the chunks', `${OK}transfer-encoding: gzip, chunked\r\n\r\n`],
    ['chunks twice', `${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n`],
    ['no coding at all', `${OK}transfer-encoding:\r\n\r\n`],
    ['chunks with a blank that is none', `${OK}transfer-encoding: \xa0chunked\r\n\r\n`],
    ['chunks with a tab behind them', `${OK}transfer-encoding: chunked\t\r\n\r\n`],
    ['chunks from HTTP/1.0', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'],
    ['an interim head with a length', 'HTTP/1.1 103 x\r\ncontent-length: 5\r\n\r\n'],
    ['an interim head with chunks', 'HTTP/1.1 100 x\r\ntransfer-encoding: chunked\r\n\r\n'],
    ['a folded line', `${OK}a: b\r\n c\r\n\r\n`],
    ['a folded line with a colon', `${OK}a: b\r\n\tc: d\r\n\r\n`],
    ['a first header that is folded', `${OK} a: b\r\n\r\n`],
    ['a blank before a colon', `${OK}content-length : 2\r\n\r\n`],
    ['a header without a name', `${OK}: b\r\n\r\n`],
    ['a header without a colon', `${OK}a\r\n\r\n`],
    ['a name beyond ASCII', `${OK}n\xe4me: b\r\n\r\n`],
    ['a bare line feed after the status', 'HTTP/1.1 200 OK\na: b\r\n\r\n'],
    ['bare line feeds only', 'HTTP/1.1 200 OK\n\n'],
    ['a bare line feed between headers', `${OK}a: b\nc: d\r\n\r\n`],
    ['a bare carriage return in a value', `${OK}a: b\rc\r\n\r\n`],
    ['a bare carriage return in the reason', 'HTTP/1.1 200 O\rK\r\n\r\n'],
    ['a NUL in a value', `${OK}a: \0\r\n\r\n`],
    ['a DEL in a value', `${OK}a: \x7f\r\n\r\n`],
  ])('is refused: %s', (_, head) => {
    expect(faultOf(head)).toBeInstanceOf(ReplyFault)
    expect(faultOf(...bytewise(head))).toBeInstanceOf(ReplyFault)
  })

  it.each([
    ['no size', '\r\n'],
    ['a size that is no number', 'g\r\n'],
    ['a negative size', '-1\r\n'],
    ['a size as a program writes it', '0x2\r\nok\r\n'],
    ['a blank before its size', ' 2\r\nok\r\n'],
    ['a size of too many digits', '000000002\r\nok\r\n'],
    ['two sizes', '2 2\r\nok\r\n'],
    ['a size that ends with a bare line feed', '2\nok\r\n'],
    ['an extension with a bare line feed', '2;a\nb\r\nok\r\n'],
    ['an extension with a bare carriage return', '2;a\rb\r\nok\r\n'],
    ['more bytes than its size', '2\r\nok!\r\n'],
    ['fewer bytes than its size', '3\r\nok\r\n0\r\n\r\n'],
    ['no line end', '2\r\nok0\r\n\r\n'],
    ['a bare line feed as its end', '2\r\nok\n0\r\n\r\n'],
    ['a trailer without a colon', '0\r\nx\r\n\r\n'],
    ['a trailer that is folded', '0\r\na: b\r\n c: d\r\n\r\n'],
    ['a trailer that ends with a bare line feed', '0\r\na: b\n\r\n'],
    ['a bare line feed for trailers', '0\r\n\n'],
  ])('is refused: a chunk with %s', (_, chunk) => {
    expect(faultOf(CHUNKED + chunk)).toBeInstanceOf(ReplyFault)
    expect(faultOf(...bytewise(CHUNKED + chunk))).toBeInstanceOf(ReplyFault)
  })
})

describe('what is not HTTP/1.1', () => {
  it.each([
    ['another protocol', 'SSH-2.0-x'],
    ['HTTP/2', 'HTTP/2'],
    ['another version', 'HTTP/1.2 200 OK\r\n'],
    ['lower case', 'http'],
    ['an empty line first', '\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n'],
    ['two spaces before the status', 'HTTP/1.1  200 OK\r\n'],
    ['a tab before the reason', 'HTTP/1.1 200\tOK\r\n'],
  ])('is refused before the head is complete: %s', (_, start) => {
    expect(faultOf(start)).toBeInstanceOf(ReplyFault)
    expect(faultOf(...bytewise(start))).toBeInstanceOf(ReplyFault)
  })

  it('is refused when it wants to become another protocol', () => {
    expect(faultOf('HTTP/1.1 101 x\r\nupgrade: x\r\n\r\n')).toBeInstanceOf(ReplyFault)
  })
})

describe('the headers of a reply', () => {
  const read = (lines: string) => fed(`${OK}${lines}content-length: 0\r\n\r\n`).heard.headers

  it('have names in lower case and values without blanks around them', () => {
    expect(read('X-Kind: \t a b\t \r\nX-Empty:\r\nX-Blank: \t \r\n')).toMatchObject({
      'x-kind': 'a b',
      'x-empty': '',
      'x-blank': '',
    })
  })

  it('keep each of several lines', () => {
    expect(read('a: 1\r\nA: 2\r\na: 3\r\nb: 4\r\n')).toMatchObject({ a: ['1', '2', '3'], b: '4' })
  })

  it('may have the names that every object has', () => {
    const names = ['constructor', 'tostring', 'hasownproperty', '__proto__']
    const lines = names.map((name) => `${name}: 1\r\n${name}: 2\r\n`).join('')
    const headers = read(lines)
    expect(headers['constructor']).toEqual(['1', '2'])
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype)
  })
})

describe('the connection of a reply', () => {
  it.each([
    ['as it is', `${SIZED}ok`],
    ['to be kept', `${OK}connection: keep-alive\r\ncontent-length: 0\r\n\r\n`],
    ['with 204', 'HTTP/1.1 204 x\r\n\r\n'],
    ['with 204 and a length of nothing', 'HTTP/1.1 204 x\r\ncontent-length: 0\r\n\r\n'],
    ['with 304', 'HTTP/1.1 304 x\r\n\r\n'],
  ])('may be used again: %s', (_, text) => {
    expect(fed(text).parser).toMatchObject({ isOver: true, staysOpen: true })
  })

  it.each([
    ['to be closed', `${OK}connection: close\r\ncontent-length: 0\r\n\r\n`],
    ['to be closed, among others', `${OK}connection: x, Close ,y\r\ncontent-length: 0\r\n\r\n`],
    [
      'to be closed, in a second line',
      `${OK}connection: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
    ],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n'],
    ['with more bytes than the reply', `${SIZED}ok\r\n`],
    ['with 204 and a length', 'HTTP/1.1 204 x\r\ncontent-length: 5\r\n\r\n'],
    ['with 204 and chunks', 'HTTP/1.1 204 x\r\ntransfer-encoding: chunked\r\n\r\n'],
    ['with 304 and a length', 'HTTP/1.1 304 x\r\ncontent-length: 5\r\n\r\n'],
  ])('is not used again: %s', (_, text) => {
    expect(fed(text).parser).toMatchObject({ isOver: true, staysOpen: false })
  })

  it('is not used again when more comes later, which nobody hears', () => {
    const { heard, parser } = fed(`${SIZED}ok`, `${SIZED}no`)
    expect(heard).toMatchObject({ statuses: [200], body: 'ok', ends: 1 })
    expect(parser.staysOpen).toBe(false)
  })
})

describe('the limits of a reply', () => {
  /** Whole, byte by byte, and cut within the empty line at the end of the head. */
  const cuts = (text: string): readonly (readonly string[])[] => {
    const end = text.indexOf('\r\n\r\n')
    const within = [1, 2, 3].map((at) => [text.slice(0, end + at), text.slice(end + at)])
    return [[text], bytewise(text), ...within]
  }
  const headOf = (bytes: number) => {
    const start = `${OK}content-length: 0\r\na: `
    return `${start}${'x'.repeat(bytes - start.length)}\r\n\r\n`
  }
  const sizeLine = (bytes: number) => `1;${'x'.repeat(bytes - 2)}\r\n.\r\n`

  it('are one for the head, however it is cut', () => {
    for (const chunks of cuts(headOf(HEAD_BYTES_MAX))) expect(fed(...chunks).heard.ends).toBe(1)
    for (const chunks of cuts(headOf(HEAD_BYTES_MAX + 1))) {
      expect(faultOf(...chunks)).toBeInstanceOf(ReplyFault)
    }
  })

  it('are one for each head, not for all of them', () => {
    const interim = `HTTP/1.1 103 x\r\na: ${'x'.repeat(10_000)}\r\n\r\n`
    expect(fed(`${interim}${interim}${SIZED}ok`).heard.ends).toBe(1)
  })

  it('are one for a head without end', () => {
    const endless = 'HTTP/1.1 200 '.padEnd(HEAD_BYTES_MAX + 3, 'x')
    expect(faultOf(endless)).toBe('no fault')
    expect(faultOf(`${endless}x`)).toBeInstanceOf(ReplyFault)
  })

  it('are one for the size of a chunk with all that follows it', () => {
    for (const cut of [(text: string) => [text], bytewise]) {
      const good = fed(...cut(`${CHUNKED}${sizeLine(1_024)}0\r\n\r\n`))
      expect(good.heard).toMatchObject({ body: '.', ends: 1 })
      expect(faultOf(...cut(`${CHUNKED}${sizeLine(1_025)}`))).toBeInstanceOf(ReplyFault)
    }
    expect(faultOf(CHUNKED, '0'.repeat(1_025))).toBe('no fault')
    expect(faultOf(CHUNKED, '0'.repeat(1_026))).toBeInstanceOf(ReplyFault)
  })

  it('are one for all extensions together', () => {
    const line = sizeLine(1_024)
    const times = Math.floor(HEAD_BYTES_MAX / 1_023)
    expect(fed(CHUNKED, line.repeat(times), '0\r\n\r\n').heard.ends).toBe(1)
    expect(faultOf(CHUNKED, line.repeat(times + 1))).toBeInstanceOf(ReplyFault)
  })

  it('are one for all trailers together', () => {
    const trailers = (bytes: number) => {
      const first = `a: ${'x'.repeat(8_000)}\r\n`
      return `0\r\n${first}b: ${'x'.repeat(bytes - first.length - 5)}\r\n\r\n`
    }
    expect(fed(CHUNKED, trailers(HEAD_BYTES_MAX)).heard.ends).toBe(1)
    expect(faultOf(CHUNKED, trailers(HEAD_BYTES_MAX + 1))).toBeInstanceOf(ReplyFault)
    expect(faultOf(CHUNKED, '0\r\n', 'a'.repeat(HEAD_BYTES_MAX + 2))).toBeInstanceOf(ReplyFault)
  })

  it('leave room for thousands of headers, each of which is read once', () => {
    const lines = Array.from({ length: 2_000 }, (_, at) => `${at}:\r\n`).join('')
    expect(Object.keys(fed(`${OK}${lines}\r\n`).heard.headers)).toHaveLength(2_000)
    const same = 'a:\r\n'.repeat(4_000)
    expect(fed(`${OK}${same}\r\n`).heard.headers['a']).toHaveLength(4_000)
  })

  it('keep a head that comes byte by byte from costing more than its bytes', () => {
    const pieces = bytewise(`${OK}${'a: b\r\n'.repeat(2_700)}`).map((one) => Buffer.from(one))
    const startedAt = process.cpuUsage()
    for (let turn = 0; turn < 20; turn += 1) {
      const parser = new ReplyParser(new Heard())
      for (const piece of pieces) parser.push(piece)
    }
    // A quadratic reader takes four seconds and more.
    const { user, system } = process.cpuUsage(startedAt)
    expect(user + system).toBeLessThan(2_000_000)
  })
})

describe('the listener of a reply', () => {
  it('gets bytes that nothing overwrites later', () => {
    const pieces: Buffer[] = []
    const parser = new ReplyParser({
      onHead: () => {},
      onBody: (chunk) => void pieces.push(chunk),
      onEnd: () => {},
    })
    for (const text of [
      ...bytewise(CHUNKED),
      '1\r',
      '\no\r',
      '\n1',
      '\r\nk\r',
      '\n0\r',
      '\n\r\n',
    ]) {
      parser.push(Buffer.from(text))
    }
    expect(Buffer.concat(pieces).toString()).toBe('ok')
    expect(parser.isOver).toBe(true)
  })

  it('stops the reply with whatever it throws', () => {
    const parser = new ReplyParser({
      onHead: () => {
        throw new RangeError('enough')
      },
      onBody: () => {},
      onEnd: () => {},
    })
    expect(() => parser.push(Buffer.from(`${SIZED}ok`))).toThrow(RangeError)
  })
})
