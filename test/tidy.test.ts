/**
 * What keeps the code as it was meant: who may import whom, how long a function may get, what may be
 * called where, what may be installed. The rules are data at the top; each check also proves on a sample
 * that it bites, because a rule that finds nothing looks the same as a rule that looks at nothing.
 */
import { describe, expect, it } from 'vitest'
import {
  type CallException,
  callFaults,
  deadFiles,
  formFaults,
  type Layer,
  type Lengths,
  layerFaults,
  lengthFaults,
  lockFaults,
  manifestFaults,
  migrationFaults,
  namesIn,
  readJson,
  type Source,
  sourcesIn,
  waitingFaults,
} from './support/tidy-checks.ts'

// ---- the rules

const PURE = ['src/domain']
const CORE = ['src/domain', 'src/app']

const LAYERS: readonly Layer[] = [
  { at: 'src/domain', layers: [], packages: [] },
  { at: 'src/dialects', layers: PURE, packages: ['zod', 'node:crypto', 'node:buffer'] },
  { at: 'src/app', layers: PURE, packages: [] },
  {
    at: 'src/adapters/http',
    layers: CORE,
    packages: ['hono', '@hono/node-server', 'jose', 'zod', 'node:buffer', 'node:http'],
    types: ['node:net'],
  },
  {
    at: 'src/adapters/outbound',
    layers: [...CORE, 'src/dialects'],
    packages: ['opossum', 'ipaddr.js', 'node:*'],
  },
  {
    at: 'src/adapters/postgres',
    layers: CORE,
    packages: ['kysely', 'pg', '@electric-sql/pglite', 'node:fs', 'node:path'],
  },
  { at: 'src/adapters/telemetry', layers: CORE, packages: ['prom-client', 'sonic-boom'] },
  { at: 'src/adapters/system', layers: CORE, packages: ['uuidv7', 're2js', 'node:*'] },
  { at: 'src/config.ts', layers: [], packages: ['zod'] },
  { at: 'src/version.ts', layers: [], packages: ['node:fs'] },
  { at: 'src/compose.ts', layers: ['src'], packages: ['node:*'] },
  { at: 'src/place.ts', layers: ['src/adapters', 'src/config.ts'], packages: [] },
  {
    at: 'src/adapters/console',
    layers: [],
    packages: ['node:fs', 'node:path', 'node:url', 'node:zlib'],
  },
  {
    at: 'src/migrate-for.ts',
    layers: [
      'src/config.ts',
      'src/place.ts',
      'src/adapters/postgres',
      'src/adapters/system/clock.ts',
    ],
    packages: [],
  },
  {
    at: 'src/re-encrypt.ts',
    layers: ['src/adapters', 'src/app/audit.ts', 'src/config.ts', 'src/place.ts'],
    packages: [],
  },
  {
    at: 'src/main.ts',
    // The allow-list of hosts is checked with the other settings before anything starts; the configuration
    // imports no adapter, so its parser is handed in here.
    layers: [
      'src/compose.ts',
      'src/config.ts',
      'src/migrate-for.ts',
      'src/re-encrypt.ts',
      'src/workers.ts',
      'src/adapters/outbound/egress-policy.ts',
      'src/adapters/system/clock.ts',
    ],
    packages: [],
  },
  {
    at: 'src/workers.ts',
    layers: ['src/app', 'src/adapters/telemetry'],
    packages: ['node:cluster'],
  },
]

const LENGTHS: Lengths = { functionLinesMax: 70, fileLinesMax: 400 }

const CALLS_ALLOWED: readonly CallException[] = [
  {
    at: 'src/adapters/system/clock.ts',
    calls: ['Date.now', 'performance.now', 'setTimeout'],
    why: 'It is the clock that everybody else is given.',
  },
  {
    at: 'src/adapters/system/master-key.ts',
    calls: ['Math.random'],
    why: 'It spreads retries; nothing that must not be guessed is made of it.',
  },
  {
    at: 'src/adapters/system/data-folder.ts',
    calls: ['Date.now', 'new Date()', 'setTimeout', 'setInterval'],
    why: 'The lock is waited for, and kept alive, before anything that could be given a clock exists.',
  },
  {
    at: 'src/main.ts',
    calls: ['process.env', 'process.exit'],
    why: 'It is the process: it reads the environment once and ends it with an exit code.',
  },
]

