/** Building blocks of the wire. What a schema here refuses is a 422 with a pointer to it. */
import { z } from 'zod'
import { CONDITION_OPERATORS, CONDITION_SOURCES } from '../../../domain/condition.ts'
import { PROBLEMS, type ProblemCode } from '../../../domain/problem.ts'
import { failureCauses, SEVERITIES } from '../../../domain/verdict.ts'

/** Ids that callers choose: spaces allowed, no control characters. */
export const id = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}]*$/u, 'Control characters are not allowed.')
  // In a path these two mean something else, so that such a record could never be read.
  .regex(/^(?!\.{1,2}$)/, 'An id is not just dots.')
  .meta({ description: 'An id: 1 to 200 characters, no control characters.' })

export const values = z
  .record(z.string(), z.unknown())
  .meta({ description: 'Field values by field id.' })

export const timestamp = z.iso.datetime({ offset: true }).meta({ description: 'RFC 3339' })

export const title = z.string().min(1).max(200)

export const callsPerSecond = z.number().int().min(1).max(1_000_000).meta({
  description:
    'Requests a second, a second’s worth of them at once; past it 429. Each process of the gateway counts by itself.',
})

/** The longest language tag that RFC 5646 §4.4.1 asks everybody to take. */
export const LOCALE_LENGTH_MAX = 35

export const user = z
  .object({
    id,
    title: z.string().max(200).optional(),
    locale: z.string().max(LOCALE_LENGTH_MAX).optional(),
  })
  .meta({ description: 'Who makes the change.' })

export const message = z
  .object({ title: z.string().optional(), text: z.string() })
  .meta({ description: 'For people: plain text, to be shown as text and never as markup.' })

export const condition = z
  .object({
    field: z.string().min(1).max(200),
    source: z.enum(CONDITION_SOURCES).optional(),
    op: z.enum(CONDITION_OPERATORS),
    value: z.unknown().optional(),
  })
  .meta({
    description:
      'One demand on a change. `source` defaults to `values`, the record as it will be. `matches` takes RE2 syntax.',
  })

export const finding = z.object({
  subscriptionId: z.string(),
  name: z.string(),
  code: z.string().optional(),
  field: z.string().optional(),
  severity: z.enum(SEVERITIES),
  message,
  cause: z
    .enum(['denied', ...failureCauses])
    .meta({ description: '`denied`, or why the validator could not be asked.' }),
})

export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    detail: z.string(),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
    requestId: z.string(),
    message: z.object({ text: z.string() }).meta({
      description:
        'For the person at the form: plain text in the language of `user.locale`, else of `Accept-Language`, where that is English, Russian or Ukrainian; else in English.',
    }),
    errors: z.array(z.object({ pointer: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' })

export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() })
}

const LIST_LIMIT = { max: 200, default: 50 } as const

export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(LIST_LIMIT.max).default(LIST_LIMIT.default),
  cursor: z.string().max(1_000).optional(),
})
