import { describe, expect, it } from 'vitest'
import { parseAllowList } from '../../src/adapters/outbound/egress-policy.ts'
import { EXIT_CONFIG, FaultySettings, readConfig } from '../../src/config.ts'

const KEY = Buffer.alloc(32, 7).toString('base64')
const OTHER_KEY = Buffer.alloc(32, 9).toString('base64')
const SERVER = { DATABASE_URL: 'postgres://user:pass@db.test/assent', ASSENT_MASTER_KEY: KEY }
const JWT = {
  ASSENT_JWT_ISSUER: 'https://issuer.test',
  ASSENT_JWT_AUDIENCE: 'assent',
  ASSENT_JWKS_URL: 'https://issuer.test/jwks',
}

const read = (variables: Record<string, string | undefined>) =>
  readConfig(variables, (list) => parseAllowList(list, 'allow').faults)

/** The names of the settings that were refused, each with what was said. */
function faultsOf(variables: Record<string, string | undefined>) {
  try {
    read(variables)
  } catch (error) {
    if (error instanceof FaultySettings) return error.faults
    throw error
  }
  return []
}

describe('the configuration', () => {
  it('needs no setting at all', () => {
    expect(read({})).toEqual({
      port: 8787,
      host: '127.0.0.1',
      database: { kind: 'embedded', dataDir: './data' },
      adminKey: null,
      masterKeys: [],
      egressAllow: '127.0.0.0/8,::1/128',
      egressHttp: 'allow',
      egressProxy: null,
      jwt: null,
      logLevel: 'info',
      workers: 1,
      deliveries: { autoDisableAfterMs: 5 * 86_400_000, attemptsKeptDays: 30 },
      payloadsKeptDays: null,
    })
  })

  it('takes what is set', () => {
    const config = read({
      ...SERVER,
      ...JWT,
      PORT: '0',
      HOST: '::',
      ASSENT_ADMIN_KEY: 'x'.repeat(24),
      ASSENT_MASTER_KEY: ` ${KEY} , ${OTHER_KEY}`,
      ASSENT_EGRESS_ALLOW: '10.0.0.0/8,validator.internal',
      ASSENT_EGRESS_HTTP: 'allow',
      ASSENT_EGRESS_PROXY: 'http://[::1]:3128/',
      ASSENT_LOG_LEVEL: 'silent',
      ASSENT_WORKERS: '4',
      ASSENT_AUTO_DISABLE_AFTER_MS: '3600000',
      ASSENT_ATTEMPTS_KEPT_DAYS: '7',
      ASSENT_DECISION_PAYLOADS_KEPT_DAYS: '90',
    })
    expect(config).toMatchObject({
      workers: 4,
      deliveries: { autoDisableAfterMs: 3_600_000, attemptsKeptDays: 7 },
      payloadsKeptDays: 90,
      port: 0,
      host: '::',
      database: { kind: 'server', url: SERVER.DATABASE_URL },
      adminKey: 'x'.repeat(24),
      egressAllow: '10.0.0.0/8,validator.internal',
      egressHttp: 'allow',
      egressProxy: { host: '::1', port: 3_128 },
      logLevel: 'silent',
      jwt: { issuer: JWT.ASSENT_JWT_ISSUER, accountClaim: 'account', scopeClaim: 'scope' },
    })
    expect(config.masterKeys.map((key) => Buffer.from(key).toString('base64'))).toEqual([
      KEY,
      OTHER_KEY,
    ])
  })

  it('lets validators of a server be nobody private and nothing but https, unless it is told so', () => {
    expect(read(SERVER)).toMatchObject({ egressAllow: '', egressHttp: 'listed' })
  })

  it('takes an empty variable for one that is not set', () => {
    const names = [
      'PORT',
      'HOST',
      'DATABASE_URL',
      'ASSENT_DATA_DIR',
      'ASSENT_ADMIN_KEY',
      'ASSENT_MASTER_KEY',
      'ASSENT_EGRESS_ALLOW',
      'ASSENT_EGRESS_HTTP',
      'ASSENT_JWT_ISSUER',
      'ASSENT_JWT_AUDIENCE',
      'ASSENT_JWKS_URL',
      'ASSENT_JWT_ACCOUNT_CLAIM',
      'ASSENT_JWT_SCOPE_CLAIM',
      'ASSENT_LOG_LEVEL',
      'ASSENT_WORKERS',
      'ASSENT_AUTO_DISABLE_AFTER_MS',
      'ASSENT_ATTEMPTS_KEPT_DAYS',
      'ASSENT_DECISION_PAYLOADS_KEPT_DAYS',
    ]
    expect(read(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(read({}))
    const [fault] = faultsOf({ ...SERVER, ASSENT_MASTER_KEY: '' })
    expect(fault).toMatchObject({ name: 'ASSENT_MASTER_KEY' })
  })

  it('is refused with every fault at once, each by the name of its setting', () => {
    const faults = faultsOf({
      PORT: '70000',
      HOST: 'h'.repeat(300),
      DATABASE_URL: 'mysql://db',
      ASSENT_ADMIN_KEY: 'short',
      ASSENT_EGRESS_ALLOW: '300.0.0.0/8',
      ASSENT_EGRESS_HTTP: 'sometimes',
      ASSENT_JWKS_URL: 'ftp://issuer.test/keys',
      ASSENT_LOG_LEVEL: 'loud',
    })
    const names = new Set(faults.map(({ name }) => name))
    expect(names).toEqual(
      new Set([
        'PORT',
        'HOST',
        'DATABASE_URL',
        'ASSENT_ADMIN_KEY',
        'ASSENT_MASTER_KEY',
        'ASSENT_EGRESS_ALLOW',
        'ASSENT_EGRESS_HTTP',
        'ASSENT_JWT_ISSUER',
        'ASSENT_JWT_AUDIENCE',
        'ASSENT_JWKS_URL',
        'ASSENT_LOG_LEVEL',
      ]),
    )
    for (const { message } of faults) expect(message.length).toBeGreaterThan(10)
  })

  it.each([
    ['PORT', ['-1', '65536', '80.5', 'http', '0x50', ' 80', '999999', '8e1']],
    ['DATABASE_URL', ['localhost/assent', 'http://db', 'postgres', '//db/assent']],
    [
      'ASSENT_ADMIN_KEY',
      ['x'.repeat(23), `${'x'.repeat(30)} y`, 'é'.repeat(30), 'x'.repeat(4_097)],
    ],
    [
      'ASSENT_MASTER_KEY',
      [
        'x',
        Buffer.alloc(31).toString('base64'),
        Buffer.alloc(33).toString('base64'),
        `${KEY},`,
        `${KEY},short`,
        KEY.replace('=', '!'),
        Buffer.alloc(32).toString('hex'),
      ],
    ],
    ['ASSENT_EGRESS_ALLOW', ['10.0.0.0/33', '*', 'http://validator.test', '10.0.0.0/8,,bad host']],
    ['ASSENT_EGRESS_HTTP', ['ALLOW', 'deny']],
    [
      'ASSENT_EGRESS_PROXY',
      [
        'proxy.test:3128',
        'https://proxy.test:3128',
        'socks5://proxy.test:1080',
        'http://user:topsecret@proxy.test:3128',
        'http://proxy.test:3128/path',
        'http://proxy.test:0',
        'http://proxy.test:70000',
        'http://',
      ],
    ],
    ['HOST', ['not a host!!', 'a/b', 'x'.repeat(254)]],
    ['ASSENT_LOG_LEVEL', ['INFO', 'trace']],
    ['ASSENT_WORKERS', ['0', '65', '-1', '2.5', 'all', ' 2']],
    ['ASSENT_AUTO_DISABLE_AFTER_MS', ['-1', '1.5', '5d', '31536000001', '9999999999999', 'never']],
    ['ASSENT_DECISION_PAYLOADS_KEPT_DAYS', ['-1', '3651', '30d', '1e3']],
    ['ASSENT_ATTEMPTS_KEPT_DAYS', ['0', '-1', '3651', '30d', '1e3', '10000']],
  ])('refuses an unusable %s, and says so under its name only', (name, values) => {
    for (const value of values) {
      const faults = faultsOf({ ...SERVER, [name]: value })
      expect(new Set(faults.map((fault) => fault.name)), value).toEqual(new Set([name]))
    }
  })

  it('disables no receiver when it is told to wait for no time', () => {
    const of = (value: string) => read({ ASSENT_AUTO_DISABLE_AFTER_MS: value }).deliveries
    expect(of('0').autoDisableAfterMs).toBeNull()
    expect(of('1').autoDisableAfterMs).toBe(1)
    expect(of('31536000000').autoDisableAfterMs).toBe(365 * 86_400_000)
  })

  it('gives the embedded database one process only', () => {
    expect(faultsOf({ ASSENT_WORKERS: '2' }).map(({ name }) => name)).toEqual(['ASSENT_WORKERS'])
    expect(read({ ASSENT_WORKERS: '1' }).workers).toBe(1)
  })

  it('never repeats the value of a secret that it refuses', () => {
    const variables = {
      DATABASE_URL: 'mysql://user:topsecret@db',
      ASSENT_ADMIN_KEY: 'topsecret',
      ASSENT_MASTER_KEY: 'topsecret',
      ASSENT_EGRESS_PROXY: 'http://user:topsecret@proxy.test',
    }
    const text = JSON.stringify(faultsOf(variables))
    expect(text).toContain('ASSENT_ADMIN_KEY')
    expect(text).not.toContain('topsecret')
  })

  it('needs a master key with a server, and says how one is made', () => {
    const [fault, ...others] = faultsOf({ DATABASE_URL: SERVER.DATABASE_URL })
    expect(others).toEqual([])
    expect(fault).toMatchObject({ name: 'ASSENT_MASTER_KEY' })
    expect(fault?.message).toContain('openssl rand -base64 32')
  })

  it('needs all three settings of JSON Web Tokens or none', () => {
    expect(read(JWT).jwt).toMatchObject({ jwksUrl: JWT.ASSENT_JWKS_URL })
    for (const missing of Object.keys(JWT)) {
      const faults = faultsOf({ ...JWT, [missing]: undefined })
      expect(faults.map(({ name }) => name)).toEqual([missing])
    }
  })

  it('does not change once it is read, and passes over what it does not know', () => {
    const config = read({ HOME: '/root', ASSENT_UNKNOWN: 'x' })
    expect(Object.isFrozen(config)).toBe(true)
    expect(config).toEqual(read({}))
  })

  it('that is faulty ends the process with the exit code of sysexits.h', () => {
    expect(EXIT_CONFIG).toBe(78)
  })
})
