import type { IncomingHttpHeaders } from 'node:http'
import { Webhook } from 'standardwebhooks'
import { afterEach, describe, expect, it } from 'vitest'
import { REPLY_BYTES_MAX } from '../../../../src/adapters/outbound/call.ts'
import { parseAllowList } from '../../../../src/adapters/outbound/egress-policy.ts'
import type { OutboundOptions } from '../../../../src/adapters/outbound/outbound.ts'
import { createOutbound, type Outbound } from '../../../../src/adapters/outbound/outbound.ts'
import type { Dispatch, Question } from '../../../../src/app/ports.ts'
import type { Subscription } from '../../../../src/domain/subscription.ts'
import {
  bodyOf,
  change,
  countingSequences,
  FakeClock,
  httpServer,
  inquiryOf,
  loopback,
  rawServer,
  realClock,
  recordingJournal,
  SECRET,
  settle,
  signal,
  subscriptionOf,
} from './support.ts'

const open: Outbound[] = []
afterEach(() => {
  for (const outbound of open.splice(0)) outbound.close()
})

function outboundWith(changes: Partial<OutboundOptions> = {}) {
  const journal = recordingJournal()
  const outbound = createOutbound({
    clock: realClock,
    journal,
    sequences: countingSequences(),
    policy: loopback,
    ...changes,
  })
  open.push(outbound)
  return { outbound, journal }
}

const questionOf = (subscription: Subscription, changes: Partial<Question> = {}): Question => ({
  subscription,
  inquiry: inquiryOf(),
  budgetMs: 5_000,
  ...changes,
})

type Seen = { method: string; url: string; headers: IncomingHttpHeaders; body: string }

/** A subscriber that answers the same to everybody and remembers what it was asked. */
async function subscriber(status: number, reply = '', headers: Record<string, string> = {}) {
  const seen: Seen[] = []
  const server = await httpServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { method = '', url = '' } = request
      seen.push({ method, url, headers: request.headers, body })
      response.writeHead(status, headers).end(reply)
    })
  })
  return Object.assign(server, { seen })
}

const ALLOW = '{"decision":"allow"}'

