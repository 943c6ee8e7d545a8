/**
 * When keys were last used: gathered for some seconds, then written for all of them in one statement, to the
 * minute, so that a key that is always in use costs a row a minute. Several gateways may write about the
 * same keys: the later use stands, whoever finds a row taken leaves it alone, and nobody waits. What cannot
 * be written is tried again with what comes; what a killed process had gathered is lost, and matters little.
 */
import type { Clock } from '../../app/ports.ts'
import type { Database, Statement } from './database.ts'

const GATHER_MS = 10_000

const WRITE: Statement = {
  name: 'write_key_use',
  text: `with used as (
      select u.id, date_trunc('minute', now() - u.seconds * interval '1 second') as at
      from unnest($1::text[], $2::float8[]) as u (id, seconds)
    ), free as (
      select k.id, used.at from keys k join used on used.id = k.id
      where k.last_used_at is null or k.last_used_at < used.at
      for update of k skip locked
    )
    update keys k set last_used_at = free.at from free where k.id = free.id`,
}

export class KeyUse {
  readonly #database: Database
  readonly #clock: Clock
  readonly #onTrouble: (error: unknown) => void
  /** When each was used last, on the clock that only goes forward. */
  #used = new Map<string, number>()
  #cancel: (() => void) | null = null
  #writing: Promise<void> = Promise.resolve()

  constructor(database: Database, clock: Clock, onTrouble: (error: unknown) => void) {
    this.#database = database
    this.#clock = clock
    this.#onTrouble = onTrouble
  }

  note(keyId: string): void {
    this.#used.set(keyId, this.#clock.monotonicMs())
    this.#cancel ??= this.#clock.schedule(GATHER_MS, () => void this.flush())
  }

  /** Resolves when what was noted so far is written, or could not be. */
  flush(): Promise<void> {
    this.#cancel?.()
    this.#cancel = null
    this.#writing = this.#writing.then(() => this.#write())
    return this.#writing
  }

  async #write(): Promise<void> {
    const used = this.#used
    if (used.size === 0) return
    this.#used = new Map()
    const now = this.#clock.monotonicMs()
    const seconds = [...used.values()].map((at) => (now - at) / 1_000)
    try {
      await this.#database.everyone.run(WRITE, [[...used.keys()], seconds])
    } catch (error) {
      this.#onTrouble(error)
      // What was noted meanwhile is later.
      this.#used = new Map([...used, ...this.#used])
    }
  }
}
