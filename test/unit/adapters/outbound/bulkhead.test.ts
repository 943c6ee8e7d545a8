import { describe, expect, it } from 'vitest'
import { BoundedMap } from '../../../../src/adapters/outbound/bounded-map.ts'
import { Bulkhead } from '../../../../src/adapters/outbound/bulkhead.ts'

describe('the bulkhead', () => {
  it('refuses the call past its limit at once and takes the next when one has left', () => {
    const bulkhead = new Bulkhead(2)
    expect([bulkhead.enter(), bulkhead.enter(), bulkhead.enter()]).toEqual([true, true, false])
    expect(bulkhead.inFlight).toBe(2)
    bulkhead.leave()
    expect(bulkhead.enter()).toBe(true)
  })
})

describe('the bounded map', () => {
  it('forgets the entry that was used least recently, and says so', () => {
    const forgotten: string[] = []
    const map = new BoundedMap<string, string>(2, (value) => forgotten.push(value))
    map.set('a', 'A')
    map.set('b', 'B')
    map.get('a')
    map.set('c', 'C')
    expect(forgotten).toEqual(['B'])
    expect([map.peek('a'), map.peek('b'), map.peek('c')]).toEqual(['A', undefined, 'C'])
  })

  it('does not count a peek as a use', () => {
    const map = new BoundedMap<string, string>(2)
    map.set('a', 'A')
    map.set('b', 'B')
    map.peek('a')
    map.set('c', 'C')
    expect(map.peek('a')).toBeUndefined()
    expect(map.size).toBe(2)
  })
})
