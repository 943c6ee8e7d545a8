-- Deliveries in order, in lanes. Locks deliveries, outbox and attempts while it gives every delivery its
-- chain and copies the log of attempts: about ten seconds for each 200,000 of them. The build before this
-- one goes on committing beside it (hence the defaults of columns that it does not know), but what it
-- delivers is in no order until it is stopped; what it leaves behind is set right by mend_lanes().
--
-- A lane is what a subscription is to the relay: the lock under which its deliveries change state, and
-- what decides when it is looked at next. No commit ever touches it. A chain is a record as one
-- subscription sees it: of each chain at most one delivery is open, the others wait behind it.

create table lanes (
  account         text             not null,
  subscription_id text             not null,
  -- Copied from the subscription in the transaction that changes it.
  is_open         boolean          not null,
  in_flight_max   integer          not null,
  per_second_max  double precision,
  -- The subscription was removed: what is left of its deliveries is cancelled, then the lane goes too.
  is_gone         boolean          not null default false,
  -- Not all of its deliveries are yet as is_open and is_gone want them. What is planned meanwhile is held.
  is_turning      boolean          not null default false,
  -- What is held up to this number is cancelled, not let go.
  cancel_through  bigint           not null default 0,
  -- The earliest moment at which there may be something to send. Exact: everything that makes a delivery
  -- ready does so under the lane's lock.
  next_due        timestamptz      not null default 'infinity',
  -- Deliveries that are being sent. Exact, for the same reason.
  in_flight       integer          not null default 0,
  -- Sends up to here are spoken for, where the rate is limited.
  paced_until     timestamptz      not null default '-infinity',
  fail_streak     integer          not null default 0,
  is_failing      boolean          not null generated always as (fail_streak >= 5) stored,
  -- The first failure since the last success, and how much of its patience was told of, in per cent.
  failing_since   timestamptz,
  failing_told    smallint         not null default 0,
  constraint lanes_pkey primary key (account, subscription_id)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
create index lanes_due on lanes (next_due) where is_open and not is_failing;
create index lanes_failing_due on lanes (next_due) where is_open and is_failing;
create index lanes_failing_since on lanes (failing_since) where failing_since is not null and is_open;
create index lanes_turning on lanes (account, subscription_id) where is_turning;

insert into lanes (account, subscription_id, is_open, in_flight_max, per_second_max, is_turning)
select account, id, (settings->>'active')::boolean, (settings->>'maxInFlight')::integer,
  (settings->>'maxPerSecond')::double precision, not (settings->>'active')::boolean
  from subscriptions;

-- The clock of deliveries, in one place, so that two days can pass in a test.
create function present() returns timestamptz language sql stable as 'select now()';

-- Planners work beside each other on different shards; an account's events are all in one.
create function shard_of(account text) returns smallint language sql immutable
  as 'select (hashtext(account) & 15)::smallint';

alter table outbox add column shard smallint not null default 0;
update outbox o set shard = shard_of(e.account) from events e where e.seq = o.event;
alter table outbox drop constraint outbox_pkey;
alter table outbox add constraint outbox_pkey primary key (shard, event);

-- A hash, because it is only ever compared: two records that share one are sent in turns, no more.
create function chain_of(body json) returns bigint language sql immutable as $$
  select hashtextextended(coalesce(body->>'catalogId', '') || chr(31) || (body->>'recordId'), 0)
$$;

alter table deliveries
  add column chain bigint,
  -- How often in a row its sender went away without a word. Not a failure of the receiver's.
  add column lapses smallint not null default 0;
update deliveries d set chain = chain_of(e.body) from events e where e.seq = d.event;
update deliveries d set state = 'waiting', lease_id = null, lease_until = null
 where state in ('ready', 'sending', 'retrying') and exists (
   select from deliveries o where o.account = d.account and o.subscription_id = d.subscription_id
      and o.chain = d.chain and o.sequence_id < d.sequence_id
      and o.state in ('ready', 'sending', 'retrying', 'held'));
update lanes l set next_due = case when l.is_open then now() else 'infinity' end, in_flight = (
  select count(*) from deliveries d
   where d.account = l.account and d.subscription_id = l.subscription_id and d.state = 'sending');

drop index deliveries_due;
drop index deliveries_leased;
create index deliveries_waiting on deliveries (account, subscription_id, sequence_id) where state = 'waiting';
-- Of each chain at most one is open. That a record's notifications keep their order is the table's own rule.
create unique index deliveries_open on deliveries (account, subscription_id, chain)
 where state in ('ready', 'sending', 'retrying');
create index deliveries_queued on deliveries (account, subscription_id, chain, sequence_id)
 where state in ('waiting', 'held');
create index deliveries_ready on deliveries (account, subscription_id, due_at, sequence_id)
 where state in ('ready', 'retrying');
create index deliveries_leased on deliveries (lease_until) where state = 'sending';
create index deliveries_held on deliveries (account, subscription_id, sequence_id) where state = 'held';
-- What an operator looks for.
create index deliveries_stuck on deliveries (account, state, event) where state in ('dead', 'held');
-- For replays by time. Small, and next to free to write: rows come in the order of this column.
create index deliveries_by_time on deliveries using brin (created_at);

-- A replay is worked off in chunks, by whichever gateway has time, and survives a restart.
create table replays (
  id              bigint      not null generated always as identity,
  account         text        not null,
  subscription_id text        not null,
  next_sequence   bigint      not null,
  last_sequence   bigint      not null,
  since           timestamptz not null,
  until           timestamptz not null,
  states          text[]      not null,
  -- What ends later is no part of it.
  requested_at    timestamptz not null default present(),
  touched_at      timestamptz not null default now(),
  constraint replays_pkey primary key (id)
);
create index replays_by_turn on replays (touched_at);

-- Attempts by the day: what is too old is dropped with its partition.
alter table attempts rename to attempts_before;
alter index attempts_by_delivery rename to attempts_before_by_delivery;
create table attempts (
  account         text        not null,
  subscription_id text        not null,
  sequence_id     bigint      not null,
  at              timestamptz not null default now(),
  request_headers json        not null,
  status          smallint,
  -- The first 4 KiB.
  reply           text        not null,
  duration_ms     real        not null,
  error           text
) partition by range (at);
create index attempts_by_delivery on attempts (account, subscription_id, sequence_id, at);

create function attempts_partition(day date) returns text language sql immutable
  as $$ select 'attempts_' || to_char(day, 'YYYYMMDD') $$;

-- A partition is made beside the table and attached, which locks out nobody who reads or writes.
create function make_attempts_partition(day date) returns void language plpgsql as $$
begin
  if to_regclass(attempts_partition(day)) is not null then return; end if;
  execute format('create table %I (like attempts including defaults)', attempts_partition(day));
  execute format('alter table attempts attach partition %I for values from (%L) to (%L)',
    attempts_partition(day), day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
end $$;

select make_attempts_partition(day) from (
  select (at at time zone 'UTC')::date as day from attempts_before
  union select (now() at time zone 'UTC')::date + n from generate_series(-1, 3) n
) days;
insert into attempts select account, subscription_id, sequence_id, at, request_headers, status, reply,
  duration_ms, error from attempts_before;
drop table attempts_before;
