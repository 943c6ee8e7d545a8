/** Sends a sample to a subscription, and shows what went out, what came back and what it would mean. */

import { EMPTY_CHAIN } from '../domain/chain.ts'
import {
  APPLICATION_EVENT,
  type Change,
  type ChangeEvent,
  changeOf,
  DEGRADED_EVENT,
  isBuiltInEvent,
  isChangeEvent,
  isOperationalEvent,
  NOTIFICATION_EVENTS,
  type NotificationEvent,
  type OperationalEvent,
} from '../domain/change.ts'
import { decide } from '../domain/decision.ts'
import { degradedBody } from '../domain/degraded.ts'
import type { Locales } from '../domain/message.ts'
import { applicationBody, type EventBody, operationalBody } from '../domain/notification.ts'
import { Problem } from '../domain/problem.ts'
import { MASK, type Subscription } from '../domain/subscription.ts'
import { overlay, type Values } from '../domain/values.ts'
import type { Configuration, Configurations } from './configuration.ts'
import { confirmationDesk } from './confirmations.ts'
import type { InFlight } from './in-flight.ts'
import type { ChainTokens, Clock, Dispatch, Exchange, Ids, Prober, Vault } from './ports.ts'

/** Room for trials under way: they pass by breakers and bulkheads, so they get little. */
export const TRIALS_IN_FLIGHT_MAX = 64

export type TryPorts = {
  readonly trialsInFlight: Pick<InFlight, 'enter'>
  readonly configurations: Configurations
  readonly prober: Prober
  readonly ids: Ids
  readonly clock: Clock
  readonly vault: Vault
  readonly chainTokens: ChainTokens
}

/** What the sample says; whatever is left out is made up. */
export type Sample = {
  /** Any event of the account, listed by the subscription or not. */
  readonly event: string | undefined
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

export async function trySubscription(request: TrialRequest, ports: TryPorts): Promise<Trial> {
  const leave = ports.trialsInFlight.enter(request.accountId, null)
  try {
    return await carryOut(request, ports)
  } finally {
    leave()
  }
}

async function carryOut(
  { accountId, id, sample, locales }: TrialRequest,
  ports: TryPorts,
): Promise<Trial> {
  const configuration = await ports.configurations.of(accountId)
  const { index, generation, accountNumber } = configuration
  const subscription = index.byId.get(id)
  if (subscription === undefined || subscription.leavingSince !== null)
    throw new Problem('not_found')
  const event = sample.event ?? firstEvent(subscription, configuration)
  checkEvent(event, configuration)
  const asked = isChangeEvent(event) ? event : askedAs(event)
  const change = sampleChange(subscription, sample, asked)
  const exchange = isChangeEvent(event)
    ? await ports.prober.probe(questionAbout(subscription, change, ports))
    : await ports.prober.tell({
        ...dispatchOf(subscription, ports),
        body: toldSample(subscription, { sample, event, change }, ports),
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
    chainToken: ports.chainTokens.seal(EMPTY_CHAIN, subscription.accountId),
    traceparent: undefined,
  }
  return { subscription, inquiry, budgetMs: subscription.timeoutMs }
}

/** The event that the subscription is for: a request before a commit where it lists one. */
function firstEvent({ events }: Subscription, configuration: Configuration): string {
  const told = NOTIFICATION_EVENTS.find((event) => events.includes(event))
  const known = events.find((event) => isEvent(event, configuration))
  return events.find(isChangeEvent) ?? told ?? known ?? 'record.before.created'
}

/** One that was defined when it was listed may be gone. */
function isEvent(event: string, { eventTypes }: Configuration): boolean {
  return isBuiltInEvent(event) || eventTypes.byName.has(event)
}

function checkEvent(event: string, configuration: Configuration): void {
  if (isEvent(event, configuration)) return
  const complaints = [{ pointer: '/event', message: `There is no event "${event}".` }]
  throw new Problem('invalid_request', { complaints })
}

/** The change that a notification would come after. */
const ASKED_AS = {
  'record.created': 'record.before.created',
  'record.updated': 'record.before.updated',
  'record.deleted': 'record.before.deleted',
} as const satisfies Record<NotificationEvent, ChangeEvent>

/** Other events may come after none: a change stands in for it, since verdicts are only ever read on one. */
function askedAs(event: string): ChangeEvent {
  const isAfterChange = (name: string): name is NotificationEvent => Object.hasOwn(ASKED_AS, name)
  return isAfterChange(event) ? ASKED_AS[event] : 'record.before.created'
}

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

type ToldSample = {
  readonly sample: Sample
  readonly event: string
  readonly change: Change
}

function toldSample(
  subscription: Subscription,
  { sample, event, change }: ToldSample,
  { clock, ids }: TryPorts,
): EventBody {
  if (isOperationalEvent(event)) return operationalSample(subscription, sample, event, clock)
  if (event === DEGRADED_EVENT) return degradedSample(subscription, change, ids)
  if (event !== APPLICATION_EVENT) return notificationSample(change, event, ids)
  const { accountId } = subscription
  const userId = change.user?.id ?? 'sample'
  return applicationBody({ accountId, appId: 'sample', action: 'added', userId, accessToken: MASK })
}

function notificationSample(change: Change, event: string, ids: Ids): EventBody {
  const { accountId, catalogId, values, prevValues, changedFields, user, context } = change
  const decisionId = ids.make('dec')
  const recordId = change.recordId ?? 'sample'
  const told = { values, prevValues, changedFields, user, context, decisionId }
  return { event, accountId, catalogId, recordId, ...told }
}

/** As if the subscription itself had been passed by. */
function degradedSample({ id, name }: Subscription, change: Change, ids: Ids): EventBody {
  const passedBy = [{ subscriptionId: id, name, cause: 'timeout' as const }]
  return degradedBody({ change, recordId: 'sample', decisionId: ids.make('dec'), passedBy })
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
