/** The verbs of those who offer an app: what it is, and what it wants to hear of in each account. */
import { pointerTo } from '../domain/pointer.ts'
import { type Complaint, Problem } from '../domain/problem.ts'
import { defaultRetry, MASK } from '../domain/subscription.ts'
import type { App, AppScope, Apps, SubscriptionTemplate } from './app-store.ts'
import type { Ids } from './ports.ts'
import {
  type EndpointRules,
  maskComplaints,
  maskedAuth,
  maskedHeaders,
  type SavedEndpoint,
} from './secret-settings.ts'
import type { Page } from './store.ts'

export type AppPorts = {
  readonly apps: Apps
  readonly rules: EndpointRules
  readonly ids: Ids
}

export type AppDraft = {
  readonly id: string | undefined
  readonly name: string
  readonly secret: string | undefined
  readonly redirect: string | undefined
  readonly scopes: readonly AppScope[]
  readonly subscriptions: readonly SubscriptionTemplate[]
}

export async function createApp(accountId: string, draft: AppDraft, ports: AppPorts) {
  const { id = ports.ids.make('app'), name, redirect = null, scopes, subscriptions } = draft
  // One of the standard dialect's form is good for every dialect.
  const secret = draft.secret ?? ports.rules.newSecret('standard')
  check(accountId, secret, subscriptions, ports.rules)
  const asked = [...new Set(scopes)]
  const app = { accountId, id, name, secret, redirect, scopes: asked, subscriptions }
  return { ...viewOf(await ports.apps.create(app)), secret }
}

/** Each template like the subscription that it will become, but for its events: accounts define their own. */
function check(
  accountId: string,
  appSecret: string,
  templates: readonly SubscriptionTemplate[],
  rules: EndpointRules,
): void {
  const complaints = templates.flatMap((template, index): Complaint[] => {
    const { auth, headers, secret = appSecret } = template
    const secrets = { secret, retiring: [], auth, headers }
    const endpoint: SavedEndpoint = { ...template, ...secrets, id: '', accountId }
    const found = [...maskComplaints(secrets, null), ...rules.complaints(endpoint, null)]
    return found.map(({ pointer, message }) => {
      const isOfApp = pointer === '/secret' && template.secret === undefined
      return { pointer: isOfApp ? pointer : pointerTo('subscriptions', index) + pointer, message }
    })
  })
  if (complaints.length > 0) throw new Problem('invalid_request', { complaints })
}

export async function listApps(accountId: string, page: Page, { apps }: AppPorts) {
  return (await apps.list(accountId, page)).map(viewOf)
}

export async function readApp(accountId: string, id: string, { apps }: AppPorts) {
  const app = await apps.read(accountId, id)
  if (app === null) throw new Problem('not_found')
  return viewOf(app)
}

export async function removeApp(accountId: string, id: string, { apps }: AppPorts): Promise<void> {
  if (!(await apps.remove(accountId, id))) throw new Problem('not_found')
}

function viewOf({ id, name, redirect, scopes, subscriptions, createdAt }: App) {
  return {
    id,
    name,
    secret: MASK,
    redirect: redirect ?? undefined,
    scopes,
    subscriptions: subscriptions.map(templateView),
    createdAt,
  }
}

function templateView(template: SubscriptionTemplate) {
  return {
    ...template,
    retry: template.retry ?? defaultRetry(template.dialect),
    secret: template.secret === undefined ? undefined : MASK,
    auth: maskedAuth(template.auth),
    headers: maskedHeaders(template.headers),
    fallbackMessage: template.fallbackMessage ?? undefined,
    maxPerSecond: template.maxPerSecond ?? undefined,
  }
}
