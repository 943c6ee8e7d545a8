// The whole of it in a minute: two validators and a receiver on loopback, a few changes, and what came of
// them. `npm run example` speaks to the gateway at ASSENT_URL with ASSENT_KEY; where none answers it starts
// one of its own and ends it afterwards. Exit code 0 means that everything was as expected.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const PATIENCE_MS = 20_000
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const say = (text) => console.log(`   ${text}`)
const step = (title) => console.log(`\n${title}`)

/** Run backwards at the end, whatever happened. */
const cleanUp = []

// ---- processes

/** Starts a script and returns a function that waits for a line of its output that fits. */
function start(name, script, environment) {
  // Settings of the shell (DATABASE_URL …) are not for what is started here.
  const { PATH, SystemRoot } = process.env
  const env = { PATH, ...(SystemRoot && { SystemRoot }), PORT: '0', ...environment }
  const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  cleanUp.push(async () => {
    child.kill('SIGTERM')
    await ended
  })
  const lines = []
  const output = createInterface(child.stdout)
  output.on('line', (line) => lines.push(line))
  return async (pattern) => {
    const find = () => lines.map((line) => pattern.exec(line)).find(Boolean)
    const signal = AbortSignal.timeout(PATIENCE_MS)
    while (!find()) {
      const line = once(output, 'line', { signal })
      const happened = await Promise.race([line, ended.then(() => null)]).catch(() => null)
      if (happened === null && !find()) throw new Error(`${name} did not print ${pattern}`)
    }
    return find()
  }
}

async function startExample(name, environment) {
  const printed = start(name, here(`${name}.mjs`), environment)
  const [, url] = await printed(/^Listening on (\S+)$/)
  return { url, printed }
}

// ---- the gateway

async function answers(url) {
  const response = await fetch(`${url}/healthz`).catch(() => null)
  return response?.ok === true
}

async function findGateway() {
  const { ASSENT_URL: asked, ASSENT_KEY: key } = process.env
  const url = (asked || 'http://127.0.0.1:8787').replace(/\/$/, '')
  if (!(await answers(url))) return ownGateway(url)
  if (key) return { url, key }
  throw new Error(
    `A gateway answers at ${url}. Set ASSENT_KEY to its admin key: it was printed at the first start, or is what ASSENT_ADMIN_KEY says.`,
  )
}

async function ownGateway(elsewhere) {
  say(`No gateway answers at ${elsewhere}: starting one with an embedded database`)
  const folder = await mkdtemp(join(tmpdir(), 'assent-example-'))
  cleanUp.push(() => rm(folder, { recursive: true, force: true }))
  const key = randomBytes(24).toString('hex')
  const printed = start('The gateway (npm ci builds it)', here('../dist/main.js'), {
    ASSENT_ADMIN_KEY: key,
    ASSENT_DATA_DIR: folder,
    ASSENT_LOG_LEVEL: 'error',
  })
  const [, url] = await printed(/^Assent listens on (\S+)$/)
  return { url, key }
}

function clientOf({ url, key }) {
  return async (method, path, body, headers = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      body: body && JSON.stringify(body),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? null : JSON.parse(text) }
  }
}

// ---- the story

const catalogId = `example-orders-${randomBytes(4).toString('hex')}`
const anna = (locale) => ({ id: 'anna', title: 'Anna', locale })

async function subscribe(call, settings) {
  const { status, body } = await call('POST', '/v1/subscriptions', { catalogId, ...settings })
  assert.equal(status, 201, `not subscribed: ${JSON.stringify(body)}`)
  cleanUp.push(() => call('DELETE', `/v1/subscriptions/${body.id}`))
  say(`${body.name} is ${body.id}, speaks ${body.dialect}`)
  return body
}

async function subscribeAll(call) {
  step('Two validators and a receiver subscribe')
  const hookSecret = randomBytes(24).toString('base64url')
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  const plain = await startExample('plain-validator', {})
  const bpium = await startExample('bpium-validator', { WEBHOOK_SECRET: hookSecret })
  const receiver = await startExample('receiver', { WEBHOOK_SECRET: secret })
  const asked = ['record.before.created', 'record.before.updated', 'record.updating']
  const limit = await subscribe(call, { name: 'Order limit', events: asked, url: plain.url })
  const customer = await subscribe(call, {
    name: 'Customer check',
    events: asked,
    url: bpium.url,
    dialect: 'bpium',
    secret: hookSecret,
    order: 1,
  })
  const told = ['record.created', 'record.updated']
  await subscribe(call, { name: 'Accounting', events: told, url: receiver.url, secret })
  return { limit, customer, receiver }
}

