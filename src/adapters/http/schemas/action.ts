import { z } from 'zod'
import { TEXT_LENGTH_MAX } from '../../../domain/message.ts'
import { id, message, pageQuery, title, user } from './common.ts'
import { subscriptionDraft, subscriptionPatch, subscriptionView } from './subscription.ts'

/** What an action has in common with a subscription keeps the same rules. */
const ENDPOINT = {
  catalogId: true,
  conditions: true,
  url: true,
  method: true,
  parameters: true,
  auth: true,
  headers: true,
  tls: true,
  dialect: true,
  secret: true,
  timeoutMs: true,
} as const

const confirmText = z.string().min(1).max(TEXT_LENGTH_MAX)

export const actionDraft = subscriptionDraft
  .pick(ENDPOINT)
  .extend({
    id: id.optional().meta({ description: 'Chosen by the caller, or made.' }),
    title,
    confirmText: confirmText
      .nullable()
      .default(null)
      .meta({ description: 'What the person is asked before the button does anything.' }),
  })
  .meta({ id: 'ActionDraft' })

export const actionPatch = subscriptionPatch
  .pick(ENDPOINT)
  .extend({ title: title.optional(), confirmText: confirmText.nullable().optional() })
  .meta({ id: 'ActionPatch' })

export const actionView = subscriptionView
  .pick({ ...ENDPOINT, id: true, createdAt: true, updatedAt: true })
  .extend({
    title,
    secret: z.string().meta({ description: '`***`; the secret itself at creation.' }),
    confirmText: confirmText.optional(),
  })
  .meta({ id: 'Action' })

export const actionQuery = pageQuery.extend({
  catalogId: id
    .optional()
    .meta({ description: 'Actions of this catalog; `*` for those of every catalog.' }),
})

export const menuQuery = z.object({
  userId: id.optional().meta({ description: 'Who looks, for conditions about the user.' }),
})

export const menu = z.object({ items: z.array(actionView), nextCursor: z.null() })

export const runRequest = z.object({ user: user.optional() }).meta({ id: 'RunActionRequest' })

export const runResponse = z
  .object({
    status: z.enum(['done', 'failed']),
    message: message.optional().meta({ description: 'To be shown to the person; text only.' }),
    httpStatus: z
      .number()
      .optional()
      .meta({ description: 'What the endpoint answered; absent when it did not.' }),
    durationMs: z.number(),
  })
  .meta({ id: 'ActionResult' })
