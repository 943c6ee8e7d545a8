/** The connection to PostgreSQL is lost around the commit: the caller's answer is the truth all the same. */
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Gateway } from '../../src/compose.ts'
import { eventually } from '../support/eventually.ts'
import { type Answer, Api, startGatewayOn } from '../support/gateway.ts'
import { type Accident, type PgProxy, startPgProxy } from '../support/pg-proxy.ts'
import { ownersUrl, type Place, temporaryDatabase } from '../support/places.ts'
import { deny, startValidator, type ValidatorServer } from '../support/validator-server.ts'

describe('a commit whose connection is lost', () => {
  let place: Place
  let proxy: PgProxy
  let gateway: Gateway
  let validator: ValidatorServer
  let api: Api
  let db: pg.Client

  beforeAll(async () => {
    place = await temporaryDatabase()
    const direct = place.environment['DATABASE_URL'] ?? ''
    proxy = await startPgProxy(direct)
    gateway = await startGatewayOn({ ...place.environment, DATABASE_URL: proxy.url })
    api = new Api(gateway.url)
    db = new pg.Client({ connectionString: ownersUrl(direct) })
    await db.connect()
    validator = await startValidator()
    const url = validator.url
    await api.subscribe({ url, catalogId: 'things', events: ['record.created'] })
    await api.subscribe({ url, catalogId: 'refused', name: 'Refuser' })
    validator.behave = deny('No.')
  })

  afterEach(() => proxy.comeBack())

  afterAll(async () => {
    await gateway?.close()
    await proxy?.close()
    await db?.end()
    await validator?.close()
    await place?.remove()
  })

  let count = 0
  const nextName = () => `cut-${++count}`
  const create = (name: string) =>
    api.approve({ recordId: name, values: { name } }, { headers: { 'idempotency-key': name } })

  /** What is in the database of the change of that name. */
  const stored = async (name: string) => {
    const { rows } = await db.query(
      `select
         (select count(*) from records where id = $1)::int as records,
         (select count(*) from decisions where record_id = $1 and committed)::int as decisions,
         (select count(*) from events where body->>'recordId' = $1)::int as events,
         (select count(*) from kept_answers where key = $1)::int as kept`,
      [name],
    )
    return rows[0] as object
  }
  const WHOLE = { records: 1, decisions: 1, events: 1, kept: 1 }
  const NOTHING = { records: 0, decisions: 0, events: 0, kept: 0 }

  const expectCommitted = async (name: string, answer: Answer) => {
    expect(answer.text).toContain('"decision":"allow"')
    expect(answer.status).toBe(200)
    expect(answer.json).toMatchObject({ committed: true, record: { id: name, version: 1 } })
    expect(await stored(name)).toEqual(WHOLE)
  }
  const expectNothing = async (name: string, answer: Answer) => {
    expect(answer.json).toMatchObject({ code: 'store_unavailable' })
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(await stored(name)).toEqual(NOTHING)
  }
  const expectTruth = (name: string, answer: Answer) =>
    answer.status === 200 ? expectCommitted(name, answer) : expectNothing(name, answer)

  /** The same request again is carried out, or repeated, and the change is there once. */
  const expectRetryHelps = async (name: string, first: Answer) => {
    const again = await create(name)
    await expectCommitted(name, again)
    const isReplay = again.headers.get('idempotent-replayed') === 'true'
    expect(isReplay).toBe(first.status === 200)
    if (isReplay) expect(again.text).toBe(first.text)
  }

  describe.each(['closed', 'reset'] as const)('with a connection that is %s', (ending) => {
    it.each(['before', 'halfway'] as const)(
      'is answered store_unavailable when the statement is lost (%s), and nothing is written',
      async (accident) => {
        const name = nextName()
        const cut = proxy.next('commit', accident, ending)
        const answer = await create(name)
        await cut
        await expectNothing(name, answer)
        await expectRetryHelps(name, answer)
      },
    )

    it('is answered as committed when only the answer of the database is lost', async () => {
      const name = nextName()
      const cut = proxy.next('commit', 'answer lost', ending)
      const answer = await create(name)
      expect(await (await cut).outcome).toBeNull()
      await expectCommitted(name, answer)
      await expectRetryHelps(name, answer)
    })

    it('is answered as it ends when the statement still runs without us', async () => {
      for (let round = 0; round < 20; round++) {
        const name = nextName()
        const cut = proxy.next('commit', 'on its way', ending)
        const answer = await create(name)
        await (await cut).outcome
        await expectTruth(name, answer)
        await expectRetryHelps(name, answer)
      }
    })
  })

  it('can never take effect once it was answered store_unavailable, however late it arrives', async () => {
    const name = nextName()
    const cut = proxy.next('commit', 'kept back')
    const answer = await create(name)
    await expectNothing(name, answer)
    const { release, outcome } = await cut
    release()
    expect(await outcome).toBe('23505')
    await expectNothing(name, answer)
    await expectRetryHelps(name, answer)
  })

  it('can never take effect after that either when it waits for a lock inside the server', async () => {
    const name = nextName()
    await expectCommitted(name, await create(name))
    await db.query('begin')
    await db.query('select from records where id = $1 for update', [name])
    const cut = proxy.next('commit', 'on its way')
    const answer = await api.approve({
      event: 'record.before.updated',
      recordId: name,
      values: { name: 'new' },
    })
    expect(answer.json).toMatchObject({ code: 'store_unavailable' })
    await db.query('commit')
    expect(await (await cut).outcome).toBe('23505')
    const { json } = await api.get(`/v1/catalogs/things/records/${name}`)
    expect(json).toMatchObject({ version: 1, values: { name } })
    const history = await api.get(`/v1/catalogs/things/records/${name}/history`)
    expect(history.json.items).toHaveLength(1)
  })

  describe('is settled although the line is lost again while that is done', () => {
    const BAR_ACCIDENTS = ['before', 'halfway', 'answer lost', 'on its way'] as const

    it.each(BAR_ACCIDENTS)('when the commit never arrived (the bar: %s)', async (barAccident) => {
      const name = nextName()
      void proxy.next('commit', 'before')
      const barCut = proxy.next('bar_commit', barAccident)
      const answer = await create(name)
      await (await barCut).outcome
      await expectNothing(name, answer)
      await expectRetryHelps(name, answer)
    })

    it.each(BAR_ACCIDENTS)('when the commit went through (the bar: %s)', async (barAccident) => {
      const name = nextName()
      void proxy.next('commit', 'answer lost')
      const barCut = proxy.next('bar_commit', barAccident)
      const answer = await create(name)
      await (await barCut).outcome
      await expectCommitted(name, answer)
    })

    it.each(BAR_ACCIDENTS)('when the commit arrives late (the bar: %s)', async (barAccident) => {
      const name = nextName()
      const cut = proxy.next('commit', 'kept back')
      const barCut = proxy.next('bar_commit', barAccident)
      const answer = await create(name)
      await (await barCut).outcome
      const { release, outcome } = await cut
      release()
      await outcome
      await expectNothing(name, answer)
    })
  })

  it('is settled for each of many that travelled together', async () => {
    for (const accident of ['before', 'answer lost', 'on its way'] as const) {
      const names = Array.from({ length: 40 }, nextName)
      const cuts = [proxy.next('commit', accident), proxy.next('commit', accident, 'reset')]
      const answers = await Promise.all(names.map(create))
      for (const cut of cuts) await (await cut).outcome
      for (const [index, name] of names.entries()) {
        const answer = answers[index]
        if (answer !== undefined) await expectTruth(name, answer)
      }
      expect(answers.map(({ status }) => status)).toContain(accident === 'before' ? 503 : 200)
    }
  })

  it.each([
    ['that had gone through', 'answer lost', true],
    ['that never arrived', 'before', false],
  ] as const)(
    'is answered outcome_unknown while the database stays away, and a retry finds one %s',
    async (_, accident: Accident, isThere) => {
      const name = nextName()
      const cut = proxy.next('commit', accident).then((casualty) => {
        proxy.goDown()
        return casualty
      })
      const answer = await create(name)
      await cut
      expect(answer.json).toMatchObject({ code: 'outcome_unknown' })
      expect(answer.status).toBe(503)
      expect(answer.headers.get('retry-after')).toBe('2')
      expect(await stored(name)).toEqual(isThere ? WHOLE : NOTHING)
      proxy.comeBack()
      const again = await create(name)
      await expectCommitted(name, again)
      expect(again.headers.get('idempotent-replayed')).toBe(isThere ? 'true' : null)
    },
  )

  it('is answered with the truth when the database is back before the search is given up', async () => {
    for (const accident of ['before', 'answer lost'] as const) {
      const name = nextName()
      const cut = proxy.next('commit', accident).then(() => proxy.goDown())
      const answering = create(name)
      await cut
      const attempts = proxy.seen('bar_commit')
      await eventually(
        'the listener noticed',
        async () => (await api.get('/readyz')).status === 503,
      )
      expect(proxy.seen('bar_commit')).toBe(attempts)
      proxy.comeBack()
      const answer = await answering
      await (accident === 'before' ? expectNothing(name, answer) : expectCommitted(name, answer))
    }
  })

  it('is the truth for an approval whose commit the caller makes, too', async () => {
    const request = { commit: 'caller', values: { name: 'mine' } }
    void proxy.next('commit', 'before')
    const lost = await api.approve(request)
    expect(lost.json).toMatchObject({ code: 'store_unavailable' })
    void proxy.next('commit', 'answer lost')
    const { json } = await api.approve(request)
    const { rows } = await db.query('select decision_id from caller_approvals')
    expect(rows).toEqual([{ decision_id: json.id }])
  })

  it('is the truth for a denial that is kept under a key, too', async () => {
    const refused = (key: string) =>
      api.approve({ catalogId: 'refused' }, { headers: { 'idempotency-key': key } })
    const name = nextName()
    void proxy.next('commit', 'before')
    expect((await refused(name)).json).toMatchObject({ code: 'store_unavailable' })
    void proxy.next('commit', 'answer lost')
    const answer = await refused(name)
    expect(answer.json).toMatchObject({ decision: 'deny' })
    const again = await refused(name)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(again.text).toBe(answer.text)
  })

  it('costs a decision that nobody waits for nothing: it is stored once, a moment later', async () => {
    for (const accident of ['before', 'answer lost', 'on its way'] as const) {
      const cut = proxy.next('commit', accident)
      const { json } = await api.approve({ catalogId: 'refused' })
      expect(json).toMatchObject({ decision: 'deny' })
      await (await cut).outcome
      const { rows } = await eventually('the decision is stored', async () => {
        const result = await db.query('select decision from decisions where id = $1', [json.id])
        return result.rows.length > 0 && result
      })
      expect(rows).toEqual([{ decision: 'deny' }])
      expect((await api.get(`/v1/decisions/${json.id}`)).status).toBe(200)
    }
  })

  it('is the only thing that was lost: everything else is answered, or refused as unavailable', async () => {
    for (const ending of ['closed', 'reset'] as const) {
      for (let round = 0; round < 10; round++) {
        const requests = Array.from({ length: 12 }, (_, n) => {
          if (n % 3 === 0) return create(nextName())
          return api.get(n % 3 === 1 ? '/v1/catalogs/things/records' : '/v1/subscriptions')
        })
        if (round % 2 === 0) await new Promise(setImmediate)
        proxy.cutAll(ending)
        for (const answer of await Promise.all(requests)) {
          if (answer.status === 200) continue
          expect(answer.json).toMatchObject({ code: 'store_unavailable', status: 503 })
          expect(answer.headers.get('retry-after')).toBe('1')
        }
      }
    }
  })
})
