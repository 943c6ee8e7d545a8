-- When a key was last used, and how often a key and an account may call. Three columns without defaults, two small
-- tables: nothing is rewritten, and both are locked for a moment.

alter table keys
  -- To the minute, and some seconds late: written behind the answers, for many keys at once.
  add column last_used_at timestamptz,
  -- Requests a second; null: as many as come.
  add column max_per_second integer,
  add constraint keys_max_per_second_positive check (max_per_second > 0);

-- The same for everybody of the account together.
alter table accounts
  add column max_per_second integer,
  add constraint accounts_max_per_second_positive check (max_per_second > 0);
