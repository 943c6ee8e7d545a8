import { type RaiseEventPorts, raiseEvent } from '../../app/raise-event.ts'
import { type Route, route } from './route.ts'
import { raiseRequest, raiseResponse } from './schemas/event.ts'

export function eventRoutes(ports: RaiseEventPorts): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/events',
      scopes: ['approve'],
      tag: 'Business events',
      summary:
        'Raise an event that no change of a record tells of; it is durable when this answers',
      body: raiseRequest,
      responses: { 202: { description: 'Raised.', schema: raiseResponse } },
      handle: async ({ caller, body }) => {
        const { type, data, user, recordId, catalogId } = body
        const event = { type, data, user, recordId, catalogId }
        return { status: 202, json: await raiseEvent(caller.accountId, event, ports) }
      },
    }),
  ]
}
