/** The rows as Kysely sees them. `Generated` columns have defaults in migrations/. */
import type { ColumnType, Generated } from 'kysely'

type Timestamp = ColumnType<Date, Date | string | undefined, Date | string>
type NullableTimestamp = ColumnType<
  Date | null,
  Date | string | null | undefined,
  Date | string | null
>
/** Written as JSON text, read as what it says. */
type Json<T> = ColumnType<T, string, string>

/** Written as JSON text or null, read as what it says. */
type NullableJson = ColumnType<unknown, string | null | undefined, string | null>

export type Tables = {
  accounts: {
    id: string
    title: string
    account_number: string | null
    max_per_second: number | null
    generation: Generated<number>
    created_at: Timestamp
  }
  keys: {
    id: string
    account: string
    name: string
    hash: string
    scopes: string[]
    max_per_second: number | null
    expires_at: NullableTimestamp
    last_used_at: NullableTimestamp
    created_at: Timestamp
  }
  catalogs: {
    account: string
    id: string
    title: string
    fields: Json<unknown>
    is_implicit: Generated<boolean>
    redact: NullableJson
    created_at: Timestamp
  }
  records: {
    account: string
    catalog_id: string
    id: string
    version: number
    origin: string
    values: Json<Record<string, unknown>>
    created_at: Timestamp
    updated_at: Timestamp
  }
  subscriptions: {
    account: string
    id: string
    revision: Generated<number>
    settings: Json<unknown>
    sealed: string
    installation: string | null
    leaving_since: NullableTimestamp
    created_at: Timestamp
    updated_at: Timestamp
  }
  event_types: {
    account: string
    name: string
    settings: Json<unknown>
    created_at: Timestamp
    updated_at: Timestamp
  }
  actions: {
    account: string
    id: string
    catalog_id: string
    settings: Json<unknown>
    sealed: string
    created_at: Timestamp
    updated_at: Timestamp
  }
  apps: {
    account: string
    id: string
    settings: Json<unknown>
    sealed: string
    created_at: Timestamp
  }
  installations: {
    account: string
    id: string
    app_account: string
    app_id: string
    user_id: string
    key_id: string
    scopes: string[]
    created_at: Timestamp
  }
  sequences: { account: string; subscription_id: string; last: Generated<number> }
  decisions: {
    account: string
    id: string
    event: string
    catalog_id: string
    record_id: string | null
    decision: string
    committed: boolean
    commit_mode: string
    degraded: boolean
    generation: number
    version_before: number | null
    version_after: number | null
    asked: string[]
    request_id: string
    detail: Json<unknown>
    decided_at: Timestamp
  }
  caller_approvals: {
    account: string
    decision_id: string
    state: Generated<string>
    token_hash: string
    expires_at: Timestamp
    record_id: string | null
    notifications: Generated<number>
    change: NullableJson
    values_digest: string | null
  }
  kept_answers: {
    account: string
    key: string
    fingerprint: string
    status: number
    body: string
    expires_at: Timestamp
  }
  events: {
    seq: Generated<number>
    id: string
    account: string
    subscription_ids: string[]
    body: Json<unknown>
    occurred_at: Timestamp
  }
  outbox: { event: number; shard: number }
  deliveries: {
    account: string
    subscription_id: string
    sequence_id: number
    event: number
    chain: number | null
    state: string
    failures: Generated<number>
    lapses: Generated<number>
    due_at: Timestamp
    lease_id: string | null
    lease_until: NullableTimestamp
    last_status: number | null
    created_at: Timestamp
    ended_at: NullableTimestamp
  }
  replays: {
    id: Generated<number>
    account: string
    subscription_id: string
    first_sequence: number | null
    next_sequence: number
    last_sequence: number
    since: Timestamp
    until: Timestamp
    states: string[]
    requested_at: Timestamp
    touched_at: Timestamp
  }
  audit: {
    account: string
    seq: number
    at: Timestamp
    actor_kind: string
    actor_id: string
    actor_account: string
    request_id: string
    action: string
    target: string
    before: string | null
    after: string | null
    hash: string | null
  }
  audit_heads: {
    account: string
    last_seq: number
    sealed_seq: Generated<number>
    checkpoint: Generated<number>
  }
  audit_checkpoints: {
    account: string
    number: number
    seq: number
    hash: string
    at: string
    key_id: string
    signature: string
  }
  audit_waiting: { id: Generated<number>; account: string; at: Timestamp; entry: Json<unknown> }
  attempts: {
    account: string
    subscription_id: string
    sequence_id: number
    at: Timestamp
    request_headers: Json<unknown>
    status: number | null
    reply: string
    duration_ms: number
    error: string | null
  }
}
