import { describe, expect, it } from 'vitest'
import type { Database } from '../../../../src/adapters/postgres/database.ts'
import { createKeyLookup } from '../../../../src/adapters/postgres/key-lookup.ts'

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

/** Knows the keys whose hash begins with `known`; answers a statement when the test says so. */
function setup() {
  const statements: { hashes: string[]; answer: () => void; fail: () => void }[] = []
  const everyone = {
    run: (_statement: unknown, [hashes = []]: string[][]) =>
      new Promise((resolve, reject) => {
        const rows = hashes
          .filter((hash) => hash.startsWith('known'))
          .map((hash) => ({ hash, id: `key of ${hash}`, account: 'a', scopes: ['read'] }))
        statements.push({ hashes, answer: () => resolve(rows), fail: () => reject(new Error('x')) })
      }),
  }
  const database = { everyone } as unknown as Database
  return { statements, find: createKeyLookup(database) }
}

describe('looking keys up', () => {
  it('costs one statement at a time, whoever asks meanwhile shares the next', async () => {
    const { statements, find } = setup()
    const first = find('known 1')
    await turn()
    const others = Array.from({ length: 2_500 }, (_, n) => find(`flood ${n}`))
    const mine = find('known 2')
    await turn()
    expect(statements).toHaveLength(1)
    for (let n = 0; n < 4; n++) {
      statements[n]?.answer()
      await turn()
    }
    expect(statements.map(({ hashes }) => hashes.length)).toEqual([1, 1_000, 1_000, 501])
    expect((await first)?.caller.keyId).toBe('key of known 1')
    expect((await mine)?.caller.keyId).toBe('key of known 2')
    expect(new Set(await Promise.all(others))).toEqual(new Set([null]))
  })

  it('never takes the answer to a question that was asked before: the key may be gone since', async () => {
    const { statements, find } = setup()
    void find('known')
    await turn()
    const second = find('known')
    statements[0]?.answer()
    await turn()
    expect(statements).toHaveLength(2)
    statements[1]?.answer()
    expect(await second).not.toBeNull()
  })

  it('asks for a key once, however many send it', async () => {
    const { statements, find } = setup()
    const asked = Array.from({ length: 50 }, () => find('known'))
    await turn()
    expect(statements.map(({ hashes }) => hashes)).toEqual([['known']])
    statements[0]?.answer()
    for (const one of await Promise.all(asked)) expect(one?.caller.keyId).toBe('key of known')
  })

  it('fails for those who asked, and for nobody after them', async () => {
    const { statements, find } = setup()
    const asked = [find('known 1'), find('known 2')]
    await turn()
    statements[0]?.fail()
    for (const { status } of await Promise.allSettled(asked)) expect(status).toBe('rejected')
    const next = find('known 1')
    await turn()
    statements[1]?.answer()
    expect(await next).not.toBeNull()
  })

  it('refuses with 503 what is more than can wait', async () => {
    const { find } = setup()
    void find('known')
    await turn()
    const waiting = Array.from({ length: 10_001 }, (_, n) => find(`${n}`))
    await expect(waiting.at(-1)).rejects.toMatchObject({ code: 'overloaded' })
  })
})
