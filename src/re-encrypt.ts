/**
 * `re-encrypt`: seals all stored secrets, and signs each audit, with the first master key, so that the others can be taken out of the
 * list. On a server it may run while gateways do: all of them know both keys by then.
 */
import { openStore } from './adapters/postgres/store.ts'
import { createCheckpointSigner } from './adapters/system/checkpoint-signer.ts'
import { systemClock } from './adapters/system/clock.ts'
import { systemIds } from './adapters/system/ids.ts'
import { createSealer, createVault } from './adapters/system/master-key.ts'
import { sealAuditAnew } from './app/audit.ts'
import type { Config } from './config.ts'
import { refuseUnknownKeys, takePlace } from './place.ts'

/** The number of rows that were sealed anew. Throws FaultySettings when one cannot be opened. */
export async function reEncrypt(config: Config): Promise<number> {
  const { folder, location, keys } = await takePlace(config)
  try {
    const store = await openStore({
      location,
      sealer: createSealer(keys),
      clock: systemClock,
      ids: systemIds,
      journal: { record: () => {} },
    })
    try {
      await refuseUnknownKeys(store, keys)
      const signer = createCheckpointSigner(keys)
      const refused = await sealAuditAnew({
        audit: store.audit,
        signer,
        vault: createVault(keys),
        clock: systemClock,
      })
      const count = await store.sealedSecrets.sealAnew()
      if (refused.length === 0) return count
      const those = `${refused.slice(0, 10).join(', ')}${refused.length > 10 ? ', …' : ''}`
      throw new Error(
        `All secrets were sealed anew, but the audits of some accounts (${those}) cannot be: GET /v1/audit/verify tells why. Keep the other keys.`,
      )
    } finally {
      await store.close()
    }
  } finally {
    await folder?.release()
  }
}
