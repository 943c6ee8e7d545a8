-- What a catalog's decisions do not keep.
alter table catalogs add column redact json;

-- A caller's own commit needs the change as it was approved, of which the decision may have lost a part. It is kept
-- until the approval is redeemed or too old; a digest of its values stays, so that repeats are recognised.
alter table caller_approvals
  add column change json,
  add column values_digest text;
create index caller_approvals_unredeemed on caller_approvals (expires_at) where change is not null;

-- How far an account's decisions have lost what they were about. Ids sort by time. A table of its own, because commits
-- lock the account's row.
create table dropped_payloads (
  account text not null,
  through text not null,
  constraint dropped_payloads_pkey primary key (account)
);

-- Takes from decisions older than so many days what they were about: values, people, texts. Who was asked, what came
-- of it, when and how long it took stays. At most `rows_max` of them; how many.
create function drop_decision_payloads(days_kept integer, rows_max integer) returns integer
language plpgsql as $$
declare
  bound constant text := 'dec_' || lpad(
    to_hex((extract(epoch from now() - days_kept * interval '1 day') * 1000)::bigint), 12, '0');
  mine record;
  dropped integer;
  last text;
  total integer := 0;
begin
  -- One gateway at a time.
  if not pg_try_advisory_xact_lock(7264, 101) then return 0; end if;
  for mine in
    select a.id as account, coalesce(p.through, '') as through
      from accounts a left join dropped_payloads p on p.account = a.id order by a.id
  loop
    with old as (
      select d.id from decisions d
       where d.account = mine.account and d.id > mine.through and d.id < bound
       order by d.id limit rows_max - total
    ),
    stripped as (
      update decisions d set detail = (
          (d.detail::jsonb - '{values,prevValues,allValues,user,context,message}'::text[])
          || '{"errors": [], "warnings": [], "infos": [], "suggestions": {}}')::json
        from old where d.account = mine.account and d.id = old.id
      returning d.id
    )
    select count(*), max(id) into dropped, last from stripped;
    if dropped > 0 then
      insert into dropped_payloads (account, through) values (mine.account, last)
      on conflict (account) do update set through = excluded.through;
    end if;
    total := total + dropped;
    exit when total >= rows_max;
  end loop;
  return total;
end $$;
