/** Sends a sample to a subscription, and shows what went out, what came back and what it would mean. */

import { EMPTY_CHAIN } from '../domain/chain.ts'
import {
  type Change,
  type ChangeEvent,
  changeOf,
  isChangeEvent,
  isOperationalEvent,
  NOTIFICATION_EVENTS,
  type NotificationEvent,
  type OperationalEvent,
} from '../domain/change.ts'
import { decide } from '../domain/decision.ts'
import type { Locales } from '../domain/message.ts'
import { type EventBody, operationalBody } from '../domain/notification.ts'
import { Problem } from '../domain/problem.ts'
import type { Subscription } from '../domain/subscription.ts'
import { overlay, type Values } from '../domain/values.ts'
import type { Configurations } from './configuration.ts'
import { confirmationDesk } from './confirmations.ts'
import type { ChainTokens, Clock, Dispatch, Exchange, Ids, Prober, Vault } from './ports.ts'

export type TryPorts = {
  readonly configurations: Configurations
  readonly prober: Prober
  readonly ids: Ids
  readonly clock: Clock
  readonly vault: Vault
  readonly chainTokens: ChainTokens
}

type SampleEvent = ChangeEvent | NotificationEvent | OperationalEvent

/** What the sample says; whatever is left out is made up. */
export type Sample = {
  readonly event: SampleEvent | undefined
  readonly recordId: string | undefined
  readonly values: Values | undefined
  readonly prevValues: Values | undefined
  readonly user: Change['user']
}

export type Trial = {
  readonly request: Exchange['request']
  readonly reply: Exchange['reply']
  readonly durationMs: number
  readonly verdict: ReturnType<typeof decide>['verdicts'][number]
  readonly decision: ReturnType<typeof decide>['decision']
  readonly findings: ReturnType<typeof decide>['errors']
  readonly values: Values
  /** What went wrong, where the validator could not be asked. */
  readonly detail: string | null
}

export type TrialRequest = {
  readonly accountId: string
  readonly id: string
  readonly sample: Sample
  readonly locales: Locales
}

export async function trySubscription(
  { accountId, id, sample, locales }: TrialRequest,
  ports: TryPorts,
): Promise<Trial> {
  const { index, generation, accountNumber } = await ports.configurations.of(accountId)
  const subscription = index.byId.get(id)
  if (subscription === undefined) throw new Problem('not_found')
  const event = sample.event ?? firstEvent(subscription)
  const asked = isChangeEvent(event) ? event : ASKED_AS[event]
  const change = sampleChange(subscription, sample, asked)
  const exchange = isChangeEvent(event)
    ? await ports.prober.probe(questionAbout(subscription, change, ports))
    : await ports.prober.tell({
        ...dispatchOf(subscription, ports),
        body: isOperationalEvent(event)
          ? operationalSample(subscription, sample, event, ports.clock)
          : notificationSample(change, event, ports.ids),
        accountNumber,
      })
  const timed = {
    answer: exchange.answer,
    status: exchange.reply?.status,
    startedMs: 0,
    durationMs: exchange.durationMs,
  }
  // The trial shows what an enforced verdict would do, whatever the subscription's mode.
  const enforced: Subscription = { ...subscription, mode: 'enforce' }
  const plan = { generation, change, asked: [enforced], considered: [] }
  const desk = confirmationDesk([], ports)
  const decision = decide({ plan, answers: [timed], locales, desk })
  const [verdict] = decision.verdicts
  if (verdict === undefined) throw new TypeError('a plan of one has one verdict')
  return {
    request: exchange.request,
    reply: exchange.reply,
    durationMs: exchange.durationMs,
    verdict,
    decision: decision.decision,
    findings: [...decision.errors, ...decision.warnings, ...decision.infos],
    values: decision.suggestions,
    detail: exchange.answer.kind === 'failed' ? exchange.answer.detail : null,
  }
}

function questionAbout(subscription: Subscription, change: Change, ports: TryPorts) {
  const nowMs = ports.clock.wallMs()
  const inquiry = {
    look: 1 as const,
    change,
    decisionId: ports.ids.make('dec'),
    occurredAtMs: nowMs,
    deadlineAtMs: nowMs + subscription.timeoutMs,
    dryRun: true,
    chainToken: ports.chainTokens.seal(EMPTY_CHAIN),
    traceparent: undefined,
  }
  return { subscription, inquiry, budgetMs: subscription.timeoutMs }
}

/** The event that the subscription is for: a request before a commit where it lists one. */
function firstEvent({ events }: Subscription): SampleEvent {
  const told = NOTIFICATION_EVENTS.find((event) => events.includes(event))
  const heard = told ?? events.find(isOperationalEvent)
  return events.find(isChangeEvent) ?? heard ?? 'record.before.created'
}

/**
 * The change that a notification would come after. An operational event comes after none: a change stands
 * in for it, since verdicts are only ever read on one.
 */
const ASKED_AS = {
  'record.created': 'record.before.created',
  'record.updated': 'record.before.updated',
  'record.deleted': 'record.before.deleted',
  'subscription.failing': 'record.before.updated',
  'subscription.disabled': 'record.before.updated',
} as const satisfies Record<NotificationEvent | OperationalEvent, ChangeEvent>

/** A sample takes no number: the receiver would miss it in the sequence of real ones. */
const SAMPLE_SEQUENCE_ID = 0

function dispatchOf(
  subscription: Subscription,
  { ids, clock }: TryPorts,
): Omit<Dispatch, 'body' | 'accountNumber'> {
  return {
    subscription,
    deliveryId: `${ids.make('evt')}_${subscription.id}`,
    occurredAtMs: clock.wallMs(),
    sequenceId: SAMPLE_SEQUENCE_ID,
  }
}

function notificationSample(change: Change, event: NotificationEvent, ids: Ids): EventBody {
  const { accountId, catalogId, values, prevValues, changedFields, user, context } = change
  const decisionId = ids.make('dec')
  const recordId = change.recordId ?? 'sample'
  const told = { values, prevValues, changedFields, user, context, decisionId }
  return { event, accountId, catalogId, recordId, ...told }
}

/** As if it had happened to the subscription itself. */
function operationalSample(
  { id, accountId, name }: Subscription,
  { values }: Sample,
  event: OperationalEvent,
  clock: Clock,
): EventBody {
  const failingSince = new Date(clock.wallMs()).toISOString()
  const made = { name, failingSince, ...OPERATIONAL_SAMPLES[event] }
  return operationalBody({
    event,
    accountId,
    subscriptionId: id,
    values: overlay(made, values),
  })
}

const OPERATIONAL_SAMPLES = {
  'subscription.failing': { percent: 50 },
  'subscription.disabled': { reason: 'failing' },
} as const satisfies Record<OperationalEvent, Values>

function sampleChange(subscription: Subscription, sample: Sample, event: ChangeEvent): Change {
  const fields = subscription.fields.length > 0 ? subscription.fields : ['title']
  const made = Object.fromEntries(fields.map((field) => [field, 'sample']))
  const values = sample.values ?? made
  const isCreate = event === 'record.before.created'
  return changeOf({
    event,
    accountId: subscription.accountId,
    catalogId: subscription.catalogId === '*' ? 'sample' : subscription.catalogId,
    recordId: sample.recordId ?? (isCreate ? undefined : 'sample'),
    values: event === 'record.before.deleted' ? undefined : values,
    prevValues: isCreate ? undefined : (sample.prevValues ?? {}),
    allValues: event === 'record.updating' ? values : undefined,
    user: sample.user ?? { id: 'sample' },
    context: undefined,
  })
}
