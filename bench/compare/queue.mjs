/**
 * The bare queue that deliveries are measured against: one table, claimed with SKIP LOCKED a hundred at a
 * time, signed, posted and deleted. No order, no numbers, no fairness, no attempts, no policy. Started with
 * DATABASE_URL and TARGET; it takes what it finds in `bare_queue`, and answers on PORT when it is there.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Pool } from 'undici'

const BATCH = 100
const CONNECTIONS = 64
const WORKERS = 2
const LEASE = "interval '1 minute'"
const POLL_MS = 20

const { DATABASE_URL: connectionString, TARGET, PORT } = process.env
const { origin, pathname } = new URL(TARGET)
const secret = randomBytes(32)
const database = new pg.Pool({ connectionString, max: WORKERS })
const receiver = new Pool(origin, { connections: CONNECTIONS })

await database.query(`create table if not exists bare_queue (
  id bigint primary key generated always as identity, body text not null,
  leased_until timestamptz not null default '-infinity')`)

// An array, because a join of the two would be planned by what the table held when it was last analyzed.
const CLAIM = {
  name: 'claim',
  text: `update bare_queue set leased_until = now() + ${LEASE}
   where id = any(array(
     select id from bare_queue where leased_until < now() order by id limit ${BATCH}
       for update skip locked))
  returning id, body`,
}

async function work() {
  for (;;) {
    const { rows } = await database.query(CLAIM)
    if (rows.length === 0) {
      await sleep(POLL_MS)
      continue
    }
    const sent = await Promise.all(rows.map(send))
    const text = 'delete from bare_queue where id = any($1)'
    await database.query({ name: 'delete', text, values: [sent.filter((id) => id !== null)] })
  }
}

async function send({ id, body }) {
  const timestamp = Math.floor(Date.now() / 1_000)
  const content = `msg_${id}.${timestamp}.${body}`
  const headers = {
    'content-type': 'application/json',
    'webhook-id': `msg_${id}`,
    'webhook-timestamp': `${timestamp}`,
    'webhook-signature': `v1,${createHmac('sha256', secret).update(content).digest('base64')}`,
  }
  const reply = await receiver.request({ path: pathname, method: 'POST', headers, body })
  await reply.body.dump()
  return reply.statusCode === 200 ? id : null
}

for (let worker = 0; worker < WORKERS; worker++) void work()
createServer((_, response) => response.end('{}')).listen(Number(PORT), '127.0.0.1')
