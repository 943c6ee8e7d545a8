/** What a chaos run is about: gateways, receivers and callers around one database, and their ledger. */
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { eventually } from '../eventually.ts'
import { listAll } from '../ledger.ts'
import type { Environment } from '../places.ts'
import { Callers } from './callers.ts'
import type { CommittedChange, Ledger, Numbered } from './check-ledger.ts'
import { Fleet } from './fleet.ts'
import { type Book, newBook, type Receiver, startReceiver, type Temper } from './receivers.ts'

const GATEWAYS = 3
const TIMEOUT_MS = 500
/** After the gateway has given up. */
const LATE_MS = TIMEOUT_MS + 300
/** Long enough that nothing dies while a receiver is gone, or this machine is busy. */
const DELAYS_MS = [
  50,
  100,
  200,
  ...Array.from({ length: 30 }, () => 400),
  ...Array.from({ length: 17 }, () => 2_000),
]
/** A dead gateway's deliveries stay its own for a lease; what it had must not be all there may be. */
const MAX_IN_FLIGHT = 1_000

/** Who wants to be told of what; said once to the gateway, and once in our own words. */
const WISHES = [
  {
    name: 'everything',
    settings: { events: ['record.created', 'record.updated'] },
    wants: () => true,
  },
  {
    name: 'updates',
    settings: { events: ['record.updated'] },
    wants: (change) => change.event === 'record.before.updated',
  },
  {
    name: 'red',
    settings: {
      events: ['record.created', 'record.updated'],
      conditions: [{ field: 'shade', op: 'eq', value: 'red' }],
    },
    wants: (change) => change.values.shade === 'red',
  },
  {
    name: 'away',
    settings: { events: ['record.created', 'record.updated'] },
    wants: () => true,
  },
] as const satisfies readonly Wish[]

type Wish = {
  readonly name: string
  readonly settings: object
  readonly wants: (change: { event: string; values: { shade?: string } }) => boolean
}

export type WorldOptions = {
  readonly seed: string
  readonly databaseUrl: string
  readonly temper: Omit<Temper, 'lateMs'>
  readonly recordsMax: number
  /** So many deliveries may be on their way before callers pause. */
  readonly backlogMax: number
}

export class World {
  readonly #options: WorldOptions
  readonly #receivers: readonly Receiver[]
  readonly #idOf: ReadonlyMap<string, string>
  readonly book: Book
  readonly fleet: Fleet
  #callers: Callers | null = null

  private constructor(
    options: WorldOptions,
    parts: {
      receivers: readonly Receiver[]
      ids: ReadonlyMap<string, string>
      book: Book
      fleet: Fleet
    },
  ) {
    this.#options = options
    this.#receivers = parts.receivers
    this.#idOf = parts.ids
    this.book = parts.book
    this.fleet = parts.fleet
  }

  static async make(options: WorldOptions): Promise<World> {
    const { seed, databaseUrl } = options
    const temper = { ...options.temper, lateMs: LATE_MS }
    const book = newBook()
    const receivers = await Promise.all(
      WISHES.map(({ name }) => startReceiver({ name, seed: `${seed}-${name}`, temper, book })),
    )
    const environment: Environment = {
      DATABASE_URL: databaseUrl,
      ASSENT_MASTER_KEY: randomBytes(32).toString('base64'),
      ASSENT_EGRESS_ALLOW: '127.0.0.1/32',
    }
    const fleet = await Fleet.start(environment, GATEWAYS)
    const ids = new Map<string, string>()
    for (const [index, { name, settings }] of WISHES.entries()) {
      const { url, secret } = receivers[index] ?? {}
      const more = {
        timeoutMs: TIMEOUT_MS,
        retry: { delaysMs: DELAYS_MS },
        maxInFlight: MAX_IN_FLIGHT,
      }
      const made = await fleet.apis[0]?.subscribe({ name, ...settings, url, secret, ...more })
      ids.set(made.id, name)
    }
    return new World(options, { receivers, ids, book, fleet })
  }

