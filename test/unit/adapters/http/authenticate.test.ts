/** Who is let in, how long that is remembered, and what a flood of guesses costs. */
import { describe, expect, it } from 'vitest'
import { createAuthenticator } from '../../../../src/adapters/http/authenticate.ts'
import { isApiKey, makeApiKey } from '../../../../src/adapters/system/api-keys.ts'
import type { Account } from '../../../../src/app/app-store.ts'
import { createCallLimiter } from '../../../../src/app/call-limiter.ts'
import type { Caller, KnownKey } from '../../../../src/app/store.ts'
import { Problem } from '../../../../src/domain/problem.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { fakeVault, recordingJournal } from '../../app/fakes.ts'

const ADMIN_KEY = 'an operator chose this text, and it has no form'.replaceAll(' ', '-')
const NOBODY = { code: 'unauthenticated' }

const accountOf = (id: string, maxPerSecond: number | null): Account => ({
  id,
  title: id,
  accountNumber: null,
  maxPerSecond,
  createdAt: '',
})

function setup() {
  const clock = new FakeClock()
  const stored = new Map<string, KnownKey>()
  const accounts = new Map([['acme', accountOf('acme', null)]])
  const asked = { keys: 0, accounts: 0, used: [] as string[] }
  let whileAsked = () => {}
  const authenticator = createAuthenticator({
    keys: {
      findByHash: async (hash) => {
        asked.keys += 1
        const found = stored.get(hash) ?? null
        whileAsked()
        return found
      },
      noteUse: (keyId) => void asked.used.push(keyId),
    },
    accounts: {
      read: async (id) => {
        asked.accounts += 1
        const found = accounts.get(id) ?? null
        whileAsked()
        return found
      },
    },
    isApiKey,
    limiter: createCallLimiter({ clock, journal: recordingJournal() }),
    vault: fakeVault,
    clock,
    adminKeyHash: fakeVault.sha256(ADMIN_KEY),
    tokens: {
      verify: async (token): Promise<Caller> => {
        const [, accountId = ''] = token.split('.')
        if (accountId === 'forged') throw new Problem('unauthenticated')
        return { accountId, keyId: 'jwt:x', scopes: new Set(['read']) }
      },
    },
  })
  const present = async (key: string) => authenticator.authenticate(`Bearer ${key}`, ['bearer'])
  const store = (id: string, more: Partial<KnownKey> = {}) => {
    const key = makeApiKey(id)
    const caller: Caller = { accountId: 'acme', keyId: id, scopes: new Set(['read']) }
    const limits = { ofKey: null, ofAccount: null }
    stored.set(fakeVault.sha256(key), { caller, limits, expiresInMs: null, ...more })
    return key
  }
  const meanwhile = (run: () => void) => {
    whileAsked = run
  }
  return { clock, stored, accounts, asked, authenticator, present, store, meanwhile }
}

describe('a key', () => {
  it('is looked up once in five seconds, and its use is noted as often', async () => {
    const { present, store, asked, clock } = setup()
    const key = store('k1')
    for (let n = 0; n < 10; n++) expect(await present(key)).toMatchObject({ keyId: 'k1' })
    await clock.advance(4_999)
    await present(key)
    expect(asked).toMatchObject({ keys: 1, used: ['k1'] })
    await clock.advance(1)
    await present(key)
    expect(asked).toMatchObject({ keys: 2, used: ['k1', 'k1'] })
  })

  it('is refused at once where it was removed, also when it was just being looked up', async () => {
    const { present, store, stored, authenticator, meanwhile } = setup()
    const key = store('k1')
    await present(key)
    stored.clear()
    authenticator.forget()
    await expect(present(key)).rejects.toMatchObject(NOBODY)

    const other = store('k2')
    meanwhile(() => {
      stored.clear()
      authenticator.forget()
    })
    await present(other)
    await expect(present(other)).rejects.toMatchObject(NOBODY)
  })

  it('is remembered no longer than it may be used', async () => {
    const { present, store, stored, clock } = setup()
    const key = store('k1', { expiresInMs: 1_200 })
    await present(key)
    stored.clear()
    await clock.advance(1_199)
    await present(key)
    await clock.advance(1)
    await expect(present(key)).rejects.toMatchObject(NOBODY)
  })

  it('that is not known costs one question in five seconds, however often it is tried', async () => {
    const { present, asked, clock } = setup()
    const key = makeApiKey('nobody')
    for (let n = 0; n < 50; n++) await expect(present(key)).rejects.toMatchObject(NOBODY)
    expect(asked).toMatchObject({ keys: 1, used: [] })
    await clock.advance(5_000)
    await expect(present(key)).rejects.toMatchObject(NOBODY)
    expect(asked.keys).toBe(2)
  })

  it('that was made up or mistyped costs no question at all', async () => {
    const { present, store, asked } = setup()
    const key = store('k1')
    const madeUp = Array.from({ length: 1_000 }, (_, n) => `${key.slice(0, -8)}${10_000_000 + n}`)
    for (const one of [...madeUp, 'x', 'ask_live_x_y', `${ADMIN_KEY}x`]) {
      await expect(present(one)).rejects.toMatchObject(NOBODY)
    }
    expect(asked.keys).toBe(0)
  })

  it('that is known is not pushed out by thousands that are not, checksums and all', async () => {
    const { present, store, asked } = setup()
    const key = store('k1')
    await present(key)
    const guesses = Array.from({ length: 3_000 }, (_, n) => makeApiKey(`${n}`))
    for (const guess of guesses) await expect(present(guess)).rejects.toMatchObject(NOBODY)
    const before = asked.keys
    await present(key)
    expect(asked.keys).toBe(before)
    // Nor are the guesses all remembered: the first ones are forgotten and asked about again.
    await expect(present(guesses[0] ?? '')).rejects.toMatchObject(NOBODY)
    expect(asked.keys).toBe(before + 1)
  })
})

