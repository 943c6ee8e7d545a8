import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../../src/adapters/system/patterns.ts'
import { createConfigurations } from '../../../src/app/configuration.ts'
import {
  createSubscription,
  disableSubscription,
  enableSubscription,
  listSubscriptions,
  type ManagePorts,
  ROTATION_OVERLAP_MS,
  readSubscription,
  removeSubscription,
  rotateSecret,
  type SubscriptionDraft,
  type SubscriptionPatch,
  updateSubscription,
} from '../../../src/app/manage-subscriptions.ts'
import type { SavedEndpoint } from '../../../src/app/secret-settings.ts'
import type { HeldChoice, Subscriptions } from '../../../src/app/store.ts'
import type { Complaint } from '../../../src/domain/problem.ts'
import type { Auth, Subscription } from '../../../src/domain/subscription.ts'
import { ACCOUNT, subscriptionOf } from '../../support/build.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { countingIds, FakeAccount, fakeVault } from './fakes.ts'

/** Everything that must never be read back. */
const AUTHS: Auth[] = [
  { type: 'bearer', token: 'TOP-SECRET-token' },
  { type: 'basic', username: 'anna', password: 'TOP-SECRET-password' },
  { type: 'custom', header: 'x-key', value: 'TOP-SECRET-value' },
]

const secretive = (over: Partial<Subscription> = {}) =>
  subscriptionOf({
    id: 'sub_1',
    secret: 'TOP-SECRET-secret',
    retiring: [{ secret: 'TOP-SECRET-old', validUntil: '2026-03-02T00:00:00.000Z' }],
    auth: { type: 'bearer', token: 'TOP-SECRET-token' },
    headers: { 'x-one': 'TOP-SECRET-one', 'x-two': 'TOP-SECRET-two' },
    ...over,
  })

function world(...given: Subscription[]) {
  const stored = new Map(given.map((one) => [one.id, one]))
  const find = (accountId: string, id: string) =>
    accountId === ACCOUNT ? (stored.get(id) ?? null) : null
  const subscriptions: Subscriptions = {
    create: async (accountId, settings, secrets) => {
      const times = { createdAt: '2026-03-01T00:00:00Z', updatedAt: '2026-03-01T00:00:00Z' }
      const home = { accountId, revision: 1, installationId: null, leavingSince: null }
      const created = { ...settings, ...secrets, ...times, ...home }
      stored.set(created.id, created)
      return created
    },
    update: async (accountId, id, change, held) => {
      if (held !== undefined) heldChoices.push(held)
      const current = find(accountId, id)
      if (current === null) return null
      const next = { ...change(current), revision: current.revision + 1 }
      stored.set(id, next)
      return next
    },
    read: async (accountId, id) => find(accountId, id),
    list: async () => [...stored.values()],
    remove: async (accountId, id) => find(accountId, id) !== null && stored.delete(id),
    disable: () => Promise.reject(new Error('not for people')),
  }
  const heard: string[] = []
  const heldChoices: HeldChoice[] = []
  const complaints: Complaint[] = []
  const checked: SavedEndpoint[] = []
  const clock = new FakeClock()
  let secrets = 0
  const ports: ManagePorts = {
    subscriptions,
    configurations: createConfigurations(new FakeAccount([]), compilePattern),
    sequences: {
      next: () => Promise.reject(new Error('nothing is counted here')),
      last: async () => new Map([['sub_1', 41]]),
    },
    rules: {
      newSecret: (dialect) => `new ${dialect} secret ${++secrets}`,
      complaints: (subscription) => {
        checked.push(subscription)
        return complaints
      },
    },
    ids: countingIds(),
    clock,
    vault: fakeVault,
    onRemoved: (id) => void heard.push(`removed ${id}`),
    onEnabled: (id) => void heard.push(`enabled ${id}`),
  }
  const patch = (sent: SubscriptionPatch) => updateSubscription(ACCOUNT, 'sub_1', sent, ports)
  return { ports, stored, heard, heldChoices, complaints, checked, clock, patch }
}

