import { defineConfig } from 'vitest/config'

// A lost connection needs a server to be lost; these say so in the name, and run where there is one.
const needsServer = '**/*.server.test.ts'
const hasServer = process.env['TEST_DATABASE_URL'] !== undefined
if (!hasServer)
  console.info(`Without TEST_DATABASE_URL: no suite on a server, and no ${needsServer}.`)

// The same for receivers in PHP. It is asked for, not looked for: a missing program must not go unnoticed.
const needsPhp = '**/*.php.test.ts'
const hasPhp = process.env['TEST_PHP'] !== undefined
if (!hasPhp) console.info(`Without TEST_PHP: no ${needsPhp}.`)

// The same for the console in a browser: TEST_BROWSER is the path of Chromium.
const needsBrowser = 'test/console/**/*.test.ts'
const hasBrowser = process.env['TEST_BROWSER'] !== undefined
if (!hasBrowser) console.info(`Without TEST_BROWSER: no ${needsBrowser}.`)

const project = (name: string, include: string[], timeoutMs: number) => ({
  extends: true as const,
  test: {
    name,
    include,
    exclude: [...(hasServer ? [] : [needsServer]), ...(hasPhp ? [] : [needsPhp])],
    testTimeout: timeoutMs,
    hookTimeout: 60_000,
  },
})

export default defineConfig({
  test: {
    // The embedded database takes most of a core while it starts: more files at once only wait longer.
    maxWorkers: 2,
    reporters: ['default'],
    projects: [
      project(
        'unit',
        ['test/*.test.ts', 'test/unit/**/*.test.ts', 'test/property/**/*.test.ts'],
        30_000,
      ),
      project('contract', ['test/contract/**/*.test.ts'], 60_000),
      project('e2e', ['test/e2e/**/*.test.ts'], 60_000),
      project('fault', ['test/fault/**/*.test.ts'], 180_000),
      ...(hasBrowser ? [project('console', [needsBrowser], 120_000)] : []),
    ],
  },
})
