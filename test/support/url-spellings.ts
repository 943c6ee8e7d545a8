/** Every way that we know of to write an address into a URL, put together by chance that a seed decides. */
import { chanceFrom } from './chance.ts'

export type Spelling = { readonly url: string; readonly address: string }

/** What to write: addresses as people write them, and where they are to be called. */
export type SpellingOrder = {
  readonly seed: number
  readonly count: number
  readonly addresses: readonly string[]
  readonly port: number
  /** Frames that a URL of a subscription may have, or also those that only look like it. */
  readonly frames: 'plain' | 'every'
  /** Whether an IPv4 address may be hidden in an IPv6 address. */
  readonly embeds: boolean
}

type Chance = () => number
type Bytes = readonly [number, number, number, number]
type Rewriter = (text: string, chance: Chance) => string

const pick = <T>(list: readonly T[], chance: Chance): T => {
  const found = list[Math.floor(chance() * list.length)]
  if (found === undefined) throw new Error('nothing to pick from')
  return found
}

// ---- numbers

const zeros = (chance: Chance): string => '0'.repeat(Math.floor(chance() * 4))

const NUMBERS: readonly ((value: number, chance: Chance) => string)[] = [
  (value) => String(value),
  (value) => `0x${value.toString(16)}`,
  (value) => `0X${value.toString(16).toUpperCase()}`,
  (value, chance) => `0x${zeros(chance)}${value.toString(16)}`,
  (value, chance) => `0${zeros(chance)}${value.toString(8)}`,
]

/** One to four numbers, of which the last takes all bytes that are left; each in a radix of its own. */
function numbersOf(bytes: Bytes, chance: Chance): string {
  const parts = 1 + Math.floor(chance() * 4)
  const heads = bytes.slice(0, parts - 1)
  const rest = bytes.slice(parts - 1).reduce((sum, byte) => sum * 256 + byte, 0)
  return [...heads, rest].map((value) => pick(NUMBERS, chance)(value, chance)).join('.')
}

// ---- letters

const mapDigits =
  (zero: number, one = zero + 1): Rewriter =>
  (text) =>
    text.replace(/\d/g, (digit) =>
      String.fromCodePoint(digit === '0' ? zero : one - 1 + Number(digit)),
    )

const percent = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')

const REWRITERS: readonly Rewriter[] = [
  (text) => text,
  (text) => text,
  mapDigits(0xff10),
  mapDigits(0x24ea, 0x2460),
  mapDigits(0x1d7ce),
  mapDigits(0x1d7d8),
  mapDigits(0x2080),
  (text, chance) =>
    text.replaceAll('.', pick(['\u3002', '\uff0e', '\uff61', '%2e', '%E3%80%82'], chance)),
  (text, chance) => text.replace(/./gu, (one) => (chance() < 0.5 ? percent(one) : one)),
  (text, chance) => percent(mapDigits(0xff10)(text, chance)),
  (text, chance) =>
    text.replace(/(?<=.)/gu, pick(['\u00ad', '\u200b', '\u2060', '%C2%AD'], chance)),
  (text) => `${text}.`,
  (text) => `${text}%2E`,
  (text) => `${text}\u3002`,
  (text) =>
    text
      .replace(/x/i, '\uff58')
      .replace(/[a-f]/g, (one) => String.fromCodePoint(0xff41 + one.charCodeAt(0) - 0x61)),
]

// ---- IPv6

const hex = (high = 0, low = 0): string => (high * 256 + low).toString(16)

/** The network's prefix and what comes after the four bytes. */
const EMBEDDINGS: readonly ((bytes: Bytes) => string)[] = [
  ([a, b, c, d]) => `::ffff:${a}.${b}.${c}.${d}`,
  ([a, b, c, d]) => `::ffff:${hex(a, b)}:${hex(c, d)}`,
  ([a, b, c, d]) => `0:0:0:0:0:ffff:${hex(a, b)}:${hex(c, d)}`,
  ([a, b, c, d]) => `::${a}.${b}.${c}.${d}`,
  ([a, b, c, d]) => `::${hex(a, b)}:${hex(c, d)}`,
  ([a, b, c, d]) => `::ffff:0:${a}.${b}.${c}.${d}`,
  ([a, b, c, d]) => `64:ff9b::${a}.${b}.${c}.${d}`,
  ([a, b, c, d]) => `64:ff9b::${hex(a, b)}:${hex(c, d)}`,
  ([a, b, c, d]) => `64:ff9b:1::${a}.${b}.${c}.${d}`,
  ([a, b, c, d]) => `64:ff9b:1:${hex(a, b)}:${hex(0, c)}:${hex(d, 0)}::`,
  ([a, b, c, d]) => `2002:${hex(a, b)}:${hex(c, d)}::`,
  ([a, b, c, d]) => `2002:${hex(a, b)}:${hex(c, d)}:1:2:3:4:5`,
  ([a, b, c, d]) =>
    `2001:0:4136:e378:8000:63bf:${hex(a ^ 0xff, b ^ 0xff)}:${hex(c ^ 0xff, d ^ 0xff)}`,
]

