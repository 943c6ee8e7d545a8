-- What happens to deliveries beside being sent: a lane opens or closes, somebody wants some again, the
-- log of attempts gets old. Locks and settings as in 0003_move_deliveries.sql.

-- A subscription's settings, as its lane needs them. The first deliveries follow at once, the others in
-- chunks, because this runs inside the transaction that changes the subscription.
create function set_lane(
  of_account text, of_subscription text, open boolean, flight integer, rate double precision,
  cancels_held boolean) returns void
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  lane lanes;
begin
  insert into lanes (account, subscription_id, is_open, in_flight_max, per_second_max)
  values (of_account, of_subscription, open, flight, rate)
  on conflict (account, subscription_id) do update set
    is_turning = lanes.is_turning or lanes.is_open <> open,
    -- Only what is held now, and only until that is done.
    cancel_through = case when not open then 0
      when cancels_held and not lanes.is_open then (
        select last from sequences where account = of_account and subscription_id = of_subscription)
      else lanes.cancel_through end,
    is_open = open, in_flight_max = flight, per_second_max = rate,
    paced_until = case when lanes.per_second_max is not distinct from rate then lanes.paced_until
      else '-infinity' end,
    -- Who opens it again gives it a new chance.
    fail_streak = case when open and not lanes.is_open then 0 else lanes.fail_streak end,
    failing_since = case when open and not lanes.is_open then null else lanes.failing_since end,
    failing_told = case when open and not lanes.is_open then 0 else lanes.failing_told end
  returning * into lane;
  if lane.is_turning then
    perform turn_lane(of_account, of_subscription, 200);
  else
    perform refresh_lanes(array[of_account], array[of_subscription]);
  end if;
end $$;

-- The subscription is no more.
create function end_lane(of_account text, of_subscription text) returns void language plpgsql as $$
begin
  update lanes set is_open = false, is_gone = true, is_turning = true
   where account = of_account and subscription_id = of_subscription;
  perform turn_lane(of_account, of_subscription, 200);
end $$;

-- Puts an end to deliveries of one lane up to a number, or holds them. At most `deliveries_max`; how many.
-- The caller holds the lane.
create function put_aside(
  of_account text, of_subscription text, as_state text, through bigint, deliveries_max integer)
returns integer
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  turned integer;
  chains bigint[];
begin
  with open as materialized (
    select ctid as place from deliveries
     where account = of_account and subscription_id = of_subscription and state in ('ready', 'retrying')
       and sequence_id <= through
     order by due_at, sequence_id limit deliveries_max
  ),
  waiting as materialized (
    select ctid as place from deliveries
     where account = of_account and subscription_id = of_subscription and state = 'waiting'
       and sequence_id <= through
     order by sequence_id limit deliveries_max - (select count(*) from open)
  ),
  held as materialized (
    select ctid as place from deliveries
     where as_state <> 'held' and account = of_account and subscription_id = of_subscription
       and state = 'held' and sequence_id <= through
     order by sequence_id limit deliveries_max - (select count(*) from open) - (select count(*) from waiting)
  ),
  aside as (
    update deliveries d set state = as_state, ended_at = case when as_state <> 'held' then present() end
      from (select * from open union all select * from waiting union all select * from held) t
     where d.ctid = t.place
    returning d.chain
  )
  select count(*), array_agg(distinct chain) filter (where chain is not null) into turned, chains from aside;
  -- Behind what was cancelled the way is free.
  if as_state <> 'held' and chains is not null then
    perform promote_chains(array_fill(of_account, array[cardinality(chains)]),
      array_fill(of_subscription, array[cardinality(chains)]), chains);
  end if;
  return turned;
end $$;

-- Makes deliveries of a lane what the lane has become: held when it was closed, on their way when it was
-- opened, cancelled when it is gone. At most `deliveries_max` of them; true when none is left.
create function turn_lane(of_account text, of_subscription text, deliveries_max integer) returns boolean
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  lane lanes;
  turned integer := 0;
  sequences bigint[];
  no_end constant bigint := 9223372036854775807;
