import { connect } from 'node:net'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NodeBindings } from '../../../../src/adapters/http/route.ts'
import { type Listening, listen } from '../../../../src/adapters/http/server.ts'
import { refuseBytes } from '../../../../src/adapters/http/unread.ts'
import { systemClock } from '../../../../src/adapters/system/clock.ts'
import { PROBLEMS } from '../../../../src/domain/problem.ts'
import { answersIn } from '../../../support/fuzz/sockets.ts'

const ids = { make: (prefix: string) => `${prefix}_1` }
let listening: Listening
let release = () => {}
let arrived: Promise<void>
let arrive = () => {}

beforeAll(async () => {
  const app = new Hono<{ Bindings: NodeBindings }>()
  app.get('/', (c) => c.text('served'))
  app.post('/slow', async (c) => {
    arrive()
    await new Promise<void>((resolve) => {
      release = resolve
    })
    return c.text('served')
  })
  const door = { clock: systemClock, ids, journal: { record: () => {} }, nextTurn: setImmediate }
  listening = await listen(app, {
    port: 0,
    host: '127.0.0.1',
    door,
    processClock: systemClock,
  })
})
afterAll(() => listening.close(0, systemClock.schedule))

/** Sends the parts, the later ones when the one before has arrived, and reads until the other side ends. */
async function sent(first: string, then?: string) {
  arrived = new Promise((resolve) => {
    arrive = resolve
  })
  const socket = connect(listening.address.port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => void chunks.push(chunk))
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.write(first, 'latin1')
  if (then !== undefined) {
    await arrived
    socket.write(then, 'latin1')
  }
  await closed
  return answersIn(Buffer.concat(chunks), false)
}

const HOST = 'Host: a\r\n'

describe('a request that cannot be read', () => {
  it.each([
    ['bytes that are not HTTP', '\u0016\u0003\u0001 hello\r\n\r\n', 'unreadable_request'],
    ['a header without a name', `GET / HTTP/1.1\r\n${HOST}: x\r\n\r\n`, 'unreadable_request'],
    [
      'two lengths',
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`,
      'unreadable_request',
    ],
    [
      'a length and chunks',
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'unreadable_request',
    ],
    [
      'headers of 17 KB',
      `GET / HTTP/1.1\r\n${HOST}X-A: ${'x'.repeat(17_000)}\r\n\r\n`,
      'headers_too_large',
    ],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 'invalid_header'],
    ['an expectation', `GET / HTTP/1.1\r\n${HOST}Expect: more\r\n\r\n`, 'invalid_header'],
    ['a host that is none', 'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n', 'unreadable_request'],
    ['a target that is none', `GET https://[::1 HTTP/1.1\r\n${HOST}\r\n`, 'unreadable_request'],
  ] as const)(
    'because of %s is told so in a problem, and the connection closes',
    async (_, text, code) => {
      const [answer, ...others] = await sent(text)
      const { status, title } = PROBLEMS[code]
      expect(others).toEqual([])
      expect(answer?.status).toBe(status)
      expect(JSON.parse(answer?.text ?? '')).toMatchObject({
        code,
        status,
        title,
        requestId: 'req_1',
      })
      expect(Object.fromEntries(answer?.headers ?? [])).toMatchObject({
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-request-id': 'req_1',
        connection: 'close',
      })
    },
  )

  it('keeps its id and its language where it got so far', async () => {
    const own = 'X-Request-Id: mine\r\nAccept-Language: uk\r\nExpect: more\r\n'
    const [answer] = await sent(`GET / HTTP/1.1\r\n${HOST}${own}\r\n`)
    expect(answer?.headers.get('content-language')).toBe('uk')
    expect(JSON.parse(answer?.text ?? '')).toMatchObject({ requestId: 'mine' })
  })

  it('because its body breaks off its own framing is told so', async () => {
    const chunked = `POST /slow HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`
    const [answer] = await sent(chunked, 'no size\r\n')
    expect(JSON.parse(answer?.text ?? '')).toMatchObject({ code: 'unreadable_request' })
    release()
  })

  it('behind one that is still being served is not answered in its place', async () => {
    const whole = `POST /slow HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`
    expect(await sent(whole, 'nonsense\r\n\r\n')).toEqual([])
    release()
  })
})

describe('HTTP/1.0', () => {
  it('needs no Host', async () => {
    const [answer] = await sent('GET / HTTP/1.0\r\n\r\n')
    expect(answer).toMatchObject({ status: 200 })
  })
})

describe('bytes that do not come', () => {
  it.each([
    ['ERR_HTTP_REQUEST_TIMEOUT', 'HTTP/1.1 408 Request Timeout', 'request_timeout'],
    ['HPE_INVALID_METHOD', 'HTTP/1.1 400 Bad Request', 'unreadable_request'],
  ])('for the reason %s end with %s', (code, line, said) => {
    const written: string[] = []
    let isEnded = false
    const socket = {
      writable: true,
      write: (text: string) => written.push(text),
      destroySoon: () => {
        isEnded = true
      },
    }
    const error = Object.assign(new Error('x'), { code })
    refuseBytes(error, socket as unknown as Parameters<typeof refuseBytes>[1], ids)
    expect(written.join('')).toContain(line)
    expect(written.join('')).toContain(said)
    expect(isEnded).toBe(true)
  })
})
