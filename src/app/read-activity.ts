/** What happened in an account over all gateways, and how its subscriptions stand with this one. */
import { type Activity, ActivitySum, type MinuteCounts } from '../domain/activity.ts'
import type { Configurations } from './configuration.ts'
import type { Backlog, Deliveries } from './delivery-store.ts'
import type { BreakerState, Clock, HealthDesk } from './ports.ts'

export interface ActivityLog {
  /** Hands over what gateways have counted since then, in order of time; some seconds late, but for this one's. */
  each(
    accountId: string,
    sinceMs: number,
    take: (minuteMs: number, counts: MinuteCounts) => void,
  ): Promise<void>
}

export type ActivityPorts = {
  readonly activity: ActivityLog
  readonly configurations: Configurations
  readonly deliveries: Pick<Deliveries, 'backlog'>
  readonly health: HealthDesk
  readonly clock: Pick<Clock, 'wallMs'>
}

export type ActivityView = Activity & {
  readonly breakers: readonly { readonly subscriptionId: string; readonly state: BreakerState }[]
  readonly backlog: Backlog
}

const MINUTE_MS = 60_000

/** The minute that is not over yet is one of them. */
export async function readActivity(
  accountId: string,
  minutes: number,
  { activity, configurations, deliveries, health, clock }: ActivityPorts,
): Promise<ActivityView> {
  const { index } = await configurations.of(accountId)
  const sum = new ActivitySum()
  const sinceMs = (Math.floor(clock.wallMs() / MINUTE_MS) - minutes + 1) * MINUTE_MS
  await activity.each(accountId, sinceMs, (minuteMs, counts) => sum.add(minuteMs, counts))
  const active = [...index.byId.values()].filter((subscription) => subscription.active)
  return {
    ...sum.end(),
    breakers: active.map(({ id }) => ({ subscriptionId: id, state: health.breakerOf(id) })),
    backlog: await deliveries.backlog(accountId),
  }
}
