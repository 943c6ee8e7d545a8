import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addressFault,
  checkUrl,
  parseAllowList,
} from '../../../../src/adapters/outbound/egress-policy.ts'

const policyOf = (list: string, httpRule: 'allow' | 'listed' = 'listed') =>
  parseAllowList(list, httpRule).policy

const nothingListed = policyOf('')
const loopbackListed = policyOf('127.0.0.0/8,::1')

describe('ASSENT_EGRESS_ALLOW', () => {
  it.each([
    ['10.0.0.0/33', 'CIDR'],
    ['10.0.0.0/x', 'CIDR'],
    ['http://validator', 'host name'],
    ['validator:8080', 'host name'],
    ['*.internal', 'host name'],
    ['user@host', 'host name'],
    ['a b', 'host name'],
    ['127.1', 'host name'],
    ['169.254.169.254', 'metadata'],
    ['fd00:ec2::254', 'metadata'],
    ['::ffff:169.254.169.254', 'metadata'],
  ])('reports %s as faulty', (entry, said) => {
    const { faults } = parseAllowList(`10.0.0.0/8,${entry}`, 'listed')
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain(entry)
    expect(faults[0]).toContain(said)
  })

  it('takes CIDRs, addresses and host names, with blanks and empty entries between them', () => {
    const { policy, faults } = parseAllowList(
      ' 10.0.0.0/8 ,, 192.168.1.5, [::1],fd12::/16, Validator.Internal. , docker_host,bücher.example',
      'listed',
    )
    expect(faults).toEqual([])
    expect(policy.allowsAddress('10.9.9.9')).toBe(true)
    expect(policy.allowsAddress('192.168.1.5')).toBe(true)
    expect(policy.allowsAddress('192.168.1.6')).toBe(false)
    expect(policy.allowsAddress('::1')).toBe(true)
    expect(policy.allowsAddress('fd12::7')).toBe(true)
    expect(policy.allowsHost('validator.internal')).toBe(true)
    expect(policy.allowsHost('VALIDATOR.internal.')).toBe(true)
    expect(policy.allowsHost('docker_host')).toBe(true)
    expect(policy.allowsHost('xn--bcher-kva.example')).toBe(true)
    expect(policy.allowsHost('other.internal')).toBe(false)
  })

  it.each(['0.0.0.0/0', '169.254.0.0/16', '::/0', '::ffff:0:0/96', 'fd00::/8', '64:ff9b::/96'])(
    'cannot open metadata addresses through %s',
    (cidr) => {
      const policy = policyOf(cidr, 'allow')
      const destination = { protocol: 'http:', host: 'validator.test', port: 80 } as const
      for (const address of [
        '169.254.169.254',
        '168.63.129.16',
        '100.100.100.200',
        'fd00:ec2::254',
        '::ffff:169.254.169.254',
        '64:ff9b::a9fe:a9fe',
      ]) {
        expect(policy.allowsAddress(address)).toBe(false)
        expect(addressFault(policy, destination, address)).not.toBeNull()
      }
    },
  )

  it('lets a listed name lead to private addresses, but not to metadata', () => {
    const policy = policyOf('validator.internal')
    const destination = { protocol: 'http:', host: 'validator.internal', port: 9000 } as const
    expect(addressFault(policy, destination, '10.0.0.1')).toBeNull()
    expect(addressFault(policy, destination, '169.254.169.254')).not.toBeNull()
  })
})

const REFUSED = [
  // Addresses that are not public, in every spelling that a URL understands.
  'https://127.0.0.1/',
  'https://127.1/',
  'https://0x7f.1/',
  'https://0x7f000001/',
  'https://2130706433/',
  'https://0177.0.0.1/',
  'https://①②⑦.⓪.⓪.①/',
  'https://127。0。0。1/',
  'https://%31%32%37.0.0.1/',
  'https://127.0.0.1./',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https://[::7f00:1]/',
  'https://[64:ff9b::7f00:1]/',
  'https://[2002:7f00:1::]/',
  'https://[fd00::1]/',
  'https://[fe80::1]/',
  'https://0/',
  'https://0.0.0.0/',
  'https://10.0.0.1/',
  'https://192.168.0.1/',
  'https://172.16.0.1/',
  'https://100.64.0.1/',
  'https://169.254.169.254/latest/meta-data/',
  'https://[fd00:ec2::254]/',
  'https://168.63.129.16/',
  'https://localhost/',
  'https://LOCALHOST./',
  'https://foo.localhost/',
  // Schemes, ports, credentials, shapes.
  'http://example.com/',
  'ftp://example.com/',
  'file:///etc/passwd',
  'gopher://example.com/',
  'unix:/var/run/docker.sock',
  'javascript:alert(1)',
  'data:text/plain,x',
  '//example.com/',
  '/path',
  'example.com',
  '',
  'https://',
  'https://example.com:22/',
  'https://example.com:25/',
  'https://example.com:5432/',
  'https://example.com:0/',
  'https://example.com:65536/',
  'https://user@example.com/',
  'https://user:password@example.com/',
  'https://a..b/',
  'https://example.com../',
  'https://intranet/',
  'https://intranet./',
  'https://a%20b.example/',
  'https://{host}.example.com/',
]

