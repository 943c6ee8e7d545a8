import { z } from 'zod'
import { APP_SCOPES } from '../../../app/app-store.ts'
import { id, timestamp, title } from './common.ts'
import { secret, subscriptionDraft } from './subscription.ts'

/** Connected it is active. */
const template = subscriptionDraft
  .omit({ active: true, tls: true })
  .extend({ secret: secret.optional().meta({ description: 'Left out: the secret of the app.' }) })

const redirect = z
  .url({ protocol: /^https?$/ })
  .max(2_048)
  .meta({ description: 'Where a person goes on after connecting the app.' })

const scopes = z.array(z.enum(APP_SCOPES)).max(APP_SCOPES.length)

export const appDraft = z
  .object({
    id: id.optional(),
    name: title,
    secret: secret.optional(),
    redirect: redirect.optional(),
    scopes: scopes
      .default(['approve', 'read'])
      .meta({ description: 'What its access tokens are good for.' }),
    subscriptions: z
      .array(template)
      .max(100)
      .default([])
      .meta({ description: 'What becomes a subscription in each account that connects the app.' }),
  })
  .meta({ id: 'AppDraft' })

export const appView = z
  .object({
    id: z.string(),
    name: z.string(),
    secret: z.string().meta({ description: '`***`; the secret itself at creation.' }),
    redirect: z.string().optional(),
    scopes,
    subscriptions: z.array(template.partial({ fallbackMessage: true, maxPerSecond: true })),
    createdAt: timestamp,
  })
  .meta({ id: 'App' })

export const installationRequest = z
  .object({
    appId: id,
    userId: id.meta({ description: 'Who connects it; the app is told.' }),
    scopes: scopes.optional().meta({ description: 'Left out: all that the app asks for.' }),
  })
  .meta({ id: 'InstallationRequest' })

export const installationView = z
  .object({
    id: z.string(),
    appId: z.string(),
    userId: z.string(),
    scopes,
    accessToken: z.string().meta({ description: '`***`; the token itself at creation.' }),
    createdAt: timestamp,
  })
  .meta({ id: 'Installation' })

export const connectedView = installationView
  .extend({ redirect: z.string().optional() })
  .meta({ id: 'Connected' })
