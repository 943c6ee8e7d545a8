import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../../src/adapters/system/patterns.ts'
import {
  abortApproval,
  type CallerCommit,
  commitApproval,
} from '../../../src/app/commit-approval.ts'
import { createConfigurations } from '../../../src/app/configuration.ts'
import type { CallerApproval, CallerApprovals } from '../../../src/app/store.ts'
import type { NamedEvent } from '../../../src/domain/notification.ts'
import { ACCOUNT, changeWith, subscriptionsOf } from '../../support/build.ts'
import { countingIds, FakeAccount, fakeVault } from './fakes.ts'

/** One approval in a store that commits and aborts it once, and events that were stored with it. */
function world(over: Partial<CallerApproval> = {}) {
  let approval: CallerApproval = {
    decisionId: 'dec_1',
    state: 'pending',
    tokenHash: fakeVault.sha256('token'),
    isExpired: false,
    change: changeWith(),
    committedRecordId: null,
    notifications: 0,
    valuesDigest: null,
    ...over,
  }
  const events: NamedEvent[] = []
  const set = (more: Partial<CallerApproval>) => {
    approval = { ...approval, ...more }
  }
  const race = { before: () => {} }
  const callerApprovals: CallerApprovals = {
    read: async (accountId, id) => (accountId === ACCOUNT && id === 'dec_1' ? approval : null),
    commit: async (_accountId, _id, recordId, told) => {
      race.before()
      if (approval.state !== 'pending' || approval.isExpired) return false
      events.push(...told)
      const notifications = told.reduce((sum, one) => sum + one.subscriptionIds.length, 0)
      set({ state: 'committed', committedRecordId: recordId, notifications })
      return true
    },
    abort: async () => {
      race.before()
      if (approval.state !== 'pending') return false
      set({ state: 'aborted' })
      return true
    },
  }
  const account = new FakeAccount(
    subscriptionsOf(['x', 'y'], { events: ['record.updated', 'record.created'] }),
  )
  let told = 0
  const ports = {
    callerApprovals,
    configurations: createConfigurations(account, compilePattern),
    ids: countingIds(),
    vault: fakeVault,
    onCommitted: () => void told++,
  }
  const commit = (more: Partial<CallerCommit> = {}) =>
    commitApproval(
      {
        accountId: ACCOUNT,
        decisionId: 'dec_1',
        token: 'token',
        recordId: undefined,
        values: undefined,
        ...more,
      },
      ports,
    )
  const abort = () => abortApproval(ACCOUNT, 'dec_1', ports)
  return {
    commit,
    abort,
    events,
    set,
    race,
    account,
    configurations: ports.configurations,
    get told() {
      return told
    },
  }
}

