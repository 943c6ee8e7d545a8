/** Menu actions: setting them up, which of them a record has now, and running one. */
import {
  type ActionPatch,
  createAction,
  listActions,
  type ManageActionPorts,
  readAction,
  removeAction,
  updateAction,
} from '../../app/manage-actions.ts'
import { menuOf, type RunActionPorts, runAction } from '../../app/run-action.ts'
import { ACTIONS_PER_ACCOUNT_MAX } from '../../domain/action.ts'
import { type ActingPorts, acting } from './acting.ts'
import { localesOf, traceparentOf } from './command.ts'
import { paged, pageOf } from './paging.ts'
import { created, noContent, ok, type Route, route } from './route.ts'
import {
  actionDraft,
  actionPatch,
  actionQuery,
  actionView,
  menu,
  menuQuery,
  runRequest,
  runResponse,
} from './schemas/action.ts'
import { pageOf as pageSchema } from './schemas/common.ts'

export type ActionPorts = ManageActionPorts & RunActionPorts & ActingPorts

const COLLECTION = '/v1/actions'
const ITEM = `${COLLECTION}/{id}`
const MENU = '/v1/catalogs/{catalogId}/records/{recordId}/actions'
const tag = 'Actions'

export function actionRoutes(ports: ActionPorts): Route[] {
  return [...collectionRoutes(ports), ...itemRoutes(ports), ...menuRoutes(ports)]
}

function collectionRoutes(ports: ActionPorts): Route[] {
  return [
    route({
      method: 'GET',
      path: COLLECTION,
      scopes: ['read'],
      tag,
      summary: 'List menu actions, in order of id; secrets read `***`',
      query: actionQuery,
      responses: { 200: { description: 'A page.', schema: pageSchema(actionView) } },
      handle: async ({ caller, query }) => {
        const page = pageOf(query)
        return ok(paged(await listActions(caller.accountId, query.catalogId, page, ports), query))
      },
    }),
    route({
      method: 'POST',
      path: COLLECTION,
      scopes: ['manage'],
      tag,
      summary: `Define a menu action (at most ${ACTIONS_PER_ACCOUNT_MAX}); the secret is shown this once`,
      body: actionDraft,
      responses: { 201: { description: 'Defined.', schema: actionView } },
      handle: async ({ caller, requestId, body }) => {
        const draft = { ...body, id: body.id, secret: body.secret }
        const own = acting(ports, caller, requestId)
        return created(await createAction(caller.accountId, draft, own))
      },
    }),
  ]
}

function itemRoutes(ports: ActionPorts): Route[] {
  return [
    route({
      method: 'GET',
      path: ITEM,
      scopes: ['read'],
      tag,
      summary: 'Read a menu action',
      responses: { 200: { description: 'The action.', schema: actionView } },
      handle: async ({ caller, params: { id = '' } }) =>
        ok(await readAction(caller.accountId, id, ports)),
    }),
    route({
      method: 'PATCH',
      path: ITEM,
      scopes: ['manage'],
      tag,
      summary: 'Change settings; what is left out stays, `***` keeps a stored secret',
      body: actionPatch,
      responses: { 200: { description: 'As it is now.', schema: actionView } },
      handle: async ({ caller, requestId, params: { id = '' }, body }) => {
        const own = acting(ports, caller, requestId)
        return ok(await updateAction(caller.accountId, id, body as ActionPatch, own))
      },
    }),
    route({
      method: 'DELETE',
      path: ITEM,
      scopes: ['manage'],
      tag,
      summary: 'Remove a menu action',
      responses: { 204: { description: 'Removed.' } },
      handle: async ({ caller, requestId, params: { id = '' } }) => {
        await removeAction(caller.accountId, id, acting(ports, caller, requestId))
        return noContent
      },
    }),
  ]
}

function menuRoutes(ports: ActionPorts): Route[] {
  return [
    route({
      method: 'GET',
      path: MENU,
      scopes: ['read'],
      tag,
      summary: 'The actions whose conditions all hold for a record now, in order of title',
      query: menuQuery,
      responses: { 200: { description: 'All of them; there is no next page.', schema: menu } },
      handle: async ({ caller: { accountId }, params, query: { userId } }) => {
        const { catalogId = '', recordId = '' } = params
        const user = userId === undefined ? undefined : { id: userId }
        const items = await menuOf({ accountId, catalogId, recordId, user }, ports)
        return ok({ items, nextCursor: null })
      },
    }),
    route({
      method: 'POST',
      path: `${MENU}/{actionId}`,
      scopes: ['approve'],
      tag,
      summary: 'Run an action on a record; answers what its endpoint says to the person',
      body: runRequest,
      bodyOptional: true,
      headers: { 'Accept-Language': 'For the message, after `user.locale`.' },
      responses: { 200: { description: 'Done or failed.', schema: runResponse } },
      handle: async ({ caller: { accountId }, params, body: { user }, requestId, header }) => {
        const { catalogId = '', recordId = '', actionId = '' } = params
        const locales = localesOf(user?.locale, header('accept-language'))
        const traceparent = traceparentOf(header('traceparent'))
        const record = { accountId, catalogId, recordId }
        return ok(
          await runAction({ ...record, actionId, user, requestId, locales, traceparent }, ports),
        )
      },
    }),
  ]
}
