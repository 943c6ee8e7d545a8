-- The first schema. Creates tables only, so it locks nothing that anybody uses.
--
-- Every table starts its key with the account: no unique key, and so no error, can tell one account
-- anything about another.

create table accounts (
  id             text        not null,
  title          text        not null,
  account_number text,
  -- Grows with every change of the account's subscriptions and catalogs. A commit insists on the
  -- generation under which its plan was made.
  generation     bigint      not null default 1,
  created_at     timestamptz not null default now(),
  constraint accounts_pkey primary key (id)
);
insert into accounts (id, title) values ('default', 'Default account');

create table keys (
  id         text        not null,
  account    text        not null,
  name       text        not null,
  -- SHA-256 of the whole key, hex. The key itself is shown once and kept nowhere.
  hash       text        not null,
  scopes     text[]      not null,
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  constraint keys_pkey primary key (id),
  constraint keys_hash_unique unique (hash),
  constraint keys_account_fkey foreign key (account) references accounts (id)
);

create table catalogs (
  account    text        not null,
  id         text        not null,
  title      text        not null,
  fields     json        not null default '[]',
  created_at timestamptz not null default now(),
  constraint catalogs_pkey primary key (account, id)
);

create table records (
  account    text        not null,
  catalog_id text        not null,
  id         text        not null,
  version    bigint      not null,
  -- The decision that created the record: tells it from an earlier record of the same id.
  origin     text        not null,
  "values"   jsonb       not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint records_pkey primary key (account, catalog_id, id)
) with (fillfactor = 90);

create table subscriptions (
  account    text        not null,
  id         text        not null,
  revision   bigint      not null default 1,
  settings   json        not null,
  -- Secret, retiring secrets, auth and header values: one AES-256-GCM text bound to this row.
  sealed     text        not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint subscriptions_pkey primary key (account, id)
);

-- The counter behind sequenceId. A table of its own, so that counting never touches a subscription.
create table sequences (
  account         text   not null,
  subscription_id text   not null,
  last            bigint not null default 0,
  constraint sequences_pkey primary key (account, subscription_id)
) with (fillfactor = 50);

create table decisions (
  account        text        not null,
  -- Ids sort by time, so this key is also the order of the log.
  id             text        not null,
  event          text        not null,
  catalog_id     text        not null,
  record_id      text,
  -- allow, deny or confirm; `void` bars a commit whose outcome had to be settled after a lost connection.
  decision       text        not null,
  committed      boolean     not null,
  commit_mode    text        not null,
  degraded       boolean     not null,
  generation     bigint      not null,
  version_before bigint,
  version_after  bigint,
  asked          text[]      not null,
  request_id     text        not null,
  -- json, not jsonb: written on the path of every approval, read by people, never searched.
  detail         json        not null,
  decided_at     timestamptz not null,
  constraint decisions_pkey primary key (account, id)
);
-- "What happened to this record", newest first.
create index decisions_by_record on decisions (account, catalog_id, record_id, id desc);

-- Commits that callers make themselves: one row for each token handed out.
create table caller_approvals (
  account       text        not null,
  decision_id   text        not null,
  state         text        not null default 'pending',
  token_hash    text        not null,
  expires_at    timestamptz not null,
  record_id     text,
  notifications integer     not null default 0,
  constraint caller_approvals_pkey primary key (account, decision_id),
  constraint caller_approvals_state_known check (state in ('pending', 'committed', 'aborted'))
);

create table kept_answers (
  account     text        not null,
  key         text        not null,
  fingerprint text        not null,
  status      smallint    not null,
  body        text        not null,
  expires_at  timestamptz not null,
  constraint kept_answers_pkey primary key (account, key)
);
create index kept_answers_by_expiry on kept_answers (expires_at);

-- What happened, once, immutable; written in the transaction of the change itself.
create table events (
  seq              bigint      not null generated always as identity,
  id               text        not null,
  account          text        not null,
  subscription_ids text[]      not null,
  body             json        not null,
  occurred_at      timestamptz not null default now(),
  constraint events_pkey primary key (seq)
);
create index events_by_account on events (account, seq desc);
-- A delivery's id holds its event's id.
create index events_by_id on events (account, id);

-- Pointers to events that nobody has planned yet. A pointer is deleted when it is planned, so there is
-- no cursor that a late commit could fall behind.
create table outbox (
  event bigint not null,
  constraint outbox_pkey primary key (event)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

create table deliveries (
  account         text        not null,
  subscription_id text        not null,
  sequence_id     bigint      not null,
  event           bigint      not null,
  state           text        not null,
  failures        smallint    not null default 0,
  due_at          timestamptz not null default now(),
  lease_id        text,
  lease_until     timestamptz,
  last_status     smallint,
  created_at      timestamptz not null default now(),
  ended_at        timestamptz,
  constraint deliveries_pkey primary key (account, subscription_id, sequence_id),
  constraint deliveries_state_known check (state in
    ('waiting', 'ready', 'sending', 'retrying', 'delivered', 'dead', 'cancelled', 'held'))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
-- What is due, and what is under way: only these two are looked for all the time.
create index deliveries_due on deliveries (due_at) where state in ('ready', 'retrying');
create index deliveries_leased on deliveries (lease_until) where state = 'sending';
create index deliveries_by_event on deliveries (event);

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
);
create index attempts_by_delivery on attempts (account, subscription_id, sequence_id, at);
