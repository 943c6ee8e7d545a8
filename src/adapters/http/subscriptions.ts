import {
  createSubscription,
  disableSubscription,
  enableSubscription,
  listSubscriptions,
  type ManagePorts,
  readSubscription,
  removeSubscription,
  rotateSecret,
  type SubscriptionPatch,
  updateSubscription,
} from '../../app/manage-subscriptions.ts'
import type { HealthDesk } from '../../app/ports.ts'
import { type TryPorts, trySubscription } from '../../app/try-subscription.ts'
import { type ActingPorts, acting } from './acting.ts'
import { localesOf } from './command.ts'
import { paged, pageOf } from './paging.ts'
import { created, noContent, ok, type Route, route } from './route.ts'
import { pageQuery, pageOf as pageSchema } from './schemas/common.ts'
import {
  enableRequest,
  healthResponse,
  rotateRequest,
  rotateResponse,
  subscriptionDraft,
  subscriptionPatch,
  subscriptionView,
  trialRequest,
  trialResponse,
} from './schemas/subscription.ts'

export type SubscriptionPorts = ManagePorts &
  TryPorts &
  ActingPorts & { readonly health: HealthDesk }

const COLLECTION = '/v1/subscriptions'
const ITEM = `${COLLECTION}/{id}`
const tag = 'Subscriptions'

export function subscriptionRoutes(ports: SubscriptionPorts): Route[] {
  return [
    ...collectionRoutes(ports),
    ...itemRoutes(ports),
    ...verbRoutes(ports),
    ...switchRoutes(ports),
  ]
}

function collectionRoutes(ports: SubscriptionPorts): Route[] {
  return [
    route({
      method: 'GET',
      path: COLLECTION,
      scopes: ['read'],
      tag,
      summary: 'List subscriptions; secrets read `***`',
      query: pageQuery,
      responses: { 200: { description: 'A page.', schema: pageSchema(subscriptionView) } },
      handle: async ({ caller, query }) =>
        ok(paged(await listSubscriptions(caller.accountId, pageOf(query), ports), query)),
    }),
    route({
      method: 'POST',
      path: COLLECTION,
      scopes: ['manage'],
      tag,
      summary: 'Subscribe a validator or receiver; the secret is shown this once',
      body: subscriptionDraft,
      responses: { 201: { description: 'Subscribed.', schema: subscriptionView } },
      handle: async ({ caller, requestId, body }) => {
        const own = acting(ports, caller, requestId)
        return created(
          await createSubscription(caller.accountId, { ...body, secret: body.secret }, own),
        )
      },
    }),
  ]
}

function itemRoutes(ports: SubscriptionPorts): Route[] {
  return [
    route({
      method: 'GET',
      path: ITEM,
      scopes: ['read'],
      tag,
      summary: 'Read a subscription',
      responses: { 200: { description: 'The subscription.', schema: subscriptionView } },
      handle: async ({ caller, params: { id = '' } }) =>
        ok(await readSubscription(caller.accountId, id, ports)),
    }),
    route({
      method: 'PATCH',
      path: ITEM,
      scopes: ['manage'],
      tag,
      summary: 'Change settings; what is left out stays, `***` keeps a stored secret',
      body: subscriptionPatch,
      responses: { 200: { description: 'As it is now.', schema: subscriptionView } },
      handle: async ({ caller, requestId, params: { id = '' }, body }) => {
        const own = acting(ports, caller, requestId)
        return ok(await updateSubscription(caller.accountId, id, body as SubscriptionPatch, own))
      },
    }),
    route({
      method: 'DELETE',
      path: ITEM,
      scopes: ['manage'],
      tag,
      summary: 'End a subscription; its open deliveries are cancelled',
      responses: { 204: { description: 'Ended.' } },
      handle: async ({ caller, requestId, params: { id = '' } }) => {
        await removeSubscription(caller.accountId, id, acting(ports, caller, requestId))
        return noContent
      },
    }),
  ]
}

function switchRoutes(ports: SubscriptionPorts): Route[] {
  return [
    route({
      method: 'POST',
      path: `${ITEM}/enable`,
      scopes: ['manage'],
      tag,
      summary: 'Enable; what was held is delivered, or cancelled by choice',
      body: enableRequest,
      bodyOptional: true,
      responses: { 200: { description: 'As it is now.', schema: subscriptionView } },
      handle: async ({ caller, requestId, params: { id = '' }, body }) => {
        const own = acting(ports, caller, requestId)
        return ok(await enableSubscription(caller.accountId, id, body.held, own))
      },
    }),
    route({
      method: 'POST',
      path: `${ITEM}/disable`,
      scopes: ['manage'],
      tag,
      summary: 'Disable; nobody is asked, notifications are held',
      responses: { 200: { description: 'As it is now.', schema: subscriptionView } },
      handle: async ({ caller, requestId, params: { id = '' } }) =>
        ok(await disableSubscription(caller.accountId, id, acting(ports, caller, requestId))),
    }),
  ]
}

function verbRoutes(ports: SubscriptionPorts): Route[] {
  return [
    route({
      method: 'POST',
      path: `${ITEM}/test`,
      scopes: ['manage'],
      tag,
      summary: 'Send a sample; shows request, reply and verdict',
      body: trialRequest,
      bodyOptional: true,
      responses: { 200: { description: 'What happened.', schema: trialResponse } },
      handle: async ({ caller, params: { id = '' }, body, header }) => {
        const locales = localesOf(body.user?.locale, header('accept-language'))
        const { event, recordId, values, prevValues, user } = body
        const sample = { event, recordId, values, prevValues, user }
        return ok(
          await trySubscription({ accountId: caller.accountId, id, sample, locales }, ports),
        )
      },
    }),
    route({
      method: 'POST',
      path: `${ITEM}/rotate-secret`,
      scopes: ['manage'],
      tag,
      summary: 'Make a new secret; the old one stays valid for `overlapMs`',
      body: rotateRequest,
      bodyOptional: true,
      responses: { 200: { description: 'The new secret, this once.', schema: rotateResponse } },
      handle: async ({ caller, requestId, params: { id = '' }, body }) => {
        const own = acting(ports, caller, requestId)
        return ok(await rotateSecret(caller.accountId, id, body.overlapMs, own))
      },
    }),
    route({
      method: 'GET',
      path: `${ITEM}/health`,
      scopes: ['read'],
      tag,
      summary: 'Breaker state and the last five minutes, as this gateway sees them',
      responses: { 200: { description: 'Health.', schema: healthResponse } },
      handle: async ({ caller, params: { id = '' } }) => {
        await readSubscription(caller.accountId, id, ports)
        return ok(ports.health.of(id))
      },
    }),
  ]
}
