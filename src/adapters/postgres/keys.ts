import type { Keys, KeyView, Scope } from '../../app/store.ts'
import { audit } from './audit-write.ts'
import type { ConfigurationPorts } from './changing.ts'
import { createKeyLookup } from './key-lookup.ts'
import type { KeyUse } from './key-use.ts'
import { orUnavailable, orWriteProblem } from './sqlstate.ts'

export function createKeys({ database, actor }: ConfigurationPorts, use: KeyUse): Keys {
  return {
    findByHash: createKeyLookup(database),
    noteUse: (keyId) => use.note(keyId),
    create: ({ id, name, accountId, scopes, maxPerSecond, expiresAt }, hash) => {
      const { kysely } = database.of(accountId)
      const work = kysely.transaction().execute(async (tx) => {
        const row = await tx
          .insertInto('keys')
          .values({
            id,
            name,
            hash,
            account: accountId,
            scopes: [...scopes],
            max_per_second: maxPerSecond,
            expires_at: expiresAt,
          })
          .returningAll()
          .executeTakeFirstOrThrow()
        const after = viewOf(row)
        const change = {
          accountId,
          action: 'key.created',
          target: id,
          before: null,
          after,
        } as const
        await audit(tx, actor, change)
        return after
      })
      return orWriteProblem(work)
    },
    list: async (accountId, page) => {
      let query = database
        .of(accountId)
        .kysely.selectFrom('keys')
        .selectAll()
        .where('account', '=', accountId)
        .orderBy('id')
        .limit(page.limit)
      if (page.after !== null) query = query.where('id', '>', page.after)
      return (await orUnavailable(query.execute())).map(viewOf)
    },
    isEmpty: async () => {
      const any = database.everyone.kysely.selectFrom('keys').select('id').limit(1)
      return (await orUnavailable(any.executeTakeFirst())) === undefined
    },
    remove: (accountId, id) => {
      const { kysely } = accountId === null ? database.everyone : database.of(accountId)
      const work = kysely.transaction().execute(async (tx) => {
        let query = tx.deleteFrom('keys').where('id', '=', id)
        if (accountId !== null) query = query.where('account', '=', accountId)
        const row = await query.returningAll().executeTakeFirst()
        if (row === undefined) return false
        const before = viewOf(row)
        const change = { action: 'key.removed', target: id, before, after: null } as const
        await audit(tx, actor, { accountId: row.account, ...change })
        return true
      })
      return orWriteProblem(work)
    },
  }
}

function viewOf(row: {
  id: string
  name: string
  account: string
  scopes: string[]
  max_per_second: number | null
  expires_at: Date | null
  last_used_at: Date | null
  created_at: Date
}): KeyView {
  return {
    id: row.id,
    name: row.name,
    accountId: row.account,
    scopes: row.scopes as Scope[],
    maxPerSecond: row.max_per_second,
    expiresAt: row.expires_at?.toISOString() ?? null,
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  }
}
