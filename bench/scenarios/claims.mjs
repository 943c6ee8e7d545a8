/** How long the server takes to claim deliveries, without anything being claimed. */
import { createOutbox } from '../../dist/adapters/postgres/outbox.js'
import { addDueDeliveries } from './history.mjs'

const LEASE_MS = 15_000

/**
 * In a transaction that is undone: the gateway sees nothing of it, and the next claim finds the same.
 * Milliseconds by EXPLAIN ANALYZE.
 */
export async function explainClaim(client, due) {
  const { text, values } = await claimStatement(due)
  await client.query('begin')
  try {
    await addDueDeliveries((...query) => client.query(...query), due)
    const { rows } = await client.query(`explain (analyze, format json) ${text}`, values)
    const [{ Plan: plan, 'Execution Time': milliseconds }] = rows[0]['QUERY PLAN']
    if (plan['Actual Rows'] < due) {
      throw new Error(`${plan['Actual Rows']} deliveries were claimed, not ${due}`)
    }
    return milliseconds
  } finally {
    await client.query('rollback')
  }
}

/** The gateway's own statement, as it hands it to its database. */
async function claimStatement(due) {
  const asked = []
  const everyone = {
    run: ({ text }, values) => {
      asked.push({ text, values })
      return Promise.resolve([])
    },
  }
  const order = { places: due * 2, failingPlaces: due, leaseMs: LEASE_MS }
  await createOutbox({ everyone }, { make: () => 'req_bench' }).claim(order)
  const [statement] = asked
  if (statement === undefined) throw new Error('the outbox claims without a statement')
  return statement
}
