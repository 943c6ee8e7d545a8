-- From the committed event to numbered deliveries. Locks and settings as in the migration before this one.

-- A subscription that was made by a gateway of the build before has no lane yet.
create function open_missing_lanes(batch bigint[]) returns void
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
begin
  insert into lanes (account, subscription_id, is_open, in_flight_max, per_second_max)
  select s.account, s.id, (s.settings->>'active')::boolean, (s.settings->>'maxInFlight')::integer,
    (s.settings->>'maxPerSecond')::double precision
    from (
      select distinct e.account, unnest(e.subscription_ids) as id from events e where e.seq = any(batch)) t
    join subscriptions s on s.account = t.account and s.id = t.id
   where not exists (select from lanes l where l.account = t.account and l.subscription_id = t.id)
   order by s.account, s.id
  on conflict do nothing;
end $$;

-- Numbers and deliveries for the oldest events of a shard. The pointer goes in the same transaction, so no
-- event is planned twice or forgotten, in whatever order commits arrive; one planner works on a shard at
-- a time, and the counter moves in the same transaction, so numbers have no gaps.
create function plan_deliveries(
  deliveries_max integer, out planned integer, out is_more boolean, out is_busy boolean)
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  candidate smallint;
  mine smallint;
  batch bigint[];
begin
  planned := 0;
  is_more := false;
  is_busy := false;
  for candidate in
    select s::smallint from generate_series(0, 15) s
     where exists (select from outbox o where o.shard = s) order by random()
  loop
    if batch is not null then
      is_more := true;
      exit;
    end if;
    if not pg_try_advisory_xact_lock(7264, candidate) then
      is_busy := true;
      continue;
    end if;
    -- As many as make a fair number of deliveries; one at least.
    select array_agg(o.event order by o.event) into batch
      from (
        select p.event, sum(cardinality(e.subscription_ids)) over (order by p.event)
            - cardinality(e.subscription_ids) as made_before
          from (select event from outbox where shard = candidate order by event limit deliveries_max) p
          join events e on e.seq = p.event) o
     where o.made_before < deliveries_max;
    mine := candidate;
  end loop;
  if batch is null then return; end if;

  perform open_missing_lanes(batch);
  perform from lanes l
   where (l.account, l.subscription_id) in (
     select e.account, unnest(e.subscription_ids) from events e where e.seq = any(batch))
   order by l.account, l.subscription_id for update;

  with happened as materialized (
    select e.seq, e.account, e.subscription_ids, chain_of(e.body) as chain
      from events e where e.seq = any(batch)
  ),
  target as materialized (
    select h.seq, h.chain, l.account, l.subscription_id, l.is_open and not l.is_turning as is_live,
      row_number() over (partition by l.account, l.subscription_id order by h.seq) as rank,
      row_number() over (partition by l.account, l.subscription_id, h.chain order by h.seq) as link,
      count(*) over (partition by l.account, l.subscription_id) as total
      from happened h cross join lateral unnest(h.subscription_ids) as told(id)
      join lanes l on l.account = h.account and l.subscription_id = told.id and not l.is_gone
  ),
  counted as (
    update sequences q set last = q.last + t.total
      from (select account, subscription_id, total from target where rank = 1) t
     where q.account = t.account and q.subscription_id = t.subscription_id
    returning q.account, q.subscription_id, q.last - t.total as before
  ),
  made as (
    insert into deliveries (account, subscription_id, sequence_id, event, chain, state, due_at, created_at)
    select t.account, t.subscription_id, c.before + t.rank, t.seq, t.chain,
      case when not t.is_live then 'held'
        when t.chain is null then 'ready'
        when t.link > 1 or exists (
            select from deliveries o
             where o.account = t.account and o.subscription_id = t.subscription_id and o.chain = t.chain
               and o.state in ('ready', 'sending', 'retrying'))
          or exists (
            select from deliveries q
             where q.account = t.account and q.subscription_id = t.subscription_id and q.chain = t.chain
               and q.state in ('waiting', 'held')) then 'waiting'
        else 'ready' end,
      present(), present()
      from target t join counted c on c.account = t.account and c.subscription_id = t.subscription_id
    returning account, subscription_id, state
  )
  update lanes l set next_due = present()
    from (select distinct account, subscription_id from made where state = 'ready') m
   where l.account = m.account and l.subscription_id = m.subscription_id and l.next_due > present();

  delete from outbox where shard = mine and event = any(batch);
  planned := cardinality(batch);
  is_more := is_more or exists (select from outbox where shard = mine);
end $$;
