import { describe, expect, it } from 'vitest'
import { createKey, type KeyDraft } from '../../../src/app/manage-keys.ts'
import type { Keys } from '../../../src/app/store.ts'
import { ACCOUNT } from '../../support/build.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { countingIds, fakeVault } from './fakes.ts'

function setup() {
  const stored: unknown[] = []
  const keys = {
    create: async (...what: Parameters<Keys['create']>) => {
      stored.push(what)
      return { ...what[0], lastUsedAt: null, createdAt: '2026-03-01T00:00:00Z' }
    },
  } as unknown as Keys
  const ports = {
    keys,
    ids: countingIds(),
    vault: fakeVault,
    clock: new FakeClock('2026-03-01T09:00:00.000Z'),
    makeKey: (id: string) => `ask_live_${id}_secret`,
  }
  const draft: KeyDraft = {
    name: 'till',
    scopes: ['read', 'approve', 'read'],
    accountId: ACCOUNT,
    expiresAt: undefined,
    maxPerSecond: undefined,
  }
  return { stored, ports, draft }
}

describe('a new key', () => {
  it('is shown once and stored as its hash only', async () => {
    const { stored, ports, draft } = setup()
    const created = await createKey(draft, ports)
    expect(created).toMatchObject({
      id: 'key_1',
      key: 'ask_live_key_1_secret',
      scopes: ['read', 'approve'],
      maxPerSecond: null,
      expiresAt: null,
    })
    expect(stored).toMatchObject([[{ id: 'key_1' }, fakeVault.sha256('ask_live_key_1_secret')]])
    expect(JSON.stringify(stored)).not.toContain('ask_live')
  })

  it.each(['2026-03-01T08:59:59.999Z', '2026-03-01T09:00:00.000Z', '2026-03-01T10:59:00+02:00'])(
    'is not made when it ends at %s, which is over',
    async (expiresAt) => {
      const { stored, ports, draft } = setup()
      await expect(createKey({ ...draft, expiresAt }, ports)).rejects.toMatchObject({
        code: 'invalid_request',
        details: { complaints: [{ pointer: '/expiresAt' }] },
      })
      expect(stored).toEqual([])
    },
  )

  it('is made with its end and its limit', async () => {
    const { ports, draft } = setup()
    const more = { expiresAt: '2026-03-01T09:00:00.001Z', maxPerSecond: 3 }
    expect(await createKey({ ...draft, ...more }, ports)).toMatchObject(more)
  })
})
