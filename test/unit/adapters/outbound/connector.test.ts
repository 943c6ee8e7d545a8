import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { describe, expect, it } from 'vitest'
import {
  type ConnectorOptions,
  createConnector,
} from '../../../../src/adapters/outbound/connector.ts'
import { parseAllowList } from '../../../../src/adapters/outbound/egress-policy.ts'
import {
  createResolver,
  NameError,
  type Resolver,
} from '../../../../src/adapters/outbound/resolver.ts'
import {
  CA_CERTIFICATE,
  EXPIRED_CERTIFICATE,
  GOOD_CERTIFICATE,
  SERVER_KEY,
  STRANGER_CERTIFICATE,
} from './certificates.ts'
import { FakeClock, loopback, rawServer, realClock, settle } from './support.ts'

const resolving = (...addresses: string[]): Resolver => ({
  resolve: () => Promise.resolve(addresses),
})

/** Connects and hangs up, with the name of the peer as the result. */
function connectTo(url: string, changes: Partial<ConnectorOptions> = {}): Promise<string> {
  const { protocol, hostname, port } = new URL(url)
  const connect = createConnector({
    clock: realClock,
    resolver: resolving('127.0.0.1'),
    policy: loopback,
    ...changes,
  })
  return new Promise((resolve, reject) => {
    connect({ protocol, hostname, port }, (error, socket: Socket | null) => {
      if (socket === null) return reject(error)
      const peer = socket.remoteAddress ?? ''
      socket.destroy()
      resolve(peer)
    })
  })
}

async function countingServer() {
  let connections = 0
  const server = await rawServer(() => {
    connections += 1
  })
  return { server, connections: () => connections }
}

