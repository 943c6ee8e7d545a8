/** Everything that is stored about one record goes, and nothing of any other; the audit's chain holds. */
import { describe, expect, it } from 'vitest'
import type { Store } from '../../src/adapters/postgres/store.ts'
import { sealAudit, verifyAudit } from '../../src/app/audit.ts'
import { ADA, auditPorts } from '../support/audit.ts'
import { DELIVERED, orderOf, planAll, settled } from '../support/deliver.ts'
import { committed, creation, entryOf, subscribed } from '../support/items.ts'
import { DATABASE, temporaryPlace } from '../support/places.ts'
import { locationOf, type Opened, onEachStore, openAs } from '../support/store.ts'

const SECRET = 'the one value that is to be forgotten'
const TARGET = 'sha256:0'

onEachStore((opened) => {
  describe('a record that is erased', () => {
    it('is found nowhere any more, in whatever table, and another of the same id is whole', async () => {
      const account = await inhabited(opened(), 'r')
      const other = await inhabited(opened(), 'r')
      const before = await wherever(opened(), account)
      expect(before).toEqual(
        expect.arrayContaining(['records', 'decisions', 'events', 'attempts', 'kept_answers']),
      )
      const { store } = opened()
      const erased = await store.changesBy(ADA).erasures.erase(nameOf(account, 'r'), TARGET)
      expect(erased).toEqual({
        records: 1,
        decisions: 2,
        approvals: 1,
        answers: 1,
        events: 1,
        attempts: 1,
      })
      expect(await wherever(opened(), account)).toEqual([])
      expect(await wherever(opened(), other)).toEqual(before)
      expect(await store.changesBy(ADA).erasures.erase(nameOf(account, 'r'), TARGET)).toBeNull()
    })

    it('is found again by what a receiver answered meanwhile, and by an answer that names it alone', async () => {
      const account = await inhabited(opened(), 'r')
      const { store, sql } = opened()
      await sql(
        `insert into kept_answers (account, key, fingerprint, status, body, expires_at)
         values ($1, 'like Bpium', 'f', 200, '{"id":"r"}', now() + interval '1 hour'),
           ($1, 'of another', 'f', 200, '{"id":"other"}', now() + interval '1 hour')`,
        [account],
      )
      const first = await store.erasures.erase(nameOf(account, 'r'), TARGET)
      expect(first).toMatchObject({ answers: 2, attempts: 1 })
      await sql(
        `insert into attempts (account, subscription_id, sequence_id, request_headers, reply, duration_ms)
         select account, subscription_id, sequence_id, '{}', $2, 1 from deliveries where account = $1`,
        [account, SECRET],
      )
      const second = await store.erasures.erase(nameOf(account, 'r'), TARGET)
      expect(second).toMatchObject({ records: 0, events: 0, attempts: 1 })
      expect(await wherever(opened(), account)).toEqual([])
      expect(await store.erasures.erase(nameOf(account, 'r'), TARGET)).toBeNull()
      expect(await store.keptAnswers.find(account, 'of another')).not.toBeNull()
    })

    it('leaves the other records of its account, and events that only bear its id', async () => {
      const account = await inhabited(opened(), 'r')
      await fill(opened(), account, 'other')
      const { store } = opened()
      await store.erasures.erase(nameOf(account, 'r'), TARGET)
      expect(await store.records.read(account, 'things', 'other')).not.toBeNull()
      const left = await store.decisions.list(account, {}, { limit: 10, after: null })
      expect(left.map(({ recordId }) => recordId)).toEqual(['other', 'other'])
    })

    it('is one of another account: nothing is known of it, and nothing happens', async () => {
      const account = await inhabited(opened(), 'r')
      const stranger = await opened().account()
      expect(await opened().store.erasures.erase(nameOf(stranger, 'r'), TARGET)).toBeNull()
      expect(await opened().store.records.read(account, 'things', 'r')).not.toBeNull()
    })

    it('is in the audit without its name, and the chain is whole', async () => {
      const account = await inhabited(opened(), 'r')
      const { store } = opened()
      await store.changesBy(ADA).erasures.erase(nameOf(account, 'r'), TARGET)
      await sealAudit(auditPorts(store.audit))
      const rows = await store.audit.list(
        account,
        { action: 'record.erased' },
        { limit: 9, after: null },
      )
      expect(rows).toMatchObject([
        { target: TARGET, actorId: ADA.id, before: null, after: '{"catalogId":"things"}' },
      ])
      expect(await verifyAudit(account, auditPorts(store.audit))).toMatchObject({ ok: true })
    })

    it('has more events and decisions than one statement takes', async () => {
      const account = await inhabited(opened(), 'r')
      await opened().sql(
        `insert into events (id, account, subscription_ids, body)
         select 'evt_' || n, $1, '{}', json_build_object('event', 'x', 'catalogId', 'things', 'recordId',
           case when n % 2 = 0 then 'r' else 'other' end) from generate_series(1, 2500) n`,
        [account],
      )
      await opened().sql(
        `insert into decisions
         select (jsonb_populate_record(d, jsonb_build_object('id', 'dec_' || n))).*
           from decisions d, generate_series(1, 1200) n
          where d.account = $1 and d.id = (select min(id) from decisions where account = $1)`,
        [account],
      )
      const erased = await opened().store.erasures.erase(nameOf(account, 'r'), TARGET)
      expect(erased).toMatchObject({ decisions: 1_202, events: 1_251 })
      const [row] = await opened().sql<{ count: number }>(
        "select count(*) from events where account = $1 and body->>'recordId' = 'other'",
        [account],
      )
      expect(row?.count).toBe(1_250)
    })
  })
})

