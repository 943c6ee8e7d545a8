-- A second wall between accounts, for a gateway whose role does not own these tables: beside the account that each of
-- its statements names, PostgreSQL itself shows and takes only rows of the accounts that the session has said it works
-- for. An owner, and a superuser, is not concerned: its rows are the database's own. Tables are locked for a moment.
--
-- `assent.accounts` is a list of accounts, or a sign that no account's id can be, for what a gateway does for all of them
-- together (planning, sending, sweeping). Ids hold no control characters, so two of those serve: chr(31) is between
-- accounts, chr(30) is everybody. A session that has said nothing reaches nothing.

-- Later migrations call it for each table that they make.
create function wall_in(walled regclass, account_column text default 'account') returns void
language plpgsql as $$
begin
  execute format('alter table %s enable row level security', walled);
  -- The setting is read once for a statement, not once for a row.
  execute format(
    $policy$create policy wall on %s using (
      (select current_setting('assent.accounts', true)) = chr(30)
      or %I = any (string_to_array((select current_setting('assent.accounts', true)), chr(31))))$policy$,
    walled, account_column);
end $$;

select wall_in('accounts', 'id');
select wall_in(walled::regclass) from unnest(array[
  'keys', 'catalogs', 'records', 'subscriptions', 'sequences', 'decisions', 'caller_approvals', 'kept_answers',
  'events', 'deliveries', 'attempts', 'lanes', 'replays', 'event_types', 'actions', 'apps', 'installations', 'audit',
  'audit_heads', 'audit_checkpoints', 'audit_waiting', 'dropped_payloads'
]) as walled;

-- Pointers bear no account. Whoever commits adds some; only who works for all accounts sees them.
alter table outbox enable row level security;
create policy wall on outbox using ((select current_setting('assent.accounts', true)) = chr(30)) with check (true);

-- Partitions are made and dropped by whoever owns the table, whoever asks for it.
do $$
begin
  execute format('alter function make_attempts_partition(date) security definer set search_path = %I, pg_temp',
    current_schema());
  execute format('alter function keep_attempts(integer) security definer set search_path = %I, pg_temp',
    current_schema());
end $$;
revoke execute on function make_attempts_partition(date), keep_attempts(integer) from public;

-- Lets a role work as a gateway, and no more: rows of the audit are written once and sealed once, the schema is none
-- of its business. To be called again after each migration; `npm run migrate` does.
create function admit_gateway(gateway regrole) returns void language plpgsql as $$
declare
  mine text;
begin
  execute format('grant usage on schema %I to %s', current_schema(), gateway);
  execute format('grant select on schema_migrations to %s', gateway);
  for mine in
    select c.oid::regclass::text from pg_class c
     where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and c.relname <> 'schema_migrations' and c.relname not like 'audit%'
  loop
    execute format('grant select, insert, update, delete on %s to %s', mine, gateway);
  end loop;
  execute format('grant select, insert, update (hash) on audit to %s', gateway);
  execute format('grant select, insert on audit_checkpoints to %s', gateway);
  execute format('grant select, insert, update on audit_heads to %s', gateway);
  execute format('grant select, insert, delete on audit_waiting to %s', gateway);
  execute format('grant execute on function make_attempts_partition(date), keep_attempts(integer) to %s', gateway);
end $$;
