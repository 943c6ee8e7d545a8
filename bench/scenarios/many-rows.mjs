/**
 * What the past costs: a commit, and a claim of deliveries that are due, beside millions of decisions,
 * events, deliveries and records that nobody looks at any more, against the same on an empty database.
 */

import pg from 'pg'
import { judge } from '../goals.mjs'
import { startGateway } from '../lib/gateway.mjs'
import { recordText } from '../lib/record.mjs'
import { measureInSlices } from '../lib/slices.mjs'
import { median, percentilesOf } from '../lib/statistics.mjs'
import { explainClaim } from './claims.mjs'
import { addHistory } from './history.mjs'
import { targetOf } from './stage.mjs'

export const name = 'many-rows'

const CATALOG = 'rows'
const DUE_DELIVERIES = 64

const sizesOf = ({ quick, full }) => {
  if (quick) return { rows: 50_000, commits: 200, claims: 30 }
  return full
    ? { rows: 10_000_000, commits: 3_000, claims: 100 }
    : { rows: 1_000_000, commits: 1_000, claims: 50 }
}

export async function run({ postgres, options, say }) {
  const { rows, commits, claims } = sizesOf(options)
  const empty = await startWith(postgres, 'rows-none')
  const full = await startWith(postgres, 'rows-many')
  const startedAt = performance.now()
  await addHistory((text, values) => postgres.query(full.databaseUrl, text, values), {
    rows,
    catalogId: CATALOG,
  })
  say(`many-rows: ${rows} of each kind in ${secondsSince(startedAt)} s`)
  const commit = await commitRow([empty, full], { commits, rows, options })
  const claim = await claimRow([empty, full], claims)
  await empty.gateway.stop()
  await full.gateway.stop()
  return [commit, claim]
}

const secondsSince = (startedAt) => ((performance.now() - startedAt) / 1_000).toFixed(0)

async function startWith(postgres, title) {
  const databaseUrl = await postgres.createDatabase(title)
  return { databaseUrl, gateway: await startGateway({ name: title, databaseUrl }) }
}

// ---- the commit

/** One request of each in turn, and what the answer says that its commit took. */
async function commitRow([empty, full], { commits, rows, options }) {
  const targets = [empty, full].map(({ gateway }) =>
    targetOf(gateway, { name: gateway.name, catalogId: CATALOG }),
  )
  const slices = { callers: 16, slices: options.quick ? 1 : 6, seconds: 1, options }
  const busy = await measureInSlices(targets, slices)
  const times = [[], []]
  for (let sequence = 0; sequence < commits; sequence++) {
    for (const at of sequence % 2 === 0 ? [0, 1] : [1, 0]) {
      times[at].push(await commitOnce([empty, full][at].gateway, sequence))
    }
  }
  const [yardstick, measured] = times.map((list) => percentilesOf(list))
  const [before, beside] = targets.map((target) => busy[target.name].perSecond)
  const note = [
    `${rows.toLocaleString('en')} decisions, events, deliveries and records each`,
    `p50 of timing.commitMs; p99 ${measured.p99.toFixed(1)} and ${yardstick.p99.toFixed(1)} ms`,
    `16 callers: ${(beside / before).toFixed(2)} × the approvals/s`,
  ].join('; ')
  return judge('many-rows-commit', { value: measured.p50, yardstick: yardstick.p50, note })
}

async function commitOnce(gateway, sequence) {
  const answer = await gateway.request('POST', '/v1/approve', {
    event: 'record.before.created',
    catalogId: CATALOG,
    values: JSON.parse(recordText(sequence)),
  })
  if (!answer.committed) throw new Error(`not committed: ${JSON.stringify(answer)}`)
  return answer.timing.commitMs
}

// ---- the claim

async function claimRow(databases, claims) {
  const clients = databases.map(
    ({ databaseUrl }) => new pg.Client({ connectionString: databaseUrl }),
  )
  for (const client of clients) await client.connect()
  const times = [[], []]
  for (let time = 0; time < claims; time++) {
    for (const at of time % 2 === 0 ? [0, 1] : [1, 0])
      times[at].push(await explainClaim(clients[at], DUE_DELIVERIES))
  }
  for (const client of clients) await client.end()
  const [yardstick, value] = times.map(median)
  const note = `${DUE_DELIVERIES} due; the server's own time (EXPLAIN ANALYZE), median of ${claims}`
  return judge('many-rows-claim', { value, yardstick, note })
}
