-- Where a replay began, so that its progress can be shown. A small table, locked for a moment. The build before leaves
-- it out: such a replay is shown as one that begins where it is.
alter table replays add column first_sequence bigint;
update replays set first_sequence = next_sequence;
