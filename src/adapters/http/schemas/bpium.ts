/** The bodies of `/api/v1`, which is shaped like Bpium's API. */
import { z } from 'zod'
import { id, message, problem, values } from './common.ts'
import { subscriptionDraft } from './subscription.ts'

const { events, url, secret } = subscriptionDraft.shape

export const bpiumProblem = problem
  .extend({ message: z.string().meta({ description: 'For the person at the form.' }) })
  .meta({ id: 'BpiumProblem', description: 'RFC 9457, with a message where Bpium has it.' })

export const bpiumRefusal = z.object({ message: z.union([z.string(), message]) }).meta({
  id: 'BpiumRefusal',
  description: "The subscriber's message; a text, where it has no title.",
})

const WEBHOOKS =
  'In the catalog `webhooks`: `catalog`, `events`, `fields` ([] any), `url`, `initiator` (`[{id}]`, [] anyone), `secret` (reads `***`), `active`, `lastSequenceId` (read-only).'

/** Strict: what Bpium does not know would be dropped in silence, and the change be another one. */
export const bpiumRecordRequest = z
  .strictObject({ values: values.meta({ description: `Field values by field id. ${WEBHOOKS}` }) })
  .meta({ id: 'BpiumRecordRequest' })

export const bpiumRecord = z
  .object({ id: z.string(), catalogId: z.string(), title: z.string(), values })
  .meta({
    id: 'BpiumRecord',
    description: "`title`: the catalog's first text field, else the id.",
  })

export const bpiumCreated = z.object({ id: z.string() })
export const bpiumDone = z.object({})

const user = z
  .union([id, z.object({ id })])
  .transform((one) => (typeof one === 'object' ? one.id : one))
const listOf = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .max(1_000)
    .nullable()
    .transform((list) => list ?? [])

const webhookValues = z.strictObject({
  catalog: id,
  events,
  fields: listOf(id),
  url,
  initiator: listOf(user),
  secret,
  active: z.boolean(),
  // Whoever sends back what was read sends this too; nobody can set it.
  lastSequenceId: z.unknown(),
})

export const webhookDraft = z.object({
  values: webhookValues.partial().required({ catalog: true, events: true, url: true }),
})
export const webhookPatch = z.object({ values: webhookValues.partial() })

const whole = z.coerce.number().int().min(0)
const shared = {
  fields: z.string().max(20_000).optional().meta({ description: 'JSON: `["2","3"]`.' }),
  timezoneOffset: z.string().optional().meta({ description: 'Taken, and of no consequence here.' }),
}

export const bpiumReadQuery = z.looseObject(shared)

export const bpiumListQuery = z.looseObject({
  ...shared,
  limit: whole.min(1).max(200).default(100),
  offset: whole.max(1_000_000).default(0),
  filters: z
    .string()
    .max(20_000)
    .optional()
    .meta({ description: 'JSON: `{"2":"text","3":{"at":1,"to":9},"4":["1","2"]}`.' }),
  sortField: z.literal('id').optional(),
  sortType: z.enum(['1', '-1']).default('1'),
})
