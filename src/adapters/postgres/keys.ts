import type { Caller, Keys, KeyView, Scope } from '../../app/store.ts'
import type { Database, Statement } from './database.ts'
import { orUnavailable } from './sqlstate.ts'

const FIND: Statement = {
  name: 'find_key',
  text: `select id, account, scopes from keys
    where hash = $1 and (expires_at is null or expires_at > now())`,
}

type KeyRow = { readonly id: string; readonly account: string; readonly scopes: string[] }

export function createKeys(database: Database): Keys {
  const { kysely } = database
  return {
    findByHash: async (hash) => {
      const [row] = await orUnavailable(database.run<KeyRow>(FIND, [hash]))
      if (row === undefined) return null
      const caller: Caller = {
        accountId: row.account,
        keyId: row.id,
        scopes: new Set(row.scopes as Scope[]),
      }
      return caller
    },
    create: async ({ id, name, accountId, scopes, expiresAt }, hash) => {
      const row = await orUnavailable(
        kysely
          .insertInto('keys')
          .values({
            id,
            name,
            hash,
            account: accountId,
            scopes: [...scopes],
            expires_at: expiresAt,
          })
          .returningAll()
          .executeTakeFirstOrThrow(),
      )
      return viewOf(row)
    },
    list: async (accountId, page) => {
      let query = kysely
        .selectFrom('keys')
        .selectAll()
        .where('account', '=', accountId)
        .orderBy('id')
        .limit(page.limit)
      if (page.after !== null) query = query.where('id', '>', page.after)
      return (await orUnavailable(query.execute())).map(viewOf)
    },
    isEmpty: async () => {
      const any = kysely.selectFrom('keys').select('id').limit(1)
      return (await orUnavailable(any.executeTakeFirst())) === undefined
    },
    remove: async (accountId, id) => {
      let query = kysely.deleteFrom('keys').where('id', '=', id)
      if (accountId !== null) query = query.where('account', '=', accountId)
      const { numDeletedRows } = await orUnavailable(query.executeTakeFirst())
      return numDeletedRows > 0n
    },
  }
}

function viewOf(row: {
  id: string
  name: string
  account: string
  scopes: string[]
  expires_at: Date | null
  created_at: Date
}): KeyView {
  return {
    id: row.id,
    name: row.name,
    accountId: row.account,
    scopes: row.scopes as Scope[],
    expiresAt: row.expires_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  }
}
