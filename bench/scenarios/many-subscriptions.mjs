/**
 * What 10,000 subscriptions cost that have nothing to say about a change: two gateways on two databases
 * with the same accounts and catalogs, one of them without subscriptions. Nobody is asked by either, so
 * there is nothing else for the difference to hide behind.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createSealer, masterKeyOf } from '../../dist/adapters/system/master-key.js'
import { judge } from '../goals.mjs'
import { ALLOWED, startGateway } from '../lib/gateway.mjs'
import { faultsIn } from '../lib/rounds.mjs'
import { measureInSlices } from '../lib/slices.mjs'

export const name = 'many-subscriptions'

const ACCOUNTS = 20
const CATALOGS_PER_ACCOUNT = 50
const NUMBERS = Array.from({ length: ACCOUNTS }, (_, number) => number)

/** The subscriptions of one catalog: nine for other events, and one that looks and does not match. */
const OF_A_CATALOG = [
  { events: ['record.before.updated'] },
  { events: ['record.before.updated'], fields: ['amount'] },
  { events: ['record.before.updated', 'record.before.deleted'] },
  { events: ['record.before.updated'], mode: 'shadow' },
  { events: ['record.before.deleted'] },
  { events: ['record.updating'], fields: ['kind'] },
  { events: ['record.updated'] },
  { events: ['record.updated', 'record.deleted'] },
  { events: ['record.deleted'] },
  {
    events: ['record.before.created'],
    conditions: [{ field: 'amount', op: 'gt', value: 1_000_000 }],
  },
]

const slicesOf = ({ quick, full }) => {
  if (quick) return { slices: 8, seconds: 0.3 }
  return full ? { slices: 40, seconds: 1 } : { slices: 14, seconds: 1 }
}

export async function run({ postgres, options, say }) {
  const none = await startWith(postgres, { name: 'subscriptions-none', subscribes: false })
  const many = await startWith(postgres, { name: 'subscriptions-many', subscribes: true })
  say(`many-subscriptions: ${many.count} over ${ACCOUNTS} accounts`)
  const measured = await measureInSlices([none.target, many.target], {
    callers: 1,
    options,
    ...slicesOf(options),
  })
  await none.gateway.stop()
  await many.gateway.stop()
  return rowsOf(measured[many.target.name], measured[none.target.name], many.count)
}

async function startWith(postgres, { name: title, subscribes }) {
  const databaseUrl = await postgres.createDatabase(title)
  const gateway = await startGateway({ name: title, databaseUrl })
  const query = (text, values) => postgres.query(databaseUrl, text, values)
  const keys = await addAccounts(query)
  const count = subscribes ? await addSubscriptions(query, gateway) : 0
  await query('vacuum (analyze)')
  const target = { name: title, port: gateway.port, pids: [gateway.pid], expect: ALLOWED }
  return { gateway, count, target: { ...target, make: requestsOf(gateway, keys) } }
}

const accountId = (number) => `account-${number}`
const catalogId = (number) => `catalog-${number}`

/** Accounts have no API, and their first keys come from outside. */
async function addAccounts(query) {
  const keys = NUMBERS.map(() => `bench_${randomBytes(24).toString('hex')}`)
  const accounts = NUMBERS.map(accountId)
  const hashes = keys.map((key) => createHash('sha256').update(key).digest('hex'))
  await query('insert into accounts (id, title) select id, id from unnest($1::text[]) as a(id)', [
    accounts,
  ])
  await query(
    `insert into keys (id, account, name, hash, scopes)
     select 'key_' || account, account, 'bench', hash, '{approve}'
       from unnest($1::text[], $2::text[]) as k(account, hash)`,
    [accounts, hashes],
  )
  await query(
    `insert into catalogs (account, id, title)
     select account, 'catalog-' || number, 'Catalog ' || number
       from unnest($1::text[]) as a(account), generate_series(0, $2::int - 1) as c(number)`,
    [accounts, CATALOGS_PER_ACCOUNT],
  )
  return keys
}

/** Copies what the API stores, so that nothing of it is written down here a second time. */
async function addSubscriptions(query, gateway) {
  const template = await storedSubscription(query, gateway)
  let count = 0
  for (const number of NUMBERS) {
    const rows = subscriptionsOf(accountId(number), template)
    await query(
      `insert into subscriptions (account, id, settings, sealed)
       select account, id, settings, sealed
         from json_to_recordset($1::json) as s(account text, id text, settings json, sealed text)`,
      [JSON.stringify(rows)],
    )
    count += rows.length
  }
  await query(
    `insert into sequences (account, subscription_id)
     select account, id from subscriptions on conflict do nothing`,
  )
  return count
}

async function storedSubscription(query, gateway) {
  const { id } = await gateway.request('POST', '/v1/subscriptions', {
    name: 'Template',
    catalogId: 'template',
    events: ['record.before.created'],
    url: 'http://127.0.0.1:9/',
  })
  const [row] = await query('select account, settings, sealed from subscriptions where id = $1', [
    id,
  ])
  // Secrets are bound to their row, so that each row needs them sealed anew.
  const sealer = createSealer([masterKeyOf(Buffer.from(gateway.masterKey, 'base64'))])
  const secrets = sealer.open(placeOf(row.account, id), row.sealed)
  return {
    settings: row.settings,
    seal: (account, of) => sealer.seal(placeOf(account, of), secrets),
  }
}

const placeOf = (account, row) => ({
  accountId: account,
  table: 'subscriptions',
  column: 'sealed',
  row,
})

function subscriptionsOf(account, { settings, seal }) {
  return Array.from({ length: CATALOGS_PER_ACCOUNT }, (_, number) => catalogId(number)).flatMap(
    (catalog) =>
      OF_A_CATALOG.map((own, number) => {
        const id = `sub_${account}_${catalog}_${number}`
        const name = `${catalog} ${number}`
        const all = { ...settings, name, catalogId: catalog, ...own }
        return { account, id, settings: all, sealed: seal(account, id) }
      }),
  )
}

/** Every account and every catalog in turn. */
function requestsOf(gateway, keys) {
  return (sequence) => {
    const headers = { authorization: `Bearer ${keys[sequence % ACCOUNTS]}` }
    const number = Math.floor(sequence / ACCOUNTS) % CATALOGS_PER_ACCOUNT
    return gateway.approve(catalogId(number), sequence, { headers })
  }
}

const MICROSECONDS = 1_000

function rowsOf(many, none, count) {
  const faults = faultsIn(many, none)
  const note = `${count} subscriptions, ${ACCOUNTS} accounts, ${ACCOUNTS * CATALOGS_PER_ACCOUNT} catalogs; nobody is asked`
  return [
    judge('many-subscriptions-p50', { value: many.p50, yardstick: none.p50, note, faults }),
    judge('many-subscriptions-cpu', {
      value: many.cpuMs * MICROSECONDS,
      yardstick: none.cpuMs * MICROSECONDS,
      faults,
    }),
  ]
}
