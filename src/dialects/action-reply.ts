/**
 * What the endpoint of a menu action says to the person who pressed the button. Nothing is committed on its
 * word, so the reading is the lenient one: the status speaks, as it does for a notification in the same
 * dialect, and a text is looked for wherever services put one.
 */
import type { ActionFailure } from '../domain/action.ts'
import type { LocalisedText, Message } from '../domain/message.ts'
import type { DialectName } from '../domain/subscription.ts'
import type { Values } from '../domain/values.ts'
import type { DialectReply } from './dialect.ts'
import { DIALECTS } from './index.ts'
import { plainText } from './plain.ts'
import {
  headline,
  isPlainObject,
  isRedirect,
  listedErrors,
  REFUSING_STATUSES,
  readJson,
} from './reply.ts'

export type ActionReply = {
  /** Null when it was done. */
  readonly failure: ActionFailure | null
  readonly message: Message | LocalisedText | undefined
}

/** In order of rank; the first of `errors` comes behind them. */
const HEADLINES = ['message', 'error', 'detail'] as const
/** Nobody is shown more than one error, so no more are looked at than may have to be passed over. */
const ERRORS_LOOKED_AT = 10

export function readActionReply(dialect: DialectName, reply: DialectReply): ActionReply {
  const reading = readJson(reply)
  if ('fault' in reading || !isPlainObject(reading.value)) {
    return { failure: failureOf(dialect, reply), message: plainText(reply) }
  }
  const said = reading.value
  return {
    failure: failureOf(dialect, reply) ?? (said.decision === 'deny' ? 'refused' : null),
    message: messageIn(said),
  }
}

function messageIn(said: Values): ActionReply['message'] {
  const errors = Array.isArray(said.errors) ? said.errors.slice(0, ERRORS_LOOKED_AT) : []
  return [
    ...HEADLINES.map((name) => headline({ [name]: said[name] })),
    ...listedErrors({ errors }).map(({ message }) => message),
  ].find((message) => message !== undefined && isTelling(message))
}

/** An empty object reads as a text in no language. */
function isTelling(message: Message | LocalisedText): boolean {
  const texts = 'locales' in message ? Object.values(message.locales) : [message]
  return texts.some(({ text }) => text.trim() !== '')
}

function failureOf(dialect: DialectName, reply: DialectReply): ActionReply['failure'] {
  const receipt = DIALECTS[dialect].readReceipt(reply)
  if (receipt === 'delivered' || receipt === 'delivered_last') return null
  if (isRedirect(reply.status)) return 'redirected'
  return REFUSING_STATUSES.has(reply.status) ? 'refused' : 'bad_status'
}
