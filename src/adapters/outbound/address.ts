/**
 * Which addresses the gateway may connect to. Subscribers choose URLs, so every connection could be aimed
 * at something that trusts the gateway's network: a database, a neighbour, a cloud's credential service.
 *
 * The rule is default deny: an address is public only when neither our own tables nor ipaddr.js know it
 * as anything special. Addresses that carry another address inside (IPv4-mapped, NAT64, 6to4 …) are
 * special too, since what they reach is decided elsewhere. Special addresses can be listed by the
 * operator; those of cloud metadata services never, in whatever form they are written.
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6
export type Network = readonly [Address, number]
type NamedNetwork = readonly [cidr: string, name: string]

/** Where clouds hand out credentials. No setting makes these reachable. */
const METADATA = [
  ['169.254.0.0/16', 'link-local, where clouds serve metadata'],
  ['168.63.129.16/32', 'the Azure platform address'],
  ['100.100.100.200/32', 'the Alibaba Cloud metadata address'],
  ['192.0.0.192/32', 'the Oracle Cloud metadata address'],
  ['fd00:ec2::/32', 'the AWS metadata addresses'],
  ['fd20:ce::/32', 'the Google Cloud metadata address'],
  ['fd00:42::42/128', 'the Scaleway metadata address'],
  ['fd00:a9fe:a9fe::1/128', 'the Akamai metadata address'],
  ['fd00:c1::a9fe:a9fe/128', 'the Oracle Cloud metadata address'],
  ['fe80::/10', 'link-local'],
] as const satisfies readonly NamedNetwork[]

/** Special networks by name, in addition to whatever ipaddr.js does not call unicast. */
const SPECIAL = [
  ['0.0.0.0/8', 'this network'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'carrier-grade NAT'],
  ['127.0.0.0/8', 'loopback'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'IETF protocol assignments'],
  ['192.0.2.0/24', 'documentation'],
  ['192.88.99.0/24', '6to4 relay'],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'benchmarking'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
  ['::1/128', 'loopback'],
  ['::ffff:0:0/96', 'an IPv4-mapped address'],
  ['::/96', 'an IPv4-compatible address'],
  ['64:ff9b::/96', 'a NAT64 address'],
  ['64:ff9b:1::/48', 'a local NAT64 address'],
  ['2001::/32', 'a Teredo address'],
  ['2001::/23', 'IETF protocol assignments'],
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', 'a 6to4 address'],
  ['3fff::/20', 'documentation'],
  ['fc00::/7', 'private'],
  ['ff00::/8', 'multicast'],
] as const satisfies readonly NamedNetwork[]

/** The part of IPv6 that is given out for global use; everything outside is refused. */
const GLOBAL_IPV6 = '2000::/3'

type Embedding = readonly [cidr: string, bytes: readonly number[], mask?: 0xff]

/**
 * Where in an IPv6 address an IPv4 address may be hidden: the network and the bytes. A local NAT64 prefix
 * may have any of four lengths, and byte 8 is never a part (RFC 6052 §2.2). Teredo has two, of which the
 * client's is inverted (RFC 4380 §4).
 */
const EMBEDDINGS: readonly Embedding[] = [
  ['::ffff:0:0/96', [12, 13, 14, 15]],
  ['::/96', [12, 13, 14, 15]],
  ['::ffff:0:0:0/96', [12, 13, 14, 15]],
  ['64:ff9b::/96', [12, 13, 14, 15]],
  ['64:ff9b:1::/48', [12, 13, 14, 15]],
  ['64:ff9b:1::/48', [9, 10, 11, 12]],
  ['64:ff9b:1::/48', [7, 9, 10, 11]],
  ['64:ff9b:1::/48', [6, 7, 9, 10]],
  ['2002::/16', [2, 3, 4, 5]],
  ['2001::/32', [4, 5, 6, 7]],
  ['2001::/32', [12, 13, 14, 15], 0xff],
]

