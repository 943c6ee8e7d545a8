/** The examples run as a reader would run them: as processes of their own, told by their environment only. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ADMIN_KEY, startTestGateway, type TestGateway } from '../support/gateway.ts'

const inProject = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const SETTINGS = { PATH: process.env['PATH'] }

type Run = { readonly code: number | null; readonly output: string; readonly errors: string }

function walkThrough(environment: Record<string, string>): Promise<Run> {
  return new Promise((resolve) => {
    const script = inProject('examples/walk-through.mjs')
    const options = { env: { ...SETTINGS, ...environment } }
    const child = execFile(process.execPath, [script], options, (_error, output, errors) =>
      resolve({ code: child.exitCode, output, errors }),
    )
  })
}

describe('the walk-through', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    // Nothing happens when dist/ is as new as src/.
    execFileSync(process.execPath, [inProject('tools/build.mjs')], { stdio: 'inherit' })
    gateway = await startTestGateway()
  })
  afterAll(() => gateway.close())

  it('starts a gateway of its own where none answers, and finds everything as expected', async () => {
    // Port 1 is nobody's.
    const run = await walkThrough({ ASSENT_URL: 'http://127.0.0.1:1' })
    expect(run.errors).toBe('')
    expect(run.output).toContain('starting one')
    expect(run.output).toMatch(/verified record\.created .*\n(.*\n)*.*All as expected\./)
    expect(run.code).toBe(0)
  })

  it('finds everything as expected on a running gateway and leaves only decisions behind', async () => {
    const run = await walkThrough({ ASSENT_URL: gateway.url, ASSENT_KEY: ADMIN_KEY })
    expect(run.errors).toBe('')
    expect(run.code).toBe(0)
    expect(run.output).not.toContain('starting one')
    expect((await gateway.api.get('/v1/subscriptions')).json.items).toEqual([])
    expect((await gateway.api.get('/v1/catalogs')).json.items).toEqual([])
    expect((await gateway.api.get('/v1/decisions')).json.items).not.toEqual([])
  })

  it('says what is missing when a gateway answers and no key is given', async () => {
    const run = await walkThrough({ ASSENT_URL: gateway.url })
    expect(run.errors).toContain('Set ASSENT_KEY')
    expect(run.code).toBe(1)
  })

  it('ends with 1 and cleans up when something is not as expected', async () => {
    const other = await gateway.api.subscribe({
      url: 'http://127.0.0.1:1',
      events: ['record.before.created'],
    })
    const run = await walkThrough({ ASSENT_URL: gateway.url, ASSENT_KEY: ADMIN_KEY })
    expect(run.errors).toContain('Not as expected')
    expect(run.code).toBe(1)
    const { items } = (await gateway.api.get('/v1/subscriptions')).json
    expect(items.map(({ id }: { id: string }) => id)).toEqual([other.id])
  })
})

describe('the services', () => {
  const children: ChildProcess[] = []
  afterEach(async () => {
    for (const child of children.splice(0)) {
      const ended = once(child, 'exit')
      if (child.exitCode === null && child.kill()) await ended
    }
  })

  async function start(name: string, secret: string): Promise<string> {
    const env = { ...SETTINGS, PORT: '0', WEBHOOK_SECRET: secret }
    const child = spawn(process.execPath, [inProject(`examples/${name}.mjs`)], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    const [line] = await once(createInterface(child.stdout), 'line')
    return String(line).replace('Listening on ', '')
  }

  async function send(url: string, body: string, headers: Record<string, string>): Promise<number> {
    return (await fetch(url, { method: 'POST', body, headers })).status
  }

  const key = Buffer.alloc(32, 7)
  function signed(body: string, timestamp: number, signWith = key) {
    const content = `evt_1.${timestamp}.${body}`
    const signature = createHmac('sha256', signWith).update(content).digest('base64')
    return {
      'webhook-id': 'evt_1',
      'webhook-timestamp': String(timestamp),
      'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')} v1,${signature}`,
    }
  }

  it('a receiver takes a signed notification, and refuses a forged, an altered and an old one', async () => {
    const url = await start('receiver', `whsec_${key.toString('base64')}`)
    const body = JSON.stringify({ type: 'record.created', data: { recordId: 'r', sequenceId: 1 } })
    const now = Math.floor(Date.now() / 1_000)
    expect(await send(url, body, signed(body, now))).toBe(204)
    expect(await send(url, body, signed(body, now, Buffer.alloc(32, 8)))).toBe(401)
    expect(await send(url, `${body} `, signed(body, now))).toBe(401)
    expect(await send(url, body, signed(body, now - 301))).toBe(401)
    expect(await send(url, body, {})).toBe(401)
  })

  it("a Bpium validator answers what is signed with its hook's secret and nothing else", async () => {
    const secret = 'a secret'
    const url = await start('bpium-validator', secret)
    const hook = { event: 'record.before.created' }
    const body = JSON.stringify({ hook, payload: { values: {} } })
    const signature = createHmac('md5', secret).update(body).digest('base64')
    expect(await send(url, body, { 'x-hook-signature': signature })).toBe(400)
    expect(await send(url, `${body} `, { 'x-hook-signature': signature })).toBe(401)
    expect(await send(url, body, { 'x-hook-signature': '' })).toBe(401)
    expect(await send(url, body, {})).toBe(401)
  })

  it('a plain validator fails on what it cannot read, so that it neither allows nor denies', async () => {
    const url = await start('plain-validator', '')
    expect(await send(url, '{', {})).toBe(500)
  })

  it.each(['receiver', 'bpium-validator'])('%s does not start without its secret', (name) => {
    const run = () =>
      execFileSync(process.execPath, [inProject(`examples/${name}.mjs`)], {
        env: SETTINGS,
        stdio: 'pipe',
      })
    expect(run).toThrow('WEBHOOK_SECRET')
  })
})
