-- What happens in each account by the minute, as each gateway counts it, for a day. A new table: nothing is locked.

create table activity (
  account text        not null,
  minute  timestamptz not null,
  -- A process from its start to its end. What it writes takes the place of what it wrote of the same minute, so a
  -- write whose outcome nobody knows is simply made again.
  gateway text        not null,
  -- json, not jsonb: written every few seconds, read as a whole, never searched.
  counts  json        not null,
  constraint activity_pkey primary key (account, minute, gateway)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
-- What is too old is looked for in all accounts together. Rows are rewritten without touching it.
create index activity_by_minute on activity (minute);

select wall_in('activity');
