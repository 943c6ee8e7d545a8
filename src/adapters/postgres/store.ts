/** The whole store over one database: opened, migrated, and closed again. */
import type { Clock, Ids, Journal } from '../../app/ports.ts'
import type { Actor } from '../../domain/audit.ts'
import { PostgresActivity } from './activity.ts'
import { PostgresApprovals } from './approvals.ts'
import { createAuditLog } from './audit-log.ts'
import { createChanges } from './changes.ts'
import type { Sealer } from './changing.ts'
import { createConfigurationStore } from './configuration.ts'
import { connectPg } from './connect-pg.ts'
import { connectPglite } from './connect-pglite.ts'
import type { Database, Statement } from './database.ts'
import { createCallerApprovals, createDecisions, createKeptAnswers } from './decisions.ts'
import { createEvents } from './events.ts'
import { KeyUse } from './key-use.ts'
import { migrate } from './migrate.ts'
import { createOutbox } from './outbox.ts'
import { createRecordSearch } from './record-search.ts'
import { createRecords } from './records.ts'
import { createSealedSecrets } from './sealed-secrets.ts'
import { createSequences } from './sequences.ts'
import { sweepNowAndThen } from './sweep.ts'

export type StoreOptions = {
  readonly location: { readonly url: string } | { readonly folder: string }
  readonly sealer: Sealer
  readonly clock: Clock
  readonly ids: Ids
  readonly journal: Journal
  /** After so many days decisions lose what they were about; null, or left out: never. */
  readonly payloadsKeptDays?: number | null | undefined
  /** Makes the other workers of this gateway store what they have answered. */
  readonly flushSiblings?: (() => Promise<void>) | undefined
}

export type Store = Awaited<ReturnType<typeof openStore>>

const PING: Statement = { name: 'ping', text: 'select 1' }
export async function openStore(options: StoreOptions) {
  const { location, sealer, clock, ids, journal, payloadsKeptDays = null } = options
  const onTrouble = (error: unknown) => journal.record({ kind: 'store.trouble', error })
  const database = await openDatabase({ location, clock, onTrouble })
  const changes = new Changes(database)
  const approvals = new PostgresApprovals({ database, clock, journal })
  const flush = async () => {
    await Promise.all([approvals.flush(), options.flushSiblings?.()])
  }
  const keyUse = new KeyUse(database, clock, onTrouble)
  const gatewayId = ids.make('gtw')
  const activity = new PostgresActivity({ database, clock, gatewayId, onTrouble })
  const onChanged = (accountId: string) => changes.tell(accountId)
  const settings = { database, sealer, onChanged }
  const changesBy = (actor: Actor | null) =>
    createChanges({ ...settings, actor }, { keyUse, flush })
  const stopSweeping = sweepNowAndThen(database, { clock, payloadsKeptDays, onTrouble })
  return {
    approvals,
    records: createRecords(database),
    recordSearch: createRecordSearch(database),
    decisions: createDecisions(database, flush),
    keptAnswers: createKeptAnswers(database),
    callerApprovals: createCallerApprovals(database),
    configuration: createConfigurationStore(database, sealer),
    /** Settings as the gateway changes them of its own accord, and as somebody does. */
    ...changesBy(null),
    changesBy,
    audit: createAuditLog(database),
    activity,
    events: createEvents(database),
    sequences: createSequences(database),
    sealedSecrets: createSealedSecrets(database, sealer),
    outbox: createOutbox(database, ids, sealer, onTrouble),
    /** Calls with the account whose settings changed, here or in another gateway; null: any of them may have. */
    onConfigurationChanged: (listener: (accountId: string | null) => void) =>
      changes.listen(listener),
    /** Why the database cannot be used at the moment; null when it can. */
    trouble: () =>
      database.everyone.run(PING, []).then(
        () => null,
        () => 'the database does not answer',
      ),
    close: async () => {
      stopSweeping()
      await Promise.all([approvals.close(), keyUse.flush(), activity.flush()])
      await database.close()
    },
  }
}

export type DatabaseOptions = Pick<StoreOptions, 'location' | 'clock'> & {
  readonly onTrouble: (error: unknown) => void
}

/** Connected and migrated. */
export async function openDatabase({
  location,
  clock,
  onTrouble,
}: DatabaseOptions): Promise<Database> {
  const database =
    'url' in location
      ? await connectPg({ url: location.url, onTrouble, schedule: clock.schedule })
      : await connectPglite(location.folder)
  try {
    await migrate(database)
    return database
  } catch (error) {
    await database.close()
    throw error
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
