import { describe, expect, it } from 'vitest'
import { Lines } from '../../../../src/adapters/outbound/lines.ts'
import { FakeClock, recordingJournal, subscriptionOf } from './support.ts'

describe('the lines to subscribers', () => {
  it('are bounded, and the one used least recently is forgotten first', () => {
    const options = {
      clock: new FakeClock(),
      journal: recordingJournal(),
      connect: () => undefined,
    }
    const lines = new Lines(options, 2)
    const first = lines.of(subscriptionOf({ id: 'a' }))
    const second = lines.of(subscriptionOf({ id: 'b' }))
    expect(lines.of(subscriptionOf({ id: 'a' }))).toBe(first)
    lines.of(subscriptionOf({ id: 'c' }))
    expect(lines.of(subscriptionOf({ id: 'a' }))).toBe(first)
    expect(lines.of(subscriptionOf({ id: 'b' }))).not.toBe(second)
  })

  it('keep one pool until the origin or the number of connections changes', () => {
    const options = {
      clock: new FakeClock(),
      journal: recordingJournal(),
      connect: () => undefined,
    }
    const { pool } = new Lines(options).of(subscriptionOf())
    const first = pool.to('http://a.test', 4)
    expect(pool.to('http://a.test', 4)).toBe(first)
    expect(first.isClosed).toBe(false)
    expect(pool.to('http://a.test', 5)).not.toBe(first)
    expect(first.isClosed).toBe(true)
    expect(pool.to('http://b.test', 5)).not.toBe(first)
  })

  it('know where a URL leads, also after another one', () => {
    const options = {
      clock: new FakeClock(),
      journal: recordingJournal(),
      connect: () => undefined,
    }
    const { pool } = new Lines(options).of(subscriptionOf())
    expect(pool.target('http://a.test/x?y=1')).toEqual({ origin: 'http://a.test', path: '/x?y=1' })
    expect(pool.target('https://b.test')).toEqual({ origin: 'https://b.test', path: '/' })
    expect(pool.target('http://a.test/x?y=1')).toEqual({ origin: 'http://a.test', path: '/x?y=1' })
  })
})
