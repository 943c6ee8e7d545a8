import { describe, expect, it } from 'vitest'
import type { ApproveResponse } from '../../../src/app/answer.ts'
import { type ApproveCommand } from '../../../src/app/approve.ts'
import type { Subscription } from '../../../src/domain/subscription.ts'
import {
  ACCOUNT,
  allow,
  confirm,
  deny,
  failed,
  remark,
  subscriptionsOf,
} from '../../support/build.ts'
import { settled } from '../../support/fake-clock.ts'
import { respond, run, saying } from './approve-world.ts'
import { approvalWorld, recordOf, recordsOf } from './fakes.ts'

describe('a change that had to wait for its turn', () => {
  it('has that much less time, and is refused as overloaded when there is none left', async () => {
    const world = saying({ a: allow() })
    const refused = respond(world, { waitedMs: 10_000, timeoutMs: 10_000 })
    await expect(refused).rejects.toMatchObject({ code: 'overloaded' })
    expect(world.approvals.committed).toEqual([])
    const { timing } = await respond(world, { waitedMs: 400, timeoutMs: 10_000 })
    expect(timing.totalMs).toBeGreaterThanOrEqual(400)
  })
})

describe('an allow', () => {
  it('commits record, decision and event together, and answers with the record as it is now', async () => {
    const world = saying({ a: allow() })
    const response = await respond(world)
    expect(response).toMatchObject({
      decision: 'allow',
      committed: true,
      record: {
        id: 'rec_1',
        catalogId: 'orders',
        version: 4,
        values: { status: 'paid', total: 10 },
      },
      verdicts: [{ subscriptionId: 'a', outcome: 'allow', applied: 'allow' }],
    })
    expect(response.degraded).toBeUndefined()
    expect(world.approvals.committed).toMatchObject([
      {
        entry: {
          id: response.id,
          committed: true,
          generation: 1,
          versionBefore: 3,
          versionAfter: 4,
        },
        write: {
          kind: 'update',
          recordId: 'rec_1',
          values: { status: 'paid', total: 10 },
          expected: { version: 3, origin: 'dec_0' },
        },
        events: [{ subscriptionIds: ['a'], body: { decisionId: response.id, recordId: 'rec_1' } }],
        insistsOnGeneration: true,
        keep: null,
        pending: null,
      },
    ])
    expect(world.told).toBe(1)
    expect(world.journal.events).toMatchObject([
      { kind: 'approval.decided', decision: 'allow', committed: true, rounds: 1 },
    ])
  })

  it('of a creation makes an id and version 1; of a deletion tells the record that went', async () => {
    const created = saying({ a: allow() })
    const response = await respond(created, { event: 'record.before.created', recordId: undefined })
    expect(response.record).toMatchObject({ version: 1, values: { status: 'paid' } })
    expect(response.record?.id).toMatch(/^rec_/)
    const deleted = saying({ a: allow() })
    const gone = await respond(deleted, { event: 'record.before.deleted', values: undefined })
    expect(gone.record).toMatchObject({ version: 3, values: { status: 'new', total: 10 } })
    expect(deleted.approvals.committed[0]?.write).toMatchObject({ kind: 'delete' })
  })

  it('that tells nobody does not wake the relay', async () => {
    const world = saying({ a: allow() }, { events: ['record.before.updated'] })
    expect(await respond(world)).toMatchObject({ committed: true })
    expect(world.approvals.committed[0]?.events).toEqual([])
    expect(world.told).toBe(0)
  })

  it('in spite of somebody who could not be asked says that it is degraded', async () => {
    const world = saying({ a: failed() }, { onFailure: 'allow' })
    expect(await respond(world)).toMatchObject({
      decision: 'allow',
      committed: true,
      degraded: true,
    })
  })

  it('of a catalog that nobody has defined defines it with its first record, once', async () => {
    const world = saying({ a: allow() })
    const over = { event: 'record.before.created', recordId: undefined } as const
    await respond(world, over)
    await respond(world, over)
    expect(world.approvals.committed.map(({ definesCatalog }) => definesCatalog)).toEqual([
      true,
      false,
    ])
  })
})