describe('asking in the standard dialect', () => {
  it('sends the signed payload with the headers of the gateway, and reads the answer', async () => {
    await using server = await subscriber(200, ALLOW)
    const { outbound, journal } = outboundWith()
    const subscription = subscriptionOf({
      url: `${server.url}/hook?x=1`,
      headers: { 'X-Own': 'y' },
    })
    const reply = await outbound.asker.ask(questionOf(subscription)).reply
    expect(reply).toMatchObject({ answer: { kind: 'allow' }, status: 200 })
    const [request] = server.seen
    expect(request).toMatchObject({
      method: 'POST',
      url: '/hook?x=1',
      headers: {
        'content-type': 'application/json',
        'accept-encoding': 'identity',
        'webhook-id': 'dec_1_sub_1',
        'x-assent-decision': 'dec_1',
        'x-assent-chain': 'chain-token',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        'x-own': 'y',
      },
    })
    const left = Number(request?.headers['x-assent-deadline-ms'])
    expect(left).toBeGreaterThan(4_000)
    expect(left).toBeLessThanOrEqual(5_000)
    const verified = new Webhook(SECRET).verify(
      request?.body ?? '',
      request?.headers as Record<string, string>,
    )
    expect(verified).toMatchObject({ type: 'record.before.updated', data: { recordId: 'rec_7' } })
    expect(journal.events).toMatchObject([
      { kind: 'call.ended', subscriptionId: 'sub_1', outcome: 'allow', cause: undefined },
    ])
  })

  it('encodes a shared body once for all who are asked, and signs it for each', async () => {
    await using server = await subscriber(204)
    const { outbound } = outboundWith()
    let reads = 0
    const counted = { ...change }
    Object.defineProperty(counted, 'values', {
      enumerable: true,
      get: () => {
        reads += 1
        return { status: 'paid', toJSON: () => ((encodings += 1), { status: 'paid' }) }
      },
    })
    let encodings = 0
    const inquiry = inquiryOf({ change: counted })
    const ids = ['sub_1', 'sub_2', 'sub_3']
    const replies = ids.map((id) => {
      const subscription = subscriptionOf({ id, url: server.url })
      return outbound.asker.ask(questionOf(subscription, { inquiry })).reply
    })
    await Promise.all(replies)
    expect(reads).toBeGreaterThan(0)
    expect(encodings).toBe(1)
    expect(new Set(server.seen.map(({ body }) => body)).size).toBe(1)
    expect(new Set(server.seen.map(({ headers }) => headers['webhook-id']))).toEqual(
      new Set(ids.map((id) => `dec_1_${id}`)),
    )
  })

  it('never sends the body of one inquiry with another', async () => {
    await using server = await subscriber(204)
    const { outbound } = outboundWith()
    const subscription = subscriptionOf({ url: server.url })
    for (const decisionId of ['dec_1', 'dec_2', 'dec_1']) {
      const inquiry = inquiryOf({ decisionId })
      await outbound.asker.ask(questionOf(subscription, { inquiry })).reply
    }
    expect(server.seen.map(({ body }) => JSON.parse(body).data.decisionId)).toEqual([
      'dec_1',
      'dec_2',
      'dec_1',
    ])
  })

  it('sends chosen parameters instead where the subscription has them', async () => {
    await using server = await subscriber(204)
    const { outbound } = outboundWith()
    const subscription = subscriptionOf({
      url: `${server.url}/orders/{id}`,
      method: 'GET',
      parameters: [
        { name: 'id', from: '/data/recordId' },
        { name: 'status', from: '/data/values/status' },
      ],
    })
    await outbound.asker.ask(questionOf(subscription)).reply
    expect(server.seen[0]).toMatchObject({
      method: 'GET',
      url: '/orders/rec_7?status=paid',
      body: '',
    })
  })

  it('follows no redirect', async () => {
    await using target = await subscriber(200, ALLOW)
    await using server = await subscriber(302, '', { location: target.url })
    const { outbound } = outboundWith()
    const { reply } = outbound.asker.ask(questionOf(subscriptionOf({ url: server.url })))
    expect(await reply).toMatchObject({
      answer: { kind: 'failed', cause: 'redirected' },
      status: 302,
    })
    expect(target.seen).toEqual([])
  })
})

