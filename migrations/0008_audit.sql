-- Who changed which setting, when, before and after. New tables and functions only: nothing is locked, and nothing is
-- rewritten. A build before this one, still running beside it, changes settings without a row here.
--
-- What is authoritative: `audit`. A row is inserted in the transaction of the change that it tells of, under the lock
-- of its account's head, which gives it the next number: numbers have no gaps, and rows are committed in their order.
-- Its hash is computed afterwards, by any gateway, from the row and the hash before it; `audit_checkpoints`, signed
-- with a key that the database does not hold, pin the chain. src/domain/audit-chain.ts says what that is good for.
--
-- What a gateway that does not own these tables may do to them stands in 0010_walls.sql.

create table audit (
  account       text        not null,
  seq           bigint      not null,
  at            timestamptz not null,
  -- key, token, or gateway for what nobody asked for.
  actor_kind    text        not null,
  actor_id      text        not null,
  -- The operator's admins change settings of other accounts too.
  actor_account text        not null,
  request_id    text        not null,
  action        text        not null,
  target        text        not null,
  -- What differs: null before a creation, and after a removal. Text that is JSON, because it is hashed to the letter.
  before        text,
  after         text,
  -- SHA-256, hex; null until it is sealed.
  hash          text,
  constraint audit_pkey primary key (account, seq)
);

create table audit_heads (
  account       text   not null,
  last_seq      bigint not null,
  sealed_seq    bigint not null default 0,
  -- The number of the newest checkpoint.
  checkpoint    bigint not null default 0,
  constraint audit_heads_pkey primary key (account)
);
create index audit_heads_unsealed on audit_heads (account) where sealed_seq < last_seq;

create table audit_checkpoints (
  account   text        not null,
  number    bigint      not null,
  seq       bigint      not null,
  hash      text        not null,
  at        text        not null,
  key_id    text        not null,
  signature text        not null,
  constraint audit_checkpoints_pkey primary key (account, number)
);

-- What happened in a transaction that must not wait for the lock of a head: a commit of records. It is given its
-- number when it is next looked for.
create table audit_waiting (
  id            bigint      not null generated always as identity,
  account       text        not null,
  at            timestamptz not null default now(),
  entry         json        not null,
  constraint audit_waiting_pkey primary key (id)
);

-- Against mistakes of ours, and against whoever has got hold of a role that does not own the table.
create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and tg_table_name = 'audit' then
    if old.hash is null and new.hash is not null then
      old.hash := new.hash;
      if old::text = new::text then
        return new;
      end if;
    end if;
  end if;
  raise exception 'rows of % are never changed', tg_table_name using errcode = 'insufficient_privilege';
end $$;

create trigger audit_append_only before update or delete on audit
  for each row execute function refuse_audit_change();
create trigger audit_no_truncate before truncate on audit
  for each statement execute function refuse_audit_change();
create trigger audit_checkpoints_append_only before update or delete on audit_checkpoints
  for each row execute function refuse_audit_change();
create trigger audit_checkpoints_no_truncate before truncate on audit_checkpoints
  for each statement execute function refuse_audit_change();
