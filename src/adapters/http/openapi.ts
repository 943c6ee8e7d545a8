/** The OpenAPI 3.1 document, made from the routes and from the schemas that check the requests. */
import { z } from 'zod'
import type { Response, Route } from './route.ts'
import { problem } from './schemas/common.ts'

export type OpenApiDocument = {
  readonly openapi: '3.1.0'
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>
    readonly securitySchemes: object
  }
}

export type Operation = {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string | undefined
  readonly security: readonly object[]
  readonly parameters: readonly Parameter[]
  readonly requestBody?: object | undefined
  readonly responses: Readonly<Record<string, object>>
}

type Parameter = {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly description?: string | undefined
  readonly schema: object
}

type Schemas = Record<string, object>

export function openApiDocument(routes: readonly Route[], version: string): OpenApiDocument {
  const schemas: Schemas = {}
  const paths: Record<string, Record<string, Operation>> = {}
  for (const route of routes) {
    const methods = paths[route.path] ?? {}
    methods[route.method.toLowerCase()] = operationOf(route, schemas)
    paths[route.path] = methods
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Assent',
      version,
      description:
        'The gateway that asks before a record is written. Send a key as `Authorization: Bearer <key>`.',
    },
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas,
      securitySchemes: SECURITY_SCHEMES,
    },
  }
}

const SECURITY_SCHEMES = {
  key: { type: 'http', scheme: 'bearer', description: 'An API key.' },
  basic: {
    type: 'http',
    scheme: 'basic',
    description: 'An API key as the password. The user name is the id of who makes the change.',
  },
} as const

function operationOf(route: Route, schemas: Schemas): Operation {
  const { scopes } = route
  const notes = [
    scopes === null ? 'No key is needed.' : `Scope: \`${scopes.join('` or `')}\`.`,
    route.queryNote,
  ]
  return {
    operationId: operationId(route),
    tags: [route.tag],
    summary: route.summary,
    description: notes.filter(Boolean).join(' '),
    security: securityOf(route),
    parameters: parametersOf(route),
    requestBody:
      route.body === undefined
        ? undefined
        : {
            required: route.bodyOptional !== true,
            content: { 'application/json': { schema: schemaOf(route.body, 'input', schemas) } },
          },
    responses: responsesOf(route, schemas),
  }
}

function securityOf({ scopes, manners }: Route): readonly object[] {
  if (scopes === null) return []
  return manners?.schemes.includes('basic') ? [{ key: [] }, { basic: [] }] : [{ key: [] }]
}

/** `GET /v1/catalogs/{catalogId}/records` → `getCatalogsRecords_catalogId`. */
function operationId({ method, path }: Route): string {
  const parts = path.replace(/^\/v1/, '').split('/').filter(Boolean)
  const words = parts.filter((part) => !part.startsWith('{')).join('-')
  const camel = words.replaceAll(/[-.]+(\w)/g, (_, letter: string) => letter.toUpperCase())
  const names = parts.filter((part) => part.startsWith('{')).map((part) => part.slice(1, -1))
  const noun = camel.charAt(0).toUpperCase() + camel.slice(1)
  return [`${method.toLowerCase()}${noun}`, ...names].join('_')
}

function parametersOf(route: Route): Parameter[] {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(
    ([, name = '']): Parameter => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string', maxLength: 200 },
    }),
  )
  const inHeader = Object.entries(route.headers ?? {}).map(
    ([name, description]): Parameter => ({
      name,
      in: 'header',
      required: false,
      description,
      schema: { type: 'string' },
    }),
  )
  return [...inPath, ...queryParameters(route), ...inHeader]
}

function queryParameters({ query }: Route): Parameter[] {
  if (query === undefined) return []
  const { properties = {} } = jsonSchema(query, 'input') as { properties?: Record<string, object> }
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema,
  }))
}

function responsesOf(route: Route, schemas: Schemas): Record<string, object> {
  const own = Object.entries(route.responses).map(([status, response]) => [
    status,
    responseOf(response, schemas),
  ])
  const problems = {
    description: 'A problem; `code` says which.',
    content: {
      'application/problem+json': {
        schema: schemaOf(route.manners?.problem ?? problem, 'output', schemas),
      },
    },
  }
  return { ...Object.fromEntries(own), default: problems }
}

function responseOf({ description, schema, mediaType }: Response, schemas: Schemas): object {
  if (mediaType !== undefined) {
    return { description, content: { [mediaType]: { schema: { type: 'string' } } } }
  }
  if (schema === undefined) return { description }
  const content = { 'application/json': { schema: schemaOf(schema, 'output', schemas) } }
  return { description, content }
}

/** A named schema is written once and referred to; an unnamed one stands where it is used. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Schemas): object {
  const { $defs, ...made } = jsonSchema(schema, io) as { $defs?: Schemas; [key: string]: unknown }
  for (const [name, definition] of Object.entries($defs ?? {})) schemas[name] ??= definition
  const name = z.globalRegistry.get(schema)?.id
  if (name === undefined) return made
  schemas[name] ??= made
  return { $ref: `#/components/schemas/${name}` }
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema, id, ...made } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  void [$schema, id]
  // References into $defs point to the components of the document.
  return JSON.parse(
    JSON.stringify(made).replaceAll('"#/$defs/', '"#/components/schemas/'),
  ) as object
}
