/**
 * Numbers that count by one for each subscription, stored before they are given out. Callers that ask
 * while a statement is under way share the next one, so the counter's row is touched once for all of them.
 */
import type { Sequences } from '../../app/ports.ts'
import { Problem } from '../../domain/problem.ts'
import type { Database, Statement } from './database.ts'
import { orUnavailable } from './sqlstate.ts'

const TAKE: Statement = {
  name: 'take_sequence',
  text: `update sequences set last = last + $3
    where account = $1 and subscription_id = $2 returning last`,
}

type Waiting = {
  readonly resolve: (value: number) => void
  readonly reject: (error: unknown) => void
}

export function createSequences(database: Database): Sequences {
  const queues = new Map<string, Waiting[]>()

  const take = async (accountId: string, subscriptionId: string, key: string): Promise<void> => {
    for (;;) {
      const waiting = queues.get(key)?.splice(0) ?? []
      if (waiting.length === 0) {
        queues.delete(key)
        return
      }
      try {
        const values = [accountId, subscriptionId, waiting.length]
        const [row] = await orUnavailable(
          database.of(accountId).run<{ last: number }>(TAKE, values),
        )
        if (row === undefined) throw new Problem('not_found', { detail: 'Nobody counts there.' })
        const first = row.last - waiting.length + 1
        for (const [index, one] of waiting.entries()) one.resolve(first + index)
      } catch (error) {
        for (const one of waiting) one.reject(error)
      }
    }
  }

  return {
    next: (accountId, subscriptionId) =>
      new Promise((resolve, reject) => {
        const key = JSON.stringify([accountId, subscriptionId])
        const queue = queues.get(key)
        if (queue !== undefined) {
          queue.push({ resolve, reject })
          return
        }
        queues.set(key, [{ resolve, reject }])
        void take(accountId, subscriptionId, key)
      }),
    last: async (accountId, subscriptionIds) => {
      if (subscriptionIds.length === 0) return new Map()
      const rows = await orUnavailable(
        database
          .of(accountId)
          .kysely.selectFrom('sequences')
          .select(['subscription_id', 'last'])
          .where('account', '=', accountId)
          .where('subscription_id', 'in', [...subscriptionIds])
          .execute(),
      )
      return new Map(rows.map((row) => [row.subscription_id, row.last]))
    },
  }
}
