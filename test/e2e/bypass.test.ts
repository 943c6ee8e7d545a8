/** What goes through by a failure policy is said, counted and told; nothing else gets through. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { DATABASES } from '../support/places.ts'
import { reply, type ValidatorServer } from '../support/validator-server.ts'
import { Telling } from './telling.ts'

const EVENT = 'approval.degraded'
const ASKED = ['record.before.created', 'record.updating']

describe.each(DATABASES)('on the %s database', (database) => {
  let telling: Telling
  let watcher: ValidatorServer
  let elsewhere: ValidatorServer
  const api = () => telling.api
  beforeAll(async () => {
    telling = await Telling.start(database)
    const url = (await telling.receiver(reply(500, ''))).url
    const onFailure = { bad_status: 'allow' }
    const breaker = { consecutiveFailures: 3, openMs: 600_000 }
    const settings = { name: 'Stock', url, events: ASKED, onFailure, breaker }
    await api().subscribe({ ...settings, catalogId: 'orders' })
    watcher = await telling.receiver()
    elsewhere = await telling.receiver()
    await api().subscribe({ catalogId: '*', events: [EVENT], url: watcher.url })
    await api().subscribe({ catalogId: 'goods', events: [EVENT], url: elsewhere.url })
  })
  afterAll(() => telling?.close())

  const counted = async (event: string): Promise<number> => {
    const { text } = await api().get('/metrics')
    const line = new RegExp(`^assent_approvals_degraded_total\\{event="${event}"\\} (\\d+)$`, 'm')
    return Number(line.exec(text)?.[1] ?? 0)
  }

  it('a policy that lets a change through is told with it, and an open breaker that it does not name denies', async () => {
    const change = { catalogId: 'orders', values: { total: 'secret value' }, user: { id: 'anna' } }
    const written = await api().approve({ ...change, recordId: 'r' })
    const form = await api().approve({ ...change, event: 'record.updating', recordId: 'f' })
    const approved = await api().approve({ ...change, recordId: 'c', commit: 'caller' })
    for (const { json } of [written, form, approved]) {
      expect(json).toMatchObject({ decision: 'allow', degraded: true, errors: [] })
    }
    await eventually('the watcher is told of the three', () => watcher.received.length === 3)
    expect(
      watcher.received
        .map(({ json }) => json.data)
        .sort((a, b) => (a.decisionId < b.decisionId ? -1 : 1)),
    ).toMatchObject(
      [
        [written, 'r', 'record.before.created'],
        [form, 'f', 'record.updating'],
        [approved, 'c', 'record.before.created'],
      ].map(([answer, recordId, asked]) => {
        const { id, verdicts } = (answer as typeof written).json
        const [{ subscriptionId }] = verdicts
        return {
          catalogId: 'orders',
          recordId,
          user: { id: 'anna' },
          decisionId: id,
          values: {
            decisionId: id,
            change: asked,
            verdicts: [{ subscriptionId, name: 'Stock', cause: 'bad_status' }],
          },
        }
      }),
    )
    for (const { text } of watcher.received) expect(text).not.toContain('secret value')
    expect(await counted('record.before.created')).toBe(2)
    expect(await counted('record.updating')).toBe(1)
    const logged = await api().get(`/v1/decisions/${form.json.id}`)
    expect(logged.json).toMatchObject({ degraded: true, decision: 'allow' })

    // The three failures have opened the breaker.
    const refused = await api().approve({ ...change, recordId: 'd' })
    expect(refused.json).toMatchObject({
      decision: 'deny',
      committed: false,
      errors: [{ cause: 'circuit_open' }],
    })
    expect(refused.json.degraded).toBeUndefined()
    const trial = await api().approve({ ...change, recordId: 'd', commit: 'none' })
    expect(trial.json.decision).toBe('deny')
    await telling.gateway.api.get('/v1/decisions')
    expect([watcher.received.length, elsewhere.received.length]).toEqual([3, 0])
  })

  it('its event is tried out like any other', async () => {
    const { items } = (await api().get('/v1/subscriptions')).json
    const { id } = items.find(({ events }: { events: string[] }) => events[0] === EVENT)
    const before = watcher.received.length
    const { status } = await api().post(`/v1/subscriptions/${id}/test`)
    expect(status).toBe(200)
    const { json } = watcher.received[before] ?? { json: undefined }
    expect(json).toMatchObject({
      type: EVENT,
      data: { values: { verdicts: [{ subscriptionId: id, cause: 'timeout' }] } },
    })
  })
})
