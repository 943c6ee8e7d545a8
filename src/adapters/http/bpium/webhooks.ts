/**
 * The catalog `webhooks`: subscriptions of the dialect bpium as records, with the fields that a webhook has
 * in Bpium. What it has no field for is the default, but for one: Bpium tells once and never again, so a
 * webhook made here is not retried. Nobody is asked whether a subscription may be changed.
 */
import {
  createSubscription,
  listSubscriptions,
  type ManagePorts,
  readSubscription,
  removeSubscription,
  type SubscriptionDraft,
  type SubscriptionPatch,
  type SubscriptionView,
  updateSubscription,
} from '../../../app/manage-subscriptions.ts'
import { withoutUndefined } from '../../../app/secret-settings.ts'
import { Problem } from '../../../domain/problem.ts'
import { fitsFilter } from '../../../domain/record-filter.ts'
import { SUBSCRIPTIONS_PER_ACCOUNT_MAX } from '../../../domain/subscription.ts'
import { checked } from '../body.ts'
import { type Answer, type Context, ok } from '../route.ts'
import { webhookDraft, webhookPatch } from '../schemas/bpium.ts'
import { subscriptionDraft } from '../schemas/subscription.ts'
import {
  type ListQuery,
  type ReadQuery,
  readItemQuery,
  readListQuery,
  shown,
  type Wanted,
} from './query.ts'

/** Bpium's own name for its catalog of webhooks begins with a dollar sign. */
export const isWebhooks = (catalogId: string | undefined): boolean =>
  catalogId === 'webhooks' || catalogId === '$webhooks'

const NAME_LENGTH_MAX = 200

export async function listWebhooks(
  { caller, params, query }: Context<unknown, ListQuery>,
  ports: ManagePorts,
): Promise<Answer> {
  const wanted = readListQuery(query)
  const { filters, direction, offset, limit } = wanted
  const all = (await everyWebhook(caller.accountId, ports)).filter((one) =>
    filters.every((filter) => fitsFilter(valuesOf(one), filter)),
  )
  const ordered = direction === 'asc' ? all : all.reverse()
  return ok(ordered.slice(offset, offset + limit).map((one) => viewOf(one, params, wanted)))
}

/** In order of id. There are no more than an account may have subscriptions. */
async function everyWebhook(accountId: string, ports: ManagePorts): Promise<SubscriptionView[]> {
  const page = { limit: SUBSCRIPTIONS_PER_ACCOUNT_MAX, after: null }
  return (await listSubscriptions(accountId, page, ports)).filter(
    ({ dialect }) => dialect === 'bpium',
  )
}

export async function readWebhook(
  { caller, params, query }: Context<unknown, ReadQuery>,
  ports: ManagePorts,
): Promise<Answer> {
  const wanted = readItemQuery(query)
  return ok(viewOf(await find(caller.accountId, params['recordId'], ports), params, wanted))
}

/** A subscription of another dialect is no webhook of Bpium's. */
async function find(
  accountId: string,
  subscriptionId: string = '',
  ports: ManagePorts,
): Promise<SubscriptionView> {
  const found = await readSubscription(accountId, subscriptionId, ports).catch(asNoRecord)
  if (found.dialect !== 'bpium') throw new Problem('record_not_found')
  return found
}

function asNoRecord(error: unknown): never {
  const isMissing = error instanceof Problem && error.code === 'not_found'
  throw isMissing ? new Problem('record_not_found') : error
}

export async function createWebhook(
  { caller, body }: Context<unknown, unknown>,
  ports: ManagePorts,
): Promise<Answer> {
  const { values } = checked(webhookDraft, body)
  const { catalog, events, url, fields, initiator, secret, active } = values
  const draft: SubscriptionDraft = {
    ...subscriptionDraft.parse({
      name: nameOf(url),
      dialect: 'bpium',
      retry: { preset: 'none' },
      catalogId: catalog,
      events,
      url,
      fields,
      initiators: initiator,
      active,
    }),
    secret,
  }
  const { id } = await createSubscription(caller.accountId, draft, ports).catch(asOfValues)
  return ok({ id })
}

export async function changeWebhook(
  { caller, params, body }: Context<unknown, unknown>,
  ports: ManagePorts,
): Promise<Answer> {
  const { values } = checked(webhookPatch, body)
  const current = await find(caller.accountId, params['recordId'], ports)
  const { catalog, events, url, fields, initiator, secret, active } = values
  const isNamedByUrl = url !== undefined && current.name === nameOf(current.url)
  const patch: SubscriptionPatch = {
    ...withoutUndefined({
      catalogId: catalog,
      events,
      url,
      fields,
      initiators: initiator,
      secret,
      active,
    }),
    ...(isNamedByUrl ? { name: nameOf(url) } : {}),
  }
  await updateSubscription(caller.accountId, current.id, patch, ports).catch(asOfValues)
  return ok({})
}

export async function removeWebhook(
  { caller, params }: Context<unknown, unknown>,
  ports: ManagePorts,
): Promise<Answer> {
  const { id } = await find(caller.accountId, params['recordId'], ports)
  await removeSubscription(caller.accountId, id, ports).catch(asNoRecord)
  return ok({})
}

/** What people read when the webhook could not be asked: its address without what may be secret in it. */
function nameOf(url: string): string {
  const place = URL.canParse(url) ? new URL(url) : null
  const name = place === null ? url : place.host + place.pathname.replace(/\/$/, '')
  return name.slice(0, NAME_LENGTH_MAX) || 'webhook'
}

/** Fields that have another name here than in the subscription. */
const FIELD_NAMES: Readonly<Record<string, string>> = {
  catalogId: 'catalog',
  initiators: 'initiator',
}

/** Complaints about the subscription, as complaints about the record. */
function asOfValues(error: unknown): never {
  if (!(error instanceof Problem) || error.details.complaints === undefined) throw error
  const complaints = error.details.complaints.map(({ pointer, message }) => {
    const [, setting = '', ...rest] = pointer.split('/')
    const field = Object.hasOwn(FIELD_NAMES, setting) ? FIELD_NAMES[setting] : setting
    return { pointer: ['/values', field, ...rest].join('/'), message }
  })
  throw new Problem(error.code, { ...error.details, complaints })
}

function valuesOf(one: SubscriptionView) {
  const { catalogId, events, fields, url, initiators, secret, active, lastSequenceId } = one
  const initiator = initiators.map((id) => ({ id }))
  return { catalog: catalogId, events, fields, url, initiator, secret, active, lastSequenceId }
}

function viewOf(
  one: SubscriptionView,
  { catalogId = '' }: Readonly<Record<string, string>>,
  { fields }: Pick<Wanted, 'fields'>,
) {
  return { id: one.id, catalogId, title: one.name, values: shown(valuesOf(one), fields) }
}
