/** Replies made by chance: mutations of likely ones, JSON of the right names with wrong contents, noise. */
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DIALECTS } from '../../../src/dialects/index.ts'
import { standard } from '../../../src/dialects/standard.ts'
import { changeEventNames } from '../../../src/domain/change.ts'
import { DIALECT_NAMES } from '../../../src/domain/subscription.ts'
import { replyOf } from './vectors.ts'

/** Independent of the code: the shape that DIALECTS.md calls an allow. */
function isLiteralAllow(status: number, body: Uint8Array): boolean {
  if (status === 204) return true
  if (status !== 200) return false
  const said = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body))
  const severities = (said.warnings ?? []).map((one: { severity?: string }) => one.severity)
  return (
    said.decision === 'allow' &&
    (said.errors ?? []).length === 0 &&
    !severities.includes('error') &&
    !severities.includes('confirm')
  )
}

const SEEDS = [
  '{"decision":"allow"}',
  '{"decision":"deny","errors":[{"code":"a","field":"b","message":"c"}]}',
  '{"decision":"deny","decision":"allow"}',
  '{"decision":"confirm","warnings":[{"message":{"en":"x"},"severity":"confirm"}]}',
  '{"decision":"allow","errors":[],"warnings":[{"message":"x","severity":"warning"}],"values":{"a":1}}',
  '{"decision":"allow","errors":[{"message":"x"}]}',
  '<html>allow</html>',
  '',
]

const WORDS = ['"decision"', '"allow"', '"deny"', ':', ',', '{', '}', '[', ']', '"errors"', 'null']

/** A seed with pieces cut out, doubled, or replaced by words of the language. */
const mutated = fc
  .tuple(
    fc.constantFrom(...SEEDS),
    fc.array(
      fc.record({
        at: fc.nat(100),
        cut: fc.nat(12),
        put: fc.oneof(fc.constantFrom(...WORDS), fc.string({ maxLength: 4 })),
      }),
      { maxLength: 3 },
    ),
  )
  .map(([seed, edits]) =>
    Buffer.from(
      edits.reduce(
        (text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut),
        seed,
      ),
    ),
  )

const anyJson = fc
  .record(
    {
      decision: fc.constantFrom('allow', 'deny', 'confirm', 'Allow', true, null),
      errors: fc.oneof(fc.jsonValue(), fc.constant([]), fc.constant([{ message: 'x' }])),
      warnings: fc.oneof(
        fc.array(
          fc.record(
            {
              message: fc.oneof(fc.string(), fc.jsonValue()),
              severity: fc.constantFrom('error', 'warning', 'confirm', 'info', 'x'),
            },
            { requiredKeys: ['message'] },
          ),
          { maxLength: 2 },
        ),
        fc.jsonValue(),
      ),
      message: fc.oneof(fc.string(), fc.jsonValue()),
      values: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue()),
    },
    { requiredKeys: [] },
  )
  .map((value) => Buffer.from(JSON.stringify(value)))

const anyBody = fc.oneof(mutated, anyJson, fc.uint8Array({ maxLength: 40 }))
const anyStatus = fc.oneof(
  fc.constantFrom(200, 200, 200, 204, 302, 400, 403, 422, 500),
  fc.integer({ min: 100, max: 599 }),
)

describe('whatever comes back', () => {
  it('the standard dialect allows only what is literally an allow', () => {
    let allowed = 0
    fc.assert(
      fc.property(anyStatus, anyBody, (status, body) => {
        if (standard.readAnswer('record.before.updated', replyOf(status, body)).kind !== 'allow') {
          return
        }
        allowed += 1
        expect(isLiteralAllow(status, body)).toBe(true)
      }),
      { numRuns: 5_000 },
    )
    expect(allowed).toBeGreaterThan(100)
  })

  it('a status alone decides where the dialect says so, and nothing ever throws', () => {
    const anyHeaders = fc.record(
      {
        'content-type': fc.constantFrom('application/json', 'text/plain', 'text/html'),
        'content-encoding': fc.constantFrom('gzip', 'identity'),
        'webhook-delivery': fc.oneof(fc.string(), fc.array(fc.string(), { maxLength: 2 })),
      },
      { requiredKeys: [] },
    )
    const anyReply = fc.record({ status: anyStatus, headers: anyHeaders, body: anyBody })
    fc.assert(
      fc.property(fc.constantFrom(...changeEventNames), anyReply, (event, reply) => {
        for (const name of DIALECT_NAMES) {
          DIALECTS[name].readReceipt(reply)
          const { kind } = DIALECTS[name].readAnswer(event, reply)
          const mayAllow = {
            standard: [200, 204].includes(reply.status),
            plain: reply.status >= 200 && reply.status < 300,
            bpium: (reply.status >= 200 && reply.status < 400) || reply.status === 410,
            poster: false,
          }[name]
          if (kind === 'allow' || kind === 'confirm') expect(mayAllow).toBe(true)
        }
      }),
      { numRuns: 3_000 },
    )
  })
})
