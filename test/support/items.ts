/** What the use cases hand to the store, with defaults for everything that a test is not about. */

import { systemIds } from '../../src/adapters/system/ids.ts'
import type {
  CommitItem,
  CommitResult,
  DecisionEntry,
  RecordWrite,
  SubscriptionSettings,
} from '../../src/app/store.ts'
import type { Change } from '../../src/domain/change.ts'
import type { Decision } from '../../src/domain/decision.ts'
import type { Subscription, SubscriptionSecrets } from '../../src/domain/subscription.ts'
import type { Verdict } from '../../src/domain/verdict.ts'
import { subscriptionOf } from './build.ts'

export type EntryDraft = {
  readonly accountId: string
  readonly id?: string
  readonly event?: Change['event']
  readonly catalogId?: string
  readonly recordId?: string | undefined
  readonly decision?: Decision['decision']
  readonly verdicts?: readonly Verdict[]
  readonly values?: Change['values']
  readonly decidedAt?: string
  readonly generation?: number
}

const EVENT_OF = {
  insert: 'record.before.created',
  update: 'record.before.updated',
  delete: 'record.before.deleted',
} as const

function changeFrom(draft: EntryDraft): Change {
  return {
    event: draft.event ?? 'record.before.created',
    accountId: draft.accountId,
    catalogId: draft.catalogId ?? 'things',
    recordId: draft.recordId,
    values: draft.values ?? { name: 'One' },
    prevValues: undefined,
    allValues: undefined,
    changedFields: ['name'],
    user: { id: 'u1', title: 'Ada' },
    context: { channel: 'test' },
  }
}

export function verdictOf(subscriptionId: string, more: Partial<Verdict> = {}): Verdict {
  return {
    subscriptionId,
    name: `Validator ${subscriptionId}`,
    mode: 'enforce',
    outcome: 'allow',
    durationMs: 1.5,
    applied: 'allow',
    ...more,
  }
}

/** A decision that nobody waits for, unless it is put into an item. */
export function entryOf(draft: EntryDraft): DecisionEntry {
  const decision = draft.decision ?? 'allow'
  return {
    id: draft.id ?? systemIds.make('dec'),
    accountId: draft.accountId,
    change: changeFrom(draft),
    commitMode: 'gateway',
    decision: {
      decision,
      message: decision === 'deny' ? { text: 'No.' } : undefined,
      errors: [],
      warnings: [],
      infos: [],
      confirmations: [],
      verdicts: draft.verdicts ?? [],
      suggestions: {},
      suggestedBy: {},
      conflicts: [],
      degraded: false,
    },
    committed: false,
    generation: draft.generation ?? 1,
    versionBefore: null,
    versionAfter: null,
    considered: [],
    timeline: [],
    timing: { decidedMs: 2.5, validatorsMs: 1.25 },
    requestId: 'req_1',
    decidedAt: draft.decidedAt ?? '2026-05-04T03:02:01.000Z',
  }
}

export type ItemDraft = EntryDraft & {
  readonly write?: RecordWrite | null
  /** Subscriptions that are told; an event is stored when there are any. */
  readonly told?: readonly string[]
  readonly key?: string
  readonly insists?: boolean
  readonly token?: {
    readonly hash: string
    readonly expiresAt: string
    readonly change?: Change
  }
  readonly definesCatalog?: boolean
}

export function itemOf(draft: ItemDraft): CommitItem {
  const write = draft.write ?? null
  const event = draft.event ?? (write === null ? undefined : EVENT_OF[write.kind])
  const named = {
    ...draft,
    recordId: draft.recordId ?? write?.recordId,
    ...(event === undefined ? {} : { event }),
  }
  const entry = { ...entryOf(named), committed: write !== null }
  return {
    entry,
    write,
    events: draft.told === undefined ? [] : [eventOf(entry, draft.told)],
    insistsOnGeneration: draft.insists ?? true,
    keep: draft.key === undefined ? null : { ...KEPT, key: draft.key },
    pending:
      draft.token === undefined
        ? null
        : {
            tokenHash: draft.token.hash,
            expiresAt: draft.token.expiresAt,
            change: draft.token.change ?? null,
            valuesDigest: 'digest',
          },
    definesCatalog: draft.definesCatalog ?? false,
    exceptions: [],
  }
}

const KEPT = { fingerprint: 'of the request', status: 200, body: '{"decision":"allow"}' }

export function eventOf(entry: DecisionEntry, subscriptionIds: readonly string[]) {
  const { accountId, catalogId, recordId, values, changedFields, user } = entry.change
  const body = {
    event: 'record.created',
    accountId,
    catalogId,
    recordId,
    values,
    prevValues: undefined,
    changedFields,
    user,
    context: undefined,
    decisionId: entry.id,
  }
  return { id: systemIds.make('evt'), subscriptionIds, body }
}

let records = 0
export const newRecordId = (): string => `record-${++records}`

/** A creation of a record that nobody else knows. */
export function creation(accountId: string, more: Partial<ItemDraft> = {}): CommitItem {
  const recordId = more.recordId ?? newRecordId()
  const values = more.values ?? { name: 'One' }
  return itemOf({ accountId, write: { kind: 'insert', recordId, values }, ...more })
}

export const always = (): boolean => true

type Commits = {
  commit(item: CommitItem, isWanted: () => boolean): Promise<CommitResult>
}

/** Commits one item that must go through. */
export async function committed(approvals: Commits, item: CommitItem): Promise<CommitItem> {
  const result = await approvals.commit(item, always)
  if (result !== 'committed') throw new Error(`not committed: ${result}`)
  return item
}

export function settingsOf(more: Partial<SubscriptionSettings> = {}): SubscriptionSettings {
  const { accountId, revision, createdAt, updatedAt, ...rest } = subscriptionOf()
  const { secret, retiring, auth, headers, ...settings } = rest
  void [accountId, revision, createdAt, updatedAt, secret, retiring, auth, headers]
  return {
    ...settings,
    id: systemIds.make('sub'),
    name: 'A subscriber',
    catalogId: '*',
    url: 'https://validator.test/hook',
    maxInFlight: 20,
    events: ['record.created'],
    ...more,
  }
}

export const SECRETS: SubscriptionSecrets = {
  secret: 'whsec_c2VjcmV0LW9mLXRoZS1zdWl0ZXM=',
  retiring: [{ secret: 'whsec_b2xkLXNlY3JldA==', validUntil: '2099-01-01T00:00:00.000Z' }],
  auth: { type: 'bearer', token: 'token-of-the-suites' },
  headers: { 'x-tenant': 'header-value-of-the-suites' },
}

type Subscribes = {
  create(
    accountId: string,
    settings: SubscriptionSettings,
    secrets: SubscriptionSecrets,
  ): Promise<Subscription>
}

export function subscribed(
  subscriptions: Subscribes,
  accountId: string,
  more: Partial<SubscriptionSettings> = {},
): Promise<Subscription> {
  return subscriptions.create(accountId, settingsOf(more), SECRETS)
}

/** In an order of its own, for lists whose order says nothing. */
export function sorted(list: readonly unknown[]): string[] {
  return list.map(String).toSorted((left, right) => (left < right ? -1 : 1))
}
