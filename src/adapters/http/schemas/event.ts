import { z } from 'zod'
import { isReservedEventName } from '../../../domain/change.ts'
import { OPERATIONS } from '../../../domain/event-type.ts'
import { condition, id, title, user, values } from './common.ts'
import { parameters } from './subscription.ts'

const titles = z.object({ en: title, ru: title.optional(), uk: title.optional() })

const name = id.refine((text) => !isReservedEventName(text), {
  message: 'This name is one of the gateway’s own, or begins like one.',
})

const settings = {
  title: titles,
  catalogId: id.meta({
    description:
      'Each committed change of this catalog that fits raises it; `*` for every catalog.',
  }),
  on: z.array(z.enum(OPERATIONS)).min(1).max(OPERATIONS.length).meta({
    description: 'What is done to the record; left out: all three.',
  }),
  fields: z
    .array(id)
    .max(1_000)
    .meta({ description: 'Watched: raised only when one of them changes; [] for any.' }),
  conditions: z.array(condition).max(100).meta({ description: 'All must hold.' }),
  data: parameters.meta({ description: 'What the event says instead of what the change says.' }),
} as const

export const eventTypeDraft = z
  .object({
    name,
    title: settings.title,
    catalogId: settings.catalogId.nullable().optional(),
    on: settings.on.optional(),
    fields: settings.fields.optional(),
    conditions: settings.conditions.optional(),
    data: settings.data.nullable().optional(),
  })
  .meta({ id: 'EventTypeDraft' })

export const eventTypePatch = z
  .object({
    ...settings,
    catalogId: settings.catalogId.nullable(),
    data: settings.data.nullable(),
  })
  .partial()
  .meta({ id: 'EventTypePatch' })

export const eventTypeView = z
  .object({
    name: z.string(),
    title: titles,
    catalogId: z.string().optional(),
    on: settings.on.optional(),
    fields: settings.fields.optional(),
    conditions: settings.conditions.optional(),
    data: settings.data.optional(),
  })
  .meta({ id: 'EventType' })

export const raiseRequest = z
  .object({
    type: id.meta({ description: 'An event type without a catalogId.' }),
    data: values.default({}),
    user: user.optional(),
    recordId: id.optional(),
    catalogId: id.optional(),
  })
  .meta({ id: 'RaiseRequest' })

export const raiseResponse = z.object({ id: z.string() })
