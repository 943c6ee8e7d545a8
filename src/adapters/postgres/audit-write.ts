/**
 * A row of the audit, in the transaction of the change that it tells of. The account's head is locked from here to the
 * end of the transaction, so this is what a transaction does last: whoever holds a head waits for nobody.
 */
import { sql, type Transaction } from 'kysely'
import { type Actor, type AuditAction, type Difference, differenceOf } from '../../domain/audit.ts'
import type { Tables } from './tables.ts'

export type AuditedChange = {
  readonly accountId: string
  readonly action: AuditAction
  readonly target: string
  /** Null: it was not there before; with secrets, which go no further. */
  readonly before: object | null
  readonly after: object | null
  /** Where it happened before this transaction. */
  readonly at?: Date | undefined
}

/** Longer than any id of a key; a token may say anything of whom it is for. */
const ACTOR_ID_LENGTH_MAX = 200

/** What nobody asked for is the gateway's own doing. A change that changed nothing leaves no row. */
export async function audit(
  tx: Transaction<Tables>,
  actor: Actor | null,
  { accountId, action, target, before, after, at }: AuditedChange,
): Promise<void> {
  const difference = differenceOf(action, before, after)
  if (difference === null) return
  await sql`${NUMBERED(accountId)}
    insert into audit (account, seq, at, actor_kind, actor_id, actor_account, request_id, action, target,
      before, after)
    select ${accountId}, last_seq, coalesce(${at ?? null}::timestamptz, clock_timestamp()), ${actor?.kind ?? 'gateway'}, ${actorId(actor)},
      ${actor?.accountId ?? accountId}, ${actor?.requestId ?? ''}, ${action}, ${target},
      ${side(difference, 'before')}::text, ${side(difference, 'after')}::text from head`.execute(tx)
}

const NUMBERED = (accountId: string) => sql`with head as (
    insert into audit_heads (account, last_seq) values (${accountId}, 1)
    on conflict (account) do update set last_seq = audit_heads.last_seq + 1
    returning last_seq)`

function actorId(actor: Actor | null): string {
  if (actor === null) return 'gateway'
  return actor.id.slice(0, ACTOR_ID_LENGTH_MAX).replaceAll('\u0000', '\uFFFD').toWellFormed()
}

function side(difference: Difference, name: keyof Difference): string | null {
  const values = difference[name]
  return values === null ? null : JSON.stringify(values)
}