describe('asking in the other dialects', () => {
  it('lets the status alone decide in plain', async () => {
    await using server = await subscriber(403, '{"message":"No."}')
    const { outbound } = outboundWith()
    const subscription = subscriptionOf({ url: server.url, dialect: 'plain' })
    expect(await outbound.asker.ask(questionOf(subscription)).reply).toMatchObject({
      answer: { kind: 'deny' },
      status: 403,
    })
  })

  it('numbers requests in bpium, one by one', async () => {
    await using server = await subscriber(200)
    const clock = new FakeClock()
    const { outbound } = outboundWith({ clock })
    const subscription = subscriptionOf({ url: server.url, dialect: 'bpium', secret: 'abc' })
    await outbound.asker.ask(questionOf(subscription)).reply
    await outbound.asker.ask(questionOf(subscription)).reply
    // The sweep of idle connections, and nothing of the calls.
    expect(clock.pending).toBe(1)
    expect(server.seen.map(({ body }) => JSON.parse(body).hook.sequenceId)).toEqual([1, 2])
    expect(server.seen[0]?.headers['x-hook-signature']).toBeTypeOf('string')
  })

  it('takes a 410 of bpium as an allow after which the hook is gone', async () => {
    await using server = await subscriber(410)
    const { outbound } = outboundWith()
    const subscription = subscriptionOf({ url: server.url, dialect: 'bpium', secret: 'abc' })
    expect(await outbound.asker.ask(questionOf(subscription)).reply).toMatchObject({
      answer: { kind: 'allow' },
      status: 410,
      isGone: true,
    })
  })

  it('does not take a 410 of another dialect for more than a failure', async () => {
    await using server = await subscriber(410)
    const { outbound } = outboundWith()
    const { reply } = outbound.asker.ask(questionOf(subscriptionOf({ url: server.url })))
    const { answer, isGone } = await reply
    expect(answer).toMatchObject({ kind: 'failed', cause: 'bad_status' })
    expect(isGone).toBeUndefined()
  })

  it('is overloaded when no number can be had, and out of budget when it comes too late', async () => {
    await using server = await subscriber(200)
    const subscription = subscriptionOf({ url: server.url, dialect: 'bpium', secret: 'abc' })
    const last = () => Promise.resolve(new Map<string, number>())
    const broken = outboundWith({ sequences: { next: () => Promise.reject(new Error()), last } })
    expect(await broken.outbound.asker.ask(questionOf(subscription)).reply).toMatchObject({
      answer: { kind: 'failed', cause: 'overloaded' },
    })
    const clock = new FakeClock()
    const silent = outboundWith({ clock, sequences: { next: () => new Promise(() => {}), last } })
    const call = silent.outbound.asker.ask(questionOf(subscription, { budgetMs: 100 }))
    clock.advance(100)
    expect(await call.reply).toMatchObject({
      answer: { kind: 'failed', cause: 'budget_exhausted' },
    })
    const cancelled = silent.outbound.asker.ask(questionOf(subscription))
    cancelled.cancel()
    expect(await cancelled.reply).toMatchObject({ answer: { kind: 'cancelled' } })
    expect(silent.outbound.health.of('sub_1').inFlight).toBe(0)
    expect(server.seen).toEqual([])
  })

  it('sends nothing when it is cancelled in the moment its number arrives', async () => {
    await using server = await subscriber(200)
    const number = signal<number>()
    const sequences = { ...countingSequences(), next: () => number.promise }
    const { outbound } = outboundWith({ sequences })
    const subscription = subscriptionOf({ url: server.url, dialect: 'bpium', secret: 'abc' })
    const call = outbound.asker.ask(questionOf(subscription))
    number.fire(1)
    await number.promise
    call.cancel()
    expect(await call.reply).toMatchObject({ answer: { kind: 'cancelled' } })
    await settle()
    expect(server.seen).toEqual([])
  })
})

