-- How deliveries move, once they are planned, to the end of the last attempt: claim, settle, reap.
--
-- Functions, because each of them first takes the locks of lanes and then looks, and what it looks at
-- must be what the one before it under the lock has left: within one statement the look would be older
-- than the lock. Lanes are locked in the order of their key, or skipped, so nobody waits in a circle.
-- Sequential and bitmap scans are off, because a plan made while the tables were empty would be kept; and
-- rows are looked up one by one (lateral, with a limit) and then changed by their place, because a join of
-- the two steps is turned round by whoever believes that a lane has one delivery.
--
-- A function that must change gets a new name in a later migration: gateways of two versions may run
-- beside each other for a while.

-- How many deliveries of a lane may be under way. One that keeps failing gets a few places only, so that
-- dead receivers cannot fill a gateway; one success gives it back the others.
create function places_of(lane lanes) returns integer language sql immutable
  as 'select case when lane.is_failing then greatest(1, lane.in_flight_max / 4) else lane.in_flight_max end';

-- Sends are handed out this far ahead where a rate is limited, each with its own moment.
create function pace_ahead() returns interval language sql immutable
  as $$ select interval '500 milliseconds' $$;

-- When lanes are to be looked at next, and not before `not_before`. One that is full is looked at when an
-- attempt of its ends.
create function refresh_lanes(
  accounts text[], subscriptions text[], not_before timestamptz default '-infinity') returns void
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
begin
  update lanes l set next_due = n.next_due
    from (
      select k.account, k.subscription_id,
        case when not k.is_open or k.in_flight >= places_of(k) or first.due_at is null then 'infinity'
          else greatest(
            first.due_at,
            least(k.next_due, present()),
            not_before,
            case when k.per_second_max is null then '-infinity' else k.paced_until - pace_ahead() end)
          end as next_due
        from unnest(accounts, subscriptions) as u(account, subscription_id)
        join lanes k on k.account = u.account and k.subscription_id = u.subscription_id
        left join lateral (
          select d.due_at from deliveries d
           where d.account = k.account and d.subscription_id = k.subscription_id
             and d.state in ('ready', 'retrying')
           order by d.due_at, d.sequence_id limit 1) first on true
    ) n
   where l.account = n.account and l.subscription_id = n.subscription_id and l.next_due <> n.next_due;
end $$;

-- The only place that lets the next delivery of a chain go, where none of it is open. One that is held keeps
-- those behind it waiting. The caller holds the lanes.
create function promote_chains(accounts text[], subscriptions text[], chains bigint[]) returns void
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
begin
  with first as materialized (
    select n.place
      from (
        select distinct * from unnest(accounts, subscriptions, chains)
          as u(account, subscription_id, chain)) c
      cross join lateral (
        select q.ctid as place, q.state from deliveries q
         where q.account = c.account and q.subscription_id = c.subscription_id and q.chain = c.chain
           and q.state in ('waiting', 'held')
         order by q.sequence_id limit 1) n
      left join lateral (
        select true as is_open from deliveries o
         where o.account = c.account and o.subscription_id = c.subscription_id and o.chain = c.chain
           and o.state in ('ready', 'sending', 'retrying') limit 1) o on true
     where n.state = 'waiting' and o.is_open is null
  )
  update deliveries d set state = 'ready', due_at = present() from first where d.ctid = first.place;
end $$;

-- Sends deliveries of one lane on their way, with a new schedule, each behind what is open or queued before
-- it of its chain. The caller holds the lane.
create function let_go(of_account text, of_subscription text, sequences bigint[]) returns void
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  chains bigint[];
begin
  with wanted as materialized (
    select d.place from unnest(sequences) as s(sequence_id)
      cross join lateral (
        select ctid as place from deliveries
         where account = of_account and subscription_id = of_subscription and sequence_id = s.sequence_id
         limit 1) d
  ),
  queued as (
    update deliveries d set due_at = present(), ended_at = null, failures = 0, lapses = 0,
      state = case when d.chain is null then 'ready' else 'waiting' end
      from wanted w where d.ctid = w.place
    returning d.chain
  )
  select array_agg(distinct chain) into chains from queued where chain is not null;
  if chains is not null then
    perform promote_chains(array_fill(of_account, array[cardinality(chains)]),
      array_fill(of_subscription, array[cardinality(chains)]), chains);
  end if;
  perform refresh_lanes(array[of_account], array[of_subscription]);
