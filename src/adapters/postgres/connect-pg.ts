/** PostgreSQL on a server, through a pool of `pg` clients and one more client that listens. */
import pg from 'pg'
import { CONFIGURATION_CHANNEL, type Database, type MigrationSession } from './database.ts'
import { MIGRATION_LOCK } from './migrate.ts'
import { createOpenViews, createWalledViews } from './views.ts'

/** Enough to keep a server's disk busy; connections of all gateways count towards its max_connections. */
const POOL_CONNECTIONS = 16
/** Time limits inside the server, for the case that this process forgets a statement. */
const STATEMENT_TIMEOUT_MS = 10_000
const LOCK_TIMEOUT_MS = 3_000
const CONNECT_TIMEOUT_MS = 3_000
/** And one here, for a server that has gone silent: a little more, so that the server's own word comes first. */
const QUERY_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 2_000
const LISTEN_RETRY_MS = 1_000

export type PgOptions = {
  readonly url: string
  readonly onTrouble: (error: unknown) => void
  readonly schedule: (delayMs: number, run: () => void) => () => void
}

/** int8 as number: our counters stay far below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === 20 ? Number : pg.types.getTypeParser(oid, format as 'text'),
}

export async function connectPg(options: PgOptions): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: POOL_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: 60_000,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    application_name: 'assent',
    types,
  })
  pool.on('error', options.onTrouble)
  // The pool listens to a client that is idle only. One that loses its connection at work would end the
  // process if nobody listened; what it was working on is rejected as well, and told there.
  pool.on('connect', (client) => client.on('error', () => {}))
  const ear = new Ear(options)
  let isWalled = false
  try {
    isWalled = await probe(pool)
    await ear.open()
  } catch (error) {
    await ear.close()
    await pool.end()
    const message = `The database of DATABASE_URL cannot be used: ${reasonOf(error)}`
    throw new Error(message, { cause: error })
  }
  return {
    kind: 'server',
    ...(isWalled ? createWalledViews(pool) : createOpenViews(pool)),
    migrate: (work) => migrateOn(options.url, work),
    announce: async (accountId) => {
      await pool.query('select pg_notify($1, $2)', [CONFIGURATION_CHANNEL, accountId])
    },
    onAnnounced: (listener) => ear.hear(listener),
    close: async () => {
      await ear.close()
      await pool.end()
    },
  }
}

/** A name with several addresses fails with one error for each, and no text of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ')
  return error instanceof Error ? error.message : String(error)
}

/** Whether accounts are walled off from each other for our role. */
async function probe(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query<{ version: string; walled: boolean }>(
    `select current_setting('server_version_num') as version,
      coalesce(row_security_active(to_regclass('records')::oid), false) as walled`,
  )
  const version = Number(rows[0]?.version ?? 0)
  if (version < 140_000) {
    throw new Error(`PostgreSQL 14 or newer is needed; this server says ${version}.`)
  }
  return rows[0]?.walled === true
}

/** A connection of its own: the lock lives as long as the session. No time limits while migrating. */
async function migrateOn(
  url: string,
  work: (session: MigrationSession) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'assent', types })
  // The statement under way is rejected as well.
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    await work({
      script: async (text) => {
        await client.query(text)
      },
      rows: async <Row>(text: string) => (await client.query(text)).rows as Row[],
    })
  } finally {
    await client.end()
  }
}

/** Listens for announcements, and reconnects for as long as it is open. */
class Ear {
  readonly #options: PgOptions
  #client: pg.Client | null = null
  #listener: (accountId: string | null) => void = () => {}
  #isClosed = false
  #cancelRetry: (() => void) | null = null

  constructor(options: PgOptions) {
    this.#options = options
  }

  hear(listener: (accountId: string | null) => void): void {
    this.#listener = listener
  }

  async open(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#options.url,
      application_name: 'assent-listen',
      keepAlive: true,
    })
    client.on('error', this.#options.onTrouble)
    client.on('end', () => {
      if (client === this.#client) this.#reopenLater()
    })
    client.on('notification', (message) => this.#listener(message.payload ?? null))
    try {
      await client.connect()
      await client.query(`listen ${CONFIGURATION_CHANNEL}`)
    } catch (error) {
      await client.end().catch(() => {})
      throw error
    }
    this.#client = client
  }

  /** What was announced meanwhile is lost: the listener is told to forget everything. */
  #reopenLater(): void {
    if (this.#isClosed) return
    this.#client = null
    this.#cancelRetry?.()
    this.#cancelRetry = this.#options.schedule(LISTEN_RETRY_MS, () => {
      this.open().then(
        () => this.#listener(null),
        (error: unknown) => {
          this.#options.onTrouble(error)
          this.#reopenLater()
        },
      )
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelRetry?.()
    await this.#client?.end()
  }
}
