-- Business events, menu actions, and apps that many accounts connect to. New tables, a column of catalogs, two of
-- subscriptions, an index on them, small tables: nothing is rewritten, and accounts (for the foreign keys),
-- catalogs and subscriptions are locked for a moment.

-- What a change may mean in an account's own words. Part of its configuration: a change here bumps the
-- account's generation, so that a commit raises what was defined when it was planned, or is planned anew.
create table event_types (
  account    text        not null,
  name       text        not null,
  settings   json        not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint event_types_pkey primary key (account, name),
  constraint event_types_account_fkey foreign key (account) references accounts (id)
);

create table actions (
  account    text        not null,
  id         text        not null,
  -- Looked for each time that somebody opens a record's menu; `*` is every catalog.
  catalog_id text        not null,
  settings   json        not null,
  -- Secret, auth and header values: one AES-256-GCM text bound to this row.
  sealed     text        not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint actions_pkey primary key (account, id),
  constraint actions_account_fkey foreign key (account) references accounts (id)
);
create index actions_by_catalog on actions (account, catalog_id, id);

create table apps (
  -- Whose app it is. An app of the account `default` may be connected by every account.
  account    text        not null,
  id         text        not null,
  settings   json        not null,
  -- Its secret, and auth and header values of its templates.
  sealed     text        not null,
  created_at timestamptz not null default now(),
  constraint apps_pkey primary key (account, id),
  constraint apps_account_fkey foreign key (account) references accounts (id)
);

create table installations (
  account     text        not null,
  id          text        not null,
  app_account text        not null,
  app_id      text        not null,
  user_id     text        not null,
  -- The access token, of which only the hash is kept; it goes with the installation.
  key_id      text        not null,
  scopes      text[]      not null,
  created_at  timestamptz not null default now(),
  constraint installations_pkey primary key (account, id),
  -- An account connects an app once.
  constraint installations_once unique (account, app_account, app_id),
  constraint installations_account_fkey foreign key (account) references accounts (id),
  constraint installations_app_fkey foreign key (app_account, app_id) references apps (account, id)
);
create index installations_by_app on installations (app_account, app_id);

-- A catalog that came into being with its first record has been defined by nobody: whoever defines it, does.
alter table catalogs add column is_implicit boolean not null default false;

alter table subscriptions
  -- The installation that it came with, and goes with.
  add column installation text,
  -- It is told of its end, and of nothing else any more; then it goes.
  add column leaving_since timestamptz;
create index subscriptions_leaving on subscriptions (leaving_since) where leaving_since is not null;
