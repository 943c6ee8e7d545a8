/**
 * How an event gets into the database: one immutable row, and a pointer in the outbox of its account's
 * shard, in the statement of whatever it tells about.
 */
import type { CommittedEvent } from '../../domain/notification.ts'

/** Points at what `happened`. */
export const POINTED = `pointed as (
  insert into outbox (event, shard) select seq, shard_of(account) from happened
)`

/** The event of a statement whose part `done` has a row if it took place; its parameters begin at `first`. */
export const HAPPENED_BESIDE = (first: number): string => `happened as (
  insert into events (id, account, subscription_ids, body)
  select $${first}, account, $${first + 1}::text[], $${first + 2}::json from done where $${first}::text is not null
  returning seq, account
)`

/** The three parameters that HAPPENED_BESIDE takes. */
export function eventParameters(event: (CommittedEvent & { readonly id: string }) | null) {
  return [event?.id ?? null, event?.subscriptionIds ?? null, event && JSON.stringify(event.body)]
}
