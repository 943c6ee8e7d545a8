/**
 * What the relay, and those who look after deliveries, need of the store. The other half is store.ts.
 */
import type { DeliveryState, EndedState, EventBody, NamedEvent } from '../domain/notification.ts'
import type { DispatchResult } from './ports.ts'
import type { Page } from './store.ts'

/** How far a planner came. */
export type Planned = {
  /** Events whose deliveries were made. */
  readonly events: number
  /** There are others to be planned. */
  readonly isMore: boolean
  /** Others are being planned by another gateway, which may have overlooked the latest. */
  readonly isBusy: boolean
}

export type ClaimOrder = {
  /** Deliveries to take at most. */
  readonly places: number
  /** So many of them may be for receivers that keep failing. */
  readonly failingPlaces: number
  readonly leaseMs: number
}

export type ClaimedDelivery = {
  readonly accountId: string
  readonly subscriptionId: string
  readonly sequenceId: number
  readonly deliveryId: string
  readonly leaseId: string
  /** Failed attempts so far. */
  readonly failures: number
  /** It takes one of the places for receivers that keep failing. */
  readonly isFailing: boolean
  /** Milliseconds to wait before it is sent, where the subscription's rate is limited. */
  readonly startInMs: number
  readonly body: EventBody
  readonly occurredAtMs: number
}

export type Settlement = {
  readonly delivery: ClaimedDelivery
  readonly state: Extract<DeliveryState, 'delivered' | 'retrying' | 'dead' | 'cancelled' | 'held'>
  readonly retryInMs: number | null
  /** What it says about the receiver. */
  readonly sign: 'success' | 'failure' | 'neither'
  /** Null when nothing was sent. */
  readonly result: DispatchResult | null
}

/** A subscription that has had no success for a while. */
export type FailingSubscription = {
  readonly accountId: string
  readonly subscriptionId: string
  readonly failingMs: number
  /** How much of the gateway's patience was told of already, in per cent. */
  readonly toldPercent: number
}

/** Moves deliveries along. Any number of gateways may do so beside each other. */
export interface Outbox {
  /** Turns committed events into numbered deliveries, about so many. */
  plan(deliveriesMax: number): Promise<Planned>
  /** Takes deliveries that are due, each under a lease. */
  claim(order: ClaimOrder): Promise<readonly ClaimedDelivery[]>
  /** Keeps leases for so much longer. */
  extend(leaseIds: readonly string[], leaseMs: number): Promise<void>
  /**
   * Writes down how attempts ended. Throws Problem `store_busy` when somebody keeps one of the subscriptions
   * locked. An attempt whose lease was lost is logged and changes nothing. Tells
   * which of the subscriptions have been failing for `failingAfterMs`; null: none is told.
   */
  settle(
    settlements: readonly Settlement[],
    failingAfterMs: number | null,
  ): Promise<readonly FailingSubscription[]>
  /** Gives back what was claimed by a process that is no more. */
  reap(): Promise<number>
  /** A step of holding, letting go or cancelling after a subscription changed; false: nothing to do. */
  turn(): Promise<boolean>
  /** A step of a replay; `waiting`: none could go on just now. */
  replay(): Promise<'going' | 'waiting' | 'none'>
  /** Sets subscriptions right whose deliveries somebody has moved past the relay; how many. */
  mend(): Promise<number>
  /** The same for records of which nothing goes on. Looks at everything that waits. */
  mendChains(): Promise<number>
  /** Subscriptions that have been failing for so long and were not told of all of it. */
  failing(afterMs: number): Promise<readonly FailingSubscription[]>
  /** Makes room for the attempts of the next days, and drops those older than so many days. */
  keepAttempts(days: number): Promise<void>
  /** Notes that a failing subscription was told of, with the event that tells; false: it was already. */
  noteFailing(
    failing: Pick<FailingSubscription, 'accountId' | 'subscriptionId'>,
    percent: number,
    event: NamedEvent | null,
  ): Promise<boolean>
  /** Milliseconds until the next delivery comes due; infinite when none does. */
  nextDueInMs(): Promise<number>
  /** Age in milliseconds of the oldest event or delivery that is due and not under way; 0 for none. */
  backlogAgeMs(): Promise<number>
}

export type DeliveryView = {
  readonly id: string
  readonly subscriptionId: string
  readonly sequenceId: number
  readonly event: string
  /** Null where the event is about no record. */
  readonly catalogId: string | null
  readonly recordId: string | null
  readonly state: DeliveryState
  readonly failures: number
  readonly dueAt: string | null
  readonly lastStatus: number | null
  readonly createdAt: string
  readonly endedAt: string | null
}

export type AttemptView = {
  readonly at: string
  readonly requestHeaders: Readonly<Record<string, string>>
  readonly status: number | null
  readonly reply: string
  readonly durationMs: number
  readonly error: string | null
}

export type NotificationView = {
  readonly id: string
  readonly event: string
  /** Null where the event is about no record. */
  readonly catalogId: string | null
  readonly recordId: string | null
  /** Null where nothing was decided. */
  readonly decisionId: string | null
  readonly occurredAt: string
  readonly subscriptionIds: readonly string[]
}

export type DeliveryFilter = {
  readonly subscriptionId?: string | undefined
  readonly state?: DeliveryState | undefined
  readonly recordId?: string | undefined
}

/** Which ended deliveries of a subscription are sent again. */
export type ReplayOrder = {
  readonly since: string | undefined
  readonly until: string | undefined
  readonly fromSequenceId: number | undefined
  readonly toSequenceId: number | undefined
  readonly states: readonly EndedState[]
}

/** A replay that is under way; what it has looked through is before `nextSequenceId`. */
export type ReplayView = {
  readonly id: string
  readonly fromSequenceId: number
  readonly toSequenceId: number
  readonly nextSequenceId: number
  readonly requestedAt: string
}

/** What an account has still to tell. */
export type Backlog = {
  /** Age of the oldest event or delivery that is due and not under way; 0 for none. */
  readonly oldestMs: number
  /** Deliveries that are to be sent and not under way; not counted beyond a limit. */
  readonly waiting: number
}

/** A delivery as a receiver may fetch it. */
export type NumberedDelivery = {
  readonly sequenceId: number
  readonly id: string
  readonly state: DeliveryState
  readonly body: EventBody
  readonly occurredAtMs: number
}

export type RetryResult = 'on_its_way' | 'not_found' | 'under_way' | 'nobody_listens'

export interface Deliveries {
  list(accountId: string, filter: DeliveryFilter, page: Page): Promise<readonly DeliveryView[]>
  read(
    accountId: string,
    deliveryId: string,
  ): Promise<(DeliveryView & { readonly attemptLog: readonly AttemptView[] }) | null>
  /** Sends a delivery again, behind what is open of its record. */
  retry(accountId: string, deliveryId: string): Promise<RetryResult>
  /** Has ended deliveries sent again, chunk by chunk; the number of them. */
  replay(accountId: string, subscriptionId: string, order: ReplayOrder): Promise<number>
  /** How many that would be now. */
  countReplay(accountId: string, subscriptionId: string, order: ReplayOrder): Promise<number>
  /** Those under way of a subscription, the first that was ordered first. */
  replays(accountId: string, subscriptionId: string): Promise<readonly ReplayView[]>
  backlog(accountId: string): Promise<Backlog>
  /** In order of their number, behind `after`. */
  numbered(
    accountId: string,
    subscriptionId: string,
    after: number,
    limit: number,
  ): Promise<readonly NumberedDelivery[]>
  notifications(accountId: string, page: Page): Promise<readonly NotificationView[]>
}
