import { sql } from 'kysely'
import type { Page, Records, StoredRecord } from '../../app/store.ts'
import type { Values } from '../../domain/values.ts'
import type { Database, Statement } from './database.ts'
import { orUnavailable } from './sqlstate.ts'

/** On the path of every update and delete, so it is a prepared statement of its own. */
const READ: Statement = {
  name: 'read_record',
  text: `select catalog_id, id, version, origin, "values", created_at, updated_at
    from records where account = $1 and catalog_id = $2 and id = $3`,
}

type Row = {
  readonly catalog_id: string
  readonly id: string
  readonly version: number
  readonly origin: string
  readonly values: Values
  readonly created_at: Date
  readonly updated_at: Date
}

export function createRecords(database: Database): Records {
  return {
    read: async (accountId, catalogId, recordId) => {
      const rows = await orUnavailable(
        database.of(accountId).run<Row>(READ, [accountId, catalogId, recordId]),
      )
      return rows[0] === undefined ? null : recordOf(rows[0])
    },
    list: async (accountId, catalogId, where, page) => {
      const query = select(database, { accountId, catalogId, where }, page)
      return (await orUnavailable(query.execute())).map(recordOf)
    },
  }
}

type Selection = {
  readonly accountId: string
  readonly catalogId: string
  readonly where: Readonly<Record<string, string>>
}

function select(database: Database, { accountId, catalogId, where }: Selection, page: Page) {
  let query = database
    .of(accountId)
    .kysely.selectFrom('records')
    .select(['catalog_id', 'id', 'version', 'origin', 'values', 'created_at', 'updated_at'])
    .where('account', '=', accountId)
    .where('catalog_id', '=', catalogId)
    .orderBy('id')
    .limit(page.limit)
  if (page.after !== null) query = query.where('id', '>', page.after)
  for (const [field, value] of Object.entries(where)) {
    // The field is a parameter like the value: nothing that a caller sends becomes SQL.
    query = query.where(sql<boolean>`"values" ->> ${field}::text = ${value}::text`)
  }
  return query
}

export function recordOf(row: Row): StoredRecord {
  return {
    id: row.id,
    catalogId: row.catalog_id,
    version: row.version,
    origin: row.origin,
    values: row.values,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  }
}
