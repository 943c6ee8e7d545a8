/** What grows old: payloads of decisions, and changes that nobody can commit any more. */
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { committed, itemOf } from '../support/items.ts'
import { type Opened, onEachStore } from '../support/store.ts'

const drop = async ({ sql }: Opened, days: number, rowsMax: number): Promise<number> => {
  const [row] = await sql<{ count: number }>('select drop_decision_payloads($1, $2) as count', [
    days,
    rowsMax,
  ])
  return row?.count ?? 0
}

/** An id of a decision that was made so many days ago. */
let made = 0
const idOfDaysAgo = (days: number): string => {
  const then = systemClock.wallMs() - days * 86_400_000
  return `dec_${Math.floor(then).toString(16).padStart(12, '0')}${String(++made).padStart(20, '0')}`
}

onEachStore((opened) => {
  describe('decisions that are older than a while', () => {
    it('lose what they were about, and keep who was asked and what came of it', async () => {
      const { store } = opened()
      const accountId = await opened().account()
      const ids = [idOfDaysAgo(40), idOfDaysAgo(31), idOfDaysAgo(29), idOfDaysAgo(0)]
      for (const id of ids) {
        await committed(store.approvals, itemOf({ accountId, id }))
      }
      const before = await Promise.all(ids.map((id) => store.decisions.read(accountId, id)))
      while ((await drop(opened(), 30, 500)) > 0);
      const after = await Promise.all(ids.map((id) => store.decisions.read(accountId, id)))
      expect(after.slice(2)).toEqual(before.slice(2))
      for (const [index, one] of after.slice(0, 2).entries()) {
        expect(one).toEqual({
          ...before[index],
          values: null,
          prevValues: null,
          user: null,
          context: null,
          message: null,
          errors: [],
          warnings: [],
          infos: [],
          suggestions: {},
        })
      }
      expect(before[0]?.values).not.toBeNull()
    })

    it('do so in steps, each decision once, in every account', async () => {
      const accounts = [await opened().account(), await opened().account()]
      for (const accountId of accounts) {
        for (let n = 0; n < 7; n++) {
          await committed(opened().store.approvals, itemOf({ accountId, id: idOfDaysAgo(50) }))
        }
      }
      while ((await drop(opened(), 60, 500)) > 0);
      const steps: number[] = []
      for (let count = 4; count === 4; ) {
        count = await drop(opened(), 30, 4)
        steps.push(count)
      }
      expect(steps.reduce((sum, count) => sum + count, 0)).toBe(14)
      expect(await drop(opened(), 30, 4)).toBe(0)
    })
  })
})
