/** What a browser has to fetch, compressed as the gateway sends it. */
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'

const FOLDER = new URL('../../dist/console/', import.meta.url)
const ALL_BYTES_MAX = 120 * 1_024
const FIRST_PAGE_BYTES_MAX = 40 * 1_024

const sizeOf = (name: string): number =>
  gzipSync(readFileSync(new URL(`files/${name}`, FOLDER)), { level: 9 }).length

const scripts = readdirSync(new URL('files/', FOLDER)).filter((name) => name.endsWith('.js'))

/** A script and all that it imports before it runs. */
function withImports(name: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(name)) return found
  found.add(name)
  const text = readFileSync(new URL(`files/${name}`, FOLDER), 'utf8')
  for (const [, one = ''] of text.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) {
    withImports(one, found)
  }
  return found
}

it('is at most 120 KiB of scripts in all, and 40 KiB for the first page', () => {
  const all = scripts.reduce((sum, name) => sum + sizeOf(name), 0)
  expect(all).toBeGreaterThan(10_000)
  expect(all).toBeLessThanOrEqual(ALL_BYTES_MAX)
  const page = readFileSync(new URL('index.html', FOLDER), 'utf8')
  const [, entry = ''] = /src="\/console\/files\/([^"]+\.js)"/.exec(page) ?? []
  const overview = scripts.find((name) => name.startsWith('overview-')) ?? ''
  const first = new Set([...withImports(entry), ...withImports(overview)])
  const bytes = [...first].reduce((sum, name) => sum + sizeOf(name), 0)
  expect(bytes).toBeGreaterThan(5_000)
  expect(bytes).toBeLessThanOrEqual(FIRST_PAGE_BYTES_MAX)
})
