/** Whatever somebody does to the audit past the gateway is found, and pinned to the first row that is not right. */
import { createHash } from 'node:crypto'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { type AuditPorts, sealAudit, sealAuditAnew, verifyAudit } from '../../src/app/audit.ts'
import { type AuditRow, hashOf, NO_HASH } from '../../src/domain/audit-chain.ts'
import { ADA, audited, auditOf, auditPorts, keysOf } from '../support/audit.ts'
import { chanceFrom } from '../support/chance.ts'
import { ALL } from '../support/deliver.ts'
import type { Opened } from '../support/store.ts'

const ROWS = 24
const ROWS_OF_CHUNK = 6
const TAMPERINGS = 1_000

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

type Tampering = {
  readonly accountId: string
  readonly opened: Opened
  readonly pick: (from: number, to: number) => number
}
/** What is due: the row, where it is certain, and the reasons that may be given. */
type Due = { readonly seq?: number; readonly reasons: readonly string[] }
type Tamper = (tampering: Tampering) => Promise<Due>

const TEXTS = ['actor_kind', 'actor_id', 'actor_account', 'request_id', 'action', 'target', 'hash']
const VALUES = ['before', 'after']

/** Computes every hash anew, as somebody could who has the database and this source. */
async function rehash({ accountId, opened }: Tampering): Promise<void> {
  const rows: readonly AuditRow[] = await opened.store.audit.rows(accountId, null, ROWS * 2)
  let previous = NO_HASH
  for (const row of rows) {
    previous = hashOf(row, previous, sha256)
    await opened.sql('update audit set hash = $3 where account = $1 and seq = $2', [
      accountId,
      row.seq,
      previous,
    ])
  }
}

const INSERT_COPY = `insert into audit
  select account, $2::bigint, at, actor_kind, actor_id, actor_account, request_id, action, 'forged', before, after, hash
    from audit where account = $1 and seq = $3`

/** Rows from `from` on move by one; upwards the last one first. */
async function shift({ opened, accountId }: Tampering, from: number, by: 1 | -1): Promise<void> {
  const { sql } = opened
  await sql('update audit set seq = -seq where account = $1 and seq >= $2', [accountId, from])
  await sql('update audit set seq = -seq + $2 where account = $1 and seq < 0', [accountId, by])
  await sql(
    'update audit_heads set last_seq = last_seq + $2, sealed_seq = sealed_seq + $2 where account = $1',
    [accountId, by],
  )
}

