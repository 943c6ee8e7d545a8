/**
 * The physical limit: the leanest gateway that we can write by hand on node:http, undici and pg. No keys,
 * no schema, no policy, no breaker, no signing, no log; just the work itself.
 *
 *   POST /<mode>/<N>/<D>    N validators in parallel that take D ms each
 *     full    then one statement: record, decision and outbox row
 *     nat     the same, commits gathered while others are under way (natural group commit)
 *     valid   validators, no commit
 *     commit  no validators, the one statement: what stands behind nginx
 *
 * PORT, DATABASE_URL and VALIDATOR_PORTS (a comma list) say where and with whom.
 */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import pg from 'pg'
import { Pool } from 'undici'

const CONNECTIONS = 8
/** How many gathered statements may be under way at once. */
const WRITERS = 2
const DEADLINE_MS = 2_000
const BACKLOG = 1_024
const JSON_HEADERS = { 'content-type': 'application/json' }

const database = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: CONNECTIONS,
  min: CONNECTIONS,
  idleTimeoutMillis: 0,
})

const validators = process.env.VALIDATOR_PORTS.split(',').map(
  (port) =>
    new Pool(`http://127.0.0.1:${port}`, {
      connections: 128,
      pipelining: 1,
      keepAliveTimeout: 60_000,
      headersTimeout: DEADLINE_MS,
      bodyTimeout: DEADLINE_MS,
    }),
)

const TABLES = `
  create table if not exists records (
    id uuid primary key, kind text not null, body jsonb not null,
    created_at timestamptz not null default now());
  create table if not exists decisions (
    record_id uuid primary key, verdict jsonb not null,
    decided_at timestamptz not null default now());
  create table if not exists outbox (
    seq bigint generated always as identity primary key,
    record_id uuid not null, topic text not null, body jsonb not null)`

const ONE = {
  name: 'one',
  text: `with r as (insert into records (id, kind, body) values ($1, $2, $3) returning id),
              d as (insert into decisions (record_id, verdict) select id, $4 from r)
         insert into outbox (record_id, topic, body) select id, $2, $3 from r`,
}

const MANY = {
  name: 'many',
  text: `with i as (select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
                      as t (id, kind, body, verdict)),
              r as (insert into records (id, kind, body) select id, kind, body::jsonb from i),
              d as (insert into decisions (record_id, verdict) select id, verdict::jsonb from i)
         insert into outbox (record_id, topic, body) select id, kind, body::jsonb from i`,
}

// ---- commits

const commitOne = ({ id, kind, body, verdict }) =>
  database.query({ ...ONE, values: [id, kind, body, verdict] })

let pending = []
let underWay = 0
let isScheduled = false

/** Parks the item; one statement carries all that are parked when a writer is free. */
function commitGathered(item) {
  return new Promise((resolve, reject) => {
    pending.push({ ...item, resolve, reject })
    if (isScheduled) return
    isScheduled = true
    setImmediate(() => {
      isScheduled = false
      writeGathered()
    })
  })
}

function writeGathered() {
  if (pending.length === 0 || underWay >= WRITERS) return
  const items = pending
  pending = []
  underWay += 1
  const column = (name) => items.map((item) => item[name])
  const values = [column('id'), column('kind'), column('body'), column('verdict')]
  database
    .query({ ...MANY, values })
    .then(
      () => items.forEach(({ resolve }) => resolve()),
      (error) => items.forEach(({ reject }) => reject(error)),
    )
    .finally(() => {
      underWay -= 1
      writeGathered()
    })
}

// ---- validators

/** Null when it allows, else the text of its refusal. */
async function ask(validator, path, body) {
  const response = await validator.request({ method: 'POST', path, headers: JSON_HEADERS, body })
  const text = await response.body.text()
  if (response.statusCode !== 200) return text
  JSON.parse(text)
  return null
}

// ---- requests

const MODES = {
  full: { asks: true, commit: commitOne },
  nat: { asks: true, commit: commitGathered },
  valid: { asks: true, commit: null },
  commit: { asks: false, commit: commitOne },
}

/** Routes are parsed once, not for each request. */
const routes = new Map()

function routeOf(url) {
  const known = routes.get(url)
  if (known !== undefined) return known
  const [, name, count, delay] = url.split('/')
  const mode = MODES[name]
  if (mode === undefined) return null
  const route = {
    commit: mode.commit,
    asked: mode.asks ? validators.slice(0, Number(count)) : [],
    path: `/check/${delay}`,
  }
  routes.set(url, route)
  return route
}

function reply(response, status, text) {
  response.writeHead(status, { ...JSON_HEADERS, 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

async function handle(route, response, body) {
  const record = JSON.parse(body)
  const id = randomUUID()
  const question = JSON.stringify({ id, op: 'create', record })
  const answers = await Promise.all(route.asked.map((each) => ask(each, route.path, question)))
  const denial = answers.find((answer) => answer !== null)
  if (denial !== undefined) return reply(response, 403, denial)
  const verdict = JSON.stringify(answers.map((_, validator) => ({ validator, allow: true })))
  await route.commit?.({ id, kind: record.kind ?? 'record', body, verdict })
  reply(response, 201, `{"id":"${id}"}`)
}

const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  const route = request.method === 'POST' ? routeOf(request.url) : null
  if (route === null) return reply(response, request.url === '/ready' ? 200 : 404, '{}')
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const body = (chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)).toString()
    handle(route, response, body).catch((error) =>
      reply(response, 502, JSON.stringify({ error: String(error.code ?? error.message) })),
    )
  })
})

await database.query(TABLES)
server.listen(Number(process.env.PORT), '127.0.0.1', BACKLOG)
