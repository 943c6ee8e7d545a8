/** Every pair of values of the fields that the events speak of, and every set of fields of an order. */
import { describe, expect, it } from 'vitest'
import { taxi } from '../../../../src/domain/presets/taxi.ts'
import { raisedBy } from './raised-by.ts'

const idsOf = (catalogId: string, fieldId: string): readonly string[] => {
  const fields = taxi.catalogs.find(({ id }) => id === catalogId)?.fields ?? []
  const options = fields.find(({ id }) => id === fieldId)?.options ?? []
  return options.map(({ id }) => id)
}

const pairsOf = (values: readonly string[]) =>
  values.flatMap((from) => values.map((to) => [from, to] as const))

const raisedByUpdate = (catalogId: string, before: object, sent: object) =>
  raisedBy(taxi, { catalogId, before: { ...before }, sent: { ...sent } })

describe('an order', () => {
  it('raises by each pair of statuses that it changed, where it arrived and what it left', () => {
    const pairs = pairsOf(idsOf('order', 'status'))
    expect(pairs).toHaveLength(49)
    for (const [from, to] of pairs) {
      const isChange = from !== to
      const raised = raisedByUpdate('order', { status: from }, { status: to })
      expect(raised, `${from} → ${to}`).toEqual(
        [
          isChange && to === 'cancelled' && 'order.cancelled',
          isChange && to === 'completed' && 'order.completed',
          isChange && from === 'cancelled' && 'order.restored',
          isChange && 'order.status_changed',
        ].filter((name) => name !== false),
      )
    }
  })

  it('raises by each pair of distribution statuses that it changed, and what the driver said', () => {
    const pairs = pairsOf(idsOf('order', 'distribution_status'))
    expect(pairs).toHaveLength(36)
    for (const [from, to] of pairs.filter(([left, right]) => left !== right)) {
      const raised = raisedByUpdate(
        'order',
        { distribution_status: from },
        { distribution_status: to },
      )
      expect(raised, `${from} → ${to}`).toEqual(
        [
          'order.distribution_status_changed',
          to === 'accepted' && 'order.driver_accepted',
          to === 'declined' && 'order.driver_declined',
        ].filter((name) => name !== false),
      )
    }
  })

  it('is edited by exactly those sets of fields that have one that no other event speaks of', () => {
    const before = {
      status: 'new',
      distribution_status: 'off',
      distribution_method: 'on_air',
      driver_id: 5,
      price: 100,
      comment: 'No smoking',
    }
    const changes = Object.entries({
      status: 'overdue',
      distribution_status: 'awaiting_distribution',
      distribution_method: 'sedi',
      driver_id: 6,
      price: 120,
      comment: null,
    })
    for (let set = 1; set < 2 ** changes.length; set++) {
      const sent = changes.filter((_, index) => (set & (1 << index)) !== 0)
      const fields = sent.map(([field]) => field)
      const raised = raisedByUpdate('order', before, Object.fromEntries(sent))
      const isEdit = fields.some((field) => field === 'price' || field === 'comment')
      expect(raised.includes('order.edited'), fields.join()).toBe(isEdit)
      expect(raised.includes('order.status_changed')).toBe(fields.includes('status'))
      expect(raised.includes('order.driver_removed')).toBe(fields.includes('driver_id'))
    }
  })
})

describe('a driver', () => {
  it('raises by each pair of statuses that it changed, and nothing else', () => {
    const pairs = pairsOf(idsOf('driver', 'status'))
    expect(pairs).toHaveLength(25)
    for (const [from, to] of pairs) {
      const raised = raisedByUpdate('driver', { status: from }, { status: to })
      expect(raised, `${from} → ${to}`).toEqual(from === to ? [] : ['driver.status_changed'])
    }
  })
})