  get callers(): Callers {
    if (this.#callers === null) throw new Error('nobody calls yet')
    return this.#callers
  }

  startCallers(): void {
    const { seed, recordsMax, backlogMax } = this.#options
    this.#callers = new Callers({
      seed: `${seed}-callers`,
      apis: () => this.fleet.apis,
      recordsMax,
      // About: what each change is told to, less what arrived.
      isEnough: () =>
        this.callers.promised.length * WISHES.length - this.book.receipts.length > backlogMax,
    })
  }

  receiver(name: (typeof WISHES)[number]['name']): Receiver {
    const found = this.#receivers.find((one) => one.name === name)
    if (found === undefined) throw new Error(`nobody is called ${name}`)
    return found
  }

  with<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    return withDatabase(this.#options.databaseUrl, work)
  }

  query<Row extends pg.QueryResultRow>(text: string): Promise<Row[]> {
    return this.with(async (client) => (await client.query<Row>(text)).rows)
  }

  /** Deliveries that a gateway left when it was killed. */
  async takenOver(): Promise<number> {
    const [row] = await this.query<{ count: number }>(
      "select count(*)::integer as count from attempts where error like '%went away without a word'",
    )
    return row?.count ?? 0
  }

  /** Which states there are. */
  async states(): Promise<string[]> {
    const rows = await this.query<{ state: string }>('select distinct state from deliveries')
    return rows.map(({ state }) => state)
  }

  /** What dead gateways had is to be given back at once. Whatever is being settled just now is let be. */
  async endLeases(): Promise<void> {
    await this.query(`
      update deliveries d set lease_until = now()
        from (
          select account, subscription_id, sequence_id from deliveries where state = 'sending'
             for update skip locked) s
       where d.account = s.account and d.subscription_id = s.subscription_id
         and d.sequence_id = s.sequence_id`)
  }

  /** Waits until nothing is left to do. */
  async drained(withinMs: number): Promise<void> {
    const left = `
      select (select count(*) from outbox)::integer as unplanned, (
        select count(*) from deliveries where state not in ('delivered', 'dead', 'cancelled')
      )::integer as open`
    await eventually(
      'everything is delivered',
      async () => {
        const [row] = await this.query<{ unplanned: number; open: number }>(left)
        if (row?.unplanned === 0 && row.open === 0) return true
        throw new Error(`${row?.unplanned} events are not planned, ${row?.open} deliveries open`)
      },
      { withinMs },
    )
  }

  async ledger(): Promise<Ledger> {
    const { promised } = this.callers
    const { receipts } = this.book
    return {
      committed: await this.#committed(),
      promised,
      planned: await this.#planned(),
      receipts,
    }
  }

  async #committed(): Promise<CommittedChange[]> {
    const [api] = this.fleet.apis
    if (api === undefined) throw new Error('no gateway is left')
    const decisions = await listAll(api, '/v1/decisions?catalogId=things')
    return decisions
      .filter(({ committed }) => committed)
      .map(({ id, recordId, versionAfter, event, values }) => ({
        decisionId: id,
        key: values.key,
        recordId,
        version: versionAfter,
        told: WISHES.filter(({ wants }: Wish) => wants({ event, values })).map(({ name }) => name),
      }))
  }

  async #planned(): Promise<Numbered[]> {
    const rows = await this.query<{ id: string; number: string; event: string; decision: string }>(`
      select d.subscription_id as id, d.sequence_id as number, e.id as event,
        e.body->>'decisionId' as decision
        from deliveries d join events e on e.seq = d.event`)
    return rows.map(({ id, number, event, decision }) => ({
      receiver: this.#idOf.get(id) ?? id,
      number: Number(number),
      webhookId: `${event}_${id}`,
      decisionId: decision,
    }))
  }

  async end(): Promise<void> {
    await Promise.all([this.fleet.end(), this.#callers?.abandon()])
    await Promise.all(this.#receivers.map((receiver) => receiver.close()))
  }
}

export async function withDatabase<T>(
  url: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
