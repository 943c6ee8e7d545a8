/** One validator's trouble is nobody else's. Who is first is told by signals, never by a clock. */
import type http from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ADMIN_KEY, startTestGateway, type TestGateway } from '../support/gateway.ts'
import { DATABASES } from '../support/places.ts'
import { deny, startValidator, type ValidatorServer } from '../support/validator-server.ts'

const HANGING = 64
const ELSEWHERE = 200
const CALLERS = 8
const POLLS_MAX = 1_000
/** What the calls may take that are to be broken off, and by when that must have happened. */
const PATIENCE_MS = 30_000
const BROKEN_OFF_MS = 15_000

/** A validator that keeps its questions until it is told to answer them. */
type Patient = {
  readonly server: ValidatorServer
  /** Resolves when this many questions have come in. */
  readonly holds: (count: number) => Promise<void>
  /** Resolves when this many of them were broken off from the other side. */
  readonly broken: (count: number) => Promise<void>
  /** Answers them all, and every later one at once. */
  readonly release: () => void
}

async function startPatient(): Promise<Patient> {
  const held: http.ServerResponse[] = []
  let isReleased = false
  const answer = (response: http.ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"decision":"allow"}')
  }
  const taken = new Tally()
  const broken = new Tally()
  const server = await startValidator((_request, response) => {
    taken.add()
    if (isReleased) return answer(response)
    held.push(response)
    response.once('close', () => {
      if (!response.writableFinished) broken.add()
    })
  })
  return {
    server,
    holds: (count) => taken.reaches(count),
    broken: (count) => broken.reaches(count),
    release: () => {
      isReleased = true
      for (const response of held.splice(0)) answer(response)
    },
  }
}

/** Counts, and tells who waits for a number. */
class Tally {
  #count = 0
  readonly #waiting: { readonly count: number; readonly tell: () => void }[] = []

