import { pointerTo } from '../domain/pointer.ts'
import { Problem } from '../domain/problem.ts'
import type { Clock, Ids, Vault } from './ports.ts'
import type { Keys, KeyView, Scope } from './store.ts'

export type KeyPorts = {
  readonly keys: Keys
  readonly ids: Ids
  readonly vault: Vault
  readonly clock: Clock
  /** The text of a new key with this id. */
  readonly makeKey: (id: string) => string
}

export type KeyDraft = {
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly accountId: string
  readonly expiresAt: string | undefined
  readonly maxPerSecond: number | undefined
}

/** Makes a key and stores its hash; the key itself is in the answer and nowhere else. */
export async function createKey(
  { name, scopes, accountId, expiresAt, maxPerSecond }: KeyDraft,
  { keys, ids, vault, clock, makeKey }: KeyPorts,
): Promise<KeyView & { readonly key: string }> {
  if (expiresAt !== undefined && Date.parse(expiresAt) <= clock.wallMs()) {
    const complaints = [{ pointer: pointerTo('expiresAt'), message: 'This is in the past.' }]
    throw new Problem('invalid_request', { complaints })
  }
  const id = ids.make('key')
  const key = makeKey(id)
  const draft = {
    id,
    name,
    accountId,
    scopes: [...new Set(scopes)],
    maxPerSecond: maxPerSecond ?? null,
    expiresAt: expiresAt ?? null,
  }
  return { ...(await keys.create(draft, vault.sha256(key))), key }
}
