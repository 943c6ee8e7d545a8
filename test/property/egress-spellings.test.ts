/**
 * Thousands of ways to write an address that nobody may be sent to, tried as a subscription's URL and as a
 * connection, with a server on loopback that must never hear of any of them. Names are no way out: every
 * name resolves to loopback here.
 */

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createServer, type Server } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createConnector } from '../../src/adapters/outbound/connector.ts'
import { type EgressPolicy, parseAllowList } from '../../src/adapters/outbound/egress-policy.ts'
import { createRules } from '../../src/adapters/outbound/endpoint-rules.ts'
import type { Resolver } from '../../src/adapters/outbound/resolver.ts'
import { compilePattern } from '../../src/adapters/system/patterns.ts'
import { spellingsOf } from '../support/url-spellings.ts'
import { realClock, subscriptionOf } from '../unit/adapters/outbound/support.ts'
import { fakeVault } from '../unit/app/fakes.ts'

const SEED = 20_261_122
const COUNT = 5_000
const CONTROLS = 500
/** Stands for a public address: the only one that is listed. */
const STAND_IN = '127.0.0.77'

/** Ends of each network, and those that somebody lives at. */
const FORBIDDEN = `
  0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 100.100.100.200
  127.0.0.1 127.0.0.1 127.0.0.1 127.0.0.2 127.255.255.254 168.63.129.16 169.254.0.1
  169.254.169.254 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1
  192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255
  198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::1
  100::1 1fff::1 2001::1 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 3fff::1 4000::1 5f00::1
  fc00::1 fd00:ec2::254 fd00:42::42 fd20:ce::254 fdff::1 fe80::1 fec0::1 ff02::1 ff0e::1`
  .trim()
  .split(/\s+/)

const PUBLIC = `
  1.1.1.1 8.8.8.8 9.255.255.255 93.184.216.34 100.63.255.255 172.32.0.1 192.0.1.1
  223.255.255.255 2606:4700:4700::1111 2a00:1450:4001:81b::200e`
  .trim()
  .split(/\s+/)

const everyNameIsLoopback: Resolver = { resolve: () => Promise.resolve(['127.0.0.1']) }

function savedWith(policy: EgressPolicy, url: string) {
  const rules = createRules({ policy, vault: fakeVault, clock: realClock, compilePattern })
  return rules.complaints(subscriptionOf({ url }), null)
}

/** The address that a connection was made to, or the code of what refused it. */
function connectionTo(policy: EgressPolicy, url: string): Promise<string> {
  const connect = createConnector({ clock: realClock, resolver: everyNameIsLoopback, policy })
  const { protocol, hostname, port } = new URL(url)
  return new Promise((resolve) => {
    connect({ protocol, hostname, port }, (error, socket: Socket | null) => {
      const made = socket?.remoteAddress
      socket?.destroy()
      resolve(made ?? (error !== null && 'code' in error ? String(error.code) : 'unknown'))
    })
  })
}

/** Counts who comes to loopback, at the port that all URLs name. */
async function startCanary(port: number, host: string) {
  let connections = 0
  const server: Server = createServer((socket) => {
    connections += 1
    socket.on('error', () => {})
    socket.end()
  })
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => void server.close(),
  }
}

const callable = (url: string): boolean =>
  URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)

describe(`${COUNT} spellings of addresses that are nobody's business`, () => {
  it('are all refused as a URL, and lead to no connection when one is tried all the same', async () => {
    await using canary = await startCanary(0, '127.0.0.1')
    await using other = await startCanary(canary.port, '::1')
    await using stranger = await startCanary(canary.port, '127.0.0.2')
    const policy = parseAllowList(STAND_IN, 'allow').policy
    const order = { seed: SEED, count: COUNT, port: canary.port, addresses: FORBIDDEN } as const
    const spellings = spellingsOf({ ...order, frames: 'every', embeds: true })
    const taken = spellings.filter(({ url }) => savedWith(policy, url).length === 0)
    expect(taken).toEqual([])
    const tried = spellings.filter(({ url }) => callable(url))
    expect(tried.length).toBeGreaterThan(COUNT * 0.8)
    const outcomes = await Promise.all(tried.map(({ url }) => connectionTo(policy, url)))
    expect(tried.filter((_, at) => outcomes[at] !== 'ASSENT_EGRESS_BLOCKED')).toEqual([])
    expect([canary, other, stranger].map((one) => one.connections())).toEqual([0, 0, 0])
  })

  it('are mostly literal addresses to whoever reads them', () => {
    const order = { seed: SEED, count: COUNT, port: 8443, addresses: FORBIDDEN } as const
    const literal = spellingsOf({ ...order, frames: 'every', embeds: true }).filter(
      ({ url }) => callable(url) && /^[\d.]+$|^\[/.test(new URL(url).hostname),
    )
    expect(literal.length).toBeGreaterThan(COUNT * 0.6)
  })
})

describe('spellings of addresses that are public', () => {
  it(`are accepted as a URL, all ${CONTROLS} of them`, () => {
    const policy = parseAllowList('', 'allow').policy
    const order = { seed: SEED, count: CONTROLS, port: 8443, addresses: PUBLIC } as const
    for (const { url, address } of spellingsOf({ ...order, frames: 'plain', embeds: false })) {
      expect(savedWith(policy, url), `${url} for ${address}`).toEqual([])
    }
  })

  it('lead to it: one on loopback that is listed stands for them', async () => {
    await using server = await startCanary(0, STAND_IN)
    const policy = parseAllowList(STAND_IN, 'allow').policy
    const order = { seed: SEED, count: CONTROLS, port: server.port, addresses: [STAND_IN] } as const
    const spellings = spellingsOf({ ...order, frames: 'plain', embeds: false })
    const plain = spellings.filter(({ url }) => /^http:/i.test(url))
    for (const { url } of plain) expect(await connectionTo(policy, url), url).toBe(STAND_IN)
    expect(plain.length).toBeGreaterThan(CONTROLS / 4)
    expect(server.connections()).toBe(plain.length)
  })
})