function groupsOf(address: string): string[] {
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [head = [], tail] = canonical.split('::').map((side) => side.split(':').filter(Boolean))
  if (tail === undefined) return head
  return [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail]
}

const IPV6_WRITERS: readonly Rewriter[] = [
  (address) => address,
  (address) => address.toUpperCase(),
  (address) => groupsOf(address).join(':'),
  (address) =>
    groupsOf(address)
      .map((group) => group.padStart(4, '0'))
      .join(':'),
  (address) =>
    groupsOf(address)
      .join(':')
      .replace(/(^|:)0(:0)+(:|$)/, '::'),
]

// ---- URLs

type Frame = (scheme: string, host: string, port: number) => string

const PLAIN_FRAMES: readonly Frame[] = [
  (scheme, host, port) => `${scheme}://${host}:${port}/`,
  (scheme, host, port) => `${scheme}://${host}:${port}`,
  (scheme, host, port) => `${scheme.toUpperCase()}://${host}:${port}/hook?x=1`,
  (scheme, host, port) => `${scheme}://${host}:0${port}/hook`,
]

const TRICK_FRAMES: readonly Frame[] = [
  (scheme, host, port) => `${scheme}://user@${host}:${port}/`,
  (scheme, host, port) => `${scheme}://user:password@${host}:${port}/`,
  (scheme, host, port) => `${scheme}://example.com@${host}:${port}/`,
  (scheme, host, port) => `${scheme}://example.com%40@${host}:${port}/`,
  (scheme, host, port) => `${scheme}://example.com:443@${host}:${port}/`,
  (scheme, host, port) => `${scheme}://@${host}:${port}/`,
  (scheme, host, port) => `${scheme}://${host}:${port}#@example.com/`,
  (scheme, host, port) => `${scheme}://${host}:${port}?@example.com/`,
  (scheme, host, port) => `${scheme}://${host}:${port}\\@example.com/`,
  (scheme, host, port) => `${scheme}:\\\\${host}:${port}/`,
  (scheme, host, port) => `${scheme}:/${host}:${port}/`,
  (scheme, host, port) => `${scheme}:${host}:${port}/`,
  (scheme, host, port) => `${scheme}:///${host}:${port}/`,
  (scheme, host, port) => ` ${scheme}://${host}:${port}/ `,
  (scheme, host, port) => `ht\ttp${scheme.slice(4)}://${host}:${port}/`,
  (scheme, host, port) => `${scheme}://\n${host}:${port}/`,
  (scheme, host, port) => `${scheme}://${host}%00.example.com:${port}/`,
  (scheme, host, port) => `${scheme}://${host}..:${port}/`,
  (scheme, host, port) => `${scheme}://.${host}:${port}/`,
]

const ZONES = ['%eth0', '%25eth0', '%251', '%lo'] as const

function hostOf(address: string, { embeds, frames }: SpellingOrder, chance: Chance): string {
  const bytes = address.includes(':') ? null : (address.split('.').map(Number) as unknown as Bytes)
  if (bytes !== null && (!embeds || chance() < 0.6)) {
    const numbers = numbersOf(bytes, chance)
    const once = pick(REWRITERS, chance)(numbers, chance)
    // Digits of a percent-encoding are no digits to be written in another way.
    const mayGoOn = chance() < 0.3 && !once.includes('%')
    return mayGoOn ? pick(REWRITERS.slice(0, 7), chance)(once, chance) : once
  }
  const ipv6 = bytes === null ? address : pick(EMBEDDINGS, chance)(bytes)
  const written = pick(IPV6_WRITERS, chance)(ipv6, chance)
  const zone = frames === 'every' && chance() < 0.1 ? pick(ZONES, chance) : ''
  return `[${written}${zone}]`
}

/** So many different URLs; the same for the same order. */
export function spellingsOf(order: SpellingOrder): Spelling[] {
  const chance = chanceFrom(order.seed)
  const frames =
    order.frames === 'plain' ? PLAIN_FRAMES : [...PLAIN_FRAMES, ...PLAIN_FRAMES, ...TRICK_FRAMES]
  const found = new Map<string, Spelling>()
  while (found.size < order.count) {
    const address = pick(order.addresses, chance)
    const host = hostOf(address, order, chance)
    const url = pick(frames, chance)(pick(['http', 'https'], chance), host, order.port)
    found.set(url, { url, address })
  }
  return [...found.values()]
}
