/** Apps that accounts connect to, and the connections. */
import {
  type ConnectPorts,
  connectApp,
  disconnectApp,
  listInstallations,
  readInstallation,
} from '../../app/connect-app.ts'
import { type AppPorts, createApp, listApps, readApp, removeApp } from '../../app/manage-apps.ts'
import { type ActingPorts, acting } from './acting.ts'
import { paged, pageOf } from './paging.ts'
import { created, noContent, ok, type Route, route } from './route.ts'
import {
  appDraft,
  appView,
  connectedView,
  installationRequest,
  installationView,
} from './schemas/app.ts'
import { pageQuery, pageOf as pageSchema } from './schemas/common.ts'

const APPS = '/v1/apps'
const INSTALLATIONS = '/v1/installations'
const tag = 'Apps'

type OfferPorts = AppPorts & ActingPorts
type ConnectionPorts = ConnectPorts & ActingPorts

export function appRoutes(ports: OfferPorts & ConnectionPorts): Route[] {
  return [...offerRoutes(ports), ...connectionRoutes(ports)]
}

function offerRoutes(ports: OfferPorts): Route[] {
  return [
    route({
      method: 'GET',
      path: APPS,
      scopes: ['admin'],
      tag,
      summary: 'List the apps that this account may connect; secrets read `***`',
      query: pageQuery,
      responses: { 200: { description: 'A page.', schema: pageSchema(appView) } },
      handle: async ({ caller, query }) =>
        ok(paged(await listApps(caller.accountId, pageOf(query), ports), query)),
    }),
    route({
      method: 'POST',
      path: APPS,
      scopes: ['admin'],
      tag,
      summary: 'Offer an app; one of the account `default` may be connected by every account',
      body: appDraft,
      responses: { 201: { description: 'Offered; the secret, this once.', schema: appView } },
      handle: async ({ caller, requestId, body }) => {
        const { id, name, secret, redirect, scopes, subscriptions } = body
        const draft = { id, name, secret, redirect, scopes, subscriptions }
        return created(await createApp(caller.accountId, draft, acting(ports, caller, requestId)))
      },
    }),
    route({
      method: 'GET',
      path: `${APPS}/{id}`,
      scopes: ['admin'],
      tag,
      summary: 'Read an app',
      responses: { 200: { description: 'The app.', schema: appView } },
      handle: async ({ caller, params: { id = '' } }) =>
        ok(await readApp(caller.accountId, id, ports)),
    }),
    route({
      method: 'DELETE',
      path: `${APPS}/{id}`,
      scopes: ['admin'],
      tag,
      summary: 'Withdraw an app that no account is connected to',
      responses: { 204: { description: 'Withdrawn.' } },
      handle: async ({ caller, requestId, params: { id = '' } }) => {
        await removeApp(caller.accountId, id, acting(ports, caller, requestId))
        return noContent
      },
    }),
  ]
}

function connectionRoutes(ports: ConnectionPorts): Route[] {
  return [
    route({
      method: 'GET',
      path: INSTALLATIONS,
      scopes: ['admin'],
      tag,
      summary: 'List the connected apps of this account',
      query: pageQuery,
      responses: { 200: { description: 'A page.', schema: pageSchema(installationView) } },
      handle: async ({ caller, query }) =>
        ok(paged(await listInstallations(caller.accountId, pageOf(query), ports), query)),
    }),
    route({
      method: 'POST',
      path: INSTALLATIONS,
      scopes: ['admin'],
      tag,
      summary: 'Connect an app: its subscriptions go live here, and it gets an access token',
      body: installationRequest,
      responses: {
        201: { description: 'Connected; the token, this once.', schema: connectedView },
      },
      handle: async ({ caller, requestId, body: { appId, userId, scopes } }) => {
        const own = acting(ports, caller, requestId)
        return created(
          await connectApp({ accountId: caller.accountId, appId, userId, scopes }, own),
        )
      },
    }),
    route({
      method: 'GET',
      path: `${INSTALLATIONS}/{id}`,
      scopes: ['admin'],
      tag,
      summary: 'Read a connection',
      responses: { 200: { description: 'The connection.', schema: installationView } },
      handle: async ({ caller, params: { id = '' } }) =>
        ok(await readInstallation(caller.accountId, id, ports)),
    }),
    route({
      method: 'DELETE',
      path: `${INSTALLATIONS}/{id}`,
      scopes: ['admin'],
      tag,
      summary: 'Disconnect an app: its subscriptions and its token end with it',
      responses: { 204: { description: 'Disconnected.' } },
      handle: async ({ caller, requestId, params: { id = '' } }) => {
        await disconnectApp(caller.accountId, id, acting(ports, caller, requestId))
        return noContent
      },
    }),
  ]
}
