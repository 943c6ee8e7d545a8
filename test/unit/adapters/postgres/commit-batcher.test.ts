import { describe, expect, it } from 'vitest'
import {
  type BatchEntry,
  Batcher,
  type BatcherOptions,
} from '../../../../src/adapters/postgres/commit-batcher.ts'

type Entry = BatchEntry<string, string>

/** Batches as they were sent; each is settled by the test. */
function batcherWith(options: Partial<BatcherOptions<string, string>> = {}) {
  const sent: { items: string[]; settle: () => void }[] = []
  const send = (entries: readonly Entry[]) =>
    new Promise<void>((done) => {
      const settle = () => {
        for (const { item, resolve } of entries) resolve(`${item} done`)
        done()
      }
      sent.push({ items: entries.map(({ item }) => item), settle })
    })
  const batcher = new Batcher<string, string>({
    writers: 1,
    batchMax: 4,
    queueMax: 100,
    withdrawn: 'withdrawn',
    send,
    ...options,
  })
  const add = (item: string, key: string | null = null, isWanted = () => true) =>
    batcher.add(item, key, isWanted)
  const batches = () => sent.map(({ items }) => items.join(''))
  return { batcher, sent, add, batches }
}

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

describe('the batcher', () => {
  it('lets those who come together travel together, in their order', async () => {
    const { add, batches, sent } = batcherWith()
    const results = ['a', 'b', 'c'].map((item) => add(item))
    expect(batches()).toEqual([])
    await turn()
    expect(batches()).toEqual(['abc'])
    sent[0]?.settle()
    expect(await Promise.all(results)).toEqual(['a done', 'b done', 'c done'])
  })

  it('gathers while its writers are busy, and sends what has gathered when one is free', async () => {
    const { add, batches, sent } = batcherWith()
    const first = add('a')
    await turn()
    const others = ['b', 'c', 'd'].map((item) => add(item))
    await turn()
    expect(batches()).toEqual(['a'])
    sent[0]?.settle()
    await first
    await turn()
    expect(batches()).toEqual(['a', 'bcd'])
    sent[1]?.settle()
    await Promise.all(others)
  })

  it('has as many batches under way as it has writers, and no more', async () => {
    const { add, batches, sent } = batcherWith({ writers: 2, batchMax: 1 })
    const all = ['a', 'b', 'c', 'd'].map((item) => add(item))
    await turn()
    expect(batches()).toEqual(['a', 'b'])
    sent[1]?.settle()
    await turn()
    expect(batches()).toEqual(['a', 'b', 'c'])
    for (const one of sent) one.settle()
    await turn()
    for (const one of sent) one.settle()
    expect(await Promise.all(all)).toHaveLength(4)
  })

  it('makes no batch larger than the limit', async () => {
    const { add, batches, sent } = batcherWith({ batchMax: 4 })
    const all = 'abcdefghij'.split('').map((item) => add(item))
    for (let batch = 0; batch < 3; batch++) {
      await turn()
      sent[batch]?.settle()
    }
    await Promise.all(all)
    expect(batches()).toEqual(['abcd', 'efgh', 'ij'])
  })

  it('never puts two items with the same key into one batch, and keeps their order', async () => {
    const { add, batches, sent } = batcherWith({ batchMax: 10 })
    const all = [add('a', 'k'), add('b', 'k'), add('c', 'l'), add('d', 'k'), add('e'), add('f')]
    for (let batch = 0; batch < 3; batch++) {
      await turn()
      sent[batch]?.settle()
    }
    await Promise.all(all)
    expect(batches()).toEqual(['acef', 'b', 'd'])
  })

  it('asks last before sending whether an item is still wanted', async () => {
    const { add, batches, sent, batcher } = batcherWith()
    let isThere = true
    const first = add('a')
    await turn()
    const second = add('b', null, () => isThere)
    const third = add('c')
    isThere = false
    expect(batcher.queued).toBe(2)
    sent[0]?.settle()
    expect(await second).toBe('withdrawn')
    await turn()
    sent[1]?.settle()
    expect(await Promise.all([first, third])).toEqual(['a done', 'c done'])
    expect(batches()).toEqual(['a', 'c'])
  })

  it('sends nothing when nobody is left who wants it, and goes on after that', async () => {
    const { add, batches, sent, batcher } = batcherWith()
    expect(await Promise.all([add('a', null, () => false), add('b', null, () => false)])).toEqual([
      'withdrawn',
      'withdrawn',
    ])
    expect(batcher.queued).toBe(0)
    const last = add('c')
    await turn()
    sent[0]?.settle()
    expect(await last).toBe('c done')
    expect(batches()).toEqual(['c'])
  })

  it('refuses at once what no longer fits into its queue', async () => {
    const { add, sent, batcher } = batcherWith({ queueMax: 3 })
    const first = add('a')
    await turn()
    const waiting = ['b', 'c', 'd'].map((item) => add(item))
    expect(batcher.queued).toBe(3)
    await expect(add('e')).rejects.toMatchObject({ code: 'overloaded' })
    sent[0]?.settle()
    await first
    await turn()
    const again = add('f')
    sent[1]?.settle()
    await turn()
    sent[2]?.settle()
    await Promise.all([...waiting, again])
  })

  it('goes on after a batch whose items were refused', async () => {
    const seen: string[] = []
    const { add } = batcherWith({
      send: (entries) => {
        for (const { item, resolve, reject } of entries) {
          seen.push(item)
          if (item === 'bad') reject(new Error('refused'))
          else resolve('fine')
        }
        return Promise.resolve()
      },
    })
    const results = await Promise.allSettled([add('bad'), add('good')])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
    expect(await add('next')).toBe('fine')
    expect(seen).toEqual(['bad', 'good', 'next'])
  })
})
