import { z } from 'zod'
import { SCOPES } from '../../../app/store.ts'
import { COMMIT_MODES } from '../../../domain/change.ts'
import { DELIVERY_STATES, ENDED_STATES } from '../../../domain/notification.ts'
import { conflict, verdict } from './approval.ts'
import {
  callsPerSecond,
  finding,
  id,
  message,
  pageQuery,
  timestamp,
  title,
  values,
} from './common.ts'

export const decisionQuery = pageQuery.extend({
  decision: z.enum(['allow', 'deny', 'confirm']).optional(),
  catalogId: z.string().max(200).optional(),
  recordId: z.string().max(200).optional(),
  subscriptionId: z.string().max(200).optional(),
  since: timestamp.optional(),
  until: timestamp.optional(),
  text: z.string().min(1).max(200).optional().meta({
    description:
      'In the texts, the record’s id or the user, in whatever case; looked for in the newest 20,000 decisions that the other filters leave.',
  }),
  after: z.string().max(200).optional().meta({
    description:
      'The newest decision that is known: those that came after it. One that took its time may be told of twice.',
  }),
})

const mismatch = z
  .object({
    reason: z.enum(['event', 'catalog', 'inactive', 'fields', 'initiator', 'condition']),
    conditionIndex: z.number().optional(),
  })
  .nullable()

export const decisionView = z
  .object({
    id: z.string(),
    event: z.string(),
    catalogId: z.string(),
    recordId: z.string().nullable(),
    decision: z.enum(['allow', 'deny', 'confirm']),
    committed: z.boolean(),
    commit: z.enum(COMMIT_MODES),
    state: z
      .enum(['pending', 'committed', 'aborted'])
      .nullable()
      .meta({ description: 'Of a commit that the caller makes itself.' }),
    degraded: z.boolean(),
    generation: z.number().meta({ description: 'Of the configuration that it was made under.' }),
    versionBefore: z.number().nullable(),
    versionAfter: z.number().nullable(),
    user: values.nullable(),
    values: values.nullable(),
    prevValues: values.nullable(),
    changedFields: z.array(z.string()),
    context: values.nullable(),
    message: message.nullable(),
    errors: z.array(finding),
    warnings: z.array(finding),
    infos: z.array(finding),
    verdicts: z.array(verdict),
    suggestions: values,
    suggestedBy: z
      .record(z.string(), z.string())
      .meta({ description: 'By field: the subscription whose suggestion that is.' }),
    conflicts: z.array(conflict),
    considered: z
      .array(z.object({ subscriptionId: z.string(), name: z.string(), mismatch }))
      .meta({ description: 'Who was looked at; `mismatch` says why not, null: it matched.' }),
    timeline: z.array(
      z.object({
        subscriptionId: z.string(),
        startedMs: z.number(),
        endedMs: z.number(),
        detail: z.string().optional(),
      }),
    ),
    timing: z.object({
      decidedMs: z.number(),
      validatorsMs: z.number(),
      timeoutMs: z
        .number()
        .optional()
        .meta({ description: 'The budget. Earlier decisions do not tell it.' }),
    }),
    requestId: z.string(),
    decidedAt: timestamp,
  })
  .meta({ id: 'Decision' })

export const decisionDetail = decisionView
  .extend({
    notifications: z
      .array(
        z.object({
          id: z.string().meta({ description: 'Of the delivery.' }),
          event: z.string(),
          subscriptionId: z.string(),
          sequenceId: z.number().nullable(),
          state: z
            .enum(DELIVERY_STATES)
            .nullable()
            .meta({ description: 'Null for the moment until it is planned.' }),
        }),
      )
      .meta({ description: 'Who was told because of it.' }),
  })
  .meta({ id: 'DecisionDetail' })

export const deliveryQuery = pageQuery.extend({
  subscriptionId: z.string().max(200).optional(),
  state: z.enum(DELIVERY_STATES).optional(),
  recordId: z.string().max(200).optional(),
})

export const deliveryView = z
  .object({
    id: z.string().meta({ description: 'Also the webhook-id.' }),
    subscriptionId: z.string(),
    sequenceId: z.number(),
    event: z.string(),
    catalogId: z.string().nullable(),
    recordId: z.string().nullable(),
    state: z.enum(DELIVERY_STATES),
    failures: z.number(),
    dueAt: timestamp.nullable(),
    lastStatus: z.number().nullable(),
    createdAt: timestamp,
    endedAt: timestamp.nullable(),
  })
  .meta({ id: 'Delivery' })

