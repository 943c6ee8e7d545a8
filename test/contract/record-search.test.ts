/** The port RecordSearch: what the domain says that fits is what the store finds. */
import { describe, expect, it } from 'vitest'
import type { RecordFilter } from '../../src/domain/record-filter.ts'
import { committed, creation } from '../support/items.ts'
import { FIELD_VALUES, FILTERS, recordWith } from '../support/record-filters.ts'
import { onEachStore } from '../support/store.ts'

onEachStore((opened) => {
  describe('RecordSearch', () => {
    const whole = { filters: [], direction: 'asc', limit: 100, offset: 0 } as const

    const filled = async (): Promise<string> => {
      const accountId = await opened().account()
      for (const name of Object.keys(FIELD_VALUES)) {
        const values = recordWith(name)
        await committed(opened().store.approvals, creation(accountId, { recordId: name, values }))
      }
      return accountId
    }

    it('finds what fits every filter, and only that', async () => {
      const { recordSearch } = opened().store
      const accountId = await filled()
      const find = async (filters: readonly RecordFilter[]) => {
        const found = await recordSearch.find(accountId, 'things', { ...whole, filters })
        return found.map(({ id }) => id)
      }
      for (const [filter, fitting] of FILTERS) {
        expect([filter, await find([filter])]).toEqual([filter, fitting.toSorted()])
      }
      const wine = { field: 'f', kind: 'contains', text: 'wine' } as const
      const red = { field: 'f', kind: 'contains', text: 'Red' } as const
      expect(await find([wine, red])).toEqual(['text'])
    })

    it('goes by id, up or down, from an offset on, within the account and the catalog', async () => {
      const { recordSearch } = opened().store
      const accountId = await filled()
      const ids = Object.keys(FIELD_VALUES).toSorted()
      const find = async (wanted: object, catalogId = 'things', account = accountId) => {
        const found = await recordSearch.find(account, catalogId, { ...whole, ...wanted })
        return found.map(({ id }) => id)
      }
      expect(await find({})).toEqual(ids)
      expect(await find({ direction: 'desc' })).toEqual(ids.toReversed())
      expect(await find({ limit: 2, offset: 3 })).toEqual(ids.slice(3, 5))
      expect(await find({ offset: ids.length })).toEqual([])
      expect(await find({}, 'other things')).toEqual([])
      expect(await find({}, 'things', await opened().account())).toEqual([])
    })
  })
})
