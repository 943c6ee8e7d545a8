import { describe, expect, it } from 'vitest'
import {
  ConnectError,
  EgressBlocked,
  failureOf,
} from '../../../../src/adapters/outbound/failure-cause.ts'
import { ReplyFault } from '../../../../src/adapters/outbound/http1/reply-parser.ts'

const coded = (code: string, message = 'text') => Object.assign(new Error(message), { code })

describe('the cause of a failed call', () => {
  it.each([
    [new EgressBlocked('no'), 'egress_blocked', false],
    [new ConnectError('name', 'no'), 'unreachable', false],
    [new ConnectError('connect', 'no'), 'unreachable', true],
    [new ConnectError('tls', 'no'), 'tls', false],
    [coded('ECONNRESET'), 'unreachable', false],
    [coded('EPIPE'), 'unreachable', false],
    [new ReplyFault('this is not HTTP/1.1'), 'bad_reply', false],
    [coded('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'tls', false],
    [coded('EPROTO'), 'tls', false],
    [new Error('whatever'), 'unreachable', false],
    ['not even an error', 'unreachable', false],
  ])('of %s is %s', (error, cause, mayRetry) => {
    expect(failureOf(error)).toMatchObject({ cause, mayRetry })
  })

  it('is told in few words', () => {
    expect(failureOf(new Error('x'.repeat(10_000))).detail).toHaveLength(300)
  })
})
