/**
 * Decisions that nobody has to wait for: denials, dry runs, answers to somebody still typing. They are
 * stored a moment after the answer, many at a time. Whoever reads decisions waits for them first, and a
 * process that ends in order flushes them; kill -9 may take the last ones, never a commit.
 *
 * When the database is away they wait here; when there is no more room the approval itself is refused,
 * because an answer that leaves no trace is not given.
 */

import type { CommitItem, DecisionEntry } from '../../app/store.ts'
import { Problem } from '../../domain/problem.ts'
import type { Verdict } from '../../domain/verdict.ts'
import type { ApprovalsPorts } from './approvals.ts'
import { AMEND, commitRow, LOG } from './commit-statement.ts'
import { NotSent } from './database.ts'
import { isLostConnection, isUniqueViolation } from './sqlstate.ts'

const QUEUE_MAX = 10_000
/** Entries wait as text, whose length is known: records may be a megabyte each. */
const QUEUE_CHARACTERS_MAX = 64 * 1_048_576
const BATCH_MAX = 256
const RETRY_MS = 500
/** Decisions that come within so short a time of each other share a statement. */
const GATHER_MS = 10

/** `after`: how many entries had been added before it; they are stored first, it may be about one of them. */
type Amendment = {
  readonly after: number
  readonly account: string
  readonly id: string
  readonly verdicts: readonly Verdict[]
}

/** Somebody who waits until that many entries and amendments have been dealt with. */
type Waiting = {
  readonly entries: number
  readonly amendments: number
  readonly tell: () => void
}

export class DecisionLog {
  readonly #ports: ApprovalsPorts
  #entries: string[] = []
  #characters = 0
  #ord = 0
  #amendments: Amendment[] = []
  #underway = { entries: 0, amendments: 0 }
  /** Dealt with since the start: stored, or refused by the database. */
  #done = { entries: 0, amendments: 0 }
  #running: Promise<void> | null = null
  #isClosing = false
  #waiting: Waiting[] = []
  /** Ends the gathering that is under way. */
  #hurry: () => void = () => {}

  constructor(ports: ApprovalsPorts) {
    this.#ports = ports
  }

  get queued(): number {
    return this.#entries.length + this.#underway.entries
  }

