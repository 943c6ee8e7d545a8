/** For whoever runs the gateway: no key is needed here (CONTRACT.md §10). */
import { z } from 'zod'
import { docsPage } from './docs-page.ts'
import { type OpenApiDocument, openApiDocument } from './openapi.ts'
import { type Answer, ok, type Route, route } from './route.ts'

/** What keeps the gateway from being ready; all null when it is. */
export type Readiness = {
  readonly database: string | null
  readonly migrations: string | null
  readonly dispatcher: string | null
  readonly process: string | null
}

export type OperationPorts = {
  readonly version: string
  /** RFC 7517. */
  readonly publicKeys: readonly object[]
  readonly readiness: () => Promise<Readiness>
  readonly metrics: () => Promise<{ readonly text: string; readonly contentType: string }>
}

const tag = 'Operations'

/** Pages carry no script and load nothing from anywhere. */
const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
} as const

export const page = (text: string): Answer => ({ status: 200, text, headers: PAGE_HEADERS })

const readiness = z.object({
  status: z.enum(['ready', 'not_ready']),
  checks: z.record(z.string(), z.string()),
})

/** `others` are the routes that the documentation is about, beside these. */
export function operationRoutes(others: readonly Route[], ports: OperationPorts): Route[] {
  let made: OpenApiDocument | undefined
  const document = () => {
    made ??= openApiDocument([...others, ...routes], ports.version)
    return made
  }
  const routes = [...stateRoutes(ports), ...pageRoutes(document)]
  return routes
}

function stateRoutes(ports: OperationPorts): Route[] {
  return [
    route({
      method: 'GET',
      path: '/healthz',
      scopes: null,
      tag,
      summary: 'Whether the process is alive',
      responses: { 200: { description: 'It is.', schema: z.object({ status: z.literal('ok') }) } },
      handle: () => ok({ status: 'ok' }),
    }),
    route({
      method: 'GET',
      path: '/readyz',
      scopes: null,
      tag,
      summary: 'Whether it can serve: database, migrations, dispatcher',
      responses: {
        200: { description: 'It can.', schema: readiness },
        503: { description: 'It cannot; the checks say why.', schema: readiness },
      },
      handle: async () => readyAnswer(await ports.readiness()),
    }),
    route({
      method: 'GET',
      path: '/metrics',
      scopes: null,
      tag,
      summary: 'Metrics for Prometheus',
      responses: { 200: { description: 'Text format 0.0.4.', mediaType: 'text/plain' } },
      handle: async () => {
        const { text, contentType } = await ports.metrics()
        return { status: 200, text, headers: { 'content-type': contentType } }
      },
    }),
    route({
      method: 'GET',
      path: '/.well-known/jwks.json',
      scopes: null,
      tag,
      summary: 'Public keys of signed approvals',
      responses: {
        200: {
          description: 'RFC 7517.',
          schema: z.object({ keys: z.array(z.record(z.string(), z.string())) }),
        },
      },
      handle: () => ok({ keys: ports.publicKeys }),
    }),
  ]
}

function pageRoutes(document: () => OpenApiDocument): Route[] {
  return [
    route({
      method: 'GET',
      path: '/openapi.json',
      scopes: null,
      tag,
      summary: 'This API as OpenAPI 3.1',
      responses: { 200: { description: 'The document.', schema: z.looseObject({}) } },
      handle: () => ok(document()),
    }),
    route({
      method: 'GET',
      path: '/docs',
      scopes: null,
      tag,
      summary: 'This API as a page',
      responses: { 200: { description: 'A page.', mediaType: 'text/html' } },
      handle: () => page(docsPage(document())),
    }),
  ]
}

function readyAnswer(checks: Readiness): Answer {
  const isReady = Object.values(checks).every((trouble) => trouble === null)
  const json = {
    status: isReady ? 'ready' : 'not_ready',
    checks: Object.fromEntries(
      Object.entries(checks).map(([name, trouble]) => [name, trouble ?? 'ok']),
    ),
  }
  return { status: isReady ? 200 : 503, json }
}
