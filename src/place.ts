/** Where a gateway keeps its data, and the keys to it. */
import type { Store } from './adapters/postgres/store.ts'
import {
  type DataFolder,
  readOrMakeMasterKey,
  takeDataFolder,
} from './adapters/system/data-folder.ts'
import { type MasterKeys, masterKeyOf } from './adapters/system/master-key.ts'
import { type Config, FaultySettings } from './config.ts'

export type Place = {
  /** Of the embedded database, held until it is released; null on a server. */
  readonly folder: DataFolder | null
  readonly location: { readonly url: string } | { readonly folder: string }
  readonly keys: MasterKeys
}

/** Throws when somebody else holds the folder. */
export async function takePlace(config: Config): Promise<Place> {
  const { database } = config
  if (database.kind === 'server') {
    return { folder: null, location: { url: database.url }, keys: await keysOf(config, null) }
  }
  const folder = await takeDataFolder(database.dataDir).catch(asFault)
  try {
    const keys = await keysOf(config, folder)
    return { folder, location: { folder: folder.databasePath }, keys }
  } catch (error) {
    await folder.release()
    throw error
  }
}

/** No folder can be made or used there. */
const UNUSABLE: ReadonlySet<unknown> = new Set(['EEXIST', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS'])

function asFault(error: unknown): never {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (!UNUSABLE.has(code)) throw error
  throw new FaultySettings([
    { name: 'ASSENT_DATA_DIR', message: `No data can be kept there (${String(code)}).` },
  ])
}

async function keysOf({ masterKeys }: Config, folder: DataFolder | null): Promise<MasterKeys> {
  const [first, ...others] = masterKeys
  if (first !== undefined) return [masterKeyOf(first), ...others.map(masterKeyOf)]
  if (folder === null) throw new TypeError('a server needs a master key')
  return [masterKeyOf(await readOrMakeMasterKey(folder.path))]
}

/**
 * A gateway that cannot open what is stored would fail with the first question to whoever has a secret, so it does
 * not start. Throws FaultySettings.
 */
export async function refuseUnknownKeys(
  { sealedSecrets }: Pick<Store, 'sealedSecrets'>,
  keys: MasterKeys,
): Promise<void> {
  const known = new Set(keys.map(({ id }) => id))
  const unknown = (await sealedSecrets.keyIds()).filter((id) => !known.has(id))
  if (unknown.length === 0) return
  const message = `Stored secrets are sealed with keys that are not in the list (${unknown.join(', ')}). Put them behind the first one.`
  throw new FaultySettings([{ name: 'ASSENT_MASTER_KEY', message }])
}
