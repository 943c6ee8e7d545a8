/** The port Approvals: items that travel together and still succeed or fail each by itself. */
import { describe, expect, it } from 'vitest'
import { systemIds } from '../../src/adapters/system/ids.ts'
import type { CommitItem, CommitResult } from '../../src/app/store.ts'
import {
  always,
  committed,
  creation,
  itemOf,
  newRecordId,
  settingsOf,
  sorted,
} from '../support/items.ts'
import type { Opened } from '../support/store.ts'

const BATCH = 8
const POSITIONS = Array.from({ length: BATCH }, (_, position) => position)

/** An item that cannot be committed, and how its caller hears of it. */
type Bad = {
  readonly item: CommitItem
  /** What must be as it was before; by default that the record is not there. */
  readonly untouched?: () => Promise<void>
}

type BadKind = {
  readonly name: string
  readonly hears: CommitResult | { readonly code: string }
  readonly make: (opened: Opened, accountId: string) => Promise<Bad>
}

const VALUES = { name: 'Untouched' }

/** Ids of their own for event, key and decision, so that any trace of the item can be found. */
function traceable(accountId: string, more: Partial<Parameters<typeof itemOf>[0]> = {}) {
  const id = systemIds.make('dec')
  return creation(accountId, { id, key: `key of ${id}`, told: ['sub_1'], ...more })
}

async function existing({ store }: Opened, accountId: string) {
  const item = creation(accountId, { values: VALUES })
  await committed(store.approvals, item)
  const recordId = item.write?.recordId ?? ''
  const read = () => store.records.read(accountId, 'things', recordId)
  const untouched = async () => {
    expect(await read()).toMatchObject({ version: 1, origin: item.entry.id, values: VALUES })
  }
  return { recordId, origin: item.entry.id, untouched }
}

const BAD: readonly BadKind[] = [
  {
    name: 'an update of a version that is gone',
    hears: 'version_conflict',
    make: async (opened, accountId) => {
      const { recordId, origin, untouched } = await existing(opened, accountId)
      const expected = { version: 7, origin }
      const write = { kind: 'update', recordId, values: { name: 'New' }, expected } as const
      return { item: traceable(accountId, { write }), untouched }
    },
  },
  {
    name: 'a delete of a version that is gone',
    hears: 'version_conflict',
    make: async (opened, accountId) => {
      const { recordId, untouched } = await existing(opened, accountId)
      const expected = { version: 1, origin: 'dec_another' }
      const write = { kind: 'delete', recordId, expected } as const
      return { item: traceable(accountId, { write }), untouched }
    },
  },
  {
    name: 'a creation of a record that exists',
    hears: 'record_exists',
    make: async (opened, accountId) => {
      const { recordId, untouched } = await existing(opened, accountId)
      return { item: traceable(accountId, { recordId }), untouched }
    },
  },
  {
    name: 'a plan that was made under another generation',
    hears: 'configuration_changed',
    make: async (_, accountId) => ({ item: traceable(accountId, { generation: 2 }) }),
  },
  {
    name: 'a key that another request was answered under',
    hears: 'key_taken',
    make: async ({ store }, accountId) => {
      const key = `taken ${systemIds.make('req')}`
      await committed(store.approvals, creation(accountId, { key }))
      return { item: traceable(accountId, { key }) }
    },
  },
  {
    name: 'a decision id that is stored already, which breaks the statement',
    hears: { code: '23505' },
    make: async ({ store }, accountId) => {
      const first = await committed(store.approvals, creation(accountId))
      return { item: traceable(accountId, { id: first.entry.id }) }
    },
  },
  {
    name: 'a value that no database takes, which breaks the statement',
    hears: { code: '22P05' },
    make: async (_, accountId) => ({
      item: traceable(accountId, { values: { name: 'NUL: \u0000' } }),
    }),
  },
]