describe('the guarded connector', () => {
  it('connects to an allowed address, be it literal, resolved or localhost', async () => {
    await using server = await rawServer(() => {})
    for (const host of ['127.0.0.1', 'validator.test', 'localhost', '2130706433']) {
      await expect(connectTo(`http://${host}:${server.port}`), host).resolves.toBe('127.0.0.1')
    }
  })

  it.each(['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '[::7f00:1]', 'localhost', '0.0.0.0'])(
    'makes no connection to %s when nothing is listed',
    async (host) => {
      const { server, connections } = await countingServer()
      await using _ = server
      const policy = parseAllowList('', 'allow').policy
      const resolver = createResolver(realClock)
      await expect(
        connectTo(`http://${host}:${server.port}`, { policy, resolver }),
      ).rejects.toMatchObject({ code: 'ASSENT_EGRESS_BLOCKED' })
      expect(connections()).toBe(0)
    },
  )

  it('refuses the whole answer when one of its addresses is not allowed', async () => {
    const { server, connections } = await countingServer()
    await using _ = server
    for (const bad of ['10.0.0.1', '169.254.169.254', '::ffff:127.0.0.1', 'fd00::1', 'nonsense']) {
      const resolver = resolving('127.0.0.1', bad)
      await expect(
        connectTo(`http://validator.test:${server.port}`, { resolver }),
        bad,
      ).rejects.toMatchObject({ code: 'ASSENT_EGRESS_BLOCKED' })
    }
    expect(connections()).toBe(0)
  })

  it('judges each answer anew, so that a name cannot move to another address later', async () => {
    await using server = await rawServer(() => {})
    const clock = new FakeClock()
    const answers = ['127.0.0.1', '127.0.0.2']
    const resolver = createResolver(clock, {
      resolve4: () => Promise.resolve([{ address: answers.shift() ?? '', ttl: 0 }]),
      resolve6: () => Promise.reject(new Error('none')),
      readHosts: () => Promise.resolve(''),
    })
    const policy = parseAllowList('127.0.0.1', 'allow').policy
    const url = `http://rebinding.test:${server.port}`
    await expect(connectTo(url, { resolver, policy })).resolves.toBe('127.0.0.1')
    clock.advance(1_000)
    await expect(connectTo(url, { resolver, policy })).rejects.toMatchObject({
      code: 'ASSENT_EGRESS_BLOCKED',
    })
  })

  it('refuses plain http and unusual ports for what is not listed', async () => {
    const policy = parseAllowList('', 'listed').policy
    const resolver = resolving('93.184.216.34')
    for (const url of ['http://public.test/', 'https://public.test:5432/']) {
      await expect(connectTo(url, { policy, resolver }), url).rejects.toMatchObject({
        code: 'ASSENT_EGRESS_BLOCKED',
      })
    }
  })

  it('refuses to connect to the gateway itself', async () => {
    const { server, connections } = await countingServer()
    await using _ = server
    const isOwnAddress = (address: string, port: number) =>
      address === '127.0.0.1' && port === server.port
    await expect(
      connectTo(`http://validator.test:${server.port}`, { isOwnAddress }),
    ).rejects.toMatchObject({ code: 'ASSENT_EGRESS_BLOCKED' })
    expect(connections()).toBe(0)
  })

  it('goes on to the second address when the first does not answer, and stops after two', async () => {
    await using server = await rawServer(() => {})
    const url = `http://validator.test:${server.port}`
    await expect(connectTo(url, { resolver: resolving('127.0.0.2', '127.0.0.1') })).resolves.toBe(
      '127.0.0.1',
    )
    await expect(
      connectTo(url, { resolver: resolving('127.0.0.2', '127.0.0.3', '127.0.0.1') }),
    ).rejects.toMatchObject({ code: 'ASSENT_CONNECT', phase: 'connect' })
  })

  it('takes of localhost what is listed', async () => {
    await using server = await rawServer(() => {})
    const policy = parseAllowList('127.0.0.1', 'allow').policy
    const resolver = createResolver(realClock)
    const url = `http://localhost:${server.port}`
    await expect(connectTo(url, { policy, resolver })).resolves.toBe('127.0.0.1')
  })

  it('says that a name has no address', async () => {
    const resolver: Resolver = {
      resolve: (host) => Promise.reject(new NameError(host, 'ENOTFOUND')),
    }
    await expect(connectTo('http://nobody.test/', { resolver })).rejects.toMatchObject({
      code: 'ASSENT_CONNECT',
      phase: 'name',
    })
  })

  it('gives up a name that is not resolved within three seconds', async () => {
    const clock = new FakeClock()
    const resolver: Resolver = { resolve: () => new Promise(() => {}) }
    const attempt = connectTo('http://silent.test/', { resolver, clock })
    const outcome = expect(attempt).rejects.toMatchObject({ phase: 'name' })
    await settle()
    clock.advance(3_000)
    await outcome
    expect(clock.pending).toBe(0)
  })
})

async function tlsServer(certificate: string) {
  let connections = 0
  const server = createTlsServer({ key: SERVER_KEY, cert: certificate }, (socket) => {
    socket.on('error', () => {})
    socket.end()
  })
  server.on('tlsClientError', () => {})
  server.on('connection', () => {
    connections += 1
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    port,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => void server.close(),
  }
}

const authorities = [CA_CERTIFICATE]

describe('TLS', () => {
  it('is verified against the name in the URL, not the address', async () => {
    await using server = await tlsServer(GOOD_CERTIFICATE)
    const url = `https://validator.test:${server.port}`
    await expect(connectTo(url, { authorities })).resolves.toBe('127.0.0.1')
    await expect(
      connectTo(`https://another.test:${server.port}`, { authorities }),
    ).rejects.toMatchObject({ phase: 'tls' })
  })

  it('is verified against the address where the URL has no name', async () => {
    await using good = await tlsServer(GOOD_CERTIFICATE)
    await expect(connectTo(`https://127.0.0.1:${good.port}`, { authorities })).resolves.toBe(
      '127.0.0.1',
    )
    await using stranger = await tlsServer(STRANGER_CERTIFICATE)
    await expect(
      connectTo(`https://127.0.0.1:${stranger.port}`, { authorities }),
    ).rejects.toMatchObject({ phase: 'tls' })
  })

  it.each([
    ['of another name', STRANGER_CERTIFICATE, authorities],
    ['that has expired', EXPIRED_CERTIFICATE, authorities],
    ['of an unknown authority', GOOD_CERTIFICATE, undefined],
  ])('refuses a certificate %s', async (_, certificate, trusted) => {
    await using server = await tlsServer(certificate)
    await expect(
      connectTo(`https://validator.test:${server.port}`, { authorities: trusted }),
    ).rejects.toMatchObject({ code: 'ASSENT_CONNECT', phase: 'tls' })
  })

  it('is not tried at another address after it failed at one', async () => {
    await using server = await tlsServer(STRANGER_CERTIFICATE)
    const resolver = resolving('127.0.0.1', '127.0.0.1')
    await expect(
      connectTo(`https://validator.test:${server.port}`, { authorities, resolver }),
    ).rejects.toMatchObject({ phase: 'tls' })
    expect(server.connections()).toBe(1)
  })

  it('is not switched off by the environment', async () => {
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    try {
      await using server = await tlsServer(STRANGER_CERTIFICATE)
      await expect(
        connectTo(`https://validator.test:${server.port}`, { authorities }),
      ).rejects.toMatchObject({ phase: 'tls' })
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
    }
  })

  it('is missed at a server that speaks plain text', async () => {
    await using server = await rawServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'))
    await expect(
      connectTo(`https://validator.test:${server.port}`, { authorities }),
    ).rejects.toMatchObject({ phase: 'tls' })
  })

  it('leaves half of the time to the second address', async () => {
    const clock = new FakeClock()
    await using server = await rawServer((socket) => socket.on('data', () => clock.advance(1_500)))
    const resolver = resolving('127.0.0.1', '127.0.0.2')
    await expect(
      connectTo(`https://validator.test:${server.port}`, { clock, resolver }),
    ).rejects.toThrow('no connection to 127.0.0.1 within 1500 ms')
  })

  it('is given up when the handshake stalls', async () => {
    const clock = new FakeClock()
    await using server = await rawServer((socket) => socket.on('data', () => clock.advance(3_000)))
    await expect(
      connectTo(`https://validator.test:${server.port}`, { clock }),
    ).rejects.toMatchObject({ phase: 'tls' })
  })
})
