import { describe, expect, it } from 'vitest'
import { approve } from '../../../src/app/approve.ts'
import { allow, confirm, deny, subscriptionOf, subscriptionsOf } from '../../support/build.ts'
import { settled } from '../../support/fake-clock.ts'
import { respond, run, saying } from './approve-world.ts'
import { approvalWorld, commandOf, fakePresence, keptAnswersOf, recordOf } from './fakes.ts'

describe('settings that change while validators are asked', () => {
  it('are planned again, and only those who are new or changed are asked again', async () => {
    const [a, b, c, d] = subscriptionsOf(['a', 'b', 'c', 'd'])
    if (!a || !b || !c || !d) throw new Error('four were made')
    const world = approvalWorld([a, b, c])
    const asked: string[][] = []
    world.approvals.onCommit = () => {
      asked.push(world.asker.takeAsked())
      if (asked.length === 1) world.account.change([a, { ...b, revision: 2 }, d])
    }
    const response = await respond(world)
    expect(asked).toEqual([
      ['a', 'b', 'c'],
      ['b', 'd'],
    ])
    expect(response.verdicts.map(({ subscriptionId }) => subscriptionId)).toEqual(['a', 'b', 'd'])
    expect(world.approvals.refused).toHaveLength(1)
    expect(world.approvals.committed).toMatchObject([{ entry: { id: response.id, generation: 2 } }])
    expect(world.journal.events).toMatchObject([{ kind: 'approval.decided', rounds: 2 }])
  })

  it('let a validator deny that was not there when the change began', async () => {
    const [a] = subscriptionsOf(['a'])
    const late = subscriptionOf({ id: 'late' })
    const world = approvalWorld([a ?? late], ({ subscription }) =>
      subscription.id === 'late' ? deny('not on my watch') : allow(),
    )
    world.approvals.onCommit = () => world.account.change([a ?? late, late])
    expect(await respond(world)).toMatchObject({ decision: 'deny', committed: false })
    expect(world.approvals.committed).toEqual([])
  })

  it('without end are given up after four rounds, with nothing written', async () => {
    const world = saying({ a: allow() })
    world.approvals.onCommit = () => world.account.change(world.account.current.subscriptions)
    await expect(run(world)).rejects.toMatchObject({ code: 'configuration_changed' })
    expect(world.approvals.refused).toHaveLength(4)
    expect(world.approvals.committed).toEqual([])
    expect(world.asker.takeAsked()).toEqual(['a'])
    expect(world.journal.events).toMatchObject([
      { kind: 'approval.failed', code: 'configuration_changed' },
    ])
  })

  it('are found out even when they were read from memory', async () => {
    const world = saying({ a: allow() })
    await respond(world)
    world.account.change(subscriptionsOf(['z']))
    world.asker.takeAsked()
    world.asker.script = () => allow()
    const { verdicts } = await respond(world)
    expect(verdicts.map(({ subscriptionId }) => subscriptionId)).toEqual(['z'])
  })

  it('may bring a catalog that does not take the values', async () => {
    const world = saying({ a: allow() })
    world.approvals.onCommit = () => {
      world.account.current = {
        ...world.account.current,
        generation: 2,
        catalogs: [{ id: 'orders', title: 'O', fields: [{ id: 'x', title: 'X', type: 'text' }] }],
      }
    }
    await expect(run(world)).rejects.toMatchObject({ code: 'invalid_values' })
    expect(world.approvals.committed).toEqual([])
  })
})

