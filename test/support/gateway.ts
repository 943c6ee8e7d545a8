/** A gateway in this process, on a port and a database of its own, and a client that speaks to it. */
import { parseAllowList } from '../../src/adapters/outbound/egress-policy.ts'
import { type Gateway, startGateway } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'
import { noteSecrets, refuseSecrets } from './canaries.ts'
import { DATABASE, type DatabaseKind, type Environment, temporaryPlace } from './places.ts'

export const ADMIN_KEY = 'an-admin-key-for-tests-only-0123456789'

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
    const answer = { status: response.status, headers: response.headers, text, json: parsed(text) }
    const { status } = answer
    // What is made is shown this once.
    const isMade = status === 201 || path.endsWith('/rotate-secret')
    const what = `${options.method ?? 'GET'} ${path} (${status})`
    refuseSecrets(what, text + headersText(response), isMade ? body : null)
    noteSecrets(body)
    if (isMade) noteSecrets(answer.json)
    return answer
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

const headersText = ({ headers }: Response): string => [...headers.values()].join('\n')

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export async function startTestGateway(
  database: DatabaseKind = DATABASE,
  extra: Environment = {},
): Promise<TestGateway> {
  const place = await temporaryPlace(database)
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

export function configFor(environment: Environment) {
  const variables = {
    PORT: '0',
    ASSENT_ADMIN_KEY: ADMIN_KEY,
    ASSENT_LOG_LEVEL: 'silent',
    ASSENT_EGRESS_ALLOW: '127.0.0.0/8,::1/128',
    ...environment,
  }
  return readConfig(variables, (list) => parseAllowList(list, 'allow').faults)
}