describe('ASSENT_ADMIN_KEY', () => {
  it('needs no form, no row and no question', async () => {
    const { present, asked } = setup()
    expect(await present(ADMIN_KEY)).toMatchObject({ accountId: 'default', keyId: 'admin' })
    expect(asked).toEqual({ keys: 0, accounts: 0, used: [] })
  })

  it('is let in whatever the rate of its account is', async () => {
    const { present, accounts } = setup()
    accounts.set('default', accountOf('default', 1))
    for (let n = 0; n < 100; n++) await present(ADMIN_KEY)
  })
})

describe('a rate', () => {
  const FULL = { code: 'rate_limited' }

  it('of a key holds from its first call on, remembered or not', async () => {
    const { present, store, clock, authenticator } = setup()
    const key = store('k1', { limits: { ofKey: 2, ofAccount: null } })
    await present(key)
    await present(key)
    await expect(present(key)).rejects.toMatchObject(FULL)
    authenticator.forget()
    await expect(present(key)).rejects.toMatchObject(FULL)
    await clock.advance(500)
    await present(key)
    await expect(present(key)).rejects.toMatchObject(FULL)
  })

  it('of an account is one for its keys and its tokens', async () => {
    const { present, store, accounts } = setup()
    accounts.set('acme', accountOf('acme', 3))
    const limits = { ofKey: null, ofAccount: 3 }
    const keys = [store('k1', { limits }), store('k2', { limits })]
    await present(keys[0] ?? '')
    await present(keys[1] ?? '')
    await present('a.acme.c')
    for (const one of [...keys, 'a.acme.c', 'another.acme.c']) {
      await expect(present(one)).rejects.toMatchObject(FULL)
    }
  })

  it('that was changed holds at once where it was, and elsewhere after five seconds', async () => {
    const { present, accounts, authenticator, clock } = setup()
    for (let n = 0; n < 50; n++) await present('a.acme.c')
    accounts.set('acme', accountOf('acme', 1))
    await present('a.acme.c')
    await clock.advance(5_000)
    await present('a.acme.c')
    await expect(present('a.acme.c')).rejects.toMatchObject(FULL)
    accounts.set('acme', accountOf('acme', null))
    authenticator.forget()
    for (let n = 0; n < 50; n++) await present('a.acme.c')
  })
})

describe('a token', () => {
  it('of an account that does not exist is refused, until somebody opens it', async () => {
    const { present, accounts, asked, authenticator } = setup()
    for (let n = 0; n < 20; n++) {
      await expect(present('a.nowhere.c')).rejects.toMatchObject(NOBODY)
    }
    expect(asked.accounts).toBe(1)
    accounts.set('nowhere', accountOf('nowhere', null))
    authenticator.forget()
    expect(await present('a.nowhere.c')).toMatchObject({ accountId: 'nowhere' })
  })

  it('is not judged by an account as it was before a change that came while it was looked up', async () => {
    const { present, accounts, authenticator, meanwhile } = setup()
    meanwhile(() => {
      accounts.set('acme', accountOf('acme', 1))
      authenticator.forget()
      meanwhile(() => {})
    })
    await present('a.acme.c')
    await present('a.acme.c')
    await expect(present('a.acme.c')).rejects.toMatchObject({ code: 'rate_limited' })
  })

  it('has its account looked up once in five seconds, and only when it is genuine', async () => {
    const { present, asked, clock } = setup()
    for (let n = 0; n < 20; n++) await present('a.acme.c')
    expect(asked.accounts).toBe(1)
    await clock.advance(5_000)
    await present('a.acme.c')
    await expect(present('a.forged.c')).rejects.toMatchObject(NOBODY)
    expect(asked).toMatchObject({ accounts: 2, keys: 0 })
  })
})