describe('fields that a validator may set', () => {
  const setting = (values: Record<string, unknown>) =>
    saying({ a: allow(values), b: allow() }, { mayChange: ['total', 'status'] })

  it('have everybody asked again about the final values, and what they saw is what is committed', async () => {
    const world = setting({ total: 9 })
    const response = await respond(world)
    expect(world.asker.calls).toHaveLength(4)
    const seen = world.asker.calls.map(({ question }) => question.inquiry.change)
    expect(seen.map(({ values }) => values)).toEqual([
      { status: 'paid' },
      { status: 'paid' },
      { status: 'paid', total: 9 },
      { status: 'paid', total: 9 },
    ])
    expect(seen[2]?.changedFields).toEqual(['status', 'total'])
    const [item] = world.approvals.committed
    expect(item?.entry.change).toEqual(seen[2])
    expect(item?.entry.change).toEqual(seen[3])
    expect(item?.write).toMatchObject({ values: { status: 'paid', total: 9 } })
    expect(item?.events[0]?.body.values).toEqual({ status: 'paid', total: 9 })
    expect(response).toMatchObject({
      committed: true,
      values: { total: 9 },
      record: { values: { status: 'paid', total: 9 } },
    })
    expect(new Set(world.asker.calls.map(({ question }) => question.inquiry.decisionId))).toEqual(
      new Set([response.id]),
    )
  })

  it('are set once: what is suggested about the final values changes them no more', async () => {
    const world = saying({}, {})
    world.account.change(subscriptionsOf(['a'], { mayChange: ['total'] }))
    let round = 0
    world.asker.script = () => allow({ total: ++round })
    const response = await respond(world)
    expect(round).toBe(2)
    expect(response.record?.values).toEqual({ status: 'paid', total: 1 })
    expect(response.values).toEqual({ total: 1 })
  })

  it('have everybody asked again, those too whose answers had outlived a change of settings', async () => {
    const [a, b] = subscriptionsOf(['a', 'b'], { mayChange: ['total'] })
    if (!a || !b) throw new Error('two were made')
    const world = approvalWorld([a], ({ subscription }) =>
      subscription.id === 'b' ? allow({ total: 9 }) : allow(),
    )
    world.approvals.onCommit = () => {
      world.approvals.onCommit = () => {}
      world.account.change([a, b])
    }
    await respond(world)
    const asked = world.asker.calls.map(({ question: { subscription, inquiry } }) => [
      subscription.id,
      inquiry.change.values?.['total'],
    ])
    expect(asked).toEqual([
      ['a', undefined],
      ['b', undefined],
      ['a', 9],
      ['b', 9],
    ])
  })

  it('may be refused by another validator', async () => {
    const world = saying({ a: allow({ total: 9 }), b: allow() }, { mayChange: ['total'] })
    world.asker.script = ({ subscription, inquiry }) => {
      if (subscription.id === 'a') return allow({ total: 9 })
      return inquiry.change.values?.['total'] === 9 ? deny('nine is too much') : allow()
    }
    expect(await respond(world)).toMatchObject({
      decision: 'deny',
      committed: false,
      message: { text: 'nine is too much' },
    })
    expect(world.approvals.committed).toEqual([])
  })

  it('that are so already, or are not its to set, have nobody asked again', async () => {
    for (const values of [{ total: 10 }, { status: 'paid' }, { secret: 1 }, {}]) {
      const world = setting(values)
      const response = await respond(world)
      expect(world.asker.calls).toHaveLength(2)
      expect(response.values).toBeUndefined()
      expect(response.record?.values).toEqual({ status: 'paid', total: 10 })
    }
  })

  it('must fit the catalog: a reply that would set others is none that can be understood', async () => {
    const fields = [
      { id: 'status', title: 'Status', type: 'text' },
      { id: 'total', title: 'Total', type: 'number' },
    ] as const
    for (const onFailure of ['deny', 'allow'] as const) {
      const world = saying({ a: allow({ total: 'nine' }) }, { mayChange: '*', onFailure })
      const catalogs = [{ id: 'orders', title: 'Orders', fields }]
      world.account.current = { ...world.account.current, catalogs }
      const response = await respond(world)
      expect(response).toMatchObject({
        decision: onFailure,
        verdicts: [{ outcome: 'failed', cause: 'bad_reply', applied: onFailure }],
      })
      expect(response.record?.values['total']).toBe(onFailure === 'allow' ? 10 : undefined)
    }
  })

  it('stay set when the settings change after that, and everybody new is asked about them', async () => {
    const world = setting({ total: 9 })
    const others = world.account.current.subscriptions
    world.approvals.onCommit = () => {
      world.approvals.onCommit = () => {}
      world.account.change([...others, subscriptionOf({ id: 'late' })])
      world.asker.takeAsked()
      world.asker.script = () => allow()
    }
    const response = await respond(world)
    expect(world.asker.calls.map(({ question }) => question.subscription.id)).toEqual(['late'])
    expect(world.asker.call('late').question.inquiry.change.values).toEqual({
      status: 'paid',
      total: 9,
    })
    expect(response.record?.values).toEqual({ status: 'paid', total: 9 })
  })
})