end $$;

-- Takes what is due, each under a lease, fairly: lanes take turns, however much each of them has due, and
-- those that keep failing get `failing_places` of all `places` at most. `start_in_ms` is for later than now
-- where a rate is limited. The body of an event comes with the first of its deliveries only.
create function claim_deliveries(
  places integer, failing_places integer, lease_ms double precision, lease text)
returns table (
  account text, subscription_id text, sequence_id bigint, failures smallint, is_failing boolean,
  start_in_ms double precision, event_id text, body json, occurred_at timestamptz)
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
#variable_conflict use_column
declare
  accounts text[];
  subscriptions text[];
begin
  with healthy as materialized (
    select l.account, l.subscription_id from lanes l
     where l.is_open and not l.is_failing and l.next_due <= present()
     order by l.next_due limit places for update skip locked
  ),
  failing as materialized (
    select l.account, l.subscription_id from lanes l
     where l.is_open and l.is_failing and l.next_due <= present()
     order by l.next_due limit least(places, failing_places) for update skip locked
  )
  select array_agg(d.account), array_agg(d.subscription_id) into accounts, subscriptions
    from (select * from healthy union all select * from failing) d;
  if accounts is null then return; end if;

  return query
  with room as materialized (
    select l.account, l.subscription_id, l.is_failing, l.per_second_max,
      greatest(l.paced_until, present()) as paced_from,
      least(places_of(l) - l.in_flight,
        case when l.per_second_max is null then places
          -- No further ahead than pace_ahead().
          else ceil(least(places, l.per_second_max * greatest(0,
            extract(epoch from present() + pace_ahead() - greatest(l.paced_until, present())))))::integer
          end) as room
      from unnest(accounts, subscriptions) as u(account, subscription_id)
      join lanes l on l.account = u.account and l.subscription_id = u.subscription_id
  ),
  picked as materialized (
    select r.account, r.subscription_id, d.place, r.is_failing, r.per_second_max, r.paced_from,
      row_number() over (partition by r.account, r.subscription_id order by d.due_at, d.sequence_id) as turn
      from room r cross join lateral (
        select d.ctid as place, d.sequence_id, d.due_at from deliveries d
         where d.account = r.account and d.subscription_id = r.subscription_id
           and d.state in ('ready', 'retrying') and d.due_at <= present()
         order by d.due_at, d.sequence_id limit greatest(0, r.room)) d
  ),
  failing as materialized (
    select * from picked where is_failing order by turn limit least(places, failing_places)
  ),
  chosen as materialized (
    select * from failing
    union all
    -- What those that fail leave is for the others.
    (select * from picked where not is_failing
      order by turn limit places - (select count(*) from failing))
  ),
  taken as (
    update lanes l set in_flight = l.in_flight + c.count,
      paced_until = case when l.per_second_max is null then l.paced_until
        else c.paced_from + least(86400, c.count / l.per_second_max) * interval '1 second' end
      from (
        select account, subscription_id, min(paced_from) as paced_from, count(*)::integer as count
          from chosen group by 1, 2) c
     where l.account = c.account and l.subscription_id = c.subscription_id
  ),
  claimed as (
    update deliveries d set state = 'sending', lease_id = lease,
      lease_until = present() + lease_ms * interval '1 millisecond'
      from chosen c
     where d.ctid = c.place
    returning d.account, d.subscription_id, d.sequence_id, d.failures, d.event, c.is_failing, c.paced_from,
      c.per_second_max, c.turn
  )
  select c.account, c.subscription_id, c.sequence_id, c.failures, c.is_failing,
    coalesce(extract(epoch from c.paced_from - present())::double precision * 1000
      + (c.turn - 1) / c.per_second_max * 1000, 0),
    e.id, case when row_number() over (partition by c.event) = 1 then e.body end, e.occurred_at
    from claimed c join events e on e.seq = c.event
   order by c.event;
  -- Who has had a turn queues behind the others, whatever the age of what is due.
  perform refresh_lanes(accounts, subscriptions, present());
