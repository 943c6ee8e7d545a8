import type { Deliveries } from '../../app/delivery-store.ts'
import { type PullPorts, pullDeliveries } from '../../app/pull-deliveries.ts'
import { listReplays, previewReplay, replayDeliveries } from '../../app/replay-deliveries.ts'
import type { Subscriptions } from '../../app/store.ts'
import { Problem } from '../../domain/problem.ts'
import { type ActingPorts, acting } from './acting.ts'
import { paged, pageOf } from './paging.ts'
import { ok, type Route, route } from './route.ts'
import { pageQuery, pageOf as pageSchema, problem } from './schemas/common.ts'
import {
  deliveryDetail,
  deliveryQuery,
  deliveryView,
  notificationView,
  pulledDelivery,
  pullQuery,
  replayList,
  replayRequest,
  replayResponse,
} from './schemas/log.ts'

type DeliveryPorts = PullPorts &
  ActingPorts & {
    readonly deliveries: Deliveries
    readonly subscriptions: Subscriptions
    /** Somebody wants deliveries sent again. */
    readonly onDeliveriesWanted: () => void
  }
const tag = 'Notifications'

export function deliveryRoutes(ports: DeliveryPorts): Route[] {
  return [...readRoutes(ports), ...replayRoutes(ports), ...retryRoutes(ports)]
}

function readRoutes(ports: DeliveryPorts): Route[] {
  const { deliveries } = ports
  return [
    route({
      method: 'GET',
      path: '/v1/notifications',
      scopes: ['read'],
      tag,
      summary: 'List what was told after commits, newest first',
      query: pageQuery,
      responses: { 200: { description: 'A page.', schema: pageSchema(notificationView) } },
      handle: async ({ caller, query }) =>
        ok(paged(await deliveries.notifications(caller.accountId, pageOf(query)), query)),
    }),
    route({
      method: 'GET',
      path: '/v1/deliveries',
      scopes: ['read'],
      tag,
      summary: 'List deliveries, newest event first',
      query: deliveryQuery,
      responses: { 200: { description: 'A page.', schema: pageSchema(deliveryView) } },
      handle: async ({ caller, query }) =>
        ok(paged(await deliveries.list(caller.accountId, query, pageOf(query)), query)),
    }),
    route({
      method: 'GET',
      path: '/v1/deliveries/{id}',
      scopes: ['read'],
      tag,
      summary: 'Read a delivery with each of its attempts',
      responses: { 200: { description: 'The delivery.', schema: deliveryDetail } },
      handle: async ({ caller, params: { id = '' } }) => {
        const found = await deliveries.read(caller.accountId, id)
        if (found === null) throw new Problem('not_found')
        const { attemptLog: attempts, ...delivery } = found
        return ok({ ...delivery, attempts })
      },
    }),
    route({
      method: 'GET',
      path: '/v1/subscriptions/{id}/deliveries',
      scopes: ['read'],
      tag,
      summary:
        'Fetch what was told, in order of number, behind `after`: for a receiver that saw a gap',
      query: pullQuery,
      responses: { 200: { description: 'A page.', schema: pageSchema(pulledDelivery) } },
      handle: async ({ caller: { accountId }, params: { id = '' }, query }) => {
        const after = query.cursor ?? query.after
        const request = { accountId, subscriptionId: id, after, limit: query.limit + 1 }
        const found = await pullDeliveries(request, ports)
        const items = found.slice(0, query.limit)
        const last = found.length > query.limit ? items.at(-1) : undefined
        return ok({ items, nextCursor: last === undefined ? null : String(last.sequenceId) })
      },
    }),
  ]
}

function replayRoutes(ports: DeliveryPorts): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/subscriptions/{id}/replay',
      scopes: ['manage'],
      tag,
      summary:
        'Send ended deliveries again, under their numbers and ids, beside what happens meanwhile',
      body: replayRequest,
      responses: {
        200: { description: 'With `preview`: so many would be sent.', schema: replayResponse },
        202: { description: 'So many will be sent.', schema: replayResponse },
      },
      handle: async ({ caller, requestId, params: { id = '' }, body }) => {
        const { preview, ...order } = body
        const request = { accountId: caller.accountId, subscriptionId: id, order }
        if (preview === true) return ok({ count: await previewReplay(request, ports) })
        const count = await replayDeliveries(request, acting(ports, caller, requestId))
        ports.onDeliveriesWanted()
        return { status: 202, json: { count } }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/subscriptions/{id}/replays',
      scopes: ['read'],
      tag,
      summary: 'List the replays that are under way, and how far they are',
      responses: { 200: { description: 'Those under way.', schema: replayList } },
      handle: async ({ caller, params: { id = '' } }) =>
        ok({ items: await listReplays(caller.accountId, id, ports) }),
    }),
  ]
}

function retryRoutes(ports: DeliveryPorts): Route[] {
  const { deliveries, onDeliveriesWanted } = ports
  return [
    route({
      method: 'POST',
      path: '/v1/deliveries/{id}/retry',
      scopes: ['manage'],
      tag,
      summary: 'Send it again now',
      responses: {
        200: {
          description:
            'As it is now: on its way, `waiting` behind another of its record, or `held` while its subscription is disabled.',
          schema: deliveryView,
        },
        409: {
          description: 'It is being sent, or its subscription is no more.',
          mediaType: 'application/problem+json',
          schema: problem,
        },
      },
      handle: async ({ caller, requestId, params: { id = '' } }) => {
        const { accountId } = caller
        const result = await acting(ports, caller, requestId).deliveries.retry(accountId, id)
        if (result === 'not_found') throw new Problem('not_found')
        if (result === 'under_way') {
          throw new Problem('delivery_in_progress', { retryAfterSeconds: 1 })
        }
        if (result === 'nobody_listens') throw new Problem('subscription_gone')
        onDeliveriesWanted()
        const found = await deliveries.read(accountId, id)
        if (found === null) throw new Problem('not_found')
        const { attemptLog, ...delivery } = found
        void attemptLog
        return ok(delivery)
      },
    }),
  ]
}
