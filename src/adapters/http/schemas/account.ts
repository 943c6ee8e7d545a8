import { z } from 'zod'
import { callsPerSecond, id, timestamp, title } from './common.ts'

const accountNumber = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}]*$/u, 'Control characters are not allowed.')
  .meta({ description: 'What the account is called outside; receivers of dialect poster read it.' })

/** Of all its callers together; set by the operator. */
const maxPerSecond = callsPerSecond.nullable().optional()

export const accountDraft = z
  .object({
    id: id.optional(),
    title,
    accountNumber: accountNumber.nullable().optional(),
    maxPerSecond,
  })
  .meta({ id: 'AccountDraft' })

export const accountPatch = z
  .object({
    title: title.optional(),
    accountNumber: accountNumber.nullable().optional(),
    maxPerSecond,
  })
  .meta({ id: 'AccountPatch' })

export const accountView = z
  .object({
    id: z.string(),
    title: z.string(),
    accountNumber: z.string().optional(),
    maxPerSecond: z.number().optional(),
    createdAt: timestamp,
  })
  .meta({ id: 'Account' })
