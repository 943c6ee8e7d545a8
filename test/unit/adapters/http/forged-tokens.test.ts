/** Tokens that somebody made up, bent or stole from another place: not one is accepted. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { IssuerKeys } from '../../../../src/adapters/http/jwks.ts'
import { createTokenVerifier, looksLikeJwt } from '../../../../src/adapters/http/jwt.ts'
import type { Clock } from '../../../../src/app/ports.ts'
import {
  AUDIENCE,
  forgedTokens,
  GENUINE_TOKENS,
  ISSUER,
  KEY_SET,
  NOW_SECONDS,
  ODD_SCOPES,
  SHAPELESS,
  tokenWith,
} from '../../../support/forged-tokens.ts'

const AT_LEAST = 200

function setup() {
  const clock: Clock = {
    wallMs: () => NOW_SECONDS * 1_000,
    monotonicMs: () => 0,
    schedule: () => () => {},
  }
  const issuer = { fetches: 0 }
  const keys = new IssuerKeys(`${ISSUER}/jwks`, clock, async () => {
    issuer.fetches += 1
    return JSON.stringify({ keys: KEY_SET })
  })
  const settings = { accountClaim: 'account', scopeClaim: 'scope' }
  const verifier = createTokenVerifier(
    { issuer: ISSUER, audience: AUDIENCE, ...settings },
    keys,
    clock,
  )
  return { verifier, issuer }
}

afterEach(() => vi.restoreAllMocks())

describe('a token', () => {
  it.each(Object.entries(GENUINE_TOKENS))('%s is accepted', async (_name, token) => {
    const { verifier } = setup()
    const caller = await verifier.verify(token)
    expect(caller).toMatchObject({ accountId: 'acme', keyId: 'jwt:somebody' })
    expect([...caller.scopes]).toEqual(['approve', 'read'])
  })

  const forged = forgedTokens()

  it(`that is forged comes in more than ${AT_LEAST} kinds here`, () => {
    expect(forged.size).toBeGreaterThanOrEqual(AT_LEAST)
    expect(new Set(forged.values()).size).toBe(forged.size)
  })

  it('that is forged is refused, whatever its kind, and nobody but the issuer is asked, once', async () => {
    const { verifier, issuer } = setup()
    const fetched = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('asked'))
    const accepted: string[] = []
    for (const [name, token] of forged) {
      const outcome = await verifier.verify(token).catch((error: unknown) => error)
      if (!(outcome instanceof Error)) accepted.push(name)
      else expect([name, outcome]).toMatchObject([name, { code: 'unauthenticated' }])
    }
    expect(accepted).toEqual([])
    expect(fetched).not.toHaveBeenCalled()
    expect(issuer.fetches).toBe(1)
  })

  it('that is forged stays refused beside the genuine one that was just accepted', async () => {
    const { verifier } = setup()
    for (const token of Object.values(GENUINE_TOKENS)) await verifier.verify(token)
    for (const token of forged.values()) {
      await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'unauthenticated' })
    }
  })

  it('is one by its form only', () => {
    for (const token of Object.values(GENUINE_TOKENS)) expect(looksLikeJwt(token)).toBe(true)
    for (const text of SHAPELESS) expect([text, looksLikeJwt(text)]).toEqual([text, false])
  })

  it.each(ODD_SCOPES.map((scope) => [JSON.stringify(scope) ?? 'nothing', scope]))(
    'whose scopes are %s may do nothing',
    async (_name, scope) => {
      const { verifier } = setup()
      const { scopes } = await verifier.verify(tokenWith({ scope }))
      expect([...scopes]).toEqual([])
    },
  )

  it('that names no account is of the account default', async () => {
    const { verifier } = setup()
    const caller = await verifier.verify(tokenWith({ account: undefined }))
    expect(caller.accountId).toBe('default')
  })
})
