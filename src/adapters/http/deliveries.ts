import type { Deliveries } from '../../app/store.ts'
import { Problem } from '../../domain/problem.ts'
import { paged, pageOf } from './paging.ts'
import { ok, type Route, route } from './route.ts'
import { pageQuery, pageOf as pageSchema } from './schemas/common.ts'
import { deliveryDetail, deliveryQuery, deliveryView, notificationView } from './schemas/log.ts'

type DeliveryPorts = { readonly deliveries: Deliveries; readonly wakeRelay: () => void }
const tag = 'Notifications'

export function deliveryRoutes({ deliveries, wakeRelay }: DeliveryPorts): Route[] {
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
      method: 'POST',
      path: '/v1/deliveries/{id}/retry',
      scopes: ['manage'],
      tag,
      summary: 'Send it again now',
      responses: { 200: { description: 'It is due.', schema: deliveryView } },
      handle: async ({ caller: { accountId }, params: { id = '' } }) => {
        const result = await deliveries.retry(accountId, id)
        if (result === null) throw new Problem('not_found')
        if (!result) throw new Problem('delivery_in_progress', { retryAfterSeconds: 1 })
        wakeRelay()
        const found = await deliveries.read(accountId, id)
        if (found === null) throw new Problem('not_found')
        const { attemptLog, ...delivery } = found
        void attemptLog
        return ok(delivery)
      },
    }),
  ]
}
