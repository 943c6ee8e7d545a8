/**
 * Callers with a JSON Web Token of the configured issuer (RFC 8725: fixed algorithms, all claims required).
 * Nothing in a token's header is followed: its `kid` picks one of the issuer's keys, and `jwk`, `jku`, `x5u` and
 * `x5c`, which would bring a key along, are not read. Whether the account exists is for the caller of this.
 */
import { errors, type JWTPayload, jwtVerify } from 'jose'
import type { Clock } from '../../app/ports.ts'
import { type Caller, SCOPES, type Scope } from '../../app/store.ts'
import { Problem } from '../../domain/problem.ts'
import type { IssuerKeys } from './jwks.ts'
import { id as idSchema } from './schemas/common.ts'

/** Never taken from the token's header: a token may not choose how it is checked. */
const ALGORITHMS = ['ES256', 'EdDSA', 'RS256', 'PS256']
const REQUIRED_CLAIMS = ['exp', 'iat', 'aud', 'iss', 'sub']
const CLOCK_TOLERANCE_SECONDS = 30
/** It gets into records of who did what. */
const SUBJECT = /^[^\p{Cc}]{1,255}$/u
const TOKENS_MAX = 1_000

export type JwtSettings = {
  readonly issuer: string
  readonly audience: string
  /** Claim that names the account; where it is absent, the account is `default`. */
  readonly accountClaim: string
  /** Claim with scopes, a list or a text with spaces. */
  readonly scopeClaim: string
}

export interface TokenVerifier {
  /** Throws Problem `unauthenticated`. */
  verify(token: string): Promise<Caller>
}

/** Whether a bearer text has the form of a signed token. */
export function looksLikeJwt(text: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text)
}

export function createTokenVerifier(
  settings: JwtSettings,
  keys: IssuerKeys,
  clock: Clock,
): TokenVerifier {
  // Checking a signature costs more than the rest of a denial: a token is checked once and then known.
  const verified = new Map<string, { readonly caller: Caller; readonly until: number }>()
  return {
    verify: async (token) => {
      const known = verified.get(token)
      if (known !== undefined && known.until > clock.wallMs()) return known.caller
      const payload = await payloadOf(token, settings, keys, clock)
      const caller = callerOf(payload, settings)
      if (verified.size >= TOKENS_MAX) verified.clear()
      // The tolerance for a clock that is off is not for what is remembered.
      verified.set(token, { caller, until: (payload.exp ?? 0) * 1_000 })
      return caller
    },
  }
}

async function payloadOf(
  token: string,
  { issuer, audience }: JwtSettings,
  keys: IssuerKeys,
  clock: Clock,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys.find, {
      algorithms: ALGORITHMS,
      issuer,
      audience,
      requiredClaims: REQUIRED_CLAIMS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(clock.wallMs()),
    })
    return payload
  } catch (error) {
    const isExpired = error instanceof errors.JWTExpired
    const detail = isExpired ? 'The token has expired.' : 'The token is not acceptable.'
    throw new Problem('unauthenticated', { detail, cause: error })
  }
}

function callerOf(payload: JWTPayload, { accountClaim, scopeClaim }: JwtSettings): Caller {
  const isAtHome = !Object.hasOwn(payload, accountClaim)
  const account = idSchema.safeParse(isAtHome ? 'default' : payload[accountClaim])
  if (!account.success || !account.data.isWellFormed()) {
    throw new Problem('unauthenticated', { detail: 'The token names no usable account.' })
  }
  const { sub, exp } = payload
  if (typeof sub !== 'string' || !SUBJECT.test(sub) || !sub.isWellFormed()) {
    throw new Problem('unauthenticated', { detail: 'The token names no usable subject.' })
  }
  // JSON's 1e999 is a number that is never over.
  if (!Number.isFinite(exp)) {
    throw new Problem('unauthenticated', { detail: 'The token says no usable end.' })
  }
  return {
    accountId: account.data,
    keyId: `jwt:${sub}`,
    scopes: new Set(scopesOf(payload[scopeClaim])),
  }
}

function scopesOf(claim: unknown): Scope[] {
  const names = typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : []
  return SCOPES.filter((scope) => names.includes(scope))
}
