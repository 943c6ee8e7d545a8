/**
 * Writes down how attempts ended. Those that end while a statement is under way share the next one. An
 * attempt keeps its place and its lease until it is written down, so what waits here is bounded.
 *
 * While the database is away results are kept, and a result that it refuses must not keep the others out:
 * when a statement fails its subscriptions go one by one, then their results. What is refused even alone is
 * let go of: its lease runs out, and it is sent again.
 */
import { getOrAdd } from '../../domain/maps.ts'
import { Problem } from '../../domain/problem.ts'
import type { Settlement } from '../delivery-store.ts'
import type { RelayPorts } from './relay-ports.ts'
import { FAILING_SHARE, heedFailing } from './watch-failing.ts'

/** What ends within so long travels together: a claim is mostly answered at about the same time. */
const GATHER_MS = 2
const BATCH_MAX = 256
const AGAIN_MS = 250

/** What could not be written for now, and whether the database is there at all. */
type Outcome = { readonly kept: readonly Settlement[]; readonly isAway: boolean }

export type SettlerOptions = {
  readonly ports: RelayPorts
  /** It is written down, or given up. */
  readonly onDone: (settlement: Settlement) => void
  /** Something was written down: places are free. The next batch waits for whoever wants them. */
  readonly onSettled: () => Promise<void>
}

export class Settler {
  readonly #options: SettlerOptions
  #ended: Settlement[] = []
  #settling: Promise<void> | null = null
  #isDue = false
  #isStopped = false
  #isFailing = false

  constructor(options: SettlerOptions) {
    this.#options = options
  }

  get trouble(): string | null {
    return this.#isFailing && this.#ended.length > 0 ? 'cannot settle' : null
  }

  add(settlement: Settlement): void {
    this.#ended.push(settlement)
    this.#settleIn(GATHER_MS)
  }

  /** Writes down what there is, as far as the database takes it. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#settling
    await this.#settleAll()
  }

  #settleIn(delayMs: number): void {
    if (this.#isDue || this.#settling !== null) return
    this.#isDue = true
    this.#options.ports.clock.schedule(delayMs, () => {
      this.#isDue = false
      this.#settling ??= this.#settleAll().finally(() => {
        this.#settling = null
        if (this.#ended.length === 0 || this.#isStopped) return
        // Also for one that ended after the last look and before this.
        this.#settleIn(this.#isFailing ? AGAIN_MS : GATHER_MS)
      })
    })
  }

  /** Once through everything that is there; what cannot be written now is kept for the next time. */
  async #settleAll(): Promise<void> {
    const kept: Settlement[] = []
    let isAway = false
    while (this.#ended.length > 0 && !isAway) {
      const outcome = await this.#settle(this.#ended.splice(0, BATCH_MAX))
      kept.push(...outcome.kept)
      isAway = outcome.isAway
      if (!isAway) await this.#options.onSettled()
    }
    this.#isFailing = kept.length > 0
    this.#ended.unshift(...kept)
  }

  async #settle(batch: readonly Settlement[]): Promise<Outcome> {
    try {
      await this.#write(batch)
    } catch (error) {
      this.#options.ports.journal.record({ kind: 'relay.stumbled', step: 'settle', error })
      if (isOf(error, 'store_unavailable')) return { kept: batch, isAway: true }
      const parts = partsBySubscription(batch)
      if (parts.length > 1) return this.#settleEach(parts)
      if (isOf(error, 'store_busy')) return { kept: batch, isAway: false }
      if (batch.length > 1) return this.#settleEach(batch.map((one) => [one]))
    }
    for (const settlement of batch) this.#options.onDone(settlement)
    return { kept: [], isAway: false }
  }

  async #settleEach(parts: readonly (readonly Settlement[])[]): Promise<Outcome> {
    const kept: Settlement[] = []
    let isAway = false
    for (const part of parts) {
      const outcome: Outcome = isAway ? { kept: part, isAway } : await this.#settle(part)
      kept.push(...outcome.kept)
      isAway = outcome.isAway
    }
    return { kept, isAway }
  }

  async #write(batch: readonly Settlement[]): Promise<void> {
    const { ports } = this.#options
    const { autoDisableAfterMs } = ports.patience
    const failingAfterMs = autoDisableAfterMs && autoDisableAfterMs * FAILING_SHARE
    for (const failing of await ports.outbox.settle(batch, failingAfterMs)) {
      heedFailing(failing, ports).catch((error: unknown) =>
        ports.journal.record({ kind: 'relay.stumbled', step: 'disable', error }),
      )
    }
  }
}

function partsBySubscription(batch: readonly Settlement[]): readonly (readonly Settlement[])[] {
  const parts = new Map<string, Settlement[]>()
  for (const settlement of batch) {
    const { accountId, subscriptionId } = settlement.delivery
    const key = JSON.stringify([accountId, subscriptionId])
    getOrAdd(parts, key, () => []).push(settlement)
  }
  return [...parts.values()]
}

function isOf(error: unknown, code: Problem['code']): boolean {
  return error instanceof Problem && error.code === code
}
