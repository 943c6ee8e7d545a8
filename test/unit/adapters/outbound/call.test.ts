import { describe, expect, it } from 'vitest'
import { type CallOrder, startCall } from '../../../../src/adapters/outbound/call.ts'
import { createConnector } from '../../../../src/adapters/outbound/connector.ts'
import { ConnectError } from '../../../../src/adapters/outbound/failure-cause.ts'
import { ConnectionPool } from '../../../../src/adapters/outbound/http1/connection-pool.ts'
import { createResolver } from '../../../../src/adapters/outbound/resolver.ts'
import { FakeClock, httpServer, loopback, rawServer, realClock, settle, signal } from './support.ts'

const connect = createConnector({
  clock: realClock,
  policy: loopback,
  resolver: createResolver(realClock),
})

function poolTo(url: string, connections = 1, connector = connect) {
  const pool = new ConnectionPool(url, { connections, connect: connector, clock: realClock })
  return Object.assign(pool, { [Symbol.asyncDispose]: async () => pool.destroy() })
}

function call(pool: ConnectionPool, changes: Partial<CallOrder> = {}) {
  return startCall({
    pool,
    clock: realClock,
    method: 'POST',
    path: '/',
    headers: [],
    body: '{}',
    budgetMs: 5_000,
    ...changes,
  })
}