function draftOf(over: Partial<SubscriptionDraft> = {}): SubscriptionDraft {
  const { id, accountId, revision, retiring, disabledReason, createdAt, updatedAt, ...rest } =
    subscriptionOf()
  void [id, accountId, revision, retiring, disabledReason, createdAt, updatedAt]
  return { ...rest, secret: undefined, ...over }
}

describe('a subscription that is read', () => {
  it('shows no secret, by any verb but the one that made it', async () => {
    for (const auth of AUTHS) {
      const { ports, patch } = world(secretive({ auth }))
      const views = [
        await readSubscription(ACCOUNT, 'sub_1', ports),
        ...(await listSubscriptions(ACCOUNT, { limit: 50, after: null }, ports)),
        await patch({ name: 'Renamed' }),
        await enableSubscription(ACCOUNT, 'sub_1', 'deliver', ports),
        await disableSubscription(ACCOUNT, 'sub_1', ports),
      ]
      for (const view of views) {
        expect(JSON.stringify(view)).not.toContain('TOP-SECRET')
        expect(view).toMatchObject({
          secret: '***',
          headers: { 'x-one': '***', 'x-two': '***' },
          auth: { type: auth.type },
          lastSequenceId: 41,
        })
      }
    }
  })

  it('shows what is no secret: who, where to, which header', async () => {
    const [, basic, custom] = AUTHS
    const read = (auth: Auth = { type: 'none' }) =>
      readSubscription(ACCOUNT, 'sub_1', world(secretive({ auth })).ports)
    expect((await read(basic)).auth).toEqual({ type: 'basic', username: 'anna', password: '***' })
    expect((await read(custom)).auth).toEqual({ type: 'custom', header: 'x-key', value: '***' })
    expect((await read()).auth).toEqual({ type: 'none' })
  })

  it('has no inner matters, and leaves out what is not set', async () => {
    const view = await readSubscription(ACCOUNT, 'sub_1', world(secretive()).ports)
    for (const name of ['retiring', 'revision', 'accountId']) expect(view).not.toHaveProperty(name)
    expect(view.disabledReason).toBeUndefined()
    expect(view.maxPerSecond).toBeUndefined()
    expect(view.fallbackMessage).toBeUndefined()
  })

  it('that is not there, or not in this account, is not found', async () => {
    const { ports } = world(secretive())
    for (const [account, id] of [
      [ACCOUNT, 'sub_2'],
      ['other', 'sub_1'],
    ] as const) {
      const verbs = [
        readSubscription(account, id, ports),
        updateSubscription(account, id, {}, ports),
        enableSubscription(account, id, 'deliver', ports),
        rotateSecret(account, id, 0, ports),
        removeSubscription(account, id, ports),
      ]
      for (const verb of verbs) await expect(verb).rejects.toMatchObject({ code: 'not_found' })
    }
  })
})