export function approvalsContract(opened: () => Opened): void {
  describe('Approvals: items that travel together', () => {
    for (const { name, hears, make } of BAD) {
      it.each(POSITIONS)(`commits seven of eight when ${name} is at position %i`, async (at) => {
        const { store } = opened()
        const accountId = await opened().account()
        const bad = await make(opened(), accountId)
        const items = POSITIONS.map((position) =>
          position === at ? bad.item : traceable(accountId),
        )
        const before = await traces(opened(), accountId)
        const results = await together(store, items)
        const wanted = POSITIONS.map((position) => (position === at ? hears : 'committed'))
        expect(results).toMatchObject(wanted)
        const good = items.filter((item) => item !== bad.item)
        await expectStored(opened(), accountId, good, before)
        await bad.untouched?.()
      })
    }

    it('go in one statement, and none is lost or doubled', async () => {
      const { store, journal } = opened()
      const accountId = await opened().account()
      journal.length = 0
      const items = Array.from({ length: 100 }, () => traceable(accountId))
      const results = await together(store, items)
      expect(new Set(results)).toEqual(new Set(['committed']))
      expect(journal.kinds('commit.flushed')).toMatchObject([{ items: 100 }])
      await expectStored(opened(), accountId, items, NOTHING)
    })

    it('tell the journal when they had to be sent one by one', async () => {
      const { store, journal } = opened()
      const accountId = await opened().account()
      journal.length = 0
      await together(store, [
        creation(accountId),
        creation(accountId, { values: { name: '\u0000' } }),
      ])
      expect(journal.kinds('commit.fell_apart')).toMatchObject([{ items: 2 }])
    })

    it('with the same new key: one is committed, the other hears that the key is taken', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const items = [traceable(accountId, { key: 'k' }), traceable(accountId, { key: 'k' })]
      const results = await together(store, [...items, traceable(accountId)])
      expect(sorted(results.slice(0, 2))).toEqual(['committed', 'key_taken'])
      expect(results[2]).toBe('committed')
    })

    it('about the same record: one wins, the other meets what the winner left', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const recordId = newRecordId()
      const create = () => traceable(accountId, { recordId })
      const creates = await together(store, [create(), traceable(accountId), create()])
      expect(sorted(creates)).toEqual(['committed', 'committed', 'record_exists'])
      expect(creates[1]).toBe('committed')
      const first = await store.records.read(accountId, 'things', recordId)
      const expected = { version: 1, origin: first?.origin ?? '' }
      const update = (name: string) =>
        traceable(accountId, { write: { kind: 'update', recordId, values: { name }, expected } })
      const updates = await together(store, [update('a'), update('b')])
      expect(sorted(updates)).toEqual(['committed', 'version_conflict'])
      expect(await store.records.read(accountId, 'things', recordId)).toMatchObject({
        version: 2,
        values: { name: updates[0] === 'committed' ? 'a' : 'b' },
      })
    })

    it('leave out those whose callers went away, without a trace', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const [gone, there] = [traceable(accountId), traceable(accountId)]
      const results = await Promise.all([
        store.approvals.commit(gone, () => false),
        store.approvals.commit(there, always),
      ])
      expect(results).toEqual(['withdrawn', 'committed'])
      await expectStored(opened(), accountId, [there], NOTHING)
    })

    it('of several accounts keep to their own records, keys and generations', async () => {
      const { store } = opened()
      const [one, two] = [await opened().account(), await opened().account()]
      await store.subscriptions.create(two, settingsOf(), {
        secret: 's',
        retiring: [],
        auth: { type: 'none' },
        headers: {},
      })
      const recordId = newRecordId()
      const shared = { recordId, key: 'the same key' }
      expect(
        await together(store, [creation(one, shared), creation(two, { ...shared, generation: 2 })]),
      ).toEqual(['committed', 'committed'])
      expect(await together(store, [creation(one), creation(two)])).toEqual([
        'committed',
        'configuration_changed',
      ])
    })
  })

  describe('Approvals: one item', () => {
    it('is refused for an account that does not exist', async () => {
      const { store } = opened()
      const item = creation('account-of-nobody')
      expect(await store.approvals.commit(item, always)).toBe('configuration_changed')
    })

    it('does not insist on the generation unless asked to', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const item = itemOf({ accountId, decision: 'deny', insists: false, generation: 99, key: 'k' })
      expect(await store.approvals.commit(item, always)).toBe('committed')
    })

    it('writes no record when it has no write, and still keeps its answer', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const item = itemOf({ accountId, decision: 'deny', recordId: 'r', insists: false, key: 'k' })
      await committed(store.approvals, item)
      expect(await store.records.read(accountId, 'things', 'r')).toBeNull()
      expect(await store.keptAnswers.find(accountId, 'k')).toEqual(item.keep)
      const stored = await store.decisions.read(accountId, item.entry.id)
      expect(stored).toMatchObject({ decision: 'deny', committed: false })
    })

    it('of a record that was deleted and made again meets a version conflict', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const { recordId, origin } = await existing(opened(), accountId)
      const expected = { version: 1, origin }
      await committed(
        store.approvals,
        creation(accountId, { write: { kind: 'delete', recordId, expected } }),
      )
      const again = await committed(store.approvals, creation(accountId, { recordId }))
      // The plans were made when the first record of this id was at version 1; so is the second one now.
      const update = { kind: 'update', recordId, values: { name: 'Late' }, expected } as const
      const remove = { kind: 'delete', recordId, expected } as const
      for (const write of [update, remove]) {
        const result = await store.approvals.commit(creation(accountId, { write }), always)
        expect(result).toBe('version_conflict')
      }
      expect(await store.records.read(accountId, 'things', recordId)).toMatchObject({
        version: 1,
        origin: again.entry.id,
        values: { name: 'One' },
      })
    })

    it('of a record that is not there meets a version conflict', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const expected = { version: 1, origin: 'dec_1' }
      const write = { kind: 'delete', recordId: 'never', expected } as const
      expect(await store.approvals.commit(creation(accountId, { write }), always)).toBe(
        'version_conflict',
      )
    })

    it('defines a catalog with its first record, and once when two records do it at a time', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const first = () => creation(accountId, { definesCatalog: true, catalogId: 'new things' })
      expect(await together(store, [first(), first()])).toEqual(['committed', 'committed'])
      expect(await store.catalogs.list(accountId, { limit: 10, after: null })).toEqual([
        { id: 'new things', title: 'new things', fields: [] },
      ])
      expect(await together(store, [first()])).toEqual(['committed'])
    })

    it('stores ids, texts and values as they are, whatever they look like', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const odd = `"'\\ {} $1 %s \u2028 \u{1f600} ' ; drop table records; --`
      const values = { [odd]: odd, nothing: null, number: 1e21, list: [[], {}, [0.1]], '': false }
      const item = creation(accountId, { recordId: odd, catalogId: odd, values, key: 'odd' })
      await committed(store.approvals, item)
      const found = await store.records.read(accountId, odd, odd)
      expect(found).toMatchObject({ id: odd, catalogId: odd })
      expect(found?.values).toEqual(values)
    })
  })
}

