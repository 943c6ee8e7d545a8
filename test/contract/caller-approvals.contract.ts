/** The port CallerApprovals: commits that callers make themselves. */
import { describe, expect, it } from 'vitest'
import type { Change } from '../../src/domain/change.ts'
import { committed, entryOf, eventOf, itemOf } from '../support/items.ts'
import type { Opened } from '../support/store.ts'

const LATER = '2099-01-01T00:00:00.000Z'

export function callerApprovalsContract(opened: () => Opened): void {
  const pending = async (
    accountId: string,
    more: { expiresAt?: string; recordId?: string; change?: Change } = {},
  ) => {
    const { expiresAt = LATER, change } = more
    const token = { hash: 'hash of the token', expiresAt, ...(change && { change }) }
    const item = itemOf({ accountId, recordId: more.recordId, token })
    await committed(opened().store.approvals, item)
    return item.entry
  }
  const eventsOf = (accountId: string) =>
    opened().sql<{ id: string }>(
      'select e.id from events e join outbox o on o.event = e.seq where account = $1',
      [accountId],
    )

  describe('CallerApprovals', () => {
    it('read back with the change that was approved', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const entry = await pending(accountId, { recordId: 'r' })
      expect(await store.callerApprovals.read(accountId, entry.id)).toEqual({
        decisionId: entry.id,
        state: 'pending',
        tokenHash: 'hash of the token',
        isExpired: false,
        change: entry.change,
        valuesDigest: 'digest',
        committedRecordId: null,
        notifications: 0,
      })
    })

    it('keep the whole change apart from a decision that does not, for as long as it can be committed', async () => {
      const { store, sql } = opened()
      const accountId = await opened().account()
      const change = entryOf({ accountId }).change
      const whole = { ...change, values: { secret: 'whole' } }
      const [done, aborted] = [
        await pending(accountId, { change: whole }),
        await pending(accountId, { change: whole }),
      ]
      const read = async (id: string) => (await store.callerApprovals.read(accountId, id))?.change
      expect(await read(done.id)).toEqual(whole)
      await store.callerApprovals.commit(accountId, done.id, 'r', [])
      await store.callerApprovals.abort(accountId, aborted.id)
      for (const { id } of [done, aborted]) {
        expect((await read(id))?.values).toEqual(change.values)
        const [row] = await sql('select change from caller_approvals where decision_id = $1', [id])
        expect(row).toEqual({ change: null })
      }
    })

    it('exist only for the account that asked, and only where a token was handed out', async () => {
      const { store } = opened()
      const [accountId, other] = [await opened().account(), await opened().account()]
      const entry = await pending(accountId)
      const plain = await committed(store.approvals, itemOf({ accountId }))
      expect(await store.callerApprovals.read(other, entry.id)).toBeNull()
      expect(await store.callerApprovals.read(accountId, plain.entry.id)).toBeNull()
      expect(await store.callerApprovals.commit(other, entry.id, null, [])).toBe(false)
      expect(await store.callerApprovals.abort(other, entry.id)).toBe(false)
      expect(await store.callerApprovals.commit(accountId, plain.entry.id, null, [])).toBe(false)
    })

    it('are committed exactly once by twenty at a time, with one event', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const entry = await pending(accountId)
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          store.callerApprovals.commit(accountId, entry.id, `record ${n}`, [
            eventOf(entry, ['sub_1', 'sub_2']),
          ]),
        ),
      )
      expect(results.filter(Boolean)).toHaveLength(1)
      expect(await eventsOf(accountId)).toHaveLength(1)
      expect(await store.callerApprovals.read(accountId, entry.id)).toMatchObject({
        state: 'committed',
        committedRecordId: `record ${results.indexOf(true)}`,
        notifications: 2,
      })
    })

    it('can be committed without anybody to tell', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const entry = await pending(accountId)
      expect(await store.callerApprovals.commit(accountId, entry.id, null, [])).toBe(true)
      expect(await eventsOf(accountId)).toEqual([])
      expect(await store.callerApprovals.read(accountId, entry.id)).toMatchObject({
        state: 'committed',
        notifications: 0,
      })
    })

    it('that are too old are not committed any more', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const entry = await pending(accountId, { expiresAt: '2020-01-01T00:00:00.000Z' })
      const event = eventOf(entry, ['sub_1'])
      expect(await store.callerApprovals.commit(accountId, entry.id, null, [event])).toBe(false)
      expect(await eventsOf(accountId)).toEqual([])
      expect(await store.callerApprovals.read(accountId, entry.id)).toMatchObject({
        state: 'pending',
        isExpired: true,
      })
    })

    it('end in one state: committed or aborted, whoever comes first', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const [aborted, done] = [await pending(accountId), await pending(accountId)]
      const event = eventOf(entryOf({ accountId }), ['sub_1'])
      expect(await store.callerApprovals.abort(accountId, aborted.id)).toBe(true)
      expect(await store.callerApprovals.abort(accountId, aborted.id)).toBe(false)
      expect(await store.callerApprovals.commit(accountId, aborted.id, null, [event])).toBe(false)
      expect(await store.callerApprovals.commit(accountId, done.id, null, [])).toBe(true)
      expect(await store.callerApprovals.abort(accountId, done.id)).toBe(false)
      expect(await eventsOf(accountId)).toEqual([])
      const read = (id: string) => store.callerApprovals.read(accountId, id)
      expect(await read(aborted.id)).toMatchObject({ state: 'aborted' })
      expect(await read(done.id)).toMatchObject({ state: 'committed' })
    })
  })
}
