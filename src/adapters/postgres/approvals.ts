/**
 * The end of the path of an approval: one transaction.
 *
 * What may fail, and what happens then:
 * - no connection to be had: nothing was sent, `store_unavailable`;
 * - the statement fails for one item's sake: every item is sent again by itself, so the others succeed;
 * - the connection is lost while the statement runs: nobody knows. Then a row that bars the decision is
 *   inserted under its id on another connection. If the statement had committed, or is about to, that
 *   insert waits for it and finds the row there: committed. If it goes in, the statement can never commit
 *   any more (its own row would violate the key): nothing was written. Only when the database stays away
 *   is the answer `outcome_unknown`, and a repeated request with the same key finds out.
 */

import type { Clock, Journal } from '../../app/ports.ts'
import type { Approvals, CommitItem, CommitResult, DecisionEntry } from '../../app/store.ts'
import { recordKey } from '../../domain/chain.ts'
import { Problem } from '../../domain/problem.ts'
import type { Verdict } from '../../domain/verdict.ts'
import { type BatchEntry, Batcher } from './commit-batcher.ts'
import { BAR, type BarRow, type CommitRow, commitRow, commitStatement } from './commit-statement.ts'
import { type Database, NotSent } from './database.ts'
import { DecisionLog } from './decision-log.ts'
import { asWriteProblem, isLostConnection } from './sqlstate.ts'

/** Two statements keep the disk busy; more make the batches smaller. The embedded database has one session. */
const WRITERS = { embedded: 1, server: 2 } as const
const BATCH_MAX = 128
const QUEUE_MAX = 10_000
/** How long the outcome of a lost statement is looked for. */
const SETTLE_TRIES = 10
const SETTLE_PAUSE_MS = 200

type Entry = BatchEntry<CommitItem, CommitResult>

export type ApprovalsPorts = {
  readonly database: Database
  readonly clock: Clock
  readonly journal: Journal
}

export class PostgresApprovals implements Approvals {
  readonly #ports: ApprovalsPorts
  readonly #batcher: Batcher<CommitItem, CommitResult>
  readonly #log: DecisionLog

  constructor(ports: ApprovalsPorts) {
    this.#ports = ports
    this.#log = new DecisionLog(ports)
    this.#batcher = new Batcher<CommitItem, CommitResult>({
      writers: WRITERS[ports.database.kind],
      batchMax: BATCH_MAX,
      queueMax: QUEUE_MAX,
      withdrawn: 'withdrawn',
      send: (entries) => this.#send(entries),
    })
  }

  commit(item: CommitItem, isWanted: () => boolean): Promise<CommitResult> {
    const { entry, write } = item
    const { accountId, change } = entry
    const key = write && recordKey(accountId, change.catalogId, write.recordId)
    return this.#batcher.add(item, key, isWanted)
  }

  log(entry: DecisionEntry): void {
    this.#log.add(entry)
  }

  amend(accountId: string, decisionId: string, verdicts: readonly Verdict[]): void {
    this.#log.amend(accountId, decisionId, verdicts)
  }

  flush(): Promise<void> {
    return this.#log.flush()
  }

  /** Logged decisions and commits that still wait for the database. */
  get queued(): number {
    return this.#batcher.queued + this.#log.queued
  }

  async close(): Promise<void> {
    await this.#log.close()
  }

  async #send(entries: readonly Entry[]): Promise<void> {
    const { clock, journal, database } = this.#ports
    const startedAt = clock.monotonicMs()
    try {
      const items = entries.map(({ item }) => item)
      const accounts = new Set(items.map(({ entry }) => entry.accountId))
      const rows = await database
        .of(...accounts)
        .run<CommitRow>(commitStatement(items), [JSON.stringify(items.map(commitRow))])
      for (const { ord, result } of rows) entries[ord]?.resolve(result)
      const durationMs = clock.monotonicMs() - startedAt
      journal.record({ kind: 'commit.flushed', items: entries.length, durationMs })
    } catch (error) {
      await this.#recover(entries, error)
    }
  }

  async #recover(entries: readonly Entry[], error: unknown): Promise<void> {
    if (error instanceof NotSent) {
      const cause = { cause: error, retryAfterSeconds: 1 }
      for (const entry of entries) entry.reject(new Problem('store_unavailable', cause))
      return
    }
    if (isLostConnection(error)) {
      await Promise.all(entries.map((entry) => this.#settle(entry, error)))
      return
    }
    const [only, ...others] = entries
    if (only === undefined) return
    if (others.length === 0) {
      only.reject(asWriteProblem(error))
      return
    }
    this.#ports.journal.record({ kind: 'commit.fell_apart', items: entries.length, error })
    for (const entry of entries) await this.#send([entry])
  }

  /** Finds out what became of an item whose statement was lost. */
  async #settle({ item, resolve, reject }: Entry, error: unknown): Promise<void> {
    const { id, accountId } = item.entry
    for (let tries = 0; tries < SETTLE_TRIES; tries++) {
      try {
        const [row] = await this.#ports.database.of(accountId).run<BarRow>(BAR, [accountId, id])
        if (row === undefined) throw new TypeError('the bar told nothing')
        if (row.decision !== 'void') return resolve('committed')
        const cause = { cause: error, retryAfterSeconds: 1 }
        return reject(new Problem('store_unavailable', cause))
      } catch {
        await pause(this.#ports.clock, SETTLE_PAUSE_MS)
      }
    }
    reject(new Problem('outcome_unknown', { cause: error, retryAfterSeconds: 2 }))
  }
}

function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.schedule(delayMs, resolve)
  })
}
