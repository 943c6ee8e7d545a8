/**
 * Views of a server's database, through a pool of clients.
 *
 * Where accounts are walled off from each other for our role (migrations/0010_walls.sql), a client has to say whom it
 * works for before it reaches a row. It says so for its session, and is remembered to have said it, so that one which
 * goes on working for the same account pays nothing. It is said outside of transactions, which therefore cannot undo
 * it; a client that broke on the way is not used again.
 */
import { Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { type Database, NotSent, type Statement, type View } from './database.ts'
import type { Tables } from './tables.ts'

type Views = Pick<Database, 'of' | 'everyone'>
type Connect = () => Promise<pg.PoolClient>

/** Our role owns the tables: everybody sees everything. */
export function createOpenViews(pool: pg.Pool): Views {
  const everyone = viewThrough(() => pool.connect())
  return { of: () => everyone, everyone }
}

/** As migrations/0010_walls.sql reads them: no account's id holds a control character. */
const EVERYONE = '\u001e'
const BETWEEN = '\u001f'

export function createWalledViews(pool: pg.Pool): Views {
  const reaches = new WeakMap<pg.PoolClient, string>()
  const reaching = async (accounts: string) => {
    const client = await pool.connect()
    if (reaches.get(client) === accounts) return client
    try {
      await client.query(REACH, [accounts])
    } catch (error) {
      client.release(isBroken(error))
      throw error
    }
    reaches.set(client, accounts)
    return client
  }
  return {
    of: (...accountIds) => viewThrough(() => reaching(accountIds.join(BETWEEN))),
    everyone: viewThrough(() => reaching(EVERYONE)),
  }
}

const REACH = "select set_config('assent.accounts', $1, false)"

function viewThrough(connect: Connect): View {
  let kysely: Kysely<Tables> | null = null
  return {
    get kysely() {
      // It opens and ends nothing of its own.
      const pool = { connect: () => connect().then(watched), end: () => Promise.resolve() }
      kysely ??= new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
      return kysely
    },
    run: (statement, values) => run(connect, statement, values),
  }
}

/** Whoever is done gives it back without a word about how it went, so that is noted here. */
function watched(client: pg.PoolClient): PostgresPoolClient {
  let broken = false
  const query = async (text: string, values: unknown[]) => {
    try {
      return await client.query(text, values)
    } catch (error) {
      broken ||= isBroken(error)
      throw error
    }
  }
  return { query, release: () => client.release(broken) } as unknown as PostgresPoolClient
}

async function run<Row>(
  connect: Connect,
  { name, text }: Statement,
  values: readonly unknown[],
): Promise<readonly Row[]> {
  const client = await connect().catch((error: unknown) => {
    throw new NotSent(error)
  })
  let broken = false
  try {
    const result = await client.query({ name, text, values: [...values] })
    return result.rows as Row[]
  } catch (error) {
    broken = isBroken(error)
    throw error
  } finally {
    client.release(broken)
  }
}

/** A client whose error did not come from the server in an orderly way is not used again. */
function isBroken(error: unknown): boolean {
  return !(error instanceof pg.DatabaseError) || (error.code ?? '').startsWith('57P')
}