describe('a confirmation', () => {
  it('is asked for, and with its token the same change is asked about anew and committed', async () => {
    const world = saying({ a: confirm('sure?'), b: allow() })
    const first = await respond(world)
    expect(first).toMatchObject({ decision: 'confirm', committed: false })
    const tokens = (first.confirmations ?? []).map(({ token }) => token)
    expect(tokens).toHaveLength(1)
    world.asker.takeAsked()
    const second = await respond(world, { confirm: tokens })
    expect(world.asker.takeAsked()).toEqual(['a', 'b'])
    expect(second).toMatchObject({ decision: 'allow', committed: true })
    expect(second.confirmations).toBeUndefined()
  })

  it('of one change does not confirm another', async () => {
    const world = saying({ a: confirm('sure?') })
    const first = await respond(world)
    const tokens = (first.confirmations ?? []).map(({ token }) => token)
    const other = await respond(world, { confirm: tokens, values: { status: 'void' } })
    expect(other).toMatchObject({ decision: 'confirm', committed: false })
  })
})

describe('a caller that goes away', () => {
  it('while validators are asked has nothing written, and its record is free again', async () => {
    const world = approvalWorld(subscriptionsOf(['a', 'b']), () => null)
    const caller = fakePresence()
    const answered = run(world, { presence: caller.presence })
    await settled()
    expect(world.ports.inFlight.count).toBe(1)
    caller.leave()
    await expect(answered).rejects.toMatchObject({ code: 'client_gone' })
    expect(world.asker.calls.map(({ isCancelled }) => isCancelled)).toEqual([true, true])
    expect(world.approvals.committed).toEqual([])
    expect(world.approvals.logged).toEqual([])
    expect(world.ports.inFlight.count).toBe(0)
  })

  it('has nothing written of a deny or a dry run either', async () => {
    for (const [answer, commit] of [
      [deny('no'), 'gateway'],
      [allow(), 'none'],
    ] as const) {
      const world = approvalWorld(subscriptionsOf(['a']), () => null)
      const caller = fakePresence()
      const answered = run(world, { presence: caller.presence, commit, denyGraceMs: 0 })
      await settled()
      world.asker.call('a').answer(answer)
      caller.leave()
      await expect(answered).rejects.toMatchObject({ code: 'client_gone' })
      expect(world.approvals.logged).toEqual([])
    }
  })

  it('just before the commit has nothing written', async () => {
    const world = saying({ a: allow() })
    const caller = fakePresence()
    world.approvals.onCommit = caller.leave
    await expect(run(world, { presence: caller.presence })).rejects.toMatchObject({
      code: 'client_gone',
    })
    expect(world.approvals.committed).toEqual([])
  })
})

describe('a key that another gateway was first with', () => {
  const kept = { key: 'k', fingerprint: 'f', status: 200, body: 'the first answer' }
  const keep = { key: 'k', fingerprint: 'f', render: () => ({ status: 200, body: 'mine' }) }
  const taken = (...answers: (typeof kept)[]) => {
    const world = saying({ a: allow() })
    world.approvals.result = 'key_taken'
    return { ...world, ports: { ...world.ports, keptAnswers: keptAnswersOf(...answers) } }
  }

  it('gets the answer that the other one gave', async () => {
    const world = taken(kept)
    expect(await approve(commandOf({ keep }), world.ports)).toEqual({ kind: 'replayed', kept })
    expect(world.approvals.committed).toEqual([])
  })

  it('is refused for another request, and told to wait where the answer cannot be seen yet', async () => {
    const other = approve(commandOf({ keep: { ...keep, fingerprint: 'g' } }), taken(kept).ports)
    await expect(other).rejects.toMatchObject({ code: 'idempotency_key_reused' })
    const unseen = approve(commandOf({ keep }), taken().ports)
    await expect(unseen).rejects.toMatchObject({ code: 'idempotency_in_progress' })
  })
})

