/**
 * What keeps the code as it was meant: who may import whom, how long a function may get, what may be
 * called where, what may be installed. The rules are data at the top; each check also proves on a sample
 * that it bites, because a rule that finds nothing looks the same as a rule that looks at nothing.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'oxc-parser'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

// ---- the rules

type Layer = {
  /** A folder of src, or one file. */
  readonly at: string
  /** Other layers, or files of them, that it may import. Its own files it always may. */
  readonly layers: readonly string[]
  readonly packages: readonly string[]
  /** Of these it may import types only. */
  readonly types?: readonly string[]
}

const PURE = ['src/domain']
const CORE = ['src/domain', 'src/app']

const LAYERS: readonly Layer[] = [
  { at: 'src/domain', layers: [], packages: [] },
  { at: 'src/dialects', layers: PURE, packages: ['zod', 'node:crypto', 'node:buffer'] },
  { at: 'src/app', layers: PURE, packages: [] },
  {
    at: 'src/adapters/http',
    layers: CORE,
    packages: ['hono', '@hono/node-server', 'jose', 'zod', 'node:buffer'],
    types: ['node:http', 'node:net'],
  },
  {
    at: 'src/adapters/outbound',
    layers: [...CORE, 'src/dialects'],
    packages: ['undici', 'opossum', 'ipaddr.js', 'node:*'],
  },
  {
    at: 'src/adapters/postgres',
    layers: CORE,
    packages: ['kysely', 'pg', '@electric-sql/pglite', 'node:fs', 'node:path'],
  },
  { at: 'src/adapters/telemetry', layers: CORE, packages: ['pino', 'prom-client'] },
  { at: 'src/adapters/system', layers: CORE, packages: ['uuidv7', 're2js', 'node:*'] },
  { at: 'src/config.ts', layers: [], packages: ['zod'] },
  { at: 'src/version.ts', layers: [], packages: ['node:fs'] },
  { at: 'src/compose.ts', layers: ['src'], packages: ['node:*'] },
  {
    at: 'src/main.ts',
    // The allow-list of hosts is checked with the other settings before anything starts; the configuration
    // imports no adapter, so its parser is handed in here.
    layers: ['src/compose.ts', 'src/config.ts', 'src/adapters/outbound/egress-policy.ts'],
    packages: [],
  },
]

const FUNCTION_LINES_MAX = 70
const FILE_LINES_MAX = 400

const BANNED_CALLS = [
  'Date.now',
  'Date()',
  'new Date()',
  'Math.random',
  'setTimeout',
  'setInterval',
  'performance.now',
  'process.env',
  'process.exit',
  'console',
] as const
type BannedCall = (typeof BANNED_CALLS)[number]

