import { z } from 'zod'
import { timestamp } from './common.ts'

const MINUTES = { max: 1_440, default: 60 } as const

export const activityQuery = z.object({
  minutes: z.coerce
    .number()
    .int()
    .min(1)
    .max(MINUTES.max)
    .default(MINUTES.default)
    .meta({ description: 'How far back, with the minute that is not over yet.' }),
})

const count = z.number().int()
const percentiles = {
  p50Ms: z.number().nullable().meta({ description: 'Right to within a fifth.' }),
  p99Ms: z.number().nullable(),
}

const minute = z.object({
  at: timestamp,
  approvals: count.meta({ description: 'Answered with a decision.' }),
  denied: count,
  confirmed: count.meta({ description: 'Answered with `confirm`.' }),
  degraded: count,
  failed: count.meta({ description: 'Answered with a problem; not among `approvals`.' }),
  gateway: z
    .object(percentiles)
    .meta({ description: 'Time that the gateway added to that of the validators.' }),
})

const validator = z.object({
  subscriptionId: z.string(),
  asked: count,
  allowed: count,
  denied: count.meta({ description: 'Of one in `shadow`: what it would have denied.' }),
  failed: count.meta({ description: 'Could not be asked, or gave no usable reply.' }),
  ...percentiles,
  minutes: z.array(z.object({ at: timestamp, asked: count, ...percentiles })).meta({
    description: 'Empty for those who were asked least where there would be more than 20,000.',
  }),
})

export const activityView = z
  .object({
    minutes: z.array(minute).meta({ description: 'Oldest first, without those of nothing.' }),
    validators: z.array(validator).meta({ description: 'Whoever was asked most comes first.' }),
    breakers: z
      .array(
        z.object({ subscriptionId: z.string(), state: z.enum(['closed', 'open', 'halfOpen']) }),
      )
      .meta({ description: 'Of active subscriptions, as this process sees them.' }),
    backlog: z.object({
      oldestMs: z
        .number()
        .meta({ description: 'Age of the oldest notification that is due and not under way.' }),
      waiting: count.meta({ description: 'Deliveries to be sent, counted up to 1,000.' }),
    }),
  })
  .meta({ id: 'Activity' })
