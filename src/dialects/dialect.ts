/**
 * A dialect is a pure codec between the neutral message and what one family of subscribers speaks: bytes
 * and headers out, a verdict in. Adding one touches its own file, the table in index.ts, DIALECT_NAMES
 * and a folder of vectors.
 */
import type { ChangeEvent } from '../domain/change.ts'
import type { DeliveryOutcome, NeutralMessage } from '../domain/notification.ts'
import type { Answer } from '../domain/verdict.ts'

/** A whole reply, read within its limits. Header names are in lower case. */
export type DialectReply = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Uint8Array
}

export type Signing = {
  /** Stable over retries; no `.` in it. */
  readonly id: string
  /** Milliseconds since 1970 of this attempt. */
  readonly attemptAtMs: number
  /** All secrets that are valid now, the current one first. */
  readonly secrets: readonly string[]
}

export interface Dialect {
  /** Whether it can be asked before a change; where not, it is only told of what has happened. */
  readonly takesRequests: boolean
  /** Whether requests before a commit take a number of the subscription's counter, as its notifications do. */
  readonly countsRequests: boolean
  /** Whether one body serves every subscription that is asked about a change in this dialect. */
  readonly sharesBody: boolean
  /** The whole payload as JSON text. A body that is shared does not depend on the signing. */
  encode(message: NeutralMessage, signing: Signing): string
  /** Headers that sign exactly this body (the empty text where there is none). */
  sign(body: string, signing: Signing): Readonly<Record<string, string>>
  /** Reads the reply to a request before a commit, or to `record.updating`. Never throws. */
  readAnswer(event: ChangeEvent, reply: DialectReply): Answer
  /** Reads the reply to a notification. Never throws. */
  readReceipt(reply: DialectReply): DeliveryOutcome
  /** What is wrong with a secret that somebody chose, in a sentence; null when it is usable. */
  secretFault(secret: string): string | null
  /** A secret made of 32 unpredictable bytes. */
  newSecret(bytes: Uint8Array): string
}
