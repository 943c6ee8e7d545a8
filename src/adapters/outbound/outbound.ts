/** Everything that leaves the gateway for a subscriber: one guarded call, and what is built on it. */
import type {
  Asker,
  Clock,
  HealthDesk,
  Journal,
  Notifier,
  Prober,
  Renderer,
  Sequences,
} from '../../app/ports.ts'
import type { ActionRunner } from '../../app/run-action.ts'
import { createActionRunner } from './action-runner.ts'
import { createConnector } from './connector.ts'
import type { EgressPolicy } from './egress-policy.ts'
import { createAsker } from './http-asker.ts'
import { createNotifier } from './http-notifier.ts'
import { createProber } from './http-prober.ts'
import { Lines } from './lines.ts'
import { dispatchRequest, SharedBodies } from './outgoing.ts'
import type { EgressProxy } from './proxy-tunnel.ts'
import { createResolver, type Resolver } from './resolver.ts'

export type OutboundOptions = {
  readonly clock: Clock
  readonly journal: Journal
  readonly sequences: Sequences
  readonly policy: EgressPolicy
  /** Whether connecting there would reach this very process. */
  readonly isOwnAddress?: ((address: string, port: number) => boolean) | undefined
  /** Certificates (PEM) of authorities that are trusted beside the well-known ones. */
  readonly authorities?: readonly string[] | undefined
  readonly resolver?: Resolver | undefined
  /** Every call goes through it. */
  readonly proxy?: EgressProxy | null | undefined
}

export type Outbound = {
  readonly asker: Asker
  readonly prober: Prober
  readonly notifier: Notifier
  readonly renderer: Renderer
  readonly actionRunner: ActionRunner
  readonly health: HealthDesk
  /** Closes a subscription's breaker, as after somebody has mended the subscriber. */
  resetBreaker(subscriptionId: string): void
  /** Lets go of connections and counts of a subscription that is no more. */
  forget(subscriptionId: string): void
  /** The same for a menu action that is not as it was. */
  forgetAction(accountId: string, id: string): void
  /** Breaks off what is under way. */
  close(): void
}

export function createOutbound(options: OutboundOptions): Outbound {
  const { clock, journal, sequences, policy, isOwnAddress, authorities, proxy } = options
  const resolver = options.resolver ?? createResolver(clock)
  const connect = createConnector({ clock, resolver, policy, isOwnAddress, authorities, proxy })
  const lines = new Lines({ clock, journal, connect })
  const actions = createActionRunner({ clock, journal, connect })
  const sharedBodies = new SharedBodies()
  return {
    asker: createAsker({ clock, journal, sequences, lines, sharedBodies }),
    prober: createProber({ clock, sequences, lines, sharedBodies }),
    notifier: createNotifier({ clock, journal, lines }),
    actionRunner: actions,
    renderer: { bodyOf: (dispatch) => dispatchRequest(dispatch, clock).body },
    health: {
      of: (subscriptionId) => lines.healthOf(subscriptionId),
      breakerOf: (subscriptionId) => lines.breakerOf(subscriptionId),
    },
    resetBreaker: (subscriptionId) => lines.resetBreaker(subscriptionId),
    forget: (subscriptionId) => lines.forget(subscriptionId),
    forgetAction: (accountId, id) => actions.forget(accountId, id),
    close: () => {
      lines.close()
      actions.close()
    },
  }
}
