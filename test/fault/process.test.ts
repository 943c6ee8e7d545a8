/** The process as a whole: its first start, its refusals, its end, and a database that comes and goes. */
import { randomBytes } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { findPostgres, startCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { type Answer, Api } from '../support/gateway.ts'
import {
  DATABASES,
  emptyFolder,
  type Place,
  TEST_DATABASE_URL,
  temporaryPlace,
} from '../support/places.ts'
import { endAll, type GatewayProcess, runToEnd, startProcess } from '../support/process.ts'
import { allow, deny, startValidator, type ValidatorServer } from '../support/validator-server.ts'

const MASTER_KEY = randomBytes(32).toString('base64')
/** A port on which nobody listens: below the range of outgoing connections, and not a usual one. */
const DEAD_PORT = 19_999

let validator: ValidatorServer
const places: Place[] = []

async function newPlace(kind: (typeof DATABASES)[number]): Promise<Place> {
  const place = await temporaryPlace(kind)
  places.push(place)
  // A gateway on a server asks nobody private unless it is told so.
  return { ...place, environment: { ...place.environment, ASSENT_EGRESS_ALLOW: '127.0.0.1/32' } }
}

beforeAll(async () => {
  validator = await startValidator()
})
afterEach(async () => {
  await endAll()
  for (const place of places.splice(0)) await place.remove()
  validator.behave = allow
})
afterAll(() => validator.close())

describe('a process', () => {
  it('tells every faulty setting by name, opens no port, and exits with 78', async () => {
    const place = await emptyFolder()
    places.push(place)
    const { environment } = place
    const ended = await runToEnd({
      ...environment,
      PORT: 'eighty',
      DATABASE_URL: 'mysql://user:topsecret@db/assent',
      ASSENT_ADMIN_KEY: 'topsecret',
      ASSENT_EGRESS_ALLOW: '999.0.0.0/8',
      ASSENT_LOG_LEVEL: 'loud',
    })
    expect(ended).toMatchObject({ code: 78, stdout: '' })
    const named = ended.stderr
      .split('\n')
      .flatMap((line) => /^ {2}([A-Z_]+): ./.exec(line)?.[1] ?? [])
    expect(new Set(named)).toEqual(
      new Set([
        'PORT',
        'DATABASE_URL',
        'ASSENT_ADMIN_KEY',
        'ASSENT_EGRESS_ALLOW',
        'ASSENT_LOG_LEVEL',
        'ASSENT_MASTER_KEY',
      ]),
    )
    expect(ended.stderr).not.toContain('topsecret')
    expect(await readdir(environment['ASSENT_DATA_DIR'] ?? '')).toEqual([])
  })

  it('seals anew what other master keys sealed, and does not start without a key that it needs', async () => {
    const { environment } = await newPlace('embedded')
    const [old, next] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')]
    const auth = { type: 'bearer', token: 'a token that outlives its key' }
    const first = await startProcess({ ...environment, ASSENT_MASTER_KEY: old })
    const { id } = await first.api.subscribe({ url: validator.url, auth })
    await first.end('SIGTERM')

    const without = await runToEnd({ ...environment, ASSENT_MASTER_KEY: next })
    expect(without).toMatchObject({ code: 78, stdout: '' })
    expect(without.stderr).toMatch(
      /ASSENT_MASTER_KEY: .*keys that are not in the list \([0-9a-f]{8}\)/,
    )
    const unable = await runToEnd({ ...environment, ASSENT_MASTER_KEY: next }, ['re-encrypt'])
    expect(unable.code).toBe(78)

    const rotating = { ...environment, ASSENT_MASTER_KEY: `${next},${old}` }
    const done = await runToEnd(rotating, ['re-encrypt'])
    expect([done.code, done.stdout.trim()]).toEqual([
      0,
      'Stored secrets that were sealed anew with the first master key: 1',
    ])
    expect((await runToEnd(rotating, ['re-encrypt'])).stdout).toMatch(/: 0$/m)

    const last = await startProcess({ ...environment, ASSENT_MASTER_KEY: next })
    const asked = validator.next()
    await last.api.post(`/v1/subscriptions/${id}/test`)
    expect((await asked).headers.authorization).toBe(`Bearer ${auth.token}`)
    await last.end('SIGTERM')
  })

  it('names the setting of a folder in which nothing can be kept', async () => {
    const { environment } = await newPlace('embedded')
    const file = join(environment['ASSENT_DATA_DIR'] ?? '', 'a file')
    await writeFile(file, '')
    const ended = await runToEnd({ ...environment, ASSENT_DATA_DIR: file })
    expect(ended).toMatchObject({ code: 78, stdout: '' })
    expect(ended.stderr).toMatch(/^ {2}ASSENT_DATA_DIR: /m)
  })

  it('is refused a data folder that another process has, and says which', async () => {
    const { environment } = await newPlace('embedded')
    const first = await startProcess(environment)
    const second = await runToEnd(environment)
    expect(second).toMatchObject({ code: 1, stdout: '' })
    expect(second.stderr).toContain(
      `The data folder ${environment['ASSENT_DATA_DIR']} is in use by process ${first.pid}`,
    )
    expect(second.stderr).toContain('set ASSENT_DATA_DIR to another folder')
    expect(second.stderr.trim().split('\n')).toHaveLength(1)
    const answer = await first.api.approve({})
    expect(answer.json).toMatchObject({ committed: true })
  })

  it('frees its data folder when it ends in order, and a killed one is replaced', async () => {
    const { environment } = await newPlace('embedded')
    const lock = join(environment['ASSENT_DATA_DIR'] ?? '', 'assent.lock')
    const first = await startProcess(environment)
    expect(await first.end('SIGTERM')).toEqual({ code: 0, signal: null })
    const names = () => readdir(join(lock, '..'))
    expect(await names()).not.toContain('assent.lock')
    const second = await startProcess(environment)
    await second.end('SIGKILL')
    expect(await names()).toContain('assent.lock')
    const third = await startProcess(environment)
    expect((await third.api.get('/readyz')).status).toBe(200)
  })

  it('works on, and ends in order, when nobody reads its log any more', async () => {
    const { environment } = await newPlace('embedded')
    const gateway = await startProcess({ ...environment, ASSENT_LOG_LEVEL: 'info' })
    gateway.stopReading()
    // Each is a line; together they are more than is gathered before it is written.
    for (let n = 0; n < 40; n++) {
      expect((await gateway.api.approve({ values: { n } })).json.committed).toBe(true)
    }
    expect(await gateway.end('SIGTERM')).toEqual({ code: 0, signal: null })
  })

  it('prints its console and an admin key on its first start, and no key after that', async () => {
    for (const kind of DATABASES) {
      const { environment } = await newPlace(kind)
      const first = await startProcess({ ...environment, ASSENT_ADMIN_KEY: '' })
      expect(first.output.stdout).toContain(`Assent listens on ${first.url}\n`)
      const look = () => /^Admin key: (ask_live_\w+)$/m.exec(first.output.stdout)?.[1]
      const key = await eventually('the key is printed', look)
      const use = (at: GatewayProcess) => new Api(at.url, key).get('/v1/keys')
      expect((await use(first)).json).toMatchObject({ items: [{ scopes: ['admin'] }] })
      expect((await fetch(`${first.url}/console`)).status).toBe(200)
      await first.end('SIGTERM')
      const second = await startProcess({ ...environment, ASSENT_ADMIN_KEY: '' })
      expect((await use(second)).status).toBe(200)
      await second.end('SIGTERM')
      expect(second.output.stdout).toContain(`Console: ${second.url}/console`)
      expect(second.output.stdout).not.toContain('Admin key')
      expect(second.output.stdout + second.output.stderr).not.toContain('ask_live')
    }
  })

  it.each([
    ['refuses connections', `127.0.0.1:${DEAD_PORT}`],
    ['refuses connections on each of its addresses', `localhost:${DEAD_PORT}`],
    ['has a name that nobody knows', 'no-such-host.invalid'],
  ])('says that it cannot reach a database that %s', async (_, host) => {
    const ended = await runToEnd({
      DATABASE_URL: `postgres://user:topsecret@${host}/assent`,
      ASSENT_MASTER_KEY: MASTER_KEY,
    })
    expect(ended).toMatchObject({ code: 1, stdout: '' })
    expect(ended.stderr).toMatch(
      /^Assent could not start: .*DATABASE_URL.*(REFUSED|NOTFOUND|AGAIN)/,
    )
    expect(ended.stderr).not.toContain('topsecret')
    expect(ended.stderr.trim().split('\n')).toHaveLength(1)
  })

  it('says so when its port is taken, and lets go of everything', async () => {
    const { environment } = await newPlace('embedded')
    const { port } = new URL(validator.url)
    const ended = await runToEnd({ ...environment, PORT: port })
    expect(ended).toMatchObject({ code: 1, stdout: '' })
    expect(ended.stderr).toContain(`EADDRINUSE: address already in use 127.0.0.1:${port}`)
    const again = await startProcess(environment)
    expect((await again.api.get('/readyz')).status).toBe(200)
  })
})

describe.each(DATABASES)('a process on the %s database that is told to stop', (kind) => {
  /** Holds every question until it is let go. */
  const holding = () => {
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    validator.behave = async (request, response) => {
      await released
      await allow(request, response)
    }
    return release
  }

  const started = async (environment: Place['environment']) => {
    const gateway = await startProcess(environment)
    const { items } = (await gateway.api.get('/v1/subscriptions')).json
    if (items.length === 0) await gateway.api.subscribe({ url: validator.url })
    return gateway
  }

  it('finishes the approvals in flight, answers /readyz with 503 meanwhile, and exits with 0', async () => {
    const { environment } = await newPlace(kind)
    const gateway = await started(environment)
    const release = holding()
    const asked = validator.next(8)
    const answering = Array.from({ length: 8 }, (_, n) =>
      gateway.api.approve({ recordId: `held-${n}`, values: { n } }),
    )
    await asked
    gateway.signal('SIGTERM')
    const readiness = await eventually('/readyz turns', async () => {
      const answer = await gateway.api.get('/readyz')
      return answer.status === 503 && answer
    })
    expect(readiness.json).toMatchObject({ status: 'not_ready', checks: { process: 'stopping' } })
    const refused = await gateway.api.approve({})
    expect(refused.json).toMatchObject({ code: 'stopping', status: 503 })
    expect(refused.headers.get('retry-after')).toBe('1')
    release()
    for (const answer of await Promise.all(answering)) {
      expect(answer.json).toMatchObject({ decision: 'allow', committed: true })
    }
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
    const again = await started(environment)
    const { json } = await again.api.get('/v1/catalogs/things/records')
    expect(json.items).toHaveLength(8)
  })

  it('stores the decisions that nobody waited for before it ends', async () => {
    const { environment } = await newPlace(kind)
    const gateway = await started(environment)
    validator.behave = deny('No.')
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => gateway.api.approve({ denyGraceMs: 0 })),
    )
    expect(await gateway.end('SIGTERM')).toEqual({ code: 0, signal: null })
    const again = await started(environment)
    const ids = new Set<string>()
    for (let cursor = ''; ; ) {
      const { json } = await again.api.get(`/v1/decisions?limit=200${cursor}`)
      for (const { id } of json.items) ids.add(id)
      if (json.nextCursor === null) break
      cursor = `&cursor=${json.nextCursor}`
    }
    expect(ids).toEqual(new Set(answers.map(({ json }) => json.id)))
  })

  it('ends at once when it is told twice', async () => {
    const { environment } = await newPlace(kind)
    const gateway = await started(environment)
    const release = holding()
    const asked = validator.next()
    const answering = gateway.api.approve({}).catch(() => null)
    await asked
    gateway.signal('SIGTERM')
    await eventually('/readyz turns', async () => (await gateway.api.get('/readyz')).status === 503)
    expect(await gateway.end('SIGTERM')).toEqual({ code: 1, signal: null })
    expect(await answering).toBeNull()
    release()
  })

  it('does not wait for ever: after ten seconds it goes, and nothing was written', async () => {
    const { environment } = await newPlace(kind)
    const gateway = await started(environment)
    const release = holding()
    const asked = validator.next()
    const answering = gateway.api
      .approve({ recordId: 'too-late', timeoutMs: 30_000 })
      .catch(() => null)
    await asked
    const startedAt = process.hrtime.bigint()
    expect(await gateway.end('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(Number((process.hrtime.bigint() - startedAt) / 1_000_000n)).toBeLessThan(30_000)
    const answer = await answering
    if (answer !== null) expect(answer.json.committed).not.toBe(true)
    release()
    const again = await started(environment)
    expect((await again.api.get('/v1/catalogs/things/records/too-late')).status).toBe(404)
  })
})

const bin = TEST_DATABASE_URL === undefined ? null : await findPostgres()
if (bin === null) {
  process.stdout.write(
    'NOT RUN: a server that restarts: no PostgreSQL binaries, or not asked for\n',
  )
} else {
  describe('a process whose database restarts', () => {
    it.each(['fast', 'immediate'] as const)(
      'refuses what it cannot serve meanwhile, loses nothing, and is well again (%s)',
      async (mode) => {
        const cluster = await startCluster(bin)
        places.push({ environment: {}, remove: cluster.remove })
        const gateway = await startProcess({
          DATABASE_URL: cluster.url,
          ASSENT_MASTER_KEY: MASTER_KEY,
          ASSENT_EGRESS_ALLOW: '127.0.0.1/32',
        })
        await gateway.api.subscribe({ url: validator.url })
        const load = startLoad(gateway.api)
        await eventually('some are committed', () => load.committed.length >= 50)
        await cluster.stop(mode)
        await eventually('the gateway notices', async () => {
          return (await gateway.api.get('/readyz')).status === 503
        })
        const refusedBefore = load.refused.length
        await eventually('more is refused', () => load.refused.length >= refusedBefore + 20)
        await cluster.start()
        const committedBefore = load.committed.length
        await eventually('more is committed', () => load.committed.length >= committedBefore + 50)
        await load.stop()
        await eventually('the gateway is well', async () => {
          return (await gateway.api.get('/readyz')).status === 200
        })
        for (const { status, json, headers } of load.refused) {
          expect(['store_unavailable', 'outcome_unknown']).toContain(json.code)
          expect(status).toBe(503)
          expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
        }
        await expectExactly(gateway.api, load)
      },
    )
  })
}

type Load = {
  readonly committed: Answer[]
  readonly refused: Answer[]
  readonly unknown: string[]
  readonly stop: () => Promise<void>
}

/** Eight callers, each with one approval after the other. */
function startLoad(api: Api): Load {
  const [committed, refused, unknown]: [Answer[], Answer[], string[]] = [[], [], []]
  let isOver = false
  let count = 0
  const caller = async () => {
    while (!isOver) {
      const recordId = `load-${++count}`
      const answer = await api.approve({ recordId, values: { recordId } })
      if (answer.status === 200) committed.push(answer)
      else refused.push(answer)
      if (answer.json.code === 'outcome_unknown') unknown.push(recordId)
    }
  }
  const callers = Promise.all(Array.from({ length: 8 }, caller))
  return {
    committed,
    refused,
    unknown,
    stop: async () => {
      isOver = true
      await callers
    },
  }
}

/** What was answered as committed is there, and nothing else but what was answered as unknown. */
async function expectExactly(api: Api, { committed, unknown }: Load): Promise<void> {
  const stored = new Set<string>()
  for (let cursor = ''; ; ) {
    const { json } = await api.get(`/v1/catalogs/things/records?limit=200${cursor}`)
    for (const { id } of json.items) stored.add(id)
    if (json.nextCursor === null) break
    cursor = `&cursor=${encodeURIComponent(json.nextCursor)}`
  }
  const answered = committed.map(({ json }) => json.record.id as string)
  for (const id of answered) expect(stored.has(id), id).toBe(true)
  for (const id of [...answered, ...unknown]) stored.delete(id)
  expect([...stored]).toEqual([])
}
