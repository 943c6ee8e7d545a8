import { describe, expect, it } from 'vitest'
import { deliveryView, notificationView } from '../../../../src/adapters/http/schemas/log.ts'
import {
  subscriptionDraft,
  trialRequest,
} from '../../../../src/adapters/http/schemas/subscription.ts'
import { OPERATIONAL_EVENTS } from '../../../../src/domain/change.ts'
import { DIALECT_NAMES } from '../../../../src/domain/subscription.ts'

const DRAFT = { name: 'x', events: ['record.created'], url: 'https://v.test/' }

describe('a subscription as it is sent', () => {
  it('may list what the gateway tells about subscriptions, and try it out', () => {
    const events = [...OPERATIONAL_EVENTS]
    expect(subscriptionDraft.parse({ ...DRAFT, events }).events).toEqual(events)
    for (const event of events) expect(trialRequest.parse({ event }).event).toBe(event)
    const unknown = subscriptionDraft.safeParse({ ...DRAFT, events: ['subscription.exploded'] })
    expect(unknown.error?.issues[0]?.path).toEqual(['events', 0])
  })

  it('may be of any dialect, which decides how it is repeated when it does not say', () => {
    for (const dialect of DIALECT_NAMES) {
      expect(subscriptionDraft.parse({ ...DRAFT, dialect })).toMatchObject({ dialect })
      expect(subscriptionDraft.parse({ ...DRAFT, dialect }).retry).toBeUndefined()
    }
    const retry = { preset: 'none' }
    expect(subscriptionDraft.parse({ ...DRAFT, retry }).retry).toEqual(retry)
  })
})

describe('the log', () => {
  it('may tell of an event that is about no record and was decided by nobody', () => {
    const { catalogId, decisionId } = notificationView.shape
    for (const member of [catalogId, decisionId, deliveryView.shape.catalogId]) {
      expect([member.parse(null), member.parse('x')]).toEqual([null, 'x'])
    }
  })
})
