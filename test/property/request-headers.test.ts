/**
 * Headers that a subscription brings along: whatever is accepted when it is saved, and whatever got into the
 * store in another way, is one request on the wire with our own headers as they are.
 */
import { describe, expect, it } from 'vitest'
import { wireText } from '../../src/adapters/outbound/http1/connection.ts'
import { questionRequest, SharedBodies } from '../../src/adapters/outbound/outgoing.ts'
import { requestFaults } from '../../src/dialects/request.ts'
import type { Auth } from '../../src/domain/subscription.ts'
import { chanceFrom } from '../support/chance.ts'
import { FakeClock, inquiryOf, subscriptionOf } from '../unit/adapters/outbound/support.ts'

const RUNS = 5_000
const SEED = 20_261_122

const NAMES = [
  'host',
  'Host',
  'content-length',
  'Content-Length',
  'transfer-encoding',
  'Transfer-Encoding',
  'connection',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'keep-alive',
  'cookie',
  'content-type',
  'proxy-authorization',
  'Proxy-Connection',
  'webhook-id',
  'webhook-signature',
  'via',
  'x-assent-chain',
  'X-Assent-Decision',
  'x-forwarded-for',
  'forwarded',
  'accept-encoding',
  'x-key',
  'authorization',
  'Authorization',
  'x-\u212aey',
  'x key',
  'x-key:',
  '',
  'é',
  ' host',
  'host ',
  'host\r\nx',
  'x\u0000',
  'constructor',
  '__proto__',
  'user-agent',
  'metadata-flavor',
]
const VALUES = [
  'v',
  '',
  ' v ',
  'chunked',
  'close',
  '0',
  '5',
  'a\r\nhost: evil',
  'a\nb',
  'a\rb',
  'a\u0000b',
  '\u010d\u010a',
  'é',
  '\ud83d\ude00',
  '\t',
  'x'.repeat(4_097),
  'a\u0085b',
  'a\u2028b',
  'a\u007fb',
]

type Chance = () => number
const pick = (list: readonly string[], chance: Chance): string =>
  list[Math.floor(chance() * list.length)] ?? ''

function anyText(list: readonly string[], chance: Chance): string {
  const text = pick(list, chance)
  if (chance() < 0.6) return text
  const at = Math.floor(chance() * (text.length + 1))
  return text.slice(0, at) + String.fromCharCode(Math.floor(chance() * 300)) + text.slice(at)
}

function anySettings(chance: Chance) {
  const headers: Record<string, string> = {}
  for (let left = Math.floor(chance() * 4); left > 0; left -= 1) {
    Object.defineProperty(headers, anyText(NAMES, chance), {
      value: anyText(VALUES, chance),
      enumerable: true,
      configurable: true,
    })
  }
  const custom = { header: anyText(NAMES, chance), value: anyText(VALUES, chance) }
  const auth: Auth = chance() < 0.5 ? { type: 'none' } : { type: 'custom', ...custom }
  return subscriptionOf({ headers, auth, url: 'http://receiver.test/' })
}

/** What a server would read, by the letter of RFC 9112. */
function readByServer(text: string) {
  const [head = '', ...bodies] = text.split('\r\n\r\n')
  const [requestLine, ...lines] = head.split('\r\n')
  const pairs = lines.map((line): [string, string] => {
    const at = line.indexOf(':')
    return [line.slice(0, at), line.slice(at + 1).trim()]
  })
  return { requestLine, pairs, body: bodies.join('\r\n\r\n') }
}

const ONCE = [
  'host',
  'content-length',
  'content-type',
  'accept-encoding',
  'webhook-id',
  'x-assent-chain',
]
const NEVER = ['transfer-encoding', 'connection', 'upgrade', 'expect', 'te', 'trailer', 'cookie']

describe(`${RUNS} subscriptions with headers made by chance`, () => {
  it('send one request each with our own headers as they are, or none', () => {
    const clock = new FakeClock()
    const sharedBodies = new SharedBodies()
    const counts = { sent: 0, unsendable: 0, faulty: 0 }
    for (let run = 0; run < RUNS; run += 1) {
      const subscription = anySettings(chanceFrom(SEED + run))
      const isFaulty = requestFaults(subscription).length > 0
      const question = { subscription, inquiry: inquiryOf(), budgetMs: 5_000 }
      const order = { question, sequenceId: null, leftMs: 5_000 }
      const request = questionRequest(order, clock, sharedBodies)
      let text = ''
      try {
        text = wireText({ ...request, path: '/' }, 'receiver.test')
      } catch {
        // What was accepted can be sent.
        expect(isFaulty, JSON.stringify(subscription.headers)).toBe(true)
        counts.unsendable += 1
        continue
      }
      const { requestLine, pairs, body } = readByServer(text)
      const all = (name: string) => pairs.filter(([one]) => one.toLowerCase() === name)
      expect(requestLine).toBe('POST / HTTP/1.1')
      for (const name of ONCE) expect(all(name), name).toHaveLength(1)
      for (const name of NEVER) expect(all(name), name).toHaveLength(0)
      expect(all('host')).toEqual([['host', 'receiver.test']])
      expect(all('x-assent-chain')).toEqual([['x-assent-chain', 'chain-token']])
      expect(all('content-length')[0]?.[1]).toBe(String(Buffer.byteLength(body)))
      expect(JSON.parse(body)).toMatchObject({ type: 'record.before.updated' })
      counts[isFaulty ? 'faulty' : 'sent'] += 1
    }
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(RUNS / 50)
  })
})
