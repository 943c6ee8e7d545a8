/**
 * What a name server can do to send the gateway where it must not go. It is in the hands of whoever chose
 * the name. One address on loopback is listed and stands for a public one; a server on another, at the same
 * port, must never hear from anybody.
 */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createConnector } from '../../src/adapters/outbound/connector.ts'
import { parseAllowList } from '../../src/adapters/outbound/egress-policy.ts'
import { createResolver, systemLookups } from '../../src/adapters/outbound/resolver.ts'
import {
  type DnsQuery,
  type DnsRecord,
  type DnsServer,
  type Message,
  startDnsServer,
  type Zone,
} from '../support/dns-server.ts'
import { FakeClock, realClock } from '../unit/adapters/outbound/support.ts'

const PUBLIC = '127.0.0.77'
const CANARY = '127.0.0.1'

type Outcome = 'reached' | 'blocked' | 'no address'
type Scenario = {
  readonly zone: Zone
  /** Of one call after the other. */
  readonly outcomes: readonly Outcome[]
  /** What passes before each further call. */
  readonly pauseMs?: number
  readonly name?: string
  readonly hosts?: string
}

const a = (data: string, more: Partial<DnsRecord> = {}): DnsRecord => ({ type: 'A', data, ...more })
const aaaa = (data: string): DnsRecord => ({ type: 'AAAA', data })
const cname = (data: string, owner?: string): DnsRecord => ({
  type: 'CNAME',
  data,
  ...(owner !== undefined && { owner }),
})

/** The records of the type that is asked for, and CNAMEs before all of them. */
const records =
  (...all: DnsRecord[]): Zone =>
  ({ type }) => [{ answers: all.filter((one) => one.type === type || one.type === 'CNAME') }]

/** The same reply to whatever is asked. */
const replies =
  (...messages: (Message | Buffer)[]): Zone =>
  () =>
    messages

/** Only A is answered in this way; of AAAA there are none. */
const forA =
  (reply: (query: DnsQuery) => readonly (Message | Buffer)[]): Zone =>
  (query) =>
    query.type === 'A' ? reply(query) : [{}]

