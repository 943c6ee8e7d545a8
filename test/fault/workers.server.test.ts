/** Several workers behind one port: one view from outside, whoever of them dies. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type Place, temporaryDatabase } from '../support/places.ts'
import { endAll, type GatewayProcess, startProcess } from '../support/process.ts'
import { allow, deny, startValidator, type ValidatorServer } from '../support/validator-server.ts'

const WORKERS = 2

async function childrenOf(pid: number): Promise<number[]> {
  // ps exits with 1 when there is nobody to list.
  const ps = promisify(execFile)('ps', ['-o', 'pid=', '--ppid', String(pid)])
  const { stdout } = await ps.catch(() => ({ stdout: '' }))
  return stdout.split('\n').map(Number).filter(Boolean)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('a gateway of several workers', () => {
  let place: Place
  let validator: ValidatorServer
  let gateway: GatewayProcess

  const allUp = () =>
    eventually('all workers run', async () => {
      const pids = await childrenOf(gateway.pid)
      const total = await metric('assent_workers')
      return pids.length === WORKERS && total === WORKERS ? pids : undefined
    })

  const create = (name: string) =>
    // A connection of its own each time, so that workers take turns.
    gateway.api.approve({ recordId: name }, { headers: { connection: 'close' } })

  /** A change whose validator has been asked, and allows it when it is released. */
  const held = async (name: string) => {
    let release = () => {}
    const asked = new Promise<void>((resolve) => {
      validator.behave = (_request, response) => {
        release = () => response.writeHead(204).end()
        resolve()
      }
    })
    const answer = create(name)
    await asked
    return { answer, release }
  }

  const metric = async (name: string) => {
    // A connection that is on its way to a worker that dies is lost without a word.
    const signal = AbortSignal.timeout(3_000)
    const { text } = await gateway.api.get('/metrics', { headers: { connection: 'close' }, signal })
    const lines = text.split('\n').filter((line) => line.startsWith(name))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  beforeAll(async () => {
    validator = await startValidator()
  })

  beforeEach(async () => {
    validator.behave = allow
    place = await temporaryDatabase()
    gateway = await startProcess({
      ...place.environment,
      ASSENT_EGRESS_ALLOW: '127.0.0.0/8',
      ASSENT_WORKERS: String(WORKERS),
    })
  })

  afterEach(async () => {
    await endAll()
    await place.remove()
  })

  afterAll(() => validator.close())

  it('counts in one view what all of them did', async () => {
    const pids = await allUp()
    expect(new Set([gateway.pid, ...pids]).size).toBe(1 + WORKERS)
    await gateway.api.subscribe({ url: validator.url, catalogId: 'things' })
    for (let n = 0; n < 20; n++) expect((await create(`one-${n}`)).json.committed).toBe(true)
    for (let n = 0; n < 6; n++) {
      expect(await metric('assent_approvals_total{')).toBe(20)
      expect(await metric('assent_validator_calls_total{')).toBe(20)
    }
  })

  it('hears in every worker of a subscription that was made in one of them', async () => {
    await allUp()
    validator.behave = deny('No.')
    await gateway.api.subscribe({ url: validator.url, catalogId: 'things' })
    for (let n = 0; n < 10; n++) expect((await create(`no-${n}`)).json.decision).toBe('deny')
  })

  it('goes on when a worker is killed, and starts another', async () => {
    const [first = 0, second = 0] = await allUp()
    process.kill(first, 'SIGKILL')
    await eventually('it is noticed', () => gateway.output.stderr.includes(`worker ${first} ended`))
    expect((await create('after')).json.committed).toBe(true)
    const pids = await allUp()
    expect(pids).toContain(second)
    expect(pids).not.toContain(first)
  })

  it('ends all of them on SIGTERM, after their answers', async () => {
    const pids = await allUp()
    await gateway.api.subscribe({ url: validator.url, catalogId: 'things' })
    const { answer, release } = await held('last')
    gateway.signal('SIGTERM')
    release()
    expect((await answer).json.committed).toBe(true)
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
    expect(pids.filter(isAlive)).toEqual([])
  })

  it('finds in every worker what any of them has decided', async () => {
    await allUp()
    validator.behave = deny('No.')
    await gateway.api.subscribe({ url: validator.url, catalogId: 'things' })
    for (let n = 0; n < 10; n++) {
      const { json } = await create(`denied-${n}`)
      const headers = { connection: 'close' }
      const found = await gateway.api.get(`/v1/decisions/${json.id}`, { headers })
      expect(found.json.decision).toBe('deny')
    }
  })

  it('finishes what is under way and leaves no worker behind when the primary is killed', async () => {
    const pids = await allUp()
    await gateway.api.subscribe({ url: validator.url, catalogId: 'things' })
    const { answer, release } = await held('orphan')
    await gateway.kill()
    release()
    expect((await answer).json.committed).toBe(true)
    await eventually('all workers have ended', () => !pids.some(isAlive))
  })
})
