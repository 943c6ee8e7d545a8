-- Everything about one record can be erased, and what decisions lose with age includes what validators said. New
-- functions, and one that is replaced: nothing is locked or rewritten.

-- A decision without what it was about: values, people, texts, and what a validator's reply read like. Who was asked,
-- what came of it, when and how long it took stays.
create function without_payload(detail jsonb) returns json language sql immutable as $$
  select ((detail - '{values,prevValues,allValues,user,context,message}'::text[])
    || '{"errors": [], "warnings": [], "infos": [], "suggestions": {}}'
    || jsonb_build_object('timeline', coalesce((
      select jsonb_agg(entry - 'detail' order by n)
        from jsonb_array_elements(
          case jsonb_typeof(detail->'timeline') when 'array' then detail->'timeline' else '[]' end
        ) with ordinality as t(entry, n)), '[]')))::json
$$;

-- As in 0009_redaction.sql.
create or replace function drop_decision_payloads(days_kept integer, rows_max integer) returns integer
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
      update decisions d set detail = without_payload(d.detail::jsonb)
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

-- What is left of an event that told of a record which was erased: that there was one, and the digest by which the same
-- call finds it again. A delivery of it that is still open is cancelled when its turn comes.
create function erased_body(body json, digest text) returns json language sql immutable as $$
  select json_build_object('event', body->>'event', 'accountId', body->>'accountId', 'changedFields', '[]'::json,
    'erased', true, 'erasedAs', digest)
$$;
