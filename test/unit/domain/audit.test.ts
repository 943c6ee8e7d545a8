import { describe, expect, it } from 'vitest'
import { differenceOf } from '../../../src/domain/audit.ts'
import { subscriptionOf } from '../../support/build.ts'

const difference = (before: object | null, after: object | null) =>
  differenceOf('subscription.updated', before, after)

describe('what the audit keeps of a change', () => {
  it('is what differs, by content, and nothing else', () => {
    const before = { url: 'a', events: ['x'], conditions: [{ field: 'a', op: 'exists' }] }
    const after = { url: 'b', events: ['x'], conditions: [{ op: 'exists', field: 'a' }] }
    expect(difference(before, after)).toEqual({ before: { url: 'a' }, after: { url: 'b' } })
    expect(difference({ fields: ['a'] }, { name: 'n' })).toEqual({
      before: { fields: ['a'] },
      after: { name: 'n' },
    })
  })

  it('is nothing where nothing differs but what the gateway keeps beside the settings', () => {
    const one = subscriptionOf()
    const later = { ...one, revision: 7, updatedAt: 'later', leavingSince: 'now' }
    expect(difference(one, later)).toBeNull()
    expect(difference(one, structuredClone(one))).toBeNull()
  })

  it('is everything of what was not there before, or is not there any more', () => {
    expect(difference(null, { name: 'n' })).toEqual({ before: null, after: { name: 'n' } })
    expect(difference({ name: 'n' }, null)).toEqual({ before: { name: 'n' }, after: null })
    expect(difference(null, {})).toEqual({ before: null, after: {} })
  })

  it('shows every setting of a subscription that is not secret', () => {
    const { secret, retiring, auth, headers, tls, ...plain } = subscriptionOf()
    void [secret, retiring, auth, headers, tls]
    const text = JSON.stringify(difference(null, plain))
    expect(text).not.toContain('***')
    expect(text).toContain('https://stock.example/hook')
  })

  it.each([
    ['catalog.created', { title: 't', fields: [{ id: 'f' }], redact: { f: 'remove' } }],
    ['key.created', { name: 'n', scopes: ['read'], maxPerSecond: 1, expiresAt: '2030' }],
    ['account.created', { title: 't', accountNumber: '1', maxPerSecond: 1 }],
  ] as const)('shows what %s says of things without secrets', (action, settings) => {
    expect(differenceOf(action, null, settings)).toEqual({ before: null, after: settings })
  })

  it('masks certificates like their key: they are stored encrypted as well', () => {
    const tls = { ca: 'canary', cert: 'canary', key: 'canary' }
    expect(difference(null, { tls })?.after).toEqual({
      tls: { ca: '***', cert: '***', key: '***' },
    })
  })

  it.each([
    ['a text', 'canary', '***'],
    ['a number', 42, '***'],
    ['a flag', true, '***'],
    ['a list', ['canary', { deep: 'canary' }], ['***', { deep: '***' }]],
    ['an object', { one: { two: 'canary' } }, { one: { two: '***' } }],
    ['nothing', null, null],
  ])('masks %s of a setting that nobody has listed', (_name, value, shown) => {
    expect(difference(null, { settingOfALaterBuild: value })?.after).toEqual({
      settingOfALaterBuild: shown,
    })
  })

  it('shows of an auth its type and its names only', () => {
    const basic = { type: 'basic', username: 'anna', password: 'canary' }
    const custom = { type: 'custom', header: 'x-key', value: 'canary' }
    expect(difference({ auth: basic }, { auth: custom })).toEqual({
      before: { auth: { ...basic, password: '***' } },
      after: { auth: { ...custom, value: '***' } },
    })
  })

  it('tells which of the secrets were changed', () => {
    const before = {
      secret: 'canary 1',
      headers: { a: 'canary', b: 'canary', type: 'canary' },
      retiring: [{ secret: 'canary 0', validUntil: '2030' }],
    }
    const after = {
      secret: 'canary 2',
      headers: { a: 'canary', b: 'canary 2', c: 'canary', type: 'canary' },
      retiring: [
        { secret: 'canary 1', validUntil: '2031' },
        { secret: 'canary 0', validUntil: '2030' },
      ],
    }
    expect(difference(before, after)).toEqual({
      before: {
        secret: '***',
        headers: { a: '***', b: '***', type: '***' },
        retiring: [{ secret: '***', validUntil: '2030' }],
      },
      after: {
        secret: '*** (changed)',
        headers: { a: '***', b: '*** (changed)', c: '***', type: '***' },
        retiring: [
          { secret: '*** (changed)', validUntil: '2031' },
          { secret: '***', validUntil: '2030' },
        ],
      },
    })
  })

  it('is not misled by names that mean something to JavaScript', () => {
    const headers = JSON.parse('{"__proto__":"canary","constructor":"canary"}')
    expect(JSON.stringify(difference({ headers: {} }, { headers })?.after)).toBe(
      '{"headers":{"__proto__":"***","constructor":"***"}}',
    )
  })
})
