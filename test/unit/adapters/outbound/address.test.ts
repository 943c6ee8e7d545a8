import { describe, expect, it } from 'vitest'
import {
  classifyAddress,
  isInNetwork,
  networkOf,
  sameAddress,
} from '../../../../src/adapters/outbound/address.ts'

const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '93.184.216.34',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.1',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.1',
  '192.0.3.1',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '203.0.112.255',
  '223.255.255.255',
  '2001:200::1',
  '2001:4860:4860::8888',
  '2606:4700:4700::1111',
  '2a00:1450:4001:81b::200e',
  '3ffe::1',
]

const SPECIAL = [
  ['0.0.0.0', 'this network'],
  ['0.1.2.3', 'this network'],
  ['10.0.0.1', 'private'],
  ['10.255.255.255', 'private'],
  ['100.64.0.1', 'carrier-grade NAT'],
  ['100.127.255.255', 'carrier-grade NAT'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.0.0.1', 'IETF protocol assignments'],
  ['192.0.2.1', 'documentation'],
  ['192.31.196.1', 'as112'],
  ['192.52.193.1', 'amt'],
  ['192.88.99.1', '6to4 relay'],
  ['192.168.1.1', 'private'],
  ['192.175.48.1', 'as112'],
  ['198.18.0.1', 'benchmarking'],
  ['198.19.255.255', 'benchmarking'],
  ['198.51.100.7', 'documentation'],
  ['203.0.113.7', 'documentation'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'reserved'],
  ['::', 'an IPv4-compatible address'],
  ['::1', 'loopback'],
  ['::7f00:1', 'an IPv4-compatible address'],
  ['::8.8.8.8', 'an IPv4-compatible address'],
  ['::ffff:127.0.0.1', 'an IPv4-mapped address'],
  ['::ffff:8.8.8.8', 'an IPv4-mapped address'],
  ['::ffff:7f00:1', 'an IPv4-mapped address'],
  ['::ffff:0:8.8.8.8', 'rfc6145'],
  ['64:ff9b::8.8.8.8', 'a NAT64 address'],
  ['64:ff9b::7f00:1', 'a NAT64 address'],
  ['64:ff9b:1::1', 'a local NAT64 address'],
  ['100::1', 'discard'],
  ['1fff::1', 'not in global use'],
  ['2001::1', 'a Teredo address'],
  ['2001:0:53aa:64c:0:0:0:1', 'a Teredo address'],
  ['2001:2::1', 'IETF protocol assignments'],
  ['2001:10::1', 'IETF protocol assignments'],
  ['2001:1ff::1', 'IETF protocol assignments'],
  ['2001:db8::1', 'documentation'],
  ['2002:7f00:1::1', 'a 6to4 address'],
  ['2002:808:808::1', 'a 6to4 address'],
  ['2620:4f:8000::1', 'as112v6'],
  ['3fff::1', 'documentation'],
  ['3fff:fff::1', 'documentation'],
  ['4000::1', 'not in global use'],
  ['5f00::1', 'segmentRouting'],
  ['fc00::1', 'private'],
  ['fdff::1', 'private'],
  ['fec0::1', 'deprecatedSiteLocal'],
  ['ff02::1', 'multicast'],
] as const

const NEVER = [
  '169.254.169.254',
  '169.254.170.2',
  '169.254.0.1',
  '168.63.129.16',
  '100.100.100.200',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd20:ce::254',
  'fd00:42::42',
  'fe80::1',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '::a9fe:a9fe',
  '::ffff:0:a9fe:a9fe',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::a9fe:a9fe',
  '64:ff9b:1:a9fe:a9:fe00::',
  '64:ff9b:1:a9:fe:a9fe::',
  '64:ff9b:1:0:a9:fea9:fe00::',
  '2002:a9fe:a9fe::1',
  '2002:6464:64c8::1',
  '2001:0:4136:e378:8000:63bf:5601:5601',
  '2001:0:a9fe:a9fe:8000:63bf:fff5:fffe',
  // Not addresses in full notation: nothing of this kind is ever connected to.
  'fe80::1%eth0',
  '::1%1',
  '127.1',
  '2130706433',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '1.2.3.4/8',
  '[::1]',
  'localhost',
  '',
]

describe('the classification of addresses', () => {
  it.each(PUBLIC)('takes %s as public', (address) => {
    expect(classifyAddress(address)).toEqual({ kind: 'public' })
  })

  it.each(SPECIAL)('refuses %s as %s unless it is listed', (address, name) => {
    expect(classifyAddress(address)).toEqual({ kind: 'special', name })
  })

  it.each(NEVER)('never allows "%s"', (address) => {
    expect(classifyAddress(address).kind).toBe('never')
  })
})

describe('networks', () => {
  it.each(['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/-1', '10.0/8', 'a/8'])(
    'refuse %s',
    (text) => {
      expect(networkOf(text)).toBeNull()
    },
  )

  it('take a single address as a network of one', () => {
    const network = networkOf('10.1.2.3') ?? expect.fail('no network')
    expect(isInNetwork('10.1.2.3', network)).toBe(true)
    expect(isInNetwork('10.1.2.4', network)).toBe(false)
  })

  it('do not hold an address of the other family that carries one of theirs', () => {
    const network = networkOf('10.0.0.0/8') ?? expect.fail('no network')
    expect(isInNetwork('::ffff:10.0.0.1', network)).toBe(false)
  })

  it('compare addresses by value, not by spelling', () => {
    expect(sameAddress('2001:DB8::1', '2001:db8:0:0:0:0:0:1')).toBe(true)
    expect(sameAddress('::1', '127.0.0.1')).toBe(false)
    expect(sameAddress('', '')).toBe(false)
  })
})
