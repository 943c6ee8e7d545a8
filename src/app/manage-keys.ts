import type { Ids, Vault } from './ports.ts'
import type { Keys, KeyView, Scope } from './store.ts'

export type KeyPorts = {
  readonly keys: Keys
  readonly ids: Ids
  readonly vault: Vault
  /** The text of a new key with this id. */
  readonly makeKey: (id: string) => string
}

export type KeyDraft = {
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly accountId: string
  readonly expiresAt: string | undefined
}

/** Makes a key and stores its hash; the key itself is in the answer and nowhere else. */
export async function createKey(
  { name, scopes, accountId, expiresAt }: KeyDraft,
  { keys, ids, vault, makeKey }: KeyPorts,
): Promise<KeyView & { readonly key: string }> {
  const id = ids.make('key')
  const key = makeKey(id)
  const draft = { id, name, accountId, scopes: [...new Set(scopes)], expiresAt: expiresAt ?? null }
  return { ...(await keys.create(draft, vault.sha256(key))), key }
}