export type AddressClass =
  | { readonly kind: 'public' }
  /** Reachable only when it is listed. */
  | { readonly kind: 'special'; readonly name: string }
  /** Not reachable, listed or not. */
  | { readonly kind: 'never'; readonly name: string }

const PUBLIC: AddressClass = { kind: 'public' }

const parsed = (list: readonly NamedNetwork[]) =>
  list.map(([cidr, name]) => ({ network: ipaddr.parseCIDR(cidr), name }))

const metadataNetworks = parsed(METADATA)
const specialNetworks = parsed(SPECIAL)
const globalIpv6 = ipaddr.parseCIDR(GLOBAL_IPV6)
const embeddings = EMBEDDINGS.map(([cidr, bytes, mask = 0]) => ({
  network: ipaddr.parseCIDR(cidr),
  bytes,
  mask,
}))

/** The address that a text denotes in full notation; null for anything else, `127.1` and zones included. */
function addressOf(text: string): Address | null {
  if (isIP(text) === 0 || text.includes('%')) return null
  return ipaddr.parse(isIP(text) === 6 && text.includes('.') ? hexNotation(text) : text)
}

/** ipaddr.js reads `::1.2.3.4` as if it were `::ffff:1.2.3.4`; in hexadecimal there is no doubt. */
function hexNotation(ipv6: string): string {
  return new URL(`http://[${ipv6}]/`).hostname.slice(1, -1)
}

function isIn(address: Address, [base, bits]: Network): boolean {
  return address.kind() === base.kind() && address.match(base, bits)
}

function nameIn(address: Address, networks: typeof specialNetworks): string | undefined {
  return networks.find(({ network }) => isIn(address, network))?.name
}

/** All that it could be read as: nobody knows which of them the next router means. */
function embeddedIn(address: Address): Address[] {
  const whole = address.toByteArray()
  return embeddings
    .filter(({ network }) => isIn(address, network))
    .map(({ bytes, mask }) => new ipaddr.IPv4(bytes.map((at) => (whole[at] ?? 0) ^ mask)))
}

function classify(address: Address): AddressClass {
  const metadata = nameIn(address, metadataNetworks)
  if (metadata !== undefined) return { kind: 'never', name: metadata }
  const hidden = embeddedIn(address)
    .map((embedded) => nameIn(embedded, metadataNetworks))
    .find((name) => name !== undefined)
  if (hidden !== undefined) return { kind: 'never', name: hidden }
  const special = nameIn(address, specialNetworks)
  if (special !== undefined) return { kind: 'special', name: special }
  const range = address.range()
  if (range !== 'unicast') return { kind: 'special', name: range }
  const isGlobal = address.kind() === 'ipv4' || isIn(address, globalIpv6)
  return isGlobal ? PUBLIC : { kind: 'special', name: 'not in global use' }
}

/** What kind of address a text is. A text that is no full address is never connected to. */
export function classifyAddress(text: string): AddressClass {
  const address = addressOf(text)
  return address === null ? { kind: 'never', name: 'not an address' } : classify(address)
}

/** One spelling for each address, so that two can be compared. */
export function sameAddress(left: string, right: string): boolean {
  const a = addressOf(left)
  const b = addressOf(right)
  return a !== null && b !== null && a.toNormalizedString() === b.toNormalizedString()
}

/** The address itself and those that hide in it, in one spelling each; none for what is no address. */
export function spelledOut(text: string): readonly string[] {
  const address = addressOf(text)
  if (address === null) return []
  return [address, ...embeddedIn(address)].map((one) => one.toNormalizedString())
}

/** A network in CIDR notation or a single address; null when it is neither. */
export function networkOf(text: string): Network | null {
  const [base = '', bits, ...rest] = text.split('/')
  const address = addressOf(base)
  if (address === null || rest.length > 0) return null
  const most = address.kind() === 'ipv4' ? 32 : 128
  if (bits === undefined) return [address, most]
  const length = /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
  return length <= most ? [address, length] : null
}

export function isInNetwork(text: string, network: Network): boolean {
  const address = addressOf(text)
  return address !== null && isIn(address, network)
}
