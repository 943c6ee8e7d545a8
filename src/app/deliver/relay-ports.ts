import type { Clock, Ids, Journal, Notifier, Vault } from '../ports.ts'
import type { FailingPorts } from './watch-failing.ts'

export type RelayPorts = FailingPorts & {
  readonly notifier: Notifier
  readonly clock: Clock
  readonly ids: Ids
  readonly vault: Vault
  readonly journal: Journal
  readonly patience: Patience
}

export type Patience = {
  /** A subscription without a success for so long is disabled; null: none is. */
  readonly autoDisableAfterMs: number | null
  /** How long the log of attempts goes back. */
  readonly attemptsKeptDays: number
}