const WAYS: Readonly<Record<string, Tamper>> = {
  'a text is changed': async ({ opened, accountId, pick }) => {
    const column = TEXTS[pick(0, TEXTS.length - 1)] ?? ''
    const seq = pick(1, ROWS)
    await opened.sql(
      `update audit set ${column} = ${column} || 'x' where account = $1 and seq = $2`,
      [accountId, seq],
    )
    return { seq, reasons: ['changed'] }
  },
  'values are changed': async ({ opened, accountId, pick }) => {
    const column = VALUES[pick(0, 1)] ?? ''
    const seq = pick(1, ROWS)
    await opened.sql(
      `update audit set ${column} = '{"title":"forged"}' where account = $1 and seq = $2`,
      [accountId, seq],
    )
    return { seq, reasons: ['changed'] }
  },
  'a time is changed': async ({ opened, accountId, pick }) => {
    const seq = pick(1, ROWS)
    await opened.sql(
      `update audit set at = at + interval '1 microsecond' * $3 where account = $1 and seq = $2`,
      [accountId, seq, pick(1, 1_000_000)],
    )
    return { seq, reasons: ['changed'] }
  },
  'a hash is taken away': async ({ opened, accountId, pick }) => {
    const seq = pick(1, ROWS)
    await opened.sql('update audit set hash = null where account = $1 and seq = $2', [
      accountId,
      seq,
    ])
    return { seq, reasons: ['changed'] }
  },
  'a row is removed': async ({ opened, accountId, pick }) => {
    const seq = pick(1, ROWS)
    await opened.sql('delete from audit where account = $1 and seq = $2', [accountId, seq])
    return { seq, reasons: ['missing'] }
  },
  'a row is removed and the others close ranks': async (tampering) => {
    const { opened, accountId, pick } = tampering
    const seq = pick(1, ROWS - 1)
    await opened.sql('delete from audit where account = $1 and seq = $2', [accountId, seq])
    await shift(tampering, seq, -1)
    return { seq, reasons: ['changed'] }
  },
  'a row is inserted and the others make room': async (tampering) => {
    const { opened, accountId, pick } = tampering
    const seq = pick(1, ROWS)
    await shift(tampering, seq, 1)
    await opened.sql(INSERT_COPY, [accountId, seq, seq + 1])
    return { seq, reasons: ['changed'] }
  },
  'a row is inserted before the first': async ({ opened, accountId, pick }) => {
    const seq = -pick(0, 1_000)
    await opened.sql(INSERT_COPY, [accountId, seq, pick(1, ROWS)])
    return { seq, reasons: ['inserted'] }
  },
  'a row is put behind the last': async ({ opened, accountId, pick }) => {
    const seq = ROWS + pick(1, 3)
    await opened.sql(INSERT_COPY, [accountId, seq, pick(1, ROWS)])
    return { seq, reasons: ['inserted'] }
  },
  'a row that is not sealed is put behind the last': async ({ opened, accountId, pick }) => {
    const seq = ROWS + pick(1, 3)
    await opened.sql(INSERT_COPY, [accountId, seq, pick(1, ROWS)])
    await opened.sql('update audit set hash = null where account = $1 and seq = $2', [
      accountId,
      seq,
    ])
    return { seq, reasons: ['inserted'] }
  },
  'rows are put behind the last with the right hash': async (tampering) => {
    const { opened, accountId, pick } = tampering
    await opened.sql(INSERT_COPY, [accountId, ROWS + 1, pick(1, ROWS)])
    await rehash(tampering)
    await opened.sql(
      'update audit_heads set last_seq = last_seq + 1, sealed_seq = sealed_seq + 1 where account = $1',
      [accountId],
    )
    return { reasons: ['checkpoint_missing'] }
  },
  'two rows change places': async ({ opened, accountId, pick }) => {
    const { sql } = opened
    const first = pick(1, ROWS - 1)
    const second = pick(first + 1, ROWS)
    const move = 'update audit set seq = $3 where account = $1 and seq = $2'
    await sql(move, [accountId, first, 0])
    await sql(move, [accountId, second, first])
    await sql(move, [accountId, 0, second])
    return { seq: first, reasons: ['changed'] }
  },
  'the tail is cut off': async ({ opened, accountId, pick }) => {
    const seq = pick(1, ROWS)
    await opened.sql('delete from audit where account = $1 and seq >= $2', [accountId, seq])
    return { seq, reasons: ['missing'] }
  },
  'the tail is cut off behind a checkpoint, and the head is told': async ({
    opened,
    accountId,
    pick,
  }) => {
    const seq = pick(1, ROWS)
    await opened.sql('delete from audit where account = $1 and seq >= $2', [accountId, seq])
    await opened.sql('update audit_heads set last_seq = $2, sealed_seq = $2 where account = $1', [
      accountId,
      seq - 1,
    ])
    return { seq, reasons: ['missing'] }
  },
  'a row is changed and all hashes are computed anew': async (tampering) => {
    const { opened, accountId, pick } = tampering
    const seq = pick(1, ROWS)
    await opened.sql(`update audit set target = 'forged' where account = $1 and seq = $2`, [
      accountId,
      seq,
    ])
    await rehash(tampering)
    // The first checkpoint behind the row is the first thing that is not as it was.
    const covered = Math.ceil(seq / ROWS_OF_CHUNK) * ROWS_OF_CHUNK
    return { seq: covered, reasons: ['checkpoint_differs'] }
  },
  'all hashes are computed anew, and the checkpoints with another key': async (tampering) => {
    const { opened, accountId, pick } = tampering
    await opened.sql(`update audit set target = 'forged' where account = $1 and seq = $2`, [
      accountId,
      pick(1, ROWS),
    ])
    await rehash(tampering)
    await opened.sql(
      `update audit_checkpoints c set hash = a.hash, signature = $2
        from audit a where c.account = $1 and a.account = c.account and a.seq = c.seq`,
      [accountId, Buffer.alloc(32, pick(0, 255)).toString('base64url')],
    )
    return { seq: ROWS_OF_CHUNK, reasons: ['checkpoint_forged'] }
  },
  'all hashes are computed anew, and the checkpoints with a key of one’s own': async (
    tampering,
  ) => {
    const { opened, accountId, pick } = tampering
    await opened.sql(`update audit set target = 'forged' where account = $1 and seq = $2`, [
      accountId,
      pick(1, ROWS),
    ])
    await rehash(tampering)
    await opened.sql(
      `update audit_checkpoints c set hash = a.hash, key_id = 'ownkey'
        from audit a where c.account = $1 and a.account = c.account and a.seq = c.seq`,
      [accountId],
    )
    return { seq: ROWS, reasons: ['checkpoint_key_unknown'] }
  },
  'a checkpoint is changed': async ({ opened, accountId, pick }) => {
    const column = ['hash', 'at', 'signature'][pick(0, 2)] ?? ''
    const number = pick(1, ROWS / ROWS_OF_CHUNK)
    await opened.sql(
      `update audit_checkpoints set ${column} = 'x' || ${column} where account = $1 and number = $2`,
      [accountId, number],
    )
    return { seq: number * ROWS_OF_CHUNK, reasons: ['checkpoint_forged'] }
  },
  'a checkpoint is removed': async ({ opened, accountId, pick }) => {
    await opened.sql('delete from audit_checkpoints where account = $1 and number = $2', [
      accountId,
      pick(1, ROWS / ROWS_OF_CHUNK),
    ])
    return { reasons: ['checkpoint_missing'] }
  },
  'a checkpoint is made up': async ({ opened, accountId, pick }) => {
    await opened.sql(
      `insert into audit_checkpoints
        select account, number + 1, seq, hash, at, key_id, signature from audit_checkpoints
         where account = $1 and number = $2`,
      [accountId, ROWS / ROWS_OF_CHUNK],
    )
    void pick
    return { seq: ROWS, reasons: ['checkpoint_forged'] }
  },
}

