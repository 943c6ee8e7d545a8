/** A gateway that has the presets, and receivers of what the changes of a preset's records mean. */

import { eventually } from '../../support/eventually.ts'
import type { PresetChange } from '../../support/preset-changes.ts'
import type { Received, ValidatorServer } from '../../support/validator-server.ts'
import { Telling } from '../telling.ts'

/** A change, with the requests that it led to. */
export type Heard = { readonly change: PresetChange; readonly requests: readonly Received[] }

export type Ears = {
  readonly settings: Record<string, unknown>
  /** The record that a request is about. */
  readonly recordOf: (request: Received) => string
  /** A change that certainly is told: what came before it has been told when it has. */
  readonly last: PresetChange
}

let made = 0

export class SourceWorld {
  readonly telling: Telling

  private constructor(telling: Telling) {
    this.telling = telling
  }

  static async start(database: 'embedded' | 'server'): Promise<SourceWorld> {
    const telling = await Telling.start(database)
    for (const name of ['helpdesk', 'pos', 'taxi']) {
      const { status, text } = await telling.api.post(`/v1/presets/${name}`)
      if (status !== 201) throw new Error(`not loaded: ${text}`)
    }
    return new SourceWorld(telling)
  }

  close(): Promise<void> {
    return this.telling.close()
  }

  /** A number that no other record has. */
  recordId(): string {
    return String(++made)
  }

  async write(
    change: Pick<PresetChange, 'catalogId' | 'before' | 'sent'>,
    recordId: string,
  ): Promise<void> {
    const { catalogId, before, sent } = change
    const what = before === null ? 'created' : sent === null ? 'deleted' : 'updated'
    const answer = await this.telling.api.approve({
      event: `record.before.${what}`,
      catalogId,
      recordId,
      values: sent ?? undefined,
      user: { id: 'operator' },
    })
    if (answer.json?.committed !== true) throw new Error(`not written: ${answer.text}`)
  }

  /** Makes the changes, each on a record of its own, and returns what the subscriber was told of each. */
  async hear(changes: readonly PresetChange[], ears: Ears): Promise<readonly Heard[]> {
    const staged = [...changes, ears.last].map((change) => ({ change, id: this.recordId() }))
    for (const { change, id } of staged) {
      const { catalogId, before } = change
      if (before !== null) await this.write({ catalogId, before: null, sent: before }, id)
    }
    const receiver = await this.telling.receiver()
    const { id: subscriptionId } = await this.telling.subscribe('*', receiver, ears.settings)
    for (const { change, id } of staged) await this.write(change, id)
    await this.settled(subscriptionId, receiver, (request) => {
      return ears.recordOf(request) === staged.at(-1)?.id
    })
    return staged.slice(0, -1).map(({ change, id }) => ({
      change,
      requests: receiver.received.filter((request) => ears.recordOf(request) === id),
    }))
  }

  /** Events are planned in the order of their commits: once the last is told, the others are there at least. */
  async settled(
    subscriptionId: string,
    receiver: ValidatorServer,
    isLast: (request: Received) => boolean,
  ): Promise<void> {
    await eventually('the last change is told', () => receiver.received.some(isLast))
    await eventually('everything is delivered', async () =>
      (await this.telling.deliveries(subscriptionId)).every(({ state }) => state === 'delivered'),
    )
  }
}
