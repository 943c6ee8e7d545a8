import { describe, expect, it } from 'vitest'
import { parseAllowList } from '../../../../src/adapters/outbound/egress-policy.ts'
import { createRules } from '../../../../src/adapters/outbound/endpoint-rules.ts'
import { tlsFaults } from '../../../../src/adapters/outbound/tls-faults.ts'
import { compilePattern } from '../../../../src/adapters/system/patterns.ts'
import type { TlsSettings } from '../../../../src/domain/subscription.ts'
import { fakeVault } from '../../app/fakes.ts'
import {
  CA_CERTIFICATE,
  CLIENT_AUTHORITY,
  CLIENT_CERTIFICATE,
  CLIENT_KEY,
  ENCRYPTED_KEY,
  EXPIRED_CERTIFICATE,
  GOOD_CERTIFICATE,
  SERVER_KEY,
  WEAK_CERTIFICATE,
  WEAK_KEY,
} from './certificates.ts'
import { FakeClock, subscriptionOf } from './support.ts'

const NOW = Date.parse('2027-01-01T00:00:00Z')
const IN_2200 = Date.parse('2200-01-01T00:00:00Z')
const BROKEN = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'

const pointersOf = (tls: TlsSettings, nowMs = NOW) =>
  tlsFaults(tls, nowMs).map(({ pointer }) => pointer)

describe('the TLS settings of a subscription', () => {
  it.each<[string, TlsSettings]>([
    ['an authority', { ca: CA_CERTIFICATE }],
    ['several authorities', { ca: `${CA_CERTIFICATE}\n\n${CLIENT_AUTHORITY}\n` }],
    ['a certificate with its key', { cert: CLIENT_CERTIFICATE, key: CLIENT_KEY }],
    ['a chain', { cert: `${CLIENT_CERTIFICATE}\n${CLIENT_AUTHORITY}`, key: CLIENT_KEY }],
    ['a key in the older form', { cert: GOOD_CERTIFICATE, key: SERVER_KEY }],
    ['all three', { ca: CA_CERTIFICATE, cert: CLIENT_CERTIFICATE, key: CLIENT_KEY }],
  ])('may be %s', (_, tls) => {
    expect(tlsFaults(tls, NOW)).toEqual([])
  })

  it.each<[string, TlsSettings, string[]]>([
    ['nothing', {}, ['/tls']],
    ['an authority that is no PEM', { ca: 'authority' }, ['/tls/ca']],
    ['an authority that cannot be read', { ca: BROKEN }, ['/tls/ca']],
    ['one that can and one that cannot', { ca: `${CA_CERTIFICATE}\n${BROKEN}` }, ['/tls/ca']],
    ['more authorities than anybody has', { ca: `${CA_CERTIFICATE}\n`.repeat(21) }, ['/tls/ca']],
    ['an authority that has run out', { ca: EXPIRED_CERTIFICATE }, ['/tls/ca']],
    [
      'one good and one that has run out',
      { ca: CA_CERTIFICATE + EXPIRED_CERTIFICATE },
      ['/tls/ca'],
    ],
    ['a key among the authorities', { ca: `${CA_CERTIFICATE}\n${CLIENT_KEY}` }, ['/tls/ca']],
    ['a certificate without a key', { cert: CLIENT_CERTIFICATE }, ['/tls/key']],
    ['a key without a certificate', { key: CLIENT_KEY }, ['/tls/cert']],
    ['a key of another certificate', { cert: CLIENT_CERTIFICATE, key: SERVER_KEY }, ['/tls/key']],
    [
      'a key that fits only a later certificate',
      { cert: `${CLIENT_AUTHORITY}\n${CLIENT_CERTIFICATE}`, key: CLIENT_KEY },
      ['/tls/key'],
    ],
    ['a key that is none', { cert: CLIENT_CERTIFICATE, key: 'key' }, ['/tls/key']],
    [
      'a certificate as the key',
      { cert: CLIENT_CERTIFICATE, key: CLIENT_CERTIFICATE },
      ['/tls/key'],
    ],
    ['an encrypted key', { cert: CLIENT_CERTIFICATE, key: ENCRYPTED_KEY }, ['/tls/key']],
    [
      'a certificate that has run out',
      { cert: EXPIRED_CERTIFICATE, key: SERVER_KEY },
      ['/tls/cert'],
    ],
    ['a certificate and a key that are none', { cert: 'x', key: 'y' }, ['/tls/cert', '/tls/key']],
    ['a key that is too short', { cert: WEAK_CERTIFICATE, key: WEAK_KEY }, ['/tls']],
  ])('may not be %s', (_, tls, pointers) => {
    expect(pointersOf(tls)).toEqual(pointers)
  })

  it('are judged by the time of the gateway', () => {
    const tls = { cert: CLIENT_CERTIFICATE, key: CLIENT_KEY }
    expect(pointersOf(tls, IN_2200)).toEqual(['/tls/cert'])
  })

  it('are never repeated in a complaint', () => {
    for (const key of [ENCRYPTED_KEY, SERVER_KEY, 'TOP-SECRET']) {
      const text = JSON.stringify(tlsFaults({ cert: CLIENT_CERTIFICATE, key }, NOW))
      expect(text).not.toContain(key.slice(40, 60) || key)
      expect(text).not.toContain('TOP-SECRET')
    }
  })
})

describe('the rules for a subscription with TLS settings', () => {
  const { policy } = parseAllowList('', 'allow')
  const rules = createRules({ policy, vault: fakeVault, clock: new FakeClock(), compilePattern })
  const tls = { cert: EXPIRED_CERTIFICATE, key: SERVER_KEY }
  const url = 'https://stock.example/hook'

  it('refuse a certificate that has run out when it is sent', () => {
    const found = rules.complaints(subscriptionOf({ url, tls }), null)
    expect(found.map(({ pointer }) => pointer)).toEqual(['/tls/cert'])
  })

  it('leave one alone that has run out since it was stored', () => {
    const stored = subscriptionOf({ url, tls })
    expect(rules.complaints({ ...stored, active: false } as typeof stored, stored)).toEqual([])
  })

  it('want https', () => {
    const plain = subscriptionOf({ url: 'http://stock.example/hook', tls: { ca: CA_CERTIFICATE } })
    expect(rules.complaints(plain, plain).map(({ pointer }) => pointer)).toEqual(['/tls'])
  })
})