begin
  select * into lane from lanes
   where account = of_account and subscription_id = of_subscription for update;
  if not found then return true; end if;

  if lane.is_gone then
    turned := put_aside(of_account, of_subscription, 'cancelled', no_end, deliveries_max);
  elsif not lane.is_open then
    turned := put_aside(of_account, of_subscription, 'held', no_end, deliveries_max);
  else
    if lane.cancel_through > 0 then
      turned := put_aside(of_account, of_subscription, 'cancelled', lane.cancel_through, deliveries_max);
    end if;
    select array_agg(h.sequence_id) into sequences
      from (
        select sequence_id from deliveries
         where account = of_account and subscription_id = of_subscription and state = 'held'
         order by sequence_id limit deliveries_max - turned) h;
    if sequences is not null then
      perform let_go(of_account, of_subscription, sequences);
      turned := turned + cardinality(sequences);
    end if;
  end if;

  perform refresh_lanes(array[of_account], array[of_subscription]);
  if turned >= deliveries_max then return false; end if;
  if lane.is_gone then
    delete from lanes where account = of_account and subscription_id = of_subscription;
    delete from sequences where account = of_account and subscription_id = of_subscription;
  else
    update lanes set is_turning = false, cancel_through = 0
     where account = of_account and subscription_id = of_subscription;
  end if;
  return true;
end $$;

-- The next of the lanes that are turning; false when there is none.
create function turn_lanes(deliveries_max integer) returns boolean
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  lane lanes;
begin
  select * into lane from lanes where is_turning order by random() limit 1 for update skip locked;
  if not found then return false; end if;
  perform turn_lane(lane.account, lane.subscription_id, deliveries_max);
  return true;
end $$;

-- Sends ended deliveries of a lane again, under their number and id and with a new schedule. One that
-- still waits for its next attempt is only made due. Those that are under way, queued or held stay so.
-- False when the subscription is no more.
create function reopen_deliveries(of_account text, of_subscription text, sequences bigint[]) returns boolean
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  lane lanes;
  ended bigint[];
begin
  select * into lane from lanes
   where account = of_account and subscription_id = of_subscription for update;
  if not found or lane.is_gone then return false; end if;
  with wanted as materialized (
    select d.place, d.state from unnest(sequences) as s(sequence_id)
      cross join lateral (
        select ctid as place, state from deliveries
         where account = of_account and subscription_id = of_subscription and sequence_id = s.sequence_id
         limit 1) d
  ),
  hurried as (
    update deliveries d set due_at = present() from wanted w where d.ctid = w.place and w.state = 'retrying'
  ),
  reopened as (
    update deliveries d set state = 'held', ended_at = null
      from wanted w where d.ctid = w.place and w.state in ('delivered', 'dead', 'cancelled')
    returning d.sequence_id
  )
  select array_agg(sequence_id) into ended from reopened;
  if ended is not null and lane.is_open and not lane.is_turning then
    perform let_go(of_account, of_subscription, ended);
  else
    perform refresh_lanes(array[of_account], array[of_subscription]);
  end if;
  return true;
end $$;

-- A step of the replay that had its turn longest ago, where its lane has little else to do: a replay does
-- not get in the way of what happens now. `span` numbers are looked through at most. `going` when a step was
-- made, `waiting` when there are replays and none could go on, `none` when there is none.
create function continue_replay(deliveries_max integer, ready_max integer, span integer) returns text
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  replay replays;
  through bigint;
  sequences bigint[];
begin
  select r.* into replay from replays r
    left join lanes l on l.account = r.account and l.subscription_id = r.subscription_id
   where not coalesce(l.is_turning, false) and (
     select count(*) from (
       select from deliveries d
        where d.account = r.account and d.subscription_id = r.subscription_id
          and d.state in ('ready', 'retrying') and d.due_at <= present()
        order by d.due_at, d.sequence_id limit ready_max) d) < ready_max
   order by r.touched_at limit 1 for update of r skip locked;
  if not found then
    return case when exists (select from replays) then 'waiting' else 'none' end;
  end if;
  through := least(replay.last_sequence, replay.next_sequence + span - 1);
  select array_agg(d.sequence_id) into sequences
    from (
      select sequence_id from deliveries
       where account = replay.account and subscription_id = replay.subscription_id
         and sequence_id between replay.next_sequence and through
         and state = any(replay.states) and ended_at <= replay.requested_at
         and created_at >= replay.since and created_at < replay.until
       order by sequence_id limit deliveries_max) d;
  if cardinality(sequences) = deliveries_max then through := sequences[deliveries_max]; end if;
  -- With the subscription its replays end.
  if not reopen_deliveries(replay.account, replay.subscription_id, coalesce(sequences, '{}'))
    or through >= replay.last_sequence
  then
    delete from replays where id = replay.id;
  else
    update replays set next_sequence = through + 1, touched_at = clock_timestamp() where id = replay.id;
  end if;
  return 'going';