const HIDDEN = [...Array<DnsRecord>(40).fill(a(PUBLIC)), a(CANARY)]

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'an allowed address': { zone: records(a(PUBLIC)), outcomes: ['reached'] },
  loopback: { zone: records(a(CANARY)), outcomes: ['blocked'] },
  'a private address': { zone: records(a('10.0.0.1')), outcomes: ['blocked'] },
  'the metadata address': { zone: records(a('169.254.169.254')), outcomes: ['blocked'] },
  'the unspecified address': { zone: records(a('0.0.0.0')), outcomes: ['blocked'] },
  'loopback behind an allowed address': {
    zone: records(a(PUBLIC), a(CANARY)),
    outcomes: ['blocked'],
  },
  'loopback before an allowed address': {
    zone: records(a(CANARY), a(PUBLIC)),
    outcomes: ['blocked'],
  },
  'an allowed IPv4 address and loopback as IPv6': {
    zone: records(a(PUBLIC), aaaa('::1')),
    outcomes: ['blocked'],
  },
  'loopback as an IPv4-mapped address': {
    zone: records(aaaa('::ffff:127.0.0.1')),
    outcomes: ['blocked'],
  },
  'an allowed address as an IPv4-mapped one': {
    zone: records(aaaa('::ffff:127.0.0.77')),
    outcomes: ['blocked'],
  },
  'loopback as an IPv4-compatible address': {
    zone: records(aaaa('::127.0.0.1')),
    outcomes: ['blocked'],
  },
  'loopback behind NAT64': { zone: records(aaaa('64:ff9b::7f00:1')), outcomes: ['blocked'] },
  'loopback behind 6to4': { zone: records(aaaa('2002:7f00:1::')), outcomes: ['blocked'] },
  'loopback behind Teredo': {
    zone: records(aaaa('2001:0:4136:e378:8000:63bf:80ff:fffe')),
    outcomes: ['blocked'],
  },
  'a link-local address': { zone: records(aaaa('fe80::1')), outcomes: ['blocked'] },
  'a CNAME to loopback': {
    zone: forA(() => [{ answers: [cname('inner.test'), a(CANARY, { owner: 'inner.test' })] }]),
    outcomes: ['blocked'],
  },
  'a CNAME to localhost': {
    zone: forA(() => [{ answers: [cname('localhost'), a(CANARY, { owner: 'localhost' })] }]),
    outcomes: ['blocked'],
  },
  'a CNAME to an allowed address': {
    zone: forA(() => [{ answers: [cname('inner.test'), a(PUBLIC, { owner: 'inner.test' })] }]),
    outcomes: ['reached'],
  },
  'a CNAME to nothing': {
    zone: replies({ answers: [cname('inner.test')] }),
    outcomes: ['no address'],
  },
  'a CNAME to itself': {
    zone: ({ name }) => [{ answers: [cname(name), cname(name)] }],
    outcomes: ['no address'],
  },
  'another address as soon as it may': {
    zone: forA(({ turn }) => [{ answers: [a(turn === 1 ? PUBLIC : CANARY, { ttl: 0 })] }]),
    outcomes: ['reached', 'blocked', 'blocked'],
    pauseMs: 1_000,
  },
  'another address within its own time, which is not asked for again': {
    zone: forA(({ turn }) => [{ answers: [a(turn === 1 ? PUBLIC : CANARY, { ttl: 0 })] }]),
    outcomes: ['reached', 'reached', 'reached'],
    pauseMs: 100,
  },
  'another address, long before its time is over': {
    zone: forA(({ turn }) => [
      { answers: [a(turn === 1 ? PUBLIC : CANARY, { ttl: 2_147_483_647 })] },
    ]),
    outcomes: ['reached', 'blocked'],
    pauseMs: 60_000,
  },
  'addresses in turns': {
    zone: forA(({ turn }) => [{ answers: [a(turn % 2 === 0 ? PUBLIC : CANARY, { ttl: 0 })] }]),
    outcomes: ['blocked', 'reached', 'blocked', 'reached'],
    pauseMs: 1_000,
  },
  'no such name, and then one': {
    zone: forA(({ turn }) => [turn === 1 ? { code: 3 } : { answers: [a(PUBLIC)] }]),
    outcomes: ['no address', 'reached'],
    pauseMs: 1_000,
  },
  'no reply at all': { zone: replies(), outcomes: ['no address'] },
  'no reply about IPv4, and loopback as IPv6': {
    zone: ({ type }) => (type === 'A' ? [] : [{ answers: [aaaa('::1')] }]),
    outcomes: ['blocked'],
  },
  'no reply about IPv6, and an allowed IPv4 address': {
    zone: ({ type }) => (type === 'A' ? [{ answers: [a(PUBLIC)] }] : []),
    outcomes: ['reached'],
  },
  'a reply that is cut, and loopback over TCP': {
    zone: forA(({ overTcp }) => [
      overTcp ? { answers: [a(CANARY)] } : { isTruncated: true, answers: [a(PUBLIC)] },
    ]),
    outcomes: ['blocked'],
  },
  'a reply that is cut, and the rest over TCP': {
    zone: forA(({ overTcp }) => [
      overTcp ? { answers: [a(PUBLIC), a(CANARY)] } : { isTruncated: true, answers: [a(PUBLIC)] },
    ]),
    outcomes: ['blocked'],
  },
  'a reply that is cut, and nothing over TCP': {
    zone: forA(({ overTcp }) => (overTcp ? [] : [{ isTruncated: true, answers: [a(CANARY)] }])),
    outcomes: ['no address'],
  },
  'noise of a few bytes': { zone: replies(Buffer.from('noise')), outcomes: ['no address'] },
  'noise behind the right number': {
    zone: ({ bytes }) => [Buffer.concat([bytes.subarray(0, 2), Buffer.alloc(200, 0xff)])],
    outcomes: ['no address'],
  },
  'a reply to another query': {
    zone: ({ bytes }) => [{ id: bytes.readUInt16BE(0) ^ 1, answers: [a(CANARY)] }],
    outcomes: ['no address'],
  },
  'a reply to another query before the right one': {
    zone: forA(({ bytes }) => [
      { id: bytes.readUInt16BE(0) ^ 1, answers: [a(CANARY)] },
      { answers: [a(PUBLIC)] },
    ]),
    outcomes: ['reached'],
  },
  'a reply to another question': {
    zone: replies({ question: 'other.test', answers: [a(CANARY, { owner: 'other.test' })] }),
    outcomes: ['no address'],
  },
  'two replies, the first of which is loopback': {
    zone: forA(() => [{ answers: [a(CANARY)] }, { answers: [a(PUBLIC)] }]),
    outcomes: ['blocked'],
  },
  'loopback that nobody asked for beside it': {
    zone: forA(() => [{ answers: [a(PUBLIC)], additional: [a(CANARY)] }]),
    outcomes: ['reached'],
  },
  'no such name': { zone: replies({ code: 3 }), outcomes: ['no address'] },
  'no such name, and loopback all the same': {
    zone: replies({ code: 3, answers: [a(CANARY)] }),
    outcomes: ['no address'],
  },
  'that it has failed': { zone: replies({ code: 2 }), outcomes: ['no address'] },
  'that it does not want to': { zone: replies({ code: 5 }), outcomes: ['no address'] },
  'that there is nothing': { zone: replies({}), outcomes: ['no address'] },
  'loopback at the end of many': { zone: forA(() => [{ answers: HIDDEN }]), outcomes: ['blocked'] },
  'more addresses than anybody has': {
    zone: forA(({ overTcp }) => [
      overTcp ? { answers: Array<DnsRecord>(2_000).fill(a(PUBLIC)) } : { isTruncated: true },
    ]),
    outcomes: ['no address'],
  },
  'an address that is too short': {
    zone: forA(() => [{ answers: [a('', { data: Uint8Array.of(127, 0, 0) })] }]),
    outcomes: ['no address'],
  },
  'an address of another class': {
    zone: forA(() => [{ answers: [a(CANARY, { class: 3 })] }]),
    outcomes: ['no address'],
  },
  'loopback for a name with a dot behind it': {
    zone: records(a(CANARY)),
    name: 'LOOPBACK.Example.test.',
    outcomes: ['blocked'],
  },
  'an allowed address, where the hosts file says loopback': {
    zone: records(a(PUBLIC)),
    name: 'pinned.test',
    hosts: `${CANARY} Pinned.test`,
    outcomes: ['blocked'],
  },
}

