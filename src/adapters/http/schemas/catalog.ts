import { z } from 'zod'
import { FIELD_TYPES } from '../../../domain/catalog.ts'
import { REDACTIONS } from '../../../domain/redaction.ts'
import { id, timestamp, title, values } from './common.ts'

const field = z.object({
  id,
  title,
  type: z.enum(FIELD_TYPES),
  required: z.boolean().optional(),
  options: z.array(z.object({ id, title })).max(1_000).optional(),
})

const fields = z
  .array(field)
  .max(1_000)
  .superRefine((list, context) => {
    const seen = new Set<string>()
    for (const [index, { id: fieldId }] of list.entries()) {
      if (seen.has(fieldId)) {
        context.addIssue({ code: 'custom', path: [index, 'id'], message: 'This id repeats.' })
      }
      seen.add(fieldId)
    }
  })

const redact = z.record(id, z.enum(REDACTIONS)).meta({
  description: 'What decisions do not keep, by field: all, all but a hash, all but the end.',
})

export const catalog = z
  .object({ id, title, fields: fields.default([]), redact: redact.optional() })
  .meta({ id: 'Catalog' })

export const catalogPatch = z
  .object({
    title: title.optional(),
    fields: fields.optional(),
    redact: redact.nullable().optional(),
  })
  .meta({ id: 'CatalogPatch' })

export const storedRecord = z
  .object({
    id: z.string(),
    catalogId: z.string(),
    version: z.number(),
    values,
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'Record' })

/** How many of each there were. */
export const erasedRecord = z
  .object({
    records: z.number(),
    decisions: z.number(),
    approvals: z.number(),
    answers: z.number(),
    events: z.number(),
    attempts: z.number(),
  })
  .meta({ id: 'Erased' })