async function fillIn(call, { limit, customer }) {
  step('Anna fills in a form; both validators have something to suggest')
  const values = { customer: 'Ivan', total: 900 }
  const form = { event: 'record.updating', catalogId, values, allValues: values, user: anna('en') }
  const { status, body } = await call('POST', '/v1/approve', form)
  assert.equal(status, 200)
  assert.equal(body.decision, 'allow')
  assert.deepEqual(body.values, { delivery: 'courier', currency: 'EUR' })
  assert.deepEqual(body.conflicts, [{ field: 'delivery', chosen: limit.id, others: [customer.id] }])
  say(`into the form: ${JSON.stringify(body.values)}`)
  say(`"delivery" was suggested differently by ${customer.name}; ${limit.name} comes first`)
}

async function create(call, values, user = anna('en')) {
  const event = 'record.before.created'
  const { status, body } = await call('POST', '/v1/approve', { event, catalogId, values, user })
  assert.equal(status, 200, JSON.stringify(body))
  say(`${JSON.stringify(values)} → ${body.decision}${body.message ? `: ${body.message.text}` : ''}`)
  return body
}

async function isRefused(call, limit) {
  step('An order above the limit is refused, in the language of the user')
  const texts = new Set()
  let denied
  for (const locale of ['en', 'ru', 'uk']) {
    denied = await create(call, { customer: 'Ivan', total: 5_000 }, anna(locale))
    assert.equal(denied.decision, 'deny')
    assert.equal(denied.committed, false)
    assert.equal(denied.errors[0].field, 'total')
    assert.equal(denied.errors[0].subscriptionId, limit.id)
    texts.add(denied.message.text)
  }
  assert.equal(texts.size, 3)

  step('An order without a customer is refused by the validator that speaks Bpium')
  const nobody = await create(call, { total: 900 })
  assert.equal(nobody.decision, 'deny')
  assert.equal(nobody.message.title, 'Who is it for?')
  return denied
}

async function isAllowed(call) {
  step('An order that nobody objects to is committed')
  const allowed = await create(call, { customer: 'Ivan', total: 900, delivery: 'courier' })
  assert.equal(allowed.decision, 'allow')
  assert.equal(allowed.committed, true)
  assert.equal(allowed.record.version, 1)
  const path = `/v1/catalogs/${catalogId}/records/${allowed.record.id}`
  const stored = await call('GET', path)
  assert.deepEqual(stored.body.values, allowed.record.values)
  say(`stored as ${stored.body.id}, version ${stored.body.version}`)
  return { path, recordId: allowed.record.id }
}

async function isUpdated(call, path) {
  step('Two people edit version 1; the second one is told')
  const first = await call('PATCH', path, { values: { total: 950 } }, { 'if-match': '"1"' })
  assert.equal(first.status, 200)
  assert.equal(first.body.record.version, 2)
  say(`the first: version ${first.body.record.version}`)
  const second = await call('PATCH', path, { values: { total: 800 } }, { 'if-match': '"1"' })
  assert.equal(second.status, 409)
  assert.equal(second.body.code, 'version_conflict')
  say(`the second: ${second.status} ${second.body.code}, nothing is written`)
}

async function isTold(receiver, recordId) {
  step('The receiver is told, and has checked the signatures')
  for (const event of ['record.created', 'record.updated']) {
    const pattern = new RegExp(`^verified ${event} ${recordId} #\\d+ .*$`)
    const [line] = await receiver.printed(pattern)
    say(line)
  }
}

async function isExplained(call, denied) {
  step('Why was the order refused?')
  const { status, body } = await call('GET', `/v1/decisions/${denied.id}`)
  assert.equal(status, 200)
  for (const { name, mismatch } of body.considered) {
    say(`${name}: ${mismatch === null ? 'asked' : `not asked, because of its ${mismatch.reason}`}`)
  }
  for (const { name, outcome, durationMs } of body.verdicts) {
    say(`${name} said ${outcome} after ${Math.round(durationMs)} ms`)
  }
  assert.deepEqual(body.verdicts.map(({ outcome }) => outcome).sort(), ['allow', 'deny'])
  assert.ok(body.considered.some(({ mismatch }) => mismatch?.reason === 'event'))
}

async function removeCatalog(call) {
  const records = `/v1/catalogs/${catalogId}/records`
  const { body } = await call('GET', records)
  for (const { id } of body.items) await call('DELETE', `${records}/${id}`)
  await call('DELETE', `/v1/catalogs/${catalogId}`)
}

async function tell() {
  step('A gateway')
  const gateway = await findGateway()
  say(gateway.url)
  const call = clientOf(gateway)
  // Comes after the subscriptions are gone, so that nobody is asked any more.
  cleanUp.push(() => removeCatalog(call))
  const { limit, customer, receiver } = await subscribeAll(call)
  await fillIn(call, { limit, customer })
  const denied = await isRefused(call, limit)
  const { path, recordId } = await isAllowed(call)
  await isUpdated(call, path)
  await isTold(receiver, recordId)
  await isExplained(call, denied)
  step('All as expected.')
}

try {
  await tell()
} catch (error) {
  console.error(`\nNot as expected: ${error.message}`)
  process.exitCode = 1
} finally {
  for (const undo of cleanUp.reverse()) {
    await undo().catch((error) => console.error(`Could not clean up: ${error.message}`))
  }
}