/** Where a banned call is the point of the file. A folder or a file, and why. */
const CALLS_ALLOWED: readonly {
  readonly at: string
  readonly calls: readonly BannedCall[]
  readonly why: string
}[] = [
  {
    at: 'src/adapters/system/clock.ts',
    calls: ['Date.now', 'performance.now', 'setTimeout'],
    why: 'It is the clock that everybody else is given.',
  },
  {
    at: 'src/adapters/system/data-folder.ts',
    calls: ['Date.now', 'setTimeout'],
    why: 'The lock is waited for before anything that could be given a clock exists.',
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
  pino: 'log lines',
  'prom-client': 'metrics',
  re2js: 'regular expressions of conditions in linear time',
  undici: 'outbound calls to an address that was checked',
  uuidv7: 'ids that sort by time',
  zod: 'schemas that check requests and make the OpenAPI document',
}

/** Without those that npm itself calls optional: pg-cloudflare, which is empty outside of Cloudflare. */
const PRODUCTION_TREE_MAX = 40

// ---- reading

type Source = { readonly path: string; readonly text: string }
type Node = Readonly<Record<string, unknown>> & {
  readonly type: string
  readonly start: number
  readonly end: number
}
type Import = { readonly from: string; readonly isTypeOnly: boolean }

function sourcesIn(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'

function* nodesOf(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const item of value) yield* nodesOf(item)
  if (!isNode(value)) return
  yield value
  for (const key of Object.keys(value)) {
    if (typeof value[key] === 'object') yield* nodesOf(value[key])
  }
}

const parsed = new Map<string, ReturnType<typeof parse>>()

function parse({ path, text }: Source) {
  const { program, comments, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path} cannot be parsed`)
  return { nodes: [...nodesOf(program)], comments }
}

function parsedOf(source: Source): ReturnType<typeof parse> {
  const known = parsed.get(source.text) ?? parse(source)
  parsed.set(source.text, known)
  return known
}

const lineOf = ({ text }: Source, offset: number): number =>
  text.slice(0, offset).split('\n').length

const placeOf = (source: Source, { start }: Node): string =>
  `${source.path}:${lineOf(source, start)}`

function importsOf(source: Source): Import[] {
  return parsedOf(source).nodes.flatMap((node): Import[] => {
    const from = isNode(node['source']) ? node['source']['value'] : undefined
    if (typeof from !== 'string') return []
    const kinds = [node, ...[...nodesOf(node['specifiers'])]].map(
      (one) => one['importKind'] ?? one['exportKind'],
    )
    const specifiers = Array.isArray(node['specifiers']) ? node['specifiers'] : []
    const isEachType =
      specifiers.length > 0 && specifiers.every((one) => (one as Node)['importKind'] === 'type')
    const isTypeOnly = kinds[0] === 'type' || isEachType || node.type === 'TSImportType'
    return [{ from, isTypeOnly }]
  })
}

const isInside = (path: string, at: string): boolean => path === at || path.startsWith(`${at}/`)

const targetOf = (path: string, from: string): string => normalize(join(dirname(path), from))

/** `zod/v4` → `zod`, `@a/b/c` → `@a/b`, `node:fs/promises` → `node:fs`. */
const packageOf = (from: string): string =>
  from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/')

// ---- the checks: each takes what it looks at and returns what is wrong

function layerFaults(sources: readonly Source[], layers: readonly Layer[]): string[] {
  const empty = layers
    .filter(({ at }) => !sources.some(({ path }) => isInside(path, at)))
    .map(({ at }) => `${at} is listed and has no files`)
  const faults = sources.flatMap((source) => {
    const layer = layers.find(({ at }) => isInside(source.path, at))
    if (layer === undefined) return [`${source.path} belongs to no layer`]
    return importsOf(source)
      .filter((one) => !mayImport(layer, source.path, one))
      .map(({ from }) => `${source.path} imports ${from}`)
  })
  return [...empty, ...faults]
}

function mayImport(layer: Layer, path: string, { from, isTypeOnly }: Import): boolean {
  if (from.startsWith('.')) {
    const target = targetOf(path, from)
    return [layer.at, ...layer.layers].some((at) => isInside(target, at))
  }
  const name = packageOf(from)
  const allowed = isTypeOnly ? [...layer.packages, ...(layer.types ?? [])] : layer.packages
  return allowed.some((one) => one === name || (one === 'node:*' && name.startsWith('node:')))
}

function lengthFaults(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => {
    const { text, path } = source
    const lines = text.trimEnd().split('\n').length
    const tooLong = parsedOf(source).nodes.filter(
      (node) =>
        /Function/.test(node.type) &&
        lineOf(source, node.end) - lineOf(source, node.start) + 1 > FUNCTION_LINES_MAX,
    )
    return [
      ...(lines > FILE_LINES_MAX ? [`${path} has ${lines} lines`] : []),
      ...tooLong.map((node) => `${placeOf(source, node)} is a function of too many lines`),
    ]
  })
}

function calledBy(node: Node): BannedCall | null {
  const nameOf = (value: unknown): unknown =>
    isNode(value) ? (value['name'] ?? value['value']) : undefined
  const isDate = nameOf(node['callee']) === 'Date'
  const hasNoArguments = Array.isArray(node['arguments']) && node['arguments'].length === 0
  if (node.type === 'NewExpression') return isDate && hasNoArguments ? 'new Date()' : null
  if (node.type === 'CallExpression') return isDate ? 'Date()' : null
  if (node.type === 'MemberExpression') {
    const object = nameOf(node['object'])
    const path = `${String(object)}.${String(nameOf(node['property']))}`
    if (object === 'console') return 'console'
    return BANNED_CALLS.find((call) => call === path) ?? null
  }
  // Imported under another name from node:timers it is still what it is.
  const isName = node.type === 'Identifier'
  const name = node.type === 'ImportSpecifier' ? nameOf(node['imported']) : node['name']
  const isTimer = name === 'setTimeout' || name === 'setInterval'
  return (isName || node.type === 'ImportSpecifier') && isTimer ? name : null
}

function callFaults(
  sources: readonly Source[],
  allowed: typeof CALLS_ALLOWED = CALLS_ALLOWED,
): string[] {
  const used = new Set<string>()
  const faults = sources.flatMap((source) =>
    parsedOf(source).nodes.flatMap((node) => {
      const call = calledBy(node)
      if (call === null) return []
      const rule = allowed.find(
        ({ at, calls }) => isInside(source.path, at) && calls.includes(call),
      )
      if (rule === undefined) return [`${placeOf(source, node)} uses ${call}`]
      used.add(`${rule.at} ${call}`)
      return []
    }),
  )
  const stale = allowed.flatMap(({ at, calls }) =>
    calls.filter((call) => !used.has(`${at} ${call}`)).map((call) => `${at} needs no ${call}`),
  )
  return [...faults, ...stale]
}

const BANNED_FORMS: Readonly<Record<string, string>> = {
  TSAnyKeyword: 'any',
  TSNonNullExpression: 'a non-null assertion',
  TSEnumDeclaration: 'an enum',
  ExportDefaultDeclaration: 'a default export',
}

function formFaults(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => {
    const { nodes, comments } = parsedOf(source)
    const forms = nodes.flatMap((node) => {
      const form = BANNED_FORMS[node.type]
      return form === undefined ? [] : [`${placeOf(source, node)} has ${form}`]
    })
    const unfinished = comments.filter(({ value }) => /\b(TODO|FIXME|XXX|HACK)\b/.test(value))
    const at = (start: number) => `${source.path}:${lineOf(source, start)}`
    return [...forms, ...unfinished.map(({ start }) => `${at(start)} is not finished`)]
  })
}

/** The pure layers neither wait nor are waited for. */
function waitingFaults(sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    parsedOf(source)
      .nodes.filter((node) => node.type === 'AwaitExpression' || node['async'] === true)
      .map((node) => `${placeOf(source, node)} waits`),
  )
}

function deadFiles(sources: readonly Source[], entries: readonly string[]): string[] {
  const imported = new Set(
    sources.flatMap((source) =>
      importsOf(source)
        .filter(({ from }) => from.startsWith('.'))
        .map(({ from }) => targetOf(source.path, from)),
    ),
  )
  return sources.map(({ path }) => path).filter((p) => !imported.has(p) && !entries.includes(p))
}

type Manifest = {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}
type Locked = {
  readonly resolved?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly hasInstallScript?: boolean
}
type Lock = { readonly packages: Readonly<Record<string, Locked>> }

function manifestFaults({ dependencies, devDependencies }: Manifest): string[] {
  const names = Object.keys(dependencies)
  const allowed = Object.keys(PRODUCTION_PACKAGES)
  const versions = Object.entries({ ...dependencies, ...devDependencies })
  return [
    ...names.filter((one) => !allowed.includes(one)).map((one) => `${one} has no reason`),
    ...allowed.filter((one) => !names.includes(one)).map((one) => `${one} is listed, not used`),
    ...versions
      .filter(([, v]) => !/^\d+\.\d+\.\d+$/.test(v))
      .map(([one]) => `${one} is not pinned`),
  ]
}

function lockFaults({ packages }: Lock): string[] {
  const all = Object.entries(packages).filter(([path]) => path !== '')
  const production = all.filter(([, one]) => one.dev !== true)
  const needed = production.filter(([, one]) => one.optional !== true)
  return [
    ...all.filter(([, one]) => 'resolved' in one).map(([path]) => `${path} names an address`),
    ...production
      .filter(([, one]) => one.hasInstallScript)
      .map(([path]) => `${path} runs a script`),
    ...(needed.length > PRODUCTION_TREE_MAX ? [`${needed.length} packages in production`] : []),
  ]
}

function migrationFaults(names: readonly string[]): string[] {
  return [...names].sort().flatMap((name, index) => {
    const number = String(index + 1).padStart(4, '0')
    return new RegExp(`^${number}_[a-z0-9_]+\\.sql$`).test(name) ? [] : [`${name} is not ${number}`]
  })
}

// ---- the tests

const readJson = (path: string) => JSON.parse(readFileSync(join(ROOT, path), 'utf8'))
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
  it(`stay within ${FUNCTION_LINES_MAX} lines a function and ${FILE_LINES_MAX} a file`, () => {
    expect(lengthFaults(SOURCES)).toEqual([])
  })

  it('are counted for declarations, arrows and methods, and for files', () => {
    const body = (lines: number) => '\n'.repeat(lines - 1)
    expect(
      lengthFaults(sample(`function a() {${body(70)}}\nconst b = () => {${body(71)}}`)),
    ).toEqual(['src/domain/sample.ts:71 is a function of too many lines'])
    expect(lengthFaults(sample(`class A { b() {${body(71)}} }`))).toHaveLength(1)
    expect(lengthFaults(sample(`function a() {${body(71)}}`))).toHaveLength(1)
    expect(lengthFaults(sample('a()\n'.repeat(400)))).toEqual([])
    expect(lengthFaults(sample('a()\n'.repeat(401)))).toEqual([
      'src/domain/sample.ts has 401 lines',
    ])
  })
})

describe('time, chance, environment and the console', () => {
  it('are touched only where the table says, and the table says no more than is needed', () => {
    expect(callFaults(SOURCES)).toEqual([])
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
    expect(migrationFaults(readdirSync(join(ROOT, 'migrations')))).toEqual([])
    expect(migrationFaults(['0001_a.sql', '0003_b.sql'])).toEqual(['0003_b.sql is not 0002'])
    expect(migrationFaults(['0001_a.sql', '0001_b.sql', '2_c.sql'])).toHaveLength(2)
    expect(relative(ROOT, join(ROOT, 'migrations'))).toBe('migrations')
  })
})

describe('packages', () => {
  it('have a reason each and one exact version', () => {
    expect(manifestFaults(readJson('package.json'))).toEqual([])
  })

  it('without a reason or with a range are found', () => {
    const dependencies = Object.fromEntries(
      Object.keys(PRODUCTION_PACKAGES).map((name) => [name, '1.2.3']),
    )
    const { zod: _, ...rest } = dependencies
    const manifest = {
      dependencies: { ...rest, lodash: '4.0.0', pg: '^8.0.0' },
      devDependencies: {},
    }
    expect(manifestFaults(manifest)).toEqual([
      'lodash has no reason',
      'zod is listed, not used',
      'pg is not pinned',
    ])
  })

  it('come from no address of their own, run no script on install and stay few', () => {
    expect(lockFaults(readJson('package-lock.json'))).toEqual([])
  })

  it('that break one of these are found', () => {
    const many = Object.fromEntries(
      Array.from({ length: PRODUCTION_TREE_MAX }, (_, at) => [`node_modules/p${at}`, {}]),
    )
    const others = {
      '': {},
      'node_modules/optional': { optional: true },
      'node_modules/script': { dev: true, hasInstallScript: true },
    }
    expect(lockFaults({ packages: { ...many, ...others } })).toEqual([])
    expect(
      lockFaults({ packages: { ...many, a: { hasInstallScript: true, resolved: 'x' } } }),
    ).toEqual(['a names an address', 'a runs a script', '41 packages in production'])
  })
})
