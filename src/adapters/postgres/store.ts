/** The whole store over one database: opened, migrated, and closed again. */
import type { Clock, Ids, Journal } from '../../app/ports.ts'
import { createAccounts } from './accounts.ts'
import { createActions } from './actions.ts'
import { PostgresApprovals } from './approvals.ts'
import { createApps } from './apps.ts'
import { createCatalogs } from './catalogs.ts'
import type { Sealer } from './changing.ts'
import { createConfigurationStore } from './configuration.ts'
import { connectPg } from './connect-pg.ts'
import { connectPglite } from './connect-pglite.ts'
import type { Database, Statement } from './database.ts'
import { createCallerApprovals, createDecisions, createKeptAnswers } from './decisions.ts'
import { createDeliveries } from './deliveries.ts'
import { createEventTypes } from './event-types.ts'
import { createEvents } from './events.ts'
import { createInstallations, SWEEP_LEAVING } from './installations.ts'
import { createKeys } from './keys.ts'
import { migrate } from './migrate.ts'
import { createOutbox } from './outbox.ts'
import { createPresets } from './presets.ts'
import { createRecordSearch } from './record-search.ts'
import { createRecords } from './records.ts'
import { createSequences } from './sequences.ts'
import { createSubscriptions } from './subscriptions.ts'

export type StoreOptions = {
  readonly location: { readonly url: string } | { readonly folder: string }
  readonly sealer: Sealer
  readonly clock: Clock
  readonly ids: Ids
  readonly journal: Journal
  /** Makes the other workers of this gateway store what they have answered. */
  readonly flushSiblings?: (() => Promise<void>) | undefined
}

export type Store = Awaited<ReturnType<typeof openStore>>

const PING: Statement = { name: 'ping', text: 'select 1' }
/** Kept answers and the like are looked after now and then; nothing depends on when. */
const SWEEP_EVERY_MS = 600_000
const SWEEP: Statement = {
  name: 'sweep_kept_answers',
  text: 'delete from kept_answers where expires_at < now()',
}

export async function openStore(options: StoreOptions) {
  const { location, sealer, clock, ids, journal } = options
  const onTrouble = (error: unknown) => journal.record({ kind: 'store.trouble', error })
  const database =
    'url' in location
      ? await connectPg({ url: location.url, onTrouble, schedule: clock.schedule })
      : await connectPglite(location.folder)
  try {
    await migrate(database)
  } catch (error) {
    await database.close()
    throw error
  }
  const changes = new Changes(database)
  const approvals = new PostgresApprovals({ database, clock, journal })
  const onChanged = (accountId: string) => changes.tell(accountId)
  const settings = { database, sealer, onChanged }
  const stopSweeping = sweepNowAndThen(database, clock, onTrouble)
  return {
    approvals,
    records: createRecords(database),
    recordSearch: createRecordSearch(database),
    decisions: createDecisions(database, async () => {
      await Promise.all([approvals.flush(), options.flushSiblings?.()])
    }),
    keptAnswers: createKeptAnswers(database),
    callerApprovals: createCallerApprovals(database),
    configuration: createConfigurationStore(database, sealer),
    subscriptions: createSubscriptions(settings),
    catalogs: createCatalogs(settings),
    eventTypes: createEventTypes(settings),
    presets: createPresets(settings),
    events: createEvents(database),
    accounts: createAccounts(settings),
    apps: createApps(settings),
    installations: createInstallations(settings),
    actions: createActions({ database, sealer }),
    sequences: createSequences(database),
    outbox: createOutbox(database, ids, sealer, onTrouble),
    deliveries: createDeliveries(database),
    keys: createKeys(database),
    /** Calls with the account whose settings changed, here or in another gateway; null: any of them may have. */
    onConfigurationChanged: (listener: (accountId: string | null) => void) =>
      changes.listen(listener),
    /** Why the database cannot be used at the moment; null when it can. */
    trouble: () =>
      database.run(PING, []).then(
        () => null,
        () => 'the database does not answer',
      ),
    close: async () => {
      stopSweeping()
      await approvals.close()
      await database.close()
    },
  }
}

/** Who is told of changed settings; null stands for every account. */
class Changes {
  #listener: (accountId: string | null) => void = () => {}

  constructor(database: Database) {
    database.onAnnounced((accountId) => this.tell(accountId))
  }

  listen(listener: (accountId: string | null) => void): void {
    this.#listener = listener
  }

  tell(accountId: string | null): void {
    this.#listener(accountId)
  }
}

function sweepNowAndThen(
  database: Database,
  clock: Clock,
  onTrouble: (error: unknown) => void,
): () => void {
  let cancel = () => {}
  const next = () => {
    cancel = clock.schedule(SWEEP_EVERY_MS, () => {
      const swept = [SWEEP, SWEEP_LEAVING].map((statement) => database.run(statement, []))
      Promise.all(swept).catch(onTrouble).finally(next)
    })
  }
  next()
  return () => cancel()
}
