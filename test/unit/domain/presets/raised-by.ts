import { compilePattern } from '../../../../src/adapters/system/patterns.ts'
import { type ChangeEvent, changeOf } from '../../../../src/domain/change.ts'
import {
  eventTypesRaisedBy,
  indexEventTypes,
  type Operation,
} from '../../../../src/domain/event-type.ts'
import { occurrenceOf } from '../../../../src/domain/matching.ts'
import type { Preset } from '../../../../src/domain/presets/preset.ts'
import type { PresetChange } from '../../../support/preset-changes.ts'

type Made = Pick<PresetChange, 'catalogId' | 'before' | 'sent'>

/** What the change does to its record, and the event that is asked about before it. */
function operationOf({ before, sent }: Made): [Operation, ChangeEvent] {
  if (before === null) return ['created', 'record.before.created']
  return sent === null ? ['deleted', 'record.before.deleted'] : ['updated', 'record.before.updated']
}

/** Names of the events that a change raises, in order of name. */
export function raisedBy(preset: Preset, row: Made): readonly string[] {
  const [operation, event] = operationOf(row)
  const change = changeOf({
    event,
    accountId: 'default',
    catalogId: row.catalogId,
    recordId: 'r1',
    values: row.sent ?? undefined,
    prevValues: row.before ?? undefined,
    allValues: undefined,
    user: undefined,
    context: undefined,
  })
  const index = indexEventTypes(preset.eventTypes, compilePattern)
  return eventTypesRaisedBy(index, operation, occurrenceOf(change))
    .map(({ name }) => name)
    .toSorted()
}
