import { z } from 'zod'
import { COMMIT_MODES, changeEventNames } from '../../../domain/change.ts'
import { BUDGET_MS, DENY_GRACE_DEFAULT_MS } from '../../../domain/deadline.ts'
import { failureCauses } from '../../../domain/verdict.ts'
import { finding, id, message, timestamp, user, values } from './common.ts'

const version = z.number().int().min(1)

/** What every write may say about how it wants to be asked. */
const asking = {
  user: user.optional(),
  context: values
    .optional()
    .meta({ description: 'Anything validators should know: channel, screen, reason.' }),
  timeoutMs: z
    .number()
    .int()
    .min(BUDGET_MS.min)
    .max(BUDGET_MS.max)
    .default(BUDGET_MS.default)
    .meta({ description: 'One budget for the whole change.' }),
  denyGraceMs: z
    .number()
    .int()
    .min(0)
    .max(BUDGET_MS.max)
    .default(DENY_GRACE_DEFAULT_MS)
    .meta({ description: 'After the first deny, wait this long for further errors.' }),
  confirm: z
    .array(z.string().max(500))
    .max(200)
    .default([])
    .meta({ description: 'Confirmation tokens of an earlier answer.' }),
}

const NEEDS_RECORD: ReadonlySet<string> = new Set([
  'record.before.updated',
  'record.before.deleted',
])

export const approveRequest = z
  .object({
    event: z.enum(changeEventNames),
    catalogId: id,
    recordId: id.optional().meta({ description: 'Required for updated and deleted.' }),
    values: values.optional().meta({ description: 'What changes.' }),
    prevValues: values.optional().meta({ description: 'The record before the change.' }),
    allValues: values.optional().meta({ description: 'record.updating: the whole form.' }),
    baseVersion: version.optional().meta({ description: 'The version that the editor saw.' }),
    commit: z.enum(COMMIT_MODES).default('gateway'),
    ...asking,
  })
  .superRefine((request, context) => {
    if (!NEEDS_RECORD.has(request.event) || request.recordId !== undefined) return
    const text = `${request.event} needs the id of the record.`
    context.addIssue({ code: 'custom', path: ['recordId'], message: text })
  })
  .meta({ id: 'ApproveRequest' })

export const createRecordRequest = z
  .object({ id: id.optional(), values, ...asking })
  .meta({ id: 'CreateRecordRequest' })

export const updateRecordRequest = z
  .object({ values, ...asking })
  .meta({ id: 'UpdateRecordRequest' })

/** A delete may come without a body. */
export const deleteRecordRequest = z.object(asking).meta({ id: 'DeleteRecordRequest' })

export const verdict = z.object({
  subscriptionId: z.string(),
  name: z.string(),
  mode: z.enum(['enforce', 'shadow']),
  outcome: z.enum(['allow', 'deny', 'failed', 'cancelled']),
  cause: z.enum(failureCauses).optional(),
  status: z.number().optional(),
  durationMs: z.number(),
  applied: z.enum(['allow', 'deny', 'none']),
})

export const conflict = z.object({
  field: z.string(),
  chosen: z.string(),
  others: z.array(z.string()),
})

const recordView = z.object({
  id: z.string(),
  catalogId: z.string(),
  version: z.number(),
  values,
})

export const approveResponse = z
  .object({
    id: z.string().meta({ description: 'The decision.' }),
    decision: z.enum(['allow', 'deny', 'confirm']),
    committed: z.boolean(),
    degraded: z
      .literal(true)
      .optional()
      .meta({ description: 'Allowed although somebody could not be asked.' }),
    record: recordView.optional(),
    message: message.optional().meta({ description: 'The one to show when only one fits.' }),
    errors: z.array(finding),
    warnings: z.array(finding),
    infos: z.array(finding),
    values: values.optional(),
    suggestedBy: z
      .record(z.string(), z.string())
      .optional()
      .meta({ description: 'By field: the subscription whose value is in `values`.' }),
    conflicts: z.array(conflict).optional(),
    confirmations: z.array(z.object({ token: z.string(), finding })).optional(),
    verdicts: z.array(verdict),
    approval: z.object({ token: z.string(), expiresAt: timestamp }).optional(),
    timing: z.object({ totalMs: z.number(), validatorsMs: z.number(), commitMs: z.number() }),
  })
  .meta({ id: 'ApproveResponse' })

export const commitRequest = z
  .object({
    token: z.string().min(1).max(4_000),
    recordId: id.optional(),
    values: values.optional(),
  })
  .meta({ id: 'CommitRequest' })

export const commitResponse = z.object({
  id: z.string(),
  state: z.literal('committed'),
  notifications: z.number(),
})

export const abortResponse = z.object({ id: z.string(), state: z.literal('aborted') })
