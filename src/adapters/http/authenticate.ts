/**
 * Who calls. Bearer everywhere; Basic, with the key as the password, where a route says so. A key is never stored: what is looked up is its hash. Keys that were found are remembered
 * for a moment, so that the write path does not ask the database about each request; a key that was
 * removed is refused by every gateway when that moment is over, and by this one at once.
 */
import { Buffer, isUtf8 } from 'node:buffer'
import type { Clock, Vault } from '../../app/ports.ts'
import { type Caller, type Keys, SCOPES, type Scope } from '../../app/store.ts'
import { Problem } from '../../domain/problem.ts'
import { looksLikeJwt, type TokenVerifier } from './jwt.ts'

const REMEMBERED_MS = 5_000
const REMEMBERED_MAX = 1_000
const KEY_LENGTH_MAX = 4_096
const BASIC_LENGTH_MAX = 8_192

/** Of the header `Authorization`. */
export type Scheme = 'bearer' | 'basic'
export const BEARER_ONLY: readonly Scheme[] = ['bearer']

export interface Authenticator {
  /** Throws Problem `unauthenticated`. */
  authenticate(
    authorization: string | undefined,
    schemes: readonly Scheme[],
  ): Caller | Promise<Caller>
  forget(): void
}

export type AuthPorts = {
  readonly keys: Keys
  readonly vault: Vault
  readonly clock: Clock
  /** SHA-256 of ASSENT_ADMIN_KEY, where it is set. */
  readonly adminKeyHash: string | null
  /** Where tokens of an issuer are accepted beside keys. */
  readonly tokens: TokenVerifier | null
}

const ADMIN: Caller = { accountId: 'default', keyId: 'admin', scopes: new Set(SCOPES) }

export function createAuthenticator({
  keys,
  vault,
  clock,
  adminKeyHash,
  tokens,
}: AuthPorts): Authenticator {
  const remembered = new Map<string, { caller: Caller; until: number }>()

  let forgotten = 0

  const find = async (hash: string): Promise<Caller> => {
    const before = forgotten
    const caller = await keys.findByHash(hash)
    if (caller === null) throw new Problem('unauthenticated', { detail: 'The key is not known.' })
    // A key that was removed while it was looked up is not remembered.
    if (before !== forgotten) return caller
    if (remembered.size >= REMEMBERED_MAX) remembered.clear()
    remembered.set(hash, { caller, until: clock.monotonicMs() + REMEMBERED_MS })
    return caller
  }

  return {
    forget: () => {
      forgotten += 1
      remembered.clear()
    },
    authenticate: (authorization, schemes) => {
      const bearer = keyOf(authorization, schemes)
      const hash = vault.sha256(bearer)
      if (adminKeyHash !== null && vault.isSame(hash, adminKeyHash)) return ADMIN
      if (tokens !== null && looksLikeJwt(bearer)) return tokens.verify(bearer)
      const known = remembered.get(hash)
      if (known !== undefined && known.until > clock.monotonicMs()) return known.caller
      return find(hash)
    },
  }
}

function keyOf(authorization: string | undefined, schemes: readonly Scheme[]): string {
  const takesBasic = schemes.includes('basic')
  const key =
    /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ??
    (takesBasic ? readBasic(authorization)?.key : undefined)
  if (key !== undefined && key !== '' && key.length <= KEY_LENGTH_MAX) return key
  const orBasic = takesBasic ? ', or by Basic with the key as the password' : ''
  throw new Problem('unauthenticated', {
    detail: `Send the key in the header \`Authorization: Bearer <key>\`${orBasic}.`,
  })
}

/** RFC 7617: the first colon ends the user's name; the key is the password. */
export function readBasic(
  authorization: string | undefined,
): { readonly userName: string; readonly key: string } | null {
  const encoded = /^basic +([\w+/-]+={0,2}) *$/i.exec(authorization ?? '')?.[1]
  if (encoded === undefined || encoded.length > BASIC_LENGTH_MAX) return null
  const bytes = Buffer.from(encoded, 'base64')
  const text = isUtf8(bytes) ? bytes.toString('utf8') : ''
  const colon = text.indexOf(':')
  return colon === -1 ? null : { userName: text.slice(0, colon), key: text.slice(colon + 1) }
}

/**
 * A browser adds a Basic key that it remembers to whatever a page of another site makes it send. Programs
 * send neither of these headers, and a browser always one of them with what could change something.
 */
export function refuseForeignPages(header: (name: string) => string | undefined): void {
  if (readBasic(header('authorization')) === null) return
  const site = header('sec-fetch-site')
  const isOurs =
    site === undefined ? header('origin') === undefined : OWN_PAGES.some((one) => one === site)
  if (isOurs) return
  throw new Problem('forbidden', { detail: 'Pages of other sites cannot call this with Basic.' })
}

const OWN_PAGES = ['same-origin', 'none'] as const

/** `admin` may do everything; who may manage may read what is managed. */
export function mayUse(caller: Caller, scopes: readonly Scope[]): boolean {
  if (caller.scopes.has('admin')) return true
  if (scopes.some((scope) => caller.scopes.has(scope))) return true
  return scopes.includes('read') && caller.scopes.has('manage')
}
