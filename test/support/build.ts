/** Small builders: everything has a default, a test names only what it is about. */

import { compilePattern } from '../../src/adapters/system/patterns.ts'
import type { Configuration } from '../../src/app/configuration.ts'
import type { Inquiry } from '../../src/app/ports.ts'
import type { Catalog } from '../../src/domain/catalog.ts'
import { type Change, type ChangeDraft, changeOf } from '../../src/domain/change.ts'
import type { ConfirmationDesk } from '../../src/domain/decision.ts'
import { type EventType, indexEventTypes } from '../../src/domain/event-type.ts'
import { indexSubscriptions } from '../../src/domain/matching.ts'
import type { Plan } from '../../src/domain/plan.ts'
import type { Subscription } from '../../src/domain/subscription.ts'
import type { Answer, FailureCause, Remark, TimedAnswer } from '../../src/domain/verdict.ts'

export const ACCOUNT = 'default'

export function subscriptionOf(over: Partial<Subscription> = {}): Subscription {
  return {
    id: 'sub_a',
    accountId: ACCOUNT,
    revision: 1,
    name: 'Stock check',
    active: true,
    catalogId: 'orders',
    events: ['record.before.updated'],
    fields: [],
    initiators: [],
    conditions: [],
    url: 'https://stock.example/hook',
    method: 'POST',
    parameters: null,
    dialect: 'standard',
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    retiring: [],
    auth: { type: 'none' },
    headers: {},
    timeoutMs: 10_000,
    onFailure: 'deny',
    mode: 'enforce',
    breaker: {
      failureRate: 0.5,
      minimumCalls: 20,
      windowMs: 30_000,
      openMs: 10_000,
      consecutiveFailures: 5,
    },
    maxConcurrency: 256,
    retry: { preset: 'standard' },
    disabledReason: null,
    order: 0,
    mayChange: null,
    fallbackMessage: null,
    maxPerSecond: null,
    maxInFlight: 16,
    installationId: null,
    leavingSince: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    ...over,
  }
}

/** Subscriptions named like their ids, in plan order. */
export function subscriptionsOf(
  ids: readonly string[],
  over: Partial<Subscription> = {},
): Subscription[] {
  return ids.map((id, order) => subscriptionOf({ id, name: id, order, ...over }))
}

export function changeWith(over: Partial<ChangeDraft> = {}): Change {
  return changeOf({
    event: 'record.before.updated',
    accountId: ACCOUNT,
    catalogId: 'orders',
    recordId: 'rec_1',
    values: { status: 'paid' },
    prevValues: { status: 'new', total: 10 },
    allValues: undefined,
    user: { id: 'anna' },
    context: undefined,
    ...over,
  })
}

export function configurationOf(
  subscriptions: readonly Subscription[],
  over: {
    readonly generation?: number
    readonly catalogs?: readonly Catalog[]
    readonly eventTypes?: readonly EventType[]
  } = {},
): Configuration {
  return {
    accountId: ACCOUNT,
    accountNumber: null,
    generation: over.generation ?? 1,
    index: indexSubscriptions(subscriptions, compilePattern),
    catalogs: new Map((over.catalogs ?? []).map((one) => [one.id, one])),
    eventTypes: indexEventTypes(over.eventTypes ?? [], compilePattern),
  }
}

export function planOf(asked: readonly Subscription[], change: Change = changeWith()): Plan {
  return { generation: 1, change, asked, considered: [] }
}

export function inquiryOf(change: Change = changeWith()): Inquiry {
  return {
    look: 1,
    change,
    decisionId: 'dec_1',
    occurredAtMs: 0,
    deadlineAtMs: 10_000,
    dryRun: false,
    chainToken: 'chain',
    traceparent: undefined,
  }
}

// ---- answers

export const remark = (text: string, over: Partial<Remark> = {}): Remark => ({
  severity: 'error',
  message: { text },
  ...over,
})

export const allow = (
  values?: Record<string, unknown>,
  remarks: readonly Remark[] = [],
): Answer => ({
  kind: 'allow',
  remarks,
  values,
})

export const deny = (...texts: readonly string[]): Answer => ({
  kind: 'deny',
  remarks: texts.map((text) => remark(text)),
  values: undefined,
})

export const confirm = (...texts: readonly string[]): Answer => ({
  kind: 'confirm',
  remarks: texts.map((text) => remark(text, { severity: 'confirm' })),
})

export const failed = (
  cause: FailureCause = 'timeout',
  remarks: readonly Remark[] = [],
): Answer => ({
  kind: 'failed',
  cause,
  remarks,
  detail: `${cause} it was`,
})

export const timed = (answer: Answer, over: Partial<TimedAnswer> = {}): TimedAnswer => ({
  answer,
  status: answer.kind === 'cancelled' ? undefined : 200,
  startedMs: 0,
  durationMs: 5,
  ...over,
})

/** Confirms findings whose text is among these. */
export const deskConfirming = (...texts: readonly string[]): ConfirmationDesk => ({
  tokenFor: (finding) => `token for ${finding.message.text}`,
  isConfirmed: (finding) => texts.includes(finding.message.text),
})
