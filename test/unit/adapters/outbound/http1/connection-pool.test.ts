import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type {
  ExchangeListener,
  Request,
} from '../../../../../src/adapters/outbound/http1/connection.ts'
import {
  type Connect,
  ConnectionPool,
  type Origin,
} from '../../../../../src/adapters/outbound/http1/connection-pool.ts'
import { FakeClock, settle } from '../support.ts'

const reply = (body: string, headers = ''): string =>
  `HTTP/1.1 200 OK\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`

/** A socket whose other end is the test. */
class Wire extends Duplex {
  sent = ''
  /** Takes what is written and never says so. */
  isStuck = false

  constructor() {
    super({ allowHalfOpen: false })
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.sent += chunk.toString('utf8')
    if (!this.isStuck) done()
  }

  override _final(done: () => void): void {
    if (!this.isStuck) done()
  }

  /** The paths that were asked for, in order. */
  get paths(): (string | undefined)[] {
    return Array.from(this.sent.matchAll(/[A-Z]+ (\S+) HTTP\/1\.1\r\n/g), ([, path]) => path)
  }

  async say(text: string): Promise<void> {
    this.push(text)
    await settle()
  }

  async hangUp(): Promise<void> {
    this.push(null)
    await settle()
  }
}

type Attempt = { readonly origin: Origin; readonly callback: Parameters<Connect>[1] }

/** A pool whose connections are made, or not, when the test says so. */
function poolOf(connections: number, origin = 'http://validator.test:8080') {
  const clock = new FakeClock()
  const attempts: Attempt[] = []
  let answered = 0
  const connect: Connect = (to, callback) => void attempts.push({ origin: to, callback })
  const pool = new ConnectionPool(origin, { connect, clock, connections })
  const answer = async (error: Error | null, wire: Wire | null): Promise<void> => {
    const attempt = attempts[answered]
    answered += 1
    attempt?.callback(error, wire as unknown as Socket | null)
    await settle()
  }
  return {
    pool,
    clock,
    attempts,
    /** The attempt that has waited longest succeeds. */
    open: async (wire = new Wire()): Promise<Wire> => {
      await answer(null, wire)
      return wire
    },
    /** The attempt that has waited longest fails. */
    fail: (message: string) => answer(new Error(message), null),
  }
}

class Recorder implements ExchangeListener {
  readonly told: string[] = []
  abort: () => void = () => {}

  onHead(status: number): void {
    this.told.push(`head ${status}`)
  }

  onBody(chunk: Buffer): void {
    this.told.push(`body ${chunk.toString()}`)
  }

  onEnd(): void {
    this.told.push('end')
  }

  onError(error: Error): void {
    this.told.push(`error: ${error.message}`)
  }
}

function ask(pool: ConnectionPool, path = '/', listener = new Recorder()): Recorder {
  listener.abort = pool.dispatch({ method: 'POST', path, headers: [], body: '{}' }, listener)
  return listener
}

const ANSWERED = ['head 200', 'body ok', 'end']
const CLOSED = ['error: the other side closed the connection']
const BROKEN_OFF = ['error: the call was broken off']

/** A pool of one connection that is idle now. */
async function idlePool(headers = '') {
  const harness = poolOf(1)
  ask(harness.pool, '/first')
  const wire = await harness.open()
  await wire.say(reply('ok', headers))
  return { ...harness, wire }
}

