import { describe, expect, it } from 'vitest'
import { type CallOutcome, REPLY_BYTES_MAX, startCall } from '../../src/adapters/outbound/call.ts'
import { createConnector } from '../../src/adapters/outbound/connector.ts'
import { ConnectionPool } from '../../src/adapters/outbound/http1/connection-pool.ts'
import { createResolver } from '../../src/adapters/outbound/resolver.ts'
import {
  FakeClock,
  httpServer,
  type Listening,
  loopback,
  rawServer,
  realClock,
} from '../unit/adapters/outbound/support.ts'

const connect = createConnector({
  clock: realClock,
  policy: loopback,
  resolver: createResolver(realClock),
})

async function callOnce(server: Listening, budgetMs = 10_000, clock = realClock) {
  const pool = new ConnectionPool(server.url, { connections: 1, connect, clock: realClock })
  const outcome = await startCall({
    pool,
    clock,
    method: 'POST',
    path: '/',
    headers: [],
    body: '{"a":1}',
    budgetMs,
  }).result
  pool.destroy()
  return outcome
}

/** Answers each request with exactly these bytes; then hangs up when told to. */
async function answerOf(bytes: string, then: 'end' | 'reset' | 'stay'): Promise<CallOutcome> {
  await using server = await rawServer((socket) => {
    socket.once('data', () => {
      socket.write(bytes, () => {
        if (then === 'end') socket.end()
        if (then === 'reset') socket.resetAndDestroy()
      })
    })
  })
  return await callOnce(server)
}

const OK = 'HTTP/1.1 200 OK\r\n'

describe('a subscriber that breaks the protocol', () => {
  it.each([
    ['speaks another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', 'stay'],
    ['speaks HTTP/0.9', '<html>hello</html>', 'end'],
    ['announces HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'stay'],
    ['has an impossible status', 'HTTP/1.1 2x0 OK\r\n\r\n', 'stay'],
    ['has a length that is no number', `${OK}content-length: two\r\n\r\nok`, 'stay'],
    ['sends a bad chunk', `${OK}transfer-encoding: chunked\r\n\r\nzz\r\nok\r\n`, 'stay'],
    ['has a header without a colon', `${OK}nonsense\r\n\r\n`, 'stay'],
    ['has a header with a NUL', `${OK}a: b\u0000c\r\ncontent-length: 0\r\n\r\n`, 'stay'],
    ['says "go on" for ever', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100), 'stay'],
    [
      'sends informational replies for ever',
      'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100),
      'stay',
    ],
    [
      'wants another protocol',
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
      'stay',
    ],
    ['has headers without end', `${OK}a: ${'x'.repeat(20_000)}\r\n\r\n`, 'stay'],
    ['has many headers without end', `${OK}${'a: b\r\n'.repeat(10_000)}\r\n`, 'stay'],
    [
      'states a length and chunks',
      `${OK}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\nok`,
      'stay',
    ],
    [
      'contradicts itself about the length',
      `${OK}content-length: 2\r\ncontent-length: 3\r\n\r\nok`,
      'stay',
    ],
  ] as const)('gets bad_reply when it %s', async (_, bytes, then) => {
    expect(await answerOf(bytes, then)).toMatchObject({ kind: 'failed', cause: 'bad_reply' })
  })

  it.each([
    ['hangs up without a word', '', 'end'],
    ['resets the connection', '', 'reset'],
    ['hangs up within its status line', 'HTTP/1.1 2', 'end'],
    ['hangs up within its headers', `${OK}content-`, 'end'],
    ['sends less than it said', `${OK}content-length: 100\r\n\r\n{"decision":"allow"}`, 'end'],
    [
      'sends less than it said and closes',
      `${OK}connection: close\r\ncontent-length: 100\r\n\r\n{"decision":"allow"}`,
      'end',
    ],
    [
      'stops within its chunks',
      `${OK}transfer-encoding: chunked\r\n\r\n14\r\n{"decision":"allow"}\r\n`,
      'end',
    ],
    [
      'stops within its chunks and closes',
      `${OK}connection: close\r\ntransfer-encoding: chunked\r\n\r\n14\r\n{"decision":"allow"}\r\n`,
      'end',
    ],
    ['resets within its body', `${OK}content-length: 100\r\n\r\n{"decision":"allow"}`, 'reset'],
  ] as const)('gets unreachable when it %s', async (_, bytes, then) => {
    expect(await answerOf(bytes, then)).toMatchObject({ kind: 'failed', cause: 'unreachable' })
  })

  it('is not heard beyond the length that it stated', async () => {
    const outcome = await answerOf(`${OK}content-length: 2\r\n\r\nok${OK}\r\npoison`, 'stay')
    expect(outcome).toMatchObject({ kind: 'reply', status: 200 })
    expect(outcome.kind === 'reply' && Buffer.from(outcome.body).toString()).toBe('ok')
  })

  it('cannot poison the next call on the same connection', async () => {
    let connections = 0
    await using server = await rawServer((socket) => {
      connections += 1
      const text = connections === 1 ? 'no' : 'ok'
      const poison = connections === 1 ? `${OK}content-length: 8\r\n\r\npoisoned` : ''
      socket.on('data', () => socket.write(`${OK}content-length: 2\r\n\r\n${text}${poison}`))
    })
    const pool = new ConnectionPool(server.url, { connections: 1, connect, clock: realClock })
    const texts: string[] = []
    for (let turn = 0; turn < 2; turn += 1) {
      const order = { clock: realClock, method: 'POST', path: '/', headers: [], body: '{}' }
      const outcome = await startCall({ ...order, pool, budgetMs: 5_000 }).result
      if (outcome.kind === 'reply') texts.push(Buffer.from(outcome.body).toString())
    }
    expect(texts).toEqual(['no', 'ok'])
    pool.destroy()
  })
})

