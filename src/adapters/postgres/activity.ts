/**
 * What happens in accounts, counted in memory as the journal tells it and written behind: every few seconds the minutes
 * that have changed, of all accounts in one statement. What is written is all that this process has counted of a minute,
 * so that writing it again changes nothing. What cannot be written waits, up to a limit; what a killed process had
 * gathered is lost, and matters little.
 */
import type { JournalEvent } from '../../app/journal.ts'
import type { Clock } from '../../app/ports.ts'
import type { ActivityLog } from '../../app/read-activity.ts'
import { type MinuteCounts, MinuteTally } from '../../domain/activity.ts'
import type { Database, Statement } from './database.ts'
import { orUnavailable } from './sqlstate.ts'

const GATHER_MS = 5_000
const MINUTE_MS = 60_000
/** Minutes that are over and could not be written yet, of all accounts. */
const WAITING_MAX = 10_000
/** Minutes of one statement, written or read: each may have some kilobytes. */
const WRITTEN_MAX = 500
const READ_MAX = 100

const WRITE: Statement = {
  name: 'write_activity',
  text: `insert into activity (account, minute, gateway, counts)
    select a.account, a.minute, $2::text, a.counts
      from json_to_recordset($1::json) as a(account text, minute timestamptz, counts json)
    on conflict (account, minute, gateway) do update set counts = excluded.counts`,
}

const READ: Statement = {
  name: 'read_activity',
  text: `select minute, gateway, counts from activity
    where account = $1 and (minute, gateway) > ($2::timestamptz, $3)
    order by minute, gateway limit $4`,
}

type Row = { readonly minute: Date; readonly gateway: string; readonly counts: MinuteCounts }

type Minute = {
  readonly accountId: string
  readonly minuteMs: number
  readonly tally: MinuteTally
  isChanged: boolean
}

export type ActivityOptions = {
  readonly database: Database
  readonly clock: Clock
  /** This process from its start to its end. */
  readonly gatewayId: string
  readonly onTrouble: (error: unknown) => void
}

export class PostgresActivity implements ActivityLog {
  readonly #options: ActivityOptions
  /** By account; the latest. */
  readonly #current = new Map<string, Minute>()
  /** Those before, which nothing is added to any more, the oldest first. */
  #over = new Set<Minute>()
  /** A clock that is set back opens no minute again whose counts are written. */
  #latestMs = 0
  #cancel: (() => void) | null = null
  #writing: Promise<void> = Promise.resolve()
  #next: Promise<void> | null = null

  constructor(options: ActivityOptions) {
    this.#options = options
  }

  record(event: JournalEvent): void {
    if (event.kind === 'approval.decided') {
      const { decision, degraded, verdicts, totalMs, validatorsMs } = event
      const addedMs = Math.max(0, totalMs - validatorsMs)
      this.#of(event.accountId).decided({ decision, degraded, verdicts, addedMs })
    } else if (event.kind === 'approval.amended') {
      this.#of(event.accountId).heardLate(event.verdicts)
    } else if (event.kind === 'approval.failed') {
      this.#of(event.accountId).failed()
    }
  }

  /** Resolves when what was counted so far is written, or could not be. */
  flush(): Promise<void> {
    this.#cancel?.()
    this.#cancel = null
    // Whoever asks while one waits for its turn shares it: what is counted by then goes with it.
    this.#next ??= this.#writing.then(() => {
      this.#next = null
      return this.#write()
    })
    this.#writing = this.#next
    return this.#next
  }

  async each(
    accountId: string,
    sinceMs: number,
    take: (minuteMs: number, counts: MinuteCounts) => void,
  ): Promise<void> {
    await this.flush()
    const view = this.#options.database.of(accountId)
    let after = { minute: new Date(sinceMs), gateway: '' }
    for (;;) {
      const values = [accountId, after.minute.toISOString(), after.gateway, READ_MAX]
      const rows = await orUnavailable(view.run<Row>(READ, values))
      for (const { minute, counts } of rows) take(minute.getTime(), counts)
      const last = rows.at(-1)
      if (last === undefined || rows.length < READ_MAX) return
      after = last
    }
  }

  /** Where an account's events of now are counted. */
  #of(accountId: string): MinuteTally {
    const { clock } = this.#options
    this.#latestMs = Math.max(this.#latestMs, Math.floor(clock.wallMs() / MINUTE_MS) * MINUTE_MS)
    let minute = this.#current.get(accountId)
    if (minute === undefined || minute.minuteMs < this.#latestMs) {
      if (minute?.isChanged === true) this.#keep(minute)
      const tally = new MinuteTally()
      minute = { accountId, minuteMs: this.#latestMs, tally, isChanged: false }
      this.#current.set(accountId, minute)
    }
    minute.isChanged = true
    this.#cancel ??= clock.schedule(GATHER_MS, () => void this.flush())
    return minute.tally
  }

  #keep(minute: Minute): void {
    this.#over.add(minute)
    if (this.#over.size <= WAITING_MAX) return
    const [oldest = minute] = this.#over
    this.#over.delete(oldest)
  }

  async #write(): Promise<void> {
    const due = this.#due()
    for (let from = 0; from < due.length; from += WRITTEN_MAX) {
      const chunk = due.slice(from, from + WRITTEN_MAX)
      try {
        await this.#insert(chunk)
      } catch (error) {
        this.#options.onTrouble(error)
        this.#putBack(due.slice(from))
        return
      }
    }
  }

  /** What has changed since it was written, which counts as written from now on. */
  #due(): readonly Minute[] {
    const due = [...this.#over, ...[...this.#current.values()].filter((one) => one.isChanged)]
    this.#over = new Set()
    for (const [accountId, minute] of this.#current) {
      const isOver = minute.minuteMs < this.#latestMs
      if (isOver && !minute.isChanged) this.#current.delete(accountId)
      minute.isChanged = false
    }
    return due
  }

  async #insert(minutes: readonly Minute[]): Promise<void> {
    const rows = minutes.map(({ accountId, minuteMs, tally }) => ({
      account: accountId,
      minute: new Date(minuteMs).toISOString(),
      counts: tally.counts(),
    }))
    const { database, gatewayId } = this.#options
    await database.everyone.run(WRITE, [JSON.stringify(rows), gatewayId])
  }

  #putBack(minutes: readonly Minute[]): void {
    for (const minute of minutes) minute.isChanged = true
    // Some of their minutes may have ended meanwhile.
    const later = this.#over
    this.#over = new Set()
    for (const minute of [...minutes, ...later]) {
      if (this.#current.get(minute.accountId) !== minute) this.#keep(minute)
    }
    this.#cancel ??= this.#options.clock.schedule(GATHER_MS, () => void this.flush())
  }
}