describe('a new subscription', () => {
  it('is repeated as it says, else as its dialect does', async () => {
    const retryOf = async (over: Partial<SubscriptionDraft>) =>
      (await createSubscription(ACCOUNT, draftOf(over), world().ports)).retry
    const left = { retry: undefined }
    expect(await retryOf({ ...left, dialect: 'poster' })).toEqual({ preset: 'poster' })
    expect(await retryOf({ ...left, dialect: 'bpium' })).toEqual({ preset: 'standard' })
    expect(await retryOf(left)).toEqual({ preset: 'standard' })
    const none = { preset: 'none' } as const
    expect(await retryOf({ retry: none, dialect: 'poster' })).toEqual(none)
  })

  it('gets an id and a secret of its dialect, and shows the secret this once', async () => {
    const { ports, stored } = world()
    const created = await createSubscription(ACCOUNT, draftOf({ dialect: 'bpium' }), ports)
    expect(created).toMatchObject({ id: 'sub_1', secret: 'new bpium secret 1', lastSequenceId: 0 })
    expect(stored.get('sub_1')).toMatchObject({ secret: 'new bpium secret 1', retiring: [] })
    expect((await readSubscription(ACCOUNT, 'sub_1', ports)).secret).toBe('***')
  })

  it('may bring its own secret', async () => {
    const created = await createSubscription(ACCOUNT, draftOf({ secret: 'mine' }), world().ports)
    expect(created.secret).toBe('mine')
  })

  it('that is not active was disabled by hand', async () => {
    const reasonOf = async (active: boolean) =>
      (await createSubscription(ACCOUNT, draftOf({ active }), world().ports)).disabledReason
    expect(await reasonOf(false)).toBe('manual')
    expect(await reasonOf(true)).toBeUndefined()
  })

  it('with anything wrong is refused with all that is wrong, and not stored', async () => {
    const { ports, stored, complaints } = world()
    complaints.push({ pointer: '/url', message: 'a' }, { pointer: '/secret', message: 'b' })
    await expect(createSubscription(ACCOUNT, draftOf(), ports)).rejects.toMatchObject({
      code: 'invalid_request',
      details: { complaints },
    })
    expect(stored.size).toBe(0)
  })

  it('with a mask for a secret is refused: there is nothing that it could stand for', async () => {
    const masked: [Partial<SubscriptionDraft>, string][] = [
      [{ secret: '***' }, '/secret'],
      [{ auth: { type: 'bearer', token: '***' } }, '/auth/token'],
      [{ auth: { type: 'basic', username: 'a', password: '***' } }, '/auth/password'],
      [{ auth: { type: 'custom', header: 'x', value: '***' } }, '/auth/value'],
      [{ headers: { 'x-a': 'b', 'x-b': '***' } }, '/headers/x-b'],
    ]
    for (const [over, pointer] of masked) {
      const { ports, stored } = world()
      await expect(createSubscription(ACCOUNT, draftOf(over), ports)).rejects.toMatchObject({
        code: 'invalid_request',
        details: { complaints: [{ pointer }] },
      })
      expect(stored.size).toBe(0)
    }
  })
})

const TLS = { ca: 'authority', cert: 'certificate', key: 'TOP-SECRET-key' }

describe('TLS settings', () => {
  it('are read back with a mask for the key', async () => {
    const { ports } = world()
    const created = await createSubscription(ACCOUNT, draftOf({ tls: TLS }), ports)
    expect(created.tls).toEqual({ ...TLS, key: '***' })
    const { tls } = await readSubscription(ACCOUNT, 'sub_1', ports)
    expect(tls).toEqual({ ...TLS, key: '***' })
  })

  it('are left out where there are none, and need no key to be there', async () => {
    const { tls } = await readSubscription(ACCOUNT, 'sub_1', world(secretive()).ports)
    expect(tls).toBeUndefined()
    const { ports } = world(secretive({ tls: { ca: 'authority' } }))
    expect((await readSubscription(ACCOUNT, 'sub_1', ports)).tls).toEqual({ ca: 'authority' })
  })

  it.each<[string, SubscriptionPatch, unknown]>([
    ['stay when they are left out', { name: 'Renamed' }, TLS],
    [
      'keep the key that a mask stands for',
      { tls: { ...TLS, ca: 'b', key: '***' } },
      { ...TLS, ca: 'b' },
    ],
    ['are replaced as a whole', { tls: { ca: 'other' } }, { ca: 'other' }],
    ['go with null', { tls: null }, undefined],
  ])('%s', async (_, sent, expected) => {
    const { patch, stored } = world(secretive({ tls: TLS }))
    expect(JSON.stringify(await patch(sent))).not.toContain('TOP-SECRET')
    expect(stored.get('sub_1')?.tls).toEqual(expected)
  })

  it('are the very same to the rules when they have not changed', async () => {
    const { patch, checked } = world(secretive({ tls: TLS }))
    await patch({ active: false })
    expect(checked.at(-1)?.tls).toBe(TLS)
  })

  it('with a mask that stands for nothing are refused', async () => {
    const wrong = { code: 'invalid_request', details: { complaints: [{ pointer: '/tls/key' }] } }
    const tls = { ...TLS, key: '***' }
    await expect(
      createSubscription(ACCOUNT, draftOf({ tls }), world().ports),
    ).rejects.toMatchObject(wrong)
    const { patch } = world(secretive({ tls: { ca: 'authority' } }))
    await expect(patch({ tls })).rejects.toMatchObject(wrong)
  })
})

