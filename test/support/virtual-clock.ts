/** Days of deliveries in seconds: their clock is the database's, so time passes by moving that. */
import { systemClock } from '../../src/adapters/system/clock.ts'
import { systemIds } from '../../src/adapters/system/ids.ts'
import { compilePattern } from '../../src/adapters/system/patterns.ts'
import { createConfigurations } from '../../src/app/configuration.ts'
import { Relay } from '../../src/app/deliver/relay.ts'
import type { Notifier } from '../../src/app/ports.ts'
import { fakeVault } from '../unit/app/fakes.ts'
import type { Opened } from './store.ts'

/** A relay over a store, which sends to this notifier. */
export function relayOver({ store, journal }: Opened, notifier: Notifier): Relay {
  const { outbox, subscriptions, configuration } = store
  const configurations = createConfigurations(configuration, compilePattern)
  const patience = { autoDisableAfterMs: null, attemptsKeptDays: 30 }
  const shared = { outbox, subscriptions, configurations, notifier, patience, journal }
  return new Relay({ ...shared, clock: systemClock, ids: systemIds, vault: fakeVault })
}

/** Moves the clock that all deliveries go by. */
export class VirtualClock {
  readonly #opened: Opened
  #ms = 0

  private constructor(opened: Opened) {
    this.#opened = opened
  }

  static async of(opened: Opened): Promise<VirtualClock> {
    await opened.sql('create table virtual_time (at timestamptz not null)')
    await opened.sql('grant select on virtual_time to public')
    await opened.sql("insert into virtual_time values ('2026-01-01T00:00:00Z')")
    await opened.sql(
      "select make_attempts_partition('2026-01-01'::date + n) from generate_series(-1, 6) n",
    )
    await opened.sql(
      `create or replace function present() returns timestamptz language sql stable
         as 'select at from virtual_time'`,
    )
    return new VirtualClock(opened)
  }

  async pass(ms: number): Promise<void> {
    this.#ms += ms
    await this.#opened.sql(
      "update virtual_time set at = timestamptz '2026-01-01T00:00:00Z' + $1 * interval '1 millisecond'",
      [this.#ms],
    )
  }

  async restore(): Promise<void> {
    await this.#opened.sql(
      "create or replace function present() returns timestamptz language sql stable as 'select now()'",
    )
  }
}
