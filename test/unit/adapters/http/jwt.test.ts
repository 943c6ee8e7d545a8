import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { IssuerKeys } from '../../../../src/adapters/http/jwks.ts'
import { createTokenVerifier, looksLikeJwt } from '../../../../src/adapters/http/jwt.ts'
import type { Clock } from '../../../../src/app/ports.ts'

const SETTINGS = {
  issuer: 'https://issuer.example',
  audience: 'assent',
  accountClaim: 'account',
  scopeClaim: 'scope',
}
const NOW_SECONDS = 1_700_000_000

async function setup() {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const time = { ms: 0 }
  const clock: Clock = {
    wallMs: () => NOW_SECONDS * 1_000 + time.ms,
    monotonicMs: () => time.ms,
    schedule: () => () => {},
  }
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }
  const issuer = { fetches: 0, isDown: false, keys: [jwk] as object[] }
  const keys = new IssuerKeys('https://issuer.example/jwks', clock, () => {
    issuer.fetches += 1
    if (issuer.isDown) return Promise.reject(new Error('down'))
    return Promise.resolve(JSON.stringify({ keys: issuer.keys }))
  })
  const verifier = createTokenVerifier(SETTINGS, keys, clock)
  const claims = {
    iss: SETTINGS.issuer,
    aud: SETTINGS.audience,
    sub: 'somebody',
    iat: NOW_SECONDS,
    exp: NOW_SECONDS + 60,
    account: 'acme',
    scope: 'approve read nonsense',
  }
  const sign = (payload: JWTPayload = claims, kid = 'k1', key = privateKey) =>
    new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid }).sign(key)
  return { verifier, claims, sign, issuer, time }
}

describe('callers with a JSON Web Token', () => {
  it('are known by account and scopes, and only by scopes that exist', async () => {
    const { verifier, sign } = await setup()
    const caller = await verifier.verify(await sign())
    expect(caller).toMatchObject({ accountId: 'acme', keyId: 'jwt:somebody' })
    expect([...caller.scopes]).toEqual(['approve', 'read'])
  })

  it.each(['exp', 'iat', 'aud', 'iss', 'sub'] as const)('are refused without %s', async (claim) => {
    const { verifier, claims, sign } = await setup()
    const { [claim]: _, ...others } = claims
    await expect(verifier.verify(await sign(others))).rejects.toMatchObject({
      code: 'unauthenticated',
    })
  })

  it('are refused from another issuer, for another audience, expired, or with an odd account', async () => {
    const { verifier, claims, sign } = await setup()
    const wrong = [
      { iss: 'https://other.example' },
      { aud: 'other' },
      { exp: NOW_SECONDS - 31 },
      { nbf: NOW_SECONDS + 31 },
      { account: 7 },
      { account: '' },
    ]
    for (const difference of wrong) {
      const token = await sign({ ...claims, ...difference } as JWTPayload)
      await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'unauthenticated' })
    }
  })

  it('are refused with a signature of another key, with none, or by a shared secret', async () => {
    const { verifier, claims, sign } = await setup()
    const { privateKey: other } = await generateKeyPair('ES256')
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const hs256 = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .sign(new TextEncoder().encode('a shared secret of thirty-two bytes!'))
    const [header, payload] = (await sign()).split('.')
    const tokens = [
      await sign(claims, 'k1', other),
      `${encode({ alg: 'none' })}.${encode(claims)}.`,
      hs256,
      `${header}.${payload}.`,
      `${header}.${encode({ ...claims, account: 'other' })}.${(await sign()).split('.')[2]}`,
    ]
    for (const token of tokens) {
      await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'unauthenticated' })
    }
  })

  it('are refused once their token has expired, although it was accepted before', async () => {
    const { verifier, sign, time } = await setup()
    const token = await sign()
    await verifier.verify(token)
    time.ms = 100_000
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  it('are checked once and then known, until the very moment in which their token expires', async () => {
    const { verifier, claims, sign, issuer, time } = await setup()
    const token = await sign({ ...claims, exp: NOW_SECONDS + 3_600 })
    await verifier.verify(token)
    // The issuer drops the key: whoever is checked again is refused.
    issuer.keys = []
    time.ms = 3_600_000 - 1
    await verifier.verify(token)
    await expect(verifier.verify(await sign())).rejects.toMatchObject({ code: 'unauthenticated' })
    time.ms = 3_600_000
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  it('of an issuer that was down from the start cost four looks at most in a minute and a half', async () => {
    const { verifier, claims, sign, issuer, time } = await setup()
    issuer.isDown = true
    for (let n = 0; n < 200; n++) {
      time.ms = n * 450
      const token = await sign(undefined, `made-up-${n}`)
      await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'unauthenticated' })
    }
    expect(issuer.fetches).toBeLessThanOrEqual(4)
    issuer.isDown = false
    time.ms = 120_000
    await verifier.verify(await sign({ ...claims, exp: NOW_SECONDS + 180 }))
  })

  it('known by their keys pass on, unasked, while two hundred with made-up keys try and the issuer is down', async () => {
    const { verifier, claims, sign, issuer, time } = await setup()
    await verifier.verify(await sign())
    issuer.isDown = true
    time.ms = 30_001
    for (let n = 0; n < 200; n++) {
      const made = await sign(undefined, `made-up-${n}`)
      await expect(verifier.verify(made)).rejects.toMatchObject({ code: 'unauthenticated' })
      await verifier.verify(await sign({ ...claims, sub: `caller ${n}` }))
    }
    expect(issuer.fetches).toBe(2)
  })

  it('cost one look at the keys in half a minute, whatever key ids are made up and while the issuer is down', async () => {
    const { verifier, sign, issuer, time } = await setup()
    await verifier.verify(await sign())
    issuer.isDown = true
    time.ms = 30_001
    for (let n = 0; n < 50; n++) {
      const token = await sign(undefined, `made-up-${n}`)
      await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'unauthenticated' })
    }
    expect(issuer.fetches).toBe(2)
  })

  it('are accepted on with the keys known before, for a day, while the issuer is down', async () => {
    const { verifier, claims, sign, issuer, time } = await setup()
    await verifier.verify(await sign())
    issuer.isDown = true
    time.ms = 3_600_000
    const later = { ...claims, iat: NOW_SECONDS + 3_600, exp: NOW_SECONDS + 100_000 }
    await verifier.verify(await sign(later))
    time.ms = 86_400_001
    const tomorrow = { ...later, sub: 'tomorrow' }
    await expect(verifier.verify(await sign(tomorrow))).rejects.toMatchObject({
      code: 'unauthenticated',
    })
  })

  it('may use a key that the issuer added since', async () => {
    const { verifier, claims, sign, issuer, time } = await setup()
    await verifier.verify(await sign())
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    issuer.keys.push({ ...(await exportJWK(publicKey)), kid: 'k2', alg: 'ES256' })
    time.ms = 30_001
    const token = await sign(claims, 'k2', privateKey)
    expect(await verifier.verify(token)).toMatchObject({ accountId: 'acme' })
  })

  it('are told from keys by the form of what they send', () => {
    expect(looksLikeJwt('a.b.c')).toBe(true)
    for (const text of ['ask_live_x_y', 'a.b', 'a.b.c.d', 'a b.c'])
      expect(looksLikeJwt(text)).toBe(false)
  })
})
