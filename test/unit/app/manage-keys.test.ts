import { describe, expect, it } from 'vitest'
import { createKey } from '../../../src/app/manage-keys.ts'
import type { Keys } from '../../../src/app/store.ts'
import { ACCOUNT } from '../../support/build.ts'
import { countingIds, fakeVault } from './fakes.ts'

describe('a new key', () => {
  it('is shown once and stored as its hash only', async () => {
    const stored: unknown[] = []
    const keys = {
      create: async (...what: Parameters<Keys['create']>) => {
        stored.push(what)
        return { ...what[0], createdAt: '2026-03-01T00:00:00Z' }
      },
    } as unknown as Keys
    const ports = {
      keys,
      ids: countingIds(),
      vault: fakeVault,
      makeKey: (id: string) => `ask_live_${id}_secret`,
    }
    const draft = { name: 'till', scopes: ['read', 'approve', 'read'] as const, accountId: ACCOUNT }
    const created = await createKey({ ...draft, expiresAt: undefined }, ports)
    expect(created).toMatchObject({
      id: 'key_1',
      key: 'ask_live_key_1_secret',
      scopes: ['read', 'approve'],
      expiresAt: null,
    })
    expect(stored).toMatchObject([[{ id: 'key_1' }, fakeVault.sha256('ask_live_key_1_secret')]])
    expect(JSON.stringify(stored)).not.toContain('ask_live')
  })
})
