/**
 * Signatures under the audit. They are keyed digests: whoever has the master key could make them, and whoever has only
 * the database can not. A checkpoint names its key, so that it can be checked for as long as that is in the list.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { CheckpointSigner } from '../../app/audit-store.ts'
import type { MasterKey, MasterKeys } from './master-key.ts'

export function createCheckpointSigner(keys: MasterKeys): CheckpointSigner {
  const derived = new Map(keys.map((key) => [key.id, derive(key)]))
  const [first] = keys
  const digest = (key: Uint8Array, text: string) => createHmac('sha256', key).update(text).digest()
  return {
    keyId: first.id,
    sign: (text) => digest(derive(first), text).toString('base64url'),
    check: (keyId, text, signature) => {
      const key = derived.get(keyId)
      if (key === undefined) return 'key_unknown'
      const [sent, due] = [Buffer.from(signature, 'base64url'), digest(key, text)]
      return sent.length === due.length && timingSafeEqual(sent, due) ? 'genuine' : 'forged'
    },
  }
}

function derive({ bytes }: MasterKey): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', bytes, 'assent', 'audit checkpoint', 32))
}
