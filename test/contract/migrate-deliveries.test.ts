/** What an installation of the first schema still owes is delivered in order after the migration. */
import { describe, expect, it } from 'vitest'
import { connectPg } from '../../src/adapters/postgres/connect-pg.ts'
import { connectPglite } from '../../src/adapters/postgres/connect-pglite.ts'
import type { Database } from '../../src/adapters/postgres/database.ts'
import { createDeliveries } from '../../src/adapters/postgres/deliveries.ts'
import { migrate, readMigrations } from '../../src/adapters/postgres/migrate.ts'
import { createOutbox } from '../../src/adapters/postgres/outbox.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { systemIds } from '../../src/adapters/system/ids.ts'
import { orderOf, planAll, settled } from '../support/deliver.ts'
import { violations } from '../support/delivery-rules.ts'
import { DATABASES, emptyDatabase } from '../support/places.ts'

let statements = 0
const run = <Row>(database: Database, text: string, values: readonly unknown[] = []) =>
  database.everyone.run<Row>({ name: `old ${++statements}`, text }, values)

async function connected(kind: (typeof DATABASES)[number]) {
  if (kind === 'embedded') {
    const database = await connectPglite('memory://')
    return { database, close: () => database.close() }
  }
  const { environment, remove } = await emptyDatabase()
  const url = environment['DATABASE_URL'] ?? ''
  const { schedule } = systemClock
  const database = await connectPg({ url, schedule, onTrouble: () => {} })
  const close = async () => {
    await database.close()
    await remove()
  }
  return { database, close }
}

/** The schema as it first was. */
async function createFirst(database: Database): Promise<void> {
  const [first] = await readMigrations()
  if (first === undefined) throw new Error('there is no first migration')
  await database.migrate(async (session) => {
    await session.script(
      `create table schema_migrations
         (version integer primary key, name text not null, applied_at timestamptz not null default now());
       ${first.text};
       insert into schema_migrations (version, name) values (1, '${first.name}')`,
    )
  })
}

/** Record and state of each delivery of a subscription, in order of number. */
type Owed = readonly (readonly [record: string | null, state: string])[]

async function owe(database: Database, id: string, isActive: boolean, owed: Owed): Promise<void> {
  const settings = JSON.stringify({ active: isActive, maxInFlight: 20, maxPerSecond: null })
  await run(
    database,
    `insert into subscriptions (account, id, settings, sealed) values ('default', $1, $2, '')`,
    [id, settings],
  )
  await run(database, `insert into sequences values ('default', $1, $2)`, [id, owed.length])
  for (const [index, [record, state]] of owed.entries()) {
    await run(
      database,
      `with happened as (
         insert into events (id, account, subscription_ids, body)
         values ($1, 'default', array[$2::text], json_build_object('event', 'record.created',
           'accountId', 'default', 'catalogId', 'things', 'recordId', $3::text))
         returning seq),
       logged as (
         insert into attempts select 'default', $2, $4::bigint, now() - ($4::bigint % 3) * interval '2 days', '{}', 500,
           'reply ' || $4::bigint, 1, 'no' where $5::text in ('delivered', 'retrying', 'dead'))
       insert into deliveries (account, subscription_id, sequence_id, event, state, failures, due_at,
           lease_id, lease_until, ended_at)
       select 'default', $2, $4::bigint, seq, $5::text, case when $5 = 'retrying' then 2 else 0 end,
         now() + case when $5 = 'retrying' then interval '1 hour' else interval '0' end,
         case when $5 = 'sending' then 'old' end,
         case when $5 = 'sending' then now() - interval '1 second' end,
         case when $5 in ('delivered', 'dead', 'cancelled') then now() end
         from happened`,
      [`evt_${id.slice(4)}${index}`, id, record, index + 1, state],
    )
  }
}

async function point(database: Database, id: string, record: string): Promise<void> {
  await run(
    database,
    `with happened as (
       insert into events (id, account, subscription_ids, body)
       values ($1, 'default', array[$2::text], json_build_object('event', 'record.created',
         'accountId', 'default', 'catalogId', 'things', 'recordId', $3::text))
       returning seq)
     insert into outbox (event) select seq from happened`,
    [systemIds.make('evt'), id, record],
  )
}

const MIXED: Owed = [
  ['a', 'delivered'],
  ['a', 'retrying'],
  ['b', 'sending'],
  ['a', 'sending'],
  [null, 'ready'],
  ['a', 'ready'],
  ['b', 'dead'],
  ['b', 'ready'],
  ['c', 'cancelled'],
  ['c', 'ready'],
  [null, 'sending'],
  [null, 'retrying'],
  ['b', 'retrying'],
]
const OFF: Owed = [
  ['a', 'held'],
  ['b', 'retrying'],
  ['a', 'ready'],
  ['b', 'held'],
  ['a', 'sending'],
]

