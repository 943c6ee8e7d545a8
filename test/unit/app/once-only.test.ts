import { describe, expect, it } from 'vitest'
import type { Answered } from '../../../src/app/conclude.ts'
import { createKeyRegistry } from '../../../src/app/once-only.ts'
import { Problem } from '../../../src/domain/problem.ts'
import { settled } from '../../support/fake-clock.ts'
import { keptAnswersOf } from './fakes.ts'

const kept = { key: 'k', fingerprint: 'f', status: 200, body: 'the first answer' }
const keepOf = (over: { key?: string; fingerprint?: string } = {}) => ({
  key: 'k',
  fingerprint: 'f',
  render: () => ({ status: 200, body: '' }),
  ...over,
})
const mine: Answered = { kind: 'replayed', kept: { ...kept, body: 'mine' } }

describe('a request with a key', () => {
  it('is carried out the first time', async () => {
    const registry = createKeyRegistry(keptAnswersOf())
    expect(await registry.once('a', keepOf(), async () => mine)).toBe(mine)
  })

  it('gets the first answer again and is not carried out again', async () => {
    const registry = createKeyRegistry(keptAnswersOf(kept))
    const run = () => Promise.reject(new Error('it was carried out'))
    expect(await registry.once('a', keepOf(), run)).toEqual({ kind: 'replayed', kept })
  })

  it('that was used for another request is refused', async () => {
    const registry = createKeyRegistry(keptAnswersOf(kept))
    const other = registry.once('a', keepOf({ fingerprint: 'g' }), async () => mine)
    await expect(other).rejects.toMatchObject({ code: 'idempotency_key_reused' })
  })

  it('that is under way is refused, in this account and for this key only', async () => {
    const registry = createKeyRegistry(keptAnswersOf())
    let finish: (answered: Answered) => void = () => {}
    const first = registry.once('a', keepOf(), () => new Promise((resolve) => (finish = resolve)))
    await settled()
    const run = async () => mine
    await expect(registry.once('a', keepOf(), run)).rejects.toMatchObject({
      code: 'idempotency_in_progress',
      details: { retryAfterSeconds: 1 },
    })
    expect(await registry.once('b', keepOf(), run)).toBe(mine)
    expect(await registry.once('a', keepOf({ key: 'l' }), run)).toBe(mine)
    finish(mine)
    expect(await first).toBe(mine)
    expect(await registry.once('a', keepOf(), run)).toBe(mine)
  })

  it.each(['record_exists', 'record_not_found', 'version_conflict'] as const)(
    'that runs into %s of its own first try, on another gateway, gets the answer of that',
    async (code) => {
      const stored: (typeof kept)[] = []
      const registry = createKeyRegistry({ find: async () => stored[0] ?? null })
      const run = async () => {
        stored.push(kept)
        throw new Problem(code)
      }
      expect(await registry.once('a', keepOf(), run)).toEqual({ kind: 'replayed', kept })
      const elsewhere = createKeyRegistry(keptAnswersOf())
      const alone = elsewhere.once('a', keepOf(), () => Promise.reject(new Problem(code)))
      await expect(alone).rejects.toMatchObject({ code })
    },
  )

  it('that ended in a problem may be tried again', async () => {
    const registry = createKeyRegistry(keptAnswersOf())
    const problem = new Problem('store_unavailable')
    await expect(registry.once('a', keepOf(), () => Promise.reject(problem))).rejects.toBe(problem)
    expect(await registry.once('a', keepOf(), async () => mine)).toBe(mine)
  })

  it('is tried again too when the kept answers could not be read', async () => {
    let reads = 0
    const registry = createKeyRegistry({
      find: async () => {
        if (++reads === 1) throw new Problem('store_unavailable')
        return null
      },
    })
    const run = async () => mine
    await expect(registry.once('a', keepOf(), run)).rejects.toMatchObject({
      code: 'store_unavailable',
    })
    expect(await registry.once('a', keepOf(), run)).toBe(mine)
  })
})

describe('a request without a key', () => {
  it('is carried out each time, at the same time too', async () => {
    const registry = createKeyRegistry({
      find: () => Promise.reject(new Error('kept answers were read')),
    })
    let runs = 0
    const run = async () => {
      runs++
      return mine
    }
    await Promise.all([registry.once('a', null, run), registry.once('a', null, run)])
    expect(runs).toBe(2)
  })
})
