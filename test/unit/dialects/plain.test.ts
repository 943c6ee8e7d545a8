import { describe, expect, it } from 'vitest'
import { plain } from '../../../src/dialects/plain.ts'
import { standard } from '../../../src/dialects/standard.ts'
import { essence, holdsItsVectors, messageOf, replyOf, SIGNING } from './vectors.ts'

holdsItsVectors('plain')

const EVENT = 'record.before.created'
const read = (...reply: Parameters<typeof replyOf>) =>
  essence(plain.readAnswer(EVENT, replyOf(...reply)))
const denyWith = (text: string) => ({
  kind: 'deny',
  remarks: [{ severity: 'error', message: { text } }],
  values: undefined,
})
const DENY = { kind: 'deny', remarks: [], values: undefined }

describe('plain', () => {
  it("sends the standard dialect's request", () => {
    const message = messageOf({ values: { a: 1 } })
    expect(plain.encode(message, SIGNING)).toBe(standard.encode(message, SIGNING))
    expect(plain.sign('{}', SIGNING)).toEqual(standard.sign('{}', SIGNING))
  })

  it('decides every status the same way whatever the body says', () => {
    const bodies = ['', '{"decision":"allow"}', '{"decision":"deny"}', '<html>', '{"message":"x"}']
    for (let status = 200; status <= 599; status++) {
      const expected =
        status < 300
          ? 'allow'
          : status < 400
            ? 'redirected'
            : [400, 403, 409, 422].includes(status)
              ? 'deny'
              : 'bad_status'
      for (const body of bodies) {
        const answer = plain.readAnswer(EVENT, replyOf(status, body))
        expect(answer.kind === 'failed' ? answer.cause : answer.kind).toBe(expected)
      }
    }
  })

  it.each([
    ['message before error and detail', '{"detail":"c","error":"b","message":"a"}', 'a'],
    ['error before detail', '{"detail":"c","error":"b"}', 'b'],
    ['a text inside an error object', '{"error":{"code":"E","message":"b"}}', 'b'],
    ['the next one where a text is blank', '{"message":" ","error":"b"}', 'b'],
    ['the next one where it is no text', '{"message":["x"],"error":"b"}', 'b'],
  ])('shows %s', (_, body, text) => {
    expect(read(400, body)).toEqual(denyWith(text))
  })

  it('shows a plain text of at most 1,000 characters and nothing that was not written for people', () => {
    expect(read(400, 'No stock')).toEqual(denyWith('No stock'))
    expect(read(400, 'я'.repeat(1_000))).toEqual(denyWith('я'.repeat(1_000)))
    expect(read(400, 'x'.repeat(1_001))).toEqual(DENY)
    expect(read(400, 'No stock', { 'content-type': 'text/html' })).toEqual(DENY)
    expect(read(400, '<!doctype html>')).toEqual(DENY)
    expect(read(400, '{"broken":')).toEqual(DENY)
    expect(read(400, new Uint8Array([0xff, 0xfe, 0x41]))).toEqual(DENY)
    expect(read(400, 'No stock', { 'content-encoding': 'gzip' })).toEqual(DENY)
  })

  it('puts nothing into a form that it cannot read: the status has let it pass', () => {
    const fill = (...reply: Parameters<typeof replyOf>) =>
      essence(plain.readAnswer('record.updating', replyOf(...reply)))
    const nothing = { kind: 'allow', remarks: [], values: undefined }
    expect(fill(200, '{"values":')).toEqual(nothing)
    expect(fill(200, '{"values":[1]}')).toEqual(nothing)
    expect(fill(200, '[1]')).toEqual(nothing)
    expect(fill(200, 'oops', { 'content-type': 'application/json' })).toEqual(nothing)
    expect(fill(200, '\u001f\u008b', { 'content-encoding': 'gzip' })).toEqual(nothing)
    expect(fill(200, '')).toEqual(nothing)
    expect(fill(204, '')).toEqual(nothing)
    expect(fill(204, '{"values":')).toEqual(nothing)
    expect(fill(200, 'fine')).toEqual(nothing)
  })
})
