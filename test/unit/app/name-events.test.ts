import { describe, expect, it } from 'vitest'
import { named, weigh } from '../../../src/app/name-events.ts'
import type { CommittedEvent } from '../../../src/domain/notification.ts'
import { countingIds } from './fakes.ts'

const eventsOf = (count: number, length: number): CommittedEvent[] =>
  Array.from({ length: count }, () => ({
    subscriptionIds: ['sub_1'],
    body: {
      event: 'a.b',
      accountId: 'default',
      catalogId: 'a',
      recordId: '1',
      values: { text: 'x'.repeat(length) },
      prevValues: undefined,
      changedFields: [],
      user: undefined,
      context: undefined,
      decisionId: 'dec_1',
    },
  }))

describe('the events of one change', () => {
  it('get an id each, and stay in their order', () => {
    const events = eventsOf(3, 1)
    const made = named(events, countingIds())
    expect(new Set(made.map(({ id }) => id)).size).toBe(3)
    expect(made.map(({ body }) => body)).toEqual(events.map(({ body }) => body))
  })

  it('are refused when they are too large to be stored with it, all of them together', () => {
    const mebibyte = 1_048_576
    expect(() => weigh(eventsOf(7, mebibyte))).not.toThrow()
    expect(() => weigh(eventsOf(15, mebibyte))).not.toThrow()
    expect(() => weigh(eventsOf(500, 1_000))).not.toThrow()
    expect(() => weigh(eventsOf(17, mebibyte))).toThrow(
      expect.objectContaining({ code: 'events_too_large' }),
    )
  })
})
