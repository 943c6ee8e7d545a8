/**
 * Poster's webhooks: one entity of one account was added, changed or removed. The body carries the time of
 * the sending and an MD5 over itself with the secret, so every attempt has a body of its own. Receivers are
 * PHP programs that compute `md5(implode(';', …))` over what they decoded; whatever is sent must therefore
 * decode to the very texts that were signed. Nobody is asked in this dialect, only told.
 */
import { createHash } from 'node:crypto'
import { APPLICATION_EVENT } from '../domain/change.ts'
import type { DeliveryOutcome, NeutralMessage } from '../domain/notification.ts'
import { overlay, type Values } from '../domain/values.ts'
import type { Answer } from '../domain/verdict.ts'
import { newSecret, secretFault } from './bpium.ts'
import type { Dialect, DialectReply, Signing } from './dialect.ts'
import { failed } from './reply.ts'

const FACTS = {
  actions: {
    'record.created': 'added',
    'record.updated': 'changed',
    'record.deleted': 'removed',
  },
  /**
   * Entities with a `data`: fields that are told as they are and without which there is none, fields that
   * are told with `added` only, and whether the amount of `value_absolute` is told with its change.
   */
  data: {
    client_ewallet: { fields: [], fieldsOnAdded: [], hasAmount: true },
    stock: { fields: ['type', 'element_id', 'storage_id'], fieldsOnAdded: [], hasAmount: true },
    application: { fields: ['user_id'], fieldsOnAdded: ['access_token'], hasAmount: false },
  },
  /** Events whose object is their own first part, although the change behind them is another record's. */
  objectsOfTheirOwn: ['client_payed_sum'],
  /** Objects that are known by a field of the record that they come from. */
  keyFields: { client_payed_sum: 'client_id' },
  amountField: 'value_absolute',
  /** Money has two decimals and stock has three or four; what is further behind is dust of the arithmetic. */
  amountDecimals: 6,
  deliveredStatus: 200,
} as const

// ---- out

type Subject = { readonly object: string; readonly action: string }

function encode(message: NeutralMessage, { attemptAtMs, secrets }: Signing): string {
  const [secret = ''] = secrets
  const { object, action } = subjectOf(message)
  const account = message.accountId
  const objectId = objectIdOf(keyOf(object, message))
  const data = dataOf({ object, action }, message)
  const time = String(Math.floor(attemptAtMs / 1_000))
  const signed = [account, object, objectId, action, ...(data === undefined ? [] : [data]), time]
  return textOf({
    account,
    account_number: message.accountNumber ?? '',
    object,
    object_id: objectId,
    action,
    time,
    verify: createHash('md5')
      .update([...signed, secret].join(';'))
      .digest('hex'),
    data,
  })
}

/**
 * PHP decodes nothing of a text with half of a surrogate pair in it. The digest needs no such care: it is
 * made of UTF-8, which spells such a half as the same replacement character.
 */
function textOf(value: Values): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'string' ? inner.toWellFormed() : inner,
  )
}

/** An event that is no record's names its object itself, such as `subscription.failing`. */
function subjectOf({ event, catalogId, values }: NeutralMessage): Subject {
  if (event === APPLICATION_EVENT) return { object: event, action: String(values?.['action']) }
  if (Object.hasOwn(FACTS.actions, event)) {
    const action = FACTS.actions[event as keyof typeof FACTS.actions]
    return { object: catalogId ?? event, action }
  }
  const dotAt = event.lastIndexOf('.')
  const own = dotAt === -1 ? event : event.slice(0, dotAt)
  const isOwn = FACTS.objectsOfTheirOwn.some((object) => object === own)
  return { object: isOwn ? own : (catalogId ?? own), action: event.slice(dotAt + 1) }
}

/** The record's id, or the field that this object is known by. */
function keyOf(object: string, message: NeutralMessage): string | undefined {
  if (!Object.hasOwn(FACTS.keyFields, object)) return message.recordId
  const field = FACTS.keyFields[object as keyof typeof FACTS.keyFields]
  const key = scalarOf(overlay(message.prevValues, message.values)[field])
  return key === undefined ? message.recordId : String(key)
}

/** A number only where its text is the very one that was the id: the digest is made of texts. */
function objectIdOf(recordId = ''): string | number {
  const number = Number(recordId)
  return Number.isSafeInteger(number) && String(number) === recordId ? number : recordId
}

type Told = Record<string, unknown>

function dataOf({ object, action }: Subject, message: NeutralMessage): string | undefined {
  if (!Object.hasOwn(FACTS.data, object)) return undefined
  const recipe = FACTS.data[object as keyof typeof FACTS.data]
  const record = overlay(message.prevValues, message.values)
  const told: Told = {}
  for (const field of recipe.fields) {
    const value = scalarOf(record[field])
    if (value === undefined) return undefined
    told[field] = value
  }
  for (const field of action === 'added' ? recipe.fieldsOnAdded : []) {
    told[field] = scalarOf(record[field])
  }
  if (!recipe.hasAmount) return textOf(told)
  const amount = amountOf(action, record, message.prevValues)
  return amount === undefined ? undefined : textOf({ ...told, ...amount })
}

function scalarOf(value: unknown): string | number | undefined {
  return typeof value === 'string' || typeof value === 'number' ? value : undefined
}

/** The amount as it is now and how far it is from what it was. Undefined where either is unknown. */
function amountOf(action: string, record: Values, before: Values | undefined): Told | undefined {
  const isNew = action === 'added' || (before !== undefined && !hasAmount(before))
  const from = isNew ? 0 : numberOf(before?.[FACTS.amountField])
  const to = action === 'removed' ? 0 : numberOf(record[FACTS.amountField])
  if (from === undefined || to === undefined) return undefined
  return { value_relative: withoutDust(to - from), value_absolute: withoutDust(to) }
}

/** A record that had no amount until now had none of it. */
const hasAmount = (record: Values): boolean => (record[FACTS.amountField] ?? null) !== null

/** Number() alone would read an empty text as 0 and `0x1f` as 31. */
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/

function numberOf(value: unknown): number | undefined {
  const isNumeric = typeof value === 'string' && DECIMAL.test(value.trim())
  const number = isNumeric ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

const withoutDust = (number: number): number => Number(number.toFixed(FACTS.amountDecimals))

// ---- in

/** Never called, since a subscription that lists a request is not saved; if it were, it must not allow. */
function readAnswer(): Answer {
  return failed('bad_reply', 'The poster dialect has no reply that answers a request.')
}

function readReceipt({ status }: DialectReply): DeliveryOutcome {
  return status === FACTS.deliveredStatus ? 'delivered' : 'retry'
}

export const poster: Dialect = {
  takesRequests: false,
  countsRequests: false,
  sharesBody: false,
  encode,
  // The signature is in the body.
  sign: () => ({}),
  readAnswer,
  readReceipt,
  secretFault,
  newSecret,
}
