/** What a dialect's own world never tells of, whatever a subscription lists. Facts of DIALECTS.md. */
import type { Occurrence } from './matching.ts'
import type { DialectName } from './subscription.ts'

/** Poster tells that an incoming order changed when it is taken or turned away, and of nothing else. */
const INCOMING_ORDER = {
  catalogId: 'incoming_order',
  event: 'record.updated',
  field: 'status',
  from: 'new',
  to: ['applied', 'rejected'],
} as const

export function isTold(dialect: DialectName, event: string, occurrence: Occurrence): boolean {
  const { catalogId, field, from, to } = INCOMING_ORDER
  if (dialect !== 'poster' || occurrence.catalogId !== catalogId) return true
  if (event !== INCOMING_ORDER.event) return true
  const status = chosen(occurrence.valuesToBe[field])
  return chosen(occurrence.prevValues?.[field]) === from && to.some((one) => one === status)
}

/** A choice may be written as a list of one. */
function chosen(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value
}
