/**
 * Secrets at rest, as a whole: which master keys they are sealed with, and sealing them with the newest one.
 *
 * A row is sealed anew only while it holds what was read, so a gateway that stores new secrets at the same moment
 * wins, and has sealed them with the newest key anyway. An access token in an event keeps the key that it was
 * sealed with: it is opened once more at most, within the days that its delivery may take.
 */
import { sql } from 'kysely'
import type { Sealer } from './changing.ts'
import type { Database } from './database.ts'
import { orUnavailable, orWriteProblem } from './sqlstate.ts'

/** Tables whose column `sealed` holds secrets, by account and id. */
const SEALED_TABLES = ['subscriptions', 'actions', 'apps'] as const
type SealedTable = (typeof SEALED_TABLES)[number]

/** Rows of one round trip. */
const CHUNK = 200

export interface SealedSecrets {
  /** Ids of the master keys that something is sealed with, or an audit signed. */
  keyIds(): Promise<readonly string[]>
  /** Seals with the first master key whatever is sealed with another one; the number of rows. */
  sealAnew(): Promise<number>
}

export function createSealedSecrets(database: Database, sealer: Sealer): SealedSecrets {
  return {
    keyIds: async () => {
      const parts = SEALED_TABLES.map(
        (table) => sql`select distinct split_part(sealed, '.', 2) as id from ${sql.table(table)}`,
      )
      const signed = sql`select c.key_id as id from audit_checkpoints c
        join audit_heads h on h.account = c.account and h.checkpoint = c.number`
      const query = sql<{ id: string }>`${sql.join([...parts, signed], sql` union `)} order by id`
      const { rows } = await orUnavailable(query.execute(database.everyone.kysely))
      return rows.map(({ id }) => id)
    },
    sealAnew: async () => {
      let count = 0
      for (const table of SEALED_TABLES) count += await sealTableAnew(database, table, sealer)
      return count
    },
  }
}

type Row = { readonly account: string; readonly id: string; readonly sealed: string }

async function sealTableAnew(
  { everyone: { kysely } }: Database,
  table: SealedTable,
  sealer: Sealer,
): Promise<number> {
  const [newest] = sealer.keyIds
  let count = 0
  let after = { account: '', id: '' }
  for (;;) {
    const { rows } = await orUnavailable(
      sql<Row>`select account, id, sealed from ${sql.table(table)}
        where split_part(sealed, '.', 2) <> ${newest} and (account, id) > (${after.account}, ${after.id})
        order by account, id limit ${CHUNK}`.execute(kysely),
    )
    for (const row of rows) {
      const place = { accountId: row.account, table, column: 'sealed', row: row.id }
      const sealed = sealer.seal(place, sealer.open(place, row.sealed))
      const { numAffectedRows = 0n } = await orWriteProblem(
        sql`update ${sql.table(table)} set sealed = ${sealed}
          where account = ${row.account} and id = ${row.id} and sealed = ${row.sealed}`.execute(
          kysely,
        ),
      )
      count += Number(numAffectedRows)
    }
    const last = rows.at(-1)
    if (last === undefined) return count
    after = last
  }
}
