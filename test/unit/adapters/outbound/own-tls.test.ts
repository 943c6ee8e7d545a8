/** TLS as one subscription speaks it, and nobody else. */
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { createOutbound, type Outbound } from '../../../../src/adapters/outbound/outbound.ts'
import type { ActionCall } from '../../../../src/app/run-action.ts'
import type { TlsSettings } from '../../../../src/domain/subscription.ts'
import {
  CA_CERTIFICATE,
  CLIENT_AUTHORITY,
  CLIENT_CERTIFICATE,
  CLIENT_KEY,
  GOOD_CERTIFICATE,
  SERVER_KEY,
} from './certificates.ts'
import {
  countingSequences,
  inquiryOf,
  loopback,
  realClock,
  recordingJournal,
  subscriptionOf,
} from './support.ts'

const open: Outbound[] = []
afterEach(() => {
  for (const outbound of open.splice(0)) outbound.close()
})

function outboundTrusting(...authorities: string[]): Outbound {
  const outbound = createOutbound({
    clock: realClock,
    journal: recordingJournal(),
    sequences: countingSequences(),
    policy: loopback,
    resolver: { resolve: () => Promise.resolve(['127.0.0.1']) },
    ...(authorities.length > 0 && { authorities }),
  })
  open.push(outbound)
  return outbound
}