export const deliveryDetail = deliveryView
  .extend({
    attempts: z.array(
      z.object({
        at: timestamp,
        requestHeaders: z.record(z.string(), z.string()),
        status: z.number().nullable(),
        reply: z.string(),
        durationMs: z.number(),
        error: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'DeliveryDetail' })

const sequenceNumber = z
  .string()
  .regex(/^\d{1,15}$/, 'A number is expected.')
  .transform(Number)

export const pullQuery = z.object({
  after: sequenceNumber
    .prefault('0')
    .meta({ description: 'The last number that the receiver has.' }),
  cursor: sequenceNumber.optional().meta({ description: '`nextCursor` of the page before.' }),
  limit: pageQuery.shape.limit,
})

export const pulledDelivery = z
  .object({
    sequenceId: z.number(),
    id: z.string(),
    state: z.enum(DELIVERY_STATES),
    body: z.unknown().meta({ description: 'As it is sent; null where all of it is in the URL.' }),
  })
  .meta({ id: 'PulledDelivery' })

const fromNumber = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

/** Strict: a misspelt member would have other deliveries sent than were meant. */
export const replayRequest = z
  .strictObject({
    since: timestamp.optional().meta({ description: 'Planned then or later.' }),
    until: timestamp.optional().meta({ description: 'Planned before.' }),
    fromSequenceId: fromNumber.optional(),
    toSequenceId: fromNumber.optional(),
    states: z
      .array(z.enum(ENDED_STATES))
      .min(1)
      .optional()
      .meta({ description: 'All when left out.' }),
    preview: z.boolean().optional().meta({ description: '`true`: they are only counted.' }),
  })
  .refine(
    (range) => Object.values({ ...range, preview: undefined }).some((one) => one !== undefined),
    {
      path: ['since'],
      message: 'Say which: since, until, fromSequenceId, toSequenceId, states.',
    },
  )
  .refine(({ since, until }) => !since || !until || Date.parse(since) < Date.parse(until), {
    path: ['until'],
    message: 'This is not after `since`.',
  })
  .refine(({ fromSequenceId = 0, toSequenceId }) => fromSequenceId <= (toSequenceId ?? Infinity), {
    path: ['toSequenceId'],
    message: 'This is less than `fromSequenceId`.',
  })
  .meta({ id: 'ReplayRequest' })

export const replayResponse = z.object({ count: z.number() }).meta({ id: 'Replay' })

export const replayList = z.object({
  items: z.array(
    z
      .object({
        id: z.string(),
        fromSequenceId: z.number(),
        toSequenceId: z.number(),
        nextSequenceId: z.number().meta({ description: 'Those before it were looked through.' }),
        requestedAt: timestamp,
      })
      .meta({ id: 'ReplayUnderWay' }),
  ),
})

export const notificationView = z
  .object({
    id: z.string(),
    event: z.string(),
    catalogId: z.string().nullable(),
    recordId: z.string().nullable(),
    decisionId: z.string().nullable(),
    occurredAt: timestamp,
    subscriptionIds: z.array(z.string()),
  })
  .meta({ id: 'Notification' })

export const keyRequest = z
  .object({
    name: title,
    scopes: z.array(z.enum(SCOPES)).min(1),
    accountId: id.optional(),
    expiresAt: timestamp.optional().meta({ description: 'In the future.' }),
    maxPerSecond: callsPerSecond.optional(),
  })
  .meta({ id: 'KeyRequest' })

export const keyQuery = z.object({
  accountId: id.optional().meta({ description: 'Another account, for admins of `default`.' }),
})
export const keyPageQuery = pageQuery.extend(keyQuery.shape)

export const keyView = z
  .object({
    id: z.string(),
    name: z.string(),
    accountId: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    maxPerSecond: z.number().nullable(),
    expiresAt: timestamp.nullable(),
    lastUsedAt: timestamp.nullable().meta({ description: 'To the minute, some seconds late.' }),
    createdAt: timestamp,
  })
  .meta({ id: 'Key' })
