import type { Transaction } from 'kysely'
import type { Catalogs } from '../../app/store.ts'
import type { Catalog, Field } from '../../domain/catalog.ts'
import { Problem } from '../../domain/problem.ts'
import type { RedactionRules } from '../../domain/redaction.ts'
import { audit } from './audit-write.ts'
import { type ConfigurationPorts, changing } from './changing.ts'
import { orUnavailable } from './sqlstate.ts'
import type { Tables } from './tables.ts'

type CatalogRow = {
  readonly id: string
  readonly title: string
  readonly fields: unknown
  readonly redact: unknown
}

export function catalogOf({ id, title, fields, redact }: CatalogRow): Catalog {
  const catalog = { id, title, fields: fields as Field[] }
  return redact === null ? catalog : { ...catalog, redact: redact as RedactionRules }
}

/** The columns that a catalog is kept in, beside its account and id. */
function columnsOf({ title, fields, redact }: Catalog) {
  return {
    title,
    fields: JSON.stringify(fields),
    redact: redact === undefined ? null : JSON.stringify(redact),
  }
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
      catalogs.map((catalog) => ({ account: accountId, id: catalog.id, ...columnsOf(catalog) })),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['account', 'id'])
        .doUpdateSet((excluded) => ({
          title: excluded.ref('excluded.title'),
          fields: excluded.ref('excluded.fields'),
          redact: excluded.ref('excluded.redact'),
          is_implicit: false,
        }))
        .where('catalogs.is_implicit', '=', true),
    )
    .returning('id')
    .execute()
  return rows.map(({ id }) => id)
}

export function createCatalogs(ports: ConfigurationPorts): Catalogs {
  const { actor, database } = ports
  const select = (accountId: string) =>
    database
      .of(accountId)
      .kysely.selectFrom('catalogs')
      .select(['id', 'title', 'fields', 'redact'])
      .where('account', '=', accountId)
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
        const change = { action: 'catalog.created', target: catalog.id } as const
        await audit(tx, actor, { accountId, ...change, before: null, after: catalog })
        return catalog
      }),
    update: (accountId, id, change) =>
      changing(ports, accountId, async (tx) => {
        const row = await tx
          .selectFrom('catalogs')
          .select(['id', 'title', 'fields', 'redact'])
          .where('account', '=', accountId)
          .where('id', '=', id)
          .executeTakeFirst()
        if (row === undefined) return null
        const before = catalogOf(row)
        const next = change(before)
        await tx
          .updateTable('catalogs')
          .set({ ...columnsOf(next), is_implicit: false })
          .where('account', '=', accountId)
          .where('id', '=', id)
          .execute()
        const updated = { action: 'catalog.updated', target: id, before, after: next } as const
        await audit(tx, actor, { accountId, ...updated })
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
        const row = await tx
          .deleteFrom('catalogs')
          .where('account', '=', accountId)
          .where('id', '=', id)
          .returning(['id', 'title', 'fields', 'redact'])
          .executeTakeFirst()
        if (row === undefined) return false
        const removed = { action: 'catalog.removed', target: id, after: null } as const
        await audit(tx, actor, { accountId, ...removed, before: catalogOf(row) })
        return true
      }),
  }
}