describe('a deny', () => {
  it('writes nothing but the decision, behind the answer', async () => {
    const world = saying({ a: allow(), b: deny('no stock') })
    expect(await respond(world)).toMatchObject({
      decision: 'deny',
      committed: false,
      message: { text: 'no stock' },
      timing: { commitMs: 0 },
    })
    expect(world.approvals.committed).toEqual([])
    expect(world.approvals.logged).toMatchObject([
      { committed: false, versionBefore: 3, versionAfter: null, decision: { decision: 'deny' } },
    ])
    expect(world.told).toBe(0)
  })

  it('under an idempotency key is stored before it is answered, whatever the generation is by now', async () => {
    const world = saying({ a: deny('no') })
    world.approvals.onCommit = () => world.account.change([])
    const render = () => ({ status: 200, body: 'frozen' })
    const answered = await run(world, { keep: { key: 'k', fingerprint: 'f', render } })
    expect(answered).toMatchObject({
      kind: 'decided',
      kept: { key: 'k', status: 200, body: 'frozen' },
    })
    expect(world.approvals.committed).toMatchObject([
      {
        keep: { key: 'k', fingerprint: 'f', body: 'frozen' },
        insistsOnGeneration: false,
        write: null,
      },
    ])
  })
})

describe('a dry run', () => {
  it('tells validators so and writes nothing but the decision', async () => {
    const world = saying({ a: allow() })
    const response = await respond(world, { commit: 'none' })
    expect(response).toMatchObject({ decision: 'allow', committed: false })
    expect(response.record).toBeUndefined()
    expect(world.asker.calls[0]?.question.inquiry.dryRun).toBe(true)
    expect(world.approvals.committed).toEqual([])
    expect(world.approvals.logged).toHaveLength(1)
  })
})

describe('a form that is being filled in', () => {
  it('is never committed, and gets what validators suggest', async () => {
    const world = saying({ a: allow({ total: 1 }), b: allow({ total: 2 }) })
    const response = await respond(world, { event: 'record.updating' })
    expect(response).toMatchObject({
      decision: 'allow',
      committed: false,
      values: { total: 1 },
      conflicts: [{ field: 'total', chosen: 'a', others: ['b'] }],
    })
    expect(world.approvals.committed).toEqual([])
    expect(world.asker.calls).toHaveLength(2)
  })
})

describe('a commit of the caller’s own', () => {
  it('writes no record and gets a token that is stored as its hash, for a minute', async () => {
    const world = saying({ a: allow() })
    const response = await respond(world, { commit: 'caller' })
    expect(response).toMatchObject({ decision: 'allow', committed: false })
    const { token = '', expiresAt = '' } = response.approval ?? {}
    expect(Date.parse(expiresAt) - world.clock.wallMs()).toBe(60_000)
    expect(world.approvals.committed).toMatchObject([
      {
        write: null,
        events: [],
        insistsOnGeneration: true,
        pending: { tokenHash: world.ports.vault.sha256(token), expiresAt },
      },
    ])
    expect(JSON.stringify(world.approvals.committed)).not.toContain(token)
  })

  it('is not offered for a deny, a confirm or a form', async () => {
    for (const [answer, event] of [
      [deny('no'), 'record.before.updated'],
      [confirm('?'), 'record.before.updated'],
      [allow(), 'record.updating'],
    ] as const) {
      const response = await respond(saying({ a: answer }), { commit: 'caller', event })
      expect(response.approval).toBeUndefined()
    }
  })
})

describe('what the gateway itself refuses', () => {
  it.each<[string, Partial<ApproveCommand>]>([
    ['record_not_found', { recordId: 'rec_2' }],
    ['record_not_found', { recordId: 'rec_2', event: 'record.before.deleted' }],
    ['record_exists', { event: 'record.before.created' }],
    ['version_conflict', { baseVersion: 2 }],
    ['not_found', { accountId: 'nobody' }],
  ])('as %s is refused before anybody is asked', async (code, over) => {
    const world = saying({ a: allow() })
    await expect(run(world, over)).rejects.toMatchObject({ code })
    expect(world.asker.calls).toEqual([])
    expect(world.ports.inFlight.count).toBe(0)
  })

  it('is a second write of a record that is being asked about, until the first is done', async () => {
    const world = approvalWorld(subscriptionsOf(['a']), () => null)
    const first = run(world)
    await settled()
    await expect(run(world)).rejects.toMatchObject({ code: 'approval_in_flight' })
    const dry = run(world, { commit: 'none' })
    await settled()
    for (const { answer } of world.asker.calls) answer(allow())
    await expect(dry).resolves.toMatchObject({ kind: 'decided' })
    await expect(first).resolves.toMatchObject({ kind: 'decided' })
    world.asker.script = () => allow()
    await expect(run(world)).resolves.toMatchObject({ kind: 'decided' })
  })

  it('is a chain of changes that goes in a ring', async () => {
    const world = saying({ a: allow() })
    const chain = { depth: 5, records: [] }
    await expect(run(world, { chain })).rejects.toMatchObject({ code: 'approval_loop' })
    expect(world.ports.inFlight.count).toBe(0)
  })
})

