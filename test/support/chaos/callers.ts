/**
 * Callers who change records through whichever gateway is there, each change under a key of its own, and
 * ask again under that key until they are answered.
 */
import { eventually } from '../eventually.ts'
import type { Answer, Api } from '../gateway.ts'
import type { Promised } from './check-ledger.ts'
import { type Chance, chanceFrom } from './seeded.ts'

const CALL_MS = 10_000
const CALLERS = 6
/** Most changes are of these few records, so that their deliveries queue up. */
const BUSY_RECORDS = 8
const SHADES = ['red', 'green', 'blue'] as const

export type CallerOptions = {
  readonly seed: string
  readonly apis: () => readonly Api[]
  /** Records that there will be; each change makes a new one where they never get enough. */
  readonly recordsMax: number
  /** Callers pause while this says so. */
  readonly isEnough: () => boolean
}

type Change = { readonly event: string; readonly recordId: string }

export class Callers {
  readonly #options: CallerOptions
  readonly #chance: Chance
  readonly #records: string[] = []
  readonly #running: Promise<unknown>
  readonly promised: Promised[] = []
  /** Calls that were not answered, or with a problem. */
  unanswered = 0
  #begun = 0
  #created = 0
  #isStopped = false
  #isAbandoned = false

  constructor(options: CallerOptions) {
    this.#options = options
    this.#chance = chanceFrom(options.seed)
    this.#running = Promise.all(Array.from({ length: CALLERS }, () => this.#work()))
    // Told by stop().
    this.#running.catch(() => {})
  }

  /** Resolves when everybody who asked has been answered. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  /** Nobody waits for an answer any more. */
  async abandon(): Promise<void> {
    this.#isAbandoned = true
    this.#isStopped = true
    await this.#running.catch(() => {})
  }

  async #work(): Promise<void> {
    while (!this.#isStopped) {
      await eventually('there is room', () => this.#isStopped || !this.#options.isEnough())
      const { event, recordId } = this.#nextChange()
      const key = `key-${++this.#begun}`
      const values = { key, shade: this.#chance.pick(SHADES) }
      const body = { event, recordId, values }
      const answer = await eventually<Answer | 'over' | null>(`${key} is answered`, () =>
        this.#isAbandoned ? 'over' : this.#ask(key, body),
      )
      if (answer === 'over') return
      const { json } = answer
      if (json.committed !== true) throw new Error(`${key} was refused: ${JSON.stringify(json)}`)
      this.promised.push({ decisionId: json.id, key, version: json.record.version })
      if (event === 'record.before.created') this.#records.push(recordId)
    }
  }

  #nextChange(): Change {
    const { next, pick } = this.#chance
    const busy = this.#records.slice(0, BUSY_RECORDS)
    const recordId = next() < 0.5 ? pick(busy) : pick(this.#records)
    const { recordsMax } = this.#options
    const wantsNew = recordsMax === Number.POSITIVE_INFINITY || next() < 0.3
    if (recordId === undefined || (wantsNew && this.#created < recordsMax)) {
      return { event: 'record.before.created', recordId: `record-${++this.#created}` }
    }
    return { event: 'record.before.updated', recordId }
  }

  /** One try; only a decision ends the tries. */
  async #ask(key: string, body: object): Promise<Answer | null> {
    const api = this.#chance.pick(this.#options.apis())
    const headers = { 'idempotency-key': key }
    const signal = AbortSignal.timeout(CALL_MS)
    const answer = await api
      ?.post('/v1/approve', { catalogId: 'things', ...body }, { headers, signal })
      .catch(() => undefined)
    if (answer?.status === 200) return answer
    this.unanswered++
    return null
  }
}
