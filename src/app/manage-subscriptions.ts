/** The verbs of those who set up subscriptions. Secrets go in and never come out again. */
import { isBuiltInEvent } from '../domain/change.ts'
import { pointerTo } from '../domain/pointer.ts'
import { Problem } from '../domain/problem.ts'
import type { RetryPolicy } from '../domain/retry.ts'
import {
  type Auth,
  type BreakerSettings,
  defaultRetry,
  MASK,
  type Subscription,
  type SubscriptionSecrets,
  type TlsSettings,
} from '../domain/subscription.ts'
import type { Configurations } from './configuration.ts'
import type { Clock, Ids, Sequences, Vault } from './ports.ts'
import {
  checkEndpoint,
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
import type { HeldChoice, Page, SubscriptionSettings, Subscriptions } from './store.ts'

export type ManagePorts = {
  readonly subscriptions: Subscriptions
  readonly configurations: Configurations
  readonly sequences: Sequences
  readonly rules: EndpointRules
  readonly ids: Ids
  readonly clock: Clock
  readonly vault: Vault
  /** Lets go of connections and breaker state of a subscription that is not as it was. */
  readonly onRemoved: (subscriptionId: string) => void
  /** Closes its breaker. */
  readonly onEnabled: (subscriptionId: string) => void
}

/** A subscription as it is sent: everything optional but what has no sensible default. */
export type SubscriptionDraft = Omit<SubscriptionSettings, 'id' | 'disabledReason' | 'retry'> & {
  /** Left out: the policy of its dialect. */
  readonly retry?: RetryPolicy | undefined
  readonly secret: string | undefined
  readonly auth: Auth
  readonly headers: Readonly<Record<string, string>>
  readonly tls?: TlsSettings | null | undefined
}

export type SubscriptionPatch = Partial<
  Omit<SubscriptionSettings, 'id' | 'disabledReason' | 'breaker'> & {
    readonly secret: string
    readonly auth: Auth
    readonly headers: Readonly<Record<string, string>>
    /** Null: as with everybody. */
    readonly tls: TlsSettings | null
  }
> & { readonly breaker?: Partial<BreakerSettings> | undefined }

/** CONTRACT.md §5, as it is read back. */
export type SubscriptionView = ReturnType<typeof viewOf>

export async function createSubscription(
  accountId: string,
  draft: SubscriptionDraft,
  ports: ManagePorts,
): Promise<SubscriptionView & { readonly secret: string }> {
  const { secret: chosen, auth, headers, tls, ...rest } = draft
  const secret = chosen ?? ports.rules.newSecret(draft.dialect)
  // Ids are the gateway's own: they become part of webhook-id, which takes no dot.
  const id = ports.ids.make('sub')
  const disabledReason = draft.active ? null : ('manual' as const)
  const retry = draft.retry ?? defaultRetry(draft.dialect)
  const settings: SubscriptionSettings = { ...rest, retry, id, disabledReason }
  const secrets: SubscriptionSecrets = {
    secret,
    retiring: [],
    auth,
    headers,
    tls: tls ?? undefined,
  }
  refuseMasks(secrets, null)
  checkEndpoint(unsaved(accountId, settings, secrets), null, ports.rules)
  await checkEvents(accountId, draft.events, ports)
  const created = await ports.subscriptions.create(accountId, settings, secrets)
  return { ...viewOf(created, 0), secret }
}

function unsaved(
  accountId: string,
  settings: SubscriptionSettings,
  secrets: SubscriptionSecrets,
): Subscription {
  const notYetSaved = { accountId, revision: 0, installationId: null, leavingSince: null }
  return { ...settings, ...secrets, ...notYetSaved, createdAt: '', updatedAt: '' }
}

/** A misspelt event would never come, and nobody would wonder why. */
async function checkEvents(
  accountId: string,
  events: readonly string[],
  { configurations }: ManagePorts,
): Promise<void> {
  const own = events.filter((event) => !isBuiltInEvent(event))
  if (own.length === 0) return
  const { eventTypes } = await configurations.fresh(accountId)
  const complaints = events.flatMap((event, index) =>
    isBuiltInEvent(event) || eventTypes.byName.has(event)
      ? []
      : [{ pointer: pointerTo('events', index), message: `There is no event "${event}".` }],
  )
  if (complaints.length > 0) throw new Problem('invalid_request', { complaints })
}

export async function updateSubscription(
  accountId: string,
  id: string,
  patch: SubscriptionPatch,
  ports: ManagePorts,
): Promise<SubscriptionView> {
  await checkEvents(accountId, patch.events ?? [], ports)
  const { subscription, wasActive } = await update(accountId, { id, patch, held: 'deliver' }, ports)
  if (subscription.active && !wasActive) ports.onEnabled(id)
  return view(accountId, subscription, ports)
}

type Update = {
  readonly id: string
  readonly patch: SubscriptionPatch
  readonly held: HeldChoice
}

async function update(
  accountId: string,
  { id, patch, held }: Update,
  { subscriptions, rules }: ManagePorts,
): Promise<{ readonly subscription: Subscription; readonly wasActive: boolean }> {
  let wasActive = false
  const change = (current: Subscription) => {
    wasActive = current.active
    refuseOfApp(current, patch)
    const next = patched(current, patch)
    checkEndpoint(next, current, rules)
    return next
  }
  const updated = await subscriptions.update(accountId, id, change, held)
  return { subscription: orNotFound(updated), wasActive }
}

/**
 * What came with an app is called with the app's authorization and signed with its secret, in every account.
 * Whoever could choose its address would be shown the one, and whoever could choose its words could speak to
 * the app in the name of another account.
 */
function refuseOfApp({ installationId }: Subscription, patch: SubscriptionPatch): void {
  if (installationId === null) return
  const settings = Object.keys(withoutUndefined(patch)).filter((name) => name !== 'active')
  if (settings.length === 0) return
  const message = 'This belongs to the app that the subscription came with; only `active` is yours.'
  const complaints = settings.map((name) => ({ pointer: pointerTo(name), message }))
  throw new Problem('invalid_request', { complaints })
}

function patched(current: Subscription, patch: SubscriptionPatch): Subscription {
  const { secret, auth, headers, tls, active, breaker, ...settings } = patch
  const next: Subscription = {
    ...current,
    ...withoutUndefined(settings),
    breaker: { ...current.breaker, ...withoutUndefined(breaker ?? {}) },
    active: active ?? current.active,
    disabledReason: reasonAfter(current, active),
    secret: secret === undefined || secret === MASK ? current.secret : secret,
    // Secrets of another dialect have another form, and would sign nothing that it understands.
    retiring:
      settings.dialect === undefined || settings.dialect === current.dialect
        ? current.retiring
        : [],
    auth: auth === undefined ? current.auth : unmaskedAuth(auth, current.auth),
    headers: headers === undefined ? current.headers : unmaskedHeaders(headers, current.headers),
    tls: unmaskedTls(tls, current.tls),
  }
  refuseMasks(next, current)
  return next
}

function reasonAfter(current: Subscription, active: boolean | undefined) {
  if (active === undefined || active === current.active) return current.disabledReason
  return active ? null : ('manual' as const)
}

export async function readSubscription(
  accountId: string,
  id: string,
  ports: ManagePorts,
): Promise<SubscriptionView> {
  return view(accountId, orNotFound(await ports.subscriptions.read(accountId, id)), ports)
}

export async function listSubscriptions(
  accountId: string,
  page: Page,
  ports: ManagePorts,
): Promise<readonly SubscriptionView[]> {
  const subscriptions = await ports.subscriptions.list(accountId, page)
  const ids = subscriptions.map(({ id }) => id)
  const last = await ports.sequences.last(accountId, ids)
  return subscriptions.map((one) => viewOf(one, last.get(one.id) ?? 0))
}

export async function removeSubscription(
  accountId: string,
  id: string,
  ports: ManagePorts,
): Promise<void> {
  if (!(await ports.subscriptions.remove(accountId, id))) throw new Problem('not_found')
  ports.onRemoved(id)
}

/** Also for one that is active: its breaker is closed at once. */
export async function enableSubscription(
  accountId: string,
  id: string,
  held: HeldChoice,
  ports: ManagePorts,
) {
  const { subscription } = await update(accountId, { id, patch: { active: true }, held }, ports)
  ports.onEnabled(id)
  return view(accountId, subscription, ports)
}

export function disableSubscription(accountId: string, id: string, ports: ManagePorts) {
  return updateSubscription(accountId, id, { active: false }, ports)
}

/** A rotated secret verifies for a day unless something else is asked for. */
export const ROTATION_OVERLAP_MS = { default: 86_400_000, max: 30 * 86_400_000 } as const

export async function rotateSecret(
  accountId: string,
  id: string,
  overlapMs: number,
  ports: ManagePorts,
): Promise<{ readonly id: string; readonly secret: string; readonly previousValidUntil: string }> {
  const nowMs = ports.clock.wallMs()
  const validUntil = new Date(nowMs + overlapMs).toISOString()
  const updated = await ports.subscriptions.update(accountId, id, (current) => {
    if (current.installationId !== null) throw new Problem('subscription_of_app')
    return {
      ...current,
      secret: ports.rules.newSecret(current.dialect),
      retiring: [
        { secret: current.secret, validUntil },
        ...current.retiring.filter((one) => Date.parse(one.validUntil) > nowMs),
      ].slice(0, RETIRING_MAX),
    }
  })
  return { id, secret: orNotFound(updated).secret, previousValidUntil: validUntil }
}

/** Each retiring secret is one more signature in the header of every request. */
const RETIRING_MAX = 5

function orNotFound(subscription: Subscription | null): Subscription {
  if (subscription === null) throw new Problem('not_found')
  return subscription
}

async function view(accountId: string, subscription: Subscription, { sequences }: ManagePorts) {
  const last = await sequences.last(accountId, [subscription.id])
  return viewOf(subscription, last.get(subscription.id) ?? 0)
}

function viewOf(subscription: Subscription, lastSequenceId: number) {
  const { id, name, secret, retiring, accountId, revision, leavingSince, ...rest } = subscription
  void [secret, retiring, accountId, revision, leavingSince]
  return {
    id,
    name,
    ...rest,
    secret: MASK,
    auth: maskedAuth(subscription.auth),
    headers: maskedHeaders(subscription.headers),
    tls: maskedTls(subscription.tls),
    lastSequenceId,
    disabledReason: subscription.disabledReason ?? undefined,
    fallbackMessage: subscription.fallbackMessage ?? undefined,
    maxPerSecond: subscription.maxPerSecond ?? undefined,
    installationId: subscription.installationId ?? undefined,
  }
}
