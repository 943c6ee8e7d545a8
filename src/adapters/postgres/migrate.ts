/**
 * Plain SQL files in order, forward only, each in a transaction of its own, under a lock that lets one
 * gateway migrate while others wait. A build that is older than the schema refuses to start: it cannot
 * know what it would break.
 */
import { readdir, readFile } from 'node:fs/promises'
import type { Database } from './database.ts'

/** Advisory lock number; any constant that nobody else uses. */
export const MIGRATION_LOCK = 7_264_001

const FILES = new URL('../../../migrations/', import.meta.url)

export type Migration = { readonly version: number; readonly name: string; readonly text: string }

/** All migrations of this build. Throws when their numbers have gaps or repeat. */
export async function readMigrations(): Promise<readonly Migration[]> {
  const names = (await readdir(FILES)).filter((name) => name.endsWith('.sql')).sort()
  return Promise.all(
    names.map(async (name, index) => {
      const version = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1])
      if (version !== index + 1) throw new Error(`migrations/${name} breaks the numbering`)
      return { version, name, text: await readFile(new URL(name, FILES), 'utf8') }
    }),
  )
}

/** Brings the schema to this build's version; the number of migrations that ran. */
export async function migrate(database: Database): Promise<number> {
  const migrations = await readMigrations()
  let ran = 0
  await database.migrate(async (session) => {
    await session.script(
      'create table if not exists schema_migrations (version integer primary key, name text not null, applied_at timestamptz not null default now())',
    )
    const [row] = await session.rows<{ version: number }>(
      'select coalesce(max(version), 0) as version from schema_migrations',
    )
    const current = Number(row?.version ?? 0)
    if (current > migrations.length) {
      throw new Error(
        `The database has schema version ${current}, this build knows ${migrations.length}. Start a newer build.`,
      )
    }
    for (const { version, name, text } of migrations.slice(current)) {
      await session.script(
        `begin;\n${text}\n;insert into schema_migrations (version, name) values (${version}, '${name}');commit;`,
      )
      ran++
    }
  })
  return ran
}
