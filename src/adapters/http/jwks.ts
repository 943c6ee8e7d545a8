/**
 * The issuer's public keys. Fetched when a token names a key that is not known, and now and then; at most
 * once in half a minute whatever happens, so that neither made-up key ids nor an issuer that is down turn
 * into a stream of requests. What was fetched last is used on for a day when the issuer cannot be reached.
 */
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { z } from 'zod'
import type { Clock } from '../../app/ports.ts'

const FETCH_AGAIN_MS = 30_000
const FRESH_MS = 600_000
const STALE_MS = 86_400_000
const FETCH_TIMEOUT_MS = 5_000
const BYTES_MAX = 65_536

const keySet = z.looseObject({
  keys: z.array(z.looseObject({ kty: z.string() })).max(100),
})

/** The text of a key set. Throws when it cannot be had. */
export type FetchKeys = (url: string) => Promise<string>

async function fetchKeys(url: string): Promise<string> {
  const response = await fetch(url, {
    redirect: 'error',
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
  })
  if (!response.ok || response.body === null) throw new Error(`JWKS: status ${response.status}`)
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += chunk.length
    if (bytes > BYTES_MAX) throw new Error('JWKS: too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

type Known = { readonly find: JWTVerifyGetKey; readonly fetchedAt: number }

export class IssuerKeys {
  readonly #url: string
  readonly #clock: Clock
  readonly #fetch: FetchKeys
  #known: Known | null = null
  #triedAt = Number.NEGATIVE_INFINITY
  #fetching: Promise<void> | null = null

  constructor(url: string, clock: Clock, fetch: FetchKeys = fetchKeys) {
    this.#url = url
    this.#clock = clock
    this.#fetch = fetch
  }

  /** Finds the key that a token names. Throws when there is none. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    await this.#refreshUnless(this.#ageMs() < FRESH_MS)
    try {
      return await this.#current().find(header, token)
    } catch (error) {
      const before = this.#known
      await this.#refreshUnless(false)
      if (this.#known === before) throw error
      return this.#current().find(header, token)
    }
  }

  #ageMs(): number {
    return this.#clock.monotonicMs() - (this.#known?.fetchedAt ?? Number.NEGATIVE_INFINITY)
  }

  #current(): Known {
    if (this.#known === null || this.#ageMs() > STALE_MS) throw new Error('JWKS: not available')
    return this.#known
  }

  async #refreshUnless(isFresh: boolean): Promise<void> {
    const isTooSoon = this.#clock.monotonicMs() - this.#triedAt < FETCH_AGAIN_MS
    if (!isFresh && !isTooSoon) {
      this.#triedAt = this.#clock.monotonicMs()
      this.#fetching = this.#refresh().finally(() => {
        this.#fetching = null
      })
    }
    if (!isFresh) await this.#fetching
  }

  async #refresh(): Promise<void> {
    try {
      const found = keySet.parse(JSON.parse(await this.#fetch(this.#url)))
      const find = createLocalJWKSet(found as JSONWebKeySet)
      this.#known = { find, fetchedAt: this.#clock.monotonicMs() }
    } catch {
      // What was known before is used on; a token whose key is not among it is refused.
    }
  }
}
