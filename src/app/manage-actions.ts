/** The verbs of those who set up menu actions. Secrets go in and never come out again. */
import { type Action, neverHolding } from '../domain/action.ts'
import { Problem } from '../domain/problem.ts'
import {
  type Auth,
  MASK,
  type SubscriptionSecrets,
  type TlsSettings,
} from '../domain/subscription.ts'
import type { Ids } from './ports.ts'
import {
  type EndpointRules,
  maskedAuth,
  maskedHeaders,
  maskedTls,
  refuseMasks,
  unmaskedAuth,
  unmaskedHeaders,
  unmaskedTls,
  withoutUndefined,
} from './secret-settings.ts'
import type { Actions, Page } from './store.ts'

export type ManageActionPorts = {
  readonly actions: Actions
  readonly rules: EndpointRules
  readonly ids: Ids
  /** Lets go of the connections of an action that is not as it was. */
  readonly forgetAction: (accountId: string, id: string) => void
}

type Settings = Pick<
  Action,
  | 'title'
  | 'catalogId'
  | 'conditions'
  | 'url'
  | 'method'
  | 'parameters'
  | 'dialect'
  | 'confirmText'
  | 'timeoutMs'
>

export type ActionDraft = Settings & {
  /** Left out: made. */
  readonly id: string | undefined
  /** Left out: made, for its dialect. */
  readonly secret: string | undefined
  readonly auth: Auth
  readonly headers: Readonly<Record<string, string>>
  /** Null: as with everybody. */
  readonly tls?: TlsSettings | null | undefined
}

export type ActionPatch = Partial<Omit<ActionDraft, 'id' | 'secret'> & { readonly secret: string }>

/** CONTRACT.md §7, as it is read back. */
export type ActionView = ReturnType<typeof viewOf>

export async function createAction(
  accountId: string,
  draft: ActionDraft,
  { actions, rules, ids }: ManageActionPorts,
): Promise<ActionView> {
  const { id = ids.make('act'), secret = rules.newSecret(draft.dialect) } = draft
  const action = { ...draft, id, accountId, secret, retiring: [], tls: draft.tls ?? undefined }
  refuseMasks(action, null)
  check(action, null, rules)
  return { ...viewOf(await actions.create(action)), secret }
}

/** Everything that is wrong with it, at once. */
function check(
  action: Omit<Action, 'createdAt' | 'updatedAt'>,
  stored: Action | null,
  rules: EndpointRules,
): void {
  const complaints = [...rules.complaints(action, stored), ...neverHolding(action.conditions)]
  if (complaints.length > 0) throw new Problem('invalid_request', { complaints })
}

export async function updateAction(
  accountId: string,
  id: string,
  patch: ActionPatch,
  { actions, rules, forgetAction }: ManageActionPorts,
): Promise<ActionView> {
  const updated = await actions.update(accountId, id, (current) => {
    const next = patched(current, patch)
    check(next, current, rules)
    return next
  })
  forgetAction(accountId, id)
  return viewOf(orNotFound(updated))
}

function patched(current: Action, patch: ActionPatch): Action {
  const { secret, auth, headers, tls, ...settings } = patch
  const secrets: SubscriptionSecrets = {
    secret: secret === undefined || secret === MASK ? current.secret : secret,
    retiring: current.retiring,
    auth: auth === undefined ? current.auth : unmaskedAuth(auth, current.auth),
    headers: headers === undefined ? current.headers : unmaskedHeaders(headers, current.headers),
    tls: unmaskedTls(tls, current.tls),
  }
  refuseMasks(secrets, current)
  return { ...current, ...withoutUndefined(settings), ...secrets }
}

export async function readAction(
  accountId: string,
  id: string,
  { actions }: ManageActionPorts,
): Promise<ActionView> {
  return viewOf(orNotFound(await actions.read(accountId, id)))
}

export async function listActions(
  accountId: string,
  catalogId: string | undefined,
  page: Page,
  { actions }: ManageActionPorts,
): Promise<readonly ActionView[]> {
  return (await actions.list(accountId, catalogId, page)).map(viewOf)
}

export async function removeAction(
  accountId: string,
  id: string,
  { actions, forgetAction }: ManageActionPorts,
): Promise<void> {
  if (!(await actions.remove(accountId, id))) throw new Problem('not_found')
  forgetAction(accountId, id)
}

function orNotFound(action: Action | null): Action {
  if (action === null) throw new Problem('not_found')
  return action
}

export function viewOf(action: Action) {
  return {
    id: action.id,
    title: action.title,
    catalogId: action.catalogId,
    conditions: action.conditions,
    url: action.url,
    method: action.method,
    parameters: action.parameters,
    auth: maskedAuth(action.auth),
    headers: maskedHeaders(action.headers),
    tls: maskedTls(action.tls),
    dialect: action.dialect,
    secret: MASK as string,
    confirmText: action.confirmText ?? undefined,
    timeoutMs: action.timeoutMs,
    createdAt: action.createdAt,
    updatedAt: action.updatedAt,
  }
}
