/** The checks of the tidy test: each takes what it looks at and its rules, and returns what is wrong. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'oxc-parser'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export type Layer = {
  /** A folder of src, or one file. */
  readonly at: string
  /** Other layers, or files of them, that it may import. Its own files it always may. */
  readonly layers: readonly string[]
  readonly packages: readonly string[]
  /** Of these it may import types only. */
  readonly types?: readonly string[]
}

export type Lengths = { readonly functionLinesMax: number; readonly fileLinesMax: number }

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

/** Where a banned call is the point of the file: a folder or a file, which calls, and why. */
export type CallException = {
  readonly at: string
  readonly calls: readonly BannedCall[]
  readonly why: string
}

export type Source = { readonly path: string; readonly text: string }
type Node = Readonly<Record<string, unknown>> & {
  readonly type: string
  readonly start: number
  readonly end: number
}
type Import = { readonly from: string; readonly isTypeOnly: boolean }

export function sourcesIn(folder: string): Source[] {
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

const kindOf = (node: Node): unknown => node['importKind'] ?? node['exportKind']

function importsOf(source: Source): Import[] {
  return parsedOf(source).nodes.flatMap((node): Import[] => {
    const from = isNode(node['source']) ? node['source']['value'] : undefined
    if (typeof from !== 'string') return []
    const specifiers = Array.isArray(node['specifiers']) ? node['specifiers'].filter(isNode) : []
    const isEachType = specifiers.length > 0 && specifiers.every((one) => kindOf(one) === 'type')
    const isTypeOnly = kindOf(node) === 'type' || isEachType || node.type === 'TSImportType'
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

export function layerFaults(sources: readonly Source[], layers: readonly Layer[]): string[] {
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

export function lengthFaults(
  sources: readonly Source[],
  { functionLinesMax, fileLinesMax }: Lengths,
): string[] {
  return sources.flatMap((source) => {
    const { text, path } = source
    const lines = text.trimEnd().split('\n').length
    const tooLong = parsedOf(source).nodes.filter(
      (node) =>
        /Function/.test(node.type) &&
        lineOf(source, node.end) - lineOf(source, node.start) + 1 > functionLinesMax,
    )
    return [
      ...(lines > fileLinesMax ? [`${path} has ${lines} lines`] : []),
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

export function callFaults(
  sources: readonly Source[],
  allowed: readonly CallException[],
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

export function formFaults(sources: readonly Source[]): string[] {
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
export function waitingFaults(sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    parsedOf(source)
      .nodes.filter((node) => node.type === 'AwaitExpression' || node['async'] === true)
      .map((node) => `${placeOf(source, node)} waits`),
  )
}

export function deadFiles(sources: readonly Source[], entries: readonly string[]): string[] {
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
  readonly hasInstallScript?: boolean
}
type Lock = { readonly packages: Readonly<Record<string, Locked>> }

export function manifestFaults(
  { dependencies, devDependencies }: Manifest,
  allowed: readonly string[],
): string[] {
  const names = Object.keys(dependencies)
  const versions = Object.entries({ ...dependencies, ...devDependencies })
  return [
    ...names.filter((one) => !allowed.includes(one)).map((one) => `${one} has no reason`),
    ...allowed.filter((one) => !names.includes(one)).map((one) => `${one} is listed, not used`),
    ...versions
      .filter(([, v]) => !/^\d+\.\d+\.\d+$/.test(v))
      .map(([one]) => `${one} is not pinned`),
  ]
}

export function lockFaults({ packages }: Lock, treeMax: number): string[] {
  const all = Object.entries(packages).filter(([path]) => path !== '')
  const production = all.filter(([, one]) => one.dev !== true)
  return [
    ...all.filter(([, one]) => 'resolved' in one).map(([path]) => `${path} names an address`),
    ...production
      .filter(([, one]) => one.hasInstallScript)
      .map(([path]) => `${path} runs a script`),
    ...(production.length > treeMax ? [`${production.length} packages in production`] : []),
  ]
}

export function migrationFaults(names: readonly string[]): string[] {
  return [...names].sort().flatMap((name, index) => {
    const number = String(index + 1).padStart(4, '0')
    return new RegExp(`^${number}_[a-z0-9_]+\\.sql$`).test(name) ? [] : [`${name} is not ${number}`]
  })
}

export const readJson = (path: string) => JSON.parse(readFileSync(join(ROOT, path), 'utf8'))

/** The names of the files in a folder. */
export const namesIn = (folder: string): string[] => readdirSync(join(ROOT, folder))
