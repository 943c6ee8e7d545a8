/** An account's configuration as it is read: one consistent snapshot of what administrators have set. */
import type { AccountConfiguration, ConfigurationStore } from '../../app/store.ts'
import { catalogOf } from './catalogs.ts'
import type { Sealer } from './changing.ts'
import type { Database, Statement } from './database.ts'
import { eventTypeOf } from './event-types.ts'
import { orUnavailable } from './sqlstate.ts'
import { subscriptionOf } from './subscriptions.ts'

const GENERATION: Statement = {
  name: 'account_generation',
  text: 'select generation from accounts where id = $1',
}

export function createConfigurationStore(database: Database, sealer: Sealer): ConfigurationStore {
  return {
    generation: async (accountId) => {
      const rows = await orUnavailable(
        database.of(accountId).run<{ generation: number }>(GENERATION, [accountId]),
      )
      return rows[0]?.generation ?? null
    },
    load: (accountId) =>
      orUnavailable(
        database
          .of(accountId)
          .kysely.transaction()
          .setIsolationLevel('repeatable read')
          .execute(async (tx): Promise<AccountConfiguration | null> => {
            const account = await tx
              .selectFrom('accounts')
              .select(['generation', 'account_number'])
              .where('id', '=', accountId)
              .executeTakeFirst()
            if (account === undefined) return null
            const subscriptions = await tx
              .selectFrom('subscriptions')
              .selectAll()
              .where('account', '=', accountId)
              .execute()
            const catalogs = await tx
              .selectFrom('catalogs')
              .select(['id', 'title', 'fields', 'redact'])
              .where('account', '=', accountId)
              .execute()
            const eventTypes = await tx
              .selectFrom('event_types')
              .select(['name', 'settings'])
              .where('account', '=', accountId)
              .orderBy('name')
              .execute()
            return {
              accountId,
              accountNumber: account.account_number,
              generation: account.generation,
              subscriptions: subscriptions.map((row) => subscriptionOf(row, sealer)),
              catalogs: catalogs.map(catalogOf),
              eventTypes: eventTypes.map(eventTypeOf),
            }
          }),
      ),
  }
}
