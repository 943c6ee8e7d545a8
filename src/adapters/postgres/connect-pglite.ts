/**
 * PostgreSQL inside this process, with its files in the data folder.
 *
 * It has one session, so everything takes turns on it: a transaction keeps its turn until it ends. It
 * runs on the main thread and answers through microtasks only, so each turn ends with a macrotask; else a
 * busy caller would starve every timer of the process, deadlines included. It survives kill -9, but it
 * never calls fsync: a power loss may take the last seconds with it.
 */
import { PGlite } from '@electric-sql/pglite'
import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely'
import type { Database, Statement, View } from './database.ts'
import type { Tables } from './tables.ts'

const parsers = { 20: Number }

/** `memory://` stands for a database that is gone with the process. */
export async function connectPglite(folder: string): Promise<Database> {
  const engine = await PGlite.create(folder, { parsers })
  const turns = new Turns(engine)
  // It belongs to this process, so no wall would concern it.
  const everyone: View = {
    kysely: new Kysely<Tables>({ dialect: new PostgresDialect({ pool: poolOver(turns) }) }),
    run: <Row>(statement: Statement, values: readonly unknown[]) =>
      turns.take(async (db) => (await db.query<Row>(statement.text, [...values])).rows),
  }
  return {
    kind: 'embedded',
    of: () => everyone,
    everyone,
    migrate: (work) =>
      turns.take((db) =>
        work({
          script: async (text) => {
            await db.exec(text)
          },
          rows: async <Row>(text: string) => (await db.query<Row>(text)).rows,
        }),
      ),
    announce: () => Promise.resolve(),
    onAnnounced: () => {},
    close: async () => {
      await turns.take((db) => db.close())
    },
  }
}

/** First come, first served. */
class Turns {
  readonly #engine: PGlite
  #last: Promise<void> = Promise.resolve()

  constructor(engine: PGlite) {
    this.#engine = engine
  }

  /** Waits for a turn; whoever gets the engine must call `end` exactly once. */
  async begin(): Promise<{ engine: PGlite; end: () => void }> {
    const before = this.#last
    let end = () => {}
    this.#last = new Promise((resolve) => {
      end = () => setImmediate(resolve)
    })
    await before
    return { engine: this.#engine, end }
  }

  async take<T>(work: (engine: PGlite) => Promise<T>): Promise<T> {
    const { engine, end } = await this.begin()
    try {
      return await work(engine)
    } finally {
      end()
    }
  }
}

/** The shape of a pg.Pool, as far as Kysely needs it: no cursors. */
function poolOver(turns: Turns): PostgresPool {
  const connect = async () => {
    const { engine, end } = await turns.begin()
    const query = async (sql: string, parameters: readonly unknown[] = []) => {
      const result = await engine.query(sql, [...parameters])
      const command = /^\s*(\w+)/.exec(sql)?.[1]?.toUpperCase() ?? ''
      const rowCount = command === 'SELECT' ? result.rows.length : (result.affectedRows ?? 0)
      return { command, rowCount, rows: result.rows }
    }
    return { query, release: end } as unknown as PostgresPoolClient
  }
  return { connect, end: () => Promise.resolve() }
}
