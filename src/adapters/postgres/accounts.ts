import type { Account, Accounts } from '../../app/app-store.ts'
import { type ConfigurationPorts, changing, takenId } from './changing.ts'
import { orUnavailable, orWriteProblem } from './sqlstate.ts'

type Row = {
  readonly id: string
  readonly title: string
  readonly account_number: string | null
  readonly created_at: Date
}

const COLUMNS = ['id', 'title', 'account_number', 'created_at'] as const

function accountOf(row: Row): Account {
  return {
    id: row.id,
    title: row.title,
    accountNumber: row.account_number,
    createdAt: row.created_at.toISOString(),
  }
}

export function createAccounts(ports: ConfigurationPorts): Accounts {
  const { kysely } = ports.database
  return {
    list: async (page) => {
      let query = kysely.selectFrom('accounts').select(COLUMNS).orderBy('id').limit(page.limit)
      if (page.after !== null) query = query.where('id', '>', page.after)
      return (await orUnavailable(query.execute())).map(accountOf)
    },
    read: async (id) => {
      const query = kysely.selectFrom('accounts').select(COLUMNS).where('id', '=', id)
      const row = await orUnavailable(query.executeTakeFirst())
      return row === undefined ? null : accountOf(row)
    },
    create: async ({ id, title, accountNumber }) => {
      const query = kysely
        .insertInto('accounts')
        .values({ id, title, account_number: accountNumber })
        .returning(COLUMNS)
      return accountOf(await orWriteProblem(query.executeTakeFirstOrThrow().catch(takenId)))
    },
    // Receivers are told the number, so other gateways have to hear of a change.
    update: (id, change) =>
      changing(ports, id, async (tx) => {
        const row = await tx
          .selectFrom('accounts')
          .select(COLUMNS)
          .where('id', '=', id)
          .executeTakeFirstOrThrow()
        const next = change(accountOf(row))
        await tx
          .updateTable('accounts')
          .set({ title: next.title, account_number: next.accountNumber })
          .where('id', '=', id)
          .execute()
        return next
      }),
  }
}
