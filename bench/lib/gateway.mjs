/**
 * The gateway under test: the project's own dist/main.js, started with the flags of `npm start`, all
 * defaults on. Keys, validation, matching, signing, breaker, egress guard, log and notifications stay.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { wire } from './load.mjs'
import { freePort, launch, untilReady } from './processes.mjs'
import { recordText } from './record.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** What a good answer looks like: an answer of 200 may just as well be a denial. */
export const ALLOWED = { status: 200, text: '"decision":"allow"' }
export const DENIED = { status: 200, text: '"cause":"denied"' }

/** `node <flags> dist/main.js`, as package.json says it. */
function startArguments() {
  const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'))
  const [program, ...args] = scripts.start.split(' ')
  if (program !== 'node') throw new Error(`\`npm start\` does not start node: ${scripts.start}`)
  return args
}

/**
 * @param {{ name: string, databaseUrl?: string, dataDirectory?: string, env?: object,
 *   like?: { key: string, masterKey: string } }} options `like`: another gateway, or an earlier life of
 *   this one, on the same database; it must have the same keys.
 */
export async function startGateway({ name, databaseUrl, dataDirectory, like, env = {} }) {
  const port = await freePort()
  const { key, masterKey } = like ?? newKeys()
  const settings = {
    PORT: `${port}`,
    HOST: '127.0.0.1',
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    ...(dataDirectory === undefined ? {} : { ASSENT_DATA_DIR: dataDirectory }),
    ASSENT_ADMIN_KEY: key,
    ASSENT_MASTER_KEY: masterKey,
    ASSENT_EGRESS_ALLOW: '127.0.0.0/8',
    ...env,
  }
  const startedAt = performance.now()
  const args = startArguments()
  const launched = launch({ name, command: process.execPath, args, cwd: ROOT, env: settings })
  const base = `http://127.0.0.1:${port}`
  await untilReady(`${base}/readyz`, launched)
  const readyMs = performance.now() - startedAt
  const authorization = `Bearer ${key}`
  return {
    name,
    pid: launched.pid,
    base,
    key,
    port,
    masterKey,
    readyMs,
    logPath: launched.logPath,
    stop: launched.stop,
    request: (method, path, body) => requestOf(`${base}${path}`, { method, body, authorization }),
    approve: (catalogId, sequence, options) =>
      approveText(authorization, { catalogId, sequence, ...options }),
  }
}

function newKeys() {
  return {
    key: `bench_${randomBytes(24).toString('hex')}`,
    masterKey: randomBytes(32).toString('base64'),
  }
}

/** Throws with the answer's text when it is a refusal. */
async function requestOf(url, { method, body, authorization }) {
  const response = await fetch(url, {
    method,
    headers: {
      authorization,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text.slice(0, 500)}`)
  return text === '' ? null : JSON.parse(text)
}

/** One POST /v1/approve on the wire. */
function approveText(authorization, { catalogId, sequence, status, event, headers }) {
  const name = event ?? 'record.before.created'
  return wire({
    path: '/v1/approve',
    headers: { 'content-type': 'application/json', authorization, ...headers },
    body: `{"event":"${name}","catalogId":"${catalogId}","user":{"id":"1"},"values":${recordText(sequence, status)}}`,
  })
}

/** Subscribes so many validators to a catalog; `delayMs` is how long each of them thinks. */
export async function subscribeValidators(
  gateway,
  validators,
  { catalogId, count = 1, delayMs = 0, events },
) {
  for (let index = 0; index < count; index++) {
    await gateway.request('POST', '/v1/subscriptions', {
      name: `${catalogId} ${index}`,
      catalogId,
      events: events ?? ['record.before.created'],
      url: validators.url(index, `/check/${delayMs}`),
      timeoutMs: 2_000,
    })
  }
}