const TABLES = ['audit', 'audit_heads', 'audit_checkpoints'] as const

/** The audit of one account as it is now, to be put back after each tampering. */
async function kept({ sql }: Opened, accountId: string): Promise<() => Promise<void>> {
  for (const table of TABLES) {
    await sql(`create table kept_${table} as select * from ${table} where account = '${accountId}'`)
  }
  const steps = TABLES.map(
    (table) => `delete from ${table} where account = '${accountId}';
      insert into ${table} select * from kept_${table};`,
  )
  await sql(`create function put_back() returns void language sql as $$ ${steps.join('\n')} $$`)
  return async () => {
    await sql('select put_back()')
  }
}

async function triggers({ sql }: Opened, how: 'disable' | 'enable'): Promise<void> {
  for (const table of ['audit', 'audit_checkpoints']) {
    await sql(`alter table ${table} ${how} trigger all`)
  }
}

export function auditChainContract(opened: () => Opened): void {
  const ports = (): AuditPorts => auditPorts(opened().store.audit)

  describe('the chain', () => {
    it('of an audit that nobody has touched is whole, as far as it has come', async () => {
      const accountId = await opened().account()
      expect(await verifyAudit(accountId, ports())).toEqual({
        ok: true,
        checked: 0,
        checkpoint: null,
      })
      const { catalogs } = opened().store.changesBy(ADA)
      for (let n = 1; n <= 3; n++) {
        await catalogs.create(accountId, { id: `c${n}`, title: 'c', fields: [] })
        const rows = (await verifyAudit(accountId, ports())) && (await auditOf(opened(), accountId))
        expect(await verifyAudit(accountId, ports())).toEqual({
          ok: true,
          checked: n,
          checkpoint: expect.objectContaining({ number: n, seq: n, hash: rows.at(-1)?.hash }),
        })
      }
    })

    it(`shows each of ${TAMPERINGS} tamperings, and where it begins`, async () => {
      const accountId = await audited(opened(), ROWS, ROWS_OF_CHUNK)
      const putBack = await kept(opened(), accountId)
      await triggers(opened(), 'disable')
      const chance = chanceFrom(20_260_611)
      const pick = (from: number, to: number) => from + Math.floor(chance() * (to - from + 1))
      const ways = Object.entries(WAYS)
      try {
        for (let n = 0; n < TAMPERINGS; n++) {
          const [name, tamper] = ways[n % ways.length] ?? ['', undefined]
          const due = await tamper?.({ accountId, opened: opened(), pick })
          const found = await verifyAudit(accountId, ports())
          expect({ name, n, ok: found.ok }).toEqual({ name, n, ok: false })
          expect({ name, reasons: due?.reasons }).toEqual({
            name,
            reasons: expect.arrayContaining([found.firstBroken?.reason]),
          })
          if (due?.seq !== undefined) {
            expect({ name, seq: found.firstBroken?.seq }).toEqual({ name, seq: due.seq })
          }
          if (n < ways.length * 2) {
            // Whatever comes after it covers nothing up.
            const change = { id: 'c0', title: `after tampering ${n}`, fields: [] }
            await opened()
              .store.catalogs.update(accountId, 'c0', () => change)
              .catch(() => {})
            await sealAuditAnew(auditPorts(opened().store.audit, keysOf(2, 1)))
            const later = await verifyAudit(accountId, ports())
            expect({ name, n, ok: later.ok }).toEqual({ name, n, ok: false })
          }
          await putBack()
        }
        expect(await verifyAudit(accountId, ports())).toMatchObject({ ok: true, checked: ROWS })
      } finally {
        await putBack()
        await triggers(opened(), 'enable')
      }
    }, 120_000)

    it('is sealed no further where its head was turned back, and that of others is', async () => {
      const { sql, store } = opened()
      const [turned, other] = [await audited(opened(), 4, 2), await audited(opened(), 1)]
      await sql('update audit_heads set sealed_seq = 1, checkpoint = 0 where account = $1', [
        turned,
      ])
      for (const accountId of [turned, other]) {
        await store.catalogs.create(accountId, { id: 'new', title: 'new', fields: [] })
      }
      expect(await sealAudit(ports())).toEqual([turned])
      expect(await verifyAudit(other, ports())).toMatchObject({ ok: true, checked: 2 })
      expect(await verifyAudit(turned, ports())).toMatchObject({ ok: false })
      await sql('update audit_heads set sealed_seq = 4, checkpoint = 2 where account = $1', [
        turned,
      ])
      expect(await verifyAudit(turned, ports())).toMatchObject({ ok: true, checked: 5 })
    })

    it('is one, whoever seals it, and however many at a time', async () => {
      const accountId = await audited(opened(), 3)
      const other = opened().kind === 'server' ? await opened().another() : opened().store
      const { catalogs } = opened().store
      await Promise.all(
        Array.from({ length: 20 }, async (_, n) => {
          await catalogs.create(accountId, { id: `d${n}`, title: 'd', fields: [] })
          await sealAudit(n % 2 === 0 ? ports() : auditPorts(other.audit))
        }),
      )
      expect(await verifyAudit(accountId, ports())).toMatchObject({ ok: true, checked: 23 })
    })

    it('is vouched for by the newest master key, and by no key that is unknown', async () => {
      const { audit } = opened().store
      const accountId = await audited(opened(), 2)
      const verify = async (...fills: [number, ...number[]]) =>
        (await verifyAudit(accountId, auditPorts(audit, keysOf(...fills)))).firstBroken?.reason
      expect(await verify(1)).toBeUndefined()
      expect(await verify(2, 1)).toBeUndefined()
      expect(await verify(2)).toBe('checkpoint_key_unknown')
      // A key that is unknown is not covered up by signing again with another one.
      expect(await sealAuditAnew(auditPorts(audit, keysOf(2)))).toContain(accountId)
      expect(await verify(2)).toBe('checkpoint_key_unknown')
      expect(await sealAuditAnew(auditPorts(audit, keysOf(2, 1)))).toEqual([])
      expect(await verify(2)).toBeUndefined()
      expect(await verify(2, 1)).toBeUndefined()
      expect(await verify(3)).toBe('checkpoint_key_unknown')
      await sealAuditAnew(auditPorts(audit, keysOf(1, 2)))
      expect(await verify(1)).toBeUndefined()
    })

    it('of 10,000 rows is sealed and checked', async () => {
      const { sql } = opened()
      const accountId = await opened().account()
      await sql(
        `insert into audit select $1, n, clock_timestamp(), 'key', 'key_1', $1, 'req_1', 'catalog.updated', 'c',
           '{"title":"before"}', '{"title":"after"}', null from generate_series(1, 10000) n`,
        [accountId],
      )
      await sql('insert into audit_heads (account, last_seq) values ($1, 10000)', [accountId])
      await sealAudit(ports())
      expect(await verifyAudit(accountId, ports())).toMatchObject({ ok: true, checked: 10_000 })
    })
  })

  describe('the tables', () => {
    it('refuse what would change or remove a row, but for its seal, once', async () => {
      const { sql, store } = opened()
      const accountId = await audited(opened(), 1)
      await store.catalogs.create(accountId, { id: 'new', title: 'new', fields: [] })
      const where = `where account = '${accountId}'`
      for (const statement of [
        `update audit set action = 'x' ${where}`,
        `update audit set hash = 'x' ${where} and seq = 1`,
        `update audit set hash = null ${where} and seq = 1`,
        `update audit set hash = 'x', target = 'y' ${where} and seq = 2`,
        `delete from audit ${where}`,
        'truncate audit',
        `update audit_checkpoints set hash = 'x' ${where}`,
        `delete from audit_checkpoints ${where}`,
        'truncate audit_checkpoints',
      ]) {
        await expect(sql(statement), statement).rejects.toMatchObject({ code: '42501' })
      }
      await sql(`update audit set hash = 'x' ${where} and seq = 2`)
      await expect(sql(`update audit set hash = 'y' ${where} and seq = 2`)).rejects.toThrow()
    })
  })

  describe('the list', () => {
    it('is read newest first, in pages, by who, what, which and when, by its account only', async () => {
      const { store } = opened()
      const [accountId, other] = [await audited(opened(), 5), await audited(opened(), 1)]
      await store.catalogs.remove(accountId, 'c2')
      const seqs = async (filter = {}, page = ALL as { limit: number; after: string | null }) =>
        (await store.audit.list(accountId, filter, page)).map(({ seq }) => seq)
      expect(await seqs()).toEqual([6, 5, 4, 3, 2, 1])
      expect(await seqs({}, { limit: 2, after: '5' })).toEqual([4, 3])
      expect(await seqs({ actor: ADA.id })).toEqual([5, 4, 3, 2, 1])
      expect(await seqs({ actor: 'gateway' })).toEqual([6])
      expect(await seqs({ action: 'catalog.removed' })).toEqual([6])
      expect(await seqs({ target: 'c2' })).toEqual([6, 3])
      const [, , third] = await auditOf(opened(), accountId)
      expect(await seqs({ since: third?.at })).toEqual([6, 5, 4, 3])
      expect(await seqs({ until: third?.at })).toEqual([2, 1])
      expect(await store.audit.list(other, {}, ALL)).toHaveLength(1)
    })
  })
}