describe('what keeps a subscriber from being asked', () => {
  it('is a budget of nothing', async () => {
    const { outbound, journal } = outboundWith()
    const { reply } = outbound.asker.ask(questionOf(subscriptionOf(), { budgetMs: 0 }))
    expect(await reply).toMatchObject({ answer: { cause: 'budget_exhausted' }, status: undefined })
    expect(journal.events).toMatchObject([{ outcome: 'failed', cause: 'budget_exhausted' }])
  })

  it('is the guard', async () => {
    await using server = await subscriber(200, ALLOW)
    const { outbound } = outboundWith({ policy: parseAllowList('', 'allow').policy })
    for (const url of [server.url, `http://localhost:${server.port}`]) {
      for (let turn = 0; turn < 6; turn += 1) {
        const { reply } = outbound.asker.ask(questionOf(subscriptionOf({ url })))
        expect(await reply).toMatchObject({ answer: { kind: 'failed', cause: 'egress_blocked' } })
      }
    }
    expect(outbound.health.of('sub_1').breaker).toBe('closed')
    expect(server.seen).toEqual([])
  })

  it('is a full bulkhead, at once', async () => {
    const arrived = signal()
    const release = signal()
    await using server = await httpServer((_, response) => {
      arrived.fire()
      void release.promise.then(() => response.end(ALLOW))
    })
    const { outbound } = outboundWith()
    const subscription = subscriptionOf({ url: server.url, maxConcurrency: 1 })
    const first = outbound.asker.ask(questionOf(subscription))
    await arrived.promise
    expect(outbound.health.of('sub_1').inFlight).toBe(1)
    expect(await outbound.asker.ask(questionOf(subscription)).reply).toMatchObject({
      answer: { kind: 'failed', cause: 'overloaded' },
    })
    release.fire()
    expect(await first.reply).toMatchObject({ answer: { kind: 'allow' } })
    expect(await outbound.asker.ask(questionOf(subscription)).reply).toMatchObject({
      answer: { kind: 'allow' },
    })
  })

  it('is a full bulkhead even for the probe of a breaker, whose place it does not keep', async () => {
    const clock = new FakeClock()
    const arrived = signal()
    const release = signal()
    await using server = await httpServer((request, response) => {
      if (request.url !== '/slow') {
        response.writeHead(500).end()
        return
      }
      arrived.fire()
      void release.promise.then(() => response.end(ALLOW))
    })
    const { outbound } = outboundWith({ clock })
    const ask = (path: string, maxConcurrency: number) => {
      const subscription = subscriptionOf({ url: server.url + path, maxConcurrency })
      return outbound.asker.ask(questionOf(subscription, { budgetMs: 60_000 })).reply
    }
    const slow = ask('/slow', 6)
    await arrived.promise
    for (let turn = 0; turn < 5; turn += 1) await ask('/', 6)
    clock.advance(10_000)
    expect(await ask('/', 1)).toMatchObject({ answer: { cause: 'overloaded' } })
    release.fire()
    await slow
    expect(await ask('/', 1)).toMatchObject({ answer: { cause: 'bad_status' } })
  })

  it('is an open breaker, for its own failures only, until it is reset', async () => {
    await using server = await subscriber(500)
    const { outbound, journal } = outboundWith()
    const failing = subscriptionOf({ url: server.url })
    for (let turn = 0; turn < 5; turn += 1) await outbound.asker.ask(questionOf(failing)).reply
    expect(await outbound.asker.ask(questionOf(failing)).reply).toMatchObject({
      answer: { kind: 'failed', cause: 'circuit_open' },
    })
    expect(server.seen).toHaveLength(5)
    expect(outbound.health.of('sub_1')).toMatchObject({
      breaker: 'open',
      failures: { bad_status: 5, circuit_open: 1 },
    })
    expect(journal.events).toContainEqual({
      kind: 'breaker.changed',
      subscriptionId: 'sub_1',
      state: 'open',
    })
    await outbound.asker.ask(questionOf(subscriptionOf({ id: 'sub_2', url: server.url }))).reply
    expect(server.seen).toHaveLength(6)
    outbound.resetBreaker('sub_1')
    await outbound.asker.ask(questionOf(failing)).reply
    expect(server.seen).toHaveLength(7)
  })

  it('is not a row of denials', async () => {
    await using server = await subscriber(403)
    const { outbound } = outboundWith()
    const subscription = subscriptionOf({ url: server.url })
    for (let turn = 0; turn < 20; turn += 1) {
      const { answer } = await outbound.asker.ask(questionOf(subscription)).reply
      expect(answer.kind).toBe('deny')
    }
    expect(outbound.health.of('sub_1')).toMatchObject({ breaker: 'closed', counts: { deny: 20 } })
  })

  it('is a breaker that starts anew when its settings change, and goes on when others do', async () => {
    await using server = await subscriber(500)
    const { outbound, journal } = outboundWith()
    const subscription = subscriptionOf({ url: server.url })
    for (let turn = 0; turn < 5; turn += 1) await outbound.asker.ask(questionOf(subscription)).reply
    const renamed = { ...subscription, name: 'Renamed', breaker: { ...subscription.breaker } }
    expect((await outbound.asker.ask(questionOf(renamed)).reply).answer).toMatchObject({
      cause: 'circuit_open',
    })
    const changed = { ...renamed, breaker: { ...renamed.breaker, openMs: 1 } }
    expect((await outbound.asker.ask(questionOf(changed)).reply).answer).toMatchObject({
      cause: 'bad_status',
    })
    const states = journal.events.flatMap((one) =>
      one.kind === 'breaker.changed' ? one.state : [],
    )
    expect(states).toEqual(['open', 'closed'])
  })
})