const ACCEPTED = [
  'https://example.com/',
  'https://example.com:443/hook',
  'https://example.com:8443/hook?x=1',
  'https://example.com:8080/',
  'https://example.com:80/',
  'https://EXAMPLE.com./hook',
  'https://bücher.example/',
  'https://example.com/orders/{id}?state={status}',
  'https://8.8.8.8/',
  'https://[2606:4700:4700::1111]/',
]

describe('checkUrl', () => {
  it.each(REFUSED)('refuses %s with a sentence', (url) => {
    expect(checkUrl(url, nothingListed)).toMatch(/^The URL .*\.$/)
  })

  it.each(ACCEPTED)('accepts %s', (url) => {
    expect(checkUrl(url, nothingListed)).toBeNull()
  })

  it('accepts plain http for everyone only where the rule says so', () => {
    expect(checkUrl('http://example.com/', policyOf('', 'allow'))).toBeNull()
    expect(checkUrl('http://example.com:9000/', policyOf('', 'allow'))).not.toBeNull()
    expect(checkUrl('http://10.0.0.1/', policyOf('', 'allow'))).not.toBeNull()
  })

  it.each([
    'http://127.0.0.1:9000/',
    'http://localhost:9000/',
    'http://app.localhost/',
    'http://[::1]:9000/',
    'http://2130706433:9000/',
  ])('accepts %s when loopback is listed', (url) => {
    expect(checkUrl(url, loopbackListed)).toBeNull()
  })

  it('accepts localhost when one of its two addresses is listed', () => {
    expect(checkUrl('http://localhost:9000/', policyOf('127.0.0.1'))).toBeNull()
    expect(checkUrl('http://localhost:9000/', policyOf('::1'))).toBeNull()
    expect(checkUrl('http://localhost:9000/', policyOf('10.0.0.0/8'))).not.toBeNull()
  })

  it.each(['http://[::ffff:127.0.0.1]:9000/', 'http://[::7f00:1]:9000/', 'http://10.0.0.1/'])(
    'still refuses %s when only loopback is listed',
    (url) => {
      expect(checkUrl(url, loopbackListed)).not.toBeNull()
    },
  )

  it('accepts a listed host with http and any port', () => {
    const policy = policyOf('validator.internal')
    expect(checkUrl('http://validator.internal:9000/', policy)).toBeNull()
    expect(checkUrl('http://other.internal:9000/', policy)).not.toBeNull()
    expect(checkUrl('http://validator.internal:0/', policy)).not.toBeNull()
  })

  it('takes a name of one label only where it could lead into what is listed', () => {
    expect(checkUrl('http://validator:9000/', policyOf('validator'))).toBeNull()
    expect(checkUrl('http://validator:9000/', policyOf('172.16.0.0/12'))).toBeNull()
    expect(checkUrl('https://validator/', policyOf('other'))).not.toBeNull()
    const destination = { protocol: 'https:', host: 'validator', port: 443 } as const
    expect(addressFault(policyOf('172.16.0.0/12'), destination, '172.16.0.9')).toBeNull()
    expect(addressFault(policyOf('172.16.0.0/12'), destination, '8.8.8.8')).toContain('one label')
  })

  it('leaves names to the time of the call when a listed network might hold them', () => {
    expect(checkUrl('http://validator.internal:9000/', policyOf('10.0.0.0/8'))).toBeNull()
  })

  it('refuses every spelling of every loopback and private IPv4 address', () => {
    const octet = fc.nat(255)
    const spell = (parts: readonly number[]) => {
      const [a = 0, b = 0, c = 0, d = 0] = parts
      const whole = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d
      return [
        parts.join('.'),
        String(whole),
        `0x${whole.toString(16)}`,
        `0${whole.toString(8)}`,
        `${a}.${b * 2 ** 16 + c * 2 ** 8 + d}`,
        parts.map((part) => `0x${part.toString(16)}`).join('.'),
        parts.map((part) => `0${part.toString(8)}`).join('.'),
        `[::ffff:${parts.join('.')}]`,
        `[::${parts.join('.')}]`,
        `[64:ff9b::${parts.join('.')}]`,
      ]
    }
    const start = fc.constantFrom([127], [10], [192, 168], [169, 254], [172, 20], [0])
    fc.assert(
      fc.property(start, fc.tuple(octet, octet, octet), (head, tail) => {
        for (const host of spell([...head, ...tail].slice(0, 4))) {
          expect(checkUrl(`https://${host}/`, nothingListed), host).not.toBeNull()
        }
      }),
      { numRuns: 500 },
    )
  })
})