async function together(store: Opened['store'], items: readonly CommitItem[]) {
  const settled = await Promise.allSettled(
    items.map((item) => store.approvals.commit(item, always)),
  )
  return settled.map((one): unknown => (one.status === 'fulfilled' ? one.value : one.reason))
}

type Traces = {
  readonly decisions: readonly string[]
  readonly events: readonly string[]
  readonly pointers: readonly string[]
  readonly keys: readonly string[]
}
const NOTHING: Traces = { decisions: [], events: [], pointers: [], keys: [] }

/** Everything that a commit leaves behind in an account, by decision. */
async function traces({ sql }: Opened, accountId: string): Promise<Traces> {
  const list = async (text: string) =>
    sorted((await sql<{ one: string }>(text, [accountId])).map(({ one }) => one))
  return {
    decisions: await list('select id as one from decisions where account = $1'),
    events: await list(`select body->>'decisionId' as one from events where account = $1`),
    pointers: await list(
      `select body->>'decisionId' as one from events e join outbox o on o.event = e.seq where account = $1`,
    ),
    keys: await list('select key as one from kept_answers where account = $1'),
  }
}

/** These items are stored whole, and nothing else is new. */
async function expectStored(
  opened: Opened,
  accountId: string,
  items: readonly CommitItem[],
  before: Traces,
): Promise<void> {
  const ids = items.map(({ entry }) => entry.id)
  const keys = items.flatMap(({ keep }) => (keep === null ? [] : keep.key))
  expect(await traces(opened, accountId)).toEqual({
    decisions: sorted([...before.decisions, ...ids]),
    events: sorted([...before.events, ...ids]),
    pointers: sorted([...before.pointers, ...ids]),
    keys: sorted([...before.keys, ...keys]),
  })
  const records = await opened.sql<{ origin: string; version: number }>(
    'select origin, version from records where account = $1',
    [accountId],
  )
  const origins = records.map(({ origin }) => origin)
  expect(origins).toEqual(expect.arrayContaining(ids))
  expect(records).toHaveLength(new Set([...before.decisions, ...ids]).size)
}
