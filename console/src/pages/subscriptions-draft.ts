/** A subscription as the form holds it, and what of that is sent. */
import type { Condition } from '../../../src/domain/condition.ts'
import type { RetryPolicy } from '../../../src/domain/retry.ts'
import { type BreakerSettings, MASK, type Parameter } from '../../../src/domain/subscription.ts'
import type { Subscription } from '../types.ts'
import { type EndpointValue, FRESH_ENDPOINT } from '../ui/endpoint.tsx'

/** Numbers are null where the field is empty; that stands for the default. */
export type Draft = EndpointValue & {
  readonly name: string
  readonly active: boolean
  readonly catalogId: string
  readonly events: readonly string[]
  readonly fields: readonly string[]
  readonly initiators: readonly string[]
  readonly conditions: readonly Condition[]
  readonly parameters: readonly Parameter[] | null
  /** Empty: the gateway makes one. */
  readonly secret: string
  readonly onFailure: Subscription['onFailure']
  readonly mode: Subscription['mode']
  readonly breaker: { readonly [Name in keyof BreakerSettings]: number | null }
  readonly maxConcurrency: number | null
  /** Null: that of the dialect. */
  readonly retry: RetryPolicy | null
  readonly order: number | null
  readonly mayChange: readonly string[] | '*' | null
  readonly fallbackMessage: Readonly<Record<string, string>>
  readonly maxPerSecond: number | null
  readonly maxInFlight: number | null
}

export type FormProps = {
  readonly value: Draft
  readonly onChange: (value: Draft) => void
  readonly error: unknown
}

/** CONTRACT.md §5. */
export const BREAKER_DEFAULTS: BreakerSettings = {
  failureRate: 0.5,
  minimumCalls: 20,
  windowMs: 30_000,
  openMs: 10_000,
  consecutiveFailures: 5,
}
const NUMBER_DEFAULTS = {
  timeoutMs: 10_000,
  maxConcurrency: 256,
  order: 0,
  maxInFlight: 20,
} as const

export const FRESH_DRAFT: Draft = {
  ...FRESH_ENDPOINT,
  ...NUMBER_DEFAULTS,
  name: '',
  active: true,
  catalogId: '*',
  events: ['record.before.created', 'record.before.updated'],
  fields: [],
  initiators: [],
  conditions: [],
  parameters: null,
  secret: '',
  onFailure: 'deny',
  mode: 'enforce',
  breaker: BREAKER_DEFAULTS,
  retry: null,
  mayChange: null,
  fallbackMessage: {},
  maxPerSecond: null,
}

export function draftOf(one: Subscription): Draft {
  const { fallbackMessage = {}, maxPerSecond = null, tls = null } = one
  return { ...one, fallbackMessage, maxPerSecond, tls }
}

/** All settings, with defaults where a number was left out. */
function settingsOf(draft: Draft) {
  const { breaker, retry, secret, fallbackMessage } = draft
  const said = Object.entries(fallbackMessage).filter(([, text]) => text.trim() !== '')
  return {
    ...only(draft),
    breaker: withDefaults(breaker, BREAKER_DEFAULTS),
    ...withDefaults(
      {
        timeoutMs: draft.timeoutMs,
        maxConcurrency: draft.maxConcurrency,
        order: draft.order,
        maxInFlight: draft.maxInFlight,
      },
      NUMBER_DEFAULTS,
    ),
    fallbackMessage: said.length === 0 ? null : Object.fromEntries(said),
    ...(retry === null ? {} : { retry }),
    ...(secret === '' || secret === MASK ? {} : { secret }),
  }
}

/** What the form shows: what was read holds more than can be sent back. */
function only(draft: Draft) {
  const names = Object.keys(FRESH_DRAFT).filter((name) => name !== 'secret' && name !== 'retry')
  return Object.fromEntries(names.map((name) => [name, draft[name as keyof Draft]]))
}

function withDefaults<T extends object>(
  numbers: { readonly [Name in keyof T]: number | null },
  defaults: T,
): T {
  const given = Object.entries(numbers).filter(([, value]) => value !== null)
  return { ...defaults, ...Object.fromEntries(given) }
}

export const bodyOf = (draft: Draft): Readonly<Record<string, unknown>> => settingsOf(draft)

/** What was changed, and nothing else: somebody else may have changed the rest meanwhile. */
export function patchOf(draft: Draft, before: Draft): Readonly<Record<string, unknown>> {
  const old: Readonly<Record<string, unknown>> = settingsOf(before)
  return Object.fromEntries(
    Object.entries(settingsOf(draft)).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(old[name]),
    ),
  )
}