describe('a conflict in the store', () => {
  it.each(['version_conflict', 'record_exists'] as const)('is told as %s', async (result) => {
    const world = saying({ a: allow() })
    world.approvals.result = result
    await expect(run(world)).rejects.toMatchObject({ code: result })
    expect(world.told).toBe(0)
    expect(world.journal.events).toMatchObject([{ kind: 'approval.failed', code: result }])
  })
})

describe('shadows that answer late', () => {
  it('get their verdicts into the log, and what was confirmed stays so', async () => {
    const shadow = subscriptionOf({ id: 's', mode: 'shadow', order: -1 })
    const world = approvalWorld([shadow, subscriptionOf({ id: 'a' })], ({ subscription }) =>
      subscription.id === 'a' ? confirm('sure?') : null,
    )
    const first = await respond(world)
    const tokens = (first.confirmations ?? []).map(({ token }) => token)
    const second = await respond(world, { confirm: tokens })
    expect(second.verdicts).toMatchObject([
      { subscriptionId: 's', outcome: 'cancelled' },
      { subscriptionId: 'a', applied: 'allow' },
    ])
    expect(world.approvals.amended).toEqual([])
    world.asker.call('s').answer(deny('no'))
    await settled()
    expect(world.approvals.amended).toMatchObject([
      {
        decisionId: second.id,
        verdicts: [
          { subscriptionId: 's', mode: 'shadow', outcome: 'deny', applied: 'none' },
          { subscriptionId: 'a', outcome: 'allow', applied: 'allow' },
        ],
      },
    ])
    const told = world.journal.events.filter(({ kind }) => kind === 'approval.amended')
    expect(told).toMatchObject([
      { decisionId: second.id, verdicts: [{ subscriptionId: 's', outcome: 'deny' }] },
    ])
    expect(told).toMatchObject([{ verdicts: { length: 1 } }])
  })
})

describe('what is about to be sent', () => {
  /** What was taken, and given back, in order. */
  function weighed(world: ReturnType<typeof approvalWorld>): number[] {
    const sizes: number[] = []
    const { inFlight } = world.ports
    world.ports.inFlight = {
      ...inFlight,
      carry: (_accountId, size) => {
        sizes.push(size)
        return () => void sizes.push(-size)
      },
    }
    return sizes
  }

  it('is the change and the record as it was, for each who is asked, until all have answered', async () => {
    const world = saying({ a: allow(), b: allow() })
    const sizes = weighed(world)
    const before = JSON.stringify(recordOf().values).length
    await respond(world, { event: 'record.before.updated', size: 1_000 })
    const load = 2 * (1_000 + before)
    expect(before).toBeGreaterThan(2)
    expect(sizes).toEqual([load, -load])
  })

  it('is nothing where nobody is asked', async () => {
    const world = approvalWorld([])
    const sizes = weighed(world)
    await respond(world)
    expect(Math.abs(sizes[0] ?? 1)).toBe(0)
  })

  it('stays while a shadow is still out', async () => {
    const shadow = subscriptionOf({ id: 's', mode: 'shadow' })
    const world = approvalWorld([shadow, subscriptionOf({ id: 'a' })], ({ subscription }) =>
      subscription.id === 's' ? null : allow(),
    )
    const sizes = weighed(world)
    await respond(world)
    expect(sizes).toHaveLength(1)
    world.asker.call('s').answer(allow())
    await settled()
    expect(sizes).toHaveLength(2)
  })
})