end $$;

-- Keeps leases for longer. Under the locks of the lanes as well, so that rows stay in their place while
-- somebody settles them.
create function extend_leases(leases text[], lease_ms double precision) returns void
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
begin
  perform from lanes l
   where (l.account, l.subscription_id) in (
     select account, subscription_id from deliveries where state = 'sending' and lease_id = any(leases))
   order by l.account, l.subscription_id for update;
  update deliveries set lease_until = present() + lease_ms * interval '1 millisecond'
   where state = 'sending' and lease_id = any(leases);
end $$;

-- Writes down how attempts ended. Only who still holds the lease changes anything; attempts are logged in
-- any case. Tells which lanes have been without a success for `failing_after_ms`.
create function settle_deliveries(results json, log json, failing_after_ms double precision)
returns table (account text, subscription_id text, failing_ms double precision, failing_told smallint)
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
#variable_conflict use_column
declare
  accounts text[];
  subscriptions text[];
  closed_accounts text[];
  closed_subscriptions text[];
  closed_chains bigint[];
begin
  select array_agg(r.account), array_agg(r.subscription_id) into accounts, subscriptions
    from (
      select distinct account, subscription_id
        from json_to_recordset(results) as r(account text, subscription_id text)) r;
  perform from lanes l
   where (l.account, l.subscription_id) in (select * from unnest(accounts, subscriptions))
   order by l.account, l.subscription_id for update;

  with result as materialized (
    select * from json_to_recordset(results) as r(
      account text, subscription_id text, sequence_id bigint, lease_id text, state text,
      retry_in_ms double precision, status smallint, is_success boolean, is_failure boolean)
  ),
  logged as (
    insert into attempts
      (account, subscription_id, sequence_id, at, request_headers, status, reply, duration_ms, error)
    select account, subscription_id, sequence_id, present() - duration_ms * interval '1 millisecond',
      request_headers, status, reply, duration_ms, error
      from json_to_recordset(log) as a(
        account text, subscription_id text, sequence_id bigint, request_headers json, status smallint,
        reply text, duration_ms real, error text)
  ),
  -- Whether there is another try is for the lane to say as it is now, not as the sender knew it.
  outcome as materialized (
    select d.place, r.status, r.is_success, r.is_failure, r.retry_in_ms,
      case when r.state in ('delivered', 'dead', 'cancelled') then r.state
        when l.account is null or l.is_gone then 'cancelled'
        when not l.is_open then 'held'
        when r.state = 'held' and not l.is_turning then 'ready'
        else r.state end as state
      from result r
      cross join lateral (
        select d.ctid as place, d.state, d.lease_id from deliveries d
         where d.account = r.account and d.subscription_id = r.subscription_id
           and d.sequence_id = r.sequence_id limit 1) d
      left join lanes l on l.account = r.account and l.subscription_id = r.subscription_id
     where d.state = 'sending' and d.lease_id = r.lease_id
  ),
  settled as (
    update deliveries d set state = n.state, lease_id = null, lease_until = null, lapses = 0,
      last_status = n.status, failures = d.failures + n.is_failure::integer,
      due_at = present() + coalesce(n.retry_in_ms, 0) * interval '1 millisecond',
      ended_at = case when n.state in ('delivered', 'dead', 'cancelled') then present() end
      from outcome n where d.ctid = n.place
    returning d.account, d.subscription_id, d.chain, d.state, n.is_success, n.is_failure
  ),
  freed as (
    update lanes l set in_flight = l.in_flight - t.places,
      fail_streak = case when t.successes > 0 then 0 else least(l.fail_streak + t.failures, 1000000) end,
      failing_since = case when t.successes > 0 then null
        when t.failures > 0 then coalesce(l.failing_since, present()) else l.failing_since end,
      failing_told = case when t.successes > 0 then 0 else l.failing_told end
      from (
        select account, subscription_id, count(*)::integer as places,
          count(*) filter (where is_success)::integer as successes,
          count(*) filter (where is_failure)::integer as failures
          from settled group by account, subscription_id) t
     where l.account = t.account and l.subscription_id = t.subscription_id
  )
  select array_agg(account), array_agg(subscription_id), array_agg(chain)
    into closed_accounts, closed_subscriptions, closed_chains
    from settled where chain is not null and state in ('delivered', 'dead', 'cancelled');

  if closed_chains is not null then
    perform promote_chains(closed_accounts, closed_subscriptions, closed_chains);
  end if;
  perform refresh_lanes(accounts, subscriptions);
  return query
    select l.account, l.subscription_id,
      extract(epoch from present() - l.failing_since)::double precision * 1000, l.failing_told
      from unnest(accounts, subscriptions) as u(account, subscription_id)
      join lanes l on l.account = u.account and l.subscription_id = u.subscription_id
     where l.is_open and l.failing_since <= present() - failing_after_ms * interval '1 millisecond';
