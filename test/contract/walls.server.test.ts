/** What PostgreSQL itself keeps from a gateway that does not own the tables, whatever the gateway asks for. */
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectPg } from '../../src/adapters/postgres/connect-pg.ts'
import type { Database } from '../../src/adapters/postgres/database.ts'
import { admitGateway, migrate } from '../../src/adapters/postgres/migrate.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { committed, creation, subscribed } from '../support/items.ts'
import { emptyDatabase, GATEWAY_ROLE, gatewaysUrl, type Place } from '../support/places.ts'
import { type Opened, onServerStore } from '../support/store.ts'

const INSUFFICIENT_PRIVILEGE = '42501'
const INSUFFICIENT = { code: INSUFFICIENT_PRIVILEGE }

const connect = (url: string) =>
  connectPg({ url, schedule: systemClock.schedule, onTrouble: () => {} })

const statement = (text: string) => ({ name: text.slice(0, 60), text })

/** Tables that hold rows of accounts, and the column that says whose. */
const TABLES = `
  select c.relname as name, c.relrowsecurity as walled,
    (select count(*) from pg_policy p where p.polrelid = c.oid)::integer as policies,
    (select a.attname from pg_attribute a where a.attrelid = c.oid and a.attname = 'account') as account
    from pg_class c
   where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
     and c.relname <> 'schema_migrations'
   order by 1`

type Table = {
  readonly name: string
  readonly walled: boolean
  readonly policies: number
  readonly account: string | null
}

onServerStore((opened) => {
  it('every table is walled, partitions cannot be read past their table', async () => {
    const tables = await opened().sql<Table>(TABLES)
    expect(tables.length).toBeGreaterThan(20)
    for (const { name, walled, policies } of tables) {
      expect({ name, walled, policies }).toEqual({ name, walled: true, policies: 1 })
    }
    const [partition] = await opened().sql<{ name: string }>(
      "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'attempts'::regclass limit 1",
    )
    const database = await connect(opened().url ?? '')
    const reading = database.everyone.run(statement(`select * from ${partition?.name}`), [])
    await expect(reading).rejects.toMatchObject(INSUFFICIENT)
    await database.close()
  })

  describe('a gateway that works for one account', () => {
    let database: Database
    let mine: string
    let others: string
    beforeAll(async () => {
      database = await connect(opened().url ?? '')
      mine = await inhabited(opened())
      others = await inhabited(opened())
    })
    afterAll(() => database.close())

    it('sees rows of that account only, in whichever table, though it asks for all', async () => {
      for (const { name, account } of await opened().sql<Table>(TABLES)) {
        if (account === null && name !== 'accounts') continue
        const column = account ?? 'id'
        const text = `select distinct ${column} as account from ${name}`
        const rows = await database.of(mine).run<{ account: string }>(statement(text), [])
        expect([[], [{ account: mine }]], name).toContainEqual(rows)
        const all = await database.everyone.run<{ account: string }>(statement(text), [])
        if (all.some((row) => row.account === mine)) expect(rows, name).toHaveLength(1)
        const both = await database.of(mine, others).run(statement(text), [])
        expect(both.length, name).toBe(rows.length * 2)
      }
    })

    it('changes and removes nothing of others', async () => {
      const changing =
        "update records set version = 99 where catalog_id = 'things' returning account"
      const changed = await database.of(mine).run(statement(changing), [])
      expect(changed).toEqual([{ account: mine }])
      await database.of(mine).run(statement('delete from kept_answers'), [])
      const left = await opened().sql('select 1 from kept_answers where account = $1', [others])
      expect(left).toHaveLength(1)
    })

    it('writes nothing in the name of others', async () => {
      const taking = 'update catalogs set account = $1'
      await expect(database.of(mine).run(statement(taking), [others])).rejects.toMatchObject(
        INSUFFICIENT,
      )
      const making = "insert into records values ($1, 'things', 'new', 1, '', '{}')"
      await expect(database.of(mine).run(statement(making), [others])).rejects.toMatchObject(
        INSUFFICIENT,
      )
    })

    it('does not see what is to be told, which is for whoever works for all', async () => {
      const text = 'select event from outbox'
      expect(await database.of(mine).run(statement(text), [])).toEqual([])
      expect((await database.everyone.run(statement(text), [])).length).toBeGreaterThan(0)
    })

    it('keeps to its account on each of many connections used at once', async () => {
      const text = 'select distinct account from records'
      const asked = Array.from({ length: 200 }, async (_, index) => {
        const account = index % 2 === 0 ? mine : others
        const rows = await database.of(account).run(statement(text), [])
        expect(rows).toEqual([{ account }])
        const { kysely } = database.of(account)
        const found = await kysely.selectFrom('records').select('account').distinct().execute()
        expect(found).toEqual([{ account }])
      })
      await Promise.all(asked)
    })
  })

  it('a session that has said nothing reaches nothing', async () => {
    const account = await inhabited(opened())
    const client = new pg.Client({ connectionString: opened().url })
    await client.connect()
    for (const { name } of await opened().sql<Table>(TABLES)) {
      expect((await client.query(`select from ${name}`)).rowCount, name).toBe(0)
    }
    const inserting = client.query(
      "insert into records values ($1, 'things', 'new', 1, '', '{}')",
      [account],
    )
    await expect(inserting).rejects.toMatchObject(INSUFFICIENT)
    await client.end()
  })

  it('the role of a gateway cannot change the schema, nor who may do what', async () => {
    const client = new pg.Client({ connectionString: opened().url })
    await client.connect()
    const refused = [
      'alter table records disable row level security',
      'drop policy wall on records',
      'alter table records owner to current_user',
      'create table mine (id integer)',
      'truncate records',
      'update schema_migrations set version = 1',
    ]
    for (const text of refused) {
      await expect(client.query(text), text).rejects.toMatchObject(INSUFFICIENT)
    }
    await client.end()
  })
})

/** An account that has something in most tables. */
async function inhabited(opened: Opened): Promise<string> {
  const { store, sql } = opened
  const account = await opened.account()
  const { id } = await subscribed(store.subscriptions, account)
  await store.catalogs.create(account, { id: 'things', title: 'Things', fields: [] })
  const [row] = await sql<{ generation: number }>('select generation from accounts where id = $1', [
    account,
  ])
  const item = creation(account, {
    recordId: 'r',
    generation: row?.generation ?? 0,
    key: 'k',
    told: [id],
  })
  await committed(store.approvals, item)
  return account
}

describe('a role that does not own the tables', () => {
  let place: Place | undefined
  afterAll(() => place?.remove())

  it('says so where the database has to be migrated first, and starts once it is', async () => {
    place = await emptyDatabase()
    const owners = place.environment['DATABASE_URL'] ?? ''
    const gateways = gatewaysUrl(owners)
    const early = await connect(gateways)
    await expect(migrate(early)).rejects.toThrow('run `npm run migrate` as the role that owns them')
    await early.close()

    const owner = await connect(owners)
    await migrate(owner)
    await admitGateway(owner, GATEWAY_ROLE)
    await owner.close()
    const late = await connect(gateways)
    expect(await migrate(late)).toBe(0)
    await late.close()
  })
})
