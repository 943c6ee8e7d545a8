/**
 * Deliveries a second on the whole way from the committed event to the settled attempt, to 1, 20 and 500
 * subscriptions, beside a bare SKIP LOCKED queue that sends as many; the same beside a receiver that is
 * dead and has a backlog; and what a claim takes with that backlog there.
 */
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { startReceiver } from '../compare/start-receiver.mjs'
import { judge } from '../goals.mjs'
import { startGateway } from '../lib/gateway.mjs'
import { freePort, launch, untilReady, usageOf } from '../lib/processes.mjs'
import { median } from '../lib/statistics.mjs'
import { explainClaim } from './claims.mjs'

export const name = 'deliveries'

const SUBSCRIPTIONS = 500
const FAN_OUTS = [1, 20, SUBSCRIPTIONS]
const BESIDE_THE_DEAD = 20
const ARRIVAL_TIMEOUT_MS = 60_000
const CLAIM_PLACES = 64

const sizesOf = ({ quick, full }) => {
  if (quick) return { deliveries: 4_000, backlog: 20_000, claims: 20, rounds: 1 }
  return { deliveries: 20_000, backlog: 200_000, claims: 50, rounds: full ? 5 : 3 }
}

export async function run({ postgres, options, say }) {
  const sizes = sizesOf(options)
  const databaseUrl = await postgres.createDatabase('deliveries')
  const gateway = await startGateway({
    name: 'deliveries',
    databaseUrl,
    env: { ASSENT_LOG_LEVEL: 'warn' },
  })
  const receiver = await startReceiver()
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    return await measure({ gateway, receiver, client, databaseUrl, sizes, say })
  } finally {
    await client.end()
    for (const one of [gateway, receiver]) await one.stop()
  }
}

async function measure({ gateway, receiver, client, databaseUrl, sizes, say }) {
  const subscriptions = await subscribeMany(gateway, receiver)
  const queue = await startQueue(databaseUrl, receiver)
  const world = { client, receiver, subscriptions, gateway, queue, ...sizes }
  say(`deliveries: ${sizes.deliveries} each time, ${sizes.rounds} rounds`)
  // A pass of each that does not count.
  await beside(world, { ...sizes, fanOut: BESIDE_THE_DEAD, rounds: 1 })
  const rows = []
  const alone = new Map()
  for (const fanOut of FAN_OUTS) {
    const measured = await beside(world, { fanOut, rounds: sizes.rounds })
    alone.set(fanOut, measured)
    rows.push(rateRow(`deliveries-${fanOut}`, measured))
  }
  say(`deliveries: a dead receiver with ${sizes.backlog} due`)
  await addDead(world)
  const dead = await beside(world, { fanOut: BESIDE_THE_DEAD, rounds: sizes.rounds })
  const before = alone.get(BESIDE_THE_DEAD).ours.perSecond
  rows.push(
    judge('deliveries-beside-dead', {
      value: dead.ours.perSecond,
      yardstick: before,
      note: `${sizes.backlog.toLocaleString('en')} due for a receiver that never answers; ${(dead.ours.perSecond / dead.bare.perSecond).toFixed(2)} × the bare queue, which has no dead receiver`,
    }),
    await claimRow(client, sizes),
  )
  await queue.stop()
  return rows
}

async function subscribeMany(gateway, receiver) {
  const ids = []
  for (let number = 0; number < SUBSCRIPTIONS; number++) {
    const { id } = await gateway.request('POST', '/v1/subscriptions', {
      name: `Receiver ${number}`,
      catalogId: 'deliveries',
      events: ['record.created'],
      url: receiver.countUrl,
      // The first one is measured alone, with as many claimed as the bare queue has.
      maxInFlight: number === 0 ? 200 : 20,
    })
    ids.push(id)
  }
  return ids
}

async function startQueue(databaseUrl, receiver) {
  const port = await freePort()
  const args = [fileURLToPath(new URL('../compare/queue.mjs', import.meta.url))]
  const env = { PORT: `${port}`, DATABASE_URL: databaseUrl, TARGET: receiver.countUrl }
  const launched = launch({ name: 'bare-queue', command: process.execPath, args, env })
  await untilReady(`http://127.0.0.1:${port}/ready`, launched)
  return launched
}

// ---- rates