describe('a commit by the caller', () => {
  it('tells everybody who wants to know, once', async () => {
    const one = world()
    expect(await one.commit()).toEqual({ id: 'dec_1', state: 'committed', notifications: 2 })
    expect(one.events).toMatchObject([
      {
        id: 'evt_1',
        subscriptionIds: ['x', 'y'],
        body: { event: 'record.updated', recordId: 'rec_1', decisionId: 'dec_1' },
      },
    ])
    expect(one.told).toBe(1)
  })

  it('that is repeated gets the same answer, even after its token ran out or subscriptions changed', async () => {
    const one = world()
    const first = await one.commit()
    one.set({ isExpired: true })
    one.account.change([])
    expect(await one.commit()).toEqual(first)
    expect(one.events).toHaveLength(1)
    expect(one.told).toBe(1)
  })

  it('that loses a race gets the answer of the one that won', async () => {
    const one = world()
    one.race.before = () => one.set({ state: 'committed', notifications: 7 })
    expect(await one.commit()).toEqual({ id: 'dec_1', state: 'committed', notifications: 7 })
    const aborted = world()
    aborted.race.before = () => aborted.set({ state: 'aborted' })
    await expect(aborted.commit()).rejects.toMatchObject({ code: 'approval_aborted' })
    const expired = world()
    expired.race.before = () => expired.set({ isExpired: true })
    await expect(expired.commit()).rejects.toMatchObject({ code: 'approval_expired' })
    expect([...one.events, ...aborted.events, ...expired.events]).toEqual([])
  })

  it('tells by the settings of the moment, even if nobody has told this process of them', async () => {
    const one = world()
    await one.configurations.of(ACCOUNT)
    one.account.change(subscriptionsOf(['z'], { events: ['record.updated'] }))
    await one.commit()
    expect(one.events[0]?.subscriptionIds).toEqual(['z'])
  })

  it('that tells nobody wakes nobody', async () => {
    const one = world({ change: changeWith({ event: 'record.before.deleted', values: undefined }) })
    expect(await one.commit()).toMatchObject({ notifications: 0 })
    expect(one.events).toEqual([])
    expect(one.told).toBe(0)
  })

  it.each<[string, Partial<CallerApproval>, Partial<CallerCommit>]>([
    ['not_found', {}, { decisionId: 'dec_2' }],
    ['not_found', {}, { accountId: 'other' }],
    ['approval_token_invalid', {}, { token: 'another' }],
    ['approval_token_invalid', { state: 'committed' }, { token: 'another' }],
    ['approval_expired', { isExpired: true }, {}],
    ['approval_aborted', { state: 'aborted' }, {}],
    ['digest_mismatch', {}, { recordId: 'rec_2' }],
    ['digest_mismatch', {}, { values: { status: 'void' } }],
    ['digest_mismatch', {}, { values: {} }],
    ['digest_mismatch', { isExpired: true }, { values: {} }],
  ])('is refused as %s, and nothing is written', async (code, approval, over) => {
    const one = world(approval)
    await expect(one.commit(over)).rejects.toMatchObject({ code })
    expect(one.events).toEqual([])
    expect(one.told).toBe(0)
  })

  it('says what differs from the approval', async () => {
    await expect(world().commit({ values: {} })).rejects.toMatchObject({
      details: { complaints: [{ pointer: '/values' }] },
    })
    await expect(world().commit({ recordId: 'rec_2' })).rejects.toMatchObject({
      details: { complaints: [{ pointer: '/recordId' }] },
    })
  })

  it('may name again what was approved, in any order of keys', async () => {
    const change = changeWith({ values: { a: 1, b: { c: 2, d: 3 } } })
    const values = { b: { d: 3, c: 2 }, a: 1 }
    expect(await world({ change }).commit({ recordId: 'rec_1', values })).toMatchObject({
      state: 'committed',
    })
  })

  it('of a creation brings the id that the record got, and keeps to it when repeated', async () => {
    const change = changeWith({ event: 'record.before.created', recordId: undefined })
    const one = world({ change })
    const first = await one.commit({ recordId: 'theirs' })
    expect(one.events[0]?.body.recordId).toBe('theirs')
    expect(await one.commit({ recordId: 'theirs' })).toEqual(first)
    expect(await one.commit()).toEqual(first)
    await expect(one.commit({ recordId: 'another' })).rejects.toMatchObject({
      code: 'digest_mismatch',
    })
  })
})

describe('an abort', () => {
  it('ends an approval, and may be repeated', async () => {
    const one = world()
    expect(await one.abort()).toEqual({ id: 'dec_1', state: 'aborted' })
    expect(await one.abort()).toEqual({ id: 'dec_1', state: 'aborted' })
    await expect(one.commit()).rejects.toMatchObject({ code: 'approval_aborted' })
    expect(one.events).toEqual([])
  })

  it('comes too late after a commit, even one that was faster by a hair', async () => {
    const one = world()
    await one.commit()
    await expect(one.abort()).rejects.toMatchObject({ code: 'approval_committed' })
    const raced = world()
    raced.race.before = () => raced.set({ state: 'committed' })
    await expect(raced.abort()).rejects.toMatchObject({ code: 'approval_committed' })
  })
})