end $$;

-- The partitions of the attempts: those of the next days are made, those that are too old are dropped.
-- Dropping waits for a moment only, and for the next time if that was not enough.
create function keep_attempts(days_kept integer) returns void
language plpgsql set lock_timeout = '500ms' as $$
declare
  today date := (present() at time zone 'UTC')::date;
  old name;
begin
  if not pg_try_advisory_xact_lock(7264, 100) then return; end if;
  perform make_attempts_partition(today + n) from generate_series(-1, 3) n;
  for old in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'attempts'::regclass and c.relname < attempts_partition(today - days_kept)
  loop
    begin
      execute format('drop table %I', old);
    exception when lock_not_available then
      null;
    end;
  end loop;
end $$;

-- Sets right lanes whose counter or clock is not what their deliveries say, and subscriptions and lanes that
-- do not know of each other. There are none unless somebody, such as a gateway of the build before, has moved
-- deliveries past the functions here; the number of them.
create function mend_lanes() returns integer
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  accounts text[];
  subscriptions text[];
  mended integer := 0;
  stray record;
begin
  for stray in
    select coalesce(s.account, l.account) as account, coalesce(s.id, l.subscription_id) as id, s.settings
      from subscriptions s
      full join lanes l on l.account = s.account and l.subscription_id = s.id
     where l.account is null or (s.account is null and not l.is_gone)
        or l.is_open <> (s.settings->>'active')::boolean
     order by 1, 2
  loop
    if stray.settings is null then
      perform end_lane(stray.account, stray.id);
    else
      perform set_lane(stray.account, stray.id, (stray.settings->>'active')::boolean,
        (stray.settings->>'maxInFlight')::integer, (stray.settings->>'maxPerSecond')::double precision,
        false);
    end if;
    mended := mended + 1;
  end loop;

  select array_agg(l.account), array_agg(l.subscription_id) into accounts, subscriptions
    from lanes l
    left join (
      select account, subscription_id, count(*)::integer as count from deliveries
       where state = 'sending' group by account, subscription_id) s
      on s.account = l.account and s.subscription_id = l.subscription_id
    left join lateral (
      select d.due_at from deliveries d
       where d.account = l.account and d.subscription_id = l.subscription_id
         and d.state in ('ready', 'retrying')
       order by d.due_at, d.sequence_id limit 1) first on true
   where l.in_flight <> coalesce(s.count, 0)
      -- It has room and something due, and is not to be looked at for a while.
      or (l.is_open and l.in_flight < places_of(l) and l.per_second_max is null
        and first.due_at <= present() and l.next_due > present() + interval '1 second');
  if accounts is null then return mended; end if;
  perform from lanes l
   where (l.account, l.subscription_id) in (select * from unnest(accounts, subscriptions))
   order by l.account, l.subscription_id for update;
  update lanes l set next_due = 'infinity', in_flight = (
      select count(*) from deliveries d
       where d.account = l.account and d.subscription_id = l.subscription_id and d.state = 'sending')
   where (l.account, l.subscription_id) in (select * from unnest(accounts, subscriptions));
  perform refresh_lanes(accounts, subscriptions);
  return mended + cardinality(accounts);
end $$;

-- Lets chains go of which nothing is open although the first of them waits. There are none either.
create function mend_chains() returns integer
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  accounts text[];
  subscriptions text[];
  chains bigint[];
begin
  select array_agg(c.account), array_agg(c.subscription_id), array_agg(c.chain)
    into accounts, subscriptions, chains
    from (
      select distinct on (account, subscription_id, chain) account, subscription_id, chain, state
        from deliveries where state in ('waiting', 'held')
       order by account, subscription_id, chain, sequence_id) c
    join lanes l on l.account = c.account and l.subscription_id = c.subscription_id and not l.is_turning
    left join lateral (
      select true as is_open from deliveries o
       where o.account = c.account and o.subscription_id = c.subscription_id and o.chain = c.chain
         and o.state in ('ready', 'sending', 'retrying') limit 1) o on true
   where c.state = 'waiting' and o.is_open is null;
  if chains is null then return 0; end if;
  perform from lanes l
   where (l.account, l.subscription_id) in (select * from unnest(accounts, subscriptions))
   order by l.account, l.subscription_id for update;
  perform promote_chains(accounts, subscriptions, chains);
  perform refresh_lanes(accounts, subscriptions);
  return cardinality(chains);
end $$;
