import { describe, expect, it } from 'vitest'
import { bpium } from '../../../src/dialects/bpium.ts'
import { holdsItsVectors, messageOf, replyOf, SIGNING } from './vectors.ts'

holdsItsVectors('bpium')

describe('bpium', () => {
  it('decides every status the same way whatever the body says', () => {
    const bodies = ['', '{"message":"x"}', '{"message":7}', '<html>', '{"a":"\\u0000"}', '[1]']
    for (let status = 200; status <= 599; status++) {
      const expected =
        status < 400 || status === 410 ? 'allow' : status < 500 ? 'deny' : 'bad_status'
      for (const body of bodies) {
        const answer = bpium.readAnswer('record.before.updated', replyOf(status, body))
        expect(answer.kind === 'failed' ? answer.cause : answer.kind).toBe(expected)
      }
    }
  })

  it('drops a message that it cannot take for certain', () => {
    for (const body of ['{"message":7}', '{"message":{"title":"x"}}', '{"message":""}', '"text"']) {
      expect(bpium.readAnswer('record.before.updated', replyOf(400, body))).toEqual({
        kind: 'deny',
        remarks: [],
        values: undefined,
      })
    }
  })

  it('fails on form values that came compressed, and on nothing else that is', () => {
    const gzipped = replyOf(200, '\u001f\u008b', { 'content-encoding': 'gzip' })
    expect(bpium.readAnswer('record.updating', gzipped)).toMatchObject({ cause: 'bad_reply' })
    expect(bpium.readAnswer('record.before.updated', gzipped)).toMatchObject({ kind: 'allow' })
  })

  it('leaves out the record of a creation that is asked about, even when the caller named one', () => {
    const message = messageOf({ event: 'record.before.created', recordId: '9', values: {} })
    expect(JSON.parse(bpium.encode(message, SIGNING)).payload).toEqual({
      catalogId: 'orders',
      values: {},
    })
  })

  it('leaves out previous values that nobody knows rather than claim that there were none', () => {
    const message = messageOf({ recordId: '9', values: { a: 1 }, changedFields: ['a'] })
    expect(JSON.parse(bpium.encode(message, SIGNING)).payload).toEqual({
      catalogId: 'orders',
      recordId: '9',
      values: { a: 1 },
    })
  })

  it('leaves out the catalog of an event that is about no record', () => {
    const message = messageOf({
      event: 'subscription.failing',
      catalogId: undefined,
      decisionId: undefined,
      recordId: 'sub_2',
      values: { percent: 50 },
    })
    expect(JSON.parse(bpium.encode(message, SIGNING)).payload).toEqual({
      recordId: 'sub_2',
      values: { percent: 50 },
    })
  })

  it('counts its requests, so that no body serves two hooks', () => {
    expect([bpium.countsRequests, bpium.sharesBody]).toEqual([true, false])
  })

  it('takes any secret of 1 to 256 characters without control characters', () => {
    for (const secret of ['x', 'a b', 'секрет', 'x'.repeat(256)]) {
      expect(bpium.secretFault(secret)).toBeNull()
    }
    for (const secret of ['', 'x'.repeat(257), 'a\nb', 'a\u0000', '\u007f', 'a\n']) {
      expect(bpium.secretFault(secret)).toMatch(/1 to 256/)
    }
    const bytes = new Uint8Array(32).fill(251)
    expect(bpium.secretFault(bpium.newSecret(bytes))).toBeNull()
    expect(bpium.newSecret(bytes)).not.toBe(bpium.newSecret(new Uint8Array(32)))
  })
})
