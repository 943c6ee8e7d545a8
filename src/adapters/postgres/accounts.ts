import type { Account, Accounts } from '../../app/app-store.ts'
import { audit } from './audit-write.ts'
import { type ConfigurationPorts, changing, takenId } from './changing.ts'
import { orUnavailable, orWriteProblem } from './sqlstate.ts'

type Row = {
  readonly id: string
  readonly title: string
  readonly account_number: string | null
  readonly max_per_second: number | null
  readonly created_at: Date
}

const COLUMNS = ['id', 'title', 'account_number', 'max_per_second', 'created_at'] as const

function accountOf(row: Row): Account {
  return {
    id: row.id,
    title: row.title,
    accountNumber: row.account_number,
    maxPerSecond: row.max_per_second,
    createdAt: row.created_at.toISOString(),
  }
}

export function createAccounts(ports: ConfigurationPorts): Accounts {
  const { database } = ports
  return {
    list: async (page) => {
      const { kysely } = database.everyone
      let query = kysely.selectFrom('accounts').select(COLUMNS).orderBy('id').limit(page.limit)
      if (page.after !== null) query = query.where('id', '>', page.after)
      return (await orUnavailable(query.execute())).map(accountOf)
    },
    read: async (id) => {
      const { kysely } = database.of(id)
      const query = kysely.selectFrom('accounts').select(COLUMNS).where('id', '=', id)
      const row = await orUnavailable(query.executeTakeFirst())
      return row === undefined ? null : accountOf(row)
    },
    create: async ({ id, title, accountNumber, maxPerSecond }) => {
      const { kysely } = database.of(id)
      const work = kysely.transaction().execute(async (tx) => {
        const row = await tx
          .insertInto('accounts')
          .values({ id, title, account_number: accountNumber, max_per_second: maxPerSecond })
          .returning(COLUMNS)
          .executeTakeFirstOrThrow()
          .catch(takenId)
        const after = accountOf(row)
        const change = { action: 'account.created', target: id, before: null, after } as const
        await audit(tx, ports.actor, { accountId: id, ...change })
        return after
      })
      return orWriteProblem(work)
    },
    // Receivers are told the number, so other gateways have to hear of a change.
    update: (id, change) =>
      changing(ports, id, async (tx) => {
        const row = await tx
          .selectFrom('accounts')
          .select(COLUMNS)
          .where('id', '=', id)
          .executeTakeFirstOrThrow()
        const before = accountOf(row)
        const next = change(before)
        await tx
          .updateTable('accounts')
          .set({
            title: next.title,
            account_number: next.accountNumber,
            max_per_second: next.maxPerSecond,
          })
          .where('id', '=', id)
          .execute()
        const updated = { action: 'account.updated', target: id, before, after: next } as const
        await audit(tx, ports.actor, { accountId: id, ...updated })
        return next
      }),
  }
}
