import { describe, expect, it } from 'vitest'
import { createInFlight } from '../../../src/app/in-flight.ts'
import { settled } from '../../support/fake-clock.ts'

const ACCOUNT = 'shop'
const refusal = (code: string) => expect.objectContaining({ code })

describe('approvals under way', () => {
  it('are counted, and a record is taken by one at a time', () => {
    const inFlight = createInFlight()
    const leave = inFlight.enter(ACCOUNT, 'r1')
    inFlight.enter(ACCOUNT, 'r2')
    expect(inFlight.count).toBe(2)
    expect(() => inFlight.enter(ACCOUNT, 'r1')).toThrow(refusal('approval_in_flight'))
    expect(inFlight.count).toBe(2)
    leave()
    expect(inFlight.count).toBe(1)
    inFlight.enter(ACCOUNT, 'r1')
    expect(inFlight.count).toBe(2)
  })

  it('that write no record are in nobody’s way', () => {
    const inFlight = createInFlight()
    inFlight.enter(ACCOUNT, null)
    inFlight.enter(ACCOUNT, null)
    inFlight.enter(ACCOUNT, 'r1')
    expect(inFlight.count).toBe(3)
  })

  it('leave once, however often they say so', () => {
    const inFlight = createInFlight()
    const leave = inFlight.enter(ACCOUNT, 'r1')
    leave()
    inFlight.enter(ACCOUNT, 'r1')
    leave()
    expect(inFlight.count).toBe(1)
    expect(() => inFlight.enter(ACCOUNT, 'r1')).toThrow(refusal('approval_in_flight'))
  })

  it('are refused past the limit, and take no record then', () => {
    const inFlight = createInFlight(1)
    const leave = inFlight.enter(ACCOUNT, null)
    expect(() => inFlight.enter(ACCOUNT, 'r1')).toThrow(refusal('overloaded'))
    leave()
    expect(() => inFlight.enter(ACCOUNT, 'r1')).not.toThrow()
  })

  it('are three quarters of the room for one account, and the rest is for others', () => {
    const inFlight = createInFlight(4)
    const leaves = Array.from({ length: 3 }, () => inFlight.enter(ACCOUNT, null))
    expect(() => inFlight.enter(ACCOUNT, 'r1')).toThrow(refusal('overloaded'))
    inFlight.enter('other', 'r1')
    expect(() => inFlight.enter('third', null)).toThrow(refusal('overloaded'))
    leaves[0]?.()
    expect(() => inFlight.enter('other', 'r1')).toThrow(refusal('approval_in_flight'))
    inFlight.enter(ACCOUNT, null)
    expect(() => inFlight.enter(ACCOUNT, null)).toThrow(refusal('overloaded'))
    expect(inFlight.count).toBe(4)
  })

  it('are 1,500 of one account and 2,000 of all', () => {
    const inFlight = createInFlight()
    for (let count = 0; count < 1_500; count++) inFlight.enter(ACCOUNT, null)
    expect(() => inFlight.enter(ACCOUNT, null)).toThrow(refusal('overloaded'))
    for (let count = 0; count < 500; count++) inFlight.enter('other', null)
    expect(() => inFlight.enter('third', null)).toThrow(refusal('overloaded'))
  })

  it('are waited for until nobody is left', async () => {
    const inFlight = createInFlight()
    await inFlight.drained()
    const leaves = [inFlight.enter(ACCOUNT, null), inFlight.enter(ACCOUNT, 'r1')]
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
    const leave = inFlight.enter(ACCOUNT, 'r1')
    inFlight.shut()
    expect(() => inFlight.enter(ACCOUNT, null)).toThrow(refusal('stopping'))
    expect(inFlight.count).toBe(1)
    leave()
    await inFlight.drained()
  })
})

describe('what is about to be sent', () => {
  const MAX = 192 * 1_024 * 1_024
  const SHARE = MAX * 0.75

  it('has room in all, and an account a share of it', () => {
    const inFlight = createInFlight()
    const putDown = inFlight.carry(ACCOUNT, SHARE)
    expect(() => inFlight.carry(ACCOUNT, 1)).toThrow(refusal('overloaded'))
    inFlight.carry('other', MAX - SHARE)
    expect(() => inFlight.carry('third', 1)).toThrow(refusal('overloaded'))
    putDown()
    putDown()
    inFlight.carry(ACCOUNT, SHARE)
    expect(() => inFlight.carry('third', 1)).toThrow(refusal('overloaded'))
  })

  it('is let through alone, however much it is, and for nothing when nobody is asked', () => {
    const inFlight = createInFlight()
    const putDown = inFlight.carry(ACCOUNT, 2 * MAX)
    expect(() => inFlight.carry('other', 1)).toThrow(refusal('overloaded'))
    inFlight.carry('other', 0)
    putDown()
    inFlight.carry('other', SHARE)
  })
})
