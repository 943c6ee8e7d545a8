import { z } from 'zod'
import { HELD_CHOICES } from '../../../app/store.ts'
import { BUILT_IN_EVENTS, isBuiltInEvent, isReservedEventName } from '../../../domain/change.ts'
import { BUDGET_MS } from '../../../domain/deadline.ts'
import { retryPresetNames } from '../../../domain/retry.ts'
import { DIALECT_NAMES, METHODS } from '../../../domain/subscription.ts'
import { failureCauses } from '../../../domain/verdict.ts'
import { verdict } from './approval.ts'
import { condition, finding, id, timestamp, title, user, values } from './common.ts'

const secretText = z.string().min(1).max(4_096)

const auth = z.discriminatedUnion('type', [
  z.object({ type: z.literal('none') }),
  z.object({ type: z.literal('bearer'), token: secretText }),
  z.object({
    type: z.literal('basic'),
    // RFC 7617: the first colon ends the user name.
    username: z
      .string()
      .max(200)
      .regex(/^[^:]*$/, 'A user name has no colon.'),
    password: z.string().max(4_096),
  }),
  z.object({ type: z.literal('custom'), header: z.string().min(1).max(64), value: secretText }),
])

const PEM_LENGTH_MAX = 65_536
const pem = z.string().min(1).max(PEM_LENGTH_MAX)

/** Strict: a misspelt authority would leave everybody's in its place. */
const tls = z
  .strictObject({
    ca: pem
      .optional()
      .meta({ description: 'Certificates (PEM) that replace the well-known authorities.' }),
    cert: pem
      .optional()
      .meta({ description: 'Client certificate (PEM), with those between it and its authority.' }),
    key: pem.optional().meta({ description: 'Its private key (PEM, not encrypted); reads `***`.' }),
  })
  .meta({ description: 'For https. Left out: the well-known authorities, no client certificate.' })

const policy = z.enum(['deny', 'allow'])
const onFailure = z.union([policy, z.partialRecord(z.enum(failureCauses), policy)])

const breaker = z.object({
  failureRate: z.number().gt(0).max(1),
  minimumCalls: z.number().int().min(1).max(100_000),
  windowMs: z.number().int().min(1_000).max(600_000),
  openMs: z.number().int().min(100).max(600_000),
  consecutiveFailures: z.number().int().min(1).max(100_000),
})

/** CONTRACT.md §5. */
const BREAKER_DEFAULTS = {
  failureRate: 0.5,
  minimumCalls: 20,
  windowMs: 30_000,
  openMs: 10_000,
  consecutiveFailures: 5,
} as const

const breakerDraft = breaker
  .partial()
  .transform((settings) => ({ ...BREAKER_DEFAULTS, ...withoutUndefined(settings) }))

function withoutUndefined<T extends object>(settings: T) {
  return Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined),
  ) as { [K in keyof T]-?: Exclude<T[K], undefined> }
}

const DELAY_MS_MAX = 7 * 86_400_000

const retry = z.union([
  z.object({ preset: z.enum(retryPresetNames) }),
  z.object({ delaysMs: z.array(z.number().int().min(0).max(DELAY_MS_MAX)).max(50) }),
])

const mayChange = z
  .union([z.literal('*'), z.array(z.string().min(1).max(200)).max(1_000)])
  .nullable()

const locale = z.string().regex(/^[A-Za-z]{1,8}([-_][A-Za-z0-9]{1,8})*$/, 'Not a language tag.')
const fallbackMessage = z.record(locale, z.string().min(1).max(1_000))

/** Which other names there are is the account's own business (`/v1/event-types`). */
const eventName = id.refine(mayBeAnEvent, { message: 'There is no such event.' }).meta({
  description: `One of ${BUILT_IN_EVENTS.join(', ')}, or an event type of the account.`,
})
function mayBeAnEvent(name: string): boolean {
  return isBuiltInEvent(name) || !isReservedEventName(name)
}

const events = z.array(eventName).min(1).max(100)

export const parameters = z
  .array(z.object({ name: z.string().min(1).max(100), from: z.string().max(500) }))
  .max(100)

export const secret = z.string().min(1).max(256)