describe('a validator that says that it is gone', () => {
  it('is reported once its answer has counted', async () => {
    const world = approvalWorld(subscriptionsOf(['a', 'b']), () => null)
    const answered = run(world)
    await settled()
    world.asker.call('a').answer(allow(), 410, true)
    world.asker.call('b').answer(allow())
    await settled()
    expect(await answered).toMatchObject({ response: { decision: 'allow', committed: true } })
    expect(world.gone).toEqual(['a'])
  })

  it('is not reported by a change that came to nothing', async () => {
    const world = approvalWorld(subscriptionsOf(['a']), () => null)
    world.approvals.result = 'version_conflict'
    const answered = run(world)
    await settled()
    world.asker.call('a').answer(allow(), 410, true)
    await expect(answered).rejects.toMatchObject({ code: 'version_conflict' })
    expect(world.gone).toEqual([])
  })
})

describe('what validators are told', () => {
  it('are the record as the gateway holds it, the end of the budget and the chain', async () => {
    const world = saying({ a: allow() })
    let sealed: unknown
    world.ports.chainTokens.seal = (chain) => {
      sealed = chain
      return 'sealed'
    }
    await respond(world, {
      prevValues: { status: 'a lie' },
      timeoutMs: 700,
      traceparent: '00-a-b-01',
    })
    expect(world.asker.calls[0]?.question.inquiry).toMatchObject({
      change: { prevValues: { status: 'new', total: 10 }, changedFields: ['status'] },
      deadlineAtMs: world.clock.wallMs() + 700,
      chainToken: 'sealed',
      traceparent: '00-a-b-01',
    })
    expect(sealed).toEqual({ depth: 1, records: [JSON.stringify([ACCOUNT, 'orders', 'rec_1'])] })
  })

  it('is what the caller says of a record that the gateway does not write', async () => {
    const world = saying({ a: allow() })
    await respond(world, { commit: 'none', prevValues: { status: 'said' } })
    expect(world.asker.calls[0]?.question.inquiry.change.prevValues).toEqual({ status: 'said' })
  })
})

describe('the answer', () => {
  it('tells how long it took; one that is kept was frozen before the commit', async () => {
    const world = approvalWorld(subscriptionsOf(['a']), () => null)
    const answered = run(world)
    await world.clock.advance(30)
    world.asker.call('a').answer(allow(undefined, [remark('fine', { severity: 'info' })]))
    expect(await answered).toMatchObject({
      response: {
        timing: { totalMs: 30, validatorsMs: 30, commitMs: 0 },
        infos: [{ cause: 'denied' }],
      },
    })
    let frozen: ApproveResponse | null = null
    const render = (response: ApproveResponse) => {
      frozen = response
      return { status: 200, body: '' }
    }
    const kept = run(world, { keep: { key: 'k', fingerprint: 'f', render } })
    await settled()
    world.asker.call('a').answer(allow())
    expect(await kept).toMatchObject({ kind: 'decided', response: frozen })
  })

  it('counts the time of the validators from the first question of all rounds', async () => {
    const world = approvalWorld(subscriptionsOf(['a'], { mayChange: ['total'] }), () => null)
    const answered = run(world)
    await world.clock.advance(30)
    world.asker.call('a').answer(allow({ total: 9 }))
    await world.clock.advance(20)
    expect(world.asker.calls).toHaveLength(2)
    expect(world.asker.calls.map(({ question }) => question.inquiry.look)).toEqual([1, 2])
    world.asker.call('a').answer(allow())
    expect(await answered).toMatchObject({ response: { timing: { validatorsMs: 50 } } })
  })

  it('is told as it comes to be, to whoever watches', async () => {
    const world = saying({ a: allow(), b: deny('no') })
    const seen: string[] = []
    const progress = {
      planned: (plan: { asked: readonly Subscription[] }, id: string) =>
        void seen.push(`${id} ${plan.asked.map((one) => one.id).join()}`),
      answered: (subscription: Subscription) => void seen.push(subscription.id),
    }
    const { id } = await respond(world, { progress })
    expect(seen).toEqual([`${id} a,b`, 'a', 'b'])
  })
})

describe('a record of the gateway’s own', () => {
  it('is not looked up for a change that the caller describes in full and commits itself', async () => {
    const world = saying({ a: allow() })
    let reads = 0
    const records = recordsOf(recordOf())
    world.ports.records = {
      ...records,
      read: (...where) => {
        reads++
        return records.read(...where)
      },
    }
    await respond(world, { commit: 'caller', prevValues: { status: 'said' } })
    expect(reads).toBe(0)
    await respond(world, { commit: 'caller', prevValues: undefined })
    expect(reads).toBe(1)
  })
})
