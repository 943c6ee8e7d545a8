/**
 * How events get into the database: for each one immutable row, and a pointer in the outbox of its account's
 * shard, in the statement of whatever they tell about.
 */
import type { Transaction } from 'kysely'
import { sql } from 'kysely'
import type { NamedEvent } from '../../domain/notification.ts'
import type { Tables } from './tables.ts'

/** Points at what `happened`. */
export const POINTED = `pointed as (
  insert into outbox (event, shard) select seq, shard_of(account) from happened
)`

/** A list of events as a row source; json_to_recordset does not promise to keep their order. */
export const eventsIn = (json: string): string =>
  `json_to_recordset(${json}) as e(n integer, id text, told text[], body json)`

/** The events of a statement whose part `done` has a row if it took place; one parameter holds them. */
export const HAPPENED_BESIDE = (parameter: number): string => `happened as (
  insert into events (id, account, subscription_ids, body)
  select e.id, d.account, e.told, e.body
    from done d cross join lateral ${eventsIn(`$${parameter}::json`)} order by e.n
  returning seq, account
)`

/** What HAPPENED_BESIDE takes, as JSON. */
export const eventParameter = (events: readonly NamedEvent[]): string =>
  JSON.stringify(eventRows(events))

export function eventRows(events: readonly NamedEvent[]): object[] {
  return events.map(({ id, subscriptionIds, body }, n) => ({ n, id, told: subscriptionIds, body }))
}

/** An event that no change of a record gave rise to, in the transaction of what did. */
export async function raise(
  tx: Transaction<Tables>,
  accountId: string,
  { id, subscriptionIds, body }: NamedEvent,
): Promise<void> {
  const { seq } = await tx
    .insertInto('events')
    .values({
      id,
      account: accountId,
      subscription_ids: [...subscriptionIds],
      body: JSON.stringify(body),
    })
    .returning('seq')
    .executeTakeFirstOrThrow()
  await tx
    .insertInto('outbox')
    .values({ event: seq, shard: sql`shard_of(${accountId})` })
    .execute()
}