/** A subscriber at which the clock runs out. */
function hanging(clock: FakeClock, ms: number) {
  return rawServer((socket) => socket.on('data', () => clock.advance(ms)))
}

describe('a timeout', () => {
  it.each([
    ['counts when the subscriber had its own time', 300, 300, 'open'],
    ['counts when it had a second', 10_000, 1_000, 'open'],
    ['does not count when the budget of the change cut it short', 10_000, 999, 'closed'],
  ] as const)('%s', async (_, timeoutMs, budgetMs, state) => {
    const clock = new FakeClock()
    await using server = await hanging(clock, budgetMs)
    const { outbound } = outboundWith({ clock })
    const breaker = { ...subscriptionOf().breaker, openMs: 3_600_000 }
    const subscription = subscriptionOf({ url: server.url, timeoutMs, breaker })
    for (let turn = 0; turn < 5; turn += 1) {
      const { reply } = outbound.asker.ask(questionOf(subscription, { budgetMs }))
      expect((await reply).answer).toMatchObject({ kind: 'failed', cause: 'timeout' })
    }
    expect(outbound.health.of('sub_1').breaker).toBe(state)
  })
})

describe('a cancelled question', () => {
  it('settles as cancelled, frees its place and says nothing about health', async () => {
    const arrivals: (() => void)[] = []
    await using server = await rawServer((socket) => socket.on('data', () => arrivals.shift()?.()))
    const { outbound } = outboundWith()
    const subscription = subscriptionOf({ url: server.url, maxConcurrency: 1 })
    for (let turn = 0; turn < 10; turn += 1) {
      const arrived = signal()
      arrivals.push(arrived.fire)
      const call = outbound.asker.ask(questionOf(subscription))
      await arrived.promise
      call.cancel()
      expect(await call.reply).toEqual({ answer: { kind: 'cancelled' }, status: undefined })
    }
    expect(outbound.health.of('sub_1')).toMatchObject({
      breaker: 'closed',
      inFlight: 0,
      counts: { cancelled: 10, failed: 0 },
    })
  })
})

describe('what is kept for a subscription', () => {
  it('sends to the new address as soon as the URL changes', async () => {
    await using before = await subscriber(200, ALLOW)
    await using after = await subscriber(200, ALLOW)
    const { outbound } = outboundWith()
    await outbound.asker.ask(questionOf(subscriptionOf({ url: before.url }))).reply
    await outbound.asker.ask(questionOf(subscriptionOf({ url: after.url }))).reply
    expect([before.seen.length, after.seen.length]).toEqual([1, 1])
  })

  it('uses a connection again', async () => {
    const sockets = new Set<number | undefined>()
    await using server = await httpServer((request, response) => {
      sockets.add(request.socket.remotePort)
      response.end(ALLOW)
    })
    const { outbound } = outboundWith()
    const subscription = subscriptionOf({ url: server.url })
    for (let turn = 0; turn < 5; turn += 1) {
      await outbound.asker.ask(questionOf(subscription)).reply
      await settle()
    }
    expect(sockets.size).toBe(1)
  })

  it('is gone when it is forgotten', async () => {
    await using server = await subscriber(500)
    const { outbound } = outboundWith()
    const subscription = subscriptionOf({ url: server.url })
    await outbound.asker.ask(questionOf(subscription)).reply
    expect(outbound.health.of('sub_1').counts.failed).toBe(1)
    outbound.forget('sub_1')
    expect(outbound.health.of('sub_1')).toEqual({
      breaker: 'closed',
      counts: { allow: 0, deny: 0, failed: 0, cancelled: 0 },
      failures: {},
      p50Ms: null,
      p99Ms: null,
      inFlight: 0,
    })
  })

  it('is broken off when everything closes', async () => {
    const arrived = signal()
    await using server = await rawServer((socket) => socket.on('data', () => arrived.fire()))
    const { outbound } = outboundWith()
    const { reply } = outbound.asker.ask(questionOf(subscriptionOf({ url: server.url })))
    await arrived.promise
    outbound.close()
    expect((await reply).answer).toMatchObject({ kind: 'failed', cause: 'unreachable' })
  })
})

