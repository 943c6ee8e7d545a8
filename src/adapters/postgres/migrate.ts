/**
 * Plain SQL files in order, forward only, each in a transaction of its own, under a lock that lets one
 * gateway migrate while others wait. A build that is older than the schema refuses to start: it cannot
 * know what it would break.
 */
import { readdir, readFile } from 'node:fs/promises'
import type { Database, MigrationSession, Statement } from './database.ts'
import { codeOf } from './sqlstate.ts'

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

/**
 * Brings the schema to this build's version; the number of migrations that ran. Throws when the schema is newer than
 * this build, or older and not ours to change.
 */
export async function migrate(database: Database): Promise<number> {
  const migrations = await readMigrations()
  let ran = 0
  await database.migrate(async (session) => {
    const current = await versionOf(session)
    if (current > migrations.length) {
      throw new Error(
        `The database has schema version ${current}, this build knows ${migrations.length}. Start a newer build.`,
      )
    }
    if (current === 0) await orForeign(session.script(FIRST))
    for (const { version, name, text } of migrations.slice(current)) {
      const script = `begin;\n${text}\n;insert into schema_migrations (version, name) values (${version}, '${name}');commit;`
      await orForeign(session.script(script))
      ran++
    }
  })
  return ran
}

/** Lets a role that does not own the schema work as a gateway. Throws when there is no such role. */
export async function admitGateway(database: Database, role: string): Promise<void> {
  await database.everyone.run(ADMIT, [role])
}

const ADMIT: Statement = {
  name: 'admit_gateway',
  text: 'select admit_gateway(quote_ident($1)::regrole)',
}

const FIRST =
  'create table if not exists schema_migrations (version integer primary key, name text not null, applied_at timestamptz not null default now())'

async function versionOf(session: MigrationSession): Promise<number> {
  const [found] = await session.rows<{ is_there: boolean }>(
    "select to_regclass('schema_migrations') is not null as is_there",
  )
  if (found?.is_there !== true) return 0
  const [row] = await session.rows<{ version: number }>(
    'select coalesce(max(version), 0) as version from schema_migrations',
  )
  return Number(row?.version ?? 0)
}

const INSUFFICIENT_PRIVILEGE = '42501'

function orForeign<T>(work: Promise<T>): Promise<T> {
  return work.catch((cause: unknown) => {
    if (codeOf(cause) !== INSUFFICIENT_PRIVILEGE) throw cause
    const message =
      'The database has to be migrated, and its tables are not those of the role of DATABASE_URL: run `npm run migrate` as the role that owns them, then start again.'
    throw new Error(message, { cause })
  })
}
