import { once } from 'node:events'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { parseAllowList } from '../../../../src/adapters/outbound/egress-policy.ts'
import {
  createOutbound,
  type Outbound,
  type OutboundOptions,
} from '../../../../src/adapters/outbound/outbound.ts'
import type { Resolver } from '../../../../src/adapters/outbound/resolver.ts'
import type { Dispatch } from '../../../../src/app/ports.ts'
import type { Subscription } from '../../../../src/domain/subscription.ts'
import { startConnectProxy } from '../../../support/connect-proxy.ts'
import {
  CA_CERTIFICATE,
  CLIENT_KEY,
  GOOD_CERTIFICATE,
  SERVER_KEY,
  STRANGER_CERTIFICATE,
} from './certificates.ts'
import {
  change,
  countingSequences,
  FakeClock,
  httpServer,
  inquiryOf,
  loopback,
  rawServer,
  realClock,
  recordingJournal,
  settle,
  subscriptionOf,
} from './support.ts'

const open: Outbound[] = []
afterEach(() => {
  for (const outbound of open.splice(0)) outbound.close()
})

const toLoopback: Resolver = { resolve: () => Promise.resolve(['127.0.0.1']) }

function through(proxy: { readonly port: number }, changes: Partial<OutboundOptions> = {}) {
  const journal = recordingJournal()
  const outbound = createOutbound({
    clock: realClock,
    journal,
    sequences: countingSequences(),
    policy: loopback,
    resolver: toLoopback,
    authorities: [CA_CERTIFICATE],
    proxy: { host: '127.0.0.1', port: proxy.port },
    ...changes,
  })
  open.push(outbound)
  return outbound
}

/** What the person who sets the subscription up reads: the answer, and the detail when there is none. */
async function ask(outbound: Outbound, subscription: Subscription, budgetMs = 5_000) {
  const question = { subscription, inquiry: inquiryOf(), budgetMs }
  const { answer } = await outbound.asker.ask(question).reply
  return answer
}

const allowing = () => httpServer((_, response) => response.writeHead(204).end())

