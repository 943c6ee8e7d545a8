/**
 * An account connects an app, and lets go of it again. Connected, the app's subscriptions live in the
 * account, and it holds an access token that is good for what was granted. The token goes to the app's own
 * subscriptions with the event `application`, and to nobody else; it is stored as a hash only, but in that
 * event, where it is encrypted until it is sent. Disconnected, the token is refused, and the app hears
 * of that and of nothing else any more.
 */
import { APPLICATION_EVENT } from '../domain/change.ts'
import { type ApplicationOccurrence, applicationEvent } from '../domain/notification.ts'
import { pointerTo } from '../domain/pointer.ts'
import { Problem } from '../domain/problem.ts'
import { defaultRetry, MASK, type Subscription } from '../domain/subscription.ts'
import type {
  App,
  AppScope,
  Apps,
  Farewell,
  Installation,
  Installations,
  SubscriptionTemplate,
} from './app-store.ts'
import type { Configurations } from './configuration.ts'
import { named } from './name-events.ts'
import type { Ids, Vault } from './ports.ts'
import type { Page } from './store.ts'

export type ConnectPorts = {
  readonly apps: Apps
  readonly installations: Installations
  readonly configurations: Configurations
  readonly ids: Ids
  readonly vault: Vault
  readonly makeKey: (id: string) => string
  /** There is something to deliver. */
  readonly onCommitted: () => void
  readonly onRemoved: (subscriptionId: string) => void
  readonly forgetKeys: () => void
}

export type ConnectRequest = {
  readonly accountId: string
  readonly appId: string
  readonly userId: string
  /** Left out: all that the app asks for. */
  readonly scopes: readonly AppScope[] | undefined
}

/** The access token is in the answer this once. */
export async function connectApp(request: ConnectRequest, ports: ConnectPorts) {
  const { accountId, appId, userId } = request
  const app = await ports.apps.read(accountId, appId)
  if (app === null) throw new Problem('not_found', { detail: 'There is no such app.' })
  const scopes = grantedScopes(app, request.scopes)
  const id = ports.ids.make('ins')
  const keyId = ports.ids.make('key')
  const accessToken = ports.makeKey(keyId)
  const home = { accountId, installationId: id, secret: app.secret }
  const subscriptions = app.subscriptions.map((template) =>
    subscriptionOf(template, home, ports.ids),
  )
  const added = { accountId, appId, action: 'added', userId } as const
  const installation = await ports.installations.connect({
    installation: { accountId, id, appAccountId: app.accountId, appId, userId, scopes },
    key: { id: keyId, name: app.name, accountId, scopes, expiresAt: null },
    keyHash: ports.vault.sha256(accessToken),
    subscriptions,
    events: await eventsOf({ ...added, accessToken }, listeners(subscriptions), ports),
  })
  ports.onCommitted()
  return { ...viewOf(installation), accessToken, redirect: app.redirect ?? undefined }
}

/** The account's own listeners hear of it without the token. */
async function eventsOf(
  occurrence: ApplicationOccurrence,
  own: readonly string[],
  { configurations, ids }: ConnectPorts,
) {
  const { index } = await configurations.fresh(occurrence.accountId)
  return named(applicationEvent(occurrence, own, index), ids)
}

/** Also those that are switched off, because the app's token dies; where a receiver said `gone`, nobody hears. */
const listeners = (subscriptions: readonly Subscription[]): string[] =>
  subscriptions
    .filter(({ events }) => events.includes(APPLICATION_EVENT))
    .filter(({ disabledReason }) => disabledReason !== 'gone')
    .map(({ id }) => id)

function grantedScopes(app: App, wanted: ConnectRequest['scopes']): readonly AppScope[] {
  const complaints = (wanted ?? []).flatMap((scope, index) =>
    app.scopes.includes(scope)
      ? []
      : [{ pointer: pointerTo('scopes', index), message: `The app does not ask for "${scope}".` }],
  )
  if (complaints.length > 0) throw new Problem('invalid_request', { complaints })
  return [...new Set(wanted ?? app.scopes)]
}

type Home = Pick<Subscription, 'accountId' | 'installationId' | 'secret'>

/** The template was checked when the app was made. */
function subscriptionOf(template: SubscriptionTemplate, home: Home, ids: Ids): Subscription {
  return {
    ...template,
    ...home,
    id: ids.make('sub'),
    secret: template.secret ?? home.secret,
    retiring: [],
    retry: template.retry ?? defaultRetry(template.dialect),
    active: true,
    disabledReason: null,
    leavingSince: null,
    revision: 1,
    createdAt: '',
    updatedAt: '',
  }
}

export async function disconnectApp(
  accountId: string,
  id: string,
  ports: ConnectPorts,
): Promise<void> {
  const { index } = await ports.configurations.fresh(accountId)
  const farewell: Farewell = ({ appId, userId }, subscriptions) => {
    const staying = listeners(subscriptions)
    const removed = { accountId, appId, action: 'removed', userId, accessToken: null } as const
    return { staying, events: named(applicationEvent(removed, staying, index), ports.ids) }
  }
  const ended = await ports.installations.disconnect(accountId, id, farewell)
  if (ended === null) throw new Problem('not_found')
  ports.forgetKeys()
  ports.onCommitted()
  for (const subscriptionId of ended) ports.onRemoved(subscriptionId)
}

export async function listInstallations(
  accountId: string,
  page: Page,
  { installations }: ConnectPorts,
) {
  return (await installations.list(accountId, page)).map(viewOf)
}

export async function readInstallation(
  accountId: string,
  id: string,
  { installations }: ConnectPorts,
) {
  const installation = await installations.read(accountId, id)
  if (installation === null) throw new Problem('not_found')
  return viewOf(installation)
}

function viewOf({ id, appId, userId, scopes, createdAt }: Installation) {
  return { id, appId, userId, scopes, accessToken: MASK, createdAt }
}
