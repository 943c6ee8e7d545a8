/**
 * Who calls. A key is never stored: what is looked up is its hash. Keys that were found are remembered
 * for a moment, so that the write path does not ask the database about each request; a key that was
 * removed is refused by every gateway when that moment is over, and by this one at once.
 */
import type { Clock, Vault } from '../../app/ports.ts'
import { type Caller, type Keys, SCOPES, type Scope } from '../../app/store.ts'
import { Problem } from '../../domain/problem.ts'
import { looksLikeJwt, type TokenVerifier } from './jwt.ts'

const REMEMBERED_MS = 5_000
const REMEMBERED_MAX = 1_000
const KEY_LENGTH_MAX = 4_096

export interface Authenticator {
  /** Throws Problem `unauthenticated`. */
  authenticate(authorization: string | undefined): Caller | Promise<Caller>
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
    authenticate: (authorization) => {
      const bearer = bearerOf(authorization)
      const hash = vault.sha256(bearer)
      if (adminKeyHash !== null && vault.isSame(hash, adminKeyHash)) return ADMIN
      if (tokens !== null && looksLikeJwt(bearer)) return tokens.verify(bearer)
      const known = remembered.get(hash)
      if (known !== undefined && known.until > clock.monotonicMs()) return known.caller
      return find(hash)
    },
  }
}

function bearerOf(authorization: string | undefined): string {
  const key = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
  if (key !== undefined && key.length <= KEY_LENGTH_MAX) return key
  throw new Problem('unauthenticated', {
    detail: 'Send the key in the header `Authorization: Bearer <key>`.',
  })
}

/** `admin` may do everything; who may manage may read what is managed. */
export function mayUse(caller: Caller, scopes: readonly Scope[]): boolean {
  if (caller.scopes.has('admin')) return true
  if (scopes.some((scope) => caller.scopes.has(scope))) return true
  return scopes.includes('read') && caller.scopes.has('manage')
}
