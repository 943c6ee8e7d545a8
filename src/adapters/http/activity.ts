import { type ActivityPorts, readActivity } from '../../app/read-activity.ts'
import { ok, type Route, route } from './route.ts'
import { activityQuery, activityView } from './schemas/activity.ts'

export function activityRoutes(ports: ActivityPorts): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/activity',
      scopes: ['read'],
      tag: 'Decisions',
      summary:
        'What happened by the minute, over all gateways; those of others come some seconds late',
      query: activityQuery,
      responses: { 200: { description: 'Counts and times.', schema: activityView } },
      handle: async ({ caller, query }) =>
        ok(await readActivity(caller.accountId, query.minutes, ports)),
    }),
  ]
}
