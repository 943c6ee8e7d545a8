/**
 * Where the gateway may send to: the operator's list (ASSENT_EGRESS_ALLOW) over the classification of
 * addresses. The same judgement is passed twice, when a subscription is saved, for a sentence that its
 * author reads, and when a connection is made, which is the one that counts: names resolve differently
 * from one moment to the next.
 */
import { isIP } from 'node:net'
import { classifyAddress, isInNetwork, type Network, networkOf } from './address.ts'

export type EgressPolicy = {
  /** `allow`: plain http is good for everyone; `listed`: only for what is listed. */
  readonly httpRule: 'allow' | 'listed'
  /** Whether any network is listed: a name might then resolve into it. */
  readonly listsNetworks: boolean
  allowsHost(host: string): boolean
  allowsAddress(address: string): boolean
}

/** Ports of public receivers. Everything else is a door to something that does not speak HTTP. */
const PUBLIC_PORTS: ReadonlyMap<number, string> = new Map([
  [80, 'http'],
  [443, 'https'],
  [8080, 'http beside another server'],
  [8443, 'https beside another server'],
])

const DEFAULT_PORTS = { 'http:': 80, 'https:': 443 } as const

/** Where a connection is to go. */
export type Destination = {
  readonly protocol: 'http:' | 'https:'
  /** In canonical form: see `canonicalHost`. */
  readonly host: string
  readonly port: number
}

/** A host as it is compared: lower case, without brackets and the root's dot. */
export function canonicalHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
}

/** The names that mean this machine without any lookup (RFC 6761 §6.3). */
export function isLocalhost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost')
}

export const LOCALHOST_ADDRESSES = ['127.0.0.1', '::1'] as const

function destinationOf(url: URL): Destination | null {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return null
  const port = url.port === '' ? DEFAULT_PORTS[url.protocol] : Number(url.port)
  return { protocol: url.protocol, host: canonicalHost(url.hostname), port }
}

type AllowList = { readonly networks: readonly Network[]; readonly hosts: ReadonlySet<string> }

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*$/

function hostNameOf(entry: string): string | null {
  if (/[/:@?#\\%\s[\]]/.test(entry) || !URL.canParse(`http://${entry}/`)) return null
  const host = canonicalHost(new URL(`http://${entry}/`).hostname)
  return HOST_NAME.test(host) && isIP(host) === 0 ? host : null
}

function faultOf(entry: string, network: Network | null): string | null {
  if (network === null) {
    return hostNameOf(entry) === null
      ? `"${entry}" is neither a CIDR, nor an address, nor a host name`
      : null
  }
  if (entry.includes('/')) return null
  const { kind } = classifyAddress(entry)
  return kind === 'never' ? `"${entry}" is a metadata address, which can never be allowed` : null
}

/** Reads ASSENT_EGRESS_ALLOW: a comma list of CIDRs, single addresses and host names. */
export function parseAllowList(
  text: string,
  httpRule: EgressPolicy['httpRule'],
): { readonly policy: EgressPolicy; readonly faults: readonly string[] } {
  const entries = text.split(',').map((entry) => entry.trim())
  const faults: string[] = []
  const networks: Network[] = []
  const hosts = new Set<string>()
  for (const written of entries.filter((each) => each !== '')) {
    const entry = written.replace(/^\[(.*)\]$/, '$1')
    const network = networkOf(entry)
    const fault = faultOf(entry, network)
    if (fault !== null) faults.push(fault)
    else if (network !== null) networks.push(network)
    else hosts.add(hostNameOf(entry) ?? entry)
  }
  return { policy: policyOf({ networks, hosts }, httpRule), faults }
}

function policyOf(list: AllowList, httpRule: EgressPolicy['httpRule']): EgressPolicy {
  return {
    httpRule,
    listsNetworks: list.networks.length > 0,
    allowsHost: (host) => list.hosts.has(canonicalHost(host)),
    allowsAddress: (address) =>
      classifyAddress(address).kind !== 'never' &&
      list.networks.some((network) => isInNetwork(address, network)),
  }
}

/** Why what is not listed may not be asked in this way, whatever its address is; null when it may. */
function unlistedFault(policy: EgressPolicy, destination: Destination): string | null {
  const { protocol, host, port } = destination
  // A name without a dot means something only to the network that one is in.
  if (isIP(host) === 0 && !host.includes('.')) {
    return `"${host}" is a name of one label, which is only for hosts that ASSENT_EGRESS_ALLOW lists`
  }
  if (protocol === 'http:' && policy.httpRule === 'listed') {
    return 'plain http is only for hosts that ASSENT_EGRESS_ALLOW lists; use https'
  }
  if (PUBLIC_PORTS.has(port)) return null
  return `port ${port} is only for hosts that ASSENT_EGRESS_ALLOW lists; others use ${[...PUBLIC_PORTS.keys()].join(', ')}`
}

/** Why this address must not be connected to for this destination; null when it may. */
export function addressFault(
  policy: EgressPolicy,
  destination: Destination,
  address: string,
): string | null {
  const verdict = classifyAddress(address)
  if (verdict.kind === 'never') return `${address} is ${verdict.name}`
  if (policy.allowsHost(destination.host) || policy.allowsAddress(address)) return null
  if (verdict.kind === 'special') return `${address} is not a public address (${verdict.name})`
  return unlistedFault(policy, destination)
}

function hostFault(policy: EgressPolicy, destination: Destination): string | null {
  const { host } = destination
  if (isIP(host) !== 0) return addressFault(policy, destination, host)
  if (isLocalhost(host)) {
    const faults = LOCALHOST_ADDRESSES.map((address) => addressFault(policy, destination, address))
    return faults.includes(null) ? null : (faults[0] ?? null)
  }
  if (!HOST_NAME.test(host)) return `"${host}" is not a host name`
  // A name may lead into a listed network; only its addresses, at the time of the call, can tell.
  if (policy.allowsHost(host) || policy.listsNetworks) return null
  return unlistedFault(policy, destination)
}

/** What is wrong with the URL of a subscription, as a sentence; null when it may be called. */
export function checkUrl(url: string, policy: EgressPolicy): string | null {
  if (!URL.canParse(url)) return 'The URL is not an absolute URL.'
  const parsed = new URL(url)
  const destination = destinationOf(parsed)
  if (destination === null) return 'The URL must begin with https:// or http://.'
  if (parsed.username !== '' || parsed.password !== '') {
    return 'The URL must not hold a user name or password; use auth instead.'
  }
  if (destination.port === 0) return 'The URL must not use port 0.'
  const fault = hostFault(policy, destination)
  return fault === null ? null : `The URL cannot be called: ${fault}.`
}