it('turns an exception of our own into a failure that the journal knows', async () => {
  const { outbound, journal } = outboundWith()
  for (let turn = 0; turn < 6; turn += 1) {
    const call = outbound.asker.ask(questionOf(subscriptionOf({ url: 'not a url' })))
    expect((await call.reply).answer).toMatchObject({ kind: 'failed', cause: 'unreachable' })
  }
  expect(journal.events[0]).toMatchObject({ kind: 'request.crashed', requestId: 'dec_1' })
  expect(outbound.health.of('sub_1').inFlight).toBe(0)
})

describe('trying out a subscription', () => {
  it('shows request and reply without the secrets, past an open breaker', async () => {
    await using server = await subscriber(200, ALLOW, { 'x-reply': 'yes' })
    const { outbound } = outboundWith()
    const subscription = subscriptionOf({
      url: server.url,
      auth: { type: 'custom', header: 'X-Token', value: 'secret-token' },
      headers: { 'X-Api-Key': 'secret-key' },
      maxConcurrency: 0,
    })
    const exchange = await outbound.prober.probe(questionOf(subscription))
    expect(exchange).toMatchObject({
      request: {
        method: 'POST',
        url: server.url,
        headers: { 'x-token': '***', 'x-api-key': '***' },
      },
      reply: { status: 200, headers: { 'x-reply': 'yes' }, body: ALLOW },
      answer: { kind: 'allow' },
    })
    expect(JSON.stringify(exchange)).not.toContain('secret-')
    expect(server.seen[0]?.headers).toMatchObject({
      'x-token': 'secret-token',
      'x-api-key': 'secret-key',
    })
    expect(exchange.request.body).toBe(server.seen[0]?.body)
  })

  it('shows why nothing came back', async () => {
    const { outbound } = outboundWith({ policy: parseAllowList('', 'allow').policy })
    const exchange = await outbound.prober.probe(questionOf(subscriptionOf()))
    expect(exchange).toMatchObject({
      reply: null,
      answer: { kind: 'failed', cause: 'egress_blocked' },
    })
  })
})

function dispatchTo(subscription: Subscription): Dispatch {
  const { allValues: _, ...body } = { ...change, event: 'record.updated', decisionId: 'dec_1' }
  return {
    subscription,
    deliveryId: 'evt_1_sub_1',
    body,
    occurredAtMs: 1_700_000_000_000,
    accountNumber: null,
    sequenceId: 17,
  }
}