async function tlsServer(cert: string) {
  const sockets = new Set<Duplex>()
  const server = createHttpsServer({ cert, key: SERVER_KEY }, (_, response) =>
    response.writeHead(204).end(),
  )
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

describe('with an egress proxy', () => {
  it('every call goes through it, plain http too, to the address that was judged', async () => {
    await using server = await allowing()
    await using proxy = await startConnectProxy()
    const outbound = through(proxy)
    for (const host of ['127.0.0.1', 'validator.test']) {
      const subscription = subscriptionOf({ id: host, url: `http://${host}:${server.port}/` })
      expect(await ask(outbound, subscription)).toMatchObject({ kind: 'allow' })
    }
    expect(proxy.asked).toEqual(Array(2).fill(`127.0.0.1:${server.port}`))
  })

  it('an IPv6 address is asked for in brackets', async () => {
    await using proxy = await startConnectProxy((socket) => socket.end('HTTP/1.1 502 No\r\n\r\n'))
    await ask(through(proxy), subscriptionOf({ url: 'http://[::1]:81/' }))
    expect(new Set(proxy.asked)).toEqual(new Set(['[::1]:81']))
  })

  it('a tunnel is kept and used again', async () => {
    await using server = await allowing()
    await using proxy = await startConnectProxy()
    const outbound = through(proxy)
    const subscription = subscriptionOf({ url: server.url })
    for (let turn = 0; turn < 3; turn += 1) await ask(outbound, subscription)
    expect(proxy.asked).toHaveLength(1)
  })

  it('TLS is spoken with the receiver itself, and verified by its name', async () => {
    await using good = await tlsServer(GOOD_CERTIFICATE)
    await using stranger = await tlsServer(STRANGER_CERTIFICATE)
    await using proxy = await startConnectProxy()
    const outbound = through(proxy)
    const url = (port: number) => `https://validator.test:${port}/`
    expect(await ask(outbound, subscriptionOf({ url: url(good.port) }))).toMatchObject({
      kind: 'allow',
    })
    const refused = subscriptionOf({ id: 'sub_2', url: url(stranger.port) })
    expect(await ask(outbound, refused)).toMatchObject({ kind: 'failed', cause: 'tls' })
    expect(proxy.asked).toHaveLength(2)
  })

  it.each([
    'http://10.0.0.1/',
    'http://169.254.169.254/',
    'http://[::ffff:127.0.0.1]/',
    'http://rebound.test/',
  ])('the address is judged all the same: it never hears of %s', async (url) => {
    await using proxy = await startConnectProxy()
    const resolver: Resolver = { resolve: () => Promise.resolve(['127.0.0.1', '10.0.0.1']) }
    const answer = await ask(through(proxy, { resolver }), subscriptionOf({ url }))
    expect(answer).toMatchObject({ kind: 'failed', cause: 'egress_blocked' })
    expect(proxy.connections()).toBe(0)
  })

  it('settings of TLS that cannot be used leave no tunnel behind', async () => {
    await using proxy = await startConnectProxy()
    const tls = { cert: GOOD_CERTIFICATE, key: CLIENT_KEY }
    const subscription = subscriptionOf({ url: 'https://validator.test:8443/', tls })
    expect(await ask(through(proxy), subscription)).toMatchObject({ cause: 'tls' })
    expect(proxy.connections()).toBe(0)
  })

  it('it may stand where subscribers may not', async () => {
    await using proxy = await startConnectProxy((socket) => socket.end('HTTP/1.1 502 No\r\n\r\n'))
    const policy = parseAllowList('', 'allow').policy
    const resolver: Resolver = { resolve: () => Promise.resolve(['93.184.216.34']) }
    await ask(through(proxy, { policy, resolver }), subscriptionOf({ url: 'https://public.test/' }))
    expect(proxy.asked[0]).toBe('93.184.216.34:443')
  })

  it('it may have a name', async () => {
    await using server = await allowing()
    await using proxy = await startConnectProxy()
    const outbound = through(proxy, { proxy: { host: 'proxy.test', port: proxy.port } })
    expect(await ask(outbound, subscriptionOf({ url: server.url }))).toMatchObject({
      kind: 'allow',
    })
  })

  it('that it forbids a destination is no fault of the receiver', async () => {
    await using proxy = await startConnectProxy((socket) => socket.end('HTTP/1.1 403 No\r\n\r\n'))
    expect(await ask(through(proxy), subscriptionOf())).toMatchObject({
      cause: 'egress_blocked',
      detail: expect.stringContaining('egress proxy'),
    })
  })

  it('what fails behind it is the fault of the receiver', async () => {
    await using server = await rawServer((socket) => socket.destroy())
    await using proxy = await startConnectProxy()
    const outbound = through(proxy)
    const subscription = subscriptionOf({ url: server.url })
    for (let turn = 0; turn < 5; turn += 1) await ask(outbound, subscription)
    expect(outbound.health.of(subscription.id).breaker).toBe('open')
  })
})

describe('a proxy that fails', () => {
  it.each<[string, (socket: Socket) => void]>([
    ['wants credentials', (socket) => socket.end('HTTP/1.1 407 Who are you\r\n\r\n')],
    ['cannot reach it', (socket) => socket.end('HTTP/1.1 502 Bad gateway\r\n\r\n')],
    ['redirects', (socket) => socket.end('HTTP/1.1 302 Found\r\nlocation: /\r\n\r\n')],
    ['says to go on', (socket) => socket.end('HTTP/1.1 100 Continue\r\n\r\n')],
    ['speaks another language', (socket) => socket.end('SSH-2.0-x\r\n\r\n')],
    ['hangs up', (socket) => socket.end()],
    ['hangs up in the middle', (socket) => socket.end('HTTP/1.1 200 O')],
    ['resets', (socket) => socket.resetAndDestroy()],
    ['talks without end', (socket) => socket.write(`HTTP/1.1 200 OK\r\na: ${'x'.repeat(9_000)}`)],
    [
      'answers in the place of the receiver',
      (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 204 No content\r\n\r\n'),
    ],
  ])('because it %s is told apart, and opens no breaker', async (_, misconduct) => {
    await using proxy = await startConnectProxy(misconduct)
    const outbound = through(proxy)
    const subscription = subscriptionOf()
    for (let turn = 0; turn < 10; turn += 1) {
      expect(await ask(outbound, subscription)).toMatchObject({
        kind: 'failed',
        cause: 'unreachable',
        detail: expect.stringContaining('the egress proxy'),
      })
    }
    expect(outbound.health.of(subscription.id)).toMatchObject({ breaker: 'closed', inFlight: 0 })
  })

  it('because nobody is there is told apart, and opens no breaker', async () => {
    const proxy = await startConnectProxy()
    await proxy[Symbol.asyncDispose]()
    const outbound = through(proxy)
    const subscription = subscriptionOf()
    for (let turn = 0; turn < 10; turn += 1) {
      expect(await ask(outbound, subscription)).toMatchObject({
        cause: 'unreachable',
        detail: expect.stringContaining('the egress proxy failed'),
      })
    }
    expect(outbound.health.of(subscription.id).breaker).toBe('closed')
  })

  it('because its name is unknown is told apart', async () => {
    const resolver: Resolver = { resolve: () => Promise.reject(new Error('unknown')) }
    const outbound = through({ port: 1 }, { resolver, proxy: { host: 'proxy.test', port: 1 } })
    expect(await ask(outbound, subscriptionOf())).toMatchObject({
      cause: 'unreachable',
      detail: expect.stringContaining('the egress proxy has no address'),
    })
  })

  it('because it is silent is told apart at the deadline of the question, and opens no breaker', async () => {
    const clock = new FakeClock()
    await using proxy = await startConnectProxy(() => clock.advance(1_000))
    const outbound = through(proxy, { clock })
    const { breaker } = subscriptionOf()
    const subscription = subscriptionOf({ breaker: { ...breaker, consecutiveFailures: 1 } })
    expect(await ask(outbound, subscription, 1_000)).toMatchObject({
      cause: 'timeout',
      detail: expect.stringContaining('the egress proxy'),
    })
    expect(outbound.health.of(subscription.id).breaker).toBe('closed')
  })

  it('because it is silent is given up after three seconds, tried once more and told apart', async () => {
    const clock = new FakeClock()
    await using proxy = await startConnectProxy(() => clock.advance(3_000))
    const outbound = through(proxy, { clock })
    expect(await ask(outbound, subscriptionOf(), 30_000)).toMatchObject({
      cause: 'unreachable',
      detail: 'the egress proxy opened no tunnel within 3000 ms',
    })
    await settle()
    expect(proxy.connections()).toBe(2)
    expect(clock.pending).toBe(0)
  })

  it('does not make a receiver that cannot be told look as if it were failing', async () => {
    await using proxy = await startConnectProxy((socket) => socket.end('HTTP/1.1 502 No\r\n\r\n'))
    const dispatch: Dispatch = {
      deliveryId: 'dlv_1',
      subscription: subscriptionOf(),
      occurredAtMs: 0,
      sequenceId: 1,
      accountNumber: null,
      body: { ...change, event: 'record.updated', decisionId: undefined },
    }
    expect(await through(proxy).notifier.send(dispatch)).toMatchObject({
      outcome: 'retry',
      isOnTheWay: true,
      error: expect.stringContaining('the egress proxy answered 502'),
    })
  })
})