/** Remembers who came, by the name in the certificate, and closes nothing by itself. */
async function receiver(options: { readonly wantsCertificate: boolean }) {
  const sockets = new Set<Duplex>()
  const names: (string | undefined)[] = []
  const server = createServer(
    {
      cert: GOOD_CERTIFICATE,
      key: SERVER_KEY,
      ...(options.wantsCertificate && {
        ca: CLIENT_AUTHORITY,
        requestCert: true,
        rejectUnauthorized: true,
      }),
    },
    (request, response) => {
      names.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN as string)
      response.writeHead(204).end()
    },
  )
  let connections = 0
  let ended = 0
  server.on('tlsClientError', () => {})
  server.on('connection', (socket: Duplex) => {
    connections += 1
    sockets.add(socket)
    socket.on('close', () => (ended += 1))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `https://validator.test:${(server.address() as AddressInfo).port}/`,
    names,
    connections: () => connections,
    ended: () => ended,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

async function ask(outbound: Outbound, url: string, tls?: TlsSettings, id = 'sub_1') {
  const subscription = subscriptionOf({ id, url, tls })
  const question = { subscription, inquiry: inquiryOf(), budgetMs: 5_000 }
  const { answer } = await outbound.asker.ask(question).reply
  return answer.kind === 'failed' ? answer.cause : answer.kind
}

const ofClient = { cert: CLIENT_CERTIFICATE, key: CLIENT_KEY }

describe('a subscription with an authority of its own', () => {
  it('trusts it', async () => {
    await using server = await receiver({ wantsCertificate: false })
    const outbound = outboundTrusting()
    expect(await ask(outbound, server.url, { ca: CA_CERTIFICATE })).toBe('allow')
  })

  it('trusts no other, well known as it may be', async () => {
    await using server = await receiver({ wantsCertificate: false })
    const outbound = outboundTrusting(CA_CERTIFICATE)
    expect(await ask(outbound, server.url, { ca: CLIENT_AUTHORITY })).toBe('tls')
    expect(await ask(outbound, server.url, undefined, 'sub_2')).toBe('allow')
  })

  it('leaves the trust of others as it is', async () => {
    await using server = await receiver({ wantsCertificate: false })
    const outbound = outboundTrusting()
    expect(await ask(outbound, server.url, { ca: CA_CERTIFICATE })).toBe('allow')
    expect(await ask(outbound, server.url, undefined, 'sub_2')).toBe('tls')
  })

  it('resumes no session that was begun under another trust', async () => {
    await using server = await receiver({ wantsCertificate: false })
    const outbound = outboundTrusting(CA_CERTIFICATE)
    for (const id of ['sub_1', 'sub_2'])
      expect(await ask(outbound, server.url, undefined, id)).toBe('allow')
    expect(await ask(outbound, server.url, { ca: CLIENT_AUTHORITY }, 'sub_3')).toBe('tls')
    expect(await ask(outbound, server.url, { ca: CA_CERTIFICATE }, 'sub_4')).toBe('allow')
    expect(await ask(outbound, server.url, { ca: CLIENT_AUTHORITY }, 'sub_5')).toBe('tls')
  })
})

describe('a subscription with a client certificate', () => {
  it('shows it, and others do not', async () => {
    await using server = await receiver({ wantsCertificate: true })
    const outbound = outboundTrusting(CA_CERTIFICATE)
    expect(await ask(outbound, server.url, ofClient)).toBe('allow')
    expect(await ask(outbound, server.url, undefined, 'sub_2')).not.toBe('allow')
    expect(server.names).toEqual(['gateway'])
  })

  it('keeps what the gateway trusts when it names no authority', async () => {
    await using server = await receiver({ wantsCertificate: true })
    expect(await ask(outboundTrusting(), server.url, ofClient)).toBe('tls')
    const all = { ...ofClient, ca: CA_CERTIFICATE }
    expect(await ask(outboundTrusting(), server.url, all)).toBe('allow')
  })
})

describe('TLS settings that change', () => {
  it('close the connections that were made under the old ones', async () => {
    await using server = await receiver({ wantsCertificate: false })
    const outbound = outboundTrusting()
    expect(await ask(outbound, server.url, { ca: CA_CERTIFICATE })).toBe('allow')
    expect(await ask(outbound, server.url, { ca: CA_CERTIFICATE })).toBe('allow')
    expect(server.connections()).toBe(1)
    expect(await ask(outbound, server.url, { ca: CLIENT_AUTHORITY })).toBe('tls')
    await expect.poll(server.ended).toBe(2)
    expect(await ask(outbound, server.url, undefined)).toBe('tls')
    expect(await ask(outbound, server.url, { ca: CA_CERTIFICATE })).toBe('allow')
    expect(server.names).toHaveLength(3)
  })
})

describe('settings that OpenSSL no longer takes', () => {
  it('make a call fail as tls, and nothing else', async () => {
    await using server = await receiver({ wantsCertificate: false })
    const broken = { cert: CLIENT_CERTIFICATE, key: SERVER_KEY }
    expect(await ask(outboundTrusting(CA_CERTIFICATE), server.url, broken)).toBe('tls')
    expect(server.connections()).toBe(0)
  })
})

describe('a menu action', () => {
  it('has TLS settings as a subscription has', async () => {
    await using server = await receiver({ wantsCertificate: true })
    const outbound = outboundTrusting()
    const endpoint = subscriptionOf({ url: server.url })
    const call = (tls: TlsSettings | undefined): ActionCall => ({
      action: {
        ...endpoint,
        id: 'act_1',
        title: 'Print',
        conditions: [],
        confirmText: null,
        tls,
      },
      message: {
        id: 'run_1',
        event: 'action',
        occurredAtMs: 0,
        accountId: 'default',
        accountNumber: null,
        catalogId: 'orders',
        recordId: 'rec_1',
        values: {},
        prevValues: undefined,
        allValues: undefined,
        changedFields: [],
        user: undefined,
        context: undefined,
        sequenceId: null,
        subscriptionId: 'act_1',
        decisionId: undefined,
        dryRun: false,
        deadlineAtMs: null,
      },
      requestId: 'req_1',
      traceparent: undefined,
    })
    const all = { ...ofClient, ca: CA_CERTIFICATE }
    expect(await outbound.actionRunner.run(call(undefined))).toMatchObject({ failure: 'tls' })
    expect(await outbound.actionRunner.run(call(all))).toMatchObject({ failure: null })
    expect(await outbound.actionRunner.run(call(undefined))).toMatchObject({ failure: 'tls' })
    expect(server.names).toEqual(['gateway'])
  })
})