describe('a request', () => {
  const textOf = async (request: Partial<Request>, origin?: string): Promise<string> => {
    const { pool, open } = poolOf(1, origin)
    pool.dispatch(
      { method: 'POST', path: '/', headers: [], body: null, ...request },
      new Recorder(),
    )
    return (await open()).sent
  }

  it('goes out as its line, the host, its headers in order, and the body', async () => {
    const headers = ['b', '1', 'A', 'x y\tz', 'c', '']
    const text = await textOf({ method: 'PUT', path: '/a%20b?c=d', headers, body: '{}' })
    expect(text).toBe(
      'PUT /a%20b?c=d HTTP/1.1\r\nhost: validator.test:8080\r\nb: 1\r\nA: x y\tz\r\nc: \r\n' +
        'content-length: 2\r\n\r\n{}',
    )
  })

  it('states no length without a body, and one of nothing with an empty one', async () => {
    expect(await textOf({ method: 'GET' })).toMatch(/^GET \/ HTTP\/1\.1\r\nhost: \S+\r\n\r\n$/)
    expect(await textOf({ body: '' })).toMatch(/\r\ncontent-length: 0\r\n\r\n$/)
  })

  it.each(['naïve', '日本語', '🦊', '\ud800', 'a\udc00b'])(
    'states its length in bytes: %j',
    async (body) => {
      const text = await textOf({ body })
      const sent = text.slice(text.indexOf('\r\n\r\n') + 4)
      expect(sent).toBe(body.toWellFormed())
      expect(text).toContain(`content-length: ${Buffer.from(sent).length}\r\n`)
    },
  )

  it.each([
    ['http://validator.test', 'validator.test'],
    ['http://validator.test:80', 'validator.test'],
    ['https://validator.test:443', 'validator.test'],
    ['https://validator.test:80', 'validator.test:80'],
    ['http://[::1]:8080', '[::1]:8080'],
    ['http://VALIDATOR.test', 'validator.test'],
  ])('to %s names the host %s', async (origin, host) => {
    expect(await textOf({}, origin)).toContain(`\r\nhost: ${host}\r\n`)
  })

  it.each([
    ['a line break in a value', { headers: ['a', 'b\r\nc: d'] }],
    ['a line feed in a value', { headers: ['a', 'b\nc: d'] }],
    ['a NUL in a value', { headers: ['a', '\0'] }],
    ['letters beyond ASCII in a value', { headers: ['a', 'ü'] }],
    ['letters that lose their upper half in a value', { headers: ['a', '\u010d\u010a'] }],
    ['a colon in a name', { headers: ['a:b', 'c'] }],
    ['a line break in a name', { headers: ['a\r\nb', 'c'] }],
    ['an empty name', { headers: ['', 'c'] }],
    ['a blank in its path', { path: '/a b' }],
    ['a tab in its path', { path: '/a\tb' }],
    ['a line break in its path', { path: '/ HTTP/1.1\r\nx: y' }],
    ['letters beyond ASCII in its path', { path: '/ü' }],
    ['no path', { path: '' }],
    ['a path without a slash', { path: 'a' }],
  ])('is refused before anything is connected: %s', (_, request) => {
    const { pool, attempts } = poolOf(1)
    const order = { method: 'POST', path: '/', headers: [], body: null, ...request }
    const listener = new Recorder()
    expect(() => pool.dispatch(order, listener)).toThrow(/cannot be sent$/)
    expect(attempts).toHaveLength(0)
    expect(listener.told).toEqual([])
  })
})