async function startServer(host: string, port: number) {
  let connections = 0
  const server = createServer((socket) => {
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
    close: () => server.close(),
  }
}

let canary: Awaited<ReturnType<typeof startServer>>
let standIn: Awaited<ReturnType<typeof startServer>>
let dns: DnsServer
const zones = new Map<string, Zone>()

beforeAll(async () => {
  canary = await startServer(CANARY, 0)
  standIn = await startServer(PUBLIC, canary.port)
  dns = await startDnsServer((query) => zones.get(query.name)?.(query) ?? [])
})

afterAll(async () => {
  canary.close()
  standIn.close()
  await dns[Symbol.asyncDispose]()
})

/** Calls the name as often as there are outcomes. */
async function play(hostname: string, scenario: Scenario): Promise<Outcome[]> {
  const clock = new FakeClock()
  const lookups = systemLookups([dns.address])
  const resolver = createResolver(clock, {
    ...lookups,
    readHosts: () => Promise.resolve(scenario.hosts ?? ''),
  })
  const { policy } = parseAllowList(PUBLIC, 'allow')
  const connect = createConnector({ clock: realClock, resolver, policy })
  const target = { protocol: 'http:', hostname, port: String(canary.port) }
  const outcomes: Outcome[] = []
  for (const _ of scenario.outcomes) {
    if (outcomes.length > 0) clock.advance(scenario.pauseMs ?? 0)
    outcomes.push(
      await new Promise<Outcome>((resolve, reject) => {
        connect(target, (error, socket: Socket | null) => {
          socket?.destroy()
          if (socket !== null) return resolve('reached')
          const code = error !== null && 'code' in error ? error.code : ''
          if (code === 'ASSENT_EGRESS_BLOCKED') return resolve('blocked')
          return error !== null && 'phase' in error && error.phase === 'name'
            ? resolve('no address')
            : reject(error ?? new Error('nothing came back'))
        })
      }),
    )
  }
  return outcomes
}

describe('a name server that answers with', () => {
  for (const [index, [title, scenario]] of Object.entries(SCENARIOS).entries()) {
    it.concurrent(title, async () => {
      const name = scenario.name ?? `name-${index}.test`
      zones.set(name.toLowerCase().replace(/\.$/, ''), scenario.zone)
      expect(await play(name, scenario)).toEqual(scenario.outcomes)
    })
  }
})

describe('of all these scenarios', () => {
  it('there are at least 30, and the server on loopback has heard of none', () => {
    expect(Object.keys(SCENARIOS).length).toBeGreaterThanOrEqual(30)
    expect(standIn.connections()).toBeGreaterThan(0)
    expect(canary.connections()).toBe(0)
  })
})
