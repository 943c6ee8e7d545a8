/**
 * Decisions that nobody has to wait for: denials, dry runs, answers to somebody still typing. They are
 * stored a moment after the answer, many at a time. Whoever reads decisions waits for them first, and a
 * process that ends in order flushes them; kill -9 may take the last ones, never a commit.
 *
 * When the database is away they wait here; when there is no more room the approval itself is refused,
 * because an answer that leaves no trace is not given.
 */

import type { DecisionEntry } from '../../app/store.ts'
import { Problem } from '../../domain/problem.ts'
import type { Verdict } from '../../domain/verdict.ts'
import type { ApprovalsPorts } from './approvals.ts'
import { AMEND, COMMIT, commitRow } from './commit-statement.ts'
import { NotSent } from './database.ts'
import { isLostConnection, isUniqueViolation } from './sqlstate.ts'

const QUEUE_MAX = 10_000
const BATCH_MAX = 256
const RETRY_MS = 500

type Amendment = { account: string; id: string; verdicts: readonly Verdict[] }

export class DecisionLog {
  readonly #ports: ApprovalsPorts
  #entries: DecisionEntry[] = []
  #amendments: Amendment[] = []
  #underway = 0
  #running: Promise<void> | null = null
  #isClosing = false
  readonly #waiting: (() => void)[] = []

  constructor(ports: ApprovalsPorts) {
    this.#ports = ports
  }

  get queued(): number {
    return this.#entries.length + this.#underway
  }

  add(entry: DecisionEntry): void {
    if (this.#entries.length >= QUEUE_MAX) {
      throw new Problem('overloaded', {
        detail: 'Decisions cannot be stored at the moment.',
        retryAfterSeconds: 1,
      })
    }
    this.#entries.push(entry)
    this.#start()
  }

  amend(account: string, id: string, verdicts: readonly Verdict[]): void {
    // Late verdicts of shadows are for statistics: with no room left they are let go.
    if (this.#amendments.length >= QUEUE_MAX) return
    this.#amendments.push({ account, id, verdicts })
    this.#start()
  }

  /** Waits until all is stored, or until the database turned out to be away. */
  async flush(): Promise<void> {
    if (this.#running === null) return
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  async close(): Promise<void> {
    this.#isClosing = true
    await this.#running
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = null
      this.#tellWaiting()
      if (this.#hasWork() && !this.#isClosing) this.#start()
    })
  }

  #hasWork(): boolean {
    return this.#entries.length > 0 || this.#amendments.length > 0
  }

  #tellWaiting(): void {
    for (const tell of this.#waiting.splice(0)) tell()
  }

  async #run(): Promise<void> {
    await new Promise(setImmediate)
    while (this.#hasWork()) {
      const entries = this.#entries.splice(0, BATCH_MAX)
      // Amendments go after all entries, because they may be about one of them.
      const amendments = entries.length === 0 ? this.#amendments.splice(0, BATCH_MAX) : []
      this.#underway = entries.length
      const error = await this.#store(entries, amendments)
      this.#underway = 0
      if (error === null) continue
      if (this.#isClosing) return this.#giveUp(entries.length, error)
      this.#entries.unshift(...entries)
      this.#amendments.unshift(...amendments)
      this.#ports.journal.record({ kind: 'store.trouble', error })
      this.#tellWaiting()
      await new Promise<void>((resolve) => void this.#ports.clock.schedule(RETRY_MS, resolve))
    }
  }

  /** Null when nothing is left to do about them; else why the database could not be asked. */
  async #store(entries: DecisionEntry[], amendments: Amendment[]): Promise<unknown> {
    const { clock, journal } = this.#ports
    const startedAt = clock.monotonicMs()
    try {
      if (entries.length > 0) await this.#insert(entries)
      if (amendments.length > 0) await this.#amend(amendments)
    } catch (error) {
      if (error instanceof NotSent || isLostConnection(error)) return error
      await this.#storeOneByOne(entries, error)
    }
    const items = entries.length + amendments.length
    journal.record({ kind: 'log.flushed', items, durationMs: clock.monotonicMs() - startedAt })
    return null
  }

  async #insert(entries: readonly DecisionEntry[]): Promise<void> {
    const rows = entries.map((entry, ord) => commitRow({ ...PLAIN, entry }, ord))
    await this.#ports.database.run(COMMIT, [JSON.stringify(rows)])
  }

  async #amend(amendments: readonly Amendment[]): Promise<void> {
    await this.#ports.database.run(AMEND, [JSON.stringify(amendments)])
  }

  /** One entry that the database refuses must not keep the others out; one that is there already is fine. */
  async #storeOneByOne(entries: readonly DecisionEntry[], cause: unknown): Promise<void> {
    for (const entry of entries) {
      try {
        if (entries.length === 1) throw cause
        await this.#insert([entry])
      } catch (error) {
        if (isUniqueViolation(error)) continue
        this.#ports.journal.record({ kind: 'log.dropped', items: 1, error })
      }
    }
  }

  #giveUp(underway: number, error: unknown): void {
    const items = underway + this.#entries.length
    this.#entries = []
    this.#amendments = []
    this.#ports.journal.record({ kind: 'log.dropped', items, error })
  }
}

/** A decision without a record, a key or an event. */
const PLAIN = {
  write: null,
  event: null,
  insistsOnGeneration: false,
  keep: null,
  pending: null,
  definesCatalog: false,
} as const
