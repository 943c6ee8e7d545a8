/**
 * A subscription that has no success for days is told of before it is disabled. What was told is kept with
 * its lane, in the transaction that makes the event, so each mark is told once, whoever notices it first.
 * Marks are passed with time; disabled it is by an attempt that fails then, since a receiver that nobody
 * has needed meanwhile may be well again.
 */
import type { OperationalOccurrence } from '../../domain/change.ts'
import { operationalEvent } from '../../domain/notification.ts'
import type { DisabledReason } from '../../domain/subscription.ts'
import type { Configurations } from '../configuration.ts'
import type { FailingSubscription, Outbox } from '../delivery-store.ts'
import type { Clock, Ids, Journal } from '../ports.ts'
import type { Subscriptions } from '../store.ts'

/** Per cent of the gateway's patience, the most first. */
const MARKS = [90, 70, 50] as const
/** The share of it from which on a subscription is looked at. */
export const FAILING_SHARE = 0.5

export type RetirePorts = {
  readonly configurations: Configurations
  readonly subscriptions: Subscriptions
  readonly ids: Ids
  readonly journal: Journal
  /** An event was stored that somebody is told of. */
  readonly onRaised: () => void
}

export type FailingPorts = RetirePorts & {
  readonly clock: Clock
  readonly outbox: Outbox
  readonly patience: { readonly autoDisableAfterMs: number | null }
}

/** After a failed attempt. */
export async function heedFailing(
  failing: FailingSubscription,
  ports: FailingPorts,
): Promise<void> {
  const { accountId, subscriptionId, failingMs } = failing
  const { autoDisableAfterMs } = ports.patience
  if (autoDisableAfterMs === null) return
  if (failingMs < autoDisableAfterMs) return warn(failing, ports)
  const failingSince = sinceOf(failing, ports)
  return retire({ accountId, subscriptionId, reason: 'failing', failingSince }, ports)
}

/** Tells of the mark that was passed last, if nobody has. */
export async function warn(failing: FailingSubscription, ports: FailingPorts): Promise<void> {
  const { accountId, subscriptionId, failingMs, toldPercent } = failing
  const { autoDisableAfterMs } = ports.patience
  if (autoDisableAfterMs === null) return
  const percent = MARKS.find((mark) => failingMs >= (autoDisableAfterMs * mark) / 100)
  if (percent === undefined || percent <= toldPercent) return
  const values = { failingSince: sinceOf(failing, ports), percent }
  const told = { event: 'subscription.failing', accountId, subscriptionId, values } as const
  const event = await eventOf(told, ports)
  const isFirst = await ports.outbox.noteFailing(failing, percent, event)
  if (!isFirst) return
  const kind = 'subscription.failing'
  ports.journal.record({ kind, accountId, subscriptionId, percent, failingMs })
  if (event !== null) ports.onRaised()
}

const sinceOf = ({ failingMs }: FailingSubscription, { clock }: FailingPorts): string =>
  new Date(clock.wallMs() - failingMs).toISOString()

export type Retirement = {
  readonly accountId: string
  readonly subscriptionId: string
  readonly reason: Exclude<DisabledReason, 'manual'>
  readonly failingSince?: string
}

/** Disables a subscription because of what its receiver said or did, and tells of it. */
export async function retire(retirement: Retirement, ports: RetirePorts): Promise<void> {
  const { accountId, subscriptionId, reason, failingSince } = retirement
  const values = { reason, failingSince: failingSince ?? null }
  const told = { event: 'subscription.disabled', accountId, subscriptionId, values } as const
  const event = await eventOf(told, ports)
  const { subscriptions, journal, onRaised } = ports
  const isDone = await subscriptions.disable(accountId, subscriptionId, reason, event)
  if (!isDone) return
  journal.record({ kind: 'subscription.disabled', accountId, subscriptionId, reason })
  if (event !== null) onRaised()
}

async function eventOf(occurrence: OperationalOccurrence, { configurations, ids }: RetirePorts) {
  const { index } = await configurations.fresh(occurrence.accountId)
  const name = index.byId.get(occurrence.subscriptionId)?.name
  const event = operationalEvent({ ...occurrence, values: { name, ...occurrence.values } }, index)
  return event && { ...event, id: ids.make('evt') }
}