describe('a patch', () => {
  it('with masks keeps what is stored', async () => {
    for (const auth of AUTHS) {
      const { ports, patch, stored } = world(secretive({ auth }))
      const read = await readSubscription(ACCOUNT, 'sub_1', ports)
      await patch({ name: 'Renamed', secret: read.secret, auth: read.auth, headers: read.headers })
      expect(stored.get('sub_1')).toEqual({ ...secretive({ auth }), name: 'Renamed', revision: 2 })
    }
  })

  it('may keep a password under another user name, and a value under another header', async () => {
    const { patch, stored } = world(secretive({ auth: AUTHS[1] ?? { type: 'none' } }))
    await patch({ auth: { type: 'basic', username: 'ben', password: '***' } })
    expect(stored.get('sub_1')?.auth).toEqual({
      type: 'basic',
      username: 'ben',
      password: 'TOP-SECRET-password',
    })
  })

  it('replaces secrets by new ones, and headers as a whole', async () => {
    const { patch, stored } = world(secretive())
    await patch({
      secret: 'fresh',
      auth: { type: 'bearer', token: 'fresh' },
      headers: { 'x-two': '***', 'x-three': 'fresh' },
    })
    expect(stored.get('sub_1')).toMatchObject({
      secret: 'fresh',
      auth: { type: 'bearer', token: 'fresh' },
    })
    expect(stored.get('sub_1')?.headers).toEqual({ 'x-two': 'TOP-SECRET-two', 'x-three': 'fresh' })
  })

  it('with a mask that stands for nothing is refused, and nothing is stored', async () => {
    const masked: [SubscriptionPatch, string][] = [
      [{ auth: { type: 'basic', username: 'a', password: '***' } }, '/auth/password'],
      [{ auth: { type: 'custom', header: 'x', value: '***' } }, '/auth/value'],
      [{ headers: { 'x-new': '***' } }, '/headers/x-new'],
      [{ headers: { toString: '***' } }, '/headers/toString'],
    ]
    for (const [sent, pointer] of masked) {
      const { patch, stored } = world(secretive())
      await expect(patch(sent)).rejects.toMatchObject({ details: { complaints: [{ pointer }] } })
      expect(stored.get('sub_1')).toEqual(secretive())
    }
  })

  it('changes what it names and nothing else', async () => {
    const { patch, stored } = world(secretive())
    const sent: object = { name: undefined, order: 5, mayChange: null }
    await patch(sent as SubscriptionPatch)
    expect(stored.get('sub_1')).toEqual({ ...secretive(), order: 5, mayChange: null, revision: 2 })
  })

  it('is checked as it will be, and refused with all that is wrong', async () => {
    const { patch, stored, complaints, checked } = world(secretive())
    complaints.push({ pointer: '/url', message: 'not allowed' })
    await expect(patch({ url: 'http://10.0.0.1/' })).rejects.toMatchObject({
      details: { complaints },
    })
    expect(checked).toMatchObject([{ url: 'http://10.0.0.1/', secret: 'TOP-SECRET-secret' }])
    expect(stored.get('sub_1')).toEqual(secretive())
  })

  it('of one setting of the breaker keeps the others', async () => {
    const { patch, stored } = world(secretive())
    await patch({ breaker: { openMs: 1 } })
    expect(stored.get('sub_1')?.breaker).toEqual({ ...secretive().breaker, openMs: 1 })
  })

  it('of the dialect lets go of retiring secrets, which have the form of another one', async () => {
    const { patch, stored } = world(secretive())
    await patch({ dialect: 'standard' })
    expect(stored.get('sub_1')?.retiring).toHaveLength(1)
    await patch({ dialect: 'bpium' })
    expect(stored.get('sub_1')?.retiring).toEqual([])
  })
})

