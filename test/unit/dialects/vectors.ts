/** Reads golden vectors: files that state, without any code of ours, what goes over the wire. */
import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Signing } from '../../../src/dialects/dialect.ts'
import { DIALECTS } from '../../../src/dialects/index.ts'
import type { ChangeEvent } from '../../../src/domain/change.ts'
import type { DeliveryOutcome, NeutralMessage } from '../../../src/domain/notification.ts'
import type { DialectName } from '../../../src/domain/subscription.ts'
import type { Answer } from '../../../src/domain/verdict.ts'

type RequestVector = {
  title: string
  /** JSON cannot say `undefined`, and a message has a catalog by default. */
  hasNoCatalog?: true
  message: Partial<NeutralMessage>
  secrets: string[]
  attemptAtMs: number
  body: string
  headers: Record<string, string>
}
type ReplyVector = {
  title: string
  event: ChangeEvent
  status: number
  headers?: Record<string, string>
  body: string
  answer: object
}
type ReceiptVector = {
  title: string
  status: number
  headers?: Record<string, string>
  receipt: DeliveryOutcome
}

function vectors<T>(dialect: DialectName, name: string): T[] {
  const url = new URL(`../../vectors/${dialect}/${name}.json`, import.meta.url)
  return JSON.parse(readFileSync(url, 'utf8')) as T[]
}

/** A message with everything that a test does not care about. */
export function messageOf(given: Partial<NeutralMessage>): NeutralMessage {
  return {
    id: 'dec_1',
    event: 'record.before.updated',
    occurredAtMs: 1_763_712_000_000,
    accountId: 'default',
    accountNumber: null,
    catalogId: 'orders',
    recordId: undefined,
    values: undefined,
    prevValues: undefined,
    allValues: undefined,
    changedFields: [],
    user: undefined,
    context: undefined,
    sequenceId: null,
    subscriptionId: 'sub_1',
    decisionId: 'dec_1',
    dryRun: false,
    deadlineAtMs: null,
    ...given,
  }
}

export const SIGNING: Signing = {
  id: 'dec_1',
  attemptAtMs: 1_763_712_001_500,
  secrets: [`whsec_${'AQID'.repeat(8)}`],
}

export function replyOf(
  status: number,
  body: string | Uint8Array,
  headers: Record<string, string | string[] | undefined> = {},
) {
  return { status, headers, body: typeof body === 'string' ? Buffer.from(body) : body }
}

/** What an answer says, without the operator's text of a failure, which is wording. */
export function essence(answer: Answer): object {
  if (answer.kind !== 'failed') return answer
  const { detail, ...rest } = answer
  expect(detail).toMatch(/^[^\n]{5,300}$/)
  return rest
}

export function holdsItsVectors(name: DialectName): void {
  const dialect = DIALECTS[name]

  describe(`${name}: requests`, () => {
    for (const vector of vectors<RequestVector>(name, 'requests')) {
      it(`are byte for byte the golden ones: ${vector.title}`, () => {
        const without = vector.hasNoCatalog ? { catalogId: undefined } : {}
        const message = messageOf({ ...vector.message, ...without })
        const { attemptAtMs, secrets } = vector
        const signing = { id: message.id, attemptAtMs, secrets }
        const body = dialect.encode(message, signing)
        expect(body).toBe(vector.body)
        expect(dialect.sign(body, signing)).toEqual(vector.headers)
      })
    }
  })

  // A dialect that cannot be asked has no replies to read.
  if (dialect.takesRequests) {
    describe(`${name}: replies`, () => {
      for (const vector of vectors<ReplyVector>(name, 'replies')) {
        it(`mean what the golden ones mean: ${vector.title}`, () => {
          const reply = replyOf(vector.status, vector.body, vector.headers)
          expect(essence(dialect.readAnswer(vector.event, reply))).toEqual(vector.answer)
        })
      }
    })
  }

  describe(`${name}: receipts`, () => {
    for (const { title, status, headers, receipt } of vectors<ReceiptVector>(name, 'receipts')) {
      it(`mean what the golden ones mean: ${title}`, () => {
        expect(dialect.readReceipt(replyOf(status, '', headers))).toBe(receipt)
      })
    }
  })
}
