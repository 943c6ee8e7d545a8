/**
 * Stores for the suites of test/contract: the real thing, opened as the gateway opens it, with a back
 * door in SQL. Each suite runs on the embedded database, or on the server that TEST_DATABASE_URL names.
 */
import { randomBytes } from 'node:crypto'
import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { afterAll, beforeAll, describe, vi } from 'vitest'
import { openStore, type Store } from '../../src/adapters/postgres/store.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { systemIds } from '../../src/adapters/system/ids.ts'
import { createSealer, masterKeyOf } from '../../src/adapters/system/master-key.ts'
import type { JournalEvent } from '../../src/app/journal.ts'
import type { Clock } from '../../src/app/ports.ts'
import {
  DATABASE,
  type DatabaseKind,
  ownersUrl,
  type Place,
  temporaryDatabase,
  temporaryFolder,
} from './places.ts'

export type Opened = {
  readonly kind: 'embedded' | 'server'
  readonly store: Store
  /** What the store said about itself. */
  readonly journal: Journaled
  /** Behind the store's back. Not while the store is at work: the embedded database has one session. */
  readonly sql: <Row = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ) => Promise<readonly Row[]>
  /** A new account, so that suites do not see each other. */
  readonly account: () => Promise<string>
  /** The store of another gateway on the same server, closed with this one. */
  readonly another: () => Promise<Store>
  /** Where the server is; undefined for the embedded database. */
  readonly url: string | undefined
  readonly close: () => Promise<void>
}

/** Events as they were recorded; a test may react to each at once. */
export class Journaled extends Array<JournalEvent> {
  react: (event: JournalEvent) => void = () => {}

  record(event: JournalEvent): void {
    this.push(event)
    this.react(event)
  }

  kinds(kind: JournalEvent['kind']): JournalEvent[] {
    return [...this].filter((event) => event.kind === kind)
  }
}

type Rows = { readonly rows: readonly unknown[] }
type Query = (text: string, values: unknown[]) => Promise<Rows>
type Location = { readonly url: string } | { readonly folder: string }

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === 20 ? Number : pg.types.getTypeParser(oid, format as 'text'),
}

/** A session of its own on a server. */
async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, types })
  await client.connect()
  return client
}

/** Where an opened store is told to look for the database of a place. */
export function locationOf({ environment }: Place): Location {
  const { DATABASE_URL: url, ASSENT_DATA_DIR: folder } = environment
  return url === undefined ? { folder: `${folder}/postgres` } : { url }
}

async function openEmbedded(): Promise<Opened> {
  const place = await temporaryFolder()
  const create = vi.spyOn(PGlite, 'create')
  const parts = await openAt(locationOf(place))
  // The first one is ours: it makes another for itself while it starts.
  const engine = (await create.mock.results[0]?.value) as PGlite
  create.mockRestore()
  return {
    ...parts.opened,
    ...backDoor((text, values) => engine.query(text, values)),
    kind: 'embedded',
    url: undefined,
    another: () => Promise.reject(new Error('nobody shares an embedded database')),
    close: async () => {
      await parts.opened.store.close()
      await place.remove()
    },
  }
}

/** A store on a database of its own, or on the one that `url` names. */
async function openServer(): Promise<Opened> {
  const place = await temporaryDatabase()
  const url = place.environment['DATABASE_URL'] ?? ''
  const parts = await openAt({ url })
  const client = await connect(ownersUrl(url))
  const others: Store[] = []
  return {
    ...parts.opened,
    ...backDoor((text, values) => client.query(text, values)),
    kind: 'server',
    url,
    another: async () => {
      const other = await parts.open()
      others.push(other)
      return other
    },
    close: async () => {
      for (const store of [...others, parts.opened.store]) await store.close()
      await client.end()
      await place.remove()
    },
  }
}

export type StoreParts = {
  readonly clock?: Clock
  readonly journal?: Journaled
  readonly flushSiblings?: () => Promise<void>
}

/** A store as the gateway opens it. */
export function openAs(
  location: Location,
  { clock, journal = new Journaled(), flushSiblings }: StoreParts = {},
) {
  return openStore({
    location,
    sealer: createSealer([masterKeyOf(KEY)]),
    clock: clock ?? systemClock,
    ids: systemIds,
    journal,
    flushSiblings,
  })
}

/** Gateways of one installation share their master key. */
const KEY = randomBytes(32)

async function openAt(location: Location) {
  const journal = new Journaled()
  const open = () => openAs(location, { journal })
  return { open, opened: { store: await open(), journal } }
}

function backDoor(query: Query): Pick<Opened, 'sql' | 'account'> {
  const sql = async <Row>(text: string, values: readonly unknown[] = []) =>
    (await query(text, [...values])).rows as readonly Row[]
  let accounts = 0
  return {
    sql,
    account: async () => {
      const id = `account-${++accounts}`
      await sql('insert into accounts (id, title) values ($1, $1)', [id])
      return id
    },
  }
}

/** Runs the suites on the database that this run is about. */
export function onEachStore(suites: (opened: () => Opened) => void): void {
  onStore(DATABASE, DATABASE === 'server' ? openServer : openEmbedded, suites)
}

/** Runs the suites on a server only. */
export function onServerStore(suites: (opened: () => Opened) => void): void {
  if (DATABASE === 'server') onStore(DATABASE, openServer, suites)
}

function onStore(
  name: DatabaseKind,
  open: () => Promise<Opened>,
  suites: (opened: () => Opened) => void,
): void {
  describe(`on the ${name === 'server' ? 'PostgreSQL server' : 'embedded database'}`, () => {
    let opened: Opened | undefined
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(async () => {
      await opened?.close()
    })
    suites(() => {
      if (opened === undefined) throw new Error('the store is not open')
      return opened
    })
  })
}