describe('the reason why a subscription is disabled', () => {
  const reasonAfter = async (current: Partial<Subscription>, active: boolean | undefined) => {
    const { patch } = world(secretive(current))
    const view = await patch(active === undefined ? { name: 'x' } : { active })
    return [view.active, view.disabledReason]
  }

  it('is by hand when a person did it, gone with enabling, and else as it was', async () => {
    const gone = { active: false, disabledReason: 'gone' } as const
    expect(await reasonAfter({}, false)).toEqual([false, 'manual'])
    expect(await reasonAfter(gone, true)).toEqual([true, undefined])
    expect(await reasonAfter(gone, false)).toEqual([false, 'gone'])
    expect(await reasonAfter(gone, undefined)).toEqual([false, 'gone'])
  })

  it('is heard of by those who deliver when it goes', async () => {
    const { ports, heard } = world(secretive({ active: false, disabledReason: 'gone' }))
    await disableSubscription(ACCOUNT, 'sub_1', ports)
    expect(heard).toEqual([])
    await enableSubscription(ACCOUNT, 'sub_1', 'deliver', ports)
    expect(heard).toEqual(['enabled sub_1'])
  })

  it.each(['deliver', 'cancel'] as const)(
    'goes with the choice to %s what was held',
    async (held) => {
      const { ports, heldChoices } = world(secretive({ active: false, disabledReason: 'failing' }))
      const view = await enableSubscription(ACCOUNT, 'sub_1', held, ports)
      expect(heldChoices).toEqual([held])
      expect(view).toMatchObject({ active: true, disabledReason: undefined })
    },
  )

  it('that goes by a patch has what was held delivered', async () => {
    const { patch, heldChoices } = world(secretive({ active: false, disabledReason: 'gone' }))
    await patch({ active: true })
    expect(heldChoices).toEqual(['deliver'])
  })

  it('is heard of by them too when an active one is enabled, which closes its breaker', async () => {
    const { ports, heard } = world(secretive())
    await enableSubscription(ACCOUNT, 'sub_1', 'deliver', ports)
    expect(heard).toEqual(['enabled sub_1'])
  })

  it('that goes by a patch is heard of once', async () => {
    const { patch, heard } = world(secretive({ active: false, disabledReason: 'gone' }))
    await patch({ name: 'x' })
    expect(heard).toEqual([])
    await patch({ active: true })
    await patch({ active: true })
    expect(heard).toEqual(['enabled sub_1'])
  })
})

describe('rotating the secret', () => {
  it('shows the new one once, and lets the old one verify for as long as asked', async () => {
    const { ports, stored, clock } = world(secretive({ retiring: [] }))
    const rotated = await rotateSecret(ACCOUNT, 'sub_1', 3_600_000, ports)
    const previousValidUntil = new Date(clock.wallMs() + 3_600_000).toISOString()
    expect(rotated).toEqual({ id: 'sub_1', secret: 'new standard secret 1', previousValidUntil })
    expect(stored.get('sub_1')).toMatchObject({
      secret: 'new standard secret 1',
      retiring: [{ secret: 'TOP-SECRET-secret', validUntil: previousValidUntil }],
    })
    expect(ROTATION_OVERLAP_MS).toEqual({ default: 86_400_000, max: 2_592_000_000 })
  })

  it('drops what has run out and keeps five at most, the newest', async () => {
    const { ports, stored, clock } = world(secretive({ retiring: [] }))
    for (let turn = 0; turn < 8; turn++) await rotateSecret(ACCOUNT, 'sub_1', 1_000, ports)
    const secrets = () => stored.get('sub_1')?.retiring.map(({ secret }) => secret)
    expect(secrets()).toEqual([7, 6, 5, 4, 3].map((turn) => `new standard secret ${turn}`))
    await clock.advance(1_000)
    await rotateSecret(ACCOUNT, 'sub_1', 1_000, ports)
    expect(secrets()).toEqual(['new standard secret 8'])
  })
})

describe('removing', () => {
  it('lets go of what was kept for the subscription', async () => {
    const { ports, stored, heard } = world(secretive())
    await removeSubscription(ACCOUNT, 'sub_1', ports)
    expect(stored.size).toBe(0)
    expect(heard).toEqual(['removed sub_1'])
  })
})