  add(): void {
    this.#count += 1
    for (const { count, tell } of this.#waiting) if (this.#count >= count) tell()
  }

  reaches(count: number): Promise<void> {
    if (this.#count >= count) return Promise.resolve()
    return new Promise((tell) => this.#waiting.push({ count, tell }))
  }
}

/** As many at a time as a handful of callers would have under way. */
async function manyTimes(times: number, once: (turn: number) => Promise<void>): Promise<void> {
  let next = 0
  const caller = async () => {
    while (next < times) await once(next++)
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
}

async function inFlight({ api }: TestGateway): Promise<number> {
  const { text } = await api.get('/metrics')
  return Number(/^assent_approvals_in_flight (\d+)$/m.exec(text)?.[1] ?? Number.NaN)
}

/** Resolves when the gateway works on nothing any more. */
async function atRest(gateway: TestGateway): Promise<void> {
  for (let polls = 0; polls < POLLS_MAX; polls++) if ((await inFlight(gateway)) === 0) return
  throw new Error(`${await inFlight(gateway)} approvals are still under way`)
}

describe.each(DATABASES)('on the %s database', (database) => {
  let gateway: TestGateway

  beforeAll(async () => {
    gateway = await startTestGateway(database)
  })

  afterAll(async () => {
    await gateway?.close()
  })

  describe(`${HANGING} changes that hang on one validator`, () => {
    it('hold up neither creates nor reads nor the readiness elsewhere', async () => {
      const { api } = gateway
      const slow = await startPatient()
      const quick = await startValidator()
      await api.subscribe({ catalogId: 'slow', url: slow.server.url, timeoutMs: PATIENCE_MS })
      await api.subscribe({ catalogId: 'quick', url: quick.url })
      let settled = 0
      const hanging = Array.from({ length: HANGING }, async () => {
        const answer = await api.approve({ catalogId: 'slow', timeoutMs: PATIENCE_MS })
        settled += 1
        return answer
      })
      await slow.holds(HANGING)
      expect(await inFlight(gateway)).toBe(HANGING)

      await manyTimes(ELSEWHERE, async (turn) => {
        const { json } = await api.approve({ catalogId: 'quick', recordId: `record ${turn}` })
        expect(json).toMatchObject({ decision: 'allow', committed: true })
        const { status } = await api.get(`/v1/catalogs/quick/records/record%20${turn}`)
        expect(status).toBe(200)
      })
      expect(await api.get('/readyz')).toMatchObject({ status: 200, json: { status: 'ready' } })
      expect(quick.received).toHaveLength(ELSEWHERE)
      expect(settled).toBe(0)
      expect(await inFlight(gateway)).toBe(HANGING)

      slow.release()
      for (const { json } of await Promise.all(hanging)) {
        expect(json).toMatchObject({ decision: 'allow', committed: true })
      }
      await Promise.all([slow.server.close(), quick.close()])
    })

    it('are none of the concern of another who is asked about the same change', async () => {
      const { api } = gateway
      const slow = await startPatient()
      const quick = await startPatient()
      quick.release()
      await api.subscribe({ catalogId: 'both', url: slow.server.url, timeoutMs: PATIENCE_MS })
      await api.subscribe({ catalogId: 'both', url: quick.server.url })
      const hanging = Array.from({ length: HANGING }, () =>
        api.approve({ catalogId: 'both', timeoutMs: PATIENCE_MS }),
      )
      await Promise.all([slow.holds(HANGING), quick.holds(HANGING)])
      slow.release()
      for (const { json } of await Promise.all(hanging)) {
        expect(json.verdicts).toMatchObject([{ outcome: 'allow' }, { outcome: 'allow' }])
      }
      await Promise.all([slow.server.close(), quick.server.close()])
    })
  })

  describe('a caller that goes away before the commit', { timeout: BROKEN_OFF_MS }, () => {
    it.each(['deny', 'allow'])('gets no commit, with onFailure %s', async (onFailure) => {
      const { api } = gateway
      const catalogId = `left-${onFailure}`
      const slow = await startPatient()
      await api.subscribe({ catalogId, url: slow.server.url, timeoutMs: PATIENCE_MS, onFailure })
      const leaving = new AbortController()
      const { signal } = leaving
      const given = Array.from({ length: HANGING }, (_, turn) =>
        api.approve({ catalogId, recordId: `ghost-${turn}`, timeoutMs: PATIENCE_MS }, { signal }),
      )
      await slow.holds(HANGING)
      leaving.abort()
      const outcomes = await Promise.allSettled(given)
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toEqual([])
      await slow.broken(HANGING)
      slow.release()

      const later = await api.approve({ catalogId, recordId: 'later' })
      expect(later.json).toMatchObject({ committed: true })
      await atRest(gateway)
      const { json } = await api.get(`/v1/catalogs/${catalogId}/records?limit=200`)
      expect(json.items.map(({ id }: { id: string }) => id)).toEqual(['later'])
      await slow.server.close()
    })

    it('leaves the record free for others at once', async () => {
      const { api } = gateway
      const slow = await startPatient()
      await api.subscribe({ catalogId: 'free', url: slow.server.url, timeoutMs: PATIENCE_MS })
      const leaving = new AbortController()
      const change = { catalogId: 'free', recordId: 'one', timeoutMs: PATIENCE_MS }
      const given = api.approve(change, { signal: leaving.signal })
      await slow.holds(1)
      expect((await api.approve(change)).json.code).toBe('approval_in_flight')
      leaving.abort()
      await expect(given).rejects.toThrow()
      await slow.broken(1)
      slow.release()
      expect((await api.approve(change)).json).toMatchObject({ committed: true })
      await slow.server.close()
    })
  })

  describe('the first deny', { timeout: BROKEN_OFF_MS }, () => {
    const ORDER = { first: 1, second: 2 }

    /** A validator that denies as soon as the other, which is before it in plan order, is asked too. */
    async function startPair(catalogId: string, other: ValidatorServer) {
      const otherIsAsked = other.next()
      const denying = await startValidator(async (request, response) => {
        await otherIsAsked
        await deny('Too dear.')(request, response)
      })
      const settings = { catalogId, timeoutMs: PATIENCE_MS }
      await gateway.api.subscribe({ ...settings, url: other.url, order: ORDER.first })
      await gateway.api.subscribe({ ...settings, url: denying.url, order: ORDER.second })
      return denying
    }

    it('answers at once with a grace of 0, and breaks off whoever is still asked', async () => {
      const slow = await startPatient()
      const denying = await startPair('grace-0', slow.server)
      const { json } = await gateway.api.approve({
        catalogId: 'grace-0',
        denyGraceMs: 0,
        timeoutMs: PATIENCE_MS,
      })
      expect(json).toMatchObject({ decision: 'deny', committed: false })
      expect(json.verdicts).toMatchObject([
        { outcome: 'cancelled', applied: 'none' },
        { outcome: 'deny' },
      ])
      expect(json.errors).toMatchObject([{ message: { text: 'Too dear.' } }])
      await slow.broken(1)
      await Promise.all([slow.server.close(), denying.close()])
    })

    it('waits no longer than its grace for others', async () => {
      const slow = await startPatient()
      const denying = await startPair('grace-50', slow.server)
      const { json } = await gateway.api.approve({
        catalogId: 'grace-50',
        denyGraceMs: 50,
        timeoutMs: PATIENCE_MS,
      })
      expect(json.verdicts).toMatchObject([{ outcome: 'cancelled' }, { outcome: 'deny' }])
      await slow.broken(1)
      await Promise.all([slow.server.close(), denying.close()])
    })

    it('is joined by those that come within its grace, in plan order', async () => {
      let speak = () => {}
      const other = await startValidator((request, response) => {
        speak = () => void deny('Too late.')(request, response)
      })
      const denying = await startPair('grace', other)
      const watching = await watch(gateway, {
        catalogId: 'grace',
        denyGraceMs: 20_000,
        timeoutMs: PATIENCE_MS,
      })
      expect(await watching.next('verdict')).toMatchObject({ outcome: 'deny' })
      speak()
      const decision = await watching.next('decision')
      expect(decision.errors.map((error: any) => error.message.text)).toEqual([
        'Too late.',
        'Too dear.',
      ])
      expect(decision.message.text).toBe('Too late.')
      await Promise.all([other.close(), denying.close()])
    })
  })
})

/** Follows an approval as it happens. */
async function watch({ url }: TestGateway, request: Record<string, unknown>) {
  const response = await fetch(`${url}/v1/approve`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${ADMIN_KEY}`,
      'content-type': 'application/json',
      accept: 'text/event-stream',
    },
    body: JSON.stringify({ event: 'record.before.created', values: {}, ...request }),
  })
  if (response.body === null) throw new Error('nothing to watch')
  const events = eventsOf(response.body)
  return {
    /** The data of the next event of this name. */
    next: async (name: string): Promise<any> => {
      for (;;) {
        const { value, done } = await events.next()
        if (done === true) throw new Error(`no ${name} came`)
        if (value.name === name) return JSON.parse(value.data)
      }
    },
  }
}

async function* eventsOf(body: ReadableStream<Uint8Array>) {
  let pending = ''
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (pending + text).split('\n\n')
    pending = blocks.pop() ?? ''
    for (const block of blocks) {
      const [, name = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? []
      yield { name, data }
    }
  }
}
