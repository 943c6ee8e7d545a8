/**
 * Names to addresses. Node's own lookup runs on four threads that everything shares: eight lookups of a
 * name whose servers are silent stop all others. So names are resolved by c-ares, which waits for many at
 * once, with one short try each; a name is asked for once however many calls need it; answers and
 * failures are remembered for a bounded time. /etc/hosts comes first, as people expect in containers.
 * Search domains are not applied: inside a cluster, names are written in full.
 *
 * What is returned here is not trusted: the connector judges every address, every time.
 */

import { Resolver as CaresResolver } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import type { Clock } from '../../app/ports.ts'
import { BoundedMap } from './bounded-map.ts'
import { canonicalHost, isLocalhost, LOCALHOST_ADDRESSES } from './egress-policy.ts'

export interface Resolver {
  /** All addresses of a name, IPv4 first. Throws NameError when there are none. */
  resolve(host: string): Promise<readonly string[]>
}

export type ResolvedRecord = { readonly address: string; readonly ttl: number }

/** The raw lookups; tests put their own here. */
export type Lookups = {
  resolve4(host: string): Promise<readonly ResolvedRecord[]>
  resolve6(host: string): Promise<readonly ResolvedRecord[]>
  readHosts(): Promise<string>
}

export class NameError extends Error {
  readonly code: string

  constructor(host: string, code: string) {
    super(`${host} has no address (${code})`)
    this.name = 'NameError'
    this.code = code
  }
}

const RESOLVER_LIMITS = {
  queryTimeoutMs: 300,
  /** Nobody has so many; each is judged whenever a connection is made. */
  addressesMax: 64,
  rememberedMs: { min: 1_000, max: 60_000 },
  failureRememberedMs: 1_000,
  namesMax: 1_000,
  hostsFileAgeMs: 5_000,
} as const

const HOSTS_FILE =
  process.platform === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts'

/** By c-ares, of the system's servers or of these. */
export function systemLookups(servers?: readonly string[]): Lookups {
  const cares = new CaresResolver({ timeout: RESOLVER_LIMITS.queryTimeoutMs, tries: 1 })
  if (servers !== undefined) cares.setServers(servers)
  return {
    resolve4: (host) => cares.resolve4(host, { ttl: true }),
    resolve6: (host) => cares.resolve6(host, { ttl: true }),
    readHosts: () => readFile(HOSTS_FILE, 'utf8'),
  }
}

/** The names of a hosts file with their addresses, in its order. */
export function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [address = '', ...aliases] = (line.split('#', 1)[0] ?? '').trim().split(/\s+/)
    if (isIP(address) === 0) continue
    for (const alias of aliases) {
      const name = canonicalHost(alias)
      const known = names.get(name)
      if (known === undefined) names.set(name, [address])
      else known.push(address)
    }
  }
  return names
}

type Remembered = {
  readonly until: number
  readonly outcome: readonly string[] | NameError
}

export function createResolver(clock: Clock, lookups: Lookups = systemLookups()): Resolver {
  return new CachingResolver(clock, lookups)
}

class CachingResolver implements Resolver {
  readonly #clock: Clock
  readonly #lookups: Lookups
  readonly #remembered = new BoundedMap<string, Remembered>(RESOLVER_LIMITS.namesMax)
  readonly #underWay = new Map<string, Promise<readonly string[]>>()
  #hosts: ReadonlyMap<string, readonly string[]> = new Map()
  #hostsReadAt = Number.NEGATIVE_INFINITY
  #hostsRead: Promise<void> = Promise.resolve()

  constructor(clock: Clock, lookups: Lookups) {
    this.#clock = clock
    this.#lookups = lookups
  }

  async resolve(name: string): Promise<readonly string[]> {
    const host = canonicalHost(name)
    if (isLocalhost(host)) return LOCALHOST_ADDRESSES
    await this.#refreshHosts()
    const pinned = this.#hosts.get(host)
    if (pinned !== undefined) return pinned
    const remembered = this.#remembered.get(host)
    if (remembered !== undefined && this.#clock.monotonicMs() < remembered.until) {
      if (remembered.outcome instanceof NameError) throw remembered.outcome
      return remembered.outcome
    }
    return this.#share(host)
  }

  #share(host: string): Promise<readonly string[]> {
    const current = this.#underWay.get(host)
    if (current !== undefined) return current
    const query = this.#query(host).finally(() => this.#underWay.delete(host))
    this.#underWay.set(host, query)
    return query
  }

  async #query(host: string): Promise<readonly string[]> {
    const [v4, v6] = await Promise.allSettled([
      this.#lookups.resolve4(host),
      this.#lookups.resolve6(host),
    ])
    const records = [v4, v6].flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
    if (records.length > RESOLVER_LIMITS.addressesMax) {
      const failure = new NameError(host, `more than ${RESOLVER_LIMITS.addressesMax} addresses`)
      this.#remember(host, failure, RESOLVER_LIMITS.failureRememberedMs)
      throw failure
    }
    if (records.length > 0) {
      const addresses = records.map(({ address }) => address)
      this.#remember(host, addresses, rememberedMs(records))
      return addresses
    }
    const failure = new NameError(host, failureCode([v4, v6]))
    this.#remember(host, failure, RESOLVER_LIMITS.failureRememberedMs)
    throw failure
  }

  #remember(host: string, outcome: Remembered['outcome'], forMs: number): void {
    this.#remembered.set(host, { until: this.#clock.monotonicMs() + forMs, outcome })
  }

  #refreshHosts(): Promise<void> {
    const now = this.#clock.monotonicMs()
    if (now - this.#hostsReadAt < RESOLVER_LIMITS.hostsFileAgeMs) return this.#hostsRead
    this.#hostsReadAt = now
    this.#hostsRead = this.#lookups.readHosts().then(
      (text) => {
        this.#hosts = parseHosts(text)
      },
      // A file that cannot be read pins nothing.
      () => {
        this.#hosts = new Map()
      },
    )
    return this.#hostsRead
  }
}

function rememberedMs(records: readonly ResolvedRecord[]): number {
  const { min, max } = RESOLVER_LIMITS.rememberedMs
  const shortest = Math.min(...records.map(({ ttl }) => ttl)) * 1_000
  return Math.min(max, Math.max(min, shortest))
}

/** The code that says most: a silent server rather than "no such record" of the other family. */
function failureCode(results: readonly PromiseSettledResult<unknown>[]): string {
  const codes = results.flatMap((result) => {
    if (result.status === 'fulfilled') return []
    const { code } = result.reason as { code?: unknown }
    return [typeof code === 'string' ? code : 'EUNKNOWN']
  })
  return codes.find((code) => code !== 'ENODATA' && code !== 'ENOTFOUND') ?? codes[0] ?? 'ENODATA'
}
