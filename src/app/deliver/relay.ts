/**
 * After the commit: events become numbered deliveries, deliveries become requests, replies become states.
 *
 * The database is authoritative for what is still owed; what runs here only moves it along, beside any
 * number of other gateways that do the same. Three loops: one plans, one sends, one looks after what does
 * not happen by itself. They are woken in process right after a commit and look by themselves now and
 * then, so a lost wake-up costs a moment and nothing else. A crash after the planning leaves deliveries
 * that are due; a crash after sending leaves a lease that runs out, and the receiver sees the same
 * webhook-id again: at least once, never invented.
 */

import { Loop } from './loop.ts'
import type { RelayPorts } from './relay-ports.ts'
import { Sender } from './sender.ts'
import { upkeep } from './upkeep.ts'

/** Deliveries made at a time, by about. More would keep their lanes locked for long. */
const PLAN_MAX = 1_000
/** How often it looks without being woken: for other gateways' events and for what they left behind. */
const POLL_MS = 500
const UPKEEP_MS = 1_000
/** Another gateway is planning just now, and may have looked a moment too early. */
const BUSY_MS = 10

export class Relay {
  readonly #planning: Loop
  readonly #sender: Sender
  readonly #upkeep: Loop

  constructor(given: Omit<RelayPorts, 'onRaised'>) {
    const ports = { ...given, onRaised: () => this.wake() }
    const { clock, journal } = ports
    this.#sender = new Sender(ports)
    this.#planning = new Loop({
      clock,
      journal,
      step: 'plan',
      pollMs: POLL_MS,
      look: () => plan(ports, () => this.#sender.wake()),
    })
    this.#upkeep = new Loop({
      clock,
      journal,
      step: 'look after deliveries',
      pollMs: UPKEEP_MS,
      look: upkeep(ports, () => this.#sender.wake()),
    })
  }

  start(): void {
    this.#sender.start()
    this.#planning.start()
    this.#upkeep.start()
  }

  /** Something was committed that somebody is told of. Cheap: called after every such commit. */
  wake(): void {
    this.#planning.wake()
  }

  /** Settings changed, or somebody wants deliveries sent again. */
  tend(): void {
    this.#upkeep.wake()
    this.#sender.wake()
  }

  /** What keeps it from working at the moment; null when nothing does. */
  get trouble(): string | null {
    return this.#planning.trouble ?? this.#sender.trouble ?? this.#upkeep.trouble
  }

  /** Claims nothing more, and resolves when everything under way is written down. */
  async stop(): Promise<void> {
    await Promise.all([this.#planning.stop(), this.#upkeep.stop(), this.#sender.stop()])
  }
}

async function plan({ outbox }: RelayPorts, onPlanned: () => void): Promise<number> {
  const { events, isMore, isBusy } = await outbox.plan(PLAN_MAX)
  if (events > 0) onPlanned()
  if (isMore) return 0
  return isBusy ? BUSY_MS : POLL_MS
}
