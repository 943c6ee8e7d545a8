/**
 * Looking for records by their values. Fields and what is looked for are parameters: nothing that a caller
 * sends becomes SQL. Values have any form, so each comparison first makes sure of the form that it needs.
 */
import { type RawBuilder, sql } from 'kysely'
import type { RecordSearch } from '../../app/store.ts'
import type { RecordFilter } from '../../domain/record-filter.ts'
import type { Database } from './database.ts'
import { recordOf } from './records.ts'
import { orUnavailable } from './sqlstate.ts'

export function createRecordSearch(database: Database): RecordSearch {
  return {
    find: async (accountId, catalogId, { filters, direction, limit, offset }) => {
      let query = database
        .of(accountId)
        .kysely.selectFrom('records')
        .select(['catalog_id', 'id', 'version', 'origin', 'values', 'created_at', 'updated_at'])
        .where('account', '=', accountId)
        .where('catalog_id', '=', catalogId)
        .orderBy('id', direction)
        .limit(limit)
        .offset(offset)
      for (const filter of filters) query = query.where(fits(filter))
      return (await orUnavailable(query.execute())).map(recordOf)
    },
  }
}

type Condition = RawBuilder<boolean>

/** As `fitsFilter` of the domain has it. */
function fits(filter: RecordFilter): Condition {
  const value = sql`("values" -> ${filter.field}::text)`
  switch (filter.kind) {
    case 'contains':
      return contains(value, filter.text)
    case 'range':
      return inRange(value, filter.from, filter.to)
    case 'oneOf': {
      const options = sql.join(filter.options.map((option) => sql`${option}::text`))
      const told = sql`case jsonb_typeof(one) when 'object' then one ->> 'id' else one #>> '{}' end`
      return anyElement(value, sql<boolean>`${told} in (${options})`)
    }
    case 'linked': {
      const links = filter.records.map(
        ({ catalogId, recordId }) => sql`(${catalogId}::text, ${recordId}::text)`,
      )
      const link = sql`(one ->> 'catalogId', one ->> 'recordId')`
      return anyElement(value, sql<boolean>`${link} in (${sql.join(links)})`)
    }
  }
}

type Expression = RawBuilder<unknown>

function contains(value: Expression, text: string): Condition {
  const found = (where: Expression) => sql`position(${text}::text in ${where}) > 0`
  return sql<boolean>`case jsonb_typeof(${value})
    when 'string' then ${found(sql`${value} #>> '{}'`)}
    when 'array' then ${anyElement(value, sql<boolean>`${found(sql`one ->> 'contact'`)}`)}
    else ${value} #>> '{}' = ${text}::text end`
}

function inRange(value: Expression, from: number | undefined, to: number | undefined): Condition {
  const number = sql`(${value} #>> '{}')::numeric`
  const above = from === undefined ? sql`true` : sql`${number} >= ${String(from)}::numeric`
  const below = to === undefined ? sql`true` : sql`${number} <= ${String(to)}::numeric`
  // A case is evaluated in order, so that no text is ever taken for a number.
  return sql<boolean>`case jsonb_typeof(${value}) when 'number' then ${above} and ${below} else false end`
}

/** A value that is no list is looked at as a list of one. */
function anyElement(value: Expression, holds: Condition): Condition {
  const list = sql`case jsonb_typeof(${value}) when 'array' then ${value} else jsonb_build_array(${value}) end`
  return sql<boolean>`exists (select from jsonb_array_elements(${list}) as elements(one) where ${holds})`
}