/** Every setting; `prefault`s and defaults are the contract's. */
const settings = {
  name: title,
  active: z.boolean(),
  catalogId: id.meta({ description: 'A catalog id, or `*` for every catalog.' }),
  events,
  fields: z.array(id).max(1_000).meta({ description: 'Watched fields; [] for any.' }),
  initiators: z.array(id).max(1_000).meta({ description: 'User ids; [] for anyone.' }),
  conditions: z.array(condition).max(100).meta({ description: 'All must hold.' }),
  url: z.string().min(1).max(2_048),
  method: z.enum(METHODS),
  parameters: parameters
    .nullable()
    .meta({ description: "null: the dialect's whole payload; else just these." }),
  auth,
  headers: z.record(z.string(), z.string().max(4_096)),
  tls: tls.nullable(),
  dialect: z.enum(DIALECT_NAMES),
  secret,
  timeoutMs: z.number().int().min(BUDGET_MS.min).max(BUDGET_MS.max),
  onFailure,
  mode: z.enum(['enforce', 'shadow']),
  breaker,
  maxConcurrency: z.number().int().min(1).max(10_000),
  retry,
  order: z.number().int().min(-1_000_000).max(1_000_000),
  mayChange,
  fallbackMessage: fallbackMessage.nullable(),
  maxPerSecond: z.number().min(0.001).max(100_000).nullable(),
  maxInFlight: z.number().int().min(1).max(1_000),
} as const

export const subscriptionDraft = z
  .object({
    ...settings,
    active: settings.active.default(true),
    catalogId: settings.catalogId.default('*'),
    fields: settings.fields.default([]),
    initiators: settings.initiators.default([]),
    conditions: settings.conditions.default([]),
    method: settings.method.default('POST'),
    parameters: settings.parameters.default(null),
    auth: auth.default({ type: 'none' }),
    headers: settings.headers.default({}),
    tls: settings.tls.optional(),
    dialect: settings.dialect.default('standard'),
    secret: settings.secret.optional(),
    timeoutMs: settings.timeoutMs.default(BUDGET_MS.default),
    onFailure: onFailure.default('deny'),
    mode: settings.mode.default('enforce'),
    breaker: breakerDraft.prefault({}),
    maxConcurrency: settings.maxConcurrency.default(256),
    retry: retry
      .optional()
      .meta({ description: 'Left out: preset `poster` for that dialect, else `standard`.' }),
    order: settings.order.default(0),
    mayChange: mayChange.default(null),
    fallbackMessage: settings.fallbackMessage.default(null),
    maxPerSecond: settings.maxPerSecond.default(null),
    maxInFlight: settings.maxInFlight.default(20),
  })
  .meta({ id: 'SubscriptionDraft' })

export const subscriptionPatch = z
  .object({ ...settings, breaker: breaker.partial() })
  .partial()
  .meta({ id: 'SubscriptionPatch' })

export const subscriptionView = z
  .object({
    ...settings,
    id: z.string(),
    url: z.string(),
    secret: z.string().meta({ description: '`***`; the secret itself at creation and rotation.' }),
    fallbackMessage: fallbackMessage.optional(),
    maxPerSecond: z.number().optional(),
    tls: tls.optional(),
    lastSequenceId: z.number(),
    disabledReason: z.enum(['gone', 'failing', 'manual']).optional(),
    installationId: z
      .string()
      .optional()
      .meta({ description: 'The connected app that it came with, and goes with.' }),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'Subscription' })

/** Strict: what is misspelt here is delivered or dropped. */
export const enableRequest = z
  .strictObject({
    held: z
      .enum(HELD_CHOICES)
      .default('deliver')
      .meta({ description: 'What becomes of the deliveries that were held.' }),
  })
  .meta({ id: 'EnableRequest' })

export const rotateRequest = z.object({
  overlapMs: z
    .number()
    .int()
    .min(0)
    .max(30 * 86_400_000)
    .default(86_400_000),
})

export const rotateResponse = z.object({
  id: z.string(),
  secret: z.string(),
  previousValidUntil: timestamp,
})

export const trialRequest = z
  .object({
    event: eventName.optional(),
    recordId: id.optional(),
    values: values.optional(),
    prevValues: values.optional(),
    user: user.optional(),
  })
  .meta({ id: 'TrialRequest' })

const stringMap = z.record(z.string(), z.string())

export const trialResponse = z
  .object({
    request: z.object({
      method: z.string(),
      url: z.string(),
      headers: stringMap,
      body: z.string().nullable(),
    }),
    reply: z.object({ status: z.number(), headers: stringMap, body: z.string() }).nullable(),
    durationMs: z.number(),
    verdict,
    decision: z.enum(['allow', 'deny', 'confirm']),
    findings: z.array(finding),
    values,
    detail: z.string().nullable(),
  })
  .meta({ id: 'Trial' })

export const healthResponse = z
  .object({
    breaker: z.enum(['closed', 'open', 'halfOpen']),
    counts: z.record(z.enum(['allow', 'deny', 'failed', 'cancelled']), z.number()),
    failures: z.record(z.string(), z.number()),
    p50Ms: z.number().nullable(),
    p99Ms: z.number().nullable(),
    inFlight: z.number(),
  })
  .meta({ id: 'SubscriptionHealth' })
