/**
 * Who was told because of a decision. No index leads from a decision to its events, which every commit would pay for.
 * But the ids of events begin with the moment at which they were made, in the process that made the decision and by its
 * clock, so the index by id leads to those of that moment; a caller's own commit makes some until its approval ends.
 */
import type { ToldView } from '../../app/decision-store.ts'
import type { Database, Statement } from './database.ts'
import { orUnavailable } from './sqlstate.ts'

/** Events; an account that has more of them within those seconds does without the others. */
const LOOKED_AT_MAX = 20_000

/** Events are made right after the decision. */
const AT_ONCE_MS = 500
/** So far does the generator of ids run ahead of a clock that was set back. */
const CLOCK_SET_BACK_MS = 11_000

const TOLD: Statement = {
  name: 'told_of_decision',
  text: `
with made as materialized (
  select (extract(epoch from d.decided_at) * 1000)::bigint - 10 as first,
      (extract(epoch from coalesce(c.expires_at, d.decided_at)) * 1000)::bigint + $4 as last
    from decisions d
    left join caller_approvals c on c.account = d.account and c.decision_id = d.id
   where d.account = $1 and d.id = $2 and d.decision = 'allow' and d.commit_mode <> 'none'
)
select e.id as event_id, e.body->>'event' as event, t.subscription_id, d.sequence_id, d.state
  from made m
 cross join lateral (
   select id, seq, body, subscription_ids from events
    where account = $1 and id >= 'evt_' || lpad(to_hex(m.first), 12, '0')
      and id < 'evt_' || lpad(to_hex(m.last), 12, '0')
    order by id limit $3) e
 cross join lateral unnest(e.subscription_ids) with ordinality as t(subscription_id, n)
  left join deliveries d on d.event = e.seq and d.account = $1 and d.subscription_id = t.subscription_id
 where e.body->>'decisionId' = $2
 order by e.id, t.n`,
}
type ToldRow = {
  readonly event_id: string
  readonly event: string
  readonly subscription_id: string
  readonly sequence_id: number | null
  readonly state: string | null
}

export async function toldOf(
  database: Database,
  accountId: string,
  decisionId: string,
): Promise<readonly ToldView[]> {
  const within = (aheadMs: number) => {
    const values = [accountId, decisionId, LOOKED_AT_MAX, aheadMs]
    return orUnavailable(database.of(accountId).run<ToldRow>(TOLD, values))
  }
  const atOnce = await within(AT_ONCE_MS)
  const rows = atOnce.length > 0 ? atOnce : await within(CLOCK_SET_BACK_MS)
  return rows.map((row) => ({
    id: `${row.event_id}_${row.subscription_id}`,
    event: row.event,
    subscriptionId: row.subscription_id,
    sequenceId: row.sequence_id,
    state: row.state as ToldView['state'],
  }))
}
