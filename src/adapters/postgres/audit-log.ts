/** The audit as it is read, sealed and checked. What goes into it, and where, is told in migrations/0008_audit.sql. */
import { sql, type Transaction } from 'kysely'
import type { AuditFilter, AuditHead, AuditLog, MakeSeal, Sealed } from '../../app/audit-store.ts'
import type { CommitItem, Page } from '../../app/store.ts'
import type { Actor } from '../../domain/audit.ts'
import { type AuditRow, type Checkpoint, NO_HASH } from '../../domain/audit-chain.ts'
import { type AuditedChange, audit } from './audit-write.ts'
import type { Database, Statement } from './database.ts'
import { orUnavailable } from './sqlstate.ts'
import type { Tables } from './tables.ts'

type Tx = Transaction<Tables>
const NOTHING: Sealed = { kind: 'nothing' }
const SEALED: Sealed = { kind: 'sealed' }

/** One gateway seals at a time. Any constant that nobody else uses. */
const SEAL_LOCK = 7_264_003
/** Rows of one transaction, whose hashes are computed while it is open. */
const SEALED_MAX = 50
const WAITING_MAX = 200

/** To the microsecond, because what is hashed must be what is stored. */
const AT = sql<string>`to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
const ROW = [
  'account',
  'seq',
  'actor_kind',
  'actor_id',
  'actor_account',
  'request_id',
  'action',
  'target',
  'before',
  'after',
  'hash',
] as const

export function createAuditLog(database: Database): AuditLog {
  const within = <T>(work: (tx: Tx) => Promise<T>) =>
    orUnavailable(database.everyone.kysely.transaction().execute(work))
  const of = (accountId: string) => database.of(accountId).kysely
  return {
    list: async (accountId, filter, page) =>
      (await orUnavailable(filtered(select(of(accountId), accountId), filter, page).execute())).map(
        rowOf,
      ),
    seal: async (make, except) => {
      // Nearly always there is nothing to do, which is found out without a transaction.
      if ((await orUnavailable(database.everyone.run(DUE, []))).length === 0) return NOTHING
      return within(async (tx) => {
        if (!(await isAlone(tx))) return NOTHING
        return (await number(tx)) ? SEALED : sealNext(tx, make, except)
      })
    },
    sealAnew: (keyId, make, except) =>
      within(async (tx) => {
        // Waited for, because somebody is about to take the other key away.
        await sql`select pg_advisory_xact_lock(${SEAL_LOCK})`.execute(tx)
        return sealUnderAnother(tx, { keyId, make, except })
      }),
    head: async (accountId) => {
      const heads = of(accountId).selectFrom('audit_heads').selectAll()
      const query = heads.where('account', '=', accountId)
      return headOf(await orUnavailable(query.executeTakeFirst()))
    },
    rows: async (accountId, after, limit) => {
      let query = select(of(accountId), accountId).orderBy('seq').limit(limit)
      if (after !== null) query = query.where('seq', '>', after)
      return (await orUnavailable(query.execute())).map(rowOf)
    },
    checkpoints: async (accountId, after, limit) => {
      const query = of(accountId)
        .selectFrom('audit_checkpoints')
        .selectAll()
        .where('account', '=', accountId)
        .where('number', '>', after)
        .orderBy('number')
        .limit(limit)
      return (await orUnavailable(query.execute())).map(checkpointOf)
    },
    stray: async (accountId) => {
      const { rows } = await orUnavailable(STRAY(accountId).execute(of(accountId)))
      return rows[0] ?? null
    },
  }
}

function select(from: Pick<Tx, 'selectFrom'>, accountId: string) {
  return from
    .selectFrom('audit')
    .select(ROW)
    .select(AT.as('at_text'))
    .where('account', '=', accountId)
}

function filtered(
  all: ReturnType<typeof select>,
  { since, until, actor, action, target }: AuditFilter,
  page: Page,
) {
  let query = all.orderBy('seq', 'desc').limit(page.limit)
  if (page.after !== null) query = query.where('seq', '<', Number(page.after))
  if (since !== undefined) query = query.where('at', '>=', sql<Date>`${since}::timestamptz`)
  if (until !== undefined) query = query.where('at', '<', sql<Date>`${until}::timestamptz`)
  if (actor !== undefined) query = query.where('actor_id', '=', actor)
  if (action !== undefined) query = query.where('action', '=', action)
  if (target !== undefined) query = query.where('target', '=', target)
  return query
}

/** In one look, because everything here moves together. */
const STRAY = (accountId: string) => sql<{ seq: number; kind: 'row' | 'checkpoint' }>`
  select a.seq, 'row' as kind from audit a left join audit_heads h on h.account = a.account
   where a.account = ${accountId} and (h.account is null or a.seq > h.last_seq
      or (a.seq > h.sealed_seq and a.hash is not null))
  union all
  select c.seq, 'checkpoint' from audit_checkpoints c left join audit_heads h on h.account = c.account
   where c.account = ${accountId} and (h.account is null or c.number > h.checkpoint)
   order by 1 limit 1`

const DUE: Statement = {
  name: 'audit_due',
  text: `select where exists (select from audit_waiting)
    or exists (select from audit_heads where sealed_seq < last_seq)`,
}

async function isAlone(tx: Tx): Promise<boolean> {
  const { rows } = await sql<{ got: boolean }>`
    select pg_try_advisory_xact_lock(${SEAL_LOCK}) as got`.execute(tx)
  return rows[0]?.got === true
}

type WaitingEntry = Pick<AuditedChange, 'action' | 'target' | 'after'> & { readonly actor: Actor }

/** What a commit of records inserts, which locks no head. */
export function waitingEntries({ exceptions, entry }: CommitItem): readonly WaitingEntry[] {
  return exceptions.map(({ actor, action, ...after }) => ({
    actor,
    action,
    target: entry.id,
    after,
  }))
}

/** Gives what waits its place, in the order in which it came. True when something did. */
async function number(tx: Tx): Promise<boolean> {
  const waiting = await tx
    .deleteFrom('audit_waiting')
    .where('id', 'in', (all) =>
      all.selectFrom('audit_waiting').select('id').orderBy('id').limit(WAITING_MAX),
    )
    .returning(['id', 'account', 'at', 'entry'])
    .execute()
  // One account after the other, so that heads are always locked in the same order.
  const ordered = waiting.sort((a, b) => compare(a.account, b.account) || a.id - b.id)
  for (const { account, at, entry } of ordered) {
    const { actor, action, target, after } = entry as WaitingEntry
    await audit(tx, actor, { accountId: account, action, target, before: null, after, at })
  }
  return ordered.length > 0
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

async function sealNext(tx: Tx, make: MakeSeal, except: readonly string[]): Promise<Sealed> {
  const head = await tx
    .selectFrom('audit_heads')
    .selectAll()
    .whereRef('sealed_seq', '<', 'last_seq')
    .where(sql<boolean>`account <> all(${[...except]}::text[])`)
    // Those of which rows are missing keep nobody waiting.
    .where((all) =>
      all.exists(
        all
          .selectFrom('audit')
          .select('seq')
          .whereRef('audit.account', '=', 'audit_heads.account')
          .whereRef('audit.seq', '>', 'audit_heads.sealed_seq')
          .whereRef('audit.seq', '<=', 'audit_heads.last_seq'),
      ),
    )
    .limit(1)
    .executeTakeFirst()
  if (head === undefined) return NOTHING
  const rows = await select(tx, head.account)
    .where('seq', '>', head.sealed_seq)
    // What is behind the end was not written by us.
    .where('seq', '<=', head.last_seq)
    .orderBy('seq')
    .limit(SEALED_MAX)
    .execute()
  return seal(tx, { head, rows: rows.map(rowOf) }, make)
}

type Another = {
  readonly keyId: string
  readonly make: MakeSeal
  readonly except: readonly string[]
}

async function sealUnderAnother(tx: Tx, { keyId, make, except }: Another): Promise<Sealed> {
  const head = await tx
    .selectFrom('audit_heads as h')
    .innerJoin('audit_checkpoints as c', (join) =>
      join.onRef('c.account', '=', 'h.account').onRef('c.number', '=', 'h.checkpoint'),
    )
    .selectAll('h')
    .where('c.key_id', '!=', keyId)
    .where(sql<boolean>`h.account <> all(${[...except]}::text[])`)
    .limit(1)
    .executeTakeFirst()
  return head === undefined ? NOTHING : seal(tx, { head, rows: [] }, make)
}

type Sealing = {
  readonly head: {
    readonly account: string
    readonly last_seq: number
    readonly sealed_seq: number
    readonly checkpoint: number
  }
  readonly rows: readonly AuditRow[]
}

/** Rows, the checkpoint that covers them, and the head that says so, all at once. */
async function seal(tx: Tx, { head, rows }: Sealing, make: MakeSeal): Promise<Sealed> {
  const { account } = head
  const [checkpoint = null, checkpointBefore = null] = await newestCheckpoints(tx, head)
  const made = make({
    accountId: account,
    head: headOf(head),
    rows,
    previous: await hashAt(tx, account, head.sealed_seq),
    checkpoint,
    checkpointBefore,
  })
  if (made === null) return { kind: 'refused', accountId: account }
  const hashes = rows.map(({ seq }, index) => ({ seq, hash: made.hashes[index] }))
  if (hashes.length > 0) {
    await sql`update audit a set hash = s.hash
      from json_to_recordset(${JSON.stringify(hashes)}::json) as s(seq bigint, hash text)
     where a.account = ${account} and a.seq = s.seq and a.hash is null`.execute(tx)
  }
  const { number: newest, seq, hash, at, keyId, signature } = made.checkpoint
  await tx
    .insertInto('audit_checkpoints')
    .values({ account, number: newest, seq, hash, at, key_id: keyId, signature })
    // Somebody has made one up. Whoever verifies will see; the other accounts are not to suffer for it.
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  await tx
    .updateTable('audit_heads')
    .set({ sealed_seq: seq, checkpoint: newest })
    .where('account', '=', account)
    .execute()
  return SEALED
}

async function hashAt(tx: Tx, account: string, seq: number): Promise<string> {
  const row = await tx
    .selectFrom('audit')
    .select('hash')
    .where('account', '=', account)
    .where('seq', '=', seq)
    .executeTakeFirst()
  return row?.hash ?? NO_HASH
}

/** The one that the head names, if it is there, and the one before it. */
async function newestCheckpoints(
  tx: Tx,
  { account, checkpoint }: Sealing['head'],
): Promise<readonly Checkpoint[]> {
  const rows = await tx
    .selectFrom('audit_checkpoints')
    .selectAll()
    .where('account', '=', account)
    .where('number', 'in', [checkpoint, checkpoint - 1])
    .orderBy('number', 'desc')
    .execute()
  return rows[0]?.number === checkpoint ? rows.map(checkpointOf) : []
}

function headOf(row: Sealing['head'] | undefined): AuditHead {
  return {
    lastSeq: row?.last_seq ?? 0,
    sealedSeq: row?.sealed_seq ?? 0,
    checkpoint: row?.checkpoint ?? 0,
  }
}

type StoredRow = Omit<Tables['audit'], 'at'> & { readonly at_text: string }

function rowOf(row: StoredRow): AuditRow {
  return {
    accountId: row.account,
    seq: row.seq,
    at: row.at_text,
    actorKind: row.actor_kind,
    actorId: row.actor_id,
    actorAccount: row.actor_account,
    requestId: row.request_id,
    action: row.action,
    target: row.target,
    before: row.before,
    after: row.after,
    hash: row.hash,
  }
}

function checkpointOf(row: Tables['audit_checkpoints']): Checkpoint {
  const { account: accountId, number: position, seq, hash, at, key_id: keyId, signature } = row
  return { accountId, number: position, seq, hash, at, keyId, signature }
}