describe('the connections of a pool', () => {
  it('go to its origin', () => {
    const { pool, attempts } = poolOf(1, 'https://validator.test')
    ask(pool)
    const origin = { protocol: 'https:', hostname: 'validator.test', port: '' }
    expect(attempts[0]?.origin).toEqual(origin)
  })

  it('are never more than the limit, those being made included', async () => {
    const { pool, attempts, open } = poolOf(2)
    for (const path of ['/1', '/2', '/3', '/4']) ask(pool, path)
    expect(attempts).toHaveLength(2)
    await open()
    await open()
    expect(attempts).toHaveLength(2)
  })

  it('serve those who wait in order', async () => {
    const { pool, attempts, open } = poolOf(1)
    const all = ['/1', '/2', '/3'].map((path) => ask(pool, path))
    const wire = await open()
    expect(wire.paths).toEqual(['/1'])
    await wire.say(reply('ok'))
    expect(wire.paths).toEqual(['/1', '/2'])
    await wire.say(reply('ok'))
    await wire.say(reply('ok'))
    expect(wire.paths).toEqual(['/1', '/2', '/3'])
    expect(all.map(({ told }) => told)).toEqual([ANSWERED, ANSWERED, ANSWERED])
    expect(attempts).toHaveLength(1)
  })

  it('are not made for those whom one that was freed serves already', async () => {
    const { pool, attempts, open } = poolOf(3)
    ask(pool, '/1')
    const wire = await open()
    ask(pool, '/2')
    await wire.say(reply('ok'))
    expect(wire.paths).toEqual(['/1', '/2'])
    ask(pool, '/3')
    // The one that is being made for the second is there for the third.
    expect(attempts).toHaveLength(2)
    expect((await open()).paths).toEqual(['/3'])
  })

  it('are used again, the one that became free last first', async () => {
    const { pool, attempts, open } = poolOf(2)
    ask(pool, '/1')
    ask(pool, '/2')
    const first = await open()
    const second = await open()
    await second.say(reply('ok'))
    await first.say(reply('ok'))
    ask(pool, '/3')
    ask(pool, '/4')
    await settle()
    expect(first.paths).toEqual(['/1', '/3'])
    expect(second.paths).toEqual(['/2', '/4'])
    expect(attempts).toHaveLength(2)
  })

  it('are not used again after a reply with more bytes than its own', async () => {
    const { pool, attempts, open } = poolOf(1)
    const first = ask(pool)
    const second = ask(pool)
    const wire = await open()
    await wire.say(reply('ok') + reply('no'))
    expect(first.told).toEqual(ANSWERED)
    expect(second.told).toEqual([])
    expect(wire.destroyed).toBe(true)
    expect(attempts).toHaveLength(2)
    await (await open()).say(reply('ok'))
    expect(second.told).toEqual(ANSWERED)
  })

  it('are not used again when the reply came before the request was out', async () => {
    const { pool, attempts, open } = poolOf(1)
    const first = ask(pool)
    const second = ask(pool)
    const wire = new Wire()
    wire.isStuck = true
    await open(wire)
    await wire.say(reply('ok'))
    expect(first.told).toEqual(ANSWERED)
    expect(wire.destroyed).toBe(true)
    expect(second.told).toEqual([])
    expect(attempts).toHaveLength(2)
  })

  it.each([
    ['says so', 'connection: close\r\n'],
    ['keeps none for longer than a moment', 'keep-alive: timeout=1\r\n'],
    ['keeps none at all', 'keep-alive: max=10, timeout=0\r\n'],
  ])('are closed after a reply that %s', async (_, headers) => {
    const { wire, pool, attempts } = await idlePool(headers)
    expect(wire.destroyed).toBe(true)
    ask(pool)
    expect(attempts).toHaveLength(2)
  })
})

