/**
 * Databases for one suite each. Making and migrating one takes seconds, and every suite needs one, so each is a
 * copy: of a folder that is kept beside the temporary files under a name that changes with the schema, or of a
 * database of that name on the server. Copies of servers are reached as a role that does not own the tables, as
 * README.md asks of installations that matter, so that every suite passes through the wall between accounts.
 */
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { connectPg } from '../../src/adapters/postgres/connect-pg.ts'
import { connectPglite } from '../../src/adapters/postgres/connect-pglite.ts'
import { admitGateway, migrate, readMigrations } from '../../src/adapters/postgres/migrate.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'

export type Environment = Readonly<Record<string, string>>

/** Where the suites find a real PostgreSQL; without it they run on the embedded database. */
export const TEST_DATABASE_URL = process.env['TEST_DATABASE_URL']

export type DatabaseKind = 'embedded' | 'server'

/** What this run is about: the embedded database, or the server. */
export const DATABASE: DatabaseKind = TEST_DATABASE_URL === undefined ? 'embedded' : 'server'
export const DATABASES: readonly DatabaseKind[] = [DATABASE]

export type Place = { readonly environment: Environment; readonly remove: () => Promise<void> }

/** A database of this kind, as a gateway has it that was started before and has done nothing. */
export function temporaryPlace(kind: DatabaseKind): Promise<Place> {
  return kind === 'embedded' ? temporaryFolder() : temporaryDatabase()
}

/** A data folder in which nothing is yet. */
export async function emptyFolder(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'assent-test-'))
  return {
    environment: { ASSENT_DATA_DIR: folder },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

export async function temporaryFolder(): Promise<Place> {
  const place = await emptyFolder()
  const { ASSENT_DATA_DIR: folder = '' } = place.environment
  await cp(await templateFolder(), join(folder, 'postgres'), { recursive: true })
  return place
}

/** A database of its own on the server, owned by whoever TEST_DATABASE_URL names and without a schema. */
export async function emptyDatabase(template = 'template1'): Promise<Place> {
  const name = `assent_test_${randomBytes(6).toString('hex')}`
  await onServer((client) => client.query(`create database ${name} template ${template}`))
  return {
    environment: {
      DATABASE_URL: databaseUrl(name),
      ASSENT_MASTER_KEY: randomBytes(32).toString('base64'),
    },
    remove: async () => {
      await onServer((client) => client.query(`drop database if exists ${name} with (force)`))
    },
  }
}

export async function temporaryDatabase(): Promise<Place> {
  const place = await emptyDatabase(await templateDatabase())
  const url = gatewaysUrl(place.environment['DATABASE_URL'] ?? '')
  return { ...place, environment: { ...place.environment, DATABASE_URL: url } }
}

/** A database as a role reaches it that owns nothing. */
export function gatewaysUrl(owners: string): string {
  const url = new URL(owners)
  url.searchParams.set('options', `-c role=${GATEWAY_ROLE}`)
  return url.href
}

/** The same database as its owner reaches it. */
export function ownersUrl(gateways: string): string {
  const url = new URL(gateways)
  url.searchParams.delete('options')
  return url.href
}

/** Owns nothing. */
export const GATEWAY_ROLE = 'assent_test_gateway'

/** Of everything that a template holds. */
async function schemaDigest(): Promise<string> {
  const hash = createHash('sha256')
  for (const { text } of await readMigrations()) hash.update(text)
  const lock = new URL('../../package.json', import.meta.url)
  hash.update(JSON.stringify(JSON.parse(await readFile(lock, 'utf8')).dependencies))
  return hash.digest('hex').slice(0, 16)
}

/** Whoever comes first makes it; of two that come at once, the second throws its own away. */
async function templateFolder(): Promise<string> {
  const path = join(tmpdir(), `assent-test-template-${await schemaDigest()}`)
  if (existsSync(path)) return path
  const made = await mkdtemp(join(tmpdir(), 'assent-test-'))
  const database = await connectPglite(made)
  await migrate(database)
  await database.close()
  await rename(made, path).catch(() => rm(made, { recursive: true, force: true }))
  return path
}

/** Any constant that nobody else uses. */
const TEMPLATE_LOCK = 7_264_900

async function templateDatabase(): Promise<string> {
  const name = `assent_test_template_${await schemaDigest()}`
  await onServer(async (client) => {
    await client.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK])
    const found = await client.query('select from pg_database where datname = $1', [name])
    if (found.rowCount !== 0) return
    const roles = await client.query('select from pg_roles where rolname = $1', [GATEWAY_ROLE])
    if (roles.rowCount === 0) await client.query(`create role ${GATEWAY_ROLE}`)
    const draft = `${name}_draft`
    await client.query(`drop database if exists ${draft} with (force)`)
    await client.query(`create database ${draft}`)
    const { schedule } = systemClock
    const database = await connectPg({ url: databaseUrl(draft), schedule, onTrouble: () => {} })
    await migrate(database)
    await admitGateway(database, GATEWAY_ROLE)
    await database.close()
    await client.query(`alter database ${draft} rename to ${name}`)
  })
  return name
}

function databaseUrl(name: string): string {
  if (TEST_DATABASE_URL === undefined) throw new Error('TEST_DATABASE_URL is not set')
  const url = new URL(TEST_DATABASE_URL)
  url.pathname = `/${name}`
  return url.href
}

async function onServer(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: TEST_DATABASE_URL })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
