import { describe, expect, it } from 'vitest'
import { createInFlight } from '../../../src/app/in-flight.ts'
import { settled } from '../../support/fake-clock.ts'

const refusal = (code: string) => expect.objectContaining({ code })

describe('approvals under way', () => {
  it('are counted, and a record is taken by one at a time', () => {
    const inFlight = createInFlight()
    const leave = inFlight.enter('r1')
    inFlight.enter('r2')
    expect(inFlight.count).toBe(2)
    expect(() => inFlight.enter('r1')).toThrow(refusal('approval_in_flight'))
    expect(inFlight.count).toBe(2)
    leave()
    expect(inFlight.count).toBe(1)
    inFlight.enter('r1')
    expect(inFlight.count).toBe(2)
  })

  it('that write no record are in nobody’s way', () => {
    const inFlight = createInFlight()
    inFlight.enter(null)
    inFlight.enter(null)
    inFlight.enter('r1')
    expect(inFlight.count).toBe(3)
  })

  it('leave once, however often they say so', () => {
    const inFlight = createInFlight()
    const leave = inFlight.enter('r1')
    leave()
    inFlight.enter('r1')
    leave()
    expect(inFlight.count).toBe(1)
    expect(() => inFlight.enter('r1')).toThrow(refusal('approval_in_flight'))
  })

  it('are refused past the limit, and take no record then', () => {
    const inFlight = createInFlight(1)
    const leave = inFlight.enter(null)
    expect(() => inFlight.enter('r1')).toThrow(refusal('overloaded'))
    leave()
    expect(() => inFlight.enter('r1')).not.toThrow()
  })

  it('are waited for until nobody is left', async () => {
    const inFlight = createInFlight()
    await inFlight.drained()
    const leaves = [inFlight.enter(null), inFlight.enter('r1')]
    let isDrained = 0
    for (let waiter = 0; waiter < 2; waiter++) void inFlight.drained().then(() => isDrained++)
    leaves[0]?.()
    await settled()
    expect(isDrained).toBe(0)
    leaves[1]?.()
    await settled()
    expect(isDrained).toBe(2)
  })

  it('are refused once the gateway is stopping, and those who are in may finish', async () => {
    const inFlight = createInFlight()
    const leave = inFlight.enter('r1')
    inFlight.shut()
    expect(() => inFlight.enter(null)).toThrow(refusal('stopping'))
    expect(inFlight.count).toBe(1)
    leave()
    await inFlight.drained()
  })
})
