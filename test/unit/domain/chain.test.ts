import { describe, expect, it } from 'vitest'
import { CHAIN_DEPTH_MAX, EMPTY_CHAIN, extendChain, recordKey } from '../../../src/domain/chain.ts'

const key = recordKey('acc', 'orders', '1')

describe('a chain', () => {
  it('grows by one change at a time and remembers the records under approval', () => {
    const first = extendChain(EMPTY_CHAIN, key, true)
    expect(first).toEqual({ depth: 1, records: [key] })
    const second = extendChain(first, null, true)
    expect(second).toEqual({ depth: 2, records: [key] })
    expect(extendChain(second, 'other', true)).toEqual({ depth: 3, records: [key, 'other'] })
    expect(EMPTY_CHAIN).toEqual({ depth: 0, records: [] })
  })

  it('of five changes is the longest there is', () => {
    let chain = EMPTY_CHAIN
    for (let depth = 0; depth < CHAIN_DEPTH_MAX; depth++) chain = extendChain(chain, null, true)
    expect(chain.depth).toBe(5)
    expect(() => extendChain(chain, null, true)).toThrow(
      expect.objectContaining({ code: 'approval_loop' }),
    )
    expect(() => extendChain(chain, 'another', false)).toThrow(
      expect.objectContaining({ code: 'approval_loop' }),
    )
  })

  it('refuses to write a record that it is about to write, and lets it be asked about', () => {
    const chain = { depth: 2, records: ['other', key] }
    expect(() => extendChain(chain, key, true)).toThrow(
      expect.objectContaining({ code: 'approval_in_flight' }),
    )
    expect(extendChain(chain, key, false)).toEqual({ depth: 3, records: chain.records })
  })
})

describe('a record key', () => {
  it('tells apart ids that only look alike when put together', () => {
    const keys = [
      recordKey('a', 'b', 'c'),
      recordKey('a', 'b","c', ''),
      recordKey('a,b', '', 'c'),
      recordKey('', 'a,b', 'c'),
      recordKey('a', 'b,c', ''),
    ]
    expect(new Set(keys).size).toBe(keys.length)
    expect(recordKey('a', 'b', 'c')).toBe(keys[0])
  })
})
