import type { Transaction } from 'kysely'
import type { Catalogs } from '../../app/store.ts'
import type { Catalog, Field } from '../../domain/catalog.ts'
import { Problem } from '../../domain/problem.ts'
import { type ConfigurationPorts, changing } from './changing.ts'
import { orUnavailable } from './sqlstate.ts'
import type { Tables } from './tables.ts'

type CatalogRow = { readonly id: string; readonly title: string; readonly fields: unknown }

export function catalogOf(row: CatalogRow): Catalog {
  return { id: row.id, title: row.title, fields: row.fields as Field[] }
}

/**
 * Defines those that nobody has defined: they are not there, or came into being with their first record. The ids
 * of those.
 */
export async function defineCatalogs(
  tx: Transaction<Tables>,
  accountId: string,
  catalogs: readonly Catalog[],
): Promise<readonly string[]> {
  const rows = await tx
    .insertInto('catalogs')
    .values(
      catalogs.map(({ id, title, fields }) => ({
        account: accountId,
        id,
        title,
        fields: JSON.stringify(fields),
      })),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['account', 'id'])
        .doUpdateSet((excluded) => ({
          title: excluded.ref('excluded.title'),
          fields: excluded.ref('excluded.fields'),
          is_implicit: false,
        }))
        .where('catalogs.is_implicit', '=', true),
    )
    .returning('id')
    .execute()
  return rows.map(({ id }) => id)
}

export function createCatalogs(ports: ConfigurationPorts): Catalogs {
  const { kysely } = ports.database
  const select = (accountId: string) =>
    kysely.selectFrom('catalogs').select(['id', 'title', 'fields']).where('account', '=', accountId)
  return {
    list: async (accountId, page) => {
      let query = select(accountId).orderBy('id').limit(page.limit)
      if (page.after !== null) query = query.where('id', '>', page.after)
      return (await orUnavailable(query.execute())).map(catalogOf)
    },
    read: async (accountId, id) => {
      const row = await orUnavailable(select(accountId).where('id', '=', id).executeTakeFirst())
      return row === undefined ? null : catalogOf(row)
    },
    create: (accountId, catalog) =>
      changing(ports, accountId, async (tx) => {
        const defined = await defineCatalogs(tx, accountId, [catalog])
        if (defined.length === 0) throw new Problem('already_exists')
        return catalog
      }),
    update: (accountId, id, change) =>
      changing(ports, accountId, async (tx) => {
        const row = await tx
          .selectFrom('catalogs')
          .select(['id', 'title', 'fields'])
          .where('account', '=', accountId)
          .where('id', '=', id)
          .executeTakeFirst()
        if (row === undefined) return null
        const next = change(catalogOf(row))
        await tx
          .updateTable('catalogs')
          .set({ title: next.title, fields: JSON.stringify(next.fields), is_implicit: false })
          .where('account', '=', accountId)
          .where('id', '=', id)
          .execute()
        return next
      }),
    remove: (accountId, id) =>
      changing(ports, accountId, async (tx) => {
        const record = await tx
          .selectFrom('records')
          .select('id')
          .where('account', '=', accountId)
          .where('catalog_id', '=', id)
          .limit(1)
          .executeTakeFirst()
        if (record !== undefined) throw new Problem('catalog_not_empty')
        const { numDeletedRows } = await tx
          .deleteFrom('catalogs')
          .where('account', '=', accountId)
          .where('id', '=', id)
          .executeTakeFirst()
        return numDeletedRows > 0n
      }),
  }
}