/** In turns; the median of the rounds counts. */
async function beside(world, { fanOut, rounds }) {
  const ours = []
  const bare = []
  for (let round = 0; round < rounds; round++) {
    const turns = [
      async () => ours.push(await rateOf(world, world.gateway, () => addEvents(world, fanOut))),
      async () => bare.push(await rateOf(world, world.queue, () => addToQueue(world))),
    ]
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn()
  }
  return { ours: summaryOf(ours), bare: summaryOf(bare) }
}

const summaryOf = (list) => ({
  perSecond: median(list.map(({ perSecond }) => perSecond)),
  cpuMs: median(list.map(({ cpuMs }) => cpuMs)),
})

/** From the first arrival to the last, at the receiver. */
async function rateOf({ receiver, deliveries }, { pid }, add) {
  await receiver.forget()
  const before = usageOf([pid])
  await add()
  const { count, spanMs } = await receiver.counted(deliveries, ARRIVAL_TIMEOUT_MS)
  if (count < deliveries) throw new Error(`${count} of ${deliveries} arrived`)
  return {
    perSecond: (deliveries / spanMs) * 1_000,
    cpuMs: (usageOf([pid]).cpuMs - before.cpuMs) / deliveries,
  }
}

/** As commits leave them: an event each, of a record of its own, and its pointer. */
function addEvents({ client, subscriptions, deliveries }, fanOut) {
  return client.query(
    `with happened as (
       insert into events (id, account, subscription_ids, body)
       select 'evt_' || replace(gen_random_uuid()::text, '-', ''), 'default', $2::text[],
         json_build_object('event', 'record.created', 'accountId', 'default', 'catalogId', 'deliveries',
           'recordId', gen_random_uuid(), 'changedFields', '["amount"]'::json, 'decisionId', 'dec_' || n,
           'values', json_build_object('amount', n, 'title', repeat('x', 300)))
         from generate_series(1, $1::int) as g(n) returning seq)
     insert into outbox (event, shard) select seq, shard_of('default') from happened`,
    [deliveries / fanOut, subscriptions.slice(0, fanOut)],
  )
}

function addToQueue({ client, deliveries }) {
  return client.query(
    `insert into bare_queue (body)
     select json_build_object('type', 'record.created', 'timestamp', now(), 'data', json_build_object(
       'accountId', 'default', 'catalogId', 'deliveries', 'recordId', gen_random_uuid(),
       'values', json_build_object('amount', n, 'title', repeat('x', 300)), 'changedFields', '["amount"]'::json,
       'sequenceId', n, 'decisionId', 'dec_' || n))::text
       from generate_series(1, $1::int) as g(n)`,
    [deliveries],
  )
}

const rateRow = (id, { ours, bare }) =>
  judge(id, {
    value: ours.perSecond,
    yardstick: bare.perSecond,
    cpu: [ours.cpuMs, bare.cpuMs],
  })

// ---- the dead receiver

/** It takes connections and answers nothing, which is the worst that a receiver can do. */
async function addDead({ client, gateway, receiver, subscriptions, backlog }) {
  // An account has 500 subscriptions at most.
  await gateway.request('DELETE', `/v1/subscriptions/${subscriptions.at(-1)}`)
  const { id } = await gateway.request('POST', '/v1/subscriptions', {
    name: 'Dead',
    catalogId: 'deliveries',
    events: ['record.created'],
    url: receiver.silentUrl,
    timeoutMs: 10_000,
  })
  await client.query(
    `with happened as (
       insert into events (id, account, subscription_ids, body)
       select 'evt_' || replace(gen_random_uuid()::text, '-', ''), 'default', array[$2],
         json_build_object('event', 'record.created', 'accountId', 'default', 'catalogId', 'deliveries',
           'recordId', gen_random_uuid(), 'changedFields', '[]'::json, 'decisionId', 'dec_dead')
         from generate_series(1, $1::int) returning seq, body)
     insert into deliveries (account, subscription_id, sequence_id, event, chain, state)
     select 'default', $2, row_number() over (order by seq), seq, chain_of(body), 'ready' from happened`,
    [backlog, id],
  )
  await client.query('update sequences set last = $1 where subscription_id = $2', [backlog, id])
  await client.query('update lanes set next_due = now() where subscription_id = $1', [id])
}

async function claimRow(client, { claims, backlog }) {
  const times = []
  for (let time = 0; time < claims; time++) times.push(await explainClaim(client, CLAIM_PLACES))
  const note = `${backlog.toLocaleString('en')} due for the dead receiver, ${CLAIM_PLACES} for others; the server's own time, median of ${claims}`
  return judge('deliveries-claim', { value: median(times), note })
}
