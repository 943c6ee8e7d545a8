/**
 * What the project says about itself agrees with what it is: the API's description with the routes, the
 * pages with their promise to load nothing, the written documents with the files and scripts they name.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Route } from '../../src/adapters/http/route.ts'
import { everyRoute } from '../support/every-route.ts'
import { ADMIN_KEY, startTestGateway, type TestGateway } from '../support/gateway.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

/** The routes of the contract that this release has: names that may never change. */
const CONTRACT = `
  POST /v1/approve
  POST /v1/approvals/{decisionId}/commit
  POST /v1/approvals/{decisionId}/abort
  GET /v1/decisions
  GET /v1/decisions/{id}
  GET /v1/catalogs
  POST /v1/catalogs
  GET /v1/catalogs/{catalogId}
  PATCH /v1/catalogs/{catalogId}
  DELETE /v1/catalogs/{catalogId}
  GET /v1/catalogs/{catalogId}/records
  POST /v1/catalogs/{catalogId}/records
  GET /v1/catalogs/{catalogId}/records/{recordId}
  PATCH /v1/catalogs/{catalogId}/records/{recordId}
  DELETE /v1/catalogs/{catalogId}/records/{recordId}
  GET /v1/catalogs/{catalogId}/records/{recordId}/history
  GET /v1/subscriptions
  POST /v1/subscriptions
  GET /v1/subscriptions/{id}
  PATCH /v1/subscriptions/{id}
  DELETE /v1/subscriptions/{id}
  POST /v1/subscriptions/{id}/test
  POST /v1/subscriptions/{id}/rotate-secret
  POST /v1/subscriptions/{id}/enable
  POST /v1/subscriptions/{id}/disable
  GET /v1/subscriptions/{id}/health
  GET /v1/subscriptions/{id}/deliveries
  POST /v1/subscriptions/{id}/replay
  GET /v1/event-types
  POST /v1/event-types
  PATCH /v1/event-types/{name}
  DELETE /v1/event-types/{name}
  POST /v1/events
  GET /v1/actions
  POST /v1/actions
  PATCH /v1/actions/{id}
  DELETE /v1/actions/{id}
  GET /v1/catalogs/{catalogId}/records/{recordId}/actions
  POST /v1/catalogs/{catalogId}/records/{recordId}/actions/{actionId}
  POST /v1/presets/{name}
  GET /v1/accounts
  POST /v1/accounts
  GET /v1/apps
  POST /v1/apps
  POST /v1/installations
  DELETE /v1/installations/{id}
  GET /api/v1/catalogs/{catalogId}/records
  POST /api/v1/catalogs/{catalogId}/records
  GET /api/v1/catalogs/{catalogId}/records/{recordId}
  PATCH /api/v1/catalogs/{catalogId}/records/{recordId}
  DELETE /api/v1/catalogs/{catalogId}/records/{recordId}
  GET /v1/notifications
  GET /v1/deliveries
  GET /v1/deliveries/{id}
  POST /v1/deliveries/{id}/retry
  GET /v1/keys
  POST /v1/keys
  DELETE /v1/keys/{id}
  GET /healthz
  GET /readyz
  GET /metrics
  GET /openapi.json
  GET /docs
  GET /.well-known/jwks.json
  GET /console`
  .trim()
  .split(/\n\s*/)

/** A write that is answered bit by bit. */
const streamed = {
  method: 'POST',
  headers: { authorization: `Bearer ${ADMIN_KEY}`, accept: 'text/event-stream' },
} as const

/** What needs no key, and something else. */
const REFUSED_OTHERWISE: Readonly<Record<string, number>> = {
  'GET /console/files/{file}': 404,
  'POST /console/session': 400,
  'DELETE /console/session': 403,
}

const nameOf = ({ method, path }: Route) => `${method} ${path}`