describe('a connection between two requests', () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const surprises = [
    ['hangs up', null],
    ['speaks on, as if to the next request', reply('no')],
  ] as const

  it.each(surprises)('serves nobody who waits for it when it %s meanwhile', async (_, more) => {
    const { pool, attempts, open } = poolOf(1)
    const first = ask(pool, '/1')
    const second = ask(pool, '/2')
    const wire = await open()
    wire.push(reply('ok'))
    await turn()
    wire.push(more)
    await settle()
    expect(first.told).toEqual(ANSWERED)
    expect(second.told).toEqual([])
    expect(wire.paths).toEqual(['/1'])
    expect(wire.destroyed).toBe(true)
    expect(attempts).toHaveLength(2)
    await (await open()).say(reply('ok'))
    expect(second.told).toEqual(ANSWERED)
  })

  it.each(surprises)('serves nobody who finds it idle when it then %s', async (_, more) => {
    const { pool, wire, attempts, open } = await idlePool()
    const second = ask(pool, '/2')
    await turn()
    wire.push(more)
    await settle()
    expect(second.told).toEqual([])
    expect(wire.paths).toEqual(['/first'])
    expect(wire.destroyed).toBe(true)
    expect(attempts).toHaveLength(2)
    await (await open()).say(reply('ok'))
    expect(second.told).toEqual(ANSWERED)
  })

  it('leaves a request that it fails to another one that is idle', async () => {
    const { pool, attempts, open } = poolOf(2)
    ask(pool)
    ask(pool)
    const [first, second] = [await open(), await open()]
    await first.say(reply('ok'))
    await second.say(reply('ok'))
    const next = ask(pool, '/next')
    second.destroy()
    await settle()
    await first.say(reply('ok'))
    expect(next.told).toEqual(ANSWERED)
    expect(attempts).toHaveLength(2)
  })

  it('stays idle when its request is broken off', async () => {
    const { pool, wire, attempts } = await idlePool()
    ask(pool, '/2').abort()
    await settle()
    ask(pool, '/3')
    await settle()
    expect(wire.paths).toEqual(['/first', '/3'])
    expect(attempts).toHaveLength(1)
  })

  it('is waited for by the next request, which makes no other', async () => {
    const { pool, attempts, open } = poolOf(2)
    ask(pool, '/1')
    const wire = await open()
    wire.push(reply('ok'))
    ask(pool, '/2')
    await settle()
    expect(wire.paths).toEqual(['/1', '/2'])
    expect(attempts).toHaveLength(1)
  })

  it('still serves the next one when its pool is closed, and is closed then', async () => {
    const { pool, clock, wire } = await idlePool()
    const second = ask(pool, '/2')
    pool.close()
    await settle()
    await wire.say(reply('ok'))
    expect(second.told).toEqual(ANSWERED)
    expect(wire.destroyed).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('is closed when its pool is destroyed', async () => {
    const { pool, clock, wire, attempts } = await idlePool()
    const second = ask(pool, '/2')
    pool.destroy()
    await settle()
    expect(second.told).toEqual(BROKEN_OFF)
    expect(wire.destroyed).toBe(true)
    expect(wire.paths).toEqual(['/first'])
    expect(attempts).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })
})

describe('an idle connection', () => {
  it.each([
    ['without a word of the server', '', 30_000],
    ['that the server keeps for five seconds', 'keep-alive: timeout=5\r\n', 4_000],
    ['that the server keeps for an hour', 'Keep-Alive: max=9, Timeout=3600\r\n', 30_000],
    ['with a promise that nobody understands', 'keep-alive: timeout=soon\r\n', 30_000],
    ['with two promises', 'keep-alive: timeout=5\r\nkeep-alive: timeout=9\r\n', 30_000],
  ])('%s is used for its time and no longer', async (_, headers, limitMs) => {
    const young = await idlePool(headers)
    young.clock.advance(limitMs - 1)
    ask(young.pool, '/again')
    await settle()
    expect(young.wire.paths).toEqual(['/first', '/again'])

    const old = await idlePool(headers)
    old.clock.advance(limitMs)
    ask(old.pool, '/again')
    await settle()
    expect(old.wire.destroyed).toBe(true)
    expect((await old.open()).paths).toEqual(['/again'])
  })

  it('goes by the promise of the last reply', async () => {
    const { pool, clock, wire } = await idlePool('keep-alive: timeout=5\r\n')
    ask(pool, '/2')
    await settle()
    await wire.say(reply('ok'))
    clock.advance(29_000)
    ask(pool, '/3')
    await settle()
    expect(wire.paths).toEqual(['/first', '/2', '/3'])
  })

  it('is closed some time after nobody has used it, and leaves no timer', async () => {
    const { clock, wire } = await idlePool()
    expect(clock.pending).toBe(1)
    clock.advance(60_000)
    expect(wire.destroyed).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('that is younger outlives one that is older', async () => {
    const { pool, clock, open } = poolOf(2)
    ask(pool)
    ask(pool)
    const [old, young] = [await open(), await open()]
    await old.say(reply('ok'))
    clock.advance(20_000)
    await young.say(reply('ok'))
    clock.advance(10_000)
    expect([old.destroyed, young.destroyed]).toEqual([true, false])
    clock.advance(30_000)
    expect(young.destroyed).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it.each([
    ['says something unasked', (wire: Wire) => wire.say(reply('no'))],
    ['is hung up', (wire: Wire) => wire.hangUp()],
    ['breaks', (wire: Wire) => void wire.destroy(new Error('reset'))],
    ['vanishes', (wire: Wire) => void wire.destroy()],
  ])('is forgotten when it %s', async (_, end) => {
    const { pool, wire, attempts, open } = await idlePool()
    await end(wire)
    await settle()
    expect(wire.destroyed).toBe(true)
    const next = ask(pool, '/2')
    expect(attempts).toHaveLength(2)
    await (await open()).say(reply('ok'))
    expect(next.told).toEqual(ANSWERED)
  })
})

describe('a request that is broken off', () => {
  it('while it waits is never sent, and the order of the others stays', async () => {
    const { pool, open } = poolOf(1)
    const [, second, third] = ['/1', '/2', '/3'].map((path) => ask(pool, path))
    const wire = await open()
    second?.abort()
    await wire.say(reply('ok'))
    expect(wire.paths).toEqual(['/1', '/3'])
    await wire.say(reply('ok'))
    expect(second?.told).toEqual([])
    expect(third?.told).toEqual(ANSWERED)
  })

  it('while its connection is made leaves that to the next', async () => {
    const { pool, attempts, open } = poolOf(1)
    const first = ask(pool, '/1')
    first.abort()
    ask(pool, '/2')
    expect(attempts).toHaveLength(1)
    const wire = await open()
    expect(wire.paths).toEqual(['/2'])
    expect(first.told).toEqual([])
  })

  it('while its connection is made leaves an idle one when there is no next', async () => {
    const { pool, clock, attempts, open } = poolOf(1)
    ask(pool, '/1').abort()
    const wire = await open()
    expect(wire.sent).toBe('')
    expect(clock.pending).toBe(1)
    ask(pool, '/2')
    await settle()
    expect(wire.paths).toEqual(['/2'])
    expect(attempts).toHaveLength(1)
  })

  it.each([
    ['before its reply', ''],
    ['within the head', 'HTTP/1.1 200 OK\r\n'],
    ['after an interim head', 'HTTP/1.1 103 x\r\n\r\n'],
    ['within the body', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok'],
    ['within the chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok'],
  ])('%s closes the connection, hears nothing more, and makes room', async (_, begun) => {
    const { pool, attempts, open } = poolOf(1)
    const first = ask(pool, '/1')
    const second = ask(pool, '/2')
    const wire = await open()
    if (begun !== '') await wire.say(begun)
    const told = [...first.told]
    first.abort()
    first.abort()
    await settle()
    expect(wire.destroyed).toBe(true)
    expect(first.told).toEqual(told)
    expect(attempts).toHaveLength(2)
    await (await open()).say(reply('ok'))
    expect(second.told).toEqual(ANSWERED)
  })

  it.each(['onHead', 'onBody'] as const)('in %s hears nothing more', async (moment) => {
    const { pool, attempts, open } = poolOf(1)
    const listener = new Recorder()
    listener[moment] = () => {
      listener.told.push(moment)
      listener.abort()
    }
    ask(pool, '/1', listener)
    ask(pool, '/2')
    const wire = await open()
    await wire.say(reply('ok'))
    expect(listener.told.at(-1)).toBe(moment)
    expect(wire.destroyed).toBe(true)
    expect(attempts).toHaveLength(2)
  })

  it('after its end does nothing to the request that has its connection now', async () => {
    const { pool, open } = poolOf(1)
    const first = ask(pool, '/1')
    const second = ask(pool, '/2')
    const wire = await open()
    await wire.say(reply('ok'))
    first.abort()
    await wire.say(reply('ok'))
    expect(second.told).toEqual(ANSWERED)
  })
})

describe('a connection that cannot be made', () => {
  it('fails the one who has waited longest and nobody else', async () => {
    const { pool, attempts, open, fail } = poolOf(1)
    const all = ['/1', '/2', '/3'].map((path) => ask(pool, path))
    await fail('refused')
    expect(all.map(({ told }) => told)).toEqual([['error: refused'], [], []])
    expect(attempts).toHaveLength(2)
    await fail('refused again')
    const wire = await open()
    await wire.say(reply('ok'))
    const expected = [['error: refused'], ['error: refused again'], ANSWERED]
    expect(all.map(({ told }) => told)).toEqual(expected)
    expect(attempts).toHaveLength(3)
  })

  it('frees its place when nobody waits any more', async () => {
    const { pool, attempts, open, fail } = poolOf(1)
    ask(pool, '/1').abort()
    await fail('refused')
    expect(attempts).toHaveLength(1)
    ask(pool, '/2')
    expect((await open()).paths).toEqual(['/2'])
  })

  it('does not disturb those that are being made at the same time', async () => {
    const { pool, attempts, open, fail } = poolOf(2)
    const first = ask(pool, '/1')
    const second = ask(pool, '/2')
    await fail('refused')
    const wire = await open()
    await wire.say(reply('ok'))
    expect(first.told).toEqual(['error: refused'])
    expect(second.told).toEqual(ANSWERED)
    expect(attempts).toHaveLength(2)
  })

  it('is also one that has closed by the time it comes', async () => {
    const { pool, attempts, open } = poolOf(1)
    const first = ask(pool, '/1')
    const second = ask(pool, '/2')
    const gone = new Wire()
    gone.destroy()
    await settle()
    await open(gone)
    expect(first.told).toEqual(['error: no connection'])
    expect(attempts).toHaveLength(2)
    await (await open()).say(reply('ok'))
    expect(second.told).toEqual(ANSWERED)
  })
})

describe('a connection that ends', () => {
  it.each([
    ['before the reply', '', []],
    ['within the head', 'HTTP/1.1 200 OK\r\n', []],
    ['after an interim head', 'HTTP/1.1 103 x\r\n\r\n', ['head 103']],
    ['within the body', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok', ['head 200', 'body ok']],
    [
      'within the chunks',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok',
      ['head 200', 'body ok'],
    ],
  ])('%s fails its request once and makes room', async (_, begun, told) => {
    const endings = [
      { end: (wire: Wire) => wire.hangUp(), error: CLOSED },
      { end: (wire: Wire) => wire.destroy(), error: CLOSED },
      { end: (wire: Wire) => wire.destroy(new Error('reset')), error: ['error: reset'] },
    ]
    for (const { end, error } of endings) {
      const { pool, attempts, open } = poolOf(1)
      const first = ask(pool, '/1')
      ask(pool, '/2')
      const wire = await open()
      if (begun !== '') await wire.say(begun)
      await end(wire)
      await settle()
      expect(first.told).toEqual([...told, ...error])
      expect(attempts).toHaveLength(2)
    }
  })

  it('completes a reply that only its end could complete, but not by breaking', async () => {
    const begun = 'HTTP/1.1 200 OK\r\n\r\nok'
    const { pool, attempts, open } = poolOf(1)
    const first = ask(pool, '/1')
    const second = ask(pool, '/2')
    const wire = await open()
    await wire.say(begun)
    await wire.hangUp()
    expect(first.told).toEqual(ANSWERED)
    expect(attempts).toHaveLength(2)
    const broken = await open()
    await broken.say(begun)
    broken.destroy()
    await settle()
    expect(second.told).toEqual(['head 200', 'body ok', ...CLOSED])
  })

  it('of its own accord after a whole reply changes nothing of that', async () => {
    const { pool, open } = poolOf(1)
    const first = ask(pool)
    const wire = await open()
    wire.push(reply('ok'))
    await wire.hangUp()
    expect(first.told).toEqual(ANSWERED)
  })

  it('is one that does not speak HTTP', async () => {
    const { pool, attempts, open } = poolOf(1)
    const first = ask(pool, '/1')
    ask(pool, '/2')
    const wire = await open()
    await wire.say('SSH-2.0')
    expect(first.told).toEqual(['error: this is not HTTP/1.1'])
    expect(wire.destroyed).toBe(true)
    expect(attempts).toHaveLength(2)
  })
})

describe('a listener that throws', () => {
  it.each(['onHead', 'onBody', 'onEnd'] as const)('in %s costs its connection only', async (at) => {
    const { pool, attempts, open } = poolOf(1)
    const listener = new Recorder()
    listener[at] = () => {
      throw new Error('my own fault')
    }
    ask(pool, '/1', listener)
    const second = ask(pool, '/2')
    const wire = await open()
    await wire.say(reply('ok'))
    expect(wire.destroyed).toBe(true)
    const last = listener.told.at(-1)
    if (at === 'onEnd') expect(last).toBe('body ok')
    else expect(last).toBe('error: my own fault')
    expect(attempts).toHaveLength(2)
    await (await open()).say(reply('ok'))
    expect(second.told).toEqual(ANSWERED)
  })

  it('in onError does not keep the place of its connection', async () => {
    const { pool, attempts, open } = poolOf(1)
    const listener = new Recorder()
    listener.onError = () => {
      throw new Error('my own fault')
    }
    ask(pool, '/1', listener)
    ask(pool, '/2')
    const wire = await open()
    expect(() => wire.push('SSH-2.0')).toThrow('my own fault')
    expect(attempts).toHaveLength(2)
    expect((await open()).paths).toEqual(['/2'])
  })
})

describe('a listener that asks again at once', () => {
  it.each([
    ['its reply', (wire: Wire) => wire.say(reply('ok'))],
    ['its failure', (wire: Wire) => wire.hangUp()],
  ])('after %s is served', async (_, end) => {
    const { pool, open, attempts } = poolOf(1)
    const again = new Recorder()
    const listener = new Recorder()
    listener.onEnd = () => void ask(pool, '/2', again)
    listener.onError = () => void ask(pool, '/2', again)
    ask(pool, '/1', listener)
    const wire = await open()
    await end(wire)
    const next = attempts.length === 1 ? wire : await open()
    await next.say(reply('ok'))
    expect(again.told).toEqual(ANSWERED)
  })
})

describe('a pool that is closed', () => {
  it('lets those under way and those who wait finish, on as many connections', async () => {
    const { pool, clock, attempts, open } = poolOf(1)
    const running = ask(pool, '/1')
    const waiting = ask(pool, '/2')
    const last = ask(pool, '/3')
    const wire = await open()
    pool.close()
    expect(pool.isClosed).toBe(true)
    await wire.say(reply('ok', 'connection: close\r\n'))
    expect(running.told).toEqual(ANSWERED)
    const other = await open()
    await other.say(reply('ok'))
    await other.say(reply('ok'))
    expect(waiting.told).toEqual(ANSWERED)
    expect(last.told).toEqual(ANSWERED)
    expect(other.destroyed).toBe(true)
    expect(attempts).toHaveLength(2)
    expect(clock.pending).toBe(0)
  })

  it('takes nothing more', async () => {
    const { pool, attempts } = poolOf(1)
    pool.close()
    expect(ask(pool).told).toEqual(['error: the connections to it are closed'])
    expect(attempts).toHaveLength(0)
  })

  it('closes what is idle, and stops its timer', async () => {
    const { pool, clock, wire } = await idlePool()
    pool.close()
    expect(wire.destroyed).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('closes a connection that comes when nobody waits any more', async () => {
    const { pool, clock, open } = poolOf(1)
    const only = ask(pool)
    pool.close()
    only.abort()
    expect((await open()).destroyed).toBe(true)
    expect(clock.pending).toBe(0)
  })
})

describe('a pool that is destroyed', () => {
  it('breaks off all at once: who is served, who waits, who is idle', async () => {
    const { pool, clock, attempts, open } = poolOf(2)
    const running = ask(pool, '/1')
    const other = ask(pool, '/2')
    const [first, second] = [await open(), await open()]
    await second.say(reply('ok'))
    const another = ask(pool, '/3')
    const waiting = ask(pool, '/4')
    pool.destroy()
    pool.destroy()
    await settle()
    expect(other.told).toEqual(ANSWERED)
    for (const { told } of [running, another, waiting]) expect(told).toEqual(BROKEN_OFF)
    expect([first.destroyed, second.destroyed]).toEqual([true, true])
    expect(attempts).toHaveLength(2)
    expect(clock.pending).toBe(0)
  })

  it('destroys a connection that comes later, without a word on it', async () => {
    const { pool, clock, open } = poolOf(1)
    const only = ask(pool)
    pool.destroy()
    const wire = await open()
    expect(wire.destroyed).toBe(true)
    expect(wire.sent).toBe('')
    expect(only.told).toEqual(BROKEN_OFF)
    expect(clock.pending).toBe(0)
  })

  it('takes nothing more from those whom it has broken off', () => {
    const { pool, attempts } = poolOf(1)
    const again = new Recorder()
    const listener = new Recorder()
    listener.onError = () => void ask(pool, '/2', again)
    ask(pool, '/1', listener)
    pool.destroy()
    expect(again.told).toEqual(['error: the connections to it are closed'])
    expect(attempts).toHaveLength(1)
  })

  it('makes no more connections when one fails later', async () => {
    const { pool, attempts, fail } = poolOf(1)
    const both = [ask(pool), ask(pool)]
    pool.destroy()
    await fail('refused')
    expect(both.map(({ told }) => told)).toEqual([BROKEN_OFF, BROKEN_OFF])
    expect(attempts).toHaveLength(1)
  })
})