it('a record that is told of while it is erased is forgotten there too', async () => {
  const place = await temporaryPlace(DATABASE)
  let flushes = 0
  const store: Store = await openAs(locationOf(place), {
    // The second time is after the record was deleted, and before what was written meanwhile is looked for.
    flushSiblings: async () => {
      flushes += 1
      if (flushes !== 2) return
      const told = creation('default', { recordId: 'r', values: { name: SECRET }, told: ['sub_a'] })
      for (const event of told.events) await store.events.raise('default', event)
    },
  })
  const item = creation('default', { recordId: 'r', insists: false })
  await committed(store.approvals, item)
  const erased = await store.erasures.erase(nameOf('default', 'r'), TARGET)
  expect(erased).toMatchObject({ records: 1, events: 1 })
  const [event] = await store.deliveries.notifications('default', { limit: 1, after: null })
  expect(event).toMatchObject({ catalogId: null, recordId: null })
  await store.close()
  await place.remove()
})

const nameOf = (accountId: string, recordId: string) => ({
  accountId,
  catalogId: 'things',
  recordId,
})

/** An account with a record of which everything holds the secret. */
async function inhabited(opened: Opened, recordId: string): Promise<string> {
  const account = await opened.account()
  await fill(opened, account, recordId)
  return account
}

async function fill(opened: Opened, account: string, recordId: string): Promise<void> {
  const { store, sql } = opened
  const { id } = await subscribed(store.subscriptions, account)
  const generation = (await store.configuration.generation(account)) ?? 0
  const values = { name: SECRET }
  const item = creation(account, {
    recordId,
    generation,
    key: `key of ${recordId}`,
    told: [id],
    values,
  })
  const kept = {
    key: `key of ${recordId}`,
    fingerprint: 'f',
    status: 200,
    body: `{"id":"${item.entry.id}","text":"${SECRET}"}`,
  }
  await committed(store.approvals, { ...item, keep: kept })
  await planAll(opened)
  const claimed = await store.outbox.claim(orderOf())
  const quoting = { ...DELIVERED, reply: SECRET }
  await store.outbox.settle(
    claimed.map((delivery) => ({ ...settled(delivery), result: quoting })),
    null,
  )
  const entry = entryOf({ accountId: account, recordId, values })
  store.approvals.log(entry)
  await store.approvals.flush()
  await sql(
    `insert into caller_approvals (account, decision_id, token_hash, expires_at, change)
     values ($1, $2, 'hash', now() + interval '1 hour', json_build_object('name', $3::text))`,
    [account, entry.id, SECRET],
  )
}

/** Tables in which a row of the account holds the secret. */
async function wherever({ sql }: Opened, account: string): Promise<string[]> {
  const tables = await sql<{ name: string }>(
    `select distinct c.table_name::text as name from information_schema.columns c
       join information_schema.tables t using (table_schema, table_name)
      where c.table_schema = 'public' and c.column_name = 'account' and t.table_name !~ '^attempts_'
      order by 1`,
  )
  const found: string[] = []
  for (const { name } of tables) {
    const rows = await sql(
      `select 1 from ${name} t where t.account = $1 and position($2 in t::text) > 0 limit 1`,
      [account, SECRET],
    )
    if (rows.length > 0) found.push(name)
  }
  return found
}