describe('a subscriber that sends too much', () => {
  it('is cut off by the length that it states, before it has sent it', async () => {
    const outcome = await answerOf(`${OK}content-length: ${REPLY_BYTES_MAX + 1}\r\n\r\n`, 'stay')
    expect(outcome).toMatchObject({ kind: 'failed', cause: 'reply_too_large' })
  })

  it('is cut off at the limit when it states none, having sent little more', async () => {
    let sent = 0
    await using server = await httpServer((_, response) => {
      const chunk = Buffer.alloc(16_384, 'x')
      const pour = () => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length
        if (!response.destroyed) response.once('drain', pour)
      }
      pour()
    })
    expect(await callOnce(server)).toMatchObject({ kind: 'failed', cause: 'reply_too_large' })
    expect(sent).toBeLessThan(64 * 1024 * 1024)
  })

  it('may send exactly the limit', async () => {
    await using server = await httpServer((_, response) =>
      response.end('x'.repeat(REPLY_BYTES_MAX)),
    )
    const outcome = await callOnce(server)
    expect(outcome.kind === 'reply' && outcome.body.length).toBe(REPLY_BYTES_MAX)
  })

  it('gets its compressed reply back as it was, a few bytes long', async () => {
    const gzip = Buffer.from('H4sIAAAAAAAAA8vPBgBH3dx5AgAAAA==', 'base64')
    await using server = await httpServer((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzip)
    })
    const outcome = await callOnce(server)
    expect(outcome).toMatchObject({ status: 200, headers: { 'content-encoding': 'gzip' } })
    expect(outcome.kind === 'reply' && Buffer.from(outcome.body)).toEqual(gzip)
  })
})

describe('a subscriber that takes its time', () => {
  it.each([
    ['accepts and says nothing', ''],
    ['stops within its headers', `${OK}content-`],
    ['stops after its headers', `${OK}content-length: 10\r\n\r\n`],
    ['stops within its body', `${OK}content-length: 10\r\n\r\n12345`],
  ])('gets a timeout when it %s', async (_, bytes) => {
    const clock = new FakeClock()
    await using server = await rawServer((socket) => {
      socket.once('data', () => {
        if (bytes !== '') socket.write(bytes)
        setImmediate(() => clock.advance(500))
      })
    })
    expect(await callOnce(server, 500, clock)).toMatchObject({ kind: 'failed', cause: 'timeout' })
  })

  it('gets a timeout when it does not even read the request', async () => {
    const clock = new FakeClock()
    await using server = await rawServer((socket) => {
      socket.pause()
      clock.advance(500)
    })
    expect(await callOnce(server, 500, clock)).toMatchObject({ kind: 'failed', cause: 'timeout' })
  })
})
