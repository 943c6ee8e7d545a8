/** The ports Decisions and the part of Approvals that stores behind the answer. */
import { describe, expect, it } from 'vitest'
import type { DecisionFilter } from '../../src/app/decision-store.ts'
import type { Page } from '../../src/app/store.ts'
import { drained, emptied, planAll } from '../support/deliver.ts'
import {
  always,
  committed,
  creation,
  type EntryDraft,
  entryOf,
  eventOf,
  itemOf,
  sorted,
  subscribed,
  verdictOf,
} from '../support/items.ts'
import type { Opened } from '../support/store.ts'

const ALL: Page = { limit: 200, after: null }

const findingOf = (text: string) => ({
  subscriptionId: 'sub_1',
  name: 'A validator',
  severity: 'error',
  message: { text },
  cause: 'denied',
})

export function decisionsContract(opened: () => Opened): void {
  describe('Approvals: decisions that nobody waits for', () => {
    it('are read back at once, although they are stored behind the answer', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const entries = Array.from({ length: 600 }, () => entryOf({ accountId, decision: 'deny' }))
      for (const entry of entries) store.approvals.log(entry)
      const last = entries.at(-1)?.id ?? ''
      expect(await store.decisions.read(accountId, last)).toMatchObject({ id: last })
      for (const entry of entries.slice(0, 7)) {
        store.approvals.log(entryOf({ accountId, recordId: entry.id }))
        const filter = { recordId: entry.id }
        expect(await store.decisions.list(accountId, filter, ALL)).toHaveLength(1)
      }
    })

    it('are in the database when the flush resolves', async () => {
      const { store, sql } = opened()
      const accountId = await opened().account()
      for (let n = 0; n < 300; n++) store.approvals.log(entryOf({ accountId }))
      await store.approvals.flush()
      expect(await sql('select id from decisions where account = $1', [accountId])).toHaveLength(
        300,
      )
    })

    it('are flushed although more of them keep coming', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      await whileMoreKeepComing(opened(), accountId, () => {
        store.approvals.log(entryOf({ accountId }))
        return store.approvals.flush()
      })
    })

    it('are kept apart from one that the database refuses, and the journal tells of that one', async () => {
      const { store, journal } = opened()
      const accountId = await opened().account()
      journal.length = 0
      const good = [entryOf({ accountId }), entryOf({ accountId })]
      const bad = entryOf({ accountId, decidedAt: 'no time at all' })
      for (const entry of [good[0], bad, good[1]]) if (entry) store.approvals.log(entry)
      const ids = (await store.decisions.list(accountId, {}, ALL)).map(({ id }) => id)
      expect(sorted(ids)).toEqual(sorted(good.map(({ id }) => id)))
      expect(journal.kinds('log.dropped')).toMatchObject([{ items: 1 }])
    })

    it('are stored once when they are logged twice, as after an answer that was lost', async () => {
      const { store, journal } = opened()
      const accountId = await opened().account()
      const entry = entryOf({ accountId })
      store.approvals.log(entry)
      await store.approvals.flush()
      journal.length = 0
      const other = entryOf({ accountId })
      store.approvals.log(entry)
      store.approvals.log(other)
      expect(await store.decisions.list(accountId, {}, ALL)).toHaveLength(2)
      expect(journal.kinds('log.dropped')).toEqual([])
    })

    it('never write a record, an event or a kept answer', async () => {
      const { store, sql } = opened()
      const accountId = await opened().account()
      store.approvals.log(entryOf({ accountId, recordId: 'r' }))
      await store.approvals.flush()
      for (const table of ['records', 'events', 'kept_answers', 'caller_approvals']) {
        expect(await sql(`select from ${table} where account = $1`, [accountId])).toEqual([])
      }
    })
  })

  describe('Approvals: late verdicts', () => {
    it('replace the verdicts of a decision, and nothing else of it', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const shadow = { mode: 'shadow', outcome: 'cancelled', applied: 'none' } as const
      const entry = entryOf({ accountId, verdicts: [verdictOf('a'), verdictOf('b', shadow)] })
      store.approvals.log(entry)
      const late = [verdictOf('a'), verdictOf('b', { ...shadow, outcome: 'deny', status: 200 })]
      const before = await store.decisions.read(accountId, entry.id)
      store.approvals.amend(accountId, entry.id, late)
      await store.approvals.flush()
      expect(await store.decisions.read(accountId, entry.id)).toEqual({ ...before, verdicts: late })
    })

    it('find their decision when both wait to be stored', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const entries = Array.from({ length: 300 }, () => entryOf({ accountId }))
      const late = [verdictOf('z', { outcome: 'deny' })]
      for (const entry of entries) {
        store.approvals.log(entry)
        store.approvals.amend(accountId, entry.id, late)
      }
      const found = [
        ...(await store.decisions.list(accountId, {}, ALL)),
        ...(await store.decisions.list(
          accountId,
          {},
          { limit: 200, after: entries[100]?.id ?? '' },
        )),
      ]
      expect(found).toHaveLength(300)
      expect(found.filter(({ verdicts }) => verdicts[0]?.subscriptionId === 'z')).toHaveLength(300)
    })

    it('are stored although decisions keep coming', async () => {
      const { store, sql } = opened()
      const accountId = await opened().account()
      const entry = entryOf({ accountId })
      store.approvals.log(entry)
      await store.approvals.flush()
      await whileMoreKeepComing(opened(), accountId, () => {
        store.approvals.amend(accountId, entry.id, [verdictOf('late')])
        return store.approvals.flush()
      })
      const [row] = await sql<{ verdicts: unknown }>(
        `select detail->'verdicts' as verdicts from decisions where account = $1 and id = $2`,
        [accountId, entry.id],
      )
      expect(row?.verdicts).toMatchObject([{ subscriptionId: 'late' }])
    })

    it('of a decision that is not there, or of another account, change nothing', async () => {
      const { store } = opened()
      const [one, two] = [await opened().account(), await opened().account()]
      const entry = entryOf({ accountId: one })
      store.approvals.log(entry)
      store.approvals.amend(two, entry.id, [verdictOf('x')])
      store.approvals.amend(one, 'dec_none', [verdictOf('x')])
      await store.approvals.flush()
      expect(await store.decisions.read(one, entry.id)).toMatchObject({ verdicts: [] })
      expect(await store.decisions.list(two, {}, ALL)).toEqual([])
    })
  })

  describe('Decisions', () => {
    it('read back everything that was decided', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const item = creation(accountId, { verdicts: [verdictOf('a', { status: 200 })] })
      await committed(store.approvals, item)
      const { entry } = item
      expect(await store.decisions.read(accountId, entry.id)).toEqual({
        id: entry.id,
        event: 'record.before.created',
        catalogId: 'things',
        recordId: item.write?.recordId,
        decision: 'allow',
        committed: true,
        commit: 'gateway',
        state: null,
        degraded: false,
        generation: 1,
        versionBefore: null,
        versionAfter: null,
        user: { id: 'u1', title: 'Ada' },
        values: { name: 'One' },
        prevValues: null,
        changedFields: ['name'],
        context: { channel: 'test' },
        message: null,
        errors: [],
        warnings: [],
        infos: [],
        verdicts: [verdictOf('a', { status: 200 })],
        suggestions: {},
        suggestedBy: {},
        conflicts: [],
        considered: [],
        timeline: [],
        timing: { decidedMs: 2.5, validatorsMs: 1.25 },
        requestId: 'req_1',
        decidedAt: '2026-05-04T03:02:01.000Z',
      })
    })

    it('of another account are not there', async () => {
      const { store } = opened()
      const [one, two] = [await opened().account(), await opened().account()]
      const { entry } = await committed(store.approvals, creation(one))
      expect(await store.decisions.read(two, entry.id)).toBeNull()
      expect(await store.decisions.list(two, {}, ALL)).toEqual([])
    })

    it('are listed newest first, in pages that neither repeat nor leave out', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const entries = Array.from({ length: 25 }, () => entryOf({ accountId }))
      for (const entry of entries) store.approvals.log(entry)
      const seen: string[] = []
      for (let after: string | null = null; ; after = seen.at(-1) ?? null) {
        const page = await store.decisions.list(accountId, {}, { limit: 7, after })
        if (page.length === 0) break
        seen.push(...page.map(({ id }) => id))
      }
      expect(seen).toEqual(entries.map(({ id }) => id).toReversed())
    })

    it('are found by each of the filters, and by all of them together', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const filters = {
        decision: 'deny',
        catalogId: 'c1',
        recordId: 'r1',
        subscriptionId: 's1',
        since: '2026-02-01T00:00:00.000Z',
        until: '2026-03-01T00:00:00.000Z',
      } as const satisfies DecisionFilter
      const fitting = {
        accountId,
        decision: 'deny',
        catalogId: 'c1',
        recordId: 'r1',
        verdicts: [verdictOf('s0'), verdictOf('s1')],
        decidedAt: filters.since,
      } as const
      /** One entry for each filter, which that filter alone keeps out. */
      const strangers = {
        decision: { ...fitting, decision: 'allow' },
        catalogId: { ...fitting, catalogId: 'c2' },
        recordId: { ...fitting, recordId: 'r2' },
        subscriptionId: { ...fitting, verdicts: [verdictOf('s0')] },
        since: { ...fitting, decidedAt: '2026-01-31T23:59:59.999Z' },
        until: { ...fitting, decidedAt: filters.until },
      } as const
      const entry = entryOf(fitting)
      store.approvals.log(entry)
      for (const [name, draft] of Object.entries(strangers)) {
        store.approvals.log(entryOf({ ...draft, id: `dec_${name}` }))
      }
      const found = async (filter: DecisionFilter) =>
        sorted((await store.decisions.list(accountId, filter, ALL)).map(({ id }) => id))
      const everyone = [entry.id, ...Object.keys(strangers).map((name) => `dec_${name}`)]
      expect(await found({})).toEqual(sorted(everyone))
      for (const [name, value] of Object.entries(filters)) {
        const expected = sorted(everyone.filter((id) => id !== `dec_${name}`))
        expect(await found({ [name]: value }), name).toEqual(expected)
      }
      expect(await found(filters)).toEqual([entry.id])
    })

    describe('that a text is looked for', () => {
      const texts = {
        message: { message: { text: 'Слишком много товара' } },
        title: { message: { title: 'Zu groß', text: '100% of it' } },
        error: { errors: [findingOf('Bitte "Feld_1" ausfüllen\\')] },
      } as const
      const logged = async () => {
        const { store } = opened()
        const accountId = await opened().account()
        const log = (name: string, decision: object, draft: Partial<EntryDraft> = {}) => {
          const entry = entryOf({ accountId, id: `dec_${name}`, decision: 'deny', ...draft })
          store.approvals.log({ ...entry, decision: { ...entry.decision, ...decision } })
        }
        for (const [name, decision] of Object.entries(texts)) log(name, decision)
        log('record', {}, { recordId: 'Order-17' })
        const find = async (text: string, filter: DecisionFilter = {}, page = ALL) =>
          (await store.decisions.list(accountId, { ...filter, text }, page)).map(({ id }) => id)
        return { accountId, find, log }
      }

      it.each([
        ['много', ['message']],
        ['СЛИШКОМ МНОГО', ['message']],
        ['zu GROSS', []],
        ['zu GRO', ['title']],
        ['groß', ['title']],
        ['0% o', ['title']],
        ['0_ o', []],
        ['"feld_1" AUSFÜLLEN\\', ['error']],
        ['order-1', ['record']],
        ['rder', ['record']],
        // What stands between texts, and how they are stored, is not looked at.
        ['errors', []],
        ['severity', []],
        ['One', []],
      ])('%s is found in %j', async (text, names) => {
        const { find } = await logged()
        const ids = names.map((name) => `dec_${name}`)
        expect(await find(text)).toEqual(ids)
      })

      it('means each of its characters, and no pattern', async () => {
        const { find, log } = await logged()
        const ascii = Array.from({ length: 95 }, (_, n) => String.fromCharCode(32 + n))
        const characters = [...ascii, 'ß', 'İ', 'ﬁ', 'ς', 'Ǆ', 'ї', '漢', '😀', '\u2028', '\t']
        log('all', { message: { text: characters.join('') } })
        for (const one of characters) expect(await find(one), one).toContain('dec_all')
        expect(await find(characters.slice(0, 95).join(''))).toEqual(['dec_all'])
        for (const none of ['.*', 'a|b', '[a-z]', '(?i)a', '***:a', '\\w', '^ ', '~$', '%', '_x'])
          expect(await find(`${none}!`), none).toEqual([])
      })

      it('is found in who the user is, and in the id that a record got later', async () => {
        const { store } = opened()
        const { accountId, find } = await logged()
        const all = ['dec_title', 'dec_record', 'dec_message', 'dec_error']
        expect(await find('ada')).toEqual(all)
        expect(await find('U1')).toEqual(all)
        const token = { hash: 'h', expiresAt: '2099-01-01T00:00:00.000Z' }
        const item = itemOf({ accountId, token })
        await store.approvals.commit(item, always)
        await store.callerApprovals.commit(accountId, item.entry.id, 'Later-9', [])
        expect(await find('later-9')).toEqual([item.entry.id])
      })

      it('is looked for beside the other filters, page by page', async () => {
        const { find, log } = await logged()
        for (let n = 0; n < 9; n++) {
          const which = n % 2 === 0 ? 'even' : 'odd'
          log(`x${n}`, { message: { text: `Number ${n}` } }, { catalogId: which })
        }
        const even = { catalogId: 'even' }
        expect(await find('number', even, { limit: 2, after: null })).toEqual(['dec_x8', 'dec_x6'])
        expect(await find('number', even, { limit: 9, after: 'dec_x6' })).toEqual([
          'dec_x4',
          'dec_x2',
          'dec_x0',
        ])
        expect(await find('number', { after: 'dec_x6' })).toEqual(['dec_x8', 'dec_x7'])
      })

      it('is looked for in the newest 20,000 and in no more than so much', async () => {
        const { sql } = opened()
        const { accountId, find, log } = await logged()
        log('0', { message: { text: 'needle' } })
        log('z', { message: { text: 'needle' } })
        const insert = (prefix: string, count: number, text: string) =>
          sql(
            `insert into decisions (account, id, event, catalog_id, decision, committed, commit_mode, degraded,
               generation, asked, request_id, detail, decided_at)
             select $1, $2 || lpad(n::text, 6, '0'), '', 'many', 'deny', false, 'none', false, 0, '{}', '',
               json_build_object('errors', '[]'::json, 'filler', ${text}), now() from generate_series(1, $3) n`,
            [accountId, prefix, count],
          )
        await find('')
        await insert('dec_y', 19_990, "''")
        expect(await find('needle')).toEqual(['dec_z', 'dec_0'])
        await insert('dec_x', 20, "''")
        expect(await find('needle')).toEqual(['dec_z'])
        // Texts that do not compress, a third of a megabyte each.
        const noise =
          "(select string_agg(md5(random()::text || m), '') from generate_series(1, 10000) m)"
        await insert('dec_zz', 250, noise)
        expect(await find('needle')).toEqual([])
      }, 120_000)
    })

    it('that came after another are found, those too that were begun before it and decided later', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const startedMs = Date.parse('2026-05-04T03:00:00.000Z')
      const other = await opened().account()
      const log = (name: string, begunMs: number, decidedMs: number, of = accountId) => {
        const time = (startedMs + begunMs).toString(16).padStart(12, '0')
        const id = `dec_${time}${name.padStart(20, '0')}`
        const decidedAt = new Date(startedMs + decidedMs).toISOString()
        store.approvals.log(entryOf({ accountId: of, id, decidedAt }))
        return id
      }
      const old = log('a', 0, 5)
      const slow = log('b', 10, 29_000)
      const known = log('c', 28_000, 28_010)
      const next = log('d', 28_050, 28_060)
      const skewed = log('e', 28_070, 27_000)
      const after = async (id: string, page = ALL) =>
        (await store.decisions.list(accountId, { after: id }, page)).map((one) => one.id)
      expect(await after(known)).toEqual([skewed, next, slow])
      expect(await after(old)).toEqual([skewed, next, known, slow])
      expect(await after(known, { limit: 1, after: null })).toEqual([skewed])
      expect(await after(known, { limit: 9, after: skewed })).toEqual([next, slow])
      expect(await after(skewed)).toEqual([next, known, slow])
      // Of one that is not there nobody knows when it was decided.
      expect(await after(`${known}x`)).toEqual([skewed, next])
      expect(await after('dec_')).toHaveLength(5)
      expect(await after('zzz')).toEqual([])
      log('f', 20_000, 29_000, other)
      expect(await store.decisions.list(other, { after: known }, ALL)).toEqual([])
    })

    it('tell who was told because of them, and what became of it', async () => {
      const { store } = opened()
      await emptied(opened())
      const accountId = await opened().account()
      const { id: one } = await subscribed(store.subscriptions, accountId)
      const { id: two } = await subscribed(store.subscriptions, accountId)
      const decidedAt = new Date().toISOString()
      const commit = (told: readonly string[]) =>
        committed(store.approvals, creation(accountId, { told, decidedAt, insists: false }))
      const [before, item, later] = [
        await commit([one]),
        await commit([two, one]),
        await commit([]),
      ]
      const [event] = item.events
      const told = (id: string) => store.decisions.told(accountId, id)
      const of = (subscriptionId: string) => ({
        id: `${event?.id}_${subscriptionId}`,
        event: 'record.created',
        subscriptionId,
      })
      expect(await told(item.entry.id)).toEqual([
        { ...of(two), sequenceId: null, state: null },
        { ...of(one), sequenceId: null, state: null },
      ])
      await planAll(opened())
      expect(await told(item.entry.id)).toEqual([
        { ...of(two), sequenceId: 1, state: 'ready' },
        { ...of(one), sequenceId: 2, state: 'ready' },
      ])
      await drained(opened(), accountId)
      expect(await told(before.entry.id)).toMatchObject([{ sequenceId: 1, state: 'delivered' }])
      expect(await told(later.entry.id)).toEqual([])
      const other = await opened().account()
      expect(await store.decisions.told(other, item.entry.id)).toEqual([])
    })

    it('of a caller tell who was told when it had committed, until the approval ended', async () => {
      const { store } = opened()
      await emptied(opened())
      const accountId = await opened().account()
      const { id } = await subscribed(store.subscriptions, accountId)
      const hour = 3_600_000
      const ago = (ms: number) => new Date(new Date().getTime() - ms).toISOString()
      const told = async (decidedAt: string, expiresAt: string) => {
        const token = { hash: 'h', expiresAt }
        const item = itemOf({ accountId, decidedAt, token, insists: false })
        await committed(store.approvals, item)
        const event = eventOf(item.entry, [id])
        await store.callerApprovals.commit(accountId, item.entry.id, 'r1', [event])
        return (await store.decisions.told(accountId, item.entry.id)).length
      }
      expect(await told(ago(50_000), ago(-10_000))).toBe(1)
      expect(await told(ago(hour), ago(-hour))).toBe(1)
    })

    it('do not show the bar that settles a lost commit', async () => {
      const { store, sql } = opened()
      const accountId = await opened().account()
      await sql(
        `insert into decisions (account, id, event, catalog_id, decision, committed, commit_mode,
           degraded, generation, asked, request_id, detail, decided_at)
         values ($1, 'dec_bar', '', '', 'void', false, 'none', false, 0, '{}', '', '{}', now())`,
        [accountId],
      )
      expect(await store.decisions.read(accountId, 'dec_bar')).toBeNull()
      expect(await store.decisions.list(accountId, {}, ALL)).toEqual([])
    })

    it('of a commit that the caller makes tell how that went', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const token = { hash: 'h', expiresAt: '2099-01-01T00:00:00.000Z' }
      const item = itemOf({ accountId, token })
      expect(await store.approvals.commit(item, always)).toBe('committed')
      const { id } = item.entry
      expect(await store.decisions.read(accountId, id)).toMatchObject({
        state: 'pending',
        committed: false,
        recordId: null,
      })
      await store.callerApprovals.commit(accountId, id, 'r9', [])
      expect(await store.decisions.read(accountId, id)).toMatchObject({
        state: 'committed',
        committed: true,
        recordId: 'r9',
      })
    })
  })
}

/** Each batch that is stored brings another entry, so that there is never a moment without work. */
async function whileMoreKeepComing(
  { store, journal }: Opened,
  accountId: string,
  run: () => Promise<void>,
): Promise<void> {
  const batchesMax = 50
  let batches = 0
  const outOfPatience = new Promise<never>((_, reject) => {
    journal.react = ({ kind }) => {
      if (kind !== 'log.flushed') return
      if (++batches > batchesMax) reject(new Error(`not flushed after ${batchesMax} batches`))
      else store.approvals.log(entryOf({ accountId }))
    }
  })
  store.approvals.log(entryOf({ accountId }))
  try {
    await Promise.race([run(), outOfPatience])
    outOfPatience.catch(() => {})
  } finally {
    journal.react = () => {}
  }
  await store.approvals.flush()
}