/** Every package that runs in production, and what for. */
const PRODUCTION_PACKAGES: Readonly<Record<string, string>> = {
  '@electric-sql/pglite':
    'PostgreSQL in this process, so that nothing has to be installed beside it',
  '@hono/node-server': 'hono on a Node server',
  hono: 'routes and middleware of the inbound API',
  'ipaddr.js': 'classification of addresses for the egress guard',
  jose: 'JWTs of callers and signed approvals',
  kysely: 'typed SQL',
  opossum: 'the circuit breaker',
  pg: 'PostgreSQL on a server',
  'sonic-boom': 'log lines in chunks',
  'prom-client': 'metrics',
  re2js: 'regular expressions of conditions in linear time',
  uuidv7: 'ids that sort by time',
  zod: 'schemas that check requests and make the OpenAPI document',
}

/** With all that they bring along, optional ones included. */
const PRODUCTION_TREE_MAX = 40

// ---- the tests

const REASONED = Object.keys(PRODUCTION_PACKAGES)
const SOURCES = sourcesIn('src')
const sample = (text: string, path = 'src/domain/sample.ts'): Source[] => [{ path, text }]

describe('layers', () => {
  it('import only what their row of the table allows', () => {
    expect(layerFaults(SOURCES, LAYERS)).toEqual([])
  })

  it('are told apart by a check that sees every way to import', () => {
    const layers: Layer[] = [
      { at: 'src/a', layers: ['src/b'], packages: ['zod'], types: ['node:net'] },
      { at: 'src/b', layers: [], packages: [] },
      { at: 'src/gone', layers: [], packages: [] },
    ]
    const text = `
      import { x } from '../b/x.ts'
      import { z } from 'zod/v4'
      import type { Socket } from 'node:net'
      import { type Server } from 'node:net'
      import { own } from './own.ts'
      import { isIP, type Address } from 'node:net'
      import '../c/side-effect.ts'
      import type { Y } from '../c/types.ts'
      export * from '../c/star.ts'
      export { y } from '../c/named.ts'
      const late = import('pg')
      type T = import('../c/inline.ts').T`
    const sources = [
      { path: 'src/a/a.ts', text },
      { path: 'src/b/x.ts', text: '' },
      { path: 'src/c/c.ts', text: '' },
    ]
    expect(layerFaults(sources, layers)).toEqual([
      'src/gone is listed and has no files',
      'src/a/a.ts imports node:net',
      'src/a/a.ts imports ../c/side-effect.ts',
      'src/a/a.ts imports ../c/types.ts',
      'src/a/a.ts imports ../c/star.ts',
      'src/a/a.ts imports ../c/named.ts',
      'src/a/a.ts imports pg',
      'src/a/a.ts imports ../c/inline.ts',
      'src/c/c.ts belongs to no layer',
    ])
  })

  it('do not wait for anything where they are pure', () => {
    const pure = SOURCES.filter(({ path }) => /^src\/(domain|dialects)\//.test(path))
    expect(pure.length).toBeGreaterThan(20)
    expect(waitingFaults(pure)).toEqual([])
    expect(
      waitingFaults(sample('async function a() {}\nconst b = async () => { await a() }')),
    ).toEqual([
      'src/domain/sample.ts:1 waits',
      'src/domain/sample.ts:2 waits',
      'src/domain/sample.ts:2 waits',
    ])
  })
})

describe('lengths', () => {
  it(`stay within ${LENGTHS.functionLinesMax} lines a function and ${LENGTHS.fileLinesMax} a file`, () => {
    expect(lengthFaults(SOURCES, LENGTHS)).toEqual([])
  })

  it('are counted for declarations, arrows and methods, and for files', () => {
    const body = (lines: number) => '\n'.repeat(lines - 1)
    expect(
      lengthFaults(sample(`function a() {${body(70)}}\nconst b = () => {${body(71)}}`), LENGTHS),
    ).toEqual(['src/domain/sample.ts:71 is a function of too many lines'])
    expect(lengthFaults(sample(`class A { b() {${body(71)}} }`), LENGTHS)).toHaveLength(1)
    expect(lengthFaults(sample(`function a() {${body(71)}}`), LENGTHS)).toHaveLength(1)
    expect(lengthFaults(sample('a()\n'.repeat(400)), LENGTHS)).toEqual([])
    expect(lengthFaults(sample('a()\n'.repeat(401)), LENGTHS)).toEqual([
      'src/domain/sample.ts has 401 lines',
    ])
  })
})

describe('time, chance, environment and the console', () => {
  it('are touched only where the table says, and the table says no more than is needed', () => {
    expect(callFaults(SOURCES, CALLS_ALLOWED)).toEqual([])
  })

  it.each([
    ['const a = Date.now()', 'Date.now'],
    ["const a = Date['now']()", 'Date.now'],
    ['const a = new Date()', 'new Date()'],
    ['const a = Date()', 'Date()'],
    ['const a = Math.random', 'Math.random'],
    ['setTimeout(a, 1)', 'setTimeout'],
    ['globalThis.setInterval(a, 1)', 'setInterval'],
    ["import { setTimeout as sleep } from 'node:timers/promises'", 'setTimeout'],
    ['const a = performance.now()', 'performance.now'],
    ['const a = process.env.HOME', 'process.env'],
    ["const a = process['env']", 'process.env'],
    ['process.exit(1)', 'process.exit'],
    ["console.log('a')", 'console'],
  ])('are found in %s', (text, call) => {
    const faults = callFaults(sample(text), [])
    expect(faults[0]).toBe(`src/domain/sample.ts:1 uses ${call}`)
  })

  it('are not seen where they are not', () => {
    const text = "const a = new Date(0)\n// Date.now()\nconst b = 'process.env'\nclock.now()"
    expect(callFaults(sample(text), [])).toEqual([])
    const needless = [{ at: 'src/domain', calls: ['console' as const], why: '' }]
    expect(callFaults(sample(text), needless)).toEqual(['src/domain needs no console'])
  })
})

describe('forms', () => {
  it('that hide a doubt are not used: any, non-null, enum, default export, unfinished notes', () => {
    expect(formFaults(SOURCES)).toEqual([])
  })

  it.each([
    ['const a = b as any', 'has any'],
    ['function a(b: any) {}', 'has any'],
    ['const a = b!.c', 'has a non-null assertion'],
    ['const a = b![0]', 'has a non-null assertion'],
    ['enum A { B }', 'has an enum'],
    ['export default 1', 'has a default export'],
    ['// TODO: later', 'is not finished'],
    ['/* FIXME */', 'is not finished'],
  ])('are found in %s', (text, fault) => {
    expect(formFaults(sample(text))).toEqual([`src/domain/sample.ts:1 ${fault}`])
  })
})

describe('files', () => {
  it('are all used', () => {
    expect(deadFiles(SOURCES, ['src/main.ts'])).toEqual([])
  })

  it('that nobody imports are found', () => {
    const sources = [
      ...sample("import { a } from './a.ts'", 'src/main.ts'),
      ...sample('export const a = 1', 'src/a.ts'),
      ...sample('export const b = 1', 'src/b.ts'),
    ]
    expect(deadFiles(sources, ['src/main.ts'])).toEqual(['src/b.ts'])
  })

  it('of migrations are numbered without a gap', () => {
    expect(migrationFaults(namesIn('migrations'))).toEqual([])
    expect(migrationFaults(['0001_a.sql', '0003_b.sql'])).toEqual(['0003_b.sql is not 0002'])
    expect(migrationFaults(['0001_a.sql', '0001_b.sql', '2_c.sql'])).toHaveLength(2)
  })
})

describe('packages', () => {
  it('have a reason each and one exact version', () => {
    expect(manifestFaults(readJson('package.json'), REASONED)).toEqual([])
  })

  it('without a reason or with a range are found', () => {
    const dependencies = Object.fromEntries(REASONED.map((name) => [name, '1.2.3']))
    const { zod: _, ...rest } = dependencies
    const manifest = {
      dependencies: { ...rest, lodash: '4.0.0', pg: '^8.0.0' },
      devDependencies: {},
    }
    expect(manifestFaults(manifest, REASONED)).toEqual([
      'lodash has no reason',
      'zod is listed, not used',
      'pg is not pinned',
    ])
  })

  it('come from no address of their own, run no script on install and stay few', () => {
    expect(lockFaults(readJson('package-lock.json'), PRODUCTION_TREE_MAX)).toEqual([])
  })

  it('that break one of these are found', () => {
    const many = Object.fromEntries(
      Array.from({ length: PRODUCTION_TREE_MAX }, (_, at) => [`node_modules/p${at}`, {}]),
    )
    const others = {
      '': {},
      'node_modules/script': { dev: true, hasInstallScript: true },
    }
    expect(lockFaults({ packages: { ...many, ...others } }, PRODUCTION_TREE_MAX)).toEqual([])
    expect(
      lockFaults(
        { packages: { ...many, a: { hasInstallScript: true, resolved: 'x' } } },
        PRODUCTION_TREE_MAX,
      ),
    ).toEqual(['a names an address', 'a runs a script', '41 packages in production'])
  })
})
