/**
 * Who calls, and whether so often. Bearer everywhere; Basic, with the key as the password, where a route
 * says so. A key is never stored: what is looked up is its hash. What was found is remembered for a moment,
 * so that the write path does not ask the database about each request; a key that was removed is refused by
 * every gateway when that moment is over, and by this one at once. What was not found is remembered too, apart
 * from it, and what has not the form of a key is not looked for: guesses neither reach the database nor push
 * out those who are known.
 *
 * ASSENT_ADMIN_KEY has no row, no rate and no end: it is the way in for whoever has shut himself out.
 */
import { Buffer, isUtf8 } from 'node:buffer'
import type { Accounts } from '../../app/app-store.ts'
import type { CallLimiter } from '../../app/call-limiter.ts'
import type { Clock, Vault } from '../../app/ports.ts'
import { type Caller, type CallLimits, type Keys, SCOPES, type Scope } from '../../app/store.ts'
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
  /** Throws Problem `unauthenticated` or `rate_limited`. */
  authenticate(
    authorization: string | undefined,
    schemes: readonly Scheme[],
  ): Caller | Promise<Caller>
  /** The caller whose key has this hash, as a session keeps it. Throws as above. */
  callerOf(keyHash: string): Caller | Promise<Caller>
  hashOf(key: string): string
  forget(): void
}

export type AuthPorts = {
  readonly keys: Pick<Keys, 'findByHash' | 'noteUse'>
  readonly accounts: Pick<Accounts, 'read'>
  /** Whether a text could be a key at all. */
  readonly isApiKey: (text: string) => boolean
  readonly limiter: CallLimiter
  readonly vault: Vault
  readonly clock: Clock
  /** SHA-256 of ASSENT_ADMIN_KEY, where it is set. */
  readonly adminKeyHash: string | null
  /** Where tokens of an issuer are accepted beside keys. */
  readonly tokens: TokenVerifier | null
}

const ADMIN: Caller = { accountId: 'default', keyId: 'admin', scopes: new Set(SCOPES) }

/** Limits are null where there are none, so that nobody has to look. */
type Known = { readonly caller: Caller; readonly limits: CallLimits | null }
type Account = { readonly exists: boolean; readonly limits: CallLimits | null }

export function createAuthenticator(ports: AuthPorts): Authenticator {
  const { keys, accounts, isApiKey, limiter, vault, clock, adminKeyHash, tokens } = ports
  const known = new Memory<Known>(clock)
  const unknown = new Memory<true>(clock)
  const accountsOfTokens = new Memory<Account>(clock)
  const accountOf = accountReader(accounts, accountsOfTokens, clock)

  const find = async (hash: string): Promise<Caller> => {
    const age = known.age
    const askedAt = clock.monotonicMs()
    const found = await keys.findByHash(hash)
    if (found === null) {
      unknown.keep(hash, true, askedAt + REMEMBERED_MS)
      throw notKnown()
    }
    const { caller, limits, expiresInMs } = found
    keys.noteUse(caller.keyId)
    const entry = { caller, limits: orNull(limits) }
    // A key that was removed while it was looked up is not remembered.
    const forMs = Math.min(REMEMBERED_MS, expiresInMs ?? REMEMBERED_MS)
    if (age === known.age) known.keep(hash, entry, askedAt + forMs)
    return counted(entry)
  }

  const ofToken = async (token: string, verifier: TokenVerifier): Promise<Caller> => {
    const caller = await verifier.verify(token)
    const { accountId } = caller
    const { exists, limits } = accountsOfTokens.of(accountId) ?? (await accountOf(accountId))
    if (exists) return counted({ caller, limits })
    throw new Problem('unauthenticated', { detail: 'There is no account as the token names it.' })
  }

  const counted = ({ caller, limits }: Known): Caller => {
    if (limits !== null) limiter.admit(caller, limits)
    return caller
  }

  const isAdmin = (hash: string): boolean =>
    adminKeyHash !== null && vault.isSame(hash, adminKeyHash)

  const ofHash = (hash: string): Caller | Promise<Caller> => {
    const entry = known.of(hash)
    if (entry !== undefined) return counted(entry)
    if (unknown.of(hash)) throw notKnown()
    return find(hash)
  }

  return {
    forget: () => {
      known.clear()
      accountsOfTokens.clear()
    },
    authenticate: (authorization, schemes) => {
      const bearer = keyOf(authorization, schemes)
      const hash = vault.sha256(bearer)
      if (isAdmin(hash)) return ADMIN
      if (tokens !== null && looksLikeJwt(bearer)) return ofToken(bearer, tokens)
      if (known.of(hash) === undefined && !isApiKey(bearer)) throw notKnown()
      return ofHash(hash)
    },
    callerOf: (keyHash) => (isAdmin(keyHash) ? ADMIN : ofHash(keyHash)),
    hashOf: (key) => vault.sha256(key),
  }
}

/** Reads what is not remembered of an account that tokens name. */
function accountReader(
  accounts: AuthPorts['accounts'],
  remembered: Memory<Account>,
  clock: Clock,
): (id: string) => Promise<Account> {
  return async (id) => {
    const age = remembered.age
    const until = clock.monotonicMs() + REMEMBERED_MS
    const found = await accounts.read(id)
    const ofAccount = found?.maxPerSecond ?? null
    const account = { exists: found !== null, limits: orNull({ ofKey: null, ofAccount }) }
    if (age === remembered.age) remembered.keep(id, account, until)
    return account
  }
}

/** What the database said a moment ago. Full, it starts afresh. */
class Memory<T> {
  readonly #clock: Clock
  readonly #entries = new Map<string, { readonly value: T; readonly until: number }>()
  /** Grows when everything is forgotten. */
  age = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  of(id: string): T | undefined {
    const entry = this.#entries.get(id)
    return entry !== undefined && entry.until > this.#clock.monotonicMs() ? entry.value : undefined
  }

  keep(id: string, value: T, until: number): void {
    if (this.#entries.size >= REMEMBERED_MAX) this.#entries.clear()
    this.#entries.set(id, { value, until })
  }

  clear(): void {
    this.age += 1
    this.#entries.clear()
  }
}

function orNull(limits: CallLimits): CallLimits | null {
  return limits.ofKey === null && limits.ofAccount === null ? null : limits
}

const notKnown = () => new Problem('unauthenticated', { detail: 'The key is not known.' })

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
