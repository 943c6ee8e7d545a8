/** SECURITY.md says of each threat where its control is shown. What it names is there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = new URL('..', import.meta.url).pathname

/** Each threat with where its control is shown; the headings between them have neither. */
function threatsIn(text: string): (readonly [string, string])[] {
  const [, table = ''] = text.split('\n| threat | control |')
  const rows = table.split('\n\n', 1)[0]?.split('\n').slice(2) ?? []
  return rows
    .filter((row) => !row.startsWith('| **'))
    .map((row) => {
      const [threat = '', , shown = ''] = row.split(' | ')
      return [threat, shown] as const
    })
}

/** A folder of tests, or the beginning of the names of some. */
function isThere(place: string): boolean {
  const path = join(ROOT, 'test', place)
  if (existsSync(path)) return true
  const folder = dirname(path)
  return (
    existsSync(folder) && readdirSync(folder).some((name) => name.startsWith(`${basename(path)}.`))
  )
}

const placesIn = (shown: string): string[] =>
  [...shown.matchAll(/`([a-z0-9/.-]+)`/g)].map(([, place = '']) => place)

describe('the threat model', () => {
  const threats = threatsIn(readFileSync(join(ROOT, 'SECURITY.md'), 'utf8'))

  it('names for each threat tests that are there', () => {
    expect(threats.length).toBeGreaterThan(20)
    for (const [threat, shown] of threats) {
      expect(placesIn(shown), threat).not.toEqual([])
      expect(
        placesIn(shown).filter((place) => !isThere(place)),
        threat,
      ).toEqual([])
    }
  })

  it('that named what is not there would be found', () => {
    const table = '\n| threat | control | shown |\n| --- | --- | --- |\n'
    const [row] = threatsIn(`${table}| a wall | none | \`e2e/approve\`, \`unit/nothing\` |\n\nEnd`)
    expect(placesIn(row?.[1] ?? '').map(isThere)).toEqual([true, false])
  })
})
