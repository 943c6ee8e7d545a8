/**
 * Keys that nobody has in memory are looked up together: one statement at a time for all that ask meanwhile.
 * Whoever makes up keys by the thousand, checksums included, costs the database one statement after the
 * other, each a walk through an index, and takes no connection from those who write.
 */
import type { KnownKey, Scope } from '../../app/store.ts'
import { type BatchEntry, Batcher } from './commit-batcher.ts'
import type { Database, Statement } from './database.ts'
import { orUnavailable } from './sqlstate.ts'

const LIMITS = { writers: 1, batchMax: 1_000, queueMax: 10_000 } as const

const FIND: Statement = {
  name: 'find_keys',
  text: `select k.hash, k.id, k.account, k.scopes, k.max_per_second,
      a.max_per_second as account_max_per_second,
      extract(epoch from k.expires_at - now())::float8 * 1000 as expires_in_ms
    from keys k join accounts a on a.id = k.account
    where k.hash = any($1::text[]) and (k.expires_at is null or k.expires_at > now())`,
}

type Row = {
  readonly hash: string
  readonly id: string
  readonly account: string
  readonly scopes: string[]
  readonly max_per_second: number | null
  readonly account_max_per_second: number | null
  readonly expires_in_ms: number | null
}

type Entry = BatchEntry<string, KnownKey | null>

/** Finds a key by its hash. A key that was removed before the question is not found. */
export function createKeyLookup(database: Database): (hash: string) => Promise<KnownKey | null> {
  const find = async (entries: readonly Entry[]): Promise<void> => {
    const hashes = [...new Set(entries.map(({ item }) => item))]
    const rows = await orUnavailable(database.everyone.run<Row>(FIND, [hashes]))
    const found = new Map(rows.map((row) => [row.hash, keyOf(row)]))
    for (const { item, resolve } of entries) resolve(found.get(item) ?? null)
  }
  const send = (entries: readonly Entry[]): Promise<void> =>
    find(entries).catch((error: unknown) => {
      for (const { reject } of entries) reject(error)
    })
  const batcher = new Batcher<string, KnownKey | null>({ ...LIMITS, withdrawn: null, send })
  return (hash) => batcher.add(hash, null, () => true)
}

function keyOf(row: Row): KnownKey {
  return {
    caller: { accountId: row.account, keyId: row.id, scopes: new Set(row.scopes as Scope[]) },
    limits: { ofKey: row.max_per_second, ofAccount: row.account_max_per_second },
    expiresInMs: row.expires_in_ms,
  }
}
