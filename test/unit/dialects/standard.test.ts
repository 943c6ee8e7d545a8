import { Buffer } from 'node:buffer'
import { Webhook } from 'standardwebhooks'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { publicKeyText, signV1a, standard } from '../../../src/dialects/standard.ts'
import { holdsItsVectors, messageOf, SIGNING } from './vectors.ts'

holdsItsVectors('standard')

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
const AT_MS = 1_614_265_330_000
const BODY = '{"test": 2432232314}'

describe('standard: signatures', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('are those of the published v1 example', () => {
    expect(standard.sign(BODY, { id: ID, attemptAtMs: AT_MS + 999, secrets: [SECRET] })).toEqual({
      'webhook-id': ID,
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    })
  })

  it('are those of RFC 8032 test 1 for v1a', () => {
    const seed = Buffer.from(
      '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      'hex',
    )
    expect(signV1a(seed, `${ID}.1614265330.${BODY}`)).toBe(
      'v1a,fldxM4gAKugP6nnt1hdz3sgGfZ6d99nzrMFnZOELIxbzEHoVmAb2ADpkJK7zgPePmPsle0zV9jSeGlHFG2NVAw==',
    )
    expect(publicKeyText(seed)).toBe('whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=')
  })

  it('are accepted by the reference library, before, during and after a rotation', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: AT_MS })
    const body = standard.encode(messageOf({ values: { имя: 'Ольга 🚕', total: 1.5 } }), SIGNING)
    const next = standard.newSecret(new Uint8Array(32).fill(7))
    const other = standard.newSecret(new Uint8Array(32).fill(8))
    const signed = (...secrets: string[]) =>
      standard.sign(body, { id: ID, attemptAtMs: AT_MS, secrets })
    expect(new Webhook(SECRET).verify(body, signed(SECRET))).toEqual(JSON.parse(body))
    for (const secret of [SECRET, next]) {
      expect(new Webhook(secret).verify(body, signed(next, SECRET))).toEqual(JSON.parse(body))
    }
    expect(() => new Webhook(other).verify(body, signed(next, SECRET))).toThrow()
    expect(() => new Webhook(SECRET).verify(body, signed(next))).toThrow()
    expect(() => new Webhook(next).verify(`${body} `, signed(next))).toThrow()
  })

  it('stay right when more secrets are in use than are remembered', () => {
    const signature = () => standard.sign(BODY, { id: ID, attemptAtMs: AT_MS, secrets: [SECRET] })
    const first = signature()
    for (let index = 0; index < 5_000; index++) {
      const bytes = Buffer.alloc(32)
      bytes.writeUInt32BE(index)
      const secrets = [standard.newSecret(bytes)]
      standard.sign('', { id: ID, attemptAtMs: AT_MS, secrets })
    }
    expect(signature()).toEqual(first)
  })
})

describe('standard: bodies', () => {
  it('leave out catalog and decision where there is none, and the number of the account always', () => {
    const message = messageOf({
      event: 'subscription.failing',
      catalogId: undefined,
      decisionId: undefined,
      recordId: 'sub_2',
      accountNumber: '0042',
    })
    expect(JSON.parse(standard.encode(message, SIGNING)).data).toEqual({
      accountId: 'default',
      recordId: 'sub_2',
      changedFields: [],
    })
  })

  it('serve every subscriber, whatever its secret and whenever it is asked', () => {
    const message = messageOf({ values: { a: 1 } })
    const other = { id: 'other', attemptAtMs: 0, secrets: ['another'] }
    expect(standard.sharesBody).toBe(true)
    expect(standard.encode(message, other)).toBe(standard.encode(message, SIGNING))
  })
})

describe('standard: secrets', () => {
  const ofBytes = (count: number) => `whsec_${Buffer.alloc(count, 1).toString('base64')}`

  it.each([SECRET, ofBytes(24), ofBytes(32), ofBytes(64)])('takes %s', (secret) => {
    expect(standard.secretFault(secret)).toBeNull()
  })

  it.each([
    '',
    'whsec_',
    ofBytes(23),
    ofBytes(65),
    SECRET.slice(6),
    `${SECRET}\n`,
    `${SECRET} `,
    ofBytes(32).replace('=', ''),
    `whsec_${'-_'.repeat(16)}`,
    'WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  ])('refuses %j', (secret) => {
    expect(standard.secretFault(secret)).toMatch(/24 to 64 bytes/)
  })

  it('makes secrets that it takes, and that keep all 32 bytes', () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, index) => index)
    const secret = standard.newSecret(bytes)
    expect(standard.secretFault(secret)).toBeNull()
    expect([...Buffer.from(secret.slice(6), 'base64')]).toEqual([...bytes])
  })
})