/** As migrations/0008_audit.sql says it. */
export function auditGrantsContract(opened: () => Opened): void {
  it('the role of a gateway can do what a gateway does, and nothing to what is written', async () => {
    const { url } = opened()
    await audited(opened(), 1)
    const client = new pg.Client({ connectionString: url })
    try {
      await client.connect()
      await client.query("select set_config('assent.accounts', chr(30), false)")
      const allowed = [
        `insert into audit_heads (account, last_seq) values ('x', 1)
          on conflict (account) do update set last_seq = 2 returning last_seq`,
        `insert into audit select 'x', 1, now(), '', '', '', '', '', '', null, null, null`,
        `update audit set hash = 'x' where account = 'x'`,
        `insert into audit_waiting (account, entry) values ('x', '{}')`,
        `delete from audit_waiting where account = 'x' returning entry`,
        `insert into audit_checkpoints values ('x', 1, 1, '', '', '', '') on conflict do nothing`,
        'select * from audit, audit_checkpoints',
      ]
      for (const statement of allowed) await client.query(statement)
      const refused = [
        `update audit set target = 'x'`,
        'delete from audit',
        'truncate audit',
        'alter table audit disable trigger all',
        'drop trigger audit_append_only on audit',
        `update audit_checkpoints set hash = 'x'`,
        'delete from audit_checkpoints',
      ]
      for (const statement of refused) {
        await expect(client.query(statement), statement).rejects.toMatchObject({ code: '42501' })
      }
    } finally {
      await client.end()
    }
  })
}
