import { describe, expect, it } from 'vitest'
import { connectPg } from '../../src/adapters/postgres/connect-pg.ts'
import { connectPglite } from '../../src/adapters/postgres/connect-pglite.ts'
import type { Database } from '../../src/adapters/postgres/database.ts'
import { migrate, readMigrations } from '../../src/adapters/postgres/migrate.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { DATABASES, emptyDatabase } from '../support/places.ts'

type Opened = { readonly open: () => Promise<Database>; readonly close: () => Promise<void> }

async function place(kind: (typeof DATABASES)[number]): Promise<Opened> {
  if (kind === 'embedded') {
    const database = await connectPglite('memory://')
    return { open: () => Promise.resolve(database), close: () => database.close() }
  }
  const { environment, remove } = await emptyDatabase()
  const url = environment['DATABASE_URL'] ?? ''
  const opened: Database[] = []
  return {
    open: async () => {
      const { schedule } = systemClock
      const database = await connectPg({ url, schedule, onTrouble: () => {} })
      opened.push(database)
      return database
    },
    close: async () => {
      for (const database of opened) await database.close()
      await remove()
    },
  }
}

async function withPlace(kind: (typeof DATABASES)[number], run: (at: Opened) => Promise<void>) {
  const at = await place(kind)
  try {
    await run(at)
  } finally {
    await at.close()
  }
}

const rows = <Row>(database: Database, text: string) =>
  database.everyone.run<Row>({ name: `test ${text.length} ${text.slice(0, 20)}`, text }, [])

const applied = (database: Database) =>
  rows<{ version: number; name: string }>(
    database,
    'select version, name from schema_migrations order by version',
  )

describe.each(DATABASES)('migrations on the %s database', (kind) => {
  it('all run on a new database, once, and are written down', () =>
    withPlace(kind, async ({ open }) => {
      const database = await open()
      const all = await readMigrations()
      expect(await migrate(database)).toBe(all.length)
      expect(await applied(database)).toEqual(all.map(({ version, name }) => ({ version, name })))
      expect(await rows(database, 'select id from accounts')).toEqual([{ id: 'default' }])
      expect(await migrate(database)).toBe(0)
    }))

  it('run once when several gateways start at a time', () =>
    withPlace(kind, async ({ open }) => {
      const databases = await Promise.all([open(), open(), open(), open()])
      const counts = await Promise.all(databases.map((database) => migrate(database)))
      const all = await readMigrations()
      expect(counts.toSorted((a, b) => a - b)).toEqual([0, 0, 0, all.length])
      const [first] = databases
      if (first !== undefined) expect(await applied(first)).toHaveLength(all.length)
    }))

  it('are refused when the schema is newer than the build, and nothing is changed', () =>
    withPlace(kind, async ({ open }) => {
      const database = await open()
      await migrate(database)
      const all = await readMigrations()
      const newer = all.length + 1
      await rows(
        database,
        `insert into schema_migrations (version, name) values (${newer}, 'from the future')`,
      )
      await expect(migrate(database)).rejects.toThrow(
        `The database has schema version ${newer}, this build knows ${all.length}. Start a newer build.`,
      )
      expect(await applied(database)).toHaveLength(newer)
    }))

  it('leave nothing of one that fails, and the next start tries again', () =>
    withPlace(kind, async ({ open }) => {
      const database = await open()
      // In the way of a table that the migration makes after others.
      await rows(database, 'create table attempts (nothing integer)')
      await expect(migrate(database)).rejects.toThrow('attempts')
      const again = kind === 'server' ? await open() : database
      if (kind === 'embedded') await rows(again, 'rollback').catch(() => {})
      expect(await rows(again, "select to_regclass('accounts') as accounts")).toEqual([
        { accounts: null },
      ])
      await rows(again, 'drop table attempts')
      expect(await migrate(again)).toBe((await readMigrations()).length)
    }))
})

describe('the migrations of this build', () => {
  it('are numbered from 1 without gaps, and have names that tell something', async () => {
    const all = await readMigrations()
    expect(all.length).toBeGreaterThan(0)
    expect(all.map(({ version }) => version)).toEqual(all.map((_, index) => index + 1))
    for (const { name, text } of all) {
      expect(name).toMatch(/^\d{4}_[a-z0-9_]{5,}\.sql$/)
      expect(text.trim()).not.toBe('')
    }
  })
})
