/** A gateway with shops, each an account of its own, and apps that they connect. */
import { Api, type TestGateway } from '../support/gateway.ts'
import type { Behaviour, Received, ValidatorServer } from '../support/validator-server.ts'
import { Telling } from './telling.ts'

export type Shop = { readonly id: string; readonly api: Api }

export class Mall {
  readonly #telling: Telling
  #shops = 0

  private constructor(telling: Telling) {
    this.#telling = telling
  }

  static async start(database: 'embedded' | 'server'): Promise<Mall> {
    return new Mall(await Telling.start(database))
  }

  get api(): Api {
    return this.#telling.api
  }

  get gateway(): TestGateway {
    return this.#telling.gateway
  }

  close(): Promise<void> {
    return this.#telling.close()
  }

  receiver(behave?: Behaviour): Promise<ValidatorServer> {
    return this.#telling.receiver(behave)
  }

  /** An account with an admin key of its own. */
  async account(accountNumber?: string): Promise<Shop> {
    const id = `account ${++this.#shops}`
    await this.#made('/v1/accounts', { id, title: id, accountNumber })
    const { key } = await this.#made('/v1/keys', { name: id, scopes: ['admin'], accountId: id })
    return { id, api: new Api(this.gateway.url, key) }
  }

  /** An app of the operator's. */
  offer(app: object): Promise<any> {
    return this.#made('/v1/apps', app)
  }

  async #made(path: string, body: object): Promise<any> {
    const { status, text, json } = await this.api.post(path, body)
    if (status !== 201) throw new Error(`${path} answered ${status} ${text}`)
    return json
  }
}

/** What a shop's products mean to an app. */
export const template = (receiver: ValidatorServer, more: object = {}) => ({
  name: 'Stock in the cloud',
  url: receiver.url,
  dialect: 'poster',
  catalogId: 'product',
  events: ['record.created', 'record.updated', 'record.deleted', 'application'],
  ...more,
})

export const write = (api: Api, values: object, more: object = {}) =>
  api.approve({ catalogId: 'product', values, user: { id: 'anna' }, ...more })

export const connect = async ({ api }: Shop, appId: string): Promise<any> =>
  (await api.post('/v1/installations', { appId, userId: 'u' })).json

export const actionsOf = (receiver: ValidatorServer): string[] =>
  receiver.received.map(({ json }: Received) => `${json.account} ${json.object} ${json.action}`)
