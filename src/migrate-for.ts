/**
 * `migrate`: brings the schema to this build as the role that owns it, so that gateways can work as a role that does
 * not. Gateways of the build before may go on meanwhile, as with every migration.
 */
import { admitGateway } from './adapters/postgres/migrate.ts'
import { openDatabase } from './adapters/postgres/store.ts'
import { systemClock } from './adapters/system/clock.ts'
import type { Config } from './config.ts'
import { takePlace } from './place.ts'

/** Throws when the database cannot be had or changed, or has no such role. */
export async function migrateFor(config: Config, role: string | undefined): Promise<void> {
  const { folder, location } = await takePlace(config)
  try {
    const database = await openDatabase({ location, clock: systemClock, onTrouble: () => {} })
    try {
      if (role !== undefined) await admitGateway(database, role)
    } finally {
      await database.close()
    }
  } finally {
    await folder?.release()
  }
}