end $$;

-- Gives back what was claimed by a gateway that is no more. The receiver may have got it: it gets it again,
-- under the same id. A delivery whose senders go away time after time is put aside.
create function reap_deliveries(lapses_max integer) returns integer
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  accounts text[];
  subscriptions text[];
  reaped integer;
  closed_accounts text[];
  closed_subscriptions text[];
  closed_chains bigint[];
begin
  select array_agg(x.account), array_agg(x.subscription_id) into accounts, subscriptions
    from (
      select distinct account, subscription_id from (
        select account, subscription_id from deliveries
         where state = 'sending' and lease_until < present() order by lease_until limit 1000) d) x;
  if accounts is null then return 0; end if;
  perform make_attempts_partition((present() at time zone 'UTC')::date);
  perform from lanes l
   where (l.account, l.subscription_id) in (select * from unnest(accounts, subscriptions))
   order by l.account, l.subscription_id for update;

  with late as materialized (
    select d.ctid as place, d.account, d.subscription_id, d.lapses from deliveries d
     where d.state = 'sending' and d.lease_until < present()
     order by d.lease_until limit 1000
  ),
  lapsed as (
    update deliveries d set lapses = d.lapses + 1, lease_id = null, lease_until = null, due_at = present(),
      state = n.state, ended_at = case when n.state in ('dead', 'cancelled') then present() end
      from (
        select x.place,
          case when l.account is null or l.is_gone then 'cancelled'
            when x.lapses + 1 >= lapses_max then 'dead'
            when not l.is_open then 'held'
            else 'ready' end as state
          from late x
          left join lanes l on l.account = x.account and l.subscription_id = x.subscription_id
         -- Of the lanes that are locked.
         where (x.account, x.subscription_id) in (select * from unnest(accounts, subscriptions))) n
     where d.ctid = n.place
    returning d.account, d.subscription_id, d.sequence_id, d.chain, d.state
  ),
  logged as (
    insert into attempts
      (account, subscription_id, sequence_id, at, request_headers, reply, duration_ms, error)
    select account, subscription_id, sequence_id, present(), '{}', '', 0,
      'the gateway that was sending it went away without a word' from lapsed
  ),
  freed as (
    update lanes l set in_flight = l.in_flight - t.places
      from (select account, subscription_id, count(*)::integer as places from lapsed group by 1, 2) t
     where l.account = t.account and l.subscription_id = t.subscription_id
  )
  select count(*), array_agg(account) filter (where is_closed),
    array_agg(subscription_id) filter (where is_closed), array_agg(chain) filter (where is_closed)
    into reaped, closed_accounts, closed_subscriptions, closed_chains
    from (select *, chain is not null and state in ('dead', 'cancelled') as is_closed from lapsed) c;

  if closed_chains is not null then
    perform promote_chains(closed_accounts, closed_subscriptions, closed_chains);
  end if;
  perform refresh_lanes(accounts, subscriptions);
  return reaped;
end $$;
