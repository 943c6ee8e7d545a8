/** Reads golden vectors: files that state, without any code of ours, what goes over the wire. */
import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DIALECTS } from '../../../src/dialects/index.ts'
import type { ChangeEvent } from '../../../src/domain/change.ts'
import type { DeliveryOutcome, NeutralMessage } from '../../../src/domain/notification.ts'
import type { DialectName } from '../../../src/domain/subscription.ts'
import type { Answer } from '../../../src/domain/verdict.ts'

type RequestVector = {
  title: string
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
        const message = messageOf(vector.message)
        const body = dialect.encode(message)
        const { attemptAtMs, secrets } = vector
        expect(body).toBe(vector.body)
        expect(dialect.sign(body, { id: message.id, attemptAtMs, secrets })).toEqual(vector.headers)
      })
    }
  })

  describe(`${name}: replies`, () => {
    for (const { title, event, status, headers, body, answer } of vectors<ReplyVector>(
      name,
      'replies',
    )) {
      it(`mean what the golden ones mean: ${title}`, () => {
        expect(essence(dialect.readAnswer(event, replyOf(status, body, headers)))).toEqual(answer)
      })
    }
  })

  describe(`${name}: receipts`, () => {
    for (const { title, status, headers, receipt } of vectors<ReceiptVector>(name, 'receipts')) {
      it(`mean what the golden ones mean: ${title}`, () => {
        expect(dialect.readReceipt(replyOf(status, '', headers))).toBe(receipt)
      })
    }
  })
}