describe('documents of a running gateway', () => {
  let gateway: TestGateway
  let api: any
  beforeAll(async () => {
    gateway = await startTestGateway()
    api = (await gateway.api.get('/openapi.json', { key: null })).json
  })
  afterAll(() => gateway.close())

  const described = () =>
    Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`),
    )

  it('/openapi.json describes every route that is written, and no other', async () => {
    const written = (await everyRoute()).map(nameOf)
    expect(written.length).toBeGreaterThan(30)
    expect(described().sort()).toEqual(written.sort())
  })

  it("/openapi.json contains every route of this release's contract", () => {
    expect(CONTRACT.filter((route) => !described().includes(route))).toEqual([])
  })

  it('every described route is served, and those that need a key refuse a call without one', async () => {
    for (const [path, methods] of Object.entries<any>(api.paths)) {
      for (const [method, { security }] of Object.entries<any>(methods)) {
        const options = { method: method.toUpperCase(), key: null }
        const place = path.replaceAll(/\{\w+\}/g, 'x')
        const { status } = await gateway.api.call(place, undefined, options)
        const open = REFUSED_OTHERWISE[`${options.method} ${path}`] ?? 200
        expect(`${method} ${path} ${status}`).toBe(
          `${method} ${path} ${security.length === 0 ? open : 401}`,
        )
      }
    }
  })

  it('every reference in /openapi.json resolves, and every schema is referred to', () => {
    const text = JSON.stringify(api)
    const references = [...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, target]) => target ?? '')
    expect(references.length).toBeGreaterThan(10)
    const known = Object.keys(api.components.schemas).map((name) => `#/components/schemas/${name}`)
    expect([...new Set(references)].sort()).toEqual(known.sort())
  })

  it('every operation in /openapi.json has an id of its own, a summary and each of its path parameters', () => {
    const operations = Object.entries<any>(api.paths).flatMap(([path, methods]) =>
      Object.values<any>(methods).map((operation) => ({ path, ...operation })),
    )
    const ids = operations.map(({ operationId }) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { path, operationId, summary, parameters } of operations) {
      expect(summary, operationId).toMatch(/\w/)
      const inPath = parameters.filter((one: any) => one.in === 'path').map((one: any) => one.name)
      expect(inPath, operationId).toEqual(
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]: RegExpMatchArray) => name),
      )
    }
  })

  it('/openapi.json carries the version of the package', () => {
    expect(api.info.version).toBe(JSON.parse(read('package.json')).version)
  })

  it('/console runs and loads nothing but files of ours', async () => {
    const { status, headers, text } = await gateway.api.get('/console', { key: null })
    expect(status).toBe(200)
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toMatch(/(^|; )default-src 'none'(;|$)/)
    expect(policy).not.toMatch(/https?:|\*|unsafe-eval|script-src(?! 'self'(;|$))/)
    const places = [...text.matchAll(/\s(?:src|href)="([^"]*)"/g)].map(([, place]) => place)
    expect(places.filter((place) => !/^(\/(?!\/)|#|data:,?)/.test(place ?? ''))).toEqual([])
    expect(text).not.toMatch(/<script(?![^>]*\ssrc=)|\son\w+=/i)
  })

  it.each(['/docs'])('%s runs no script and loads nothing', async (path) => {
    const { status, headers, text } = await gateway.api.get(path, { key: null })
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toMatch(/(^|; )default-src 'none'(;|$)/)
    expect(policy).not.toMatch(/script-src|https?:|\*/)
    expect(text).toContain('<h1>')
    expect(loaded(text)).toEqual([])
  })

  it.each<[string, string, RequestInit]>([
    ['an answer', '/v1/catalogs', { headers: { authorization: `Bearer ${ADMIN_KEY}` } }],
    ['a page', '/docs', {}],
    ['the document', '/openapi.json', {}],
    ['the metrics', '/metrics', {}],
    ['no key', '/v1/catalogs', {}],
    ['no such path', '/nothing', {}],
    ['no such method', '/v1/approve', { method: 'DELETE' }],
    [
      'a stream',
      '/v1/approve',
      { ...streamed, body: '{"event":"record.updating","catalogId":"c"}' },
    ],
    ['a body that is none', '/v1/approve', { ...streamed, body: '{' }],
  ])('%s tells browsers to keep, guess, run, frame and tell nothing', async (_what, path, init) => {
    const { headers } = await fetch(gateway.url + path, init)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    const policy = headers.get('content-security-policy')
    expect(policy).toMatch(/default-src 'none'/)
    expect(policy).toMatch(/frame-ancestors 'none'/)
  })

  it('/docs shows every route and every schema', async () => {
    const { text } = await gateway.api.get('/docs', { key: null })
    for (const name of described()) {
      const [method, path] = name.split(' ')
      expect(text).toContain(`<b>${method}</b> <code>${path}</code>`)
    }
    const links = [...text.matchAll(/href="#([^"]+)"/g)].map(([, target]) => target ?? '')
    expect(links.filter((target) => !text.includes(`id="${target}"`))).toEqual([])
  })
})

/** Tags and styles of a page that would run or fetch something. */
function loaded(page: string): string[] {
  const tags = page.match(/<[a-z!][^>]*>/gi) ?? []
  const styles = page.match(/<style>[\s\S]*?<\/style>/gi) ?? []
  const active = /^<(script|link|img|iframe|object|embed|base|form|svg|video|audio)\b/i
  return [
    ...tags.filter((tag) => active.test(tag) || /\s(on\w+|src|srcset|style|action)\s*=/i.test(tag)),
    ...tags.filter((tag) => /href="(?!#|\/(?!\/))/i.test(tag)),
    ...styles.filter((style) => /url\(|@import/i.test(style)),
  ]
}

describe('the check for what a page loads', () => {
  it.each([
    '<script>1</script>',
    '<p onclick="x()">',
    '<img src="/a.png">',
    '<link rel="stylesheet" href="/a.css">',
    '<a href="https://example.org/">',
    '<a href="//example.org/">',
    '<style>p { background: url(a.png) }</style>',
    '<style>@import "a.css";</style>',
  ])('sees %s', (page) => {
    expect(loaded(page)).not.toEqual([])
  })

  it('sees nothing in a page of text', () => {
    expect(loaded('<h1>src="x"</h1><a href="/docs">a</a> <a href="#b">onclick=</a>')).toEqual([])
  })
})

describe('written documents', () => {
  const documents = [
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'CHANGELOG.md',
    'examples/README.md',
  ].filter((path) => existsSync(join(root, path)))

  it('exist', () => {
    expect(documents.length).toBeGreaterThanOrEqual(4)
  })

  it.each(documents)('%s has only JSON in its blocks of JSON, and in what it posts', (path) => {
    for (const text of jsonIn(read(path))) expect(() => JSON.parse(text), text).not.toThrow()
  })

  it.each(documents)('%s names only files and scripts that exist', (path) => {
    const text = read(path)
    const { scripts } = JSON.parse(read('package.json'))
    const run = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name ?? '')
    expect(run.filter((name) => !(name in scripts))).toEqual([])
    const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(
      ([, to]) => to ?? '',
    )
    const folder = join(root, dirname(path))
    expect(links.filter((link) => !existsSync(join(folder, link)))).toEqual([])
  })

  it('the texts that are looked at are found', () => {
    const text =
      '```json\n{"a":1}\n```\n```sh\ncurl x -d \'{\n"b":2}\' | jq\ncurl --data \'[3]\'\n```'
    expect(jsonIn(text)).toEqual(['{"a":1}\n', '{\n"b":2}', '[3]'])
  })
})

describe('package-lock.json', () => {
  const { packages } = JSON.parse(read('package-lock.json'))

  /** The version that a package gets when it asks for another: as Node looks, upwards. */
  function versionFor(from: string, name: string): string | undefined {
    const nested = packages[`${from === '' ? '' : `${from}/`}node_modules/${name}`]
    if (nested !== undefined || from === '') return nested?.version
    return versionFor(from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/'))), name)
  }

  it('names every package that `npm ci` looks for, those of other platforms too', () => {
    const missing = Object.entries<any>(packages).flatMap(([path, one]) =>
      Object.entries<string>({ ...one.dependencies, ...one.optionalDependencies })
        .map(([name, wanted]) => ({ name, wanted, version: versionFor(path, name) }))
        .filter(({ wanted, version }) => version === undefined || isOther(wanted, version))
        .map(({ name, wanted }) => `${path} → ${name}@${wanted}`),
    )
    expect(missing).toEqual([])
  })
})

/** Whether an exact version is wanted and it is not this one. */
const isOther = (wanted: string, version: string) =>
  /^\d+\.\d+\.\d/.test(wanted) && wanted !== version

/** Blocks of JSON, and bodies of curl in blocks of shell. */
function jsonIn(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/^```(\w*)[^\n]*\n([\s\S]*?)^```/gm)]
  return blocks.flatMap(([, language, block = '']) => {
    if (language === 'json') return [block]
    const bodies = [...block.matchAll(/(?:-d|--data(?:-raw|-binary)?|--json) '([{[][^']*)'/g)]
    return bodies.map(([, body = '']) => body)
  })
}
