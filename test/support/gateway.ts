/** A gateway in this process, on a port and a database of its own, and a client that speaks to it. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { parseAllowList } from '../../src/adapters/outbound/egress-policy.ts'
import { type Gateway, startGateway } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'

export const ADMIN_KEY = 'an-admin-key-for-tests-only-0123456789'

/** Where the suites find a real PostgreSQL; without it they run on the embedded database only. */
export const TEST_DATABASE_URL = process.env['TEST_DATABASE_URL']

export type TestGateway = {
  readonly url: string
  readonly api: Api
  readonly close: () => Promise<void>
}

export type Answer<T = any> = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: T
}

type CallOptions = {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly key?: string | null
  /** Sent as it is. */
  readonly raw?: string | Uint8Array
  readonly signal?: AbortSignal
}

export class Api {
  readonly #base: string
  readonly #key: string

  constructor(base: string, key: string = ADMIN_KEY) {
    this.#base = base
    this.#key = key
  }

  async call(path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> {
    const { key = this.#key, raw, headers = {}, signal } = options
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const response = await fetch(this.#base + path, {
      method: options.method ?? (payload === undefined ? 'GET' : 'POST'),
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(payload === undefined ? {} : { body: payload as string }),
      ...(signal === undefined ? {} : { signal }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: parsed(text) }
  }

  get(path: string, options: CallOptions = {}): Promise<Answer> {
    return this.call(path, undefined, options)
  }

  post(path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> {
    return this.call(path, body, { method: 'POST', ...options })
  }

  patch(path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> {
    return this.call(path, body, { method: 'PATCH', ...options })
  }

  delete(path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> {
    return this.call(path, body, { method: 'DELETE', ...options })
  }

  /** A subscription of these settings; fails loudly when it is refused. */
  async subscribe(settings: Record<string, unknown>): Promise<any> {
    const answer = await this.post('/v1/subscriptions', {
      name: 'A validator',
      events: ['record.before.created'],
      ...settings,
    })
    if (answer.status !== 201) throw new Error(`not subscribed: ${answer.status} ${answer.text}`)
    return answer.json
  }

  /** Asks for a creation in a catalog. */
  approve(request: Record<string, unknown>, options: CallOptions = {}): Promise<Answer> {
    const body = { event: 'record.before.created', catalogId: 'things', values: {}, ...request }
    return this.post('/v1/approve', body, options)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export type Environment = Readonly<Record<string, string>>

/** Which databases the end-to-end suites run on. */
export const DATABASES: readonly ('embedded' | 'server')[] =
  TEST_DATABASE_URL === undefined ? ['embedded'] : ['embedded', 'server']

export async function startTestGateway(
  database: 'embedded' | 'server' = 'embedded',
  extra: Environment = {},
): Promise<TestGateway> {
  const place = database === 'embedded' ? await temporaryFolder() : await temporaryDatabase()
  const gateway = await startGateway(configFor({ ...place.environment, ...extra }))
  return {
    url: gateway.url,
    api: new Api(gateway.url),
    close: async () => {
      await gateway.close()
      await place.remove()
    },
  }
}

/** A second gateway on the same place as another; for suites about several of them. */
export function startGatewayOn(environment: Environment): Promise<Gateway> {
  return startGateway(configFor(environment))
}

function configFor(environment: Environment) {
  const variables = {
    PORT: '0',
    ASSENT_ADMIN_KEY: ADMIN_KEY,
    ASSENT_LOG_LEVEL: 'silent',
    ASSENT_EGRESS_ALLOW: '127.0.0.0/8,::1/128',
    ...environment,
  }
  return readConfig(variables, (list) => parseAllowList(list, 'allow').faults)
}

export type Place = { readonly environment: Environment; readonly remove: () => Promise<void> }

export async function temporaryFolder(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'assent-test-'))
  return {
    environment: { ASSENT_DATA_DIR: folder },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

/** A database of its own on the server that TEST_DATABASE_URL names. */
export async function temporaryDatabase(): Promise<Place> {
  if (TEST_DATABASE_URL === undefined) throw new Error('TEST_DATABASE_URL is not set')
  const name = `assent_test_${randomBytes(6).toString('hex')}`
  await onServer(`create database ${name}`)
  const url = new URL(TEST_DATABASE_URL)
  url.pathname = `/${name}`
  return {
    environment: {
      DATABASE_URL: url.href,
      ASSENT_MASTER_KEY: randomBytes(32).toString('base64'),
    },
    remove: () => onServer(`drop database if exists ${name} with (force)`),
  }
}

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: TEST_DATABASE_URL })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
