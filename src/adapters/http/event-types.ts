/** What the changes of an account's records mean, and what its programs raise. */
import {
  createEventType,
  listEventTypes,
  type EventTypePorts as ManagePorts,
  readEventType,
  removeEventType,
  updateEventType,
} from '../../app/manage-event-types.ts'
import { type ActingPorts, acting } from './acting.ts'
import { pagedBy, pageOf } from './paging.ts'
import { created, noContent, ok, type Route, route } from './route.ts'
import { pageQuery, pageOf as pageSchema } from './schemas/common.ts'
import { eventTypeDraft, eventTypePatch, eventTypeView } from './schemas/event.ts'

type EventTypePorts = ManagePorts & ActingPorts

const COLLECTION = '/v1/event-types'
const ITEM = `${COLLECTION}/{name}`
const tag = 'Business events'

export function eventTypeRoutes(ports: EventTypePorts): Route[] {
  return [...collectionRoutes(ports), ...itemRoutes(ports)]
}

function collectionRoutes(ports: EventTypePorts): Route[] {
  return [
    route({
      method: 'GET',
      path: COLLECTION,
      scopes: ['read'],
      tag,
      summary: 'List event types, in order of name',
      query: pageQuery,
      responses: { 200: { description: 'A page.', schema: pageSchema(eventTypeView) } },
      handle: async ({ caller, query }) => {
        const found = await listEventTypes(caller.accountId, pageOf(query), ports)
        return ok(pagedBy(found, query, ({ name }) => name))
      },
    }),
    route({
      method: 'POST',
      path: COLLECTION,
      scopes: ['manage'],
      tag,
      summary: 'Define an event: with a catalogId changes raise it, without one programs do',
      body: eventTypeDraft,
      responses: { 201: { description: 'Defined.', schema: eventTypeView } },
      handle: async ({ caller, requestId, body }) =>
        created(await createEventType(caller.accountId, body, acting(ports, caller, requestId))),
    }),
  ]
}

function itemRoutes(ports: EventTypePorts): Route[] {
  return [
    route({
      method: 'GET',
      path: ITEM,
      scopes: ['read'],
      tag,
      summary: 'Read an event type',
      responses: { 200: { description: 'The event type.', schema: eventTypeView } },
      handle: async ({ caller, params: { name = '' } }) =>
        ok(await readEventType(caller.accountId, name, ports)),
    }),
    route({
      method: 'PATCH',
      path: ITEM,
      scopes: ['manage'],
      tag,
      summary: 'Change an event type; what is left out stays, null takes catalogId or data away',
      body: eventTypePatch,
      responses: { 200: { description: 'As it is now.', schema: eventTypeView } },
      handle: async ({ caller, requestId, params: { name = '' }, body }) =>
        ok(await updateEventType(caller.accountId, name, body, acting(ports, caller, requestId))),
    }),
    route({
      method: 'DELETE',
      path: ITEM,
      scopes: ['manage'],
      tag,
      summary: 'Remove an event type; subscriptions that list it stay as they are',
      responses: { 204: { description: 'Removed.' } },
      handle: async ({ caller, requestId, params: { name = '' } }) => {
        await removeEventType(caller.accountId, name, acting(ports, caller, requestId))
        return noContent
      },
    }),
  ]
}