  add(entry: DecisionEntry): void {
    const isFull = this.#entries.length >= QUEUE_MAX || this.#characters >= QUEUE_CHARACTERS_MAX
    if (isFull) {
      throw new Problem('overloaded', {
        detail: 'Decisions cannot be stored at the moment.',
        retryAfterSeconds: 1,
      })
    }
    this.#ord = (this.#ord + 1) % 1_000_000_000
    const text = JSON.stringify(commitRow(decisionOnly(entry), this.#ord))
    this.#entries.push(text)
    this.#characters += text.length
    this.#start()
    if (this.#entries.length >= BATCH_MAX) this.#hurry()
  }

  amend(account: string, id: string, verdicts: readonly Verdict[]): void {
    // Late verdicts of shadows are for statistics: with no room left they are let go.
    if (this.#amendments.length >= QUEUE_MAX) return
    this.#amendments.push({ after: this.#added().entries, account, id, verdicts })
    this.#start()
  }

  /**
   * Waits until all that was added so far is stored, or until the database turned out to be away. What is
   * added later is not waited for, so that a reader gets its turn while decisions keep coming.
   */
  async flush(): Promise<void> {
    if (this.#running === null) return
    const { entries, amendments } = this.#added()
    await new Promise<void>((tell) => {
      this.#waiting.push({ entries, amendments, tell })
      this.#hurry()
    })
  }

  async close(): Promise<void> {
    this.#isClosing = true
    this.#hurry()
    await this.#running
  }

  #added() {
    return {
      entries: this.#done.entries + this.#underway.entries + this.#entries.length,
      amendments: this.#done.amendments + this.#underway.amendments + this.#amendments.length,
    }
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = null
      this.#tellWaiting(() => true)
      if (this.#hasWork() && !this.#isClosing) this.#start()
    })
  }

  #hasWork(): boolean {
    return this.#entries.length > 0 || this.#amendments.length > 0
  }

  #tellWaiting(isTold: (waiting: Waiting) => boolean): void {
    const [told, left] = [this.#waiting.filter(isTold), this.#waiting.filter((one) => !isTold(one))]
    this.#waiting = left
    for (const { tell } of told) tell()
  }

  #isDone({ entries, amendments }: Waiting): boolean {
    return entries <= this.#done.entries && amendments <= this.#done.amendments
  }

  async #run(): Promise<void> {
    while (this.#hasWork()) {
      await this.#gather()
      const entries = this.#entries.splice(0, BATCH_MAX)
      const amendments = this.#dueAmendments(this.#done.entries + entries.length)
      const sizes = { entries: entries.length, amendments: amendments.length }
      this.#underway = sizes
      const error = await this.#store(entries, amendments)
      this.#underway = { entries: 0, amendments: 0 }
      if (error === null) {
        for (const text of entries) this.#characters -= text.length
        this.#done.entries += sizes.entries
        this.#done.amendments += sizes.amendments
        this.#tellWaiting((one) => this.#isDone(one))
        continue
      }
      if (this.#isClosing) return this.#giveUp(sizes.entries, error)
      this.#entries.unshift(...entries)
      this.#amendments.unshift(...amendments)
      this.#ports.journal.record({ kind: 'store.trouble', error })
      this.#tellWaiting(() => true)
      await new Promise<void>((resolve) => void this.#ports.clock.schedule(RETRY_MS, resolve))
    }
  }

  /** Lets a batch come together, unless it is large enough or somebody waits for it. */
  #gather(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.length > 0 || this.#isClosing || this.#entries.length >= BATCH_MAX) {
        return resolve()
      }
      const stop = this.#ports.clock.schedule(GATHER_MS, resolve)
      this.#hurry = () => {
        stop()
        resolve()
      }
    })
  }

  /** Takes the amendments whose entries are among the first `stored`. They are in order of adding. */
  #dueAmendments(stored: number): Amendment[] {
    const later = this.#amendments.findIndex(({ after }) => after > stored)
    const due = later === -1 ? this.#amendments.length : later
    return this.#amendments.splice(0, Math.min(due, BATCH_MAX))
  }

  /** Null when nothing is left to do about them; else why the database could not be asked. */
  async #store(entries: string[], amendments: Amendment[]): Promise<unknown> {
    const { clock, journal } = this.#ports
    const startedAt = clock.monotonicMs()
    try {
      if (entries.length > 0) await this.#insertAll(entries)
      if (amendments.length > 0) await this.#amend(amendments)
    } catch (error) {
      if (isAway(error)) return error
      journal.record({ kind: 'log.dropped', items: amendments.length, error })
    }
    const items = entries.length + amendments.length
    journal.record({ kind: 'log.flushed', items, durationMs: clock.monotonicMs() - startedAt })
    return null
  }

  async #insertAll(entries: readonly string[]): Promise<void> {
    try {
      await this.#insert(entries)
    } catch (error) {
      if (isAway(error)) throw error
      await this.#insertOneByOne(entries, error)
    }
  }

  async #insert(entries: readonly string[]): Promise<void> {
    await this.#ports.database.everyone.run(LOG, [`[${entries.join(',')}]`])
  }

  async #amend(amendments: readonly Amendment[]): Promise<void> {
    const rows = amendments.map(({ account, id, verdicts }) => ({ account, id, verdicts }))
    await this.#ports.database.everyone.run(AMEND, [JSON.stringify(rows)])
  }

  /** One entry that the database refuses must not keep the others out; one that is there already is fine. */
  async #insertOneByOne(entries: readonly string[], cause: unknown): Promise<void> {
    for (const entry of entries) {
      try {
        if (entries.length === 1) throw cause
        await this.#insert([entry])
      } catch (error) {
        if (isAway(error)) throw error
        if (isUniqueViolation(error)) continue
        this.#ports.journal.record({ kind: 'log.dropped', items: 1, error })
      }
    }
  }

  #giveUp(underway: number, error: unknown): void {
    const items = underway + this.#entries.length
    this.#done = this.#added()
    this.#entries = []
    this.#amendments = []
    this.#characters = 0
    this.#ports.journal.record({ kind: 'log.dropped', items, error })
  }
}

function isAway(error: unknown): boolean {
  return error instanceof NotSent || isLostConnection(error)
}

/** A decision without a record, a key or an event. */
function decisionOnly(entry: DecisionEntry): CommitItem {
  return {
    entry,
    write: null,
    events: [],
    insistsOnGeneration: false,
    keep: null,
    pending: null,
    definesCatalog: false,
    exceptions: [],
  }
}
