import { expect, it } from 'vitest'
import { commitStatement } from '../../src/adapters/postgres/commit-statement.ts'
import type { CommitItem } from '../../src/app/store.ts'
import { onEachStore } from '../support/store.ts'

const PLAIN = {
  insistsOnGeneration: false,
  write: null,
  events: [],
  keep: null,
  pending: null,
  definesCatalog: false,
  exceptions: [],
}

/** As much of an item as tells what the statement needs; one for each need. */
const NEEDY = [
  { ...PLAIN, insistsOnGeneration: true },
  { ...PLAIN, write: { kind: 'insert' } },
  { ...PLAIN, write: { kind: 'update' } },
  { ...PLAIN, events: [{}] },
  { ...PLAIN, keep: {} },
] as unknown as readonly CommitItem[]

const COMBINATIONS = Array.from({ length: 2 ** NEEDY.length }, (_, bits) =>
  NEEDY.filter((_item, index) => (bits & (2 ** index)) !== 0),
)

onEachStore((opened) => {
  it('is a statement of its own, and one that the database takes, for each combination of needs', async () => {
    const statements = COMBINATIONS.map(commitStatement)
    expect(new Set(statements.map(({ name }) => name)).size).toBe(COMBINATIONS.length)
    expect(new Set(statements.map(({ text }) => text)).size).toBe(COMBINATIONS.length)
    for (const { text } of statements) expect(await opened().sql(text, ['[]'])).toEqual([])
  })
})
