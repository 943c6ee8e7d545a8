/**
 * What the audit keeps of a change of settings: what differs, before and after. Secrets are kept out by lists of what
 * may be shown: a setting that nobody has listed reads as a mask, and so does one that a later build adds. That
 * it was changed can be seen nevertheless.
 */
import { MASK } from './subscription.ts'
import { deepEqual, type Values } from './values.ts'

/** Who changed something: a key, somebody with a token of the issuer, or the gateway of its own accord. */
export type Actor = {
  readonly kind: (typeof ACTOR_KINDS)[number]
  readonly id: string
  readonly accountId: string
  /** Empty where no request was behind it. */
  readonly requestId: string
}
export const ACTOR_KINDS = ['key', 'token', 'gateway'] as const

export const AUDIT_ACTIONS = [
  'account.created',
  'account.updated',
  'key.created',
  'key.removed',
  'catalog.created',
  'catalog.updated',
  'catalog.removed',
  'subscription.created',
  'subscription.updated',
  'subscription.disabled',
  'subscription.removed',
  'eventType.created',
  'eventType.updated',
  'eventType.removed',
  'action.created',
  'action.updated',
  'action.removed',
  'app.created',
  'app.removed',
  'installation.created',
  'installation.removed',
  'preset.loaded',
  'deliveries.replayed',
  'delivery.retried',
  // A person confirmed what validators wanted to have confirmed, and the change was allowed.
  'approval.confirmed',
  // Somebody who has a say could not be asked, and a failure policy let the change through.
  'approval.degraded',
  'record.erased',
] as const
export type AuditAction = (typeof AUDIT_ACTIONS)[number]
type Subject = AuditAction extends `${infer Name}.${string}` ? Name : never

/** How a changed secret reads, beside the mask that it had before. */
const CHANGED_MASK = `${MASK} (changed)`

const ENDPOINT = [
  'url',
  'method',
  'parameters',
  'auth.type',
  'auth.username',
  'auth.header',
  'dialect',
  'timeoutMs',
  'conditions',
  'retiring[].validUntil',
] as const

const SUBSCRIPTION = [
  ...ENDPOINT,
  'name',
  'active',
  'catalogId',
  'events',
  'fields',
  'initiators',
  'onFailure',
  'breaker',
  'maxConcurrency',
  'mode',
  'retry',
  'disabledReason',
  'order',
  'mayChange',
  'fallbackMessage',
  'maxPerSecond',
  'maxInFlight',
  'installationId',
  'held',
] as const

/** What may be shown, by path; a path stands for all that is below it, and `[]` for each item of a list. */
const SHOWN: Readonly<Record<Subject, readonly string[]>> = {
  account: ['title', 'accountNumber', 'maxPerSecond'],
  key: ['name', 'scopes', 'expiresAt', 'maxPerSecond'],
  catalog: ['title', 'fields', 'redact'],
  subscription: SUBSCRIPTION,
  eventType: ['title', 'catalogId', 'on', 'fields', 'conditions', 'data'],
  action: [...ENDPOINT, 'title', 'catalogId', 'confirmText'],
  app: ['name', 'redirect', 'scopes', ...SUBSCRIPTION.map((path) => `subscriptions[].${path}`)],
  installation: ['appAccountId', 'appId', 'userId', 'scopes', 'keyId', 'subscriptionIds'],
  preset: ['catalogs', 'eventTypes'],
  deliveries: ['since', 'until', 'fromSequenceId', 'toSequenceId', 'states', 'count'],
  delivery: ['state'],
  record: ['catalogId'],
  approval: ['event', 'catalogId', 'userId', 'subscriptionIds', 'causes'],
}

/** What a thing is told apart by and what the gateway keeps beside it: no setting of anybody's. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'id',
  'accountId',
  'revision',
  'createdAt',
  'updatedAt',
  'lastUsedAt',
  'leavingSince',
])

export type Difference = { readonly before: Values | null; readonly after: Values | null }

/** Null stands for what was not there, or is not there any more. Null when nothing differs. */
export function differenceOf(
  action: AuditAction,
  before: object | null,
  after: object | null,
): Difference | null {
  const shown = new Set(SHOWN[subjectOf(action)])
  const [old, next] = [before as Values | null, after as Values | null]
  const names = [...new Set([...Object.keys(old ?? {}), ...Object.keys(next ?? {})])].filter(
    (name) => !LEFT_OUT.has(name) && !deepEqual(old?.[name], next?.[name]),
  )
  if (names.length === 0 && old !== null && next !== null) return null
  const side = (own: Values, other: Values | null): Values =>
    Object.fromEntries(
      names
        .filter((name) => own[name] !== undefined)
        .map((name) => [name, masked(own[name], { path: name, shown, other: other?.[name] })]),
    )
  return {
    before: old === null ? null : side(old, null),
    after: next === null ? null : side(next, old),
  }
}

function subjectOf(action: AuditAction): Subject {
  return action.slice(0, action.indexOf('.')) as Subject
}

type Spot = {
  readonly path: string
  readonly shown: ReadonlySet<string>
  /** What stood here before; undefined for nothing. */
  readonly other: unknown
}

/** Characters of one setting, as JSON. A row is read, hashed and shown in one piece. */
const SETTING_LENGTH_MAX = 16_384

/** That a long one has changed can be told by its length, or by the record of whoever changed it. */
function short(value: unknown): unknown {
  const length =
    typeof value === 'object' || typeof value === 'string' ? JSON.stringify(value).length : 0
  return length > SETTING_LENGTH_MAX ? `(${length} characters, too long to be kept here)` : value
}

function masked(value: unknown, { path, shown, other }: Spot): unknown {
  if (value === null || value === undefined) return value
  if (shown.has(path)) return short(value)
  if (Array.isArray(value)) {
    const others: readonly unknown[] = Array.isArray(other) ? other : []
    return value.map((item, index) =>
      masked(item, { path: `${path}[]`, shown, other: others[index] }),
    )
  }
  if (typeof value === 'object') {
    const others = typeof other === 'object' ? (other as Values | null) : null
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => {
        const before = others !== null && Object.hasOwn(others, name) ? others[name] : undefined
        return [name, masked(member, { path: `${path}.${name}`, shown, other: before })]
      }),
    )
  }
  return other === undefined || other === value ? MASK : CHANGED_MASK
}