describe('a notification', () => {
  it('is sent signed, with its number, and counts as delivered on a 2xx', async () => {
    await using server = await subscriber(202, 'thanks')
    const { outbound } = outboundWith()
    const subscription = subscriptionOf({
      url: server.url,
      auth: { type: 'bearer', token: 'secret-token' },
    })
    const result = await outbound.notifier.send(dispatchTo(subscription))
    expect(result).toMatchObject({
      outcome: 'delivered',
      status: 202,
      retryAfterMs: undefined,
      error: null,
      reply: 'thanks',
      requestHeaders: { authorization: '***', 'webhook-id': 'evt_1_sub_1' },
    })
    const [request] = server.seen
    const verified = new Webhook(SECRET).verify(
      request?.body ?? '',
      request?.headers as Record<string, string>,
    )
    expect(verified).toMatchObject({ type: 'record.updated', data: { sequenceId: 17 } })
    expect(verified).not.toHaveProperty('data.deadlineAt')
    expect(request?.headers.authorization).toBe('Bearer secret-token')
  })

  it.each([
    [500, {}, { outcome: 'retry', error: 'the receiver answered 500' }],
    [503, { 'retry-after': '120' }, { outcome: 'retry', retryAfterMs: 120_000 }],
    [302, { location: 'http://127.0.0.1:1/' }, { outcome: 'retry', status: 302 }],
    [410, {}, { outcome: 'disable' }],
    [202, { 'webhook-delivery': 'disable' }, { outcome: 'delivered_last', status: 202 }],
    [500, { 'webhook-delivery': 'abort-message' }, { outcome: 'abort' }],
  ] as const)('reads a %i with %o as its dialect does', async (status, headers, expected) => {
    await using server = await subscriber(status, 'x', headers)
    const { outbound } = outboundWith()
    const result = await outbound.notifier.send(dispatchTo(subscriptionOf({ url: server.url })))
    expect(result).toMatchObject(expected)
  })

  it('keeps the first 4 KiB of the reply, as text that a database can hold', async () => {
    await using server = await subscriber(200, `\u0000${'x'.repeat(10_000)}`)
    const { outbound } = outboundWith()
    const { reply } = await outbound.notifier.send(dispatchTo(subscriptionOf({ url: server.url })))
    expect(reply).toBe(`\uFFFD${'x'.repeat(4_095)}`)
  })

  it.each([
    [200, 'declared', { outcome: 'delivered', error: null }],
    [200, 'in chunks', { outcome: 'delivered', error: null }],
    [500, 'declared', { outcome: 'retry', error: 'the receiver answered 500' }],
    [500, 'in chunks', { outcome: 'retry', error: 'the receiver answered 500' }],
  ] as const)(
    'counts by its status, a %i, where the reply, %s, is larger than is read',
    async (status, kind, expected) => {
      const long = 'y'.repeat(REPLY_BYTES_MAX + 1)
      await using server = await httpServer((_, response) => {
        if (kind === 'declared') response.setHeader('content-length', long.length)
        response.writeHead(status, { 'retry-after': '90' })
        // Flushed first, so that no length is declared where none should be.
        response.flushHeaders()
        response.end(long)
      })
      const { outbound } = outboundWith()
      const result = await outbound.notifier.send(dispatchTo(subscriptionOf({ url: server.url })))
      expect(result).toMatchObject({ ...expected, status, retryAfterMs: 90_000 })
      // Of one that declares its length nothing is read.
      expect(result.reply).toBe(kind === 'declared' ? '' : 'y'.repeat(4_096))
    },
  )

  it('that is broken off because everything closes says nothing about its receiver', async () => {
    const arrived = signal()
    await using server = await rawServer((socket) => socket.on('data', () => arrived.fire()))
    const { outbound } = outboundWith()
    const result = outbound.notifier.send(dispatchTo(subscriptionOf({ url: server.url })))
    await arrived.promise
    outbound.close()
    expect(await result).toMatchObject({ outcome: 'broken_off', status: undefined })
  })

  it('asks for a retry when it could not be sent', async () => {
    const { outbound } = outboundWith()
    const refused = await outbound.notifier.send(dispatchTo(subscriptionOf()))
    expect(refused).toMatchObject({ outcome: 'retry', status: undefined, reply: '' })
    expect(refused.error).toMatch(/^unreachable: /)
    const crashed = await outbound.notifier.send(dispatchTo(subscriptionOf({ url: 'no url' })))
    expect(crashed).toMatchObject({ outcome: 'retry', error: 'internal fault' })
  })

  it('has the time limit of its subscription', async () => {
    const clock = new FakeClock()
    await using server = await hanging(clock, 700)
    const { outbound } = outboundWith({ clock })
    const subscription = subscriptionOf({ url: server.url, timeoutMs: 700 })
    const { outcome, error } = await outbound.notifier.send(dispatchTo(subscription))
    expect([outcome, error]).toEqual(['retry', 'timeout: no reply after 700 ms'])
  })

  it('is sent although the breaker for questions is open, and leaves it as it is', async () => {
    await using server = await subscriber(500)
    const { outbound } = outboundWith()
    const subscription = subscriptionOf({ url: server.url })
    for (let turn = 0; turn < 10; turn += 1) await outbound.notifier.send(dispatchTo(subscription))
    expect(server.seen).toHaveLength(10)
    expect(outbound.health.of('sub_1').breaker).toBe('closed')
  })
})
