import { z } from 'zod'
import { ACTOR_KINDS, AUDIT_ACTIONS } from '../../../domain/audit.ts'
import { BROKEN_REASONS } from '../../../domain/audit-chain.ts'
import { id, pageQuery, timestamp, values } from './common.ts'

const accountId = id.optional().meta({ description: 'Another account, for admins of `default`.' })

export const auditQuery = pageQuery.extend({
  accountId,
  since: timestamp.optional(),
  until: timestamp.optional(),
  actor: z.string().max(200).optional().meta({ description: 'The id of who did it.' }),
  action: z.enum(AUDIT_ACTIONS).optional(),
  target: z.string().max(500).optional().meta({ description: 'The id of what was changed.' }),
})

export const auditView = z
  .object({
    seq: z.number().meta({ description: 'Counts by one in each account.' }),
    at: timestamp,
    actor: z.object({
      kind: z.enum(ACTOR_KINDS).meta({
        description: 'A key, a token of the issuer, or the gateway of its own accord.',
      }),
      id: z.string(),
      accountId: z.string(),
      requestId: z.string().optional(),
    }),
    action: z.string(),
    target: z.string(),
    before: values.nullable().meta({
      description: 'What differs, as it was; null: it was not there. Secrets read `***`.',
    }),
    after: values.nullable().meta({
      description: 'The same as it is now; a secret that changed reads `*** (changed)`.',
    }),
    hash: z
      .string()
      .nullable()
      .meta({ description: 'Over this row and the hash before it; null for about a second.' }),
  })
  .meta({ id: 'AuditRow' })

export const verifyQuery = z.object({ accountId })

export const verifyView = z
  .object({
    ok: z.boolean(),
    checked: z.number().meta({ description: 'Rows that are as they were written.' }),
    firstBroken: z.object({ seq: z.number(), reason: z.enum(BROKEN_REASONS) }).optional(),
    checkpoint: z
      .object({
        number: z.number(),
        seq: z.number(),
        hash: z.string(),
        at: timestamp,
        keyId: z.string(),
      })
      .nullable()
      .meta({
        description:
          'The newest signed one. Note it elsewhere: row `seq` must always have this hash.',
      }),
  })
  .meta({ id: 'AuditVerification' })
