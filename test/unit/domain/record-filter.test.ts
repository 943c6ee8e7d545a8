import { describe, expect, it } from 'vitest'
import { fitsFilter } from '../../../src/domain/record-filter.ts'
import { FIELD_VALUES, FILTERS, recordWith } from '../../support/record-filters.ts'

describe('a filter of records', () => {
  it.each(FILTERS)('%j fits just these values: %j', (filter, fitting) => {
    const found = Object.keys(FIELD_VALUES).filter((name) => fitsFilter(recordWith(name), filter))
    expect(found).toEqual(fitting)
  })

  it('looks at no value that a record inherits', () => {
    const filter = { field: 'constructor', kind: 'contains', text: '' } as const
    expect(fitsFilter({}, filter)).toBe(false)
    expect(fitsFilter({ f: [{}] }, { field: 'f', kind: 'oneOf', options: ['5'] })).toBe(false)
  })
})
