/**
 * Faults that a delivery machinery could well have, planted into the functions of one database. A run on
 * it shows whether the chaos run would have noticed. Each changes what is there by name, and fails loudly
 * when it is not there any more.
 */
import type pg from 'pg'

type Plant = (client: pg.Client) => Promise<void>

/** Changes a function of the schema. */
async function rewrite(client: pg.Client, name: string, [from, to]: [string, string]) {
  const { rows } = await client.query<{ text: string }>(
    'select pg_get_functiondef($1::regproc) as text',
    [name],
  )
  const text = rows[0]?.text ?? ''
  if (text.split(from).length !== 2) throw new Error(`${name} has not one "${from}"`)
  await client.query(text.replace(from, () => to))
}

/** Every delivery may be sent at once, whatever else is open of its record. */
const noChains: Plant = async (client) => {
  await client.query('drop index deliveries_open')
  await rewrite(client, 'plan_deliveries', [
    "when t.chain is null then 'ready'",
    "when true then 'ready'",
  ])
}

/** What is claimed counts as delivered before anybody has sent it. */
const marksBeforeSending: Plant = async (client) => {
  const parameters = 'integer, integer, double precision, text'
  await client.query(`alter function claim_deliveries(${parameters}) rename to claim_honestly`)
  await client.query(`
    create function claim_deliveries(places integer, failing_places integer, lease_ms double precision, lease text)
    returns table (
      account text, subscription_id text, sequence_id bigint, failures smallint, is_failing boolean,
      start_in_ms double precision, event_id text, body json, occurred_at timestamptz)
    language plpgsql as $$
    #variable_conflict use_column
    begin
      return query select * from claim_honestly(places, failing_places, lease_ms, lease);
      with marked as (
        update deliveries set state = 'delivered', ended_at = present(), lease_id = null, lease_until = null
         where state = 'sending' and lease_id = lease
        returning account, subscription_id
      )
      update lanes l set in_flight = l.in_flight - m.count
        from (select account, subscription_id, count(*)::integer as count from marked group by 1, 2) m
       where l.account = m.account and l.subscription_id = m.subscription_id;
    end $$`)
}

/** Numbers come out of a stock that the planner's session holds, and that goes with it. */
const countsInMemory: Plant = async (client) => {
  const { rows } = await client.query<{ id: string }>('select id from subscriptions')
  for (const { id } of rows) {
    await client.query(`create sequence ${client.escapeIdentifier(`numbers_${id}`)} cache 1000`)
  }
  await rewrite(client, 'plan_deliveries', [
    'c.before + t.rank',
    "nextval(format('%I', 'numbers_' || t.subscription_id)::regclass)",
  ])
}

export const PLANTED_FAULTS = {
  'no chain rule': noChains,
  'mark before send': marksBeforeSending,
  "counter in the relay's memory": countsInMemory,
} as const satisfies Record<string, Plant>

export type PlantedFault = keyof typeof PLANTED_FAULTS