describe('a call', () => {
  it('returns status, headers and the whole body of any reply, redirects included', async () => {
    await using server = await httpServer((_, response) => {
      response.writeHead(302, { location: 'http://127.0.0.1:1/', 'x-kind': 'redirect' })
      response.write('{"message":')
      setImmediate(() => response.end('"elsewhere"}'))
    })
    await using pool = poolTo(server.url)
    const outcome = await call(pool).result
    expect(outcome).toMatchObject({ kind: 'reply', status: 302, headers: { 'x-kind': 'redirect' } })
    const body = outcome.kind === 'reply' ? Buffer.from(outcome.body).toString() : ''
    expect(body).toBe('{"message":"elsewhere"}')
  })

  it('has an empty body where the reply has none', async () => {
    await using server = await httpServer((_, response) => response.writeHead(204).end())
    await using pool = poolTo(server.url)
    expect(await call(pool).result).toMatchObject({ status: 204, body: new Uint8Array(0) })
  })

  it('puts a body together that comes in thousands of pieces', async () => {
    const text = 'abcdefghij'.repeat(2_000)
    const chunked = Array.from(text, (letter) => `1\r\n${letter}\r\n`).join('')
    await using server = await rawServer((socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunked}0\r\n\r\n`)
      })
    })
    await using pool = poolTo(server.url)
    const outcome = await call(pool).result
    expect(outcome.kind === 'reply' && Buffer.from(outcome.body).toString()).toBe(text)
  })

  it('leaves no timer behind', async () => {
    const clock = new FakeClock()
    await using server = await httpServer((_, response) => response.end('ok'))
    await using pool = poolTo(server.url)
    await call(pool, { clock }).result
    expect(clock.pending).toBe(0)
  })

  it('reads past a few informational replies', async () => {
    await using server = await httpServer((_, response) => {
      response.writeEarlyHints({ link: '</a>; rel=preload' })
      response.writeProcessing()
      response.end('ok')
    })
    await using pool = poolTo(server.url)
    expect(await call(pool).result).toMatchObject({ kind: 'reply', status: 200 })
  })
})

describe('the deadline of a call', () => {
  it('settles it while it waits for a reply', async () => {
    const clock = new FakeClock()
    await using server = await httpServer(() => clock.advance(200))
    await using pool = poolTo(server.url)
    expect(await call(pool, { clock, budgetMs: 200 }).result).toMatchObject({
      kind: 'failed',
      cause: 'timeout',
      detail: 'no reply after 200 ms',
    })
  })

  it('does not come a moment early', async () => {
    const clock = new FakeClock()
    await using server = await httpServer((_, response) => {
      clock.advance(199)
      response.end('ok')
    })
    await using pool = poolTo(server.url)
    expect(await call(pool, { clock, budgetMs: 200 }).result).toMatchObject({ status: 200 })
  })

  it('settles it while it is queued behind another, which never reaches the server', async () => {
    const clock = new FakeClock()
    const seen: (string | undefined)[] = []
    const arrived = signal()
    const release = signal()
    await using server = await httpServer((request, response) => {
      seen.push(request.url)
      arrived.fire()
      void release.promise.then(() => response.end('ok'))
    })
    await using pool = poolTo(server.url)
    const slow = call(pool, { path: '/slow' })
    await arrived.promise
    const queued = call(pool, { clock, path: '/queued', budgetMs: 50 })
    clock.advance(50)
    expect(await queued.result).toMatchObject({ cause: 'timeout' })
    release.fire()
    expect(await slow.result).toMatchObject({ status: 200 })
    expect(await call(pool, { path: '/after' }).result).toMatchObject({ status: 200 })
    expect(seen).toEqual(['/slow', '/after'])
  })

  it('settles it while its connection is never made', async () => {
    const clock = new FakeClock()
    const pool = poolTo('http://127.0.0.1:1', 1, () => {})
    const hanging = call(pool, { clock, budgetMs: 200 })
    clock.advance(200)
    expect(await hanging.result).toMatchObject({ cause: 'timeout' })
    pool.destroy()
  })

  it('settles it while the reply comes drop by drop', async () => {
    const clock = new FakeClock()
    await using server = await httpServer((_, response) => {
      response.writeHead(200)
      response.write('.')
      const drip = () => {
        clock.advance(20)
        if (!response.destroyed) response.write('.', () => setImmediate(drip))
      }
      drip()
    })
    await using pool = poolTo(server.url)
    expect(await call(pool, { clock, budgetMs: 1_000 }).result).toMatchObject({
      cause: 'timeout',
    })
  })

  it('holds in real time too', async () => {
    await using server = await httpServer(() => {})
    await using pool = poolTo(server.url)
    const startedAt = realClock.monotonicMs()
    expect(await call(pool, { budgetMs: 100 }).result).toMatchObject({ cause: 'timeout' })
    expect(realClock.monotonicMs() - startedAt).toBeLessThan(900)
  })
})

describe('a call that is cancelled', () => {
  it('is cancelled whether it runs, is queued or is connecting, and hangs up', async () => {
    const arrived = signal()
    const hungUp = signal()
    await using server = await rawServer((socket) => {
      socket.once('data', () => arrived.fire())
      socket.on('close', () => hungUp.fire())
    })
    await using pool = poolTo(server.url)
    const running = call(pool)
    const queued = call(pool)
    await arrived.promise
    queued.cancel()
    running.cancel()
    expect(await running.result).toEqual({ kind: 'cancelled' })
    expect(await queued.result).toEqual({ kind: 'cancelled' })
    await hungUp.promise
    const stuck = poolTo('http://127.0.0.1:1', 1, () => {})
    const connecting = call(stuck)
    connecting.cancel()
    expect(await connecting.result).toEqual({ kind: 'cancelled' })
    stuck.destroy()
  })

  it('keeps the reply that was there already', async () => {
    await using server = await httpServer((_, response) => response.end('ok'))
    await using pool = poolTo(server.url)
    const running = call(pool)
    await running.result
    running.cancel()
    expect(await running.result).toMatchObject({ kind: 'reply' })
  })
})

describe('a call whose connection fails', () => {
  it('is tried once more, and no more often', async () => {
    let attempts = 0
    const flaky: typeof connect = (options, callback) => {
      attempts += 1
      if (attempts === 1) connect({ ...options, port: '1' }, callback)
      else connect(options, callback)
    }
    await using server = await httpServer((_, response) => response.end('ok'))
    await using pool = poolTo(server.url, 1, flaky)
    expect(await call(pool).result).toMatchObject({ status: 200 })
    expect(attempts).toBe(2)

    let refusals = 0
    const refusing: typeof connect = (options, callback) => {
      refusals += 1
      connect({ ...options, port: '1' }, callback)
    }
    await using dead = poolTo(server.url, 1, refusing)
    expect(await call(dead).result).toMatchObject({ kind: 'failed', cause: 'unreachable' })
    expect(refusals).toBe(2)
  })

  it('is not tried again when it was cancelled in between', async () => {
    let attempts = 0
    const failing = signal()
    const refusing: typeof connect = (_, callback) => {
      attempts += 1
      setImmediate(() => {
        callback(new ConnectError('connect', 'refused'), null)
        failing.fire()
        running.cancel()
      })
    }
    await using pool = poolTo('http://127.0.0.1:1', 1, refusing)
    const running = call(pool)
    await failing.promise
    expect(await running.result).toEqual({ kind: 'cancelled' })
    await settle()
    expect(attempts).toBe(1)
  })

  it('is not tried again when the guard refused it', async () => {
    let attempts = 0
    const counting: typeof connect = (options, callback) => {
      attempts += 1
      connect(options, callback)
    }
    await using pool = poolTo('http://10.0.0.1:80', 1, counting)
    expect(await call(pool).result).toMatchObject({ cause: 'egress_blocked' })
    expect(attempts).toBe(1)
  })

  it('is never sent a second time once it was sent', async () => {
    let requests = 0
    await using server = await rawServer((socket) => {
      socket.once('data', () => {
        requests += 1
        socket.resetAndDestroy()
      })
    })
    await using pool = poolTo(server.url, 4)
    expect(await call(pool).result).toMatchObject({ kind: 'failed', cause: 'unreachable' })
    await settle()
    expect(requests).toBe(1)
  })

  it('reports what cannot be sent as a failure, not as an exception', async () => {
    await using pool = poolTo('http://127.0.0.1:1')
    const outcome = await call(pool, { headers: ['bad header', 'x'] }).result
    expect(outcome).toMatchObject({ kind: 'failed', cause: 'unreachable' })
  })
})