/** Events of that build have none. */
const NO_SECRETS = {
  keyIds: ['none'] as const,
  seal: (): never => {
    throw new TypeError('nothing is sealed here')
  },
  open: (): never => {
    throw new TypeError('nothing is opened here')
  },
}

/** Everything that is sent from now on, by record; time is not waited for. */
async function sentAll(database: Database, subscriptionId: string) {
  const outbox = createOutbox(database, systemIds, NO_SECRETS)
  const sent: Record<string, number[]> = {}
  for (let round = 0; round < 50; round++) {
    while (await outbox.turn());
    await planAll({ store: { outbox } })
    await outbox.reap()
    const claimed = await outbox.claim(orderOf())
    for (const { subscriptionId: id, sequenceId, body } of claimed) {
      if (id !== subscriptionId) continue
      const record = body.recordId ?? 'none'
      sent[record] = [...(sent[record] ?? []), sequenceId]
    }
    const settlements = claimed.map((one) => settled(one))
    await outbox.settle(settlements, null)
  }
  return sent
}

const check = (database: Database) =>
  violations((text, values) => run(database, text, values), 'default')

describe.each(DATABASES)('the migration of deliveries on the %s database', (kind) => {
  it('keeps the order of each record of what is open, and forgets nothing', async () => {
    const { database, close } = await connected(kind)
    try {
      await createFirst(database)
      await owe(database, 'sub_mixed', true, MIXED)
      await owe(database, 'sub_off', false, OFF)
      await owe(database, 'sub_idle', true, [])
      await point(database, 'sub_mixed', 'a')
      await point(database, 'sub_off', 'b')
      await point(database, 'sub_idle', 'a')
      expect(await migrate(database)).toBe((await readMigrations()).length - 1)
      expect(await check(database)).toEqual([])
      const states = async (id: string) => {
        const rows = await createDeliveries(database).numbered('default', id, 0, 100)
        return rows.map(({ state }) => state)
      }
      expect(await states('sub_mixed')).toEqual([
        'delivered',
        'retrying',
        'sending',
        'waiting',
        'ready',
        'waiting',
        'dead',
        'waiting',
        'cancelled',
        'ready',
        'sending',
        'retrying',
        'waiting',
      ])
      // The hour is over.
      await run(
        database,
        `create or replace function present() returns timestamptz language sql stable
        as $$ select now() + interval '2 hours' $$`,
      )
      expect(await sentAll(database, 'sub_mixed')).toEqual({
        a: [2, 4, 6, 14],
        b: [3, 8, 13],
        c: [10],
        none: [5, 11, 12],
      })
      expect(new Set(await states('sub_off'))).toEqual(new Set(['held']))
      expect(await states('sub_off')).toHaveLength(6)
      expect(await states('sub_idle')).toEqual(['delivered'])
      expect(await check(database)).toEqual([])
      await run(database, `select set_lane('default', 'sub_off', true, 20, null, false)`)
      expect(await sentAll(database, 'sub_off')).toEqual({ a: [1, 3, 5], b: [2, 4, 6] })
      expect(await check(database)).toEqual([])
    } finally {
      await close()
    }
  })

  it('keeps the log of attempts, each in the partition of its day', async () => {
    const { database, close } = await connected(kind)
    try {
      await createFirst(database)
      await owe(database, 'sub_mixed', true, MIXED)
      await migrate(database)
      const attempts = await run<{ sequence_id: number; reply: string; is_there: boolean }>(
        database,
        `select sequence_id, reply, tableoid = to_regclass(attempts_partition((at at time zone 'UTC')::date)) as is_there
           from attempts order by sequence_id`,
      )
      expect(attempts).toEqual(
        [1, 2, 7, 12, 13].map((n) => ({ sequence_id: n, reply: `reply ${n}`, is_there: true })),
      )
      const read = await createDeliveries(database).read('default', 'evt_mixed1_sub_mixed')
      expect(read?.attemptLog).toMatchObject([{ status: 500, reply: 'reply 2', error: 'no' }])
    } finally {
      await close()
    }
  })

  it('goes through on a database that nobody has used', async () => {
    const { database, close } = await connected(kind)
    try {
      await createFirst(database)
      await migrate(database)
      expect(await createOutbox(database, systemIds, NO_SECRETS).claim(orderOf())).toEqual([])
      expect(await check(database)).toEqual([])
    } finally {
      await close()
    }
  })
})
