/** A gateway with receivers of notifications, for the suites about deliveries. */
import { eventually } from '../support/eventually.ts'
import { type Api, startTestGateway, type TestGateway } from '../support/gateway.ts'
import { type Environment } from '../support/places.ts'
import {
  type Behaviour,
  type Received,
  reply,
  startValidator,
  type ValidatorServer,
} from '../support/validator-server.ts'

/** Takes what it is told. */
export const taken = reply(200, '')

/** Tries again at once, so often that nothing of a test is ever dead. */
const PATIENT = { delaysMs: Array.from({ length: 50 }, () => 100) }
/** A failure is the end. */
export const ONCE = { preset: 'none' } as const

let catalogs = 0

export class Telling {
  readonly gateway: TestGateway
  readonly #receivers: ValidatorServer[] = []

  private constructor(gateway: TestGateway) {
    this.gateway = gateway
  }

  static async start(
    database: 'embedded' | 'server',
    environment: Environment = {},
  ): Promise<Telling> {
    return new Telling(await startTestGateway(database, environment))
  }

  get api(): Api {
    return this.gateway.api
  }

  async close(): Promise<void> {
    for (const one of this.#receivers) one.behave = taken
    await this.gateway.close()
    for (const one of this.#receivers) await one.close()
  }

  async receiver(behave: Behaviour = taken): Promise<ValidatorServer> {
    const server = await startValidator(behave)
    this.#receivers.push(server)
    return server
  }

  /** A catalog that no other test uses. */
  catalog(): string {
    return `told-${++catalogs}`
  }

  /** The receiver is told of every change of the catalog's records. */
  subscribe(catalogId: string, receiver: ValidatorServer, settings: object = {}): Promise<any> {
    return this.api.subscribe({
      name: 'A receiver',
      catalogId,
      url: receiver.url,
      events: ['record.created', 'record.updated', 'record.deleted'],
      retry: PATIENT,
      ...settings,
    })
  }

  /** Writes a record: `n` is how often it was written. */
  async write(catalogId: string, recordId: string, n = 1, values: object = {}): Promise<void> {
    const event = n === 1 ? 'record.before.created' : 'record.before.updated'
    const answer = await this.api.approve({
      event,
      catalogId,
      recordId,
      values: { n, ...values },
      user: { id: 'anna' },
    })
    if (answer.json.committed !== true) throw new Error(`not written: ${answer.text}`)
  }

  /** Deliveries of a subscription in order of number. */
  async deliveries(id: string): Promise<any[]> {
    const { json } = await this.api.get(`/v1/deliveries?subscriptionId=${id}&limit=200`)
    return json.items.toSorted((a: any, b: any) => a.sequenceId - b.sequenceId)
  }

  async states(id: string): Promise<string[]> {
    return (await this.deliveries(id)).map(({ state }) => state)
  }

  /** Waits until all the deliveries of a subscription, so many, are in this state. */
  async all(id: string, count: number, state = 'delivered'): Promise<any[]> {
    return eventually(`${count} of ${id} are ${state}`, async () => {
      const found = await this.deliveries(id)
      return found.length === count && found.every((one) => one.state === state) && found
    })
  }

  async read(id: string): Promise<any> {
    return (await this.api.get(`/v1/subscriptions/${id}`)).json
  }

  enable(id: string, body?: object) {
    return this.api.post(`/v1/subscriptions/${id}/enable`, body)
  }

  disable(id: string) {
    return this.api.post(`/v1/subscriptions/${id}/disable`)
  }
}

export const recordOf = ({ json }: Received): string => json.data.recordId
export const idOf = ({ headers }: Received): string => String(headers['webhook-id'])

/** How often each record was written, as it was told, in the order of arrival. */
export function toldOf(received: readonly Received[]): Record<string, number[]> {
  const told: Record<string, number[]> = {}
  for (const one of received) (told[recordOf(one)] ??= []).push(one.json.data.values.n)
  return told
}

/** Answers when the test says so. */
export function keeping() {
  const held: (() => void)[] = []
  let most = 0
  let open = 0
  const behave: Behaviour = (request, response) => {
    most = Math.max(most, ++open)
    held.push(() => {
      open--
      void taken(request, response)
    })
  }
  return {
    behave,
    held,
    release: () => {
      for (const answer of held.splice(0)) answer()
    },
    /** How many were open at the same time, at most. */
    get most() {
      return most
    },
  }
}
